"""The morphable face model: one dataclass for every model, whatever its source."""

import hashlib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import scipy.sparse as sp

from faces.coarsening import Coarsening, with_coarse
from faces.errors import BadInput
from faces.refinement import refine, with_detail

PARTS = ("skin", "mouth_socket", "eye_socket", "eye", "teeth", "gums", "tongue", "lashes")
FORMAT = 2  # of the .npz that save_model writes
SHAPE_STEP_MM = 1e-3  # finest step a mode is stored with: a hundredth of what a scanner resolves
ALBEDO_STEP = 1 / 4096  # a sixteenth of an 8-bit colour step


@dataclass(frozen=True, slots=True, eq=False)
class MorphableModel:
    """A linear face model in millimetres in the model frame (see faces.camera).

    V vertices, T triangles, K identity modes, E expressions, B albedo modes, U texture vertices.

    Attributes:
        name: identifies topology and version, e.g. "facesynth-head-1".
        licence: SPDX identifier or the licence's name, with who to credit.
        mean_mm: (V, 3) float32, S̄ of Eq. 1.
        triangles: (T, 3) int32, counter-clockwise seen from outside (outward normals).
        triangle_part: (T,) uint8, index into PARTS.
        identity_mm: (K, V, 3) float32, modes scaled by σ: coefficients are ~ N(0, 1).
        expression_mm: (E, V, 3) float32, offsets at weight 1.
        expression_names: E names, ARKit's where they exist (e.g. "jawOpen", "mouthSmile_L").
        albedo_mean: (V, 3) float32, sRGB in [0, 1], T̄ of Eq. 3.
        albedo_modes: (B, V, 3) float32, σ-scaled, B of Eq. 3.
        uv: (U, 2) float32 in [0, 1], u right, v **down** from the top-left of the texture.
        triangle_uv: (T, 3) int32 into uv.
        regions: name -> (V,) bool: "face" (without ears and neck), "narrow_face", "nose", "eyes",
            "brows", "mouth", "cheeks", "ears", "neck", "scalp".
        weights: (V,) float32, training weights 1.0 features, 0.8 cheeks, 0.1 ears and neck.
        landmarks: scheme name -> (L,) int32 vertex indices ("ibug68", "dense240").
        contour: (17, M) int32, for each of ibug68's jaw points 0..16 a line of M vertices along
            which it slides with yaw, from the front of the cheek towards ear and throat.
        mirror: (V,) int32, the vertex at x → −x (of the mean); own index on the mid-line.
        coarse: the same model before subdivision, or of some of its vertices
            (faces.coarsening); None where the model has one level.
        prolongation: (V, V_coarse) CSR float32, coarse to fine positions; None without coarse.
        coarsening: how the coarse level was made of this one's vertices; None of a subdivided
            model, whose first vertices are the coarse ones, in the same order.
    """

    name: str
    licence: str
    mean_mm: np.ndarray
    triangles: np.ndarray
    triangle_part: np.ndarray
    identity_mm: np.ndarray
    expression_mm: np.ndarray
    expression_names: tuple[str, ...]
    albedo_mean: np.ndarray
    albedo_modes: np.ndarray
    uv: np.ndarray
    triangle_uv: np.ndarray
    regions: dict[str, np.ndarray]
    weights: np.ndarray
    landmarks: dict[str, np.ndarray]
    contour: np.ndarray
    mirror: np.ndarray
    coarse: "MorphableModel | None" = None
    prolongation: sp.csr_matrix | None = field(default=None, repr=False)
    coarsening: Coarsening | None = field(default=None, repr=False)

    @property
    def vertex_count(self) -> int:
        return len(self.mean_mm)

    def shape(self, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """S of Eq. 1: (V, 3) float64 mm in the model frame.

        ``identity`` (k ≤ K,) and ``expression`` (e ≤ E,) may be shorter than the basis; missing
        coefficients are 0.
        """
        offset = _sum_of_modes(identity, self.identity_mm)
        return self.mean_mm + (offset + _sum_of_modes(expression, self.expression_mm))

    def albedo(self, beta: np.ndarray) -> np.ndarray:
        """T of Eq. 3: (V, 3) float32 sRGB, clipped to [0, 1]; ``beta`` (b ≤ B,) in σ."""
        texture = self.albedo_mean + _sum_of_modes(beta, self.albedo_modes)
        return np.clip(texture, 0, 1).astype(np.float32)

    @property
    def coarse_vertices(self) -> np.ndarray:
        """(V_coarse,) int, where the coarse level's vertices are among this one's."""
        if self.coarsening is not None:
            return self.coarsening.vertices
        return np.arange(self.coarse.vertex_count)

    def part_triangles(self, *parts: str) -> np.ndarray:
        """Triangles (t, 3) int32 of the named parts, in the model's order."""
        wanted = np.isin(self.triangle_part, [PARTS.index(part) for part in parts])
        return self.triangles[wanted]

    def part_vertices(self, *parts: str) -> np.ndarray:
        """(V,) bool: vertices that a triangle of the named parts uses."""
        mask = np.zeros(self.vertex_count, dtype=bool)
        mask[self.part_triangles(*parts)] = True
        return mask

    @property
    def iod_mm(self) -> float:
        """Outer interocular distance of the mean (ibug68 points 36 and 45), mm."""
        outer = self.mean_mm[self.landmarks["ibug68"][[36, 45]]]
        return float(np.linalg.norm(outer[0] - outer[1]))

    def fingerprint(self) -> str:
        """Name and a short checksum of shapes, triangles and albedo: equal for equal models."""
        digest = hashlib.sha256()
        shape = (self.mean_mm, self.triangles, self.identity_mm, self.expression_mm)
        for array in (*shape, self.albedo_mean, self.albedo_modes):
            digest.update(np.ascontiguousarray(array).tobytes())
        if self.coarsening is not None:
            digest.update(self.coarsening.triangles.tobytes())
        return f"{self.name}@{digest.hexdigest()[:16]}"

    def truncated(self, identity: int, expression: int | None = None) -> "MorphableModel":
        """This model with its first ``identity`` modes and ``expression`` expressions alone."""
        return replace(
            self,
            identity_mm=self.identity_mm[:identity],
            expression_mm=self.expression_mm[:expression],
            expression_names=self.expression_names[:expression],
            coarse=None if self.coarse is None else self.coarse.truncated(identity, expression),
        )


def _sum_of_modes(weights: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """Σ weights · modes (V, 3) float64, summed in the modes' float32; (k ≤ K,) and (K, V, 3).

    Modes are stored in float32: widening them would double the memory that is read, which is all
    of the work. Expressions at rest are left out.
    """
    weights = np.asarray(weights)
    used, modes = np.flatnonzero(weights), modes[: len(weights)]
    if 2 * len(used) < len(weights):
        weights, modes = weights[used], modes[used]
    flat = modes.reshape(len(modes), modes.shape[1] * modes.shape[2])
    return (weights.astype(modes.dtype) @ flat).reshape(modes.shape[1:]).astype(np.float64)


def save_model(model: MorphableModel, path: str | Path) -> None:
    """Write a model as one compressed .npz: a subdivided one's shapes as its coarse level has them.

    Modes are int16 with a step a mode, at most SHAPE_STEP_MM and 1/32767 of its largest entry.
    Albedo, regions, weights, landmarks and contour are stored at the level the model is used at,
    so that a feature finer than a coarse triangle (a lid's rim, a brow) survives.
    """
    subdivided = model.coarse is not None and model.coarsening is None
    base = model.coarse if subdivided else model
    identity, identity_step = _quantise(base.identity_mm, SHAPE_STEP_MM)
    expression, expression_step = _quantise(base.expression_mm, SHAPE_STEP_MM)
    albedo, albedo_step = _quantise(model.albedo_modes, ALBEDO_STEP)
    names = sorted(model.regions)
    np.savez_compressed(
        path,
        format=FORMAT,
        two_levels=subdivided,
        name=base.name,
        licence=base.licence,
        **{key: getattr(base, key) for key in _PLAIN},
        identity=identity,
        identity_step=identity_step,
        expression=expression,
        expression_step=expression_step,
        expression_names=np.array(base.expression_names, dtype=np.str_),
        weights=model.weights,
        contour=model.contour,
        albedo_mean=model.albedo_mean,
        albedo=albedo,
        albedo_step=albedo_step,
        region_names=np.array(names, dtype=np.str_),
        region_bits=np.packbits(np.stack([model.regions[name] for name in names]), axis=1),
        **{f"landmarks_{scheme}": points for scheme, points in model.landmarks.items()},
        **{f"coarse_{key}": getattr(model.coarsening, key) for key in _coarse_keys(model)},
    )


def _coarse_keys(model):
    return () if model.coarsening is None else _COARSE


def read_model(path: str | Path) -> MorphableModel:
    """Read what save_model wrote; a subdivided model's fine level is made again.

    Raises:
        BadInput: the file is missing, damaged or not such a model.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = {key: file[key] for key in file.files}
        if stored["format"] != FORMAT:
            raise ValueError(f"format {stored['format']}")
        base, detail = _unpack(stored)
    except (OSError, EOFError, BadZipFile, KeyError, ValueError, MemoryError) as error:
        raise BadInput(
            f"model '{path}'",
            f"unreadable ({error})",
            f"an .npz written by save_model, format {FORMAT}",
            "check the path, or write the model again with faces.morphable.save_model",
        ) from error
    model = with_detail(refine(base) if stored["two_levels"] else base, **detail)
    if "coarse_vertices" not in stored:
        return model
    return with_coarse(model, Coarsening(*(stored[f"coarse_{key}"] for key in _COARSE)))


_COARSE = tuple(entry.name for entry in fields(Coarsening))
_PLAIN = (
    "mean_mm",
    "triangles",
    "triangle_part",
    "uv",
    "triangle_uv",
    "mirror",
)


def _unpack(stored: dict[str, np.ndarray]) -> tuple[MorphableModel, dict]:
    """The stored shapes, and by name what is drawn at the level the model is used at."""
    count, fine = len(stored["mean_mm"]), len(stored["albedo_mean"])
    bits = np.unpackbits(stored["region_bits"], axis=1, count=fine).astype(bool)
    prefix = "landmarks_"
    detail = {
        "albedo_mean": stored["albedo_mean"],
        "albedo_modes": _restore(stored["albedo"], stored["albedo_step"]),
        "regions": {str(n): m for n, m in zip(stored["region_names"], bits, strict=True)},
        "weights": stored["weights"],
        "contour": stored["contour"],
        "landmarks": {k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)},
    }
    base = MorphableModel(
        name=str(stored["name"]),
        licence=str(stored["licence"]),
        **{key: stored[key] for key in _PLAIN},
        identity_mm=_restore(stored["identity"], stored["identity_step"]),
        expression_mm=_restore(stored["expression"], stored["expression_step"]),
        expression_names=tuple(str(name) for name in stored["expression_names"]),
        **bare(count),
    )
    return base, detail


def bare(count: int) -> dict:
    """The fields of a model of ``count`` vertices before faces.refinement.with_detail."""
    return {
        "albedo_mean": np.zeros((count, 3), dtype=np.float32),
        "albedo_modes": np.zeros((0, count, 3), dtype=np.float32),
        "regions": {},
        "landmarks": {},
        "weights": np.zeros(count, dtype=np.float32),
        "contour": np.zeros((17, 0), dtype=np.int32),
    }


def _quantise(modes: np.ndarray, finest: float) -> tuple[np.ndarray, np.ndarray]:
    """Modes (K, V, 3) as int16 and the step of each (K,) float32, no finer than ``finest``."""
    largest = np.abs(modes).max((1, 2), initial=0)
    step = np.maximum(largest / 32767, finest).astype(np.float32)
    return np.rint(modes / step[:, None, None]).astype(np.int16), step


def _restore(integers: np.ndarray, step: np.ndarray) -> np.ndarray:
    return integers.astype(np.float32) * step[:, None, None]
