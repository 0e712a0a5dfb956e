"""Progress on a terminal, in plain lines and as JSON."""

import io
import json
import logging
import time

import pytest
from engine_toy import RECIPE, toy_config, toy_plan

from pipelines.engine import Event
from pipelines.progress import Progress, Tally, bars, open_progress
from pipelines.run import run_recipe


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def screen(text):
    """What a terminal shows after this text: wiped lines are gone."""
    lines = [""]
    while text:
        if text.startswith("\x1b["):
            number, _, rest = text[2:].partition("A")
            if number.isdigit():
                lines, text = [*lines[: -1 - int(number)], ""], rest
            else:
                text = text[3:]  # erase to the end: those lines are gone already
        elif text[0] == "\n":
            lines.append("")
            text = text[1:]
        else:
            lines[-1] += text[0] if text[0] != "\r" else ""
            text = text[1:]
    return lines


@pytest.fixture
def tally(tmp_path):
    now = [0.0]
    counted = Tally(toy_plan(toy_config(tmp_path), tmp_path), lambda: now[0])
    now[0] = 10.0
    counted.take(Event("skipped", "scans/00000", "scans", 2, 0, 9.0))
    counted.take(Event("done", "scans/00001", "scans", 30, 0, 10.0))
    counted.take(Event("done", "samples/00001", "samples", 50, 2, 30.0))
    return counted


@pytest.mark.parametrize("width", [20, 40, 60, 200])
def test_no_line_is_wider_than_the_terminal(tally, width):
    lines = bars(tally, width)
    assert len(lines) == 3
    assert max(map(len, lines)) < max(width, 21)
    assert lines[0].startswith("scans")
    if width >= 60:
        assert "2/3" in lines[0]
        assert "3.0/s" in lines[0]
        # 1 scan of 10 s and 2 shards of 30 s are left; 40 s of work were done in 10 s
        assert lines[2] == "8.0 samples/s, 0:18 left, 2 failed, 0:10 gone"


def test_time_passes_while_no_shard_is_done(tally, tmp_path):
    """The estimate counts down from the last shard, and never below nothing."""
    tally._clock = lambda: 22.0
    assert tally.time_left() == pytest.approx(17.5 - 12.0)  # of the 18 s above
    tally._clock = lambda: 99.0
    assert tally.time_left() == 0.0
    stream = io.StringIO()
    with open_progress(toy_plan(toy_config(tmp_path), tmp_path), stream, "json"):
        deadline = time.monotonic() + 20
        while not stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.05)
    first, end = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], end["event"]) == ("progress", "end")
    assert first["seconds_left"] is None


def test_before_the_first_shard_the_bars_say_that_there_is_none(tmp_path):
    counted = Tally(toy_plan(toy_config(tmp_path), tmp_path), lambda: 0.0)
    counted._clock = lambda: 61.0
    assert bars(counted, 40)[2] == "no new shard yet, 1:01 gone"


def test_log_lines_stand_above_the_bars(tmp_path):
    terminal = Terminal()
    handler = logging.StreamHandler(terminal)
    logging.getLogger().addHandler(handler)
    tasks = toy_plan(toy_config(tmp_path), tmp_path)
    try:
        with open_progress(tasks, terminal, "auto") as progress:
            progress._print("progress")
            logging.getLogger("x").warning("a word")
            progress(Event("blocked", "scans/00000", "scans", message="disk full"))
    finally:
        logging.getLogger().removeHandler(handler)
    shown = screen(terminal.getvalue())
    assert shown[:2] == ["a word", "scans/00000 blocked: disk full"]
    assert [line.split()[0] for line in shown[2:4]] == ["scans", "samples"]
    assert len(shown) == 6  # the sum, and the line after it


def test_json_lines_tell_a_run(tmp_path, capsys):
    config = toy_config(tmp_path / "set", bad=["s001"], progress="json")
    assert run_recipe(RECIPE, config) == 1
    lines = [json.loads(x) for x in capsys.readouterr().err.splitlines() if x.startswith("{")]
    end = lines[-1]
    assert (end["version"], end["event"]) == (1, "end")
    assert (end["shards"], end["shards_total"], end["samples"], end["failures"]) == (6, 6, 15, 1)
    assert end["reasons"] == [
        {
            "stage": "scans",
            "exception": "ValueError",
            "message": "scan '…': is bad on purpose",
            "count": 1,
        }
    ]
    assert [s["shards"] for s in end["stages"]] == [3, 3]


def test_none_says_nothing(tmp_path, capsys):
    run_recipe(RECIPE, toy_config(tmp_path / "set", progress="none"))
    assert capsys.readouterr().err == ""


def test_plain_lines_come_now_and_then(tmp_path):
    now = [0.0]
    stream = io.StringIO()
    tasks = toy_plan(toy_config(tmp_path), tmp_path)
    progress = Progress(tasks, stream, lambda: now[0])
    for at in (1.0, 11.0, 12.0):
        now[0] = at
        progress(Event("skipped", "scans/00000", "scans", 2))
    assert len(stream.getvalue().splitlines()) == 1
