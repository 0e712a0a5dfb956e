"""200 random damages to a set, one at a time: verify finds each, and names the file."""

import random
import shutil

import pytest
from engine_toy import RECIPE, toy_config

from manifests.ledger import read_sidecar
from manifests.verify import verify
from pipelines.plan import load_plan
from pipelines.run import run_recipe

BLOCK = 512
LISTS = ("manifest.parquet", "shards.json", "failures/scans.jsonl")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A sound set: its folder, and every file's bytes by name."""
    out = tmp_path_factory.mktemp("damage") / "set"
    assert (
        run_recipe(RECIPE, toy_config(out, inputs=9, per_shard=3, bad=["s003"], max_failed=1.0))
        == 0
    )
    names = [p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()]
    return out, {name: (out / name).read_bytes() for name in names}


def flip(out, files, rng):
    """One bit, anywhere in a tar, a sidecar or a list."""
    name = rng.choice(shards(files) + sidecars(files) + list(LISTS))
    damaged = bytearray(files[name])
    damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    (out / name).write_bytes(damaged)
    return name


def flip_in_tar(out, files, rng):
    """One bit of a header, of a member, of its padding or of the tar's end, as often each."""
    name = rng.choice([name for name in shards(files) if read_sidecar(out / name).count])
    record = read_sidecar(out / name)
    entry = rng.choice(record.entries)
    offset, size = rng.choice(list(entry.members.values()))
    spans = [
        (offset - BLOCK, offset),
        (offset, offset + size),
        (offset + size, offset + size + -size % BLOCK),
        (record.entries[-1].offset + record.entries[-1].nbytes, record.nbytes),
    ]
    start, end = rng.choice([span for span in spans if span[0] < span[1]])
    damaged = bytearray(files[name])
    damaged[rng.randrange(start, end)] ^= 1 << rng.randrange(8)
    (out / name).write_bytes(damaged)
    return name


def cut(out, files, rng):
    """A tar that ends at a sample's border, at a member's, or anywhere; or a sidecar or list."""
    name = rng.choice(shards(files) + shards(files) + sidecars(files) + list(LISTS))
    places = [rng.randrange(len(files[name]))]
    if name.endswith(".tar"):
        entries = read_sidecar(out / name).entries
        places += [e.offset for e in entries]
        places += [offset - BLOCK for e in entries for offset, _ in e.members.values()]
    (out / name).write_bytes(files[name][: rng.choice(places)])
    return name


def delete(out, files, rng):
    """A tar, a sidecar, a list, or a tar with its sidecar."""
    name = rng.choice(shards(files) + sidecars(files) + list(LISTS))
    (out / name).unlink()
    if name.endswith(".tar") and rng.random() < 0.5:
        (out / name).with_suffix(".json").unlink()
    return name.replace(".json", ".tar") if name in sidecars(files) else name


def append(out, files, rng):
    """Bytes after the end: zeros look like a tar's own end."""
    name = rng.choice(shards(files) + sidecars(files) + list(LISTS))
    tail = rng.choice([bytes(BLOCK), bytes(20 * BLOCK), b"\n", rng.randbytes(100)])
    (out / name).write_bytes(files[name] + tail)
    return name


def swap(out, files, rng):
    """Two tars that changed places, with or without their sidecars."""
    stage = rng.choice(["scans", "samples"])
    a, b = rng.sample([name for name in shards(files) if name.startswith(stage)], 2)
    pairs = [(a, b)]
    if rng.random() < 0.5:
        pairs.append(tuple(name.replace(".tar", ".json") for name in (a, b)))
    for one, other in pairs:
        (out / one).write_bytes(files[other])
        (out / other).write_bytes(files[one])
    return a


def duplicate(out, files, rng):
    """A shard once more under another name, with or without its sidecar."""
    name = rng.choice(shards(files))
    stem = name.split("/")[0] + rng.choice(["/00099", "/copy", "/00001 (1)"])
    shutil.copy(out / name, out / f"{stem}.tar")
    if rng.random() < 0.5:
        shutil.copy((out / name).with_suffix(".json"), out / f"{stem}.json")
    return f"{stem}.tar"


DAMAGES = (flip, flip_in_tar, cut, delete, append, swap, duplicate)


def shards(files):
    return [name for name in files if name.endswith(".tar")]


def sidecars(files):
    return [name.replace(".tar", ".json") for name in shards(files)]


def restore(out, files):
    for path in [p for p in out.rglob("*") if p.is_file()]:
        if path.relative_to(out).as_posix() not in files:
            path.unlink()
    for name, data in files.items():
        (out / name).write_bytes(data)


def problems_of(out):
    return verify(out, [name for name, _, _ in load_plan(out)["shards"]])


def test_each_of_200_damages_is_found_in_the_file_that_has_it(sound):
    out, files = sound
    assert problems_of(out) == []
    rng = random.Random(1)
    for number in range(200):
        damage = DAMAGES[number % len(DAMAGES)]
        name = damage(out, files, rng)
        found = problems_of(out)
        assert name in {problem.path for problem in found}, (number, damage.__name__, name)
        assert all(problem.remedy for problem in found)
        restore(out, files)
    assert problems_of(out) == []
