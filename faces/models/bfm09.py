"""The Basel Face Model of 2009 (.mat), with the expressions others have fitted to it.

Paysan, Knothe, Amberg, Romdhani, Vetter: A 3D Face Model for Pose and Illumination Invariant Face
Recognition, AVSS 2009. Keys as in eos' share/scripts/convert-bfm2009-to-eos.py (Apache-2.0):
lengths in µm, colours 0 to 255, "EV" are standard deviations, triangles count from 1 and are wound
clockwise. Expressions are Guo et al.'s "Exp_Pca.bin", laid out as Deep3DFaceRecon reads it
(sicxu/Deep3DFaceRecon_pytorch, util/load_mats.py), whose own "BFM_model_front.mat" is read too.
"""

from pathlib import Path

import numpy as np
from scipy.io import loadmat

from faces.errors import BadInput
from faces.models.assemble import Shapes, assemble
from faces.models.landmark_files import read_model_landmarks
from faces.morphable import MorphableModel

LICENCE = (
    "Basel Face Model 2009, (c) University of Basel: registered users, academic and other "
    "non-commercial use only; not to be passed on"
)
FITTED = "; expressions of Guo et al. (github.com/Juyong/3DFace) under their own terms"
MM_PER_UM = 1e-3
MM_PER_DM = 100.0  # Deep3DFaceRecon's unit
VERTICES = 53490
BESIDE = ("Exp_Pca.bin", "std_exp.txt", "BFM_exp_idx.mat")
# github.com/anilbas/BFMLandmarks, Landmarks68_BFM.anl, which counts from 1 as MATLAB does.
# fmt: off
LANDMARKS = np.array(
    [
        22143, 22813, 22840, 23250, 44124, 45884, 47085, 47668, 48188, 48708, 49299, 50498, 52457,
        32022, 32386, 32359, 32979, 38886, 39636, 40030, 40238, 40433, 41172, 41368, 41578, 42011,
        42646, 8291, 8305, 8314, 8320, 6783, 7687, 8331, 8977, 9879, 1832, 3760, 5050, 6087, 4546,
        3516, 10731, 11758, 12919, 14859, 13191, 12157, 5523, 6155, 7442, 8345, 9506, 10799, 11199,
        10179, 9277, 8374, 7471, 6566, 5909, 7322, 8354, 9386, 10941, 9141, 8367, 7194,
    ],
    dtype=np.int32,
) - 1
# fmt: on
SCANNED = ("shapeMU", "shapePC", "shapeEV", "texMU", "texPC", "texEV", "tl")
CUT = ("meanshape", "idBase", "exBase", "meantex", "texBase", "tri", "keypoints")


def read_bfm09(path: str | Path, landmarks: str | Path | None = None) -> MorphableModel:
    """Model from ``01_MorphableModel.mat`` or Deep3DFaceRecon's ``BFM_model_front.mat``.

    With ``Exp_Pca.bin``, ``std_exp.txt`` and ``BFM_exp_idx.mat`` beside the former, its mesh is cut
    to the 53,215 vertices that have expressions.

    Args:
        landmarks: a file of read_model_landmarks for the file's whole topology; needed where it
            has not 53,490 vertices.

    Raises:
        BadInput: a file is unreadable, a key is missing, or sizes contradict each other.
    """
    path = Path(path)
    file = _read_mat(path)
    if "meanshape" in file:
        return assemble(_cut(path, file, landmarks), _what(path))
    return assemble(_scanned(path, file, landmarks), _what(path))


def _scanned(path: Path, file: dict, landmarks) -> Shapes:
    _expect_keys(path, file, SCANNED)
    mean = _vertices(path, file, "shapeMU") * MM_PER_UM
    count = len(mean)
    if landmarks is not None:
        points = read_model_landmarks(landmarks, mean / MM_PER_UM, MM_PER_UM)
    elif count == VERTICES:
        points = LANDMARKS
    else:
        raise _bad(path, f"{count} vertices", f"{VERTICES}, or --landmarks of its topology")
    shapes = Shapes(
        name="bfm2009",
        licence=LICENCE,
        mean_mm=mean,
        triangles=file["tl"].astype(np.int64) - 1,
        identity_mm=_modes(path, file, "shapePC", "shapeEV", count) * np.float32(MM_PER_UM),
        expression_mm=np.zeros((0, count, 3), dtype=np.float32),
        expression_names=(),
        landmarks=points,
        albedo=(
            _vertices(path, file, "texMU") / 255,
            _modes(path, file, "texPC", "texEV", count) / np.float32(255),
        ),
    )
    found = [name for name in BESIDE if (path.parent / name).is_file()]
    if not found:
        return shapes
    if missing := sorted(set(BESIDE) - set(found)):
        raise _bad(path, f"{found} beside it without {missing}", f"all or none of {BESIDE}")
    return _with_expressions(path, shapes)


