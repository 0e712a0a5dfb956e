"""The truth of a rotated view: the same virtual person, turned and rendered anew.

The whole person turns rigidly about the head, body included, since that is what turning the image
as one mesh does. The truth has no noise; exposure and white balance are those of the photograph
(a gain a channel in linear light, fitted on the head at the base pose), because no rotation can
know that the camera erred. The lamp turns along ("turn"), as the shading of the image's own
pixels does, or stays in the room ("still"), which is what relighting must reach. A catch light in
the eye is part of the eye's paint and turns either way.
"""

from dataclasses import dataclass, replace

import numpy as np

from faces.camera import FLIP, Camera, Pose
from faces.morphable import MorphableModel
from faces.types import RegisteredFace, Scan
from imaging.deferred import to_linear
from synth.capture import person_pieces
from synth.head import GROUPS
from synth.light import Light
from synth.scene import LABELS, Backdrop, SceneImage, render_scene
from synth.skin.pigment import encode
from synth.subjects import Subject

# What counts as the head, for its outline: all above a plane that passes so far below the chin
# and, so far behind it, through the nape at the height of the mouth's corners. Below it lie neck,
# shoulders and what hangs on them.
BELOW_CHIN_MM, NAPE_MM = 8.0, 150.0
CHIN, MOUTH_CORNERS = 8, (48, 54)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A virtual person as it was before the camera, in the source camera's frame.

    Attributes:
        vertices_mm: (V, 3) of the head, in the model's topology.
        visible: (V,) bool, seen by the source camera.
        pieces: all surfaces; the model's own (skin, eyes, mouth) come first.
        light: of the photograph.
        still: whether the light stays in the room when the person turns.
        plane: (4,), n and d: points with n·x > d are the head.
        gain: (3,) of the photograph's exposure, linear light.
        photo: (H, W, 3) uint8, the photograph; clean: the same without the sensor, exposed alike.
    """

    vertices_mm: np.ndarray
    visible: np.ndarray
    pieces: list
    light: Light
    still: bool
    plane: np.ndarray
    gain: np.ndarray
    photo: np.ndarray
    clean: np.ndarray

    def seen(self, pose: Pose, face: RegisteredFace, camera: Camera, behind) -> "Seen":
        """What a perfect camera sees where a view's pose carries the person.

        Args:
            pose: of the view, of ``face``'s shape.
            face: the registration of the photograph; only its pose is read.
            camera: of the view.
            behind: (h, w, 3) uint8, shown where the person is not.
        """

        def move(points):
            return pose.apply(face.pose.invert(points))

        turn = FLIP @ pose.rotation @ face.pose.rotation.T @ FLIP
        pieces = [replace(piece, vertices_mm=move(piece.vertices_mm)) for piece in self.pieces]
        light = self.light if self.still else self.light.turned(turn)
        image = render_scene(pieces, camera, light, backdrop=_backdrop(behind))
        normal = turn @ self.plane[:3]
        offset = normal @ move(self.plane[:3] * self.plane[3])
        return Seen(
            _exposed(image.color, self.gain),
            image.color,
            image,
            camera,
            move(self.vertices_mm),
            np.append(normal, offset),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The truth at a view.

    Attributes:
        color: (h, w, 3) uint8, exposed as the photograph; ideal: as the person was lit.
        image: labels, pieces and depth.
        camera: of the view.
        vertices_mm: (V, 3) of the head.
        plane: (4,) in the view's camera frame.
    """

    color: np.ndarray
    ideal: np.ndarray
    image: SceneImage
    camera: Camera
    vertices_mm: np.ndarray
    plane: np.ndarray

    @property
    def skin(self) -> np.ndarray:
        """(h, w) bool: the model's own surface: skin of head and neck, eyes and mouth."""
        return (self.image.piece_id >= 0) & (self.image.piece_id < len(GROUPS))

    @property
    def hair(self) -> np.ndarray:
        """(h, w) bool: hair and beard."""
        return self.image.labels == LABELS.index("hair")

    def above(self, depth_mm: np.ndarray) -> np.ndarray:
        """(h, w) bool: surfaces (their z, 0 = none) of the head rather than of neck and body."""
        rows, columns = np.mgrid[: depth_mm.shape[0], : depth_mm.shape[1]] + 0.5
        points = self.camera.unproject(np.stack([columns, rows], -1), depth_mm)
        return (depth_mm > 0) & (points @ self.plane[:3] > self.plane[3])


def make_truth(subject: Subject, scan: Scan, model: MorphableModel, still: bool = False) -> Truth:
    """The truth of a captured subject; see Truth."""
    pieces = person_pieces(subject, model)
    base = render_scene(pieces, scan.camera, subject.light, backdrop=_backdrop(scan.color))
    own = (base.piece_id >= 0) & (base.piece_id < len(GROUPS))
    gain = _gain(base.color[own], scan.color[own])
    return Truth(
        vertices_mm=scan.truth["vertices_mm"],
        visible=scan.truth["visible"],
        pieces=pieces,
        light=subject.light,
        still=still,
        plane=_neck_plane(subject, model),
        gain=gain,
        photo=scan.color,
        clean=_exposed(base.color, gain),
    )


def _backdrop(color):
    linear = to_linear(color / np.float32(255))
    nowhere = np.zeros(color.shape[:2], np.float32)
    return Backdrop(linear, nowhere, nowhere.astype(np.uint8))


def _gain(clean, photo):
    """(3,) median ratio of the photograph to the truth in linear light, clipped pixels aside."""
    within = ((clean > 20) & (clean < 235) & (photo > 20) & (photo < 235)).all(1)
    ratio = to_linear(photo[within] / np.float32(255)) / to_linear(clean[within] / np.float32(255))
    return np.median(ratio, axis=0)


def _exposed(color, gain):
    """The image (h, w, 3) uint8 under another exposure and white balance."""
    linear = to_linear(np.arange(256, dtype=np.float32) / 255)
    tables = np.rint(255 * encode(np.clip(linear[:, None] * gain, 0, 1))).astype(np.uint8)
    return np.stack([tables[color[..., n], n] for n in range(3)], -1)


def _neck_plane(subject, model):
    """(4,) in the source camera's frame; see BELOW_CHIN_MM."""
    marks = subject.shape(model)[model.landmarks["ibug68"]]
    chin = marks[CHIN] - [0, BELOW_CHIN_MM, 0]
    nape = np.array([chin[0], marks[list(MOUTH_CORNERS), 1].mean(), chin[2] - NAPE_MM])
    way = nape - chin
    normal = np.array([0.0, -way[2], way[1]])
    normal /= np.linalg.norm(normal)
    turned = FLIP @ subject.pose.rotation @ normal
    return np.append(turned, turned @ subject.pose.apply(chin))
