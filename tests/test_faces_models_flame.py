"""FLAME: pickles and .npz, embeddings, the jaw, and texture spaces, on files we write."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp

from faces.errors import BadInput
from faces.models import import_model, load_model
from faces.models.flame import FIELDS, JAW_OPEN_DEG, VERTICES
from faces.models.landmark_indices import FLAME
from faces.morphable import PARTS
from tests.other_models import IDENTITIES, check_shapes, truth, write_landmarks

FLAME_IDENTITIES = 300
JAW_JOINT = np.array([73.0, -30.0, 0.0])  # mm: its left end, under the ear


def arrays(true):
    """FLAME's arrays: metres, 300 modes of identity of which four are not nil, then expressions."""
    identity = np.zeros((FLAME_IDENTITIES, true.count, 3))
    identity[:IDENTITIES] = true.identity_mm
    modes = np.concatenate([identity, true.expression_mm]) / 1e3
    return {
        "v_template": true.mean_mm / 1e3,
        "f": true.triangles.astype(np.uint32),
        "shapedirs": np.moveaxis(modes, 0, 2),
        "posedirs": np.random.default_rng(5).normal(size=(true.count, 3, 36)) * 1e-3,
        "J_regressor": sp.csc_matrix(joints(true)),
        "weights": skinning(true),
        "kintree_table": np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]]),
        "bs_type": "lrotmin",
    }


def joints(true):
    """(5, V): the jaw's joint is midway between both sides' vertices under the ear; the rest's are
    arbitrary."""
    regressor = np.zeros((5, true.count))
    regressor[:, 0] = 1
    regressor[2] = 0
    for end in (JAW_JOINT, JAW_JOINT * [-1, 1, 1]):
        regressor[2, np.linalg.norm(true.mean_mm - end, axis=1).argmin()] = 0.5
    return regressor


def skinning(true):
    """(V, 5): the lower face follows the jaw softly, eyeballs their joints, the rest the neck."""
    x, y = true.mean_mm[:, 0], true.mean_mm[:, 1]
    weights = np.zeros((true.count, 5))
    jaw = np.clip((-60 - y) / 30, 0, 1)
    weights[:, 2], weights[:, 1] = jaw, 1 - jaw
    for joint, side in ((3, x > 0), (4, x < 0)):
        weights[true.eyes & side] = np.eye(5)[joint]
    return weights


def write_pickle(path, held, protocol=2):
    path.write_bytes(pickle.dumps(held, protocol))
    return path


@pytest.fixture
def folder(tmp_path):
    true = truth(with_eyes=True)
    write_pickle(tmp_path / "generic_model.pkl", arrays(true))
    write_landmarks(tmp_path / "points.txt", true.landmarks)
    return tmp_path


def imported(folder):
    return import_model("flame", folder / "generic_model.pkl", folder / "points.txt")


def test_a_pickle_gives_shapes_eyes_and_a_licence(folder):
    true, model = truth(with_eyes=True), imported(folder)
    assert len(model.identity_mm) == FLAME_IDENTITIES
    check_shapes(model.truncated(IDENTITIES, len(true.expression_mm)), true)
    np.testing.assert_array_equal(model.part_vertices("eye"), true.eyes)
    assert "Max-Planck" in model.licence
    assert {PARTS[part] for part in np.unique(model.triangle_part)} == {"skin", "eye"}
    assert (model.weights[true.eyes] == 1).all()


def test_an_npz_agrees_with_the_pickle(folder):
    held = arrays(truth(with_eyes=True))
    held["J_regressor"] = held["J_regressor"].toarray()
    np.savez(folder / "flame2023.npz", **held)
    one, other = (
        imported(folder),
        import_model("flame", folder / "flame2023.npz", folder / "points.txt"),
    )
    for key in ("mean_mm", "identity_mm", "expression_mm", "triangles", "uv", "contour"):
        np.testing.assert_array_equal(getattr(one, key), getattr(other, key))


