"""One suite for every back end: what they must all show, and that they agree."""

import cv2
import numpy as np
import pytest
from back_ends import BACK_ENDS, CAMERAS, FRONT, PINHOLE, RADIUS, TURNED, Here, flat, lamp, opened

from faces.camera import FLIP, Camera, Pose
from faces.errors import BadInput
from faces.mesh import similarity
from faces.models import load_model
from faces.rotation import euler_from_matrix, matrix_from_euler
from synth.renderer import BUFFERS, PART_LABELS
from synth.topology import face_mesh
from tests.solids import as_face, ball, joined, sheet, sphere_image

HEAD = Camera(256, 256, 900.0, 900.0, 128.0, 128.0)
HEAD_PARALLEL = Camera(256, 256, 1.0, 1.0, 128.0, 128.0, mm_per_px=1.2)


@pytest.fixture(scope="module", params=BACK_ENDS)
def back_end(request):
    yield from opened(request.param)


@pytest.fixture(scope="module")
def model():
    return load_model("default")


@pytest.fixture(scope="module")
def head(model):
    return face_mesh(model, model.mean_mm, model.albedo_mean)


def head_pose(yaw, pitch, roll=0.0):
    return Pose(matrix_from_euler(yaw, pitch, roll), np.array([0.0, 0, 900]))


# a sphere, ray by ray


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_spheres_outline_depth_normals_and_coordinates(back_end, camera):
    vertices, triangles, normals, uv = ball(RADIUS)
    made = back_end.render(
        as_face(vertices, triangles, normals, uv), TURNED, camera, flat(), None, BUFFERS
    ).buffers
    truth = sphere_image(RADIUS, TURNED, camera)
    # a chord of 2π/256 sags by 60·(π/256)²/2·2 = 0.01 mm under the sphere
    certain = np.abs(truth.margin) > 0.03
    np.testing.assert_array_equal(made["mask"][certain] == 255, truth.margin[certain] > 0)
    np.testing.assert_array_equal(made["mask"] == 255, made["triangle_id"] >= 0)
    facing = truth.margin > 0.05 * RADIUS  # the normal 72° from the ray at most
    # the sag along a ray at 72°, 0.01/cos 72°, and half of 1/256 px, 0.003 mm·tan 72°
    assert np.abs(made["depth_mm"] - truth.depth_mm)[facing].max() < 0.05
    assert np.abs(made["normal"] - truth.normal)[facing].max() < 1.5e-3  # 0.05 mm of 60
    poles = np.abs(truth.uv[..., 1] - 0.5) > 0.4  # all longitudes meet there
    # 0.05 mm are 0.05/(2π·60·cos 72°) of a turn
    assert np.abs(made["uv"] - truth.uv)[facing & ~poles].max() < 6e-4


def test_what_is_no_face_is_zero(back_end):
    vertices, triangles, normals, uv = ball(RADIUS, 32, 64)
    made = back_end.render(
        as_face(vertices, triangles, normals, uv), FRONT, PINHOLE, flat(), None, BUFFERS
    ).buffers
    empty = made["mask"] == 0
    assert 0.2 < empty.mean() < 0.8
    assert (made["triangle_id"][empty] == -1).all()
    for name in set(BUFFERS) - {"triangle_id"}:
        assert not made[name][empty].any(), name
    assert (made["parts"][~empty] == PART_LABELS.index("skin")).all()


def test_buffers_have_their_types(back_end):
    face = as_face(*ball(RADIUS, 16, 32))
    made = back_end.render(face, FRONT, PINHOLE, flat(), None, BUFFERS)
    assert made.color.shape == (144, 160, 3)
    assert made.color.dtype == np.uint8
    types = {"mask": np.uint8, "parts": np.uint8, "triangle_id": np.int32}
    shapes = {"normal": (3,), "pncc": (3,), "uv": (2,)}
    for name in BUFFERS:
        assert made.buffers[name].dtype == types.get(name, np.float32), name
        assert made.buffers[name].shape == (144, 160, *shapes.get(name, ())), name


