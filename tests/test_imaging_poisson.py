import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from imaging.poisson import TOLERANCE, blend, fill


def disc(size, centre, radius):
    y, x = np.mgrid[:size, :size]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2


def reference(target, mask, donor, free):
    """Pixel by pixel assembly and a general sparse solve, one channel at a time."""
    height, width = mask.shape
    number = {tuple(p): k for k, p in enumerate(np.argwhere(mask))}
    matrix = sp.lil_matrix((len(number), len(number)))
    right = np.zeros((len(number), target.shape[2]))
    for (y, x), k in number.items():
        for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if not (0 <= v < height and 0 <= u < width) or (free[v, u] and not mask[v, u]):
                continue
            matrix[k, k] += 1
            right[k] += donor[y, x] - donor[v, u]
            if mask[v, u]:
                matrix[k, number[v, u]] -= 1
            else:
                right[k] += target[v, u]
    out = target.copy()
    out[mask] = np.stack([spsolve(matrix.tocsc(), right[:, c]) for c in range(3)], 1)
    return out


def test_agrees_with_a_plain_solve():
    rng = np.random.default_rng(0)
    target, donor = rng.uniform(size=(2, 48, 48, 3))
    mask = disc(48, (20, 25), 14) | disc(48, (46, 4), 9)  # the second reaches the border
    free = disc(48, (10, 30), 16) & ~mask
    got = fill(target, mask, donor, free, tolerance=0.1 / 255)
    assert got.dtype == np.float32
    # the tolerance asked for: a tenth of a grey level, which is invisible
    np.testing.assert_allclose(got, reference(target, mask, donor, free), atol=0.1 / 255)
    np.testing.assert_array_equal(got[~mask], target[~mask].astype(np.float32))


def test_large_parts_and_small_ones_agree_with_a_plain_solve():
    """Parts a pixel apart at their nearest; held, free and the image's border beside each."""
    rng = np.random.default_rng(5)
    target, donor = rng.uniform(size=(2, 48, 48, 3))
    mask = disc(48, (14, 12), 11) | disc(48, (14, 36), 11) | disc(48, (40, 24), 6)
    mask[:, 24] = False
    mask[28:32:2, ::3] = True  # single pixels, of no large share together
    free = np.zeros_like(mask)
    free[:12] = ~mask[:12]
    got = fill(target, mask, donor, free, tolerance=0.1 / 255)
    np.testing.assert_allclose(got, reference(target, mask, donor, free), atol=0.1 / 255)


def test_a_shifted_donor_gives_the_target():
    rng = np.random.default_rng(1)
    target = rng.uniform(size=(40, 40, 3))
    mask = disc(40, (20, 20), 12)
    got = fill(target, mask, target + np.array([0.3, -0.2, 5.0]))
    np.testing.assert_allclose(got, target, atol=TOLERANCE)


def test_a_ramp_is_continued_through_a_flat_donor():
    y, x = np.mgrid[:40, :40] / 40.0
    target = np.stack([x, y, 2 * x - y], -1)
    mask = disc(40, (18, 22), 13)
    for flat in (np.zeros_like(target), np.full_like(target, np.nan)):
        holes = np.where(mask[..., None], 9.0, target)  # what the mask hides plays no part
        np.testing.assert_allclose(fill(holes, mask, flat), target, atol=TOLERANCE)


def test_free_pixels_do_not_pull():
    """Half the rim is black background: the fill keeps the donor's level instead of darkening."""
    donor = np.tile(np.linspace(0.4, 0.6, 40)[None, :, None], (40, 1, 3))
    background = np.zeros((40, 40), dtype=bool)
    background[:, 30:] = True
    target = np.where(background[..., None], 0.0, donor + 0.1)
    mask = np.zeros_like(background)
    mask[10:30, 15:30] = True
    got = fill(target, mask, donor, free=background)
    np.testing.assert_allclose(got[mask], (donor + 0.1)[mask], atol=TOLERANCE)
    assert fill(target, mask, donor)[mask].min() < 0.3


def test_a_part_without_a_rim_stays_the_donor():
    rng = np.random.default_rng(2)
    target, donor = rng.uniform(size=(2, 30, 30, 3))
    everything = np.ones((30, 30), dtype=bool)
    np.testing.assert_array_equal(fill(target, everything, donor), donor.astype(np.float32))
    island, tied = disc(30, (8, 8), 4), disc(30, (22, 22), 4)
    donor[8, 8] = np.nan
    got = fill(target, island | tied, donor, free=disc(30, (8, 8), 7))
    finite = island & np.isfinite(donor[..., 0])
    np.testing.assert_array_equal(got[finite], donor[finite].astype(np.float32))
    np.testing.assert_array_equal(got[8, 8], target[8, 8].astype(np.float32))
    np.testing.assert_allclose(got[tied], fill(target, tied, donor)[tied], atol=TOLERANCE)


def test_blend_keeps_the_targets_detail_where_the_source_is_flat():
    rng = np.random.default_rng(3)
    target = rng.uniform(size=(32, 32, 3))
    mask = disc(32, (16, 16), 9)
    flat = np.full_like(target, 0.5)
    np.testing.assert_allclose(blend(target, mask, flat), target, atol=TOLERANCE)
    plain = np.full_like(target, 0.2)
    np.testing.assert_allclose(
        blend(plain, mask, target), fill(plain, mask, target), atol=TOLERANCE
    )


def test_an_empty_mask_and_bad_inputs():
    target = np.ones((8, 8, 3))
    mask = np.zeros((8, 8), dtype=bool)
    np.testing.assert_array_equal(fill(target, mask, target * 2), target)
    with pytest.raises(ValueError, match="donor: shape"):
        fill(target, mask, target[:4])
    with pytest.raises(ValueError, match="mask: shape"):
        fill(target, mask[:4], target)
    mask[3:5, 3:5] = True
    target[2, 3] = np.nan
    with pytest.raises(ValueError, match="1 of 8 rim pixels are not finite"):
        fill(target, mask, np.ones((8, 8, 3)))
