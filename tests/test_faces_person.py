import cv2
import numpy as np
import pytest

from faces.models import load_model
from faces.person import person_mask
from faces.portrait import portrait
from imaging.raster import rasterise
from synth.capture import capture
from synth.scene import LABELS
from synth.subjects import SubjectSettings, sample_subject

SIZE = (240, 320)


def scene(wall, hair=(0.08, 0.06, 0.05)):
    """Colour (H, W, 3), and the discs of face and hair, of a head without features."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    radius = np.hypot(rows - 130, columns - 160)
    face, head = radius < 40, radius < 62
    color = np.where(face[..., None], (0.75, 0.55, 0.45), np.where(head[..., None], hair, wall))
    noise = np.random.default_rng(0).normal(0, 0.015, color.shape)
    return np.clip(color + noise, 0, 1).astype(np.float32), face, head


def border():
    edge = np.zeros(SIZE, bool)
    edge[:3] = edge[-3:] = True
    edge[:, :3] = edge[:, -3:] = True
    return edge


def overlap(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


def test_dark_hair_before_a_grey_wall_is_the_person():
    color, face, head = scene((0.6, 0.6, 0.6))
    shown = head & (np.random.default_rng(1).random(SIZE) < 0.1)  # a sensor saw a tenth of it
    mask = person_mask(color, face | shown, border())
    assert mask.dtype == np.float32
    assert mask.shape == SIZE
    assert mask.min() >= 0
    assert mask.max() <= 1
    # an outline of 390 px that is off by half a pixel is 1.6 % of the disc
    assert overlap(mask > 0.5, head) > 0.98


def test_the_same_colour_elsewhere_in_the_room_is_not():
    color, face, head = scene((0.6, 0.6, 0.6))
    color[20:70, 10:60] = (0.08, 0.06, 0.05)
    color[180:, 280:] = (0.75, 0.55, 0.45)  # a board of the skin's colour
    mask = person_mask(
        color, face | (cv2.erode(head.astype(np.uint8), np.ones((9, 9))) > 0), border()
    )
    assert overlap(mask > 0.5, head) > 0.98


def test_a_wall_that_changes_across_the_image_is_told_from_hair_at_each_place():
    ramp = np.linspace(0.25, 0.9, SIZE[1])[None, :, None] * np.ones((SIZE[0], 1, 3))
    color, face, head = scene(ramp, hair=(0.55, 0.55, 0.55))  # as the wall's middle, elsewhere not
    shown = head & (np.random.default_rng(2).random(SIZE) < 0.2)
    far = np.abs(np.arange(SIZE[1]) - 160) > 75
    mask = person_mask(color, face | shown, border() | far)
    assert overlap(mask > 0.5, head) > 0.93  # where wall and hair are alike nothing tells them


def test_nobody_known_is_nobody():
    color, face, _ = scene((0.6, 0.6, 0.6))
    assert not person_mask(color, face & False, border()).any()


def test_everything_known_keeps_the_decision():
    color, _, head = scene((0.6, 0.6, 0.6))
    assert overlap(person_mask(color, head, ~head) > 0.5, head) > 0.98


def test_the_chest_below_a_portrait_is_likely_and_the_room_beside_is_not():
    rows, columns = np.mgrid[:400, :400]
    face = ((rows - 150) / 70) ** 2 + ((columns - 200) / 50) ** 2 < 1
    seeds = portrait(face, face, face & False)
    core = cv2.erode(face.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0  # its rim is not sure
    assert seeds.person[core & (rows < 200)].all()  # nor are its sides where the neck begins
    assert seeds.person[300, 200]
    assert not seeds.person[300, 40]
    assert seeds.likely[380, 100] > 0.5
    assert seeds.likely[230, 100] == 0
    assert seeds.other[0, 0]
    assert not seeds.other[0, 200]  # a tuft of hair may reach it
    assert seeds.other[100, 0]
    assert not seeds.other[395, 100]
    assert not (seeds.person & seeds.other).any()


@pytest.mark.parametrize("tilt_deg", [-30, 15, 40])
def test_seeds_follow_a_tilted_head(tilt_deg):
    """Sure person: jaw and chin of an ellipse that is drawn tilted, and nothing beside its chin."""
    face = np.zeros((400, 400), np.uint8)
    cv2.ellipse(face, (200, 150), (50, 80), tilt_deg, 0, 360, 1, -1)
    angle = np.radians(tilt_deg)
    down, across = np.array([[-np.sin(angle), np.cos(angle)], [np.cos(angle), np.sin(angle)]])
    seeds = portrait(face > 0, face > 0, face < 0, tuple(down))

    def at(below, aside):
        column, row = np.rint([200, 150] + below * down + aside * across).astype(int)
        return seeds.person[row, column], seeds.other[row, column]

    for below, aside in ((60, 0), (20, 40), (-70, 0), (20, -40)):
        assert at(below, aside) == (True, False)
    for side in (-1, 1):  # beside the chin, where an upright head would have its neck
        assert not at(75, 35 * side)[0]


@pytest.fixture(scope="module", params=[20, 31])
def captured(request):
    """A simulated frame and where its head mesh is drawn (H, W), all of it and face with ears."""
    model = load_model("default")
    rng = np.random.default_rng([7, request.param])
    scan = capture(sample_subject(model, rng, SubjectSettings(occluder="hair")), model, rng)
    drawn = model.part_triangles("skin", "mouth_socket", "eye_socket", "eye")
    size = (scan.camera.width, scan.camera.height)
    shown = rasterise(scan.camera.screen(scan.truth["vertices_mm"]), drawn, size)
    ears = model.regions["ears"]
    marks = np.stack([model.regions["face"] | ears, ears], 1).astype(np.float32)
    return scan, shown.mask, *np.moveaxis(shown.interpolate(marks, drawn) > 0.5, -1, 0)


def person_of(scan):
    return ~np.isin(scan.truth["labels"], [LABELS.index("background"), LABELS.index("room")])


def test_a_simulated_portrait_is_cut_out_by_its_head_mesh(captured):
    scan, head, face, ears = captured
    seeds = portrait(head, face, ears)
    color = scan.color.astype(np.float32) / 255
    mask = person_mask(color, seeds.person, seeds.other, seeds.likely) > 0.5
    truth = person_of(scan)
    # hair, neck and clothes are a third of such a person; a tenth of that may be wrong
    assert overlap(seeds.person, truth) < 0.85
    assert overlap(mask, truth) > 0.95


def test_holes_of_a_simulated_sensor_are_decided_by_colour(captured):
    scan, _, face, _ = captured
    truth, near = person_of(scan), np.median(scan.depth_mm[face & (scan.depth_mm > 0)])
    measured = (scan.depth_mm > 0) & (scan.depth_mm < near + 250)
    person = face | (cv2.erode(measured.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    other = scan.depth_mm > near + 250
    color = scan.color.astype(np.float32) / 255
    mask = person_mask(color, person, other) > 0.5
    holes = (scan.depth_mm == 0) & (cv2.dilate(truth.astype(np.uint8), np.ones((31, 31))) > 0)
    assert holes.sum() > 1000
    # a sensor's holes beside a head lie in its shadow on the wall, and in dark hair
    assert (mask == truth)[holes].mean() > 0.9
