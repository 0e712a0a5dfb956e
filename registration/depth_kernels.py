"""The per-pixel loops of registration.depth."""

import cv2
import numba
import numpy as np


@numba.njit(cache=True, nogil=True, inline="always")
def _step(slope, floor, z, distance):
    """Largest depth difference (mm) of two pixels of one surface, ``distance`` px apart."""
    return floor + (slope[0] + slope[1] * z) * distance


@numba.njit(cache=True, nogil=True)
def reject_spikes(depth, slope, floor, min_support):
    """Depth without pixels that too few of their valid neighbours agree with.

    Only valid neighbours vote, so that the rim of a hole stays. A pixel alone is a spike.

    Args:
        depth: (H, W) float32, mm; 0 = invalid.
        slope, floor: see _step.
        min_support: in [0, 1].

    Returns:
        (H, W) float32; 0 where rejected.
    """
    height, width = depth.shape
    out = np.zeros_like(depth)
    for i in range(height):
        for j in range(width):
            z = depth[i, j]
            if z <= 0:
                continue
            valid, same = 0, 0
            for di in range(max(i - 1, 0), min(i + 2, height)):
                for dj in range(max(j - 1, 0), min(j + 2, width)):
                    other = depth[di, dj]
                    if other > 0 and (di != i or dj != j):
                        valid += 1
                        # Diagonal neighbours get the straight ones' bound: it is a bound anyway.
                        same += abs(other - z) <= _step(slope, floor, z, 1)
            if same >= 2 and same >= min_support * valid:
                out[i, j] = z
    return out


@numba.njit(cache=True, nogil=True)
def mark_jumps(depth, slope, floor):
    """(H, W) bool: valid pixels with a direct neighbour on another surface."""
    height, width = depth.shape
    out = np.zeros((height, width), dtype=np.bool_)
    for i in range(height):
        for j in range(width):
            z = depth[i, j]
            if z <= 0:
                continue
            for di, dj in ((0, 1), (1, 0)):
                if i + di < height and j + dj < width:
                    other = depth[i + di, j + dj]
                    if other > 0 and abs(other - z) > _step(slope, floor, min(z, other), 1):
                        out[i, j] = True
                        out[i + di, j + dj] = True
    return out


def hole_sides(depth: np.ndarray, slope, floor) -> np.ndarray:
    """(H, W) bool: rim pixels of an invalid region that separates two surfaces or is the outside.

    Every invalid pixel takes the depth of the nearest valid one. Where two such neighbours come
    from pixels too far apart in depth for their distance in the image, both of these are marked:
    the region between them is a sensor's shadow beside a silhouette, not a hole in a surface. An
    invalid region that reaches the image's border is the outside; all its rim is the outline.
    """
    empty = depth <= 0
    if not empty.any() or empty.all():
        return np.zeros(depth.shape, dtype=bool)
    _, labels = cv2.distanceTransformWithLabels(
        empty.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    source = np.zeros(labels.max() + 1, dtype=np.int32)
    known = np.flatnonzero(~empty.ravel())
    source[labels.ravel()[known]] = known
    _, regions = cv2.connectedComponents(empty.astype(np.uint8), connectivity=8)
    border = np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])
    outside = np.zeros(regions.max() + 1, dtype=bool)
    outside[border] = True
    outside[0] = False  # the valid pixels
    return _mark_sides(depth, source[labels], outside[regions], slope, floor)


@numba.njit(cache=True, nogil=True)
def _mark_sides(depth, source, outside, slope, floor):
    height, width = depth.shape
    flat = depth.ravel()
    out = np.zeros(height * width, dtype=np.bool_)
    for i in range(height):
        for j in range(width):
            here = i * width + j
            for di, dj in ((0, 1), (1, 0)):
                if i + di >= height or j + dj >= width:
                    continue
                a, b = source[i, j], source[i + di, j + dj]
                there = here + di * width + dj
                if outside[i, j] != outside[i + di, j + dj]:
                    out[there if outside[i, j] else here] = flat[a] > 0
                if a == b or (flat[here] > 0 and flat[there] > 0):
                    continue
                rows, columns = a // width - b // width, a % width - b % width
                distance = np.float32(np.sqrt(rows * rows + columns * columns))
                near = min(flat[a], flat[b])
                if abs(flat[a] - flat[b]) > _step(slope, floor, near, distance):
                    out[a] = True
                    out[b] = True
    return out.reshape(height, width)


