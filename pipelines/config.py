"""Settings: frozen dataclasses that turn into TOML and command-line flags, and back."""

import argparse
import dataclasses
import difflib
import hashlib
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal, TypeVar

import tomli_w

from faces.errors import BadInput
from manifests.ledger import canonical_json
from manifests.schema import SCHEMA_VERSION
from manifests.secrets import without_secrets

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")


# What a field says. "bytes": how a sample comes out, so another value makes another set.
# "amount": how many inputs there are, so a larger value makes the same set longer.
# "local": where and how to run; it changes nothing in the set and is not stored with it.
Part = Literal["bytes", "amount", "local"]
STORED: tuple[Part, ...] = ("bytes", "amount")


def setting(default: Any, about: str, part: Part = "bytes", bare: bool = False) -> Any:
    """A field with its help text.

    Args:
        default: value, or a dataclass type for a nested group.
        about: one line for --help.
        part: what the field says, see Part; of a group: of all its fields, unless "bytes".
        bare: of a group: its flags go without the group's name.
    """
    metadata = {"about": about, "part": part, "bare": bare}
    if isinstance(default, type):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class RunOptions:
    """Where and how to run."""

    out: str = setting("out", "folder of the set", "local")
    scheduler: str = setting("local", "local, inline (no Dask) or tcp://HOST:PORT", "local")
    workers: int = setting(0, "processes of --scheduler local; 0: one a core", "local")
    dashboard: str = setting("127.0.0.1:8787", "address of the dashboard", "local")
    max_failed: float = setting(0.0, "share of inputs that may fail with exit status 0", "local")
    overwrite: bool = setting(False, "replace what other settings made in --out", "local")


@dataclass(frozen=True)
class RunConfig:
    """What every recipe's settings hold; a recipe adds its own groups by inheriting."""

    seed: int = setting(0, "seed of all randomness")
    per_shard: int = setting(8, "inputs a shard; 10 to 60 seconds of work is a good size")
    run: RunOptions = setting(RunOptions, "where and how to run", "local", bare=True)


def to_dict(config: Any, parts: Sequence[Part] = ("bytes", "amount", "local")) -> dict[str, Any]:
    """A config as nested dicts of plain values; None is left out, as TOML has no word for it.

    Secrets of URLs are left out too (manifests.secrets): this is what is stored, hashed and shown.

    Args:
        config: a dataclass instance.
        parts: which fields, see Part.
    """
    result: dict[str, Any] = {}
    for item in dataclasses.fields(config):
        value, part = getattr(config, item.name), item.metadata.get("part", "bytes")
        if dataclasses.is_dataclass(value):
            whole = part != "bytes" and part in parts
            inner = to_dict(value) if whole else to_dict(value, parts) if part == "bytes" else {}
            if inner:
                result[item.name] = inner
        elif value is not None and part in parts:
            result[item.name] = _plain(value)
    return result


def _plain(value: Any) -> Any:
    """A value as it is written down: lists for tuples, and no secret of a URL."""
    if isinstance(value, tuple):
        return [to_dict(v) if dataclasses.is_dataclass(v) else _plain(v) for v in value]
    return without_secrets(value) if isinstance(value, str) else value


def from_dict(cls: type[T], data: Mapping[str, Any], where: str = "config") -> T:
    """A config of type ``cls`` from nested dicts; missing keys take their defaults.

    Args:
        cls: a dataclass whose fields are bool, int, float, str, Literal, tuples of those,
            ``X | None``, such dataclasses, or tuples of them.
        data: as of to_dict or a TOML file.
        where: the file, for error messages.

    Raises:
        BadInput: an unknown key (with the nearest known one) or a value of another type.
    """
    hints = typing.get_type_hints(cls)
    names = [item.name for item in dataclasses.fields(cls)]
    values = {}
    for key, value in data.items():
        if key not in names:
            raise _unknown(f"{where}: '{key}'", key, names)
        values[key] = _convert(hints[key], value, f"{where}: {key}")
    return cls(**values)


def to_toml(config: Any, parts: Sequence[Part] = ("bytes", "amount", "local")) -> str:
    """A config as TOML; see to_dict."""
    return tomli_w.dumps(to_dict(config, parts))


def from_toml(cls: type[T], text: str, where: str = "config") -> T:
    """A config from TOML.

    Raises:
        BadInput: not TOML, an unknown key, or a value of another type.
    """
    return from_dict(cls, parse_toml(text, where), where)


