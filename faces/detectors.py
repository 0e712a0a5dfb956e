"""Where landmarks come from: files beside the images, MediaPipe, or face-alignment."""

import atexit
import contextlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from faces.errors import BadInput, MissingExtra
from faces.landmarks import READERS, SCHEMES, read_landmarks
from faces.types import Landmarks

LANDMARKER_URL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/"
    "float16/latest/face_landmarker.task"
)
# The files that face-alignment 1.4–1.5 asks the torch hub for, for 68 2D points.
FACE_ALIGNMENT_FILES = ("s3fd-619a316812.pth", "2DFAN4-11f355bf06.pth.tar")
FACE_ALIGNMENT_URL = "https://www.adrianbulat.com/downloads/python-fan/"

# Closes the networks at exit. Registered before MediaPipe is imported, hence run after its own exit
# handler and while its modules are still whole: earlier or later, closing would raise.
_AT_EXIT = contextlib.ExitStack()
atexit.register(_AT_EXIT.close)


class Detector(Protocol):
    """Anything that finds the landmarks of the one face in an image."""

    def detect(self, color: np.ndarray, key: str) -> Landmarks:
        """Landmarks of the largest face.

        Args:
            color: (H, W, 3) uint8 sRGB.
            key: the image's name in messages, and what a file is found by.

        Raises:
            BadInput: no face found.
        """
        ...


def make_detector(name: str, **options) -> Detector:
    """The detector called "file" (root), "mediapipe" (model_path) or "face-alignment" (device).

    ``"auto"`` takes MediaPipe where ``model_path`` is given, else face-alignment where its
    weights lie in the torch hub's folder.

    Raises:
        BadInput: the name is unknown, an option does not fit it, or its model file is missing;
            the message says what to download or supply.
        MissingExtra: the detector's package is not installed.
    """
    if name == "auto":
        name, options = _choose(options.get("model_path"))
    makers = {
        "file": FileDetector,
        "mediapipe": MediaPipeDetector,
        "face-alignment": FaceAlignmentDetector,
    }
    if name not in makers:
        expected = ", ".join(["auto", *makers])
        raise BadInput("landmark detector", f"'{name}'", expected, "choose one of them")
    try:
        return makers[name](**options)
    except TypeError as error:
        expected = "root, model_path or device, as the detector has it"
        raise BadInput(f"detector '{name}'", str(error), expected, "mend the options") from error


class FileDetector:
    """Landmarks from a file beside the image: KEY.landmarks.SUFFIX or KEY.SUFFIX.

    Args:
        root: the folder that keys are relative to.
    """

    def __init__(self, root: str | Path):
        self.root = Path(root)

    def detect(self, color: np.ndarray, key: str) -> Landmarks:
        """See Detector; ``color`` is only compared with the points' extent.

        Raises:
            BadInput: no file for this key, an unreadable one, or points outside the image.
        """
        path = find_sidecar(self.root / key)
        if path is None:
            expected = f"'{key}.landmarks' with one of {' '.join(READERS)} below '{self.root}'"
            raise BadInput(f"image '{key}'", "no landmark file", expected, "supply the file")
        landmarks = read_landmarks(path)
        height, width = color.shape[:2]
        centre = np.nanmedian(landmarks.points_px, axis=0)
        if not ((centre >= 0) & (centre <= [width, height])).all():
            got = f"points around ({centre[0]:.0f}, {centre[1]:.0f})"
            expected = f"points inside the image of {width}×{height}"
            raise BadInput(f"landmark file '{path}'", got, expected, "check which image they fit")
        return landmarks


def find_sidecar(stem: Path) -> Path | None:
    """The landmark file of an image, given its path without suffixes; None where there is none.

    A plain .json or .npy of that name may be anything, so these two need ``.landmarks`` before.
    """
    marked = [stem.with_name(f"{stem.name}.landmarks{suffix}") for suffix in READERS]
    plain = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".pts", ".ljson", ".tem")]
    return next((path for path in marked + plain if path.is_file()), None)


class MediaPipeDetector:
    """MediaPipe's face landmarker (478 points); the network is loaded at the first image.

    Args:
        model_path: the file ``face_landmarker.task``.
        min_confidence: below it a face is not taken, in [0, 1].
    """

    def __init__(self, model_path: str | Path, min_confidence: float = 0.3):
        if not Path(model_path).is_file():
            remedy = f"download it from {LANDMARKER_URL} and pass --face-landmarker PATH"
            raise BadInput(f"model '{model_path}'", "no such file", "a .task file", remedy)
        self.model_path = str(Path(model_path).resolve())
        self.min_confidence = min_confidence

    def detect(self, color: np.ndarray, key: str) -> Landmarks:
        """See Detector. Points may lie outside the image."""
        network, as_image = _mediapipe(self.model_path, self.min_confidence)
        found = network.detect(as_image(color)).face_landmarks
        if not found:
            raise _no_face(key, color)
        height, width = color.shape[:2]
        faces = [np.array([(p.x * width, p.y * height) for p in face]) for face in found]
        points = max(faces, key=lambda face: np.prod(np.ptp(face, axis=0)))
        return Landmarks(points, "mediapipe478", np.ones(len(points)))


