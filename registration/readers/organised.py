"""Organised scans: a 3D point a pixel. The camera that saw them, and the surface between them."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from faces.camera import Camera
from faces.errors import BadInput
from registration.readers.mesh_files import TexturedMesh

# Between pixel neighbours on one surface depth changes by a few times their spacing; more is the
# gap between a face and what lies behind it.
MAX_EDGE = 8.0
MIN_POINTS = 1000  # fewer show no face, and no camera
# A head is some 250 mm deep and no scanner measures below that distance, so the nearest point lies
# at more than this share of the farthest one's distance.
NEAREST = 0.5
LENS_ROUNDS = 5  # each cuts the error by the distortion's own size, a few hundredths
FITTED = 20_000  # points that a camera is fitted to; all have a say in the residual


@dataclass(frozen=True, slots=True, eq=False)
class PinholeFit:
    """A camera fitted to an organised scan.

    Attributes:
        camera: of the scan's own pixels; a plain pinhole, or with distortion (fit_lens).
        points_mm: (H, W, 3) float64 in its frame; NaN where there is no point.
        residual_px: root mean square distance of a point's projection from its pixel's centre.
    """

    camera: Camera
    points_mm: np.ndarray
    residual_px: float


def fit_pinhole(points: np.ndarray, what: str) -> PinholeFit:
    """The axis-aligned pinhole camera of which each pixel (i, j) saw ``points[i, j]``.

    With d = z0 ± Z the distance along the axis, a pinhole at (x0, y0, ∓z0) has
    u·d = fx·(X - x0) + cx·d and v·d = fy·(Y - y0) + cy·d: linear in fx, fy, cx, cy, z0 and two
    products, hence solved by least squares. Scanners put the origin into the sensor, x0 = y0 =
    z0 = 0. Its place is fitted too where the points' z cannot be distances from it (NEAREST); not
    elsewhere, for a lens' distortion would be taken for a place.

    Args:
        points: (H, W, 3) float64 mm, NaN where there is none; x to image right, y up or down, z
            along the optical axis in either direction.
        what: the scan, for messages.

    Raises:
        BadInput: too few points, or no camera sees them so: mirrored, or all at one place.
    """
    height, width = points.shape[:2]
    valid = np.isfinite(points).all(-1)
    if valid.sum() < MIN_POINTS:
        got = f"{int(valid.sum()):,} of {valid.size:,} pixels have a point"
        raise BadInput(what, got, f"at least {MIN_POINTS:,}", "leave this scan out")
    rows, columns = np.nonzero(valid)
    pixels = np.stack([columns, rows], -1) + 0.5
    seen = points[valid]
    low, high = np.percentile(seen[:, 2], (1, 99))
    distances = low * high > 0 and min(abs(low), abs(high)) > NEAREST * max(abs(low), abs(high))
    solved = _solve(pixels, seen, free=not distances)
    if solved is None:
        expected = "x growing to the right of the image, y along its columns, z along the axis"
        got = "no pinhole camera sees these points so"
        raise BadInput(what, got, expected, "check the axes")
    focal, principal, placed = solved
    camera = Camera(width, height, *focal, *principal)
    rms = float(np.sqrt(((camera.project(placed) - pixels) ** 2).sum(1).mean()))
    every = np.full(points.shape, np.nan)
    every[valid] = placed
    return PinholeFit(camera, every, rms)


def fit_lens(fit: PinholeFit) -> PinholeFit:
    """The fit with OpenCV's radial and tangential distortion (k1, k2, p1, p2) of the lens.

    u = fx·x + cx + k1·fx·x·r² + k2·fx·x·r⁴ + p1·2·fx·x·y + p2·fx·(r² + 2·x²), and v likewise, are
    linear in all unknowns but for the products with fx and fy, for which the last round's stand.
    """
    rows, columns = np.nonzero(np.isfinite(fit.points_mm[..., 2]))
    pixels, points = np.stack([columns, rows], -1) + 0.5, fit.points_mm[rows, columns]
    step = max(1, len(points) // FITTED)
    x, y = points[::step, 0] / points[::step, 2], points[::step, 1] / points[::step, 2]
    zero, one, r2 = np.zeros_like(x), np.ones_like(x), x * x + y * y
    bends_u = [x * r2, x * r2**2, 2 * x * y, r2 + 2 * x * x]
    bends_v = [y * r2, y * r2**2, r2 + 2 * y * y, 2 * x * y]
    fx, fy = fit.camera.fx, fit.camera.fy
    for _ in range(LENS_ROUNDS):
        across = np.stack([x, zero, one, zero, *(fx * bend for bend in bends_u)], 1)
        down = np.stack([zero, y, zero, one, *(fy * bend for bend in bends_v)], 1)
        wanted = np.concatenate(pixels[::step].T)
        found = np.linalg.lstsq(np.concatenate([across, down]), wanted, rcond=None)[0]
        fx, fy, cx, cy, *lens = (float(value) for value in found)
    camera = replace(fit.camera, fx=fx, fy=fy, cx=cx, cy=cy, distortion=tuple(lens))
    zeros = np.zeros(3)
    seen = cv2.projectPoints(points, zeros, zeros, camera.matrix, np.array(lens))[0][:, 0]
    rms = float(np.sqrt(((seen - pixels) ** 2).sum(1).mean()))
    return PinholeFit(camera, fit.points_mm, rms)


def _solve(pixels: np.ndarray, points: np.ndarray, free: bool):
    """((fx, fy), (cx, cy), points in the camera's frame (N, 3)); None if there is no camera."""
    step = max(1, len(points) // FITTED)
    x, y, z = points[::step].T
    u, v = pixels[::step].T
    zero, one = np.zeros_like(x), np.ones_like(x)
    # Unknowns: fx, fy, cx, cy and, for a free place, cx·z0 - fx·x0, cy·z0 - fy·y0, z0.
    across, down = [x, zero, z, zero], [zero, y, zero, z]
    if free:
        across += [one, zero, -u]
        down += [zero, one, -v]
    system = np.concatenate([np.stack(across, 1), np.stack(down, 1)])
    scale = np.abs(system).max(0)
    if not (scale > 0).all():
        return None
    solution, _, rank, _ = np.linalg.lstsq(
        system / scale, np.concatenate([u * z, v * z]), rcond=None
    )
    if rank < system.shape[1]:
        return None
    fx, fy, cx, cy, a, b, z0 = (float(one) for one in (*(solution / scale), 0, 0, 0)[:7])
    x, y, z = points.T
    depth = z0 + z
    if np.median(depth) < 0:  # z towards the sensor: a negative distance and focal length
        depth, fx, fy, a, b, z0 = -depth, -fx, -fy, -a, -b, -z0
    if not (fx > 0 and fy != 0 and (depth > 0).all()):
        return None
    x0, y0 = (cx * z0 - a) / fx, (cy * z0 - b) / fy
    placed = np.stack([x - x0, np.sign(fy) * (y - y0), depth], 1)
    return (fx, abs(fy)), (cx, cy), placed


def grid_mesh(points: np.ndarray, uv: np.ndarray, texture: np.ndarray) -> TexturedMesh:
    """The surface between neighbouring pixels; none across a gap or a missing point.

    Args:
        points: (H, W, 3) float64 mm, NaN where there is none.
        uv: (H, W, 2) texture coordinates, v upwards.
        texture: (H', W', 3) uint8 sRGB.
    """
    flat = points.reshape(-1, 3)
    triangles = _neighbours(*points.shape[:2])
    corners = flat[triangles]
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    spacing = np.nanmedian(np.linalg.norm(np.diff(points, axis=1), axis=2))
    used, triangles = np.unique(triangles[edges <= MAX_EDGE * spacing], return_inverse=True)
    return TexturedMesh(
        flat[used],
        triangles.reshape(-1, 3).astype(np.int32),
        uv.reshape(-1, 2)[used].astype(np.float32),
        texture,
        colors=None,
        to_model=np.eye(3),
    )


def pixel_uv(height: int, width: int) -> np.ndarray:
    """(H, W, 2) texture coordinates of an image's own pixel centres, v upwards."""
    v, u = np.mgrid[:height, :width] + 0.5
    return np.stack([u / width, 1 - v / height], -1)


def _neighbours(height: int, width: int) -> np.ndarray:
    """Two triangles for every four pixels, counter-clockwise seen with y up: (T, 3)."""
    index = np.arange(height * width).reshape(height, width)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
