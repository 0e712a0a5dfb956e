"""Recordings: one file of many frames, of which some become scans."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np

from faces.camera import Camera
from faces.errors import BadInput
from faces.types import Scan
from registration.readers.base import ScanRef, SideView, provenance_of
from registration.readers.images import within_reach
from registration.readers.picking import Picking, read_picking
from registration.readers.published import no_scans

LOG = logging.getLogger(__name__)

MAX_APART_NS = 20_000_000  # half a frame at 30 frames a second, and some jitter


class Recording(Protocol):
    """An open recording.

    Attributes:
        camera: of the colour image, free of distortion.
    """

    camera: Camera

    def __len__(self) -> int:
        """Frames that have both colour and depth."""
        ...

    def color(self, index: int) -> np.ndarray:
        """(H, W, 3) uint8 sRGB of a frame, its distortion removed."""
        ...

    def depth(self, index: int) -> np.ndarray:
        """(H, W) float32 mm of a frame, on the colour image's pixels; 0 where there is none."""
        ...


@dataclass(frozen=True)
class RecordingReader:
    """Recordings below a root: SUBJECT/NAME.SUFFIX, or NAME.SUFFIX, each then its own subject.

    Attributes:
        root: the folder; deeper folders are fine, the first one is the subject.
        frames: "every:N" takes each N-th frame, "sharpest:N" the sharpest of each N; all of them
            where None.
        source, licence, consent: for the provenance; source.json where None.
    """

    root: Path
    frames: str | None = None
    source: str | None = None
    licence: str | None = None
    consent: str | None = None

    LAYOUT: ClassVar[str] = ""
    TREE: ClassVar[str] = ""
    PATTERN: ClassVar[re.Pattern] = re.compile("$^")
    KNOWN: ClassVar[Mapping[str, str]] = {}

    def refs(self) -> list[ScanRef]:
        """See Reader; opens each recording to count its frames. One that cannot be read is kept
        as one reference, so that its error is recorded when it is read."""
        picking = self._picking()
        found = sorted(path for path in self.root.rglob("*") if path.is_file())
        paths = [p for p in found if self.PATTERN.search(p.relative_to(self.root).as_posix())]
        if not paths:
            raise no_scans(self.root, self.LAYOUT, self.TREE, found)
        return [ref for path in paths for ref in self._refs_of(path, picking)]

    def _refs_of(self, path: Path, picking: Picking) -> list[ScanRef]:
        place = path.relative_to(self.root).with_suffix("")
        stem = "/".join((*place.parts[:-1], place.name.replace(".", "_")))
        try:
            count = len(self._open(path))
        except BadInput as error:
            LOG.warning("%s", error)
            count = 1
        files = {"recording": path.relative_to(self.root).as_posix()}
        subject = place.parts[0] if len(place.parts) > 1 else place.name
        return [ScanRef(f"{stem}/f{run.start:06d}", subject, files) for run in picking.runs(count)]

    def read(self, ref: ScanRef) -> Scan:
        """See Reader."""
        path = self.root / ref.files["recording"]
        recording, picking = self._open(path), self._picking()
        first = int(ref.key.rsplit("/f", 1)[1])
        run = range(first, min(first + picking.step, len(recording)))
        if not run:
            got, expected = f"{len(recording)} frames", f"more than {first}"
            raise BadInput(f"recording '{path}'", got, expected, "plan the run again")
        index = picking.pick(run, recording.color)
        given = {"source": self.source, "licence": self.licence, "consent": self.consent}
        return Scan(
            key=ref.key,
            subject=ref.subject,
            color=recording.color(index),
            depth_mm=within_reach(recording.depth(index)),
            camera=recording.camera,
            provenance=provenance_of(self.root, path.parent, given, self.KNOWN),
        )

    def side_views(self, ref: ScanRef) -> list[SideView]:
        """None: a frame is all there is."""
        return []

    def _picking(self) -> Picking:
        return read_picking(self.frames)

    def _open(self, path: Path) -> Recording:
        """The recording; the last one stays open, since its frames are read one after the other."""
        stat = path.stat()
        return _opened(type(self), path, stat.st_size, stat.st_mtime_ns)

    @classmethod
    def opener(cls, path: Path) -> Recording:
        """Open a recording.

        Raises:
            BadInput: it cannot be read, or has no frame with colour and depth.
            MissingExtra: the package that reads it is not installed.
        """
        raise NotImplementedError


def pairs_in_time(color_ns: np.ndarray, depth_ns: np.ndarray) -> list[tuple[int, int]]:
    """(colour, depth) indices: each colour image with the depth image nearest in time, if near.

    Args:
        color_ns: (N,) int64 and depth_ns (M,) int64, both in the order of time.
    """
    nearest = [int(np.abs(depth_ns - time).argmin()) for time in color_ns]
    apart = np.abs(depth_ns[nearest] - color_ns)
    return [(i, nearest[i]) for i in np.flatnonzero(apart <= MAX_APART_NS).tolist()]


@lru_cache(maxsize=1)
def _opened(reader: type[RecordingReader], path: Path, size: int, time_ns: int) -> Recording:
    """``size`` and ``time_ns`` tell a file that was written anew."""
    return reader.opener(path)
