"""The figures of every view of one virtual person; see benchmarks.augment."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from augment.image_mesh import GRID_OFFSET_MM, SceneMesh
from augment.render import render_textures
from augment.rotate import make_view, prepare
from augment.settings import RotateSettings
from augment.source import Source
from augment.view_plan import PlanSettings, plan_views
from benchmarks.augment_scores import (
    FILLED,
    eroded,
    gradient_error,
    outline_distance,
    overlap,
    psnr,
    seam_ratio,
)
from benchmarks.augment_truth import Seen, Truth, make_truth
from benchmarks.rotation_peers import Profiled, placement, profile, turn_between
from faces.backdrop import show_still
from faces.models import load_model
from faces.morphable import MorphableModel
from faces.rotation import euler_from_matrix
from faces.types import RegisteredFace, View
from imaging.codec import encode_png
from imaging.raster import Fragments, rasterise
from pipelines.pictures import tile
from pipelines.stages.register import in_full
from registration.ticp import register
from synth.beyond import fitting_model
from synth.capture import capture
from synth.render import UNLIT, RasterRenderer
from synth.subjects import SubjectSettings, sample_subject
from synth.topology import face_mesh

# What people wear, by the benchmark's word for it: names of synth.props.wardrobe.OCCLUDERS.
PEOPLE = {"bare": "none", "hair": "hair", "all": "random"}
STEP_DEG = 15.0
RIM_PX = 2  # of the masks: there the truth mixes two surfaces
INNER = slice(17, 68)  # landmarks that do not slide along an outline


@dataclass(frozen=True, slots=True)
class Job:
    """One subject.

    Attributes:
        number, seed: which one.
        people: a key of PEOPLE.
        still: whether the light stays in the room when the person turns; relight: whether the
            views are to follow.
        pitches: views a yaw.
        sheet: folder of the contact sheets, or None.
    """

    number: int
    seed: int
    people: str
    still: bool
    relight: bool
    pitches: int
    sheet: Path | None


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A person ready to be turned, with its truth and the peer's mesh."""

    model: MorphableModel
    face: RegisteredFace
    source: Source
    truth: Truth
    profiled: Profiled
    settings: RotateSettings


def figures_of_subject(job: Job) -> list[tuple[float, dict[str, float]]]:
    """(yaw bin, figures) of every view of a subject; the same in any process."""
    case = make_case(job)
    rows, strips = [], []
    plan = plan_views(
        *euler_from_matrix(case.face.pose.rotation)[:2],
        np.random.default_rng([job.seed, job.number, 1]),
        PlanSettings(pitches_per_yaw=job.pitches),
    )
    for number, planned in enumerate(plan):
        view = make_view(case.source, case.face, case.model, planned, case.settings)
        figures, strip = figures_of_view(case, view)
        rows.append((STEP_DEG * round(abs(view.yaw_deg) / STEP_DEG), figures))
        if number % job.pitches == 0:
            strips += strip
    if job.sheet is not None:
        job.sheet.mkdir(parents=True, exist_ok=True)
        name = f"{job.people}-{job.number:03d}.png"
        (job.sheet / name).write_bytes(encode_png(tile(strips, len(strip))))
    return rows


def make_case(job: Job) -> Case:
    """The subject captured, registered as ``synth fg3d`` does it, and made ready."""
    model = load_model("default")
    rng = np.random.default_rng([job.seed, job.number])
    subject = sample_subject(model, rng, SubjectSettings(occluder=PEOPLE[job.people]))
    scan = capture(subject, model, rng)
    truth = make_truth(subject, scan, model, job.still)
    fitted = fitting_model(model)
    face = in_full(register(scan, fitted), fitted, model)
    settings = RotateSettings(relight=job.relight)
    source = prepare(scan, face, model, settings)
    return Case(model, face, source, truth, profile(scan, fitted), settings)


