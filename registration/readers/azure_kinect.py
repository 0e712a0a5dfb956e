"""Azure Kinect recordings: the .mkv of k4arecorder, by Open3D and the Azure Kinect SDK.

Open3D's reader carries depth onto the colour image with the SDK's own transformation. It loads
the SDK's libk4arecord at run time, which Open3D's wheel does not bring.
"""

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np

from faces.camera import Camera
from faces.errors import BadInput, MissingExtra
from registration.readers.recording import RecordingReader

SDK = "the Azure Kinect SDK's libk4arecord and depth engine"


class Playback(Protocol):
    """What is used of Open3D's AzureKinectMKVReader."""

    def open(self, path: str) -> bool: ...

    def intrinsics(self) -> dict:
        """``width``, ``height`` and ``intrinsic_matrix``, nine numbers column by column."""
        ...

    def is_eof(self) -> bool: ...

    def next_frame(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Colour (H, W, 3) uint8 and depth (H, W) uint16 mm on its pixels; None: one is missing."""
        ...

    def close(self) -> None: ...


class Open3dPlayback:
    """Playback by Open3D.

    Raises:
        MissingExtra: Open3D is not installed.
    """

    def __init__(self):
        try:
            import open3d
        except ImportError as error:
            raise MissingExtra("reading an Azure Kinect recording", "open3d") from error
        self._io, self._reader = open3d.io, open3d.io.AzureKinectMKVReader()

    def open(self, path: str) -> bool:
        return self._reader.open(path) and self._reader.is_opened()

    def intrinsics(self) -> dict:
        # Its Python class has no attribute for them; its JSON does.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "intrinsic.json"
            self._io.write_azure_kinect_mkv_metadata(str(path), self._reader.get_metadata())
            return json.loads(path.read_text())

    def is_eof(self) -> bool:
        return self._reader.is_eof()

    def next_frame(self) -> tuple[np.ndarray, np.ndarray] | None:
        frame = self._reader.next_frame()
        if frame is None or frame.color.is_empty() or frame.depth.is_empty():
            return None
        return np.asarray(frame.color), np.asarray(frame.depth)

    def close(self) -> None:
        self._reader.close()


@dataclass(frozen=True)
class AzureKinectReader(RecordingReader):
    """Azure Kinect .mkv recordings. The colour lens' distortion is not in what Open3D hands out;
    it is taken as none."""

    LAYOUT: ClassVar[str] = "azure-kinect"
    TREE: ClassVar[str] = "SUBJECT/NAME.mkv of k4arecorder"
    PATTERN: ClassVar[re.Pattern] = re.compile(r"\.mkv$", re.I)

    @classmethod
    def opener(cls, path: Path) -> "AzureKinectRecording":
        return AzureKinectRecording(path, Open3dPlayback)


class AzureKinectRecording:
    """See registration.readers.recording.Recording; a frame before the last one asked for costs
    a playback from the start.

    Args:
        path: the file.
        playback: makes a new Playback.

    Raises:
        BadInput: unreadable, the SDK is missing, or no frame with colour and depth.
    """

    def __init__(self, path: Path, playback: type[Playback]):
        self._path, self._what, self._make = path, f"recording '{path}'", playback
        self._playing, self._at, self._frame = None, -1, None
        self._rewind()
        self.camera = self._camera()
        self._count = 0
        while self._next() is not None:
            self._count += 1
        if not self._count:
            raise self._bad("no frame with both colour and depth", "frames with both")

    def __len__(self) -> int:
        return self._count

    def color(self, index: int) -> np.ndarray:
        """See Recording."""
        return self._seek(index)[0]

    def depth(self, index: int) -> np.ndarray:
        """See Recording."""
        return self._seek(index)[1].astype(np.float32)

    def _seek(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if self._frame is None or index < self._at:
            self._rewind()
        while self._at < index:
            self._frame = self._next()
            if self._frame is None:
                raise self._bad(f"{self._at + 1} frames on this reading", f"{self._count}")
            self._at += 1
        return self._frame

    def _rewind(self) -> None:
        if self._playing is not None:
            self._playing.close()
        self._playing, self._at, self._frame = self._make(), -1, None
        try:
            opened = self._playing.open(str(self._path))
        except RuntimeError as error:
            raise self._without_sdk(str(error)) from error
        if not opened:
            raise self._bad("Open3D cannot open it", "an .mkv of k4arecorder")

    def _next(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The next frame with colour and depth; None at the end."""
        try:
            while not self._playing.is_eof():
                frame = self._playing.next_frame()
                if frame is not None:
                    self._check(*frame)
                    return np.array(frame[0]), np.array(frame[1])
        except RuntimeError as error:
            raise self._without_sdk(str(error)) from error
        return None

    def _check(self, color: np.ndarray, depth: np.ndarray) -> None:
        size = (self.camera.height, self.camera.width)
        if color.shape != (*size, 3) or color.dtype != np.uint8 or depth.shape != size:
            got = f"colour {color.shape} {color.dtype}, depth {depth.shape}"
            raise self._bad(got, f"8-bit colour and depth of {size}")

    def _camera(self) -> Camera:
        record = self._playing.intrinsics()
        try:
            width, height = int(record["width"]), int(record["height"])
            fx, _, _, _, fy, _, cx, cy, _ = (float(x) for x in record["intrinsic_matrix"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._bad(f"intrinsics {record}", "size and nine numbers") from error
        if not (min(width, height) > 0 and min(fx, fy) > 1):  # the identity where nobody wrote it
            raise self._bad(f"{width}×{height} px, f {fx}, {fy}", "a calibrated colour camera")
        return Camera(width, height, fx, fy, cx + 0.5, cy + 0.5)  # theirs counts from centres

    def _without_sdk(self, message: str) -> BadInput:
        got = re.sub(r"\x1b\[[0-9;]*m", "", message).strip().replace("\n", " ")
        remedy = "install the SDK, or convert the recording to the rgbd layout where it is"
        return BadInput(self._what, got, SDK, remedy)

    def _bad(self, got: str, expected: str) -> BadInput:
        return BadInput(self._what, got, expected, "record colour and depth with k4arecorder")
