"""Landmark schemes, the files they come in, and the way to the 68 ibug points."""

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from faces.errors import BadInput
from faces.files import read_array, read_json, read_text
from faces.landmark_tables import TO_IBUG68
from faces.types import Landmarks

SCHEMES: dict[str, int] = {
    "ibug68": 68,
    "ibug51": 51,
    "mediapipe478": 478,
    "webmorph189": 189,
    "dense240": 240,
}

# menpo's labelled groups in ibug order; its "left" is the image's left
_LABELS = ("chin", "leyebrow", "reyebrow", "nose", "leye", "reye", "mouth")
_JAW = ("jaw", "chin")
# What values of other types than a format's make its reader raise; StopIteration: no group at all.
_DAMAGED = (ValueError, KeyError, TypeError, IndexError, AttributeError, StopIteration)


def to_ibug68(landmarks: Landmarks) -> Landmarks:
    """The 68 ibug points of any known scheme; NaN and confidence 0 where there is no counterpart.

    Raises:
        BadInput: the scheme is unknown or the count does not fit it.
    """
    _check_count(landmarks.points_px, landmarks.scheme)
    index, weight = _gather(landmarks.scheme)
    points = (landmarks.points_px[index] * weight[..., None]).sum(1)
    points[weight.sum(1) == 0] = np.nan
    confidence = (landmarks.confidence[index] * weight).sum(1)
    confidence[np.isnan(points).any(1)] = 0
    return Landmarks(points, "ibug68", confidence)


def read_landmarks(path: str | Path) -> Landmarks:
    """Read 2D landmarks from .pts, .json, .npy, .ljson or .tem, by the file's suffix.

    Pixel centres at +0.5 in the result, whatever the file's own convention:
    .pts counts pixels from 1 at their centres, .ljson (menpo; y before x) from 0 at their centres;
    .json (``{"scheme", "points_px", "confidence"}``), .npy (L, 2) and .tem are taken as they are.

    Raises:
        BadInput: no such file, unreadable, or a count that no scheme has.
    """
    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise _bad(path, f"suffix '{path.suffix}'", " ".join(READERS), "convert the file")
    try:
        return _assemble(path, *reader(path))
    except BadInput:
        raise
    except (*_DAMAGED, OverflowError) as error:
        got = _words(error)
        raise _bad(path, got, f"a {path.suffix} landmark file", "repair the file") from error


def write_landmarks(landmarks: Landmarks, path: str | Path) -> None:
    """Write the .json that read_landmarks reads; a missing point becomes ``null``s."""
    Path(path).write_text(landmarks_json(landmarks), encoding="utf-8")


def landmarks_json(landmarks: Landmarks) -> str:
    """The text that write_landmarks writes."""
    points = [
        [float(u), float(v)] if np.isfinite([u, v]).all() else [None, None]
        for u, v in landmarks.points_px
    ]
    record = {"scheme": landmarks.scheme, "points_px": points}
    record["confidence"] = [float(c) for c in landmarks.confidence]
    return json.dumps(record)


def read_landmarks_3d(path: str | Path) -> np.ndarray:
    """3D landmarks of a mesh from menpo's .ljson.

    Returns:
        (68, 3) float64 in ibug order, in the mesh's own unit and frame.

    Raises:
        BadInput: the file is unreadable or does not hold 68 points of three coordinates.
    """
    path = Path(path)
    try:
        points = _ljson_points(path)
    except BadInput:
        raise
    except _DAMAGED as error:
        raise _bad(path, _words(error), "menpo's .ljson", "repair the file") from error
    if points.shape != (68, 3):
        raise _bad(path, f"points of shape {points.shape}", "(68, 3)", "give 68 points in 3D")
    return points


@lru_cache
def _gather(scheme: str) -> tuple[np.ndarray, np.ndarray]:
    """The scheme's table as indices (68, K) int and weights (68, K) float64.

    Shorter entries repeat their first index with weight 0 instead of index 0, whose point may be
    missing: NaN times 0 is NaN.
    """
    table = TO_IBUG68[scheme]
    width = max(len(entry) for entry in table)
    index = np.zeros((68, width), dtype=np.int64)
    weight = np.zeros((68, width))
    for row, entry in enumerate(table):
        for column in range(width if entry else 0):
            known = column < len(entry)
            index[row, column] = entry[column if known else 0][0]
            weight[row, column] = entry[column][1] if known else 0
    return index, weight


