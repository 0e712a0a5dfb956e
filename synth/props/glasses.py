"""Glasses that rest on the nose and the ears, with what little their lenses throw back."""

import numpy as np
from scipy.spatial import cKDTree

from faces.morphable import MorphableModel
from synth.props.headmap import HeadMap
from synth.props.lenses import make_lenses
from synth.props.tubes import merged, tube
from synth.scene import Piece

# lens width and height (mm), power of the outline (2 an ellipse, more is squarer), rim radius
SHAPES = {
    "round": (46.0, 43.0, 2.0, 0.9),
    "oval": (51.0, 34.0, 2.3, 0.9),
    "square": (52.0, 37.0, 4.0, 1.7),
    "thick": (51.0, 40.0, 3.2, 2.4),
    "rimless": (53.0, 31.0, 3.5, 0.5),
}
THIN_MM = 1.2  # rims below it are of wire
METALS = ((0.5, 0.5, 0.52), (0.55, 0.45, 0.27), (0.2, 0.2, 0.21), (0.6, 0.44, 0.38))
METAL_GLOSS, ACETATE_GLOSS = 0.7, 0.32
CLEAR_MM = 2.0  # between rim and skin
WRAP = 1 / 260.0  # 1/mm, how the frame bends back to the sides


def make_glasses(
    model: MorphableModel,
    shape_mm: np.ndarray,
    rng: np.random.Generator,
    settings: str | None = None,
) -> list[Piece]:
    """A frame and its lenses, each "glasses"; ``settings`` is a name of SHAPES, or drawn."""
    drawn = list(SHAPES)[rng.integers(len(SHAPES))]
    width, height, power, rim = SHAPES[settings or drawn]
    points = shape_mm[model.landmarks["ibug68"]].astype(np.float64)
    size = np.linalg.norm(points[45] - points[36]) / 88.0 * rng.uniform(0.96, 1.06)
    head = HeadMap(model, shape_mm)
    outlines = [
        _outline(points[36 + 6 * k : 42 + 6 * k], width * size, height * size, power)
        for k in (0, 1)
    ]
    front = _frontal(model, shape_mm, np.concatenate(outlines))
    rims = [_bent(line, front) for line in outlines]
    metal = rim < THIN_MM or rng.random() < 0.25
    parts = [tube(line, _rim_radius(rim, metal), 6, closed=True) for line in rims]
    parts.append(tube(_bridge(rims, front, shape_mm, model), 1.1 + 0.4 * rim, 6))
    for line, side in zip(rims, (-1, 1), strict=True):
        temple = _temple(line, side, model, shape_mm, head)
        parts.append(tube(temple, _temple_radius(rim, metal), 6))
        if metal:
            parts += _nose_pad(line, side, head)
    vertices, triangles = merged(parts)
    frame = Piece(
        "glasses",
        vertices,
        triangles,
        _tinted(vertices, metal, rng),
        gloss=np.full(len(vertices), METAL_GLOSS if metal else ACETATE_GLOSS, dtype=np.float32),
        shininess=45.0 if metal else 90.0,
    )
    return [frame, make_lenses(rims, rng)]


def _rim_radius(rim: float, metal: bool) -> np.ndarray:
    """(32,) mm around a lens: acetate is heavier above."""
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    return np.full(32, rim) if metal else rim * (1 + 0.3 * np.sin(angle))


def _temple_radius(rim: float, metal: bool) -> np.ndarray:
    """(14,) mm along an arm: a hinge, the arm, and a sleeve at its end."""
    own = 0.8 + 0.5 * rim
    arm = np.full(14, own)
    arm[:2] *= 1.5 if metal else 1.25
    arm[-4:] = max(own, 1.7)
    return arm


def _nose_pad(rim, side: int, head: HeadMap) -> list:
    """A pad beside the nose and the wire that holds it: two meshes."""
    inner = rim[np.argmin(side * rim[:, 0])]
    pad = inner + np.array([-side * 1.5, -6.0, -3.5])
    ends = head.pushed(pad + np.array([[0, 3.5, 0.5], [0, 0, 0], [side * 1.0, -3.5, -0.8]]), 1.2)
    wire = np.stack([inner, inner + np.array([-side * 0.8, -2.0, -3.0]), ends[1]])
    return [tube(ends, np.array([0.9, 1.9, 0.9]), 6), tube(wire, 0.5, 5)]


