"""What a worker process does before its first task."""

import importlib
import os
from collections.abc import Sequence

from distributed import Worker, WorkerPlugin

# A worker is one process with one thread: libraries that start a thread a core slow each other.
THREAD_LIMITS = {
    name: "1"
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMBA_NUM_THREADS",
    )
}


def limit_threads() -> None:
    """One thread for every numerical library of this process.

    The environment counts for libraries that are loaded later; cluster.py sets it before a local
    worker starts.
    """
    os.environ.update(THREAD_LIMITS)
    import cv2

    cv2.setNumThreads(1)


class Prepare(WorkerPlugin):
    """Thread limits and warm-up, once a worker.

    Args:
        warm_up: "module:function" names, called without arguments: compile kernels, load models.
            They run in another thread than the tasks: no GL contexts here.
    """

    name = "facesynth-prepare"

    def __init__(self, warm_up: Sequence[str] = ()):
        self.warm_up = tuple(warm_up)

    def setup(self, worker: Worker) -> None:
        """Called by Dask as the worker starts, or as the plugin reaches a running one."""
        limit_threads()
        for name in self.warm_up:
            module, _, function = name.partition(":")
            getattr(importlib.import_module(module), function)()
