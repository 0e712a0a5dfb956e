"""ICT-FaceKit's light model: its folder of OBJ shapes, or all of it in one .npz.

Vertex ranges, landmark and jaw-line indices are those of ICT-FaceKit's README (MIT,
github.com/ICT-VGL/ICT-FaceKit). Its frame is ours already (subject's left is +x, y up, z forward);
its unit is the centimetre.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

from faces.errors import BadInput
from faces.models import anatomy
from faces.models.albedo import procedural_albedo
from faces.models.inert import npz_names
from faces.morphable import PARTS, MorphableModel

MM_PER_CM = 10.0
VERTICES, KEPT = 26719, 24591  # all; those before the lacrimal fluid, blend, occlusion and lashes
NARROW_FACE = 6706  # the first vertices are README's "narrow face area"
# First vertex past each geometry, in README's order, and the part it becomes.
RANGES = (
    (11248, "skin"),
    (13294, "mouth_socket"),
    (14062, "eye_socket"),
    (17039, "gums"),
    (21451, "teeth"),
    (24591, "eye"),
)
# README's 68 points; the jaw is its "right/left jawline", which follows the bone as ibug68 does.
# README's brows are 2 to 4 mm above the brows and nearer the middle: the ten vertices are those
# under the points that MediaPipe finds on five real scans (facefuns), registered without landmarks.
# fmt: off
LANDMARKS = np.array(
    [
        1278, 1272, 12, 1834, 243, 781, 2199, 1447, 966, 3661, 4390, 3022, 2484, 4036, 2253,
        3490, 3496, 430, 1009, 1031, 2039, 2026, 4223, 4235, 3251, 3229, 2671, 978, 4527, 4942,
        4857, 1140, 2075, 1147, 4269, 3360, 1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751,
        3756, 3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957,
        5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
    ],
    dtype=np.int32,
)
# fmt: on
# Where each material's texture tile goes in the one atlas: left, top, width, height.
TILES = {
    "M_Face": (0.00, 0.00, 0.70, 0.70),
    "M_BackHead": (0.72, 0.00, 0.28, 0.34),
    "M_GumsTongue": (0.72, 0.36, 0.28, 0.30),
    "M_Teeth": (0.72, 0.68, 0.28, 0.30),
    "M_ScleraLeft": (0.00, 0.72, 0.17, 0.17),
    "M_ScleraRight": (0.18, 0.72, 0.17, 0.17),
    "M_IrisLeft": (0.36, 0.72, 0.17, 0.17),
    "M_IrisRight": (0.54, 0.72, 0.17, 0.17),
}
NEUTRAL = "generic_neutral_mesh.obj"


def find_ict_folder(path: Path) -> Path | None:
    """The folder with ICT-FaceKit's OBJ files: ``path`` or its FaceXModel; None if neither."""
    return next((f for f in (path, path / "FaceXModel") if (f / NEUTRAL).is_file()), None)


def is_ict_npz(path: Path) -> bool:
    """Whether an .npz holds the whole of ICT-FaceKit (else it may be a model of save_model)."""
    return "neutral_cm" in npz_names(path)


def read_ict_npz(path: Path) -> MorphableModel:
    """Model from one .npz: neutral_cm, identity_modes_cm, expression_modes_cm, triangles, uv, …

    Raises:
        BadInput: an array is missing or the topology is another.
    """
    wanted = (
        *("neutral_cm", "identity_modes_cm", "expression_modes_cm", "expression_names"),
        *("triangles", "uv", "triangle_uv", "material_names", "triangle_material"),
    )
    with np.load(path, allow_pickle=False) as file:
        if missing := [key for key in wanted if key not in file.files]:
            raise _bad(path, f"no array {missing}")
        data = {key: file[key] for key in wanted}
    materials = data["material_names"][data["triangle_material"]]
    return _assemble(
        path,
        data["neutral_cm"],
        data["identity_modes_cm"],
        data["expression_modes_cm"],
        tuple(str(name) for name in data["expression_names"]),
        (data["triangles"], data["uv"], data["triangle_uv"], materials),
    )


def read_ict_folder(folder: Path) -> MorphableModel:
    """Model from the OBJ shapes in a folder, however many of them there are.

    Raises:
        BadInput: a shape has another number of vertices.
    """
    topology = _read_topology(folder / NEUTRAL)
    neutral = _read_positions(folder / NEUTRAL)
    shapes = {p.stem: p for p in sorted(folder.glob("*.obj")) if p.name != NEUTRAL}
    names = [name for name in shapes if not name.startswith("identity")]
    modes = [_read_positions(shapes[n]) - neutral for n in shapes if n.startswith("identity")]
    offsets = [_read_positions(shapes[name]) - neutral for name in names]
    empty = np.zeros((0, VERTICES, 3), dtype=np.float32)
    return _assemble(
        folder,
        neutral,
        np.stack(modes) if modes else empty,
        np.stack(offsets) if offsets else empty,
        tuple(names),
        topology,
    )