def test_only_what_is_asked_for_is_made(back_end):
    face = as_face(*ball(RADIUS, 16, 32))
    assert not back_end.render(face, FRONT, PINHOLE, flat(), None, ()).buffers
    some = back_end.render(face, FRONT, PINHOLE, flat(), None, ("mask", "uv")).buffers
    assert set(some) == {"mask", "uv"}
    with pytest.raises(BadInput, match="heat"):
        back_end.render(face, FRONT, PINHOLE, flat(), None, ("heat",))


def test_the_same_bytes_every_time(back_end, head):
    light = lamp([0.4, -0.3, -0.8], [0.5, 0.5, 0.5], specular=0.1, shadows=True)
    one, two = (
        back_end.render(head, head_pose(30, 10), HEAD, light, None, BUFFERS) for _ in range(2)
    )
    assert one.color.tobytes() == two.color.tobytes()
    for name in BUFFERS:
        assert one.buffers[name].tobytes() == two.buffers[name].tobytes(), name


# the near plane


def test_a_floor_that_passes_under_the_camera(back_end):
    """It begins behind the camera: only what lies before it is seen, at its own depth."""
    camera = Camera(128, 128, 64.0, 64.0, 64.0, 64.0)  # 90°
    corners = [[-1e4, -100, 1e3], [1e4, -100, 1e3], [-1e4, -100, -2e3], [1e4, -100, -2e3]]
    normals = np.broadcast_to([0.0, 1, 0], (4, 3))
    face = as_face(corners, [[0, 1, 2], [1, 3, 2]], normals)
    pose = Pose(np.eye(3), np.zeros(3))
    made = back_end.render(face, pose, camera, flat(), None, BUFFERS)
    rows = np.arange(128) + 0.5 - camera.cy
    with np.errstate(divide="ignore"):
        depth = camera.fy * 100 / rows
    seen = (depth > 0) & (depth < 2000)  # its nearest row is 101 mm away, beyond any near plane
    np.testing.assert_array_equal(made.buffers["mask"] == 255, np.repeat(seen[:, None], 128, 1))
    # z² / (f·h) / 512 for half of 1/256 px: 6e-4 of the farthest depth
    np.testing.assert_allclose(
        made.buffers["depth_mm"][seen], np.repeat(depth[seen, None], 128, 1), rtol=1e-3
    )
    up = np.broadcast_to([0.0, 1, 0], made.buffers["normal"][seen].shape)
    np.testing.assert_allclose(made.buffers["normal"][seen], up, atol=1e-6)


@pytest.mark.parametrize("floor_first", [True, False])
@pytest.mark.parametrize("turn", range(3))
def test_a_wall_hides_the_floor_behind_it_and_not_before(back_end, floor_first, turn):
    """The floor's two triangles reach from behind the camera to the horizon, the wall stands on
    it: each corner in turn comes first."""
    camera = Camera(128, 128, 64.0, 64.0, 64.0, 64.0)
    floor = [[-1e5, -100, 1e3], [1e5, -100, 1e3], [-1e5, -100, -9e4], [1e5, -100, -9e4]]
    wall = [[-150, 200, -300], [150, 200, -300], [-150, -100, -300], [150, -100, -300]]
    order = np.roll([0, 1, 2], turn)
    parts = [np.array([[0, 1, 2], [1, 3, 2]])[:, order], np.array([[0, 2, 1], [1, 2, 3]])[:, order]]
    triangles = np.concatenate([parts[0], parts[1] + 4])
    triangles = triangles if floor_first else triangles[::-1]
    face = as_face(floor + wall, triangles, np.tile([0.0, 0, 1], (8, 1)))
    made = back_end.render(face, Pose(np.eye(3), np.zeros(3)), camera, flat(), None, ("depth_mm",))
    v, u = np.mgrid[:128, :128] + 0.5 - 64
    with np.errstate(divide="ignore"):
        expected = np.where(v > 0, 64 * 100 / v, 0)
    expected = np.where((np.abs(u) < 32) & (v > -64 * 200 / 300) & (v < 64 / 3), 300, expected)
    # at a pixel from the horizon half of 1/256 px is 4e-3 of the depth
    np.testing.assert_allclose(made.buffers["depth_mm"], expected, rtol=4e-3)


