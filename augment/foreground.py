"""What turns with the head: head, hair and shoulders are cut from the background."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from augment.background import BackgroundSettings, complete_sheet

SOCKET_MM = 3.0  # what the camera saw in the mouth lies this far before the socket, or more
MOUTH_SMOOTH_MM = 4.0
COSINE_MIN = 0.2  # at an outline the slope is that of the jump, not of the surface


@dataclass(frozen=True, slots=True)
class ForegroundSettings:
    """Where the foreground ends, in mm around the registered head.

    Attributes:
        behind_mm: pixels this much behind the head's farthest point are background (a chin-high
            shoulder is not, a wall is).
        before_mm: pixels this much before its nearest point are something else (a desk, an arm).
        agree_mm: sensor and registered surface closer than this are the same surface; the
            registration's residual plus the sensor's noise.
        ear_agree_mm: the same for ears, whose folds registration does not follow: only what
            lies this far before one (hair) hides it.
        closing_mm: holes in the foreground narrower than this are closed (dark hair, ear gaps).
        feather_px: outside the face the depth goes over from the model's to the sensor's in this.
        hollow_behind_mm: where the sensor saw no background at all, a plane this far behind the
            head's farthest point stands in for it.
    """

    behind_mm: float = 120.0
    before_mm: float = 120.0
    agree_mm: float = 8.0
    ear_agree_mm: float = 30.0
    closing_mm: float = 12.0
    feather_px: int = 8
    hollow_behind_mm: float = 200.0


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """The complete depth of one image, in two sheets; all (H, W), mm along z.

    Attributes:
        head_mm: the registered mesh's depth; 0 beside it.
        trusted: bool, where the registered mesh is the geometry: face and ears.
        occluder: bool, something lies before the trusted head there (a fringe, a hand).
        foreground: bool, what turns with the head.
        surface_mm: the foreground's depth without holes; 0 outside it.
        body: bool, where the sensor saw the person, its narrow gaps closed; colours outside it
            are the background's, even where the registered head claims the pixel.
        photographed: bool, body without the sensor's holes beside the face: between ear and hair
            such a hole may well show the wall.
        hollow: bool, foreground that neither sensor nor trusted head has seen.
        disputed: bool, head pixels where the sensor saw another surface.
        background_mm: the sheet behind the foreground, everywhere above 0.
        mouth: bool, the mouth's inside between the lips; the grid shows it.
        measured_mm: the sensor's depth without its speckle, of whatever it saw; 0 = nothing.
    """

    head_mm: np.ndarray
    trusted: np.ndarray
    occluder: np.ndarray
    foreground: np.ndarray
    surface_mm: np.ndarray
    body: np.ndarray
    photographed: np.ndarray
    hollow: np.ndarray
    disputed: np.ndarray
    background_mm: np.ndarray
    mouth: np.ndarray
    measured_mm: np.ndarray


def with_hull(
    layers: Layers, hull_mm: np.ndarray, mm_per_px: float, settings: ForegroundSettings
) -> Layers:
    """The layers with the grown head in the registered one's place (see augment.hull).

    Hair and cloth that the hull has reached dispute its pixels no longer; what still lies before
    it (a hand, a loose lock) goes on hiding it.

    Args:
        hull_mm: (H, W) float32, the grown head's z; 0 beside it.
        mm_per_px: size of a pixel at the head.
    """
    smooth = layers.measured_mm
    cosine = slope_cosine(hull_mm, mm_per_px)
    apart = np.where((hull_mm > 0) & (smooth > 0), smooth - hull_mm, 0) * cosine
    occluder = layers.occluder & (apart < -settings.agree_mm)
    reached = layers.occluder & ~occluder
    return replace(
        layers,
        head_mm=hull_mm,
        occluder=occluder,
        surface_mm=np.where(reached, hull_mm, layers.surface_mm),
        disputed=(np.abs(apart) > settings.agree_mm) & ~occluder,
    )


def slope_cosine(depth_mm: np.ndarray, mm_per_px: float) -> np.ndarray:
    """(H, W) float32: a gap along z times this is the distance of two surfaces, on a flank too."""
    across = cv2.Sobel(depth_mm, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(depth_mm, cv2.CV_32F, 0, 1, scale=1 / 8)
    cosine = 1 / np.sqrt(1 + (across**2 + down**2) / mm_per_px**2)
    return np.maximum(cosine, COSINE_MIN)


def split_layers(
    depth_mm: np.ndarray,
    head_mm: np.ndarray,
    trusted: np.ndarray,
    ears: np.ndarray,
    mouth: np.ndarray,
    mm_per_px: float,
    settings: ForegroundSettings,
    background: BackgroundSettings,
) -> Layers:
    """The complete depth of the whole image (§3.2): the face from the registered mesh, hair and
    shoulders from the sensor, the rest from Eq. 8.

    Args:
        depth_mm: (H, W) float32, the sensor's z; 0 = nothing measured.
        head_mm: (H, W) float32, the registered mesh's z; 0 beside it.
        trusted: (H, W) bool, see Layers.
        ears: (H, W) bool, where the registered mesh shows an ear.
        mouth: (H, W) bool, where it shows the mouth's inside.
        mm_per_px: size of a pixel at the head.
    """
    smooth = denoise(depth_mm)
    trusted = trusted & ~mouth
    near, far = _range(head_mm, settings)
    measured = (smooth > near) & (smooth < far)
    gap = np.where(measured, smooth - head_mm, 0)
    before = np.where(ears, settings.ear_agree_mm, settings.agree_mm)
    occluder = _opened(trusted & (gap < -before))
    disputed = (head_mm > 0) & (smooth > 0) & (np.abs(smooth - head_mm) > settings.agree_mm)
    body = _attached(measured, trusted, settings.closing_mm / mm_per_px)
    foreground = body | trusted | mouth
    own = trusted & ~occluder
    surface = np.where(own, head_mm, np.where(measured & foreground, smooth, 0))
    surface = _feathered(surface, head_mm, own, settings)
    hollow = foreground & (surface == 0)
    if hollow.any():
        surface[hollow] = complete_sheet(surface, hollow, background)[hollow]
    surface[mouth] = _mouth_sheet(surface, head_mm, mouth, mm_per_px)[mouth]
    behind = _background(smooth, foreground, far, settings, background)
    return Layers(
        head_mm=head_mm,
        trusted=trusted,
        occluder=occluder,
        foreground=foreground,
        surface_mm=surface,
        body=body,
        photographed=body & (measured | (trusted & ~ears)),
        hollow=hollow,
        disputed=disputed & ~occluder,
        background_mm=behind,
        mouth=mouth,
        measured_mm=smooth,
    )


def denoise(depth_mm: np.ndarray) -> np.ndarray:
    """Depth (H, W) float32 with a sensor's speckle removed; jumps and holes stay.

    A median takes single spikes, a bilateral filter (σ = 6 mm in depth) the noise.
    """
    median = cv2.medianBlur(np.ascontiguousarray(depth_mm, dtype=np.float32), 5)
    smooth = cv2.bilateralFilter(median, 7, 6.0, 2.0)
    return np.where((depth_mm > 0) & (median > 0), smooth, 0).astype(np.float32)


def _range(head_mm, settings):
    """Depths between which pixels belong to the foreground."""
    seen = head_mm[head_mm > 0]
    return seen.min() - settings.before_mm, seen.max() + settings.behind_mm


def _opened(mask, radius=2):
    """The mask without specks: single noisy pixels are no fringe."""
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(radius)).astype(bool)


def _disc(radius):
    size = 2 * round(radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def _attached(mask, head, closing_px):
    """The mask, its narrow gaps closed, without parts that do not hang together with the head."""
    pad = int(np.ceil(closing_px)) + 1  # closing must not be stopped by the image's border
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, _disc(closing_px))[pad:-pad, pad:-pad]
    _, label = cv2.connectedComponents(closed, connectivity=4)
    wanted = np.zeros(label.max() + 1, dtype=bool)
    wanted[label[head & (closed > 0)]] = True
    return wanted[label]


def _feathered(surface, head_mm, own, settings):
    """Beside the face, the depth goes over from the model's to the sensor's without a step."""
    distance = cv2.distanceTransform((~own).astype(np.uint8), cv2.DIST_L2, 3)
    share = np.clip(distance / settings.feather_px, 0, 1)
    close = np.abs(surface - head_mm) < 2 * settings.agree_mm
    blend = (surface > 0) & (head_mm > 0) & close & ~own
    out = surface.astype(np.float32)
    out[blend] = (share * surface + (1 - share) * head_mm)[blend]
    return out


def _mouth_sheet(surface, head_mm, mouth, mm_per_px):
    """The depth (H, W) of what shows between the lips: smooth, for a sensor sees little there."""
    sigma = MOUTH_SMOOTH_MM / mm_per_px
    weight = cv2.GaussianBlur(mouth.astype(np.float32), (0, 0), sigma)
    total = cv2.GaussianBlur(np.where(mouth, surface, 0).astype(np.float32), (0, 0), sigma)
    return np.minimum(total / np.maximum(weight, 1e-6), head_mm - SOCKET_MM)


def _background(smooth, foreground, far, settings, background):
    """The sheet behind the head: the sensor's wall where there is one, else a plane."""
    wall = np.where(foreground | (smooth < far), 0, smooth)
    level = far - settings.behind_mm + settings.hollow_behind_mm
    if not (wall > 0).any():
        return np.full(smooth.shape, level, dtype=np.float32)
    near = cv2.dilate(foreground.astype(np.uint8), _disc(5)).astype(bool) & ~foreground
    return np.maximum(complete_sheet(wall, near, background), far)
