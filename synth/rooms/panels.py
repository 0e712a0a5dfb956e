"""Rectangles of a room: their exact depth, and their colour under the light around them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numba
import numpy as np

from faces.camera import Camera
from synth.light import Light

NEAR_MM = 1.0  # before the camera
_AROUND = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
STEP = 8  # pixels along a row over which light is interpolated
CREASE, CREASE_MM = 0.4, 260.0  # how dark a corner of a room is, and how far from it that reaches


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A rectangle in the camera frame, mm.

    Attributes:
        corner: (3,) of its upper left.
        across, down: (3,) its sides, at right angles.
        texture: (h, w, 4) float32, linear reflectance and alpha.
        glow: where above 0 it is not lit but shines: radiance of white.
        solid: False for a stain without depth, as a shadow is, or for lace.
        wall: index of the wall of Surroundings that it is, or lies flat on; -1 where it stands.
    """

    corner: np.ndarray
    across: np.ndarray
    down: np.ndarray
    texture: np.ndarray
    glow: float = 0.0
    solid: bool = True
    wall: int = -1

    @property
    def normal(self) -> np.ndarray:
        """(3,) unit, towards whoever sees ``across`` to the right of ``down``."""
        (a, b, c), (d, e, f) = self.down.tolist(), self.across.tolist()
        normal = np.array([b * f - c * e, c * d - a * f, a * e - b * d])
        return normal / np.sqrt(normal @ normal)

    @property
    def corners(self) -> np.ndarray:
        """(4, 3) mm, around."""
        return self.corner + _AROUND @ np.stack([self.across, self.down])

    def homography(self, camera: Camera) -> np.ndarray:
        """(3, 3) float64 that takes a pixel (x, y, 1) to (u, v, 1)/z on the rectangle."""
        lens = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
        return np.linalg.inv(lens @ np.stack([self.across, self.down, self.corner], axis=1))

    def window(self, camera: Camera) -> tuple[int, int, int, int]:
        """Rows and columns (top, bottom, left, right) outside of which it is not seen."""
        ring, points = self.corners, []
        for here, there in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            if here[2] > NEAR_MM:
                points.append(here)
            if (here[2] > NEAR_MM) != (there[2] > NEAR_MM):  # cut off what lies behind the camera
                share = (NEAR_MM - here[2]) / (there[2] - here[2])
                points.append(here + share * (there - here))
        if not points:
            return 0, 0, 0, 0
        points = np.array(points)
        x, y = (points[:, :2] / points[:, 2:] * [camera.fx, camera.fy]).T
        top, bottom = np.clip([y.min() + camera.cy - 1, y.max() + camera.cy + 2], 0, camera.height)
        left, right = np.clip([x.min() + camera.cx - 1, x.max() + camera.cx + 2], 0, camera.width)
        return int(top), int(bottom), int(left), int(right)


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """How light varies over a room.

    Attributes:
        walls: (W, 4) inward unit normal n and d, so that n·p + d mm is the distance from a wall.
        centre: (3,) mm where the scene's light was measured: the head.
        gradient: (3,) a mm: relative gain of the light around, away from the centre.
        lamp_mm: how far the lamp is from the centre.
        balls: (B, 4) mm centres and radii of what throws a shadow in the lamp's light.
    """

    walls: np.ndarray
    centre: np.ndarray
    gradient: np.ndarray
    lamp_mm: float
    balls: np.ndarray


def panel_depth(panels: Sequence[Panel], camera: Camera) -> np.ndarray:
    """Depth (H, W) float32 mm of the nearest solid rectangle at each pixel's centre, 0 where there
    is none."""
    nearness = np.zeros((camera.height, camera.width), dtype=np.float32)
    for panel in panels:
        if panel.solid:
            whole = bool(panel.texture[..., 3].min() > 0.5)
            _nearest(panel.homography(camera), panel.window(camera), panel.texture, whole, nearness)
    return np.divide(1, nearness, out=np.zeros_like(nearness), where=nearness > 0)


def panel_color(
    panels: Sequence[Panel], camera: Camera, light: Light, around: Surroundings
) -> np.ndarray:
    """Linear colour (H, W, 3) float32 of rectangles, the first behind the others."""
    out = np.zeros((camera.height, camera.width, 3), dtype=np.float32)
    lens = np.array([camera.fx, camera.fy, camera.cx, camera.cy], dtype=np.float32)
    lamp = around.centre + around.lamp_mm * np.asarray(light.direction)
    place = [np.float32(a) for a in (around.walls, around.centre, around.gradient, lamp)]
    penumbra = float(np.tan(np.radians(light.size_deg)))
    soft = replace(light, color=np.zeros(3))
    for panel in panels:
        surface = soft.at(panel.normal[None])[0].astype(np.float32)
        edges = np.float32([np.linalg.norm(panel.across), np.linalg.norm(panel.down)])
        _paint(
            panel.homography(camera).astype(np.float32),
            panel.window(camera),
            (panel.texture, edges, panel.normal.astype(np.float32), panel.wall),
            lens,
            (surface, np.float32(light.color), np.float32(panel.glow)),
            (*place, np.float32(around.lamp_mm), np.float32(around.balls), np.float32(penumbra)),
            out,
        )
    return out


@numba.njit(nogil=True, cache=True)
def _nearest(homography, window, texture, whole, nearness):
    """Writes 1/z (H, W) where the rectangle is nearer than what is there."""
    top, bottom, left, right = window
    h = homography
    rows, columns = texture.shape[:2]
    for y in range(top, bottom):
        for x in range(left, right):
            px, py = x + 0.5, y + 0.5
            near = h[2, 0] * px + h[2, 1] * py + h[2, 2]
            if near <= nearness[y, x]:
                continue
            u = h[0, 0] * px + h[0, 1] * py + h[0, 2]
            v = h[1, 0] * px + h[1, 1] * py + h[1, 2]
            if u < 0 or v < 0 or u >= near or v >= near:
                continue
            if whole or texture[int(v / near * rows), int(u / near * columns), 3] > 0.5:
                nearness[y, x] = near


