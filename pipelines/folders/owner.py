"""Which process somewhere holds a thing, and whether it lives still."""

import getpass
import json
import os
import socket
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import psutil

BEAT_S = 15.0  # between signs of life
STALE_S = 120.0  # without one; a call into native code can keep the process from giving some


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, as it writes itself down.

    Attributes:
        token: of this holding, like no other.
        host: name of its machine.
        machine: the machine since it was switched on, and its space of process numbers.
        pid, started: the process: its number, and when it began, seconds since 1970.
        user: whose it is.
        command: its words.
        since: when it took hold, seconds since 1970 by its clock.
        beat: when it last gave a sign of life, likewise.
    """

    host: str
    machine: str
    pid: int
    started: float
    user: str
    command: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    since: float = field(default_factory=time.time)
    beat: float = field(default_factory=time.time)

    @classmethod
    def here(cls) -> "Owner":
        """This process."""
        me = psutil.Process()
        user = str(os.getuid())
        with suppress(KeyError, OSError):
            user = getpass.getuser()
        words = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:300]
        return cls(socket.gethostname(), _machine(), me.pid, me.create_time(), user, words)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Owner | None":
        """Inverse of to_bytes; None for anything else."""
        try:
            return cls(**json.loads(data))
        except (ValueError, TypeError):
            return None

    def to_bytes(self) -> bytes:
        """JSON."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"

    def beating(self) -> "Owner":
        """The same with a sign of life now."""
        return replace(self, beat=time.time())

    def alive(self) -> bool | None:
        """Whether the process lives; None where it is on another machine, where nobody knows."""
        if self.machine != _machine():
            return None
        try:
            # the kernel hands out a number again: the time of birth tells them apart
            return abs(psutil.Process(self.pid).create_time() - self.started) < 1.0
        except psutil.Error:
            return False

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.since))
        ago = max(0.0, time.time() - self.beat)
        return (
            f"process {self.pid} of {self.user} on {self.host} since {since}, "
            f"last sign of life {ago:.0f} s ago ({self.command})"
        )


def _machine() -> str:
    """Name, boot and process namespace: equal where process numbers mean the same processes."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)