def _with_expressions(path: Path, shapes: Shapes) -> Shapes:
    """The shapes cut to the vertices of Exp_Pca.bin, with its modes."""
    trim = _read_mat(path.parent / BESIDE[2])
    _expect_keys(path.parent / BESIDE[2], trim, ("trimIndex",))
    kept = trim["trimIndex"].ravel().astype(np.int64) - 1
    count = len(shapes.mean_mm)
    if len(np.unique(kept)) != len(kept) or kept.min() < 0 or kept.max() >= count:
        raise _bad(
            path.parent / BESIDE[2], "trimIndex of another model", f"1 to {count}, each once"
        )
    new = np.full(count, -1)
    new[kept] = np.arange(len(kept))
    triangles = new[shapes.triangles]
    points = new[shapes.landmarks]
    if (points < 0).any():
        lost = np.flatnonzero(points < 0).tolist()
        raise _bad(path, f"landmarks {lost} cut off with the expressions", "landmarks that stay")
    modes = _expressions(path.parent, len(kept))
    return Shapes(
        name="bfm2009-expressions",
        licence=shapes.licence + FITTED,
        mean_mm=shapes.mean_mm[kept],
        triangles=triangles[(triangles >= 0).all(1)],
        identity_mm=shapes.identity_mm[:, kept],
        expression_mm=modes,
        expression_names=_names(len(modes)),
        landmarks=points,
        albedo=(shapes.albedo[0][kept], shapes.albedo[1][:, kept]),
    )


def _expressions(folder: Path, count: int) -> np.ndarray:
    """(E, count, 3) float32 mm. The file's mean expression is left out, as Deep3DFaceRecon does:
    the neutral face is the scans' mean."""
    path = folder / BESIDE[0]
    raw = path.read_bytes()
    modes = int(np.frombuffer(raw[:4], dtype="<i4")[0]) if len(raw) >= 4 else 0
    size = 4 * (1 + 3 * count * (1 + modes))
    if modes <= 0 or len(raw) != size:
        got = f"{len(raw)} bytes for {modes} modes of {count} vertices"
        raise _bad(path, got, f"{size} bytes: a count, the mean, the modes, all of 4 bytes")
    basis = np.frombuffer(raw, dtype="<f4", offset=4 * (1 + 3 * count)).reshape(modes, count, 3)
    try:
        deviation = np.loadtxt(folder / BESIDE[1]).ravel()
    except ValueError as error:
        raise _bad(folder / BESIDE[1], str(error), f"{modes} numbers") from error
    if len(deviation) != modes:
        raise _bad(folder / BESIDE[1], f"{len(deviation)} deviations", f"{modes}, one a mode")
    return (basis * (deviation * MM_PER_UM)[:, None, None]).astype(np.float32)


def _cut(path: Path, file: dict, landmarks) -> Shapes:
    """Deep3DFaceRecon's front of the face: modes are σ-scaled already, lengths in decimetres."""
    _expect_keys(path, file, CUT)
    mean = _vertices(path, file, "meanshape") * MM_PER_DM
    count = len(mean)
    expression = _modes(path, file, "exBase", None, count) * np.float32(MM_PER_DM)
    points = file["keypoints"].ravel().astype(np.int64) - 1
    if landmarks is not None:
        points = read_model_landmarks(landmarks, mean / MM_PER_DM, MM_PER_DM)
    if len(points) != 68:
        raise _bad(path, f"{len(points)} keypoints", "68")
    return Shapes(
        name="bfm2009-front",
        licence=LICENCE + FITTED,
        mean_mm=mean,
        triangles=file["tri"].astype(np.int64) - 1,
        identity_mm=_modes(path, file, "idBase", None, count) * np.float32(MM_PER_DM),
        expression_mm=expression,
        expression_names=_names(len(expression)),
        landmarks=points,
        albedo=(
            _vertices(path, file, "meantex") / 255,
            _modes(path, file, "texBase", None, count) / np.float32(255),
        ),
    )


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"exp{number:02d}" for number in range(count))


def _read_mat(path: Path) -> dict:
    try:
        return loadmat(path)
    except Exception as error:  # SciPy lets many kinds through on damaged bytes
        raise _bad(path, f"unreadable ({error})", "a .mat of MATLAB 5 to 7.2") from error


def _expect_keys(path: Path, file: dict, keys: tuple[str, ...]) -> None:
    if missing := [key for key in keys if key not in file]:
        held = ", ".join(sorted(key for key in file if not key.startswith("__")))
        raise _bad(path, f"no {', '.join(missing)} among {held}", ", ".join(keys))


def _vertices(path: Path, file: dict, key: str) -> np.ndarray:
    """(V, 3) float64 of a vector x₀ y₀ z₀ x₁ …"""
    flat = file[key].astype(np.float64).ravel()
    if len(flat) == 0 or len(flat) % 3:
        raise _bad(path, f"{key} of shape {file[key].shape}", "three numbers a vertex")
    return flat.reshape(-1, 3)


def _modes(path: Path, file: dict, key: str, deviations: str | None, count: int) -> np.ndarray:
    """(K, count, 3) float32 of columns (3 · count, K), times their deviations where named."""
    basis = file[key]
    if basis.ndim != 2 or basis.shape[0] != 3 * count:
        raise _bad(path, f"{key} of shape {basis.shape}", f"({3 * count}, modes)")
    sigma = np.ones(basis.shape[1]) if deviations is None else file[deviations].ravel()
    if len(sigma) != basis.shape[1]:
        raise _bad(path, f"{len(sigma)} of {deviations}", f"{basis.shape[1]}, one a mode of {key}")
    return (basis * sigma).astype(np.float32).T.reshape(-1, count, 3)


def _what(path: Path) -> str:
    return f"Basel Face Model 2009 '{path}'"


def _bad(path: Path, got: str, expected: str) -> BadInput:
    remedy = "take 01_MorphableModel.mat, and what lies beside it, as they were handed out"
    return BadInput(_what(path), got, expected, remedy)
