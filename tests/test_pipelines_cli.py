"""The command: verbs, exit status, one clear line for an error."""

import dataclasses
import io
import logging
import os

import pytest
from engine_toy import RECIPE, toy_config, toy_plan
from engine_toy import scan_one as unpatched_scan

from faces.errors import BadInput
from pipelines import cli, recipes
from pipelines.engine import Event
from pipelines.progress import Progress
from pipelines.run import run_recipe


@pytest.fixture(autouse=True)
def _own_logging():
    """The command sets up logging for its process; put back what pytest had."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def toy_set(tmp_path):
    run_recipe(RECIPE, toy_config(tmp_path / "set", bad=["s003"]))
    return tmp_path / "set"


def test_without_a_verb_it_helps(capsys):
    assert cli.main([]) == 0
    out = capsys.readouterr().out
    assert all(verb in out for verb in cli.VERBS)


def test_a_misspelt_verb_is_corrected(capsys):
    assert cli.main(["verfy"]) == 2
    assert "did you mean 'verify'?" in capsys.readouterr().err


def test_wrong_flags_are_wrong_usage(capsys):
    assert cli.main(["verify", "--nonsense", "x"]) == 2
    assert cli.main(["verify"]) == 2
    assert cli.main(["verify", "--help"]) == 0


@pytest.mark.parametrize("words", [("-20,20",), ("-20", "20"), ("=-20,20",)])
def test_a_list_that_begins_with_a_minus_is_no_flag(words, tmp_path, capsys):
    """It reaches the settings, which know what is wrong with it."""
    flag = "--views.pitches-deg"
    given = [flag + words[0]] if words[0].startswith("=") else [flag, *words]
    out = ["--out", str(tmp_path), "--subjects", "0", "--model", "none"]
    assert cli.main(["fg3d", *given, *out]) == 2
    assert "none" in capsys.readouterr().err


def test_a_folder_without_a_set_is_one_line(tmp_path, capsys):
    for verb in ("status", "verify", "retry"):
        assert cli.main([verb, str(tmp_path)]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"synth: set '{tmp_path}': no plan.json; expected")
        assert error.count("\n") == 1


def test_verify_finds_and_says(toy_set, capsys):
    assert cli.main(["verify", str(toy_set)]) == 0
    assert "0 problems in 6 shards" in capsys.readouterr().out
    (toy_set / "samples" / "00001.tar").unlink()
    assert cli.main(["verify", str(toy_set)]) == 1
    assert "samples/00001.tar: is missing" in capsys.readouterr().out


def test_status_counts(toy_set, capsys):
    assert cli.main(["status", str(toy_set)]) == 1  # an input failed
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "toy: complete"
    assert lines[2].split()[:7] == ["scans", "3", "of", "3", "0", "5", "1"]
    assert lines[3].split()[:7] == ["samples", "3", "of", "3", "0", "10", "0"]
    assert lines[4] == "failed 1 x in scans: ValueError: scan 's003': is bad on purpose"


def test_status_of_a_set_under_way(toy_set, capsys):
    (toy_set / "samples" / "00002.json").unlink()
    cli.main(["status", str(toy_set)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("toy: not complete; about 0:0")
    assert lines[3].split()[1:4] == ["2", "of", "3"]


def test_retry_runs_the_failed_inputs_again(toy_set, monkeypatch, capsys):
    before = {path: path.stat().st_mtime_ns for path in toy_set.rglob("*.tar")}
    monkeypatch.setattr("engine_toy.scan_one", _healed)
    assert cli.main(["retry", str(toy_set)]) == 0
    assert cli.main(["verify", str(toy_set)]) == 0
    changed = {path for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert changed == {toy_set / stage / "00001.tar" for stage in ("scans", "samples")}
    assert "complete" in capsys.readouterr().err
    assert not list((toy_set / "failures").glob("*.jsonl"))


def _healed(item, config):
    """The toy's scan, after whatever was wrong is mended."""
    return unpatched_scan(item, dataclasses.replace(config, bad=()))


def test_retry_that_fails_again_says_so(toy_set):
    assert cli.main(["retry", str(toy_set)]) == 1
    assert cli.main(["verify", str(toy_set)]) == 0


def test_a_set_of_an_unknown_recipe_is_refused(toy_set, monkeypatch, capsys):
    monkeypatch.setattr(recipes, "RECIPES", {})
    assert cli.main(["retry", str(toy_set)]) == 2
    assert "recipe 'toy': unknown" in capsys.readouterr().err


def test_a_set_holds_no_path_of_this_machine(toy_set):
    for path in toy_set.rglob("*"):
        if path.is_file() and ".run" not in path.parts:
            assert os.fsencode(toy_set.parent) not in path.read_bytes(), path


def test_interruption_is_one_line(toy_set, monkeypatch, capsys):
    def interrupt(args):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.verbs.verify.run", interrupt)
    assert cli.main(["verify", str(toy_set)]) == 130
    assert "run the same command to go on" in capsys.readouterr().err


def test_progress_reports_rate_time_left_and_failures(tmp_path):
    now = [0.0]
    stream = io.StringIO()
    tasks = toy_plan(toy_config(tmp_path), tmp_path)
    progress = Progress(tasks, stream, lambda: now[0])
    progress(Event("skipped", "scans/00000", "scans", 2, 1, 9.0))
    now[0] = 20.0
    progress(Event("done", "scans/00001", "scans", 30, 0, 10.0))
    now[0] = 40.0
    progress(Event("done", "samples/00001", "samples", 50, 2, 30.0))
    # 80 samples in 40 s; left: one scans shard of 10 s and two of 30 s, at 40 s of work in 40 s
    expected = "3 of 6 shards, 1 of them done before, 2.0 samples/s, 1:10 left, 3 failed inputs"
    assert progress.tally.line() == expected
    progress(Event("failed", "scans/00002", "scans", 0, 2, 0.0, "KilledWorker: x"))
    assert "scans/00002 failed: KilledWorker: x" in stream.getvalue()
    assert "\r" not in stream.getvalue()


@pytest.fixture
def toy_verb(monkeypatch):
    monkeypatch.setitem(cli.VERBS, "toy", ("engine_toy_verb", "make a toy set"))


def test_a_verb_takes_settings_from_a_file_and_flags(tmp_path, toy_verb):
    (tmp_path / "my.toml").write_text("inputs = 4\nnbytes = 9\n[run]\nscheduler = 'inline'\n")
    out = tmp_path / "set"
    words = ["toy", "--config", str(tmp_path / "my.toml"), "--nbytes", "7", "--out", str(out)]
    assert cli.main(words) == 0
    stored = (out / "config.toml").read_text()
    assert "nbytes = 7" in stored
    assert "inputs = 4" in stored
    assert cli.main(["verify", str(out)]) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [("inptus = 4", "did you mean 'inputs'?"), ("inputs = 'x'", "expected int"), (None, "no such")],
)
def test_wrong_settings_are_one_line(tmp_path, toy_verb, capsys, text, words):
    if text is not None:
        (tmp_path / "my.toml").write_text(text)
    words_given = ["toy", "--config", str(tmp_path / "my.toml"), "--out", str(tmp_path / "set")]
    assert cli.main(words_given) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "set").exists()


def test_debug_shows_the_traceback(tmp_path, toy_verb):
    with pytest.raises(BadInput):
        cli.main(["toy", "--out", str(tmp_path), "--scheduler", "slurmy", "--debug"])
