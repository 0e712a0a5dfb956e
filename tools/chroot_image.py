"""Runs a Dockerfile's steps in plain chroots, where no container engine is at hand.

    debootstrap --variant=minbase bookworm /tmp/base
    sudo python -m tools.chroot_image docker/Dockerfile --base /tmp/base --out /tmp/image

Each stage starts as a copy of the base, a root that debootstrap made; the last one is left at --out
with its settings beside it in OUT.json (environment, user, folder, entry point). FROM, ARG, ENV,
WORKDIR, USER, COPY (with --from) and RUN are carried out; LABEL is skipped. It needs root. pip's
settings in this environment (PIP_*) hold in the steps too; --bind lends them a folder from here.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from pathlib import Path

KEPT = ("ENTRYPOINT", "CMD", "HEALTHCHECK")


@dataclass
class Stage:
    """A root on its way to an image, and its settings so far."""

    root: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    arguments: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    folder: str = "/"
    kept: dict[str, str] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dockerfile", type=Path)
    parser.add_argument("--base", type=Path, required=True, help="a root made by debootstrap")
    parser.add_argument("--out", type=Path, required=True, help="where the last stage is left")
    parser.add_argument("--bind", action="append", default=[], help="folder lent to RUN steps")
    options = parser.parse_args()
    ignore = Path(".dockerignore").read_text().split("\n")
    stage, named = None, {}
    for word, rest in steps(options.dockerfile.read_text()):
        print(f"{word} {rest[:100]}", flush=True)
        if word == "FROM":
            name = rest.partition(" AS ")[2]
            root = options.out.with_name(f"{options.out.name}-{name}") if name else options.out
            stage = Stage(copied(options.base, root))
            named[name] = stage
        elif stage is not None:
            perform(stage, word, rest, named, (options.bind, ignore))
    options.out.with_name(f"{options.out.name}.json").write_text(
        json.dumps(asdict(stage), default=str, indent=1)
    )


def steps(text: str) -> list[tuple[str, str]]:
    """(instruction, its words) of a Dockerfile, continued lines joined, comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", lines)
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def perform(stage: Stage, word: str, rest: str, named: dict[str, Stage], context) -> None:
    """One instruction but FROM."""
    if word == "RUN":
        run(stage, rest, context[0])
    elif word == "COPY":
        copy(stage, shlex.split(rest), named, context[1])
    elif word == "ENV":
        stage.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
    elif word == "ARG":
        name, _, value = rest.partition("=")
        stage.arguments[name] = " ".join(shlex.split(value))
    elif word == "USER":
        stage.user = rest
    elif word == "WORKDIR":
        stage.folder = rest
        (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
    elif word in KEPT:
        stage.kept[word] = rest
    elif word != "LABEL":
        raise SystemExit(f"{word}: not known here; expected what the docstring lists")


def run(stage: Stage, command: str, binds: list[str]) -> None:
    """A RUN step as the stage's user, in its folder and environment."""
    mounts = [(path, stage.root / path.lstrip("/")) for path in ("/proc", "/dev", *binds)]
    names = stage.root / "etc/resolv.conf"
    shutil.copy("/etc/resolv.conf", names)
    for source, target in mounts:
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", source, target], check=True)
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    env = pip | stage.env | stage.arguments
    words = ["chroot", f"--userspec={stage.user}", str(stage.root), "/bin/sh", "-c"]
    try:
        subprocess.run([*words, f"cd {stage.folder} && {command}"], env=env, check=True)
    finally:
        for _, target in reversed(mounts):
            subprocess.run(["umount", target], check=True)


def copy(stage: Stage, words: list[str], named: dict[str, Stage], ignore: list[str]) -> None:
    """A COPY step; what .dockerignore names stays out of a copy from the context."""
    source = Path.cwd()
    if words[0].startswith("--from="):
        source, ignore = named[words.pop(0).partition("=")[2]].root, []
    *names, place = words
    to_folder = place.endswith("/") or len(names) > 1 or place == "."
    target = stage.root / os.path.join(stage.folder, place).lstrip("/")
    for name in names:
        found = source / name.lstrip("/")
        if name == ".":
            copy_context(found, target, ignore)
        else:
            end = target / found.name if to_folder else target
            end.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "--archive", "--no-target-directory", found, end], check=True)


def copy_context(source: Path, target: Path, ignore: list[str]) -> None:
    """What a .dockerignore of "*" and then exceptions lets through."""
    for name in (line[1:] for line in ignore if line.startswith("!")):
        if (source / name).is_dir():
            left_out = shutil.ignore_patterns(*(p.removeprefix("**/") for p in ignore if "**" in p))
            shutil.copytree(source / name, target / name, ignore=left_out, dirs_exist_ok=True)
        elif not any(fnmatch(name, pattern) for pattern in ignore if pattern.startswith("**")):
            shutil.copy(source / name, target / name)


def copied(base: Path, root: Path) -> Path:
    """A fresh copy of the base."""
    if root.exists():
        shutil.rmtree(root)
    subprocess.run(["cp", "--archive", base, root], check=True)
    return root


if __name__ == "__main__":
    main()
