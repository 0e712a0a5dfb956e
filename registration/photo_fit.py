"""A photo in a model's topology: no depth, so the face is the fitted model alone."""

from dataclasses import dataclass, field, replace

import numpy as np

from faces.appearance import AppearanceSettings, fit_appearance, render_texture
from faces.blas import one_thread
from faces.errors import BadInput
from faces.fit_settings import FitSettings
from faces.fitting import fit_face
from faces.landmarks import to_ibug68
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.types import Appearance, FaceFit, RegisteredFace, Scan
from faces.visibility import visible_vertices
from registration.photo_quality import PhotoEvidence, PhotoQualitySettings, assess_photo

FIXED_JAW = ("mediapipe478",)  # schemes whose jaw points are the same on the head in every pose


@dataclass(frozen=True, slots=True)
class PhotoSettings:
    """Attributes:
    fit: of the model to the landmarks; its depth settings are not used.
    appearance: of texture and light (Eq. 3 to 5).
    quality: of the verdict.
    dark_side: least share of the light's full strength on skin that it does not reach. Skin turned
        aside has 0.4 to 0.8 of it on studio portraits; a lamp beside the lens gives the fit less
        than rooms do, for little skin that is turned aside is seen.
    """

    fit: FitSettings = field(default_factory=lambda: FitSettings(landmark_mm=3.0))
    appearance: AppearanceSettings = field(default_factory=AppearanceSettings)
    quality: PhotoQualitySettings = field(default_factory=PhotoQualitySettings)
    dark_side: float = 0.4


@one_thread
def register_photo(
    scan: Scan, model: MorphableModel, settings: PhotoSettings | None = None
) -> RegisteredFace:
    """Pose, shape and appearance of the one face in a photo (Beyond 3DMM Space, Eq. 1 to 5).

    The landmarks give pose, identity and expression, those of the jaw sliding along the model's
    contour lines to the outline that this pose shows (fit_photo); texture and light come from the
    pixels. Size and distance cannot be told apart: the size is the model's, and the distance
    follows from the camera.

    Args:
        scan: with landmarks of any scheme that leads to ibug68. Depth it may have is not read.
        model: two levels or one.
        settings: PhotoSettings() where None.

    Returns:
        RegisteredFace whose ``residual_mm`` is NaN everywhere, as is its quality's: there is no
        scan surface to be distant from.

    Raises:
        BadInput: no landmarks, too few of them, or a face outside the image.
    """
    settings = settings or PhotoSettings()
    if scan.landmarks is None:
        what, remedy = f"photo '{scan.key}'", "run a detector or add a file"
        raise BadInput(what, "no landmarks", "landmarks", remedy)
    landmarks = to_ibug68(scan.landmarks)
    fit = _on_all(model, fit_photo(scan, model, settings.fit))
    visible = visible_vertices(fit.vertices_mm, model.triangles, scan.camera)
    appearance = fit_appearance(
        model, fit.vertices_mm, visible, scan.color, scan.camera, settings=settings.appearance
    )
    lit = with_dark_side(appearance, settings.dark_side, model, fit.vertices_mm, visible)
    evidence = PhotoEvidence(fit, appearance, visible, scan.color, landmarks, scan.camera)
    return RegisteredFace(
        key=scan.key,
        subject=scan.subject,
        provenance=scan.provenance,
        model=model.name,
        vertices_mm=fit.vertices_mm,
        shape_mm=fit.pose.invert(fit.vertices_mm),
        pose=fit.pose,
        initial=fit,
        appearance=lit,
        visible=visible,
        residual_mm=np.full(model.vertex_count, np.nan, np.float32),
        camera=scan.camera,
        quality=assess_photo(model, evidence, settings.quality),
    )


def with_dark_side(
    appearance: Appearance,
    least: float,
    model: MorphableModel,
    vertices_mm: np.ndarray,
    visible: np.ndarray,
) -> Appearance:
    """The appearance with a light that leaves no side darker than ``least`` of its full strength.

    Ambient and directional light keep their sum's tint, and the visible skin its brightness on
    the whole.

    Args:
        appearance: fitted (Eq. 4).
        least: share, in [0, 1], of ambient in all light.
        model: names the skin.
        vertices_mm: (V, 3), camera frame.
        visible: (V,) bool.
    """
    total = appearance.ambient + appearance.directional
    if appearance.ambient.sum() >= least * total.sum():
        return appearance
    seen = visible & model.regions["face"] & model.part_vertices("skin")
    lit = np.maximum(vertex_normals(vertices_mm, model.triangles)[seen] @ appearance.light, 0)
    ambient, directional = appearance.ambient.mean(), appearance.directional.mean()
    held = (least + (1 - least) * lit) * total.mean()
    strength = total * (ambient + directional * lit).mean() / held.mean()
    softened = replace(appearance, ambient=least * strength, directional=(1 - least) * strength)
    return replace(softened, colors=render_texture(softened, model, vertices_mm))


def fit_photo(scan: Scan, model: MorphableModel, settings: FitSettings) -> FaceFit:
    """The fit of the coarse level, which has the landmarks, where the model has one.

    Jaw points slide, where the settings let them, unless they are MediaPipe's: those are points of
    one mesh, which stay where they are on a turned head, and do not go to its outline as other
    detectors' and people's do. Sliding them turns the fit outward by 2° on the mean
    (benchmarks.audit).

    Raises:
        BadInput: too few landmarks.
    """
    level = model.coarse if model.coarse is not None else model
    slide = settings.slide_contour and scan.landmarks.scheme not in FIXED_JAW
    settings = replace(settings, slide_contour=slide)
    return fit_face(level, to_ibug68(scan.landmarks), scan.camera, None, settings)


def _on_all(model: MorphableModel, fit: FaceFit) -> FaceFit:
    """The fit of a coarse level carried to all vertices."""
    identity, expression = fit.identity.astype(np.float32), fit.expression.astype(np.float32)
    return replace(fit, vertices_mm=fit.pose.apply(model.shape(identity, expression)))
