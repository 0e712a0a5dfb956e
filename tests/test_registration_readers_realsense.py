"""RealSense recordings: bags written here byte by byte, and everything that can be wrong."""

import bz2
import contextlib
import struct

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from faces.camera import Camera
from faces.errors import BadInput
from registration.readers import open_layout
from registration.readers.align import align_depth
from registration.readers.lz4_frames import decompress
from registration.readers.realsense import RealsenseRecording
from registration.readers.rosbag import Rosbag

DEPTH = Camera(80, 60, 70.0, 70.0, 40.5, 29.5)
COLOR = Camera(120, 90, 110.0, 112.0, 61.0, 44.0)
TURN = Rotation.from_rotvec([0.03, 0.06, -0.04])
SHIFT_M = np.array([0.015, 0.002, -0.003])
FRAME_NS = 33_000_000
IDENTITY = np.eye(3)


def plane(camera, rotation=IDENTITY, shift_mm=(0, 0, 0)):
    """Depth (H, W) mm of the plane z = 600 + x/5 - y/4 of the depth camera's frame."""
    normal, offset = np.array([-0.2, 0.25, 1.0]), 600.0
    turned = rotation @ normal
    v, u = np.mgrid[: camera.height, : camera.width] + 0.5
    rays = camera.unproject(np.stack([u, v], -1), np.ones((camera.height, camera.width)))
    return (offset + turned @ np.asarray(shift_mm)) / (rays @ turned)


# --- a bag ---------------------------------------------------------------------------------


def record(fields, data=b""):
    block = b"".join(
        struct.pack("<I", len(name) + 1 + len(value)) + name.encode() + b"=" + value
        for name, value in fields.items()
    )
    return struct.pack("<I", len(block)) + block + struct.pack("<I", len(data)) + data


