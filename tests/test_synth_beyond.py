import numpy as np
import pytest

from faces.mesh import triangle_normals
from faces.models import load_model
from synth.beyond import FITTED, FITTED_IDENTITIES, BeyondSettings, beyond_model, fitting_model
from synth.creases import crease_depth_mm

MODEL = load_model("default")
RIGHT_SIZE = {"size": 0.0, "proportion": 0.0}
MARKS = MODEL.mean_mm[MODEL.landmarks["ibug68"]].astype(np.float64)


def offsets(seed, **changes):
    return beyond_model(MODEL, np.random.default_rng(seed), BeyondSettings(**changes))


def test_amplitude_scales_and_the_generator_decides():
    smooth = {**RIGHT_SIZE, "crease_mm": 0.0, "pore_mm": 0.0}
    one, two = (offsets(1, amplitude=amplitude, **smooth) for amplitude in (1.0, 2.0))
    np.testing.assert_allclose(two, 2 * one)
    assert not offsets(1, amplitude=0.0, **smooth).any()
    assert np.abs(offsets(2) - one).max() > 1


def test_the_field_has_the_asked_strength():
    """A RMS a coordinate over the face, ± 20 % from person to person, away from the features."""
    only = {**RIGHT_SIZE, "bump_mm": 0.0, "crease_mm": 0.0, "pore_mm": 0.0}
    fields = np.array([offsets(seed, amplitude=1.0, broad_mm=2.0, **only) for seed in range(12)])
    face = MODEL.regions["cheeks"] | MODEL.regions["nose"]
    strength = np.sqrt((fields[:, face] ** 2).mean())
    assert 1.3 < strength < 2.5  # two regions of twelve people


def test_without_asymmetry_both_halves_are_mirror_images():
    only = {**RIGHT_SIZE, "bump_mm": 0.0, "crease_mm": 0.0, "pore_mm": 0.0}
    even, uneven = offsets(3, asymmetry=0.0, **only), offsets(3, asymmetry=0.5, **only)
    # the mean itself is symmetric to a hundredth of a mm only
    np.testing.assert_allclose(even[MODEL.mirror] * [-1, 1, 1], even, atol=0.02)
    assert np.abs(uneven[MODEL.mirror] * [-1, 1, 1] - uneven).max() > 0.5


@pytest.mark.parametrize("points", [slice(36, 42), slice(42, 48), slice(48, 68)])
def test_lids_and_lips_move_as_one(points):
    moved = offsets(4, amplitude=2.0, **RIGHT_SIZE)[MODEL.landmarks["ibug68"][points]]
    assert np.ptp(moved, axis=0).max() < 0.02  # mm; the shares are 1 there but for the other's tail


def test_eyeballs_keep_their_shape():
    eyes = MODEL.part_vertices("eye")
    left = eyes & (MODEL.mean_mm[:, 0] < 0)
    assert np.ptp(offsets(5, **RIGHT_SIZE)[left], axis=0).max() < 0.05


def test_no_triangle_folds_over():
    triangles = MODEL.part_triangles("skin")
    before = triangle_normals(MODEL.mean_mm, triangles)
    for seed in range(5):
        after = triangle_normals(MODEL.mean_mm + offsets(seed), triangles)
        # slivers inside ears and nostrils may turn
        assert ((before * after).sum(1) < 0).mean() < 1e-3


def test_wrinkles_deepen_with_age_and_are_grooves():
    face = MODEL.mean_mm[MODEL.regions["face"]].astype(np.float64)
    young, old = (
        crease_depth_mm(face, MARKS, age, np.random.default_rng(6)) for age in (20.0, 75.0)
    )
    assert young.max() < 0.05
    assert 0.3 < old.max() <= 1.2
    assert 0.02 < (old > 0.1).mean() < 0.4  # lines, not areas
    assert old.min() >= 0


def test_the_fitting_model_is_smaller_and_means_the_same():
    small = fitting_model(MODEL)
    assert small.expression_names == FITTED
    assert len(small.identity_mm) == FITTED_IDENTITIES
    assert small.coarse.expression_names == FITTED
    jaw = MODEL.expression_names.index("jawOpen")
    np.testing.assert_array_equal(small.expression_mm[0], MODEL.expression_mm[jaw])
    assert fitting_model(MODEL) is small


def test_size_and_proportions_stretch_the_head_as_asked():
    """Over people the RMS of the relative change is √(size² + proportion²), less the cut tails."""
    only = {"amplitude": 0.0, "crease_mm": 0.0, "pore_mm": 0.0, "size": 0.06, "proportion": 0.04}
    far = int(np.argmax(MODEL.mean_mm[:, 1]))
    changes = [offsets(seed, **only)[far, 1] / MODEL.mean_mm[far, 1] for seed in range(60)]
    assert 0.05 < np.std(changes) < 0.09  # 60 draws know 0.07 to a tenth
