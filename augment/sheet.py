"""A function that is linear in each triangle of an image, at its pixels."""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def draw_sheet(vertices_px, triangles, values, out):
    """Write the triangles' values to ``out`` at the pixel centres that they cover.

    Triangles that share a side leave no gap: where it crosses a row is computed alike for both.

    Args:
        vertices_px: (N, 2) float64; triangles: (T, 3) int, of either winding.
        values: (N,) float64 at the vertices.
        out: (H, W) float32.
    """
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        if vertices_px[b, 1] < vertices_px[a, 1]:
            a, b = b, a
        if vertices_px[c, 1] < vertices_px[b, 1]:
            b, c = c, b
            if vertices_px[b, 1] < vertices_px[a, 1]:
                a, b = b, a
        _draw_triangle(vertices_px, values, a, b, c, out)


@numba.njit(cache=True, nogil=True)
def _draw_triangle(vertices_px, values, a, b, c, out):
    """A triangle whose corners are sorted from the top."""
    ux, uy = vertices_px[b] - vertices_px[a]
    wx, wy = vertices_px[c] - vertices_px[a]
    area = ux * wy - uy * wx
    if area == 0:
        return
    du, dw = values[b] - values[a], values[c] - values[a]
    along_x, along_y = (du * wy - dw * uy) / area, (dw * ux - du * wx) / area
    first = max(int(np.ceil(vertices_px[a, 1] - 0.5)), 0)
    last = min(int(np.ceil(vertices_px[c, 1] - 0.5)), out.shape[0])
    for row in range(first, last):
        y = row + 0.5
        one = _crossing(vertices_px, a, c, y)
        other = _crossing(vertices_px, a, b, y) if y < vertices_px[b, 1] else 0.0
        if y >= vertices_px[b, 1]:
            other = _crossing(vertices_px, b, c, y)
        begin = max(int(np.ceil(min(one, other) - 0.5)), 0)
        end = min(int(np.ceil(max(one, other) - 0.5)), out.shape[1])
        start = values[a] + along_y * (y - vertices_px[a, 1])
        start += along_x * (0.5 - vertices_px[a, 0])
        for column in range(begin, end):
            out[row, column] = start + along_x * column


@numba.njit(cache=True, nogil=True)
def _crossing(vertices_px, upper, lower, y):
    """Where the side from ``upper`` to ``lower`` crosses a row."""
    height = vertices_px[lower, 1] - vertices_px[upper, 1]
    share = (y - vertices_px[upper, 1]) / height
    return vertices_px[upper, 0] + share * (vertices_px[lower, 0] - vertices_px[upper, 0])
