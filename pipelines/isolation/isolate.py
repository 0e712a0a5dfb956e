"""Calls in a process of their own, watched from outside: a crash, a hang or a leak ends that
process alone, and the watcher knows at which input."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from typing import Any

import cloudpickle
import psutil

_POLL_S = 0.25  # between looks at memory and clock
_GRACE_S = 5.0  # for a process told to end
_FULL = 0.8  # share of the memory bound above which an idle process is replaced


class InputDeath(RuntimeError):
    """What an input did to the process that worked on it; each kind is made by ``of``.

    Attributes:
        killed: by SIGKILL, which no code sends itself: the system had no memory, or somebody did.
    """

    killed = False


class Crashed(InputDeath):
    """The process ended by itself."""

    @classmethod
    def of(cls, status: int) -> "Crashed":
        """From a process's status as subprocess has it: below 0, a signal."""
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        made = cls(
            f"its process ended by {how}; expected a normal end; native code crashed on it, or "
            "the system had no memory left: mend the input or leave it out, then synth retry"
        )
        made.killed = status == -signal.SIGKILL
        return made


class TimedOut(InputDeath):
    """The process hung."""

    @classmethod
    def of(cls) -> "TimedOut":
        """In words that are the same in every run."""
        return cls(
            "took longer than --input-timeout; its process was ended; give more seconds if it may "
            "take so long, or leave the input out, then synth retry"
        )


class OutOfMemory(InputDeath):
    """The process needed more than its share."""

    @classmethod
    def of(cls) -> "OutOfMemory":
        """In words that are the same in every run."""
        return cls(
            "needed more memory than a worker may have; its process was ended; give more with "
            "--memory and fewer --workers, or leave the input out, then synth retry"
        )


class CallFailed(RuntimeError):
    """A call that could not be made, or that raised: no death, and no input's fault."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may take.

    Attributes:
        seconds: an input, 0 for ever.
        nbytes: resident memory; 0 for what the worker may have, see ``here``.
        calls: after which it is replaced by a new one, 0 for never.
    """

    seconds: float = 0.0
    nbytes: int = 0
    calls: int = 0

    def here(self) -> "Limits":
        """With the memory that a worker has on this machine, where none was named."""
        return replace(self, nbytes=self.nbytes or _worker_memory())


@dataclass(frozen=True, slots=True)
class Death:
    """How a call ended that did not return.

    Attributes:
        key: the input in hand; "" before the first.
        error: in words.
    """

    key: str
    error: InputDeath


class Child:
    """A process that takes one call after another; it starts with the first."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None
        self._calls = 0

    def call(self, payload: bytes, limits: Limits) -> Any:
        """The answer to a call, or the Death of the process.

        Args:
            payload: of ``pack``.
            limits: of this call.

        Raises:
            CallFailed: the call raised, or cannot be made here.
        """
        if self._process is None:
            self._start()
        self._calls += 1
        try:
            self._pipe.send_bytes(payload)
            answer = self._wait(limits)
        except (EOFError, ConnectionError):
            answer = Death(self._key, Crashed.of(self._process.wait()))
        except BaseException:  # Ctrl-C here: nobody will take the answer
            self.close()
            raise
        if isinstance(answer, Death) or self._worn(limits):
            self.close()
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._pipe.close()
            _end(self._process)
            self._process, self._calls = None, 0

    def _start(self) -> None:
        self._pipe, theirs = Pipe()
        path = os.pathsep.join(part or os.getcwd() for part in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.isolation.child", str(theirs.fileno())],
            env={**os.environ, "PYTHONPATH": path},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=sys.__stderr__.fileno() if sys.__stderr__ else subprocess.DEVNULL,
        )
        theirs.close()

    def _wait(self, limits: Limits) -> Any:
        """Until the answer comes or a limit is passed."""
        self._key, since = "", time.monotonic()
        while True:
            while self._pipe.poll(_POLL_S):
                said = json.loads(self._pipe.recv_bytes())
                if "error" in said:
                    raise CallFailed(said["error"])
                if "outcome" in said:
                    return said["outcome"]
                self._key, since = said["key"], time.monotonic()
            if limits.seconds and time.monotonic() - since > limits.seconds:
                self._process.send_signal(signal.SIGABRT)  # it says where it hangs, and ends
                return Death(self._key, TimedOut.of())
            if limits.nbytes and self._resident() > limits.nbytes:
                self._process.kill()
                return Death(self._key, OutOfMemory.of())

    def _resident(self) -> int:
        try:
            return psutil.Process(self._process.pid).memory_info().rss
        except psutil.Error:
            return 0  # it just ended, as the pipe will say

    def _worn(self, limits: Limits) -> bool:
        """Whether a new process should take the next call: after so many, or of what leaked."""
        leaked = limits.nbytes and self._resident() > _FULL * limits.nbytes
        return bool(leaked or (limits.calls and self._calls >= limits.calls))


_own = threading.local()  # a thread has one call at a time under way


def call_isolated(payload: bytes, limits: Limits) -> Any:
    """As Child.call, in the process that belongs to this thread."""
    if not hasattr(_own, "child"):
        _own.child = Child()
    return _own.child.call(payload, limits)


def call_once(payload: bytes, limits: Limits) -> Any:
    """As Child.call, in a process that nothing was done in before."""
    with contextlib.closing(Child()) as child:
        return child.call(payload, limits)


def close_isolated() -> None:
    """End the process that belongs to this thread."""
    if hasattr(_own, "child"):
        _own.child.close()


def pack(function: Callable[..., Any], args: tuple) -> bytes:
    """A call as bytes. The worker that passes them on loads none of the function's modules."""
    return cloudpickle.dumps((function, args))


def _worker_memory() -> int:
    """Bytes that the Dask worker around us may have, else this machine or container."""
    from distributed import get_worker  # not loaded by a process that asks for none of it
    from distributed.system import MEMORY_LIMIT

    try:
        return get_worker().memory_manager.memory_limit or MEMORY_LIMIT
    except ValueError:  # no worker here
        return MEMORY_LIMIT


def _end(process: subprocess.Popen) -> None:
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
