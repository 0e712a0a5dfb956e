"""Shards: uncompressed tars whose bytes depend on the samples alone, and their indexed reader."""

import hashlib
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from manifests import atomic
from manifests.storage import Ranges, locate, make_folder

if TYPE_CHECKING:
    from manifests.storage import Location

_BLOCK = tarfile.BLOCKSIZE
_SUFFIX = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*\Z")


class BadShard(ValueError):
    """A shard, a sidecar or a key that is not what the format says."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where one sample lies in its tar.

    Attributes:
        key: the members' common name.
        offset: first byte of the first member's header.
        nbytes: through the padding of the last member.
        members: suffix -> (offset, size) of the member's data.
    """

    key: str
    offset: int
    nbytes: int
    members: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """A tar's checksum, size and contents, in file order."""

    sha256: str
    nbytes: int
    entries: tuple[Entry, ...]


def check_key(key: str) -> None:
    """Refuse a key that some reader would misread, or that leaves the folder it is unpacked in.

    "/" parts a key into folders; the last part has no dot, since readers cut the suffix there.

    Raises:
        BadShard: the key, and what is wrong with it.
    """
    parts = key.split("/")
    if not all(parts) or any(part in (".", "..") for part in parts):
        raise BadShard(f"key {key!r}: has an empty, '.' or '..' part; expected 'folder/name'")
    if "." in parts[-1]:
        raise BadShard(f"key {key!r}: has a dot in its last part; replace it, say by '_'")
    if "\\" in key or not key.isprintable():
        raise BadShard(f"key {key!r}: has a backslash or a control character; remove it")


def check_members(key: str, members: Mapping[str, bytes]) -> None:
    """Refuse a sample that cannot be stored.

    Raises:
        BadShard: bad key, no members, a bad suffix, or data that is not bytes.
    """
    check_key(key)
    if not members:
        raise BadShard(f"sample {key!r}: has no members")
    for suffix, data in members.items():
        if not _SUFFIX.match(suffix):
            raise BadShard(f"sample {key!r}: suffix {suffix!r}; expected a form like 'depth.png'")
        if not isinstance(data, bytes):
            raise BadShard(f"sample {key!r}: {suffix} is {type(data).__name__}; expected bytes")


class ShardWriter:
    """Writes one tar out of sight; leaving the ``with`` block without error commits it.

    Members of a sample are ordered by suffix; owner, mode and time are constants: equal samples
    give equal bytes. Committing first removes the sidecar of an older tar of this name, so that
    at no moment does a sidecar vouch for another tar than its own.

    Args:
        path: the tar, e.g. ``OUT/samples/00000.tar``; its folder is made.

    Raises:
        WriteError: from here on, wherever the disk or the store does not take it.
    """

    def __init__(self, path: "Location"):
        self.path = locate(path)
        make_folder(self.path.parent)
        self._draft = atomic.Draft(self.path)
        self._digest = hashlib.sha256()
        self._position = 0
        self._entries: dict[str, Entry] = {}
        self.index: ShardIndex | None = None

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._draft:
            if kind is None:
                self._commit()

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def add(self, key: str, members: Mapping[str, bytes]) -> Entry:
        """Append one sample.

        Args:
            key: unique in the shard.
            members: suffix (without leading dot, e.g. "vertices.npy") -> the member's bytes.

        Raises:
            BadShard: a bad or repeated key, or bad members; nothing is written then.
            WriteError: the disk does not take it.
        """
        check_members(key, members)
        if key in self._entries:
            raise BadShard(f"sample {key!r}: occurs twice in {self.path.name}; keys must differ")
        start = self._position
        places = {suffix: self._member(key, suffix, members[suffix]) for suffix in sorted(members)}
        entry = Entry(key, start, self._position - start, places)
        self._entries[key] = entry
        return entry

    def _member(self, key: str, suffix: str, data: bytes) -> tuple[int, int]:
        self._write(member_header(key, suffix, len(data)))
        place = (self._position, len(data))
        self._write(data)
        self._write(bytes(padded(len(data)) - len(data)))
        return place

    def _write(self, data: bytes) -> None:
        self._draft.write(data)
        self._digest.update(data)
        self._position += len(data)

    def _commit(self) -> None:
        end = self._position + 2 * _BLOCK  # two zero blocks end a tar
        self._write(bytes(2 * _BLOCK + -end % tarfile.RECORDSIZE))
        self._draft.sync()
        atomic.remove(sidecar_path(self.path))
        self._draft.commit()
        self.index = ShardIndex(
            self._digest.hexdigest(), self._position, tuple(self._entries.values())
        )


