"""FRGC v2 (Phillips et al. 2005): 04201d302.abs.gz, a Minolta Vivid's points, with their .ppm.

The text of .abs: "480 rows", "640 columns", "pixels (flag X Y Z):", then four lines of as many
numbers each, row by row from the top; flag 0 and -999999 where there is no point.
"""

import contextlib
import gzip
import logging
import re
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from faces.camera import Camera
from faces.detectors import find_sidecar
from faces.errors import BadInput
from faces.landmarks import read_landmarks
from faces.types import Scan
from imaging.limits import limits, raise_it
from registration.readers.base import ScanRef, SideView, provenance_of
from registration.readers.images import read_color, within_reach
from registration.readers.mesh_render import render
from registration.readers.organised import PinholeFit, fit_lens, fit_pinhole, grid_mesh, pixel_uv
from registration.readers.published import key_of, no_scans, with_suffix_of

LOG = logging.getLogger(__name__)

TREE = "04201d302.abs.gz with 04201d302.ppm or 04201d303.ppm"
IMAGE_SUFFIXES = (".ppm", ".png", ".jpg")
MISSING = -999999.0
AS_IT_IS_PX = 1.0  # residual of the fitted camera up to which the pixels are taken as they are
NO_CAMERA_PX = 20.0  # and above which no pinhole is near


@dataclass(frozen=True)
class FrgcReader:
    """FRGC v2: organised points and colour to an RGB-D frame, with a camera fitted to the points.

    A residual of the fitted camera up to AS_IT_IS_PX (root mean square over all points) keeps the
    pixels as they are. Above it, the lens' distortion is fitted too, and taken out of colour and
    depth. Where more than AS_IT_IS_PX is left even so, the points are taken as a surface and
    rendered into the fitted camera, so that colour and depth agree, without a background. Above
    NO_CAMERA_PX the scan is refused.

    Attributes:
        root: any folder above the files; the first five digits of a name are the subject.
        source, licence, consent: for the provenance; source.json where None.
    """

    root: Path
    source: str | None = None
    licence: str | None = None
    consent: str | None = None

    PATTERN: ClassVar[re.Pattern] = re.compile(
        r"(?:^|/)(?P<subject>\d{5})(?P<scan>d\d+)\.abs(?:\.gz)?$", re.I
    )
    KNOWN: ClassVar[Mapping[str, str]] = {
        "source": "FRGC v2",
        "licence": "FRGC licence (research, no redistribution)",
    }

    def refs(self) -> list[ScanRef]:
        """See Reader."""
        refs = {}
        # A link that leads nowhere is kept: read() says so.
        found = sorted(p for p in self.root.rglob("*") if p.is_file() or p.is_symlink())
        for path in found:
            match = self.PATTERN.search(path.relative_to(self.root).as_posix())
            if match:
                key, subject = key_of(match)
                ref = ScanRef(key, subject, self._files(path))
                if refs.setdefault(key, ref) is not ref:
                    LOG.warning("'%s' is left out: another scan has the key '%s'", path, key)
        if not refs:
            raise no_scans(self.root, "frgc", TREE, found)
        return [refs[key] for key in sorted(refs)]

    def _files(self, path: Path) -> dict[str, str]:
        stem = path.with_name(path.name.split(".")[0])
        files = {"points": path, "color": _color_beside(stem), "landmarks": find_sidecar(stem)}
        return {k: v.relative_to(self.root).as_posix() for k, v in files.items() if v is not None}

    def read(self, ref: ScanRef) -> Scan:
        """See Reader."""
        path = self.root / ref.files["points"]
        if "color" not in ref.files:
            expected = "a .ppm of the same name, or of the next number"
            raise BadInput(f"scan '{path}'", "no colour image", expected, "put it beside the scan")
        color, points = read_color(self.root / ref.files["color"]), read_abs(path)
        what = f"scan '{path}'"
        if color.shape != points.shape:
            (h, w), (high, wide) = points.shape[:2], color.shape[:2]
            got = f"points {w}×{h}, colour {wide}×{high}"
            raise BadInput(what, got, "one size", "check that the image is this scan's")
        fit = fit_pinhole(points, what)
        if fit.residual_px > NO_CAMERA_PX:
            got = f"points {fit.residual_px:.0f} px from where the nearest pinhole puts them"
            raise BadInput(what, got, f"at most {NO_CAMERA_PX:.0f} px", "leave this scan out")
        color, depth, camera = _as_pinhole(color, fit)
        landmarks = None
        if "landmarks" in ref.files:
            landmarks = read_landmarks(self.root / ref.files["landmarks"])
        given = {"source": self.source, "licence": self.licence, "consent": self.consent}
        provenance = provenance_of(self.root, path.parent, given, self.KNOWN)
        return Scan(ref.key, ref.subject, color, depth, camera, provenance, landmarks)

    def side_views(self, ref: ScanRef) -> list[SideView]:
        """None: a frame is all there is."""
        return []


