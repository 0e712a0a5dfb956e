from dataclasses import replace

import numpy as np

from faces.camera import Pose
from faces.models import load_model
from synth.eyes.catch_light import with_catch_light
from synth.eyes.gaze import eyeballs, fit_sphere, turn_eyes
from synth.eyes.piece import LIMBUS_MM, eye_piece, eye_window
from synth.head import head_pieces
from synth.light import Light
from tests.toy import toy_model

MODEL = load_model()
SHAPE = MODEL.mean_mm.astype(np.float64)
SIZE = 512
GREY = np.full((SIZE, SIZE, 3), 0.5, np.float32)
AHEAD = Pose(np.eye(3), np.array([0.0, 0.0, 700.0]))


def eyes_of(shape=SHAPE, texture=GREY):
    return head_pieces(MODEL, shape, texture)[1]


def texels_mm(piece):
    """Places (N, 3) of the balls' texels, in the piece's frame."""
    window = eye_window(MODEL, SIZE)
    places = np.zeros((MODEL.vertex_count, 3))
    places[window.own] = piece.vertices_mm
    return window.gather @ places


def colors(piece):
    return piece.albedo.reshape(-1, 3)[eye_window(MODEL, SIZE).texels]


def test_the_balls_keep_their_own_part_of_the_texture():
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE
    piece = eyes_of(texture=np.stack([rows, columns, 0 * rows], -1).astype(np.float32))
    assert piece.albedo.shape == (*piece.relief.shape, 3)
    height, width = piece.relief.shape
    assert height * width < 0.1 * SIZE * SIZE
    window = eye_window(MODEL, SIZE)
    # the same texels under both coordinates
    np.testing.assert_allclose(
        piece.uv * [width, height] + [window.columns.start, window.rows.start],
        MODEL.uv * SIZE,
        atol=1e-3,
    )


def test_lids_and_corners_darken_what_lies_beneath_them_wherever_the_eye_looks():
    for target in ([0.0, 0.0, 700.0], [300.0, -100.0, 500.0]):
        shape = turn_eyes(MODEL, SHAPE, np.zeros(len(MODEL.expression_mm)), np.array(target))
        piece = eyes_of(shape)
        places, tone = texels_mm(piece), colors(piece)[:, 1]
        marks = shape[MODEL.landmarks["ibug68"]]
        upper, lower = marks[[37, 38]].mean(0), marks[[40, 41]].mean(0)
        near = [
            tone[np.linalg.norm(places - place, axis=1) < 1.5].mean()
            for place in (upper, (upper + 2 * lower) / 3)
        ]
        assert near[0] < 0.75 * near[1]
        assert tone.max() <= 0.5 + 1e-6


def test_the_inner_corner_is_pink():
    piece = eyes_of()
    places, color = texels_mm(piece), colors(piece)
    corner = SHAPE[MODEL.landmarks["ibug68"][42]]
    close = np.linalg.norm(places - corner, axis=1) < 2.0
    assert (color[close, 0] > 1.2 * color[close, 1]).all()


def test_the_cornea_bulges_within_the_limbus():
    window = eye_window(MODEL, SIZE)
    relief = window.relief
    assert 0.5 < relief.max() < 3.0
    assert relief.min() >= -1e-6
    flat = np.zeros(relief.size, bool)
    flat[window.iris_texels] = True
    assert relief.ravel()[flat].mean() > 0.3
    # blurred over a texel of half a millimetre
    assert np.abs(relief.ravel()[~flat]).max() < 0.3


def test_the_catch_light_is_where_a_cornea_mirrors_the_lamp():
    piece = eyes_of().moved(AHEAD)
    way = np.array([0.3, -0.25, -1.0])
    light = Light(np.zeros((9, 3)), way / np.linalg.norm(way), np.ones(3))
    lit = with_catch_light(MODEL, piece, light, SIZE)
    bright = (colors(lit) - colors(piece))[:, 1] > 0.5
    places = texels_mm(piece)
    for ball in eyeballs(MODEL):
        points = AHEAD.apply(SHAPE)[ball.vertices]
        centre, radius = fit_sphere(points)
        mine = np.linalg.norm(places - centre, axis=1) < radius + 3
        spot = places[bright & mine].mean(0) - points[ball.pole]
        # the camera is straight ahead: normals halfway to the lamp, so right of and above the
        # pupil (y points down), within the iris
        assert spot[0] > 0.5
        assert spot[1] < -0.5
        assert np.linalg.norm(spot) < LIMBUS_MM
    behind = replace(light, direction=np.array([0.0, 0.0, 1.0]))
    np.testing.assert_array_equal(with_catch_light(MODEL, piece, behind, SIZE).albedo, piece.albedo)


def test_a_model_without_eyeballs_keeps_its_piece():
    toy = toy_model()
    piece = eyes_of()
    light = Light(np.zeros((9, 3)), np.array([0.0, 0.0, -1.0]), np.ones(3))
    assert eye_piece(toy, toy.mean_mm, GREY, piece) is piece
    assert with_catch_light(toy, piece, light, SIZE) is piece
