"""Sparse systems on surfaces for the tests of the solvers."""

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg
import trimesh

from faces.mesh import unique_edges


def system(subdivisions=3, length=4.0):
    """(matrix, positions): diagonal + Laplacian + bilaplacian on an icosphere, random weights."""
    sphere = trimesh.creation.icosphere(subdivisions)
    count = len(sphere.vertices)
    edges = unique_edges(np.asarray(sphere.faces))
    both = np.concatenate([edges, edges[:, ::-1]])
    adjacency = sp.csr_matrix((np.ones(len(both)), both.T), shape=(count, count))
    laplacian = sp.diags(adjacency.sum(1).A1) - adjacency
    rng = np.random.default_rng(0)
    matrix = sp.diags(rng.uniform(0.1, 1, count)) + length * laplacian + laplacian @ laplacian
    matrix = matrix.tocsr()
    matrix.sort_indices()
    return matrix, np.asarray(sphere.vertices)


def superlu(matrix):
    options = {"SymmetricMode": True}
    return scipy.sparse.linalg.splu(
        matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options
    )
