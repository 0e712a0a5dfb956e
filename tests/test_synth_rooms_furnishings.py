import numpy as np
import pytest

from synth.rooms import furnishings as paints

KINDS = {
    "wall": lambda rng: paints.wall(rng, 3000.0, 2500.0),
    "door": paints.door,
    "picture": paints.picture,
    "view": paints.view,
    "sash": paints.sash,
    "curtain": lambda rng: paints.curtain(rng, False),
    "sheer": lambda rng: paints.curtain(rng, True),
    "blinds": paints.blinds,
    "books": lambda rng: paints.books(rng, 5),
    "cupboard": lambda rng: paints.cupboard(rng, 3),
    "plant": paints.plant,
    "lampshade": paints.lampshade,
}


@pytest.mark.parametrize("kind", KINDS)
def test_textures_are_reflectances_drawn_from_the_generator(kind):
    for seed in range(12):
        image = KINDS[kind](np.random.default_rng(seed))
        np.testing.assert_array_equal(image, KINDS[kind](np.random.default_rng(seed)))
        assert image.dtype == np.float32
        assert image.shape[2] == 4
        assert image.min() >= 0
        assert image.max() <= 1
        assert min(image.shape[:2]) >= 2  # bilinear look-up reads a neighbour


def test_paints_have_the_lightness_asked_for_and_are_muted():
    rng = np.random.default_rng(0)
    colors = np.array([paints.paint(rng, (60, 80), 0.06) for _ in range(300)])
    lightness = 116 * np.cbrt(colors @ [0.2126, 0.7152, 0.0722]) - 16
    assert lightness.min() > 59.9
    assert lightness.max() < 80.1
    spread = np.log(colors.max(1) / colors.min(1))
    assert np.median(spread) < 0.2
    mauve = (colors[:, 0] > 1.05 * colors[:, 1]) & (colors[:, 2] > 1.05 * colors[:, 1])
    assert mauve.mean() < 0.05


def test_a_window_opens_and_a_stain_fades_to_its_edge():
    sash = paints.sash(np.random.default_rng(0))
    assert (sash[..., 3] == 0).mean() > 0.5
    stain = paints.stain((20, 30), 0.3)
    assert stain[..., 3].max() == 1
    border = np.concatenate([stain[0], stain[-1], stain[:, 0], stain[:, -1]])
    assert (border[:, 3] == 0).all()
