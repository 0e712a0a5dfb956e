"""Files that appear whole or not at all: a temporary name, sync, rename."""

import os
import uuid
from pathlib import Path

_PARTIAL = ".partial-"


def partial_path(path: Path) -> Path:
    """A temporary name beside ``path`` that no other writer uses.

    Two writers of one file can be alive at once (a worker thought dead, and its replacement).
    """
    return path.with_name(f".{path.name}{_PARTIAL}{uuid.uuid4().hex}")


def commit(partial: Path, path: Path) -> None:
    """Give a written and synced temporary file its name, durably."""
    os.replace(partial, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(path: Path, data: bytes) -> None:
    """Write ``path`` atomically and durably.

    Raises:
        OSError: the disk is full, or the folder cannot be written; no partial file stays.
    """
    partial = partial_path(path)
    try:
        with open(partial, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        commit(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def sweep(folder: Path) -> int:
    """Delete what killed writers left in ``folder``; how many files that was.

    Only for a moment when nobody writes there.
    """
    leftovers = list(folder.glob(f".*{_PARTIAL}*"))
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)
