"""Captures on disk in the ``rgbd`` layout, as any depth camera's export would lie there."""

import json
from pathlib import Path

from faces.camera import Camera
from faces.landmarks import landmarks_json
from faces.types import Scan
from imaging.archive import encode_arrays
from imaging.codec import encode_depth, encode_png


def write_rgbd(scan: Scan, folder: Path, depth_scale: float = 1.0) -> Path:
    """The scan as FOLDER/SUBJECT/FRAME.color.png, .depth.png, .landmarks.json and .truth.npz.

    SUBJECT/camera.json holds the intrinsics in px, ``pixel_center`` 0.5: the first pixel's centre
    is (0.5, 0.5). One subject's frames share it, so they must come from one camera. The truth is
    there only where the scan has one. The same scan gives the same bytes.

    Args:
        scan: to be written; its key is SUBJECT/FRAME.
        folder: the root of the layout; made where it is missing.
        depth_scale: millimetres a unit of the 16-bit depth PNG.

    Returns:
        The path without its suffixes, FOLDER/SUBJECT/FRAME.

    Raises:
        ValueError: the key is not SUBJECT/FRAME, or the subject's camera.json says otherwise.
    """
    subject, _, frame = scan.key.partition("/")
    if not frame or "/" in frame or subject in ("", "..") or frame == "..":
        raise ValueError(f"scan key '{scan.key}'; expected SUBJECT/FRAME; give the scan such a key")
    home = Path(folder) / subject
    home.mkdir(parents=True, exist_ok=True)
    _write_camera(scan, home / "camera.json")
    stem = home / frame
    for suffix, data in rgbd_members(scan, depth_scale).items():
        stem.with_name(f"{stem.name}.{suffix}").write_bytes(data)
    return stem


def rgbd_members(scan: Scan, depth_scale: float = 1.0) -> dict[str, bytes]:
    """The files of one frame: suffix -> bytes."""
    members = {
        "color.png": encode_png(scan.color),
        "depth.png": encode_depth(scan.depth_mm, depth_scale),
    }
    if scan.landmarks is not None:
        members["landmarks.json"] = landmarks_json(scan.landmarks).encode()
    if scan.truth:
        members["truth.npz"] = encode_arrays(scan.truth)
    return members


def camera_json(camera: Camera) -> str:
    """The text of camera.json."""
    record = {name: getattr(camera, name) for name in ("width", "height", "fx", "fy", "cx", "cy")}
    record |= {"distortion": list(camera.distortion), "pixel_center": 0.5}
    return json.dumps(record, indent=2) + "\n"


def _write_camera(scan: Scan, path: Path) -> None:
    text = camera_json(scan.camera)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise ValueError(
            f"camera '{path}' is another one than scan '{scan.key}' has; expected one camera a "
            "subject; write it to another folder"
        )
    path.write_text(text, encoding="utf-8")
