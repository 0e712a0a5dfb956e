"""Open shards of a set: a bounded number, for any threads, and anew after a fork."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable

from manifests.storage import Ranges


class Handles:
    """The last few files used, each opened when first asked for.

    A file that falls out of the cache is closed when the last thread that reads it lets go of it.

    Args:
        open_one: (name) -> the open file.
        limit: how many may be open, those in use by other threads aside.
    """

    def __init__(self, open_one: Callable[[str], Ranges], limit: int):
        if limit < 1:
            raise ValueError(f"open_shards is {limit}; expected at least 1")
        self._open_one, self._limit = open_one, limit
        self._forget()

    def get(self, name: str) -> Ranges:
        """The open file of this name.

        Raises:
            OSError, BadShard: as ``open_one``.
        """
        if self._process != os.getpid():  # a lock may be held, a connection shared, by the parent
            self._forget()
        with self._lock:
            found = self._files.get(name)
            if found is None:
                found = self._files[name] = self._open_one(name)
                if len(self._files) > self._limit:
                    self._files.popitem(last=False)
            else:
                self._files.move_to_end(name)
        return found

    def __len__(self) -> int:
        return len(self._files)

    def close(self) -> None:
        """Let go of all files."""
        with self._lock:
            self._files.clear()

    def _forget(self) -> None:
        self._process, self._lock = os.getpid(), threading.Lock()
        self._files: OrderedDict[str, Ranges] = OrderedDict()
