"""A procedural albedo basis for any model: skin, brows, lips, irises and hair as smooth masks.

Colours are sRGB in [0, 1]. The skin axes follow the two pigments that colour it, melanin (dark,
brown) and haemoglobin (red); sizes are set by eye so that ±2σ spans light to dark people.
"""

import numpy as np
from scipy.spatial import cKDTree

from faces.mesh import soften
from faces.models.anatomy import Head
from faces.models.ears import ear_hollow
from faces.models.fields import along, blob, curve, depth_inside, smooth
from faces.morphable import PARTS

SKIN = np.array([0.76, 0.575, 0.485])
LIPS = np.array([0.66, 0.375, 0.345])
BROW = np.array([0.25, 0.175, 0.135])
HAIR = np.array([0.20, 0.145, 0.115])
SCLERA = np.array([0.86, 0.83, 0.80])
IRIS = np.array([0.36, 0.26, 0.18])
OTHER = {
    "mouth_socket": (0.36, 0.14, 0.13),
    "eye_socket": (0.62, 0.38, 0.34),
    "teeth": (0.80, 0.75, 0.65),
    "gums": (0.64, 0.34, 0.33),
    "tongue": (0.66, 0.35, 0.34),
    "lashes": (0.20, 0.14, 0.12),
}
MELANIN = np.array([0.125, 0.125, 0.118])  # 1σ towards lighter skin
BLOOD = np.array([0.014, -0.013, -0.009])  # 1σ towards redder skin
# Sizes as shares of the outer interocular distance (about 90 mm).
IRIS_RADIUS, PUPIL_RADIUS = 0.066, 0.024  # 5.9 mm and 2.2 mm
BROW_HALF_WIDTH = 0.052  # 4.7 mm at the inner end, tapering outwards


def procedural_albedo(head: Head, regions, triangles, triangle_part):
    """Mean (V, 3) and modes (B, V, 3) float32 sRGB of the model that ``head`` describes.

    Args:
        head: mean shape and landmarks, model frame, mm.
        regions: name -> (V,) bool.
        triangles: (T, 3); triangle_part: (T,) index into PARTS.
    """
    masks = find_masks(head, regions, triangles, triangle_part)
    mean = np.zeros((len(head.vertices), 3))
    mean[:] = SKIN
    _tint(mean, masks["under_eye"], SKIN * [0.88, 0.82, 0.84], 0.6)
    _tint(mean, masks["cheek"], SKIN + 2.4 * BLOOD, 0.8)
    _tint(mean, masks["nose_tip"], SKIN + 2 * BLOOD, 0.8)
    _tint(mean, masks["ears"], SKIN + 2 * BLOOD, 0.8)
    _tint(mean, masks["hollow"], SKIN * [0.66, 0.46, 0.46], 0.8)
    _tint(mean, masks["lid_rim"], SKIN * [0.70, 0.58, 0.58], 0.8)
    _tint(mean, masks["lips"], LIPS)
    _tint(mean, masks["hair"], HAIR, 0.8)
    _tint(mean, masks["brows"], BROW, 0.85)
    for part, color in OTHER.items():
        _tint(mean, masks[part], np.array(color))
    _tint(mean, masks["gum_line"], np.array(OTHER["gums"]))
    mean *= 1 - 0.6 * masks["throat"][:, None]
    _tint(mean, masks["eye"], SCLERA)
    _tint(mean, masks["iris"], IRIS)
    _tint(mean, masks["limbus"], IRIS * 0.45)
    _tint(mean, masks["pupil"], np.array([0.03, 0.025, 0.025]))
    modes = [np.outer(mask, color) for mask, color in _modes(masks)]
    return mean.astype(np.float32), np.stack(modes).astype(np.float32)


def _tint(colors: np.ndarray, mask: np.ndarray, color: np.ndarray, share: float = 1.0) -> None:
    colors += (share * mask)[:, None] * (color - colors)


