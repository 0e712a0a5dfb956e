"""The 68 landmarks of a model's topology from a user's file: vertex numbers, or places."""

from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from faces.errors import BadInput
from faces.landmarks import read_landmarks_3d
from faces.models.inert import read_npy

FAR_MM = 5.0  # a landmark given as a place lies on the surface, not this far from any vertex


def read_model_landmarks(path: str | Path, mean: np.ndarray, mm: float = 1.0) -> np.ndarray:
    """(68,) int32 vertices of ibug68.

    Args:
        path: .txt, .anl or .csv, one vertex number a line counted from 0 (lines after % or # are
            comments); .npy with (68,) integers, or (68, 3) places on the mean; .ljson (menpo) or
            with (68, 3) places, in the model's own unit and frame.
        mean: (V, 3) the mean in its own unit.
        mm: millimetres of that unit.

    Raises:
        BadInput: the file is none of these, has not 68 points, or a place is off the surface.
    """
    path = Path(path)
    if path.suffix.lower() == ".ljson":
        return _nearest(path, read_landmarks_3d(path), mean, mm)
    if path.suffix.lower() == ".npy":
        points = np.asarray(read_npy(path))
        if points.shape == (68, 3) and points.dtype.kind == "f":
            return _nearest(path, points, mean, mm)
    else:
        points = _numbers(path)
    if points.shape != (68,) or points.dtype.kind not in "iu":
        raise _bad(path, f"{points.dtype} of shape {points.shape}")
    return points.astype(np.int32)


def _numbers(path: Path) -> np.ndarray:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line.split("#")[0].split("%")[0].strip(" ,;\t\ufeff") for line in lines]
        return np.array([int(line) for line in kept if line], dtype=np.int64)
    except (OSError, ValueError) as error:
        raise _bad(path, str(error)) from error


def _nearest(path: Path, points: np.ndarray, mean: np.ndarray, mm: float) -> np.ndarray:
    distance, vertex = cKDTree(mean).query(points)
    if not distance.max() * mm < FAR_MM:
        worst = int(distance.argmax())
        raise _bad(path, f"point {worst} {distance[worst] * mm:.1f} mm away from the mean")
    return vertex.astype(np.int32)


def _bad(path: Path, got: str) -> BadInput:
    return BadInput(
        f"landmark file '{path}'",
        got,
        "68 vertex numbers counted from 0, or 68 places (.npy, .ljson) on the model's mean",
        "give the points in ibug's order, for this model's topology",
    )
