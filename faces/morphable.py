"""The morphable face model: one dataclass for every model, whatever its source."""

from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp

PARTS = ("skin", "mouth_socket", "eye_socket", "eye", "teeth", "gums", "tongue", "lashes")


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
        coarse: the same model before subdivision; None where the model has one level. Its
            vertices are the first ones of this model, in the same order.
        prolongation: (V, V_coarse) CSR float32, coarse to fine positions; None without coarse.
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

    @property
    def vertex_count(self) -> int:
        return len(self.mean_mm)

    def shape(self, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """S of Eq. 1: (V, 3) float64 mm in the model frame.

        ``identity`` (k ≤ K,) and ``expression`` (e ≤ E,) may be shorter than the basis; missing
        coefficients are 0.
        """
        offset = np.tensordot(identity, self.identity_mm[: len(identity)], 1)
        offset = offset + np.tensordot(expression, self.expression_mm[: len(expression)], 1)
        return self.mean_mm + offset.astype(np.float64)

    def albedo(self, beta: np.ndarray) -> np.ndarray:
        """T of Eq. 3: (V, 3) float32 sRGB, clipped to [0, 1]; ``beta`` (b ≤ B,) in σ."""
        texture = self.albedo_mean + np.tensordot(beta, self.albedo_modes[: len(beta)], 1)
        return np.clip(texture, 0, 1).astype(np.float32)

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

    def truncated(self, identity: int, expression: int | None = None) -> "MorphableModel":
        """This model with its first ``identity`` modes and ``expression`` expressions alone."""
        return replace(
            self,
            identity_mm=self.identity_mm[:identity],
            expression_mm=self.expression_mm[:expression],
            expression_names=self.expression_names[:expression],
            coarse=None if self.coarse is None else self.coarse.truncated(identity, expression),
        )
