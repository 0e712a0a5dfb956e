"""The rgbd layout: a frame written here comes back, and every bad input is named."""

import json
import struct
import zlib
from dataclasses import asdict

import cv2
import numpy as np
import pytest
from PIL import Image

from faces.camera import Camera
from faces.errors import BadInput
from faces.landmarks import write_landmarks
from faces.types import Landmarks
from registration.readers import ScanRef, open_layout

WIDTH, HEIGHT = 160, 120
CAMERA = {"width": WIDTH, "height": HEIGHT, "fx": 150.0, "fy": 151.0, "cx": 80.5, "cy": 59.0}


@pytest.fixture
def frame():
    """Colour, depth in units and landmarks of a synthetic frame."""
    rng = np.random.default_rng(0)
    color = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    units = rng.integers(4000, 9000, (HEIGHT, WIDTH)).astype(np.uint16)
    units[:20] = 0
    points = rng.uniform(20, 100, (68, 2))
    return color, units, Landmarks(points, "ibug68", np.ones(68))


@pytest.fixture
def folder(tmp_path, frame):
    color, units, landmarks = frame
    home = tmp_path / "scans" / "s01"
    home.mkdir(parents=True)
    Image.fromarray(color).save(home / "f0.color.png")
    Image.fromarray(units).save(home / "f0.depth.png")
    write_landmarks(landmarks, home / "f0.landmarks.json")
    (home / "camera.json").write_text(json.dumps(CAMERA))
    np.savez(home / "f0.truth.npz", vertices_mm=np.eye(3))
    return home


def read_only(folder, **options):
    reader = open_layout("rgbd", folder.parent, **options)
    (ref,) = reader.refs()
    return reader.read(ref)


def test_round_trip(folder, frame):
    scan = read_only(folder, depth_scale=0.1, licence="CC0-1.0")
    assert (scan.key, scan.subject) == ("s01/f0", "s01")
    np.testing.assert_array_equal(scan.color, frame[0])
    np.testing.assert_allclose(scan.depth_mm, frame[1] * 0.1, rtol=1e-6)
    assert scan.depth_mm.dtype == np.float32
    np.testing.assert_array_equal(scan.landmarks.points_px, frame[2].points_px)
    np.testing.assert_array_equal(scan.truth["vertices_mm"], np.eye(3))
    assert (scan.camera.fx, scan.camera.cx) == (150.0, 80.5)
    assert asdict(scan.provenance) == {"source": "scans", "licence": "CC0-1.0"} | {
        "consent": "unknown"
    }


def test_refs_survive_json(folder):
    (ref,) = open_layout("rgbd", folder.parent).refs()
    assert ScanRef(**json.loads(json.dumps(asdict(ref)))) == ref


def test_centre_of_the_first_pixel_may_be_zero(folder):
    (folder / "camera.json").write_text(json.dumps(CAMERA | {"pixel_center": 0}))
    camera = read_only(folder).camera
    assert (camera.cx, camera.cy) == (81.0, 59.5)


def test_camera_and_source_are_found_in_the_root(folder):
    (folder / "camera.json").rename(folder.parent / "camera.json")
    source = {"source": "own", "licence": "CC-BY-4.0", "consent": "research"}
    (folder.parent / "source.json").write_text(json.dumps(source))
    (folder / "source.json").write_text(json.dumps({"consent": "all uses"}))
    scan = read_only(folder)
    assert asdict(scan.provenance) == source | {"consent": "all uses"}


def test_distortion_is_removed_from_all_three(folder):
    """Marks drawn where a lens puts known rays are found where the pinhole puts them."""
    camera = Camera(WIDTH, HEIGHT, 150.0, 151.0, 80.5, 59.0)
    distortion = (-0.25, 0.08, 0.001, -0.001)
    rays = np.array([[x, y, 1.0] for x in (-0.35, 0.0, 0.3) for y in (-0.25, 0.0, 0.25)])
    zero, lens = np.zeros(3), np.array(distortion)
    bent = cv2.projectPoints(rays, zero, zero, camera.matrix, lens)[0][:, 0]
    straight = camera.project(rays)
    assert np.abs(bent - straight).max() > 1.5  # else the test would prove nothing

    color = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    units = np.zeros((HEIGHT, WIDTH), dtype=np.uint16)
    v, u = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    for number, (x, y) in enumerate(bent):
        near = np.hypot(u - x, v - y)
        color[near < 6] = np.rint(255 * np.exp(-(near[near < 6, None] ** 2) / 8))
        units[near < 3] = 1000 + number
    Image.fromarray(color).save(folder / "f0.color.png")
    Image.fromarray(units).save(folder / "f0.depth.png")
    points = np.vstack([bent, np.full((59, 2), np.nan)])
    write_landmarks(Landmarks(points, "ibug68", np.ones(68)), folder / "f0.landmarks.json")
    (folder / "camera.json").write_text(json.dumps(CAMERA | {"distortion": distortion}))

    scan = read_only(folder)
    assert scan.camera.distortion == ()
    # Undistortion of points iterates to 1e-2 px or better.
    np.testing.assert_allclose(scan.landmarks.points_px[:9], straight, atol=0.02)
    for number, (x, y) in enumerate(straight):
        disc = scan.depth_mm == 1000 + number  # nearest: no depth between two marks' appears
        # A disc of 28 whole pixels has its centre within half a pixel.
        np.testing.assert_allclose([u[disc].mean(), v[disc].mean()], [x, y], atol=0.5)
        blob = scan.color[..., 0] * (np.hypot(u - x, v - y) < 6.0)
        centre = [(u * blob).sum() / blob.sum(), (v * blob).sum() / blob.sum()]
        np.testing.assert_allclose(centre, [x, y], atol=0.15)  # 8-bit, cut at 6 px
    assert set(np.unique(scan.depth_mm)) == {0, *range(1000, 1009)}


