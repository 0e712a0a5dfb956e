"""FLAME 2020 and 2023: a pickle, or an .npz of the same arrays.

Li, Bolkart, Black, Li, Romero: Learning a Model of Facial Shape and Expression from 4D Scans,
SIGGRAPH Asia 2017. Keys as in smplx (body_models.py, lbs.py): metres; shapedirs (V, 3, 400) holds
300 modes of identity, then 100 of expression, all at 1 σ; joints are the root, neck, jaw, left and
right eye; posedirs are offsets for the rotations of all but the root, nine numbers a joint.
"""

from pathlib import Path

import numpy as np
import scipy.sparse as sp

from faces.errors import BadInput
from faces.models.assemble import Shapes, assemble, check_indices
from faces.models.flame_texture import find_texture, read_texture
from faces.models.inert import npz_names, read_npy, read_npz, read_pickle
from faces.models.landmark_files import read_model_landmarks
from faces.models.landmark_indices import FLAME
from faces.morphable import MorphableModel

LICENCE = (
    "FLAME, (c) Max-Planck-Gesellschaft: the licence of flame.is.tue.mpg.de for the file's release "
    "(2020: non-commercial scientific research only); not to be passed on"
)
MM_PER_M = 1000.0
VERTICES = 5023
IDENTITIES = 300  # of shapedirs; the rest are expressions
JAW, EYES = 2, (3, 4)  # joints
JAW_OPEN_DEG = 20.0  # about x, the head's left: wide open, and still near a straight path
KEYS = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights")
EMBEDDINGS = ("landmark_embedding.npy", "flame_static_embedding.pkl")
# Names of an embedding's triangles and barycentric coordinates, whole faces first.
FIELDS = (
    ("full_lmk_faces_idx", "full_lmk_bary_coords"),
    ("static_lmk_faces_idx", "static_lmk_bary_coords"),
    ("lmk_face_idx", "lmk_b_coords"),
)


def is_flame_npz(path: Path) -> bool:
    """Whether an .npz holds FLAME's arrays."""
    return {"v_template", "shapedirs"} <= npz_names(path)


def read_flame(path: str | Path, landmarks: str | Path | None = None) -> MorphableModel:
    """Model from ``generic_model.pkl``, ``flame2023.pkl`` or an .npz of their arrays.

    The pickle is read without executing anything (faces.models.inert). Its jaw becomes the
    expression "jawOpen". A texture space beside it gives albedo and texture coordinates (see
    faces.models.flame_texture).

    Args:
        landmarks: an embedding (``landmark_embedding.npy``, ``flame_static_embedding.pkl``) or a
            file of read_model_landmarks. By default an embedding beside the model, else FLAME's
            table in faces.models.landmark_indices.

    Raises:
        BadInput: a file is unreadable, asks for code to run, lacks an array, or has another size.
    """
    path = Path(path)
    stored = _read(path)
    template = stored["v_template"]
    triangles = stored["f"].astype(np.int64)
    check_indices(_what(path), "triangles", triangles, len(template))
    identities = min(IDENTITIES, stored["shapedirs"].shape[2])
    modes = (np.moveaxis(stored["shapedirs"], 2, 0) * MM_PER_M).astype(np.float32)
    jaw = jaw_open(stored) * MM_PER_M
    count = len(modes) - identities
    texture = find_texture(path.parent)
    uv, albedo = (
        (None, None) if texture is None else read_texture(texture, triangles, len(template))
    )
    shapes = Shapes(
        name=f"flame-{path.stem}",
        licence=LICENCE
        if texture is None
        else f"{LICENCE}; albedo of {texture.name}, its own terms",
        mean_mm=template * MM_PER_M,
        triangles=triangles,
        identity_mm=modes[:identities],
        expression_mm=np.concatenate([modes[identities:], jaw[None].astype(np.float32)]),
        expression_names=(*(f"exp{number:03d}" for number in range(count)), "jawOpen"),
        landmarks=_landmarks(path, landmarks, template, triangles),
        eyes=stored["weights"][:, EYES].sum(1) > 0.5,
        albedo=albedo,
        uv=uv,
    )
    return assemble(shapes, _what(path))


