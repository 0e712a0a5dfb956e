"""What the readers of published mesh data sets share: scans and people told by their paths."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from faces.errors import BadInput
from registration.readers.base import ScanRef
from registration.readers.mesh import MeshReader

LOG = logging.getLogger(__name__)

IMAGE_SUFFIXES = (".png", ".bmp", ".jpg", ".jpeg", ".tif", ".tiff", ".ppm")
SHOWN = 5  # files named in a message


@dataclass(frozen=True)
class PublishedMeshReader(MeshReader):
    """Meshes of a published data set, each rendered from the front as MeshReader does.

    A subclass says in PATTERN which files are scans. The group "subject" is the person; the other
    groups, in their order, make the rest of the key. Other files of the same suffixes are named
    in a warning and left out. A mesh that names no image takes the one beside it.

    Class attributes:
        LAYOUT: its name, a key of registration.readers.base.LAYOUTS.
        TREE: the folders in words, for messages.
        PATTERN: searched in paths relative to the root, "/"-separated; ends in ``$``.
        KNOWN: "source" and "licence" of the data set, where no option and no source.json says.
    """

    LAYOUT: ClassVar[str] = ""
    TREE: ClassVar[str] = ""
    PATTERN: ClassVar[re.Pattern] = re.compile("$^")

    def _meshes(self) -> list[Path]:
        found = super()._meshes()
        scans = [path for path in found if self._match(path)]
        if not scans:
            raise no_scans(self.root, self.LAYOUT, self.TREE, found)
        kinds = {path.suffix.lower() for path in scans}
        others = [p for p in found if p.suffix.lower() in kinds and not self._match(p)]
        if others:
            LOG.warning("layout '%s' leaves out %s", self.LAYOUT, _some(others))
        return scans

    def _match(self, path: Path) -> re.Match | None:
        return self.PATTERN.search(path.relative_to(self.root).as_posix())

    def _ref(self, path: Path) -> ScanRef:
        key, subject = key_of(self._match(path))
        return ScanRef(key, subject, self._relative(self._files(path)))

    def _files(self, path: Path) -> dict[str, Path]:
        files = super()._files(path)
        texture = self._texture(path)
        return files if texture is None else files | {"texture": texture}

    def _texture(self, path: Path) -> Path | None:
        """The image beside a mesh, of the same name; None where there is none."""
        return with_suffix_of(path.with_suffix(""), IMAGE_SUFFIXES)


def key_of(match: re.Match) -> tuple[str, str]:
    """(key, subject) of a path: the subject, then the other groups; no dots, which end a key."""
    groups = match.groupdict()
    subject = groups.pop("subject")
    parts = [subject, *(value for value in groups.values() if value)]
    return "/".join(part.replace(".", "_") for part in parts), subject


def with_suffix_of(stem: Path, suffixes: Iterable[str]) -> Path | None:
    """The file of that name with the first of the suffixes there, in small or capital letters."""
    tried = (stem.with_name(stem.name + s) for suffix in suffixes for s in (suffix, suffix.upper()))
    return next((path for path in tried if path.is_file()), None)


def no_scans(root: Path, layout: str, tree: str, found: Iterable[Path]) -> BadInput:
    """The error of a folder without a scan of the layout; names what lies there instead."""
    found = list(found)
    got = f"no scan of layout '{layout}'"
    if found:
        got += f"; there are {_some(found)}"
    return BadInput(f"scans '{root}'", got, tree, "give the folder above the subjects' folders")


def _some(paths: list[Path]) -> str:
    shown = ", ".join(f"'{path}'" for path in sorted(paths)[:SHOWN])
    return shown + (f" and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else "")
