"""Errors of a reconstructed face: normalised mean error, its parts, and surface distance."""

from dataclasses import dataclass

import numpy as np

from faces.errors import BadInput
from faces.mesh import similarity
from faces.surface_distance import scan_to_surface

__all__ = ["Nme", "align", "nme", "nme_parts", "scan_to_surface", "view_direction"]


@dataclass(frozen=True, slots=True)
class Nme:
    """Mean errors in percent of the outer interocular distance (Beyond 3DMM Space, Eq. 11).

    Each is a mean of its own over the vertices, so total² is not orthogonal² + parallel².

    Attributes:
        total: E_3d.
        orthogonal: E_orh, across the viewing direction.
        parallel: E_pal, along it.
    """

    total: float
    orthogonal: float
    parallel: float


def align(
    source_mm: np.ndarray,
    target_mm: np.ndarray,
    mask: np.ndarray | None = None,
    scale: bool = False,
) -> np.ndarray:
    """All of ``source_mm`` (V, 3) moved to ``target_mm`` (V, 3) by the best rigid motion.

    Args:
        mask: (V,) bool, the vertices that decide; all where None.
        scale: whether size is fitted too (a similarity).
    """
    chosen = slice(None) if mask is None else mask
    factor, rotation, shift = similarity(source_mm[chosen], target_mm[chosen], scale=scale)
    return factor * source_mm @ rotation.T + shift


def nme(predicted_mm: np.ndarray, truth_mm: np.ndarray, region: np.ndarray, iod_mm: float) -> float:
    """Normalised mean error in percent (Beyond 3DMM Space, section 4.1).

    NME = 100/N Σ‖v − v*‖/d over the region, after rigid alignment on the region.

    Args:
        predicted_mm, truth_mm: (V, 3) in one topology, each in any frame.
        region: (V,) bool, the face without ears and neck.
        iod_mm: d, the outer interocular distance of the truth in 3D.

    Raises:
        BadInput: shapes differ, or the region has fewer than 3 vertices.
    """
    return float(
        100 * np.linalg.norm(_offsets(predicted_mm, truth_mm, region), axis=1).mean() / iod_mm
    )


def nme_parts(
    predicted_mm: np.ndarray,
    truth_mm: np.ndarray,
    region: np.ndarray,
    iod_mm: float,
    view: np.ndarray,
) -> Nme:
    """NME with its parts across and along the view (Eq. 11).

    Args:
        predicted_mm, truth_mm, region, iod_mm: as for nme.
        view: (3,) viewing direction in the frame of ``truth_mm``; see view_direction.
    """
    offsets = _offsets(predicted_mm, truth_mm, region)
    along = np.abs(offsets @ (view / np.linalg.norm(view)))
    length = np.linalg.norm(offsets, axis=1)
    across = np.sqrt(np.clip(length**2 - along**2, 0, None))
    means = (100 * part.mean() / iod_mm for part in (length, across, along))
    return Nme(*(float(mean) for mean in means))


def view_direction(rotation: np.ndarray) -> np.ndarray:
    """The viewing direction (3,) in the model frame of a head turned by ``rotation`` (3, 3).

    ``rotation`` carries the model frame into the view (faces.camera.Pose), so the view's axis
    goes back by its transpose. The paper writes R·[0, 0, 1]ᵀ, with an R that goes the other way.
    """
    return rotation.T @ np.array([0.0, 0.0, 1.0])


def _offsets(predicted, truth, region):
    if predicted.shape != truth.shape or region.shape != truth.shape[:1] or region.sum() < 3:
        raise BadInput(
            "nme",
            f"shapes {predicted.shape}, {truth.shape}, region {region.shape} of {region.sum()}",
            "two (V, 3) and a mask (V,) of at least 3",
            "both faces must be in one topology",
        )
    return (align(predicted, truth, region) - truth)[region]
