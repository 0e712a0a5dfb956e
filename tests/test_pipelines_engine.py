"""The engine loses nothing: equal bytes for any workers, interruptions and deaths."""

import dataclasses
import errno
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from engine_toy import RECIPE, STAGES, toy_config, toy_plan

from faces.errors import BadInput
from manifests.ledger import read_sidecar
from manifests.verify import verify
from pipelines.cluster import free_address, open_client
from pipelines.engine import run_plan
from pipelines.run import finish_set, open_set, run_recipe
from pipelines.status import read_status

ROOT = Path(__file__).parents[1]
TOY = ROOT / "tests" / "helpers" / "engine_toy.py"


def contents(out):
    """Hashes of all of a set's files; of the sidecars, what is not the time that they took."""
    found = {}
    for path in sorted(Path(out).rglob("*")):
        name = str(path.relative_to(out))
        if path.is_file() and not name.startswith(".run"):
            data = path.read_bytes()
            if path.with_suffix(".tar").exists() and path.suffix == ".json":
                body = json.loads(data)
                data = json.dumps({**body, "seconds": 0, "checksum": 0}).encode()
            found[name] = hashlib.sha256(data).hexdigest()
    return found


def work(folder):
    """How often each input was worked on, from the toy's log."""
    return Counter((Path(folder) / "work.log").read_text().splitlines())


def run_events(config, tmp_path):
    """Run the toy plan in this process; events as (kind, task)."""
    tasks = toy_plan(config, Path(config.run.out))
    open_set(Path(config.run.out), "toy", config, tasks)
    events = []
    summary = run_plan(tasks, STAGES, config, None, events.append)
    return summary, [(event.kind, event.task) for event in events]


def test_a_chain_goes_through_shard_by_shard(tmp_path):
    summary, events = run_events(toy_config(tmp_path), tmp_path)
    names = [f"{stage}/{i:05d}" for i in range(3) for stage in ("scans", "samples")]
    assert events == [("done", name) for name in names]
    assert (summary.done, summary.samples, summary.failures) == (6, 6 + 12, 0)


def test_a_second_run_skips_everything(tmp_path):
    run_events(toy_config(tmp_path), tmp_path)
    summary, events = run_events(toy_config(tmp_path), tmp_path)
    assert {kind for kind, _ in events} == {"skipped"}
    assert (summary.skipped, summary.samples) == (6, 18)


def test_added_inputs_cost_their_own_shards_only(tmp_path):
    run_events(toy_config(tmp_path, inputs=5), tmp_path)
    _, events = run_events(toy_config(tmp_path, inputs=7), tmp_path)
    made = {name for kind, name in events if kind == "done"}
    assert made == {f"{s}/{i:05d}" for s in ("scans", "samples") for i in (2, 3)}


def test_other_settings_are_refused_and_named(tmp_path):
    run_recipe(RECIPE, toy_config(tmp_path))
    with pytest.raises(BadInput, match="nbytes: 700 -> 800"):
        run_recipe(RECIPE, toy_config(tmp_path, nbytes=800))


def test_stale_shards_are_made_anew_with_overwrite(tmp_path):
    run_recipe(RECIPE, toy_config(tmp_path / "a", nbytes=600))
    run_recipe(RECIPE, toy_config(tmp_path / "a", nbytes=800, inputs=4, overwrite=True))
    run_recipe(RECIPE, toy_config(tmp_path / "b", nbytes=800, inputs=4))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_status_knows_stale_shards(tmp_path):
    run_recipe(RECIPE, toy_config(tmp_path, nbytes=600))
    config = toy_config(tmp_path, nbytes=800, overwrite=True)
    open_set(tmp_path, "toy", config, toy_plan(config, tmp_path))
    stages = read_status(tmp_path).stages
    assert [(s.done, s.total, s.stale) for s in stages] == [(0, 3, 3), (0, 3, 3)]


