"""Where Eq. 8's anchors lie, and their triangles: a quad-tree that splits where depth bends."""

import numba
import numpy as np

HALVINGS = 3  # from the coarse cells to the finest
MIN_PIXELS = 16  # measured in a cell: four planes have twelve parameters


def quadtree_mesh(
    depth_mm: np.ndarray, near: np.ndarray, finest_px: int, near_px: int, bend_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """A triangulation of the image by cells of finest_px · 2³ px and by quarters of them.

    A cell splits where its quarters' planes fit the measured depth better than its own by more
    than ``bend_mm`` (root mean square): that is so at a bend and at a jump, but not in noise,
    which no plane fits better than another. The triangles reach to the image's border.

    Args:
        depth_mm: (H, W) float32; 0 where nothing was measured.
        near: (H, W) bool, where cells split until they are ``near_px`` or less.

    Returns:
        Vertices (N, 2) float64 px, and triangles (T, 3) int64, some without area at the border.
    """
    blocks = -(-depth_mm.shape[0] // finest_px), -(-depth_mm.shape[1] // finest_px)
    leaves = _leaves(depth_mm, near, finest_px, near_px, bend_mm)
    leaves = leaves[(leaves[:, :2] < blocks).all(1)]
    vertex, triangles, count = _triangulated(leaves, 2 * blocks[0], 2 * blocks[1])
    row, column = np.nonzero(vertex >= 0)
    place = np.zeros((count, 2))
    place[vertex[row, column]] = np.stack([column, row], 1) * (finest_px / 2)
    return np.minimum(place, depth_mm.shape[::-1]), triangles


def _leaves(depth_mm, near, finest_px, near_px, bend_mm):
    """Row, column and edge (L, 3) int64 of the cells that do not split, in finest blocks."""
    moments = _padded(_block_moments(np.ascontiguousarray(depth_mm, np.float32), finest_px))
    residuals, pixels, asked = _pyramid(moments, _padded(_blocks_with(near, finest_px)))
    present, leaves = np.ones(pixels[-1].shape, dtype=bool), []
    for level in range(HALVINGS, -1, -1):
        split = np.zeros_like(present)
        if level:
            quarters, measured = _quarters(residuals[level - 1]), pixels[level]
            # four planes fit noise better than one by nine parameters' worth; thrice that is none
            noise = 3 * 9 * quarters / np.maximum(measured - 12, 1)
            gain = residuals[level] - quarters - noise
            bends = (gain > bend_mm**2 * measured) & (measured >= MIN_PIXELS)
            split = present & (bends | (asked[level] & (finest_px << level > near_px)))
        row, column = np.nonzero(present & ~split)
        leaves.append(np.stack([row, column, np.ones_like(row)], 1) << level)
        present = split.repeat(2, 0).repeat(2, 1)
    return np.concatenate(leaves)


@numba.njit(cache=True, nogil=True)
def _triangulated(leaves, last_row, last_column):
    """Vertices on the grid of half blocks, numbered (rows, columns), −1 for none; triangles; count.

    A cell with none but its corners makes two triangles, one with smaller neighbours a fan about
    its middle. What lies beyond the last row or column is moved onto it. A vertex lies on four
    cells' rings at most, which bounds the triangles.
    """
    vertex = np.full((last_row + 1, last_column + 1), -1)
    count = 0
    for row, column, size in leaves:
        for dy in (0, 2 * size):
            for dx in (0, 2 * size):
                y, x = min(2 * row + dy, last_row), min(2 * column + dx, last_column)
                if vertex[y, x] < 0:
                    vertex[y, x] = count
                    count += 1
    triangles, made = np.zeros((8 * len(leaves) + 4 * count, 3), np.int64), 0
    ring = np.zeros(8 * leaves[:, 2].max(), np.int64)
    for row, column, size in leaves:
        length = _ring(vertex, 2 * row, 2 * column, 2 * size, last_row, last_column, ring)
        if length == 4:
            triangles[made] = ring[0], ring[1], ring[2]
            triangles[made + 1] = ring[0], ring[2], ring[3]
            made += 2
            continue
        y, x = min(2 * row + size, last_row), min(2 * column + size, last_column)
        if vertex[y, x] < 0:
            vertex[y, x] = count
            count += 1
        for k in range(length):
            triangles[made] = vertex[y, x], ring[k], ring[(k + 1) % length]
            made += 1
    return vertex, triangles[:made], count


@numba.njit(cache=True, nogil=True)
def _ring(vertex, row, column, size, last_row, last_column, ring):
    """The vertices around a cell into ``ring``, clockwise; how many."""
    length = 0
    for side, step in ((0, 1), (1, 1), (2, -1), (3, -1)):
        for k in range(size):
            at = k if step > 0 else size - k
            y = row + (at if side % 2 else (0 if side == 0 else size))
            x = column + ((size if side == 1 else 0) if side % 2 else at)
            number = vertex[min(y, last_row), min(x, last_column)]
            if number >= 0 and (length == 0 or ring[length - 1] != number):
                ring[length] = number
                length += 1
    return length


def _padded(blocks):
    """The blocks up to whole coarse cells, with zeros."""
    whole = 1 << HALVINGS
    grow = [(0, -count % whole) for count in blocks.shape[:2]]
    return np.pad(blocks, grow + [(0, 0)] * (blocks.ndim - 2))


def _blocks_with(mask, size):
    """Whether a block holds a pixel of the mask."""
    shape = [-(-count // size) for count in mask.shape]
    padded = np.zeros([count * size for count in shape], dtype=bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return padded.reshape(shape[0], size, shape[1], size).any((1, 3))


def _quarters(values):
    """Sums over 2×2."""
    return values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]


def _pyramid(moments, wanted):
    """Of each level's cells: the plane's squared residual, pixels measured, and ``wanted``."""
    residuals, pixels, asked = [], [], []
    for level in range(HALVINGS + 1):
        if level:
            moments, wanted = _quarters(moments), _quarters(wanted.astype(int)) > 0
        residuals.append(_plane_residual(moments))
        pixels.append(moments[..., 0])
        asked.append(wanted)
    return residuals, pixels, asked


@numba.njit(cache=True, nogil=True)
def _block_moments(depth_mm, size):
    """Sums (rows, columns, 10) of 1, x, y, xx, xy, yy, z, xz, yz, zz over a block's measured."""
    height, width = depth_mm.shape
    out = np.zeros((-(-height // size), -(-width // size), 10))
    for v in range(height):
        for u in range(width):
            z = np.float64(depth_mm[v, u])
            if z > 0:
                sums = out[v // size, u // size]
                x, y = float(u), float(v)
                sums[0] += 1
                sums[1] += x
                sums[2] += y
                sums[3] += x * x
                sums[4] += x * y
                sums[5] += y * y
                sums[6] += z
                sums[7] += x * z
                sums[8] += y * z
                sums[9] += z * z
    return out


def _plane_residual(moments):
    """Σ (z − plane)² of the plane of least squares; 0 where nothing was measured."""
    n, x, y, xx, xy, yy, z, xz, yz, zz = np.moveaxis(moments, -1, 0)
    n = np.maximum(n, 1)
    xx, xy, yy = xx - x * x / n, xy - x * y / n, yy - y * y / n
    xz, yz, zz = xz - x * z / n, yz - y * z / n, zz - z * z / n
    # pixels in a row fix no plane: the whisper on the diagonal makes it level across them
    xx, yy = xx + 1e-3 * n, yy + 1e-3 * n
    explained = (yy * xz**2 - 2 * xy * xz * yz + xx * yz**2) / (xx * yy - xy**2)
    return np.maximum(zz - explained, 0)
