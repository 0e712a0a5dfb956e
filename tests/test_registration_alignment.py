"""The shift between depth and colour, on pictures whose shift is known."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from registration.alignment import AlignSettings, depth_shift
from registration.depth import DepthSettings
from registration.target import depth_target
from tests.simulate import subject
from tests.toy import toy_model


def picture(shift=(0.0, 0.0), loss_px=0, contrast=60):
    """(colour, depth) of an egg before a striped wall; the depth lies ``shift`` px aside, and
    ``loss_px`` of its rim are lost."""
    v, u = np.mgrid[:240, :320] + 0.5

    def egg(x, y, less=0.0):
        return ((u - 160 - x) / (60 - less)) ** 2 + ((v - 120 - y) / (80 - less)) ** 2 < 1

    wall = 90 + 20 * np.sin(u / 9)
    fine = cv2.GaussianBlur(np.where(egg(0, 0), wall + contrast, wall), (0, 0), 0.7)
    color = np.repeat(np.clip(fine, 0, 255).astype(np.uint8)[..., None], 3, 2)
    depth = np.where(egg(*shift, loss_px), 700.0, 0.0).astype(np.float32)
    return color, depth


@pytest.mark.parametrize("shift", [(0.0, 0.0), (1.4, -0.8), (-0.6, 1.9)])
@pytest.mark.parametrize("loss_px", [0, 2])
def test_shift_is_found_whatever_is_lost_at_the_rim(shift, loss_px):
    color, depth = picture(shift, loss_px)
    found = depth_shift(color, depth, 700.0, AlignSettings())
    # The outline is known to whole pixels, some 400 of them: steps of a quarter remain.
    np.testing.assert_allclose(found, np.negative(shift), atol=0.25)


def test_without_an_edge_or_an_outline_nothing_moves():
    color, depth = picture((1.4, -0.8), contrast=0)
    flat = np.full_like(color, 90)
    np.testing.assert_array_equal(depth_shift(flat, depth, 700.0, AlignSettings()), 0)
    np.testing.assert_array_equal(depth_shift(color, 0 * depth, 700.0, AlignSettings()), 0)
    color, depth = picture((1.4, -0.8))
    np.testing.assert_array_equal(depth_shift(color, depth, 700.0, AlignSettings(most_px=0)), 0)


def test_depth_that_lies_within_a_fraction_of_a_pixel_stays():
    color, depth = picture((0.4, 0.0))  # whole pixels of depth show at most this much of it
    near = depth_shift(color, depth, 700.0, AlignSettings(least_px=0.0))
    assert 0 < np.linalg.norm(near) < 0.7
    limit = np.linalg.norm(near)
    kept = depth_shift(color, depth, 700.0, AlignSettings(least_px=limit - 0.01))
    np.testing.assert_array_equal(kept, near)
    still = depth_shift(color, depth, 700.0, AlignSettings(least_px=limit + 0.01))
    np.testing.assert_array_equal(still, 0)


def test_target_lies_under_its_colours():
    model = toy_model()
    scan = subject(model, 3, noise_mm=0.0)
    whole = depth_target(scan, DepthSettings(align=AlignSettings(most_px=0)))
    moved = np.roll(scan.depth_mm, (1, -2), (0, 1))
    aside = replace(scan, depth_mm=moved)
    both = whole.valid & ~whole.rim

    def error(target):
        use = both & target.valid & ~target.rim
        return abs(((target.points_mm - whole.points_mm) * whole.normals).sum(-1)[use]).mean()

    unaligned = depth_target(aside, DepthSettings(align=AlignSettings(most_px=0)))
    # A round head grows dark towards its outline, so that its edge is a ramp on which the pull
    # to no shift at all wins a third of the 2.2 px.
    assert error(depth_target(aside)) < 0.6 * error(unaligned)
