"""Organised scans: a known camera's points in FRGC's and Bosphorus' files, and the camera back."""

import gzip
import struct

import numpy as np
import pytest
from PIL import Image
from scipy.spatial import cKDTree

from faces.camera import Camera
from faces.errors import BadInput
from registration.readers import open_layout
from registration.readers.organised import fit_lens, fit_pinhole
from tests.surfaces import TEXTURE, check_surface, surface

WIDTH, HEIGHT = 160, 120
CAMERA = Camera(WIDTH, HEIGHT, 450.0, 446.0, 82.5, 57.0)
DISTANCE_MM = 1200.0


def seen(camera=CAMERA):
    """(H, W, 3) points in the camera's frame of a bulge 100 mm deep; NaN at its border."""
    v, u = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    depth = DISTANCE_MM - 100 * np.cos((u - 80) / 60) * np.cos((v - 60) / 50)
    points = camera.unproject(np.stack([u, v], -1), depth)
    points[np.hypot(u - 80, v - 60) > 55] = np.nan
    return points


def picture():
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def write_abs(path, points, digits=6):
    """FRGC's text; the sensor's z points at the sensor and its y up."""
    valid = np.isfinite(points).all(-1)
    listed = np.where(valid[..., None], points * [1, -1, -1], -999999.0)
    lines = [f"{points.shape[0]} rows", f"{points.shape[1]} columns", "pixels (flag X Y Z):"]
    lines.append(" ".join(str(int(flag)) for flag in valid.ravel()))
    lines += [" ".join(f"{x:.{digits}f}" for x in listed[..., k].ravel()) for k in range(3)]
    path.parent.mkdir(parents=True, exist_ok=True)
    text = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


@pytest.fixture
def frgc(tmp_path):
    home = tmp_path / "Fall2003range"
    write_abs(home / "04201d302.abs.gz", seen())
    Image.fromarray(picture()).save(home / "04201d303.ppm")
    return tmp_path


def read_only(root, layout="frgc", **options):
    reader = open_layout(layout, root, **options)
    (ref,) = reader.refs()
    return reader.read(ref)


def test_frgc_pixels_stay_and_the_camera_is_found(frgc):
    scan = read_only(frgc)
    assert (scan.key, scan.subject) == ("04201/d302", "04201")
    assert scan.provenance.source == "FRGC v2"
    np.testing.assert_array_equal(scan.color, picture())
    truth = np.nan_to_num(seen()[..., 2])
    np.testing.assert_allclose(scan.depth_mm, truth, atol=1e-3)  # float32 of 1200 mm
    for name in ("fx", "fy", "cx", "cy"):  # six decimals of a millimetre are 4e-7 of a pixel
        assert getattr(scan.camera, name) == pytest.approx(getattr(CAMERA, name), abs=1e-3)
    assert open_layout("auto", frgc).refs() == open_layout("frgc", frgc).refs()


def test_frgc_takes_an_image_of_the_scans_own_name_first(frgc):
    home = frgc / "Fall2003range"
    Image.fromarray(TEXTURE).resize((WIDTH, HEIGHT)).save(home / "04201d302.ppm")
    assert not np.array_equal(read_only(frgc).color, picture())
    (home / "04201d302.ppm").unlink()
    (home / "04201d303.ppm").unlink()
    with pytest.raises(BadInput, match="no colour image"):
        read_only(frgc)


def test_the_camera_is_found_in_noise_of_a_tenth_of_a_millimetre():
    points = seen() + np.random.default_rng(2).normal(0, 0.1, (HEIGHT, WIDTH, 3))
    fit = fit_pinhole(points, "scan")
    # 9,500 points, each right to 0.1 mm · f / 1200 mm = 0.04 px: 1e-3 of f is far above that.
    assert fit.camera.fx == pytest.approx(CAMERA.fx, rel=1e-3)
    assert fit.camera.cy == pytest.approx(CAMERA.cy, abs=0.05)
    expected = np.sqrt(2) * 0.1 * CAMERA.fx / 1150  # of two coordinates; depth's share is small
    assert fit.residual_px == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("flip", [(1, 1, 1), (1, -1, -1), (1, -1, 1)])
@pytest.mark.parametrize("origin", ["sensor", "head"])
def test_any_axis_along_the_view_and_both_origins(flip, origin):
    points = seen() * flip
    moved = [30, -20, 0] - points[60, 80] if origin == "head" else 0
    fit = fit_pinhole(points + moved, "scan")
    assert fit.residual_px < 1e-6
    np.testing.assert_allclose(fit.points_mm, seen(), atol=1e-5)


