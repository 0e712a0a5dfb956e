"""The mesh layout: an analytic surface is rendered to its true depth and colour."""

import json

import numpy as np
import pytest
import trimesh
from PIL import Image

from faces.errors import BadInput
from registration.readers import open_layout
from registration.readers.mesh_render import turn
from tests.surfaces import BULGE_MM, SIZE_MM, TEXTURE, check_surface, surface, write_obj


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").mkdir()
    write_obj(tmp_path / "a" / "face.obj", *surface())
    return tmp_path


def read_only(folder, **options):
    reader = open_layout("mesh", folder, **options)
    (ref,) = reader.refs()
    return reader.read(ref), reader, ref


def test_obj_is_rendered_to_its_true_depth_and_colour(folder):
    scan, _, _ = read_only(folder, consent="all uses")
    assert (scan.key, scan.subject) == ("a/face", "a/face")
    assert scan.provenance.consent == "all uses"
    assert scan.landmarks is None
    assert scan.truth == {}
    check_surface(scan)


@pytest.mark.parametrize("suffix", ["glb", "ply"])
def test_other_formats_and_vertex_colours(tmp_path, suffix):
    vertices, triangles, uv = surface()
    quadrant = (uv[:, 1] < 0.5) * 2 + (uv[:, 0] > 0.5)
    if suffix == "ply":
        mesh = trimesh.Trimesh(vertices, triangles, process=False)
        mesh.visual = trimesh.visual.ColorVisuals(
            mesh, vertex_colors=TEXTURE.reshape(4, 3)[quadrant]
        )
    else:
        image = Image.fromarray(TEXTURE).resize((256, 256), Image.Resampling.NEAREST)
        visual = trimesh.visual.TextureVisuals(uv=uv, image=image)
        mesh = trimesh.Trimesh(vertices, triangles, visual=visual, process=False)
    mesh.export(tmp_path / f"face.{suffix}")
    scan, _, _ = read_only(tmp_path)
    check_surface(scan)


@pytest.mark.parametrize(("factor", "unit"), [(0.1, "cm"), (0.001, "m"), (1, "mm")])
@pytest.mark.parametrize("given", [True, False])
def test_units_are_given_or_told_by_the_size(tmp_path, factor, unit, given):
    vertices, triangles, uv = surface(41)
    write_obj(tmp_path / "face.obj", vertices * factor, triangles, uv)
    scan, _, _ = read_only(tmp_path, unit=unit if given else "auto")
    assert scan.depth_mm.max() == pytest.approx(940, abs=3)
    assert scan.depth_mm[320, 320] == pytest.approx(860, abs=0.1)


def test_an_impossible_size_asks_for_the_unit(tmp_path):
    vertices, triangles, uv = surface(11)
    write_obj(tmp_path / "face.obj", vertices * 100, triangles, uv)
    with pytest.raises(BadInput, match="pass --unit"):
        read_only(tmp_path)


def test_axes_can_be_named(tmp_path):
    vertices, triangles, uv = surface()
    turned = vertices[:, [2, 0, 1]]  # z becomes x (out of the face), y becomes z (up)
    write_obj(tmp_path / "face.obj", turned, triangles, uv)
    scan, _, _ = read_only(tmp_path, up="z", front="x")
    check_surface(scan)
    with pytest.raises(BadInput, match="--up and --front"):
        read_only(tmp_path, up="z", front="-z")


def test_a_mesh_inside_out_is_turned(tmp_path):
    vertices, triangles, uv = surface()
    write_obj(tmp_path / "face.obj", vertices, triangles[:, ::-1], uv)
    check_surface(read_only(tmp_path)[0])


def test_the_back_of_a_head_does_not_show_through_a_hole(tmp_path):
    ball = trimesh.creation.icosphere(subdivisions=3, radius=100)
    centres = ball.triangles_center
    hole = (np.linalg.norm(centres[:, :2], axis=1) < 30) & (centres[:, 2] > 0)
    ball.update_faces(~hole)
    ball.visual = trimesh.visual.ColorVisuals(ball, vertex_colors=np.full((642, 3), 200))
    ball.export(tmp_path / "face.ply")
    scan, _, _ = read_only(tmp_path)
    assert scan.depth_mm[320, 320] == 0
    assert (scan.depth_mm > 0).sum() > 30_000


