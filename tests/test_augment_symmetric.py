from dataclasses import replace

import numpy as np
import pytest

from augment.rotate import RotateSettings, prepare
from augment.symmetric import GAIN
from faces.mirror import mirrored_vertices
from faces.models import load_model
from faces.texture import sample
from tests.staged import paint, stage


@pytest.fixture(scope="module")
def turned():
    """A head turned by 25°, in colours that both halves share: stripes that the model lacks."""
    staged = stage(yaw_deg=25.0)
    height = staged.model.mean_mm[:, 1]
    own = staged.model.albedo_mean * (0.8 + 0.15 * np.sin(height / 3.0))[:, None]
    picture = paint(staged.face.vertices_mm, staged.model, own, staged.scan.camera)
    scan = replace(staged.scan, color=picture)
    even = np.float32(0.8) * staged.model.albedo_mean
    fitted = replace(staged.face.appearance, albedo=even, colors=even)
    face = replace(staged.face, appearance=fitted)
    source = prepare(scan, face, staged.model, RotateSettings())
    return staged.model, source, own, face


def test_partners_mirror_each_other():
    model = load_model("default")
    partner, paired = mirrored_vertices(model)
    apart = np.abs(model.mean_mm * [-1, 1, 1] - model.mean_mm[partner]).max(1)
    # the default model is symmetric to the last digits of float32
    assert apart[paired].max() < 1e-3
    assert np.array_equal(partner[partner], np.arange(len(partner)))
    on_line = np.abs(model.mean_mm[:, 0]) < 1e-3
    assert not paired[on_line].any()
    assert paired[~on_line].mean() > 0.99


def test_the_far_cheek_gets_the_near_ones_stripes(turned):
    model, source, own, face = turned
    scene, count = source.scene, model.vertex_count
    mirrored = sample(source.color, scene.second_px[:count]) * scene.second_gain[:count]
    facing = (scene.normals[:count] * -scene.vertices_mm[:count]).sum(1) / np.linalg.norm(
        scene.vertices_mm[:count], axis=1
    )
    far = (facing < 0) & (scene.second_weight[:count] > 0.5) & model.regions["face"]
    assert far.sum() > 50
    error = np.abs(mirrored - own)[far].mean()
    alone = np.abs(face.appearance.colors - own)[far].mean()
    # of 640/2 px a stripe of 19 mm keeps most of its contrast, whatever the slope
    assert error < 0.4 * alone


def test_the_second_photo_stays_within_its_bounds(turned):
    model, source, _, _ = turned
    scene, count = source.scene, model.vertex_count
    assert np.isfinite(scene.second_px).all()
    assert scene.second_weight.min() >= 0
    assert scene.second_weight.max() <= 1
    assert scene.second_gain.min() >= GAIN[0]
    assert scene.second_gain.max() <= GAIN[1]
    # the grid has no mirror
    assert not scene.second_weight[count:].any()


def test_what_hides_the_near_side_is_not_mirrored(turned):
    model, source, own, face = turned
    hidden = model.regions["cheeks"] & (model.mean_mm[:, 0] < 0)
    if source.scene.second_weight[: model.vertex_count][hidden].max() == 0:
        hidden = model.regions["cheeks"] & (model.mean_mm[:, 0] > 0)
    partner, _ = mirrored_vertices(model)
    green = own.copy()
    green[partner[hidden]] = [0, 1, 0]
    staged = stage(yaw_deg=25.0)
    picture = paint(staged.face.vertices_mm, model, green, staged.scan.camera)
    scene = prepare(replace(staged.scan, color=picture), face, model, RotateSettings()).scene
    assert source.scene.second_weight[: model.vertex_count][hidden].max() > 0.3
    assert scene.second_weight[: model.vertex_count][hidden].mean() < 0.02
