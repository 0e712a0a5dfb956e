from dataclasses import replace

import cv2
import numpy as np
import pytest

from faces.camera import Camera
from synth.sensors.depth_faults import shadowed
from synth.sensors.presets import CLEAN, PRESETS, sensor
from synth.sensors.sensor import SensorSettings, infrared, sense_color, sense_depth

CAMERA = Camera(320, 240, 400.0, 400.0, 160.0, 120.0)


def plane(tilt_deg=0.0, distance=700.0):
    slope = np.tan(np.radians(tilt_deg))
    u = (np.arange(320) + 0.5 - 160) / 400
    return np.broadcast_to(distance / (1 - slope * u), (240, 320)).copy()


def step_scene(near=500.0, far=700.0):
    depth = plane(0, far)
    depth[80:160, 100:200] = near
    return depth


def test_clean_changes_nothing():
    depth = step_scene()
    depth[:5] = 0
    rng = np.random.default_rng(0)
    black = np.zeros_like(depth)
    np.testing.assert_array_equal(sense_depth(depth, CAMERA, rng, CLEAN, black), depth)
    color = rng.integers(0, 255, (240, 320, 3), dtype=np.uint8)
    np.testing.assert_array_equal(sense_color(color, rng, CLEAN), color)


def test_depth_comes_in_steps():
    got = sense_depth(
        plane(10), CAMERA, np.random.default_rng(2), replace(CLEAN, depth_step_mm=0.5)
    )
    np.testing.assert_array_equal(got * 2, np.rint(got * 2))


def test_disparity_comes_in_steps_that_grow_with_the_square_of_the_distance():
    settings = replace(CLEAN, disparity_step_per_mm=2.85e-6)
    for distance in (500.0, 1000.0):
        got = sense_depth(plane(5, distance), CAMERA, np.random.default_rng(2), settings)
        row = got[0]
        jumps = np.diff(row)[np.diff(row) != 0]
        np.testing.assert_allclose(np.median(jumps), 2.85e-6 * distance**2, rtol=0.1)


def test_surfaces_that_turn_away_drop_out():
    settings = replace(CLEAN, grazing_cos=0.3)
    shares = []
    for tilt in (0, 60, 78, 86):
        depth = plane(tilt)
        middle = sense_depth(depth, CAMERA, np.random.default_rng(3), settings)[:, 155:165]
        shares.append((middle == 0).mean())
    # cos 60° = 0.5 is above the limit, cos 86° = 0.07 below its third; 78° (0.21) lies between
    assert shares[0] == shares[1] == 0
    assert 0.2 < shares[2] < 0.8
    assert shares[3] == 1


def ring():
    """The pixels on both sides of step_scene's jump."""
    mask = np.zeros((240, 320), dtype=bool)
    mask[79:161, 99:201] = True
    mask[81:159, 101:199] = False
    return mask


def test_jumps_lose_the_asked_share_of_their_pixels():
    settings = replace(CLEAN, jump_loss=0.5)
    got = sense_depth(step_scene(), CAMERA, np.random.default_rng(4), settings)
    assert abs((got[ring()] == 0).mean() - 0.5) < 0.1
    assert (got[~ring()] > 0).all()


def test_flying_pixels_lie_between_the_two_sides():
    settings = replace(CLEAN, flying=0.5)
    got = sense_depth(step_scene(), CAMERA, np.random.default_rng(4), settings)
    between = (got > 505) & (got < 695)
    assert not between[~ring()].any()
    assert abs(between[ring()].mean() - 0.5 * 190 / 200) < 0.1


@pytest.mark.parametrize("baseline", [75.0, -75.0])
def test_the_shadow_lies_where_triangulation_says(baseline):
    """A box before a wall hides a strip f·b·(1/near − 1/far) wide, on the side away from b."""
    hidden = shadowed(step_scene().astype(np.float32), CAMERA, baseline)
    width = round(400 * 75 * (1 / 500 - 1 / 700))
    assert width == 17
    row = set(np.flatnonzero(hidden[120]))
    side = range(100 - width, 100) if baseline > 0 else range(200, 200 + width)
    assert row ^ set(side) <= {side[0], side[-1]}  # half a pixel either way
    assert not hidden[20].any()


def test_dark_hair_drops_out_and_dark_skin_does_not():
    color = np.full((240, 320, 3), 160, np.uint8)
    color[:, :160] = 25  # luminance 0.006 in linear light
    hair = np.zeros((240, 320), dtype=bool)
    hair[:120] = True
    settings = replace(CLEAN, dark=0.05)
    seen = infrared(color, hair)
    got = sense_depth(plane(), CAMERA, np.random.default_rng(5), settings, seen) > 0
    assert got[:110, :150].mean() < 0.05  # dark hair, away from the borders' blur
    assert got[:, 170:].all()  # light hair and light skin
    assert got[130:].all()  # dark skin: melanin lets the infrared through


def test_holes_and_spikes_are_few():
    settings = replace(CLEAN, holes=3, hole_px=(4.0, 8.0), spikes=1e-3, spike_mm=50.0)
    holes, spikes = [], []
    for seed in range(8):
        got = sense_depth(plane(), CAMERA, np.random.default_rng(seed), settings)
        holes.append((got == 0).sum())
        spikes.append((np.abs(got - 700) > 1)[got > 0].mean())
    assert min(holes) < max(holes) < 3 * np.pi * 16**2
    assert 0.5e-3 < np.mean(spikes) < 1.5e-3


