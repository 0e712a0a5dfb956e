"""Folders of textured meshes, each rendered from the front to an RGB-D frame."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from faces.camera import FLIP
from faces.detectors import find_sidecar
from faces.errors import BadInput
from faces.landmarks import read_landmarks, read_landmarks_3d
from faces.types import Scan
from registration.readers.base import ScanRef, SideView, provenance_of
from registration.readers.mesh_files import SUFFIXES, TexturedMesh, read_mesh
from registration.readers.mesh_render import (
    FrameSettings,
    frame_origin,
    frontal_camera,
    render,
    turn,
)

LOG = logging.getLogger(__name__)

SIDE_YAWS_DEG = (30.0, -30.0)


@dataclass(frozen=True)
class MeshReader:
    """Textured OBJ, PLY, GLB or VRML meshes below a root; each file is one subject.

    A 2D landmark file NAME.landmarks.SUFFIX (or NAME.pts, .tem, .ljson) gives points in the
    rendered frontal frame. A NAME.ljson with 3D points is no input: it is kept as
    ``truth["landmarks_mm"]`` (68, 3), camera frame, for evaluation alone.

    Attributes:
        root: the folder; keys are paths relative to it without the suffix.
        unit: "mm", "cm", "m" or "auto".
        up, front: the files' axes towards the top of the head and out of the face.
        frame: how the mesh is framed.
        source, licence, consent: for the provenance; source.json where None.
    """

    root: Path
    unit: str = "auto"
    up: str = "y"
    front: str = "z"
    frame: FrameSettings = field(default_factory=FrameSettings)
    source: str | None = None
    licence: str | None = None
    consent: str | None = None

    KNOWN: ClassVar[Mapping[str, str]] = {}  # what a published data set says of itself
    SUFFIXES: ClassVar[tuple[str, ...]] = SUFFIXES  # of its meshes, the best first

    def refs(self) -> list[ScanRef]:
        """See Reader."""
        refs = {}
        for path in self._meshes():
            ref = self._ref(path)
            if refs.setdefault(ref.key, ref) is not ref:
                LOG.warning("'%s' is left out: another mesh has the key '%s'", path, ref.key)
        if not refs:
            expected = f"meshes ({', '.join(self.SUFFIXES)})"
            raise BadInput(f"scans '{self.root}'", "no mesh", expected, "check the layout")
        return [refs[key] for key in sorted(refs)]

    def _meshes(self) -> list[Path]:
        """The files to read; of two with one key the first is taken."""
        ranks = {suffix: rank for rank, suffix in enumerate(self.SUFFIXES)}
        named = (p for p in self.root.rglob("*") if p.suffix.lower() in ranks)
        # A link that leads nowhere is kept: read() says so.
        paths = [p for p in named if p.is_file() or p.is_symlink()]
        return sorted(paths, key=lambda p: (ranks[p.suffix.lower()], p))

    def _ref(self, path: Path) -> ScanRef:
        key = path.relative_to(self.root).with_suffix("").as_posix()
        return ScanRef(key, key, self._relative(self._files(path)))

    def _files(self, path: Path) -> dict[str, Path]:
        """The files that a mesh is read from, by role."""
        files = {"mesh": path}
        sidecar = find_sidecar(path.with_suffix(""))
        if sidecar is not None:
            role = "landmarks_3d" if _is_3d(sidecar) else "landmarks"
            files[role] = sidecar
        return files

    def _relative(self, files: dict[str, Path]) -> dict[str, str]:
        return {role: path.relative_to(self.root).as_posix() for role, path in files.items()}

    def read(self, ref: ScanRef) -> Scan:
        """See Reader."""
        mesh, path = self._mesh(ref), self.root / ref.files["mesh"]
        camera, vertices = frontal_camera(mesh, self.frame)
        color, depth = render(mesh, vertices, camera)
        landmarks, truth = None, {}
        if "landmarks" in ref.files:
            landmarks = read_landmarks(self.root / ref.files["landmarks"])
        if "landmarks_3d" in ref.files:
            name, points = self._points_3d(self.root / ref.files["landmarks_3d"])
            truth[name] = self._into_frame(points, mesh)
        given = {"source": self.source, "licence": self.licence, "consent": self.consent}
        provenance = provenance_of(self.root, path.parent, given, self.KNOWN)
        return Scan(ref.key, ref.subject, color, depth, camera, provenance, landmarks, truth)

    def side_views(self, ref: ScanRef) -> list[SideView]:
        """See Reader: the mesh turned by ±30° about its vertical axis, in the same camera."""
        mesh = self._mesh(ref)
        camera, vertices = frontal_camera(mesh, self.frame)
        views = []
        for yaw_deg in SIDE_YAWS_DEG:
            rotation, translation = turn(yaw_deg, self.frame.distance_mm)
            color, depth = render(mesh, vertices @ rotation.T + translation, camera)
            back = -rotation.T @ translation
            views.append(SideView(color, depth, camera, rotation.T, back))
        return views

    def _mesh(self, ref: ScanRef) -> TexturedMesh:
        texture = self.root / ref.files["texture"] if "texture" in ref.files else None
        return read_mesh(self.root / ref.files["mesh"], self.unit, self.up, self.front, texture)

    def _points_3d(self, path: Path) -> tuple[str, np.ndarray]:
        """The name that 3D landmarks have in ``truth``, and the points (L, 3) of the file."""
        return "landmarks_mm", read_landmarks_3d(path)

    def _into_frame(self, points: np.ndarray, mesh: TexturedMesh) -> np.ndarray:
        """Points (L, 3) of the file to the frontal camera's frame, mm."""
        model = points @ mesh.to_model.T - frame_origin(mesh)
        return model @ FLIP + [0, 0, self.frame.distance_mm]


def _is_3d(path: Path) -> bool:
    """Whether a landmark file holds 3D points."""
    if path.suffix.lower() != ".ljson":
        return False
    try:
        read_landmarks_3d(path)
    except BadInput:
        return False
    return True
