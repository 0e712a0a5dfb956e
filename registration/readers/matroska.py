"""Matroska files (RFC 9559): the tracks' blocks by their places, and attachments.

An element is an id, a size and either a value or further elements (EBML, RFC 8794). Only what a
recording of images needs is read; the blocks' bytes stay in the file until they are asked for.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from faces.errors import BadInput

EBML, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
INFO, TIMESTAMP_SCALE = 0x1549A966, 0x2AD7B1
TRACKS, TRACK_ENTRY = 0x1654AE6B, 0xAE
TRACK_NUMBER, TRACK_NAME, CODEC_PRIVATE = 0xD7, 0x536E, 0x63A2
VIDEO, PIXEL_WIDTH, PIXEL_HEIGHT = 0xE0, 0xB0, 0xBA
CLUSTER_TIME, SIMPLE_BLOCK, BLOCK_GROUP, BLOCK = 0xE7, 0xA3, 0xA0, 0xA1
ATTACHMENTS, ATTACHED_FILE, FILE_NAME, FILE_DATA = 0x1941A469, 0x61A7, 0x466E, 0x465C
LACING = 0x06  # flags of a block that holds several frames
DEFAULT_SCALE_NS = 1_000_000


@dataclass(slots=True)
class Track:
    """One track.

    Attributes:
        width, height: px; 0 where it has no video.
        private: the codec's own header.
        blocks: (time in ns, first byte, end) of each frame, in the order of time.
    """

    width: int = 0
    height: int = 0
    private: bytes = b""
    blocks: list[tuple[int, int, int]] = field(default_factory=list)


class Matroska:
    """An open file.

    Attributes:
        tracks: by name.
        attachments: bytes by file name.

    Raises:
        BadInput: no Matroska file, or damaged.
    """

    def __init__(self, path: Path):
        self.tracks: dict[str, Track] = {}
        self.attachments: dict[str, bytes] = {}
        self._numbers: dict[int, Track] = {}
        self._scale_ns = DEFAULT_SCALE_NS
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._read()
        # mmap refuses an empty file, and its slices end where the file does.
        except (OSError, ValueError, IndexError, struct.error) as error:
            expected, remedy = "a Matroska file, closed by its recorder", "record or copy it again"
            raise BadInput(f"recording '{path}'", str(error), expected, remedy) from error

    def bytes_of(self, block: tuple[int, int, int]) -> bytes:
        """The bytes of one of a track's blocks."""
        return self._data[block[1] : block[2]]

    def _read(self) -> None:
        elements = list(self._elements(0, len(self._data)))
        if not elements or elements[0][0] != EBML:
            raise ValueError("no EBML header")
        for kind, start, end in elements:
            if kind == SEGMENT:
                self._segment(start, end)
        if not self.tracks:
            raise ValueError("no tracks")
        for track in self.tracks.values():
            track.blocks.sort()

    def _segment(self, start: int, end: int) -> None:
        clusters = []
        for kind, first, last in self._elements(start, end):
            if kind == INFO:
                self._scale_ns = self._number(first, last, TIMESTAMP_SCALE, DEFAULT_SCALE_NS)
            elif kind == TRACKS:
                for child, a, b in self._elements(first, last):
                    if child == TRACK_ENTRY:
                        self._track(a, b)
            elif kind == ATTACHMENTS:
                for child, a, b in self._elements(first, last):
                    if child == ATTACHED_FILE:
                        name = self._value(a, b, FILE_NAME).decode("utf-8", "replace")
                        self.attachments[name] = self._value(a, b, FILE_DATA)
            elif kind == CLUSTER:
                clusters.append((first, last))
        for first, last in clusters:
            self._cluster(first, last)

    def _track(self, start: int, end: int) -> None:
        track = Track(private=self._value(start, end, CODEC_PRIVATE))
        for kind, first, last in self._elements(start, end):
            if kind == VIDEO:
                track.width = self._number(first, last, PIXEL_WIDTH, 0)
                track.height = self._number(first, last, PIXEL_HEIGHT, 0)
        self._numbers[self._number(start, end, TRACK_NUMBER, 0)] = track
        self.tracks[self._value(start, end, TRACK_NAME).decode("utf-8", "replace")] = track

    def _cluster(self, start: int, end: int) -> None:
        time = self._number(start, end, CLUSTER_TIME, 0)
        for kind, first, last in self._elements(start, end):
            if kind == SIMPLE_BLOCK:
                self._block(time, first, last)
            elif kind == BLOCK_GROUP:
                for child, a, b in self._elements(first, last):
                    if child == BLOCK:
                        self._block(time, a, b)

    def _block(self, cluster_time: int, start: int, end: int) -> None:
        number, at = self._variable(start, keep_marker=False)
        offset, flags = struct.unpack_from(">hB", self._data, at)
        if number not in self._numbers:
            return
        if flags & LACING:
            raise ValueError("a block of several frames, which no recorder of images writes")
        time_ns = (cluster_time + offset) * self._scale_ns
        self._numbers[number].blocks.append((time_ns, at + 3, end))

    def _elements(self, at: int, end: int) -> Iterator[tuple[int, int, int]]:
        """(id, first byte of the content, its end) of each element in a range."""
        while at < end:
            kind, after = self._variable(at, keep_marker=True)
            size, first = self._variable(after, keep_marker=False)
            if size == (1 << 7 * (first - after)) - 1:
                raise ValueError("an element of unknown size: the recorder was stopped halfway")
            if first + size > end:
                raise ValueError(f"element {kind:#x} reaches past the end: cut short")
            yield kind, first, first + size
            at = first + size

    def _variable(self, at: int, keep_marker: bool) -> tuple[int, int]:
        """(an id or size of one to eight bytes, the next position)."""
        head = self._data[at]
        if head == 0:
            raise ValueError(f"a damaged element at byte {at:,}")
        length = 9 - head.bit_length()
        value = int.from_bytes(self._data[at : at + length], "big")
        return (value if keep_marker else value & ((1 << 7 * length) - 1)), at + length

    def _value(self, start: int, end: int, kind: int) -> bytes:
        """The content of the first child of a kind; empty where there is none."""
        found = (self._data[a:b] for child, a, b in self._elements(start, end) if child == kind)
        return next(found, b"")

    def _number(self, start: int, end: int, kind: int, default: int) -> int:
        value = self._value(start, end, kind)
        return int.from_bytes(value, "big") if value else default
