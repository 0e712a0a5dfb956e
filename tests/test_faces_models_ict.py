"""ICT-FaceKit: its folder and the one-file form give one model, on files of the same schema."""

import numpy as np
import pytest

from faces.errors import BadInput
from faces.models import load_model
from faces.models.anatomy import MIRROR_68
from faces.models.ict import KEPT, LANDMARKS, MM_PER_CM, RANGES, VERTICES

MODES, EXPRESSIONS = 3, ("browDown_L", "jawOpen")
MATERIALS = (
    *("M_Face", "M_BackHead", "M_GumsTongue", "M_Teeth"),
    *("M_ScleraLeft", "M_IrisLeft", "M_LacrimalFluid"),
)
# A quad of each material: its first vertex, in ranges of ICT-FaceKit's README.
FIRST_VERTEX = (0, 9500, 15000, 18000, 21500, 22300, 24600)


@pytest.fixture(scope="module")
def head_cm():
    """(VERTICES, 3) on an egg, with the 68 points where a face has them (the default model's)."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(VERTICES, 3))
    points *= np.array([7, 10, 8]) / np.linalg.norm(points, axis=1, keepdims=True)
    face = load_model("default")
    points[LANDMARKS] = face.mean_mm[face.landmarks["ibug68"]] / MM_PER_CM
    return np.round(points, 5)


@pytest.fixture(scope="module")
def shapes_cm():
    rng = np.random.default_rng(1)
    return {
        name: np.round(rng.normal(size=(VERTICES, 3)) * 0.1, 5)
        for name in [*(f"identity{k:03d}" for k in range(MODES)), *EXPRESSIONS]
    }


def quads():
    return np.array([[v, v + 1, v + 2, v + 3] for v in FIRST_VERTEX])


def write_obj(path, points, uv):
    lines = ["# a comment", *("v {:.5f} {:.5f} {:.5f}".format(*p) for p in points)]
    lines += [f"vt {u:.4f} {v:.4f}" for u, v in uv]
    for k, (material, quad) in enumerate(zip(MATERIALS, quads(), strict=True)):
        corners = " ".join(f"{v + 1}/{4 * k + j + 1}" for j, v in enumerate(quad))
        lines += [f"usemtl {material}", f"f {corners}"]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def uv():
    square = np.array([[0.1, 0.1], [0.9, 0.1], [0.9, 0.8], [0.1, 0.8]])
    tiles = [0, 1, 2, 3, 0, 0, 4]  # the unit tiles that ICT-FaceKit lays its materials in
    return np.concatenate([square + np.array([tile, 0]) for tile in tiles])


@pytest.fixture(scope="module")
def folder(tmp_path_factory, head_cm, shapes_cm, uv):
    folder = tmp_path_factory.mktemp("ict") / "FaceXModel"
    folder.mkdir()
    write_obj(folder / "generic_neutral_mesh.obj", head_cm, uv)
    for name in ("identity000", "identity001", "jawOpen"):  # a part of the modes alone
        write_obj(folder / f"{name}.obj", head_cm + shapes_cm[name], uv)
    return folder


@pytest.fixture(scope="module")
def npz(tmp_path_factory, head_cm, shapes_cm, uv):
    path = tmp_path_factory.mktemp("ict") / "full.npz"
    fan = [[a, b, c] for p, q, r, s in quads() for a, b, c in ((p, q, r), (p, r, s))]
    uv_fan = [[4 * k, 4 * k + j, 4 * k + j + 1] for k in range(len(quads())) for j in (1, 2)]
    np.savez(
        path,
        neutral_cm=head_cm.astype(np.float32),
        identity_modes_cm=np.stack([shapes_cm[f"identity{k:03d}"] for k in range(MODES)]),
        expression_modes_cm=np.stack([shapes_cm[name] for name in EXPRESSIONS]),
        expression_names=np.array(EXPRESSIONS),
        triangles=np.array(fan, dtype=np.int32),
        uv=uv.astype(np.float32),
        triangle_uv=np.array(uv_fan, dtype=np.int32),
        material_names=np.array(MATERIALS),
        triangle_material=np.repeat(np.arange(len(MATERIALS)), 2).astype(np.int8),
    )
    return path


def test_folder_with_some_modes_agrees_with_the_whole(folder, npz):
    some, whole = load_model(str(folder)), load_model(str(npz))
    assert (len(some.identity_mm), len(whole.identity_mm)) == (2, MODES)
    assert some.expression_names == ("jawOpen",)
    assert whole.expression_names == EXPRESSIONS
    # OBJ and npz both hold 1e-5 cm; float32 differences of 10 cm add 1e-6 cm.
    np.testing.assert_allclose(some.mean_mm, whole.mean_mm, atol=1e-4)
    np.testing.assert_allclose(some.identity_mm, whole.identity_mm[:2], atol=1e-4)
    np.testing.assert_allclose(some.expression_mm[0], whole.expression_mm[1], atol=1e-4)
    for key in ("triangles", "triangle_part", "triangle_uv", "mirror", "contour"):
        np.testing.assert_array_equal(getattr(some, key), getattr(whole, key))
    np.testing.assert_allclose(some.uv, whole.uv, atol=1e-6)


def test_the_folder_above_will_do_too(folder):
    np.testing.assert_array_equal(
        load_model(str(folder.parent)).mean_mm, load_model(str(folder)).mean_mm
    )


def test_quads_become_triangles_of_their_part_in_millimetres(folder, head_cm):
    model = load_model(str(folder))
    # Lacrimal fluid, lashes and the blend shells are left out.
    assert model.triangles.shape == (12, 3)
    assert model.vertex_count == KEPT
    np.testing.assert_allclose(model.mean_mm, head_cm[:KEPT] * 10, atol=1e-4)
    parts = [model.part_triangles(name).min() for name in ("skin", "gums", "teeth", "eye")]
    assert parts == [0, 15000, 18000, 21500]
    assert RANGES[-1][0] == KEPT


def test_atlas_keeps_materials_apart(folder):
    model = load_model(str(folder))
    boxes = [(model.uv[t].min(0), model.uv[t].max(0)) for t in model.triangle_uv.reshape(-1, 2 * 3)]
    assert model.uv.min() >= 0
    assert model.uv.max() <= 1
    for i, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[i + 1 :]:
            assert (high < other_low).any() or (other_high < low).any()


def test_another_topology_is_refused(tmp_path, head_cm, uv):
    write_obj(tmp_path / "generic_neutral_mesh.obj", head_cm[:100], uv)
    with pytest.raises(BadInput, match="100 vertices"):
        load_model(str(tmp_path))


def test_missing_array_is_named(tmp_path, head_cm):
    np.savez(tmp_path / "part.npz", neutral_cm=head_cm)
    with pytest.raises(BadInput, match="triangle_uv"):
        load_model(str(tmp_path / "part.npz"))


@pytest.fixture(scope="module")
def real(shared):
    path = shared / "models" / "ict-facekit"
    full = shared / "models" / "ict_facekit_full.npz"
    if not (path.is_dir() and full.is_file()):
        pytest.skip(f"no ICT-FaceKit under {shared / 'models'}")
    return load_model(str(path)), load_model(str(full))


def test_real_folder_agrees_with_the_real_file(real):
    some, whole = real
    np.testing.assert_array_equal(some.triangles, whole.triangles)
    np.testing.assert_allclose(some.mean_mm, whole.mean_mm, atol=1e-4)
    # Both are differences of positions printed to 1e-5 cm.
    np.testing.assert_allclose(some.identity_mm, whole.identity_mm[:20], atol=2e-4)


def test_real_head_stands_in_our_frame(real):
    model = real[1]
    points = model.mean_mm[model.landmarks["ibug68"]]
    assert 85 < model.iod_mm < 93
    assert points[16, 0] > 60  # the subject's left
    assert points[27, 1] > points[8, 1] + 80
    assert points[30, 2] == points[:, 2].max()
    np.testing.assert_array_equal(
        model.mirror[model.landmarks["ibug68"]], model.landmarks["ibug68"][MIRROR_68]
    )
    jaw = model.expression_mm[model.expression_names.index("jawOpen")]
    assert jaw[model.landmarks["ibug68"][8], 1] < -10


def test_real_ears_hold_their_hollows_and_no_hair(real):
    model = real[1]
    ears = model.regions["ears"]
    parts = [model.regions[name] for name in ("face", "ears", "neck", "scalp")]
    np.testing.assert_array_equal(np.sum(parts, axis=0), model.part_vertices("skin"))
    # README's ear canal lies deepest: the skin farthest in that the ear's outline frames.
    own = model.mean_mm[ears & (model.mean_mm[:, 0] > 0)]
    assert 55 < np.ptp(own[:, 1]) < 75
    assert np.ptp(own[:, 0]) > 20
    skin = model.albedo_mean[model.regions["cheeks"]].mean()
    # Hair has a quarter of the skin's brightness, a shaded hollow about half of it.
    assert model.albedo_mean[ears].mean(1).min() > 0.4 * skin
