"""A head and random linear modes over it, to be written in other models' file formats.

The head is the embedded model's coarse level, skin and eyeballs: real proportions at some 5,000
vertices, so that landmarks, ears and regions are where the importers look for them.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial import cKDTree

from faces.models import load_model

IDENTITIES, EXPRESSIONS, ALBEDOS = 4, 3, 2


@dataclass(frozen=True)
class Truth:
    """mean_mm (V, 3) float64, triangles (T, 3) wound outwards, landmarks (68,), eyes (V,) bool;
    modes at 1 σ: identity_mm (K, V, 3), expression_mm (E, V, 3); albedo (V, 3) and (B, V, 3)."""

    mean_mm: np.ndarray
    triangles: np.ndarray
    landmarks: np.ndarray
    eyes: np.ndarray
    identity_mm: np.ndarray
    expression_mm: np.ndarray
    albedo_mean: np.ndarray
    albedo_modes: np.ndarray

    @property
    def count(self) -> int:
        return len(self.mean_mm)

    def shape(self, identity, expression):
        offset = np.tensordot(identity, self.identity_mm, 1)
        return self.mean_mm + offset + np.tensordot(expression, self.expression_mm, 1)


@cache
def truth(with_eyes: bool = False) -> Truth:
    """The head, with its eyeballs or without."""
    model = load_model("default")
    coarse = model.coarse
    parts = ("skin", "eye") if with_eyes else ("skin",)
    kept = np.unique(coarse.part_triangles(*parts))
    new = np.full(coarse.vertex_count, -1)
    new[kept] = np.arange(len(kept))
    mean = coarse.mean_mm[kept].astype(np.float64)
    skin = np.flatnonzero(coarse.part_vertices("skin")[kept])
    places = model.mean_mm[model.landmarks["ibug68"]]
    rng = np.random.default_rng(7)
    return Truth(
        mean_mm=mean,
        triangles=new[coarse.part_triangles(*parts)],
        landmarks=skin[_nearest_apart(mean[skin], places)],
        eyes=coarse.part_vertices("eye")[kept],
        identity_mm=rng.normal(size=(IDENTITIES, len(kept), 3)),
        expression_mm=rng.normal(size=(EXPRESSIONS, len(kept), 3)),
        albedo_mean=np.array([0.7, 0.5, 0.4]) + rng.normal(size=(len(kept), 3)) * 0.02,
        albedo_modes=rng.normal(size=(ALBEDOS, len(kept), 3)) * 0.05,
    )


def _nearest_apart(vertices: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Vertex numbers near the places (68, 3), all different: the level is coarse about the lips."""
    chosen: list[int] = []
    for near in cKDTree(vertices).query(places, k=10)[1]:
        chosen.append(next(int(vertex) for vertex in near if vertex not in chosen))
    return np.array(chosen)


def columns(modes: np.ndarray) -> np.ndarray:
    """Modes (K, V, 3) as columns (3 V, K)."""
    return modes.reshape(len(modes), -1).T


def unit_columns(modes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns (3 V, K) of length 1, and the lengths (K,)."""
    stacked = columns(modes)
    length = np.linalg.norm(stacked, axis=0)
    return stacked / length, length


def write_landmarks(path, landmarks: np.ndarray):
    """A landmark file of vertex numbers, as ``--landmarks`` takes it."""
    path.write_text("# ibug68\n" + "\n".join(str(vertex) for vertex in landmarks) + "\n")
    return path


def check_shapes(model, true: Truth, expression_from: int = 0) -> None:
    """That random coefficients give the true vertices, and the mesh and its parts are whole."""
    rng = np.random.default_rng(3)
    identity = rng.normal(size=len(true.identity_mm))
    expression = rng.normal(size=len(true.expression_mm))
    if len(model.expression_mm) == 0:
        expression[:] = 0
    padded = np.concatenate([np.zeros(expression_from), expression])
    # float32 of numbers up to 200 mm, and of files in µm, dm or m: 2e-5 mm each, nine of them.
    np.testing.assert_allclose(
        model.shape(identity, padded[: len(model.expression_mm)]),
        true.shape(identity, expression),
        atol=3e-4,
    )
    assert _turn(model.triangles) == _turn(true.triangles)
    np.testing.assert_array_equal(model.landmarks["ibug68"], true.landmarks)
    parts = [model.regions[name] for name in ("face", "ears", "neck", "scalp")]
    np.testing.assert_array_equal(np.sum(parts, axis=0) == 1, model.part_vertices("skin"))
    assert len(np.unique(model.landmarks["dense240"])) == 240
    left, right = model.contour[3], model.contour[13]
    assert (model.mean_mm[left, 0] < 0).all()
    assert (model.mean_mm[right, 0] > 0).all()
    assert model.uv.min() >= 0
    assert model.uv.max() <= 1
    assert len(model.triangle_uv) == len(model.triangles)


def _turn(triangles: np.ndarray) -> set[tuple[int, ...]]:
    """Triangles from their smallest vertex on, so that only the winding is left to differ."""
    first = triangles.argmin(1)
    corner = (first[:, None] + np.arange(3)) % 3
    return set(map(tuple, np.take_along_axis(triangles, corner, 1).tolist()))
