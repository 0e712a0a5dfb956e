"""Gradient-domain fill of face-like masks: imaging.poisson against a sparse solve and OpenCV.

    python -m benchmarks.poisson [--repeats 7] [--size 512]

Images of three channels. "rim": a disc held all round; "far side": an ellipse before nothing, a
quarter of it photographed, the rest filled, so that most of its outline is free; "patches": smooth
random shapes, held, filled and free; "whole": all but the first column. The reference is SuperLU on
the same equations (minimum degree, one factor for all channels); cv2.seamlessClone solves another
(the rim of the mask's box fades in by its own rule), so only its time compares, and only where the
whole rim is held. Printed: CPU milliseconds, median (least–most), and the largest difference from
the reference in grey levels of 255.
"""

import argparse
import time

import cv2
import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from imaging.poisson import fill


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--size", type=int, default=512)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    target, donor = (smooth(rng, arguments.size) for _ in range(2))
    print(f"{'':12}{'filled':>8}{'fill ms':>18}{'SuperLU ms':>18}{'clone ms':>18}{'levels':>8}")
    for name, mask, free in masks(rng, arguments.size):
        work = {
            "fill": lambda mask=mask, free=free: fill(target, mask, donor, free),
            "plain": lambda mask=mask, free=free: plain_solve(target, mask, donor, free),
        }
        if name == "rim":
            work["clone"] = lambda mask=mask: clone(target, mask, donor)
        times = {key: spread(cpu_ms(call, arguments.repeats)) for key, call in work.items()}
        worst = 255 * np.abs(work["fill"]() - work["plain"]()).max()
        columns = "".join(f"{times.get(key, '-'):>18}" for key in ("fill", "plain", "clone"))
        print(f"{name:12}{mask.mean():8.0%}{columns}{worst:8.3f}")


def smooth(rng: np.random.Generator, size: int) -> np.ndarray:
    """A picture (size, size, 3) float32 in [0, 1] of broad shades with some grain."""
    broad, grain = rng.normal(size=(2, size, size, 3))
    broad = cv2.GaussianBlur(broad, (0, 0), size / 20)
    return np.clip(0.5 + 0.15 * broad / broad.std() + 0.03 * grain, 0, 1).astype(np.float32)


def masks(rng: np.random.Generator, size: int):
    """Names, masks and free pixels (size, size) bool."""
    v, u = np.mgrid[:size, :size] / size - 0.5
    nothing = np.zeros((size, size), bool)
    yield "rim", u**2 + v**2 < 0.35**2, nothing
    head = (u / 0.35) ** 2 + (v / 0.45) ** 2 < 1
    yield "far side", head & (u > -0.15), ~head
    field, other = (cv2.GaussianBlur(rng.normal(size=u.shape), (0, 0), size / 40) for _ in range(2))
    free = (field <= 0) & (other < other.std())
    _, part = cv2.connectedComponents((field > 0).astype(np.uint8), connectivity=4)
    rim = cv2.dilate(((field <= 0) & ~free).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    tied = np.isin(part, np.unique(part[rim & (field > 0)]))  # a part without a rim is the donor
    yield "patches", (field > 0) & tied, free | ((field > 0) & ~tied)
    yield "whole", u > u.min(), nothing


def plain_solve(target, mask, donor, free) -> np.ndarray:
    """The filled image (H, W, C) float64 by the five-point Laplacian and a sparse LU."""
    index = np.full(mask.shape, -1)
    index[mask] = np.arange(mask.sum())
    rows, columns = np.nonzero(mask)
    count, right, diagonal = len(rows), np.zeros((len(rows), 3)), np.zeros(len(rows))
    out, donor = target.astype(np.float64), donor.astype(np.float64)
    links = []
    for dv, du in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        v, u = rows + dv, columns + du
        used = (v >= 0) & (v < mask.shape[0]) & (u >= 0) & (u < mask.shape[1])
        here = np.flatnonzero(used)
        here = here[~free[v[here], u[here]]]
        v, u = v[here], u[here]
        diagonal[here] += 1
        right[here] += donor[rows[here], columns[here]] - donor[v, u]
        inside = mask[v, u]
        links.append((here[inside], index[v, u][inside]))
        right[here[~inside]] += out[v, u][~inside]
    i, j = (np.concatenate(parts) for parts in zip(*links, strict=True))
    matrix = sp.diags(diagonal) - sp.coo_matrix((np.ones(len(i)), (i, j)), (count, count))
    options = {"SymmetricMode": True}
    factor = splu(
        matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options
    )
    out[mask] = factor.solve(right)
    return out


def clone(target, mask, donor):
    """OpenCV's, which takes 8 bits and puts the mask's box about a point."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    images = [np.rint(255 * image).astype(np.uint8) for image in (donor, target)]
    centre = (x + width // 2, y + height // 2)
    return cv2.seamlessClone(*images, mask.astype(np.uint8) * 255, centre, cv2.NORMAL_CLONE)


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
    """Median (least–most)."""
    return f"{np.median(times):.0f} ({times.min():.0f}–{times.max():.0f})"


if __name__ == "__main__":
    main()