@lru_cache(maxsize=2)
def _mediapipe(model_path: str, min_confidence: float):
    """The process's one landmarker, and the function that wraps an array for it."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        with _quiet_stderr():
            import mediapipe as mp
            from mediapipe.tasks.python import vision
            from mediapipe.tasks.python.core.base_options import BaseOptions
    except ImportError as error:
        raise MissingExtra("MediaPipe's face landmarker", "mediapipe") from error
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=model_path),
        num_faces=2,
        min_face_detection_confidence=min_confidence,
        min_face_presence_confidence=min_confidence,
    )
    try:
        with _quiet_stderr():
            network = vision.FaceLandmarker.create_from_options(options)
            _AT_EXIT.callback(network.close)
            # The first image builds the graph, which logs once more.
            blank = mp.Image(mp.ImageFormat.SRGB, np.zeros((64, 64, 3), dtype=np.uint8))
            network.detect(blank)
    except OSError as error:  # its library is loaded here, and needs the system's
        remedy = "as root: apt-get install libegl1 libgles2"
        raise BadInput("MediaPipe", str(error), "its system libraries", remedy) from error
    except (RuntimeError, ValueError) as error:
        got, remedy = f"unreadable ({error})", f"download it again from {LANDMARKER_URL}"
        raise BadInput(f"model '{model_path}'", got, "a face landmarker", remedy) from error

    def as_image(color: np.ndarray):
        return mp.Image(mp.ImageFormat.SRGB, np.ascontiguousarray(color))

    return network, as_image


class FaceAlignmentDetector:
    """face-alignment's 2D network (68 points), from weights on this machine; never downloads.

    Args:
        device: torch's device, e.g. "cpu" or "cuda".

    Raises:
        BadInput: the weights are not in the torch hub's folder.
        MissingExtra: the package is not installed.
    """

    def __init__(self, device: str = "cpu"):
        folder = hub_checkpoints()
        missing = [name for name in FACE_ALIGNMENT_FILES if not (folder / name).is_file()]
        if missing:
            files = " and ".join(missing)
            sources = " and ".join(FACE_ALIGNMENT_URL + name for name in missing)
            remedy = f"download {sources} into that folder"
            what = f"face-alignment's weights in '{folder}'"
            raise BadInput(what, f"no {files}", ", ".join(FACE_ALIGNMENT_FILES), remedy)
        self.device = device

    def detect(self, color: np.ndarray, key: str) -> Landmarks:
        """See Detector."""
        found = _face_alignment(self.device).get_landmarks_from_image(
            color, return_landmark_score=True
        )
        points, scores = (found[0], found[1]) if found else (None, None)
        if points is None or not len(points):
            raise _no_face(key, color)
        largest = max(range(len(points)), key=lambda i: np.prod(np.ptp(points[i][:, :2], axis=0)))
        # The network's coordinates count pixels from 0 at their centres.
        pixels = np.asarray(points[largest][:, :2], dtype=np.float64) + 0.5
        confidence = np.clip(np.asarray(scores[largest], dtype=np.float64).ravel(), 0, 1)
        return Landmarks(pixels, "ibug68", confidence)


@lru_cache(maxsize=1)
def _face_alignment(device: str):
    """The process's one network; eager on the CPU, where compiling takes longer than it saves."""
    try:
        import face_alignment
    except ImportError as error:
        raise MissingExtra("face-alignment's landmarks", "face-alignment") from error
    return face_alignment.FaceAlignment(
        face_alignment.LandmarksType.TWO_D, device=device, compile=device != "cpu"
    )


def hub_checkpoints() -> Path:
    """Where the torch hub keeps weights, without importing torch."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return Path(home).expanduser() / "hub" / "checkpoints"


def _choose(model_path: str | Path | None) -> tuple[str, dict]:
    """The best detector that this machine has, and its options."""
    if model_path is not None:
        return "mediapipe", {"model_path": model_path}
    if all((hub_checkpoints() / name).is_file() for name in FACE_ALIGNMENT_FILES):
        return "face-alignment", {}
    remedy = (
        f"download {LANDMARKER_URL} and pass --face-landmarker PATH, "
        f"or put {' and '.join(FACE_ALIGNMENT_FILES)} (from {FACE_ALIGNMENT_URL}) into "
        f"'{hub_checkpoints()}', or supply KEY.landmarks.json beside each image "
        f"(schemes: {', '.join(SCHEMES)})"
    )
    raise BadInput("landmark detector", "none available", "a model or landmark files", remedy)


def _no_face(key: str, color: np.ndarray) -> BadInput:
    got = f"no face found in {color.shape[1]}×{color.shape[0]} pixels"
    remedy = f"supply '{key}.landmarks.json' or check that the image is upright"
    return BadInput(f"image '{key}'", got, "one upright face, at least 100 px high", remedy)


@contextlib.contextmanager
def _quiet_stderr():
    """Silence what C++ writes to the standard error before its own log level takes effect."""
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
