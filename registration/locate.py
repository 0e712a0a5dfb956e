"""The 68 landmarks of a scan, from its own file, its frame, or a look from the side."""

import logging
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from faces.camera import Camera
from faces.detectors import Detector
from faces.errors import BadInput
from faces.landmarks import to_ibug68
from faces.types import Landmarks, Scan
from registration.readers.base import Reader, ScanRef, SideView

LOG = logging.getLogger(__name__)

LEFT_JAW, RIGHT_JAW = slice(0, 8), slice(9, 17)  # of ibug68, left and right in the image


def locate(scan: Scan, detector: Detector, reader: Reader, ref: ScanRef) -> Scan:
    """The scan with ibug68 landmarks: those of its file, else detected.

    Where the detector finds no face in the frame, it looks at the reader's side views; their
    points are lifted to 3D by the depth there and projected into the frame.

    Raises:
        BadInput: no face found in any view.
    """
    if scan.landmarks is not None:
        return replace(scan, landmarks=to_ibug68(scan.landmarks))
    try:
        return replace(scan, landmarks=to_ibug68(detector.detect(scan.color, scan.key)))
    except BadInput as frontal:
        found = _from_the_side(scan, detector, reader.side_views(ref))
        if found is None:
            raise frontal
        return replace(scan, landmarks=found)


def _from_the_side(scan: Scan, detector: Detector, views: Iterable[SideView]) -> Landmarks | None:
    """Landmarks by the first side view with a face; None where none has one."""
    for number, view in enumerate(views):
        try:
            landmarks = to_ibug68(detector.detect(view.color, f"{scan.key} from side {number}"))
        except BadInput as error:
            LOG.info("%s", error)
            continue
        return reproject(_without_far_jaw(landmarks, view), view, scan.camera)
    return None


def _without_far_jaw(landmarks: Landmarks, view: SideView) -> Landmarks:
    """ibug68 landmarks without the half of the jaw that the view does not see.

    A detector puts these points on the outline of what is seen, which is the cheek.
    """
    points = landmarks.points_px.copy()
    camera_is_left = view.translation_mm[0] < 0  # the view's centre in the scan's frame
    points[RIGHT_JAW if camera_is_left else LEFT_JAW] = np.nan
    return replace(landmarks, points_px=points)


def reproject(landmarks: Landmarks, view: SideView, camera: Camera) -> Landmarks:
    """A side view's landmarks where the scan's camera sees them; NaN where they miss the surface.

    Args:
        landmarks: of the view's image, any scheme.
        view: with depth.
        camera: of the scan.
    """
    height, width = view.depth_mm.shape
    known = np.nan_to_num(np.floor(landmarks.points_px), nan=-1).astype(np.int64)
    inside = ((known >= 0) & (known < [width, height])).all(1)
    u, v = np.where(inside[:, None], known, 0).T
    depth = np.where(inside, view.depth_mm[v, u], 0)
    points_mm = view.camera.unproject(landmarks.points_px, depth)
    points = camera.project(points_mm @ view.rotation.T + view.translation_mm)
    hit = depth > 0
    points[~hit] = np.nan
    confidence = np.where(hit, landmarks.confidence, 0)
    return Landmarks(points, landmarks.scheme, confidence)
