"""What every reader offers, and the layouts by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np

from faces import files
from faces.camera import Camera
from faces.errors import BadInput
from faces.types import Provenance, Scan

# layout name -> module and class; a layout's module is imported when it is asked for
LAYOUTS = {
    "rgbd": ("registration.readers.rgbd", "RgbdReader"),
    "mesh": ("registration.readers.mesh", "MeshReader"),
    "frgc": ("registration.readers.frgc", "FrgcReader"),
    "bu3dfe": ("registration.readers.bu3dfe", "Bu3dfeReader"),
    "bp4d": ("registration.readers.bp4d", "Bp4dReader"),
    "casia3d": ("registration.readers.casia3d", "Casia3dReader"),
    "bosphorus": ("registration.readers.bosphorus", "BosphorusReader"),
    "florence": ("registration.readers.florence", "FlorenceReader"),
    "facescape": ("registration.readers.facescape", "FacescapeReader"),
    "headspace": ("registration.readers.headspace", "HeadspaceReader"),
    "now": ("registration.readers.now", "NowReader"),
    "tum": ("registration.readers.tum", "TumReader"),
    "realsense": ("registration.readers.realsense", "RealsenseReader"),
    "azure-kinect": ("registration.readers.azure_kinect", "AzureKinectReader"),
    "photo": ("registration.readers.photo", "PhotoReader"),
}
DEPTHLESS = ("photo",)  # layouts whose scans have no depth: their faces are fits to one image
SOURCE_FILE = "source.json"
SOURCE_FIELDS = ("source", "licence", "consent")


@dataclass(frozen=True, slots=True)
class ScanRef:
    """Where one scan lies: plain strings, so that it can be written to a plan as JSON.

    Attributes:
        key: unique within a run, "/"-separated, e.g. "s0001/f000".
        subject: the person; splits are made by it.
        files: role ("color", "depth", "camera", "landmarks", "truth", "mesh", "texture", …) to the
            path relative to the reader's root, "/"-separated.
    """

    key: str
    subject: str
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SideView:
    """Another look at the same scan, for a detector that fails on the frontal one.

    Attributes:
        color: (H, W, 3) uint8 sRGB.
        depth_mm: (H, W) float32, 0 on the background.
        camera: of this view.
        rotation: (3, 3) float64 and translation_mm (3,): this view's camera frame into the
            scan's, ``x_scan = rotation @ x_view + translation_mm``.
    """

    color: np.ndarray
    depth_mm: np.ndarray
    camera: Camera
    rotation: np.ndarray
    translation_mm: np.ndarray


class Reader(Protocol):
    """A folder of scans."""

    def refs(self) -> list[ScanRef]:
        """All scans below the root, sorted by key. Opens no image.

        Raises:
            BadInput: the folder is missing or holds no scan of this layout.
        """
        ...

    def read(self, ref: ScanRef) -> Scan:
        """One scan, with its landmarks where a file beside it has them.

        Raises:
            BadInput: a file is missing, damaged, or does not fit the others.
        """
        ...

    def side_views(self, ref: ScanRef) -> list[SideView]:
        """Other looks at the scan, best first; empty where the layout has but one image."""
        ...


def open_layout(layout: str, root: str | Path, **options) -> Reader:
    """The reader of a folder layout.

    Args:
        layout: the name, a key of LAYOUTS, or "auto": told by what lies below the root, see
            registration.readers.layouts.
        root: the folder.
        options: see the reader's class; ``source``, ``licence``, ``consent`` for any of them.

    Raises:
        BadInput: unknown layout or option, the folder does not exist, or "auto" finds no layout
            or several.
    """
    if layout not in ("auto", *LAYOUTS):
        expected = ", ".join(["auto", *LAYOUTS])
        raise BadInput(f"layout '{layout}'", "unknown", expected, "choose one of them")
    root = Path(root)
    if not root.is_dir():
        raise BadInput(f"scans '{root}'", "no such folder", "a folder of scans", "check the path")
    if layout == "auto":
        layout = import_module("registration.readers.layouts").tell_layout(root)
    try:
        return reader_class(layout)(root, **options)
    except TypeError as error:
        expected = "the options that this layout has"
        raise BadInput(f"layout '{layout}'", str(error), expected, "drop the others") from error


def reader_class(layout: str) -> type:
    """The class of a layout's reader; ``layout`` is a key of LAYOUTS."""
    module, name = LAYOUTS[layout]
    return getattr(import_module(module), name)


def provenance_of(
    root: Path, folder: Path, given: dict[str, str | None], known: Mapping[str, str] | None = None
) -> Provenance:
    """Source, licence and consent: options, then source.json from the subject's folder up.

    Args:
        root: of the layout; its name is the source where nobody said.
        folder: the scan's own folder, at or below ``root``.
        given: the options by field; None where not given.
        known: what a published layout says of itself, where neither says more.

    Raises:
        BadInput: a source.json that cannot be read.
    """
    fields = {"source": root.resolve().name, "licence": "unknown", "consent": "unknown"}
    fields.update(known or {})
    for place in _folders_between(root, folder):
        if (place / SOURCE_FILE).is_file():
            record = read_json(place / SOURCE_FILE)
            fields.update({k: str(record[k]) for k in SOURCE_FIELDS if record.get(k)})
    fields.update({name: value for name, value in given.items() if value})
    return Provenance(**fields)


def nearest_above(root: Path, folder: Path, name: str) -> Path | None:
    """The file ``name`` in ``folder`` or the nearest folder above it, up to ``root``."""
    places = reversed(_folders_between(root, folder))
    return next((place / name for place in places if (place / name).is_file()), None)


def read_json(path: Path) -> dict:
    """A JSON object from a file.

    Raises:
        BadInput: not readable as one.
    """
    record = files.read_json(path, f"file '{path}'")
    if not isinstance(record, dict):
        got = type(record).__name__
        raise BadInput(f"file '{path}'", f"a JSON {got}", "a JSON object", "repair the file")
    return record


def _folders_between(root: Path, folder: Path) -> list[Path]:
    """``root``, then each folder on the way down to ``folder``."""
    places = [root]
    for part in folder.relative_to(root).parts:
        places.append(places[-1] / part)
    return places
