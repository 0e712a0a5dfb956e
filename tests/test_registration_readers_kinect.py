"""Azure Kinect recordings: Matroska files written here byte by byte, and read without the SDK."""

import io
import json
import struct

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from faces.camera import Camera
from faces.errors import BadInput
from registration.readers import open_layout
from registration.readers.azure_kinect import AzureKinectRecording
from registration.readers.matroska import Matroska

COLOR_SIZE, DEPTH_SIZE = (1280, 720), (320, 288)
# Of the unit square: cx, cy, fx, fy. The cameras that follow are what the SDK makes of them.
COLOR_UNIT, DEPTH_UNIT = (0.5, 0.51, 0.47, 0.63), (0.5, 0.49, 0.495, 0.497)
COLOR = Camera(1280, 720, 0.47 * 1280, 0.63 * 960, 0.5 * 1280, 0.51 * 960 - 120)
DEPTH = Camera(320, 288, 0.495 * 512, 0.497 * 512, 0.5 * 512 - 96, 0.49 * 512 - 90)
TURN, SHIFT_MM = Rotation.from_rotvec([0.1, 0.01, -0.02]), np.array([-32.0, -2.0, 4.0])
NO_LENS = (0.0,) * 8  # k1 … k6, p2, p1


def element(kind, content):
    head = kind.to_bytes((kind.bit_length() + 7) // 8, "big")
    body = content if isinstance(content, bytes) else content.to_bytes(8, "big")
    return head + (len(body) | 1 << 56).to_bytes(8, "big") + body


def track(number, name, size, code):
    header = struct.pack("<IiiHH4s20x", 40, *size, 1, 16, code)
    video = element(0xB0, size[0]) + element(0xBA, size[1])
    return element(
        0xAE,
        element(0xD7, number)
        + element(0x536E, name.encode())
        + element(0x86, b"V_MS/VFW/FOURCC")
        + element(0x63A2, header)
        + element(0xE0, video),
    )


def block(number, time, data, flags=0x80):
    return bytes([0x80 | number]) + struct.pack(">hB", time, flags) + data


def camera_record(location, unit, sensor, turn, shift_mm, lens):
    k1, k2, k3, k4, k5, k6, p2, p1 = lens
    values = [*unit, k1, k2, k3, k4, k5, k6, 0.0, 0.0, p2, p1]
    return {
        "Location": f"CALIBRATION_CameraLocation{location}",
        "SensorWidth": sensor[0],
        "SensorHeight": sensor[1],
        "MetricRadius": 1.7,
        "Rt": {
            "Rotation": turn.as_matrix().ravel().tolist(),
            "Translation": (np.asarray(shift_mm) / 1000).tolist(),
        },
        "Intrinsics": {
            "ModelParameterCount": 14,
            "ModelType": "CALIBRATION_LensDistortionModelBrownConrady",
            "ModelParameters": values,
        },
    }


def calibration(color_unit=COLOR_UNIT, sensor=(4096, 3072), lens=NO_LENS):
    depth = camera_record("D0", DEPTH_UNIT, (1024, 1024), Rotation.identity(), [0, 0, 0], NO_LENS)
    color = camera_record("PV0", color_unit, sensor, TURN, SHIFT_MM, lens)
    return {"CalibrationInformation": {"Cameras": [depth, color]}}


def plane(camera, rotation, shift_mm):
    """Depth (H, W) mm of the plane z = 600 + x/5 - y/4 of the depth camera's frame."""
    normal, offset = np.array([-0.2, 0.25, 1.0]), 600.0
    turned = rotation @ normal
    v, u = np.mgrid[: camera.height, : camera.width] + 0.5
    rays = camera.unproject(np.stack([u, v], -1), np.ones((camera.height, camera.width)))
    return (offset + turned @ np.asarray(shift_mm)) / (rays @ turned)


def smooth_color(number):
    u, v = np.meshgrid(np.arange(COLOR_SIZE[0]), np.arange(COLOR_SIZE[1]))
    parts = [128 + 80 * np.sin(u / 90 + number), 128 + 80 * np.cos(v / 70), 100 + 0 * u]
    return np.rint(np.stack(parts, -1)).astype(np.uint8)


def packed(code, color):
    if code == b"MJPG":
        stream = io.BytesIO()
        Image.fromarray(color).save(stream, "JPEG", quality=95, subsampling=0)
        return stream.getvalue()
    yuv = cv2.cvtColor(color, cv2.COLOR_RGB2YUV)
    luma, blue, red = yuv[..., 0], yuv[..., 1], yuv[..., 2]
    # OpenCV's planes are of full range; the formats' are of video range.
    luma = np.rint(16 + luma * (219 / 255)).astype(np.uint8)
    chroma = [np.rint(128 + (c.astype(float) - 128) * k) for c, k in ((blue, 1.01), (red, 0.80))]
    blue, red = (np.clip(c, 0, 255).astype(np.uint8) for c in chroma)
    if code == b"NV12":
        pairs = np.stack([blue[::2, ::2], red[::2, ::2]], -1)
        return luma.tobytes() + pairs.tobytes()
    chroma = np.stack([blue[:, ::2], red[:, ::2]], -1).reshape(luma.shape)
    return np.stack([luma, chroma], -1).tobytes()


def mkv(frames=3, code=b"MJPG", record=None, depth_code=b"b16g", groups=False, **changes):
    """A recording of the plane: a cluster a frame, depth 4 ms after colour."""
    depth = np.rint(plane(DEPTH, np.eye(3), np.zeros(3))).astype(">u2").tobytes()
    clusters = b""
    for number in range(frames):
        color = packed(code, smooth_color(number))
        flags = changes.get("flags", 0x80)
        blocks = [block(1, 0, color, flags), block(2, changes.get("late", 4), depth)]
        if groups:
            body = b"".join(element(0xA0, element(0xA1, one)) for one in blocks)
        else:
            body = b"".join(element(0xA3, one) for one in blocks)
        clusters += element(0x1F43B675, element(0xE7, 33 * (number + 1)) + body)
    text = json.dumps(record or calibration()).encode() + b"\0"
    attached = element(0x466E, b"calibration.json") + element(0x465C, text)
    tracks = [track(1, "COLOR", changes.get("size", COLOR_SIZE), code)]
    tracks.append(track(2, changes.get("depth_name", "DEPTH"), DEPTH_SIZE, depth_code))
    segment = element(0x1549A966, element(0x2AD7B1, 1_000_000))
    segment += element(0x1654AE6B, b"".join(tracks))
    if changes.get("attached", True):
        segment += element(0x1941A469, element(0x61A7, attached))
    segment += element(0xEC, bytes(20)) + clusters
    return element(0x1A45DFA3, element(0x4282, b"matroska")) + element(0x18538067, segment)


def write(root, **changes):
    (root / "bob").mkdir(parents=True, exist_ok=True)
    path = root / "bob" / "take.1.mkv"
    path.write_bytes(mkv(**changes))
    return path


@pytest.mark.parametrize("groups", [False, True])
def test_colour_camera_and_depth_on_its_pixels(tmp_path, groups):
    write(tmp_path, groups=groups)
    reader = open_layout("azure-kinect", tmp_path)
    refs = reader.refs()
    assert [(ref.key, ref.subject) for ref in refs] == [
        (f"bob/take_1/f00000{i}", "bob") for i in range(3)
    ]
    scan = reader.read(refs[2])
    # JPEG of quality 95 on a smooth picture.
    assert np.abs(scan.color.astype(int) - smooth_color(2)).mean() < 2
    for name in ("fx", "fy", "cx", "cy"):
        assert getattr(scan.camera, name) == pytest.approx(getattr(COLOR, name))
    seen = scan.depth_mm > 0
    assert seen.mean() > 0.4
    true = plane(COLOR, TURN.as_matrix(), SHIFT_MM)
    # Depth is rounded to half a millimetre, and seen by a camera turned by 6°.
    assert np.abs(scan.depth_mm - true)[seen].max() < 0.6
    assert type(open_layout("auto", tmp_path)) is type(reader)


@pytest.mark.parametrize("code", [b"NV12", b"YUY2"])
def test_the_other_colour_formats(tmp_path, code):
    recording = AzureKinectRecording(write(tmp_path, frames=1, code=code))
    # Two conversions and halved chroma of a smooth picture.
    assert np.abs(recording.color(0).astype(int) - smooth_color(0)).mean() < 3


def test_an_old_calibration_of_the_wide_window_is_the_same_camera(tmp_path):
    cx, cy, fx, fy = COLOR_UNIT
    wide = (cx, (cy * 3072 - 384) / 2304, fx, fy * 3072 / 2304)
    record = calibration(wide, sensor=(4096, 2304))
    camera = AzureKinectRecording(write(tmp_path, frames=1, record=record)).camera
    assert (camera.fy, camera.cy) == (pytest.approx(COLOR.fy), pytest.approx(COLOR.cy))


def test_the_lens_is_straightened(tmp_path):
    """A mark drawn where the lens puts a known ray is found where the pinhole puts it."""
    lens = (0.08, -0.05, 0.01, 0.02, -0.01, 0.003, 0.0004, -0.0006)
    k1, k2, k3, k4, k5, k6, p2, p1 = lens
    ray = np.array([[0.6, 0.35, 1.0]])
    values = np.array([k1, k2, p1, p2, k3, k4, k5, k6])
    bent = cv2.projectPoints(ray, np.zeros(3), np.zeros(3), COLOR.matrix, values)[0][0, 0]
    straight = COLOR.project(ray)[0]
    assert np.abs(bent - straight).max() > 3  # else the test would prove nothing
    v, u = np.mgrid[: COLOR.height, : COLOR.width] + 0.5
    mark = np.rint(250 * np.exp(-((u - bent[0]) ** 2 + (v - bent[1]) ** 2) / 50)).astype(np.uint8)
    path = write(tmp_path, frames=1, record=calibration(lens=lens))
    plain, marked = (packed(b"MJPG", c) for c in (smooth_color(0), np.stack([mark] * 3, -1)))
    marked += bytes(len(plain) - len(marked))  # a decoder stops at the image's end
    path.write_bytes(path.read_bytes().replace(plain, marked))
    found = AzureKinectRecording(path).color(0)[..., 1].astype(float)
    found[np.hypot(u - straight[0], v - straight[1]) > 20] = 0
    centre = np.array([(u * found).sum(), (v * found).sum()]) / found.sum()
    np.testing.assert_allclose(centre, straight, atol=0.15)  # 8 bits, JPEG


def changed(*path, value):
    record = calibration()
    place = record["CalibrationInformation"]["Cameras"][1]
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return record


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"frames": 0}, "no images in a track 'COLOR'"),
        ({"depth_name": "IR"}, "no images in a track 'DEPTH'"),
        ({"late": 900}, "within 20 ms"),
        ({"attached": False}, "no calibration"),
        ({"record": {"CalibrationInformation": {}}}, "no calibration"),
        ({"record": {"CalibrationInformation": {"Cameras": []}}}, "KeyError"),
        ({"record": changed("Rt", "Rotation", value=[1.0])}, "calibration of .*PV0"),
        ({"record": changed("Rt", "Translation", value=["x", 0, 0])}, "could not convert"),
        ({"record": changed("Intrinsics", "ModelParameters", value=[0.5])}, "not enough values"),
        ({"record": changed("Intrinsics", "ModelType", value="Theta")}, "Theta"),
        ({"record": changed("SensorWidth", value=None)}, "TypeError"),
        ({"record": calibration((0.5, 0.5, -1.0, 0.6))}, "a camera"),
        ({"size": (640, 480)}, "640×480 px"),
        ({"code": b"NV12", "size": (1920, 1080)}, "NV12 of"),
        ({"size": (1920, 1080)}, r"shape \(720, 1280, 3\)"),
        ({"depth_code": b"Y16 "}, "depth of format 'Y16 '"),
        ({"flags": 0x86}, "several frames"),
    ],
)
def test_what_a_recording_lacks_is_said(tmp_path, changes, says):
    path = write(tmp_path, **{"frames": 1} | changes)
    reader = open_layout("azure-kinect", tmp_path)
    (ref,) = reader.refs()  # the error belongs to the recording, not to the run
    with pytest.raises(BadInput, match=says) as caught:
        reader.read(ref)
    assert path.name in caught.value.what


