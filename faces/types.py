"""The records that pass between the crafts: frozen, typed, with units and frames in the names."""

import re
from dataclasses import dataclass, field

import numpy as np

from faces.camera import Camera, Pose


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a face comes from and what may be done with it; travels to every sample.

    Attributes:
        source: name of the data set or folder.
        licence: SPDX identifier or the licence's name; "unknown" where nobody said.
        consent: what the subject agreed to; "unknown" where nobody said.
    """

    source: str
    licence: str = "unknown"
    consent: str = "unknown"

    @classmethod
    def simulated(cls, licence: str) -> "Provenance":
        """Of a sample of a face model.

        Args:
            licence: of the model; a note in brackets behind an identifier is left out.
        """
        return cls(
            "simulated", re.sub(r"\A(\S+) \(.*\)\Z", r"\1", licence) or "unknown", "not a person"
        )


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Detected 2D landmarks of one face.

    Attributes:
        points_px: (L, 2) float64, image px, pixel centres at +0.5; NaN where a point is missing.
        scheme: name of the point set, a key of faces.landmarks.SCHEMES, e.g. "ibug68".
        confidence: (L,) float64 in [0, 1].
    """

    points_px: np.ndarray
    scheme: str
    confidence: np.ndarray


@dataclass(frozen=True, slots=True)
class Scan:
    """One RGB-D image of one face, undistorted, colour and depth on the same pixels.

    Attributes:
        key: unique within a run, "/"-separated, e.g. "s0001/f000".
        subject: the person; splits are made by it.
        color: (H, W, 3) uint8 sRGB.
        depth_mm: (H, W) float32, z in the camera frame; 0 where the sensor saw nothing.
        camera: of this image (distortion already removed).
        provenance: source, licence and consent.
        landmarks: from a file or detector; None until somebody looks.
        truth: named arrays of a simulated subject, e.g. "vertices_mm" (V, 3) in the camera frame;
            empty for a real scan. Registration never reads it.
    """

    key: str
    subject: str
    color: np.ndarray
    depth_mm: np.ndarray
    camera: Camera
    provenance: Provenance
    landmarks: Landmarks | None = None
    truth: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FaceFit:
    """A morphable-model fit: pose, coefficients, and the surface they make (Eq. 1 and 2).

    Attributes:
        pose: model frame to camera frame.
        identity: (K,) float64, in units of σ.
        expression: (E,) float64, weights of the named expressions.
        vertices_mm: (V, 3) float64 in the camera frame.
    """

    pose: Pose
    identity: np.ndarray
    expression: np.ndarray
    vertices_mm: np.ndarray


@dataclass(frozen=True, slots=True)
class Appearance:
    """Fitted texture and Phong light (Eq. 3 and 4).

    Attributes:
        beta: (B,) float64, albedo coefficients in units of σ.
        ambient: (3,) float64, the diagonal of Amb.
        directional: (3,) float64, the diagonal of Dir.
        light: (3,) float64, unit vector towards the light, camera frame.
        specular: k_s.
        shininess: ν.
        albedo: (V, 3) float32 in [0, 1], T of Eq. 3.
        colors: (V, 3) float32 in [0, 1], C of Eq. 4.
    """

    beta: np.ndarray
    ambient: np.ndarray
    directional: np.ndarray
    light: np.ndarray
    specular: float
    shininess: float
    albedo: np.ndarray
    colors: np.ndarray


@dataclass(frozen=True, slots=True)
class Quality:
    """What a registration is worth, from evidence alone.

    Attributes:
        verdict: "accept", "review" or "reject".
        reason: what decided, in words; "" for a plain accept.
        residual_mm: mean distance from the depth points on the face to the registered surface;
            NaN, as are coverage and flipped, for a photo, which has no depth.
        coverage: share of the face region's visible vertices with a match, in [0, 1].
        flipped: share of triangles whose normal turned by more than 90° against the initial fit.
        color_residual: median colour distance of the matches, [0, √3].
        rejected: counts of rejected matches by name, e.g. {"distance": 120, "color": 33}.
        figures: all that was measured, by name (registration.figures.measure).
        severity: the worst figure in shares of what is accepted; orders a review.
    """

    verdict: str
    reason: str
    residual_mm: float
    coverage: float
    flipped: float
    color_residual: float
    rejected: dict[str, int] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    severity: float = 0.0


@dataclass(frozen=True, slots=True)
class RegisteredFace:
    """A scan in the model's topology.

    Attributes:
        key, subject, provenance: of the scan.
        model: name of the morphable model, e.g. "facesynth-head-1".
        vertices_mm: (V, 3) float64, V_regist in the camera frame.
        shape_mm: (V, 3) float64, S̄ + S_morph of Eq. 7, in the model frame.
        pose: (f, R, t3d) of Eq. 7: pose.apply(shape_mm) == vertices_mm.
        initial: the landmark and depth fit before registration.
        appearance: the last fit of texture and light.
        visible: (V,) bool, seen by the camera (facing it, not hidden).
        residual_mm: (V,) float32, distance to the matched scan surface; NaN where unmatched.
        camera: of the scan.
        quality: verdict and figures.
    """

    key: str
    subject: str
    provenance: Provenance
    model: str
    vertices_mm: np.ndarray
    shape_mm: np.ndarray
    pose: Pose
    initial: FaceFit
    appearance: Appearance
    visible: np.ndarray
    residual_mm: np.ndarray
    camera: Camera
    quality: Quality


@dataclass(frozen=True, slots=True)
class View:
    """One rotated image with its labels (Beyond 3DMM Space, section 3.2).

    Attributes:
        color: (H, W, 3) uint8 sRGB.
        camera: of this image.
        pose: carries the registered face's shape_mm into this image's camera frame.
        yaw_deg, pitch_deg, roll_deg: of pose.rotation (achieved).
        requested: (yaw, pitch) in degrees, as planned.
        synthesised: (H, W) uint8, 255 where the pixel was filled rather than photographed.
        landmarks_px: (68, 2) float64; landmarks_visible: (68,) bool.
        box_px: (left, top, right, bottom) of the projected face region.
        buffers: named optional images, e.g. "depth_mm" (H, W) float32, "normal", "pncc", "mask".
    """

    color: np.ndarray
    camera: Camera
    pose: Pose
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    requested: tuple[float, float]
    synthesised: np.ndarray
    landmarks_px: np.ndarray
    landmarks_visible: np.ndarray
    box_px: tuple[float, float, float, float]
    buffers: dict[str, np.ndarray] = field(default_factory=dict)
