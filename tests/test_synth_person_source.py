"""Virtual people at any pose: what was asked for is what the pictures and their labels show."""

from functools import cache

import cv2
import numpy as np
import pytest

from faces.camera import FLIP
from faces.models import load_model
from faces.rotation import matrix_from_euler, nearest_rotation
from synth.assembly import Assembly
from synth.clothes.hem import HEM_MM, lengthened
from synth.person_source import DOWN, LENGTH_MM, PersonSource
from synth.renderer import BUFFERS, PART_LABELS
from synth.scene import Piece
from synth.settings import RenderSettings
from synth.subjects import sample_subject

POSES = [(0, 0, 0), (90, 0, 0), (-60, 20, 10), (45, -60, 0), (-90, 60, 0)]


@cache
def source(**changes):
    model, rng = load_model("default"), np.random.default_rng(11)
    subject = sample_subject(model, rng)
    settings = RenderSettings(size_px=128, buffers=BUFFERS, **changes)
    return PersonSource(subject, model, rng, settings)


@cache
def seen_from(yaw, pitch, roll):
    return source().view(yaw, pitch, roll, np.random.default_rng(0))


def degrees_between(a, b):
    cosine = (np.trace(a @ b.T) - 1) / 2
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


@pytest.mark.parametrize("angles", POSES)
def test_the_rotation_of_the_landmarks_is_the_one_asked_for(angles):
    view, model = seen_from(*angles), load_model("default")
    wanted = matrix_from_euler(*angles)
    own = source().shape_mm[model.landmarks["ibug68"]]
    shown = view.rendered.landmarks_mm @ FLIP  # model axes
    kabsch = nearest_rotation((shown - shown.mean(0)).T @ (own - own.mean(0)))
    assert degrees_between(kabsch, wanted) < 1e-4  # arccos near 1 keeps half of the digits
    matrix = view.camera.matrix
    start = cv2.Rodrigues(FLIP @ wanted)[0], view.pose.translation_mm.reshape(3, 1).copy()
    _, vector, _ = cv2.solvePnP(
        own, view.rendered.landmarks_px, matrix, None, *start, True, cv2.SOLVEPNP_ITERATIVE
    )
    # from the pixels alone, as an evaluation finds it; the bound
    assert degrees_between(FLIP @ cv2.Rodrigues(vector)[0], wanted) < 0.1


@pytest.mark.parametrize("angles", POSES)
def test_seen_landmarks_lie_on_the_rendered_surface(angles):
    view = seen_from(*angles)
    marks, seen = view.rendered.landmarks_mm, view.rendered.landmarks_visible
    column, row = view.camera.project(marks[seen]).astype(int).T
    depth = view.rendered.buffers["depth_mm"]
    around = [depth[y - 1 : y + 2, x - 1 : x + 2] for x, y in zip(column, row, strict=True)]
    gaps = [marks[seen, 2][k] - np.where(part > 0, part, np.inf) for k, part in enumerate(around)]
    assert seen.sum() >= (15 if abs(angles[1]) < 60 else 3)
    # a pixel is 2.6 mm wide: so much a slope of 45° makes; on outlines it is steeper
    assert np.percentile([np.abs(gap).min() for gap in gaps], 75) < 2.6
    assert max(gap.min() for gap in gaps) < 2.6  # none is behind all that is shown there


def test_the_nose_goes_where_the_signs_say():
    def nose(*angles):
        view = seen_from(*angles)
        tip, middle = view.rendered.landmarks_px[[30, 27]]
        ears = view.rendered.landmarks_px[[0, 16]].mean(0)
        return tip - ears, tip - middle

    assert nose(45, -60, 0)[0][0] > 5  # yaw > 0: to image right
    assert nose(-60, 20, 10)[0][0] < -5
    assert nose(-90, 60, 0)[1][1] > 5  # pitch > 0: down


@pytest.mark.parametrize("angles", POSES)
def test_labels_come_from_the_same_surface(angles):
    buffers = seen_from(*angles).rendered.buffers
    mask, parts = buffers["mask"] > 0, buffers["parts"]
    assert (mask == (buffers["depth_mm"] > 0)).all()
    assert (mask == (parts > 0)).all()
    own = buffers["triangle_id"] >= 0
    beside = np.isin(parts, [PART_LABELS.index(n) for n in ("hair", "glasses", "clothes")])
    assert not (own & beside).any()
    assert ((buffers["pncc"] > 0).any(-1)[own]).mean() > 0.999  # 0 is one corner of the box
    assert not buffers["pncc"][~own].any()
    length = np.linalg.norm(buffers["normal"], axis=-1)
    np.testing.assert_allclose(length[mask], 1, atol=1e-5)  # float32
    facing = buffers["normal"][own][:, 2]
    assert np.percentile(facing, 10) > 0  # z towards the camera, but for rims under perspective


def test_every_part_of_a_face_is_told():
    parts = seen_from(0, 0, 0).rendered.buffers["parts"]
    for name in ("skin", "brows", "eyes", "lips", "neck", "hair", "clothes"):
        assert (parts == PART_LABELS.index(name)).sum() > 10, name


