"""BFM 2009: its .mat, Deep3DFaceRecon's cut, and Guo et al.'s expressions, on files we write."""

import numpy as np
import pytest
from scipy.io import savemat

from faces.errors import BadInput
from faces.models import import_model, load_model
from faces.models.bfm09 import LANDMARKS, VERTICES
from tests.other_models import check_shapes, columns, truth, unit_columns, write_landmarks


def scanned(true):
    """The keys of 01_MorphableModel.mat: µm, 0 to 255, unit columns, clockwise, from 1."""
    shape, shape_sigma = unit_columns(true.identity_mm * 1e3)
    colour, colour_sigma = unit_columns(true.albedo_modes * 255)
    return {
        "shapeMU": (true.mean_mm * 1e3).reshape(-1, 1).astype(np.float32),
        "shapePC": shape.astype(np.float32),
        "shapeEV": shape_sigma[:, None].astype(np.float32),
        "texMU": (true.albedo_mean * 255).reshape(-1, 1).astype(np.float32),
        "texPC": colour.astype(np.float32),
        "texEV": colour_sigma[:, None].astype(np.float32),
        "tl": true.triangles[:, ::-1] + 1,
    }


@pytest.fixture
def folder(tmp_path):
    true = truth()
    savemat(tmp_path / "01_MorphableModel.mat", scanned(true))
    write_landmarks(tmp_path / "points.txt", true.landmarks)
    return tmp_path


def imported(folder):
    return import_model("bfm09", folder / "01_MorphableModel.mat", folder / "points.txt")


def test_scans_give_shapes_and_colours(folder):
    true, model = truth(), imported(folder)
    check_shapes(model, true)
    assert model.expression_names == ()
    np.testing.assert_allclose(model.albedo_mean, true.albedo_mean, atol=1e-6)
    np.testing.assert_allclose(model.albedo_modes, true.albedo_modes, atol=1e-6)
    assert "non-commercial" in model.licence


def write_expressions(folder, true, kept):
    """Exp_Pca.bin of the kept vertices, in µm: a count, a mean nobody uses, modes without σ."""
    sigma = np.array([2.0, 0.5, 3.0])
    modes = true.expression_mm[:, kept] * 1e3 / sigma[:, None, None]
    mean = np.full(3 * len(kept), 777.0)
    flat = np.concatenate([mean, modes.ravel()]).astype("<f4")
    count = np.array([len(modes)], dtype="<i4")
    (folder / "Exp_Pca.bin").write_bytes(count.tobytes() + flat.tobytes())
    np.savetxt(folder / "std_exp.txt", sigma)
    savemat(folder / "BFM_exp_idx.mat", {"trimIndex": kept[:, None] + 1})


def test_expressions_beside_it_cut_the_mesh_to_theirs(folder):
    true = truth()
    rng = np.random.default_rng(1)
    lost = rng.choice(np.setdiff1d(np.arange(true.count), true.landmarks), 5, replace=False)
    kept = np.setdiff1d(np.arange(true.count), lost)
    write_expressions(folder, true, kept)
    model = imported(folder)
    identity, expression = rng.normal(size=4), rng.normal(size=3)
    np.testing.assert_allclose(
        model.shape(identity, expression), true.shape(identity, expression)[kept], atol=3e-4
    )
    whole = np.isin(true.triangles, kept).all(1)
    assert len(model.triangles) == whole.sum() < len(true.triangles)
    np.testing.assert_array_equal(kept[model.landmarks["ibug68"]], true.landmarks)


def test_truncated_expressions_are_refused(folder):
    write_expressions(folder, truth(), np.arange(truth().count))
    path = folder / "Exp_Pca.bin"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(BadInput, match=r"Exp_Pca\.bin.*bytes for 3 modes"):
        imported(folder)


def test_expressions_without_their_deviations_are_refused(folder):
    write_expressions(folder, truth(), np.arange(truth().count))
    (folder / "std_exp.txt").unlink()
    with pytest.raises(BadInput, match=r"without \['std_exp\.txt'\]"):
        imported(folder)


