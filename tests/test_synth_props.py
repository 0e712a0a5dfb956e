"""Props are fitted to any head: outside it, where they belong, and the same every time."""

import numpy as np
import pytest

from faces.camera import Camera, Pose
from faces.errors import BadInput
from faces.mesh import triangle_normals
from faces.models import load_model
from faces.rotation import matrix_from_euler
from synth.clothes.neck import neck_rings
from synth.clothes.torso import make_torso
from synth.head import head_pieces
from synth.light import sample_light
from synth.props.blob import union_mesh
from synth.props.glasses import make_glasses
from synth.props.hair import HairSettings, make_hair
from synth.props.hand import HandSettings, make_hand
from synth.props.headmap import HeadMap
from synth.props.lenses import make_lenses
from synth.props.mask import make_mask
from synth.props.phone import make_slab
from synth.props.scarf import ROWS, TURNS, make_scarf
from synth.props.shoulders import Shoulders
from synth.props.styles import STYLES
from synth.props.wardrobe import MAKERS, OCCLUDERS, PropSettings, sample_props
from synth.scene import LABELS, render_scene

# the map's cells are 0.7° wide, 1.2 mm on the skin, so where skin slopes steeply away from the
# middle of the head (under the nose, at the ears' rims) heights are that uncertain
INSIDE_MM = 2.0
BUDGET = {"hair": 24000, "glasses": 1500, "hand": 9000, "phone": 300, "mask": 2500, "scarf": 2500}


@pytest.fixture(scope="module")
def model():
    return load_model("default")


@pytest.fixture(scope="module")
def heads(model):
    rng = np.random.default_rng(5)
    rest = np.zeros(len(model.expression_mm))
    return [model.shape(rng.normal(0, 0.8, len(model.identity_mm)), rest) for _ in range(3)]


def test_head_map_finds_the_skin_of_its_own_vertices(model, heads):
    head = HeadMap(model, heads[0])
    cheeks = heads[0][model.regions["cheeks"]]
    # smooth skin that faces outwards: the map's bilinear error stays far below a millimetre
    assert np.median(np.abs(head.height(cheeks))) < 0.3
    away = cheeks + 5 * (cheeks - head.centre_mm) / np.linalg.norm(
        cheeks - head.centre_mm, axis=1, keepdims=True
    )
    assert np.allclose(head.height(away) - head.height(cheeks), 5, atol=0.2)
    assert head.height(np.zeros((0, 3))).shape == (0,)  # bald heads ask for none


def test_the_skull_has_no_ears(model, heads):
    head = HeadMap(model, heads[0])
    ears = heads[0][model.regions["ears"]] - head.centre_mm
    # an ear's rim stands off the skull by one to three centimetres
    gap = np.linalg.norm(ears, axis=1) - head.skull(ears)
    assert 8 < gap.max() < 35
    brow = heads[0][model.landmarks["ibug68"][17:27]] - head.centre_mm
    assert np.allclose(head.skull(brow), np.linalg.norm(brow, axis=1), atol=INSIDE_MM)


@pytest.mark.parametrize("style", STYLES)
def test_hair_stays_outside_head_and_body(model, heads, style):
    for seed, shape in enumerate(heads[:2]):
        turn = matrix_from_euler(30.0 * seed, -10.0, 5.0)
        settings = HairSettings(style=style, bald=0.0, upright=turn)
        pieces = make_hair(model, shape, np.random.default_rng(seed), settings)
        head, body = HeadMap(model, shape), Shoulders.below(model, shape, turn)
        assert {piece.label for piece in pieces} == {"hair"}
        assert sum(len(piece.vertices_mm) for piece in pieces) < BUDGET["hair"]
        for piece in pieces:
            away = piece.vertices_mm - head.centre_mm
            over = np.linalg.norm(away, axis=1) - head.skull(away)
            assert over.min() > -INSIDE_MM
            assert piece.triangles.max() < len(piece.vertices_mm)
        assert not any(body.inside(piece.vertices_mm).any() for piece in pieces)