def padded(nbytes: int) -> int:
    """The bytes that a member's data take in a tar: whole blocks."""
    return nbytes + -nbytes % _BLOCK


def member_header(key: str, suffix: str, nbytes: int) -> bytes:
    """The blocks that stand before a member's data; owner, mode and time are constants."""
    header = tarfile.TarInfo(f"{key}.{suffix}")
    header.size, header.mode, header.mtime = nbytes, 0o644, 0
    return header.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


def sidecar_path(tar: "Location") -> "Location":
    """The sidecar of a tar: the same name with .json."""
    return locate(tar).with_suffix(".json")


def split_name(name: str) -> tuple[str, str]:
    """A member's name cut into key and suffix at the first dot of its last part.

    Raises:
        BadShard: there is no suffix, or the key is unsafe.
    """
    folder, slash, last = name.rpartition("/")
    stem, dot, suffix = last.partition(".")
    if not dot or not suffix:
        raise BadShard(f"member {name!r}: has no suffix; expected KEY.suffix")
    key = folder + slash + stem
    check_key(key)
    return key, suffix


def scan_shard(path: "Location") -> ShardIndex:
    """Index a tar from its own headers, trusting no sidecar.

    Raises:
        BadShard: not a tar, cut off, an unsafe name, a link, a key whose members lie apart.
        OSError: it cannot be read.
    """
    path = locate(path)
    entries: dict[str, Entry] = {}
    last = None
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for header in tar:
                last = _collect(entries, header, last)
    except tarfile.TarError as error:
        raise BadShard(f"shard '{path.name}': {error}; expected an uncompressed tar") from error
    with path.open("rb") as file:
        digest = file_sha256(file)
        return ShardIndex(digest, file.tell(), tuple(entries.values()))


def file_sha256(file) -> str:
    """SHA-256 of an open binary file, from its position to the end."""
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def _collect(entries: dict[str, Entry], header: tarfile.TarInfo, last: str | None) -> str:
    """Add one member to the entries; the key it belongs to."""
    if not header.isreg():
        raise BadShard(f"member {header.name!r}: is not a plain file")
    key, suffix = split_name(header.name)
    if key in entries and key != last:
        raise BadShard(f"sample {key!r}: its members lie apart; expected one block a sample")
    entry = entries.get(key) or Entry(key, header.offset, 0, {})
    if suffix in entry.members:
        raise BadShard(f"member {header.name!r}: occurs twice")
    end = header.offset_data + padded(header.size)
    members = {**entry.members, suffix: (header.offset_data, header.size)}
    entries[key] = Entry(key, entry.offset, end - entry.offset, members)
    return key


def read_shard(path: "Location") -> Iterator[tuple[str, dict[str, bytes]]]:
    """Samples of a tar in file order, as (key, suffix -> bytes).

    Raises:
        BadShard, OSError: as scan_shard.
    """
    index = scan_shard(path)
    with Ranges(locate(path)) as file:
        for entry in index.entries:
            yield entry.key, read_entry(file, entry)


def read_entry(file: Ranges, entry: Entry) -> dict[str, bytes]:
    """One sample by its place, in one read; safe from several threads on one file.

    Args:
        file: the open tar.
        entry: from an index or a sidecar.

    Raises:
        BadShard: the file ends before the sample does.
    """
    block = file.read(entry.nbytes, entry.offset)
    if len(block) != entry.nbytes:
        raise BadShard(f"sample {entry.key!r}: {len(block)} of {entry.nbytes} bytes; cut off")
    return {
        suffix: block[offset - entry.offset : offset - entry.offset + size]
        for suffix, (offset, size) in entry.members.items()
    }
