"""A hand before the face, alone or holding a phone to the ear."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.rotation import matrix_from_euler
from synth.props.blob import union_mesh
from synth.props.hand_skin import HandSkin, hand_skin
from synth.props.headmap import HeadMap
from synth.props.phone import make_slab
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
TAPER = ((1.0, 0.95, 1.0), (1.02, 0.9, 0.92), (0.93, 0.88, 0.8))  # along each bone
STEP_MM, BLEND_MM = 3.7, 2.2  # of the hand's mesh; how round the webs between fingers are


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
    hand = _hand(int(rng.integers(POSTURES)), 16.0)
    if place == "mouth":
        turn = matrix_from_euler(side * 12, 8, side * rng.uniform(35, 75))
        at = points[57] + [side * 15, -30, 15]
    else:
        turn = matrix_from_euler(side * rng.uniform(45, 60), 5, side * rng.uniform(-5, 20))
        at = points[4 if side < 0 else 12] + [side * 8, -10, 5]
    flip = np.array([-side, 1.0, 1.0])  # the thumb towards the nose
    placed = (hand.vertices * flip) @ turn.T + at
    placed = _outside(HeadMap(model, shape_mm), placed, turn @ [0, 0, 1])
    return [_piece(hand, placed, flip[0] < 0, settings.tone, rng)]


def make_phone(
    model: MorphableModel,
    shape_mm: np.ndarray,
    rng: np.random.Generator,
    settings: HandSettings = HandSettings(),
) -> list[Piece]:
    """A "phone" held to one ear by a "hand"."""
    points = shape_mm[model.landmarks["ibug68"]].astype(np.float64)
    side = rng.choice([-1.0, 1.0])
    slab = make_slab(rng)
    # its face to the cheek, its lower end towards the mouth
    turn = matrix_from_euler(side * 78, 0, 0) @ matrix_from_euler(0, 0, side * rng.uniform(15, 32))
    ear, mouth = points[0 if side < 0 else 16], points[48 if side < 0 else 54]
    at = 0.62 * ear + 0.38 * mouth + [side * 14, -6, 0]
    head, outwards = HeadMap(model, shape_mm), turn @ [0, 0, 1]
    phone = _outside(head, slab.vertices_mm @ turn.T + at, outwards)
    held = replace(slab, vertices_mm=phone)
    hand = _hand(int(rng.integers(POSTURES)), 30.0)
    flip = np.array([-side, 1.0, 1.0])
    vertices = (hand.vertices * flip) @ matrix_from_euler(0, 0, side * 25).T
    grip = vertices @ turn.T + phone.mean(0) + outwards * 17 + turn @ [side * 14, -52, 0]
    grip = _outside(head, grip, outwards)
    return [held, _piece(hand, grip, flip[0] < 0, settings.tone, rng)]


@dataclass(frozen=True, slots=True, eq=False)
class _Hand:
    vertices: np.ndarray  # (V, 3) mm
    triangles: np.ndarray  # (T, 3) int32
    skin: HandSkin


@lru_cache(maxsize=2 * POSTURES)
def _hand(posture: int, curl_deg: float) -> _Hand:
    """The open hand in one of POSTURES, its fingers bent towards the palm (−z)."""
    rng = np.random.default_rng(posture)  # postures are the same for all people
    rods = [((x, -32, 0), (1.05 * x, 40, 0), (14, 10)) for x in (-22, -8, 8, 22)]
    rods += [((-6, -34, 0), (-6, -230, 10), (21, 30)), ((10, -34, 0), (8, -230, 10), (21, 30))]
    lean = rng.normal(0, 4)
    fingers = []
    for (x, y), bones, radius in FINGERS:
        spread = np.radians(0.16 * x + lean + rng.normal(0, 1.5))
        joints, bend = [np.array([x, y, 0.0])], np.radians(curl_deg * rng.uniform(0.3, 0.8))
        for length in bones:
            flat = np.array([np.sin(spread), np.cos(spread), 0.0]) * np.cos(bend)
            joints.append(joints[-1] + length * (flat - np.array([0, 0, np.sin(bend)])))
            bend += np.radians(curl_deg * rng.uniform(0.7, 1.3))
        fingers.append(np.array(joints))
        rods += _finger(fingers[-1], radius)
    thumb = np.array([(22, -32, -4), (44, 2, -10), (53, 32, -14), (55, 53, -18)], dtype=float)
    fingers.append(thumb)
    widths = ((14, 11), (10.8, 9.4), (9.8, 8.0))
    rods += list(zip(thumb[:-1], thumb[1:], widths, strict=True))
    starts, ends, radii = (np.array([rod[k] for rod in rods], dtype=np.float64) for k in range(3))
    vertices, triangles = union_mesh(starts, ends, radii, STEP_MM, BLEND_MM)
    normals = vertex_normals(vertices, triangles)
    skin = hand_skin(vertices, triangles, normals, np.array(fingers), rng)
    return _Hand(vertices, triangles, skin)


def _finger(joints: np.ndarray, radius: float) -> list:
    """Rods (start, end, radii) of a finger that is thicker at its joints and flat at its tip."""
    rods = []
    for k in range(3):
        start, end = joints[k], joints[k + 1]
        middle = start + 0.45 * (end - start) - [0, 0, 0.4]
        thick, thin, last = (radius * share for share in TAPER[k])
        rods += [(start, middle, (thick, thin)), (middle, end, (thin, last))]
    return rods


def _outside(head: HeadMap, vertices, outwards) -> np.ndarray:
    """The vertices moved as one along ``outwards`` (3,) until none is within the head."""
    for _ in range(12):
        deep = CLEAR_MM - head.height(vertices).min()
        if deep <= 0:
            break
        vertices = vertices + outwards * max(deep, 1.0)
    return vertices


def _piece(hand: _Hand, placed, mirrored: bool, tone, rng) -> Piece:
    """The hand where it is held; a left hand is a right one ``mirrored``."""
    order = slice(None, None, -1 if mirrored else 1)
    tone = (np.asarray(tone) * rng.uniform(0.92, 1.03)).astype(np.float32)
    return Piece(
        "hand",
        placed,
        np.ascontiguousarray(hand.triangles[:, order]),
        np.minimum(hand.skin.tint * tone, 1),
        hand.skin.uv,
        np.ascontiguousarray(hand.skin.triangle_uv[:, order]),
        gloss=hand.skin.gloss,
        shininess=16.0,
        relief=hand.skin.relief,
        scatter=1.0,
    )
