"""FaceScape's bilinear model: the .npz of 1.6 and the folders before it, on files we write."""

import pickle

import numpy as np
import pytest

from faces.errors import BadInput
from faces.models import import_model, load_model
from faces.models.facescape import COLOUR_SIGMA
from tests.other_models import EXPRESSIONS, IDENTITIES, check_shapes, truth, write_landmarks

ID_MEAN = np.array([-0.034, 0.002, -0.001, 0.003, 0.0])
ID_VAR = np.array([1e-6, 1 / 847, 1 / 847, 2 / 847, 1 / 847])


def core(true):
    """(3 V, 1 + E, K): absolute shapes whose mean and 1 σ are the truth's.

    As FaceScape's, the first weight carries the mean shape, and its mode is that shape too.
    """
    sigma = np.sqrt(ID_VAR)
    neutral = np.zeros((true.count * 3, len(ID_MEAN)))
    neutral[:, 1:] = (true.identity_mm / sigma[1:, None, None]).reshape(IDENTITIES, -1).T
    rest = true.mean_mm.ravel() - neutral[:, 1:] @ ID_MEAN[1:]
    neutral[:, 0] = rest / ID_MEAN[0]
    shapes = np.repeat(neutral[:, None], 1 + EXPRESSIONS, axis=1)
    shapes[:, 1:, 0] += true.expression_mm.reshape(EXPRESSIONS, -1).T / ID_MEAN[0]
    # What the two do together, which a linear model leaves out: nil at the mean identity.
    cross = np.random.default_rng(9).normal(size=(true.count * 3, EXPRESSIONS, 1))
    shapes[:, 1:, 1:2] += cross
    shapes[:, 1:, :1] -= cross * ID_MEAN[1] / ID_MEAN[0]
    return shapes


def arrays(true):
    uv = (true.mean_mm[:, :2] - true.mean_mm[:, :2].min(0)) / np.ptp(true.mean_mm[:, :2], axis=0)
    front = np.flatnonzero(true.mean_mm[:, 2] > 20)
    row = np.arange(len(front))
    row[::7] = -1  # the front's vertices without a colour
    return {
        "shape_bm_core": core(true),
        "id_mean": ID_MEAN,
        "id_var": ID_VAR,
        "fv_indices": true.triangles + 1,
        "ft_indices": true.triangles + 1,
        "texcoords": uv,
        "lm_list_v16": true.landmarks,
        "color_bm_mean": (true.albedo_mean[front] * 255)[:, ::-1].ravel(),
        "color_bm_core": (true.albedo_modes[:, front] * 255 / COLOUR_SIGMA)[..., ::-1]
        .reshape(len(true.albedo_modes), -1)
        .T,
        "vc_dict_front": row,
        "v_indices_front": front,
        # Members of the real file that are pickled: unread, whatever they hold.
        "sym_dict": np.array({"run": print}, dtype=object),
    }


def write(path, held):
    np.savez(path, **held)
    return path


def without_the_first(model):
    """The model without the mode that scales the whole mean face."""
    assert len(model.identity_mm) == 1 + IDENTITIES
    object.__setattr__(model, "identity_mm", model.identity_mm[1:])
    return model


def test_core_gives_identity_at_neutral_and_expressions_at_the_mean(tmp_path):
    true = truth()
    path = write(tmp_path / "facescape_bm_v1.6.npz", arrays(true))
    model = load_model.__wrapped__(str(path))
    check_shapes(without_the_first(model), true)
    assert model.expression_names == ("bs01", "bs02", "bs03")
    assert "non-commercial" in model.licence


def test_colours_of_the_front_and_texture_coordinates(tmp_path):
    true, held = truth(), arrays(truth())
    model = load_model(str(write(tmp_path / "model.npz", held)))
    known = held["v_indices_front"][held["vc_dict_front"] >= 0]
    np.testing.assert_allclose(model.albedo_mean[known], true.albedo_mean[known], atol=1e-6)
    np.testing.assert_allclose(model.albedo_modes[:, known], true.albedo_modes[:, known], atol=1e-6)
    others = np.setdiff1d(np.arange(true.count), known)
    assert not model.albedo_modes[:, others].any()
    np.testing.assert_allclose(
        model.albedo_mean[others], np.tile(true.albedo_mean[known].mean(0), (len(others), 1)), 1e-5
    )
    np.testing.assert_allclose(model.uv, held["texcoords"] * [1, -1] + [0, 1], atol=1e-6)


