"""The head's other half as a second donor: a mirrored vertex may be seen where this one is not."""

from dataclasses import replace

import numpy as np

from augment.image_mesh import SceneMesh
from augment.seen import SeenHead
from faces.harmonic import harmonic
from faces.mirror import mirrored_vertices
from faces.morphable import MorphableModel
from faces.texture import TRUST_MIN

UNLIKE = 0.2  # a photo farther than this from the fitted colour shows hair or a highlight
GAIN = (0.5, 2.0)  # what shading and tone may ask for; beyond it one side lies in deep shadow
SMOOTH = 0.3  # weight of a vertex's ratio against its edges of 1: averages over two edges
# of a seen vertex's weight: freckles are not symmetric, stubble, brows and ears are
SHARE = 0.6
DARK = 0.02  # keeps ratios of black finite


def with_mirrored(
    scene: SceneMesh,
    seen: SeenHead,
    fitted: np.ndarray,
    model: MorphableModel,
    triangles: np.ndarray,
) -> SceneMesh:
    """The scene with ``second_px``, ``second_weight`` and ``second_gain`` of its head's vertices.

    The gain takes the mirrored photo to this side's light and tone: it is the ratio of the two
    sides' donor colours, smooth over the head, so that all that is finer than light and tone
    (stubble, freckles, a brow's hairs, an ear's folds) comes from the photo.

    Args:
        scene: of the source; its first V vertices are the head's.
        seen: the image's colours at these.
        fitted: (V, 3) C of Eq. 4 as fitted.
        model: tells mirrored vertices.
        triangles: (T, 3) int, what is drawn of the head.
    """
    count = model.vertex_count
    partner, paired = mirrored_vertices(model)
    like = np.abs(seen.photo - fitted).max(1) < UNLIKE
    weight = np.where(paired & like[partner], SHARE * seen.trust[partner], 0)
    gain = _gain(scene.model_color[:count], partner, weight, triangles)
    px, weights, gains = (
        a.copy() for a in (scene.second_px, scene.second_weight, scene.second_gain)
    )
    px[:count], weights[:count], gains[:count] = seen.pixels[partner], weight, gain
    px[~np.isfinite(px).all(1)] = 0
    return replace(scene, second_px=px, second_weight=weights, second_gain=gains)


def _gain(donor, partner, weight, triangles):
    """(V, 3) float32: the donor's colour here over the one there, smooth, within GAIN."""
    ratio = np.log(np.maximum(donor, DARK)) - np.log(np.maximum(donor[partner], DARK))
    hold = np.where(weight > TRUST_MIN, SMOOTH * weight, SMOOTH * TRUST_MIN)
    smooth = harmonic(ratio, hold, triangles, np.float32)
    return np.clip(np.exp(smooth), *GAIN).astype(np.float32)
