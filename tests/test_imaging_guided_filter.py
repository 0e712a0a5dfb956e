import numpy as np

from imaging.guided_filter import guided_filter


def test_unreduced_it_is_the_regression_in_each_window():
    rng = np.random.default_rng(0)
    guide = rng.random((24, 30, 3)).astype(np.float32)
    values = rng.random((24, 30)).astype(np.float32)
    radius, epsilon = 2, 0.01
    lines = np.zeros((24, 30, 4))
    for y in range(radius, 24 - radius):
        for x in range(radius, 30 - radius):
            window = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
            colors, wanted = guide[window].reshape(-1, 3), values[window].ravel()
            centred = colors - colors.mean(0)
            system = centred.T @ centred / len(colors) + epsilon * np.eye(3)
            slope = np.linalg.solve(system, centred.T @ (wanted - wanted.mean()) / len(colors))
            lines[y, x] = *slope, wanted.mean() - slope @ colors.mean(0)
    y, x = 12, 15  # far enough inside for every window that covers it
    mean = lines[y - radius : y + radius + 1, x - radius : x + radius + 1].mean((0, 1))
    result = guided_filter(guide, values, radius, epsilon, reduction=1)
    # float32 sums of squares of a variance of 1/12
    np.testing.assert_allclose(result[y, x], mean[:3] @ guide[y, x] + mean[3], atol=1e-4)


def test_a_coarse_mask_gets_the_guide_s_edge():
    columns = np.arange(160)
    guide = np.where(columns < 83, 0.2, 0.7)[None, :, None] * np.ones((120, 1, 3))
    coarse = np.zeros((12, 16))
    coarse[:, :8] = 1  # its edge lies at 80
    result = guided_filter(guide.astype(np.float32), coarse, 8, 1e-4)
    np.testing.assert_array_equal(result[60] > 0.5, columns < 83)


def test_where_the_guide_is_flat_it_is_the_mean():
    values = np.random.default_rng(1).random((40, 40)).astype(np.float32)
    flat = np.full((40, 40, 3), 0.5, np.float32)
    result = guided_filter(flat, values, 3, 1e-3, reduction=1)
    twice = values[20 - 6 : 20 + 7, 20 - 6 : 20 + 7]
    weight = np.convolve(np.ones(7), np.ones(7)) / 49  # a mean of means
    np.testing.assert_allclose(result[20, 20], weight @ twice @ weight, atol=1e-5)
