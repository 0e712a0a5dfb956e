"""Closes the lips of a head at rest: MakeHuman leaves a slit that shows the teeth."""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree

from faces.mesh import unique_edges

OVERLAP_MM = 0.6  # of the coarse lips; subdivision takes most of it back
REACH_MM = 9.0  # from where the lips meet to what stays as it was


def close_lips(mean, modes, triangles, loop):
    """Mean (V, 3) and modes (K, V, 3) mm with the lips' contact closed, whoever the person is.

    Half-way up or down to the other lip at the same place along the mouth, in every shape: a linear
    step, so it holds for the mean and each mode. Fades to nothing over REACH_MM.

    Args:
        triangles: (T, 3). loop: (n,) vertices of the contact, from the middle of the upper lip.
    """
    across, overlap = _across(mean, loop)
    spread = _spread(mean, triangles, loop)
    closed, moved = mean.copy(), modes.copy()
    closed[:, 1] += spread @ (across @ mean[loop, 1] + overlap)
    moved[:, :, 1] += modes[:, loop, 1] @ (spread @ across).T
    return closed, moved


def _across(mean, loop):
    """Operator (n, n) from heights to half the way across, and the overlap (n,) mm."""
    x = mean[loop, 0]
    corners = np.sort([x.argmin(), x.argmax()])
    place = np.arange(len(loop))
    lower = (place > corners[0]) & (place < corners[1])
    upper = (place < corners[0]) | (place > corners[1])
    rows = sp.lil_matrix((len(loop), len(loop)))
    for own, other in ((upper, ~upper), (lower, ~lower)):
        line = place[other][np.argsort(x[other])]
        for index in place[own]:
            k = int(np.clip(np.searchsorted(x[line], x[index]), 1, len(line) - 1))
            share = np.clip((x[index] - x[line[k - 1]]) / (x[line[k]] - x[line[k - 1]]), 0, 1)
            rows[index, index] -= 0.5
            rows[index, line[k - 1]] += 0.5 * (1 - share)
            rows[index, line[k]] += 0.5 * share
    side = lower.astype(float) - upper
    return rows.toarray(), side * OVERLAP_MM / 2 * (1 - (x / np.abs(x).max()) ** 4)


def _spread(mean, triangles, loop):
    """Dense (V, n): displacements on the loop carried on to the lips, harmonic on the mesh."""
    near = cKDTree(mean[loop]).query(mean)[0] < REACH_MM
    near &= np.isin(np.arange(len(mean)), triangles)
    free = np.setdiff1d(np.flatnonzero(near), loop)
    edges, count = unique_edges(triangles), len(mean)
    both = np.concatenate([edges, edges[:, ::-1]])
    graph = sp.csr_matrix((np.ones(len(both)), both.T), shape=(count, count))
    system = sp.diags(np.asarray(graph.sum(1)).ravel()) - graph
    result = np.zeros((count, len(loop)))
    result[loop] = np.eye(len(loop))
    result[free] = spsolve(system[free][:, free].tocsc(), graph[free][:, loop].tocsc()).toarray()
    return result
