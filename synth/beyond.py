"""Shape beyond the model: what makes a virtual person one that no fit of the model explains."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from synth.creases import crease_depth_mm

WAVES = 40  # cosines in a field: enough that no single wave shows
BROAD_MM = (90.0, 280.0)  # wavelengths: a cheek to a head
PORE_MM = (4.0, 9.0)  # the shortest that the mesh of the face carries
SKULL = 0.35  # of the face's: heads are more alike than faces, and hair lies on them
# Bumps: ibug68 points whose mean is the centre, and its offset and half-width, in shares of the
# outer interocular distance; those on the left half (image left) come with a mirror image.
BUMPS = (
    ((27, 28), (0.0, 0.0, 0.0), 0.10),  # bridge of the nose
    ((29, 30), (0.0, 0.03, 0.0), 0.09),  # its ridge
    ((30,), (0.0, 0.0, 0.0), 0.09),  # its tip
    ((31,), (-0.02, 0.03, 0.0), 0.08),  # its wings
    ((36, 2), (0.06, -0.05, 0.2), 0.17),  # cheekbones
    ((48, 3), (0.0, 0.1, 0.1), 0.2),  # cheeks
    ((8, 57), (0.0, -0.05, 0.1), 0.15),  # chin
    ((6,), (0.0, 0.05, 0.0), 0.17),  # side of the chin
    ((4,), (0.0, 0.0, 0.0), 0.2),  # corner of the jaw
    ((19,), (0.0, 0.15, 0.0), 0.2),  # forehead
)
# Where features keep their own shape and move as a whole: (points, inner, outer radius), as above
FEATURES = (
    (range(36, 42), 0.23, 0.48),
    (range(42, 48), 0.23, 0.48),
    (range(48, 68), 0.30, 0.58),
)

# Standard deviation of the landmarks that the calibration fits: about 3 % of the outer interocular
# distance at 0.7 m before synth.capture.DEPTH_CAMERA.
LANDMARK_NOISE_PX = 3.0

# Expressions of the fitting model: the ones whose landmarks move most.
FITTED = (
    "jawOpen",
    "mouthSmile_L",
    "mouthSmile_R",
    "mouthFrown_L",
    "mouthFrown_R",
    "mouthPucker",
    "mouthFunnel",
    "mouthUpperUp_L",
    "mouthUpperUp_R",
    "browInnerUp",
    "browOuterUp_L",
    "browOuterUp_R",
    "browDown_L",
    "browDown_R",
    "eyeBlink_L",
    "eyeBlink_R",
)
FITTED_IDENTITIES = 40


@dataclass(frozen=True, slots=True)
class BeyondSettings:
    """How far a person is from any face that the model knows.

    Attributes:
        amplitude: factor on the field and the bumps.
        size: standard deviation of the head's size, relative: a colour image does not tell it.
        proportion: the same of its width, height and depth, each on its own.
        broad_mm: RMS of the smooth field (a vector: along the normal and both tangents).
        asymmetry: size of its one-sided part beside the symmetric one.
        bump_mm: standard deviation of the bumps on nose, cheeks, chin, jaw and forehead.
        crease_mm: depth of a deep wrinkle.
        pore_mm: RMS of the finest field.
    """

    amplitude: float = 1.27
    size: float = 0.07
    proportion: float = 0.04
    broad_mm: float = 1.6
    asymmetry: float = 0.25
    bump_mm: float = 1.0
    crease_mm: float = 0.7
    pore_mm: float = 0.05


def beyond_model(
    model: MorphableModel,
    rng: np.random.Generator,
    settings: BeyondSettings = BeyondSettings(),
    age: float | None = None,
) -> np.ndarray:
    """Offsets (V, 3) float64 mm in the model frame, to be added to ``model.shape(...)``.

    Size and proportions of the whole; a band-limited field over it, its symmetric part the
    larger; bumps; wrinkles; and roughness at the mesh's own scale. Lids and lips keep their
    shape: around eyes and mouth the field turns into one shift of the whole feature, which
    eyeballs and teeth share.

    Args:
        model: gives the mean, on which the fields are laid, so that they move with the face.
        rng: every part is drawn from it, whatever the settings.
        settings: how much of each.
        age: years, for the wrinkles; drawn where None.
    """
    s, ground = settings, _ground(model)
    field = s.broad_mm * _broad(ground, rng, s.asymmetry) + s.bump_mm * _bumps(ground, rng)
    if ground.prolongation is not None:
        field = ground.prolongation @ field
    field = s.amplitude * _pinned(field, ground)
    field += model.mean_mm * _stretch(rng, s)
    years = float(rng.uniform(18, 80)) if age is None else age
    depth = s.pore_mm * _waves(ground.face_mm, PORE_MM, rng)[:, 0]
    depth -= s.crease_mm * crease_depth_mm(ground.face_mm, ground.marks_mm, years, rng)
    field[ground.face] += (depth * ground.smooth)[:, None] * ground.normals
    return field


@lru_cache(maxsize=4)
def fitting_model(model: MorphableModel) -> MorphableModel:
    """The model that subjects are registered with: fewer modes than they are made of.

    The first FITTED_IDENTITIES identity modes, and the expressions FITTED (all the model's where
    it names none of them).
    """
    chosen = [model.expression_names.index(n) for n in FITTED if n in model.expression_names]
    return _with_modes(model, chosen or list(range(len(model.expression_names))))


def _with_modes(model: MorphableModel, expressions: list[int]) -> MorphableModel:
    return replace(
        model,
        identity_mm=model.identity_mm[:FITTED_IDENTITIES],
        expression_mm=model.expression_mm[expressions],
        expression_names=tuple(model.expression_names[e] for e in expressions),
        coarse=None if model.coarse is None else _with_modes(model.coarse, expressions),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What the fields are laid on; n vertices of the coarse level, V of the model, F of the face.

    points (n, 3) with mirror (n,); bump_shape (n, B) and bump_way (B, 3); front (n,) bool, the
    face; skull (n,), the share of the smooth field; prolongation (V, n) or
    None; pins: (share (V,), vertices) of each feature; face (F,) vertices with face_mm, normals
    (F, 3) and smooth (F,), their distance from the features as 0 to 1; marks_mm (68, 3).
    """

    points: np.ndarray
    mirror: np.ndarray
    bump_shape: np.ndarray
    bump_way: np.ndarray
    bump_pair: np.ndarray
    front: np.ndarray
    skull: np.ndarray
    prolongation: object
    pins: tuple
    face: np.ndarray
    face_mm: np.ndarray
    normals: np.ndarray
    smooth: np.ndarray
    marks_mm: np.ndarray


