"""The page: what a real run makes stands on it, on the scheduler's server and on one of its own."""

import http.client
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bokeh.client import pull_session
from engine_toy import RECIPE, STAGES, toy_config, toy_plan

from imaging.codec import decode_image, encode_jpeg
from manifests.ledger import make_record, read_sidecar, write_sidecar
from manifests.shard import ShardWriter
from manifests.shard_summary import ShardSummary, SummaryReader, read_summary
from pipelines.cluster import open_client
from pipelines.dashboard import panels
from pipelines.dashboard.pulse import Pulse
from pipelines.dashboard.sheet import SIDE_PX, make_sheet
from pipelines.engine import run_plan
from pipelines.eyes import follow
from pipelines.folders.lock import LOCK
from pipelines.folders.owner import Owner
from pipelines.reasons import Reason, reason_of
from pipelines.run import open_set, run_recipe
from pipelines.status import StatusReader, format_status, status_json


def texts(session):
    """The page's panels by name."""
    return {root.name: root.text for root in session.document.roots if hasattr(root, "text")}


def cells(session):
    plot = session.document.get_model_by_name("poses")
    data = plot.renderers[0].data_source.data
    return dict(zip(zip(data["yaw"], data["pitch"], strict=True), data["count"], strict=True))


def test_a_run_stands_on_the_schedulers_page(tmp_path):
    config = toy_config(tmp_path / "<set>", "local", workers=1, bad=["s001", "s004"])
    reports = tmp_path / "reports"
    config = replace(config, run=replace(config.run, performance_report=str(reports)))
    out = Path(config.run.out)
    tasks = toy_plan(config, out)
    open_set(out, "toy", config, tasks)
    with open_client(config.run) as client:
        with follow(tasks, config.run, client) as eye:
            run_plan(tasks, STAGES, config, client, eye)
        link = client.dashboard_link.replace("/status", "/facesynth")
        session = pull_session(url=link)
        page = texts(session)
        rates = session.document.get_model_by_name("rate").renderers[0].data_source.data
        session.close()
    # Dask's own report of each stage tells of that stage's tasks
    assert {f.stem for f in reports.iterdir() if f.stem in f.read_text()} == {"scans", "samples"}
    assert "&lt;set&gt;" in page["head"]
    assert ">complete<" in page["head"]
    assert "3 / 3" in page["stages"]
    # two inputs of one reason, their names left out
    assert "<b>2</b><span>scan &#x27;…&#x27;: is bad on purpose" in page["reasons"]
    assert "<b class=''>8</b><span>samples</span>" in page["tiles"]
    assert list(rates["stage"]) == ["scans", "samples"]


def test_a_set_without_a_run_has_a_page_of_its_own(tmp_path):
    run_recipe(RECIPE, toy_config(tmp_path / "set"))
    code = "import sys; from pipelines.cli import main; sys.exit(main())"
    words = ["dashboard", str(tmp_path / "set"), "--no-open", "--dashboard", "127.0.0.1:0"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]
    )
    try:
        link = process.stdout.readline().decode().split()[0]
        session = pull_session(url=link)
        assert ">complete<" in texts(session)["head"]
        session.close()
        assert foreign_status(link) == 403
    finally:
        process.terminate()
        process.wait(timeout=20)


def foreign_status(link):
    """The answer to a page of another site that would read along."""
    host, _, route = link.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=10)
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Origin": "http://elsewhere.example",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": "bokeh, x",
    }
    connection.request("GET", f"/{route}/ws", headers=headers)
    return connection.getresponse().status


def summary(name="samples/00000", ended=1000.0, seconds=10.0, count=20, failures=(), poses=()):
    return ShardSummary(name, "hash", count, seconds, ended, tuple(failures), tuple(poses))


def test_samples_are_spread_over_the_time_they_took():
    pulse = Pulse("set", {"samples": 2}, clock=lambda: 1000.0)
    pulse.state = "running"
    pulse.take(summary())
    shot = pulse.snapshot()
    # 20 samples in 10 s, in bins of 2 s; the bin of now is left out as it is not full
    assert [rate for _, rate in shot["series"]["samples"]] == pytest.approx([2.0] * 5)
    assert shot["stages"][0]["rate"] == pytest.approx(20 / 30)  # over the last 30 s
    assert shot["left_s"] == pytest.approx(10.0)  # another such shard at this pace


def test_long_runs_keep_few_points_and_every_sample():
    pulse = Pulse("set", {"samples": 9999}, clock=lambda: 50_000.0)
    for k in range(5000):
        pulse.take(summary(f"samples/{k:05d}", 10.0 * k + 10))
    shot = pulse.snapshot()
    points = shot["series"]["samples"]
    assert len(points) <= 720
    width = points[1][0] - points[0][0]
    # only the last bin, which need not be full, is missing
    assert sum(rate for _, rate in points) * width == pytest.approx(100_000, rel=2 / len(points))
    assert len(json.dumps(shot)) < 64_000


def test_the_page_begins_after_the_last_long_pause():
    pulse = Pulse("set", {"samples": 9}, clock=lambda: 90_010.0)
    pulse.take(summary("samples/00000", 1000.0))
    pulse.take(summary("samples/00001", 90_000.0))
    assert pulse.snapshot()["begin"] == pytest.approx(89_990.0, abs=2.0)  # one bin


def test_poses_are_counted_in_centred_cells():
    pulse = Pulse("set", {"samples": 1})
    pulse.take(summary(poses=[(2.4, -2.4), (-2.4, 0.0), (2.6, 0.0), (-88.0, 31.0)]))
    assert pulse.snapshot()["poses"] == [[-90, 30, 1], [0, 0, 2], [5, 0, 1]]