def lz4_stored(data):
    """An LZ4 frame whose one block is literals alone: one sequence of the block format."""
    rest = len(data) - 15
    token = bytes([min(len(data), 15) << 4])
    more = b"" if rest < 0 else b"\xff" * (rest // 255) + bytes([rest % 255])
    block = token + more + data
    head = struct.pack("<IBBB", 0x184D2204, 0x60, 0x60, 0)
    return head + struct.pack("<I", len(block)) + block + struct.pack("<I", 0)


PACKED = {b"none": bytes, b"bz2": bz2.compress, b"lz4": lz4_stored}


def bag(messages, compression=b"lz4", per_chunk=4):
    """A bag of (topic, time in ns, data), laid out as http://wiki.ros.org/Bags/Format/2.0 says."""
    topics = sorted({topic for topic, _, _ in messages})
    ids = {topic: struct.pack("<I", i) for i, topic in enumerate(topics)}
    body, infos = b"", []
    offset = len(b"#ROSBAG V2.0\n") + 4096
    for start in range(0, len(messages), per_chunk):
        inner, index = b"", {}
        for topic, time_ns, data in messages[start : start + per_chunk]:
            time = struct.pack("<II", *divmod(time_ns, 1_000_000_000))
            index.setdefault(topic, []).append(time + struct.pack("<I", len(inner)))
            inner += record({"op": b"\x02", "conn": ids[topic], "time": time}, data)
        infos.append((offset + len(body), len(index)))
        size = struct.pack("<I", len(inner))
        head = {"op": b"\x05", "compression": compression, "size": size}
        body += record(head, PACKED[compression](inner))
        for topic, entries in index.items():
            head = {"op": b"\x04", "ver": struct.pack("<I", 1), "conn": ids[topic]}
            body += record(head | {"count": struct.pack("<I", len(entries))}, b"".join(entries))
    tail = b"".join(
        record({"op": b"\x07", "conn": ids[t], "topic": t.encode()}, record({"topic": t.encode()}))
        for t in topics
    )
    for position, count in infos:
        place = {
            "op": b"\x06",
            "ver": struct.pack("<I", 1),
            "chunk_pos": struct.pack("<Q", position),
        }
        tail += record(place | {"count": struct.pack("<I", count)})
    head = {"op": b"\x03", "index_pos": struct.pack("<Q", offset + len(body))}
    head |= {"conn_count": struct.pack("<I", len(topics))}
    head |= {"chunk_count": struct.pack("<I", len(infos))}
    empty = len(record(head))
    return b"#ROSBAG V2.0\n" + record(head, b" " * (4096 - empty)) + body + tail


def header(number):
    return struct.pack("<III", number, 0, 0) + struct.pack("<I", 1) + b"0"


def image(encoding, array, number=1, padding=0):
    rows = array.reshape(len(array), -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    size = struct.pack("<III", *array.shape[:2], len(encoding)) + encoding.encode()
    return header(number) + size + struct.pack("<BII", 0, rows.shape[1], rows.size) + rows.tobytes()


def camera_info(camera, model="None", distortion=(0.0,) * 5):
    data = header(0) + struct.pack("<III", camera.height, camera.width, len(model))
    data += model.encode() + struct.pack("<I", len(distortion))
    matrix = [camera.fx, 0, camera.cx - 0.5, 0, camera.fy, camera.cy - 0.5, 0, 0, 1]
    return data + struct.pack("<14d", *distortion, *matrix) + struct.pack("<21d", *[0.0] * 21)


def placed(shift_m, turn):
    return struct.pack("<7d", *shift_m, *turn.as_quat())


def color_of(number):
    rng = np.random.default_rng(number)
    picture = rng.integers(0, 256, (COLOR.height, COLOR.width, 3), dtype=np.uint8)
    if number % 3 != 2:  # the sharp ones are 2, 5, 8, …
        picture = cv2.GaussianBlur(picture, (0, 0), 2)
    return picture


S0, S1 = "/device_0/sensor_0", "/device_0/sensor_1"


def realsense(frames=6, encoding="rgb8", model="None", distortion=(0.0,) * 5, unit_m=0.0001):
    """Messages of a recording of the plane; depth 5 ms after colour."""
    depth = np.rint(plane(DEPTH) / (1000 * unit_m)).astype("<u2")
    messages = [
        (f"{S0}/Depth_0/info/camera_info", 1, camera_info(DEPTH)),
        (f"{S1}/Color_0/info/camera_info", 1, camera_info(COLOR, model, distortion)),
        (f"{S0}/option/Depth_Units/value", 1, struct.pack("<f", unit_m)),
        (f"{S0}/Depth_0/tf/0", 1, placed([0, 0, 0], Rotation.identity())),
        (f"{S1}/Color_0/tf/0", 1, placed(SHIFT_M, TURN)),
    ]
    for number in range(frames):
        time = (number + 1) * FRAME_NS
        color = color_of(number)
        color = color[..., ::-1].copy() if encoding == "bgr8" else color
        messages.append((f"{S1}/Color_0/image/data", time, image(encoding, color, number, 4)))
        late = time + 5_000_000
        messages.append((f"{S0}/Depth_0/image/data", late, image("mono16", depth, number)))
    return messages


def write(folder, messages, name="head.bag", **options):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(bag(messages, **options))
    return folder / name


def check_plane(scan, tolerance_mm):
    true = plane(COLOR, TURN.as_matrix(), 1000 * SHIFT_M)
    seen = scan.depth_mm > 0
    assert seen.mean() > 0.5
    assert np.abs(scan.depth_mm - true)[seen].max() < tolerance_mm


@pytest.mark.parametrize("compression", [b"none", b"bz2", b"lz4"])
@pytest.mark.parametrize("encoding", ["rgb8", "bgr8"])
def test_a_bag_gives_colour_camera_and_depth_on_its_pixels(tmp_path, compression, encoding):
    write(tmp_path / "alice", realsense(2, encoding), compression=compression)
    reader = open_layout("realsense", tmp_path)
    refs = reader.refs()
    assert [(ref.key, ref.subject) for ref in refs] == [
        ("alice/head/f000000", "alice"),
        ("alice/head/f000001", "alice"),
    ]
    scan = reader.read(refs[1])
    np.testing.assert_array_equal(scan.color, color_of(1))
    assert (scan.camera.fx, scan.camera.cx) == (COLOR.fx, COLOR.cx)
    # A plane between grid points is exact; depth is rounded to a tenth of a millimetre, and a
    # triangle's plane through three rounded corners strays no farther inside it.
    check_plane(scan, 0.06)
    assert scan.provenance.licence == "unknown"
    assert type(open_layout("auto", tmp_path)) is type(reader)


def test_a_recording_in_the_root_is_a_subject_and_dots_go(tmp_path):
    write(tmp_path, realsense(1), name="2024.01.02.bag")
    (ref,) = open_layout("realsense", tmp_path).refs()
    assert (ref.key, ref.subject) == ("2024_01_02/f000000", "2024.01.02")


def test_every_nth_and_the_sharpest(tmp_path):
    write(tmp_path / "a", realsense(7))
    every = open_layout("realsense", tmp_path, frames="every:4")
    assert [ref.key[-7:] for ref in every.refs()] == ["f000000", "f000004"]
    np.testing.assert_array_equal(every.read(every.refs()[1]).color, color_of(4))
    sharpest = open_layout("realsense", tmp_path, frames="sharpest:4")
    found = [sharpest.read(ref).color for ref in sharpest.refs()]
    np.testing.assert_array_equal(found[0], color_of(2))
    np.testing.assert_array_equal(found[1], color_of(5))


def test_images_without_a_partner_are_no_frames(tmp_path):
    late = realsense(3)
    late = [m for m in late if m[0] != f"{S0}/Depth_0/image/data" or m[1] > 2 * FRAME_NS]
    recording = RealsenseRecording(write(tmp_path, late))
    assert len(recording) == 2
    np.testing.assert_array_equal(recording.color(0), color_of(1))


def true_rays(image_rays, values):
    """librealsense's inverse Brown-Conrady model."""
    x, y = image_rays.T
    k1, k2, p1, p2, k3 = values
    square = x * x + y * y
    radial = 1 + square * (k1 + square * (k2 + square * k3))
    across = x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x)
    return np.stack([across, y * radial + 2 * p2 * x * y + p1 * (square + 2 * y * y)], 1)


@pytest.mark.parametrize("model", ["Brown Conrady", "Inverse Brown Conrady"])
def test_distortion_is_removed(tmp_path, model):
    """Marks where a lens puts known rays are found where the pinhole puts them."""
    values = (-0.06, 0.05, 0.0005, -0.0004, -0.01)
    rays = np.array([[x, y, 1.0] for x in (-0.4, 0.0, 0.35) for y in (-0.3, 0.0, 0.3)])
    zero = np.zeros(3)
    if model == "Brown Conrady":
        bent = cv2.projectPoints(rays, zero, zero, COLOR.matrix, np.array(values))[0][:, 0]
    else:
        image_rays = rays[:, :2].copy()
        for _ in range(50):  # a fixed point: the model goes from image rays to true rays
            image_rays += rays[:, :2] - true_rays(image_rays, values)
        bent = image_rays * [COLOR.fx, COLOR.fy] + [COLOR.cx, COLOR.cy]
    straight = COLOR.project(rays)
    assert np.abs(bent - straight).max() > 0.5  # else the test would prove nothing
    v, u = np.mgrid[: COLOR.height, : COLOR.width] + 0.5
    marks = sum(255 * np.exp(-((u - x) ** 2 + (v - y) ** 2) / 8) for x, y in bent)
    picture = np.repeat(np.rint(np.clip(marks, 0, 255))[..., None], 3, 2).astype(np.uint8)
    messages = realsense(1, model=model, distortion=values)
    where = next(i for i, m in enumerate(messages) if m[0].endswith("Color_0/image/data"))
    messages[where] = (*messages[where][:2], image("rgb8", picture))
    color = RealsenseRecording(write(tmp_path, messages)).color(0)[..., 0].astype(float)
    for x, y in straight:
        near = color * (np.hypot(u - x, v - y) < 6)
        centre = [(u * near).sum() / near.sum(), (v * near).sum() / near.sum()]
        np.testing.assert_allclose(centre, [x, y], atol=0.12)  # 8-bit, cut at 6 px


def without(part):
    return lambda messages: [m for m in messages if part not in m[0]]


def instead(part, data):
    return lambda messages: [(t, n, data if part in t else d) for t, n, d in messages]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without("Depth_0/image"), "no depth stream"),
        (without("Color_0/image"), "no color stream"),
        (without("Color_0/info"), "no camera of"),
        (without("Color_0/tf"), "no extrinsics"),
        (instead("Color_0/tf", b"short"), "5 bytes"),
        (instead("Color_0/tf", struct.pack("<7d", *[0.0] * 7)), "extrinsics"),
        (instead("Color_0/info", b"short"), "camera_info"),
        (instead("Color_0/info", camera_info(Camera(9, 9, -1.0, 1.0, 1.0, 1.0))), "f -1"),
        (instead("Color_0/info", camera_info(COLOR, "F-Theta", (1.0,) * 5)), "F-Theta"),
        (
            instead("Color_0/info", camera_info(COLOR, "Inverse Brown Conrady", (9.0,) * 5)),
            "OpenCV",
        ),
        (instead("Color_0/image", b"short"), "an image"),
        (instead("Color_0/image", image("rgb8", color_of(0)[:9])), "an image of 120×9"),
        (instead("Color_0/image", image("yuyv", color_of(0)[..., :2].copy())), "'yuyv'"),
        (instead("Depth_0/image", image("rgb8", np.zeros((60, 80, 3), np.uint8))), "'rgb8'"),
        (
            lambda ms: [(t, n + (10**9 if "Depth_0/im" in t else 0), d) for t, n, d in ms],
            "within 20 ms",
        ),
    ],
)
def test_what_a_recording_lacks_is_said(tmp_path, change, says):
    path = write(tmp_path / "a", change(realsense(2)))
    reader = open_layout("realsense", tmp_path)
    ref = reader.refs()[0]
    with pytest.raises(BadInput, match=says) as caught:
        reader.read(ref)
    assert path.name in caught.value.what