@pytest.mark.parametrize("style", STYLES)
def test_hair_leaves_the_face_free(model, heads, style):
    """No hair lies before eyes, nose and mouth, and only a fringe comes near the brows."""
    camera, light = Camera.from_fov(240, 240, 30), sample_light(np.random.default_rng(0))
    pose = Pose(np.eye(3), np.array([0, -20, 600.0]))
    for seed, shape in enumerate(heads):
        settings = HairSettings(style=style, bald=0.0)
        hair = make_hair(model, shape, np.random.default_rng(seed), settings)
        pieces = [*head_pieces(model, shape, model.albedo_mean), *hair]
        image = render_scene([p.moved(pose) for p in pieces], camera, light, 1, shadows=False)
        points = camera.project(pose.apply(shape[model.landmarks["ibug68"]])).astype(int)
        found = image.labels[points[:, 1], points[:, 0]]
        free = slice(27, 68) if STYLES[style].fringe else slice(17, 68)
        assert (found[free] != LABELS.index("hair")).all()
        assert (image.labels == LABELS.index("hair")).mean() > 0.01


def test_the_body_parts_hair_to_the_side_that_is_asked_for(model, heads):
    body = Shoulders.below(model, heads[0])
    points = body.centre_mm + np.random.default_rng(0).uniform(-1, 1, (500, 3)) * [150, 200, 80]
    before, behind = (
        body.parted(points, np.full(500, ahead), np.full(500, 2.0)) for ahead in (True, False)
    )
    assert not body.inside(before).any()
    assert not body.inside(behind).any()
    held = body.inside(points)
    assert (before[held, 2] > body.centre_mm[2]).all()
    assert (behind[held, 2] < body.centre_mm[2]).all()
    # what was well clear of the body stays where it was
    clear = points[:, 1] > body.centre_mm[1] + 20  # the body's upper edge is eased over 18 mm
    assert np.allclose(before[clear], points[clear])


def test_the_body_below_hair_holds_the_torso(model, heads):
    pose = Pose(np.eye(3), np.array([0, 0, 700.0]))
    rings = neck_rings(model)
    neck = [pose.apply(heads[0][ring]) for ring in rings]
    tones = [np.full((len(ring), 3), 0.5) for ring in rings]
    body = Shoulders.below(model, heads[0])
    for seed in range(4):
        skin, *_ = make_torso(neck, tones, np.random.default_rng(seed), True)
        points = pose.invert(skin.vertices_mm)
        below = points[points[:, 1] < body.centre_mm[1] - 30]
        assert len(below) > 100
        assert body.inside(below).all()


@pytest.mark.parametrize("style", ["buzz", "ponytail", "bun", "afro"])
def test_hair_faces_outwards(model, heads, style):
    """Triangles enclose a volume, counted as positive from the middle of what they enclose."""
    settings = HairSettings(style=style, bald=0.0)
    shell, loose, *knot = make_hair(model, heads[0], np.random.default_rng(0), settings)
    middle = HeadMap(model, heads[0]).centre_mm
    closed = [(shell, middle), (loose, middle)]
    if style in ("bun", "ponytail"):
        closed.append((knot[0], knot[0].vertices_mm.mean(0)))
    for piece, centre in closed:
        a, b, c = (piece.vertices_mm[piece.triangles[:, k]] - centre for k in range(3))
        # six times the volume between the triangles and the middle: 30 mm across at the least
        assert np.einsum("nk,nk->", a, np.cross(b, c)) > 6 * 15**3


def test_the_same_state_gives_the_same_hair(model, heads):
    for style in ("long", "afro", "crop", "ponytail", "locks"):
        first, second = (
            make_hair(model, heads[0], np.random.default_rng(3), HairSettings(style=style))
            for _ in range(2)
        )
        for one, two in zip(first, second, strict=True):
            assert np.array_equal(one.vertices_mm, two.vertices_mm)
            assert np.array_equal(one.albedo, two.albedo)
            assert np.array_equal(one.alpha, two.alpha)