def jaw_open(stored: dict[str, np.ndarray], angle_deg: float = JAW_OPEN_DEG) -> np.ndarray:
    """Offsets (V, 3) m of the mean whose jaw has turned by ``angle_deg`` about x.

    Linear blend skinning of the jaw alone with its pose-dependent offsets (Li et al. 2017,
    Eq. 1 to 3), taken as one straight way from shut to open: between the two, vertices cut the arc
    short by at most 1 - cos(angle / 2) of its radius, 1.5 %.
    """
    turn = np.radians(angle_deg)
    rotation = np.array(
        [[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]]
    )
    template = stored["v_template"]
    feature = np.zeros(stored["posedirs"].shape[2])
    feature[9 * (JAW - 1) : 9 * JAW] = (rotation - np.eye(3)).ravel()
    corrected = template + stored["posedirs"] @ feature
    joint = stored["J_regressor"][JAW] @ template
    turned = (corrected - joint) @ rotation.T + joint
    share = stored["weights"][:, [JAW]]
    return (1 - share) * corrected + share * turned - template


def _read(path: Path) -> dict[str, np.ndarray]:
    held = read_npz(path, KEYS) if path.suffix == ".npz" else read_pickle(path)
    if not isinstance(held, dict):
        raise _bad(path, f"a {type(held).__name__}", "a dictionary of arrays")
    if missing := [key for key in KEYS if key not in held]:
        names = ", ".join(sorted(str(key) for key in held))
        raise _bad(path, f"no {', '.join(missing)} among {names or 'nothing'}", ", ".join(KEYS))
    stored = {}
    for key in KEYS:
        value = held[key].toarray() if sp.issparse(held[key]) else np.asarray(held[key])
        if value.dtype.kind not in "iuf":
            raise _bad(path, f"{key} of dtype {value.dtype}", "numbers")
        stored[key] = value if key == "f" else value.astype(np.float64)
    _check_shapes(path, stored)
    return stored


def _check_shapes(path: Path, stored: dict[str, np.ndarray]) -> None:
    count, joints = len(stored["v_template"]), 5
    expected = {
        "v_template": (count, 3),
        "f": (len(stored["f"]), 3),
        "shapedirs": (count, 3, *stored["shapedirs"].shape[2:3]),
        "posedirs": (count, 3, 9 * (joints - 1)),
        "J_regressor": (joints, count),
        "weights": (count, joints),
    }
    for key, shape in expected.items():
        if stored[key].shape != shape:
            raise _bad(path, f"{key} of shape {stored[key].shape}", str(shape))


def _landmarks(path: Path, file, template: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    beside = [path.parent / name for name in EMBEDDINGS if (path.parent / name).is_file()]
    if file is None and beside:
        file = beside[0]
    if file is None:
        if len(template) != VERTICES:
            raise _bad(path, f"{len(template)} vertices", f"{VERTICES}, or --landmarks")
        return FLAME
    held = _embedding(Path(file))
    if held is None:
        return read_model_landmarks(file, template, MM_PER_M)
    return _embedded(Path(file), held, template, triangles)


def _embedding(path: Path) -> dict | None:
    """The dictionary of an embedding file; None where the file is of another kind."""
    readers = {".npy": read_npy, ".pkl": read_pickle, ".npz": read_npz}
    reader = readers.get(path.suffix.lower())
    held = reader(path) if reader else None
    return held if isinstance(held, dict) else None


def _embedded(path: Path, held: dict, template: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(68,) vertices nearest to an embedding's points; one of 51 leaves the jaw to the table."""
    pair = next((names for names in FIELDS if all(name in held for name in names)), None)
    if pair is None:
        got = f"{', '.join(sorted(str(key) for key in held))}"
        raise _bad(path, got, " or ".join(" with ".join(names) for names in FIELDS))
    triangle = np.asarray(held[pair[0]]).ravel().astype(np.int64)
    share = np.asarray(held[pair[1]], dtype=np.float64).reshape(-1, 3)
    if len(triangle) != len(share) or len(triangle) not in (51, 68):
        raise _bad(path, f"{len(triangle)} triangles, {len(share)} points", "68 or 51 of each")
    check_indices(f"embedding '{path}'", "triangles", triangle, len(triangles))
    nearest = triangles[triangle, share.argmax(1)]
    if len(nearest) == 68:
        return nearest
    if len(template) != VERTICES:
        raise _bad(path, "51 points without the jaw's", f"68 on a mesh without {VERTICES} vertices")
    return np.concatenate([FLAME[:17], nearest])


def _what(path: Path) -> str:
    return f"FLAME '{path}'"


def _bad(path: Path, got: str, expected: str) -> BadInput:
    return BadInput(_what(path), got, expected, "take the files of flame.is.tue.mpg.de as they are")
