"""TUM-style RGB-D sequences (Sturm et al. 2012): rgb/, depth/, rgb.txt and depth.txt.

Lines of the two lists are a time in seconds and a file; depth is 16-bit PNG, 5000 units a metre,
on the colour image's pixels.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faces.camera import Camera
from faces.detectors import find_sidecar
from faces.errors import BadInput
from faces.files import beside, read_text
from faces.types import Scan
from registration.readers.base import ScanRef, nearest_above
from registration.readers.picking import read_picking
from registration.readers.published import no_scans
from registration.readers.rgbd import RgbdReader

LOG = logging.getLogger(__name__)

TREE = "SUBJECT/rgb.txt, depth.txt, rgb/ and depth/"
NAMES = ("rgb.txt", "depth.txt")  # one without the other is a sequence that cannot be read
LISTS = "lists"  # role of a sequence whose lists cannot be read
MAX_APART_S = 0.02
DEPTH_SCALE = 0.2  # mm a unit
# width, height, fx, fy, cx, cy, (k1, k2, p1, p2, k3) from the data set's page on intrinsic
# calibration; first pixel's centre at (0, 0).
INTRINSICS = {
    "default": (640, 480, 525.0, 525.0, 319.5, 239.5, ()),
    "freiburg1": (640, 480, 517.3, 516.5, 318.6, 255.3, (0.2624, -0.9531, -0.0054, 0.0026, 1.1633)),
    "freiburg2": (
        640,
        480,
        520.9,
        521.0,
        325.1,
        249.7,
        (0.2312, -0.7849, -0.0033, -0.0001, 0.9172),
    ),
    "freiburg3": (640, 480, 535.4, 539.2, 320.1, 247.6, ()),
}


@dataclass(frozen=True)
class TumReader(RgbdReader):
    """RGB-D sequences; a colour and a depth image 20 ms apart at most are one frame.

    Attributes:
        root: a sequence, or a folder of sequences; the first folder below it is the subject, or
            the root's own name where it is the sequence itself.
        depth_scale: millimetres a unit of the depth PNG.
        frames: "every:N" takes each N-th frame; all of them where None.
        intrinsics: "default", "freiburg1", "freiburg2" or "freiburg3", where no camera.json
            lies in the sequence or above it.
    """

    depth_scale: float = DEPTH_SCALE
    frames: str | None = None
    intrinsics: str = "default"

    def refs(self) -> list[ScanRef]:
        """See Reader."""
        if self.intrinsics not in INTRINSICS:
            got, expected = f"'{self.intrinsics}'", ", ".join(INTRINSICS)
            raise BadInput("--intrinsics", got, expected, "choose one of them")
        picking = read_picking(self.frames)
        if picking.sharpest:
            remedy = "give --frames every:N"
            raise BadInput("--frames", f"'{self.frames}'", "every:N for this layout", remedy)
        folders = sorted({p.parent for name in NAMES for p in self.root.rglob(name)})
        if not folders:
            raise no_scans(self.root, "tum", TREE, sorted(self.root.rglob("*.txt")))
        refs = []
        for folder in folders:
            try:
                pairs = _pairs(folder)
            except BadInput as error:  # kept as one reference: read() says it again, as a record
                LOG.warning("%s", error)
                refs.append(self._unread(folder))
                continue
            refs += [self._pair(folder, *pairs[run[0]]) for run in picking.runs(len(pairs))]
        return sorted(refs, key=lambda ref: ref.key)

    def _pair(self, folder: Path, color: Path, depth: Path) -> ScanRef:
        place = folder.relative_to(self.root).parts or (self.root.resolve().name,)
        found = {
            "color": color,
            "depth": depth,
            "camera": nearest_above(self.root, folder, "camera.json"),
            "landmarks": find_sidecar(color.with_suffix("")),
        }
        files = {k: v.relative_to(self.root).as_posix() for k, v in found.items() if v is not None}
        return ScanRef("/".join((*place, color.stem.replace(".", "_"))), place[0], files)

    def _unread(self, folder: Path) -> ScanRef:
        place = folder.relative_to(self.root).parts or (self.root.resolve().name,)
        lists = {LISTS: (folder / NAMES[1]).relative_to(self.root).as_posix()}
        return ScanRef("/".join((*place, "sequence")), place[0], lists)

    def read(self, ref: ScanRef) -> Scan:
        """See Reader."""
        if LISTS in ref.files:
            _pairs((self.root / ref.files[LISTS]).parent)
            expected, remedy = "the lists that the plan was made of", "run the same command again"
            raise BadInput(f"sequence '{ref.key}'", "its lists have changed", expected, remedy)
        return super().read(ref)

    def _camera(self, ref: ScanRef) -> Camera:
        if "camera" in ref.files:
            return super()._camera(ref)
        width, height, fx, fy, cx, cy, distortion = INTRINSICS[self.intrinsics]
        return Camera(width, height, fx, fy, cx + 0.5, cy + 0.5, distortion)


def _pairs(folder: Path) -> list[tuple[Path, Path]]:
    """(colour, depth) files, in the order of time; each image once, the nearest in time first."""
    colors, color_s = _listed(folder / "rgb.txt")
    depths, depth_s = _listed(folder / "depth.txt")
    first = np.searchsorted(depth_s, color_s - MAX_APART_S, "left")
    last = np.searchsorted(depth_s, color_s + MAX_APART_S, "right")
    near = [(i, k) for i in range(len(colors)) for k in range(first[i], last[i])]
    near.sort(key=lambda pair: (abs(color_s[pair[0]] - depth_s[pair[1]]), pair))
    partner, taken = {}, set()
    for i, k in near:
        if i not in partner and k not in taken:
            partner[i] = k
            taken.add(k)
    if not partner:
        apart = 1000 * np.abs(color_s[:, None] - depth_s).min()
        got = f"the nearest colour and depth image are {apart:.0f} ms apart"
        remedy = "give both lists the times of one clock"
        raise BadInput(f"sequence '{folder}'", got, f"{1000 * MAX_APART_S:.0f} ms at most", remedy)
    return [(colors[i], depths[partner[i]]) for i in sorted(partner)]


def _listed(path: Path) -> tuple[list[Path], np.ndarray]:
    """Files and their times in seconds, sorted by time."""
    what, expected = f"list '{path}'", "lines of a time in seconds and a file"
    try:
        lines = [line.split() for line in read_text(path, what).splitlines()]
        entries = sorted((float(w[0]), w[1]) for w in lines if w and not w[0].startswith("#"))
    except (ValueError, IndexError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(what, str(error), expected, "repair the list") from error
    if not entries or not np.isfinite([time for time, _ in entries]).all():
        raise BadInput(what, f"{len(entries)} entries", expected, "repair the list")
    for _, name in entries:
        beside(path, name, what)
    return [path.parent / name for _, name in entries], np.array([time for time, _ in entries])
