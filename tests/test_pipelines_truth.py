from dataclasses import replace

import numpy as np

from faces.rotation import matrix_from_euler
from pipelines.truth import (
    COLUMNS,
    place_errors,
    place_masks,
    truth_errors,
    truth_lines,
    vertex_errors_mm,
)
from tests.staged import stage


def moved(face, offset):
    return replace(face, vertices_mm=face.vertices_mm + offset)


def test_without_truth_or_in_another_topology_there_are_no_figures():
    set_up = stage()
    assert truth_errors(set_up.scan, set_up.face, set_up.model) is None
    other = replace(set_up.scan, truth={"vertices_mm": set_up.face.vertices_mm[:-1]})
    assert truth_errors(other, set_up.face, set_up.model) is None
    assert vertex_errors_mm(other, set_up.face) is None


def test_an_error_is_told_where_it_is():
    set_up = stage()
    places = place_masks(set_up.model)
    assert "jaw" in places
    assert sum(mask.astype(int) for mask in places.values()).max() == 1  # no vertex in two
    wrong = set_up.face.vertices_mm + 1.5 * places["nose"][:, None] * np.array([0, 0, 1.0])
    scan = replace(set_up.scan, truth={"vertices_mm": set_up.face.vertices_mm})
    error = vertex_errors_mm(scan, replace(set_up.face, vertices_mm=wrong))
    assert place_errors(error, set_up.model) == {
        name: 1.5 if name == "nose" else 0.0 for name in places
    }


def test_a_shift_is_an_error_in_place_but_not_in_shape():
    set_up = stage()
    scan = replace(set_up.scan, truth={"vertices_mm": set_up.face.vertices_mm})
    errors = truth_errors(scan, moved(set_up.face, [0.0, 0.0, 2.0]), set_up.model)
    np.testing.assert_allclose(errors["visible_mm"], 2.0)
    np.testing.assert_allclose(errors["normal_mm"] ** 2 + errors["tangential_mm"] ** 2, 4.0, rtol=1)
    assert errors["nme_percent"] < 1e-6
    assert errors["initial_percent"] < 1e-6
    turned = set_up.face.vertices_mm @ matrix_from_euler(5.0).T
    assert (
        truth_errors(scan, replace(set_up.face, vertices_mm=turned), set_up.model)["nme_percent"]
        < 1e-6
    )


def test_the_table_has_mean_and_worst():
    errors = [{name: value for name in COLUMNS} for value in (1.0, 4.0)]
    head, _, mean, worst = truth_lines(errors)
    assert "2 faces" in head
    assert mean.split() == ["mean", *["2.50"] * len(COLUMNS)]
    assert worst.split() == ["worst", *["4.00"] * len(COLUMNS)]
    assert truth_lines([]) == []