@pytest.mark.parametrize("compression", list(PACKED))
@pytest.mark.parametrize("share", [0.0, 0.001, 0.2, 0.9, 0.999])
def test_a_bag_cut_short(tmp_path, compression, share):
    path = write(tmp_path, realsense(2), compression=compression)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BadInput, match=r"head\.bag"):
        RealsenseRecording(path)


def test_a_bag_without_its_index_and_other_files(tmp_path):
    path = write(tmp_path, realsense(1))
    whole = path.read_bytes()
    at = whole.index(b"index_pos=") + 10
    path.write_bytes(whole[:at] + bytes(8) + whole[at + 8 :])
    with pytest.raises(BadInput, match="no index") as caught:
        Rosbag(path)
    assert "reindex" in caught.value.remedy
    path.write_bytes(b"#ROSBAG V1.2\n" + bytes(90))
    with pytest.raises(BadInput, match="begins with"):
        Rosbag(path)
    path.unlink()
    (tmp_path / "film.avi").touch()
    with pytest.raises(BadInput, match=r"no scan of layout 'realsense'; there are .*film\.avi"):
        open_layout("realsense", tmp_path).refs()


def test_damaged_bytes_never_end_otherwise_than_in_an_error(tmp_path):
    path = write(tmp_path, realsense(1))
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(3)
    for _ in range(40):
        spoilt = whole.copy()
        spoilt[rng.integers(13, len(whole), 30)] = rng.integers(0, 256, 30)
        path.write_bytes(spoilt.tobytes())
        with contextlib.suppress(BadInput):
            assert np.isfinite(RealsenseRecording(path).depth(0)).all()