def test_the_cut_front_brings_its_landmarks(tmp_path):
    true = truth()
    path = tmp_path / "BFM_model_front.mat"
    keys = {
        "meanshape": (true.mean_mm / 100).reshape(1, -1),
        "meantex": (true.albedo_mean * 255).reshape(1, -1),
        "idBase": columns(true.identity_mm / 100),
        "exBase": columns(true.expression_mm / 100),
        "texBase": columns(true.albedo_modes * 255),
        "tri": true.triangles + 1,
        "keypoints": true.landmarks[None] + 1,
    }
    savemat(path, keys)
    model = load_model(str(path))  # told by its suffix
    check_shapes(model, true)
    np.testing.assert_allclose(model.albedo_modes, true.albedo_modes, atol=1e-6)


def test_the_published_landmarks_belong_to_its_vertex_count(tmp_path):
    # The head's vertices in the order of the published table, the rest of it repeated at the back.
    true = truth()
    mean = np.tile(true.mean_mm[0], (VERTICES, 1))
    others = np.setdiff1d(np.arange(VERTICES), LANDMARKS)[: true.count]
    mean[others], mean[LANDMARKS] = true.mean_mm, true.mean_mm[true.landmarks]
    small = np.zeros((3 * VERTICES, 1), dtype=np.float32)
    keys = scanned(true) | {
        "shapeMU": (mean * 1e3).reshape(-1, 1).astype(np.float32),
        **{"shapePC": small, "texPC": small, "texMU": small},
        **{"shapeEV": np.ones((1, 1)), "texEV": np.ones((1, 1))},
        "tl": others[true.triangles] + 1,
    }
    savemat(tmp_path / "01_MorphableModel.mat", keys)
    model = import_model("bfm09", tmp_path / "01_MorphableModel.mat")
    np.testing.assert_array_equal(model.landmarks["ibug68"], LANDMARKS)


@pytest.mark.parametrize("key", ["shapePC", "tl", "texEV"])
def test_a_missing_key_is_named(folder, key):
    keys = scanned(truth())
    del keys[key]
    savemat(folder / "01_MorphableModel.mat", keys)
    with pytest.raises(BadInput, match=f"no {key} among"):
        imported(folder)


def test_colours_of_other_vertices_and_nan_are_refused(folder):
    keys = scanned(truth())
    savemat(folder / "01_MorphableModel.mat", keys | {"texMU": keys["texMU"][:-3]})
    with pytest.raises(BadInput, match="albedo mean of shape"):
        imported(folder)
    keys["shapePC"][5, 2] = np.nan
    savemat(folder / "01_MorphableModel.mat", keys)
    with pytest.raises(BadInput, match=r"identity modes .* not all finite"):
        imported(folder)


def test_a_truncated_file_is_refused(folder):
    path = folder / "01_MorphableModel.mat"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(BadInput, match="unreadable"):
        imported(folder)


def test_another_topology_needs_its_landmarks(folder):
    with pytest.raises(BadInput, match="53490, or --landmarks"):
        import_model("bfm09", folder / "01_MorphableModel.mat")


def test_landmarks_in_another_order_are_refused(folder):
    write_landmarks(folder / "points.txt", truth().landmarks[::-1])
    with pytest.raises(BadInput, match="unlike a face's"):
        imported(folder)


def test_another_unit_and_another_frame_are_refused(folder):
    keys = scanned(truth())
    savemat(folder / "01_MorphableModel.mat", keys | {"shapeMU": keys["shapeMU"] / 1e3})
    with pytest.raises(BadInput, match=r"corners 0\.08"):
        imported(folder)
    turned = keys["shapeMU"].reshape(-1, 3) * np.array([1, -1, -1])
    savemat(folder / "01_MorphableModel.mat", keys | {"shapeMU": turned.reshape(-1, 1)})
    with pytest.raises(BadInput, match="turned by 180"):
        imported(folder)
