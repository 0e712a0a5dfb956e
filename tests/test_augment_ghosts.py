"""A person with loose curls before a wall: which pixels are curls is known."""

import cv2
import numpy as np

from augment.ghosts import REACH_MM, ghosts

MM_PER_PX = 1.0
CURLS = [((112, 60), 12), ((215, 80), 15), ((160, 38), 9)]  # middles and radii of arcs, px


def person():
    y, x = np.mgrid[:240, :320]
    return (np.hypot(x - 160, (y - 110) * 0.8) < 45) | ((y > 170) & (abs(x - 160) < 70))


def wall(period=None):
    """A wall with a lamp's even gradient, or with stripes, and with a camera's noise."""
    x = np.arange(320)
    tone = np.linspace(0.55, 0.7, 320) if period is None else 0.5 + 0.2 * (x // period % 2)
    noise = np.random.default_rng(0).normal(0, 0.01, (240, 320, 3))
    return (np.broadcast_to(tone[None, :, None], (240, 320, 3)) + noise).astype(np.float32)


def curls():
    drawn = np.zeros((240, 320), np.uint8)
    for middle, radius in CURLS:
        cv2.circle(drawn, middle, radius, 1, 2)
    return (drawn > 0) & ~person()


def test_curls_beside_the_person_are_found_and_little_else():
    image = wall()
    image[curls()] *= 0.5
    found = ghosts(image, person(), MM_PER_PX)
    # of a curl that shares its block of 4 px with the person some pixels may be missed
    assert found[curls()].mean() > 0.95
    # found are whole blocks and their neighbours: up to 6 px beside what is there
    beside = cv2.dilate(curls().astype(np.uint8), np.ones((17, 17))) > 0
    assert np.mean(found[~beside & ~person()]) < 0.002


def test_a_bare_wall_has_none():
    assert not ghosts(wall(), person(), MM_PER_PX).any()


def test_what_goes_on_beyond_the_reach_is_an_object():
    image = wall()
    image[60:66, 20:130] *= 0.5  # a shelf's edge, from far outside up to the head
    found = ghosts(image, person(), MM_PER_PX)
    assert REACH_MM / MM_PER_PX < 160 - 45 - 20  # it does begin outside
    assert not found[58:68].any()


def test_a_room_that_is_not_plain_is_left_alone():
    image = wall(period=24)
    image[curls()] *= 0.5
    assert not ghosts(image, person(), MM_PER_PX).any()
