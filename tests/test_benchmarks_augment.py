"""The judge of the rotation judges rightly: figures, truth and the peer on cases that are known."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from benchmarks import augment
from benchmarks.augment_scores import (
    eroded,
    gradient_error,
    outline_distance,
    overlap,
    psnr,
    seam_ratio,
)
from benchmarks.augment_truth import make_truth
from benchmarks.rotation_peers import _carried_on, placement, profile, turn_between
from faces.camera import Camera
from faces.models import load_model
from faces.rotation import matrix_from_euler
from synth.capture import CaptureSettings, capture
from synth.sensors.presets import CLEAN
from synth.subjects import SubjectSettings, sample_subject
from tests.staged import stage

ALL = np.ones((64, 64), bool)


def disc(radius, centre=(32, 32)):
    rows, columns = np.mgrid[:64, :64]
    return np.hypot(rows - centre[0], columns - centre[1]) < radius


def test_psnr_of_a_known_error():
    image = np.full((64, 64, 3), 100, np.uint8)
    np.testing.assert_allclose(psnr(image + np.uint8(10), image, ALL), 28.13, atol=0.01)
    assert np.isnan(psnr(image, image, disc(3)))  # 25 pixels say nothing


def test_gradient_error_is_the_slope_that_is_missing():
    flat = np.zeros((64, 64, 3), np.float32)
    ramp = flat + np.arange(64, dtype=np.float32)[:, None] * 3
    np.testing.assert_allclose(gradient_error(ramp, flat, disc(20)), 3, rtol=1e-5)
    np.testing.assert_allclose(gradient_error(ramp + 50, ramp, disc(20)), 0, atol=1e-5)


def test_a_seam_is_seen_where_the_image_steps_and_nowhere_else():
    ramp = np.tile(np.arange(64, dtype=np.float32)[:, None, None], (1, 64, 3))
    synthesised = np.where(np.arange(64) >= 32, 255, 0) * np.ones((64, 1), int)
    np.testing.assert_allclose(seam_ratio(ramp, ALL, synthesised), 1, rtol=1e-4)
    step = ramp + 40 * (synthesised > 0)[..., None]
    assert seam_ratio(step, ALL, synthesised) > 5
    beside = np.roll(step, 16, axis=1)
    assert seam_ratio(beside, ALL & (np.arange(64) < 48), synthesised) < 1.01


def test_outlines_apart_by_what_they_are_apart():
    first, second = disc(20), disc(23)
    # lines of whole pixels: the distance between two circles to a third of a pixel
    assert abs(outline_distance(first, second, (first, second)) - 3) < 0.34
    assert outline_distance(first, first, (first, first)) == 0
    np.testing.assert_allclose(overlap(first, second), 20**2 / 23**2, rtol=0.02)


def test_where_a_head_is_cut_off_its_body_there_is_no_outline():
    head = disc(20) & (np.mgrid[:64, :64][0] < 40)
    shifted = disc(20) & (np.mgrid[:64, :64][0] < 44)  # the cut lies elsewhere, the person not
    assert outline_distance(head, shifted, (disc(20), disc(20))) < 0.5


@pytest.fixture(scope="module")
def captured():
    """A virtual person before a camera without faults, its model, and the frame."""
    model, rng = load_model("default"), np.random.default_rng(5)
    subject = sample_subject(model, rng, SubjectSettings(occluder="none"))
    camera = Camera(320, 240, 450.0, 450.0, 160.0, 120.0)
    settings = CaptureSettings(camera=camera, sensor=CLEAN)
    return subject, capture(subject, model, rng, settings), model


def posed(subject):
    """As much of a registration as a truth reads."""
    return replace(stage().face, pose=subject.pose)


def test_an_unturned_truth_is_the_photograph(captured):
    subject, scan, model = captured
    truth = make_truth(subject, scan, model)
    np.testing.assert_allclose(truth.gain, 1, atol=0.01)
    seen = truth.seen(subject.pose, posed(subject), scan.camera, scan.color)
    assert seen.skin.sum() > 5000
    # the rim mixes in another background; the rest is the same rendering, a step of 8 bits apart
    assert psnr(seen.color, scan.color, eroded(seen.skin, 1)) > 48
    at = scan.camera.project(seen.vertices_mm[scan.truth["landmark_vertices"]])
    np.testing.assert_allclose(at, scan.truth["landmarks_px"], atol=1e-6)


def test_the_truth_has_the_photographs_exposure_and_white_balance(captured):
    subject, scan, model = captured
    linear = (np.float32(scan.color) / 255) ** 2.2 * np.float32([0.8, 0.9, 0.7])
    darker = replace(scan, color=np.rint(255 * linear ** (1 / 2.2)).astype(np.uint8))
    truth = make_truth(subject, darker, model)
    # a power of 2.2 is not quite sRGB's curve
    np.testing.assert_allclose(truth.gain, [0.8, 0.9, 0.7], rtol=0.04)
    seen = truth.seen(subject.pose, posed(subject), scan.camera, darker.color)
    assert psnr(seen.color, darker.color, seen.skin) > 38
    assert psnr(seen.ideal, darker.color, seen.skin) < 30


def test_a_light_that_turns_along_leaves_the_shading_and_a_still_one_does_not(captured):
    subject, scan, model = captured
    turned = replace(subject.pose, rotation=matrix_from_euler(-150.0) @ subject.pose.rotation)
    back = posed(subject)
    moving, still = (make_truth(subject, scan, model, still=s) for s in (False, True))
    pictures = [t.seen(turned, back, scan.camera, scan.color) for t in (moving, still)]
    assert np.array_equal(pictures[0].image.piece_id, pictures[1].image.piece_id)
    assert psnr(pictures[0].color, pictures[1].color, pictures[0].skin) < 30


def test_the_head_ends_below_the_chin(captured):
    subject, scan, model = captured
    truth = make_truth(subject, scan, model)
    height = truth.vertices_mm @ truth.plane[:3] - truth.plane[3]
    marks = model.landmarks["ibug68"]
    assert (height[marks] > 0).all()
    assert (height[model.regions["scalp"]] > 0).mean() > 0.95  # its hairline lies on the nape
    lowest = np.argsort(model.mean_mm[:, 1])[:50]
    assert (height[lowest] < -20).all()


def test_a_peer_keeps_the_faces_depth_and_stays_between_its_ends():
    """Harmonic fields have no extremes off their boundary (maximum principle)."""
    face = np.where(disc(15), 1000 + np.arange(64)[:, None] * 0.5, 0).astype(np.float32)
    large = cv2.resize(face, (192, 192), interpolation=cv2.INTER_NEAREST)
    depth = _carried_on(large)
    assert np.array_equal(depth[large > 0], large[large > 0])
    assert depth.min() >= large[large > 0].min() - 1e-3
    assert depth.max() <= large.max() + 1e-3


def test_an_unturned_peer_is_its_photograph(captured):
    _, scan, model = captured
    peer = profile(scan, model)
    pixels = scan.truth["landmarks_px"][17:]
    turn = turn_between(np.eye(3), np.eye(3))
    placed = placement(peer.carried(pixels, turn), pixels)
    np.testing.assert_allclose(placed[0], 1, atol=1e-9)
    image = peer.shown(turn, placed, (scan.camera.width, scan.camera.height))
    inner = np.s_[4:-4, 4:-4]
    # bilinear at half-pixel offsets, averaged 2 × 2
    assert psnr(image[inner], scan.color[inner], np.ones(image[inner].shape[:2], bool)) > 35


def test_a_turned_peer_moves_near_points_against_far_ones(captured):
    """The nose's tip lies before the eyes: yaw > 0 carries it to image right of them."""
    _, scan, model = captured
    pixels = scan.truth["landmarks_px"][[30, 36, 45]]
    moved = profile(scan, model).carried(pixels, turn_between(np.eye(3), matrix_from_euler(30.0)))
    before, after = (p[0, 0] - p[1:, 0].mean() for p in (pixels, moved))
    assert after > before + 5