def test_fewer_inputs_are_refused(tmp_path):
    run_recipe(RECIPE, toy_config(tmp_path))
    with pytest.raises(BadInput, match="2 shards outside the plan"):
        run_recipe(RECIPE, toy_config(tmp_path, inputs=4))


def test_bad_inputs_are_recorded_and_the_rest_finishes(tmp_path):
    config = toy_config(tmp_path, bad=["s001", "s004"])
    assert run_recipe(RECIPE, config) == 1
    lines = (tmp_path / "failures" / "scans.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert [(r["key"], r["stage"], r["exception"]) for r in records] == [
        ("s001", "scans", "ValueError"),
        ("s004", "scans", "ValueError"),
    ]
    assert records[0]["message"] == "scan 's001': is bad on purpose"
    assert read_status(tmp_path).stages[1].samples == 8
    assert verify(tmp_path) == []


def test_failure_records_name_no_folder_of_this_machine(tmp_path):
    config = toy_config(tmp_path / "set", bad=["s001"], flag_dir=f"{tmp_path}/")
    run_recipe(RECIPE, config)
    failure = read_sidecar(tmp_path / "set" / "scans" / "00000.tar").failures[0]
    assert failure["message"] == "scan '<flag_dir>/s001': is bad on purpose"


@pytest.mark.parametrize(("share", "status"), [(0.32, 1), (0.34, 0)])
def test_the_failed_share_decides_the_exit_status(tmp_path, share, status):
    config = toy_config(tmp_path, bad=["s001", "s004"], max_failed=share)  # 2 of 6
    assert run_recipe(RECIPE, config) == status


def test_a_broken_stage_function_costs_its_task_only(tmp_path):
    config = toy_config(tmp_path, broken_task="scans/00001")
    summary, events = run_events(config, tmp_path)
    assert ("failed", "scans/00001") in events
    assert (summary.failed, summary.done, summary.failures) == (1, 5, 2)
    failures = read_sidecar(tmp_path / "scans" / "00001.tar").failures
    assert [(f["key"], f["exception"], f["task"]) for f in failures] == [
        ("s002", "RuntimeError", "scans/00001"),
        ("s003", "RuntimeError", "scans/00001"),
    ]
    finish_set(tmp_path, RECIPE, config)
    assert verify(tmp_path) == []


def test_a_folder_that_cannot_be_written_blocks_and_marks_nothing(tmp_path):
    config = toy_config(tmp_path, inputs=2)
    (tmp_path / "scans" / "00000.tar").mkdir(parents=True)  # a file cannot replace a folder
    summary, events = run_events(config, tmp_path)
    assert events == [("blocked", "scans/00000"), ("blocked", "samples/00000")]
    assert summary.blocked == 2
    (tmp_path / "scans" / "00000.tar").rmdir()
    summary, events = run_events(config, tmp_path)
    assert events == [("done", "scans/00000"), ("done", "samples/00000")]


def test_a_full_disk_stops_the_run_at_once(tmp_path):
    config = toy_config(tmp_path)
    calls = []

    def full(task, config):
        calls.append(task.name)
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"scans/00000.*No space left.*same command"):
        run_plan(toy_plan(config, tmp_path), {**STAGES, "scans": full}, config)
    assert calls == ["scans/00000"]
    summary, _ = run_events(config, tmp_path)
    assert (summary.done, summary.failures) == (6, 0)


def test_leftovers_of_killed_writers_are_swept(tmp_path):
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / ".00000.tar.partial-1f").write_bytes(b"torn")
    run_events(toy_config(tmp_path), tmp_path)
    assert not list(tmp_path.rglob(".*partial*"))


def test_a_plan_must_make_sense(tmp_path):
    config = toy_config(tmp_path)
    tasks = toy_plan(config, tmp_path)
    with pytest.raises(ValueError, match="not planned before"):
        run_plan(tasks[3:], STAGES, config)
    with pytest.raises(ValueError, match="no function"):
        run_plan(tasks, {"scans": STAGES["scans"]}, config)
    with pytest.raises(ValueError, match="twice"):
        run_plan([tasks[0], tasks[0]], STAGES, config)


