import numpy as np

from faces.models import load_model
from synth.hair import COLORS, STYLES, make_hair

MODEL = load_model()
SHAPE = MODEL.mean_mm.astype(np.float64)


def hair(style, seed=0, **options):
    return make_hair(MODEL, SHAPE, np.random.default_rng(seed), style, **options)


def test_hair_stands_off_the_scalp_and_leaves_the_face_free():
    eyes = SHAPE[MODEL.landmarks["ibug68"][36:48], 1]
    for style in ("buzz", "short", "back"):
        layers = hair(style)
        assert all(piece.label == "hair" for piece in layers)
        heights = [np.ptp(piece.vertices_mm[:, 1]) for piece in layers]
        assert heights == sorted(heights)  # the outer layers stand higher
        top = layers[-1].vertices_mm[:, 1].max() - SHAPE[:, 1].max()
        assert 0.5 * STYLES[style].height_mm[0] < top < 1.6 * STYLES[style].height_mm[1]
        face = layers[-1].vertices_mm[:, 2] > SHAPE[MODEL.landmarks["ibug68"][36], 2]
        lowest = layers[-1].vertices_mm[face, 1].min()
        assert lowest > eyes.max()


def test_long_hair_hangs_below_the_chin_and_bald_heads_have_none():
    chin = SHAPE[MODEL.landmarks["ibug68"][8], 1]
    lowest = min(piece.vertices_mm[:, 1].min() for piece in hair("long"))
    assert lowest < chin
    assert hair("bald") == []


def test_the_color_is_the_one_asked_for():
    for color in COLORS:
        albedo = hair("short", color=color)[0].albedo
        assert np.abs(np.median(albedo, axis=(0, 1)) - color).max() < 0.1 * color.max() + 0.02
        assert albedo.std(axis=(0, 1)).min() > 0.05 * color.min()  # strands, not paint


def test_strands_thin_outwards():
    shares = [(piece.alpha > 0.5).mean() for piece in hair("short")]
    assert shares[0] > shares[1] > shares[2] > 0


def test_hair_is_drawn_from_the_generator():
    a, b, c = hair("short", 1), hair("short", 1), hair("short", 2)
    np.testing.assert_array_equal(a[0].albedo, b[0].albedo)
    np.testing.assert_array_equal(a[2].vertices_mm, b[2].vertices_mm)
    assert np.abs(a[0].albedo - c[0].albedo).max() > 0