def test_quads_become_fans(tmp_path):
    true, held = truth(), arrays(truth())
    # A fourth corner beside the third: the second triangle of each fan is (first, third, fourth).
    quads = np.column_stack([true.triangles, true.triangles[:, 1]]) + 1
    held |= {"fv_indices": quads, "ft_indices": quads}
    model = load_model(str(write(tmp_path / "model.npz", held)))
    np.testing.assert_array_equal(model.triangles[::2], true.triangles)
    np.testing.assert_array_equal(model.triangles[1::2], true.triangles[:, [0, 2, 1]])


def folder_of(tmp_path, true):
    """Versions 1.0 to 1.3: the core the other way round, weights of people, faces of an OBJ."""
    np.save(tmp_path / "core_847_50_52.npy", core(true).transpose(2, 1, 0))
    people = np.random.default_rng(2).normal(size=(847, len(ID_MEAN)))
    people = (people - people.mean(0)) / people.std(0) * np.sqrt(ID_VAR) + ID_MEAN
    np.save(tmp_path / "factors_id_847_50_52.npy", people)
    corners = (true.triangles + 1).tolist()
    faces = [(corner, [0, 0, 0], corner, "material_0") for corner in corners]
    (tmp_path / "predef_faces.pkl").write_bytes(pickle.dumps(faces, 2))
    uv = np.random.default_rng(3).uniform(size=(true.count, 2)).tolist()
    (tmp_path / "predef_texcoords.pkl").write_bytes(pickle.dumps(uv, 2))
    write_landmarks(tmp_path / "index_68.txt", true.landmarks)
    return tmp_path


def test_an_older_folder_gives_the_same_shapes(tmp_path):
    model = load_model.__wrapped__(str(folder_of(tmp_path, truth())))
    check_shapes(without_the_first(model), truth())


def test_an_older_folder_needs_landmarks_and_faces(tmp_path):
    folder = folder_of(tmp_path, truth())
    (folder / "index_68.txt").unlink()
    with pytest.raises(BadInput, match=r"no index_68\.txt"):
        load_model(str(folder))
    points = write_landmarks(tmp_path / "points.txt", truth().landmarks)
    model = import_model("facescape", folder, points)
    np.testing.assert_array_equal(model.landmarks["ibug68"], truth().landmarks)
    (folder / "predef_faces.pkl").unlink()
    with pytest.raises(BadInput, match=r"predef_faces\.pkl"):
        load_model(str(folder))


def test_principal_components_of_expressions_are_refused(tmp_path):
    held = arrays(truth())
    mix = np.linalg.qr(np.random.default_rng(4).normal(size=(1 + EXPRESSIONS,) * 2))[0]
    mix[:, 0] = np.eye(1 + EXPRESSIONS)[0]  # neutral stays, so that the landmarks are a face's
    held["shape_bm_core"] = np.einsum("vek,ef->vfk", held["shape_bm_core"], mix)
    with pytest.raises(BadInput, match=r"no '_id_exp' file"):
        load_model(str(write(tmp_path / "facescape_bm_v1.6_id_exp.npz", held)))


@pytest.mark.parametrize("key", ["id_var", "fv_indices", "lm_list_v16"])
def test_a_missing_key_is_named(tmp_path, key):
    held = arrays(truth())
    del held[key]
    with pytest.raises(BadInput, match=f"no {key}"):
        load_model(str(write(tmp_path / "model.npz", held)))


def test_a_core_and_weights_that_contradict_are_refused(tmp_path):
    held = arrays(truth()) | {"id_mean": ID_MEAN[:-1]}
    with pytest.raises(BadInput, match="with 4 means and 5 variances"):
        load_model(str(write(tmp_path / "model.npz", held)))


def test_triangles_of_another_topology_are_refused(tmp_path):
    held = arrays(truth())
    held["fv_indices"] = held["fv_indices"] + 1
    with pytest.raises(BadInput, match="vertex numbers of its triangles"):
        load_model(str(write(tmp_path / "model.npz", held)))


def test_a_truncated_file_is_refused(tmp_path):
    path = write(tmp_path / "model.npz", arrays(truth()))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(BadInput):
        import_model("facescape", path)
