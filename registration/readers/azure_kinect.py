"""Azure Kinect recordings: the .mkv of k4arecorder and of the SDK's recording API.

Read from the file itself, so that neither the SDK nor its closed depth engine is needed. Tracks
and attachments: the SDK's record-file-format.md. Cameras: calibration.json as calibration.c reads
it, modes as mode_specific_calibration.c has them, both of Azure-Kinect-Sensor-SDK 1.4.
"""

import io
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from faces.camera import Camera
from faces.errors import BadInput
from registration.readers.align import align_depth
from registration.readers.images import opened, rgb_of
from registration.readers.matroska import Matroska, Track
from registration.readers.recording import RecordingReader, pairs_in_time

# image size: the size that the calibration's unit square stands for, and the window cut from it
COLOR_MODES = {
    (1280, 720): ((1280, 960), (0, 120)),
    (1920, 1080): ((1920, 1440), (0, 180)),
    (2560, 1440): ((2560, 1920), (0, 240)),
    (2048, 1536): ((2048, 1536), (0, 0)),
    (3840, 2160): ((3840, 2880), (0, 360)),
    (4096, 3072): ((4096, 3072), (0, 0)),
}
DEPTH_MODES = {
    (320, 288): ((512, 512), (96, 90)),
    (640, 576): ((1024, 1024), (192, 180)),
    (512, 512): ((512, 512), (0, 0)),
    (1024, 1024): ((1024, 1024), (0, 0)),
}
COLOR_CAMERA, DEPTH_CAMERA = "CALIBRATION_CameraLocationPV0", "CALIBRATION_CameraLocationD0"
MODEL = "CALIBRATION_LensDistortionModelBrownConrady"
CALIBRATION = "calibration.json"


@dataclass(frozen=True)
class AzureKinectReader(RecordingReader):
    """Azure Kinect .mkv recordings; depth is brought onto the colour image's pixels."""

    LAYOUT: ClassVar[str] = "azure-kinect"
    TREE: ClassVar[str] = "SUBJECT/NAME.mkv of k4arecorder"
    PATTERN: ClassVar[re.Pattern] = re.compile(r"\.mkv$", re.I)

    @classmethod
    def opener(cls, path: Path) -> "AzureKinectRecording":
        return AzureKinectRecording(path)


