"""FaceScape's bilinear model, version 1.6 (one .npz), and the folders of versions 1.0 to 1.3.

Yang et al.: FaceScape, CVPR 2020. Keys as in facescape_bm.py of github.com/zhuhao-nju/facescape:
a core (3 V, 52, K) of absolute shapes in mm whose expression 0 is neutral, identity weights with
mean and variance of their own, triangles and texture triangles counted from 1, v up. The older
folders hold the core as (K, 52, 3 V) and the weights of the 847 people.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faces.errors import BadInput
from faces.models.assemble import Shapes, assemble
from faces.models.inert import npz_names, read_npy, read_npz, read_pickle
from faces.models.landmark_files import read_model_landmarks
from faces.morphable import MorphableModel

LICENCE = (
    "FaceScape, (c) Nanjing University: its licence agreement, non-commercial research only; "
    "not to be passed on"
)
FACES = ("predef_faces.pkl", "faces.pkl")
TEXTURES = ("predef_texcoords.pkl",)
KEYS = ("shape_bm_core", "id_mean", "id_var", "fv_indices", "lm_list_v16")
OPTIONAL = (
    *("ft_indices", "texcoords", "color_bm_core", "color_bm_mean"),
    *("vc_dict_front", "v_indices_front"),
)
# An expression moves the mean's vertices by less than this, RMS; the variant of the model whose
# expressions are principal components moves them by the size of a head.
FARTHEST_MM = 25.0
# The file has no deviations for its colours; FaceScape's demo_bilinear_basic draws the weights
# evenly from ±50, whose deviation this is.
COLOUR_SIGMA = 100 / np.sqrt(12)
COLOURS = 50  # modes kept


@dataclass(frozen=True, slots=True)
class _Parts:
    """The files' arrays: core (3 V, 52, K), weights' mean and variance (K,), triangles from 0,
    texture coordinates (v up) and triangles from 0 or None, 68 landmarks or None."""

    core: np.ndarray
    id_mean: np.ndarray
    id_var: np.ndarray
    triangles: np.ndarray
    uv: tuple[np.ndarray, np.ndarray] | None
    landmarks: np.ndarray | None


def is_facescape_npz(path: Path) -> bool:
    """Whether an .npz is FaceScape's bilinear model."""
    return "shape_bm_core" in npz_names(path)


def find_facescape_core(folder: Path) -> Path | None:
    """The core of versions 1.0 to 1.3 in a folder, the smaller where there are two."""
    return next(
        iter(sorted(folder.glob("core_*_50_52.npy")) or sorted(folder.glob("core_*.npy"))), None
    )


def read_facescape(path: str | Path, landmarks: str | Path | None = None) -> MorphableModel:
    """Model from ``facescape_bm_v1.6_847_50_52_id_front.npz`` or its like, or an older folder.

    Identity is taken at the neutral expression, and the 51 expressions at the mean identity: the
    model's products of the two are left out. Memory: the core's size and half as much again.

    Args:
        path: the .npz; or a folder with core_847_50_52.npy, factors_id_847_50_52.npy and
            predef_faces.pkl (index_68.txt gives the landmarks where it is there).
        landmarks: a file of read_model_landmarks; needed for a folder without index_68.txt.

    Raises:
        BadInput: a file is unreadable, a key is missing, or sizes contradict each other.
    """
    path = Path(path)
    file = {}
    if path.is_dir() or path.suffix == ".npy":
        parts = _read_folder(path if path.is_dir() else path.parent)
    else:
        file = read_npz(path, (*KEYS, *OPTIONAL))
        parts = _read_npz(path, file)
    mean, identity, expression = _linear(path, parts)
    points = parts.landmarks
    if landmarks is not None:
        points = read_model_landmarks(landmarks, mean)
    if points is None:
        raise _bad(path, "no index_68.txt", "it, or --landmarks of this topology")
    shapes = Shapes(
        name=f"facescape-{path.stem}",
        licence=LICENCE,
        mean_mm=mean,
        triangles=parts.triangles,
        identity_mm=identity,
        expression_mm=expression,
        expression_names=tuple(f"bs{number:02d}" for number in range(1, len(expression) + 1)),
        landmarks=points,
        albedo=_albedo(path, file, len(mean)),
        uv=_flipped(path, parts),
    )
    return assemble(shapes, _what(path))


