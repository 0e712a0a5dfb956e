"""``--layout auto``: which layout a folder has, told by the names that lie in it."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from faces.errors import BadInput
from registration.readers.base import DEPTHLESS, LAYOUTS, reader_class
from registration.readers.mesh_files import SUFFIXES

# Layouts whose scans are not told by a pattern of their own in the reader's class.
SIGNS = {
    "rgbd": re.compile(r"\.depth\.png$"),
    "now": re.compile(r"(?:^|/)scans_lmks_onlypp/[^/]+/[^/]+\.pp$"),
    "tum": re.compile(r"(?:^|/)depth\.txt$"),
}
ANY_MESH = re.compile("|".join(rf"\{suffix}$" for suffix in SUFFIXES), re.I)
LOOKED_AT = 20_000  # files; a large set shows what it is long before
SHOWN = 5  # files named in a message


def tell_layout(root: Path) -> str:
    """The layout of a folder: the one published naming found there, else "mesh".

    Raises:
        BadInput: nothing there that a layout has, or the namings of several layouts.
    """
    paths = list(_some_files(root))
    # Photos lie in most folders of scans; who means them says so.
    told = [name for name in LAYOUTS if name not in ("mesh", *DEPTHLESS)]
    signs = {name: SIGNS.get(name) or reader_class(name).PATTERN for name in told}
    counts = Counter()
    for path in paths:
        counts.update(name for name, sign in signs.items() if sign.search(path))
    what, names = f"scans '{root}'", ", ".join(LAYOUTS)
    if len(counts) > 1:
        got = "files of " + " and ".join(f"'{n}' ({c:,})" for n, c in sorted(counts.items()))
        raise BadInput(what, got, "one layout", f"pass --layout, one of {names}")
    if counts:
        return next(iter(counts))
    if any(ANY_MESH.search(path) for path in paths):
        return "mesh"
    expected = f"scans in one of the layouts {names}"
    raise BadInput(what, _contents(paths), expected, "see docs/scans.md for their folders")


def _some_files(root: Path) -> Iterator[str]:
    """Paths relative to the root, "/"-separated, in a fixed order, LOOKED_AT of them at most."""
    left = LOOKED_AT
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files)[:left]:
            yield (Path(folder) / name).relative_to(root).as_posix()
        left -= min(left, len(files))
        if not left:
            return


def _contents(paths: list[str]) -> str:
    if not paths:
        return "no files"
    kinds = Counter(Path(path).suffix or "no suffix" for path in paths).most_common(SHOWN)
    listed = ", ".join(f"{kind} ({count:,})" for kind, count in kinds)
    return f"files of other kinds: {listed}; first '{paths[0]}'"