@lru_cache(maxsize=4)
def _ground(model: MorphableModel) -> _Ground:
    level = model if model.coarse is None else model.coarse
    points = level.mean_mm.astype(np.float64)
    marks = model.mean_mm[model.landmarks["ibug68"]].astype(np.float64)
    iod = model.iod_mm
    shape, way, pair = _bump_table(points, vertex_normals(points, level.triangles), marks, iod)
    fine = model.mean_mm.astype(np.float64)
    pins = tuple(
        _pin(fine, marks[list(p)], inner * iod, outer * iod) for p, inner, outer in FEATURES
    )
    face = np.flatnonzero(model.regions["face"] & model.part_vertices("skin"))
    free = np.prod([1 - share for share in pins], axis=0)
    return _Ground(
        points=points,
        mirror=level.mirror,
        bump_shape=shape,
        bump_way=way,
        bump_pair=pair,
        front=level.regions["face"],
        skull=_skull(points, marks, iod),
        prolongation=None if model.coarse is None else model.prolongation,
        pins=pins,
        face=face,
        face_mm=fine[face],
        normals=vertex_normals(fine, model.triangles)[face],
        smooth=free[face],
        marks_mm=marks,
    )


def _pin(points, marks, inner, outer):
    """Share (V,) in [0, 1] of the feature's common shift: 1 up to ``inner`` mm from its marks'
    middle, 0 from ``outer`` on."""
    middle = (marks.min(0) + marks.max(0)) / 2
    gap = np.linalg.norm((points - middle) * [1.0, 1.0, 0.6], axis=1)  # sockets reach inwards
    return 1 - _smoothstep((gap - inner) / (outer - inner))


