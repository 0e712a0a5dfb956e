"""A face's corners in an image: projected, snapped, and cut at the camera's near plane."""

from dataclasses import dataclass

import numpy as np

from faces.camera import FLIP, Camera, Pose
from faces.errors import BadInput
from imaging.clipping import NO_CUTS, cut_at
from imaging.keys import IDS
from imaging.projection import NEAR_MM, project
from imaging.raster_kernels import SUBPIXEL_BITS
from synth.renderer import FaceMesh


def lens_of(camera: Camera) -> tuple[float, float, float, float]:
    """fx, fy, cx, cy: px a unit of x/z, or px a millimetre of an orthographic camera."""
    if camera.is_perspective:
        return float(camera.fx), float(camera.fy), float(camera.cx), float(camera.cy)
    scale = 1.0 / camera.mm_per_px
    return scale, scale, float(camera.cx), float(camera.cy)


@dataclass(frozen=True, slots=True, eq=False)
class Projected:
    """A face's corners in an image: snapped, near and bounds of imaging.projection.project, the
    matrix (3, 4) that it took, the triangles (T + C, 3) with those that were cut at the near plane,
    and the cuts."""

    snapped: np.ndarray
    near: np.ndarray
    bounds: tuple
    matrix: np.ndarray
    triangles: np.ndarray
    cuts: object

    @classmethod
    def of(cls, zeros, face: FaceMesh, pose: Pose, camera: Camera) -> "Projected":
        points, triangles, cuts = face.vertices_mm, face.topology.triangles, NO_CUTS
        way = np.asarray(pose.scale * FLIP @ pose.rotation, dtype=np.float64)
        matrix = np.concatenate([way, np.reshape(pose.translation_mm, (3, 1))], 1)
        for _ in range(2):
            snapped, near = zeros((len(points), 2), np.int32), zeros((len(points),), np.float64)
            lens = lens_of(camera)
            dropped, *bounds = project(points, matrix, lens, camera.is_perspective, snapped, near)
            if dropped == 0 or cuts is not NO_CUTS:
                break
            depth = points.astype(np.float64) @ matrix[2, :3] + matrix[2, 3]
            cuts = cut_at(points, triangles, depth, NEAR_MM)
            if cuts is NO_CUTS:
                break
            points = np.concatenate([points, cuts.points])
            triangles = np.concatenate([triangles, cuts.triangles])
        if len(triangles) > IDS:
            raise BadInput("mesh", f"{len(triangles)} triangles", f"at most {IDS}", "decimate it")
        return cls(snapped, near, tuple(bounds), matrix, triangles, cuts)

    def box(self, camera: Camera) -> tuple[int, int, int, int] | None:
        """Left, top, right and bottom pixel of the face in the image; None where it has none."""
        left, top, right, bottom = (edge >> SUBPIXEL_BITS for edge in self.bounds)
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, camera.width - 1), min(bottom, camera.height - 1)
        return None if left > right or top > bottom else (left, top, right, bottom)
