"""The inner loops of patch_fill: nearest patches searched for, and voted with."""

import numba
import numpy as np

RADIUS = 2  # of a patch: 5×5 pixels
FAR = 0.1  # squared colour that a patch from the image's other corner is to be better


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _distance(image, weight, y, x, row, column, limit):
    """Weighted mean square between two patches' colours, and a bit for what lies far away; beyond
    ``limit`` it may be cut short."""
    height, width = image.shape[:2]
    total, weights = np.float32(0), np.float32(1e-6)
    top, bottom = max(-RADIUS, -y), min(RADIUS, height - 1 - y)
    left, right = max(-RADIUS, -x), min(RADIUS, width - 1 - x)
    for dy in range(top, bottom + 1):
        for dx in range(left, right + 1):
            weights += weight[y + dy, x + dx]
    limit = limit * weights
    for dy in range(top, bottom + 1):
        for dx in range(left, right + 1):
            a = image[y + dy, x + dx, 0] - image[row + dy, column + dx, 0]
            b = image[y + dy, x + dx, 1] - image[row + dy, column + dx, 1]
            c = image[y + dy, x + dx, 2] - image[row + dy, column + dx, 2]
            total += weight[y + dy, x + dx] * (a * a + b * b + c * c)
        if total > limit:
            break
    away = (row - y) ** 2 + (column - x) ** 2
    return total / weights + FAR * away / (height * height + width * width)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def search(image, weight, source, wanted, field, cost, farthest, turn):
    """Better sources for the wanted patches, in place: from their neighbours and at random.

    Args:
        image: (h, w, 3) float32; weight: (h, w) float32, how much a pixel counts.
        source: (h, w) bool, patches' centres that may be shown.
        wanted: (h, w) bool, the patches that are searched for.
        field: (h, w, 2) int32, each one's source; cost: (h, w) float32, its distance.
        farthest: px of the widest random step.
        turn: the number of the round: every other one goes backwards.
    """
    height, width = source.shape
    state = np.uint64(88172645463325252 + 7919 * turn)
    for y in range(height):
        for x in range(width):
            if wanted[y, x]:
                cost[y, x] = _distance(
                    image, weight, y, x, field[y, x, 0], field[y, x, 1], np.float32(np.inf)
                )
    step = 1 if turn % 2 == 0 else -1
    for i in range(height):
        y = i if step == 1 else height - 1 - i
        for j in range(width):
            x = j if step == 1 else width - 1 - j
            if not wanted[y, x]:
                continue
            best, row, column = cost[y, x], field[y, x, 0], field[y, x, 1]
            for axis in range(2):
                v, u = (y - step, x) if axis == 0 else (y, x - step)
                if not (0 <= v < height and 0 <= u < width and wanted[v, u]):
                    continue
                r, c = field[v, u, 0] + y - v, field[v, u, 1] + x - u
                if 0 <= r < height and 0 <= c < width and source[r, c]:
                    d = _distance(image, weight, y, x, r, c, best)
                    if d < best:
                        best, row, column = d, r, c
            reach = farthest
            while reach >= 1:
                state ^= state << np.uint64(13)
                state ^= state >> np.uint64(7)
                state ^= state << np.uint64(17)
                r = row + int(state % np.uint64(2 * reach + 1)) - reach
                c = column + int((state >> np.uint64(24)) % np.uint64(2 * reach + 1)) - reach
                if 0 <= r < height and 0 <= c < width and source[r, c]:
                    d = _distance(image, weight, y, x, r, c, best)
                    if d < best:
                        best, row, column = d, r, c
                reach //= 2
            cost[y, x], field[y, x, 0], field[y, x, 1] = best, row, column


@numba.njit(nogil=True, cache=True, error_model="numpy")
def vote(image, weight, gone, wanted, field, cost, out):
    """Colours of the hole (h, w, 3), in place: the mean of what the patches over a pixel say.

    A patch counts by how well it fits, against the mean misfit, and by its own certainty.
    """
    height, width = gone.shape
    total, count = 0.0, 0
    for y in range(height):
        for x in range(width):
            if wanted[y, x]:
                total += cost[y, x]
                count += 1
    scale = 0.5 * total / max(count, 1) + 1e-8
    for y in range(height):
        for x in range(width):
            if not gone[y, x]:
                continue
            red, green, blue, sum_ = 0.0, 0.0, 0.0, 1e-12
            for dy in range(-RADIUS, RADIUS + 1):
                for dx in range(-RADIUS, RADIUS + 1):
                    v, u = y + dy, x + dx
                    if not (0 <= v < height and 0 <= u < width and wanted[v, u]):
                        continue
                    share = np.exp(-cost[v, u] / scale) * weight[v, u] + 1e-9
                    row, column = field[v, u, 0] - dy, field[v, u, 1] - dx
                    red += share * image[row, column, 0]
                    green += share * image[row, column, 1]
                    blue += share * image[row, column, 2]
                    sum_ += share
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = red / sum_, green / sum_, blue / sum_


@numba.njit(nogil=True, cache=True, error_model="numpy")
def add_detail(detail, hole, field, torn, factor, limit, out):
    """To the hole of an image, in place, the detail of what its small pixels show.

    Args:
        detail: (H, W, 3) float32; hole: (H, W) bool.
        field: (h, w, 2) int32 row and column of the small image that are shown; negative: nothing.
        torn: (h, w) bool, where the detail is clipped to ± limit (3,).
        factor: full pixels of a small one.
        out: (H, W, 3) float32.
    """
    height, width = hole.shape
    for y in range(height):
        for x in range(width):
            if not hole[y, x]:
                continue
            i, j = min(y // factor, len(field) - 1), min(x // factor, field.shape[1] - 1)
            if field[i, j, 0] < 0:
                continue
            row = min(field[i, j, 0] * factor + y - i * factor, height - 1)
            column = min(field[i, j, 1] * factor + x - j * factor, width - 1)
            for n in range(3):
                fine = detail[row, column, n]
                if torn[i, j]:
                    fine = min(max(fine, -limit[n]), limit[n])
                out[y, x, n] += fine
