"""The multigrid against a sparse LU of the same equation, on the masks that it finds hardest."""

import cv2
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import splu

import imaging.multigrid
from imaging import multigrid_steps
from imaging.multigrid import Multigrid
from imaging.multigrid_band import factorize, solve_band
from imaging.multigrid_levels import FREE, HELD, WANTED, level_at, make_levels
from imaging.poisson_kernels import kinds
from imaging.scratch import scratch

SIZE = 96
TOLERANCE = 1e-3  # of solutions of about 1
CROSS = np.float32([[0, 1, 0], [1, 0, 1], [0, 1, 0]])


def blobs(rng, scale, share):
    field = cv2.GaussianBlur(rng.normal(size=(SIZE, SIZE)), (0, 0), scale)
    return field > np.quantile(field, 1 - share)


def make(wanted, held):
    """Kinds (SIZE, SIZE): the parts of ``wanted`` that touch what is held."""
    wanted = wanted & ~held
    count, part = cv2.connectedComponents(wanted.astype(np.uint8), connectivity=4)
    return kinds(held, part, count)[0]


def whole_image(rng):
    held = np.zeros((SIZE, SIZE), bool)
    held[tuple(rng.integers(0, SIZE, 2))] = True
    return make(~held, held)


def one_side(rng):
    held = np.zeros((SIZE, SIZE), bool)
    held[:, 0] = True
    return make(~held, held)


def face_like(rng):
    """A head before nothing; what was photographed of it is held, the far side is wanted."""
    v, u = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    head = (u / 30) ** 2 + (v / 42) ** 2 < 1
    return make(head, head & (blobs(rng, 6, 0.6) | (u < rng.uniform(-25, 5))))


def islands(rng):
    return make(blobs(rng, 4, 0.5), blobs(rng, 3, 0.3))


def slivers(rng):
    edges = cv2.Canny((blobs(rng, 8, 0.5) * 255).astype(np.uint8), 50, 100) > 0
    wide = cv2.dilate(edges.astype(np.uint8), np.ones((1, 2), np.uint8)) > 0
    return make(wide, ~wide & blobs(rng, 5, 0.2))


def dust(rng):
    """Every fourth pixel gone: what is left hangs together by threads."""
    return make(rng.random((SIZE, SIZE)) < 0.7, rng.random((SIZE, SIZE)) < 0.03)


def held_dots(rng):
    held = rng.random((SIZE, SIZE)) < 0.003
    held[0, 0] = True
    return make(~held, held)


def maze(rng, size=SIZE):
    """One corridor of a pixel's width and half the image's pixels, held at one end."""
    wanted = np.zeros((size, size), bool)
    wanted[::2] = True
    wanted[1::4, -1] = wanted[3::4, 0] = True
    held = np.zeros_like(wanted)
    held[0, 0] = True
    return make(wanted, held)


def single(rng):
    held = np.ones((SIZE, SIZE), bool)
    held[tuple(rng.integers(0, SIZE, 2))] = False
    return make(~held, held)


MASKS = [
    whole_image, one_side, face_like, islands, slivers, dust, held_dots, maze, single
]  # fmt: skip


def reference(kind, right):
    """Σ_q (x_p − x_q) = right_p over neighbours q wanted or held (at 0), by a sparse LU."""
    index = np.full(np.array(kind.shape) + 2, -1)
    padded = np.pad(kind, 1)
    y, x = np.nonzero(padded == WANTED)
    index[y, x] = np.arange(len(y))
    diagonal, rows, columns = np.zeros(len(y)), [], []
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        beside = padded[y + dy, x + dx]
        diagonal += beside != FREE
        rows.append(np.flatnonzero(beside == WANTED))
        columns.append(index[y + dy, x + dx][beside == WANTED])
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    links = sp.coo_matrix((np.ones(len(rows)), (rows, columns)), (len(y), len(y)))
    return splu((sp.diags(diagonal) - links).tocsc()).solve(right[kind == WANTED])


