"""The records of faces.types as members of a shard, and back.

Between stages: ``KEY.color.png``, ``.depth.png``, ``.scan.json``, ``.truth.npz`` of a scan and
``KEY.face.npz``, ``.face.json`` of a registered face. In a finished set: ``KEY.jpg``,
``.vertices.npy``, ``.synth.png``, ``.json`` and the buffers that were asked for.
"""

import io
import json
from dataclasses import asdict, fields

import numpy as np

from faces.camera import Camera, Pose
from faces.errors import BadInput
from faces.morphable import MorphableModel
from faces.rotation import CONVENTION
from faces.types import (
    Appearance,
    FaceFit,
    Landmarks,
    Provenance,
    Quality,
    RegisteredFace,
    Scan,
    View,
)
from imaging import codec
from imaging.archive import decode_arrays, encode_arrays
from manifests.schema import SCHEMA_VERSION

JPEG_QUALITY = 95

Members = dict[str, bytes]


def scan_members(scan: Scan) -> Members:
    """A scan, its colour losslessly and its depth in steps of codec.DEPTH_STEP_MM."""
    about = {
        "subject": scan.subject,
        "camera": asdict(scan.camera),
        "provenance": asdict(scan.provenance),
        "landmarks": None if scan.landmarks is None else _landmarks_json(scan.landmarks),
    }
    return {
        "color.png": codec.encode_png(scan.color),
        "depth.png": codec.encode_depth(scan.depth_mm),
        "scan.json": json_bytes(about),
        "truth.npz": encode_arrays(scan.truth),
    }


def scan_from_members(key: str, members: Members) -> Scan:
    """Inverse of scan_members; depth to half a step of codec.DEPTH_STEP_MM."""
    about = json.loads(members["scan.json"])
    landmarks = about["landmarks"]
    return Scan(
        key=key,
        subject=about["subject"],
        color=codec.decode_image(members["color.png"]),
        depth_mm=codec.decode_depth(members["depth.png"]),
        camera=_camera(about["camera"]),
        provenance=Provenance(**about["provenance"]),
        landmarks=None if landmarks is None else _landmarks(landmarks),
        truth=decode_arrays(members["truth.npz"]),
    )


def face_members(face: RegisteredFace) -> Members:
    """A registered face without what its model gives back (initial vertices, albedo)."""
    arrays = {
        "shape_mm": face.shape_mm.astype(np.float32),
        "visible": face.visible,
        "residual_mm": face.residual_mm.astype(np.float32),
        "colors": face.appearance.colors.astype(np.float16),
        "beta": face.appearance.beta,
        "identity": face.initial.identity,
        "expression": face.initial.expression,
    }
    light = asdict(face.appearance)
    about = {
        "subject": face.subject,
        "provenance": asdict(face.provenance),
        "model": face.model,
        "camera": asdict(face.camera),
        "pose": pose_json(face.pose),
        "initial_pose": pose_json(face.initial.pose),
        "light": {
            name: light[name]
            for name in ("ambient", "directional", "light", "specular", "shininess")
        },
        "quality": quality_json(face.quality),
    }
    return {"face.npz": encode_arrays(arrays), "face.json": json_bytes(about)}


def face_from_members(key: str, members: Members, model: MorphableModel) -> RegisteredFace:
    """Inverse of face_members; ``model`` must be the one it was registered with."""
    about, arrays = json.loads(members["face.json"]), decode_arrays(members["face.npz"])
    if about["model"] != model.name:
        raise ValueError(
            f"registered face {key!r}: made with model {about['model']!r}; "
            f"expected {model.name!r}; pass the --model it was registered with"
        )
    pose, shape = _pose(about["pose"]), arrays["shape_mm"].astype(np.float64)
    light = {name: np.array(about["light"][name]) for name in ("ambient", "directional", "light")}
    appearance = Appearance(
        beta=arrays["beta"],
        **light,
        specular=about["light"]["specular"],
        shininess=about["light"]["shininess"],
        albedo=model.albedo(arrays["beta"]),
        colors=arrays["colors"].astype(np.float32),
    )
    return RegisteredFace(
        key=key,
        subject=about["subject"],
        provenance=Provenance(**about["provenance"]),
        model=about["model"],
        vertices_mm=pose.apply(shape),
        shape_mm=shape,
        pose=pose,
        initial=_initial(about, arrays, model),
        appearance=appearance,
        visible=arrays["visible"],
        residual_mm=arrays["residual_mm"],
        camera=_camera(about["camera"]),
        quality=_quality(about["quality"]),
    )


def accepted_face(key: str, members: Members, model: MorphableModel) -> RegisteredFace:
    """As face_from_members, of a face that the quality gate lets through.

    Raises:
        BadInput: it was rejected.
    """
    face = face_from_members(key, members, model)
    if face.quality.verdict == "reject":
        raise BadInput(
            f"registered face '{face.key}'",
            f"rejected: {face.quality.reason}",
            "a registration that the quality gate accepts",
            "look at it in the report; mend its landmarks or leave the scan out",
        )
    return face


def vertex_member(face: RegisteredFace) -> tuple[bytes, float]:
    """``KEY.vertices.npy``, the same for all views of a face, and its step in mm."""
    vertices, step_mm = codec.quantise_vertices(face.shape_mm)
    return npy_bytes(vertices), step_mm


