from dataclasses import replace

import numpy as np
import pytest

from faces.models import load_model
from faces.morphable import PARTS
from synth.renderer import PART_LABELS
from synth.topology import face_mesh, topology_of
from tests.toy import toy_model

MODEL = load_model("default")
POINTS = MODEL.mean_mm[MODEL.landmarks["ibug68"]]


def seen_part(x, y):
    """Label of the foremost triangle whose frontal outline holds a point of the mean (mm)."""
    corners = MODEL.mean_mm[MODEL.triangles].astype(np.float64)
    a, b, c = (corners[:, k, :2] for k in range(3))

    def side(p, q):
        return (q[:, 0] - p[:, 0]) * (y - p[:, 1]) - (q[:, 1] - p[:, 1]) * (x - p[:, 0])

    sides = np.stack([side(a, b), side(b, c), side(c, a)], 1)
    inside = np.flatnonzero((sides >= 0).all(1))
    foremost = inside[np.argmax(corners[inside, :, 2].mean(1))]
    return PART_LABELS[topology_of(MODEL).parts[foremost]]


@pytest.mark.parametrize(
    ("points", "label"),
    [
        ((51, 62), "lips"),  # the middle of the upper lip
        ((57, 66), "lips"),
        ((30,), "skin"),  # tip of the nose
        ((8,), "skin"),
        ((33, 51), "skin"),  # below the nose
        ((37, 38, 40, 41), "eyes"),
        ((43, 44, 46, 47), "eyes"),
        ((2, 31), "skin"),  # cheek
    ],
)
def test_a_place_on_the_face_shows_its_part(points, label):
    x, y, _ = POINTS[list(points)].mean(0)
    assert seen_part(x, y) == label


def test_brows_lie_around_their_landmarks():
    """The five points of a brow run along its middle; its ends fade out."""
    shown = [seen_part(*POINTS[k, :2]) for k in (18, 19, 20, 23, 24, 25)]
    assert shown.count("brows") >= 4


def test_pncc_is_the_mean_in_its_box():
    pncc = topology_of(MODEL).pncc
    assert pncc.min(0).tolist() == [0, 0, 0]
    assert pncc.max(0).tolist() == [1, 1, 1]
    size = np.ptp(MODEL.mean_mm, axis=0)
    # float32 in [0, 1] times 250 mm
    np.testing.assert_allclose(pncc * size + MODEL.mean_mm.min(0), MODEL.mean_mm, atol=1e-4)


def test_what_a_model_lacks_stays_skin():
    toy = toy_model()
    kept = {k: v for k, v in toy.regions.items() if k not in ("ears", "neck")}
    parts = topology_of(replace(toy, regions=kept)).parts
    found = {PART_LABELS[k] for k in np.unique(parts)}
    assert found == {"skin", "brows", "lips"}
    assert (toy.triangle_part == PARTS.index("skin")).all()


def test_a_model_without_a_chart_has_an_empty_one():
    toy = toy_model()
    bare = replace(toy, uv=toy.uv[:0], triangle_uv=toy.triangle_uv[:0])
    topology = topology_of(bare)
    assert topology.uv.shape == (0, 2)
    assert topology.triangle_uv.shape == toy.triangles.shape


def test_a_face_has_outward_unit_normals():
    face = face_mesh(MODEL, MODEL.mean_mm, None)
    used = np.unique(MODEL.triangles)
    # float32
    np.testing.assert_allclose(np.linalg.norm(face.normals[used], axis=1), 1, atol=1e-6)
    assert face.normals[MODEL.landmarks["ibug68"][30], 2] > 0.8  # the nose's tip looks ahead
    np.testing.assert_array_equal(face.colors, MODEL.albedo_mean)
    assert topology_of(MODEL) is face.topology