class AzureKinectRecording:
    """See registration.readers.recording.Recording.

    Raises:
        BadInput: no Matroska file, without a colour or depth track or their calibration, of a
            mode or format that is not read, or no two images within 20 ms.
    """

    def __init__(self, path: Path):
        self._what = f"recording '{path}'"
        self._file = Matroska(path)
        self._color, self._depth = self._track("COLOR"), self._track("DEPTH")
        cameras = self._cameras()
        self._raw_camera, world_to_color = self._camera_of(
            cameras, COLOR_CAMERA, self._color, COLOR_MODES
        )
        self._raw_depth_camera, world_to_depth = self._camera_of(
            cameras, DEPTH_CAMERA, self._depth, DEPTH_MODES
        )
        self.camera = replace(self._raw_camera, distortion=())
        self._depth_camera = replace(self._raw_depth_camera, distortion=())
        self._to_color = world_to_color @ np.linalg.inv(world_to_depth)
        times = [np.array([t for t, _, _ in track.blocks]) for track in (self._color, self._depth)]
        self._pairs = pairs_in_time(*times)
        if not self._pairs:
            raise self._bad("no depth image within 20 ms of a colour image", "both at once")

    def __len__(self) -> int:
        return len(self._pairs)

    def color(self, index: int) -> np.ndarray:
        """See Recording."""
        data = self._file.bytes_of(self._color.blocks[self._pairs[index][0]])
        width, height = self._color.width, self._color.height
        code = _four_letters(self._color)
        if code == "MJPG":
            image = self._jpeg(data)
        elif code in ("NV12", "YUY2"):
            image = self._yuv(data, code)
        else:
            raise self._bad(f"colour of format '{code}'", "MJPG, NV12 or YUY2")
        if image.shape != (height, width, 3):
            raise self._bad(f"an image of shape {image.shape}", f"{width}×{height} in colour")
        return self._raw_camera.undistort(image)

    def depth(self, index: int) -> np.ndarray:
        """See Recording."""
        data = self._file.bytes_of(self._depth.blocks[self._pairs[index][1]])
        code, size = _four_letters(self._depth), (self._depth.height, self._depth.width)
        if code != "b16g" or len(data) != 2 * size[0] * size[1]:
            got = f"depth of format '{code}', {len(data):,} bytes"
            raise self._bad(got, f"b16g of {size[1]}×{size[0]} pixels")
        raw = np.frombuffer(data, ">u2").reshape(size).astype(np.float32)
        depth = self._raw_depth_camera.undistort(raw, nearest=True)
        rotation, translation = self._to_color[:3, :3], self._to_color[:3, 3]
        return align_depth(depth, self._depth_camera, self.camera, rotation, translation)

    def _jpeg(self, data: bytes) -> np.ndarray:
        what = f"colour of {self._what}"
        with opened(io.BytesIO(data), "JPEG", what) as image:
            return rgb_of(image, what)

    def _yuv(self, data: bytes, code: str) -> np.ndarray:
        width, height = self._color.width, self._color.height
        shape = (height * 3 // 2, width) if code == "NV12" else (height, width, 2)
        if len(data) != np.prod(shape):
            raise self._bad(f"{code} of {len(data):,} bytes", f"{np.prod(shape):,} bytes")
        how = cv2.COLOR_YUV2RGB_NV12 if code == "NV12" else cv2.COLOR_YUV2RGB_YUY2
        return cv2.cvtColor(np.frombuffer(data, np.uint8).reshape(shape), how)

    def _track(self, name: str) -> Track:
        track = self._file.tracks.get(name)
        if track is None or not track.blocks:
            raise self._bad(f"no images in a track '{name}'", "tracks COLOR and DEPTH")
        return track

    def _cameras(self) -> dict[str, dict]:
        try:
            record = json.loads(self._file.attachments[CALIBRATION].rstrip(b"\0"))
            cameras = record["CalibrationInformation"]["Cameras"]
            return {camera["Location"]: camera for camera in cameras}
        except (KeyError, TypeError, ValueError) as error:
            got = f"no calibration ({type(error).__name__}: {error})"
            raise self._bad(got, f"the attachment {CALIBRATION}") from error

    def _camera_of(self, cameras, location: str, track: Track, modes):
        """(camera, (4, 4) world to camera in mm) of a track."""
        size = (track.width, track.height)
        try:
            record = cameras[location]
            inner, placed = record["Intrinsics"], record["Rt"]
            values = [float(value) for value in inner["ModelParameters"]]
            matrix = np.eye(4)
            matrix[:3, :3] = np.reshape([float(v) for v in placed["Rotation"]], (3, 3))
            matrix[:3, 3] = [1000 * float(value) for value in placed["Translation"]]
            cx, cy, fx, fy, k1, k2, k3, k4, k5, k6, codx, cody, p2, p1 = values[:14]
            tall = int(record["SensorWidth"]) * 3 == int(record["SensorHeight"]) * 4
            model = inner["ModelType"]
        except (KeyError, TypeError, ValueError) as error:
            got = f"calibration of {location}: {type(error).__name__}: {error}"
            raise self._bad(got, "14 parameters, a rotation and a translation") from error
        if size not in modes or model != MODEL or codx or cody:
            got = f"{size[0]}×{size[1]} px with {model}, distortion about ({codx}, {cody})"
            raise self._bad(got, f"one of {list(modes)} with {MODEL} about (0, 0)")
        if location == COLOR_CAMERA and not tall:  # old calibrations are of the 16:9 window
            cy, fy = (cy * 2304 + 384) / 3072, fy * 2304 / 3072
        # The unit square's corner is (0, 0), as in faces.camera: no half pixel to shift by.
        (wide, high), (left, top) = modes[size]
        distortion = (k1, k2, p1, p2, k3, k4, k5, k6)
        focal, principal = (fx * wide, fy * high), (cx * wide - left, cy * high - top)
        if not (np.isfinite([*focal, *principal, *matrix.ravel()]).all() and min(focal) > 0):
            raise self._bad(f"calibration of {location}: f {focal}", "a camera")
        return Camera(*size, *focal, *principal, distortion if any(distortion) else ()), matrix

    def _bad(self, got: str, expected: str) -> BadInput:
        return BadInput(self._what, got, expected, "record colour and depth with k4arecorder")


def _four_letters(track: Track) -> str:
    """The format's code, from the BITMAPINFOHEADER that is the codec's private data."""
    return track.private[16:20].decode("ascii", "replace")