def test_the_jaw_turns_about_its_joint(folder):
    true, model = truth(with_eyes=True), imported(folder)
    assert model.expression_names[-1] == "jawOpen"
    held = arrays(true)
    # The chain of Li et al. Eq. 2 with all joints, for one pose: only the jaw's turn is not nil.
    angle = np.radians(JAW_OPEN_DEG)
    turn = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    rotations = [np.eye(3), np.eye(3), turn, np.eye(3), np.eye(3)]
    feature = np.concatenate([(r - np.eye(3)).ravel() for r in rotations[1:]])
    posed = held["v_template"] + held["posedirs"] @ feature
    places = held["J_regressor"] @ held["v_template"]
    moved = sum(
        held["weights"][:, [j]] * ((posed - places[j]) @ rotations[j].T + places[j])
        for j in range(5)
    )
    offset = (moved - held["v_template"]) * 1e3
    np.testing.assert_allclose(model.expression_mm[-1], offset, atol=1e-4)  # float32 mm
    assert offset[true.landmarks[8], 1] < -10  # the chin goes down


def write_embedding(path, fields, triangle, share):
    held = {fields[0]: triangle, fields[1]: share}
    if path.suffix == ".npy":
        np.save(path, np.array(held), allow_pickle=True)
    else:
        write_pickle(path, held)


@pytest.mark.parametrize(
    ("name", "fields"), [("landmark_embedding.npy", 0), ("flame_static_embedding.pkl", 2)]
)
def test_an_embedding_beside_the_model_is_taken(folder, name, fields):
    true = truth(with_eyes=True)
    triangle = np.array([np.flatnonzero((true.triangles == v).any(1))[0] for v in true.landmarks])
    share = np.where(true.triangles[triangle] == true.landmarks[:, None], 0.6, 0.2)
    lead = (1,) if fields == 0 else ()  # DECA's has a batch before
    pair = (triangle.reshape(*lead, 68), share.reshape(*lead, 68, 3))
    write_embedding(folder / name, FIELDS[fields], *pair)
    model = load_model(str(folder / "generic_model.pkl"))
    np.testing.assert_array_equal(model.landmarks["ibug68"], true.landmarks)


def test_an_embedding_of_other_names_is_refused(folder):
    write_embedding(folder / "landmark_embedding.npy", ("a", "b"), np.arange(68), np.ones((68, 3)))
    with pytest.raises(BadInput, match="full_lmk_faces_idx"):
        load_model(str(folder / "generic_model.pkl"))


def full_size():
    """The head at FLAME's vertex count, its landmarks at the published numbers."""
    true = truth()
    free = np.setdiff1d(np.arange(VERTICES), FLAME)[: true.count]
    mean = np.tile(true.mean_mm[0], (VERTICES, 1))
    mean[free], mean[FLAME] = true.mean_mm, true.mean_mm[true.landmarks]
    return {
        "v_template": mean / 1e3,
        "f": free[true.triangles],
        "shapedirs": np.zeros((VERTICES, 3, 2)),
        "posedirs": np.zeros((VERTICES, 3, 36)),
        "J_regressor": np.eye(5, VERTICES),
        "weights": np.tile(np.eye(5)[1], (VERTICES, 1)),
    }, free


def test_the_published_landmarks_and_an_embedding_of_51(tmp_path):
    held, free = full_size()
    path = write_pickle(tmp_path / "generic_model.pkl", held)
    np.testing.assert_array_equal(load_model(str(path)).landmarks["ibug68"], FLAME)
    # The 51 inner points in triangles of the mesh: the jaw stays the table's.
    inner = free[truth().landmarks[17:]]
    triangle = np.array([np.flatnonzero((held["f"] == v).any(1))[0] for v in inner])
    share = (held["f"][triangle] == inner[:, None]).astype(float)
    emb = tmp_path / "flame_static_embedding.pkl"
    write_embedding(emb, FIELDS[2], triangle.astype(np.uint32), share)
    points = import_model("flame", path, emb).landmarks["ibug68"]
    np.testing.assert_array_equal(points, np.concatenate([FLAME[:17], inner]))


def test_a_pickle_that_calls_is_refused(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "generic_model.pkl").write_bytes(b"cposix\nsystem\n(S'touch TRAP'\ntR.")
    with pytest.raises(BadInput, match=r"asks for 'posix\.system'"):
        imported(folder)
    assert not (folder / "TRAP").exists()


