"""LZ4 frames, as RealSense recordings compress their chunks.

The formats are LZ4's own documents lz4_Frame_format.md and lz4_Block_format.md; checksums are
skipped, the sizes are checked.
"""

import struct

import numpy as np
from numba import njit

MAGIC = 0x184D2204
STORED = 0x80000000  # set in the size of a block that is not compressed
BLOCK_CHECKSUM, CONTENT_SIZE, DICTIONARY = 0x10, 0x08, 0x01  # flags


def decompress(data: bytes, size: int) -> bytes:
    """The content of one frame.

    Args:
        data: the frame.
        size: bytes of its content.

    Raises:
        ValueError: no LZ4 frame, damaged, or of another size.
    """
    if len(data) < 7 or struct.unpack_from("<I", data)[0] != MAGIC:
        raise ValueError("no LZ4 frame")
    flags = data[4]
    if flags & DICTIONARY:
        raise ValueError("an LZ4 frame with a dictionary")
    at = 7 + (8 if flags & CONTENT_SIZE else 0)
    out, filled = np.zeros(size, dtype=np.uint8), 0
    while True:
        if at + 4 > len(data):
            raise ValueError("an LZ4 frame cut short")
        (count,) = struct.unpack_from("<I", data, at)
        at += 4
        if count == 0:
            break
        stored, count = count & STORED, count & ~STORED
        block = np.frombuffer(data, np.uint8, min(count, len(data) - at), at)
        if len(block) < count:
            raise ValueError("an LZ4 frame cut short")
        filled = _store(block, out, filled) if stored else _expand(block, out, filled)
        if filled < 0:
            raise ValueError("a damaged LZ4 block")
        at += count + (4 if flags & BLOCK_CHECKSUM else 0)
    if filled != size:
        raise ValueError(f"{filled:,} bytes from an LZ4 frame of {size:,}")
    return out.tobytes()


def _store(block: np.ndarray, out: np.ndarray, at: int) -> int:
    if at + len(block) > len(out):
        return -1
    out[at : at + len(block)] = block
    return at + len(block)


@njit(cache=True, nogil=True)
def _expand(block, out, at):
    """Sequences of literals and of copies from what is already out; -1 where they make no sense."""
    i, end = 0, len(block)
    while i < end:
        token = block[i]
        i += 1
        literals, i = _length(block, i, token >> 4)
        if i < 0 or i + literals > end or at + literals > len(out):
            return -1
        for _ in range(literals):
            out[at] = block[i]
            at += 1
            i += 1
        if i == end:  # the last sequence has no copy
            return at
        if i + 2 > end:
            return -1
        back = block[i] | (np.int64(block[i + 1]) << 8)
        copied, i = _length(block, i + 2, token & 15)
        copied += 4
        if i < 0 or back == 0 or back > at or at + copied > len(out):
            return -1
        for _ in range(copied):  # one by one: a copy may overlap itself
            out[at] = out[at - back]
            at += 1
    return at


@njit(cache=True, nogil=True)
def _length(block, i, nibble):
    """(a length of four bits and, from 15 on, of further bytes; the next position or -1)."""
    length = np.int64(nibble)
    if nibble < 15:
        return length, i
    while i < len(block):
        more = block[i]
        i += 1
        length += more
        if more != 255:
            return length, i
    return length, -1