def test_a_bald_crown_keeps_its_sides(model, heads):
    (shell, *_) = make_hair(model, heads[0], np.random.default_rng(0), HairSettings(bald=1.0))
    v, u = (np.arange(n) for n in shell.alpha.shape)
    assert shell.alpha[: len(v) // 2, : len(u) // 10].max() == 0  # ahead of the crown
    behind = shell.alpha[:, len(u) // 2]
    assert behind.max() > 0.9  # and above the nape


@pytest.mark.parametrize("name", MAKERS)
def test_things_stay_outside_the_face(model, heads, name):
    for seed, shape in enumerate(heads):
        pieces = MAKERS[name](model, shape, np.random.default_rng(seed))
        head = HeadMap(model, shape)
        assert name in {piece.label for piece in pieces}
        for piece in pieces:
            assert np.isfinite(piece.vertices_mm).all()
            assert piece.triangles.max() < len(piece.vertices_mm)
            assert len(piece.vertices_mm) < BUDGET[piece.label]
            ahead = piece.vertices_mm[piece.vertices_mm[:, 2] > 0]  # before the ears
            assert head.height(ahead).min() > -INSIDE_MM, piece.label


def test_glasses_rest_on_the_nose(model, heads):
    for seed, shape in enumerate(heads):
        glasses, lenses = make_glasses(model, shape, np.random.default_rng(seed))
        assert lenses.alpha.max() < 0.5  # labels and depth are those of what is behind
        near = np.abs(glasses.vertices_mm[:, 0]) < 4
        gap = HeadMap(model, shape).height(glasses.vertices_mm[near])
        assert gap.min() < 8  # people's frames sit within a finger's breadth of the bridge
        eyes = shape[model.landmarks["ibug68"][36:48]]
        assert glasses.vertices_mm[near, 1].mean() > eyes[:, 1].min() - 10


@pytest.mark.parametrize("side", [0, 1, 2])
def test_hands_are_closed_and_face_outwards(model, heads, side):
    (hand,) = make_hand(model, heads[0], np.random.default_rng(side))
    assert _open_edges(hand.triangles) == 0
    assert _volume(hand.vertices_mm, hand.triangles) > 0  # of a left hand and of a right one
    assert hand.triangle_uv.max() < len(hand.uv)
    assert ((hand.uv > 0) & (hand.uv < 1)).all()


def test_a_hand_is_of_the_tone_asked_for_and_redder_at_its_knuckles(model, heads):
    tone = (0.6, 0.45, 0.38)
    (hand,) = make_hand(model, heads[0], np.random.default_rng(0), HandSettings(tone=tone))
    flat = hand.albedo.reshape(-1, 3)
    # 0.92 to 1.03 of the tone, of which the palm's half is a quarter flushed
    assert np.allclose(np.median(flat, axis=0), tone, rtol=0.12)
    ratio = flat[:, 0] / flat[:, 1]
    assert np.percentile(ratio, 98) > 1.05 * np.median(ratio)


def test_a_phone_has_a_dark_glass_before_and_its_back_behind():
    for seed in range(4):
        slab = make_slab(np.random.default_rng(seed))
        assert _open_edges(slab.triangles) <= 4 * 24  # the points of its fans coincide
        assert _volume(slab.vertices_mm, slab.triangles) == pytest.approx(72 * 150 * 8.5, rel=0.15)
        before = slab.vertices_mm[:, 2] < -4
        assert (slab.uv[before, 1] >= 0.5).all()
        assert (slab.uv[~before, 1] <= 0.5).all()
        half = len(slab.albedo) // 2
        assert np.median(slab.albedo[half:]) < 0.05


def test_lenses_fill_their_rims_and_face_the_camera():
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    rim = np.column_stack([25 * np.cos(angle), 20 * np.sin(angle), np.zeros(32)])
    across = np.array([32.0, 0, 0])
    lenses = make_lenses([rim - across, rim + across], np.random.default_rng(0))
    area = triangle_normals(lenses.vertices_mm, lenses.triangles)[:, 2] / 2
    assert (area > 0).all()
    # to 0.97 of the way to the rim, and a polygon of 32 sides has 0.994 of its ellipse
    assert area.sum() == pytest.approx(2 * 0.97**2 * 0.994 * np.pi * 25 * 20, rel=0.01)


def test_a_scarf_goes_around_the_neck_and_has_no_paper_edges(model, heads):
    for seed, shape in enumerate(heads):
        (scarf,) = make_scarf(model, shape, np.random.default_rng(seed))
        points = scarf.vertices_mm.reshape(ROWS, TURNS, 3)
        chin, eye = shape[model.landmarks["ibug68"][[8, 36]], 1]
        assert points[..., 1].min() < chin < eye
        assert points[..., 1].max() < eye
        away = np.hypot(points[..., 0], points[..., 2] - points[..., 2].mean()).mean(axis=1)
        # the edges turn in by 8 mm and more, but the neck may narrow by six from row to row
        assert away[0] < away[3] - 1
        assert away[-1] < away[-4] - 1


def _open_edges(triangles) -> int:
    sides = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    return int((np.unique(sides, axis=0, return_counts=True)[1] == 1).sum())


def _volume(vertices, triangles) -> float:
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return float(np.einsum("nk,nk->", a, np.cross(b, c)) / 6)


def test_mask_covers_mouth_and_nose_and_leaves_the_eyes(model, heads):
    camera = Camera.from_fov(240, 240, 30)
    pose = Pose(np.eye(3), np.array([0, -20, 600.0]))
    light = sample_light(np.random.default_rng(0))
    for seed, shape in enumerate(heads):
        mask = make_mask(model, shape, np.random.default_rng(seed))
        pieces = [*head_pieces(model, shape, model.albedo_mean), *mask]
        image = render_scene([p.moved(pose) for p in pieces], camera, light, 1, shadows=False)
        points = camera.project(pose.apply(shape[model.landmarks["ibug68"]])).astype(int)
        found = image.labels[points[:, 1], points[:, 0]]
        assert (found[[30, *range(48, 68)]] == LABELS.index("mask")).all()
        assert (found[36:48] != LABELS.index("mask")).all()


def test_the_same_state_gives_the_same_props(model, heads):
    first, second = (
        sample_props(model, heads[0], np.random.default_rng(3), PropSettings("mask"))
        for _ in range(2)
    )
    assert len(first) == len(second)
    for one, two in zip(first, second, strict=True):
        assert np.array_equal(one.vertices_mm, two.vertices_mm)
        assert np.array_equal(one.albedo, two.albedo)


@pytest.mark.parametrize("occluder", [name for name in OCCLUDERS if name != "random"])
def test_an_occluder_that_is_asked_for_is_there(model, heads, occluder):
    pieces = sample_props(model, heads[0], np.random.default_rng(1), PropSettings(occluder))
    labels = {piece.label for piece in pieces}
    assert occluder in labels or (occluder == "none" and not labels)


def test_an_unknown_occluder_is_refused(model, heads):
    with pytest.raises(BadInput, match="occluder"):
        sample_props(model, heads[0], np.random.default_rng(1), PropSettings("hat"))


def test_a_single_rod_has_its_own_volume():
    start, end, radius = np.zeros(3), np.array([0, 40.0, 0]), 10.0
    vertices, triangles = union_mesh(
        start[None], end[None], np.array([[radius, radius]]), step_mm=2.0, blend_mm=2.0
    )
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    volume = np.einsum("nk,nk->", a, np.cross(b, c)) / 6
    true = np.pi * radius**2 * 40 + 4 / 3 * np.pi * radius**3
    # chords of 2 mm lie within a 10 mm round by up to 2²/(8 · 10) = 0.05 mm: a per cent of volume
    assert volume == pytest.approx(true, rel=0.03)
