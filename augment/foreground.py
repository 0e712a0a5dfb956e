"""What turns with the head: head, hair and shoulders are cut from the background."""

from dataclasses import dataclass, field, fields, replace

import cv2
import numpy as np

from augment.background import BackgroundSettings, complete_sheet
from faces.cutout import TRACE, WALL_SHARE, CutoutSettings, HeadImage, cut_out
from faces.scan_person import BEFORE_MM, BEHIND_MM, denoise, person_range
from imaging.masks import box_of, grown, opened, shrunk
from imaging.wide_blur import wide_blur

REACH_PX = 16  # around the person: more than the smoothing of its depth looks at
SPECK_PX = 2  # single noisy pixels are no fringe
SOCKET_MM = 3.0  # what the camera saw in the mouth lies this far before the socket, or more
MOUTH_SMOOTH_MM = 4.0
CARRY_SMOOTH_MM = 15.0
PENDENT_MM = 30.0  # hair that hangs beside the head does so behind the ears and the jaw
LOCK_MM = 8.0  # a narrower hole is a frayed rim
SQUARE = np.ones((3, 3), np.uint8)
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
        feather_px: outside the face the depth goes over from the model's to the sensor's in this.
        rim_px: so far from an outline or a jump the sensor's depth frays and colours mix.
        jump_mm: what counts as a jump.
        hollow_behind_mm: where the sensor saw no background at all, a plane this far behind the
            head's farthest point stands in for it.
        cutout: who is person.
    """

    behind_mm: float = BEHIND_MM
    before_mm: float = BEFORE_MM
    agree_mm: float = 8.0
    ear_agree_mm: float = 30.0
    feather_px: int = 8
    rim_px: int = 4
    jump_mm: float = 30.0
    hollow_behind_mm: float = 200.0
    cutout: CutoutSettings = field(default_factory=CutoutSettings)


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """The complete depth of one image, in two sheets; all (H, W), mm along z.

    Attributes:
        head_mm: the registered mesh's depth; 0 beside it.
        trusted: bool, where the registered mesh is the geometry: face and ears.
        occluder: bool, something lies before the trusted head there (a fringe, a hand).
        alpha: float32 in [0, 1], how much of the pixel is the person.
        foreground: bool, what turns with the head: alpha above a trace.
        surface_mm: the foreground's depth without holes; 0 outside it.
        body: bool, where the sensor saw the person, its narrow gaps closed; colours outside it
            are the background's, even where the registered head claims the pixel.
        photographed: bool, body without the sensor's holes beside the face: between ear and hair
            such a hole may well show the wall.
        hollow: bool, foreground that neither sensor nor trusted head has seen.
        disputed: bool, head pixels where the sensor saw another surface.
        mouth: bool, the mouth's inside between the lips; the grid shows it.
        far_mm: float, what lies beyond it is background.
        measured_mm: the sensor's depth without its speckle, of whatever it saw; 0 = nothing.
    """

    head_mm: np.ndarray
    trusted: np.ndarray
    occluder: np.ndarray
    alpha: np.ndarray
    foreground: np.ndarray
    surface_mm: np.ndarray
    body: np.ndarray
    photographed: np.ndarray
    hollow: np.ndarray
    disputed: np.ndarray
    mouth: np.ndarray
    far_mm: float
    measured_mm: np.ndarray


def cropped(layers: Layers, part: tuple[slice, slice]) -> Layers:
    """The layers in these rows and columns of the image alone."""
    images = [f.name for f in fields(layers) if f.name != "far_mm"]
    return replace(layers, **{name: getattr(layers, name)[part] for name in images})


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
    reached = (layers.occluder & ~occluder) | (layers.hollow & (hull_mm > 0))
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


def doubtful(layers: Layers, mm_per_px: float, settings: ForegroundSettings) -> np.ndarray:
    """(H, W) bool: the foreground and the sensor's holes beside it, where strands too thin or too
    dark to be told may show; no background is to be taken from there.

    A sensor that sees no wall leaves holes everywhere, which say nothing.
    """
    reach = settings.cutout.crown_mm / mm_per_px
    apart = cv2.distanceTransform((~layers.foreground).astype(np.uint8), cv2.DIST_L2, 5)
    beside = (apart > 0) & (apart < reach)
    wall = beside & (layers.measured_mm >= layers.far_mm)
    if wall.sum() <= WALL_SHARE * beside.sum():
        return layers.foreground
    return layers.foreground | (beside & (layers.measured_mm == 0))


def split_layers(
    depth_mm: np.ndarray,
    head: HeadImage,
    mm_per_px: float,
    settings: ForegroundSettings,
    background: BackgroundSettings,
    color: np.ndarray | None = None,
) -> Layers:
    """The complete depth of the whole image (§3.2): the face from the registered mesh, hair and
    shoulders from the sensor, the rest from Eq. 8.

    Args:
        depth_mm: (H, W) float32, the sensor's z; 0 = nothing measured.
        head: the registered mesh.
        mm_per_px: size of a pixel at the head.
        color: (H, W, 3) float32 in [0, 1], which tells the person where the sensor is blind
            (dark hair, a collar) and at outlines; None: the sensor and the head tell alone.
    """
    smooth = denoise(depth_mm)
    trusted = head.trusted & ~head.mouth
    near, far = person_range(head.depth_mm, settings.behind_mm, settings.before_mm)
    measured = (smooth > near) & (smooth < far)
    occluder, disputed = _disagreeing(smooth, measured, trusted, head, settings)
    alpha = cut_out(color, smooth, measured, head, far, mm_per_px, settings.cutout)
    body, foreground = alpha > 0.5, alpha > TRACE
    part, surface = box_of(foreground, REACH_PX), np.zeros_like(smooth)
    seen = _without_rims(np.where(measured & foreground, smooth, 0)[part], settings)
    own = (trusted & ~occluder)[part]
    surface[part] = _feathered(seen, head.depth_mm[part], own, settings)
    surface[~foreground] = 0
    hollow = foreground & (surface == 0)
    return Layers(
        head_mm=head.depth_mm,
        trusted=trusted,
        occluder=occluder,
        alpha=alpha,
        foreground=foreground,
        surface_mm=_closed(surface, hollow, bool(measured.any()), head, mm_per_px, background),
        body=body,
        photographed=body,
        hollow=hollow,
        disputed=disputed,
        mouth=head.mouth,
        far_mm=float(far),
        measured_mm=smooth,
    )


def _without_rims(depth_mm, settings):
    """The depth (H, W), 0 = none, its frayed rims replaced by that of the surface beside them."""
    known = depth_mm > 0
    inner = shrunk(known, settings.rim_px)
    low = cv2.erode(np.where(known, depth_mm, np.inf).astype(np.float32), SQUARE)
    torn = known & (cv2.dilate(depth_mm, SQUARE) - low > settings.jump_mm)
    inner &= cv2.dilate(torn.astype(np.uint8), SQUARE) == 0
    if not inner.any():
        return depth_mm
    distance, label = cv2.distanceTransformWithLabels(
        (~inner).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    value = np.zeros(label.max() + 1, np.float32)
    value[label[inner]] = depth_mm[inner]
    near = (~inner) & (distance <= 3 * settings.rim_px)
    steady = cv2.medianBlur(np.where(near, value[label], depth_mm).astype(np.float32), 5)
    return np.where(near, steady, depth_mm)


def _disagreeing(smooth, measured, trusted, head, settings):
    """(H, W) bool each: something before the trusted head; another surface than the head's."""
    gap = np.where(measured, smooth - head.depth_mm, 0)
    before = np.where(head.ears, settings.ear_agree_mm, settings.agree_mm)
    occluder = opened(trusted & (gap < -before), SPECK_PX)
    apart = np.abs(smooth - head.depth_mm) > settings.agree_mm
    return occluder, (head.depth_mm > 0) & (smooth > 0) & apart & ~occluder