def figures_of_view(case: Case, view: View) -> tuple[dict[str, float], list[np.ndarray]]:
    """A view's figures by name, NaN where a region is too small; and the images of its sheet."""
    raw = render_textures(case.source, case.face, view.pose, view.camera, case.settings)
    behind = np.rint(255 * show_still(case.source.backdrop, view.camera)).astype(np.uint8)
    seen = case.truth.seen(view.pose, case.face, view.camera, behind)
    points = view.pose.apply(case.face.pose.invert(case.source.scene.vertices_mm))
    drawn = _drawn(case, points, view)
    turned = bool(view.synthesised.any())  # else it is the photograph, outline and all
    person = raw.alpha > 0.5 if turned else seen.image.mask
    skin = eroded(seen.skin & person, RIM_PX)
    peer, marks = _peer(case, view, seen, points)
    images = {
        "view": view.color,
        "stretched": 255 * raw.photo,
        "texture": _texture_alone(case, view),
        "donor": 255 * raw.donor,
        "profiling": peer,
    }
    out = _colours(images, view, seen, skin, person)
    out |= _sensor(case, view, drawn, skin & (view.synthesised == 0))
    out |= _outlines(person, seen, drawn, turned)
    labels = np.linalg.norm(_marks(case, seen, view) - view.landmarks_px[INNER], axis=1)
    out |= marks | {"landmarks px, label": float(labels.mean())}
    out["filled %"] = 100 * (skin & (view.synthesised > FILLED)).sum() / max(skin.sum(), 1)
    return out, _strip(view, seen, skin)


def _colours(images, view, seen: Seen, skin, person) -> dict[str, float]:
    """PSNR, gradients and seams over the skin; PSNR over the hair."""
    truth, synthesised = seen.color, view.synthesised
    visible, filled = skin & (synthesised == 0), skin & (synthesised > FILLED)
    out = {
        "visible dB, view": psnr(view.color, truth, visible),
        "visible dB, view, ideal exposure": psnr(view.color, seen.ideal, visible),
        "visible dB, profiling": psnr(images["profiling"], truth, visible),
    }
    for name, image in images.items():
        out[f"filled dB, {name}"] = psnr(image, truth, filled)
    for name, image in images.items():
        out[f"gradient error, {name}"] = gradient_error(image, truth, filled)
    out["seam, view"] = seam_ratio(view.color, skin, synthesised)
    out["seam, truth"] = seam_ratio(truth, skin, synthesised)
    hair = eroded(seen.hair & person, 1)
    out["hair dB, visible"] = psnr(view.color, truth, hair & (synthesised == 0))
    out["hair dB, filled"] = psnr(view.color, truth, hair & (synthesised > FILLED))
    return out


def _sensor(case: Case, view: View, drawn: Fragments, mask) -> dict[str, float]:
    """What the sensor alone costs: photograph and clean picture carried alike to these pixels."""
    scene = case.source.scene
    points = drawn.interpolate(scene.vertices_mm, scene.triangles)
    with np.errstate(invalid="ignore"):
        at = case.face.camera.project(points).astype(np.float32) - np.float32(0.5)
    at = np.nan_to_num(at, nan=-1e3)
    carried = [
        cv2.remap(image, at, None, cv2.INTER_LINEAR)
        for image in (case.truth.photo, case.truth.clean)
    ]
    return {"visible dB, sensor alone": psnr(*carried, mask)}


def _outlines(person, seen: Seen, drawn: Fragments, turned: bool) -> dict[str, float]:
    """The head's silhouette in view and truth; a rim pixel counts where half of it is covered."""
    if not turned:
        return {"head IoU": np.nan, "head outline px": np.nan}
    # a pixel whose centre the mesh misses has no depth: that of its neighbours says head or body
    depth = np.where(drawn.mask, drawn.depth, cv2.dilate(drawn.depth, np.ones((3, 3))))
    head, true_head = person & seen.above(depth), seen.above(seen.image.depth_mm)
    return {
        "head IoU": overlap(head, true_head),
        "head outline px": outline_distance(head, true_head, (person, seen.image.mask)),
    }


def _drawn(case: Case, points_mm, view: View) -> Fragments:
    """The scene's mesh where the view has it: (N, 3) mm in the view's camera frame."""
    scene, camera = case.source.scene, view.camera
    size = (camera.width, camera.height)
    screen = _screen(scene, points_mm, camera)
    return rasterise(screen, scene.triangles, size, camera.is_perspective)