def _outline(eye, width, height, power) -> np.ndarray:
    """(32, 2) mm around an eye (6, 3): a superellipse a little below its middle."""
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    cosine, sine = (np.sign(f) * np.abs(f) ** (2 / power) for f in (np.cos(angle), np.sin(angle)))
    centre = eye[:, :2].mean(0) * [1.06, 1.0] - [0.0, 3.0]
    return centre + 0.5 * np.column_stack([width * cosine, height * sine])


def _frontal(model, shape_mm, outline) -> float:
    """z (mm) of the frame at x = 0: all of its rims before the skin behind them."""
    skin = shape_mm[model.regions["face"]]
    gap = cKDTree(outline).query(skin[:, :2], distance_upper_bound=5.0)[0]
    near = skin[gap < 4.0]
    return float((near[:, 2] + WRAP * near[:, 0] ** 2).max()) + CLEAR_MM


def _bent(outline, front: float) -> np.ndarray:
    return np.column_stack([outline, front - WRAP * outline[:, 0] ** 2])


def _bridge(rims, front: float, shape_mm, model) -> np.ndarray:
    """An arc (9, 3) from lens to lens over the nose."""
    right = rims[0][np.argmax(rims[0][:, 0])]
    left = rims[1][np.argmin(rims[1][:, 0])]
    share = np.linspace(0, 1, 9)
    line = right + share[:, None] * (left - right) + np.array([0.0, 4.0, 0.0])
    line[:, 1] += 3.0 * np.sin(np.pi * share)
    skin = shape_mm[model.regions["face"]]
    near = skin[(np.abs(skin[:, 0]) < 14) & (np.abs(skin[:, 1] - line[4, 1]) < 5)]
    arch = max(float(near[:, 2].max()) + CLEAR_MM + 1.0 - front, 0.0)
    line[:, 2] += arch * np.sin(np.pi * share) ** 0.6
    return line


def _temple(rim, side: int, model, shape_mm, head: HeadMap) -> np.ndarray:
    """From the rim's outer side to the top of the ear, (14, 3), beside the head."""
    hinge = rim[np.argmax(side * rim[:, 0])] + np.array([side * 1.5, 6.0, -1.0])
    ears = shape_mm[model.regions["ears"]]
    ear = ears[ears[:, 0] * side > 0]
    top = ear[np.argmax(ear[:, 1])] + np.array([side * 2.0, 2.5, 0.0])
    share = np.linspace(0, 1, 14)[:, None]
    line = hinge + share * (top - hinge)
    line[:, 0] += side * 5.0 * np.sin(np.pi * share[:, 0])
    line[2:] = head.pushed(line[2:], 2.5)
    return line


def _tinted(vertices, metal: bool, rng) -> np.ndarray:
    """(V, 3) float32 sRGB: steel, gold, gunmetal or rose; or black, horn, clear or coloured."""
    if metal:
        tone = np.array(METALS[rng.integers(len(METALS))]) * rng.uniform(0.85, 1.1)
        return np.broadcast_to(tone, vertices.shape).astype(np.float32)
    kind = rng.choice(4, p=(0.45, 0.3, 0.1, 0.15))
    if kind == 1:  # tortoise shell: clouds of dark brown in amber
        waves = np.sin(vertices @ rng.normal(0, 0.25, (3, 4)) + rng.uniform(0, 6, 4)).sum(axis=1)
        share = np.clip(0.35 + 0.4 * waves, 0, 1)[:, None]
        dark, amber = np.array([0.11, 0.06, 0.04]), np.array([0.45, 0.25, 0.1])
        return (dark + share * (amber - dark)).astype(np.float32)
    tone = ((0.05, 0.05, 0.055), None, (0.72, 0.66, 0.6), rng.uniform(0.08, 0.4, 3))[kind]
    return np.broadcast_to(tone, vertices.shape).astype(np.float32)