def bent_scan(root, bend):
    """A surface whose image is bent: ``bend`` carries true rays to image rays. Its points, shade.

    The shade grows with the point's x, so that a colour tells where on the surface it belongs.
    """
    v, u = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    seen_at = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy], -1)
    rays = seen_at.copy()
    for _ in range(50):
        rays += seen_at - bend(rays)
    x, y = np.moveaxis(rays, -1, 0)
    depth = DISTANCE_MM - 100 * np.cos(x * 7.5) * np.cos(y * 9)
    points = np.stack([x * depth, y * depth, depth], -1)
    shade = np.rint(128 + 0.5 * points[..., 0]).astype(np.uint8)
    write_abs(root / "04201d302.abs", points)
    Image.fromarray(np.stack([shade] * 3, -1)).save(root / "04201d302.ppm")
    return points


def check_bent(scan, depth_mm, color_steps):
    """Each depth pixel lies on the surface, and has the colour of its place there."""
    inside = scan.depth_mm > 0
    assert inside.mean() > 0.8
    rows, columns = np.nonzero(inside)
    pixels = np.stack([columns, rows], -1) + 0.5
    x, y, z = scan.camera.unproject(pixels, scan.depth_mm[inside]).T
    # Half a pixel is 1.3 mm there, and the surface is no steeper than one in two.
    true = DISTANCE_MM - 100 * np.cos(x / z * 7.5) * np.cos(y / z * 9)
    assert np.percentile(np.abs(z - true), 99) < depth_mm
    shade = scan.color[rows, columns, 0].astype(float)
    assert np.percentile(np.abs(shade - (128 + 0.5 * x)), 95) < color_steps


def test_a_lens_is_straightened_and_the_background_stays(tmp_path):
    def lens(rays):
        square = (rays**2).sum(-1, keepdims=True)
        return rays * (1 - 3.0 * square + 6.0 * square**2)

    points = bent_scan(tmp_path, lens)
    fit = fit_pinhole(points * [1, -1, -1], "scan")
    assert 1 < fit.residual_px < 20
    found = fit_lens(fit)
    assert found.residual_px < 0.01
    assert found.camera.fx == pytest.approx(CAMERA.fx, rel=1e-4)
    np.testing.assert_allclose(found.camera.distortion, [-3.0, 6.0, 0, 0], atol=0.02)
    check_bent(read_only(tmp_path), depth_mm=1.0, color_steps=2)
    points[:20] = np.nan  # no points there, but a photograph
    write_abs(tmp_path / "04201d302.abs", points)
    scan = read_only(tmp_path)
    assert (scan.depth_mm[5:15, 40:120] == 0).all()
    assert np.ptp(scan.color[10, 40:120, 0]) > 50


def test_what_no_lens_explains_is_rendered_into_the_fitted_camera(tmp_path):
    def ripple(rays):
        return rays + 0.004 * np.sin(60 * rays[..., ::-1])

    points = bent_scan(tmp_path, ripple)
    fit = fit_pinhole(points * [1, -1, -1], "scan")
    assert fit_lens(fit).residual_px > 1
    scan = read_only(tmp_path)
    assert scan.camera.fx == pytest.approx(fit.camera.fx, abs=1e-4)  # six decimals are written
    rows, columns = np.nonzero(scan.depth_mm)
    found = scan.camera.unproject(np.stack([columns, rows], -1) + 0.5, scan.depth_mm[rows, columns])
    near, _ = cKDTree(fit.points_mm.reshape(-1, 3)).query(found)
    assert np.percentile(near, 99) < 2.5  # the grid's points lie 2.6 mm apart
    shade = scan.color[rows, columns, 0].astype(float)
    assert np.percentile(np.abs(shade - (128 + 0.5 * found[:, 0])), 95) < 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.replace("120 rows", "121 rows"), "has 19,200 numbers, not 19,360"),
        (lambda t: t.replace("120 rows", "rows 120"), "first lines"),
        (lambda t: t.replace("flag X Y Z", "X Y Z"), "third line"),
        (lambda t: t.replace("120 rows", "1200000 rows"), "1200000 rows"),
        (lambda t: t[: len(t) // 2], "numbers|lines"),
        (lambda t: "\n".join(t.split("\n")[:5]), "2 of 4 lines"),
        (lambda t: t.replace("0.", "o.", 1), "could not convert"),
        (lambda t: "", "first lines|its first"),
    ],
)
def test_damaged_abs(frgc, change, says):
    path = frgc / "Fall2003range" / "04201d302.abs.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress(change(text).encode()))
    with pytest.raises(BadInput, match=says) as caught:
        read_only(frgc)
    assert path.name in caught.value.what


