"""BFM 2017 and 2019: Statismo's HDF5 layout, on files we write."""

import builtins
import json
from dataclasses import replace

import numpy as np
import pytest

from faces.errors import BadInput, MissingExtra
from faces.models import bfm17, import_model, load_model
from faces.models.bfm17 import FACE12, IBUG_OF, NAMED, NOMOUTH
from faces.models.landmark_indices import BFM17_CORNERS, BFM17_FACE12
from tests.other_models import check_shapes, truth, unit_columns, write_landmarks

h5py = pytest.importorskip("h5py")
MEAN_EXPRESSION = np.array([0.0, -1.5, 0.5])


def datasets(true):
    """Statismo's datasets: mm, 0 to 1, unit columns and variances, cells (3, T)."""
    stored = {}
    means = {
        "shape": true.mean_mm,
        "color": true.albedo_mean,
        "expression": np.tile(MEAN_EXPRESSION, (true.count, 1)),
    }
    modes = {
        "shape": true.identity_mm,
        "color": true.albedo_modes,
        "expression": true.expression_mm,
    }
    for kind in means:
        basis, sigma = unit_columns(modes[kind])
        stored[f"{kind}/model/mean"] = means[kind].ravel().astype(np.float32)
        stored[f"{kind}/model/pcaBasis"] = basis.astype(np.float32)
        stored[f"{kind}/model/pcaVariance"] = (sigma**2).astype(np.float32)
        stored[f"{kind}/representer/cells"] = true.triangles.T.astype(np.int32)
        stored[f"{kind}/representer/points"] = means[kind].T.astype(np.float32)
    return stored


def write(path, stored):
    with h5py.File(path, "w") as file:
        for key, array in stored.items():
            file.create_dataset(key, data=array)
    return path


@pytest.fixture
def points(tmp_path):
    return write_landmarks(tmp_path / "points.txt", truth().landmarks)


def test_shapes_expressions_and_colours(tmp_path, points):
    true = truth()
    model = import_model("bfm17", write(tmp_path / "model.h5", datasets(true)), points)
    # Coefficient 0 is the expressions' mean, which no other is measured from.
    check_shapes(model, true, expression_from=1)
    assert model.expression_names == ("expMean", "exp00", "exp01", "exp02")
    np.testing.assert_allclose(model.expression_mm[0], np.tile(MEAN_EXPRESSION, (true.count, 1)))
    np.testing.assert_allclose(model.albedo_mean, true.albedo_mean, atol=1e-6)
    np.testing.assert_allclose(model.albedo_modes, true.albedo_modes, atol=1e-6)


def test_a_model_of_shapes_alone_takes_painted_colours(tmp_path, points):
    stored = {key: array for key, array in datasets(truth()).items() if key.startswith("shape/")}
    model = import_model("bfm17", write(tmp_path / "model.h5", stored), points)
    assert model.expression_names == ()
    assert len(model.albedo_modes) > 20


def sparse(true, count, landmarks):
    """The head's datasets at ``count`` vertices, its landmarks' places moved to ``landmarks``.

    All other vertices of the head follow at free numbers; one mode, without colours.
    """
    free = np.setdiff1d(np.arange(count), landmarks)[: true.count]
    mean = np.tile(true.mean_mm[0], (count, 1))
    mean[free], mean[landmarks] = true.mean_mm, true.mean_mm[true.landmarks]
    return {
        "shape/model/mean": mean.ravel(),
        "shape/model/pcaBasis": np.eye(3 * count, 1),
        "shape/model/pcaVariance": np.ones(1),
    }, free[true.triangles]


def test_the_published_landmarks_of_the_cut_face(tmp_path):
    stored, triangles = sparse(truth(), FACE12, BFM17_FACE12)
    path = write(tmp_path / "model2017-1_face12_nomouth.h5", stored | {_CELLS: triangles.T})
    model = load_model(str(path))
    np.testing.assert_array_equal(model.landmarks["ibug68"], BFM17_FACE12)


