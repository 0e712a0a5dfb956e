"""Surfaces from VRML97 files: what Shape nodes with an IndexedFaceSet hold.

ISO/IEC 14772-1: 6.23 IndexedFaceSet, 6.22 ImageTexture, 6.52 Transform.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faces.errors import BadInput
from faces.files import read_text
from registration.readers.vrml_syntax import Node, parse

GROUPS = ("Group", "Transform", "Anchor", "Collision", "Billboard", "LOD", "Switch")
MAX_NODES = 10_000  # of a scene; a scan has a handful


@dataclass(frozen=True, slots=True, eq=False)
class VrmlSurface:
    """A surface as its file has it.

    Attributes:
        vertices: (V, 3) float64, file coordinates; one for each pairing of a coordinate with a
            texture coordinate and a colour, so that all three go by the vertex.
        triangles: (T, 3) int32, counter-clockwise from outside.
        uv: (V, 2) float32, v upwards; None where there is none.
        colors: (V, 3) float32 in [0, 255]; None where there is none.
        textures: what the ImageTexture names, in order of preference; not checked.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray | None
    colors: np.ndarray | None
    textures: tuple[str, ...]


def read_vrml(path: Path) -> VrmlSurface:
    """The surface of a .wrl file; several face sets with one texture at most are joined.

    Raises:
        BadInput: missing, VRML 1.0, broken syntax, no face set, an index out of range, or
            several textures.
    """
    what, remedy = f"mesh '{path}'", "export it again as VRML97, OBJ, PLY or GLB"
    try:
        # Windows paths and names in the files of older scanners are not always UTF-8.
        shapes = _shapes(parse(read_text(path, what, "mesh_bytes", errors="replace")))
        if not shapes:
            raise ValueError("no IndexedFaceSet")
        return _joined(shapes)
    except BadInput:
        raise
    except (ValueError, OverflowError) as error:
        expected = "a VRML97 file with an IndexedFaceSet"
        raise BadInput(what, str(error), expected, remedy) from error


def _shapes(nodes: list[Node]) -> list[tuple[Node, Node | None, np.ndarray]]:
    """(face set, its texture or None, its placement (4, 4)) of every Shape, in the file's order."""
    shapes, seen = [], 0
    left = [(node, np.eye(4)) for node in reversed(nodes)]
    while left:
        node, placed = left.pop()
        seen += 1
        if seen > MAX_NODES:  # USE within USE doubles what is drawn at every step
            raise ValueError(f"more than {MAX_NODES:,} nodes in the scene")
        if node.kind == "Shape":
            textures = [t for a in node.nodes("appearance") for t in a.nodes("texture")]
            texture = next(iter(textures), None)
            faces = [g for g in node.nodes("geometry") if g.kind == "IndexedFaceSet"]
            shapes += [(geometry, texture, placed) for geometry in faces]
        elif node.kind in GROUPS:
            here = placed @ _transform(node) if node.kind == "Transform" else placed
            below = [*node.nodes("children"), *node.nodes("level"), *node.nodes("choice")]
            left += [(child, here) for child in reversed(below)]
    return shapes


def _transform(node: Node) -> np.ndarray:
    """(4, 4): T · C · R · SR · S · -SR · -C of the standard's 6.52."""

    def vector(name, default):
        value = node.numbers(name)
        if len(value) not in (0, len(default)):
            raise ValueError(f"Transform's {name} has {len(value)} numbers, not {len(default)}")
        return value if len(value) else np.array(default, dtype=np.float64)

    centre = vector("center", (0, 0, 0))
    turn = _rotation(vector("rotation", (0, 0, 1, 0)))
    axes = _rotation(vector("scaleOrientation", (0, 0, 1, 0)))
    linear = turn @ axes @ np.diag(vector("scale", (1, 1, 1))) @ axes.T
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = vector("translation", (0, 0, 0)) + centre - linear @ centre
    return matrix


def _rotation(axis_angle: np.ndarray) -> np.ndarray:
    """(3, 3) by Rodrigues' formula from (x, y, z, radians)."""
    axis, angle = axis_angle[:3], axis_angle[3]
    length = np.linalg.norm(axis)
    if length == 0 or angle == 0:
        return np.eye(3)
    x, y, z = axis / length
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _joined(shapes: list) -> VrmlSurface:
    urls = {tuple(t.strings("url")) for _, t, _ in shapes if t is not None and t.strings("url")}
    if len(urls) > 1:
        raise ValueError(f"{len(urls)} different textures")
    parts = [_surface(geometry, placed) for geometry, _, placed in shapes]
    parts = [part for part in parts if len(part[1])]
    if not parts:
        raise ValueError("no triangles")
    for name, column in (("texture coordinates", 2), ("colours", 3)):
        if len({part[column] is None for part in parts}) > 1:
            raise ValueError(f"{name} on some of the {len(parts)} face sets only")
    starts = np.cumsum([0, *(len(part[0]) for part in parts[:-1])])
    vertices, uv, colors = (
        None if parts[0][column] is None else np.concatenate([part[column] for part in parts])
        for column in (0, 2, 3)
    )
    triangles = np.concatenate([p[1] + s for p, s in zip(parts, starts, strict=True)])
    named = next(iter(urls), ())
    textures = tuple(url.removeprefix("file:") for url in named)
    return VrmlSurface(vertices, triangles.astype(np.int32), uv, colors, textures)


