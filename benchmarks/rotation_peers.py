"""Face profiling as the makers of 300W-LP describe it, on the inputs of benchmarks.augment.

From the descriptions in Zhu, Lei, Liu, Shi and Li, "Face Alignment Across Large Poses: A 3D
Solution" (CVPR 2016), and "High-Fidelity Pose and Expression Normalization" (CVPR 2015): a face
model is fitted to the landmarks alone, under weak perspective and without depth; its depth holds
on the face, anchors carry it on over the rest of the image, each as near to its neighbours as can
be; the anchors are triangulated, the whole image is one mesh, and the background turns with the
head. Pixels are stretched, nothing is filled. Written from the papers; none of their code is here.

Since such a fit knows neither size nor place in space, its picture is laid over the truth by the
2D similarity that brings its landmarks nearest to it: its errors are what is left after that.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import scipy.sparse as sp
from scipy.interpolate import LinearNDInterpolator
from scipy.sparse.linalg import spsolve
from scipy.spatial import Delaunay

from augment.image_mesh import grid_triangles
from faces.camera import FLIP, Camera
from faces.fitting import fit_face
from faces.mesh import similarity
from faces.morphable import MorphableModel
from faces.types import Scan
from imaging.raster import downsample, rasterise

STEP_PX = 20  # between anchors beside the face
RIM_PX = 8  # between anchors on the face's outline
STRIDE_PX = 2  # of the image's mesh
AWAY_MM = 1000.0  # the rasteriser wants positive depths; weak perspective does not mind
EYE_CORNERS = (36, 45)


@dataclass(frozen=True, slots=True, eq=False)
class Profiled:
    """An image as one mesh, by a fit without depth.

    Attributes:
        camera: orthographic, of the source image.
        depth_mm: (H, W) of every pixel.
        centre_mm: (3,) of the face, about which it turns.
        color: (H, W, 3) uint8, the image.
    """

    camera: Camera
    depth_mm: np.ndarray
    centre_mm: np.ndarray
    color: np.ndarray

    def carried(self, pixels: np.ndarray, turn: np.ndarray) -> np.ndarray:
        """Where pixels (N, 2) of the source land (N, 2), up to a similarity; px.

        Args:
            turn: (3, 3), the rotation from the source to the view, camera axes.
        """
        depth = cv2.remap(
            self.depth_mm, *(pixels.T[:, None].astype(np.float32) - 0.5), cv2.INTER_LINEAR
        )[0]
        return self.camera.project(self._turned(self.camera.unproject(pixels, depth), turn))

    def shown(self, turn: np.ndarray, placed: tuple, size: tuple[int, int], fine: int = 2):
        """The turned image (h, w, 3) float32 in 0..255, stretched pixels and all.

        Args:
            turn: as for carried.
            placed: (s, R (2, 2), t (2,)) of the similarity from carried() to the view's pixels.
            size: (width, height) of the view.
            fine: samples along each pixel axis.
        """
        step = STRIDE_PX
        rows, columns = np.mgrid[: self.camera.height : step, : self.camera.width : step]
        pixels = np.stack([columns.ravel(), rows.ravel()], 1) + 0.5
        depth = self.depth_mm[::step, ::step]
        points = self._turned(self.camera.unproject(pixels, depth.ravel()), turn)
        factor, rotation, shift = placed
        flat = factor * self.camera.project(points) @ rotation.T + shift
        screen = np.column_stack([fine * flat, points[:, 2]])
        triangles = grid_triangles(np.ones(depth.shape, bool), depth, np.inf)
        shown = rasterise(screen, triangles, (fine * size[0], fine * size[1]), False)
        at = shown.interpolate(pixels, triangles) - np.float32(0.5)
        image = cv2.remap(self.color, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return downsample(np.where(shown.mask[..., None], image, 0).astype(np.float32), fine)

    def _turned(self, points, turn):
        return (points - self.centre_mm) @ turn.T + self.centre_mm


def profile(scan: Scan, model: MorphableModel) -> Profiled:
    """Fit the model to the scan's landmarks without depth, and carry its depth over the image."""
    corners = scan.landmarks.points_px[list(EYE_CORNERS)]
    scale = model.iod_mm / np.linalg.norm(corners[1] - corners[0])
    camera = replace(scan.camera, mm_per_px=float(scale))
    vertices = fit_face(model, scan.landmarks, camera).vertices_mm
    vertices = vertices + np.array([0, 0, AWAY_MM - vertices[:, 2].mean()])
    whole = model.regions["face"] | model.part_vertices("eye")  # as in models with closed eyes
    triangles = model.triangles[whole[model.triangles].all(1)]
    size = (camera.width, camera.height)
    face = rasterise(camera.screen(vertices), triangles, size, False)
    depth = _carried_on(face.depth)
    low, high = (f(vertices[model.regions["face"]], 0) for f in (np.min, np.max))
    return Profiled(camera, depth, np.append((low + high)[:2] / 2, high[2]), scan.color)


def placement(carried_px: np.ndarray, truth_px: np.ndarray) -> tuple:
    """(s, R (2, 2), t (2,)): the similarity of the plane from (N, 2) to (N, 2)."""
    flat = (np.pad(points, ((0, 0), (0, 1))) for points in (carried_px, truth_px))
    factor, rotation, shift = similarity(*flat)
    return factor, rotation[:2, :2], shift[:2]


def turn_between(base: np.ndarray, view: np.ndarray) -> np.ndarray:
    """(3, 3) in camera axes, of two rotations (3, 3) in model axes."""
    return FLIP @ view @ base.T @ FLIP


def _carried_on(face_mm):
    """(H, W) float32 depth of all pixels from that of the face (0 elsewhere).

    Anchors on the face's outline keep their depth d_i; those beside it minimise
    ΣΣ Connect·(d_i − d_j)² over the edges of their triangulation.
    """
    known, beside = _anchors(face_mm > 0)
    points = np.concatenate([known, beside])
    mesh = Delaunay(points)
    start, ends = mesh.vertex_neighbor_vertices
    owner = np.repeat(np.arange(len(points)), np.diff(start))
    links = sp.csr_matrix((np.ones(len(ends)), (owner, ends)), shape=(len(points),) * 2)
    laplacian = (sp.diags(np.asarray(links.sum(1)).ravel()) - links).tocsr()
    fixed = face_mm[known[:, 1], known[:, 0]].astype(np.float64)
    count = len(known)
    free = spsolve(laplacian[count:, count:].tocsc(), -laplacian[count:, :count] @ fixed)
    rows, columns = np.nonzero(face_mm == 0)
    out = face_mm.copy()
    out[rows, columns] = LinearNDInterpolator(mesh, np.append(fixed, free))(columns, rows)
    return out


def _anchors(face):
    """Whole pixels (n, 2) on the outline of the face (H, W) bool, and (m, 2) beside it."""
    outlines, _ = cv2.findContours(face.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    rim = max(outlines, key=len)[::RIM_PX, 0]
    height, width = face.shape
    rows = np.unique(np.append(np.arange(0, height, STEP_PX), height - 1))
    columns = np.unique(np.append(np.arange(0, width, STEP_PX), width - 1))
    grid = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    near = cv2.dilate(face.astype(np.uint8), np.ones((STEP_PX, STEP_PX), np.uint8)) > 0
    return rim, grid[~near[grid[:, 1], grid[:, 0]]]
