"""Clothes that go on below the picture, for views that would look under their hem."""

from dataclasses import replace

import numpy as np

from synth.scene import Piece

HEM_MM = 25.0  # a rim's edges so near to a piece's lowest point are its hem
STEP_MM = 100.0  # between rings: what lies behind a camera is dropped ring by ring


def lengthened(piece: Piece, down: np.ndarray, length_mm: float) -> Piece:
    """The piece with its lower rim drawn out, its colours with it.

    Args:
        piece: with texture coordinates, or colours on its vertices; given back where it has no
            open rim at its lower end.
        down: (3,) unit, in the frame of its vertices.
        length_mm: how far.
    """
    hem = _hem(piece, down)
    if not len(hem):
        return piece
    rim, local = np.unique(hem, return_inverse=True)
    edges = local.reshape(-1, 2)
    rings = max(int(np.ceil(length_mm / STEP_MM)), 1)
    offsets = np.linspace(0, length_mm, rings + 1)[1:]
    below = [piece.vertices_mm[rim] + offset * down for offset in offsets]
    points = np.concatenate([piece.vertices_mm, *below])
    own = np.concatenate([rim, len(piece.vertices_mm) + np.arange(rings * len(rim))])
    fields = {
        "vertices_mm": points,
        "triangles": _with(piece.triangles, own, edges, len(rim)),
    }
    for name in ("gloss", "shade"):
        if getattr(piece, name) is not None:
            values = getattr(piece, name)
            fields[name] = np.concatenate([values, np.tile(values[rim], rings)])
    if piece.uv is None:
        fields["albedo"] = np.concatenate([piece.albedo, np.tile(piece.albedo[rim], (rings, 1))])
    else:
        place = np.zeros(len(piece.vertices_mm), dtype=np.int64)
        place[piece.triangles.ravel()] = piece.triangle_uv.ravel()
        chart = np.tile(place[rim], rings + 1)
        fields["triangle_uv"] = _with(piece.triangle_uv, chart, edges, len(rim))
    return replace(piece, **fields)


def _hem(piece: Piece, down: np.ndarray) -> np.ndarray:
    """(E, 2) vertices of the open edges at the lower end, in the order of their triangles."""
    edges = piece.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    _, first, uses = np.unique(np.sort(edges, 1), axis=0, return_index=True, return_counts=True)
    edges = edges[first[uses == 1]]
    depth = piece.vertices_mm @ down
    return edges[(depth[edges] > depth.max() - HEM_MM).all(1)]


def _with(triangles, ring, edges, count) -> np.ndarray:
    """The triangles (T, 3) and those between rings of ``count`` vertices each, whose indices are
    ``ring``; outward as the triangles of the edges are."""
    i, j = edges.T
    starts = np.arange(len(ring) // count - 1) * count
    quads = [
        np.concatenate(
            [
                np.stack([ring[j + k], ring[i + k], ring[i + k + count]], 1),
                np.stack([ring[j + k], ring[i + k + count], ring[j + k + count]], 1),
            ]
        )
        for k in starts
    ]
    return np.concatenate([triangles, *quads]).astype(np.int32)
