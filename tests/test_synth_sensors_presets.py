"""Every preset's constants, fitted back from what its sensor gives of surfaces that are known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri

from faces.camera import Camera
from faces.errors import BadInput
from synth.sensors.presets import CLEAN, PRESETS, sensor
from synth.sensors.sensor import sense_depth

WIDTH, HEIGHT, FOCAL = 640, 480, 800.0
CAMERA = Camera(WIDTH, HEIGHT, FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2)
NOISY = [name for name in PRESETS if name != "clean"]
DISTANCES = np.array([300.0, 450, 700, 1000, 1600, 2500])


def having(field):
    return [name for name in NOISY if getattr(PRESETS[name], field) > 0]


def sensed(depth, settings, seed=0):
    return sense_depth(depth, CAMERA, np.random.default_rng(seed), settings)


def stripes(near=500.0, far=700.0):
    """Upright bands 8 px wide: 79 edges, all of whose 75,840 pixels lie beside a jump."""
    columns = np.where(np.arange(WIDTH) // 8 % 2, near, far)
    beside = np.abs((np.arange(WIDTH) + 4) % 8 - 3.5) < 1
    beside[[0, -1]] = False
    return np.tile(columns, (HEIGHT, 1)), np.tile(beside, (HEIGHT, 1))


def measured_sigma(settings, distance):
    """Standard deviation of the depth on a plane that faces the camera, robust to spikes.

    Quantisation to a step Δ adds Δ²/12 (Sheppard's correction), known and taken off. The plane
    leans by a few steps, so that their phases mix.
    """
    steps = np.array([settings.depth_step_mm, settings.disparity_step_per_mm * distance**2])
    lean = 3 + 1.5 * steps.max()
    true = np.tile(np.linspace(distance - lean, distance + lean, HEIGHT)[:, None], (1, WIDTH))
    errors = []
    for seed in range(3):
        got = sensed(true, settings, seed)
        error = (got - true)[got > 0]
        errors.append(error[np.abs(error) < 6 * settings.sigma_mm(distance) + 1.5 * steps.max()])
    return np.sqrt(np.concatenate(errors).var() - np.sum(steps**2) / 12)


@pytest.mark.parametrize("name", NOISY)
def test_the_noise_of_each_preset_is_fitted_back_from_its_output(name):
    """σ(z) = a + b·z² by least squares from six distances: a and b within 5 %.

    900,000 pixels correlated over up to 80 know a σ to 0.7 %, and from there a and b to 2 %.
    """
    settings = replace(sensor(name), nearest_mm=0.0)
    sigma = np.array([measured_sigma(settings, distance) for distance in DISTANCES])
    design = np.stack([np.ones(len(DISTANCES)), DISTANCES**2], 1) / sigma[:, None]
    a, b = np.linalg.lstsq(design, np.ones(len(DISTANCES)), rcond=None)[0]
    np.testing.assert_allclose(b, settings.depth_noise_per_mm2, rtol=0.05)
    # an a of 0 is known to 5 % of the least σ
    tolerance = 0.05 * (settings.depth_noise_mm or settings.sigma_mm(DISTANCES[0]))
    assert abs(a - settings.depth_noise_mm) < tolerance


@pytest.mark.parametrize("name", having("lateral_px"))
def test_the_lateral_jitter_is_fitted_back_from_a_step_edge(name):
    """A pixel beside the edge reads across it where its jitter is beyond half a pixel: Φ(−½/σ).

    The rarest, σ = 0.2 px, still happens 470 times, which knows σ to 1 %.
    """
    settings = replace(CLEAN, lateral_px=sensor(name).lateral_px)
    depth, beside = stripes()
    crossed = (np.abs(sensed(depth, settings) - depth) > 1)[beside].mean()
    np.testing.assert_allclose(-0.5 / ndtri(crossed), settings.lateral_px, rtol=0.05)


@pytest.mark.parametrize("name", having("disparity_step_per_mm"))
def test_the_disparity_step_is_the_grid_of_what_comes_out(name):
    step = sensor(name).disparity_step_per_mm
    ramp = np.tile(np.linspace(600, 800, WIDTH), (HEIGHT, 1))
    got = np.unique(sensed(ramp, replace(CLEAN, disparity_step_per_mm=step)))
    places = 1 / got[::-1].astype(np.float64) / step
    np.testing.assert_allclose(places, np.rint(places), atol=2e-3)  # float32: 1e-7 of 2000
    if step * 700**2 > 200 / WIDTH:  # each step is wider than a pixel of the ramp
        np.testing.assert_array_equal(np.diff(np.rint(places)), 1)


@pytest.mark.parametrize("name", having("depth_step_mm"))
def test_the_depth_step_is_the_grid_of_what_comes_out(name):
    step = sensor(name).depth_step_mm
    ramp = np.tile(np.linspace(699, 702, WIDTH), (HEIGHT, 1))
    got = np.unique(sensed(ramp, replace(CLEAN, depth_step_mm=step))).astype(np.float64)
    np.testing.assert_allclose(np.diff(got), step, rtol=2e-3)  # float32 at 700 mm: 6e-5


@pytest.mark.parametrize("name", NOISY)
def test_drop_outs_follow_the_angle_to_the_view(name):
    """None at the limit's cosine, all at its third, in between a straight line.

    25 columns of 480 pixels know a share to 0.5 %; the rest is for differences of depth that
    stand for a slope.
    """
    limit = sensor(name).grazing_cos
    u = (np.arange(WIDTH) + 0.5 - WIDTH / 2) / FOCAL
    v = (np.arange(HEIGHT) + 0.5 - HEIGHT / 2) / FOCAL
    middle = np.s_[WIDTH // 2 - 12 : WIDTH // 2 + 13]
    for share in (1.3, 0.85, 0.65, 0.5, 0.25):
        slope = np.sqrt(1 / (share * limit) ** 2 - 1)
        depth = np.maximum(700 / np.maximum(1 - slope * u, 0.1), 0)
        got = sensed(np.tile(depth, (HEIGHT, 1)), replace(CLEAN, grazing_cos=limit))
        length = np.sqrt(1 + slope**2) * np.sqrt(1 + u[middle] ** 2 + v[:, None] ** 2)
        cosine = (1 - slope * u[middle]) / length
        keep = np.clip((3 * cosine - limit) / (2 * limit), 0, 1)
        assert abs((got[:, middle] > 0).mean() - keep.mean()) < 0.02, share


@pytest.mark.parametrize("name", having("flying"))
def test_the_share_of_flying_pixels_at_a_jump(name):
    """75,840 pixels know the share to 0.2 %; the outer twentieth of the way is not counted."""
    settings = replace(CLEAN, flying=sensor(name).flying, jump_mm=sensor(name).jump_mm)
    depth, beside = stripes()
    got = sensed(depth, settings)
    between = (got > 505) & (got < 695)
    assert not between[~beside].any()
    np.testing.assert_allclose(between[beside].mean(), settings.flying * 190 / 200, rtol=0.05)


@pytest.mark.parametrize("name", having("jump_loss"))
def test_the_share_of_pixels_lost_at_a_jump(name):
    settings = replace(CLEAN, jump_loss=sensor(name).jump_loss, jump_mm=sensor(name).jump_mm)
    depth, beside = stripes()
    lost = sensed(depth, settings) == 0
    assert not lost[~beside].any()
    np.testing.assert_allclose(lost[beside].mean(), settings.jump_loss, rtol=0.05)


@pytest.mark.parametrize("name", having("nearest_mm"))
def test_nothing_is_measured_nearer_than_the_sensor_reaches(name):
    nearest = sensor(name).nearest_mm
    ramp = np.tile(np.linspace(nearest - 50, nearest + 50, WIDTH), (HEIGHT, 1))
    got = sensed(ramp, replace(CLEAN, nearest_mm=nearest))
    np.testing.assert_array_equal(got > 0, ramp > nearest)


def test_an_unknown_sensor_is_named():
    with pytest.raises(BadInput, match="truedepth"):
        sensor("kinetic")
