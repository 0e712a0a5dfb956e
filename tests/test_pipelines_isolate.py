"""An input that crashes, hangs or fills the memory costs itself alone."""

import json
import os
import signal

import psutil
import pytest
from engine_toy import RECIPE, STAGES, WAYS, batch, broken, toy_config, toy_plan
from leaky import leak

from manifests.ledger import read_sidecar
from manifests.verify import verify
from pipelines.engine import run_plan
from pipelines.isolation.isolate import (
    CallFailed,
    Child,
    Crashed,
    Death,
    Limits,
    OutOfMemory,
    TimedOut,
    call_once,
    pack,
)
from pipelines.isolation.perform import perform
from pipelines.isolation.rescue import rescue
from pipelines.run import run_recipe
from tests.test_pipelines_engine import contents, work

MB = 1 << 20


def tars(out):
    return {name: sha for name, sha in contents(out).items() if name.endswith(".tar")}


@pytest.fixture
def child():
    process = Child()
    yield process
    process.close()


def test_calls_share_a_process_and_a_crash_starts_another(child):
    first = child.call(pack(os.getpid, ()), Limits())
    assert first not in (os.getpid(), None)
    assert child.call(pack(os.getpid, ()), Limits()) == first
    death = child.call(pack(os._exit, (3,)), Limits())
    assert isinstance(death.error, Crashed)
    assert "exit status 3" in str(death.error)
    assert child.call(pack(os.getpid, ()), Limits()) not in (first, os.getpid())


def test_a_process_is_replaced_after_so_many_calls(child):
    pids = [child.call(pack(os.getpid, ()), Limits(calls=2)) for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_a_process_that_leaks_is_replaced_before_it_is_full(child):
    first = child.call(pack(os.getpid, ()), Limits())
    resident = psutil.Process(first).memory_info().rss
    bound = Limits(nbytes=(resident + 300 * MB) * 10 // 9)  # 90 % full; replaced above 80 %
    assert child.call(pack(leak, (300 * MB,)), bound) is None
    assert child.call(pack(os.getpid, ()), bound) != first


def test_the_process_ends_with_the_one_that_watches_it(child):
    process = psutil.Process(child.call(pack(os.getpid, ()), Limits()))
    child._pipe.close()  # as the system does for a watcher that was killed
    assert process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ("kill", Crashed, "signal SIGKILL"),
        ("segfault", Crashed, "signal SIGSEGV"),
        ("exit", Crashed, "exit status 3"),
        ("hang", TimedOut, "--input-timeout"),
        ("fill", OutOfMemory, "--memory"),
    ],
)
def test_a_poison_input_is_recorded_alone(tmp_path, how, error, said):
    """And the shard's bytes are those of a run in which the input had raised."""
    config = toy_config(
        tmp_path / how,
        inputs=4,
        per_shard=4,
        killer=["s002"],
        how=how,
        isolate=True,
        # a good toy input takes milliseconds, its process 50 MB
        input_timeout=3.0 if how == "hang" else 60.0,
        memory="400MB",
        flag_dir=str(tmp_path),
    )
    assert run_recipe(RECIPE, config) == 1
    failures = read_sidecar(tmp_path / how / "scans" / "00000.tar").failures
    assert [(f["key"], f["exception"]) for f in failures] == [("s002", error.__name__)]
    assert said in failures[0]["message"]
    assert verify(tmp_path / how) == []
    # in hand as it died, alone to be sure (twice after a SIGKILL, which may hit by chance), and
    # left out: its neighbours are done twice, not thrice
    assert work(tmp_path) == {
        "scan s000": 2,
        "scan s001": 2,
        "scan s002": 3 if how == "kill" else 2,
        "scan s003": 1,
        **{f"views s00{i}": 1 for i in (0, 1, 3)},
    }
    raised = toy_config(tmp_path / "raised", inputs=4, per_shard=4, killer=["s002"])
    run_recipe(RECIPE, raised)
    assert tars(tmp_path / how) == tars(tmp_path / "raised")


def test_two_poison_inputs_of_one_shard_on_workers(tmp_path):
    poison = {"inputs": 6, "per_shard": 6, "killer": ["s001", "s004"]}
    config = toy_config(tmp_path / "a", "local", workers=1, how="segfault", **poison)
    assert run_recipe(RECIPE, config) == 1
    lines = (tmp_path / "a" / "failures" / "scans.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["s001", "s004"]
    run_recipe(RECIPE, toy_config(tmp_path / "b", **poison))
    assert tars(tmp_path / "a") == tars(tmp_path / "b")


def test_a_death_by_chance_blames_nobody(tmp_path):
    config = toy_config(tmp_path / "a", isolate=True, kill_once="s002", flag_dir=str(tmp_path))
    said = []
    summary = run_plan(
        toy_plan(config, tmp_path / "a"), STAGES, config, None, said.append, Limits()
    )
    assert (summary.done, summary.failures) == (6, 0)
    assert [e.message.partition(" (")[0] for e in said if e.message] == ["died once"]


def test_bisection_finds_what_a_batch_dies_of(tmp_path):
    config = toy_config(tmp_path, inputs=4, per_shard=4, killer=["s002"])
    task = toy_plan(config, tmp_path)[0]
    death = Death("s000", Crashed.of(-signal.SIGSEGV))
    outcome = rescue(perform, batch, task, config, death, Limits())
    assert (outcome["kind"], outcome["count"], outcome["failures"]) == ("done", 3, 1)
    assert [f["key"] for f in read_sidecar(task.path).failures] == ["s002"]


def test_a_stage_that_kills_without_inputs_blames_none_of_them(tmp_path):
    config = toy_config(tmp_path, inputs=4, per_shard=4)
    task = toy_plan(config, tmp_path)[0]
    death = call_once(pack(perform, (broken, task, config)), Limits())
    outcome = rescue(perform, broken, task, config, death, Limits())
    # nothing is written: that no input is worked on does not help, so none of them is at fault
    assert (outcome["kind"], task.path.exists()) == ("blocked", False)


def test_a_call_that_cannot_be_made_is_no_death(child):
    with pytest.raises(CallFailed, match="ValueError: is bad on purpose"):
        child.call(pack(WAYS["raise"], ()), Limits())