# --- LZ4 -----------------------------------------------------------------------------------


def lz4_frame(*blocks, flags=0x60, tail=b""):
    frame = struct.pack("<IBB", 0x184D2204, flags, 0x60) + tail + b"\0"
    for block in blocks:
        frame += struct.pack("<I", len(block)) + block
    return frame + struct.pack("<I", 0)


def test_lz4_copies_overlap_and_reach_into_earlier_blocks():
    # "abc", then 9 bytes from 3 back, which repeats it; then "x" alone.
    first = bytes([0x35]) + b"abc" + struct.pack("<H", 3) + bytes([0x10]) + b"x"
    # "y", then 4 bytes from 5 back; the last sequence is one literal.
    second = bytes([0x10]) + b"y" + struct.pack("<H", 5) + bytes([0x10]) + b"z"
    assert decompress(lz4_frame(first, second), 19) == b"abcabcabcabcxyabcxz"


def test_lz4_long_lengths_stored_blocks_and_the_contents_size():
    data = bytes(range(256)) * 3
    assert decompress(lz4_stored(data), 768) == data
    stored = struct.pack("<IBB", 0x184D2204, 0x68, 0x60) + struct.pack("<Q", 768) + b"\0"
    stored += struct.pack("<I", 0x80000000 | 768) + data + struct.pack("<I", 0)
    assert decompress(stored, 768) == data
    run = bytes([0x1F]) + b"a" + struct.pack("<H", 1) + bytes([255, 255, 7, 0x10]) + b"b"
    assert decompress(lz4_frame(run), 1 + 4 + 15 + 255 + 255 + 7 + 1) == b"a" * 537 + b"b"


