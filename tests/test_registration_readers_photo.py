import json

import numpy as np
import pytest
from PIL import Image, ImageOps

from faces.errors import BadInput
from faces.landmarks import write_landmarks
from faces.types import Landmarks
from registration.readers.base import open_layout
from registration.readers.photo import (
    DEFAULT_FOCAL_35MM,
    EXIF_IFD,
    FILM_DIAGONAL_MM,
    FOCAL_35MM_TAG,
    LARGEST_PX,
    PhotoReader,
    photo_camera,
)

ORIENTATION = 0x0112


def picture(width=120, height=80):
    """Blocks of colours that JPEG keeps, no two of which a turn or mirroring exchanges."""
    color = np.zeros((height, width, 3), np.uint8)
    color[: height // 2, : width // 2] = (200, 40, 40)
    color[: height // 2, width // 2 :] = (40, 200, 40)
    color[height // 2 :, : width // 2] = (40, 40, 200)
    return color


def save(path, color, orientation=None, focal=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[ORIENTATION] = orientation
    if focal is not None:
        exif.get_ifd(EXIF_IFD)[FOCAL_35MM_TAG] = focal
    Image.fromarray(color).save(path, exif=exif, quality=95)


def only(root, **options):
    reader = PhotoReader(root, **options)
    (ref,) = reader.refs()
    return reader.read(ref)


def points(count=68, width=120, height=80, seed=0):
    pixels = np.random.default_rng(seed).uniform(0, (width, height), (count, 2))
    scheme = {68: "ibug68", 478: "mediapipe478"}[count]
    return Landmarks(pixels, scheme, np.ones(count))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_read_upright(tmp_path, orientation):
    upright = picture()
    undo = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    tagged = Image.fromarray(upright)
    tagged.getexif()[ORIENTATION] = undo
    stored = np.array(ImageOps.exif_transpose(tagged))  # as a turned camera would have stored it
    save(tmp_path / "a.jpg", stored, orientation)
    scan = only(tmp_path)
    assert scan.color.shape == upright.shape
    # JPEG at quality 95 keeps flat blocks to a few levels, and mixes colours at their edges
    assert np.median(np.abs(scan.color.astype(int) - upright)) < 4
    assert np.abs(scan.color.astype(int) - upright).mean() < 4


def test_no_depth_of_the_photo_s_size(tmp_path):
    save(tmp_path / "anna" / "b.jpg", picture())
    scan = only(tmp_path)
    assert (scan.key, scan.subject) == ("anna/b", "anna")
    assert scan.depth_mm.shape == (80, 120)
    assert scan.depth_mm.dtype == np.float32
    assert not scan.depth_mm.any()
    assert scan.landmarks is None


def test_the_focal_length_is_the_file_s_or_the_default(tmp_path):
    save(tmp_path / "a.jpg", picture(), focal=50)
    save(tmp_path / "b.jpg", picture())
    save(tmp_path / "c.jpg", picture(), focal=0)  # EXIF's word for unknown
    reader = PhotoReader(tmp_path)
    focal = [reader.read(ref).camera.fx for ref in reader.refs()]
    diagonal = np.hypot(120, 80)
    expected = np.array([50, DEFAULT_FOCAL_35MM, DEFAULT_FOCAL_35MM]) * diagonal / FILM_DIAGONAL_MM
    np.testing.assert_allclose(focal, expected)


def test_the_camera_of_a_full_frame_photo_is_its_lens_s():
    camera = photo_camera(3600, 2400, 50.0)
    assert camera.fx == pytest.approx(50 / 36 * 3600, rel=1e-3)  # the diagonal is rounded
    assert (camera.cx, camera.cy) == (1800, 1200)


def test_large_photos_are_reduced_with_their_landmarks_and_camera(tmp_path):
    save(tmp_path / "a.jpg", picture(2 * LARGEST_PX + 3, 1500))
    landmarks = points(width=2000, height=1500)
    write_landmarks(landmarks, tmp_path / "a.landmarks.json")
    scan = only(tmp_path)
    assert max(scan.color.shape) == LARGEST_PX
    full = photo_camera(2 * LARGEST_PX + 3, 1500)
    rays = full.unproject(landmarks.points_px, np.ones(68))
    # the same rays reach the same points of the smaller image
    np.testing.assert_allclose(scan.camera.project(rays), scan.landmarks.points_px, atol=1e-9)


def test_a_camera_file_is_believed(tmp_path):
    save(tmp_path / "a.jpg", picture())
    record = {"width": 120, "height": 80, "fx": 300, "fy": 310, "cx": 61, "cy": 39}
    (tmp_path / "camera.json").write_text(json.dumps(record))
    camera = only(tmp_path).camera
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (300, 310, 61, 39)
    (tmp_path / "camera.json").write_text(json.dumps(record | {"width": 121}))
    with pytest.raises(BadInput, match="121×80"):
        only(tmp_path)


def test_templates_of_unknown_points_are_left_to_the_detector(tmp_path, caplog):
    save(tmp_path / "a.jpg", picture())
    (tmp_path / "a.tem").write_text("83\n" + "1 2\n" * 83)
    assert only(tmp_path).landmarks is None
    assert "83 points" in caplog.text
    (tmp_path / "a.tem").write_text("189\n" + "1 2\n" * 20)  # a known one, but torn
    with pytest.raises(BadInput, match="189"):
        only(tmp_path)


def test_bad_photos_are_named(tmp_path):
    with pytest.raises(BadInput, match="no photo"):
        PhotoReader(tmp_path).refs()
    save(tmp_path / "a.jpg", picture(1200, 800))
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match=r"a\.jpg.*truncated"):
        only(tmp_path)
    save(tmp_path / "a.jpg", picture(40, 30))
    with pytest.raises(BadInput, match="40×30"):
        only(tmp_path)


def test_a_bomb_is_not_decoded(tmp_path, monkeypatch):
    monkeypatch.setenv("FACESYNTH_MAX_IMAGE_PIXELS", "5000")
    save(tmp_path / "a.jpg", picture())
    with pytest.raises(BadInput, match="120×80"):
        only(tmp_path)


def test_terms_come_from_source_json_and_options(tmp_path):
    save(tmp_path / "set" / "a.png", picture())
    record = {"source": "studio", "licence": "CC-BY-4.0", "consent": "research"}
    (tmp_path / "set" / "source.json").write_text(json.dumps(record))
    provenance = only(tmp_path, consent="all").provenance
    assert (provenance.source, provenance.licence, provenance.consent) == (
        "studio",
        "CC-BY-4.0",
        "all",
    )


def test_auto_never_takes_a_folder_for_photos(tmp_path):
    save(tmp_path / "a.jpg", picture())
    with pytest.raises(BadInput, match=r"\.jpg \(1\)"):
        open_layout("auto", tmp_path)
    assert isinstance(open_layout("photo", tmp_path), PhotoReader)
