"""A bijective unwrap of a head: cut up the back, spread over a rectangle, denser where asked.

Tutte's theorem keeps it free of folds: the outline is convex and each inner point is a convex
combination of its neighbours, whatever the weights. The weights follow Yoshizawa et al. (2004),
"A fast and simple stretch-minimizing mesh parameterization".
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from faces.mesh import triangle_normals


def unwrap(vertices, triangles, rim, seam, density, rounds=12):
    """Texture coordinates of a head that is open at the neck.

    Args:
        vertices: (V, 3) mm. triangles: (T, 3) into them, a disc.
        rim: the neck's boundary loop, starting at the back (where the seam meets it), towards +x.
        seam: vertices from rim[0] up the back to the crown.
        density: (T,) wanted share of texture for a unit of surface.

    Returns:
        uv (U, 2) in [0, 1]² with v down, and triangle_uv (T, 3).
    """
    cut, source = _cut(triangles, vertices, seam)
    points = vertices[source]
    outline, fixed = _outline(points, rim, seam)
    weights = _mean_value_weights(points, cut)
    uv = _solve(weights, outline, fixed)
    area = np.linalg.norm(triangle_normals(points, cut), axis=1) * density
    best, best_cost = uv, np.inf
    for _ in range(rounds):
        stretch = _stretch(points, cut, uv, density)
        cost = (area * stretch**2).sum()
        if cost < best_cost:
            best, best_cost = uv, cost
        per_vertex = _to_vertices(cut, stretch, area, len(points))
        weights = weights @ sp.diags(1 / np.sqrt(per_vertex))
        uv = _solve(weights, outline, fixed)
    return best, cut


def _cut(triangles, vertices, seam):
    """Triangles with the seam's vertices (but the crown) doubled on its −x side."""
    triangles = triangles.copy()
    count = triangles.max() + 1
    centre = vertices[triangles].mean(1)
    inner = seam[:-1]
    twin = dict(zip(inner, range(count, count + len(inner)), strict=True))
    for vertex in inner:
        rows, columns = np.nonzero(triangles == vertex)
        right = centre[rows, 0] < 0
        triangles[rows[right], columns[right]] = twin[vertex]
    return triangles, np.concatenate([np.arange(count), inner])


def _outline(points, rim, seam):
    """Boundary vertices and their places on the unit square, by arc length on each side.

    The neck is the bottom; the seam's two banks go up the sides and meet at the top's middle.
    """
    twins = np.arange(len(points) - len(seam) + 1, len(points))
    neck = np.concatenate([rim, twins[:1]])  # from the back over +x, front, −x to the back again
    bank = _share(points[seam])
    bank_minus = np.concatenate([twins, seam[-1:]])
    bottom = np.stack([1 - _share(points[neck]), np.ones(len(neck))], 1)
    path = np.array([[1.0, 1.0], [1.0, 0.0], [0.5, 0.0]])
    plus = np.stack([np.interp(bank * 1.5, [0, 1, 1.5], path[:, k]) for k in (0, 1)], 1)
    minus = plus * [-1, 1] + [1, 0]
    vertices = np.concatenate([neck, seam, bank_minus])
    places = np.concatenate([bottom, plus, minus])
    unique, first = np.unique(vertices, return_index=True)
    return places[first], unique


def _share(line: np.ndarray) -> np.ndarray:
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    return length / length[-1]


def _mean_value_weights(points, triangles):
    """Floater's mean value weights (V, V), positive for every edge."""
    rows, columns, values = [], [], []
    for k in range(3):
        i, j, m = triangles[:, k], triangles[:, (k + 1) % 3], triangles[:, (k + 2) % 3]
        a, b = points[j] - points[i], points[m] - points[i]
        la, lb = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
        cosine = np.clip((a * b).sum(1) / (la * lb), -0.999, 0.999)
        half = np.tan(np.arccos(cosine) / 2)
        rows += [i, i]
        columns += [j, m]
        values += [half / la, half / lb]
    size = len(points)
    triplet = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sp.csr_matrix(triplet, shape=(size, size))


def _solve(weights, outline, fixed):
    size = weights.shape[0]
    free = np.setdiff1d(np.arange(size), fixed)
    system = sp.diags(np.asarray(weights.sum(1)).ravel()) - weights
    uv = np.zeros((size, 2))
    uv[fixed] = outline
    uv[free] = spsolve(system[free][:, free].tocsc(), -(system[free][:, fixed] @ outline))
    return uv


def _stretch(points, triangles, uv, density):
    """Root-mean-square stretch (T,) from texture to surface (Sander et al. 2001)."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    (s1, t1), (s2, t2), (s3, t3) = (uv[triangles[:, k]].T for k in range(3))
    area = np.abs((s2 - s1) * (t3 - t1) - (s3 - s1) * (t2 - t1))[:, None]
    ds = (a * (t2 - t3)[:, None] + b * (t3 - t1)[:, None] + c * (t1 - t2)[:, None]) / area
    dt = (a * (s3 - s2)[:, None] + b * (s1 - s3)[:, None] + c * (s2 - s1)[:, None]) / area
    return np.sqrt(((ds**2).sum(1) + (dt**2).sum(1)) / 2 * density)


def _to_vertices(triangles, values, weights, count):
    corners = triangles.ravel()
    total = np.bincount(corners, np.repeat(weights, 3), minlength=count)
    mean = np.bincount(corners, np.repeat(weights * values, 3), minlength=count) / total
    return mean / mean.mean()
