"""Settings as command-line flags: a group of them in --help, all of them in --help-all."""

import argparse
import dataclasses
import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeVar

from pipelines.config import from_dict, optional

T = TypeVar("T")

_ENTRY = re.compile(r"(\w+(?:, \w+)*): ")
_WORDS = {int: "N", float: "X", str: "TEXT"}


def add_arguments(parser: argparse.ArgumentParser, cls: type) -> None:
    """One flag a field of a config: ``--seed``, ``--augment.pitch-deg``; those of a bare group,
    as ``run``, go without the group's name.

    Flags that are not given stay out of the namespace, so that a file's values hold. --help shows
    the recipe's own settings and the bare groups; --help-all those of the steps, too.
    """
    hidden: list[tuple[argparse.Action, str]] = []
    _add_group(parser, parser, cls, "", "", hidden)
    parser.usage = f"{parser.prog} [settings]"
    help_all = "this, and the settings of every step"
    parser.add_argument("--help-all", action=_HelpAll, hidden=hidden, help=help_all)


class _HelpAll(argparse.Action):
    """Shows what --help leaves out, too."""

    def __init__(self, *args: Any, hidden: list[tuple[argparse.Action, str]], **kwargs: Any):
        super().__init__(*args, nargs=0, default=argparse.SUPPRESS, **kwargs)
        self._hidden = hidden

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        for action, about in self._hidden:
            action.help = about
        parser.print_help()
        parser.exit()


def _add_group(
    parser: argparse.ArgumentParser,
    place: Any,
    cls: type,
    prefix: str,
    shown: str,
    hidden: list[tuple[argparse.Action, str]],
) -> None:
    """Flags of one dataclass.

    Args:
        place: the parser, or the group of it that the flags stand under.
        prefix: of the fields' places in the namespace, "GROUP."; shown: of their flags.
        hidden: takes the actions that --help leaves out, with their help.
    """
    hints, documented = typing.get_type_hints(cls), described(cls)
    for item in dataclasses.fields(cls):
        kind, dest = hints[item.name], f"{prefix}{item.name}"
        about = item.metadata.get("about") or documented.get(item.name, "")
        if dataclasses.is_dataclass(kind):
            bare = item.metadata.get("bare")
            inner = shown if bare else f"{shown}{item.name}."
            title = re.split(r"\. (?=[A-Z])", about)[0].rstrip(".")
            names = [f"--{inner}*"] * bool(inner) + [title] * bool(title)
            group = parser.add_argument_group(", ".join(names))
            _add_group(parser, group, kind, f"{dest}.", inner, hidden)
        elif not item.metadata.get("noted") and not _is_schedule(kind):
            action = _add_flag(place, f"{shown}{item.name}", dest, kind)
            action.help = _help(about, item.default)
            if shown:
                hidden.append((action, action.help))
                action.help = argparse.SUPPRESS


def add_option(parser: argparse.ArgumentParser, cls: type, name: str) -> None:
    """The flag of one field alone, as add_arguments makes it."""
    item = next(item for item in dataclasses.fields(cls) if item.name == name)
    action = _add_flag(parser, name, name, typing.get_type_hints(cls)[name])
    action.help = _help(item.metadata.get("about", ""), item.default)


def _is_schedule(kind: Any) -> bool:
    """A list of groups, to be written in a file."""
    return any(map(dataclasses.is_dataclass, typing.get_args(kind)))


def _add_flag(place: Any, name: str, dest: str, kind: Any) -> argparse.Action:
    flag = "--" + name.replace("_", "-")
    return place.add_argument(flag, dest=dest, default=argparse.SUPPRESS, **_kind(kind))


def _help(about: str, default: Any) -> str:
    if default not in (dataclasses.MISSING, None, "", ()):
        about = f"{about.rstrip('.')} (default: {default})".lstrip()
    return about.replace("%", "%%")


def described(cls: type) -> dict[str, str]:
    """Field -> its sentence, from the section "Attributes:" of a dataclass's docstring."""
    lines = inspect.getdoc(cls).partition("Attributes:")[2].splitlines() if cls.__doc__ else []
    lines = [line for line in lines if line.strip()]
    depth = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    found: dict[str, str] = {}
    names: list[str] = []
    for line in lines:
        entry = _ENTRY.match(line, depth)
        if entry:
            names = entry[1].split(", ")
            found |= dict.fromkeys(names, line[entry.end() :])
        else:
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found


def from_arguments(
    cls: type[T],
    args: argparse.Namespace,
    base: Mapping[str, Any],
    complete: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> T:
    """A config from parsed flags over ``base`` (nested dicts, e.g. of a TOML file).

    Args:
        complete: puts into these nested dicts what they imply; defaults fill the rest after it.
    """
    data = _copy(base)
    leaves = set(_leaves(cls))
    for dest, value in vars(args).items():
        if dest in leaves:
            *groups, name = dest.split(".")
            place = data
            for group in groups:
                place = place.setdefault(group, {})
            place[name] = [*chain(*value)] if isinstance(value, list) else value
    return from_dict(cls, complete(data) if complete else data, "command line")


def _leaves(cls: type, prefix: str = "") -> Iterator[str]:
    for name, hint in typing.get_type_hints(cls).items():
        if dataclasses.is_dataclass(hint):
            yield from _leaves(hint, f"{prefix}{name}.")
        else:
            yield prefix + name


def _copy(data: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _copy(v) if isinstance(v, Mapping) else v for k, v in data.items()}


def _several(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """A reader of one word of a list: "60,90" and "60" alike, so that words may come apart or
    with commas between them."""

    def read(word: str) -> list[Any]:
        return [kind(part) for part in word.split(",") if part]

    read.__name__ = kind.__name__  # argparse names it where a word cannot be read
    return read


def _kind(hint: Any) -> dict[str, Any]:
    """argparse's words for a type."""
    hint = optional(hint)[0]
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    if origin is typing.Literal:
        return {"choices": parts, "type": type(parts[0])}
    if origin is tuple:
        variable = len(parts) == 2 and parts[1] is Ellipsis
        metavar = _WORDS[parts[0]]
        nargs = "*" if variable else "+"
        return {"nargs": nargs, "type": _several(parts[0]), "metavar": metavar}
    return {"type": hint, "metavar": _WORDS[hint]}
