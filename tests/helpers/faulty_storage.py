"""A disk and a store that fail at the operation one asks for, or whose user dies there."""

import builtins
import errno
import io
import os
from contextlib import contextmanager

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

from manifests import atomic


class Died(BaseException):
    """The process is no more: nothing that it does from here on reaches the disk."""


class Dropped(Exception):
    """What a store's client raises: no OSError."""


class Faults:
    """Counts operations; the one numbered ``at`` fails, or is the last.

    Args:
        at: from 0; None: none fails.
        fault: an exception to raise, or None to die.
        every: instead of ``at``: a function that says whether the next one fails.
    """

    def __init__(self, at=None, fault=None, every=None):
        self.at, self.fault, self.every = at, fault, every
        self.count, self.dead, self.log = 0, False, []

    def __call__(self, name, partly=lambda: None):
        """One operation; ``partly`` is what it still does where it fails."""
        if self.dead:
            raise Died
        self.log.append(name)
        hit = self.every() if self.every else self.count == self.at
        self.count += 1
        if hit:
            partly()
            if self.fault is None:
                self.dead = True
                raise Died
            raise self.fault

    @property
    def happened(self):
        return self.at is not None and self.count > self.at


class _Raw(io.FileIO):
    """A file each of whose writes may fail, with half of the bytes on the disk."""

    faults: Faults

    def write(self, data):
        self.faults("write", lambda: io.FileIO.write(self, bytes(data)[: len(data) // 2]))
        return super().write(data)


@contextmanager
def faulty_disk(faults, monkeypatch):
    """Every system call by which manifests.atomic changes the disk goes by ``faults``."""
    opened = []

    def fake_open(path, mode):
        faults("open")
        raw = _Raw(path, mode.replace("b", ""))
        raw.faults = faults
        opened.append(io.BufferedWriter(raw, 4096))
        return opened[-1]

    def guarded(name):
        real = getattr(os, name)

        def call(*args, **kwargs):
            faults(name)
            return real(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "open", fake_open, raising=False)
        for name in ("fsync", "replace", "unlink"):
            patch.setattr(os, name, guarded(name))
        try:
            yield
        finally:
            for file in opened:  # what a dead process had in its buffers is lost
                if not file.closed:
                    file.detach().close()


class FlakyStore(MemoryFileSystem):
    """A store without renames whose connection drops: half of what was under way arrives.

    Harsher than S3, where an object appears whole: here a broken put leaves half of one.
    """

    protocol = "flaky"
    store: dict = {}  # noqa: RUF012, as the parent's: one for all instances
    pseudo_dirs = [""]  # noqa: RUF012
    faults = Faults()

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.replace("flaky://", "memory://", 1))

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        half = value[: len(value) // 2]
        self.faults("put", lambda: super(FlakyStore, self).pipe_file(path, half))
        super().pipe_file(path, value)

    def put_file(self, lpath, rpath, **kwargs):
        with builtins.open(lpath, "rb") as file:
            self.pipe_file(rpath, file.read())

    def cat_file(self, path, start=None, end=None, **kwargs):
        self.faults("get")
        return super().cat_file(path, start, end, **kwargs)

    def info(self, path, **kwargs):
        self.faults("head")
        return super().info(path, **kwargs)

    def ls(self, path, detail=True, **kwargs):
        self.faults("list")
        return super().ls(path, detail, **kwargs)

    def rm_file(self, path):
        self.faults("delete")
        if self.store.pop(self._strip_protocol(path), None) is None:
            raise FileNotFoundError(path)


fsspec.register_implementation("flaky", FlakyStore, clobber=True)
DISK_FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
