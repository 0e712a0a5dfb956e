"""What a path given to the audit is, and the audit of it."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa

from faces.errors import BadInput
from manifests.audit import Audit
from manifests.index import MANIFEST
from manifests.pose_tables import SUFFIXES, BadTable, Fault, batches, read_pose_table
from manifests.storage import locate
from pipelines.auditing.pose_photos import PoseOptions, photo_jobs, poses_of
from pipelines.auditing.pose_tars import is_tar, tar_files, tar_poses
from registration.readers.photo import SUFFIXES as PHOTO_SUFFIXES

EXPECTED = (
    f"a set, a pose table ({' '.join(SUFFIXES)}), tars (a file, a folder, or a pattern such as "
    "'data/{0000..0099}.tar') or a folder of photos"
)


def audit_path(words: str, options: PoseOptions) -> Audit:
    """The audit of what lies at a path.

    Args:
        words: a set's folder, a pose table, tars (file, folder or pattern) or a folder of photos.
        options: for photos.

    Raises:
        BadInput: nothing there, nothing that is known, or nothing in it.
        OSError: it cannot be read.
    """
    kind = kind_of(words)
    audit = Audit(words.rstrip("/"), kind)
    try:
        audit.add(_pieces(kind, words, options))
    except BadTable as error:
        got, _, rest = str(error).partition("; ")
        raise BadInput(f"path '{words}'", got, rest or EXPECTED, "check the file") from error
    if not audit.rows:
        raise BadInput(f"path '{words}'", "holds nothing", "a row, sample or photo", "check it")
    return audit


def kind_of(words: str) -> str:
    """ "manifest", "table", "tars" or "photos".

    Raises:
        BadInput: none of them.
    """
    path = locate(words)
    if path.is_dir():
        return _kind_of_folder(path)
    if path.suffix.lower() in SUFFIXES:
        if path.is_file():
            return "table"
    elif found := tar_files(words):
        missing = [file for file in found if not file.is_file()]
        if not missing and all(is_tar(file) for file in found):
            return "tars"
        if missing and missing != [path]:
            raise _unknown(words, f"no '{missing[0].name}'")
    raise _unknown(words, "of no known kind" if path.exists() else "no such file")


def _kind_of_folder(path: Path) -> str:
    if (path / MANIFEST).is_file():
        return "manifest"
    if (path / "plan.json").is_file():
        remedy = f"run the same command again to finish it, or name '{path / 'samples'}'"
        raise BadInput(f"path '{path}'", f"a set without {MANIFEST}", "a finished set", remedy)
    has_tars = any(is_tar(p) for p in path.rglob("*"))
    has_photos = any(p.suffix.lower() in PHOTO_SUFFIXES for p in path.rglob("*"))
    if has_tars and has_photos:
        raise _unknown(str(path), "tars and loose photos together")
    if not has_tars and not has_photos:
        raise _unknown(str(path), "a folder with none of these")
    return "tars" if has_tars else "photos"


def _pieces(kind: str, words: str, options: PoseOptions) -> Iterator[pa.RecordBatch | Fault]:
    path = locate(words)
    if kind == "manifest":
        return read_pose_table(path / MANIFEST)
    if kind == "table":
        return read_pose_table(path)
    if kind == "tars":
        items = chain.from_iterable(tar_poses(file) for file in tar_files(words))
    else:
        items = photo_jobs(path)
    return batches(poses_of(items, options))


def _unknown(words: str, got: str) -> BadInput:
    return BadInput(f"path '{words}'", got, EXPECTED, "check the path")
