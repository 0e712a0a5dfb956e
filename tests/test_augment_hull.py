import numpy as np

from augment.background import BackgroundSettings
from augment.cutout import HeadImage
from augment.foreground import ForegroundSettings, split_layers
from augment.hull import grow_hull
from faces.mesh import vertex_normals
from faces.visibility import view_directions, visible_vertices
from imaging.raster import rasterise
from tests.staged import CAMERA, stage

HAIR_MM = 15.0


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
    grown = grow_hull(vertices, model.triangles, fixed, layers, CAMERA)
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
        grow_hull(vertices, model.triangles, everything, layers, CAMERA), vertices
    )
