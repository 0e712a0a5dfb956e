import numpy as np

from augment.bodies import BodySettings, make_bodies
from faces.camera import Camera

CAMERA = Camera.from_fov(320, 240, 30.0)
DEPTH_MM = 700.0
MM_PER_PX = DEPTH_MM / CAMERA.fx
HEAD = np.array([[0.0, 0.0, DEPTH_MM + 400]])  # far behind: no nape to keep to


def places():
    return np.meshgrid(np.arange(320) + 0.5, np.arange(240) + 0.5)


def bodies_of(mask, color=None, **settings):
    depth = np.full(mask.shape, DEPTH_MM, np.float32)
    color = np.full((*mask.shape, 3), 0.5, np.float32) if color is None else color
    head = np.zeros(mask.shape, bool)
    options = BodySettings(**settings)
    return make_bodies(mask, mask, head, depth, color, HEAD, MM_PER_PX, CAMERA, options)


def border_edges(triangles):
    """(E, 2) edges of one triangle alone."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges, count = np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)
    return edges[count == 1]


def test_a_disc_becomes_a_closed_lens_whose_back_is_half_an_ellipse():
    u, v = places()
    radius_px = 50
    distance = np.hypot(u - 160, v - 110)
    body = bodies_of(distance < radius_px)
    assert len(border_edges(body.triangles)) == 0
    radius_mm = radius_px * MM_PER_PX
    behind = body.vertices_mm[:, 2] - DEPTH_MM
    across = CAMERA.project(body.vertices_mm * [1, 1, 0] + [0, 0, DEPTH_MM])
    inward = radius_mm - np.hypot(*(across - [160, 110]).T) * MM_PER_PX
    back = (behind > 1) & (inward > 0.2 * radius_mm)
    half = np.sqrt(inward * (2 * radius_mm - inward))
    # the outline is known to a cell of 4.7 mm, where the ellipse is steepest; widths are told
    # apart in steps of a sixth of the thickest
    assert np.abs(behind - half)[back].max() < 0.25 * radius_mm
    assert np.median(np.abs(behind - half)[back]) < 0.15 * radius_mm
    # the outline is the disc's to a third of a cell
    front = np.hypot(*(CAMERA.project(body.vertices_mm) - [160, 110]).T)
    assert abs(front.max() - radius_px) < 1.5


def test_no_body_is_deeper_than_a_torso_and_a_lock_is_as_deep_as_wide():
    u, _ = places()
    wide = bodies_of(np.abs(u - 160) < 150)
    assert 98 < np.ptp(wide.vertices_mm[:, 2]) <= 100.1  # half of it behind the outline
    lock = bodies_of(np.abs(u - 160) < 8)
    width = 16 * MM_PER_PX
    # half as deep as wide, within a cell's size
    assert abs(np.ptp(lock.vertices_mm[:, 2]) - width / 2) < 4 * MM_PER_PX


def test_what_the_image_cuts_goes_on_straight_down():
    u, v = places()
    body = bodies_of((np.abs(u - 160) < 60) & (v > 100), below_mm=250.0)
    last = CAMERA.unproject(np.array([[160, 239.5]]), np.array([DEPTH_MM]))[0, 1]
    # to a cell, and the cell that closes it
    assert abs(body.vertices_mm[:, 1].max() - last - 250) < 12 * MM_PER_PX
    low = body.vertices_mm[:, 1] > last + 60
    assert np.abs(body.vertices_mm[low, 0]).max() < 63 * MM_PER_PX  # no wider than at the border
    assert len(border_edges(body.triangles)) == 0


def test_front_and_back_face_outwards_and_have_the_front_s_colours():
    u, v = places()
    mask = np.hypot(u - 160, v - 110) < 60
    color = np.where(mask[..., None], (0.6, 0.2, 0.1), (0.0, 1.0, 0.0)).astype(np.float32)
    body = bodies_of(mask, color)
    a, b, c = (body.vertices_mm[body.triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    # the enclosed volume is positive where every triangle looks outwards
    assert (np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6) > 0
    flat = np.abs(normal[:, 2]) > 0.5 * np.linalg.norm(normal, axis=1)
    front = flat & (((a + b + c) / 3)[:, 2] < DEPTH_MM + 1)
    # in a cell of rim vertices alone front and back coincide
    assert (normal[front, 2] < 0).mean() > 0.9
    assert np.abs(body.color - [0.6, 0.2, 0.1]).max() < 0.02  # nothing of the green around


def test_hair_on_both_sides_of_the_head_joins_behind_it():
    u, v = places()
    person = (np.abs(u - 160) < 60) & (v > 40) & (v < 200)
    own = person & (np.abs(u - 160) > 35)
    depth = np.full(person.shape, DEPTH_MM, np.float32)
    color = np.full((*person.shape, 3), 0.3, np.float32)
    none = np.zeros(person.shape, bool)
    both = make_bodies(person, own, none, depth, color, HEAD, MM_PER_PX, CAMERA)
    one = make_bodies(person, own & (u < 160), none, depth, color, HEAD, MM_PER_PX, CAMERA)

    def behind_the_middle(body):
        return (np.abs(body.vertices_mm[:, 0]) < 10) & (body.vertices_mm[:, 2] > DEPTH_MM + 30)

    assert behind_the_middle(both).sum() > 20
    assert not behind_the_middle(one).any()


def test_under_the_head_a_body_goes_on_behind_it():
    u, v = places()
    person = (np.abs(u - 160) < 60) & (v > 40) & (v < 200)
    own = person & (u > 180)
    depth = np.where(own, DEPTH_MM - 20, DEPTH_MM).astype(np.float32)  # hair before the cheek
    head = np.where(person & ~own, DEPTH_MM, 0).astype(np.float32)
    color = np.full((*person.shape, 3), 0.3, np.float32)
    body = make_bodies(person, own, head, depth, color, HEAD, MM_PER_PX, CAMERA)
    pixels = CAMERA.project(body.vertices_mm)
    under = pixels[:, 0] < 180 - BodySettings().stride_px
    assert under.sum() > 20
    assert (body.vertices_mm[under, 2] > DEPTH_MM).all()


def test_hair_beside_a_cheek_is_not_drawn_out_to_it():
    u, v = places()
    person = (np.abs(u - 160) < 80) & (v > 40) & (v < 200)
    own = person & (u > 180)
    frayed = own & (u < 188)  # the sensor's depth beside the cheek is the cheek's
    depth = np.where(own & ~frayed, DEPTH_MM + 80, DEPTH_MM).astype(np.float32)
    head = np.where(person & ~own, DEPTH_MM, 0).astype(np.float32)
    color = np.full((*person.shape, 3), 0.3, np.float32)
    body = make_bodies(person, own, head, depth, color, HEAD, MM_PER_PX, CAMERA)
    pixels = CAMERA.project(body.vertices_mm)
    beside = (pixels[:, 0] > 182) & (np.abs(pixels[:, 1] - 120) < 60)
    assert beside.sum() > 100
    assert (body.vertices_mm[beside, 2] > DEPTH_MM + 60).all()
