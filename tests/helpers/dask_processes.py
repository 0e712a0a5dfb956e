"""A scheduler and workers as processes of their own, as on a cluster; no nanny, so one each."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers")])


@contextmanager
def scheduler(folder, *words):
    """A running scheduler; its address."""
    ready = Path(folder) / "scheduler.json"
    command = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(ready)]
    with _process([*command, "--dashboard-address", "127.0.0.1:0", *words], Path(folder)):
        deadline = time.monotonic() + 30
        while not ready.exists() or not (text := ready.read_text()).endswith("}"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield json.loads(text)["address"]


@contextmanager
def worker(address, folder, *words, before="", root=ROOT):
    """A worker in ``folder``; ``before`` is Python that its process runs first, ``root`` the
    working copy that it imports."""
    command = ["worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    command += ["--death-timeout", "30", *words]
    with _process(command, Path(folder), before, root) as process:
        yield process


@contextmanager
def cluster(folder, workers=1):
    """Scheduler and workers, all with ``folder`` as working directory; the address."""
    with ExitStack() as stack:
        address = stack.enter_context(scheduler(folder))
        for _ in range(workers):
            stack.enter_context(worker(address, folder))
        yield address


@contextmanager
def _process(words, folder, before="", root=ROOT):
    places = os.pathsep.join([str(root), PLACES])
    if before:
        (folder / "before").mkdir(exist_ok=True)
        (folder / "before" / "sitecustomize.py").write_text(before)
        places = os.pathsep.join([str(folder / "before"), places])
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": places},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