def _feathered(seen, head_mm, own, settings):
    """The face's depth in the sensor's (H, W); beside the face it goes over without a step."""
    distance = cv2.distanceTransform((~own).astype(np.uint8), cv2.DIST_L2, 3)
    share = np.clip(distance / settings.feather_px, 0, 1)
    close = np.abs(seen - head_mm) < 2 * settings.agree_mm
    blend = (seen > 0) & (head_mm > 0) & close & ~own
    out = np.where(own, head_mm, seen).astype(np.float32)
    out[blend] = (share * seen + (1 - share) * head_mm)[blend]
    return out


def _closed(surface, hollow, measured, head, mm_per_px, background):
    """The surface (H, W) without its hollows, and smooth between the lips."""
    out = surface.copy()
    if not measured:
        out[hollow] = _beside_head(head.depth_mm, mm_per_px)[hollow]
    elif hollow.any():
        out[hollow] = complete_sheet(surface, hollow, background)[hollow]
        lost = _pendent(hollow, head, mm_per_px)
        if lost.any():
            behind = _beside_head(head.depth_mm, mm_per_px) + PENDENT_MM
            out[lost] = np.maximum(out, behind)[lost]
    part = box_of(head.mouth, int(4 * MOUTH_SMOOTH_MM / mm_per_px) + 2)
    mouth = head.mouth[part]
    out[part][mouth] = _mouth_sheet(out[part], head.depth_mm[part], mouth, mm_per_px)[mouth]
    return out


