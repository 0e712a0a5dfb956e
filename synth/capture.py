"""A simulated RGB-D camera before a virtual person, with the truth that it never shows."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from faces.camera import Camera
from faces.morphable import MorphableModel
from faces.types import Landmarks, Provenance, Scan
from faces.visibility import unhidden_vertices
from synth.beyond import LANDMARK_NOISE_PX
from synth.clothes.neck import neck_rings
from synth.clothes.torso import make_torso
from synth.eyes.catch_light import with_catch_light
from synth.eyes.gaze import gaze_of
from synth.eyes.lashes import make_lashes
from synth.head import GROUPS, SKIN_GLOSS, head_pieces, pore_relief, vertex_albedo
from synth.rooms.room import RoomSettings, make_backdrop
from synth.scene import LABELS, Piece, SceneImage, render_scene
from synth.sensors.presets import STRUCTURED_LIGHT
from synth.sensors.sensor import SensorSettings, infrared, sense_color, sense_depth
from synth.skin.texture import paint_person
from synth.subjects import Subject
from synth.wear import wear

# a 640×480 depth camera whose lens lets a face at 0.7 m fill half of the image's height
DEPTH_CAMERA = Camera(640, 480, 900.0, 900.0, 320.0, 240.0)


PAINT, LASHES = 1, 2  # streams of a subject's seed: what is painted, and what grows on lids


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """The camera and the room.

    Attributes:
        camera: colour and depth share it; no distortion.
        supersample: colour samples along each pixel axis.
        sensor: noise and faults.
        room: what is behind the person.
        landmark_noise_px: standard deviation of the landmarks a detector would give.
        albedo_map: whether the truth holds the painted texture; it is most of a frame's bytes.
    """

    camera: Camera = DEPTH_CAMERA
    supersample: int = 2
    sensor: SensorSettings = STRUCTURED_LIGHT
    room: RoomSettings = field(default_factory=RoomSettings)
    landmark_noise_px: float = LANDMARK_NOISE_PX
    albedo_map: bool = False


def capture(
    subject: Subject,
    model: MorphableModel,
    rng: np.random.Generator,
    settings: CaptureSettings = CaptureSettings(),
) -> Scan:
    """One frame of the subject; the same for the same state of ``rng``.

    Returns:
        A Scan with noisy landmarks, and in ``truth``: "vertices_mm" (V, 3) float64 in the camera
        frame; "visible" (V,) bool, seen by the camera and hidden by nothing; "labels" (H, W)
        uint8, index into synth.scene.LABELS; "identity", "expression",
        "beta", "beyond_mm" (V, 3), all that the model's shape lacks, with the turn of the
        eyeballs; "gaze" (2, 3), unit vectors in the camera frame from the eyeballs' centres (of
        the spheres nearest to them) through the pupils, first the eye at x < 0 of the model
        frame, (0, 3) where the model has no eyeballs; "target_mm" (3,), what they look at;
        "rotation" (3, 3) and "translation_mm" (3,) of the pose; "camera" (4,) = fx, fy, cx, cy;
        "landmarks_px" (68, 2) with "landmark_vertices" (68,) and "landmarks_visible" (68,);
        "albedo" (V, 3);
        "environment" (9, 3), "light" (3,), "ambient" (3,), "directional" (3,) and "gloss" (2,) =
        (k_s, ν) of the cheeks' skin, all in linear light; and "albedo_map" (1024, 1024, 3) uint8
        sRGB on the model's uv, where the settings ask for it and the model is painted on.
    """
    camera = settings.camera
    (shape, beyond), albedo = subject.surface(model), skin_of(subject, model)
    vertices, colors = subject.pose.apply(shape), vertex_albedo(model, albedo)
    pieces = _shining(_pieces(subject, model, shape, albedo, colors), subject)
    backdrop = make_backdrop(subject.pose.translation_mm, camera, subject.light, rng, settings.room)
    image = render_scene(pieces, camera, subject.light, settings.supersample, True, backdrop)
    visible = _seen(vertices, model, camera, image)
    points = jaw_aware_landmarks(model, visible)
    landmarks_px = camera.project(vertices[points])
    noise = rng.normal(0, settings.landmark_noise_px, landmarks_px.shape)
    reflectance = infrared(image.color, image.labels == LABELS.index("hair"))
    return Scan(
        key=subject.key,
        subject=subject.subject,
        color=sense_color(image.color, rng, settings.sensor),
        depth_mm=sense_depth(image.depth_mm, camera, rng, settings.sensor, reflectance),
        camera=camera,
        provenance=Provenance.simulated(model.licence),
        landmarks=Landmarks(landmarks_px + noise, "ibug68", np.ones(len(points))),
        truth={
            "vertices_mm": vertices,
            "visible": visible,
            "labels": image.labels,
            "landmarks_px": landmarks_px,
            "landmark_vertices": points,
            "landmarks_visible": visible[points],
            "albedo": colors,
            "camera": np.array([camera.fx, camera.fy, camera.cx, camera.cy]),
            "gaze": gaze_of(model, vertices),
            **_parameters(subject),
            **({"albedo_map": _bytes(albedo)} if settings.albedo_map and albedo.ndim == 3 else {}),
            "beyond_mm": beyond,
        },
    )


def person_pieces(subject: Subject, model: MorphableModel) -> list[Piece]:
    """Head, hair, body and clothes in the camera frame; the head's skin comes first."""
    albedo = skin_of(subject, model)
    colors = vertex_albedo(model, albedo)
    return _shining(_pieces(subject, model, subject.shape(model), albedo, colors), subject)


