"""A morphable model cut down to the vertices that a fit looks at."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from faces.morphable import MorphableModel


@dataclass(frozen=True, slots=True, eq=False)
class FitBasis:
    """The few thousand vertices of a fit, modes last so that a vertex's rows lie together.

    U vertices, M = K + E modes (identity first).

    Attributes:
        vertices: (U,) int, indices into the model.
        mean_mm: (U, 3) float64.
        modes_mm: (U, 3, M) float32.
        identities: K.
        triangles: (t, 3) int into U: every triangle around a sample, landmark or contour vertex.
        samples: (N,) int into U: spread evenly over the face region's skin.
        landmarks: (68,) int into U.
        contour: (17, m) int into U.
        contour_home: (17,) int, place in each line of the vertex nearest to the jaw landmark.
    """

    vertices: np.ndarray
    mean_mm: np.ndarray
    modes_mm: np.ndarray
    identities: int
    triangles: np.ndarray
    samples: np.ndarray
    landmarks: np.ndarray
    contour: np.ndarray
    contour_home: np.ndarray

    def shape(self, coefficients: np.ndarray) -> np.ndarray:
        """(U, 3) float64 mm in the model frame of coefficients (M,)."""
        flat = self.modes_mm.reshape(-1, self.modes_mm.shape[2])
        return self.mean_mm + (flat @ coefficients.astype(np.float32)).reshape(-1, 3)


@lru_cache(maxsize=4)
def fit_basis(
    model: MorphableModel, identities: int, expressions: int, spacing_mm: float
) -> FitBasis:
    """The basis of a fit with so many modes and a sample every ``spacing_mm``; made once."""
    landmarks = model.landmarks["ibug68"]
    skin = model.part_vertices("skin") & model.regions["face"]
    samples = thin(model.mean_mm, skin, spacing_mm)
    wanted = np.zeros(model.vertex_count, dtype=bool)
    wanted[samples] = wanted[model.contour.ravel()] = wanted[landmarks] = True
    triangles = model.triangles[wanted[model.triangles].any(1)]
    wanted[triangles] = True
    vertices = np.flatnonzero(wanted)
    place = np.cumsum(wanted) - 1
    modes = [model.identity_mm[:identities], model.expression_mm[:expressions]]
    cut = np.concatenate([mode[:, vertices] for mode in modes])
    lines = model.mean_mm[model.contour]
    away = np.linalg.norm(lines - model.mean_mm[landmarks[:17], None], axis=-1)
    return FitBasis(
        vertices=vertices,
        mean_mm=model.mean_mm[vertices].astype(np.float64),
        modes_mm=np.ascontiguousarray(np.moveaxis(cut, 0, -1), dtype=np.float32),
        identities=len(modes[0]),
        triangles=place[triangles],
        samples=place[samples],
        landmarks=place[landmarks],
        contour=place[model.contour],
        contour_home=away.argmin(1),
    )


def thin(points_mm: np.ndarray, mask: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Indices (n,) of one masked point (V,) a cube of edge ``spacing_mm``: the first of each."""
    candidates = np.flatnonzero(mask)
    cells = np.floor(points_mm[candidates] / spacing_mm).astype(np.int64)
    _, first = np.unique(cells, axis=0, return_index=True)
    return candidates[np.sort(first)]
