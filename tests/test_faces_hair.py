"""Hair on the default model's head, painted with a hairline of its own."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from faces.camera import Camera, Pose
from faces.hair import BEFORE_MM, with_hair
from faces.models import load_model
from faces.rotation import matrix_from_euler
from faces.scan_person import DRAWN_PARTS
from faces.visibility import visible_vertices
from imaging.raster import rasterise

CAMERA = Camera.from_fov(320, 320, 30.0)
SKIN, HAIR = np.float32([0.75, 0.55, 0.45]), np.float32([0.12, 0.08, 0.06])
LAMP = np.float32([0.9, 0.9, 0.9])


@pytest.fixture(scope="module")
def head():
    """The model half turned: its vertices, what is drawn, and each one's mm before the scalp."""
    model = load_model("default")
    pose = Pose(matrix_from_euler(35.0, 0.0, 0.0), np.array([0.0, 0.0, 700.0]))
    distance, _ = cKDTree(model.mean_mm[model.regions["scalp"]]).query(model.mean_mm)
    triangles = model.part_triangles(*DRAWN_PARTS)
    return model, pose.apply(model.mean_mm.astype(float)), triangles, distance


def dressed(head, hairline_mm, gap_mm, hair=HAIR):
    """The skin-coloured head with the hair seen of one that grows ``hairline_mm`` before the
    scalp; from ``gap_mm`` before it backwards nothing of the face is seen."""
    model, vertices, triangles, distance = head
    on_face = model.regions["face"]
    painted = np.where((distance < hairline_mm)[:, None], hair, SKIN)
    shown = rasterise(CAMERA.screen(vertices), triangles, (320, 320))
    image = np.nan_to_num(shown.interpolate(painted, triangles)).astype(np.float32)
    unseen = (on_face & (distance < gap_mm)).astype(np.float32)
    hidden = shown.interpolate(unseen[:, None], triangles)[..., 0] > 0.01
    alpha = (shown.mask & ~hidden).astype(np.float32)
    colors = np.broadcast_to(SKIN, painted.shape).astype(np.float32)
    return with_hair(colors, image, alpha, vertices, model, triangles, CAMERA).colors


def test_hair_on_both_sides_of_the_unseen_meets(head):
    colors = dressed(head, hairline_mm=BEFORE_MM, gap_mm=10.0)
    gap = between(head, 10.0)
    # without it the face's own skin shows there as a pale stripe
    assert np.median(np.abs(colors - HAIR).max(1)[gap]) < 0.1
    assert np.median(np.abs(colors - SKIN).max(1)[gap]) > 0.4


def test_skin_up_to_the_scalp_stays_skin(head):
    *_, distance = head
    colors = dressed(head, hairline_mm=1e-3, gap_mm=0.0)
    near = between(head, BEFORE_MM) & (distance > 4)  # an edge of the mesh mixes the two
    assert near.sum() > 100
    # but for the few that the camera does not see, where the scalp's hair fades out
    assert np.mean(np.abs(colors - SKIN).max(1)[near] > 0.05) < 0.1


@pytest.mark.parametrize("own", [HAIR, SKIN], ids=["hair", "bare"])
def test_unseen_scalp_has_the_tone_that_does_not_shine(head, own):
    model, vertices, triangles, _ = head
    scalp = model.regions["scalp"]
    # nearly half of the hair, or three quarters of a bare scalp, lie under a lamp
    height = model.mean_mm[:, 1]
    seen = visible_vertices(vertices, triangles, CAMERA, cos_min=0.2) & scalp
    least = np.quantile(height[seen], 0.55 if own is HAIR else 0.25)
    painted = np.where(scalp[:, None], own, SKIN)
    painted[scalp & (height > least)] = LAMP
    shown = rasterise(CAMERA.screen(vertices), triangles, (320, 320))
    image = np.nan_to_num(shown.interpolate(painted, triangles)).astype(np.float32)
    alpha = shown.mask.astype(np.float32)
    bare = np.where(scalp[:, None], np.float32([0.8, 0.8, 0.8]), SKIN).astype(np.float32)
    colors = with_hair(bare, image, alpha, vertices, model, triangles, CAMERA).colors
    far = scalp & (cKDTree(vertices[seen]).query(vertices)[0] > 30)
    assert far.sum() > 300
    # what is seen of the lamp has faded
    assert np.median(np.abs(colors - own).max(1)[far]) < 0.05


def test_grey_hair_as_light_as_the_skin_is_told_by_its_hue(head):
    model, *_ = head
    grey, bare = np.float32([0.67, 0.57, 0.53]), np.float32([0.69, 0.51, 0.42])
    scalp = model.regions["scalp"]
    found = dressed(head, hairline_mm=1e-3, gap_mm=0.0, hair=grey)
    assert np.median(np.abs(found - grey).max(1)[scalp]) < 0.02
    shaved = dressed(head, hairline_mm=1e-3, gap_mm=0.0, hair=bare)  # skin in a weaker light
    np.testing.assert_array_equal(shaved[scalp], np.broadcast_to(SKIN, shaved[scalp].shape))


def test_a_dark_neck_below_bare_skin_is_no_hair(head):
    model, vertices, triangles, distance = head
    low = (model.mean_mm[:, 1] < model.mean_mm[model.regions["face"], 1].min()) & (distance > 60)
    painted = np.where((model.regions["scalp"] | low)[:, None], HAIR, SKIN)
    shown = rasterise(CAMERA.screen(vertices), triangles, (320, 320))
    image = np.nan_to_num(shown.interpolate(painted, triangles)).astype(np.float32)
    skin = np.broadcast_to(SKIN, painted.shape).astype(np.float32)
    alpha = shown.mask.astype(np.float32)
    found = with_hair(skin, image, alpha, vertices, model, triangles, CAMERA)
    seen = visible_vertices(vertices, triangles, CAMERA, cos_min=0.5)
    assert (low & seen).sum() > 50
    np.testing.assert_array_equal(found.colors[low & seen], skin[low & seen])
    assert not found.shown[low].any()
    assert found.shown.any()


def between(head, gap_mm):
    """(V,) bool: the face's vertices near the scalp on the side before the camera."""
    model, vertices, _, distance = head
    near = model.regions["face"] & model.part_vertices("skin") & (distance < gap_mm)
    return near & (vertices[:, 2] < np.median(vertices[near, 2]))