def parse_toml(text: str, where: str = "config") -> dict[str, Any]:
    """TOML as nested dicts; BadInput where it is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(where, str(error), "TOML", "mend the line") from error


def config_hash(config: Any) -> str:
    """SHA-256 over everything in the config that changes how a sample comes out."""
    body = {"schema": SCHEMA_VERSION, "config": to_dict(config, ("bytes",))}
    return hashlib.sha256(canonical_json(body)).hexdigest()


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Lines "group.key: old -> new" for each value that differs between two nested dicts."""
    old, new = dict(flat(before)), dict(flat(after))
    keys = sorted(old.keys() | new.keys())
    return [
        f"{key}: {old.get(key, 'unset')} -> {new.get(key, 'unset')}"
        for key in keys
        if old.get(key) != new.get(key)
    ]


def add_arguments(
    parser: argparse.ArgumentParser, cls: type, prefix: str = "", shown: str = ""
) -> None:
    """One flag a field: ``--seed``, ``--augment.pitch-deg``; those of a bare group, as ``run``,
    go without the group's name.

    Flags that are not given stay out of the namespace, so that a file's values hold.

    Args:
        prefix: of the fields' places in the namespace, "GROUP."; shown: of their flags.
    """
    hints = typing.get_type_hints(cls)
    for item in dataclasses.fields(cls):
        kind, dest = hints[item.name], f"{prefix}{item.name}"
        if dataclasses.is_dataclass(kind):
            inner = shown if item.metadata.get("bare") else f"{shown}{item.name}."
            add_arguments(parser, kind, f"{dest}.", inner)
            continue
        if any(map(dataclasses.is_dataclass, typing.get_args(kind))):
            continue  # a schedule: a list of groups, to be written in a file
        flag = "--" + f"{shown}{item.name}".replace("_", "-")
        about = item.metadata.get("about", "").replace("%", "%%")
        if item.default is not dataclasses.MISSING and item.default is not None:
            about += f" (default: {item.default})".replace("%", "%%")
        parser.add_argument(flag, dest=dest, help=about, default=argparse.SUPPRESS, **_kind(kind))


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


def _several(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """A reader of one word of a list: "60,90" and "60" alike, so that words may come apart or
    with commas between them."""

    def read(word: str) -> list[Any]:
        return [kind(part) for part in word.split(",") if part]

    read.__name__ = kind.__name__  # argparse names it where a word cannot be read
    return read


def _kind(hint: Any) -> dict[str, Any]:
    """argparse's words for a type."""
    hint = _optional(hint)[0]
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    if origin is typing.Literal:
        return {"choices": parts, "type": type(parts[0])}
    if origin is tuple:
        variable = len(parts) == 2 and parts[1] is Ellipsis
        return {"nargs": "*" if variable else "+", "type": _several(parts[0])}
    return {"type": hint, "metavar": hint.__name__.upper()}


def _convert(hint: Any, value: Any, where: str) -> Any:
    hint, optional = _optional(hint)
    if value is None and optional:
        return None
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise BadInput(where, repr(value), "a group of settings", f"write it as [{where}]")
        return from_dict(hint, value, where)
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        if value not in parts:
            raise _unknown(f"{where} = {value!r}", str(value), [str(part) for part in parts])
        return value
    if origin is tuple:
        return _tuple(parts, value, where)
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:
        raise BadInput(where, repr(value), hint.__name__, "mend the value")
    return value


def _tuple(parts: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise BadInput(where, repr(value), "a list", "write it in brackets")
    if len(parts) == 2 and parts[1] is Ellipsis:
        parts = (parts[0],) * len(value)
    if len(value) != len(parts):
        raise BadInput(where, f"{len(value)} values", f"{len(parts)}", "mend the list")
    return tuple(_convert(part, v, where) for part, v in zip(parts, value, strict=True))


def _optional(hint: Any) -> tuple[Any, bool]:
    """(X, True) for ``X | None``, else (hint, False)."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        return inner[0], True
    return hint, False


def _unknown(what: str, name: str, known: list[str]) -> BadInput:
    close = difflib.get_close_matches(name, known, n=1)
    remedy = f"did you mean '{close[0]}'?" if close else "remove it"
    return BadInput(what, "unknown", f"one of {', '.join(known)}", remedy)


def _leaves(cls: type, prefix: str = "") -> Iterator[str]:
    for name, hint in typing.get_type_hints(cls).items():
        if dataclasses.is_dataclass(hint):
            yield from _leaves(hint, f"{prefix}{name}.")
        else:
            yield prefix + name


def flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested dicts as ("group.key", value)."""
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _copy(data: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _copy(v) if isinstance(v, Mapping) else v for k, v in data.items()}
