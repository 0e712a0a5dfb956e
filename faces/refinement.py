"""The fine level of a morphable model: one Loop step over its skin and everything carried along."""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from faces.mesh import loop_subdivide, unique_edges

SUBDIVIDED = (0, 1, 2)  # skin and the sockets welded to it, as numbered in faces.morphable.PARTS


def refine(coarse):
    """The two-level model whose coarse level is ``coarse`` (a MorphableModel of one level).

    Skin and sockets are Loop-subdivided; eyes, teeth, tongue and lashes are carried over. The
    coarse vertices come first, so landmark and contour indices stay what they are. A region holds
    a new vertex where it holds both ends of its edge; with_detail gives finer ones.
    """
    split = np.isin(coarse.triangle_part, SUBDIVIDED)
    if not split.any():
        return coarse
    triangles = coarse.triangles[split]
    fine, prolongation = loop_subdivide(triangles, coarse.vertex_count)
    prolongation = prolongation.astype(np.float32)
    edges = unique_edges(triangles)
    uv, fine_uv = _split_uv(coarse, split)
    return replace(
        coarse,
        mean_mm=_carry(prolongation, coarse.mean_mm),
        triangles=np.concatenate([fine, coarse.triangles[~split]]),
        triangle_part=np.concatenate(
            [np.repeat(coarse.triangle_part[split], 4), coarse.triangle_part[~split]]
        ),
        identity_mm=_carry_modes(prolongation, coarse.identity_mm),
        expression_mm=_carry_modes(prolongation, coarse.expression_mm),
        albedo_mean=_carry(prolongation, coarse.albedo_mean),
        albedo_modes=_carry_modes(prolongation, coarse.albedo_modes),
        uv=uv,
        triangle_uv=np.concatenate([fine_uv, coarse.triangle_uv[~split]]),
        regions={name: _carry_mask(mask, edges) for name, mask in coarse.regions.items()},
        weights=np.concatenate([coarse.weights, coarse.weights[edges].mean(1)]).astype(np.float32),
        mirror=_carry_mirror(coarse.mirror, edges),
        coarse=coarse,
        prolongation=prolongation,
        coarsening=None,
    )


def with_detail(model, **detail):
    """A model (MorphableModel) with features drawn at the level it is used at.

    Args:
        detail: any of regions, weights, landmarks, contour, albedo_mean and albedo_modes, as the
            attributes of MorphableModel. The coarse level, where there is one, gets their values
            at its vertices, and the nearest of them for an index that it has not.
    """
    if model.coarse is None:
        return replace(model, **detail)
    own = model.coarse_vertices
    ends = _nearer_ends(model) if model.coarsening is None else model.coarsening.nearest
    short = {
        "regions": lambda masks: {name: mask[own] for name, mask in masks.items()},
        "landmarks": lambda sets: {name: ends[points] for name, points in sets.items()},
        "contour": lambda lines: ends[lines],
        "weights": lambda values: values[own],
        "albedo_mean": lambda values: values[own],
        "albedo_modes": lambda values: np.take(values, own, axis=1),
    }
    coarse = replace(model.coarse, **{key: short[key](value) for key, value in detail.items()})
    return replace(model, coarse=coarse, **detail)


def _nearer_ends(model) -> np.ndarray:
    """The coarse vertex (V,) int32 of each fine one: its own, or the nearer end of its edge."""
    coarse = model.coarse
    edges = unique_edges(coarse.triangles[np.isin(coarse.triangle_part, SUBDIVIDED)])
    middle = model.mean_mm[coarse.vertex_count :]
    gaps = [np.linalg.norm(coarse.mean_mm[edges[:, k]] - middle, axis=1) for k in (0, 1)]
    nearer = np.where(gaps[0] <= gaps[1], edges[:, 0], edges[:, 1])
    return np.concatenate([np.arange(coarse.vertex_count), nearer]).astype(np.int32)


def _carry(prolongation: sp.csr_matrix, values: np.ndarray) -> np.ndarray:
    return (prolongation @ values).astype(np.float32)


def _carry_modes(prolongation: sp.csr_matrix, modes: np.ndarray) -> np.ndarray:
    """Modes (K, V_coarse, 3) to (K, V, 3); one at a time, so that memory stays small."""
    fine = np.zeros((len(modes), prolongation.shape[0], 3), dtype=np.float32)
    for index, mode in enumerate(modes):
        fine[index] = prolongation @ mode
    return fine


def _carry_mask(mask: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.concatenate([mask, mask[edges].all(1)])


def _carry_mirror(mirror: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The mirror of an edge's vertex is the mirrored edge's; itself where there is none."""
    count = len(mirror)
    code = edges[:, 0].astype(np.int64) * count + edges[:, 1]
    mirrored = np.sort(mirror[edges].astype(np.int64), axis=1)
    wanted = mirrored[:, 0] * count + mirrored[:, 1]
    place = np.minimum(np.searchsorted(code, wanted), len(code) - 1)
    found = np.where(code[place] == wanted, place, np.arange(len(edges)))
    return np.concatenate([mirror, count + found]).astype(np.int32)


def _split_uv(coarse, split: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texture vertices with the midpoints of the split triangles' uv edges, and their triangles."""
    corners = coarse.triangle_uv[split]
    edges = unique_edges(corners)
    code = edges[:, 0].astype(np.int64) * len(coarse.uv) + edges[:, 1]
    sides = np.sort(corners[:, [[0, 1], [1, 2], [2, 0]]].astype(np.int64), axis=-1)
    middle = np.searchsorted(code, sides[..., 0] * len(coarse.uv) + sides[..., 1]) + len(coarse.uv)
    (a, b, c), (ab, bc, ca) = corners.T, middle.T
    fine = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], 1).reshape(-1, 3)
    uv = np.concatenate([coarse.uv, coarse.uv[edges].mean(1)]).astype(np.float32)
    return uv, fine.astype(np.int32)
