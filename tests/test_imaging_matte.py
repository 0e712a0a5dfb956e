import cv2
import numpy as np

from imaging.matte import keyed, unmixed

PERSON, WALL = np.float32([0.25, 0.15, 0.1]), np.float32([0.7, 0.75, 0.8])


def striped():
    """A person of solid hair at the left that ends in strands 2 px wide, 4 px apart."""
    alpha = np.zeros((80, 120), np.float32)
    alpha[:, :60] = 1
    for row in range(0, 80, 6):
        alpha[row : row + 2, 60:75] = 1
    alpha = cv2.GaussianBlur(alpha, (0, 0), 0.6)
    return alpha, alpha[..., None] * PERSON + (1 - alpha[..., None]) * WALL


def test_unmixed_colours_are_the_persons_and_compose_to_the_image():
    alpha, image = striped()
    wall = np.broadcast_to(WALL, image.shape).astype(np.float32)
    own = unmixed(image, alpha, wall)
    there = alpha > 0.02
    # the equation holds exactly here; float32, and pixels above 0.95 stay as they are
    assert np.abs(own - PERSON)[there].max() < 0.05
    again = alpha[..., None] * own + (1 - alpha[..., None]) * wall
    np.testing.assert_allclose(again[there], image[there], atol=0.04)
    np.testing.assert_array_equal(own[alpha == 0], image[alpha == 0])


def test_gaps_between_strands_are_opened_by_their_colour():
    alpha, image = striped()
    rough = np.zeros_like(alpha)
    rough[:, :75] = 1  # a mask decided at a quarter of the size sees no gaps
    sure = np.zeros(alpha.shape, bool)
    sure[:, :52] = True
    found = keyed(image, rough, sure, 4)
    # half the contrast counts as whole: strands come out wider by the blur of their edges
    wrong, rough_wrong = (np.abs(a - alpha)[:, 62:74].mean() for a in (found, rough))
    assert wrong < 0.2
    assert rough_wrong > 0.6
    np.testing.assert_array_equal(found[sure], rough[sure])


def test_equal_colours_open_nothing():
    alpha, _ = striped()
    image = np.full((*alpha.shape, 3), 0.7, np.float32)
    rough = np.zeros_like(alpha)
    rough[:, :75] = 1
    np.testing.assert_array_equal(keyed(image, rough, rough > 2, 4), rough)
