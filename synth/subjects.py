"""Virtual people: who they are, what they do with their face, and how the light falls."""

from dataclasses import dataclass, field, replace

import numpy as np

from faces.camera import Pose
from faces.morphable import MorphableModel
from faces.rotation import matrix_from_euler
from synth.beyond import BeyondSettings, beyond_model
from synth.eyes.gaze import eyes_middle, lids_follow, sample_target, turn_eyes
from synth.eyes.lids import seat_lids
from synth.light import Light, sample_light
from synth.skin.parameters import SkinParameters, sample_skin

# What people do with a mouth, and with the rest: one of each at most, so that no two of them
# contradict (an open jaw with closed lips). Each with how often it is met among faces before a
# camera, most of which smile; weights are the strongest that looks natural. By eye.
MOUTH_CHANCE, MOUTH = zip(
    (0.24, {"mouthSmile": 0.7, "cheekSquint": 0.35}),
    (
        0.2,
        {
            "mouthSmile": 0.75,
            "mouthUpperUp": 0.75,
            "mouthLowerDown": 0.3,
            "jawOpen": 0.16,
            "cheekSquint": 0.4,
        },
    ),
    (0.1, {"mouthSmile": 0.7, "mouthUpperUp": 0.8, "jawOpen": 0.2, "cheekSquint": 0.45}),
    (0.1, {"mouthDimple": 0.5}),
    (0.08, {"mouthPress": 0.5}),
    (0.07, {"jawOpen": 0.4, "mouthUpperUp": 0.3}),
    (0.05, {"jawOpen": 0.25, "mouthFunnel": 0.4}),
    (0.06, {"mouthFrown": 0.5}),
    (0.05, {"mouthPucker": 0.5}),
    (0.05, {"mouthStretch": 0.3, "jawOpen": 0.12, "mouthUpperUp": 0.3, "mouthLowerDown": 0.3}),
    strict=True,
)
UPPER_CHANCE, UPPER = zip(
    (0.27, {"browInnerUp": 0.3, "browOuterUp": 0.3}),
    (0.22, {"browInnerUp": 0.4, "browOuterUp": 0.6, "eyeWide": 0.4}),
    (0.12, {"browDown": 0.5}),
    (0.12, {"browDown": 0.35, "eyeSquint": 0.4}),
    (0.14, {"eyeSquint": 0.5}),
    (0.06, {"eyeBlink": 0.35}),
    (0.04, {"eyeBlink": 1.0}),
    (0.03, {"noseSneer": 0.35}),
    strict=True,
)
TOGETHER = ("eyeBlink",)  # what both sides do alike
SIDES = ("_L", "_R", "Left", "Right")


@dataclass(frozen=True, slots=True)
class SubjectSettings:
    """How far from the average a subject may be.

    Attributes:
        identity_sigma: standard deviation of the identity coefficients.
        identity_limit: their largest size.
        neutral_share: probability of a face at rest.
        asymmetry: largest relative difference of an expression's left and right weight.
        albedo_sigma, albedo_limit: as for the identity; a full σ in every mode together makes
            skin colours that no light explains.
        yaw_deg, pitch_deg, roll_deg: largest head angles, drawn uniformly.
        distance_mm: (nearest, farthest) of the model's origin from the camera.
        offset_mm: largest shift of the head along x and y.
        age_years: (youngest, oldest).
        beyond: shape that no fit of the model explains.
        occluder: what is worn and held, a name of synth.props.wardrobe.OCCLUDERS.
    """

    identity_sigma: float = 1.0
    identity_limit: float = 2.5
    neutral_share: float = 0.4
    asymmetry: float = 0.2
    albedo_sigma: float = 0.6
    albedo_limit: float = 1.5
    yaw_deg: float = 15.0
    pitch_deg: float = 8.0
    roll_deg: float = 5.0
    distance_mm: tuple[float, float] = (600.0, 900.0)
    offset_mm: float = 15.0
    age_years: tuple[float, float] = (16.0, 78.0)
    beyond: BeyondSettings = field(default_factory=BeyondSettings)
    occluder: str = "hair"


@dataclass(frozen=True, slots=True)
class Subject:
    """A virtual person in one pose.

    Attributes:
        key: of the frame, "SUBJECT/FRAME".
        subject: the person.
        identity: (K,) float64, in σ.
        expression: (E,) float64 weights.
        beta: (B,) float64 albedo coefficients, in σ.
        beyond_mm: (V, 3) float64, what the model cannot make, in the model frame.
        skin: age, sex, pigments, hair's colour and everything else that is painted.
        occluder: of the settings.
        seed: of what stays with the person from frame to frame: skin, hair and clothes.
        pose: model frame to camera frame.
        light: in the camera frame.
        target_mm: (3,) float64, what both eyes look at, in the camera frame.
    """

    key: str
    subject: str
    identity: np.ndarray
    expression: np.ndarray
    beta: np.ndarray
    beyond_mm: np.ndarray
    skin: SkinParameters
    occluder: str
    seed: int
    pose: Pose
    light: Light
    target_mm: np.ndarray

    def shape(self, model: MorphableModel) -> np.ndarray:
        """The true surface (V, 3) float64 mm in the model frame."""
        return self.surface(model)[0]

    def surface(self, model: MorphableModel) -> tuple[np.ndarray, np.ndarray]:
        """The true surface, and all of it that the model's shape lacks: ``beyond_mm``, the turn
        of the eyeballs and lids that clear them; both (V, 3) float64 mm in the model frame."""
        rest = model.shape(self.identity, self.expression) + self.beyond_mm
        target = self.pose.invert(self.target_mm)
        shape = seat_lids(model, turn_eyes(model, rest, self.expression, target))
        return shape, self.beyond_mm + (shape - rest)


