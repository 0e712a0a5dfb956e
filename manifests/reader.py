"""Random access to a set: any members of any samples, by number or key, local or in a store."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from manifests.handles import Handles
from manifests.index import MANIFEST, SHARDS
from manifests.ledger import read_sidecar
from manifests.shard import BadShard
from manifests.storage import Ranges, is_local, locate, read_bytes

if TYPE_CHECKING:
    from manifests.storage import Location

OPEN_SHARDS = 128  # of the 1,024 files that many systems give a process
# Parts of a shard that lie this close in a store are one request. Locally each is a read of its
# own: that costs less than a copy out of a common one.
GAP_BYTES = 256 << 10
_STALE = "the set was made anew or damaged since; run its command again, then 'synth verify'"

Members = dict[str, bytes]
Check = Literal["none", "size", "sidecar"]


class SetReader:
    """The samples of a set, in the order of its manifest.

    Threads may share it; it can be pickled, and used on both sides of a fork.

    Args:
        set_dir: folder or URL of a set that has its manifest.
        members: suffixes to read of each sample, e.g. ("jpg", "json"); None: all.
        open_shards: files that stay open at most.
        check: "size": lists agree with each other, and each shard, when it is opened, with the
            size in shards.json; "sidecar": with checksum and settings of its sidecar too; "none".

    Raises:
        BadShard: lists that do not agree, or no such member.
        OSError: no such set.
    """

    def __init__(
        self,
        set_dir: "str | Location",
        members: Sequence[str] | None = None,
        open_shards: int = OPEN_SHARDS,
        check: Check = "size",
    ):
        self.path, self._check, self._limit = locate(set_dir), check, open_shards
        data = read_bytes(self.path / MANIFEST)
        self._listed = {} if check == "none" else self._list(data)
        table = _places(data)
        self._keys = table["key"]
        self._shard_names: list[str] = table["shard"].dictionary.to_pylist()
        self._shards = table["shard"].indices.to_numpy()
        self._suffixes = [n.removesuffix("/offset") for n in table if n.endswith("/offset")]
        columns = [table[f"{s}/{part}"] for s in self._suffixes for part in ("offset", "size")]
        self._places = _stack(columns, len(self._shards))
        self._sorted: tuple[np.ndarray, np.ndarray] | None = None
        self._handles = Handles(self._open, open_shards)
        self.members = tuple(self._suffixes if members is None else members)
        self._default = self._columns(self.members)

    def __len__(self) -> int:
        return len(self._shards)

    def __getitem__(self, which: int | str) -> Members:
        """A sample by number or key, as suffix -> bytes.

        Raises:
            IndexError, KeyError: there is none.
            BadShard, OSError: as ``read``.
        """
        if isinstance(which, str):
            return self._sample(self.index([which])[0], self._default)
        if not -len(self) <= which < len(self):
            raise IndexError(f"set '{self.path}': sample {which} of a set of {len(self)}")
        return self._sample(which, self._default)

    def key(self, index: int) -> str:
        """The key of a sample."""
        return self._keys[int(self._rows([index])[0])].as_py()

    def index(self, keys: Sequence[str]) -> np.ndarray:
        """Numbers (n,) int64 of the samples with these keys.

        Raises:
            KeyError: the first that there is not.
        """
        if self._sorted is None:
            known = np.array([key.encode() for key in self._keys.to_pylist()], dtype=bytes)
            order = np.argsort(known)
            self._sorted = (known[order], order)
        known, order = self._sorted
        asked = np.array([key.encode() for key in keys], dtype=bytes)
        found = np.searchsorted(known, asked)
        hit = (found < len(known)) & (known[np.minimum(found, len(known) - 1)] == asked)
        if not hit.all():
            raise KeyError(f"set '{self.path}': no sample '{keys[int(np.argmin(hit))]}'")
        return order[found]

    def read(
        self,
        which: Sequence[int] | Sequence[str] | np.ndarray,
        members: Sequence[str] | None = None,
        sort: bool = True,
    ) -> list[Members]:
        """Samples in the order asked for, each as suffix -> bytes.

        Args:
            which: numbers or keys, repeated or not.
            members: suffixes; None: those of the reader. Nothing else is read.
            sort: read in the order of the disk; in a store always so, near parts in one request.

        Raises:
            IndexError, KeyError: no such sample.
            BadShard: no such member, or a shard that is not what the lists say.
            OSError: it cannot be read.
        """
        columns = self._default if members is None else self._columns(members)
        rows = self._rows(which)
        if not is_local(self.path):
            return self._stored(rows, columns)
        order = (
            np.lexsort((self._places[rows, 0], self._shards[rows])) if sort else range(len(rows))
        )
        samples: list[Members] = [{}] * len(rows)
        for slot in order:
            samples[slot] = self._sample(rows[slot], columns)
        return samples

    def close(self) -> None:
        """Close all files; reading opens them again."""
        self._handles.close()

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_handles"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._handles = Handles(self._open, self._limit)

    def _sample(self, row: int, columns: dict[str, int]) -> Members:
        """One sample, a read a member."""
        file = self._handles.get(self._shard_names[self._shards[row]])
        place = self._places[row].tolist()
        return {
            suffix: _exactly(file, place[column + 1], place[column])
            for suffix, column in columns.items()
            if place[column] >= 0
        }

    def _stored(self, rows: np.ndarray, columns: dict[str, int]) -> list[Members]:
        """Samples of a store, with as few requests as their places allow."""
        shards, places = self._shards[rows].tolist(), self._places[rows].tolist()
        samples: list[Members] = [{} for _ in shards]
        parts = [
            (shard, place[column], place[column + 1], slot, suffix)
            for slot, (shard, place) in enumerate(zip(shards, places, strict=True))
            for suffix, column in columns.items()
            if place[column] >= 0
        ]
        for run in _runs(sorted(parts)):
            shard, start = run[0][:2]
            end = max(offset + size for _, offset, size, _, _ in run)
            block = _exactly(self._handles.get(self._shard_names[shard]), end - start, start)
            for _, offset, size, slot, suffix in run:
                samples[slot][suffix] = block[offset - start : offset - start + size]
        return samples

    def _open(self, name: str) -> Ranges:
        file = Ranges(self.path / name)
        if self._check == "none":
            return file
        said, found = self._listed[name], {"bytes": file.nbytes}
        if self._check == "sidecar":
            record = read_sidecar(self.path / name)
            found |= {"sha256": record.sha256, "config_hash": record.config_hash}
        for what, value in found.items():
            if said[what] != value:
                got = f"{what} {value}; {SHARDS} says {said[what]}"
                raise BadShard(f"shard '{name}': {got}; {_STALE}")
        return file

    def _list(self, manifest: bytes) -> dict[str, dict[str, Any]]:
        """What shards.json says of each shard, if it is of this manifest."""
        listing = json.loads(read_bytes(self.path / SHARDS))
        if listing["manifest"]["sha256"] != hashlib.sha256(manifest).hexdigest():
            what = f"{MANIFEST} is not the one that {SHARDS} names"
            raise BadShard(f"set '{self.path}': {what}; {_STALE}")
        return {shard["name"]: shard for shard in listing["shards"]}

    def _rows(self, which: Sequence[int] | Sequence[str] | np.ndarray) -> np.ndarray:
        if len(which) and isinstance(which[0], str):
            return self.index(which)
        rows = np.asarray(which, dtype=np.int64)
        if len(rows) and not (-len(self) <= rows.min() and rows.max() < len(self)):
            got = f"{rows.min()} to {rows.max()}"
            raise IndexError(f"set '{self.path}': samples {got} of a set of {len(self)}")
        return np.where(rows < 0, rows + len(self), rows)

    def _columns(self, members: Sequence[str]) -> dict[str, int]:
        """Member -> its column of offsets; that of its sizes is the next."""
        if unknown := sorted(set(members) - set(self._suffixes)):
            has = ", ".join(self._suffixes)
            raise BadShard(f"set '{self.path}': no member '{unknown[0]}'; its samples have {has}")
        return {suffix: 2 * self._suffixes.index(suffix) for suffix in members}


def _places(manifest: bytes) -> dict[str, pa.Array]:
    """The manifest's columns that say where samples lie, each in one piece."""
    source = pa.BufferReader(manifest)
    names = pq.read_schema(source).names
    wanted = [n for n in names if n in ("key", "shard") or n.endswith(("/offset", "/size"))]
    source.seek(0)
    table = pq.read_table(source, columns=wanted).combine_chunks()
    columns = {name: table[name].combine_chunks() for name in wanted}
    return columns | {"shard": columns["shard"].dictionary_encode()}


def _stack(columns: Sequence[pa.Array], rows: int) -> np.ndarray:
    """Columns side by side (rows, n) int64; -1 where there is nothing."""
    if not columns:
        return np.zeros((rows, 0), np.int64)
    return np.stack([column.fill_null(-1).to_numpy() for column in columns], axis=1)


def _exactly(file: Ranges, nbytes: int, offset: int) -> bytes:
    data = file.read(nbytes, offset) if nbytes else b""
    if len(data) != nbytes:
        name = f"{file.path.parent.name}/{file.path.name}"
        raise BadShard(f"shard '{name}': ends {nbytes - len(data):,} bytes too early; {_STALE}")
    return data


def _runs(parts: list[tuple]) -> Iterator[list[tuple]]:
    """Neighbours of sorted ``parts`` (shard, offset, size, ...) that are read at once."""
    run: list[tuple] = []
    end = 0
    for part in parts:
        shard, offset, size = part[:3]
        if run and shard == run[0][0] and offset <= end + GAP_BYTES:
            run.append(part)
            end = max(end, offset + size)
        else:
            if run:
                yield run
            run, end = [part], offset + size
    if run:
        yield run
