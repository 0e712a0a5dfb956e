"""Textured meshes from OBJ, PLY, GLB and VRML files, checked and brought to millimetres."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import trimesh

from faces.errors import BadInput
from faces.files import beside, read_text
from faces.foreign_mesh import load_mesh
from faces.pictures import check_picture
from registration.readers.images import decode, read_color, rgb_of
from registration.readers.vrml import read_vrml

LOG = logging.getLogger(__name__)

SUFFIXES = (".obj", ".glb", ".ply", ".wrl")
UNITS_MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
# Longest side of the bounding box of anything from a bare face to a bust, mm. The ranges of the
# three units do not overlap, since the largest is less than ten times the smallest.
HEAD_EXTENT_MM = (110.0, 1000.0)
# trimesh gives a mesh with texture coordinates and no texture a grey image of 2×2.
PLACEHOLDER_PX = 2


@dataclass(frozen=True, slots=True, eq=False)
class TexturedMesh:
    """A coloured surface.

    Attributes:
        vertices_mm: (V, 3) float64, in the model frame's axes (x right, y up, z out of the face).
        triangles: (T, 3) int32.
        uv: (V, 2) float32 in [0, 1], v upwards; None where the colour is on the vertices.
        texture: (H, W, 3) uint8 sRGB; None where the colour is on the vertices.
        colors: (V, 3) float32 in [0, 255]; None where there is a texture.
        to_model: (3, 3) float64, file coordinates to model axes in mm: x_mm = to_model @ x_file.
    """

    vertices_mm: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray | None
    texture: np.ndarray | None
    colors: np.ndarray | None
    to_model: np.ndarray


def read_mesh(
    path: Path,
    unit: str = "auto",
    up: str = "y",
    front: str = "z",
    texture: Path | None = None,
) -> TexturedMesh:
    """A mesh with its colour.

    Args:
        path: .obj, .glb, .ply or .wrl.
        unit: "mm", "cm", "m", or "auto" to tell them by the size of a head.
        up, front: the file's axes that point to the top of the head and out of the face, e.g.
            "y", "-z".
        texture: image for a mesh with texture coordinates that names no image of its own, or one
            that is not there.

    Raises:
        BadInput: unreadable, no triangles, non-finite vertices, no colour, a missing texture
            file, an impossible size, or impossible axes.
    """
    what = f"mesh '{path}'"
    if path.suffix.lower() == ".wrl":
        vertices, triangles, *color = _read_wrl(path, texture)
    else:
        vertices, triangles, *color = _read_by_trimesh(path, texture)
    mesh = TexturedMesh(vertices, triangles, *color, np.eye(3))
    return place(mesh, unit, up, front, what)


def place(mesh: TexturedMesh, unit: str, up: str, front: str, what: str) -> TexturedMesh:
    """A mesh in file coordinates, brought to millimetres in the model's axes; see read_mesh.

    Raises:
        BadInput: an impossible size, or impossible axes.
    """
    to_model = _axes(up, front, what) * _unit_mm(mesh.vertices_mm, unit, what)
    return replace(mesh, vertices_mm=mesh.vertices_mm @ to_model.T, to_model=to_model)


def _check_finite(vertices: np.ndarray, what: str) -> None:
    bad = int((~np.isfinite(vertices)).any(1).sum())
    if bad:
        got = f"{bad:,} of {len(vertices):,} vertices are NaN or infinite"
        raise BadInput(what, got, "finite coordinates", "repair the mesh and export it again")


def _read_wrl(path: Path, texture: Path | None):
    """(vertices, triangles, uv, texture, colours) of a VRML file."""
    surface = read_vrml(path)
    _check_finite(surface.vertices, f"mesh '{path}'")
    if surface.uv is not None and (surface.textures or texture is not None):
        image = _texture_of(path, surface.textures, texture)
        return surface.vertices, surface.triangles, surface.uv, read_color(image), None
    if surface.colors is None:
        raise _colourless(f"mesh '{path}'", surface.uv is None)
    return surface.vertices, surface.triangles, None, None, surface.colors


def _texture_of(path: Path, names: tuple[str, ...], given: Path | None) -> Path:
    """The first image there of those that a VRML file names, else the given one.

    A name from another machine leads nowhere here, and the given image stands in for it.
    """
    found, refused = [], None
    for name in names:
        try:
            found.append(beside(path, name, f"mesh '{path}'"))
        except BadInput as error:
            refused = refused or error
    image = next((one for one in found if one.is_file()), given)
    if image is None:
        raise refused or _missing(path, found[0], "texture")
    return image


def _read_by_trimesh(path: Path, texture: Path | None):
    """(vertices, triangles, uv, texture, colours) of an OBJ, PLY or GLB file."""
    if texture is None:
        _check_references(path)
    mesh = _load(path)
    vertices = np.asarray(mesh.vertices, dtype=np.float64)
    _check_finite(vertices, f"mesh '{path}'")
    triangles = np.ascontiguousarray(mesh.faces, dtype=np.int32)
    return vertices, triangles, *_color_of(mesh, f"mesh '{path}'", texture)


def _load(path: Path) -> trimesh.Trimesh:
    what, remedy = f"mesh '{path}'", "export it again as OBJ, PLY or GLB"
    loaded = load_mesh(path)
    try:
        if isinstance(loaded, trimesh.Scene):
            parts = [g for g in loaded.dump() if isinstance(g, trimesh.Trimesh)]
            loaded = trimesh.util.concatenate(parts) if parts else None
    except Exception as error:  # trimesh lets many kinds through on damaged scenes
        got = f"a scene that cannot be joined ({type(error).__name__}: {error})"
        raise BadInput(what, got, "OBJ, PLY or GLB", remedy) from error
    if not isinstance(loaded, trimesh.Trimesh) or not len(loaded.faces):
        raise BadInput(what, "no triangles", "a triangle mesh", "mesh the points first")
    if loaded.faces.min() < 0 or loaded.faces.max() >= len(loaded.vertices):
        got = f"a triangle of vertex {loaded.faces.max():,} among {len(loaded.vertices):,}"
        raise BadInput(what, got, "vertices that are there", remedy)
    return loaded


def _color_of(mesh: trimesh.Trimesh, what: str, texture: Path | None):
    """(uv, texture, None) or (None, None, colours)."""
    visual = mesh.visual
    if visual.kind in ("vertex", "face"):
        return None, None, np.asarray(visual.vertex_colors, dtype=np.float32)[:, :3]
    material = getattr(visual, "material", None)
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    uv = getattr(visual, "uv", None)
    if image is not None and max(image.size) <= PLACEHOLDER_PX:
        image = None
    if uv is None or (image is None and texture is None):
        raise _colourless(what, uv is not None or image is None)
    if image is None:
        return np.asarray(uv, dtype=np.float32), read_color(texture), None
    decode(image, f"texture of {what}")
    return np.asarray(uv, dtype=np.float32), rgb_of(image, f"texture of {what}"), None


def _colourless(what: str, without_image: bool) -> BadInput:
    got = "no texture and no vertex colours" if without_image else "no texture coordinates"
    remedy = "export it with its texture: registration matches colours"
    return BadInput(what, got, "a texture, or colours on the vertices", remedy)


def _check_references(path: Path) -> None:
    """The files that an OBJ names are there and its own: trimesh would go on without them."""
    if path.suffix.lower() != ".obj" or not path.is_file():
        return
    for material in _named(path, "mtllib"):
        if not material.is_file():
            raise _missing(path, material, "material file")
        for texture in _named(material, "map_Kd"):
            if not texture.is_file():
                raise _missing(path, texture, "texture")
            check_picture(texture, f"texture '{texture}'")


def _missing(path: Path, wanted: Path, kind: str) -> BadInput:
    expected, remedy = f"the {kind} beside the mesh", f"put '{wanted.name}' beside it"
    return BadInput(f"mesh '{path}'", f"{kind} '{wanted}' is missing", expected, remedy)


def _named(path: Path, keyword: str) -> list[Path]:
    """Files named by the lines of ``path`` that begin with ``keyword``, beside it.

    Raises:
        BadInput: one of them lies elsewhere.
    """
    what, found = f"file '{path}'", []
    for line in read_text(path, what, "mesh_bytes", errors="replace").splitlines():
        head, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if head == keyword and rest:
            # Options such as "-s 1 1 1" may stand before the name.
            found.append(beside(path, rest.split()[-1] if rest.startswith("-") else rest, what))
    return found


def _axes(up: str, front: str, what: str) -> np.ndarray:
    """(3, 3) rotation from the file's axes to the model's."""
    named = {}
    for axis, unit_vector in zip("xyz", np.eye(3), strict=True):
        named[axis], named[f"-{axis}"], named[f"+{axis}"] = unit_vector, -unit_vector, unit_vector
    if up not in named or front not in named or abs(named[up] @ named[front]) > 0:
        got, expected = f"up '{up}', front '{front}'", "two different axes of x, -x, y, -y, z, -z"
        raise BadInput(what, got, expected, "mend --up and --front")
    return np.stack([np.cross(named[up], named[front]), named[up], named[front]])


def _unit_mm(vertices: np.ndarray, unit: str, what: str) -> float:
    """Millimetres a file unit."""
    if unit in UNITS_MM:
        return UNITS_MM[unit]
    if unit != "auto":
        raise BadInput(what, f"unit '{unit}'", "mm, cm, m or auto", "mend --unit")
    extent = float(np.ptp(vertices, axis=0).max())
    for name, factor in UNITS_MM.items():
        if HEAD_EXTENT_MM[0] <= extent * factor < HEAD_EXTENT_MM[1]:
            if factor != 1:
                LOG.info("%s: %.3g units long, taken as %s", what, extent, name)
            return factor
    got = f"{extent:.4g} units long"
    expected = f"a head of {HEAD_EXTENT_MM[0]:.0f} to {HEAD_EXTENT_MM[1]:.0f} mm in mm, cm or m"
    raise BadInput(what, got, expected, "pass --unit, or cut the mesh to the head")