def _linear(path: Path, parts: _Parts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (V, 3) float64, identity (K, V, 3) and expressions (51, V, 3) float32, mm."""
    count = parts.core.shape[0] // 3
    neutral = parts.core[:, 0].astype(np.float64)
    mean = neutral @ parts.id_mean
    identity = (neutral * np.sqrt(parts.id_var)).astype(np.float32)
    others = parts.core @ parts.id_mean.astype(parts.core.dtype)
    offsets = (others[:, 1:].astype(np.float64) - mean[:, None]).T.reshape(-1, count, 3)
    moved = np.sqrt((offsets**2).sum(2).mean(1)).max(initial=0)
    if moved > FARTHEST_MM:
        raise _bad(
            path,
            f"an expression that moves the mean face by {moved:.0f} mm RMS",
            f"blendshapes about a neutral one, at most {FARTHEST_MM:.0f} mm (no '_id_exp' file)",
        )
    return mean.reshape(-1, 3), identity.T.reshape(-1, count, 3), offsets.astype(np.float32)


def _read_npz(path: Path, file: dict) -> _Parts:
    if missing := [key for key in KEYS if key not in file]:
        raise _bad(path, f"no {', '.join(missing)}", ", ".join(KEYS))
    core = file["shape_bm_core"]
    _check_core(path, core, file["id_mean"], file["id_var"])
    uv = None
    if {"texcoords", "ft_indices"} <= set(file):
        uv = (file["texcoords"], _fan(file["ft_indices"]))
    return _Parts(
        core=core,
        id_mean=file["id_mean"].astype(np.float64).ravel(),
        id_var=file["id_var"].astype(np.float64).ravel(),
        triangles=_fan(file["fv_indices"]),
        uv=uv,
        landmarks=np.asarray(file["lm_list_v16"]).astype(np.int64).ravel(),
    )


def _read_folder(folder: Path) -> _Parts:
    path = find_facescape_core(folder)
    faces = next((folder / name for name in FACES if (folder / name).is_file()), None)
    if path is None or faces is None:
        held = ", ".join(sorted(entry.name for entry in folder.iterdir())[:8])
        raise _bad(folder, f"{held or 'nothing'}", f"core_847_50_52.npy and {FACES[0]}")
    core = np.asarray(read_npy(path))
    if core.ndim == 3:
        core = core.transpose(2, 1, 0)
    weights = np.asarray(read_npy(folder / path.name.replace("core", "factors_id", 1)))
    id_mean, id_var = weights.mean(0).astype(np.float64), weights.var(0).astype(np.float64)
    _check_core(path, core, id_mean, id_var)
    triangles, uv = _polygons(faces, folder)
    table = folder / "index_68.txt"
    points = read_model_landmarks(table, np.zeros((1, 3))) if table.is_file() else None
    return _Parts(core, id_mean, id_var, triangles, uv, points)


def _polygons(faces: Path, folder: Path):
    """Triangles from 0, and texture coordinates with theirs or None, of an OBJ's faces pickled as
    (vertices, normals, texture vertices, material); faces.pkl holds the coordinates before them."""
    held, texture = read_pickle(faces), folder / TEXTURES[0]
    if faces.name == FACES[1] and len(held) == 2:
        coordinates, held = held
    else:
        coordinates = read_pickle(texture) if texture.is_file() else None
    try:
        corners = _fan(np.array([face[0] for face in held]))
        textured = _fan(np.array([face[2] for face in held]))
    except (TypeError, IndexError, ValueError) as error:
        raise _bad(faces, str(error), "faces as (vertices, normals, texture, material)") from error
    uv = None if coordinates is None else (np.asarray(coordinates, dtype=np.float64), textured)
    return corners, uv


def _fan(polygons) -> np.ndarray:
    """Triangles (T, 3) int64 counted from 0 of polygons (F, 3 or more) counted from 1."""
    polygons = np.asarray(polygons).astype(np.int64) - 1
    corners = range(1, polygons.shape[1] - 1)
    return np.stack([polygons[:, [0, k, k + 1]] for k in corners], 1).reshape(-1, 3)


def _check_core(path: Path, core: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> None:
    if core.ndim != 3 or core.shape[0] % 3 or not core.shape[2] == mean.size == variance.size:
        got = f"a core of shape {core.shape} with {mean.size} means and {variance.size} variances"
        raise _bad(path, got, "(3 V, expressions, identities), a mean and a variance an identity")


def _flipped(path: Path, parts: _Parts):
    """Texture coordinates with v down; None where the files have none for every triangle."""
    if parts.uv is None:
        return None
    uv, triangle_uv = parts.uv
    if triangle_uv.shape != parts.triangles.shape or triangle_uv.max() >= len(uv):
        got = f"{len(triangle_uv)} texture triangles for {len(parts.triangles)}"
        raise _bad(path, got, "one a triangle, into texcoords")
    return np.clip(uv[:, :2] * [1, -1] + [0, 1], 0, 1), triangle_uv


def _albedo(path: Path, file: dict, count: int):
    """Mean (V, 3) and modes (B, V, 3) sRGB; None where the file has no colours.

    Colours are of the front alone, BGR from 0 to 255; the rest of the head has their average and no
    modes.
    """
    if not set(OPTIONAL[2:]) <= set(file):
        return None
    row, vertex = (np.asarray(file[key]).ravel().astype(np.int64) for key in OPTIONAL[4:])
    colours = np.asarray(file["color_bm_mean"], dtype=np.float64).reshape(-1, 3)[:, ::-1] / 255
    basis = np.asarray(file["color_bm_core"])
    if len(row) != len(vertex) or row.max() >= len(colours) or len(basis) != 3 * len(colours):
        got = f"{len(row)} colours for {len(vertex)} vertices of the front"
        raise _bad(path, got, "vc_dict_front, v_indices_front and color_bm_* that fit together")
    known = row >= 0
    mean = np.tile(colours[row[known]].mean(0), (count, 1))
    mean[vertex[known]] = colours[row[known]]
    columns = basis[:, :COLOURS].T.reshape(-1, len(colours), 3)[:, row[known], ::-1]
    modes = np.zeros((len(columns), count, 3), dtype=np.float32)
    modes[:, vertex[known]] = columns * (COLOUR_SIGMA / 255)
    return mean, modes


def _what(path: Path) -> str:
    return f"FaceScape model '{path}'"


def _bad(path: Path, got: str, expected: str) -> BadInput:
    return BadInput(
        _what(path), got, expected, "take the files of facescape.nju.edu.cn as they are"
    )
