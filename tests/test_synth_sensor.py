from dataclasses import replace

import numpy as np

from faces.camera import Camera
from synth.sensor import SensorSettings, sense_color, sense_depth

CAMERA = Camera(320, 240, 400.0, 400.0, 160.0, 120.0)
CLEAN = SensorSettings(0.0, 0.0, 0.0, 1e-6, 0.0, 1e9, 0, (2, 3), 0.0, 0.0, 0.0)


def plane(tilt_deg=0.0, distance=700.0):
    slope = np.tan(np.radians(tilt_deg))
    u = (np.arange(320) + 0.5 - 160) / 400
    return np.broadcast_to(distance / (1 - slope * u), (240, 320)).copy()


def test_without_faults_depth_passes_through():
    depth = plane(20)
    depth[:5] = 0
    got = sense_depth(depth, CAMERA, np.random.default_rng(0), CLEAN)
    np.testing.assert_allclose(got, depth, atol=1e-4)  # float32 below 1024 mm


def test_noise_grows_with_the_square_of_the_distance():
    settings = replace(CLEAN, depth_noise_per_mm2=1.2e-6, noise_grain_px=0.8)
    for distance in (500.0, 1000.0):
        noise = sense_depth(plane(0, distance), CAMERA, np.random.default_rng(1), settings)
        # 76,800 pixels, correlated over about 8: the standard deviation is known to 1 %
        np.testing.assert_allclose((noise - distance).std(), 1.2e-6 * distance**2, rtol=0.03)


def test_depth_comes_in_steps():
    settings = replace(CLEAN, depth_step_mm=0.5, depth_noise_mm=1.0)
    got = sense_depth(plane(10), CAMERA, np.random.default_rng(2), settings)
    np.testing.assert_array_equal(got * 2, np.rint(got * 2))


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


def test_jumps_lose_half_of_their_pixels():
    depth = plane()
    depth[80:160, 100:200] = 500
    got = sense_depth(depth, CAMERA, np.random.default_rng(4), replace(CLEAN, jump_mm=15.0))
    ring = np.zeros((240, 320), dtype=bool)
    ring[79:161, 99:201] = True
    ring[81:159, 101:199] = False
    assert abs((got[ring] == 0).mean() - 0.5) < 0.1
    assert (got[~ring] > 0).all()


def test_holes_and_spikes_are_few():
    settings = replace(CLEAN, holes=3, hole_px=(4.0, 8.0), spikes=1e-3, spike_mm=50.0)
    holes, spikes = [], []
    for seed in range(8):
        got = sense_depth(plane(), CAMERA, np.random.default_rng(seed), settings)
        holes.append((got == 0).sum())
        spikes.append((np.abs(got - 700) > 1)[got > 0].mean())
    assert min(holes) < max(holes) < 3 * np.pi * 16**2
    assert 0.5e-3 < np.mean(spikes) < 1.5e-3


def test_nothing_seen_stays_nothing():
    got = sense_depth(np.zeros((240, 320)), CAMERA, np.random.default_rng(5), SensorSettings())
    assert not got.any()


def test_color_noise_has_no_bias():
    flat = np.full((200, 200, 3), 120, dtype=np.uint8)
    got = sense_color(flat, np.random.default_rng(6), SensorSettings(color_noise=2.0))
    assert abs(got.mean() - 120) < 0.1
    assert 2.0 < got.std() < 3.2  # the sharp 2.0 and what is left of the soft 4.0 after its blur
