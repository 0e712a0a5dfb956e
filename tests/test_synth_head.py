import numpy as np

from faces.models import load_model
from faces.morphable import PARTS
from synth.head import head_pieces, neck_rim, pore_relief, shine
from synth.skin.chart import chart_of
from synth.skin.mouth_texture import BULGE_MM, with_crowns

MODEL = load_model()
SHAPE = MODEL.mean_mm.astype(np.float64)


def test_the_pieces_are_the_model_without_its_lashes():
    pieces = head_pieces(MODEL, SHAPE, MODEL.albedo_mean)
    assert [piece.label for piece in pieces] == ["skin", "eye", "mouth"]
    count = sum(len(piece.triangles) for piece in pieces)
    assert count == len(MODEL.triangles) - len(MODEL.part_triangles("lashes"))
    eyes = pieces[1]
    np.testing.assert_array_equal(
        np.unique(eyes.vertices_mm, axis=0),
        np.unique(SHAPE[MODEL.part_vertices("eye")], axis=0),
    )


def test_a_texture_keeps_the_models_chart():
    texture = np.zeros((8, 8, 3), np.float32)
    skin = head_pieces(MODEL, SHAPE, texture)[0]
    where = {tuple(np.round(p, 4)) for p in SHAPE[MODEL.triangles[0]]}
    same = [
        t
        for t, corners in enumerate(skin.triangles)
        if {tuple(np.round(p, 4)) for p in skin.vertices_mm[corners]} == where
    ]
    at = np.flatnonzero((MODEL.triangles == MODEL.triangles[0]).all(1))[0]
    assert any((skin.triangle_uv[t] == MODEL.triangle_uv[at]).all() for t in same)


def test_upper_lids_shade_the_eyes_most():
    eyes = head_pieces(MODEL, SHAPE, MODEL.albedo_mean)[1]
    upper = SHAPE[MODEL.landmarks["ibug68"][[37, 38]]].mean(0)
    lower = SHAPE[MODEL.landmarks["ibug68"][[40, 41]]].mean(0)
    near = [
        eyes.shade[np.linalg.norm(eyes.vertices_mm - place, axis=1) < 2.5].mean()
        for place in (upper, (upper + lower) / 2)
    ]
    assert near[0] < 0.75 * near[1]
    assert 0 < eyes.shade.min() < eyes.shade.max() <= 1


def test_light_reaches_into_an_open_mouth():
    jaw = np.zeros(len(MODEL.expression_names))
    jaw[MODEL.expression_names.index("jawOpen")] = 0.5
    shut, wide = (
        head_pieces(MODEL, shape, MODEL.albedo_mean)[2]
        for shape in (SHAPE, MODEL.shape(np.zeros(0), jaw))
    )
    # closed lips of the mean touch but for a fraction of a millimetre
    assert shut.shade.max() < 0.15
    front = np.argmax(wide.vertices_mm[:, 2])
    back = np.argmin(wide.vertices_mm[:, 2])
    assert wide.shade[front] > 0.5
    assert wide.shade[back] < 0.2 * wide.shade[front]


def test_teeth_have_crowns_and_the_skin_keeps_its_relief():
    chart = chart_of(MODEL, 512)
    plain = pore_relief(np.random.default_rng(0), 512)
    relief = with_crowns(plain, chart)
    inside = np.isin(chart.part, [PARTS.index(p) for p in ("mouth_socket", "teeth", "tongue")])
    teeth = (chart.part == PARTS.index("teeth")) & chart.mask
    np.testing.assert_array_equal(relief[~inside], plain[~inside])
    # half a circle over each crown: between no height at the gaps and all of it in the middle
    assert 0.4 * BULGE_MM < relief[teeth].mean() < BULGE_MM
    assert relief[teeth].min() < 0.3 * BULGE_MM
    pieces = head_pieces(MODEL, SHAPE, np.zeros((512, 512, 3), np.float32), plain)
    np.testing.assert_array_equal(pieces[2].relief, relief)


def test_the_rim_of_the_neck_is_low_and_goes_around():
    rim = SHAPE[neck_rim(MODEL)]
    assert rim[:, 1].max() < SHAPE[MODEL.landmarks["ibug68"][8], 1]
    turn = np.sort(np.arctan2(rim[:, 2] - rim[:, 2].mean(), rim[:, 0]))
    assert np.diff(turn).max() < 0.5


def test_pores_are_shallow_and_drawn_from_the_generator():
    a, b, c = (pore_relief(np.random.default_rng(seed), 256) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - c).max() > 0
    assert np.abs(a).max() < 0.2


def test_nose_and_forehead_shine_more_than_cheeks_and_nothing_jumps():
    factors, points = shine(MODEL), MODEL.landmarks["ibug68"]
    cheek = factors[np.argmin(np.linalg.norm(SHAPE - SHAPE[points[[3, 48]]].mean(0), axis=1))]
    assert factors[points[30]] > 1.4 * cheek
    assert factors[points[30]] > factors[points[8]]
    assert (factors > 0).all()
    skin = MODEL.part_triangles("skin")
    inner = MODEL.part_vertices("eye_socket", "mouth_socket")  # a border that is a border
    skin = skin[~inner[skin].any(1)]
    steps = np.abs(factors[skin] - factors[np.roll(skin, 1, axis=1)])
    assert steps.max() < 0.35  # a region's hard border would be a step of 0.6