def test_workers_do_not_change_the_bytes(tmp_path):
    """And a worker that is killed once, mid-run, changes nothing either."""
    notes = {"kill_once": "s002", "flag_dir": str(tmp_path)}
    two, one = (toy_config(tmp_path / n, "local", workers=2) for n in ("2", "1"))
    make(toy_config(tmp_path / "inline"), None)
    with open_client(two.run) as client:
        make(dataclasses.replace(two, **notes), client)
        client.wait_for_workers(2, timeout=30)  # the killed one is back
        client.retire_workers([min(client.nthreads())])
        assert len(client.nthreads()) == 1
        make(one, client)
    assert (tmp_path / "killed").exists()
    tars = [
        {k: v for k, v in contents(tmp_path / name).items() if k.endswith(".tar")}
        for name in ("inline", "1", "2")
    ]
    assert len(tars[0]) == 6
    assert tars[0] == tars[1] == tars[2]


def make(config, client):
    """The whole set; every shard is made."""
    out = Path(config.run.out)
    tasks = toy_plan(config, out)
    open_set(out, "toy", config, tasks)
    summary = run_plan(tasks, STAGES, config, client)
    assert (summary.done, summary.failures) == (6, 0)


def start_toy(out, notes, pause, scheduler):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, str(TOY), str(out), str(notes), str(pause), scheduler]
    return subprocess.Popen(
        words,
        env=environment,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # a test run in the background hands down an ignored SIGINT, and Python leaves it so
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(condition, process):
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("scheduler", ["inline", "local"])
def test_a_killed_driver_costs_only_what_was_in_flight(tmp_path, scheduler):
    (tmp_path / "notes").mkdir()
    out = tmp_path / "killed"
    # pauses so long that a busy machine kills before the set is done
    process = start_toy(out, tmp_path / "notes", 0.3, scheduler)
    wait_for(lambda: (out / "samples" / "00000.json").exists(), process)
    process.kill()
    process.wait(timeout=20)
    time.sleep(0.5)  # the workers notice the driver's death and go
    committed = [*out.glob("s*/*.json")]  # of five shards in each of two stages
    assert 0 < len(committed) < 10

    assert start_toy(out, tmp_path / "notes", 0.0, scheduler).wait(timeout=60) == 0
    run_recipe(RECIPE, toy_config(tmp_path / "whole", inputs=10))
    assert contents(out) == contents(tmp_path / "whole")
    again = [line for line, count in work(tmp_path / "notes").items() if count > 1]
    assert len(again) <= 2 * 2  # one shard of two inputs for each of at most two workers
    assert verify(out) == []


def test_ctrl_c_leaves_a_set_that_can_go_on(tmp_path):
    # pauses so long that a busy machine sends the signal before the set is done
    process = start_toy(tmp_path / "set", tmp_path, 0.5, "local")
    wait_for(lambda: (tmp_path / "set" / "samples" / "00000.json").exists(), process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    process.wait(timeout=20)
    said = process.stderr.read()
    # the driver; its workers do not hear the signal
    assert said.count(b"\nKeyboardInterrupt\n") == 1, said.decode()
    assert start_toy(tmp_path / "set", tmp_path, 0.0, "inline").wait(timeout=60) == 0
    assert verify(tmp_path / "set") == []
    assert read_status(tmp_path / "set").reasons == {}


def test_schedulers_that_do_not_exist_are_refused(tmp_path):
    with (
        pytest.raises(BadInput, match="unknown kind"),
        open_client(toy_config(tmp_path, "slurmy").run),
    ):
        pass


def test_a_taken_port_is_not_asked_for():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_address(f"127.0.0.1:{port}") == "127.0.0.1:0"
    assert free_address(f"127.0.0.1:{port}") == f"127.0.0.1:{port}"