def test_the_published_landmarks_of_the_head(tmp_path, monkeypatch):
    # Regions of a mesh of its size would take long: what is assembled is looked at instead.
    monkeypatch.setattr(bfm17, "assemble", lambda shapes, what: shapes)
    # They are corners of triangles: those triangles have them, the others are the head's.
    own = np.arange(NOMOUTH - 68, NOMOUTH)
    stored, triangles = sparse(truth(), NOMOUTH, own)
    cells = np.tile(triangles, (1 + BFM17_CORNERS[:, 0].max() // len(triangles), 1))
    for vertex, (triangle, corner) in zip(own, BFM17_CORNERS, strict=True):
        cells[triangle] = vertex if corner == 0 else 0
        cells[triangle, corner] = vertex
    path = write(tmp_path / "model2017-1_bfm_nomouth.h5", stored | {_CELLS: cells.T})
    np.testing.assert_array_equal(bfm17.read_bfm17(path).landmarks, own)


_CELLS = "shape/representer/cells"


def with_names(true, count=12):
    """The datasets with the first ``count`` of the points that BFM's files name."""
    named = [
        {"id": name, "coordinates": true.mean_mm[true.landmarks[number]].tolist()}
        for name, number in list(IBUG_OF.items())[:count]
    ]
    named.append({"id": "center.front.trichion", "coordinates": [0, 90, 60]})
    return datasets(true) | {NAMED: np.array([json.dumps(named)], dtype=object)}


def test_another_topology_derives_its_landmarks_from_named_points(tmp_path, caplog):
    # Another head than the one they are derived from: wider, shorter, its nose turned up.
    true = truth()
    mean = true.mean_mm * [1.06, 0.95, 1.0]
    mean[:, 1] += 0.05 * np.maximum(mean[:, 2] - 80, 0)
    other = replace(true, mean_mm=mean)
    path = write(tmp_path / "model2019_bfm.h5", with_names(other))
    points = load_model(str(path)).landmarks["ibug68"]
    assert "derived from 12 named points" in caplog.text
    error = np.linalg.norm(mean[points] - mean[other.landmarks], axis=1)
    known = list(IBUG_OF.values())
    np.testing.assert_array_equal(points[known], other.landmarks[known])
    # The jaw and brows carry over by proportion, on a mesh with 5 mm between its vertices.
    assert np.median(error) < 4
    assert error.max() < 12


def test_another_topology_without_names_needs_its_landmarks(tmp_path):
    path = write(tmp_path / "model2019_bfm.h5", with_names(truth(), 7))
    with pytest.raises(BadInput, match="not known, and 7 of the 12 named points"):
        load_model(str(path))
    path = write(tmp_path / "damaged.h5", datasets(truth()) | {NAMED: np.array([b"{"])})
    with pytest.raises(BadInput, match="unreadable"):
        load_model(str(path))


@pytest.mark.parametrize("key", ["shape/model/pcaBasis", "expression/model/pcaVariance", _CELLS])
def test_a_missing_dataset_is_named(tmp_path, points, key):
    stored = datasets(truth())
    del stored[key]
    with pytest.raises(BadInput, match=f"no dataset {key}"):
        import_model("bfm17", write(tmp_path / "model.h5", stored), points)


def test_sizes_that_contradict_are_refused(tmp_path, points):
    stored = datasets(truth())
    stored["shape/model/pcaBasis"] = stored["shape/model/pcaBasis"][:-3]
    with pytest.raises(BadInput, match="pcaBasis of shape"):
        import_model("bfm17", write(tmp_path / "model.h5", stored), points)


def test_a_truncated_file_is_refused(tmp_path, points):
    path = write(tmp_path / "model.h5", datasets(truth()))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(BadInput, match="unreadable"):
        import_model("bfm17", path, points)


def test_the_package_that_is_missing_is_named(tmp_path, points, monkeypatch):
    path = write(tmp_path / "model.h5", datasets(truth()))
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "h5py":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match="hdf5"):
        import_model("bfm17", path, points)
