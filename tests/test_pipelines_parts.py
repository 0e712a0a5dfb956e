"""The set is the same, made in one run, in parts, or again after failures; versions stay."""

import json
import shutil
from pathlib import Path

import pytest
from engine_toy import RECIPE, toy_config, toy_plan

from faces.errors import BadInput
from manifests.ledger import read_sidecar
from manifests.verify import verify
from pipelines.cli import main
from pipelines.folders import versions
from pipelines.folders.versions import read_versions
from pipelines.plan import Part, first_tasks, load_plan, next_tasks, save_plan
from pipelines.run import run_recipe, set_hash
from tests.test_pipelines_engine import contents, work

SIZES = {"inputs": 9, "bad": ["s004"], "max_failed": 0.5}  # a third of one part


@pytest.fixture
def parts(tmp_path):
    folders = [tmp_path / f"part{k}" for k in (1, 2, 3)]
    for k, folder in enumerate(folders, 1):
        assert run_recipe(RECIPE, toy_config(folder, part=f"{k}/3", **SIZES)) == 0
    return folders


@pytest.fixture
def whole(tmp_path):
    run_recipe(RECIPE, toy_config(tmp_path / "whole", **SIZES))
    return tmp_path / "whole"


def merged(parts, out):
    return main(["merge", *map(str, parts), "--out", str(out)])


def test_parts_have_every_shard_once_and_are_sound(parts):
    names = [name for part in parts for name, _, _ in load_plan(part)["shards"]]
    assert sorted(names) == sorted(t.name for t in toy_plan(toy_config("x", **SIZES), Path("x")))
    assert [verify(part, [n for n, _, _ in load_plan(part)["shards"]]) for part in parts] == [
        []
    ] * 3


def test_merged_parts_are_the_set_of_one_run(tmp_path, parts, whole):
    assert merged(parts, tmp_path / "set") == 0
    assert contents(tmp_path / "set") == contents(whole)
    assert set_hash(tmp_path / "set") == set_hash(whole)
    assert merged(parts, tmp_path / "set") == 0  # once more changes nothing
    assert contents(tmp_path / "set") == contents(whole)


def test_a_merge_over_file_systems_copies_and_checks(tmp_path, parts, whole, monkeypatch):
    def no_link(*_):
        raise OSError("another file system")

    monkeypatch.setattr("pipelines.folders.parts.os.link", no_link)
    tar = parts[1] / "samples" / "00001.tar"
    good = tar.read_bytes()
    tar.write_bytes(good[:600] + b"!" + good[601:])
    assert merged(parts, tmp_path / "set") == 1
    assert not (tmp_path / "set" / "samples" / "00001.json").exists()
    tar.write_bytes(good)
    assert merged(parts, tmp_path / "set") == 0
    assert contents(tmp_path / "set") == contents(whole)


def test_parts_copied_into_one_folder_are_finished_by_the_plain_command(tmp_path, parts, whole):
    for part in parts:
        shutil.copytree(part, tmp_path / "set", dirs_exist_ok=True)
    before = work_of(tmp_path / "set")
    assert run_recipe(RECIPE, toy_config(tmp_path / "set", **SIZES)) == 0
    assert work_of(tmp_path / "set") == before  # nothing was made anew
    assert contents(tmp_path / "set") == contents(whole)


def work_of(out):
    return {path: path.stat().st_mtime_ns for path in out.rglob("*.tar")}


def test_a_missing_a_foreign_and_an_unfinished_part_are_refused(tmp_path, parts, capsys):
    assert merged(parts[:2], tmp_path / "set") == 2
    assert "numbers 1, 2 of 3" in capsys.readouterr().err
    run_recipe(RECIPE, toy_config(tmp_path / "other", part="3/3", nbytes=701, **SIZES))
    assert merged([*parts[:2], tmp_path / "other"], tmp_path / "set") == 2
    assert "nbytes: 700 -> 701" in capsys.readouterr().err
    (parts[2] / "samples" / "00002.json").unlink()
    assert merged(parts, tmp_path / "set") == 2
    assert "1 of 2 shards missing (first: samples/00002)" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "a/b", "1/0"])
def test_parts_that_there_are_not_are_refused(text):
    with pytest.raises(BadInput, match="--part"):
        Part.parse(text)


