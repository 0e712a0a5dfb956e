"""How far depth lies beside colour: two cameras are never calibrated to the pixel.

Where a surface ends, depth jumps and colour changes. Along the outline of what lies at the face's
depth, colour's gradient is read across the outline; the shift that brings the outline onto the
strongest gradients is the misalignment. A sensor also loses pixels at a jump, on every side alike,
hence a margin between outline and edge that is found together with the shift.
"""

from dataclasses import dataclass

import cv2
import numba
import numpy as np

REACH_PX, STEP_PX = 6.0, 0.25  # of the profiles across the outline
BLUR_PX = 1.2  # of the colour, before its gradient is taken


@dataclass(frozen=True, slots=True)
class AlignSettings:
    """How the shift is looked for.

    Attributes:
        most_px: largest shift along x and y; 0 leaves depth where it is.
        least_px: depth stays for a shorter shift. The estimate errs by 0.45 px RMS on virtual
            subjects, and aligned depth is common (one mesh rendered, one camera for both).
        margin_px: least and largest distance from the outline out to the edge.
        depth_mm: what lies this near to the face's depth belongs to the person.
        strong: colour gradient a pixel beyond which one edge is as good as another.
        fewest: outline points; below, there is no telling.
        contrast: the best shift's mean gradient over the mean of all; below, there is no edge.
        prior: how much of a mean gradient a shift of most_px must win.
    """

    most_px: float = 2.5
    least_px: float = 0.3
    margin_px: tuple[float, float] = (-1.0, 3.5)
    depth_mm: float = 200.0
    strong: float = 0.08
    fewest: int = 200
    contrast: float = 1.3
    prior: float = 0.05


def depth_shift(
    color: np.ndarray, depth_mm: np.ndarray, face_mm: float, settings: AlignSettings
) -> np.ndarray:
    """(2,) float64 px (x, y) by which depth must move to lie under its colours; 0 if unknown.

    Args:
        color: (H, W, 3) uint8.
        depth_mm: (H, W), cleaned; 0 where there is none.
        face_mm: depth of the face.
    """
    still = np.zeros(2)
    if settings.most_px <= 0:
        return still
    points, normals = _outline(depth_mm, face_mm, settings.depth_mm)
    if len(points) < settings.fewest:
        return still
    profiles = np.minimum(_profiles(color, points, normals), settings.strong)
    shifts = np.arange(-settings.most_px, settings.most_px + STEP_PX / 2, STEP_PX)
    margins = np.arange(settings.margin_px[0], settings.margin_px[1] + STEP_PX / 2, STEP_PX)
    score = _scores(profiles, normals, shifts, margins)
    usual = score.mean()
    far = (shifts[:, None] ** 2 + shifts**2) / settings.most_px**2
    score -= settings.prior * usual * far[..., None]
    j, i, k = np.unravel_index(score.argmax(), score.shape)
    if score[j, i, k] <= settings.contrast * usual:
        return still
    shift = np.array([_summit(score[j, :, k], i, shifts), _summit(score[:, i, k], j, shifts)])
    return shift if np.linalg.norm(shift) >= settings.least_px else still


def _outline(depth_mm, face_mm, within_mm):
    """Points (N, 2) px and outward unit normals (N, 2) of the person's outline."""
    near = (np.abs(depth_mm - face_mm) < within_mm) & (depth_mm > 0)
    near = cv2.morphologyEx(near.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(near)
    if count < 2:
        return np.zeros((0, 2)), np.zeros((0, 2))
    person = (labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8)
    rim = (person > 0) & (cv2.erode(person, np.ones((3, 3), np.uint8)) == 0)
    border = int(REACH_PX + 1)
    inside = np.zeros_like(rim)
    inside[border:-border, border:-border] = True
    rows, columns = np.nonzero(rim & inside)
    smooth = cv2.GaussianBlur(person.astype(np.float32), (0, 0), 2.0)
    slope = [cv2.Sobel(smooth, -1, a, 1 - a)[rows, columns] for a in (1, 0)]
    normals = -np.stack(slope, 1)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return np.stack([columns, rows], 1) + 0.5, normals


def _profiles(color, points, normals):
    """Colour's gradient (N, S) across the outline, S steps from -REACH_PX to REACH_PX."""
    image = cv2.GaussianBlur(color.astype(np.float32) / 255, (0, 0), BLUR_PX)
    away = np.arange(-REACH_PX, REACH_PX + STEP_PX / 2, STEP_PX)
    where = (points[:, None] + away[:, None] * normals[:, None] - 0.5).astype(np.float32)
    total = np.zeros((*where.shape[:2], 3), dtype=np.float32)
    for axis in (0, 1):
        slope = cv2.Sobel(image, -1, 1 - axis, axis) / 8
        read = cv2.remap(slope, where, None, cv2.INTER_LINEAR)
        total += read * normals[:, None, axis, None].astype(np.float32)
    return np.abs(total).max(-1)


@numba.njit(cache=True, nogil=True)
def _scores(profiles, normals, shifts, margins):
    """Mean gradient (S, S, M) by shift along y and x and by margin, which are STEP_PX apart;
    nearest profile steps, a profile's end beyond it."""
    count, steps, many = profiles.shape[0], profiles.shape[1], len(margins)
    longer = np.zeros((count, steps + 2 * many))
    for n in range(count):
        longer[n, :many], longer[n, many + steps :] = profiles[n, 0], profiles[n, -1]
        longer[n, many : many + steps] = profiles[n]
    out = np.zeros((len(shifts), len(shifts), many))
    for j in range(len(shifts)):
        for i in range(len(shifts)):
            total = out[j, i]
            for n in range(count):
                across = normals[n, 0] * shifts[i] + normals[n, 1] * shifts[j]
                place = round((across + margins[0] + REACH_PX) / STEP_PX) + many
                row = longer[n, min(max(place, 0), steps + many) :]
                for k in range(many):
                    total[k] += row[k]
    return out / count


def _summit(row, i, shifts):
    """Where the parabola through a maximum and its neighbours is highest."""
    if i == 0 or i == len(row) - 1:
        return shifts[i]
    before, here, after = row[i - 1 : i + 2]
    bend = before - 2 * here + after
    return shifts[i] + (STEP_PX * 0.5 * (before - after) / bend if bend < 0 else 0.0)
