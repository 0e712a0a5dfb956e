"""A neck carried on below the model's rim: what shows, and what is no place of the model."""

import numpy as np
import pytest

from faces.camera import Camera, Pose
from faces.mesh import triangle_normals
from faces.models import load_model
from faces.rotation import matrix_from_euler
from synth.bust import Bust, needed, own_labels
from synth.render import RasterRenderer
from synth.renderer import BUFFERS, PART_LABELS
from synth.topology import face_mesh
from synth.turned_head import phong_lighting

LIGHT = phong_lighting(
    np.full(3, 0.6), np.full(3, 0.4), np.array([0.0, 0.0, -1.0]), 0.0, 1.0, False
)
CAMERA = Camera.from_fov(160, 160, 30.0)


@pytest.fixture(scope="module")
def head():
    model = load_model("default")
    face = face_mesh(model, model.mean_mm, None)
    return model, face, Bust(model, face)


def drawn(mesh, angles):
    pose = Pose(matrix_from_euler(*angles), np.array([0.0, 0.0, 900.0]))
    return RasterRenderer(1).render(mesh, pose, CAMERA, LIGHT, None, BUFFERS)


def seen(head, yaw, pitch):
    bust = head[2]
    pose = Pose(matrix_from_euler(yaw, pitch, 0), np.array([0.0, 0.0, 900.0]))
    return bust.seen(pose, np.zeros(3))


def test_what_is_added_faces_outwards(head):
    """The divergence theorem: a tube with its end, closed above by the rim's own cap, holds a
    volume above 0; about that of a cylinder of the rim's size."""
    model, _, _ = head
    mesh = seen(head, 0, 0)
    added = mesh.topology.triangles[len(model.triangles) :]
    corners = mesh.vertices_mm[added].astype(float)
    corners -= [0, corners[..., 1].max(), 0]  # the cap in the plane of 0 adds nothing
    volume = (corners.mean(1) * triangle_normals(corners.reshape(-1, 3), steps(added))).sum() / 6
    width, _, depth = np.ptp(corners.reshape(-1, 3), axis=0)
    assert volume == pytest.approx(np.pi / 4 * width * depth * 700, rel=0.25)


def steps(triangles):
    return np.arange(triangles.size, dtype=np.int32).reshape(-1, 3)


def test_no_hole_and_no_rim_from_the_side(head):
    """Below the lowest pixel of the model's own the neck goes on to the picture's lower edge."""
    view = drawn(seen(head, 90, 0), (90, 0, 0))
    assert (view.buffers["parts"][-1] == PART_LABELS.index("neck")).any()
    plain = drawn(head[1], (90, 0, 0))
    assert not plain.buffers["mask"][-1].any()


@pytest.mark.parametrize("pitch", [-90, -80, -50, 0, 25])
def test_the_models_own_buffers_stay_as_they_are(pitch, head):
    """Wherever a model's triangle is shown with and without the neck, it is the same one with the
    same labels; elsewhere pncc, uv and ids are the background's."""
    model, face, _ = head
    plain = drawn(face, (20, pitch, 0)).buffers
    ours = own_labels(drawn(seen(head, 20, pitch), (20, pitch, 0)), len(model.triangles), BUFFERS)
    added = (ours.buffers["mask"] > 0) & (ours.buffers["triangle_id"] < 0)
    assert added.any()
    assert (ours.buffers["parts"][added] == PART_LABELS.index("neck")).all()
    for name in ("pncc", "uv"):
        assert (ours.buffers[name][added] == 0).all()
    for name in BUFFERS:
        np.testing.assert_array_equal(ours.buffers[name][~added], plain[name][~added])


def test_from_below_nobody_looks_into_the_head(head):
    """Skin whose back is turned to the camera is not seen: no normal points away from it."""
    view = drawn(seen(head, 0, -90), (0, -90, 0))
    neck = view.buffers["parts"] == PART_LABELS.index("neck")
    assert (view.buffers["normal"][neck][:, 2] > -0.2).all()  # smooth ones, at outlines
    open_neck = drawn(head[1], (0, -90, 0))
    hollow = open_neck.buffers["normal"][open_neck.buffers["mask"] > 0][:, 2] < -0.2
    assert hollow.mean() > 0.1


def test_ids_are_rendered_where_they_are_needed():
    assert needed(("pncc",)) == ("pncc", "triangle_id")
    assert needed(("depth_mm", "mask")) == ("depth_mm", "mask")
    assert needed(("uv", "triangle_id")) == ("uv", "triangle_id")
