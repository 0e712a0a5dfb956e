"""How near rotated views come to the truth, re-rendered at each target pose.

    python -m benchmarks.augment --subjects 4

Simulated subjects are captured with noise, registered and rotated. The truth of each view is the
subject's own mesh, colours and skin detail at the view's pose, without noise; shading turns with
the head, as it does in the view. Beside the filled view stand its peers: the stretched pixels
(the image's pixels everywhere, as without a fill) and the fitted model's texture alone. Figures
are means over a bin's views, ± one standard deviation.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass, replace

import cv2
import numpy as np

from augment.render import render_textures
from augment.rotate import make_view, prepare
from augment.settings import RotateSettings
from augment.view_plan import PlannedView
from faces.models import load_model
from faces.morphable import MorphableModel
from faces.rotation import nearest_rotation
from faces.types import RegisteredFace, View
from imaging.deferred import to_linear
from imaging.raster import rasterise
from registration.ticp import register
from synth.capture import capture, person_pieces
from synth.head import GROUPS
from synth.light import Light
from synth.render import render_face
from synth.scene import LABELS, Backdrop, SceneImage, render_scene
from synth.subjects import SubjectSettings, sample_subject

YAWS = (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0)
PITCHES = (-15.0, 10.0)
FILLED, SEAM_PX, AROUND_PX = 127, 2, 8
KERNEL = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A subject as it was before the camera: mesh, surfaces and light."""

    vertices_mm: np.ndarray
    pieces: list
    light: Light

    def seen(self, view: View, face: RegisteredFace) -> tuple[SceneImage, np.ndarray]:
        """Rendered at the view's pose over the view, the light turning with the head; and the
        vertices there."""

        def move(points):
            return view.pose.apply(face.pose.invert(points))

        turn = (move(np.eye(3)) - move(np.zeros((1, 3)))).T
        pieces = [replace(piece, vertices_mm=move(piece.vertices_mm)) for piece in self.pieces]
        behind = Backdrop(
            to_linear(view.color / np.float32(255)),
            np.zeros(view.color.shape[:2], np.float32),
            np.zeros(view.color.shape[:2], np.uint8),
        )
        light = self.light.turned(nearest_rotation(turn))
        image = render_scene(pieces, view.camera, light, backdrop=behind)
        return image, move(self.vertices_mm)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model = load_model("default")
    rows = defaultdict(list)
    for number in range(options.subjects):
        for yaw, figures in subject_rows(model, [options.seed, number]):
            rows[yaw].append(figures)
    report(rows)


def subject_rows(model: MorphableModel, seed: list[int]):
    """(yaw, figures) of every view of one simulated subject."""
    rng = np.random.default_rng(seed)
    subject = sample_subject(model, rng, SubjectSettings(occluder="none"))
    scan = capture(subject, model, rng)
    pieces = person_pieces(subject, model)[: len(GROUPS)]  # the head, without its body
    truth = Truth(scan.truth["vertices_mm"], pieces, subject.light)
    face = register(scan, model)
    settings = RotateSettings()
    source = prepare(scan, face, model, settings)
    side = 1.0 if face.pose.rotation[0, 2] >= 0 else -1.0
    for yaw in YAWS:
        for pitch in PITCHES:
            view = make_view(source, face, model, PlannedView(side * yaw, pitch), settings)
            raw = render_textures(source, face, view.pose, view.camera, settings)
            yield yaw, figures_of(view, raw, source.scene, face, model, truth)


def figures_of(view: View, raw, scene, face: RegisteredFace, model, truth: Truth) -> dict:
    """The view's figures by name; NaN where a region is empty."""
    reference, there = truth.seen(view, face)
    whole = np.isin(reference.labels, [LABELS.index(n) for n in ("skin", "eye", "mouth")])
    drawn = view.pose.apply(face.pose.invert(scene.vertices_mm))
    head = head_mask(drawn, scene.triangles[: scene.head_triangles], view.camera)
    inside = cv2.erode((whole & head).astype(np.uint8), KERNEL, iterations=2) > 0
    seen, filled = inside & (view.synthesised == 0), inside & (view.synthesised > FILLED)
    alone = texture_alone(view, face, model)
    images = {"view": view.color, "stretched": 255 * raw.photo, "texture": alone}
    out = {"visible dB": psnr(view.color, reference.color, seen)}
    for name, image in images.items():
        out[f"filled {name} dB"] = psnr(image, reference.color, filled)
        out[f"grad {name}"] = gradient_error(image, reference.color, filled)
    out["seam view"] = seam_ratio(view.color, inside, view.synthesised)
    out["seam truth"] = seam_ratio(reference.color, inside, view.synthesised)
    out["IoU"] = (head & whole).sum() / (head | whole).sum()
    at = view.camera.project(there[model.landmarks["ibug68"]])
    apart = np.linalg.norm(at - view.landmarks_px, axis=1)
    return out | {"lmk px": apart[17:].mean(), "filled %": 100 * filled.sum() / inside.sum()}


def head_mask(vertices_mm, triangles, camera) -> np.ndarray:
    size = (camera.width, camera.height)
    return rasterise(camera.screen(vertices_mm), triangles, size, camera.is_perspective).mask


def texture_alone(view: View, face: RegisteredFace, model) -> np.ndarray:
    """The registered head in the fitted colours of Eq. 4, over the view."""
    vertices = view.pose.apply(face.shape_mm)
    return render_face(model, vertices, face.appearance.colors, view.camera, view.color).color


def psnr(image, reference, mask) -> float:
    """dB over the mask's pixels, all channels."""
    error = (image.astype(float) - reference.astype(float))[mask]
    return 10 * np.log10(255**2 / (error**2).mean()) if mask.sum() > 50 else np.nan


def gradient_error(image, reference, mask) -> float:
    """Mean length of the difference of two luminance gradients, grey levels a pixel."""
    apart = gradient(image) - gradient(reference)
    inner = cv2.erode(mask.astype(np.uint8), KERNEL) > 0
    return np.linalg.norm(apart[inner], axis=-1).mean() if inner.sum() > 50 else np.nan


def seam_ratio(image, inside, synthesised) -> float:
    """Mean gradient on the seam of photographed and filled over that of its surroundings."""
    filled = (synthesised > FILLED).astype(np.uint8)
    edge = (cv2.dilate(filled, KERNEL) > cv2.erode(filled, KERNEL)) & inside
    distance = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5)
    around = inside & (distance > SEAM_PX) & (distance <= AROUND_PX)
    strength = np.linalg.norm(gradient(image), axis=-1)
    on = inside & (distance <= SEAM_PX)
    return strength[on].mean() / strength[around].mean() if edge.sum() > 20 else np.nan


def gradient(image) -> np.ndarray:
    """(h, w, 2) luminance gradient, grey levels a pixel."""
    grey = image.astype(np.float32) @ np.float32([0.299, 0.587, 0.114])
    return np.stack([cv2.Sobel(grey, cv2.CV_32F, *d, scale=1 / 8) for d in ((1, 0), (0, 1))], -1)


def report(rows: dict[float, list[dict]]) -> None:
    names = list(next(iter(rows.values()))[0])
    print(f"{'':18}" + "".join(f"{yaw:>13.0f}°" for yaw in rows))
    for name in names:
        cells = []
        for figures in rows.values():
            values = np.array([f[name] for f in figures])
            values = values[np.isfinite(values)]
            cells.append(f"{values.mean():7.2f} ±{values.std():5.2f}" if len(values) else "-")
        print(f"{name:18}" + "".join(f"{cell:>14}" for cell in cells))


if __name__ == "__main__":
    main()
