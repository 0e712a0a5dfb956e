"""The Basel Face Models of 2017 and 2019 (.h5 in Statismo's layout).

Gerig, Morel-Forster, Blumer, Egger, Lüthi, Schönborn, Vetter: Morphable Face Models - An Open
Framework, FG 2018. Keys and axes as in eos' share/scripts/convert-bfm2017-to-eos.py (Apache-2.0):
lengths in mm, colours 0 to 1, unit columns with their variances, triangles (3, T).
"""

import json
import logging
from pathlib import Path

import numpy as np

from faces.errors import BadInput, MissingExtra
from faces.models.assemble import Shapes, assemble, check_indices
from faces.models.derive import derive_landmarks
from faces.models.landmark_files import read_model_landmarks
from faces.models.landmark_indices import BFM17_CORNERS, BFM17_FACE12
from faces.morphable import MorphableModel

LICENCE = (
    "Basel Face Model {year}, (c) University of Basel: registered users, academic and other "
    "non-commercial use only; not to be passed on"
)
# Vertices of the files whose landmarks are known.
NOMOUTH, FACE12 = 53149, 28588
# Those of BFM 2019: model2019_bfm, model2019_face12, model2019_fullHead.
OF_2019 = (47439, 27657, 58203)
CELLS = "shape/representer/cells"
NAMED = "metadata/landmarks/json"  # a list of {"id", "coordinates"} on the mean, mm
# Those of the file's named landmarks that are points of ibug68; "right" is the subject's.
IBUG_OF = {
    "center.chin.tip": 8,
    "center.nose.tip": 30,
    "right.eye.corner_outer": 36,
    "right.eye.corner_inner": 39,
    "left.eye.corner_inner": 42,
    "left.eye.corner_outer": 45,
    "right.lips.corner": 48,
    "center.lips.upper.outer": 51,
    "left.lips.corner": 54,
    "center.lips.lower.outer": 57,
    "center.lips.upper.inner": 62,
    "center.lips.lower.inner": 66,
}

log = logging.getLogger(__name__)


def read_bfm17(path: str | Path, landmarks: str | Path | None = None) -> MorphableModel:
    """Model from ``model2017-1_bfm_nomouth.h5``, ``…_face12_nomouth.h5`` or one of BFM 2019.

    The expression model has a mean of its own, the scans' mean deformation away from neutral: it
    becomes the first expression, "expMean", so that zero coefficients are the neutral face; the
    distribution's centre is at weight 1 of it.

    Args:
        landmarks: a file of read_model_landmarks. By default the published tables of the first two
            files; any other's are derived from the dozen points it names itself, with a warning:
            good about eyes, nose and mouth, rough along brows and jaw.

    Raises:
        BadInput: the file is unreadable, a dataset is missing, or sizes contradict each other.
        MissingExtra: h5py is not installed.
    """
    path = Path(path)
    stored = _read(path)
    mean = _vertices(path, stored, "shape")
    count = len(mean)
    cells = stored[CELLS].astype(np.int64)
    if cells.ndim != 2 or 3 not in cells.shape:
        raise _bad(path, f"{CELLS} of shape {cells.shape}", "(3, T)")
    triangles = cells.T if cells.shape[0] == 3 else cells
    expression, names = _expressions(path, stored, count)
    albedo = None
    if "color/model/mean" in stored:
        albedo = (_vertices(path, stored, "color"), _modes(path, stored, "color", count))
    shapes = Shapes(
        name=f"bfm-{path.stem}",
        licence=LICENCE.format(year=2019 if count in OF_2019 else 2017),
        mean_mm=mean,
        triangles=triangles,
        identity_mm=_modes(path, stored, "shape", count),
        expression_mm=expression,
        expression_names=names,
        landmarks=_landmarks(path, landmarks, stored, triangles),
        albedo=albedo,
    )
    return assemble(shapes, _what(path))


