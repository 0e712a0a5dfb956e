"""A hand before the face, alone or holding a phone to the ear."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from faces.morphable import MorphableModel
from faces.rotation import matrix_from_euler
from synth.props.blob import union_mesh
from synth.props.headmap import HeadMap
from synth.props.tubes import box
from synth.scene import Piece

# An open right hand seen from its back: x to its thumb's side, y to the fingers, z off the palm
# backwards; knuckle (x, y), length of the three bones and radius, mm, after hand anthropometry
FINGERS = (
    ((27.0, 44.0), (43.0, 25.0, 19.0), 8.6),
    ((9.0, 48.0), (47.0, 29.0, 20.0), 8.8),
    ((-9.0, 45.0), (44.0, 27.0, 20.0), 8.3),
    ((-26.0, 37.0), (35.0, 20.0, 18.0), 7.3),
)
CLEAR_MM = 1.0
POSTURES = 4
STEP_MM, BLEND_MM = 4.0, 2.2  # of the hand's mesh; how round the webs between fingers are


@dataclass(frozen=True, slots=True)
class HandSettings:
    """Attributes:
    place: "cheek" or "mouth"; drawn where None. A phone's hand is where the phone is.
    tone: sRGB of the person's skin.
    """

    place: str | None = None
    tone: tuple[float, float, float] = (0.75, 0.58, 0.49)


def make_hand(
    model: MorphableModel,
    shape_mm: np.ndarray,
    rng: np.random.Generator,
    settings: HandSettings = HandSettings(),
) -> list[Piece]:
    """One piece "hand" on a cheek or before the mouth."""
    place = settings.place or ("cheek", "mouth")[rng.integers(2)]
    points = shape_mm[model.landmarks["ibug68"]].astype(np.float64)
    side = rng.choice([-1.0, 1.0])
    vertices, triangles = _hand(int(rng.integers(POSTURES)), 12.0)
    if place == "mouth":
        turn = matrix_from_euler(side * 12, 8, side * rng.uniform(35, 75))
        at = points[57] + [side * 15, -30, 15]
    else:
        turn = matrix_from_euler(side * rng.uniform(45, 60), 5, side * rng.uniform(-5, 20))
        at = points[4 if side < 0 else 12] + [side * 8, -10, 5]
    flip = np.array([-side, 1.0, 1.0])  # the thumb towards the nose
    placed = (vertices * flip) @ turn.T + at
    if flip[0] < 0:
        triangles = triangles[:, ::-1]
    placed = _outside(HeadMap(model, shape_mm), placed, turn @ [0, 0, 1])
    return [_skin(placed, triangles, settings.tone, rng)]


def make_phone(
    model: MorphableModel,
    shape_mm: np.ndarray,
    rng: np.random.Generator,
    settings: HandSettings = HandSettings(),
) -> list[Piece]:
    """A "phone" held to one ear by a "hand"."""
    points = shape_mm[model.landmarks["ibug68"]].astype(np.float64)
    side = rng.choice([-1.0, 1.0])
    size = np.array([rng.uniform(68, 76), rng.uniform(140, 160), 8.5])
    slab, faces = box(size)
    # its face to the cheek, its lower end towards the mouth
    turn = matrix_from_euler(side * 78, 0, 0) @ matrix_from_euler(0, 0, side * rng.uniform(15, 32))
    ear, mouth = points[0 if side < 0 else 16], points[48 if side < 0 else 54]
    at = 0.62 * ear + 0.38 * mouth + [side * 14, -6, 0]
    head, outwards = HeadMap(model, shape_mm), turn @ [0, 0, 1]
    phone = _outside(head, slab @ turn.T + at, outwards)
    color = np.array([(0.05, 0.05, 0.055), (0.75, 0.75, 0.76), (0.2, 0.25, 0.38)][rng.integers(3)])
    albedo = np.broadcast_to(color, phone.shape).astype(np.float32)
    gloss = np.full(len(phone), 0.3, dtype=np.float32)
    held = Piece("phone", phone, faces, albedo, gloss=gloss, shininess=80.0)
    vertices, triangles = _hand(int(rng.integers(POSTURES)), 38.0)
    flip = np.array([-side, 1.0, 1.0])
    vertices = (vertices * flip) @ matrix_from_euler(0, 0, side * 25).T
    triangles = triangles[:, ::-1] if flip[0] < 0 else triangles
    grip = vertices @ turn.T + phone.mean(0) + outwards * 17 + turn @ [0, -38, 0]
    return [held, _skin(_outside(head, grip, outwards), triangles, settings.tone, rng)]


@lru_cache(maxsize=2 * POSTURES)
def _hand(posture: int, curl_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """The open hand in one of POSTURES, its fingers bent towards the palm (−z)."""
    rng = np.random.default_rng(posture)  # postures are the same for all people
    rods = [((x, -32, 0), (1.05 * x, 40, 0), (14, 10)) for x in (-22, -8, 8, 22)]
    rods += [((-6, -34, 0), (-6, -230, 10), (21, 30)), ((10, -34, 0), (8, -230, 10), (21, 30))]
    for (x, y), bones, radius in FINGERS:
        spread = np.radians(0.28 * x + rng.normal(0, 3))
        joint, bend = np.array([x, y, 0.0]), np.radians(curl_deg * 0.5)
        for k, length in enumerate(bones):
            flat = np.array([np.sin(spread), np.cos(spread), 0.0]) * np.cos(bend)
            tip = joint + length * (flat - np.array([0, 0, np.sin(bend)]))
            rods.append((joint, tip, (radius * 0.94**k, radius * 0.94 ** (k + 1))))
            joint, bend = tip, bend + np.radians(curl_deg * rng.uniform(0.7, 1.2))
    rods.append(((22, -32, -4), (44, 2, -10), (14, 11)))
    rods.append(((44, 2, -10), (53, 32, -14), (10.5, 9.5)))
    rods.append(((53, 32, -14), (54, 54, -18), (9.3, 7.5)))
    starts, ends, radii = (np.array([rod[k] for rod in rods], dtype=np.float64) for k in range(3))
    return union_mesh(starts, ends, radii, STEP_MM, BLEND_MM)


def _outside(head: HeadMap, vertices, outwards) -> np.ndarray:
    """The vertices moved as one along ``outwards`` (3,) until none is within the head."""
    for _ in range(12):
        deep = CLEAR_MM - head.height(vertices).min()
        if deep <= 0:
            break
        vertices = vertices + outwards * max(deep, 1.0)
    return vertices


def _skin(vertices, triangles, tone, rng) -> Piece:
    tone = np.asarray(tone) * rng.uniform(0.9, 1.03)
    warm = 1 + 0.03 * np.sin(vertices @ rng.normal(0, 0.05, (3, 1)) + rng.uniform(0, 6))
    albedo = np.clip(tone * warm, 0, 1).astype(np.float32)
    gloss = np.full(len(vertices), 0.03, dtype=np.float32)
    triangles = np.ascontiguousarray(triangles)
    return Piece("hand", vertices, triangles, albedo, gloss=gloss, scatter=1.0)
