"""Intel RealSense recordings: the .bag of librealsense's recorder and of the RealSense Viewer.

Read from the file itself: a recording that is played at its own pace loses frames while its reader
is busy, so that the same number is another frame in every run. The topics are
those of librealsense's ros_topic.h: /device_N/sensor_N/Depth_N and Color_N with image/data,
info/camera_info and tf (the reference stream's points to this stream's), and the option
Depth_Units. Frames of the newer .db3 are not read.
"""

import re
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy.spatial.transform import Rotation

from faces.camera import Camera
from faces.errors import BadInput
from imaging.limits import limits
from registration.readers.align import align_depth
from registration.readers.recording import RecordingReader, pairs_in_time
from registration.readers.rosbag import Message, Rosbag

# ROS encoding to (bytes a pixel, the channels that are red, green and blue)
COLOR_ENCODINGS = {"rgb8": (3, [0, 1, 2]), "bgr8": (3, [2, 1, 0])}
COLOR_ENCODINGS |= {"rgba8": (4, [0, 1, 2]), "bgra8": (4, [2, 1, 0])}
DEPTH_ENCODINGS = ("mono16", "16UC1")
DEPTH_UNIT_M = 0.001  # the sensors' default
REFIT_PX = 0.1  # to which an inverse distortion is followed by OpenCV's
_STREAM = re.compile(r"(/device_\d+/sensor_\d+)/(Depth|Color)_(\d+)/image/data")


@dataclass(frozen=True)
class RealsenseReader(RecordingReader):
    """RealSense .bag recordings; depth is brought onto the colour image's pixels."""

    LAYOUT: ClassVar[str] = "realsense"
    TREE: ClassVar[str] = "SUBJECT/NAME.bag of the RealSense Viewer or librealsense"
    PATTERN: ClassVar[re.Pattern] = re.compile(r"\.bag$", re.I)

    @classmethod
    def opener(cls, path: Path) -> "RealsenseRecording":
        return RealsenseRecording(path)


