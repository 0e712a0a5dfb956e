"""The process that does a worker's tasks and may die of them: its own side of the pipe.

It answers each call with JSON lines: ``{"key": ...}`` as an input begins, ``{"outcome": ...}`` or
``{"error": ...}`` at the end. Its other side is pipelines.isolation.isolate.
"""

import contextlib
import faulthandler
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import cloudpickle

from pipelines.isolation.process import keep_memory, limit_threads

log = logging.getLogger(__name__)

_listeners: list[Callable[[str], None]] = []


def announce(key: str) -> None:
    """Say that the work on an input begins; whoever watches this process then knows which input
    it died of. Nothing where nobody watches."""
    for listener in _listeners:
        listener(key)


def main(handle: int) -> None:
    """Take calls from the pipe until its other end is closed, which also ends a call under way.

    Args:
        handle: file descriptor of the pipe.
    """
    faulthandler.enable()  # a crash, or SIGABRT after a time-out, says where on standard error
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the driver
    _offer_to_the_system()
    limit_threads()
    keep_memory()
    pipe, calls = Connection(handle), SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, calls), daemon=True).start()
    _listeners.append(lambda key: pipe.send_bytes(json.dumps({"key": key}).encode()))
    while True:
        pipe.send_bytes(json.dumps(_answer(calls.get())).encode())


def _answer(payload: bytes) -> dict[str, Any]:
    try:
        function, args = cloudpickle.loads(payload)
        return {"outcome": function(*args)}
    except Exception as error:  # e.g. a module that this machine has not
        log.exception("a call failed")
        return {"error": f"{type(error).__name__}: {error}"}


def _listen(pipe: Connection, calls: SimpleQueue) -> None:
    """Pass calls on. The worker is gone when the pipe ends: what is under way is nobody's."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            calls.put(pipe.recv_bytes())
    os._exit(0)


def _offer_to_the_system() -> None:
    """Where memory is short, Linux ends this process before the worker that watches it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


if __name__ == "__main__":
    # Under its own name: stages announce to "pipelines.isolation.child", not to "__main__".
    from pipelines.isolation import child

    child.main(int(sys.argv[1]))