def _surface(node: Node, placed: np.ndarray):
    """(vertices, triangles, uv or None, colours or None) of one face set."""
    points = _rows(node, "coord", "point", 3)
    if points is None:
        raise ValueError("an IndexedFaceSet without coordinates")
    index = _index(node, "coordIndex")
    corners, face = _fans(index)
    columns = [_checked(index[corners], len(points), "coordIndex")]
    uv = _rows(node, "texCoord", "point", 2)
    if uv is not None:
        columns.append(_checked(_like(node, "texCoordIndex", index)[corners], len(uv), "texCoord"))
    colors = _rows(node, "color", "color", 3)
    if colors is not None:
        columns.append(_checked(_color_index(node, index, corners, face), len(colors), "color"))
    rows, triangles = _pairings(columns)
    if not node.flag("ccw", True):
        triangles = triangles[:, ::-1]
    vertices = points[rows[:, 0]] @ placed[:3, :3].T + placed[:3, 3]
    return (
        vertices,
        triangles,
        None if uv is None else uv[rows[:, 1]].astype(np.float32),
        None if colors is None else np.float32(255) * colors[rows[:, -1]].astype(np.float32),
    )


def _pairings(columns: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows (V, C) of C index arrays (T, 3), and triangles (T, 3) of these rows."""
    sizes = [int(column.max(initial=0)) + 1 for column in columns]
    code = np.ravel_multi_index([column.ravel() for column in columns], sizes)
    rows, triangles = np.unique(code, return_inverse=True)
    return np.stack(np.unravel_index(rows, sizes), 1), triangles.reshape(-1, 3)


def _rows(node: Node, field: str, inner: str, width: int) -> np.ndarray | None:
    """The (N, width) numbers of a child node; None where there are none."""
    values = next((child.numbers(inner) for child in node.nodes(field)), np.zeros(0))
    if len(values) % width:
        raise ValueError(f"{field} has {len(values)} numbers, not a multiple of {width}")
    return values.reshape(-1, width) if len(values) else None


def _index(node: Node, name: str) -> np.ndarray:
    values = node.numbers(name)
    whole = values.astype(np.int64)
    if (whole != values).any():
        raise ValueError(f"{name} has values that are no whole numbers")
    return whole


def _like(node: Node, name: str, index: np.ndarray) -> np.ndarray:
    """An index list beside coordIndex; coordIndex itself where it is empty."""
    other = _index(node, name)
    if not len(other):
        return index
    if len(other) < len(index) and len(index) - len(other) == 1 and index[-1] < 0:
        other = np.append(other, -1)  # the last face's end may be left out
    if len(other) < len(index) or ((other[: len(index)] < 0) != (index < 0)).any():
        raise ValueError(f"{name} has other faces than coordIndex")
    return other


def _color_index(node, index, corners, face) -> np.ndarray:
    """(T, 3) rows of the colour table."""
    if node.flag("colorPerVertex", True):
        return _like(node, "colorIndex", index)[corners]
    of_face = _index(node, "colorIndex")
    of_face = of_face if len(of_face) else np.arange(face.max(initial=-1) + 1)
    if len(of_face) <= face.max(initial=-1):
        raise ValueError(f"{len(of_face)} colours for {face.max() + 1} faces")
    return np.repeat(of_face[face][:, None], 3, axis=1)


def _fans(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (T, 3) as positions in a list of faces that end in -1, and the face of each."""
    ends = np.flatnonzero(index < 0)
    if not len(ends) or ends[-1] != len(index) - 1:
        ends = np.append(ends, len(index))
    starts = np.concatenate([[0], ends[:-1] + 1])
    counts = ends - starts
    triangles, faces = [np.zeros((0, 3), dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for step in range(1, max(counts.max(initial=0) - 1, 1)):
        here = np.flatnonzero(counts > step + 1)
        first = starts[here]
        triangles.append(np.stack([first, first + step, first + step + 1], 1))
        faces.append(here)
    return np.concatenate(triangles), np.concatenate(faces)


def _checked(index: np.ndarray, count: int, name: str) -> np.ndarray:
    if len(index) and (index.min() < 0 or index.max() >= count):
        raise ValueError(f"{name} reaches {index.max():,} of {count:,} entries")
    return index