class RealsenseRecording:
    """See registration.readers.recording.Recording.

    Raises:
        BadInput: no bag, without a depth or a colour stream, of an encoding or a distortion that
            is not read, or no two images within 20 ms.
    """

    def __init__(self, path: Path):
        self._what = f"recording '{path}'"
        self._bag = Rosbag(path)
        color, depth = self._stream("Color"), self._stream("Depth")
        self._raw_camera = self._camera_of(color)
        self._raw_depth_camera = self._camera_of(depth)
        self.camera = replace(self._raw_camera, distortion=())
        self._depth_camera = replace(self._raw_depth_camera, distortion=())
        self._unit_mm = 1000 * self._depth_unit(depth)
        of_color, of_depth = self._placed(color), self._placed(depth)
        self._to_color = of_color @ np.linalg.inv(of_depth)
        self._pairs = self._paired(f"{color}/image/data", f"{depth}/image/data")

    def __len__(self) -> int:
        return len(self._pairs)

    def color(self, index: int) -> np.ndarray:
        """See Recording."""
        encoding, size, data = self._image(self._pairs[index][0])
        if encoding not in COLOR_ENCODINGS:
            raise self._bad(f"colour of encoding '{encoding}'", f"one of {list(COLOR_ENCODINGS)}")
        width_bytes, order = COLOR_ENCODINGS[encoding]
        image = self._shaped(data, size, width_bytes, np.uint8, self._raw_camera)
        return self._raw_camera.undistort(np.ascontiguousarray(image[..., order]))

    def depth(self, index: int) -> np.ndarray:
        """See Recording."""
        encoding, size, data = self._image(self._pairs[index][1])
        if encoding not in DEPTH_ENCODINGS:
            raise self._bad(f"depth of encoding '{encoding}'", f"one of {DEPTH_ENCODINGS}")
        image = self._shaped(data, size, 2, "<u2", self._raw_depth_camera)[..., 0]
        depth = self._raw_depth_camera.undistort(image.astype(np.float32), nearest=True)
        rotation, translation = self._to_color[:3, :3], 1000 * self._to_color[:3, 3]
        depth_mm = depth * np.float32(self._unit_mm)
        return align_depth(depth_mm, self._depth_camera, self.camera, rotation, translation)

    def _stream(self, kind: str) -> str:
        """The topic of the first stream of a kind that has images."""
        found = sorted(
            f"{m[1]}/{m[2]}_{m[3]}"
            for name, messages in self._bag.topics.items()
            if (m := _STREAM.fullmatch(name)) and m[2] == kind and messages
        )
        if not found:
            raise self._bad(f"no {kind.lower()} stream", "a depth and a colour stream")
        return found[0]

    def _first(self, topic: str) -> bytes | None:
        messages = self._bag.topics.get(topic)
        return self._bag.read(messages[0]) if messages else None

    def _camera_of(self, stream: str) -> Camera:
        data = self._first(f"{stream}/info/camera_info")
        if data is None:
            raise self._bad(f"no camera of {stream}", "its camera_info")
        try:
            at = _skip_header(data)
            height, width, length = struct.unpack_from("<III", data, at)
            model = data[at + 12 : at + 12 + length].decode()
            (count,) = struct.unpack_from("<I", data, at + 12 + length)
            numbers = struct.unpack_from(f"<{count + 9}d", data, at + 16 + length)
        except (struct.error, UnicodeDecodeError) as error:
            raise self._bad(
                f"camera_info of {stream}: {error}", "a sensor_msgs/CameraInfo"
            ) from error
        fx, _, cx, _, fy, cy = numbers[count : count + 6]
        if not (min(width, height, fx, fy) > 0 and width * height <= limits().image_pixels):
            raise self._bad(f"{stream}: {width}×{height} px, f {fx}, {fy}", "a camera")
        camera = Camera(width, height, fx, fy, cx + 0.5, cy + 0.5)  # theirs counts from centres
        return replace(camera, distortion=self._distortion(model, numbers[:count], camera))

    def _distortion(self, model: str, values: tuple[float, ...], camera: Camera):
        if not any(values):
            return ()
        if model == "Brown Conrady":
            return values
        if model == "Inverse Brown Conrady":
            refit, residual_px = _inverted(values, camera)
            if residual_px <= REFIT_PX:
                return refit
            raise self._bad(f"a distortion {residual_px:.2f} px from OpenCV's", f"{REFIT_PX} px")
        raise self._bad(f"distortion '{model}'", "none, Brown Conrady or its inverse")

    def _depth_unit(self, stream: str) -> float:
        data = self._first(f"{stream.rsplit('/', 1)[0]}/option/Depth_Units/value")
        unit_m = struct.unpack_from("<f", data)[0] if data is not None and len(data) > 3 else 0.0
        return round(unit_m, 9) if unit_m > 0 else DEPTH_UNIT_M

    def _placed(self, stream: str) -> np.ndarray:
        """(4, 4), metres: points of the reference stream to this stream's frame."""
        topic = next((t for t in sorted(self._bag.topics) if t.startswith(f"{stream}/tf/")), "")
        data, matrix = self._first(topic), np.eye(4)
        if data is None:
            raise self._bad(f"no extrinsics of {stream}", "its tf")
        if len(data) < 56:
            raise self._bad(
                f"extrinsics of {stream}: {len(data)} bytes", "a geometry_msgs/Transform"
            )
        values = struct.unpack_from("<7d", data)
        if not np.isfinite(values).all() or not any(values[3:]):
            raise self._bad(f"extrinsics of {stream}: {values}", "a translation and a rotation")
        matrix[:3, :3] = Rotation.from_quat(values[3:]).as_matrix()  # x, y, z, w
        matrix[:3, 3] = values[:3]
        return matrix

    def _paired(self, color: str, depth: str) -> list[tuple[Message, Message]]:
        """Each colour image with the depth image nearest in time, in the order of time."""
        colors, depths = self._bag.topics[color], self._bag.topics[depth]
        times = [np.array([m.time_ns for m in messages]) for messages in (colors, depths)]
        pairs = [(colors[i], depths[k]) for i, k in pairs_in_time(*times)]
        if not pairs:
            raise self._bad("no depth image within 20 ms of a colour image", "both streams at once")
        return pairs

    def _image(self, message: Message) -> tuple[str, tuple[int, int, int], bytes]:
        """(encoding, (height, width, bytes a row), pixels) of a sensor_msgs/Image."""
        data = self._bag.read(message)
        try:
            at = _skip_header(data)
            height, width, length = struct.unpack_from("<III", data, at)
            at += 12 + length
            encoding = data[at - length : at].decode()
            _, step, count = struct.unpack_from("<BII", data, at)
        except (struct.error, UnicodeDecodeError) as error:
            raise self._bad(f"an image: {error}", "a sensor_msgs/Image") from error
        return encoding, (height, width, step), data[at + 9 : at + 9 + count]

    def _shaped(self, data, size, pixel_bytes: int, dtype, camera: Camera) -> np.ndarray:
        """(H, W, channels) of an image's bytes."""
        height, width, step = size
        fits = (width, height) == (camera.width, camera.height) and step >= width * pixel_bytes
        if not fits or len(data) != height * step:
            got = f"an image of {width}×{height}, {step} bytes a row, {len(data):,} bytes in all"
            raise self._bad(got, f"{camera.width}×{camera.height} pixels of {pixel_bytes} bytes")
        rows = np.frombuffer(data, np.uint8).reshape(height, step)[:, : width * pixel_bytes]
        return np.ascontiguousarray(rows).view(dtype).reshape(height, width, -1)

    def _bad(self, got: str, expected: str) -> BadInput:
        remedy = "record depth (Z16) and colour (RGB8) of one device"
        return BadInput(self._what, got, expected, remedy)


def _skip_header(data: bytes) -> int:
    """The first byte after a std_msgs/Header."""
    (length,) = struct.unpack_from("<I", data, 12)
    return 16 + length


def _inverted(values: tuple[float, ...], camera: Camera) -> tuple[tuple[float, ...], float]:
    """OpenCV's (k1, k2, p1, p2, k3) of librealsense's inverse model, and the residual in px.

    The inverse model carries image rays to true rays (rsutil.h, rs2_deproject_pixel_to_point);
    OpenCV's carries true rays to image rays and is linear in its coefficients.
    """
    v, u = np.mgrid[0 : camera.height : 25j, 0 : camera.width : 33j]
    x, y = ((u - camera.cx) / camera.fx).ravel(), ((v - camera.cy) / camera.fy).ravel()
    k1, k2, p1, p2, k3 = values[:5]
    square = x * x + y * y
    radial = 1 + square * (k1 + square * (k2 + square * k3))
    true_x = x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x)
    true_y = y * radial + 2 * p2 * x * y + p1 * (square + 2 * y * y)
    r2, cross = true_x**2 + true_y**2, 2 * true_x * true_y
    across = [true_x * r2, true_x * r2**2, cross, r2 + 2 * true_x**2, true_x * r2**3]
    down = [true_y * r2, true_y * r2**2, r2 + 2 * true_y**2, cross, true_y * r2**3]
    system = np.concatenate([np.stack(across, 1), np.stack(down, 1)])
    wanted = np.concatenate([x - true_x, y - true_y])
    found = np.linalg.lstsq(system, wanted, rcond=None)[0]
    residual_px = float(np.abs(system @ found - wanted).max() * camera.fx)
    return tuple(float(value) for value in found), residual_px
