"""How much of a file from outside is read: the one place of these limits.

Each is larger than what cameras, scanners and the published data sets write, and small enough for
a worker of a few gigabytes. A file beyond one is refused before its data are unpacked. Whoever has
larger ones sets the limit's variable where the files are read, on every worker: for image_pixels,
``FACESYNTH_MAX_IMAGE_PIXELS=400000000``.
"""

import os
from dataclasses import dataclass, fields

PREFIX = "FACESYNTH_MAX_"


@dataclass(frozen=True, slots=True)
class Limits:
    """Attributes:
    image_pixels: width × height by an image's header; some 400 MB once decoded.
    mesh_bytes: a mesh file or an organised scan, unpacked.
    mesh_elements: vertices, or any other list of one GLB; some 1 GB in memory.
    text_bytes: a camera.json, landmark file, list of frames or another file beside a scan.
    archive_bytes: the arrays of one .npz or .npy, unpacked.
    model_bytes: one array of a face model; the largest published ones have 2 GB.
    member_bytes: one member of a tar that is audited.
    chunk_bytes: one compressed chunk of a recording, unpacked.
    """

    image_pixels: int = 100_000_000
    mesh_bytes: int = 500_000_000
    mesh_elements: int = 20_000_000
    text_bytes: int = 20_000_000
    archive_bytes: int = 500_000_000
    model_bytes: int = 8_000_000_000
    member_bytes: int = 200_000_000
    chunk_bytes: int = 1 << 30


def limits() -> Limits:
    """The limits in force: the defaults, and what the environment says otherwise.

    Raises:
        ValueError: a variable that is no positive whole number.
    """
    given = {}
    for entry in fields(Limits):
        name = variable(entry.name)
        text = os.environ.get(name)
        if text is None:
            continue
        if not text.isdecimal() or int(text) < 1:
            raise ValueError(
                f"{name}: '{text}'; expected a positive whole number; mend or unset it"
            )
        given[entry.name] = int(text)
    return Limits(**given)


def variable(name: str) -> str:
    """The environment variable of a limit."""
    return PREFIX + name.upper()


def raise_it(name: str) -> str:
    """What to do about a file beyond a limit, in words."""
    return f"check that the file is what it seems, or set {variable(name)} higher if it is"