def _modes(m: dict[str, np.ndarray]):
    """(mask (V,), colour (3,)) of each mode: 1σ of it is their product."""
    bare = m["skin"] * (1 - 0.85 * m["brows"]) * (1 - 0.8 * m["hair"])
    plain = bare * (1 - m["lips"])
    iris = m["iris"] * (1 - m["pupil"]) * (1 - 0.6 * m["limbus"])
    dark = np.array([-1.0, -0.95, -0.9])
    yield bare * (1 - 0.35 * m["lips"]), MELANIN
    yield bare, BLOOD
    yield plain, np.array([0.004, 0.0, -0.014])
    yield m["brows"], -0.06 * dark
    yield m["brow_rim"], 0.07 * dark
    yield m["brow_slope"], 0.05 * dark
    yield m["brows"], np.array([0.035, 0.012, -0.004])
    yield m["lips"], np.array([0.025, -0.020, -0.010])
    yield m["lips"], np.array([0.035, 0.035, 0.032])
    yield m["cheek"] * plain, 1.3 * BLOOD
    yield m["nose_tip"] * plain, 1.2 * BLOOD
    yield m["ears"], 1.2 * BLOOD
    yield m["under_eye"] * plain, 0.05 * np.array([-0.8, -1.0, -0.9])
    yield m["upper_lid"] * plain, 0.05 * np.array([-0.8, -1.0, -0.9])
    yield m["lid_rim"], 0.09 * dark
    yield m["stubble"] * plain, 0.065 * np.array([-1.0, -0.8, -0.65])
    yield m["moustache"] * plain, 0.06 * np.array([-1.0, -0.85, -0.7])
    yield m["hair"], 0.06 * -dark
    yield m["hair"], np.array([0.045, 0.025, 0.0])
    yield m["hair_rim"], 0.05 * dark
    yield iris, np.array([-0.06, 0.015, 0.08])
    yield iris, np.array([0.05, 0.05, 0.045])
    yield iris, np.array([0.0, 0.03, -0.01])
    yield m["eye"] * (1 - m["iris"]), np.array([0.02, -0.015, -0.025])
    yield m["forehead"] * plain, 0.12 * MELANIN
    for pattern, color in zip(m["patterns"], (MELANIN, BLOOD) * 3, strict=True):
        yield pattern * plain, color * (0.08 if color is MELANIN else 0.6)


def find_masks(head: Head, regions, triangles, triangle_part) -> dict[str, np.ndarray]:
    """Smooth masks (V,) in [0, 1] by name; "patterns" is a list of six in about [-1, 1]."""
    p, d, v = head.points, head.d, head.vertices
    masks = {part: np.zeros(len(v)) for part in PARTS}
    for index, part in enumerate(PARTS):
        masks[part][triangles[triangle_part == index]] = 1
    for part in ("mouth_socket", "eye_socket"):
        masks[part] *= ~head.skin  # the rim belongs to the skin
    front = head.skin * smooth((v[:, 2] - p[[0, 16], 2].mean()) / (0.3 * d))
    masks |= _brow_masks(head, front)
    masks["lips"] = front * smooth(0.5 + depth_inside(p[48:60], v) / (0.025 * d))
    lids = np.maximum(depth_inside(p[36:42], v), depth_inside(p[42:48], v))
    masks["lid_rim"] = front * np.exp(-((lids / (0.022 * d)) ** 2))
    near_eye = front * np.exp(-((np.minimum(lids, 0) / (0.14 * d)) ** 2))
    below = smooth(0.5 + (p[36:48, 1].mean() - v[:, 1]) / (0.08 * d))
    masks["under_eye"], masks["upper_lid"] = near_eye * below, near_eye * (1 - below)
    masks["cheek"] = front * (
        blob(v, _cheek(p, 36, 31, 48), 0.24 * d) + blob(v, _cheek(p, 45, 35, 54), 0.24 * d)
    )
    masks["nose_tip"] = front * blob(v, p[30], 0.2 * d)
    masks["ears"] = head.skin * soften(regions["ears"], triangles, 2)
    masks["hollow"] = ear_hollow(head, triangles)
    masks["forehead"] = front * blob(v, _forehead(head), 0.45 * d)
    masks |= (
        _hair_masks(head, masks["ears"], triangles)
        | _beard_masks(head, front)
        | _eye_masks(head, masks["eye"] > 0)
    )
    masks["gum_line"] = _gum_line(head, masks["teeth"] > 0) * (not masks["gums"].any())
    mouth = masks["mouth_socket"] + masks["teeth"] + masks["gums"] + masks["tongue"] > 0
    behind = p[[51, 57], 2].mean() - v[:, 2] - 0.2 * d
    masks["throat"] = mouth * ~head.skin * smooth(behind / (0.6 * d))
    masks["patterns"] = _patterns(head)
    return masks


