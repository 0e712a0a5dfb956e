"""Damaged copies of real scans and photos, where somebody has put some."""

import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from benchmarks import fuzz_damage as damage
from benchmarks.fuzz_inputs import NO_FILE, Kind, but

SCANS, PHOTOS = "scans/facefuns", "photos/london/neutral"
LANDMARKER = "models/face_landmarker.task"


def missing(shared: Path) -> str:
    """What a run on real samples lacks here, in words; "" where nothing does."""
    for name in (SCANS, PHOTOS, LANDMARKER):
        if not (shared / name).exists():
            return f"no {shared / name}"
    return "" if find_spec("mediapipe") else "mediapipe is not installed"


def real_kinds(shared: Path) -> dict[str, Kind]:
    """Kinds whose good inputs are copies of real ones: textured meshes, and photos with marks."""
    scans = {
        ".obj": [*but(damage.BYTES, NO_FILE), *damage.MESHES[".obj"]],
        ".jpg": [*damage.BYTES, *damage.IMAGES],
        ".mtl": damage.BYTES,
    }
    photos = {".jpg": [*but(damage.BYTES, NO_FILE[:1]), *damage.IMAGES], ".tem": damage.BYTES}
    return {
        "scan": Kind("mesh", _copies(shared / SCANS, "composite_*.obj"), scans, NO_FILE),
        "face": Kind("photo", _copies(shared / PHOTOS, "*.tem"), photos, NO_FILE[:1]),
    }


def _copies(folder: Path, pattern: str) -> Callable[[Path, int], None]:
    """What copies the sample of a number, the files of one stem, into a new folder."""
    stems = sorted(path.stem for path in folder.glob(pattern))

    def write(home: Path, seed: int) -> None:
        home.mkdir(parents=True)
        for path in sorted(folder.glob(f"{stems[seed % len(stems)]}.*")):
            shutil.copyfile(path, home / path.name)

    return write
