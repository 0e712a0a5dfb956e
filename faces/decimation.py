"""A coarser mesh over some of a mesh's own vertices: half-edge collapses in order of their cost.

A vertex u is merged into a neighbour v at the cost of Garland and Heckbert's quadric (1997) of u at
v, plus a share of the edge's fourth power (both are mm⁴), which keeps flat skin in even triangles.
Borders and seams shrink along themselves alone. A collapse that would fold the
surface, or change how it hangs together (Dey et al. 1999, the link condition), is not made.
"""

import heapq

import numba
import numpy as np

EVEN = 0.05  # share of the edge's fourth power: a fold of a lip's radius still outweighs it
TURN_COS = 0.3  # of the angle that a triangle may turn by
SLIVER = 0.15  # least 4√3·area over the sum of squared sides, unless it was less before


@numba.njit(cache=True, nogil=True)
def decimate(vertices, triangles, part, cut, worth, locked, counted, goal):
    """Merge vertices until ``goal`` of the counted ones are left, or no more can go.

    Args:
        vertices: (V, 3) float64, mm.
        triangles: (T, 3) int64, used up: the ones that are left have their new corners.
        part: (T,) uint8, whose borders are kept in shape.
        cut: (V,) bool, vertices on the seams of a texture, which are kept likewise.
        worth: (V,) float, by which the cost of losing a vertex is multiplied.
        locked: (V,) bool, vertices that stay.
        counted: (V,) bool.
        goal: how many of them.

    Returns:
        left: (T,) bool, the triangles that are left.
        survivor: (V,) int64, the vertex that each was merged into; itself where it is left.
    """
    count = len(vertices)
    left, survivor = np.ones(len(triangles), np.bool_), np.arange(count)
    rings, sizes = _rings(triangles, count)
    mesh = (vertices, triangles, part, rings, sizes, cut)
    cost_of = (_quadrics(mesh), worth, locked)
    latest, queue = np.zeros(count, np.int64), [(0.0, 0, 0, 0) for _ in range(0)]
    for u in range(count):
        _enqueue(u, 0, mesh, cost_of, queue)
    remaining = counted.sum()
    while remaining > goal and len(queue) > 0:
        cost, u, v, version = heapq.heappop(queue)
        if survivor[u] != u or version != latest[u]:
            continue
        if _cheapest(u, mesh, cost_of) != (cost, v):  # two edges off, something has changed
            _enqueue(u, version, mesh, cost_of, queue)
            continue
        _collapse(u, v, mesh, left)
        survivor[u] = v
        cost_of[0][v] += cost_of[0][u]
        remaining -= counted[u]
        for x in np.append(_neighbours(v, mesh), v):
            latest[x] += 1
            _enqueue(x, latest[x], mesh, cost_of, queue)
    for u in range(count):
        while survivor[survivor[u]] != survivor[u]:
            survivor[u] = survivor[survivor[u]]
    return left, survivor


@numba.njit(cache=True, nogil=True)
def _enqueue(u, version, mesh, cost_of, queue):
    if not cost_of[2][u]:
        cost, v = _cheapest(u, mesh, cost_of)
        if v >= 0:
            heapq.heappush(queue, (cost, u, v, version))


@numba.njit(cache=True, nogil=True)
def _rings(triangles, count):
    """Triangles around each vertex, (V, most) and how many; with room to grow."""
    sizes = np.zeros(count, np.int64)
    for t in range(len(triangles)):
        for k in range(3):
            sizes[triangles[t, k]] += 1
    rings = np.full((count, max(2 * sizes.max(), 32)), -1)
    sizes[:] = 0
    for t in range(len(triangles)):
        for k in range(3):
            rings[triangles[t, k], sizes[triangles[t, k]]] = t
            sizes[triangles[t, k]] += 1
    return rings, sizes


@numba.njit(cache=True, nogil=True)
def _neighbours(u, mesh):
    """The vertices around u, each once."""
    triangles, rings, sizes = mesh[1], mesh[3], mesh[4]
    found, n = np.zeros(2 * sizes[u], np.int64), 0
    for i in range(sizes[u]):
        for k in range(3):
            v = triangles[rings[u, i], k]
            if v != u and not _holds(found, n, v):
                found[n] = v
                n += 1
    return found[:n]


@numba.njit(cache=True, nogil=True)
def _holds(values, count, value):
    """Whether a value is among the first ``count``."""
    found = False
    for i in range(count):
        found = found or values[i] == value
    return found


@numba.njit(cache=True, nogil=True)
def _shared(u, v, mesh):
    """How many triangles have the edge uv, and whether it is a border or a seam."""
    triangles, part, rings, sizes = mesh[1], mesh[2], mesh[3], mesh[4]
    n, first, seam = 0, 0, False
    for i in range(sizes[u]):
        t = rings[u, i]
        if triangles[t, 0] == v or triangles[t, 1] == v or triangles[t, 2] == v:
            if n == 0:
                first = part[t]
            seam = seam or part[t] != first
            n += 1
    return n, seam or n != 2 or (mesh[5][u] and mesh[5][v])


