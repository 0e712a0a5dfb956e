"""Neck, shoulders and a shirt under a head model that ends at its neck."""

from functools import cache

import cv2
import numpy as np
from scipy.interpolate import PchipInterpolator

from synth.scene import Piece
from synth.surfaces import cloth, noise

# Half-width and half-depth of a body below the neck's rim, mm, by eye from people's outlines
DROP_MM = np.array([0.0, 22, 45, 90, 190, 420])
WIDTH_MM = np.array([66.0, 100, 152, 198, 215, 220])
DEPTH_MM = np.array([60.0, 68, 78, 92, 105, 110])
BLEND_MM = 55.0  # over which the neck's rim becomes the body
RINGS, SIDES = 44, 72
CLOTH_MM = 3.0  # the shirt's distance from the skin
FOLD_MM = 5.0  # depth of its folds
OUTLINE = 512  # edge of the shirt's outline texture
# drop of the neckline at the side and before the throat, mm
NECKS = {"crew": (6.0, 14.0), "scoop": (16.0, 48.0), "v": (8.0, 70.0), "shirt": (-2.0, 4.0)}


def make_torso(rim_mm: np.ndarray, skin_tone: np.ndarray, rng: np.random.Generator) -> list[Piece]:
    """A body that faces the camera, whatever the head does.

    Args:
        rim_mm: (N, 3) mm, vertices on the lower rim of the posed head, in the camera frame.
        skin_tone: (3,) sRGB of the neck.
        rng: draws the shirt.

    Returns:
        Skin and shirt, in the camera frame.
    """
    drop = np.linspace(0, 1, RINGS) ** 1.7 * DROP_MM[-1]  # denser at the neck
    build = rng.uniform(0.92, 1.1)
    skin = _rings(drop, rim_mm, build, 0.0)
    tone = np.broadcast_to(skin_tone, skin.shape).astype(np.float32)
    gloss = np.full(len(skin), 0.03, dtype=np.float32)
    body = Piece("skin", skin, tube(), tone, gloss=gloss, scatter=1.0)
    return [body, _shirt(drop, rim_mm, build, rng)]


def _shirt(drop, rim_mm, build, rng) -> Piece:
    points = _rings(drop, rim_mm, build, CLOTH_MM).reshape(RINGS, SIDES, 3)
    folds = noise(rng, (8, 12), 96)
    rows = np.linspace(0, 95, RINGS).astype(int)
    # half of the chart and back again, so that the folds meet behind
    columns = np.abs(np.linspace(-95, 95, SIDES)).astype(int)
    depth = (
        np.clip((drop - 15) / 100, 0, 1)[:, None] * FOLD_MM * (0.6 + folds[rows[:, None], columns])
    )
    outwards = points - points.mean(axis=1, keepdims=True)
    outwards /= np.linalg.norm(outwards, axis=-1, keepdims=True)
    uv, triangle_uv = _chart(drop)
    return Piece(
        "clothes",
        (points + depth[..., None] * outwards).reshape(-1, 3),
        tube(),
        cloth(rng),
        uv,
        triangle_uv,
        alpha=_neckline(drop, rng),
        two_sided=True,
    )


def _neckline(drop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(512, 512) float32: 1 where there is cloth; low before the throat, high behind the neck."""
    side, front = NECKS[rng.choice(list(NECKS))]
    below = np.linspace(drop[0], drop[-1], OUTLINE)[:, None]
    # the tube starts at the person's left and turns over the back: the front is at 3/4
    turn = 2 * np.pi * (np.linspace(0, 1, OUTLINE) - 0.75)
    sharpness = rng.uniform(2, 5)
    ahead = np.clip(np.cos(turn), 0, 1) ** sharpness
    edge = side + (front - side) * ahead[None]
    return cv2.GaussianBlur((below > edge).astype(np.float32), (0, 0), 1.5)


def _rings(drop, rim_mm, build, outwards_mm) -> np.ndarray:
    """Points (RINGS · SIDES, 3): the rim of the neck, widening into a body below it."""
    angle = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)
    rim = _resampled(rim_mm, angle)
    centre = rim.mean(0)
    width = PchipInterpolator(DROP_MM, build * WIDTH_MM)(drop)
    depth = PchipInterpolator(DROP_MM, build * DEPTH_MM)(drop)
    cosine, sine = (np.sign(f) * np.abs(f) ** 0.85 for f in (np.cos(angle), np.sin(angle)))
    x, z = width[:, None] * cosine, depth[:, None] * sine
    body = np.stack([x, np.broadcast_to(drop[:, None], x.shape), z], axis=-1) + centre
    below = rim + drop[:, None, None] * np.array([0.0, 1.0, 0.0])
    share = np.clip(drop / BLEND_MM, 0, 1)[:, None, None]
    share = share * share * (3 - 2 * share)
    points = below * (1 - share) + body * share
    outwards = np.stack([cosine, np.full(SIDES, -0.6), sine], axis=-1)
    return (points + outwards_mm * outwards).reshape(-1, 3)


def _resampled(rim_mm, angle) -> np.ndarray:
    """The closed rim (N, 3) at even angles (SIDES,) about the vertical through its middle."""
    centre = (rim_mm.min(0) + rim_mm.max(0)) / 2
    own = np.arctan2(rim_mm[:, 2] - centre[2], rim_mm[:, 0] - centre[0])
    order = np.argsort(own)
    columns = [np.interp(angle, own[order], rim_mm[order, k], period=2 * np.pi) for k in range(3)]
    return np.stack(columns, axis=1)


def _chart(drop) -> tuple[np.ndarray, np.ndarray]:
    """Texture coordinates with a seam behind: (RINGS · (SIDES + 1), 2) and triangles (T, 3)."""
    u = np.linspace(0, 1, SIDES + 1)
    v = (drop - drop[0]) / np.ptp(drop)
    uv = np.stack(np.broadcast_arrays(u[None], v[:, None]), -1).reshape(-1, 2)
    ring, side = np.meshgrid(np.arange(RINGS - 1), np.arange(SIDES), indexing="ij")
    a = ring * (SIDES + 1) + side
    b, c, d = a + 1, a + SIDES + 2, a + SIDES + 1
    return uv.astype(np.float32), _quads(a, b, c, d)


@cache
def tube() -> np.ndarray:
    """Triangles (T, 3) int32 between neighbouring rings, closed around, normals outwards."""
    ring, side = np.meshgrid(np.arange(RINGS - 1), np.arange(SIDES), indexing="ij")
    a = ring * SIDES + side
    b = ring * SIDES + (side + 1) % SIDES
    return _quads(a, b, b + SIDES, a + SIDES)


def _quads(a, b, c, d) -> np.ndarray:
    return np.stack([a, c, b, a, d, c], axis=-1).reshape(-1, 3).astype(np.int32)
