"""Two runs cannot write one folder; a dead run's lock is taken over, a live one's never."""

import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from engine_toy import RECIPE, toy_config

from pipelines.cli import main
from pipelines.folders.lock import LOCK, Locked, RunLock, read_owner, working
from pipelines.folders.owner import Owner
from pipelines.run import run_recipe

ROOT = Path(__file__).parents[1]
HOLD = """
import sys, time
from pathlib import Path
from pipelines.folders.lock import RunLock
with RunLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()


def elsewhere(tmp_path, **changes):
    """A lock as a process of another machine would have written it."""
    owner = replace(Owner.here(), host="node7", machine="node7 boot 1", pid=77, **changes)
    (tmp_path / ".run").mkdir(parents=True, exist_ok=True)
    (tmp_path / LOCK).write_bytes(owner.to_bytes())
    return owner


def test_a_second_run_is_refused_with_who_and_since_when(tmp_path, holder):
    with pytest.raises(Locked) as refusal:
        run_recipe(RECIPE, toy_config(tmp_path))
    said = str(refusal.value)
    assert f"process {holder.pid} of" in said
    assert socket.gethostname() in said
    assert time.strftime("since %Y-%m-%d", time.gmtime()) in said
    assert "wait for it, stop it, or give another --out" in said
    assert not (tmp_path / "plan.json").exists()


def test_a_killed_run_is_taken_over_at_once(tmp_path, holder, caplog):
    holder.kill()
    holder.wait()
    started = time.monotonic()
    assert "was killed" in working(tmp_path)
    assert run_recipe(RECIPE, toy_config(tmp_path)) == 0
    # far below the seconds that a process elsewhere is given for a sign of life
    assert time.monotonic() - started < 60
    assert "taking over from a run that died" in caplog.text
    assert read_owner(tmp_path) is None


def test_a_number_that_the_system_gave_to_another_process_is_no_life(tmp_path):
    owner = replace(Owner.here(), started=Owner.here().started - 100)
    assert owner.alive() is False
    assert Owner.here().alive() is True


def test_the_lock_is_given_back_after_an_error_and_after_the_run(tmp_path):
    with pytest.raises(ZeroDivisionError), RunLock(tmp_path):
        1 / (read_owner(tmp_path).pid - os.getpid())
    assert read_owner(tmp_path) is None
    run_recipe(RECIPE, toy_config(tmp_path))
    assert (read_owner(tmp_path), working(tmp_path)) == (None, "")


def test_a_fresh_sign_from_another_machine_is_enough(tmp_path):
    elsewhere(tmp_path)
    with pytest.raises(Locked, match=r"node7.*process 77|process 77.*node7"), RunLock(tmp_path):
        pass


@pytest.mark.parametrize("skew_s", [-3600.0, 3600.0])
def test_a_live_owner_with_a_wrong_clock_is_believed_once_it_moves(tmp_path, skew_s):
    owner = elsewhere(tmp_path, beat=time.time() + skew_s)
    moving = threading.Timer(
        0.4, (tmp_path / LOCK).write_bytes, [replace(owner, beat=owner.beat + 1).to_bytes()]
    )
    moving.start()
    with pytest.raises(Locked), RunLock(tmp_path, beat_s=0.1, stale_s=20.0):
        pass


@pytest.mark.parametrize("skew_s", [-3600.0, 3600.0])
def test_an_owner_elsewhere_without_signs_is_taken_over_whatever_its_clock(tmp_path, skew_s):
    elsewhere(tmp_path, beat=time.time() + skew_s)
    with RunLock(tmp_path, beat_s=0.1, stale_s=0.5):
        assert read_owner(tmp_path).pid == os.getpid()


def test_a_torn_lock_is_taken_over(tmp_path):
    (tmp_path / ".run").mkdir()
    (tmp_path / LOCK).write_bytes(b'{"host": "nod')
    with RunLock(tmp_path, beat_s=0.1, stale_s=0.3):
        assert read_owner(tmp_path).pid == os.getpid()


def test_of_many_that_see_one_dead_owner_one_takes_over(tmp_path):
    dead = replace(Owner.here(), started=0.0)
    (tmp_path / ".run").mkdir()
    (tmp_path / LOCK).write_bytes(dead.to_bytes())
    together, held, refused = threading.Barrier(8), [], []

    def run():
        lock = RunLock(tmp_path, beat_s=0.1)
        together.wait()
        try:
            with lock:
                held.append(read_owner(tmp_path).token)
                together_done.wait(20)
        except Locked:
            refused.append(1)
            if len(refused) == 7:
                together_done.set()

    together_done = threading.Event()
    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(held), len(refused)) == (1, 7)


def test_a_run_whose_lock_was_taken_over_stops(tmp_path):
    with RunLock(tmp_path, beat_s=0.05) as lock:
        lock.check()
        elsewhere(tmp_path)
        lock._thread.join(10)
        with pytest.raises(Locked, match="taken over from this run"):
            lock.check()
    assert read_owner(tmp_path).host == "node7"  # and leaves the other's lock alone


def test_the_command_says_busy(tmp_path, holder, capsys):
    assert main(["retry", str(tmp_path)]) == 2  # no plan there yet
    run_there = tmp_path / "set"
    run_recipe(RECIPE, toy_config(run_there))
    elsewhere(run_there)
    assert main(["retry", str(run_there)]) == 3
    assert "another run works there" in capsys.readouterr().err
    assert main(["status", str(run_there)]) == 0
    assert "running on node7, process 77" in capsys.readouterr().out
    assert main(["verify", str(run_there)]) == 0
