"""Before any work: a worker is there, versions agree, and each worker sees the set's folder."""

import hashlib
import importlib.metadata
import logging
import os
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import distributed
import fsspec
from distributed import Client

from faces.errors import BadInput
from manifests.card import OPENCV

log = logging.getLogger(__name__)

_TELL_S = 15.0  # between words while waiting

# What must agree: Dask's own language, and what decides bytes. Two names of one library share a
# row.
_PROTOCOL = ("python", "dask", "distributed", "cloudpickle", "msgpack")
_BYTES = ("facesynth", "numpy", "scipy", "numba", "opencv", "pillow", "trimesh")
PACKAGES = ("augment", "faces", "imaging", "manifests", "pipelines", "registration", "synth")
_NAMES = {"opencv": OPENCV}


def wait_for_worker(client: Client, seconds: float, remedy: str) -> None:
    """Wait for the first worker, and say so every now and then.

    Args:
        remedy: what to check, in words.

    Raises:
        BadInput: none came in time.
    """
    where, started = client.scheduler.address, time.monotonic()
    while (waited := time.monotonic() - started) < seconds:
        try:
            return client.wait_for_workers(1, timeout=max(0.1, min(_TELL_S, seconds - waited)))
        except distributed.TimeoutError:
            told = time.monotonic() - started
            log.info("no worker at %s after %.0f of %.0f s; %s", where, told, seconds, remedy)
    got = f"no worker within {seconds:.0f} s"
    raise BadInput(f"scheduler {where}", got, "at least one", remedy)


def check_versions(client: Client, workers: Sequence[str] | None = None) -> None:
    """The driver, the scheduler and these workers (default: all) run one version of what counts.

    The scheduler only passes messages on: it has to speak Dask's language, no more.

    Raises:
        BadInput: they do not; with a table.
    """
    names = [name for row in _BYTES for name in _NAMES.get(row, (row,))]
    found = client.get_versions(packages=names)
    parts = {"driver": _versions(found["client"], _PROTOCOL + _BYTES)}
    parts["scheduler"] = _versions(found["scheduler"], _PROTOCOL)
    chosen = found["workers"] if workers is None else {w: found["workers"].get(w) for w in workers}
    parts |= {f"worker {w}": _versions(v, _PROTOCOL + _BYTES) for w, v in chosen.items() if v}
    _refuse_other(parts)
    # One version number can be two states of the code, e.g. of a working copy.
    parts = {"driver": {"facesynth code": code_digest()}}
    digests = client.run(code_digest, workers=workers and list(workers), on_error="return")
    parts |= {f"worker {w}": {"facesynth code": str(d)} for w, d in digests.items()}
    _refuse_other(parts)


def code_digest() -> str:
    """The first 12 hex digits of a SHA-256 over this project's modules, as they lie on the disk."""
    root = Path(__file__).resolve().parents[2]
    sha = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            sha.update(path.relative_to(root).as_posix().encode())
            sha.update(path.read_bytes())
    return sha.hexdigest()[:12]


def check_folder(client: Client, out: str, workers: Sequence[str] | None = None) -> None:
    """Each worker (default: all) reads what the driver wrote into the set's folder, and can write.

    Args:
        out: the folder or URL of the set.

    Raises:
        BadInput: a worker does not; names its host and the folder.
        OSError: the driver itself cannot write there.
    """
    token = uuid.uuid4().hex
    files, folder = fsspec.core.url_to_fs(out)
    path = f"{folder}/.run/token-{token}"
    files.makedirs(f"{folder}/.run", exist_ok=True)
    files.pipe_file(path, token.encode())
    try:
        answers = client.run(
            try_folder, out, token, workers=workers and list(workers), on_error="return"
        )
    finally:
        files.rm(path)
    wrong = {w: a for w, a in answers.items() if a != ""}
    if wrong:
        worker, answer = min(wrong.items())
        raise BadInput(
            f"--out {out}",
            f"{len(wrong)} of {len(answers)} workers cannot use it; worker {worker}: {answer}",
            "one folder that the driver and all workers see under one name, and may write",
            "give the absolute path of a shared file system, or a URL that every worker opens",
        )


def try_folder(out: str, token: str) -> str:
    """On a worker: empty when the token is there and a file can be written; else why not."""
    where = f"on host {socket.gethostname()}"
    try:
        files, folder = fsspec.core.url_to_fs(out)
        path = f"{folder}/.run/token-{token}"
        if files.cat_file(path) != token.encode():
            return f"{where}, '{path}' is another file"
        mine = f"{path}-{socket.gethostname()}-{os.getpid()}"
        files.pipe_file(mine, b"")
        files.rm(mine)
    except FileNotFoundError:
        return f"{where}, '{folder}' is another folder or none: the driver's file is not there"
    except Exception as error:  # whatever a file system's library raises
        return f"{where}, '{out}': {type(error).__name__}: {error}"
    return ""


def check_resources(client: Client, needs: Mapping[str, Mapping[str, float]]) -> None:
    """Some worker offers what each stage needs.

    Raises:
        BadInput: none does.
    """
    offers = [worker["resources"] for worker in worker_info(client).values()]
    for stage, need in needs.items():
        if not any(all(offer.get(n, 0) >= k for n, k in need.items()) for offer in offers):
            words = ",".join(f"{name}={amount:g}" for name, amount in need.items())
            raise BadInput(
                f"--cluster.stage-resources {stage}:{words}",
                f"none of {len(offers)} workers offers it",
                "one that does",
                f"start workers with 'dask worker ADDRESS --resources {words}', or give "
                "--cluster.worker-resources",
            )


def worker_info(client: Client) -> dict[str, dict[str, Any]]:
    """What the scheduler knows of each worker, by address."""
    return dict(client.scheduler_info(n_workers=-1)["workers"])


def _versions(part: Mapping[str, Any] | None, rows: Sequence[str]) -> dict[str, str]:
    packages = (part or {}).get("packages") or {}
    found = {}
    for row in rows:
        said = [packages.get(name) for name in _NAMES.get(row, (row,))]
        found[row] = next((str(version) for version in said if version), "missing")
    return found


def _refuse_other(parts: Mapping[str, Mapping[str, str]]) -> None:
    """Raise where a part has another version than the driver, the first of ``parts``."""
    driver = parts["driver"]
    other = {
        name: rows
        for name, rows in parts.items()
        if any(version != driver[row] for row, version in rows.items())
    }
    if not other:
        return
    lines = [
        f"  {name:<32} {row:<16} {version}  (driver: {driver[row]})"
        for name, rows in [*other.items()][:5]
        for row, version in rows.items()
        if version != driver[row]
    ]
    more = [f"  and {len(other) - 5} more"] if len(other) > 5 else []
    raise BadInput(
        "the cluster's versions",
        f"{len(other)} of {len(parts) - 1} parts differ from the driver:\n"
        + "\n".join([*lines, *more])
        + "\n",
        "one version everywhere: a set's bytes depend on it",
        f"install facesynth {importlib.metadata.version('facesynth')} with the same "
        "requirements.lock on all machines",
    )