@pytest.mark.parametrize("key", ["shapedirs", "weights", "f"])
def test_a_missing_array_is_named(folder, key):
    held = arrays(truth(with_eyes=True))
    del held[key]
    write_pickle(folder / "generic_model.pkl", held)
    with pytest.raises(BadInput, match=f"no {key} among J_regressor"):
        imported(folder)


def test_another_models_arrays_are_refused(folder):
    held = arrays(truth(with_eyes=True))
    held["weights"] = np.zeros((truth(with_eyes=True).count, 24))  # SMPL has 24 joints
    write_pickle(folder / "generic_model.pkl", held)
    with pytest.raises(BadInput, match=r"weights of shape \(\d+, 24\)"):
        imported(folder)


def test_another_topology_needs_its_landmarks(folder):
    with pytest.raises(BadInput, match="5023, or --landmarks"):
        load_model(str(folder / "generic_model.pkl"))


def textured(true, size=64):
    """Texture coordinates (v up), triangles into them, and images that are ramps over the texture:
    their value at a place is known, and bilinear sampling is exact."""
    uv = (true.mean_mm[:, :2] - true.mean_mm[:, :2].min(0)) / np.ptp(true.mean_mm[:, :2], axis=0)
    uv = 0.1 + 0.8 * uv
    column, row = np.meshgrid(*[(np.arange(size) + 0.5) / size] * 2)
    ramp = np.stack([0.2 + 0.2 * column, 0.3 + 0.2 * row, 0.5 + 0.2 * column], 2)  # BGR
    at_vertices = np.stack(
        [0.5 + 0.2 * uv[:, 0], 0.3 + 0.2 * (1 - uv[:, 1]), 0.2 + 0.2 * uv[:, 0]], 1
    )
    basis = np.zeros((size, size, 3, 2))
    basis[..., 0, 0], basis[..., 2, 1] = 0.03, 0.05 * row
    modes = np.zeros((2, true.count, 3))
    modes[0, :, 2], modes[1, :, 0] = 0.03, 0.05 * (1 - uv[:, 1])
    return {"vt": uv, "ft": true.triangles}, ramp, basis, at_vertices, modes


def test_textures_are_read_at_the_vertices_with_red_first(folder):
    true = truth(with_eyes=True)
    layout, ramp, basis, colours, modes = textured(true)
    path = folder / "FLAME_texture.npz"
    np.savez(path, mean=ramp * 255, tex_dir=basis * 255, **layout)
    model = imported(folder)
    np.testing.assert_allclose(model.albedo_mean, colours, atol=1e-3)  # remap's 1/32 pixel
    np.testing.assert_allclose(model.albedo_modes, modes, atol=1e-3)
    np.testing.assert_allclose(model.uv, layout["vt"] * [1, -1] + [0, 1], atol=1e-6)
    assert "FLAME_texture.npz" in model.licence


def test_linear_albedo_is_brought_to_srgb(folder):
    true = truth(with_eyes=True)
    layout, ramp, basis, linear, modes = textured(true)
    np.savez(folder / "albedoModel2020_FLAME_albedoPart.npz", MU=ramp, PC=basis, **layout)
    model = imported(folder)

    def displayed(value):
        return 1.055 * value ** (1 / 2.4) - 0.055

    np.testing.assert_allclose(model.albedo_mean, displayed(linear), atol=2e-3)
    # The modes are the curve's slope: a difference over 1/1000 of a mode shows it.
    slope = (displayed(linear + 1e-3 * modes) - displayed(linear)) / 1e-3
    np.testing.assert_allclose(model.albedo_modes, slope, atol=2e-3)


def test_a_texture_of_other_triangles_is_refused(folder):
    layout, ramp, basis, *_ = textured(truth(with_eyes=True))
    layout["ft"] = layout["ft"][:-1]
    np.savez(folder / "FLAME_texture.npz", mean=ramp, tex_dir=basis, **layout)
    with pytest.raises(BadInput, match="ft of shape"):
        imported(folder)
