"""Corrupted inputs through the real stages: each is processed, or a record says why not.

    python -m benchmarks.fuzz --count 300 --records 12 --shared ../shared

Small good inputs of each kind (RGB-D frames, photos, meshes of four formats, organised scans and
sequences) are damaged in one way each, seeded, and go through ``synth fg3d``, or for "render"
photos through ``synth render``: scans, registration, views. With ``--shared`` a few damaged copies
of real scans and photos too, with the model that is built in. Printed for each kind: inputs, how
many were processed and recorded, inputs that are neither (lost), records that do not name the file,
the reason and the remedy, good neighbours that were spoilt, processor time, the largest memory of
the process. A process that ends otherwise than with status 0 or 1 is a crash, one that takes longer
than LIMIT_S a hang.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.fuzz_inputs import GOOD, KINDS, Case, folder_name, make, odd_names
from benchmarks.fuzz_shared import LANDMARKER, missing, real_kinds
from faces.morphable import save_model
from manifests.ledger import read_stage
from tests.toy import toy_model

LIMIT_S = 1200
MEMORY = 12 << 30  # bytes of address space; a header that is believed asks for more
SHARES = {"rgbd": 0.34, "photo": 0.18, "obj": 0.14, "ply": 0.07, "glb": 0.06, "wrl": 0.07}
SHARES |= {"frgc": 0.05, "tum": 0.09}
REAL = 12  # damaged copies of real scans, and of real photos
MARKED = ["--detector", "file"]
SHORT = ["--ticp.refits", "0", "--views.step-deg", "90", "--views.pitches-deg", "0"]
RUN = "import sys; from pipelines.cli import main; sys.exit(main())"


@dataclass
class Outcome:
    """What became of the inputs of one kind, by folder.

    Attributes:
        status: of the process; None where it was stopped.
        processed: folders with a sample of the last stage.
        records: folder to its failure records.
    """

    status: int | None
    processed: set[str]
    records: dict[str, list[dict]]
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    log: str = ""
    cases: list[Case] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300, help="damaged inputs in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--records", type=int, default=8, help="records of each kind to print")
    parser.add_argument("--kinds", nargs="*", default=[*SHARES], choices=list(SHARES))
    parser.add_argument("--shared", type=Path, help="folder of real scans, photos and models")
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        save_model(toy_model(), home / "toy.npz")
        print("kind    inputs processed recorded  lost unhelpful spoilt  CPU s  MB  status")
        shown = []
        for seed, name in enumerate(options.kinds, 100 * options.seed):
            count = round(options.count * SHARES[name])
            outcome = fuzz(name, count, seed, home)
            bad += report(name, outcome)
            shown += [(name, *pair) for pair in examples(outcome, options.records)]
            if name == "photo":
                again = run(home / name, home / "rendered", home / "toy.npz", name, verb="render")
                again.cases = outcome.cases
                bad += report("render", again)
        for name, outcome in fuzz_real(options.shared, options.seed, home):
            bad += report(name, outcome)
            shown += [(name, *pair) for pair in examples(outcome, options.records)]
        for kind, case, record in shown:
            print(f"\n[{kind}] {case.file}: {case.what}\n    {record['message']}")
    return int(bad > 0)


def fuzz(name: str, count: int, seed: int, home: Path) -> Outcome:
    """Damaged inputs of one kind made and run."""
    kind, root = KINDS[name], home / name
    named = name in ("rgbd", "photo", "ply")
    cases = make(kind, root, max(1, count - 12 * named), seed)
    if named:
        cases += odd_names(kind, root)
    outcome = run(root, home / f"{name}-set", home / "toy.npz", kind.layout)
    outcome.cases = cases
    return outcome


def fuzz_real(shared: Path | None, seed: int, home: Path) -> Iterator[tuple[str, Outcome]]:
    """Damaged copies of the real scans and photos below ``shared``; none where they are absent."""
    lack = missing(shared) if shared else "--shared was not given"
    if lack:
        print(f"real scans and photos: skipped, {lack}")
        return
    for name, kind in real_kinds(shared).items():
        cases = make(kind, home / name, REAL, seed)
        found = ["--face-landmarker", str(shared / LANDMARKER)]
        outcome = run(home / name, home / f"{name}-set", "default", kind.layout, marks=found)
        outcome.cases = cases
        yield name, outcome


def run(
    root: Path,
    out: Path,
    model: Path | str,
    layout: str,
    verb: str = "fg3d",
    marks: Sequence[str] = MARKED,
) -> Outcome:
    """The command on a folder, in a process of its own."""
    words = [verb, "--layout", layout, "--model", str(model), "--out", str(out), *marks]
    words += ["--scheduler", "inline", "--max-failed", "1"]
    words += ["--scans", str(root), *SHORT] if verb == "fg3d" else ["--faces", str(root)]
    words += [] if verb == "fg3d" else ["--yaw-range", "60,70", "--views", "2", "--size-px", "64"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(
            [sys.executable, "-c", RUN, *words],
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )
        status, log = done.returncode, done.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired as error:
        status, log = None, (error.stderr or b"").decode(errors="replace")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    processed, records = read_outcome(out)
    return Outcome(status, processed, records, cpu_s, after.ru_maxrss / 1024, log)


def read_outcome(out: Path) -> tuple[set[str], dict[str, list[dict]]]:
    """Folders with samples, and the failures of each folder, from the sidecars alone."""
    processed, records = set(), {}
    for stage in ("scans", "registered", "samples"):
        if not (out / stage).is_dir():
            continue
        for record in read_stage(out / stage):
            for failure in record.failures:
                records.setdefault(folder_of(failure["key"]), []).append(failure)
            if stage == "samples":
                processed |= {folder_of(str(row["scan"])) for row in record.rows}
    return processed, records


def folder_of(key: str) -> str:
    """A damaged input's folder by its key; FRGC's people are numbers."""
    first = key.split("/")[0]
    return f"p{int(first) - 4000:03d}" if re.fullmatch(r"04\d{3}", first) else first


def lost(outcome: Outcome) -> list[Case]:
    """Cases that are neither processed nor recorded."""
    known = outcome.processed | outcome.records.keys()
    return [case for case in outcome.cases if _as_key(case.name) not in known]


def _as_key(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


def unhelpful(record: dict) -> bool:
    """Whether a record does not name the file or input, the reason, what was expected, a remedy."""
    message = record["message"]
    named = "'" in message.split(":")[0] or record["key"] in message
    parts = message.split("; ")
    helps = len(parts) >= 3 and "expected" in message and len(parts[-1]) > 4
    return not (named and helps)


def spoilt(outcome: Outcome) -> int:
    """Good inputs that were not processed."""
    people = {folder_name(KINDS["rgbd"], number) for number in range(GOOD)}
    return len(people - outcome.processed)


def examples(outcome: Outcome, count: int) -> list[tuple[Case, dict]]:
    """Records to read: the unhelpful ones first, then one of each kind of damage."""
    pairs = [
        (case, record)
        for case in outcome.cases
        for record in outcome.records.get(_as_key(case.name), [])[:1]
    ]
    pairs.sort(key=lambda pair: not unhelpful(pair[1]))
    return pairs[:count]


def report(name: str, outcome: Outcome) -> int:
    """Print a line; the number of things that must not be."""
    bad = [r for records in outcome.records.values() for r in records if unhelpful(r)]
    missing, crashed = lost(outcome), outcome.status not in (0, 1)
    names = {_as_key(case.name) for case in outcome.cases}
    print(
        f"{name:7} {len(outcome.cases):6} {len(names & outcome.processed):9} "
        f"{len(names & outcome.records.keys()):8} {len(missing):5} {len(bad):9} "
        f"{spoilt(outcome):6} {outcome.cpu_s:6.0f} {outcome.peak_mb:5.0f}  {outcome.status}",
        flush=True,
    )
    for case in missing:
        print(f"    lost: {case.name!r} {case.file}: {case.what}")
    if crashed:
        print(outcome.log[-1500:])
    return len(bad) + len(missing) + crashed + spoilt(outcome)


if __name__ == "__main__":
    sys.exit(main())
