from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from augment.degrade import (
    DOWN,
    LUMINANCE,
    UP,
    Degradation,
    DegradeSettings,
    blurred,
    degrade,
    draw_degradation,
    encode_degraded,
    exposed,
    motion_kernel,
    noisy,
    resampled,
)
from imaging.codec import decode_image, encode_jpeg
from imaging.srgb import decode_srgb, encode_srgb

OFF = DegradeSettings(**{f.name: (0, 0) for f in fields(DegradeSettings) if "tuple" in str(f.type)})
ALWAYS = DegradeSettings(
    **{f.name: 1.0 for f in fields(DegradeSettings) if f.name.endswith("_chance")}
)


def picture(size=96, seed=0):
    """Smooth structure at all places, (size, size, 3) uint8."""
    noise = np.random.default_rng(seed).normal(size=(size, size, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def moments(kernel):
    """Mean (x, y) about the middle and covariance (2, 2) of a kernel that sums to 1."""
    radius = (np.array(kernel.shape[::-1]) - 1) / 2
    rows, columns = np.indices(kernel.shape)
    points = np.stack([columns, rows], -1).reshape(-1, 2) - radius
    weight = kernel.ravel().astype(np.float64)
    mean = weight @ points
    return mean, (points * weight[:, None]).T @ points - np.outer(mean, mean)


def shift(before, after, part=np.s_[8:-8, 8:-8]):
    """(x, y) px by which a pattern has moved: least squares on its gradients (Lucas and Kanade
    1981); what a symmetric filter changes has no part in it."""
    first, second = (
        cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64) for image in (before, after)
    )
    slopes = [np.gradient(second, axis=axis)[part].ravel() for axis in (1, 0)]
    return np.linalg.lstsq(np.stack(slopes, 1), (first - second)[part].ravel(), rcond=None)[0]


def test_nothing_drawn_is_nothing_done():
    image = picture()
    assert np.array_equal(degrade(image, Degradation()), image)
    assert encode_degraded(image, Degradation()) == encode_jpeg(image, 95)


@pytest.mark.parametrize("settings", [OFF, replace(OFF, **{"gain_chance": 1.0})])
def test_ranges_of_zero_switch_everything_off(settings):
    for seed in range(20):
        how = draw_degradation(np.random.default_rng(seed), settings)
        assert not how.any
        assert np.array_equal(degrade(picture(), how), picture())


def test_a_record_knows_whether_it_does_anything():
    assert not Degradation(noise_seed=5, motion_deg=30.0, down="cubic").any
    for fault in ({"blur_px": 0.5}, {"gain": (1.0, 1.1, 1.0)}, {"gamma": 0.9}, {"shrink": 1.2}):
        assert Degradation(**fault).any
        assert not np.array_equal(degrade(picture(), Degradation(**fault)), picture())


def test_chances_of_zero_switch_everything_off():
    never = replace(ALWAYS, **{f.name: 0.0 for f in fields(ALWAYS) if f.name.endswith("_chance")})
    how = draw_degradation(np.random.default_rng(3), never)
    assert np.array_equal(degrade(picture(), how), picture())


def test_the_record_repeats_the_bytes_and_the_seed_the_record():
    for seed in range(10):
        first, again = (draw_degradation(np.random.default_rng(seed), ALWAYS) for _ in range(2))
        assert first == again
        assert encode_degraded(picture(), first) == encode_degraded(picture(), again)
        assert np.array_equal(
            degrade(picture(), first), decode_image(encode_degraded(picture(), first))
        )
    other = draw_degradation(np.random.default_rng(99), ALWAYS)
    assert encode_degraded(picture(), first) != encode_degraded(picture(), other)


def test_one_faults_settings_leave_the_others_as_they_were():
    changed = replace(ALWAYS, blur_px=(5.0, 6.0), shrink_chance=0.0)
    first, second = (draw_degradation(np.random.default_rng(4), s) for s in (ALWAYS, changed))
    assert first.blur_px != second.blur_px
    assert second.shrink == 1
    assert replace(first, blur_px=0, shrink=1) == replace(second, blur_px=0, shrink=1)


def test_draws_stay_in_their_ranges_and_happen_as_often_as_asked():
    drawn = [draw_degradation(np.random.default_rng(seed)) for seed in range(600)]
    s = DegradeSettings()
    for name, low_high, chance in (
        ("blur_px", s.blur_px, s.blur_chance),
        ("motion_px", s.motion_px, s.motion_chance),
        ("chroma", s.chroma, s.chroma_chance),
        ("quality", s.quality, s.quality_chance),
    ):
        values = np.array([getattr(how, name) for how in drawn])
        hit = values[values > 0]
        assert low_high[0] <= hit.min()
        assert hit.max() <= low_high[1]
        # five standard deviations of a binomial share
        assert abs(len(hit) / 600 - chance) < 5 * np.sqrt(chance * (1 - chance) / 600)


@pytest.mark.parametrize(("length", "angle"), [(1.0, 0.0), (4.0, 90.0), (5.5, 30.0), (9.0, 135.0)])
def test_a_movement_has_the_moments_of_a_line(length, angle):
    kernel = motion_kernel(length, angle)
    mean, covariance = moments(kernel)
    along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    across = along[::-1] * [-1, 1]
    np.testing.assert_allclose(kernel.sum(), 1, atol=1e-6)
    np.testing.assert_allclose(mean, 0, atol=1e-6)
    # an even line has L²/12; sharing a point between two pixels adds at most 1/4 px² an axis
    assert 0 <= along @ covariance @ along - length**2 / 12 <= 0.26
    assert -1e-6 <= across @ covariance @ across <= 0.26


@pytest.mark.parametrize("sigma", [0.6, 1.5, 3.0])
def test_a_lens_has_the_moments_of_its_gaussian(sigma):
    point = np.zeros((65, 65, 3), np.float32)
    point[32, 32] = 1
    kernel = blurred(point, Degradation(blur_px=sigma))[..., 0]
    mean, covariance = moments(kernel)
    np.testing.assert_allclose(kernel.sum(), 1, atol=1e-5)
    np.testing.assert_allclose(mean, 0, atol=1e-5)
    # OpenCV samples the Gaussian at whole pixels: 2.3 % of the variance are lost at 0.6 px
    np.testing.assert_allclose(covariance, sigma**2 * np.eye(2), atol=0.025 * sigma**2)


def test_exposure_is_exact():
    how = Degradation(gain=(1.3, 0.8, 1.0), gamma=1.2)
    image = picture()
    wanted = encode_srgb(np.clip(decode_srgb(image) * np.float32(how.gain), 0, 1) ** 1.2)
    assert np.array_equal(degrade(image, how), wanted)
    stop = exposed(decode_srgb(image), Degradation(gain=(2.0, 2.0, 2.0)))
    np.testing.assert_allclose(stop, np.minimum(2 * decode_srgb(image), 1), rtol=1e-6)


@pytest.mark.parametrize("level", [0.1, 0.6])
def test_noise_has_the_variance_asked_for(level):
    light = np.full((300, 300, 3), level, np.float32)
    how = Degradation(shot=1e-3, read=4e-3, noise_seed=7)
    noise = noisy(light, how) - level
    # 270,000 draws: the variance's own standard deviation is 0.3 % of it
    np.testing.assert_allclose(noise.var(), 1e-3 * level + 4e-3**2, rtol=0.015)
    assert abs(noise.mean()) < 5 * noise.std() / np.sqrt(noise.size)


def test_colour_noise_leaves_the_luminance():
    light = np.full((300, 300, 3), 0.5, np.float32)
    noise = noisy(light, Degradation(chroma=0.02, noise_seed=3)) - light
    assert np.abs(noise @ LUMINANCE).max() < 1e-6
    # a channel less its share of the common luminance: (1 - w)² + the squares of the other two
    w = LUMINANCE.astype(np.float64)
    kept = (1 - w) ** 2 + (w**2).sum() - w**2
    # grains of 1.5 px: 300² pixels are some 3,000 draws, whose variance is known to 2.6 %
    np.testing.assert_allclose(noise.var((0, 1)), 0.02**2 * kept, rtol=0.13)


@pytest.mark.parametrize("down", DOWN)
@pytest.mark.parametrize("up", UP)
@pytest.mark.parametrize("shrink", [1.5, 2.0, 2.37])
def test_resampling_keeps_pixel_centres(down, up, shrink):
    image = picture(128)
    out = resampled(image, Degradation(shrink=shrink, down=down, up=up))
    assert not np.array_equal(out, image)
    # where the size is rounded the pattern still fills the image: no shift, nor one that grows
    for part in (np.s_[8:-8, 8:-8], np.s_[8:64, 8:64], np.s_[64:-8, 64:-8]):
        np.testing.assert_allclose(shift(image, out, part), 0, atol=0.03)


@pytest.mark.parametrize("fault", [{"blur_px": 2.0}, {"motion_px": 5.0, "motion_deg": 40.0}])
def test_blur_keeps_its_place(fault):
    image = picture(128)
    np.testing.assert_allclose(shift(image, degrade(image, Degradation(**fault))), 0, atol=0.03)


def test_the_registration_of_these_tests_finds_a_shift():
    """A fifth of a pixel, to the accuracy that the tests above ask for."""
    image, moved = picture(128), np.float32([[1, 0, 0.2], [0, 1, -0.1]])
    out = cv2.warpAffine(image, moved, (128, 128), flags=cv2.INTER_LANCZOS4)
    np.testing.assert_allclose(shift(image, out), [0.2, -0.1], atol=0.03)


def test_lower_quality_is_smaller_and_worse():
    image = picture(256)
    sizes, errors = [], []
    for quality in (90, 70, 50, 30, 10):
        how = Degradation(quality=quality)
        sizes.append(len(encode_degraded(image, how)))
        errors.append(np.abs(degrade(image, how).astype(int) - image).mean())
    assert sizes == sorted(sizes, reverse=True)
    assert errors == sorted(errors)
    assert len(set(sizes)) == 5