@numba.njit(nogil=True, cache=True, fastmath=True)
def _paint(homography, window, surface, lens, shine, place, out):
    """Lays one rectangle over the colours (H, W, 3), its edges antialiased."""
    top, bottom, left, right = window
    h = homography
    texture, edges, normal, wall = surface
    soft, lamp_color, glow = shine
    wide, high = edges[0] * lens[0], edges[1] * lens[1]
    rows, columns = np.float32(texture.shape[0]), np.float32(texture.shape[1])
    zero, one, half = np.float32(0), np.float32(1), np.float32(0.5)
    for y in range(top, bottom):
        py, held = np.float32(y) + half, -9
        share = lamp = share_step = lamp_step = zero
        after = (zero, zero)
        u0, v0 = h[0, 1] * py + h[0, 2], h[1, 1] * py + h[1, 2]
        near0 = h[2, 1] * py + h[2, 2]
        for x in range(left, right):
            px = np.float32(x) + half
            near = h[2, 0] * px + near0
            if near <= 0:
                continue
            u, v = (h[0, 0] * px + u0) / near, (h[1, 0] * px + v0) / near
            cover = _clamped(min(u, one - u) * wide * near + half, one)
            cover *= _clamped(min(v, one - v) * high * near + half, one)
            if cover <= 0:
                continue
            tx = _clamped(u * columns - half, columns - np.float32(1.001))
            ty = _clamped(v * rows - half, rows - np.float32(1.001))
            j, i = int(tx), int(ty)
            a, b = tx - np.float32(j), ty - np.float32(i)
            alpha = cover * _mixed(texture, i, j, a, b, 3)
            if glow > 0:
                red = green = blue = glow
            else:
                if x // STEP != held:
                    px = np.float32(x // STEP * STEP) + half
                    if x // STEP == held + 1:
                        share, lamp = after
                    else:
                        share, lamp = _falling(px, py, h, lens, normal, wall, place)
                    held = x // STEP
                    after = _falling(px + np.float32(STEP), py, h, lens, normal, wall, place)
                    share_step = (after[0] - share) / np.float32(STEP)
                    lamp_step = (after[1] - lamp) / np.float32(STEP)
                k = np.float32(x - held * STEP)
                around, straight = share + k * share_step, lamp + k * lamp_step
                red = around * soft[0] + straight * lamp_color[0]
                green = around * soft[1] + straight * lamp_color[1]
                blue = around * soft[2] + straight * lamp_color[2]
            out[y, x, 0] += alpha * (red * _mixed(texture, i, j, a, b, 0) - out[y, x, 0])
            out[y, x, 1] += alpha * (green * _mixed(texture, i, j, a, b, 1) - out[y, x, 1])
            out[y, x, 2] += alpha * (blue * _mixed(texture, i, j, a, b, 2) - out[y, x, 2])


@numba.njit(nogil=True, cache=True, fastmath=True)
def _clamped(value, top):
    return np.float32(0) if value < 0 else (top if value > top else value)


@numba.njit(nogil=True, cache=True, fastmath=True)
def _mixed(texture, i, j, a, b, n):
    """Bilinear, a share a of the way to the right and b down."""
    upper = texture[i, j, n] + a * (texture[i, j + 1, n] - texture[i, j, n])
    lower = texture[i + 1, j, n] + a * (texture[i + 1, j + 1, n] - texture[i + 1, j, n])
    return upper + b * (lower - upper)


@numba.njit(nogil=True, cache=True, fastmath=True)
def _falling(px, py, h, lens, normal, wall, place):
    """Shares of the light around and of the lamp's, with its cosine, at a pixel's point."""
    z = np.float32(1) / max(h[2, 0] * px + h[2, 1] * py + h[2, 2], np.float32(1e-5))
    x, y = (px - lens[2]) / lens[0] * z, (py - lens[3]) / lens[1] * z
    walls, centre, gradient, lamp, lamp_mm, balls, penumbra = place
    share = np.float32(1) + gradient[0] * (x - centre[0]) + gradient[1] * (y - centre[1])
    share = min(max(share + gradient[2] * (z - centre[2]), np.float32(0.35)), np.float32(1.6))
    reach = np.float32(CREASE_MM**2)
    for k in range(len(walls)):
        if k != wall:
            d = walls[k, 0] * x + walls[k, 1] * y + walls[k, 2] * z + walls[k, 3]
            share *= np.float32(1) - np.float32(CREASE) * reach / (reach + d * d)
    lx, ly, lz = lamp[0] - x, lamp[1] - y, lamp[2] - z
    far = np.sqrt(lx * lx + ly * ly + lz * lz)
    lx, ly, lz = lx / far, ly / far, lz / far
    lit = max(normal[0] * lx + normal[1] * ly + normal[2] * lz, np.float32(0))
    lit *= (lamp_mm / far) ** 2
    for k in range(len(balls)):
        bx, by, bz = balls[k, 0] - x, balls[k, 1] - y, balls[k, 2] - z
        along = bx * lx + by * ly + bz * lz
        beside = np.sqrt(max(bx * bx + by * by + bz * bz - along * along, np.float32(0)))
        soft = max(along, np.float32(0)) * penumbra + np.float32(15)
        dark = min(max((balls[k, 3] - beside) / (2 * soft) + np.float32(0.5), np.float32(0)), 1)
        lit *= np.float32(1) - dark * dark * (np.float32(3) - 2 * dark)
    return share, lit