def test_an_unknown_colour_format_and_a_damaged_image(tmp_path):
    path = write(tmp_path, frames=1)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"MJPG", b"H264"))
    with pytest.raises(BadInput, match="H264"):
        AzureKinectRecording(path).color(0)
    path.write_bytes(whole.replace(b"\xff\xd8\xff", b"\0\0\0"))
    with pytest.raises(BadInput, match="unreadable"):
        AzureKinectRecording(path).color(0)


@pytest.mark.parametrize("share", [0.0, 1e-4, 0.01, 0.5, 0.999])
def test_a_file_cut_short(tmp_path, share):
    path = write(tmp_path, frames=1)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BadInput, match=r"take\.1\.mkv"):
        Matroska(path)


def test_a_file_of_another_muxer(tmp_path):
    """FFmpeg's, through OpenCV: other element sizes, no names, clusters of many frames."""
    path = tmp_path / "a.mkv"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
    if not writer.isOpened():
        pytest.skip("this OpenCV writes no Matroska")
    for number in range(40):
        writer.write(np.full((48, 64, 3), 5 * number, np.uint8))
    writer.release()
    file = Matroska(path)
    (video,) = file.tracks.values()
    assert (video.width, video.height) == (64, 48)
    assert [time for time, _, _ in video.blocks] == [40_000_000 * i for i in range(40)]
    for number in (0, 17, 39):
        image = np.array(Image.open(io.BytesIO(file.bytes_of(video.blocks[number]))))
        assert np.abs(image.astype(int) - 5 * number).max() <= 3  # JPEG


def test_other_files_and_a_recording_that_was_not_closed(tmp_path):
    path = tmp_path / "a.mkv"
    path.write_bytes(bytes(100))
    with pytest.raises(BadInput, match="damaged element at byte 0"):
        Matroska(path)
    path.write_bytes(element(0xEC, b"x"))
    with pytest.raises(BadInput, match="no EBML header"):
        Matroska(path)
    path.write_bytes(element(0x1A45DFA3, b"") + element(0x18538067, b""))
    with pytest.raises(BadInput, match="no tracks"):
        Matroska(path)
    unknown = bytes.fromhex("1853806701ffffffffffffff")
    path.write_bytes(element(0x1A45DFA3, b"") + unknown + element(0xEC, b"x"))
    with pytest.raises(BadInput, match="unknown size"):
        Matroska(path)
