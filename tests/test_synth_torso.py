import numpy as np

from faces.mesh import triangle_normals
from synth.torso import SIDES, make_torso

TONE = np.array([0.7, 0.5, 0.4])


def rim():
    """The rim of a neck, 60 × 55 mm, cut at a slant about y = 150."""
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False) + 0.01
    return np.stack(
        [60 * np.cos(angle) + 5, 150 + 8 * np.sin(angle), 55 * np.sin(angle) + 700], axis=1
    )


def test_the_body_grows_out_of_the_rim_and_faces_outwards():
    skin, shirt = make_torso(rim(), TONE, np.random.default_rng(0))
    assert (skin.label, shirt.label) == ("skin", "clothes")
    top = skin.vertices_mm[:SIDES]
    angle = np.arctan2(top[:, 2] - 700, top[:, 0] - 5)
    # the rim is resampled between 90 points: a chord of 4° lies within 0.04 mm of its arc
    expected = np.stack([60 * np.cos(angle) + 5, top[:, 1], 55 * np.sin(angle) + 700], 1)
    assert np.abs(top - expected).max() < 3
    assert 140 < top[:, 1].min() < 144 < 156 < top[:, 1].max() < 160
    assert np.ptp(skin.vertices_mm[:, 0]) > 380  # shoulders
    points, triangles = skin.vertices_mm, skin.triangles
    outward = points[triangles].mean(1) - [5, 0, 700]
    outward[:, 1] = 0
    sides = points[triangles].mean(1)[:, 1] > 300  # below the slope of the shoulders
    assert ((triangle_normals(points, triangles) * outward).sum(1)[sides] > 0).all()


def test_the_shirt_lies_outside_the_skin_and_leaves_the_throat_free():
    skin, shirt = make_torso(rim(), TONE, np.random.default_rng(1))
    centre = np.array([5.0, 0, 700])
    inner, outer = ((p.vertices_mm - centre)[SIDES * 20 :, [0, 2]] for p in (skin, shirt))
    inside = np.linalg.norm(outer, axis=1) > np.linalg.norm(inner, axis=1)
    assert inside.mean() > 0.8  # folds may dip: the skin under them is drawn behind the cloth
    front = shirt.alpha[:, 3 * shirt.alpha.shape[1] // 4]
    assert front[0] == 0
    assert front[-1] == 1


def test_the_shirt_is_drawn_from_the_generator():
    first, again, other = (
        make_torso(rim(), TONE, np.random.default_rng(seed))[1].albedo for seed in (2, 2, 3)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01