ROWS = [
    [(0.0, {"a": 1.0, "b": 2.0}), (0.0, {"a": 3.0, "b": 2.0}), (90.0, {"a": 5.0, "b": np.nan})],
    [(0.0, {"a": 4.0, "b": 8.0})],
]


@pytest.mark.parametrize(
    ("figure", "bins", "wanted"),
    [
        (augment.at("a"), [0.0], "3.00 ± 1.00"),  # means 2 and 4 of the two subjects
        (augment.at("a"), [90.0], "5.00 ± 0.00"),
        (augment.at("b"), [90.0], "–"),
        (augment.gain("b", "a"), [0.0], "2.00 ± 2.00"),
        (augment.change("a", "b"), [0.0, 90.0], "-25.00 ± 25.00"),  # 4/4 and 4/8
        (augment.near("a"), [0.0, 90.0], "16.67 ± 16.67"),  # one of three, none of one
    ],
)
def test_cells_are_means_over_subjects(figure, bins, wanted):
    assert augment.cell(ROWS, figure, bins) == wanted


def test_every_sum_names_figures_that_exist():
    """By asking each for a figure of views that have all of them."""

    class Asked(dict):
        def __missing__(self, name):
            return 1.0

    assert all(np.isfinite(figure([Asked()])) for figure in augment.SUMS.values())