@pytest.mark.parametrize("yaw", [-90, 0, 90])
@pytest.mark.parametrize("pitch", [-60, 0, 60])
def test_no_hem_is_in_the_picture(yaw, pitch):
    view = source().view(yaw, pitch, 0, np.random.default_rng(0))
    base = source()._base
    turn = FLIP @ view.pose.rotation @ source()._subject.pose.rotation.T @ FLIP
    points = base.turned(turn, source()._subject.pose.apply(source()._centre)).points
    upright = base.points @ DOWN
    hem = points[upright > upright.max() - HEM_MM]
    assert len(hem) > 50
    ahead = hem[hem[:, 2] > 1]
    pixels = view.camera.project(ahead) if len(ahead) else np.zeros((0, 2))
    assert not ((pixels >= 0) & (pixels < 128)).all(1).any()


def test_a_view_depends_on_its_own_generator_alone():
    again = source().view(*POSES[2], np.random.default_rng(0)).rendered
    np.testing.assert_array_equal(again.color, seen_from(*POSES[2]).rendered.color)


def test_light_that_turns_with_the_head_keeps_its_shading():
    """Seen from one side of the nose or the other, what a lamp that turns along lights stays."""

    def cheeks(mode, yaw):
        view = source(light=mode).view(yaw, 0, 0, np.random.default_rng(0))
        x, y = view.rendered.landmarks_px[29].astype(int)
        return view.rendered.color[y - 3 : y + 4, x - 3 : x + 4].mean()

    still, along = (abs(cheeks(mode, -40) - cheeks(mode, 40)) for mode in ("fitted", "head"))
    assert along < max(still, 12)  # the highlight alone moves


def test_plain_backgrounds_are_plain():
    view = source(background="plain", background_color=(10, 200, 90)).view(
        0, 0, 0, np.random.default_rng(0)
    )
    empty = cv2.erode((view.rendered.buffers["mask"] == 0).astype(np.uint8), np.ones((5, 5))) > 0
    assert empty.sum() > 500
    plain = (view.rendered.color[empty] == (10, 200, 90)).all(-1)
    assert plain.mean() > 0.99  # but for single hairs, finer than the mask's pixels


def test_a_drawn_out_hem_goes_on_in_its_own_colours():
    corner = np.array([[0.0, 0, 0], [10, 0, 0], [10, 60, 0], [0, 60, 0]])
    piece = Piece(
        "clothes",
        corner,
        np.array([[0, 2, 1], [0, 3, 2]], dtype=np.int32),
        np.eye(4)[:, :3].astype(np.float32),
    )
    longer = lengthened(piece, DOWN, 350.0)
    assert longer.vertices_mm[:, 1].max() == 410
    np.testing.assert_array_equal(longer.vertices_mm[:4], corner)
    a, b, c = np.moveaxis(longer.vertices_mm[longer.triangles], 1, 0)
    cross = np.cross(b - a, c - a)
    assert (cross[:, 2] < 0).all() == (cross[0, 2] < 0)  # all turned as the first is
    assert np.isclose(np.linalg.norm(cross, axis=1).sum() / 2, 10 * 410)
    lowest = longer.albedo[longer.vertices_mm[:, 1] == 410]
    assert {tuple(v) for v in lowest} == {tuple(v) for v in piece.albedo[2:]}


def test_the_ways_made_once_are_those_that_the_scene_counts():
    """At the pose it was built in, the turned person's openness is the scene's own."""
    person = source()
    light = person._subject.light
    pieces = Assembly.of(person._base.pieces)
    camera = person._camera
    samples = pieces.samples(camera, 1, None)
    whole = pieces._openness(person._known.normals, light, samples, pieces.centre())
    used = np.unique(pieces.triangles[samples.triangle])
    own = person._share(np.eye(3), light)
    np.testing.assert_allclose(own[used], whole[used], atol=1e-4)  # float32 sums of 40 terms
    assert own[used].min() < 0.5 < own[used].max()


def test_the_hem_is_long_enough_to_say_so():
    assert source()._base.points[:, 1].max() > LENGTH_MM


def test_from_straight_below_no_body_stands_before_the_head():
    """At a pitch of -90° the camera looks along the body. What is left is the head, without
    clothes, and its neck is closed: between two pixels of its end no pixel shows the background."""
    view = seen_from(0, -90, 0)
    parts, mask = view.rendered.buffers["parts"], view.rendered.buffers["mask"] > 0
    assert not (parts == PART_LABELS.index("clothes")).any()
    assert (parts[mask] == PART_LABELS.index("neck")).mean() > 0.1
    assert 0.15 < mask.mean() < 0.6  # a head in its frame, and not what would fill it
    end = (parts == PART_LABELS.index("neck")) & (view.rendered.buffers["triangle_id"] < 0)
    rows = np.flatnonzero(end.any(1))[2:-2]
    for row in rows:
        columns = np.flatnonzero(end[row])
        assert mask[row, columns[0] : columns[-1]].all()


def test_at_other_pitches_the_body_stays():
    assert (seen_from(45, -60, 0).rendered.buffers["parts"] == PART_LABELS.index("clothes")).any()
