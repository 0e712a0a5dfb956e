"""Folders of plain photos: no depth, and a camera that the file tells or nobody does."""

import io
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from faces.camera import Camera
from faces.detectors import find_sidecar
from faces.errors import BadInput
from faces.files import read_text
from faces.landmarks import SCHEMES, read_landmarks
from faces.types import Landmarks, Scan
from registration.readers.base import ScanRef, SideView, nearest_above, provenance_of
from registration.readers.images import opened, rgb_of
from registration.readers.rgbd import read_camera

LOG = logging.getLogger(__name__)

SUFFIXES = (".jpg", ".jpeg", ".png")
LARGEST_PX = 1024  # of the longer side; larger photos are reduced
SMALLEST_PX = 64
# A head and shoulders that fill the frame from 1.5 m: a portrait lens of 85 mm before 35 mm film.
DEFAULT_FOCAL_35MM = 85.0
FILM_DIAGONAL_MM = 43.27  # of 36 × 24 mm, which equivalent focal lengths go by (CIPA DCG-001)
FOCAL_35MM_RANGE = (10.0, 1000.0)  # lenses that are made; beyond, the tag is wrong
EXIF_IFD, FOCAL_35MM_TAG = 0x8769, 0xA405  # Exif 2.3, 4.6.5


@dataclass(frozen=True)
class PhotoReader:
    """Photos below a root, one face each.

    A WebMorph template (.tem) of a number of points that no known scheme has is left out with a
    warning: such templates are drawn up for a study. The detector then finds the points.

    Attributes:
        root: holds SUBJECT/NAME.jpg (or .jpeg, .png), deeper folders are fine and the first one is
            the subject; a photo right below the root is a subject of its own. Optional beside
            each: NAME.landmarks.(json|pts|npy|ljson|tem), or NAME.tem, in pixels of the upright
            photo; and camera.json in its folder or above, for photos of that very size.
        source, licence, consent: for the provenance; source.json where None.
    """

    root: Path
    source: str | None = None
    licence: str | None = None
    consent: str | None = None

    def refs(self) -> list[ScanRef]:
        """See Reader."""
        refs = {}
        for path in sorted(self.root.rglob("*")):
            if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
                ref = self._ref(path)
                if ref.key in refs:
                    LOG.warning("photo '%s': left out, another has its name", path)
                refs.setdefault(ref.key, ref)
        if not refs:
            expected = "SUBJECT/NAME.jpg (or .jpeg, .png)"
            raise BadInput(f"scans '{self.root}'", "no photo", expected, "check the folder")
        return [refs[key] for key in sorted(refs)]

    def _ref(self, path: Path) -> ScanRef:
        inner = path.relative_to(self.root)
        key = inner.with_suffix("").as_posix()
        found = {
            "color": path,
            "camera": nearest_above(self.root, path.parent, "camera.json"),
            "landmarks": find_sidecar(path.with_suffix("")),
        }
        files = {k: v.relative_to(self.root).as_posix() for k, v in found.items() if v is not None}
        return ScanRef(key, key.split("/")[0], files)

    def read(self, ref: ScanRef) -> Scan:
        """See Reader. The depth is 0 everywhere: a photo has none."""
        path = self.root / ref.files["color"]
        color, focal_35mm = read_photo(path)
        camera = self._camera(ref, color, focal_35mm)
        landmarks = None
        if "landmarks" in ref.files:
            landmarks = _landmarks(self.root / ref.files["landmarks"])
        color, camera, landmarks = _reduced(camera.undistort(color), camera, landmarks)
        given = {"source": self.source, "licence": self.licence, "consent": self.consent}
        return Scan(
            key=ref.key,
            subject=ref.subject,
            color=color,
            depth_mm=np.zeros(color.shape[:2], np.float32),
            camera=camera,
            provenance=provenance_of(self.root, path.parent, given),
            landmarks=landmarks,
        )

    def side_views(self, ref: ScanRef) -> list[SideView]:
        """None: a photo is all there is."""
        return []

    def _camera(self, ref, color, focal_35mm):
        height, width = color.shape[:2]
        if "camera" not in ref.files:
            return photo_camera(width, height, focal_35mm)
        camera = read_camera(self.root / ref.files["camera"])
        if any(camera.distortion) and "landmarks" in ref.files:
            got, expected = "a lens distortion beside landmarks of the distorted photo", "either"
            remedy = "straighten the photo, or leave the distortion or the landmarks out"
            raise BadInput(f"photo '{ref.key}'", got, expected, remedy)
        if (camera.width, camera.height) != (width, height):
            got = f"a camera of {camera.width}×{camera.height}"
            expected = f"the photo's {width}×{height}"
            raise BadInput(f"photo '{ref.key}'", got, expected, "give the camera of this photo")
        return camera