def beside_held(kind, values):
    """The values at wanted pixels beside held ones: what a seam is made of; 0 elsewhere."""
    near = cv2.dilate((kind == HELD).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where((near & (kind == WANTED))[..., None], values, 0)


def solved(kind, right):
    with scratch() as zeros:
        grid = Multigrid(kind, right.shape[2], zeros)
        grid.right[1:-1, :, 1:-1] = right.transpose(0, 2, 1)
        found = grid.solve(TOLERANCE)
        return found[1:-1, :, 1:-1].transpose(0, 2, 1)[kind == WANTED]


@pytest.mark.parametrize("mask", MASKS)
def test_the_error_is_within_the_tolerance(mask):
    for seed in range(6):
        rng = np.random.default_rng([seed, len(mask.__name__)])
        kind = mask(rng)
        smooth = cv2.GaussianBlur(rng.normal(size=(SIZE, SIZE, 3)), (0, 0), 6)
        for values in (0.3 + smooth / smooth.std() * 0.2, rng.normal(size=smooth.shape)):
            right = beside_held(kind, values)
            expected = reference(kind, right)
            right, expected = right / np.abs(expected).max(), expected / np.abs(expected).max()
            assert np.abs(solved(kind, right) - expected).max() < TOLERANCE


def test_where_cycles_do_not_help_a_direct_solver_does(monkeypatch):
    kind = maze(None, 3 * SIZE)
    right = np.where((kind == WANTED)[..., None], np.ones(3), 0)
    expected = reference(kind, right)
    right, expected = right / expected.max(), expected / expected.max()
    found = solved(kind, right)
    assert np.abs(found - expected).max() < TOLERANCE
    monkeypatch.setattr(imaging.multigrid, "_solve_directly", lambda level, right, x: x)
    assert np.abs(solved(kind, right) - expected).max() > 100 * TOLERANCE


@pytest.mark.parametrize("mask", [one_side, face_like, islands, held_dots])
def test_the_start_is_near_where_all_that_is_held_is_one_level(mask, monkeypatch):
    """Every coarse level's solution is that level too, whatever the shape.

    Interpolation past a corner of the mask overshoots by up to a sixteenth.
    """
    kind = mask(np.random.default_rng(3))
    beside = cv2.filter2D((kind == HELD).astype(np.float32), -1, CROSS, borderType=0)
    right = np.repeat(np.where(kind == WANTED, beside, 0)[..., None], 2, 2)
    monkeypatch.setattr(imaging.multigrid, "solve", start_alone)
    np.testing.assert_allclose(solved(kind, right), 1, atol=1 / 16)


def start_alone(levels, vectors, channels, tolerance):
    factor = factorize(level_at(levels, len(levels.shape) - 1))
    multigrid_steps._start(levels, vectors, channels, factor)
    return True


@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (5, 7), (200, 33)])
def test_grids_of_any_shape(shape):
    kind = np.full(shape, WANTED, np.uint8)
    kind[-1, -1] = HELD
    right = beside_held(kind, np.random.default_rng(0).normal(size=(*shape, 2)))
    np.testing.assert_allclose(solved(kind, right), reference(kind, right), atol=TOLERANCE)


def test_scratch_hands_out_zeros_that_do_not_overlap_and_nests():
    with scratch() as outer:
        a = outer((3, 5), np.int32)
        a[:] = 7
        with scratch() as inner:
            b, c = inner((1000,)), inner((4,), np.uint8)
            assert not b.any()
            assert not c.any()
            b[:], c[:] = 1, 2
        big = outer((1 << 20,))  # outgrows what there is
        assert not big.any()
        big[:] = 3
        assert (a == 7).all()
        assert a.dtype == np.int32


def test_the_coarsest_levels_factor_solves_exactly():
    for mask in (islands, dust, single):
        kind = mask(np.random.default_rng(5))
        levels = make_levels(kind, SIZE)  # one level: the grid itself
        level = level_at(levels, 0)
        factor, cells = factorize(level)
        right = np.random.default_rng(6).normal(size=(SIZE + 2, 2, SIZE + 2)).astype(np.float32)
        out = np.zeros_like(right)
        solve_band(factor, cells, right, out)
        expected = reference(kind, right[1:-1, :, 1:-1].transpose(0, 2, 1))
        # float64 throughout: the float32 of what is handed out decides
        found = out[1:-1, :, 1:-1].transpose(0, 2, 1)[kind == WANTED]
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
        assert not out[1:-1, :, 1:-1].transpose(0, 2, 1)[kind != WANTED].any()
