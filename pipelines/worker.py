"""What a worker process does before its first task."""

import importlib
import signal
from collections.abc import Sequence

from distributed import Worker, WorkerPlugin

from pipelines.isolation.process import keep_memory, limit_threads


class Prepare(WorkerPlugin):
    """Thread limits, memory and warm-up, once a worker.

    Args:
        warm_up: "module:function" names, called without arguments: compile kernels, load models.
            They run in another thread than the tasks: no GL contexts here.
        ignore_interrupt: for workers that hang on this terminal: Ctrl-C is for the driver alone,
            which then stops them in order.
    """

    name = "facesynth-prepare"

    def __init__(self, warm_up: Sequence[str] = (), ignore_interrupt: bool = False):
        self.warm_up = tuple(warm_up)
        self.ignore_interrupt = ignore_interrupt

    def setup(self, worker: Worker) -> None:
        """Called by Dask as the worker starts, or as the plugin reaches a running one."""
        limit_threads()
        keep_memory()
        if self.ignore_interrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        for name in self.warm_up:
            module, _, function = name.partition(":")
            getattr(importlib.import_module(module), function)()