def test_names_and_numbers_make_no_reasons_of_their_own():
    def failure(message):
        return {"stage": "scans", "exception": "BadInput", "message": message}

    one, other = (failure(f"scan 'a/{k}.png': {k},230 of 4.5 pixels; uint16") for k in (1, 2))
    assert reason_of(one) == reason_of(other)
    assert reason_of(one) == Reason("scans", "BadInput", "scan '…': # of # pixels; uint16")


def test_nothing_of_a_set_is_taken_for_html():
    evil = "<script>alert(1)</script>"
    shot = panels.nothing_yet() | {
        "title": evil,
        "reasons": [[evil, evil, evil, 1]],
        "stages": [dict.fromkeys(("done", "total", "samples", "failures", "seconds", "rate"), 1)],
    }
    shot["stages"][0]["stage"] = evil
    sheet = {"shard": evil, "pictures": [[b"x", f"'{evil}"]]}
    from pipelines.dashboard.look import LIGHT

    page = [panels.head(shot, "light", ""), panels.tiles(shot), panels.stages(shot, LIGHT)]
    page += [panels.reasons(shot), panels.sheet(sheet)]
    assert "<script" not in "".join(page)
    assert "title=''" not in page[-1]


def test_the_contact_sheet_shows_the_shards_own_pictures(tmp_path):
    tar = tmp_path / "samples" / "00000.tar"
    tar.parent.mkdir()
    with ShardWriter(tar) as writer:
        for k in range(3):
            image = np.full((40, 60, 3), 80 * k, np.uint8)
            labels = json.dumps({"yaw_deg": 10.0 * k, "pitch_deg": 0.0}).encode()
            writer.add(f"s{k}", {"jpg": encode_jpeg(image, 90), "json": labels})
    write_sidecar(tar, make_record("samples/00000", writer.index, [{}] * 3, [], ("h", "i"), 1.0))
    pictures = make_sheet(tar)["pictures"]
    assert [caption for _, caption in pictures] == [
        f"s{k}: yaw {10 * k}°, pitch 0°" for k in range(3)
    ]
    for k, (jpeg, _) in enumerate(pictures):
        image = decode_image(jpeg)
        assert image.shape == (SIDE_PX, SIDE_PX, 3)
        assert abs(image.mean() - 80 * k) < 2  # JPEG of a plain grey
    assert make_sheet(tmp_path / "samples" / "00001.tar") is None


# --- sidecars in short ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def toy_set(tmp_path_factory):
    out = tmp_path_factory.mktemp("toy") / "set"
    run_recipe(RECIPE, toy_config(out, bad=['s001","samples":{']))
    run_recipe(RECIPE, toy_config(out, bad=["s002"], overwrite=True))
    return out


def test_a_summary_says_what_the_sidecar_says(toy_set):
    for tar in sorted(toy_set.glob("*/*.tar")):
        record, short = read_sidecar(tar), read_summary(tar, poses=True)
        for name in ("name", "stage", "config_hash", "count", "seconds", "failures"):
            assert getattr(short, name) == getattr(record, name), name
        assert short.ended == tar.with_suffix(".json").stat().st_mtime
    assert short.poses_deg == ()  # the toy knows no pitch


def test_texts_that_look_like_json_do_not_confuse_it(tmp_path):
    tar = tmp_path / "scans" / "00000.tar"
    tar.parent.mkdir()
    with ShardWriter(tar) as writer:
        pass
    message = '","samples":{"schema":9,"checksum":"'
    failures = [{"key": "k", "stage": "scans", "exception": "E", "message": message}]
    write_sidecar(tar, make_record("scans/00000", writer.index, [], failures, ("h", "i"), 1.0))
    assert read_summary(tar).failures[0]["message"] == message


def test_only_what_changed_is_read_again(toy_set):
    reader = SummaryReader(toy_set, ["scans", "samples"])
    assert len(reader.refresh()[0]) == 6
    assert reader.refresh() == ([], False)
    sidecar = toy_set / "scans" / "00000.json"
    text = sidecar.read_bytes()
    sidecar.write_bytes(text[:-5])  # torn
    try:
        assert reader.refresh() == ([], True)
        assert "scans/00000" not in reader.summaries
    finally:
        sidecar.write_bytes(text)
    assert [s.name for s in reader.refresh()[0]] == ["scans/00000"]


def test_status_for_machines(toy_set):
    status = status_json(StatusReader(toy_set).read())
    assert json.loads(json.dumps(status)) == status
    assert (status["version"], status["complete"], status["runner"]) == (1, True, None)
    assert [(s["stage"], s["done"], s["samples"]) for s in status["stages"]] == [
        ("scans", 3, 5),
        ("samples", 3, 10),
    ]
    assert [(r["count"], r["message"]) for r in status["reasons"]] == [
        (1, "scan '…': is bad on purpose")
    ]
    assert status["seconds_left"] == 0.0


def test_status_knows_who_runs_by_its_signs_of_life(toy_set):
    elsewhere = Owner("h", "another machine", 7, 0.0, "u", "synth", since=1.0, beat=1000.0)
    (toy_set / LOCK).write_bytes(elsewhere.to_bytes())
    try:
        reader = StatusReader(toy_set)
        assert status_json(reader.read(now=1060.0))["runner"]["pid"] == 7
        assert "running on h, process 7 of u" in format_status(reader.read(now=1060.0))[1]
        assert reader.read(now=1200.0).runner is None
    finally:
        (toy_set / LOCK).unlink()
