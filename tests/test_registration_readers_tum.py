"""TUM-style sequences: frames paired by time, depth in its unit, the published cameras."""

import json

import numpy as np
import pytest
from PIL import Image

from faces.errors import BadInput
from imaging.codec import encode_depth
from registration.readers import open_layout
from registration.readers.picking import Picking, read_picking, sharpness

WIDTH, HEIGHT = 640, 480
COLOR_S = [1.000, 1.033, 1.066, 1.100, 1.300]
DEPTH_S = [1.001, 1.030, 1.085, 1.110, 1.500]  # the third is 19 ms late, the fifth 200 ms


@pytest.fixture
def sequence(tmp_path):
    home = tmp_path / "alice" / "first"
    for folder, times in (("rgb", COLOR_S), ("depth", DEPTH_S)):
        (home / folder).mkdir(parents=True)
        lines = [f"# {folder} images"]
        for number, time in enumerate(times):
            name = f"{folder}/{time:.6f}.png"
            lines.append(f"{time:.6f} {name}")
            shape = (HEIGHT, WIDTH, 3) if folder == "rgb" else (HEIGHT, WIDTH)
            value = 10 * number if folder == "rgb" else 5000 + number
            dtype = np.uint8 if folder == "rgb" else np.uint16
            Image.fromarray(np.full(shape, value, dtype)).save(home / name, compress_level=1)
        (home / f"{folder}.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_frames_are_paired_by_time(sequence):
    reader = open_layout("tum", sequence)
    refs = reader.refs()
    assert [ref.key for ref in refs] == [
        f"alice/first/{time:.6f}".replace(".", "_") for time in COLOR_S[:4]
    ]
    assert {ref.subject for ref in refs} == {"alice"}
    scan = reader.read(refs[2])
    assert (scan.color == 20).all()
    np.testing.assert_allclose(scan.depth_mm, 5002 / 5, rtol=1e-6)  # 5000 units a metre
    assert scan.provenance.licence == "unknown"
    assert type(open_layout("auto", sequence)) is type(reader)


def test_the_walls_of_a_room_are_no_depth(sequence):
    """13 m is more than a shard can keep, and no face."""
    depth = np.full((HEIGHT, WIDTH), 5000, np.uint16)
    depth[:100] = 65_535
    Image.fromarray(depth).save(sequence / "alice" / "first" / "depth" / "1.001000.png")
    reader = open_layout("tum", sequence)
    scan = reader.read(reader.refs()[0])
    assert (scan.depth_mm[:100] == 0).all()
    assert (scan.depth_mm[100:] == 1000).all()
    encode_depth(scan.depth_mm)  # raises where it cannot be kept


def test_every_nth_frame_and_one_sequence_alone(sequence):
    refs = open_layout("tum", sequence / "alice" / "first", frames="every:3").refs()
    assert [ref.key for ref in refs] == ["first/1_000000", "first/1_100000"]
    assert {ref.subject for ref in refs} == {"first"}


def test_a_depth_image_serves_one_colour_image(sequence):
    home = sequence / "alice" / "first"
    (home / "depth.txt").write_text("1.018 depth/1.001000.png\n")
    assert [ref.key for ref in open_layout("tum", sequence).refs()] == ["alice/first/1_033000"]


@pytest.mark.parametrize(("name", "fx", "cx"), [("default", 525, 320), ("freiburg1", 517.3, 319.1)])
def test_the_camera_is_the_published_one_or_the_folders(sequence, name, fx, cx):
    reader = open_layout("tum", sequence, intrinsics=name)
    ref = reader.refs()[0]
    camera = reader.read(ref).camera
    assert (camera.fx, camera.cx) == (fx, pytest.approx(cx))
    assert camera.distortion == ()
    own = {"width": WIDTH, "height": HEIGHT, "fx": 600, "fy": 600, "cx": 320, "cy": 240}
    (sequence / "alice" / "camera.json").write_text(json.dumps(own))
    assert reader.read(reader.refs()[0]).camera.fx == 600


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1.0 rgb/1.000000.png\nx y\n", "could not convert"),
        ("1.0\n", "index"),
        ("# nothing\n", "0 entries"),
        ("nan rgb/a.png\n", "entries"),
        ("1.0 ../../secret.png\n", "secret"),
        ("9.0 rgb/1.000000.png\n", "7500 ms apart"),
    ],
)
def test_damaged_lists(sequence, text, says):
    home = sequence / "alice" / "first"
    (home / "rgb.txt").write_text(text)
    reader = open_layout("tum", sequence)
    ref = next(ref for ref in reader.refs() if ref.key == "alice/first/sequence")
    with pytest.raises(BadInput, match=says):
        reader.read(ref)


def test_missing_lists_images_and_wrong_options(sequence):
    home = sequence / "alice" / "first"
    (home / "depth" / "1.001000.png").unlink()
    reader = open_layout("tum", sequence)
    with pytest.raises(BadInput, match="no such file"):
        reader.read(reader.refs()[0])
    (home / "rgb.txt").unlink()
    with pytest.raises(BadInput, match=r"rgb\.txt"):
        reader.read(reader.refs()[0])
    (home / "depth.txt").unlink()
    with pytest.raises(BadInput, match="no scan of layout 'tum'"):
        reader.refs()
    for options, says in (
        ({"intrinsics": "freiburg9"}, "--intrinsics"),
        ({"frames": "sharpest:4"}, "every:N"),
        ({"frames": "some"}, "every:N or sharpest:N"),
        ({"frames": "every:0"}, "every:N or sharpest:N"),
    ):
        with pytest.raises(BadInput, match=says):
            open_layout("tum", sequence, **options).refs()


def test_the_sharpest_of_a_run_is_taken():
    rng = np.random.default_rng(0)
    sharp = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    blurred = np.stack([np.full((40, 40), 9 * k, np.uint8) for k in range(3)], -1)
    frames = [blurred, sharp, blurred, sharp, blurred]
    assert sharpness(sharp) > sharpness(blurred)
    picking = read_picking("sharpest:3")
    assert picking == Picking(3, True)
    runs = picking.runs(len(frames))
    assert runs == [range(0, 3), range(3, 5)]
    assert [picking.pick(run, frames.__getitem__) for run in runs] == [1, 3]
    assert Picking(3).pick(runs[0], frames.__getitem__) == 0
