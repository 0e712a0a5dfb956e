"""One set of the parts that several machines made without a scheduler in common."""

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from faces.errors import BadInput
from manifests import atomic
from manifests.ledger import ShardRecord, read_sidecar
from manifests.shard import BadShard, sidecar_path
from manifests.storage import exists, is_local, make_folder, read_bytes
from pipelines.config import changed, parse_toml
from pipelines.folders.versions import VERSIONS, check_versions, read_versions
from pipelines.plan import PLAN, WHOLE, load_plan, write_plan

if TYPE_CHECKING:
    from manifests.storage import Location

log = logging.getLogger(__name__)

_CHUNK = 1 << 20  # bytes copied at a time

_NOTES = ("config.toml", ".run/local.toml")  # of the first part, for the whole


def join_parts(parts: Sequence["Location"], out: "Location", any_versions: bool = False) -> None:
    """Put the shards of all parts into one folder, with plan and settings.

    Shards are linked where a link can be had and copied elsewhere, and a copy is checked; the
    parts stay as they are. What lies in ``out`` already is left, so an interrupted merge goes on.

    Args:
        parts: folders of runs with ``--part 1/N`` to ``--part N/N``.
        out: folder of the set; empty, or begun by the same merge.
        any_versions: join parts that other versions of packages made.

    Raises:
        BadInput: not the parts of one plan, one is missing or not complete, or ``out`` holds
            another set.
        BadShard: a copy differs from what its sidecar says.
        OSError: as the disk says.
    """
    plans = [load_plan(part) for part in parts]
    _check_plans(parts, plans)
    _check_target(out, plans[0])
    records = [_records(part, plan) for part, plan in zip(parts, plans, strict=True)]
    for part, found in zip(parts, records, strict=True):
        for record in found:
            _take(part / f"{record.name}.tar", out / f"{record.name}.tar", record)
    _write_notes(parts, out, plans[0], any_versions)


def _check_plans(parts: Sequence["Location"], plans: Sequence[dict]) -> None:
    first = plans[0]
    for part, plan in zip(parts, plans, strict=True):
        differing = [k for k in ("recipe", "config_hash", "rows") if plan[k] != first[k]]
        if differing or plan["part"].of != first["part"].of:
            _refuse_stranger(parts[0], part, differing)
    wanted, got = range(1, first["part"].of + 1), sorted(plan["part"].number for plan in plans)
    if got != [*wanted]:
        raise BadInput(
            "the parts",
            f"numbers {', '.join(map(str, got))} of {first['part'].of}",
            f"each of 1 to {first['part'].of} once",
            "name the folder of every part",
        )


def _refuse_stranger(first: "Location", part: "Location", differing: Sequence[str]) -> None:
    lines = changed(_settings(first), _settings(part)) or differing or ["another number of parts"]
    raise BadInput(
        f"part '{part}'",
        f"is of another plan than '{first}' ({'; '.join(lines)})",
        "the same command but for --part and --out",
        "leave it out, or make it anew",
    )


def _settings(folder: "Location") -> dict:
    path = folder / _NOTES[0]
    return parse_toml(read_bytes(path).decode(), path.name) if exists(path) else {}


def _check_target(out: "Location", plan: dict) -> None:
    if not exists(out / PLAN):
        return
    there = load_plan(out)
    if any(there[k] != plan[k] for k in ("recipe", "config_hash", "rows")):
        raise BadInput(f"--out {out}", "holds another set", "an empty folder", "give another --out")


def _records(part: "Location", plan: dict) -> list[ShardRecord]:
    """Records of all shards of a part, all complete."""
    records, missing = [], []
    for name, _, _ in plan["shards"]:
        try:
            record = read_sidecar(part / f"{name}.tar")
        except (FileNotFoundError, BadShard):
            record = None
        if record is None or record.config_hash != plan["config_hash"]:
            missing.append(name)
        else:
            records.append(record)
    if missing:
        raise BadInput(
            f"part '{part}'",
            f"{len(missing)} of {len(plan['shards'])} shards missing (first: {missing[0]})",
            "a complete part",
            "run its command again, then merge",
        )
    return records


def _take(source: "Location", target: "Location", record: ShardRecord) -> None:
    """Tar, then sidecar, the mark that it is complete."""
    data = read_bytes(sidecar_path(source))
    if exists(sidecar_path(target)) and read_bytes(sidecar_path(target)) == data:
        return
    make_folder(target.parent)
    atomic.remove(sidecar_path(target))
    if not _linked(source, target):
        _copy(source, target, record)
    atomic.write_file(sidecar_path(target), data)


def _linked(source: "Location", target: "Location") -> bool:
    """Whether the same file could be given a second name, which takes the place of what was there.

    False on other disks, in stores, and on file systems without links.
    """
    if not (is_local(source) and is_local(target)):
        return False
    partial = atomic.partial_path(target)
    try:
        os.link(source, partial)
    except OSError:
        log.debug("no link of %s: a copy", source, exc_info=True)
        return False
    os.replace(partial, target)
    atomic.sync_folder(target.parent)
    return True


def _copy(source: "Location", target: "Location", record: ShardRecord) -> None:
    digest = hashlib.sha256()
    with atomic.Draft(target) as draft, source.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            draft.write(chunk)
        if digest.hexdigest() != record.sha256:
            raise BadShard(
                f"shard '{source}': its checksum differs from its sidecar's; run 'synth verify "
                f"{source.parents[1]}'"
            )
        draft.sync()
        draft.commit()


def _write_notes(
    parts: Sequence["Location"], out: "Location", plan: dict, any_versions: bool
) -> None:
    make_folder((out / VERSIONS).parent)
    versions = [one for part in parts for one in read_versions(part)]
    unlike = [one for k, one in enumerate(versions) if one not in versions[:k]]
    if len(unlike) > 1 and not any_versions:
        raise BadInput(
            "the parts",
            f"were made with other versions ({'; '.join(changed(unlike[0], unlike[1]))})",
            "the same ones, since these decide bytes",
            "make one of them anew, or --any-versions to mix them",
        )
    atomic.write_file(out / VERSIONS, json.dumps(unlike, indent=1).encode() + b"\n")
    check_versions(out, True, any_versions)
    write_plan(out, {**plan, "part": WHOLE})
    for name in _NOTES:
        if exists(parts[0] / name):
            atomic.write_file(out / name, read_bytes(parts[0] / name))
