import numpy as np
import pytest

from imaging.raster import covered, rasterise
from imaging.samples import Samples, every_pixel, supersampled

SIZE = (24, 18)


def soup(rng, count=40):
    """Random triangles over a 24 × 18 image: (V, 3) screen and (T, 3)."""
    corners = np.concatenate(
        [rng.uniform(-4, 28, (3 * count, 2)), rng.uniform(300, 900, (3 * count, 1))], 1
    )
    return corners, np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


def both(screen, triangles, factor, perspective=True):
    size = tuple(factor * n for n in SIZE)
    fine = covered(screen * [factor, factor, 1], triangles, size, perspective)
    return fine, rasterise(screen, triangles, SIZE, perspective)


def chosen(screen, triangles, factor, whole, owner=None, perspective=True) -> Samples:
    fine, centres = both(screen, triangles, factor, perspective)
    owner = np.zeros(len(triangles), np.int16) if owner is None else owner
    pixel = 0.01 if perspective else 1.0
    return supersampled(fine, centres, owner, np.array(whole), factor, pixel)


def places(samples, screen, triangles):
    """(N, 2) px where the samples lie, of an orthographic image."""
    corners = screen[triangles[samples.triangle], :2]
    return (samples.barycentric[..., None] * corners).sum(1)


@pytest.mark.parametrize("factor", [2, 3])
def test_apart_from_whole_surfaces_each_triangle_is_at_the_mean_of_its_samples(factor):
    rng = np.random.default_rng(0)
    screen, triangles = soup(rng)
    fine, _ = both(screen, triangles, factor, perspective=False)
    got = chosen(screen, triangles, factor, [False], perspective=False)
    expected = {}
    for (row, column), t in np.ndenumerate(fine.triangle_id):
        if t >= 0:
            pixel = row // factor * SIZE[0] + column // factor
            place = (column + 0.5) / factor, (row + 0.5) / factor
            expected.setdefault((pixel, t), []).append(place)
    assert len(got.pixel) == len(expected)
    centres = places(got, screen, triangles)
    for pixel, t, weight, centre in zip(got.pixel, got.triangle, got.weight, centres, strict=True):
        members = expected[pixel, t]
        assert weight == pytest.approx(len(members) / factor**2)
        # corners are snapped to 1/256 of a sample
        np.testing.assert_allclose(centre, np.mean(members, 0), atol=0.02)
    assert (np.diff(got.pixel) >= 0).all()


def test_weights_are_the_share_of_samples_that_see_something():
    screen, triangles = soup(np.random.default_rng(1), 12)
    for whole in (False, True):
        got = chosen(screen, triangles, 2, [whole])
        fine, _ = both(screen, triangles, 2)
        share = (fine.triangle_id >= 0).reshape(SIZE[1], 2, SIZE[0], 2).mean((1, 3))
        np.testing.assert_allclose(got.cover(SIZE), share)


def test_a_pixel_inside_a_slanted_plane_is_shaded_once_at_its_centre():
    screen = np.array([[-50.0, -50, 500], [80, -40, 560], [20, 90, 540]])
    triangles = np.array([[0, 1, 2]], dtype=np.int32)
    got = chosen(screen, triangles, 2, [True])
    assert len(got.pixel) == SIZE[0] * SIZE[1]
    assert (got.weight == 1).all()
    centres = rasterise(screen, triangles, SIZE).barycentric.reshape(-1, 3)
    np.testing.assert_array_equal(got.barycentric, centres)
    a, b = screen[1, :2] - screen[0, :2], screen[2, :2] - screen[0, :2]
    np.testing.assert_allclose(got.area, abs(a[0] * b[1] - a[1] * b[0]), rtol=1e-4)


@pytest.mark.parametrize("perspective", [True, False])
def test_a_step_within_one_surface_is_shaded_on_both_of_its_sides(perspective):
    """Two planes of one surface meet in the middle of a pixel's row, one 8 mm before the other."""
    corners = [[-9.0, -9], [40, -9], [40, 5.5], [-9, 5.5], [40, 40], [-9, 40]]
    depth = 500 + 8 * np.array([0, 0, 0, 0, 1, 1, 1, 1])
    screen = np.column_stack([[corners[k] for k in (0, 1, 2, 3, 3, 2, 4, 5)], depth])
    triangles = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]], dtype=np.int32)
    got = chosen(screen, triangles, 2, [True], perspective=perspective)
    rows = got.pixel // SIZE[0]
    count = np.bincount(rows, minlength=SIZE[1])
    assert (np.delete(count, 5) == SIZE[0]).all()
    assert count[5] >= 2 * SIZE[0]
    upper = np.isin(got.triangle[rows == 5], [0, 1])
    np.testing.assert_allclose(got.weight[rows == 5][upper].sum(), SIZE[0] / 2)


def test_two_surfaces_in_a_pixel_are_shaded_apart():
    screen = np.array([[-9.0, -9, 500], [12.5, -9, 500], [12.5, 60, 500], [-9, 60, 500]])
    right = screen * [-1, 1, 1] + [25, 0, 0]
    triangles = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)
    everything = np.concatenate([screen, right]), np.concatenate([triangles, triangles + 4])
    owner = np.array([0, 0, 1, 1], np.int16)
    got = chosen(*everything, 2, [True, True], owner)
    column = got.pixel % SIZE[0]
    assert set(owner[got.triangle[column == 12]]) == {0, 1}
    assert (got.weight[column != 12] == 1).all()
    np.testing.assert_allclose(got.cover(SIZE), 1)


def test_one_sample_a_pixel_lies_at_its_centre():
    screen, triangles = soup(np.random.default_rng(2))
    seen = rasterise(screen, triangles, SIZE)
    got = every_pixel(covered(screen, triangles, SIZE))
    np.testing.assert_array_equal(got.pixel, np.flatnonzero(seen.mask))
    np.testing.assert_array_equal(got.triangle, seen.triangle_id[seen.mask])
    # the same place by float64 instead of whole numbers
    np.testing.assert_allclose(got.barycentric, seen.barycentric[seen.mask], atol=1e-6)
    assert (got.weight == 1).all()
