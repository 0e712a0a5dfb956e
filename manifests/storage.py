"""Where a set lies: a local folder or a URL that fsspec knows. The one place that tells them apart.

A location is a ``pathlib.Path`` where it is local and a ``upath.UPath``, the same interface over
fsspec, where it is not.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from manifests.faults import WriteError, reaching, writing

if TYPE_CHECKING:
    from upath import UPath

    Location: TypeAlias = Path | UPath

_LOCAL = ("file", "local")
# Stores that know no folders. Some clients make a bucket when asked for a folder in it.
_FOLDERLESS = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "memory"}


class BadLocation(ValueError):
    """A location that cannot be used here."""


def is_url(place: object) -> bool:
    """Whether a setting's value names a store and no local path."""
    scheme, mark, _ = place.partition("://") if isinstance(place, str) else ("", "", "")
    return bool(mark) and scheme not in _LOCAL


def locate(place: "str | Location") -> "Location":
    """The location that a path or URL names.

    Args:
        place: "folder", "file:///folder", "s3://bucket/folder", "gs://…", "memory://…" or any
            other URL whose fsspec package is installed; a location is given back as it is. Keys
            and endpoints come from the store's own environment variables or fsspec's settings,
            never from the URL: it is written into logs.

    Raises:
        BadLocation: an unknown protocol, or one whose package is not installed.
    """
    if not isinstance(place, str):
        return place
    if not is_url(place):
        return Path(place.partition("://")[2] or place)
    from upath import UPath

    try:
        # A remembered listing would hide what other workers have written since.
        found = UPath(place.rstrip("/"), use_listings_cache=False)
        _ = found.fs
    except ImportError as error:
        remedy = "pip install 'facesynth[cloud]' for s3:// and gs://, else that package"
        raise BadLocation(f"'{place}': {error}; {remedy}") from error
    except ValueError as error:
        remedy = "expected a folder, or a URL such as s3://bucket/folder"
        raise BadLocation(f"'{place}': {error}; {remedy}") from error
    return found


def is_local(path: "Location") -> bool:
    """Whether a location is a path of this machine, where a rename is atomic."""
    return isinstance(path, Path)


def of_this_process(path: "Location") -> bool:
    """Whether no other process sees what is written there."""
    return not is_local(path) and path.protocol == "memory"


def make_folder(path: "Location") -> None:
    """Make a folder and those above it; nothing where the store knows none.

    Raises:
        WriteError: it cannot be made.
    """
    if is_local(path) or path.protocol not in _FOLDERLESS:
        with reaching(path), writing(path, 0):
            path.mkdir(parents=True, exist_ok=True)


def remove(path: "Location") -> None:
    """Delete a file, if it is there.

    Raises:
        OSError: it cannot be deleted.
    """
    if is_local(path):
        path.unlink(missing_ok=True)
        return
    # Not UPath.unlink: it asks ``exists`` first, which says no over a broken connection.
    with suppress(FileNotFoundError), reaching(path):
        path.fs.rm_file(path.path)


def read_bytes(path: "Location") -> bytes:
    """A whole file.

    Raises:
        OSError: FileNotFoundError where there is none.
    """
    with reaching(path):
        return path.read_bytes()


def size_of(path: "Location") -> int:
    """A file's size in bytes.

    Raises:
        OSError: FileNotFoundError where there is none.
    """
    with reaching(path):
        return path.stat().st_size


def exists(path: "Location") -> bool:
    """Whether there is such a file. Not ``path.exists()``: over a broken connection that says no.

    Raises:
        OSError: nobody can tell.
    """
    try:
        size_of(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def entries(folder: "Location") -> "list[tuple[Location, bool]]":
    """What lies in a folder, each with whether it is a folder itself; hidden files too.

    Not ``glob``, ``iterdir`` or ``is_dir``: over a broken connection those find less, and say
    nothing.

    Raises:
        OSError: FileNotFoundError where there is no such folder.
    """
    if is_local(folder):
        return [(path, path.is_dir()) for path in folder.iterdir()]
    with reaching(folder):
        found = folder.fs.ls(folder.path, detail=True)
    names = [(info["name"].rstrip("/"), info["type"] == "directory") for info in found]
    own = folder.path.strip("/")  # some stores list a folder's own mark
    return [
        (folder / name.rpartition("/")[2], inner) for name, inner in names if name.strip("/") != own
    ]


def files_in(folder: "Location") -> "list[Location]":
    """The files of a folder; [] where there is none, which for a store is one without files.

    Raises:
        OSError: it cannot be read.
    """
    try:
        return [path for path, is_folder in entries(folder) if not is_folder]
    except FileNotFoundError:
        return []


def put(path: "UPath", source: bytes | BinaryIO, nbytes: int) -> None:
    """Write a file of a store in one go; what then lies there has its size, or is deleted.

    Args:
        path: no local one.
        source: its bytes, or an open local file of them.
        nbytes: their number.

    Raises:
        WriteError: the store does not take it.
    """
    try:
        with reaching(path), writing(path, nbytes):
            if isinstance(source, bytes):
                path.fs.pipe_file(path.path, source)
            else:
                # A file without a name: a killed worker leaves nothing in the temporary folder.
                path.fs.put_file(f"/dev/fd/{source.fileno()}", path.path)
            if (found := path.fs.info(path.path)["size"]) != nbytes:
                raise OSError(f"{found:,} bytes arrived")
    except WriteError:
        _forget(path)
        raise


def _forget(path: "UPath") -> None:
    """Delete what a broken transfer may have left; without a sidecar it counts for nothing."""
    try:
        remove(path)
    except OSError:
        return


class Ranges:
    """A file open for reads of any part of it; threads may share it.

    Args:
        path: local, or of a store, where a read is a request for that range.

    Raises:
        OSError: FileNotFoundError where there is none.
    """

    def __init__(self, path: "Location"):
        self.path = path
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if is_local(path) else None
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """The file's size."""
        return size_of(self.path) if self._handle is None else os.fstat(self._handle).st_size

    def read(self, nbytes: int, offset: int) -> bytes:
        """``nbytes`` from ``offset``; fewer where the file ends.

        Raises:
            OSError: it cannot be read.
        """
        if self._handle is not None:
            return os.pread(self._handle, nbytes, offset)
        with reaching(self.path):
            return self.path.fs.cat_file(self.path.path, start=offset, end=offset + nbytes)

    def close(self) -> None:
        """Give the file back; a second time does nothing."""
        with self._lock:
            handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()

    def __enter__(self) -> "Ranges":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
