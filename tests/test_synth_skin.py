from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from faces.camera import Camera, Pose
from faces.mesh import vertex_normals
from faces.morphable import PARTS
from faces.rotation import matrix_from_euler
from imaging.raster import rasterise
from imaging.shading import phong
from synth.skin import NOISE_MM, SHADE, lit_colors, skin_detail
from synth.subjects import sample_light
from tests.toy import toy_model

MODEL = toy_model()
CAMERA = Camera(160, 160, 400.0, 400.0, 80.0, 80.0)


def posed(yaw_deg):
    pose = Pose(matrix_from_euler(yaw_deg), np.array([0, 0, 650.0]))
    return pose.apply(MODEL.mean_mm.astype(np.float64))


def test_skin_is_lit_by_equation_4_and_teeth_lie_in_the_shade():
    vertices, light = posed(10.0), sample_light(np.random.default_rng(0))
    albedo = np.full((MODEL.vertex_count, 3), 0.4)
    view = -vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    normals = vertex_normals(vertices, MODEL.triangles)
    colour = (light.direction, light.ambient, light.directional)
    expected = phong(albedo, normals, view, *colour, light.specular, light.shininess)
    got = lit_colors(MODEL, vertices, albedo, light, CAMERA)
    np.testing.assert_allclose(got, np.clip(expected, 0, 1), atol=1e-6)
    toothy = replace(MODEL, triangle_part=np.full(len(MODEL.triangles), PARTS.index("teeth")))
    matt = replace(light, directional=np.zeros(3))
    np.testing.assert_allclose(
        lit_colors(toothy, vertices, albedo, matt, CAMERA),
        np.broadcast_to(0.4 * light.ambient * SHADE["teeth"], albedo.shape),
        rtol=1e-6,
    )


def test_detail_moves_with_the_skin():
    """The same points of the skin have the same factor from another side."""
    detail = skin_detail(MODEL, np.random.default_rng(1))
    size = (CAMERA.width, CAMERA.height)
    places, factors = [], []
    for yaw_deg in (0.0, 20.0):
        fragments = rasterise(CAMERA.screen(posed(yaw_deg)), MODEL.triangles, size)
        places.append(fragments.interpolate(MODEL.mean_mm, MODEL.triangles)[fragments.mask])
        factors.append(detail(fragments)[fragments.mask])
    strength = np.sqrt(sum(s**2 for _, s in NOISE_MM))
    assert abs(factors[0].mean() - 1) < 0.02
    # trilinear interpolation halves a white lattice's variance in the mean, at least
    assert 0.4 * strength < factors[0][:, 1].std() < strength
    distance, pairs = cKDTree(places[1]).query(places[0])
    near = distance < 0.15
    assert near.sum() > 100
    difference = (factors[1][pairs] - factors[0])[near, 1]
    # 0.15 mm is a quarter of the finest lattice's cell
    assert difference.std() < 0.5 * factors[0][:, 1].std()


def test_only_skin_has_detail():
    toothy = replace(MODEL, triangle_part=np.full(len(MODEL.triangles), PARTS.index("teeth")))
    fragments = rasterise(CAMERA.screen(posed(0.0)), MODEL.triangles, (160, 160))
    assert (skin_detail(toothy, np.random.default_rng(2))(fragments) == 1).all()