def read_photo(path: Path | io.BytesIO, name: str = "") -> tuple[np.ndarray, float | None]:
    """Upright photo (H, W, 3) uint8 sRGB, and its focal length in mm before 35 mm film.

    The EXIF orientation is applied, mirror images included. The focal length is None where the
    file has none, or one that no lens has.

    Args:
        path: the file, or its bytes.
        name: of bytes, for the messages.

    Raises:
        BadInput: missing, damaged, truncated, too large, or too small to show a face.
    """
    what = f"photo '{name or path}'"
    with opened(path, "a photo", what) as image:
        upright, focal = _by_exif(image)
        color = rgb_of(upright, what)
    if min(color.shape[:2]) < SMALLEST_PX:
        got, expected = f"{color.shape[1]}×{color.shape[0]} pixels", f"at least {SMALLEST_PX}"
        raise BadInput(what, got, expected, "leave thumbnails out")
    return color, _plausible(focal)


def _by_exif(image: Image.Image) -> tuple[Image.Image, object]:
    """The upright image and the tag of its focal length; as stored where the tags are damaged."""
    try:
        return ImageOps.exif_transpose(image), image.getexif().get_ifd(EXIF_IFD).get(FOCAL_35MM_TAG)
    except Exception as error:  # Pillow's reader of tags lets many kinds through
        LOG.warning("photo: damaged EXIF left out (%s: %s)", type(error).__name__, error)
        return image, None


def _landmarks(path: Path) -> Landmarks | None:
    """The points of a file; None for a WebMorph template that somebody drew up himself."""
    if path.suffix.lower() == ".tem":
        text = read_text(path, f"landmark file '{path}'", errors="replace")
        count = text.split("\n", 1)[0].strip()
        if count.isdigit() and int(count) not in SCHEMES.values():
            LOG.warning("landmark file '%s': %s points of no known scheme, left out", path, count)
            return None
    return read_landmarks(path)


def _plausible(focal):
    """A focal length as a number, or None."""
    try:
        focal = float(focal)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return focal if FOCAL_35MM_RANGE[0] <= focal <= FOCAL_35MM_RANGE[1] else None


def photo_camera(width: int, height: int, focal_35mm: float | None = None) -> Camera:
    """A photo's pinhole, its principal point in the middle.

    Args:
        focal_35mm: focal length in mm before 35 mm film; None for DEFAULT_FOCAL_35MM.
    """
    focal = (focal_35mm or DEFAULT_FOCAL_35MM) / FILM_DIAGONAL_MM * float(np.hypot(width, height))
    return Camera(width, height, focal, focal, width / 2, height / 2)


def _reduced(
    color: np.ndarray, camera: Camera, landmarks: Landmarks | None
) -> tuple[np.ndarray, Camera, Landmarks | None]:
    """All three at LARGEST_PX; as they are where they are no larger."""
    height, width = color.shape[:2]
    scale = LARGEST_PX / max(width, height)
    if scale >= 1:
        return color, replace(camera, distortion=()), landmarks
    size = (round(width * scale), round(height * scale))
    zoom = np.array(size) / (width, height)  # whole pixels: not quite the same along both axes
    color = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
    camera = Camera(
        *size,
        camera.fx * zoom[0],
        camera.fy * zoom[1],
        camera.cx * zoom[0],
        camera.cy * zoom[1],
    )
    if landmarks is not None:
        landmarks = replace(landmarks, points_px=landmarks.points_px * zoom)
    return color, camera, landmarks
