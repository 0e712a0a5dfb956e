"""What stays from pose to pose, as imaging.surface takes it: of a topology, and of a face."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from imaging.groups import enclose, neighbours
from imaging.surface_gather import CHART_AREA, CHART_COLUMNS, CODE, COLUMNS, NORMAL, PART
from imaging.texels import packed
from synth.renderer import PART_LABELS, FaceMesh, Topology

SKIN = ("skin", "brows", "lips", "ears", "neck")  # one surface, whatever is painted on it


@dataclass(frozen=True, slots=True, eq=False)
class Charted:
    """Of a topology: chart (T, CHART_COLUMNS) of imaging.surface, surfaces (T,) uint8, and groups
    of imaging.groups.neighbours, whose outer ones are skin, which hides the most."""

    chart: np.ndarray
    surfaces: np.ndarray
    groups: tuple


@lru_cache(maxsize=8)
def charted(topology: Topology) -> Charted:
    """Made once a topology."""
    count = len(topology.triangles)
    corners = np.zeros((count, 3, 2), dtype=np.float32)
    if len(topology.uv):
        corners = topology.uv[topology.triangle_uv]
    (a, b), (c, d) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    chart = np.zeros((count, CHART_COLUMNS), dtype=np.float32)
    chart[:, :CHART_AREA] = corners.reshape(count, CHART_AREA)
    chart[:, CHART_AREA], chart[:, PART] = np.abs(a * d - b * c), topology.parts
    skin = np.isin(topology.parts, [PART_LABELS.index(name) for name in SKIN])
    surfaces = np.where(skin, PART_LABELS.index("skin"), topology.parts).astype(np.uint8)
    return Charted(chart, surfaces, neighbours(topology.pncc, topology.triangles, skin))


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Of a face: rows of imaging.surface, colours (V, 3) float32, its texture packed, and balls of
    imaging.groups.enclose about the topology's groups."""

    rows: np.ndarray
    colors: np.ndarray
    texels: np.ndarray
    table: np.ndarray
    balls: np.ndarray


@lru_cache(maxsize=2)
def prepared(face: FaceMesh) -> Prepared:
    """Made once a face."""
    rows = np.zeros((len(face.vertices_mm), COLUMNS), dtype=np.float32)
    rows[:, NORMAL : NORMAL + 3] = face.normals
    rows[:, CODE : CODE + 3] = face.topology.pncc
    colors = np.ascontiguousarray(face.colors, dtype=np.float32)
    triangles, (order, starts, _) = face.topology.triangles, charted(face.topology).groups
    balls = enclose(np.asarray(face.vertices_mm, np.float32), triangles, order, starts)
    return Prepared(rows, colors, *packed(face.texture), balls)
