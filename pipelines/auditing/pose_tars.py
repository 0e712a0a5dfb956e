"""Poses of WebDataset tars: from KEY.json where it tells them, else from the picture."""

import glob
import json
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from faces.rotation import nearest_rotation
from imaging.limits import limits
from manifests.pose_tables import Fault, row_of
from pipelines.auditing.pose_photos import PhotoJob, Row, head_angles

IMAGE_SUFFIXES = ("jpg", "jpeg", "png")
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz")
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)\Z")


def tar_files(pattern: str) -> list[Path]:
    """The tars of a file name, a folder, or a pattern such as ``data/{0000..0099}.tar``, sorted.

    Braces hold a range (with the width of its first number) or words between commas; then the
    shell's wildcards apply.
    """
    found: dict[Path, None] = {}
    for name in expand(pattern):
        for place in sorted(glob.glob(name)) or [name]:
            path = Path(place)
            inner = sorted(p for p in path.rglob("*") if is_tar(p)) if path.is_dir() else [path]
            found.update(dict.fromkeys(inner))
    return list(found)


def is_tar(path: Path) -> bool:
    """Whether it is named as a tar; not those that a writer has not finished."""
    return path.name.lower().endswith(TAR_SUFFIXES) and not path.name.startswith(".")


def expand(pattern: str) -> list[str]:
    """The names that a pattern with braces stands for; itself where it has none."""
    match = _BRACES.search(pattern)
    if match is None:
        return [pattern]
    inside, numbers = match.group(1), _RANGE.match(match.group(1))
    words = inside.split(",")
    if numbers:
        first, last = numbers.groups()
        words = [f"{n:0{len(first)}d}" for n in range(int(first), int(last) + 1)]
    before, after = pattern[: match.start()], pattern[match.end() :]
    return [name for word in words for name in expand(before + word + after)]


def tar_poses(path: Path) -> Iterator[Row | PhotoJob | Fault]:
    """A row a sample, or the job that finds one; what cannot be read as faults.

    A tar that is cut off gives its samples up to there, and a fault.

    Args:
        path: a tar, compressed or not, with the members of a sample beside each other.
    """
    try:
        with tarfile.open(path) as tar:
            for key, members in _samples(tar):
                yield from _sample(tar, path, key, members)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        yield Fault("damaged", path.name, f"the tar ends here or cannot be read ({error})")


def angles_of_labels(labels: Mapping[str, object]) -> Row:
    """The row of a sample's JSON: its angles, else those of its rotation; empty without either.

    Raises:
        ValueError: a number that is none, or a rotation that is not nine finite numbers of a
            matrix near a proper rotation.
    """
    row = row_of(labels)
    if row["yaw_deg"] is None and labels.get("rotation") is not None:
        matrix = np.array(labels["rotation"], dtype=np.float64)
        if matrix.size != 9 or not np.isfinite(matrix).all():
            raise ValueError("its rotation is not nine finite numbers")
        matrix = matrix.reshape(3, 3)
        if np.abs(matrix - nearest_rotation(matrix)).max() > 0.01:
            raise ValueError("its rotation is not one: the columns are not orthonormal")
        row["yaw_deg"], row["pitch_deg"] = head_angles(matrix)
    requested = labels.get("requested")
    if row["requested_yaw_deg"] is None and isinstance(requested, list) and requested:
        row["requested_yaw_deg"] = float(requested[0])
    return row if row["yaw_deg"] is not None else {}


def _samples(tar: tarfile.TarFile) -> Iterator[tuple[str, dict[str, tarfile.TarInfo]]]:
    """(key, suffix -> member) in the tar's order; members without a suffix have suffix ""."""
    last, members = None, {}
    for member in tar:
        tar.members.clear()  # or the list of all headers would grow with the tar
        if not member.isfile():
            continue
        folder, slash, file = member.name.removeprefix("./").rpartition("/")
        stem, _, suffix = file.partition(".")  # where WebDataset cuts, too
        key = folder + slash + stem
        if key != last and members:
            yield last, members
            members = {}
        last, members = key, {**members, suffix.lower(): member}
    if members:
        yield last, members


def _sample(
    tar: tarfile.TarFile, path: Path, key: str, members: Mapping[str, tarfile.TarInfo]
) -> Iterator[Row | PhotoJob | Fault]:
    name, labels, row = f"{path.name}/{key}", {}, {}
    if "json" in members:
        try:
            labels = json.loads(_content(tar, members["json"]))
            row = angles_of_labels(labels) if isinstance(labels, dict) else {}
        except (ValueError, TypeError, RecursionError) as error:
            yield Fault("damaged", name, f"its JSON cannot be used: {error}")
            return
    if row:
        yield {**row, "key": name}
        return
    image = next((members[suffix] for suffix in IMAGE_SUFFIXES if suffix in members), None)
    if image is None:
        held = ", ".join(sorted(members)) or "nothing"
        yield Fault("no pose", name, f"no pose and no picture among its members ({held})")
        return
    known = row_of(labels) if isinstance(labels, dict) else {}
    try:
        yield PhotoJob(name, data=_content(tar, image), labels=known)
    except ValueError as error:
        yield Fault("damaged", name, f"its picture cannot be used: {error}")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """A member's bytes; nothing of a tar is ever unpacked to disk.

    Raises:
        ValueError: more of them than the limit.
    """
    most = limits().member_bytes
    if member.size > most:
        raise ValueError(f"{member.size:,} bytes; expected at most {most:,}")
    return tar.extractfile(member).read()
