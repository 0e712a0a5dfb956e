"""UV maps: a linear field survives the way there and back; the chart neither folds nor overlaps."""

import numpy as np
import pytest

from faces.models import load_model
from faces.morphable import PARTS
from faces.uv import UvAtlas

SIZE = 512


@pytest.fixture(scope="module")
def model():
    return load_model("default")


@pytest.fixture(scope="module")
def atlas(model):
    return UvAtlas(model, SIZE)


def corner_areas(model):
    """Signed area (T,) of the texture triangles, in the unit square."""
    a, b, c = (model.uv[model.triangle_uv[:, k]].astype(np.float64) for k in range(3))
    (x1, y1), (x2, y2) = (b - a).T, (c - a).T
    return (x1 * y2 - x2 * y1) / 2


def test_field_linear_in_uv_returns(model, atlas):
    field = np.zeros((model.vertex_count, 2), dtype=np.float32)
    field[model.triangles.ravel()] = model.uv[model.triangle_uv.ravel()]
    seam = np.zeros(model.vertex_count, dtype=bool)
    gap = np.abs(field[model.triangles] - model.uv[model.triangle_uv]).max((1, 2))
    seam[model.triangles[gap > 0]] = True
    used = model.part_vertices(*PARTS) & ~seam
    returned = atlas.sample(atlas.to_map(field))
    error = np.linalg.norm(returned - field, axis=1)[used] * SIZE
    # Linear within and across triangles: exact but where texels beside an island's rim are missing,
    # there at most the distance to the nearest texel's centre.
    assert np.quantile(error, 0.95) < 0.02
    assert error.max() < 1.5


def test_constant_stays_constant(model, atlas):
    ones = np.ones((model.vertex_count, 1), dtype=np.float32)
    texture = atlas.to_map(ones)
    np.testing.assert_allclose(texture[atlas.mask], 1, atol=1e-6)
    assert not texture[~atlas.mask].any()
    np.testing.assert_allclose(atlas.sample(texture), 1, atol=1e-6)


def test_positions_survive_on_the_face(model, atlas):
    returned = atlas.sample(atlas.to_map(model.mean_mm))
    error = np.linalg.norm(returned - model.mean_mm, axis=1)[model.regions["narrow_face"]]
    # A texel covers about half a millimetre of face at this size; lips and lids are sharper.
    assert np.median(error) < 0.1
    assert np.quantile(error, 0.99) < 1.0


def test_skin_chart_has_no_fold(model):
    area = corner_areas(model)
    skin = np.isin(
        model.triangle_part, [PARTS.index(p) for p in ("skin", "mouth_socket", "eye_socket")]
    )
    # v points down, so triangles that are counter-clockwise on the face have negative areas.
    assert (area[skin] < 0).all()


@pytest.mark.parametrize("part", [("skin", "mouth_socket", "eye_socket"), ("eye",)])
def test_chart_does_not_overlap(model, part):
    # An area covered twice would make the triangles' areas exceed the area of their union.
    size = 1024
    own = np.isin(model.triangle_part, [PARTS.index(p) for p in part])
    total = np.abs(corner_areas(model)[own]).sum()
    atlas = UvAtlas(model, size)
    inside = np.zeros((size, size), dtype=np.float32)
    ids = np.zeros((model.vertex_count, 1), dtype=np.float32)
    ids[model.triangles[own].ravel()] = 1
    inside = atlas.to_map(ids)[..., 0] > 0.99
    # The union's rim, some 5,000 texels long, is known to half a texel.
    assert total == pytest.approx(inside.sum() / size**2, abs=0.004)


def test_face_has_most_of_the_texture(model):
    area = np.abs(corner_areas(model))
    face = model.regions["face"][model.triangles].all(1)
    assert area[face].sum() > 0.4 * area.sum()