def test_a_head_that_the_camera_is_in(back_end, head):
    """The back of the skull lies behind the camera, the face before it."""
    pose = Pose(matrix_from_euler(180), np.array([0.0, 0, 10]))
    camera = Camera(96, 96, 60.0, 60.0, 48.0, 48.0)
    made = back_end.render(head, pose, camera, flat(), None, ("depth_mm", "triangle_id", "pncc"))
    seen = made.buffers["triangle_id"] >= 0
    assert seen.mean() > 0.5
    assert made.buffers["depth_mm"][seen].min() > 0
    low, high = head.vertices_mm.min(0), head.vertices_mm.max(0)
    points = pose.apply(made.buffers["pncc"][seen].astype(np.float64) * (high - low) + low)
    # the place that PNCC names lies where the depth says
    np.testing.assert_allclose(points[:, 2], made.buffers["depth_mm"][seen], atol=0.05, rtol=1e-3)
    v, u = np.nonzero(seen)
    # positions are snapped to 1/256 px; a triangle cut at the near plane once more
    assert np.abs(camera.project(points) - np.stack([u, v], 1) - 0.5).max() < 0.05


# landmarks


def test_landmarks_are_where_they_are_and_seen_where_nothing_hides_them(back_end):
    wall, small = sheet(90.0, 61), ball(25.0, 48, 96, (0.0, 0, 60))
    vertices, triangles, normals, uv = joined(wall, small)
    count = len(vertices)
    landmarks = np.arange(0, count, 7)
    face = as_face(vertices, triangles, normals, uv, landmarks=landmarks)
    pose = Pose(matrix_from_euler(15, 10), np.array([30.0, 0, 500]))
    made = back_end.render(face, pose, PINHOLE, flat(), None, ())
    points = pose.apply(face.vertices_mm[landmarks].astype(np.float64))
    # vertices are float32: 5e-5 mm at 500 mm
    np.testing.assert_allclose(made.landmarks_mm, points, atol=1e-4)
    np.testing.assert_allclose(made.landmarks_px, PINHOLE.project(points), atol=1e-4)
    centre = pose.apply(np.array([0.0, 0, 60]))
    along = points @ centre / (points**2).sum(1)
    miss = np.linalg.norm(centre - points * along[:, None], axis=1) - 25.0  # of the ray to it
    facing = ((pose.rotation @ normals[landmarks].T).T @ FLIP * -points).sum(1)
    on_wall = landmarks < len(wall[0])
    u, v = made.landmarks_px.T
    inset = np.minimum.reduce([u, v, PINHOLE.width - u, PINHOLE.height - v])
    expected = (inset > 0) & (facing > 0) & (~on_wall | (miss > 0) | (along > 1))
    # within a pixel (0.8 mm) of a border either answer is right
    rim_of_ball = ~on_wall & (np.abs(facing) < 0.15 * 500)
    sure = (np.abs(inset) > 1) & (~on_wall | (np.abs(miss) > 1.6)) & ~rim_of_ball
    assert (expected & sure & ~on_wall).sum() > 30
    assert (~expected & sure & on_wall).sum() > 30
    np.testing.assert_array_equal(made.landmarks_visible[sure], expected[sure])


@pytest.mark.parametrize(("yaw", "pitch"), [(35, 0), (-35, 0), (0, 25), (0, -25)])
def test_the_nose_turns_to_the_side_that_the_signs_say(back_end, head, yaw, pitch):
    """Yaw > 0 to image right, pitch > 0 down; found in the rendered image by its PNCC."""

    def nose(pose):
        made = back_end.render(head, pose, HEAD, flat(), None, ("pncc", "mask"))
        code = head.topology.pncc[head.topology.landmarks[30]]
        apart = np.linalg.norm(made.buffers["pncc"] - code, axis=-1)
        apart[made.buffers["mask"] == 0] = np.inf
        row, column = np.unravel_index(apart.argmin(), apart.shape)
        assert np.abs(made.landmarks_px[30] - (column + 0.5, row + 0.5)).max() < 2
        return np.array([column, row])

    moved = nose(head_pose(yaw, pitch)) - nose(head_pose(0, 0))
    # some 100 mm from the axis: 40 px and more of a turn by 25° at a pixel a millimetre
    assert np.sign(moved[0]) == np.sign(yaw) if yaw else abs(moved[0]) <= 1
    assert np.sign(moved[1]) == np.sign(pitch) if pitch else abs(moved[1]) < abs(yaw)
    assert np.abs(moved).max() > 25