def _pendent(hollow, head, mm_per_px):
    """(H, W) bool: where the sensor lost hair that hangs beside jaw and neck."""
    rows = np.flatnonzero(head.trusted.any(1))
    below = np.arange(len(hollow))[:, None] > (rows.mean() if len(rows) else np.inf)
    beside = hollow & below & (head.depth_mm == 0)
    return opened(beside, LOCK_MM / 2 / mm_per_px)


def _beside_head(head_mm, mm_per_px):
    """(H, W) depth where no sensor measured any: the head's, carried on; hair hangs beside its
    outline, and a chest stands below the front of the neck."""
    drawn = shrunk(head_mm > 0, 2)
    _, label = cv2.distanceTransformWithLabels(
        (~drawn).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    value = np.zeros(label.max() + 1, np.float32)
    value[label[drawn]] = head_mm[drawn]
    return cv2.GaussianBlur(value[label], (0, 0), CARRY_SMOOTH_MM / mm_per_px)


def _mouth_sheet(surface, head_mm, mouth, mm_per_px):
    """The depth (H, W) of what shows between the lips: smooth, for a sensor sees little there."""
    sigma = MOUTH_SMOOTH_MM / mm_per_px
    weight = wide_blur(mouth.astype(np.float32), sigma)
    total = wide_blur(np.where(mouth, surface, 0).astype(np.float32), sigma)
    return np.minimum(total / np.maximum(weight, 1e-6), head_mm - SOCKET_MM)


def background_sheet(
    layers: Layers, settings: ForegroundSettings, background: BackgroundSettings
) -> np.ndarray:
    """(H, W) float32 depth behind the foreground, everywhere above 0: the sensor's wall where
    there is one, else a plane."""
    foreground, smooth, far = layers.foreground, layers.measured_mm, np.float32(layers.far_mm)
    wall = np.where(foreground | (smooth < far), 0, smooth)
    level = far - settings.behind_mm + settings.hollow_behind_mm
    if not (wall > 0).any():
        return np.full(smooth.shape, level, dtype=np.float32)
    near = grown(foreground, 5) & ~foreground
    return np.maximum(complete_sheet(wall, near, background), far)