def sample_subject(
    model: MorphableModel,
    rng: np.random.Generator,
    settings: SubjectSettings = SubjectSettings(),
    key: str = "s0000/f000",
) -> Subject:
    """A random person; the same for the same state of ``rng``."""
    s = settings
    age, male = float(rng.uniform(*s.age_years)), bool(rng.random() < 0.5)
    skin = sample_skin(rng, age, male)
    subject = Subject(
        key=key,
        subject=key.split("/")[0],
        identity=_truncated(rng, len(model.identity_mm), s.identity_sigma, s.identity_limit),
        expression=sample_expression(model.expression_names, rng, s),
        beta=_truncated(rng, len(model.albedo_modes), s.albedo_sigma, s.albedo_limit),
        beyond_mm=beyond_model(model, rng, s.beyond, age),
        skin=skin,
        occluder=s.occluder,
        seed=int(rng.integers(2**63)),
        pose=_sample_pose(rng, s),
        light=sample_light(rng).brighter(exposure_for(skin)),
        target_mm=np.zeros(3),
    )
    return _looking(subject, model, rng)


def next_frame(
    subject: Subject,
    model: MorphableModel,
    rng: np.random.Generator,
    settings: SubjectSettings,
    key: str,
) -> Subject:
    """The same person another time: expression, pose and light are drawn again."""
    frame = replace(
        subject,
        key=key,
        expression=sample_expression(model.expression_names, rng, settings),
        pose=_sample_pose(rng, settings),
        light=sample_light(rng).brighter(exposure_for(subject.skin)),
    )
    return _looking(frame, model, rng)


def sample_expression(
    names: tuple[str, ...], rng: np.random.Generator, settings: SubjectSettings
) -> np.ndarray:
    """Weights (E,) float64 in [0, 1]: at rest, or one recipe of the mouth, of the rest, or both."""
    weights = np.zeros(len(names))
    chosen = (rng.choice(len(chance), p=chance) for chance in (MOUTH_CHANCE, UPPER_CHANCE))
    draws = (rng.random(3), *chosen)
    (rest, mouth_share, upper_share), mouth, upper = draws
    strength = rng.uniform(0.3, 1.0, 2)
    lean = 1 + settings.asymmetry * rng.uniform(-0.5, 0.5)
    tilts = {"_L": lean, "Left": lean, "_R": 2 - lean, "Right": 2 - lean}
    if rest < settings.neutral_share:
        return weights
    recipes = []
    if mouth_share < 0.8:
        recipes.append((MOUTH[mouth], strength[0]))
    if upper_share < 0.6:
        recipes.append((UPPER[upper], strength[1]))
    for recipe, factor in recipes:
        for index, name in enumerate(names):
            base, side = _unsided(name)
            tilt = 1.0 if base in TOGETHER else tilts.get(side, 1.0)
            weights[index] += recipe.get(base, 0.0) * factor * tilt
    return np.clip(weights, 0, 1)


def _looking(subject: Subject, model: MorphableModel, rng: np.random.Generator) -> Subject:
    """The subject with a gaze, and with lids that follow it."""
    eyes = eyes_middle(model)
    target = sample_target(rng, subject.pose, eyes)
    way = subject.pose.invert(target) - eyes
    expression = lids_follow(model, subject.expression, way)
    return replace(subject, target_mm=target, expression=expression)


def exposure_for(skin: SkinParameters) -> float:
    """Gain of the light: a camera exposes for the face, the darker the skin the more, though not
    all of it."""
    return float((0.33 / (0.06 + 0.4 * skin.lightness)) ** 0.38)


def _sample_pose(rng: np.random.Generator, s: SubjectSettings) -> Pose:
    limits = np.array([s.yaw_deg, s.pitch_deg, s.roll_deg])
    rotation = matrix_from_euler(*rng.uniform(-limits, limits))
    x, y = rng.uniform(-s.offset_mm, s.offset_mm, 2)
    return Pose(rotation, np.array([x, y, rng.uniform(*s.distance_mm)]))


def _truncated(rng: np.random.Generator, count: int, sigma: float, limit: float) -> np.ndarray:
    """N(0, σ²) without the tails beyond ``limit``: those are drawn again."""
    values = rng.normal(0, sigma, count)
    while (far := np.abs(values) > limit).any():
        values[far] = rng.normal(0, sigma, int(far.sum()))
    return values


def _unsided(name: str) -> tuple[str, str]:
    """An expression's name without its side, and the side ("" where it has none)."""
    for side in SIDES:
        if name.endswith(side):
            return name[: -len(side)], side
    return name, ""
