import numpy as np
import pytest

from faces.models import load_model
from synth.eyes.gaze import eyes_middle, gaze_of, lids_follow, turn_eyes
from synth.eyes.lids import THICK_MM, lid_clearance, seat_lids
from synth.subjects import sample_subject
from tests.toy import toy_model

MODEL = load_model()
NAMES = MODEL.expression_names


def posed(weights, way):
    """A random person's shape with the eyes turned, before lids are seated."""
    rng = np.random.default_rng(4)
    expression = np.zeros(len(NAMES))
    for name, weight in weights.items():
        expression[NAMES.index(name)] = weight
    expression = lids_follow(MODEL, expression, np.array(way))
    shape = MODEL.shape(np.clip(rng.normal(size=len(MODEL.identity_mm)), -2, 2), expression)
    return turn_eyes(MODEL, shape, expression, eyes_middle(MODEL) + 900 * np.array(way))


@pytest.mark.parametrize(
    "weights",
    [{}, {"eyeBlink_L": 0.6, "eyeBlink_R": 0.9}, {"eyeWide_L": 0.8, "browDown_R": 0.6}],
)
@pytest.mark.parametrize("way", [(0.45, 0.0, 1.0), (-0.3, -0.3, 1.0), (0.0, 0.2, 1.0)])
def test_no_eyeball_shows_through_the_lids(weights, way):
    shape = posed(weights, way)
    assert lid_clearance(MODEL, shape).min() < -0.1  # the balls do, until lids are seated
    seated = seat_lids(MODEL, shape)
    # as high above the ball as on the mean face, or THICK_MM; rounding remains
    assert lid_clearance(MODEL, seated).min() > -1e-9
    moved = np.linalg.norm(seated - shape, axis=1)
    assert not moved[~MODEL.part_vertices("skin")].any()
    assert moved.max() < 6.0
    np.testing.assert_array_equal(gaze_of(MODEL, seated), gaze_of(MODEL, shape))


def test_the_mean_face_is_seated_already():
    mean = MODEL.mean_mm.astype(np.float64)
    assert 0 < THICK_MM < 1
    np.testing.assert_allclose(seat_lids(MODEL, mean), mean, atol=1e-9)
    toy = toy_model()
    shape = toy.mean_mm.astype(np.float64)
    assert seat_lids(toy, shape) is shape
    assert lid_clearance(toy, shape).shape == (0,)


def test_a_subjects_surface_is_its_model_and_what_it_lacks():
    subject = sample_subject(MODEL, np.random.default_rng(11))
    shape, beyond = subject.surface(MODEL)
    np.testing.assert_allclose(
        MODEL.shape(subject.identity, subject.expression) + beyond, shape, atol=1e-9
    )
    assert lid_clearance(MODEL, shape).min() > -1e-9
    still = ~MODEL.part_vertices("eye", "skin")
    np.testing.assert_array_equal(beyond[still], subject.beyond_mm[still])