def _cheek(p: np.ndarray, eye: int, nostril: int, corner: int) -> np.ndarray:
    return p[[eye, eye, nostril, corner]].mean(0)


def _forehead(head: Head) -> np.ndarray:
    return head.points[[19, 24]].mean(0) + np.array([0, 0.3 * head.d, 0])


def _brow_masks(head: Head, front: np.ndarray) -> dict[str, np.ndarray]:
    """Brows, the band round them (density), and upper minus lower half (height)."""
    total = {"brows": 0.0, "brow_rim": 0.0, "brow_slope": 0.0}
    for points in (head.points[21:16:-1], head.points[22:27]):
        line = curve(points[:, :2]) - [0, 0.012 * head.d]
        share, across = along(line, head.vertices[:, :2])
        half = BROW_HALF_WIDTH * head.d * (1 - 0.6 * np.clip(share, 0, 1) ** 1.5)
        ends = smooth(0.5 + (share + 0.02) / 0.10) * smooth(0.5 + (1.06 - share) / 0.2)
        core = front * ends * smooth(1.25 - np.abs(across) / half)
        wide = front * ends * smooth(2.1 - np.abs(across) / half)
        total["brows"] += core
        total["brow_rim"] += wide - core
        total["brow_slope"] += wide * np.clip(across / half, -1, 1)
    return total


def _hair_masks(head: Head, ears: np.ndarray, triangles: np.ndarray) -> dict[str, np.ndarray]:
    """Hair over crown, temples and nape, and the band at its edge."""
    d = head.d
    height = hair_height(head)
    wear = head.skin * (1 - np.minimum(2 * ears, 1))
    # The nape's triangles are as large as the edge is soft: even it out over a few of them.
    hair = wear * soften(smooth(0.5 + height / (0.12 * d)), triangles, 4)
    return {"hair": hair, "hair_rim": wear * np.exp(-(((height + 0.045 * d) / (0.08 * d)) ** 2))}


def hair_height(head: Head) -> np.ndarray:
    """Signed distance (V,) mm from the hairline, nape included, positive in the hair."""
    radius = 0.8 * head.d  # of the skull, about the axis of the azimuth
    azimuth = np.abs(head.azimuth(head.vertices))
    line = np.linspace(0, np.pi, 400)
    curve = np.stack([line * radius, _hairline(head, line)], 1)
    place = np.stack([azimuth * radius, head.vertices[:, 1]], 1)
    above = np.sign(head.vertices[:, 1] - _hairline(head, azimuth))
    return above * cKDTree(curve).query(place)[0]


def _hairline(head: Head, azimuth: np.ndarray) -> np.ndarray:
    """Height (N,) mm of the hairline at an azimuth (N,) ≥ 0."""
    p, d = head.points, head.d
    limit = np.abs(head.azimuth(p[[0, 16]])).mean()
    top = p[[19, 24], 1].mean() + 0.66 * d
    side = p[[0, 16], 1].mean() - 0.05 * d
    nape = p[[48, 54], 1].mean()
    share = np.clip(azimuth / (0.86 * limit), 0, 1)
    before = side + (top - side) * np.sqrt(1 - share**3)
    behind = side + (nape - side) * np.clip((azimuth - limit) / 0.5, 0, 1)
    return np.where(azimuth < limit, before, behind)