def _as_pinhole(color: np.ndarray, fit: PinholeFit) -> tuple[np.ndarray, np.ndarray, Camera]:
    """Colour, depth and camera of a scan whose pixels need not be a pinhole's; see FrgcReader."""
    depth = within_reach(np.nan_to_num(fit.points_mm[..., 2]))
    if fit.residual_px <= AS_IT_IS_PX:
        return color, depth, fit.camera
    lens = fit_lens(fit)
    if lens.residual_px <= AS_IT_IS_PX:
        straight = replace(lens.camera, distortion=())
        return lens.camera.undistort(color), lens.camera.undistort(depth, nearest=True), straight
    mesh = grid_mesh(fit.points_mm, pixel_uv(*depth.shape), color)
    return *render(mesh, mesh.vertices_mm, fit.camera), fit.camera


def _color_beside(stem: Path) -> Path | None:
    """The image of a scan: its own name, or the next number, under which FRGC keeps the colour."""
    head, number = re.fullmatch(r"(\d{5}[dD])(\d+)", stem.name).groups()
    following = stem.with_name(f"{head}{int(number) + 1:0{len(number)}d}")
    return with_suffix_of(stem, IMAGE_SUFFIXES) or with_suffix_of(following, IMAGE_SUFFIXES)


def read_abs(path: Path) -> np.ndarray:
    """Points (H, W, 3) float64 mm, NaN where there is none, of an .abs or .abs.gz file.

    Raises:
        BadInput: damaged, cut short, or with other numbers than its header says.
    """
    what, expected = f"scan '{path}'", "rows, columns, and four lines of as many numbers"
    remedy = "copy it again"
    try:
        lines = _text(path).split("\n")
        height, width = (
            int(re.fullmatch(rf"\s*(\d+)\s+{name}\s*", line).group(1))
            for name, line in zip(("rows", "columns"), lines, strict=False)
        )
        if not 0 < height * width <= limits().image_pixels:
            raise ValueError(f"{height} rows and {width} columns")
        if "flag X Y Z" not in lines[2]:
            raise ValueError(f"the third line is '{lines[2][:40]}'")
        layers = [_numbers(line, height * width, n + 4) for n, line in enumerate(lines[3:7])]
        if len(layers) < 4:
            raise ValueError(f"{len(layers)} of 4 lines of numbers")
    except BadInput:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(what, f"unreadable ({error})", expected, remedy) from error
    except AttributeError as error:
        got = f"its first lines are {[line[:30] for line in lines[:2]]}"
        raise BadInput(what, got, expected, remedy) from error
    except (ValueError, IndexError) as error:
        raise BadInput(what, str(error), expected, remedy) from error
    points = np.stack(layers[1:], -1)
    points[(layers[0] == 0) | (points <= MISSING).any(-1)] = np.nan
    return points.reshape(height, width, 3)


def _text(path: Path) -> str:
    most = limits().mesh_bytes
    with path.open("rb") as raw, contextlib.ExitStack() as stack:
        file = stack.enter_context(gzip.open(raw)) if path.suffix.lower() == ".gz" else raw
        data = file.read(most + 1)
    if len(data) > most:
        got = f"more than {most:,} bytes once unpacked"
        raise BadInput(f"scan '{path}'", got, f"at most {most:,}", raise_it("mesh_bytes"))
    return data.decode("ascii", errors="replace")


def _numbers(line: str, count: int, number: int) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # at what is no number
            values = np.fromstring(line, sep=" ")  # split() would take tenfold the room
    except (ValueError, DeprecationWarning):
        _check_words(line, number)
        raise ValueError(f"line {number} is no list of numbers") from None
    if len(values) != count:
        raise ValueError(f"line {number} has {len(values):,} numbers, not {count:,}")
    return values


def _check_words(line: str, number: int) -> None:
    """Name the word that is no number."""
    for word in re.finditer(r"\S+", line):
        try:
            float(word.group())
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