ANGLES = [(0, 0, 0), (60, 0, 0), (-90, 0, 0), (40, 30, -20), (-15, -35, 45), (85, 20, 10)]


def differences(rotation, angles):
    """Degrees by which a rotation's angles differ from the asked ones, each."""
    return np.abs((np.array(euler_from_matrix(rotation)) - angles + 180) % 360 - 180)


@pytest.mark.parametrize("angles", ANGLES)
def test_the_asked_rotation_is_recovered_from_landmarks(back_end, head, angles):
    made = back_end.render(head, head_pose(*angles), HEAD, flat(), None, ())
    points = head.vertices_mm[head.topology.landmarks].astype(np.float64)
    _, spatial, _ = similarity(points, made.landmarks_mm @ FLIP)
    found, turn, _ = cv2.solvePnP(points, made.landmarks_px, HEAD.matrix, None)
    assert found
    planar = FLIP @ cv2.Rodrigues(turn)[0]
    asked = matrix_from_euler(*angles)
    for rotation in (spatial, planar):
        # at ±90° of yaw pitch and roll are one angle: the matrices are compared there
        cosine = (np.trace(rotation.T @ asked) - 1) / 2
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))) < 0.1
        if abs(angles[0]) < 89:
            assert differences(rotation, angles).max() < 0.1


@pytest.mark.parametrize("angles", ANGLES)
def test_the_asked_rotation_is_recovered_from_the_pixels(back_end, head, angles):
    """PNCC says which point of the model a pixel shows, its depth where that point is."""
    made = back_end.render(head, head_pose(*angles), HEAD, flat(), None, ("pncc", "depth_mm"))
    seen = made.buffers["depth_mm"] > 0
    v, u = np.nonzero(seen)
    there = HEAD.unproject(np.stack([u, v], 1) + 0.5, made.buffers["depth_mm"][seen])
    low, high = head.vertices_mm.min(0), head.vertices_mm.max(0)
    own = made.buffers["pncc"][seen] * (high - low).astype(np.float64) + low
    _, rotation, _ = similarity(own, there @ FLIP)
    cosine = (np.trace(rotation.T @ matrix_from_euler(*angles)) - 1) / 2
    # tens of thousands of pixels, each off by half of 1/256 px at most
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))) < 0.1


# back ends against each other


@pytest.mark.parametrize("camera", [HEAD, HEAD_PARALLEL])
@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (45, -20), (-90, 15)])
def test_a_head_is_the_default_back_ends(back_end, head, camera, yaw, pitch):
    light = lamp([0.4, -0.5, -0.8], [0.5, 0.45, 0.4], specular=0.15, shadows=True)
    behind = np.full((256, 256, 3), 70, dtype=np.uint8)
    args = (head, head_pose(yaw, pitch, 5), camera, light, behind, BUFFERS)
    one, two = back_end.render(*args), Here("raster").render(*args)
    mask, other = one.buffers["mask"] > 0, two.buffers["mask"] > 0
    # OpenGL rounds positions to float32 before it snaps them to the same 1/256 px, and float32's
    # rounding of depths decides between touching surfaces: a pixel in ten thousand
    assert (mask & other).sum() / (mask | other).sum() >= 0.9999
    same = one.buffers["triangle_id"] == two.buffers["triangle_id"]
    assert same.mean() >= 0.998
    both = mask & other
    apart = (one.buffers["depth_mm"] - two.buffers["depth_mm"])[both]
    assert np.sqrt(np.mean(apart.astype(np.float64) ** 2)) <= 0.1
    np.testing.assert_array_equal(one.buffers["parts"][same], two.buffers["parts"][same])
    for name in ("normal", "pncc", "uv"):
        assert np.abs(one.buffers[name] - two.buffers[name])[same].max() < 1e-3, name
    difference = np.abs(one.color.astype(int) - two.color).max(-1)
    assert (difference <= 2).mean() >= 0.999  # samples on an edge belong to either side
    np.testing.assert_array_equal(one.landmarks_visible, two.landmarks_visible)