def _check_count(points: np.ndarray, scheme: str) -> None:
    if scheme not in SCHEMES:
        raise BadInput("landmarks", f"scheme '{scheme}'", ", ".join(SCHEMES), "convert the points")
    if points.shape != (SCHEMES[scheme], 2):
        got = f"points of shape {points.shape}"
        expected = f"({SCHEMES[scheme]}, 2) for scheme '{scheme}'"
        raise BadInput("landmarks", got, expected, "name the right scheme")


def _assemble(path: Path, points, scheme, confidence) -> Landmarks:
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) not in SCHEMES.values():
        counts = ", ".join(f"{count} ({name})" for name, count in SCHEMES.items())
        got = f"points of shape {points.shape}"
        raise _bad(path, got, f"2D points of a known count: {counts}", "convert the file")
    scheme = scheme or next(name for name, count in SCHEMES.items() if count == len(points))
    if SCHEMES.get(scheme) != len(points):
        got = f"{len(points)} points of scheme '{scheme}'"
        expected = f"one of {SCHEMES} with its count"
        raise _bad(path, got, expected, "name the right scheme")
    if not np.isfinite(points).any():
        raise _bad(path, "no finite point", "pixels", "delete the file to have them detected")
    if confidence is None:
        confidence = np.isfinite(points).all(1).astype(np.float64)
    confidence = np.asarray(confidence, dtype=np.float64)
    if confidence.shape != (len(points),):
        got = f"confidence of shape {confidence.shape}"
        raise _bad(path, got, f"({len(points)},)", "give one a point, or none")
    return Landmarks(points, scheme, confidence)


def _read_pts(path: Path):
    """ibug .pts: ``n_points: 68`` and the points between braces."""
    text = read_text(path, _what(path))
    head, brace, rest = text.partition("{")
    body, end, _ = rest.partition("}")
    if not brace or not end:
        raise ValueError("no points between { and }")
    points = np.array([line.split() for line in body.strip().splitlines()], dtype=np.float64)
    for line in head.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "n_points" and int(value) != len(points):
            raise ValueError(f"{len(points)} points where the header says {int(value)}")
    return points - 0.5, None, None  # the first pixel's centre is 1 there and 0.5 here


def _read_json(path: Path):
    record = read_json(path, _what(path))
    points = np.array(record["points_px"], dtype=np.float64)  # None becomes NaN
    return points, record.get("scheme"), record.get("confidence")


def _read_npy(path: Path):
    return read_array(path, _what(path)), None, None


def _read_ljson(path: Path):
    points = _ljson_points(path)
    if points.shape[1] != 2:
        raise ValueError(f"{points.shape[1]}D points, where an image needs 2D ones")
    return points[:, ::-1] + 0.5, None, None  # y, x with pixel centres at whole numbers


def _read_tem(path: Path):
    """WebMorph template: a count, that many ``x y`` lines, then lines between the points."""
    lines = read_text(path, _what(path)).split("\n")
    count = int(lines[0])
    if len(lines) <= count:
        raise ValueError(f"{len(lines) - 1} lines where the header says {count} points")
    points = [[float(value) for value in line.split()[:2]] for line in lines[1 : count + 1]]
    return np.array(points), None, None


def _ljson_points(path: Path) -> np.ndarray:
    """All points (L, D) of the first group, in ibug order where the labels are the usual ones."""
    record = read_json(path, _what(path))
    group = next(iter(record["groups"].values())) if "groups" in record else record
    points = np.array(group["landmarks"]["points"], dtype=np.float64)  # None becomes NaN
    if points.ndim != 2:
        raise ValueError(f"points of shape {points.shape}")
    masks = {entry["label"]: entry["mask"] for entry in group.get("labels", [])}
    if _JAW[0] in masks:
        masks[_JAW[1]] = masks.pop(_JAW[0])
    if any(label not in masks for label in _LABELS):
        return points
    order = [index for label in _LABELS for index in masks[label]]
    return points[order] if sorted(order) == list(range(len(points))) else points


def _bad(path: Path, got: str, expected: str, remedy: str) -> BadInput:
    return BadInput(_what(path), got, expected, remedy)


def _what(path: Path) -> str:
    return f"landmark file '{path}'"


def _words(error: Exception) -> str:
    """A missing field by its name; Python's words for the rest."""
    return f"no field {error}" if isinstance(error, KeyError) else str(error) or "nothing in it"


READERS: dict[str, Callable] = {
    ".pts": _read_pts,
    ".json": _read_json,
    ".npy": _read_npy,
    ".ljson": _read_ljson,
    ".tem": _read_tem,
}