def bad(folder, says, file=None, **options):
    with pytest.raises(BadInput, match=says) as caught:
        read_only(folder, **options)
    message = str(caught.value)
    assert (file or "f0") in message
    assert message.count(";") >= 2  # got; expected; remedy
    return caught.value


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["f0.color.png", "f0.depth.png"])
def test_truncated_png(folder, name, share):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(len(whole) * share)])
    bad(folder, "damaged or truncated|unreadable", name)


def test_truncated_jpeg(folder, frame):
    (folder / "f0.color.png").unlink()
    smooth = cv2.GaussianBlur(frame[0], (0, 0), 8)
    Image.fromarray(smooth).save(folder / "f0.color.jpg", quality=90)
    whole = (folder / "f0.color.jpg").read_bytes()
    assert read_only(folder).color.shape == (HEIGHT, WIDTH, 3)
    (folder / "f0.color.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    # The danger: this decoder hands out an image whose rest is grey.
    assert cv2.imread(str(folder / "f0.color.jpg")) is not None
    bad(folder, "damaged or truncated", "f0.color.jpg")


def test_damaged_png(folder):
    whole = bytearray((folder / "f0.color.png").read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    (folder / "f0.color.png").write_bytes(bytes(whole))
    bad(folder, "damaged or truncated|unreadable", "f0.color.png")


def test_a_header_of_a_decompression_bomb_is_refused_before_decoding(folder):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    for width, height in ((20_000, 6_000), (60_000, 60_000)):
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0"))
        (folder / "f0.color.png").write_bytes(data + chunk(b"IEND", b""))
        bad(folder, "100 megapixels", "f0.color.png")


def test_not_an_image(folder):
    (folder / "f0.color.png").write_text("hello")
    bad(folder, "unreadable", "f0.color.png")


def test_depth_of_8_bit(folder, frame):
    Image.fromarray((frame[1] >> 8).astype(np.uint8)).save(folder / "f0.depth.png")
    bad(folder, "8-bit depth", "f0.depth.png")


def test_depth_with_colours(folder, frame):
    Image.fromarray(frame[0]).save(folder / "f0.depth.png")
    bad(folder, "3 channels", "f0.depth.png")


def test_missing_depth(folder):
    (folder / "f0.depth.png").unlink()
    bad(folder, "no such file", "f0.depth.png")


def test_missing_camera(folder):
    (folder / "camera.json").unlink()
    error = bad(folder, "no camera", "s01/f0")
    assert "camera.json" in error.remedy


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"fx": -1}, "focal lengths -1"),
        ({"fx": "wide"}, "wide"),
        ({"cx": None}, "float"),
        ({"fy": float("nan")}, "nan"),
        ({"distortion": [0.1]}, "1 distortion"),
        ({"pixel_center": 0.3}, "pixel_center 0.3"),
    ],
)
def test_impossible_cameras(folder, change, says):
    (folder / "camera.json").write_text(json.dumps(CAMERA | change))
    bad(folder, says, "camera.json")


def test_camera_without_a_value_and_damaged_json(folder):
    (folder / "camera.json").write_text(json.dumps({k: CAMERA[k] for k in ("width", "height")}))
    bad(folder, "no fx", "camera.json")
    (folder / "camera.json").write_text("{")
    bad(folder, "JSON", "camera.json")


def test_sizes_must_agree(folder, frame):
    Image.fromarray(frame[1][:60]).save(folder / "f0.depth.png")
    error = bad(folder, "colour 160×120, depth 160×60, camera.json 160×120", "f0.depth.png")
    assert "register depth to the colour image" in error.remedy


def test_truth_with_pickles_is_refused(folder):
    np.savez(folder / "f0.truth.npz", vertices_mm=np.array([{}], dtype=object))
    bad(folder, "allow_pickle", "f0.truth.npz")
    (folder / "f0.truth.npz").write_bytes(b"PK\x03\x04nonsense")
    bad(folder, "plain arrays", "f0.truth.npz")


def test_empty_folder_unknown_layout_and_option(tmp_path):
    with pytest.raises(BadInput, match="no colour image"):
        open_layout("rgbd", tmp_path).refs()
    with pytest.raises(BadInput, match="no such folder"):
        open_layout("rgbd", tmp_path / "none")
    with pytest.raises(BadInput, match="rgbd, mesh"):
        open_layout("kinect9", tmp_path)
    with pytest.raises(BadInput, match="unit"):
        open_layout("rgbd", tmp_path, unit="mm")


def test_a_frame_without_landmarks_and_truth(folder):
    (folder / "f0.landmarks.json").unlink()
    (folder / "f0.truth.npz").unlink()
    scan = read_only(folder)
    assert scan.landmarks is None
    assert scan.truth == {}


def test_jpeg_and_png_of_one_frame_are_one_scan(folder, frame):
    Image.fromarray(frame[0]).save(folder / "f0.color.jpg")
    assert len(open_layout("rgbd", folder.parent).refs()) == 1
    assert open_layout("rgbd", folder.parent).side_views(None) == []


def test_auto_tells_the_layouts_apart(tmp_path):
    (tmp_path / "face.obj").touch()
    assert type(open_layout("auto", tmp_path)).__name__ == "MeshReader"
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "f.depth.png").touch()
    assert type(open_layout("auto", tmp_path)).__name__ == "RgbdReader"