def _landmarks(path: Path, file, stored: dict, triangles: np.ndarray) -> np.ndarray:
    mean = _vertices(path, stored, "shape")
    if file is not None:
        return read_model_landmarks(file, mean)
    if len(mean) == NOMOUTH:
        check_indices(_what(path), "landmarks", BFM17_CORNERS[:, 0], len(triangles))
        return triangles[BFM17_CORNERS[:, 0], BFM17_CORNERS[:, 1]]
    if len(mean) == FACE12:
        return BFM17_FACE12
    named = _named(path, stored)
    if len(named) < len(IBUG_OF):
        raise _bad(
            path,
            f"{len(mean)} vertices, whose 68 landmarks are not known, and {len(named)} of the "
            f"{len(IBUG_OF)} named points they could be derived from",
            f"{NOMOUTH} (bfm_nomouth) or {FACE12} (face12_nomouth) vertices, or --landmarks",
        )
    log.warning("%s: its 68 landmarks are derived from %d named points", path, len(named))
    return derive_landmarks(named, mean, triangles)


def _named(path: Path, stored: dict) -> dict[int, np.ndarray]:
    """Places (3,) mm of those points of ibug68 that the file names."""
    raw = np.asarray(stored.get(NAMED, b"[]")).ravel()[0]
    try:
        entries = json.loads(raw.decode("utf-8") if isinstance(raw, bytes) else str(raw))
        places = {entry["id"]: np.array(entry["coordinates"], dtype=float) for entry in entries}
    except (ValueError, TypeError, KeyError) as error:
        raise _bad(
            path, f"/{NAMED} unreadable ({error})", "a list of id and coordinates"
        ) from error
    return {IBUG_OF[name]: place for name, place in places.items() if name in IBUG_OF}


def _expressions(path: Path, stored: dict, count: int) -> tuple[np.ndarray, tuple[str, ...]]:
    if "expression/model/mean" not in stored:
        return np.zeros((0, count, 3), dtype=np.float32), ()
    mean = _vertices(path, stored, "expression").astype(np.float32)
    if len(mean) != count:
        raise _bad(path, f"an expression mean of {len(mean)} vertices", str(count))
    modes = _modes(path, stored, "expression", count)
    names = ("expMean", *(f"exp{number:02d}" for number in range(len(modes))))
    return np.concatenate([mean[None], modes]), names


def _read(path: Path) -> dict:
    """The wanted datasets of the file by name; colours and expressions where it has them."""
    try:
        import h5py
    except ImportError as error:
        raise MissingExtra("reading a Basel Face Model of 2017 or 2019", "hdf5") from error
    parts = ("mean", "pcaBasis", "pcaVariance")
    models = {kind: [f"{kind}/model/{part}" for part in parts] for kind in _KINDS}
    stored = {}
    try:
        with h5py.File(path, "r") as file:
            present = [kind for kind in _KINDS if kind == "shape" or f"{kind}/model/mean" in file]
            for key in [CELLS, *(key for kind in present for key in models[kind])]:
                if key not in file:
                    raise _bad(path, f"no dataset {key} among {sorted(file)}", f"/{key}")
                stored[key] = np.asarray(file[key])
            if NAMED in file:
                stored[NAMED] = file[NAMED][()]
    except (OSError, RuntimeError, KeyError, MemoryError) as error:
        raise _bad(path, f"unreadable ({error})", "an HDF5 file") from error
    return stored


_KINDS = ("shape", "color", "expression")


def _vertices(path: Path, stored: dict, kind: str) -> np.ndarray:
    """(V, 3) float64 of the kind's mean, x₀ y₀ z₀ x₁ …"""
    flat = stored[f"{kind}/model/mean"].astype(np.float64).ravel()
    if len(flat) == 0 or len(flat) % 3:
        raise _bad(path, f"/{kind}/model/mean of {len(flat)} numbers", "three a vertex")
    return flat.reshape(-1, 3)


def _modes(path: Path, stored: dict, kind: str, count: int) -> np.ndarray:
    """(K, V, 3) float32: columns of the basis times the roots of their variances."""
    basis, variance = (stored[f"{kind}/model/{part}"] for part in ("pcaBasis", "pcaVariance"))
    if basis.ndim != 2 or basis.shape != (3 * count, variance.size):
        got = f"/{kind}/model/pcaBasis of shape {basis.shape} with {variance.size} variances"
        raise _bad(path, got, f"({3 * count}, a variance each)")
    sigma = np.sqrt(variance.astype(np.float64).ravel())
    return (basis * sigma).astype(np.float32).T.reshape(-1, count, 3)


def _what(path: Path) -> str:
    return f"Basel Face Model '{path}'"


def _bad(path: Path, got: str, expected: str) -> BadInput:
    return BadInput(_what(path), got, expected, "take the .h5 of the model's site as it is")