def _screen(scene: SceneMesh, vertices_mm, camera):
    """(N, 3) u px, v px, z mm of the scene's vertices (N, 3); where head and grid overlap the head
    wins, as in a view."""
    screen = camera.screen(vertices_mm)
    screen[:, 2] += GRID_OFFSET_MM * (1 - scene.is_head)
    return screen


def _marks(case: Case, seen: Seen, view: View):
    """(51, 2) px of the true inner landmarks in the view."""
    return view.camera.project(seen.vertices_mm[case.model.landmarks["ibug68"][INNER]])


def _peer(case: Case, view: View, seen: Seen, points_mm):
    """Face profiling's picture of the view, and how far its and our inner landmarks, taken from
    their true pixels in the photograph, land from their true places; px."""
    index = case.model.landmarks["ibug68"][INNER]
    shown = case.truth.visible[index]
    pixels = case.face.camera.project(case.truth.vertices_mm[index][shown])
    there = _marks(case, seen, view)[shown]
    own = view.camera.project(_carried(case, pixels, points_mm))
    turn = turn_between(case.face.pose.rotation, view.pose.rotation)
    theirs = case.profiled.carried(pixels, turn)
    placed = placement(theirs, there)
    factor, rotation, shift = placed
    theirs = factor * theirs @ rotation.T + shift
    image = case.profiled.shown(turn, placed, (view.camera.width, view.camera.height))
    apart = np.linalg.norm(own - there, axis=1)
    return image, {
        "landmarks px, carried": float(np.nanmean(apart)),
        "landmarks px, carried, median": float(np.nanmedian(apart)),
        "landmarks px, profiling": float(np.linalg.norm(theirs - there, axis=1).mean()),
    }


def _carried(case: Case, pixels, points_mm):
    """(n, 3) mm in the view's camera frame of what the scene's mesh shows at source pixels (n, 2);
    NaN where it shows nothing."""
    scene, camera = case.source.scene, case.face.camera
    size = (camera.width, camera.height)
    screen = _screen(scene, scene.vertices_mm, camera)
    shown = rasterise(screen, scene.triangles, size, camera.is_perspective)
    hit = shown.triangle_id[pixels[:, 1].astype(int), pixels[:, 0].astype(int)]
    corners = scene.triangles[hit]
    a, b, c = np.moveaxis(scene.vertices_mm[corners], 1, 0)
    ray = camera.unproject(pixels, np.ones(len(pixels)))
    # weights of the corners where the ray meets the triangle's plane; within the triangle, which
    # covers the pixel's centre but need not reach to the landmark, and may be seen edge on
    sides = np.stack([b - a, c - a, -ray], -1)
    second, third = np.linalg.solve(sides, -a[..., None])[:, :2, 0].T
    weights = np.clip(np.stack([1 - second - third, second, third], 1), 0, None)
    weights /= weights.sum(1, keepdims=True)
    out = np.einsum("nc,ncx->nx", weights, points_mm[corners])
    return np.where(hit[:, None] >= 0, out, np.nan)


def _texture_alone(case: Case, view: View):
    """The registered head in the fitted colours of Eq. 4, over the view; (h, w, 3) uint8."""
    face = case.face
    mesh = face_mesh(case.model, face.shape_mm, face.appearance.colors)
    return RasterRenderer().render(mesh, view.pose, view.camera, UNLIT, view.color).color


def _strip(view: View, seen: Seen, skin) -> list[np.ndarray]:
    """View, truth, twice their difference where skin is scored, and mask: filled pixels are
    reddened, those scored as visible are green."""
    apart = view.color.astype(np.int16) - seen.color
    apart = np.where(skin[..., None], np.clip(128 + 2 * apart, 0, 255), 128).astype(np.uint8)
    filled, visible = view.synthesised, np.where(skin & (view.synthesised == 0), 255, 0)
    mask = np.stack([filled, visible, np.where(seen.image.mask, 90, 0)], -1).astype(np.uint8)
    return [view.color, seen.color, apart, mask]