def _beard_masks(head: Head, front: np.ndarray) -> dict[str, np.ndarray]:
    """Stubble below a line from nostril to sideburn, and the upper lip's moustache."""
    p, d, v = head.points, head.d, head.vertices
    out = np.clip(np.abs(v[:, 0]) / np.abs(p[[2, 14], 0]).mean(), 0, 1)
    nostril, side = p[33, 1] - 0.04 * d, p[[1, 15], 1].mean()
    hollow = 0.22 * d * np.sin(np.pi * out)  # the line sags over the cheek
    line = nostril + (side - nostril) * out**2 - hollow
    below = smooth(0.5 + (line - v[:, 1]) / (0.3 * d))
    above_throat = smooth((v[:, 1] - p[8, 1]) / (0.25 * d) + 1.6)
    stubble = head.skin * ~head.ears * below * above_throat
    stubble *= smooth((v[:, 2] - p[[0, 16], 2].mean()) / (0.6 * d) + 0.35)
    lip = p[[33, 51]].mean(0)
    size = np.array([0.3, 0.1, 0.3]) * d
    moustache = front * np.exp(-((((v - lip) / size) ** 2).sum(1)))
    return {"stubble": stubble, "moustache": moustache}


def _eye_masks(head: Head, eyeballs: np.ndarray) -> dict[str, np.ndarray]:
    """Iris, its dark rim and the pupil, by distance from the axis straight out of each eyeball."""
    names = ("iris", "limbus", "pupil")
    masks = {name: np.zeros(len(head.vertices)) for name in names}
    for side in (-1, 1):
        own = np.flatnonzero(eyeballs & (side * head.vertices[:, 0] > 0))
        if len(own) == 0:
            continue
        ball = head.vertices[own]
        front = ball[:, 2].max()
        centre = ball[ball[:, 2] > front - 0.012 * head.d].mean(0)  # of the cornea's cap
        radius = np.linalg.norm((ball - centre)[:, :2], axis=1) / head.d
        ahead = ball[:, 2] > front - 0.1 * head.d
        soft = 0.008
        masks["iris"][own] = ahead * smooth(0.5 + (IRIS_RADIUS - radius) / soft)
        masks["limbus"][own] = ahead * np.exp(-(((radius - IRIS_RADIUS * 0.96) / 0.007) ** 2))
        masks["pupil"][own] = ahead * smooth(0.5 + (PUPIL_RADIUS - radius) / soft)
    return masks


def _gum_line(head: Head, teeth: np.ndarray) -> np.ndarray:
    """Where (V,) in [0, 1] a strip of teeth without gums of its own goes over into them."""
    line = np.zeros(len(head.vertices))
    if not teeth.any():
        return line
    own = np.flatnonzero(teeth)
    points = head.vertices[own]
    upper = points[:, 1] > points[:, 1].mean()
    for jaw, sign in ((upper, 1), (~upper, -1)):
        height = sign * points[jaw, 1]
        near = cKDTree(points[jaw][:, [0, 2]]).query_ball_point(
            points[jaw][:, [0, 2]], 0.1 * head.d
        )
        edge = np.array([height[other].min() for other in near])
        root = np.array([height[other].max() for other in near])
        line[own[jaw]] = smooth(((height - edge) / (root - edge + 1e-6) - 0.5) / 0.5)
    return line


def _patterns(head: Head) -> list[np.ndarray]:
    """Six uneven tones: products of long waves over the head, the odd ones not symmetric."""
    x, y, z = ((head.vertices - head.points[30]) / head.d).T
    return [
        np.cos(2.1 * x) * np.cos(2.6 * y),
        np.sin(1.9 * y + 0.7) * np.cos(1.7 * z),
        np.sin(2.2 * x) * np.cos(1.3 * y),
        np.cos(3.7 * x) * np.sin(3.1 * y),
        np.sin(3.3 * x + 1.1 * y) * np.cos(2.0 * z),
        np.cos(4.3 * y + 0.4) * np.cos(3.9 * x),
    ]