def skin_of(subject: Subject, model: MorphableModel) -> np.ndarray:
    """The subject's albedo: a texture (1024, 1024, 3) float32 sRGB on the model's uv, or, where
    the model has no eyes to paint, colours (V, 3) of its own basis."""
    if not model.part_vertices("eye").any():
        return model.albedo(subject.beta)
    return paint_person(model, subject.skin, np.random.default_rng([subject.seed, PAINT]))


def _pieces(subject: Subject, model, shape_mm, albedo, colors) -> list[Piece]:
    rng, skin = np.random.default_rng(subject.seed), subject.skin
    rings = neck_rings(model)
    own = head_pieces(model, shape_mm, albedo, pore_relief(rng))
    tones = [colors[ring] for ring in rings]
    tone = np.median(tones[0], axis=0)
    turn = subject.pose.rotation  # the body does not turn with the head
    own += wear(model, shape_mm, skin, tone, subject.occluder, rng, turn)
    own += make_lashes(model, shape_mm, skin, np.random.default_rng([subject.seed, LASHES]))
    neck = [subject.pose.apply(shape_mm[ring]) for ring in rings]
    worn = make_torso(neck, tones, rng, skin.male)
    moved = [piece.moved(subject.pose) for piece in own]
    if albedo.ndim == 3:
        eye = [piece.label for piece in moved].index("eye")
        moved[eye] = with_catch_light(model, moved[eye], subject.light, len(albedo))
    return [*moved, *worn]


def _shining(pieces: list[Piece], subject: Subject) -> list[Piece]:
    """The pieces with the person's own ν on all skin."""
    power = subject.light.shininess
    return [replace(p, shininess=power) if p.label == "skin" else p for p in pieces]


def _seen(vertices_mm, model, camera: Camera, image: SceneImage) -> np.ndarray:
    """(V,) bool: before everything else, and among pixels of the head itself, since a cap of hair
    or a collar lies nearer to the skin than depth alone can tell."""
    visible = unhidden_vertices(vertices_mm, model.triangles, camera, image.depth_mm)
    own = np.isin(image.labels, [LABELS.index(name) for name in GROUPS]).astype(np.uint8)
    around = cv2.dilate(own, np.ones((3, 3), np.uint8)) > 0
    column, row = camera.project(vertices_mm[visible]).astype(int).T
    visible[visible] = around[row, column]
    return visible


def jaw_aware_landmarks(model: MorphableModel, visible: np.ndarray) -> np.ndarray:
    """Vertices (68,) int32 that an image's ibug68 points show.

    A jaw point that the camera does not see slides along its contour line towards the front of
    the cheek until it is seen: there the outline of the face is, and there people and detectors
    put the point.

    Args:
        model: gives the points and the contour lines.
        visible: (V,) bool, from faces.visibility.
    """
    points = model.landmarks["ibug68"].copy()
    for jaw, line in enumerate(model.contour):
        if visible[points[jaw]]:
            continue
        at = int(np.argmax(line == points[jaw]))  # 0, the front end, where it is not on its line
        while at > 0 and not visible[line[at]]:
            at -= 1
        points[jaw] = line[at]
    return points


def _bytes(texture: np.ndarray) -> np.ndarray:
    """sRGB in [0, 1] as uint8."""
    return np.rint(255 * texture).astype(np.uint8)


def _parameters(subject: Subject) -> dict[str, np.ndarray]:
    light = subject.light
    return {
        "identity": subject.identity,
        "expression": subject.expression,
        "beta": subject.beta,
        "target_mm": subject.target_mm,
        "rotation": subject.pose.rotation,
        "translation_mm": subject.pose.translation_mm,
        "environment": light.environment,
        "light": light.direction,
        "ambient": light.ambient,
        "directional": light.directional,
        "gloss": np.array([SKIN_GLOSS * light.specular, light.shininess]),
    }
