"""Arrays for the length of a computation, in memory that a thread keeps.

The system hands fresh memory out page by page: for a solver of a dozen image-sized arrays that
costs more than its arithmetic.
"""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

KEEP_BYTES = 1 << 27  # more than the fill of a 512² image needs; larger blocks are given back
_LINE = 64  # bytes, a cache line


class _Block(threading.local):
    def __init__(self):
        self.memory, self.used = np.zeros(0, np.uint8), 0


_block = _Block()


@contextmanager
def scratch() -> Iterator[Callable[..., np.ndarray]]:
    """``with scratch() as zeros``: zeros(shape, dtype=float32) is as np.zeros.

    With ``cleared=False`` it holds what it held, for those who write before they read. The arrays
    are the caller's until the block is left; nothing of them may be kept. Blocks nest.
    """
    start = _block.used

    def zeros(shape, dtype=np.float32, cleared=True):
        count = math.prod(shape) * np.dtype(dtype).itemsize
        begin, end = _block.used, _block.used + count
        if end > len(_block.memory):  # arrays handed out keep the old memory alive
            _block.memory = np.zeros(max(2 * len(_block.memory), end), np.uint8)
        _block.used = -(-end // _LINE) * _LINE
        array = _block.memory[begin:end]
        if cleared:
            array[:] = 0
        return array.view(dtype).reshape(shape)

    try:
        yield zeros
    finally:
        _block.used = start
        if start == 0 and len(_block.memory) > KEEP_BYTES:
            _block.memory = np.zeros(0, np.uint8)