@pytest.mark.parametrize(
    ("data", "size", "says"),
    [
        (b"", 1, "no LZ4 frame"),
        (b"\0" * 20, 1, "no LZ4 frame"),
        (lz4_frame(b"\x10a", flags=0x61), 1, "dictionary"),
        (lz4_frame(b"\x10a"), 2, "1 bytes from an LZ4 frame of 2"),
        (lz4_frame(b"\x20ab"), 1, "damaged"),
        (lz4_frame(b"\x10a\x02\x00\x10b"), 9, "damaged"),  # from before the beginning
        (lz4_frame(b"\x10a\x00\x00\x10b"), 9, "damaged"),  # from nowhere
        (lz4_frame(b"\x1fa\x01\x00\xff"), 900, "damaged"),  # a length that never ends
        (lz4_frame(b"\x10a")[:-4], 1, "cut short"),
        (lz4_frame(b"\x10a")[:-5], 1, "cut short"),
    ],
)
def test_damaged_lz4(data, size, says):
    with pytest.raises(ValueError, match=says):
        decompress(data, size)


# --- depth onto colour ---------------------------------------------------------------------


def test_aligned_depth_is_that_of_the_other_camera():
    rotation, shift = TURN.as_matrix(), 1000 * SHIFT_M
    depth = plane(DEPTH).astype(np.float32)
    depth[:8] = 0
    found = align_depth(depth, DEPTH, COLOR, rotation, shift)
    true = plane(COLOR, rotation, shift)
    seen = found > 0
    np.testing.assert_allclose(found[seen], true[seen], atol=0.01)  # float32 in the rasteriser
    assert not seen[:3].any()  # above the rows without depth, whose edge runs obliquely
    assert seen[30:60, 30:90].all()  # four colour pixels for each of depth, and no hole
    assert (align_depth(np.zeros_like(depth), DEPTH, COLOR, rotation, shift) == 0).all()
