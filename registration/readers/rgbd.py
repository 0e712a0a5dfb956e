"""Folders of RGB-D frames: SUBJECT/FRAME.color.(png|jpg), .depth.png, camera.json."""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from faces.camera import Camera
from faces.detectors import find_sidecar
from faces.errors import BadInput
from faces.files import read_arrays
from faces.landmarks import read_landmarks
from faces.types import Landmarks, Scan
from registration.readers.base import (
    ScanRef,
    SideView,
    nearest_above,
    provenance_of,
    read_json,
)
from registration.readers.images import read_color, read_depth

DEPTH_SUFFIX = ".depth.png"
COLOR_SUFFIXES = (".color.png", ".color.jpg", ".color.jpeg")
FARTHEST = 1000  # times an image's size: beyond any lens' focal length and principal point
DISTORTION_COUNTS = (0, 4, 5, 8, 12, 14)  # what OpenCV's model takes


@dataclass(frozen=True)
class RgbdReader:
    """RGB-D frames below a root; colour and depth on the same pixels.

    Attributes:
        root: holds SUBJECT/FRAME.color.png (or .jpg) and SUBJECT/FRAME.depth.png; deeper folders
            are fine, the first one is the subject. camera.json lies in the frame's folder or in
            one above it. FRAME.landmarks.(json|pts|npy|ljson|tem) and FRAME.truth.npz are optional.
        depth_scale: millimetres a unit of the depth PNG.
        source, licence, consent: for the provenance; source.json where None.
    """

    root: Path
    depth_scale: float = 1.0
    source: str | None = None
    licence: str | None = None
    consent: str | None = None

    def refs(self) -> list[ScanRef]:
        """See Reader."""
        refs = {}
        for path in sorted(self.root.rglob("*.color.*")):
            suffix = next((s for s in COLOR_SUFFIXES if path.name.endswith(s)), None)
            if suffix is not None:
                ref = self._ref(path, suffix)
                refs.setdefault(ref.key, ref)
        for path in sorted(self.root.rglob(f"*{DEPTH_SUFFIX}")):
            # Its colour is named even where it is missing: read() says so.
            color = path.with_name(path.name[: -len(DEPTH_SUFFIX)] + COLOR_SUFFIXES[0])
            ref = self._ref(color, COLOR_SUFFIXES[0])
            refs.setdefault(ref.key, ref)
        if not refs:
            expected = "SUBJECT/FRAME.color.png (or .jpg) and SUBJECT/FRAME.depth.png"
            raise BadInput(f"scans '{self.root}'", "no colour image", expected, "check the layout")
        return [refs[key] for key in sorted(refs)]

    def _ref(self, path: Path, suffix: str) -> ScanRef:
        stem = path.with_name(path.name[: -len(suffix)])
        key = stem.relative_to(self.root).as_posix()
        depth = stem.with_name(stem.name + DEPTH_SUFFIX)
        truth = stem.with_name(f"{stem.name}.truth.npz")
        found = {
            "color": path,
            "depth": depth,  # named even where it is missing: read() says so
            "camera": nearest_above(self.root, path.parent, "camera.json"),
            "landmarks": find_sidecar(stem),
            "truth": truth if truth.is_file() else None,
        }
        files = {k: v.relative_to(self.root).as_posix() for k, v in found.items() if v is not None}
        return ScanRef(key, key.split("/")[0], files)

    def read(self, ref: ScanRef) -> Scan:
        """See Reader. Colour is undistorted by interpolation, depth by the nearest pixel."""
        camera = self._camera(ref)
        color_path, depth_path = self.root / ref.files["color"], self.root / ref.files["depth"]
        color = read_color(color_path)
        depth = read_depth(depth_path, self.depth_scale)
        _check_sizes(color_path, color, depth_path, depth, camera)
        landmarks = None
        if "landmarks" in ref.files:
            landmarks = _undistorted(read_landmarks(self.root / ref.files["landmarks"]), camera)
        given = {"source": self.source, "licence": self.licence, "consent": self.consent}
        return Scan(
            key=ref.key,
            subject=ref.subject,
            color=camera.undistort(color),
            depth_mm=camera.undistort(depth, nearest=True),
            camera=replace(camera, distortion=()),
            provenance=provenance_of(self.root, color_path.parent, given),
            landmarks=landmarks,
            truth=_truth(self.root / ref.files["truth"]) if "truth" in ref.files else {},
        )

    def side_views(self, ref: ScanRef) -> list[SideView]:
        """None: a frame is all there is."""
        return []

    def _camera(self, ref: ScanRef) -> Camera:
        if "camera" not in ref.files:
            folder = (self.root / ref.files["color"]).parent
            remedy = f"write '{folder / 'camera.json'}' from the sensor's calibration"
            expected = "camera.json in the frame's folder or above it"
            raise BadInput(f"scan '{ref.key}'", "no camera", expected, remedy)
        return read_camera(self.root / ref.files["camera"])