def test_the_plan_of_many_shards_is_a_few_lines(tmp_path):
    groups = [({"key": f"k{i}"}, {"key": f"l{i}"}) for i in range(5000)] + [({"key": "last"},)]
    tasks = first_tasks(tmp_path, "scans", groups)
    tasks = [*tasks, *next_tasks(tmp_path, "samples", tasks)]
    save_plan(tmp_path, "toy", "hash", tasks)
    assert (tmp_path / "plan.json").stat().st_size < 300
    assert load_plan(tmp_path)["shards"] == [[t.name, len(t.inputs), t.depends] for t in tasks]
    assert [n for n, _, _ in load_plan(tmp_path)["shards"]][5001] == "samples/00000"


# ---- synth retry


def test_retry_works_on_failed_inputs_alone(tmp_path, whole):
    """The toy input fails while its excuse is there; the others are not touched a second time."""
    notes = {"flag_dir": str(tmp_path), "inputs": 6}
    out = tmp_path / "set"
    (tmp_path / "sick-s003").touch()
    assert run_recipe(RECIPE, toy_config(out, **notes)) == 1
    (tmp_path / "sick-s003").unlink()
    (tmp_path / "work.log").unlink()
    assert main(["retry", str(out)]) == 0
    assert work(tmp_path) == {"scan s003": 1, "views s003": 1}
    run_recipe(RECIPE, toy_config(tmp_path / "well", inputs=6))
    assert contents(out) == contents(tmp_path / "well")


def test_retry_that_fails_again_leaves_the_good_samples(tmp_path):
    out = tmp_path / "set"
    assert run_recipe(RECIPE, toy_config(out, bad=["s003"])) == 1
    before = contents(out)
    assert main(["retry", str(out)]) == 1
    assert contents(out) == before


def test_retry_does_not_build_on_damaged_samples(tmp_path):
    out = tmp_path / "set"
    run_recipe(RECIPE, toy_config(out, bad=["s003"]))
    before, tar = contents(out), out / "scans" / "00001.tar"
    data = tar.read_bytes()
    tar.write_bytes(data[:600] + b"!" + data[601:])
    assert main(["retry", str(out)]) == 1
    assert contents(out) == before


def test_an_added_input_leaves_its_neighbours_in_a_half_full_shard_alone(tmp_path):
    notes = {"flag_dir": str(tmp_path)}
    run_recipe(RECIPE, toy_config(tmp_path / "a", inputs=5, **notes))
    run_recipe(RECIPE, toy_config(tmp_path / "a", inputs=6, **notes))
    assert set(work(tmp_path).values()) == {1}
    run_recipe(RECIPE, toy_config(tmp_path / "b", inputs=6))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_broken_retry_puts_no_empty_shard_in_place_of_good_samples(tmp_path, monkeypatch):
    out = tmp_path / "set"
    run_recipe(RECIPE, toy_config(out, bad=["s003"]))
    before = contents(out)

    def broken(task, config):
        raise RuntimeError("no such library")

    monkeypatch.setitem(RECIPE.stages, "scans", broken)
    assert main(["retry", str(out)]) == 1
    assert contents(out) == before
    assert read_sidecar(out / "scans" / "00001.tar").count == 1


# ---- versions


def test_other_versions_are_refused_until_they_are_allowed(tmp_path, monkeypatch):
    run_recipe(RECIPE, toy_config(tmp_path, inputs=2))
    real = versions.package_versions()
    monkeypatch.setattr(versions, "package_versions", lambda: {**real, "numpy": "9.9"})
    with pytest.raises(BadInput, match=rf"numpy: {real['numpy']} -> 9\.9.*--any-versions"):
        run_recipe(RECIPE, toy_config(tmp_path))
    assert run_recipe(RECIPE, toy_config(tmp_path, any_versions=True)) == 0
    assert [one["numpy"] for one in read_versions(tmp_path)] == [real["numpy"], "9.9"]
    run_recipe(RECIPE, toy_config(tmp_path))  # either is known by now


def test_a_patch_of_python_is_no_drift_and_a_finished_set_knows_its_versions(tmp_path, monkeypatch):
    run_recipe(RECIPE, toy_config(tmp_path, inputs=2))
    shutil.rmtree(tmp_path / ".run")  # as a set that was copied without its run's notes
    real = versions.package_versions()
    assert json.loads((tmp_path / "provenance.json").read_text())["versions"] == real
    patched = {**real, "python": ".".join(real["python"].split(".")[:2]) + ".99"}
    monkeypatch.setattr(versions, "package_versions", lambda: patched)
    assert run_recipe(RECIPE, toy_config(tmp_path)) == 0
    monkeypatch.setattr(versions, "package_versions", lambda: {**real, "scipy": "0.1"})
    with pytest.raises(BadInput, match="scipy"):
        run_recipe(RECIPE, toy_config(tmp_path))
