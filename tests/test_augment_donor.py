from dataclasses import replace

import numpy as np
import pytest

from augment.donor import scalp_depth
from augment.rotate import RotateSettings, prepare
from augment.seen import HAIRLINE_MM, SeenHead, wears_hair
from faces.texture import WHISPER, carry
from tests.staged import paint, stage


@pytest.fixture(scope="module")
def staged():
    return stage()


def corrected(staged, colors):
    """The donor's colours of the staged head painted in ``colors`` (V, 3)."""
    picture = paint(staged.face.vertices_mm, staged.model, colors, staged.scan.camera)
    shown = picture.any(-1)
    color = np.where(shown[..., None], picture, staged.scan.color)
    source = prepare(replace(staged.scan, color=color), staged.face, staged.model, RotateSettings())
    return source.scene.model_color[: staged.model.vertex_count]


def test_a_constant_is_carried_to_the_unseen_side():
    model = stage().model
    wanted = np.tile([0.1, 0.05, -0.05], (model.vertex_count, 1))
    seen = (model.mean_mm[:, 0] > 10).astype(float)
    out = carry(wanted * seen[:, None], seen, 0 * wanted, WHISPER, model.triangles)
    skin = model.part_vertices("skin")
    # a constant is harmonic; 2e-3 is the pull of WHISPER a vertex towards 0
    np.testing.assert_allclose(out[skin], wanted[skin], atol=2e-3)
    nothing = carry(wanted, 0 * seen, 0 * wanted, WHISPER, model.triangles)
    np.testing.assert_allclose(nothing, 0, atol=1e-12)


def test_the_scalp_lies_behind_its_hairline():
    model = stage().model
    depth = scalp_depth(model)
    assert (depth[~model.regions["scalp"]] == 0).all()
    assert depth[model.regions["scalp"]].max() > 2 * HAIRLINE_MM[1]


def test_a_black_scalp_is_black_at_the_back_and_leaves_the_skin_alone(staged):
    model = staged.model
    black = scalp_depth(model) > 0
    bald, dark = staged.colors, np.where(black[:, None], 0.05, staged.colors)
    before, after = corrected(staged, bald), corrected(staged, dark)
    back = (scalp_depth(model) > 15) & (model.mean_mm[:, 2] < model.mean_mm[:, 2].mean())
    # the photo shows the front of the scalp alone: all that is behind is carried there
    assert after[back].mean() < before[back].mean() - 0.15
    skin = model.regions["face"] | model.regions["neck"]
    # black mixed into single pixels at the hairline reaches some vertices beside it
    assert np.abs(after - before)[skin].mean() < 0.005


@pytest.mark.parametrize(("shade", "hair"), [(1.0, False), (0.9, False), (0.2, True)])
def test_hair_is_told_from_a_shaved_scalp_by_the_fitted_colours(staged, shade, hair):
    fitted = staged.face.appearance.colors
    count = staged.model.vertex_count
    every = np.ones(count, np.float32)
    seen = SeenHead(shade * fitted, np.zeros((count, 2), np.float32), every, every, every)
    assert wears_hair(seen, fitted, staged.model) == hair
    unseen = replace(seen, trust=0 * every)
    assert not wears_hair(unseen, fitted, staged.model)