def _bad(path: Path, got: str) -> BadInput:
    return BadInput(
        f"ICT-FaceKit model '{path}'",
        got,
        f"its light model, {VERTICES} vertices",
        "take FaceXModel from the ICT-FaceKit repository as it is",
    )


def _read_positions(path: Path) -> np.ndarray:
    """(VERTICES, 3) float32 cm of an OBJ's ``v`` lines."""
    with open(path, encoding="ascii") as file:
        words = " ".join(line[2:] for line in file if line.startswith("v ")).split()
    if len(words) != 3 * VERTICES:
        raise _bad(path, f"{len(words) // 3} vertices")
    return np.array(words, dtype=np.float32).reshape(-1, 3)


def _read_topology(path: Path):
    """Triangles (T, 3), uv (U, 2), triangle_uv (T, 3), material names (T,): quads become fans."""
    uv, corners, materials, material = [], [], [], ""
    with open(path, encoding="ascii") as file:
        for line in file:
            key, *words = line.split() or [""]
            if key == "vt":
                uv.append([float(word) for word in words[:2]])
            elif key == "usemtl":
                material = words[0]
            elif key == "f":
                polygon = [[int(n) - 1 for n in word.split("/")[:2]] for word in words]
                for b, c in pairwise(polygon[1:]):
                    corners.append([polygon[0], b, c])
                    materials.append(material)
    corners = np.array(corners, dtype=np.int32).reshape(-1, 3, 2)
    return corners[..., 0], np.array(uv, dtype=np.float32), corners[..., 1], np.array(materials)


def _assemble(path, neutral, modes, offsets, names, topology) -> MorphableModel:
    if neutral.shape != (VERTICES, 3):
        raise _bad(path, f"vertices of shape {neutral.shape}")
    triangles, uv, triangle_uv, materials = topology
    kept = (triangles < KEPT).all(1) & np.isin(materials, list(TILES))
    triangles = triangles[kept].astype(np.int32)
    uv, triangle_uv = _pack_uv(uv, triangle_uv[kept], materials[kept])
    mean = neutral[:KEPT] * MM_PER_CM
    ends = np.array([end for end, _ in RANGES])
    codes = np.array([PARTS.index(part) for _, part in RANGES], dtype=np.uint8)
    part = codes[np.searchsorted(ends, triangles.max(1), side="right")]
    skin = np.arange(KEPT) < RANGES[0][0]
    head = anatomy.make_head(mean, triangles, skin, LANDMARKS)
    mirror = anatomy.find_mirror(mean)
    regions = anatomy.find_regions(head, mirror, triangles)
    regions["narrow_face"] = skin & (np.arange(KEPT) < NARROW_FACE)
    eyes = np.arange(KEPT) >= RANGES[4][0]
    albedo_mean, albedo_modes = procedural_albedo(head, regions, triangles, part)
    return MorphableModel(
        name="ict-facekit-light",
        licence="MIT, (c) USC Institute for Creative Technologies",
        mean_mm=mean.astype(np.float32),
        triangles=triangles,
        triangle_part=part,
        identity_mm=modes[:, :KEPT] * np.float32(MM_PER_CM),
        expression_mm=offsets[:, :KEPT] * np.float32(MM_PER_CM),
        expression_names=names,
        albedo_mean=albedo_mean,
        albedo_modes=albedo_modes,
        uv=uv,
        triangle_uv=triangle_uv,
        regions=regions,
        weights=anatomy.find_weights(regions, eyes),
        landmarks={
            "ibug68": LANDMARKS,
            "dense240": anatomy.find_dense(head, regions["face"], mirror, LANDMARKS),
        },
        contour=anatomy.find_contour(head, mirror, LANDMARKS),
        mirror=mirror,
    )


def _pack_uv(uv: np.ndarray, triangle_uv: np.ndarray, materials: np.ndarray):
    """One atlas, v down, from a texture tile a material; texture vertices nobody uses are left out.

    A texture vertex that two materials share becomes two.
    """
    names = list(TILES)
    owner = np.array([names.index(name) for name in materials], dtype=np.int64)
    code = triangle_uv.astype(np.int64) + owner[:, None] * len(uv)
    used, packed = np.unique(code, return_inverse=True)
    tile = np.array([TILES[name] for name in names])[used // len(uv)]
    local = uv[used % len(uv)] % 1.0
    local[:, 1] = 1 - local[:, 1]
    atlas = tile[:, :2] + local * tile[:, 2:]
    return atlas.astype(np.float32), packed.reshape(-1, 3).astype(np.int32)
