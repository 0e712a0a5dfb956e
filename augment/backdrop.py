"""The background turned with the head, as the paper has it."""

import numpy as np

from augment.grid import grid_triangles
from faces.backdrop import Backdrop, look_up, zoom_of
from faces.camera import Camera
from faces.errors import BadInput
from imaging.poisson import fill
from imaging.raster import rasterise

GRID_PX = 16  # the background's mesh; Eq. 8's anchors are no denser


def show_turned(backdrop: Backdrop, camera: Camera, turn, linear: np.ndarray) -> np.ndarray:
    """The background's mesh turned with the head (§3.2), (h, w, 3) float32; what it leaves bare
    is closed by a membrane.

    Args:
        turn: callable, source-camera points (N, 3) mm to the turned ones.
        linear: (3,) colour where nothing of the background is in view.

    Raises:
        BadInput: the backdrop was made to stay still.
    """
    if backdrop.depth_mm is None:
        raise BadInput(
            "backdrop", "no depth", "one to turn it by", "prepare with background = 'turn' as well"
        )
    rows, columns = np.mgrid[
        : backdrop.camera.height + GRID_PX : GRID_PX, : backdrop.camera.width + GRID_PX : GRID_PX
    ]
    inner_rows = np.minimum(rows, backdrop.camera.height - 1)
    inner_columns = np.minimum(columns, backdrop.camera.width - 1)
    depth = backdrop.depth_mm[inner_rows, inner_columns]
    pixels = np.stack([columns.ravel(), rows.ravel()], 1).astype(np.float64)
    points = backdrop.camera.unproject(pixels, depth.ravel())
    triangles = grid_triangles(np.ones(depth.shape, bool), depth, np.inf)
    size = (camera.width, camera.height)
    shown = rasterise(camera.screen(turn(points)), triangles, size, camera.is_perspective)
    where = shown.interpolate(points, triangles)
    source = np.nan_to_num(backdrop.camera.project(where)).astype(np.float32) - 0.5
    zoom = zoom_of(backdrop.camera, camera)
    color = look_up(backdrop.color, source[..., 0], source[..., 1], zoom)
    if not shown.mask.any():
        return np.broadcast_to(linear, color.shape).astype(np.float32)
    bare = ~shown.mask
    return fill(color, bare, np.full_like(color, np.nan))