@numba.njit(cache=True, nogil=True)
def _normal(a, b, c):
    return np.array(
        [
            (b[1] - a[1]) * (c[2] - a[2]) - (b[2] - a[2]) * (c[1] - a[1]),
            (b[2] - a[2]) * (c[0] - a[0]) - (b[0] - a[0]) * (c[2] - a[2]),
            (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]),
        ]
    )


@numba.njit(cache=True, nogil=True)
def _quadrics(mesh):
    """(V, 4, 4): squared distances to the planes around, by area; at seams to upright ones too."""
    vertices, triangles = mesh[0], mesh[1]
    quadrics = np.zeros((len(vertices), 4, 4))
    for t in range(len(triangles)):
        corners = triangles[t]
        a, b, c = vertices[corners[0]], vertices[corners[1]], vertices[corners[2]]
        normal = _normal(a, b, c)
        area = np.sqrt((normal**2).sum()) / 2
        if area <= 0:
            continue
        normal /= 2 * area
        for k in range(3):
            _add_plane(quadrics, corners[k], a, normal, area / 3)
            u, v = corners[k], corners[(k + 1) % 3]
            if _shared(u, v, mesh)[1]:
                edge = vertices[v] - vertices[u]
                upright = np.cross(edge, normal)
                upright /= np.sqrt((upright**2).sum())
                _add_plane(quadrics, u, vertices[u], upright, (edge**2).sum())
                _add_plane(quadrics, v, vertices[u], upright, (edge**2).sum())
    return quadrics


@numba.njit(cache=True, nogil=True)
def _add_plane(quadrics, u, point, normal, weight):
    plane = np.zeros(4)
    plane[:3], plane[3] = normal, -(normal * point).sum()
    for i in range(4):
        for j in range(4):
            quadrics[u, i, j] += weight * plane[i] * plane[j]


@numba.njit(cache=True, nogil=True)
def _cheapest(u, mesh, cost_of):
    """(cost, v) of the cheapest collapse of u that may be made; v is -1 where none may."""
    vertices, quadrics, worth = mesh[0], cost_of[0], cost_of[1]
    around = _neighbours(u, mesh)
    seams = np.zeros(len(around), np.bool_)
    for i in range(len(around)):
        seams[i] = _shared(u, around[i], mesh)[1]
    best, into = np.inf, -1
    if seams.any() and seams.sum() != 2:
        return best, into  # an end or a crossing of seams
    for i in range(len(around)):
        v = around[i]
        if seams.any() and not seams[i]:
            continue
        cost, square, place = 0.0, 0.0, np.ones(4)
        place[:3] = vertices[v]
        for a in range(4):
            for b in range(4):
                cost += place[a] * quadrics[u, a, b] * place[b]
        for k in range(3):
            square += (vertices[u, k] - vertices[v, k]) ** 2
        cost = worth[u] * (max(cost, 0.0) + EVEN * square * square)
        if cost < best and _may_merge(u, v, around, mesh):
            best, into = cost, v
    return best, into


@numba.njit(cache=True, nogil=True)
def _may_merge(u, v, around, mesh):
    """Whether u merged into v leaves a surface like before, and no triangle folded or a sliver."""
    vertices, triangles, _, rings, sizes, _ = mesh
    shared = _shared(u, v, mesh)[0]
    if sizes[u] + sizes[v] - 2 * shared > rings.shape[1] or sizes[v] <= shared:
        return False
    common, theirs = 0, _neighbours(v, mesh)
    for w in around:
        common += _holds(theirs, len(theirs), w)
    if common != shared:
        return False
    for i in range(sizes[u]):
        t = rings[u, i]
        if triangles[t, 0] == v or triangles[t, 1] == v or triangles[t, 2] == v:
            continue
        old, new = vertices[triangles[t]], vertices[triangles[t]]
        for k in range(3):
            if triangles[t, k] == u:
                new[k] = vertices[v]
        before, after = _normal(old[0], old[1], old[2]), _normal(new[0], new[1], new[2])
        long, size = np.sqrt((before**2).sum()), np.sqrt((after**2).sum())
        if size <= 0 or (before * after).sum() < TURN_COS * long * size:
            return False
        if size / _sides(new) < min(SLIVER / (2 * 3**0.5), long / _sides(old)):
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _sides(corners):
    """Sum of the squared sides."""
    total = 0.0
    for k in range(3):
        for c in range(3):
            total += (corners[k, c] - corners[(k + 1) % 3, c]) ** 2
    return total


@numba.njit(cache=True, nogil=True)
def _collapse(u, v, mesh, left):
    triangles, rings, sizes = mesh[1], mesh[3], mesh[4]
    for i in range(sizes[u]):
        t = rings[u, i]
        if triangles[t, 0] == v or triangles[t, 1] == v or triangles[t, 2] == v:
            left[t] = False
            for k in range(3):
                if triangles[t, k] != u:
                    _drop(rings, sizes, triangles[t, k], t)
            continue
        for k in range(3):
            if triangles[t, k] == u:
                triangles[t, k] = v
        rings[v, sizes[v]] = t
        sizes[v] += 1
    sizes[u] = 0


@numba.njit(cache=True, nogil=True)
def _drop(rings, sizes, w, t):
    """Take triangle t out of w's ring."""
    for i in range(sizes[w]):
        if rings[w, i] == t:
            sizes[w] -= 1
            rings[w, i] = rings[w, sizes[w]]
            return
