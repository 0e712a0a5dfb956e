"""Settings: TOML and flags and back, and a hash of what matters."""

import argparse
import dataclasses
import typing
from dataclasses import dataclass
from typing import Literal

import pytest

from faces.errors import BadInput
from pipelines.config import (
    STORED,
    RunConfig,
    RunOptions,
    changed,
    config_hash,
    from_dict,
    from_toml,
    to_dict,
    to_toml,
)
from pipelines.flags import add_arguments, described, from_arguments
from pipelines.recipes import RECIPES, find_recipe
from pipelines.setting import setting


@dataclass(frozen=True)
class Views:
    yaw_step_deg: float = setting(15.0, "step in yaw, degrees")
    pitch_range_deg: tuple[float, float] = setting((-25.0, 25.0), "range of pitch, degrees")
    energy: Literal["laplacian", "amberg"] = setting("laplacian", "which energy; 100 % of it")
    cache: str = setting("", "folder for caches", "local")


@dataclass(frozen=True)
class Demo(RunConfig):
    subjects: int = setting(4, "simulated subjects", "amount")
    scans: str | None = setting(None, "folder of scans")
    tags: tuple[str, ...] = setting((), "free words")
    fill: bool = setting(True, "fill hidden regions")
    views: Views = setting(Views, "the views")


DEMO = Demo(
    seed=3,
    scans="a b",
    tags=("x", "ü"),
    fill=False,
    views=Views(yaw_step_deg=7.5, energy="amberg", cache="/tmp/c"),
    run=RunOptions(out="o", workers=3),
)


@pytest.mark.parametrize("config", [Demo(), DEMO])
def test_toml_round_trip(config):
    assert from_toml(Demo, to_toml(config)) == config


def test_what_is_stored_with_the_set_has_no_local_part():
    stored = to_dict(DEMO, STORED)
    assert "run" not in stored
    assert "cache" not in stored["views"]
    assert stored["subjects"] == 4
    assert to_dict(DEMO, ("local",)).keys() == {"run", "views"}


def flags(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser, Demo)
    return parser.parse_args(words)


def test_flags_override_a_file_and_leave_the_rest():
    args = flags("--seed", "9", "--views.pitch-range-deg", "0", "5", "--no-fill", "--workers", "2")
    config = from_arguments(Demo, args, to_dict(DEMO))
    assert config == dataclasses.replace(
        DEMO,
        seed=9,
        views=dataclasses.replace(DEMO.views, pitch_range_deg=(0.0, 5.0)),
        run=RunOptions(out="o", workers=2),
    )


def test_words_of_a_list_come_apart_or_with_commas():
    for words in (("a", "b", "c"), ("a,b,c",), ("a,", "b", ",c")):
        assert from_arguments(Demo, flags("--tags", *words), {}).tags == ("a", "b", "c")


@pytest.mark.parametrize("words", [("{}", "-5", "5"), ("{}=-5,5",)])
def test_a_pair_is_one_word_or_two(words):
    flag = "--views.pitch-range-deg"
    config = from_arguments(Demo, flags(*(word.format(flag) for word in words)), {})
    assert config.views.pitch_range_deg == (-5.0, 5.0)
    assert config_hash(config) == config_hash(Demo(views=Views(pitch_range_deg=(-5.0, 5.0))))


def test_a_pair_of_three_is_refused():
    with pytest.raises(BadInput, match="3 values; expected 2"):
        from_arguments(Demo, flags("--views.pitch-range-deg", "1,2,3"), {})


def test_flags_of_a_bare_group_go_without_its_name():
    @dataclass(frozen=True)
    class Bare(RunConfig):
        views: Views = setting(Views, "the views", bare=True)

    parser = argparse.ArgumentParser()
    add_arguments(parser, Bare)
    args = parser.parse_args(["--pitch-range-deg", "1,2", "--energy", "amberg"])
    config = from_arguments(Bare, args, {"views": {"yaw_step_deg": 2.0}})
    assert config.views == Views(2.0, (1.0, 2.0), "amberg")


def test_what_is_given_is_completed_before_defaults_fill_the_rest():
    def complete(given):
        return given | {"views": {"energy": "amberg", "yaw_step_deg": 5.0} | given["views"]}

    args = flags("--views.yaw-step-deg", "7")
    assert from_arguments(Demo, args, {}, complete).views == Views(7.0, energy="amberg")


def test_no_flags_give_the_defaults():
    assert from_arguments(Demo, flags(), {}) == Demo()


def test_help_can_be_printed():
    parser = argparse.ArgumentParser()
    add_arguments(parser, Demo)
    assert "10 to 60 seconds of work is a good size (default: 8)" in " ".join(
        parser.format_help().split()
    )


def test_help_shows_the_steps_only_when_asked_for_all(capsys):
    with pytest.raises(SystemExit):
        flags("--help")
    assert "--views.energy" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        flags("--help-all")
    assert "100 % of it (default: laplacian)" in " ".join(capsys.readouterr().out.split())


def test_a_field_without_a_setting_takes_its_sentence_from_the_docstring():
    @dataclass(frozen=True)
    class Step:
        """A step.

        Attributes:
            size_px: edge of it,
                in pixels.
            low, high: its ends.
        """

        size_px: int = 3
        low: float = 0.0
        high: float = 1.0

    ends = {"low": "its ends.", "high": "its ends."}
    assert described(Step) == {"size_px": "edge of it, in pixels.", **ends}


def mute_flags(cls, shown=""):
    for item in dataclasses.fields(cls):
        kind = typing.get_type_hints(cls)[item.name]
        if dataclasses.is_dataclass(kind):
            yield from mute_flags(kind, f"{shown}{item.name}.")
        elif not (item.metadata.get("about") or described(cls).get(item.name)):
            yield shown + item.name


@pytest.mark.parametrize("name", RECIPES)
def test_every_setting_of_a_recipe_says_what_it_is(name):
    assert [*mute_flags(find_recipe(name).config)] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sed = 1", "did you mean 'seed'"),
        ("[views]\nyaw_stp_deg = 1.0", "did you mean 'yaw_step_deg'"),
        ("[views]\nenergy = 'ambreg'", "did you mean 'amberg'"),
        ("seed = 'one'", "expected int"),
        ("seed = true", "expected int"),
        ("views = 1", "a group of settings"),
        ("tags = 'x'", "a list"),
        ("[views]\npitch_range_deg = [1.0]", "1 values; expected 2"),
        ("seed = = 1", "expected TOML"),
    ],
)
def test_bad_settings_are_refused_with_a_hint(text, words):
    with pytest.raises(BadInput, match=words):
        from_toml(Demo, text)


def test_hash_changes_with_what_changes_samples_and_with_nothing_else():
    same = dataclasses.replace(
        DEMO,
        subjects=99,
        run=RunOptions(out="elsewhere", scheduler="tcp://h:1", workers=7),
        views=dataclasses.replace(DEMO.views, cache=""),
    )
    assert config_hash(same) == config_hash(DEMO)
    for change in ({"seed": 4}, {"per_shard": 1}, {"scans": None}, {"views": Views()}):
        assert config_hash(dataclasses.replace(DEMO, **change)) != config_hash(DEMO)


def test_hash_of_a_round_trip_is_the_same():
    assert config_hash(from_dict(Demo, to_dict(DEMO))) == config_hash(DEMO)


def test_changes_are_named():
    other = dataclasses.replace(DEMO, seed=4, scans=None)
    assert changed(to_dict(DEMO), to_dict(other)) == ["scans: a b -> unset", "seed: 3 -> 4"]
