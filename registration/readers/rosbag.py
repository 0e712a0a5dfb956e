"""ROS bags, format 2.0: messages by topic, found by the bag's own index.

http://wiki.ros.org/Bags/Format/2.0: records of a header (fields "name=value") and data; messages
lie in compressed chunks, each followed by the places and times of its messages.
"""

import bz2
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faces.errors import BadInput
from imaging.limits import limits
from registration.readers.lz4_frames import decompress

MAGIC = b"#ROSBAG V2.0\n"
MESSAGE, BAG, INDEX, CHUNK, CHUNK_INFO, CONNECTION = 2, 3, 4, 5, 6, 7


@dataclass(frozen=True, slots=True)
class Message:
    """Where a message lies: its chunk's place in the file, its own in the chunk, its time."""

    chunk: int
    offset: int
    time_ns: int


class Rosbag:
    """An open bag.

    Attributes:
        topics: name to its messages, in the order of time.

    Raises:
        BadInput: no bag, not closed properly by its recorder, or damaged.
    """

    def __init__(self, path: Path):
        self._what = f"recording '{path}'"
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # an empty file cannot be mapped
            raise self._bad(f"unreadable ({error})") from error
        self._held = (-1, b"")
        try:
            self.topics = self._index()
        except (struct.error, KeyError, IndexError, ValueError) as error:
            if isinstance(error, BadInput):
                raise
            raise self._bad(f"damaged ({type(error).__name__}: {error})") from error

    def read(self, message: Message) -> bytes:
        """A message's data.

        Raises:
            BadInput: its chunk is damaged.
        """
        try:
            if self._held[0] != message.chunk:
                self._held = (message.chunk, self._chunk(message.chunk))
            header, start, end = _record(self._held[1], message.offset)
            if header["op"][0] != MESSAGE:
                raise ValueError("no message where the index says")
            return self._held[1][start:end]
        except (struct.error, KeyError, IndexError, ValueError, OSError) as error:
            raise self._bad(f"a damaged chunk ({error})") from error

    def close(self) -> None:
        """Give the file back."""
        self._data.close()

    def _index(self) -> dict[str, list[Message]]:
        if self._data[: len(MAGIC)] != MAGIC:
            raise self._bad(f"it begins with {self._data[:13]!r}")
        header, _, _ = _record(self._data, len(MAGIC))
        (start,) = struct.unpack("<Q", header["index_pos"])
        if not len(MAGIC) < start < len(self._data):
            raise self._bad("no index: the recorder was stopped before it wrote it")
        names, chunks = {}, []
        for header, _, _ in _records(self._data, start, len(self._data)):
            if header["op"][0] == CONNECTION:
                names[header["conn"]] = header["topic"].decode()
            elif header["op"][0] == CHUNK_INFO:
                chunks.append(*struct.unpack("<Q", header["chunk_pos"]))
        topics = {name: [] for name in names.values()}
        for chunk in chunks:
            _, _, after = _record(self._data, chunk)
            for header, start_of, end in _records(self._data, after, len(self._data)):
                if header["op"][0] != INDEX:
                    break
                found = struct.iter_unpack("<III", self._data[start_of:end])
                topics[names[header["conn"]]] += [
                    Message(chunk, offset, seconds * 1_000_000_000 + nanoseconds)
                    for seconds, nanoseconds, offset in found
                ]
        for messages in topics.values():
            messages.sort(key=lambda m: (m.time_ns, m.chunk, m.offset))
        return topics

    def _chunk(self, at: int) -> bytes:
        header, start, end = _record(self._data, at)
        (size,) = struct.unpack("<I", header["size"])
        if header["op"][0] != CHUNK or size > limits().chunk_bytes:
            raise ValueError(f"a chunk of {size:,} bytes")
        data, kind = self._data[start:end], header["compression"]
        if kind == b"lz4":
            return decompress(data, size)
        if kind == b"bz2":
            return _unpacked(data, size)
        if kind != b"none":
            raise ValueError(f"compression {kind!r}")
        return data

    def _bad(self, got: str) -> BadInput:
        remedy = "record it again, or repair it with 'rosbag reindex'"
        return BadInput(self._what, got, "a ROS bag of format 2.0 with its index", remedy)


def _unpacked(data: bytes, size: int) -> bytes:
    """A bz2 chunk of the size that its header promises, and no byte more."""
    content = bz2.BZ2Decompressor().decompress(data, max_length=size + 1)
    if len(content) != size:
        raise ValueError(f"{len(content):,} bytes or more from a chunk of {size:,}")
    return content


def _records(data, at: int, end: int) -> Iterator[tuple[dict[str, bytes], int, int]]:
    while at < end:
        header, start, at = _record(data, at)
        yield header, start, at


def _record(data, at: int) -> tuple[dict[str, bytes], int, int]:
    """(header, first byte, end) of the record at a place; its data are data[first:end]."""
    (length,) = struct.unpack_from("<I", data, at)
    block, start = data[at + 4 : at + 4 + length], at + 8 + length
    (count,) = struct.unpack_from("<I", data, at + 4 + length)
    if start + count > len(data):
        raise ValueError("a record reaches past the end")
    return _fields(block), start, start + count


def _fields(block: bytes) -> dict[str, bytes]:
    fields, at = {}, 0
    while at < len(block):
        (length,) = struct.unpack_from("<I", block, at)
        name, equals, value = block[at + 4 : at + 4 + length].partition(b"=")
        if not equals:
            raise ValueError("a header without '='")
        fields[name.decode()] = value
        at += 4 + length
    return fields
