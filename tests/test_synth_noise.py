import numpy as np

from synth.noise import noise


def test_noise_is_smooth_between_its_cells_and_drawn_from_the_generator():
    image = noise(np.random.default_rng(0), (8, 16), 256)
    assert image.shape == (256, 256)
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, noise(np.random.default_rng(0), (8, 16), 256))
    across, down = np.abs(np.diff(image, axis=1)).mean(), np.abs(np.diff(image, axis=0)).mean()
    assert 1.4 < across / down < 2.8  # twice the cells, twice the slope


def test_noise_passes_through_its_lattice():
    rng = np.random.default_rng(3)
    lattice = rng.normal(size=(64, 64)).astype(np.float32)
    np.testing.assert_array_equal(noise(np.random.default_rng(3), (64, 64), 64), lattice)
