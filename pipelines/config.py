"""Settings: frozen dataclasses that turn into TOML and back; flags.py makes flags of them."""

import dataclasses
import difflib
import hashlib
import sys
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import tomli_w

from faces.errors import BadInput
from manifests.ledger import canonical_json
from manifests.schema import SCHEMA_VERSION
from manifests.secrets import without_secrets
from pipelines.clusters.options import ClusterOptions
from pipelines.setting import Part, setting

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")


STORED: tuple[Part, ...] = ("bytes", "amount")


@dataclass(frozen=True)
class RunOptions:
    """Where and how to run."""

    out: str = setting("out", "folder of the set", "local")
    scheduler: str = setting(
        "local", "local, inline (no Dask), tcp://HOST:PORT, tls://…, slurm or kubernetes", "local"
    )
    workers: int = setting(
        0, "worker processes of local (0: as the machine allows), slurm or kubernetes", "local"
    )
    dashboard: str = setting("127.0.0.1:8787", "address of the dashboard", "local")
    progress: Literal["auto", "plain", "json", "none"] = setting(
        "auto", "what stderr shows: auto (bars on a terminal), or JSON lines", "local"
    )
    performance_report: str = setting(
        "", "folder for Dask's performance report of each stage", "local"
    )
    cluster: ClusterOptions = setting(ClusterOptions, "where workers come from", "local")
    cluster_config: str = setting("", "TOML file of the cluster settings", "local")
    max_failed: float = setting(0.0, "share of inputs that may fail with exit status 0", "local")
    overwrite: bool = setting(False, "replace what other settings made in --out", "local")
    any_versions: bool = setting(
        False, "go on though packages that decide bytes have other versions", "local"
    )
    part: str = setting("", "K/N: make only this share of the shards; then synth merge", "local")
    isolate: bool | None = setting(
        None, "do tasks in processes that may die of an input; default: unless inline", "local"
    )
    input_timeout: float = setting(900.0, "seconds after which an input counts as hung", "local")
    memory: str = setting("", "of one worker, for --cluster.memory, e.g. 4GiB", "local")
    recycle: int = setting(200, "shards after which a worker's process is replaced", "local")


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


def _convert(hint: Any, value: Any, where: str) -> Any:
    hint, may_lack = optional(hint)
    if value is None and may_lack:
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


def optional(hint: Any) -> tuple[Any, bool]:
    """(X, True) for ``X | None``, else (hint, False)."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        return inner[0], True
    return hint, False


def _unknown(what: str, name: str, known: list[str]) -> BadInput:
    close = difflib.get_close_matches(name, known, n=1)
    remedy = f"did you mean '{close[0]}'?" if close else "remove it"
    return BadInput(what, "unknown", f"one of {', '.join(known)}", remedy)


def flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested dicts as ("group.key", value)."""
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