def _skull(points, marks, iod):
    """Share (n,) of the field: 1 on the face, SKULL on top and behind the ears."""
    above = (points[:, 1] - marks[[19, 24], 1].mean()) / iod - 0.2
    behind = (marks[[0, 16], 2].mean() - points[:, 2]) / iod - 0.2
    return 1 - (1 - SKULL) * np.maximum(_smoothstep(above / 0.7), _smoothstep(behind / 0.7))


def _bump_table(points, normals, marks, iod):
    """Shapes (n, B), directions (B, 3) and the index (B,) of each one's left partner."""
    tree, rows = cKDTree(points), []
    for index, (indices, offset, radius) in enumerate(BUMPS):
        centre = marks[list(indices)].mean(0) + np.array(offset) * iod
        sides = (1, -1) if abs(centre[0]) > 0.02 * iod else (1,)
        for side in sides:
            rows.append((centre * [side, 1, 1], radius * iod, index))
    shape, way = [], []
    for centre, radius, _ in rows:
        _, near = tree.query(centre, k=30)
        middle = points[near].mean(0)
        direction = normals[near].mean(0)
        way.append(direction / np.linalg.norm(direction))
        shape.append(np.exp(-0.5 * ((points - middle) ** 2).sum(1) / radius**2))
    return np.array(shape).T, np.array(way), np.array([index for _, _, index in rows])


def _bumps(ground: _Ground, rng) -> np.ndarray:
    """Sum of the bumps (n, 3), of unit standard deviation each; sides differ by a third."""
    common = rng.normal(size=len(BUMPS))[ground.bump_pair]
    own = rng.normal(size=len(ground.bump_pair))
    height = np.clip(0.94 * common + 0.33 * own, -2.2, 2.2)
    return ground.bump_shape @ (height[:, None] * ground.bump_way)


def _waves(points, wavelengths, rng) -> np.ndarray:
    """A random field (n, 3) of unit RMS a coordinate: longer waves are stronger, as in faces."""
    length = np.exp(rng.uniform(*np.log(wavelengths), WAVES))
    way = rng.normal(size=(WAVES, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    phase = rng.uniform(0, 2 * np.pi, WAVES)
    strength = rng.normal(size=(WAVES, 3)) * length[:, None]
    strength *= np.sqrt(2 / (length**2).sum())
    angle = (points @ (way * (2 * np.pi / length)[:, None]).T + phase).astype(np.float32)
    return (np.cos(angle) @ strength.astype(np.float32)).astype(np.float64)


def _mirrored(field, mirror, asymmetry):
    """The field's symmetric part, and its one-sided part scaled; RMS as it was."""
    other = field[mirror] * [-1, 1, 1]
    both, single = (field + other) / 2, (field - other) / 2
    return (both + asymmetry * single) * np.sqrt(2 / (1 + asymmetry**2))


def _broad(ground: _Ground, rng, asymmetry: float) -> np.ndarray:
    """The smooth field (n, 3): of unit RMS a coordinate over the face, give or take a fifth.

    Without what it moves the face as a whole, so that its strength is all shape; no person is far
    beyond the others, and the skull, whose forms differ little, gets a part of it.
    """
    field = _mirrored(_waves(ground.points, BROAD_MM, rng), ground.mirror, asymmetry)
    field = field - field[ground.front].mean(0)
    rms = np.sqrt((field[ground.front] ** 2).mean())
    return field * (ground.skull * rng.uniform(0.8, 1.2) / rms)[:, None]


def _stretch(rng, s: BeyondSettings) -> np.ndarray:
    """Relative change (3,) of width, height and depth, its normal draws cut off at 2 σ."""
    size, *axes = np.clip(rng.normal(size=4), -2, 2)
    return s.size * size + s.proportion * np.array(axes)


def _pinned(field, ground: _Ground):
    """The field with each feature moved as one, by what the field is around it on average."""
    out = field
    for share in ground.pins:
        common = (field * share[:, None]).sum(0) / share.sum()
        out = out + share[:, None] * (common - field)
    return out


def _smoothstep(x):
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
