"""Gradient-domain fill of a face-sized hole: imaging.poisson against a plain sparse solve.

    python -m benchmarks.poisson [--repeats 7]

The hole is a disc in a 256² image of three channels. The peer is scipy.sparse.linalg.spsolve of
the same equations with its default ordering, once a channel. Printed: CPU milliseconds (median,
fastest, slowest) and the ratio of the medians.
"""

import argparse
import time

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg

from imaging.poisson import fill

SIZE = 256


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    rng = np.random.default_rng(0)
    target, donor = rng.random((2, SIZE, SIZE, 3), dtype=np.float32)
    print(f"{'pixels':>8} {'fill ms':>22} {'spsolve ms':>22} {'ratio':>6}")
    for radius in (40, 56, 70, 80):
        v, u = np.mgrid[:SIZE, :SIZE] - SIZE / 2
        mask = u**2 + v**2 < radius**2
        ours = cpu_ms(lambda mask=mask: fill(target, mask, donor), repeats)
        peer = cpu_ms(lambda mask=mask: plain_solve(target, mask, donor), repeats)
        ratio = np.median(peer) / np.median(ours)
        print(f"{mask.sum():8} {spread(ours):>22} {spread(peer):>22} {ratio:6.1f}")


def plain_solve(target: np.ndarray, mask: np.ndarray, donor: np.ndarray) -> np.ndarray:
    """The hole's values by the five-point Laplacian with the target on its rim."""
    index = np.full(mask.shape, -1)
    index[mask] = np.arange(mask.sum())
    rows, columns = np.nonzero(mask)
    here, right_hand = index[mask], np.zeros((mask.sum(), 3))
    entries = [(here, here, np.full(len(here), 4.0))]
    for dv, du in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        there = (rows + dv, columns + du)
        right_hand += donor[mask] - donor[there]
        inside = mask[there]
        entries.append((here[inside], index[there][inside], np.full(inside.sum(), -1.0)))
        right_hand[~inside] += target[there][~inside]
    i, j, values = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    matrix = sp.csc_matrix((values, (i, j)), shape=(len(here), len(here)))
    out = target.copy()
    for channel in range(3):
        out[mask, channel] = scipy.sparse.linalg.spsolve(matrix, right_hand[:, channel])
    return out


def cpu_ms(work, repeats: int) -> np.ndarray:
    """CPU milliseconds of each of ``repeats`` calls, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(1e3 * (time.process_time() - start))
    return np.array(times)


def spread(times: np.ndarray) -> str:
    return f"{np.median(times):.0f} ({times.min():.0f}–{times.max():.0f})"


if __name__ == "__main__":
    main()