def read_camera(path: Path) -> Camera:
    """Intrinsics and distortion from camera.json.

    The object has ``width, height, fx, fy, cx, cy`` in px, optionally ``distortion`` (OpenCV's
    k1, k2, p1, p2, k3, …) and ``pixel_center``: 0.5 (the default) where the centre of the first
    pixel is (0.5, 0.5), 0 where it is (0, 0), as in OpenCV's and most sensors' calibrations.

    Raises:
        BadInput: a value is missing, not a number, or impossible.
    """
    record = read_json(path)
    what, remedy = f"camera '{path}'", "copy the values from the sensor's calibration"
    try:
        width, height = int(record["width"]), int(record["height"])
        fx, fy, cx, cy = (float(record[name]) for name in ("fx", "fy", "cx", "cy"))
        distortion = tuple(float(value) for value in record.get("distortion") or ())
        shift = 0.5 - float(record.get("pixel_center", 0.5))
    except KeyError as error:
        expected = "width, height, fx, fy, cx, cy"
        raise BadInput(what, f"no {error.args[0]}", expected, remedy) from error
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInput(what, str(error), "numbers", remedy) from error
    finite = np.isfinite([fx, fy, cx, cy, *distortion]).all()
    if not (min(width, height, fx, fy) > 0 and finite):
        got = f"size {width}×{height}, focal lengths {fx}, {fy}, principal point {cx}, {cy}"
        got += f", distortion {distortion}" if distortion else ""
        raise BadInput(what, got, "positive sizes and focal lengths, finite numbers", remedy)
    if not max(fx, fy, abs(cx), abs(cy)) <= FARTHEST * max(width, height):
        got = f"focal lengths {fx:g}, {fy:g}, principal point {cx:g}, {cy:g}"
        raise BadInput(what, got, f"pixels of a {width}×{height} image", remedy)
    if len(distortion) not in DISTORTION_COUNTS or shift not in (0, 0.5):
        got = f"{len(distortion)} distortion values, pixel_center {0.5 - shift}"
        raise BadInput(what, got, f"{DISTORTION_COUNTS} values, pixel_center 0 or 0.5", remedy)
    return Camera(width, height, fx, fy, cx + shift, cy + shift, distortion)


def _check_sizes(color_path, color, depth_path, depth, camera: Camera) -> None:
    sizes = (color.shape[:2], depth.shape, (camera.height, camera.width))
    if sizes[0] == sizes[1] == sizes[2]:
        return
    got = ", ".join(
        f"{name} {width}×{height}"
        for name, (height, width) in zip(("colour", "depth", "camera.json"), sizes, strict=True)
    )
    remedy = "register depth to the colour image and give that image's camera"
    raise BadInput(f"scan '{depth_path}' and '{color_path.name}'", got, "one size", remedy)


def _undistorted(landmarks: Landmarks, camera: Camera) -> Landmarks:
    """The landmarks where the undistorted image shows them."""
    if not any(camera.distortion):
        return landmarks
    known = np.isfinite(landmarks.points_px).all(1)
    points = np.full_like(landmarks.points_px, np.nan)
    matrix = camera.matrix
    points[known] = cv2.undistortPoints(
        landmarks.points_px[known, None], matrix, np.array(camera.distortion), P=matrix
    )[:, 0]
    return replace(landmarks, points_px=points)


def _truth(path: Path) -> dict[str, np.ndarray]:
    return read_arrays(path, f"truth '{path}'")