def test_misalignment_shifts_the_depth_by_at_most_what_is_said():
    settings = replace(CLEAN, misaligned_px=2.0)
    shifts = []
    for seed in range(12):
        got = sense_depth(step_scene(), CAMERA, np.random.default_rng(seed), settings)
        rows, columns = np.nonzero(np.abs(got - 500) < 1)
        shifts.append([rows.mean() - 119.5, columns.mean() - 149.5])
    assert 1 < np.abs(shifts).max() <= 2.5  # half a pixel of rounding
    assert np.abs(np.mean(shifts)) < 1


@pytest.mark.parametrize("name", PRESETS)
def test_nothing_seen_stays_nothing_and_the_generator_decides(name):
    nothing = sense_depth(np.zeros((240, 320)), CAMERA, np.random.default_rng(5), sensor(name))
    assert not nothing.any()
    once, again = (
        sense_depth(step_scene(), CAMERA, np.random.default_rng(6), sensor(name)) for _ in range(2)
    )
    np.testing.assert_array_equal(once, again)
    assert once.dtype == np.float32
    assert (once >= 0).all()


def to_linear(code):
    """IEC 61966-2-1, 0..255 to 0..1."""
    value = np.asarray(code) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def test_color_noise_is_that_of_photons_and_of_reading_them():
    """The variance in linear light is (x + r²/N)/N for N electrons of white: two constants back.

    Three channels of 40,000 pixels, correlated over some ten, know a variance to 1 %.
    """
    settings = replace(CLEAN, electrons=2000.0, read_electrons=8.0)
    light, variance = [], []
    for seed, code in enumerate((90, 120, 150, 180, 205)):
        flat = np.full((200, 200, 3), code, dtype=np.uint8)
        got = to_linear(sense_color(flat, np.random.default_rng(seed), settings))
        light.append(to_linear(code))
        slope = to_linear(code + 0.5) - to_linear(code - 0.5)
        variance.append(got.var(axis=(0, 1)).mean() - slope**2 / 12)  # without the rounding's
        assert abs(got.mean() - light[-1]) < 0.03 * np.sqrt(variance[-1])
    weight = 1 / np.array(variance)
    rise, start = np.polyfit(light, variance, 1, w=weight)
    np.testing.assert_allclose(1 / rise, 2000, rtol=0.05)
    np.testing.assert_allclose(start, (8 / 2000) ** 2, atol=0.05 * variance[0])


def test_interpolation_of_the_mosaic_correlates_the_noise():
    flat = np.full((200, 200, 3), 128, dtype=np.uint8)
    got = sense_color(flat, np.random.default_rng(7), replace(CLEAN, electrons=2000.0))
    noise = got - got.mean(axis=(0, 1))
    red = noise[..., 0]
    beside, apart = (np.mean(red[:, k:] * red[:, :-k]) / red.var() for k in (1, 4))
    # red lies in every second column and row: between two diodes is half of each, 2/3 on average
    assert 0.5 < beside < 0.8
    assert abs(apart) < 0.05


def test_the_lens_blurs_and_the_camera_sharpens_an_edge():
    edge = np.full((60, 60, 3), 80, dtype=np.uint8)
    edge[:, 30:] = 160
    blurred, sharpened = (
        sense_color(edge, np.random.default_rng(0), replace(CLEAN, **words))[30, :, 1].astype(int)
        for words in ({"lens_px": 1.0}, {"sharpening": 0.5})
    )
    # between two pixels on both sides of the edge lies Φ(½) − Φ(−½) = 0.383 of its step
    np.testing.assert_allclose(blurred[30] - blurred[29], 80 * 0.383, atol=2)
    assert sharpened.max() > 160 + 5
    assert sharpened.min() < 80 - 5
    assert (sharpened[:20] == 80).all()


def test_exposure_balance_and_vignetting_do_what_they_say():
    flat = np.full((200, 200, 3), 100, dtype=np.uint8)
    settings = SensorSettings(exposure=0.3, white_balance=0.05, vignetting=0.3)
    means, tints, corners = [], [], []
    for seed in range(40):
        got = to_linear(sense_color(flat, np.random.default_rng(seed), settings))
        means.append(np.log2(got[100, 100, 1] / to_linear(100)))
        tints.append(got[100, 100, 0] / got[100, 100, 1] - 1)
        corners.append(1 - got[0, 0, 1] / got[100, 100, 1])
    assert abs(np.std(means) - 0.3) < 0.1  # 40 draws know a standard deviation to 11 %
    assert abs(np.std(tints) - 0.05) < 0.02
    assert 0.05 < min(corners) < max(corners) < 0.32


def test_jpeg_is_of_the_asked_quality():
    rng = np.random.default_rng(0)
    color = cv2.GaussianBlur(rng.integers(0, 255, (200, 200, 3), dtype=np.uint8), (0, 0), 2)
    good, bad = (
        sense_color(color, rng, replace(CLEAN, jpeg=(q, q))).astype(int) - color for q in (95, 20)
    )
    assert 0 < np.abs(good).mean() < np.abs(bad).mean() < 20