def test_damaged_gzip_other_sizes_and_no_points(frgc):
    path = frgc / "Fall2003range" / "04201d302.abs.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="unreadable"):
        read_only(frgc)
    path.write_bytes(b"no gzip")
    with pytest.raises(BadInput, match="unreadable"):
        read_only(frgc)
    write_abs(path, np.full((HEIGHT, WIDTH, 3), np.nan))
    with pytest.raises(BadInput, match="0 of 19,200 pixels"):
        read_only(frgc)
    write_abs(path, seen() * [-1, 1, 1])
    with pytest.raises(BadInput, match="no pinhole"):
        read_only(frgc)
    write_abs(path, np.random.default_rng(0).uniform(500, 900, (HEIGHT, WIDTH, 3)))
    with pytest.raises(BadInput, match=r"px from where|no pinhole"):
        read_only(frgc)
    write_abs(path, seen())
    Image.fromarray(picture()[:60]).save(frgc / "Fall2003range" / "04201d303.ppm")
    with pytest.raises(BadInput, match="points 160×120, colour 160×60"):
        read_only(frgc)


def write_bnt(path, points, image_at, name):
    """Bosphorus' binary: rows from the image's bottom, x, y, z, a, b one after the other."""
    rows, columns = points.shape[:2]
    valid = np.isfinite(points).all(-1, keepdims=True)
    listed = np.where(valid, np.concatenate([points, image_at], -1), -1e9)
    header = struct.pack("<HHdH", rows, columns, -1e9, len(name)) + name.encode()
    body = np.moveaxis(listed[::-1], -1, 0).astype("<f8").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + struct.pack("<I", rows * columns * 5) + body)


@pytest.fixture(params=[False, True], ids=["b-up", "b-down"])
def bosphorus(tmp_path, request):
    vertices, _, uv = surface(81)
    points, image_at = vertices.reshape(81, 81, 3)[::-1], uv.reshape(81, 81, 2)[::-1]
    if request.param:
        image_at = image_at * [1, -1] + [0, 1]
    home = tmp_path / "bs002"
    write_bnt(home / "bs002_E_ANGER_0.bnt", points, image_at, "bs002_E_ANGER_0.bmp")
    image = Image.fromarray(TEXTURE).resize((200, 300), Image.Resampling.NEAREST)
    image.save(home / "bs002_E_ANGER_0.png")
    return tmp_path


def test_bosphorus_surface_colour_and_person(bosphorus):
    scan = read_only(bosphorus, "bosphorus")
    assert (scan.key, scan.subject) == ("bs002/E_ANGER_0", "bs002")
    assert scan.provenance.source == "Bosphorus"
    check_surface(scan)


def test_a_gap_in_depth_is_no_surface(tmp_path):
    vertices, _, uv = surface(81)
    points = vertices.reshape(81, 81, 3)[::-1].copy()
    points[:, 60:, 2] -= 60  # what lies behind the face
    points[10, 10] = np.nan
    path = tmp_path / "bs002" / "bs002_N_N_0.bnt"
    write_bnt(path, points, uv.reshape(81, 81, 2)[::-1], "bs002_N_N_0.bmp")
    Image.fromarray(TEXTURE).resize((64, 64)).save(path.with_suffix(".png"))
    reader = open_layout("bosphorus", tmp_path)
    mesh = reader._mesh(reader.refs()[0])
    spans = np.ptp(mesh.vertices_mm[mesh.triangles][..., 2], axis=1)
    assert spans.max() < 20
    assert len(mesh.triangles) == 2 * (80 * 80 - 80) - 6  # a column's gap; a point's six triangles


def test_damaged_bnt(bosphorus):
    path = next(bosphorus.rglob("*.bnt"))
    whole = path.read_bytes()
    for data, says in (
        (whole[: len(whole) // 2], "in the file"),
        (whole[:10], "unreadable"),
        (struct.pack("<HH", 999, 999) + whole[4:], "999×999"),
    ):
        path.write_bytes(data)
        with pytest.raises(BadInput, match=says) as caught:
            read_only(bosphorus, "bosphorus")
        assert path.name in caught.value.what
    write_bnt(path, np.full((9, 9, 3), np.nan), np.zeros((9, 9, 2)), "a")
    with pytest.raises(BadInput, match="0 points"):
        read_only(bosphorus, "bosphorus")
    path.with_suffix(".png").unlink()
    with pytest.raises(BadInput, match="no colour image"):
        read_only(bosphorus, "bosphorus")
