import numpy as np

from faces.rotation import euler_from_matrix
from synth.subjects import MOUTH, SubjectSettings, sample_expression, sample_subject
from tests.toy import toy_model

MODEL = toy_model()
NAMES = tuple(
    f"{name}{side}"
    for recipe in ({k: v for r in MOUTH for k, v in r.items()},)
    for name in (*recipe, "mouthClose", "browInnerUp", "browDown", "eyeBlink")
    for side in (("",) if name.startswith("jaw") or name == "mouthClose" else ("_L", "_R"))
)


def test_the_same_generator_gives_the_same_person():
    a, b, c = (sample_subject(MODEL, np.random.default_rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(a.identity, b.identity)
    np.testing.assert_array_equal(a.pose.rotation, b.pose.rotation)
    np.testing.assert_array_equal(a.light.direction, b.light.direction)
    assert (a.identity != c.identity).all()
    assert sample_subject(MODEL, np.random.default_rng(0), key="s0007/f001").subject == "s0007"


def test_people_stay_within_their_limits():
    settings = SubjectSettings(identity_limit=1.2, yaw_deg=10, distance_mm=(650, 660))
    rng = np.random.default_rng(0)
    people = [sample_subject(MODEL, rng, settings) for _ in range(200)]
    identity = np.stack([p.identity for p in people])
    assert np.abs(identity).max() <= 1.2
    # a standard normal cut at 1.2 has a standard deviation of 0.62; 1600 draws know it to 2 %
    assert abs(identity.std() - 0.62) < 0.04
    angles = np.array([euler_from_matrix(p.pose.rotation) for p in people])
    assert np.abs(angles[:, 0]).max() <= 10 + 1e-9
    assert np.abs(angles[:, 0]).max() > 8
    distance = np.array([p.pose.translation_mm[2] for p in people])
    assert distance.min() >= 650
    assert distance.max() <= 660
    for p in people:
        np.testing.assert_allclose(np.linalg.norm(p.light.direction), 1)
        assert p.light.direction[2] < 0  # the lamp is on the camera's side


def test_expressions_do_not_contradict_and_many_faces_rest():
    rng = np.random.default_rng(1)
    weights = np.stack([sample_expression(NAMES, rng, SubjectSettings()) for _ in range(600)])
    assert weights.min() >= 0
    assert weights.max() <= 1
    at = {name: weights[:, NAMES.index(name)] for name in NAMES}
    assert (at["mouthClose"] == 0).all()
    assert not ((at["mouthSmile_L"] > 0) & (at["mouthFrown_L"] > 0)).any()
    assert not ((at["jawOpen"] > 0) & (at["mouthPress_L"] > 0)).any()
    resting = (weights == 0).all(1).mean()
    # 0.4, and 0.6 × 0.2 × 0.4 of those who draw neither recipe, ± 2 % of 600 draws
    assert abs(resting - 0.448) < 0.07
    np.testing.assert_array_equal(at["eyeBlink_L"], at["eyeBlink_R"])
    smiling = at["mouthSmile_L"] > 0
    # 0.6 × 0.8 draw a mouth, 0.54 of them a smile; 600 draws know 0.26 to 2 %
    assert abs(smiling.mean() - 0.26) < 0.07
    ratio = at["mouthSmile_R"][smiling] / at["mouthSmile_L"][smiling]
    assert 0.7 < ratio.min() < 0.95 < 1.05 < ratio.max() < 1.4
