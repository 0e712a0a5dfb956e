"""What a disk or a store says when it takes no file: which file, how much, what is free, what to
do."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_GO_ON = "then run the same command to go on"
_REMEDIES = {
    errno.ENOSPC: f"make room on that disk, {_GO_ON}",
    errno.EDQUOT: f"this user's quota there is used up: make room or have it raised, {_GO_ON}",
    errno.EROFS: f"it is mounted read-only: mount it for writing or give another --out, {_GO_ON}",
    errno.EACCES: f"this user may not write there: change its permissions or give another --out, "
    f"{_GO_ON}",
    errno.EPERM: f"this user may not write there, or it is marked immutable: change that or give "
    f"another --out, {_GO_ON}",
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_FORBIDDEN = (errno.EACCES, errno.EPERM)


class WriteError(OSError):
    """A file that could not be written or read back where a set lies.

    Args:
        number: of errno.
        words: the whole message.
    """

    def __init__(self, number: int, words: str):
        super().__init__(number, words)

    def __str__(self) -> str:
        return self.args[1]


def hopeless(error: BaseException) -> bool:
    """Whether every other shard would run into this too, after doing its work in vain.

    A full or read-only disk is such, whoever says so; a lack of permission where a set is written
    too, but not where one of many inputs is read.
    """
    number = getattr(error, "errno", None)
    return number in _FULL or (isinstance(error, WriteError) and number in _FORBIDDEN)


@contextmanager
def writing(path: Any, nbytes: int) -> Iterator[None]:
    """What goes wrong inside is said in full, as a WriteError.

    Args:
        path: the file that is written; a pathlib.Path or a UPath.
        nbytes: how large it was to become, as far as known.
    """
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        raise _told(error, path, nbytes) from error


@contextmanager
def reaching(path: Any) -> Iterator[None]:
    """Whatever a store's client raises inside becomes an OSError: no fault of any input.

    Clients have exceptions of their own for lost connections and missing credentials.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        words = f"'{path}': {type(error).__name__}: {error}; check network, credentials and name"
        raise WriteError(errno.EIO, f"{words}, {_GO_ON}") from error


def _told(error: OSError, path: Any, nbytes: int) -> WriteError:
    number = error.errno or errno.EIO
    why = os.strerror(number) if error.errno else str(error)
    remedy = _REMEDIES.get(number, f"see to it, {_GO_ON}")
    words = f"'{path}': could not write {nbytes:,} bytes: {why}{_free(path)}; {remedy}"
    return WriteError(number, words)


def _free(path: Any) -> str:
    """ " (N bytes free there)"; "" for a store, or where the folder is gone."""
    if not isinstance(path, Path):
        return ""
    try:
        return f" ({shutil.disk_usage(path.parent).free:,} bytes free there)"
    except OSError:
        return ""
