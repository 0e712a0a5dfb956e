"""Meshes in a model's topology, wherever they lie and whatever their unit."""

import numpy as np
import pytest
import trimesh

from faces.errors import BadInput
from faces.model_meshes import find_meshes, is_model_mesh, read_model_mesh
from faces.rotation import matrix_from_euler
from tests.toy import toy_model

SCALE = 0.001


def face(rng, amplitude=2.0):
    model = toy_model()
    shape = model.shape(rng.normal(0, amplitude / 2, len(model.identity_mm)), np.zeros(0))
    return model, shape


def moved(shape):
    return SCALE * shape @ matrix_from_euler(170, 40, -30).T + [1.0, -2.0, 0.5]


def write_obj(path, vertices, triangles, colors=None):
    """As other programs write it: v, vt in another order, and corners v/vt."""
    rows = vertices if colors is None else np.hstack([vertices, colors])
    lines = ["# head", *("v " + " ".join(f"{x:.9g}" for x in row) for row in rows)]
    lines += ["vt 0 0", "vt 1 0", "vt 0 1"]
    lines += ["f " + " ".join(f"{v + 1}/{k + 1}" for k, v in enumerate(t)) for t in triangles]
    path.write_text("\n".join(lines))


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb"])
def test_a_mesh_comes_back_in_the_models_frame(suffix, tmp_path):
    """A face is nearest to the mean where the similarity between them is the identity; so the
    face read is the face written, but for that similarity, which the distances show."""
    model, shape = face(np.random.default_rng(0))
    path = tmp_path / f"a{suffix}"
    if suffix == ".obj":
        write_obj(path, moved(shape), model.triangles)
    else:
        trimesh.Trimesh(moved(shape), model.triangles, process=False).export(path)
    assert is_model_mesh(path, model)
    found = read_model_mesh(path, model).shape_mm
    pairs = np.random.default_rng(1).integers(0, len(shape), (500, 2))
    before, after = (
        np.linalg.norm(np.diff(s[pairs], axis=1)[:, 0], axis=1) for s in (shape, found)
    )
    apart = before > 1
    ratio = after[apart] / before[apart]
    # float32 of some metres from the origin: 2e-7 m, on distances of 1 mm and more
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=1e-3)
    assert abs(np.median(ratio) - 1) < 0.05  # the mean's size, which the modes change by little
    # nearest to the mean: what is left has no mean shift and no turn
    left = found - model.mean_mm
    assert np.abs(left.mean(0)).max() < 1e-3
    assert np.abs(np.cross(model.mean_mm - model.mean_mm.mean(0), left).mean(0)).max() < 0.1


def test_the_mean_itself_comes_back_exactly(tmp_path):
    model = toy_model()
    write_obj(tmp_path / "m.obj", moved(model.mean_mm.astype(float)), model.triangles)
    found = read_model_mesh(tmp_path / "m.obj", model).shape_mm
    # nine digits of metres: 1e-8 m = 1e-5 mm
    np.testing.assert_allclose(found, model.mean_mm, atol=1e-4)


def test_colours_of_vertices_come_along(tmp_path):
    model, shape = face(np.random.default_rng(2))
    colors = np.random.default_rng(3).uniform(size=shape.shape)
    write_obj(tmp_path / "a.obj", shape, model.triangles, colors)
    # nine digits, in float32
    np.testing.assert_allclose(read_model_mesh(tmp_path / "a.obj", model).colors, colors, atol=1e-7)
    octets = np.rint(255 * colors).astype(np.uint8)
    mesh = trimesh.Trimesh(shape, model.triangles, vertex_colors=octets, process=False)
    mesh.export(tmp_path / "a.ply")
    found = read_model_mesh(tmp_path / "a.ply", model).colors
    np.testing.assert_array_equal(np.rint(255 * found), octets)


def test_the_image_beside_it_is_its_texture(tmp_path):
    model, shape = face(np.random.default_rng(4))
    write_obj(tmp_path / "a.obj", shape, model.triangles)
    assert read_model_mesh(tmp_path / "a.obj", model).texture is None
    (tmp_path / "a.png").write_bytes(b"")
    assert read_model_mesh(tmp_path / "a.obj", model).texture == tmp_path / "a.png"


def test_others_are_refused_with_what_to_do(tmp_path):
    model, shape = face(np.random.default_rng(5))
    ball = tmp_path / "ball.ply"
    trimesh.creation.icosphere(2).export(ball)
    assert not is_model_mesh(ball, model)
    with pytest.raises(BadInput, match="--layout mesh"):
        read_model_mesh(ball, model)
    shape[3] = np.nan
    write_obj(tmp_path / "nan.obj", shape, model.triangles)
    with pytest.raises(BadInput, match="1 of 6,561 vertices"):
        read_model_mesh(tmp_path / "nan.obj", model)
    (tmp_path / "text.obj").write_text("v 1 two 3\n")
    (tmp_path / "torn.ply").write_bytes(ball.read_bytes()[:200])
    for name in ("text.obj", "torn.ply"):
        assert not is_model_mesh(tmp_path / name, model)
        with pytest.raises(BadInput, match="unreadable"):
            read_model_mesh(tmp_path / name, model)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["v 1 2 3", "v  "], "1 empty lines"),
        (["v 1 2 3", "v 1 2"], "unreadable"),
        (["v 1 2 x"], "unreadable"),
        (["f 1 2 3"], "no vertices"),
    ],
)
def test_lines_that_are_no_vertices_are_not_passed_over(rows, said, tmp_path):
    path = tmp_path / "a.obj"
    path.write_text("\n".join(rows))
    with pytest.raises(BadInput, match=said):
        read_model_mesh(path, toy_model())


def test_meshes_are_found_in_order(tmp_path):
    for name in ("b/x.ply", "a/y.OBJ", "a/x.glb", "a/x.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    found = [path.relative_to(tmp_path).as_posix() for path in find_meshes(tmp_path)]
    assert found == ["a/x.glb", "a/y.OBJ", "b/x.ply"]
