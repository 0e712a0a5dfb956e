"""Rendered views as members of a shard, with their rows of the manifest."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from faces.mesh import hull_points
from faces.morphable import MorphableModel
from faces.poses import TargetPose, large_share
from faces.rotation import CONVENTION, euler_from_matrix
from faces.types import Provenance, RegisteredFace
from imaging import codec
from manifests.schema import SCHEMA_VERSION
from manifests.splits import split_of
from pipelines.members import JPEG_QUALITY, Members, json_bytes, npy_bytes, pose_json, quality_json
from pipelines.stages.base import StageSample
from synth.pose_plan import PosePlan
from synth.settings import RenderSettings
from synth.sources import SourceView

# What --buffers calls them -> synth.renderer.BUFFERS
BUFFER_NAMES = {"depth": "depth_mm", "ids": "triangle_id"}
ANGLE_DIGITS = 9  # degrees: 45 stays 45 on its way through a matrix
EYE_CORNERS = [36, 45]  # outer eye corners of ibug68


@dataclass(frozen=True, slots=True, eq=False)
class RenderedFace:
    """What all views of a face share, made once.

    Attributes:
        key: of the face; its views are KEY_pose000, KEY_pose001, …
        subject, provenance, scan: of the manifest.
        model: of the topology.
        shape_mm: (V, 3) float64 in the model frame.
        labels: further fields of the samples' JSON (manifests.schema.SAMPLE_FIELDS).
        row: further columns of the manifest (ROW_COLUMNS).
    """

    key: str
    subject: str
    provenance: Provenance
    model: MorphableModel
    shape_mm: np.ndarray
    labels: dict = field(default_factory=dict)
    row: dict = field(default_factory=dict)


def registered_labels(face: RegisteredFace) -> tuple[dict, dict]:
    """(labels, row) of a registered face: its initial fit and its quality."""
    quality = face.quality
    labels = {
        "scan": face.key,
        "identity": face.initial.identity.round(5),
        "expression": face.initial.expression.round(5),
        "initial": pose_json(face.initial.pose),
        "quality": quality_json(quality),
    }
    row = {
        "scan": face.key,
        "verdict": quality.verdict,
        "reason": quality.reason,
        "residual_mm": quality.residual_mm,
        "coverage": quality.coverage,
    }
    return labels, row


def rendered_samples(
    face: RenderedFace,
    views: Sequence[tuple[TargetPose, SourceView]],
    plan: PosePlan,
    settings: RenderSettings,
    seed: int,
) -> list[StageSample]:
    """The samples of one face: every view with its labels.

    Args:
        face: whose views they are.
        views: the poses asked for and what came of them, in the plan's order.
        plan: that the poses are of.
        settings: they were rendered with; its buffers become members.
        seed: of the run.
    """
    achieved = [_angles(view) for _, view in views]
    indices = face.model.landmarks["ibug68"]
    iod_mm = float(np.linalg.norm(np.diff(face.shape_mm[indices[EYE_CORNERS]], axis=0)))
    common = {
        "plan": plan.name,
        "requested_large_share": plan.requested_share,
        "achieved_large_share": large_share(achieved),
        "renderer": settings.renderer,
        "iod_mm": iod_mm,
        "subject": face.subject,
        **asdict(face.provenance),
        "model": face.model.name,
    }
    vertices, step_mm = codec.quantise_vertices(face.shape_mm)
    vertex_bytes = npy_bytes(vertices)
    constant = {
        "schema": SCHEMA_VERSION,
        "split": split_of(face.subject),
        "seed": seed,
        "convention": CONVENTION,
        "vertices_step_mm": step_mm,
        **face.labels,
        **common,
    }
    boxed = hull_points(face.shape_mm[_boxed(face.model)])
    samples = []
    for number, ((target, view), angles) in enumerate(zip(views, achieved, strict=True)):
        key = f"{face.key}_pose{number:03d}"
        labels = {"key": key, **_labels(target, angles, view, boxed), **constant}
        members = {
            "jpg": codec.encode_jpeg(view.rendered.color, JPEG_QUALITY),
            "vertices.npy": vertex_bytes,
            "json": json_bytes(labels),
            **buffer_members(view.rendered.buffers, settings.buffers),
        }
        row = _row(target, angles, view) | face.row | common
        samples.append(StageSample(key, members, row | {"model_licence": face.model.licence}))
    return samples


def rendered_buffers(wanted: Sequence[str]) -> tuple[str, ...]:
    """The buffers to render for those that are wanted: uv is where the model's triangles are."""
    needed = "uv" in wanted and "triangle_id" not in wanted
    return tuple(wanted) + (("triangle_id",) if needed else ())


def buffer_members(buffers: dict[str, np.ndarray], wanted: Sequence[str]) -> Members:
    """Suffix and bytes of the wanted ones of a render's buffers (synth.renderer.BUFFERS)."""
    encoded = {}
    for name in wanted:
        buffer = buffers[name]
        if name == "depth_mm":
            encoded["depth.png"] = codec.encode_depth(buffer, content="smooth")
        elif name == "normal":
            encoded["normal.png"] = codec.encode_normals(buffer)
        elif name == "pncc":
            encoded["pncc.png"] = codec.encode_unit(buffer)
        elif name == "uv":
            encoded["uv.png"] = codec.encode_uv(buffer, buffers["triangle_id"] >= 0)
        elif name == "triangle_id":
            encoded["ids.png"] = codec.encode_ids(buffer)
        else:
            encoded[f"{name}.png"] = codec.encode_mask(buffer)
    return encoded


def _angles(view: SourceView) -> TargetPose:
    """The achieved angles of a view's rotation."""
    return TargetPose(
        *(round(a, ANGLE_DIGITS) + 0.0 for a in euler_from_matrix(view.pose.rotation))
    )


def _boxed(model: MorphableModel) -> np.ndarray:
    """(V,) bool: the skin of the face, which box_px goes round."""
    skin = model.part_vertices("skin")
    return skin & model.regions["face"] if "face" in model.regions else skin


def _labels(target: TargetPose, angles: TargetPose, view: SourceView, boxed: np.ndarray) -> dict:
    rendered, camera = view.rendered, view.camera
    pixels = camera.project(view.pose.apply(boxed))
    return {
        **pose_json(view.pose),
        "yaw_deg": angles.yaw_deg,
        "pitch_deg": angles.pitch_deg,
        "roll_deg": angles.roll_deg,
        "requested": [target.yaw_deg, target.pitch_deg],
        "camera": asdict(camera),
        "box_px": [*pixels.min(0).round(3), *pixels.max(0).round(3)],
        "landmarks_px": rendered.landmarks_px.round(3),
        "landmarks_mm": rendered.landmarks_mm.round(3),
        "landmarks_visible": rendered.landmarks_visible,
    }


def _row(target: TargetPose, angles: TargetPose, view: SourceView) -> dict:
    return {
        "width": view.camera.width,
        "height": view.camera.height,
        "yaw_deg": angles.yaw_deg,
        "pitch_deg": angles.pitch_deg,
        "roll_deg": angles.roll_deg,
        "requested_yaw_deg": target.yaw_deg,
        "requested_pitch_deg": target.pitch_deg,
    }