def test_side_views_see_the_same_surface(folder):
    _, reader, ref = read_only(folder)
    views = reader.side_views(ref)
    assert len(views) == 2
    for view, yaw_deg in zip(views, (30.0, -30.0), strict=True):
        rows, columns = np.nonzero(view.depth_mm)
        pixels = np.stack([columns, rows], -1) + 0.5
        points = view.camera.unproject(pixels, view.depth_mm[rows, columns])
        points = points @ view.rotation.T + view.translation_mm
        x, y, z = points[:, 0], -points[:, 1], 900 - points[:, 2]
        true = BULGE_MM * (1 - (x**2 + y**2) / 2 / (SIZE_MM / 2) ** 2) - BULGE_MM / 2
        assert np.abs(z - true).max() < 0.05  # as in the frontal frame
        # Yaw > 0 turns the nose to image right (faces.rotation).
        rotation, translation = turn(yaw_deg, 900.0)
        tip = np.array([0, 0, 860.0]) @ rotation.T + translation
        assert np.sign(tip[0]) == np.sign(yaw_deg)


def test_3d_landmarks_are_truth_and_never_input(folder):
    vertices, _, _ = surface()
    points = vertices[np.linspace(0, len(vertices) - 1, 68).astype(int)]
    record = {"landmarks": {"points": points.tolist()}, "labels": []}
    (folder / "a" / "face.ljson").write_text(json.dumps(record | {"version": 2}))
    scan, _, _ = read_only(folder)
    assert scan.landmarks is None
    expected = points * [1, -1, -1] + [0, 0, 900 + BULGE_MM / 2]
    np.testing.assert_allclose(scan.truth["landmarks_mm"], expected, atol=1e-9)


def test_2d_landmarks_beside_a_mesh_are_input(folder):
    np.save(folder / "a" / "face.landmarks.npy", np.full((68, 2), 320.5))
    scan, _, _ = read_only(folder)
    np.testing.assert_array_equal(scan.landmarks.points_px, 320.5)


def bad(folder, says, file):
    with pytest.raises(BadInput, match=says) as caught:
        read_only(folder)
    assert file in str(caught.value)
    assert str(caught.value).count(";") >= 2  # got; expected; remedy


def test_nan_vertices(folder):
    vertices, triangles, uv = surface()
    vertices[:7, 1] = np.nan
    write_obj(folder / "a" / "face.obj", vertices, triangles, uv)
    bad(folder, "7 of 6,561 vertices are NaN", "face.obj")


def test_no_texture(folder):
    write_obj(folder / "a" / "face.obj", *surface(), material=False)
    bad(folder, "no texture and no vertex colours", "face.obj")


def test_missing_texture_and_material(folder):
    (folder / "a" / "skin.png").unlink()
    bad(folder, r"texture '.*skin.png' is missing", "face.obj")
    (folder / "a" / "skin.mtl").unlink()
    bad(folder, r"material file '.*skin.mtl' is missing", "face.obj")


def test_truncated_texture(folder):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (256, 256, 3), dtype=np.uint8)).save(
        folder / "a" / "skin.png"
    )
    whole = (folder / "a" / "skin.png").read_bytes()
    (folder / "a" / "skin.png").write_bytes(whole[: len(whole) // 2])
    bad(folder, "damaged or truncated", "face.obj")


def test_no_triangles_and_nonsense(folder):
    (folder / "a" / "face.obj").write_text("v 0 0 0\nv 1 0 0\n")
    bad(folder, "no triangles|unreadable", "face.obj")
    (folder / "a" / "face.obj").unlink()
    (folder / "a" / "face.glb").write_bytes(b"glTF nonsense")
    bad(folder, "unreadable", "face.glb")
    (folder / "a" / "face.glb").unlink()
    (folder / "a" / "face.ply").write_bytes(b"ply\nformat ascii 1.0\nnonsense\n")
    bad(folder, "unreadable|no triangles", "face.ply")


def test_empty_folder(tmp_path):
    with pytest.raises(BadInput, match="no mesh"):
        open_layout("mesh", tmp_path).refs()
