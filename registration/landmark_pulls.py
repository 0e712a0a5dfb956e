"""How the inner landmarks pull on the mesh, and how far they are to be trusted.

A weight is the inverse of a mean square error. What a landmark usually errs by is in TRUST; how
well one scan's landmarks were found is read from how far they lie from its initial fit, which a
strong prior keeps from following each of them.
"""

from dataclasses import dataclass

import numpy as np

from faces.camera import Camera
from faces.morphable import MorphableModel
from faces.types import FaceFit
from registration.nonrigid import Landmarks3D
from registration.template import Template

JAW = 17  # ibug68 points 0..16, which slide, and so pull on the initial fit alone
# Of points 17..67: 1/mean square distance along an axis, mm⁻², between where MediaPipe finds a
# point and its vertex, over 24 virtual subjects (truth) and five real scans without annotation
# (registered by depth and colour alone). Brows and bridge have no corners: points slide on them.
# The middle of the inner lips is sure, and whether a mouth is shut is in no depth image.
TRUST = np.concatenate(
    [
        np.repeat([0.2, 0.2, 0.5, 0.7, 0.8, 0.8], [10, 3, 1, 5, 12, 12]),
        np.array([0.4, 1.6, 1.6, 1.6, 0.4, 1.6, 1.6, 1.6]),
    ]
)
MEDIAN_CHI2 = 2 * np.log(2)  # the median of χ² with two degrees of freedom


@dataclass(frozen=True, slots=True, eq=False)
class InnerLandmarks:
    """ibug68's points 17..67: pixels (51, 2), NaN where missing, and weights (51,)."""

    pixels: np.ndarray
    trust: np.ndarray

    def pulls(
        self,
        model: MorphableModel,
        template: Template,
        vertices_mm: np.ndarray,
        camera: Camera,
        within_mm: float = 30.0,
    ) -> Landmarks3D:
        """Where the landmarks' rays pass their vertices; the depth is left to the matches.

        The depth read at a landmark is often another surface's: an open mouth's inside, an
        eyeball.

        Args:
            vertices_mm: (V, 3) mm, camera frame.
            within_mm: landmarks further from their vertices are wrong, and are left out.
        """
        ids = model.landmarks["ibug68"][JAW:]
        targets = camera.unproject(self.pixels, vertices_mm[ids, 2])
        gap = np.linalg.norm(targets - vertices_mm[ids], axis=1)
        use = gap < within_mm  # a missing point is NaN and fails too
        local = np.searchsorted(template.vertices, ids[use])
        return Landmarks3D(local, targets[use], self.trust[use])


def inner_landmarks(
    model: MorphableModel, initial: FaceFit, camera: Camera, landmarks_px: np.ndarray
) -> InnerLandmarks:
    """The inner landmarks with TRUST, and less of it the worse they agree with the initial fit.

    Not more where they agree better: a detector's errors are alike on one face.

    Args:
        initial: of ``model`` to these landmarks, and to the depth where it takes part.
        landmarks_px: (68, 2) ibug68, NaN where missing.
    """
    pixels = landmarks_px[JAW:]
    points = initial.vertices_mm[model.landmarks["ibug68"][JAW:]]
    gap = (camera.unproject(pixels, points[:, 2]) - points)[:, :2]
    squared = TRUST * (gap**2).sum(1)
    known = squared[np.isfinite(squared)]
    usual = np.median(known) / MEDIAN_CHI2 if len(known) else np.inf
    return InnerLandmarks(pixels, TRUST / max(usual, 1.0))
