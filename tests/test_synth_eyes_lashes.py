from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from faces.models import load_model
from synth.eyes.lashes import COLUMNS, ROWS, make_lashes
from synth.skin.parameters import sample_skin
from tests.toy import toy_model

MODEL = load_model()
SHAPE = MODEL.mean_mm.astype(np.float64)
SKIN = sample_skin(np.random.default_rng(0), 30, False)


def lashes(seed=0, **changes):
    return make_lashes(MODEL, SHAPE, replace(SKIN, **changes), np.random.default_rng(seed))


def test_lashes_grow_from_the_upper_margins_forwards_and_up():
    skin = cKDTree(SHAPE[MODEL.part_vertices("skin")])
    for piece, points in zip(lashes(), ([36, 37, 38, 39], [45, 44, 43, 42]), strict=True):
        rows = piece.vertices_mm.reshape(ROWS, COLUMNS, 3)
        # the mesh's edges are 1 mm long about the eyes, and the margin is round
        assert skin.query(rows[0])[0].max() < 1.2
        marks = SHAPE[MODEL.landmarks["ibug68"][points]]
        np.testing.assert_allclose(rows[0, [0, -1]], marks[[0, -1]], atol=0.5)
        middle = rows[:, COLUMNS // 2]
        assert middle[-1, 2] > middle[0, 2] + 2
        assert middle[-1, 1] > middle[0, 1] + 1
        # at the outer corner they lean outwards
        assert abs(rows[-1, 1, 0]) > abs(rows[0, 1, 0]) + 1
        assert piece.label == "skin"


def test_strong_lashes_cover_more_and_none_is_solid():
    weak, strong = (lashes(lash=value)[0].alpha for value in (0.2, 0.9))
    assert 0 <= weak.min() < strong.max() <= 1
    assert strong.mean() > 1.3 * weak.mean()
    assert strong[:2].mean() > 0.6  # a dark foot
    assert (strong[-4:] < 0.5).mean() > 0.7  # no strip: tips thin out


def test_the_same_generator_gives_the_same_lashes():
    for a, b, c in zip(lashes(1), lashes(1), lashes(2), strict=True):
        np.testing.assert_array_equal(a.alpha, b.alpha)
        np.testing.assert_array_equal(a.vertices_mm, b.vertices_mm)
        assert (a.alpha != c.alpha).any()


def test_a_model_without_eyeballs_has_none():
    toy = toy_model()
    assert make_lashes(toy, toy.mean_mm, SKIN, np.random.default_rng(0)) == []