@numba.njit(cache=True, nogil=True)
def fit_planes(depth, quantity, slope, floor, window):
    """Least-squares planes q ≈ c + a·du + b·dv over each pixel's own surface in a square window.

    Args:
        depth: (H, W) float32, mm, which tells the surfaces apart; 0 = invalid.
        quantity: (H, W) float32, what is fitted.
        slope, floor: see _step.
        window: half width, px.

    Returns:
        (3, H, W) float32 c, a, b; NaN where there are fewer than 4 pixels or all on one line.
    """
    height, width = depth.shape
    out = np.full((3, height, width), np.nan, dtype=np.float32)
    sums = np.zeros((9, width), dtype=np.float32)
    rows = np.zeros((2, width), dtype=np.float32)
    for i in range(height):
        sums[:] = 0
        for y in range(max(i - window, 0), min(i + window + 1, height)):
            for du in range(-window, window + 1):
                _add_column(depth, quantity, slope, floor, sums, rows, i, y, du)
        for j in range(width):
            if depth[i, j] > 0:
                _solve_plane(sums[:, j], quantity[i, j], out[:, i, j])
    return out


@numba.njit(cache=True, nogil=True)
def _add_column(depth, quantity, slope, floor, sums, rows, i, y, du):
    """Add the pixels (y, j + du) to the sums of the windows at (i, j), all j of a row at once.

    The long loops run along the row, so that the compiler can take several pixels a step.
    """
    width = depth.shape[1]
    u, v = np.float32(du), np.float32(y - i)
    reach = np.float32(max(1, abs(du), abs(y - i)))
    left, right = max(0, -du), min(width, width - du)
    constant, linear = (floor + slope[0]) * reach, slope[1] * reach
    weight, value = rows[0, left:right], rows[1, left:right]
    _compare(depth[i, left:right], depth[y, left + du : right + du], constant, linear, weight)
    _difference(quantity[i, left:right], quantity[y, left + du : right + du], weight, value)
    one = np.float32(1)
    for k, factor in enumerate((one, u, v, u * u, u * v, v * v)):
        _accumulate(sums[k, left:right], weight, factor)
    for k, factor in enumerate((one, u, v)):
        _accumulate(sums[6 + k, left:right], value, factor)


# One output a loop: with more, the compiler gives up proving that the arrays do not overlap, and
# the fit takes three times as long.
@numba.njit(cache=True, nogil=True, fastmath=True)
def _compare(z, other, constant, linear, weight):
    for j in range(len(weight)):
        same = (other[j] > np.float32(0)) & (abs(other[j] - z[j]) <= constant + linear * z[j])
        weight[j] = np.float32(1) if same else np.float32(0)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _difference(base, other, weight, value):
    for j in range(len(value)):
        value[j] = (other[j] - base[j]) * weight[j]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _accumulate(total, value, factor):
    for j in range(len(total)):
        total[j] += value[j] * factor


@numba.njit(cache=True, nogil=True)
def _solve_plane(sums, base, out):
    """Normal equations about the centroid; the sums of 0, 1, … are exact, so is the determinant."""
    n, su, sv, suu, suv, svv, sq, suq, svq = sums
    cuu, cuv, cvv = n * suu - su * su, n * suv - su * sv, n * svv - sv * sv
    determinant = cuu * cvv - cuv * cuv
    if n < 4 or determinant <= 0:
        return
    cuq, cvq = n * suq - su * sq, n * svq - sv * sq
    a = (cuq * cvv - cvq * cuv) / determinant
    b = (cvq * cuu - cuq * cuv) / determinant
    out[0] = base + (sq - a * su - b * sv) / n
    out[1] = a
    out[2] = b


@numba.njit(cache=True, nogil=True)
def pinhole_normals(planes, fx, fy, cx, cy):
    """Unit normals (H, W, 3) float32 towards a pinhole, of planes (3, H, W) in inverse depth.

    n · X = 1 with X = z·((u - cx)/fx, (v - cy)/fy, 1), so the gradient of 1/z is (nx/fx, ny/fy)
    and its value on the axis is nz. 0 where the plane is unknown.
    """
    _, height, width = planes.shape
    out = np.zeros((height, width, 3), dtype=np.float32)
    for i in range(height):
        for j in range(width):
            c, a, b = planes[0, i, j], planes[1, i, j], planes[2, i, j]
            if np.isnan(c):
                continue
            z = c - a * (j + np.float32(0.5) - cx) - b * (i + np.float32(0.5) - cy)
            x, y = a * fx, b * fy
            length = np.sqrt(x * x + y * y + z * z)
            if length > 0:
                out[i, j, 0] = -x / length
                out[i, j, 1] = -y / length
                out[i, j, 2] = -z / length
    return out
