import numpy as np
import pytest

from augment.background import BackgroundSettings
from augment.foreground import ForegroundSettings, split_layers
from augment.hull import HullParts, grow_hull
from benchmarks.augment_scores import overlap
from faces.cutout import HeadImage
from faces.mesh import vertex_normals
from faces.visibility import view_directions, visible_vertices
from imaging.raster import rasterise
from tests.staged import CAMERA, stage

HAIR_MM = 15.0


def parts_of(fixed, kept=None, scalp=None):
    none = np.zeros(len(fixed), bool)
    return HullParts(fixed, none if kept is None else kept, none, none if scalp is None else scalp)


def test_scalp_grows_to_the_hair_and_the_face_stays():
    staged = stage()
    model, vertices = staged.model, staged.face.vertices_mm
    fixed = model.regions["face"]
    shown = rasterise(CAMERA.screen(vertices), model.triangles, (320, 240))
    face = shown.interpolate(fixed[:, None], model.triangles)[..., 0] > 0.5
    normals = vertex_normals(vertices, model.triangles)
    hairy = rasterise(CAMERA.screen(vertices + HAIR_MM * normals), model.triangles, (320, 240))
    depth = np.where(face, shown.depth, hairy.depth)
    layers = split_layers(
        depth,
        HeadImage(shown.depth, face, face & False, face & False),
        2.0,
        ForegroundSettings(),
        BackgroundSettings(),
    )
    grown = grow_hull(vertices, model.triangles, parts_of(fixed), layers, CAMERA)
    np.testing.assert_array_equal(grown[fixed], vertices[fixed])
    growth = ((grown - vertices) * normals).sum(1)
    front = visible_vertices(vertices, model.triangles, CAMERA, cos_min=0.35) & ~fixed
    far = model.mean_mm[:, 1] > 75  # nearer to the face growth rises smoothly from 0
    # the gap along the ray times the cosine is the thickness but for the surface's curvature
    assert front[far].sum() > 50
    np.testing.assert_allclose(np.median(growth[front & far]), HAIR_MM, atol=3)
    # the back, never seen, follows, between the hair's growth and the face's sides that stay
    behind = (normals * view_directions(vertices, CAMERA)).sum(1) < 0
    crown = behind & (model.mean_mm[:, 1] > 85)
    assert growth[crown].min() > 0
    assert np.median(growth[crown]) > 0.2 * HAIR_MM


def test_nothing_measured_beside_the_face_changes_nothing():
    staged = stage(wall_mm=0)
    vertices, model = staged.face.vertices_mm, staged.model
    everything = np.ones(len(vertices), bool)
    shown = rasterise(CAMERA.screen(vertices), model.triangles, (320, 240))
    layers = split_layers(
        staged.scan.depth_mm,
        HeadImage(shown.depth, shown.mask, shown.mask & False, shown.mask & False),
        2.0,
        ForegroundSettings(),
        BackgroundSettings(),
    )
    np.testing.assert_array_equal(
        grow_hull(vertices, model.triangles, parts_of(everything), layers, CAMERA), vertices
    )


def outlined(model, true_vertices):
    """Layers of a camera that saw the true head and nothing else; depth of the front alone."""
    shown = rasterise(CAMERA.screen(true_vertices), model.triangles, (320, 240))
    none = shown.mask & False
    nose = shown.interpolate(model.regions["nose"][:, None], model.triangles)[..., 0] > 0.5
    return split_layers(
        shown.depth,
        HeadImage(shown.depth, nose, none, none),
        2.0,
        ForegroundSettings(),
        BackgroundSettings(),
    )


@pytest.mark.parametrize("stretch", [0.9, 1.1])
def test_a_head_of_another_width_takes_the_outline(stretch):
    staged = stage(wall_mm=0)
    model, registered = staged.model, staged.face.vertices_mm
    middle = registered[:, 0].mean()
    true = registered * 1.0
    true[:, 0] = middle + stretch * (true[:, 0] - middle)
    layers = outlined(model, true)
    fixed = model.regions["nose"]
    parts = parts_of(fixed, scalp=~fixed)
    grown = grow_hull(registered, model.triangles, parts, layers, CAMERA)
    masks = [
        rasterise(CAMERA.screen(points), model.triangles, (320, 240)).mask
        for points in (registered, grown, true)
    ]
    before, after = (overlap(mask, masks[2]) for mask in masks[:2])
    # a pixel of the outline, of a silhouette some 60 px wide, is 3 %; half is rounding's
    assert before < 0.93
    assert after > 0.975


def test_a_kept_part_leaves_hair_beside_it_alone():
    staged = stage(wall_mm=0)
    model, registered = staged.model, staged.face.vertices_mm
    normals = vertex_normals(registered, model.triangles)
    layers = outlined(model, registered + HAIR_MM * normals)
    fixed = model.regions["nose"]
    grown = grow_hull(registered, model.triangles, parts_of(fixed, kept=~fixed), layers, CAMERA)
    np.testing.assert_array_equal(grown, registered)
