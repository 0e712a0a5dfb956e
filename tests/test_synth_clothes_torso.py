"""A body and its clothes grow out of any neck: joined to it, outside the skin, the same always."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from faces.mesh import triangle_normals, vertex_normals
from faces.models import load_model
from synth.clothes.body import Body, Build, closed_rows, sample_build
from synth.clothes.neck import neck_rings
from synth.clothes.outfits import CHANCE, make_outfit
from synth.clothes.torso import make_torso

TONE = np.array([0.7, 0.5, 0.4])


def neck(count=4):
    """Rings of a neck, 60 × 55 mm, cut at a slant about y = 150, 6 mm apart."""
    angle = np.linspace(-np.pi, np.pi, 90, endpoint=False) + 0.01
    rings = [
        np.stack(
            [
                60 * np.sin(angle) + 5,
                150 - 6 * k + 8 * np.cos(angle),
                700 - 55 * np.cos(angle),
            ],
            axis=1,
        )
        for k in range(count)
    ]
    return rings, [np.tile(TONE, (90, 1))] * count


def torso(seed, male=True):
    return make_torso(*neck(), np.random.default_rng(seed), male)


@pytest.fixture(scope="module")
def body():
    return Body.under(neck()[0], Build())


def test_the_skin_begins_on_the_rim_itself():
    rings, _ = neck()
    for seed in range(3):  # whichever way the body turns
        skin = torso(seed)[0]
        assert np.abs(skin.vertices_mm[: len(rings[0])] - rings[0]).max() < 1e-6


def test_the_skin_leaves_the_rim_in_the_necks_direction(body):
    at = int(np.argmax(body.reach_mm == 0))
    down = body.points_mm[at + 1] - body.points_mm[at]
    down /= np.linalg.norm(down, axis=1, keepdims=True)
    # the neck goes straight down; one row on, 3 to 7 mm of TANGENT_MM, it has not turned far
    assert down[:, 1].min() > np.cos(np.radians(20))


def test_shoulders_are_as_wide_as_peoples(body):
    wide = [np.ptp(Body.under(neck()[0], Build(w)).points_mm[..., 0]) for w in (0.885, 1.0)]
    # bideltoid breadth: 450 ± 25 mm of women, 510 ± 30 mm of men (ANSUR II, to the centimetre)
    assert wide[0] == pytest.approx(450, abs=25)
    assert wide[1] == pytest.approx(510, abs=30)
    men, women = (
        np.mean([sample_build(np.random.default_rng(s), male).width for s in range(50)])
        for male in (True, False)
    )
    assert men > women


def test_triangles_face_outwards(body):
    skin = torso(0)[0]
    triangles = triangle_normals(skin.vertices_mm, skin.triangles)
    middle = skin.vertices_mm[skin.triangles].mean(1) - neck()[0][0].mean(0)
    # outwards is away from the neck's axis, and up where the shoulders are flat
    assert ((triangles * (middle * [1, 0, 1] + [0, -60, 0])).sum(1) > 0).all()
    assert (skin.triangles < len(skin.vertices_mm)).all()


def test_the_tone_of_the_neck_goes_on_below_it():
    skin = torso(3)[0]
    row, column = 90, 128  # before the throat, above the sun's reddening
    near = skin.albedo[row - 12 : row, column - 20 : column + 20].mean((0, 1))
    assert np.abs(near - TONE).max() < 0.05  # mottled by 2 % and a little red


@pytest.mark.parametrize("kind", CHANCE)
def test_clothes_lie_outside_the_skin(body, kind):
    for seed in range(4):
        pieces = make_outfit(kind, body, np.random.default_rng(seed))
        assert {piece.label for piece in pieces} == {"clothes"}
        for piece in pieces:
            away = _height(body, piece.vertices_mm)
            # between the body's rows its surface is a chord: up to a millimetre inside its round
            assert away.min() > -1.0
            assert away.max() < 60


@pytest.mark.parametrize("kind", CHANCE)
def test_clothes_leave_the_throat_free_and_reach_down(body, kind):
    pieces = make_outfit(kind, body, np.random.default_rng(1))
    points = np.concatenate([piece.vertices_mm for piece in pieces]) - body.centre_mm
    ahead = points[(np.abs(points[:, 0]) < 15) & (points[:, 2] < 0)]
    assert ahead[:, 1].min() > -20  # below the chin, which is 70 mm above the rim's front
    assert points[:, 1].max() > 250
    assert sum(len(piece.triangles) for piece in pieces) < 11000


def test_clothes_are_drawn_from_the_generator():
    first, again, other = torso(2), torso(2), torso(3)
    assert len(first) == len(again)
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.vertices_mm, two.vertices_mm)
        np.testing.assert_array_equal(one.albedo, two.albedo)
    assert np.abs(first[1].albedo[:9, :9, :3] - other[1].albedo[:9, :9, :3]).max() > 0.01


def test_the_rings_of_a_neck_lie_above_each_other():
    model = load_model("default")
    rings = neck_rings(model)
    heights = [model.mean_mm[ring, 1].mean() for ring in rings]
    assert (np.diff(heights) > 0).all()
    for ring in rings:
        x, _, z = (model.mean_mm[ring] - model.mean_mm[ring].mean(0)).T
        turn = np.diff(np.unwrap(np.arctan2(x, z)))
        assert (turn > 0).all()
        assert turn.sum() < 2 * np.pi
        assert len(np.unique(ring)) == len(ring)


def _height(body, points_mm):
    """Distance of points outside the nearest of the body's own points, along its normal."""
    fine = np.linspace(body.reach_mm[0], body.reach_mm[-1], 340)[:, None]
    angle = np.linspace(-np.pi, np.pi, 360)[None]
    own = body.at(angle, fine, np.zeros((340, 360)))
    normals = vertex_normals(own.reshape(-1, 3), closed_rows(340, 360))
    near = cKDTree(own.reshape(-1, 3)).query(points_mm - body.centre_mm)[1]
    gap = points_mm - body.centre_mm - own.reshape(-1, 3)[near]
    return (gap * normals[near]).sum(1)
