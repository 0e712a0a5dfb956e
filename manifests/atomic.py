"""Files that appear whole or not at all.

On a local disk: a temporary name beside the file, sync, rename. In a store, where a rename is a
copy: the bytes are gathered in a local file without a name, then put there in one go.
"""

import os
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from manifests import storage
from manifests.faults import writing

if TYPE_CHECKING:
    from manifests.storage import Location

_PARTIAL = ".partial-"


def partial_path(path: Path) -> Path:
    """A temporary name beside ``path`` that no other writer uses.

    Two writers of one file can be alive at once (a worker thought dead, and its replacement).
    """
    return path.with_name(f".{path.name}{_PARTIAL}{uuid.uuid4().hex}")


class Draft:
    """A file in the making; leaving the ``with`` block before ``commit`` leaves nothing of it.

    Args:
        path: what it is to become.

    Raises:
        WriteError: the folder takes no file.
    """

    def __init__(self, path: "Location"):
        self.path, self.nbytes, self._stands = path, 0, False
        self._partial = partial_path(path) if storage.is_local(path) else None
        # In a store's stead it is the temporary folder (TMPDIR) that may be full.
        self._place = self._partial or Path(tempfile.gettempdir()) / path.name
        with writing(self._place, 0):
            self._file = (
                open(self._partial, "wb")  # noqa: SIM115, closed by __exit__
                if self._partial
                else tempfile.TemporaryFile()  # noqa: SIM115
            )

    def __enter__(self) -> "Draft":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What it could not write before it cannot write now either: that has been said.
        with suppress(OSError):
            self._file.close()
        if self._partial and not self._stands:
            with suppress(OSError):
                self._partial.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Append.

        Raises:
            WriteError: the disk does not take it.
        """
        self.nbytes += len(data)
        with writing(self._place, self.nbytes):
            self._file.write(data)

    def sync(self) -> None:
        """Make what was written durable, before anything else is touched.

        Raises:
            WriteError: the disk does not take it.
        """
        with writing(self._place, self.nbytes):
            self._file.flush()
            if self._partial:
                os.fsync(self._file.fileno())

    def commit(self) -> None:
        """Give the synced file its name, durably.

        Raises:
            WriteError: its folder or store does not take it.
        """
        if not self._partial:
            storage.put(self.path, self._file, self.nbytes)
            return
        with writing(self.path, self.nbytes):
            os.replace(self._partial, self.path)
            self._stands = True
            sync_folder(self.path.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(path: "Location", data: bytes) -> None:
    """Write ``path`` atomically and durably.

    Raises:
        WriteError: the disk is full, or the folder cannot be written; no partial file stays.
    """
    if not storage.is_local(path):
        storage.put(path, data, len(data))
        return
    with Draft(path) as draft:
        draft.write(data)
        draft.sync()
        draft.commit()


def remove(path: "Location") -> None:
    """Delete ``path`` durably, if it is there: nothing done after this can outlast it.

    Raises:
        WriteError: it cannot be deleted.
    """
    with writing(path, 0):
        if not storage.is_local(path):
            storage.remove(path)
        elif path.exists():
            path.unlink(missing_ok=True)
            sync_folder(path.parent)


def sweep(folder: "Location") -> int:
    """Delete what killed writers left in ``folder``; how many files that was.

    Only for a moment when nobody writes there.
    """
    leftovers = list(folder.glob(f".*{_PARTIAL}*")) if storage.is_local(folder) else []
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)