def view_members(
    key: str, view: View, face: RegisteredFace, vertices: tuple[bytes, float], about: dict
) -> Members:
    """A finished sample.

    Args:
        key: of the sample.
        vertices: the face's vertex_member.
        about: further fields of manifests.schema.SAMPLE_FIELDS: split, seed, iod_mm,
            landmarks_mm (68, 3) in the view's camera frame.
    """
    array, step = vertices
    labels = _labels(key, view, face) | {"vertices_step_mm": step} | about
    members = {
        "jpg": codec.encode_jpeg(view.color, JPEG_QUALITY),
        "vertices.npy": array,
        "synth.png": codec.encode_mask(view.synthesised),
        "json": json_bytes(labels),
    }
    return members | dict(_buffer_member(*named) for named in view.buffers.items())


def view_row(view: View, face: RegisteredFace, iod_mm: float) -> dict:
    """The sample's row of the manifest (manifests.schema.ROW_COLUMNS)."""
    requested_yaw, requested_pitch = view.requested
    return {
        "subject": face.subject,
        **asdict(face.provenance),
        "scan": face.key,
        "model": face.model,
        "width": view.camera.width,
        "height": view.camera.height,
        "yaw_deg": view.yaw_deg,
        "pitch_deg": view.pitch_deg,
        "roll_deg": view.roll_deg,
        "requested_yaw_deg": requested_yaw,
        "requested_pitch_deg": requested_pitch,
        "iod_mm": iod_mm,
        "verdict": face.quality.verdict,
        "reason": face.quality.reason,
        "residual_mm": face.quality.residual_mm,
        "coverage": face.quality.coverage,
        "synthesised": float((view.synthesised > 127).mean()),
        "degraded": False,
    }


def _labels(key: str, view: View, face: RegisteredFace) -> dict:
    return {
        "schema": SCHEMA_VERSION,
        "key": key,
        "subject": face.subject,
        **_fields(face.provenance),
        "scan": face.key,
        "model": face.model,
        "convention": CONVENTION,
        **pose_json(view.pose),
        "yaw_deg": view.yaw_deg,
        "pitch_deg": view.pitch_deg,
        "roll_deg": view.roll_deg,
        "requested": list(view.requested),
        "camera": _fields(view.camera),
        "box_px": list(view.box_px),
        "landmarks_px": view.landmarks_px.round(3),
        "landmarks_visible": view.landmarks_visible,
        "identity": face.initial.identity.round(5),
        "expression": face.initial.expression.round(5),
        "initial": pose_json(face.initial.pose),
        "quality": quality_json(face.quality),
    }


def _fields(record) -> dict:
    """A flat dataclass as JSON has it; asdict copies what is not written to, at ten times the
    cost."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def quality_json(quality: Quality) -> dict:
    """JSON has no NaN: what a photo leaves unknown is null."""
    return {name: None if value != value else value for name, value in _fields(quality).items()}


def _quality(record: dict) -> Quality:
    return Quality(**{name: np.nan if value is None else value for name, value in record.items()})


def _buffer_member(name: str, buffer: np.ndarray) -> tuple[str, bytes]:
    """Suffix and PNG of a view's buffer (augment.labels.BUFFERS)."""
    if name == "depth_mm":
        return "depth.png", codec.encode_depth(buffer)
    if name == "normal":
        return "normal.png", codec.encode_normals(buffer)
    if name == "pncc":
        return "pncc.png", codec.encode_png(np.rint(255 * buffer).astype(np.uint8))
    return f"{name}.png", codec.encode_mask(buffer)


def _initial(about: dict, arrays: dict[str, np.ndarray], model: MorphableModel) -> FaceFit:
    pose = _pose(about["initial_pose"])
    identity, expression = arrays["identity"], arrays["expression"]
    return FaceFit(pose, identity, expression, pose.apply(model.shape(identity, expression)))


def pose_json(pose: Pose) -> dict:
    """A pose as a sample's JSON has it."""
    return {
        "rotation": np.asarray(pose.rotation).tolist(),
        "translation_mm": np.asarray(pose.translation_mm).tolist(),
        "scale": float(pose.scale),
    }


def _pose(about: dict) -> Pose:
    return Pose(np.array(about["rotation"]), np.array(about["translation_mm"]), about["scale"])


def _camera(about: dict) -> Camera:
    return Camera(**about | {"distortion": tuple(about["distortion"])})


def _landmarks_json(landmarks: Landmarks) -> dict:
    points = [[None if np.isnan(c) else c for c in point] for point in landmarks.points_px.tolist()]
    return {
        "scheme": landmarks.scheme,
        "points_px": points,
        "confidence": landmarks.confidence.tolist(),
    }


def _landmarks(about: dict) -> Landmarks:
    points = np.array(about["points_px"], dtype=np.float64)  # null becomes NaN
    return Landmarks(points, about["scheme"], np.array(about["confidence"]))


def json_bytes(value: dict) -> bytes:
    """A member's JSON; arrays become lists, and NaN is refused."""
    return json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":")).encode()


def _plain(value):
    """numpy values as JSON has them."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a shard's JSON")


def npy_bytes(array: np.ndarray) -> bytes:
    """An array as an NPY file."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()
