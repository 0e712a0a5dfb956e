"""Cuts a head out of MakeHuman's body: which vertices, which triangles, which part each is."""

from collections import defaultdict

import numpy as np
import scipy.sparse as sp

from faces.mesh import loop_subdivide

NECK_START = (858, 7709)  # an edge of the closed edge loop at the neck's base
MOUTH_START = (557, 7294)  # an edge of the loop 5 mm behind the lips
LIPS_START = (474, 7229)  # an edge of the loop where the closed lips meet
EYE_GROUPS = ("helper-l-eye", "helper-r-eye")
RING_DEGREES = (4, 8, 10.5, 12, 15, 18.5, 22, 25, 27.5, 29.5, 31.5, 36, 43, 52, 63, 76, 92, 110)
SECTORS = 28


def edge_loop(quads: np.ndarray, first: int, second: int) -> list[int]:
    """The closed loop of quad edges that goes straight through ``first`` and ``second``."""
    faces_of, neighbours = defaultdict(set), defaultdict(set)
    for index, quad in enumerate(quads):
        for a, b in zip(quad, np.roll(quad, -1), strict=True):
            faces_of[frozenset((a, b))].add(index)
            neighbours[a].add(b)
            neighbours[b].add(a)
    path = [first, second]
    while path[-1] != first:
        a, b = path[-2:]
        behind = faces_of[frozenset((a, b))]
        ahead = [c for c in neighbours[b] if not behind & faces_of[frozenset((b, c))]]
        path.append(ahead[0])
    return [int(vertex) for vertex in path[:-1]]


def flood(quads: np.ndarray, seed: int, wall: list[int]) -> np.ndarray:
    """Vertices reachable from ``seed`` along quad edges without passing through ``wall``."""
    count = quads.max() + 1
    ends = np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)])
    open_ends = ends[~np.isin(ends, wall).any(1)]
    graph = sp.csr_matrix((np.ones(len(open_ends)), open_ends.T), shape=(count, count))
    labels = sp.csgraph.connected_components(graph, directed=False)[1]
    return np.flatnonzero(labels == labels[seed])


def split_quads(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Triangles (2Q, 3) along each quad's shorter diagonal, so that mirror images match."""
    a, b, c, d = quads.T
    first = np.linalg.norm(vertices[a] - vertices[c], axis=1)
    second = np.linalg.norm(vertices[b] - vertices[d], axis=1)
    one = np.stack([a, b, c, a, c, d], 1)
    other = np.stack([a, b, d, b, c, d], 1)
    # Rounding would break ties differently on the two sides of the face.
    return np.where((first <= second + 1e-4)[:, None], one, other).reshape(-1, 3)


def eyeball(vertices: np.ndarray, quads: np.ndarray):
    """A finer eyeball as a fixed combination of MakeHuman's coarse one.

    Rings about the line of sight, so that iris and pupil have clean edges. Each vertex is a point
    of the twice Loop-subdivided coarse ball.

    Returns:
        operator (N, V) over the base mesh's vertices, triangles (T, 3), polar coordinates (N, 2)
        on the unit disc for the texture.
    """
    count = len(vertices)
    used = np.unique(quads)
    # The data's ball is drawn for its faceted form; subdivision must not pull it off the lids.
    triangles, operator = split_quads(vertices, quads), sp.identity(count, format="csr")
    for _ in range(2):
        triangles, step = loop_subdivide(triangles, operator.shape[0])
        operator = step @ operator
    points = operator @ vertices
    centre = vertices[used].mean(0)
    radius = np.linalg.norm(vertices[used] - centre, axis=1).mean()
    shrunk = np.linalg.norm(points[np.unique(triangles)] - centre, axis=1).mean()
    directions, disc, faces = _rings()
    hits = _cast(points, triangles, centre, directions)
    mean = sp.csr_matrix(np.isin(np.arange(count), used) / len(used))
    growth = radius / shrunk
    ones = sp.csr_matrix(np.ones((len(directions), 1)))
    return growth * (hits @ operator) + (1 - growth) * (ones @ mean), faces, disc


def _rings():
    """Unit directions (N, 3) about +z, disc coordinates (N, 2), triangles facing outwards."""
    turn = 2 * np.pi * np.arange(SECTORS) / SECTORS + np.pi / SECTORS
    directions, disc = [[[0.0, 0.0, 1.0]]], [[[0.0, 0.0]]]
    for degrees in RING_DEGREES:
        angle = np.radians(degrees)
        ring = np.stack([np.cos(turn), np.sin(turn)], 1)
        height = np.full((SECTORS, 1), np.cos(angle))
        directions.append(np.concatenate([np.sin(angle) * ring, height], 1))
        disc.append(ring * degrees / RING_DEGREES[-1])
    faces = []
    for ring in range(len(RING_DEGREES)):
        for k in range(SECTORS):
            n = (k + 1) % SECTORS
            out = 1 + ring * SECTORS
            if ring == 0:
                faces.append([0, out + k, out + n])
            else:
                inner = out - SECTORS
                faces += [[inner + k, out + k, out + n], [inner + k, out + n, inner + n]]
    return (
        np.concatenate([np.reshape(d, (-1, 3)) for d in directions]),
        np.concatenate([np.reshape(d, (-1, 2)) for d in disc]),
        np.array(faces),
    )


def _cast(points, triangles, centre, directions) -> sp.csr_matrix:
    """Barycentric rows (N, P) of the points where rays from ``centre`` leave a closed surface."""
    a, b, c = (points[triangles[:, k]] - centre for k in range(3))
    rows = sp.lil_matrix((len(directions), len(points)))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c))
    for index, d in enumerate(directions):
        w = (
            np.stack([np.cross(b, c) @ d, np.cross(c, a) @ d, np.cross(a, b) @ d], 1)
            / volume[:, None]
        )
        share = w / w.sum(1, keepdims=True)
        inside = np.where((w.sum(1) > 0), share.min(1), -np.inf)
        best = int(inside.argmax())
        rows[index, triangles[best]] = share[best]
    return rows.tocsr()
