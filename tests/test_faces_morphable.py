"""The model's file, its two levels, and whether the embedded head is put together like a head."""

from dataclasses import replace

import numpy as np
import pytest

from faces.errors import BadInput
from faces.mesh import vertex_normals
from faces.models import load_model
from faces.models.anatomy import MIRROR_68
from faces.morphable import ALBEDO_STEP, SHAPE_STEP_MM, read_model, save_model

LEFT, CENTRE, RIGHT = 1, 0, -1  # signs of x: the subject's left is +x
LANDMARK_SIDES = {LEFT: [*range(9, 17), *range(22, 27), 34, 35, *range(42, 48), 52, 53, 54, 55, 56]}
LANDMARK_SIDES[CENTRE] = [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]


@pytest.fixture(scope="module")
def model():
    return load_model("default")


def moved(model, name):
    """Displacements (V, 3) mm of one expression at weight 1."""
    return model.expression_mm[model.expression_names.index(name)]


def test_file_returns_the_model_within_quantisation(model, tmp_path):
    small = model.truncated(12, 6)
    save_model(small, tmp_path / "m.npz")
    back = read_model(tmp_path / "m.npz")
    # Half a step of the coarse modes; subdivision averages, so the fine level errs no more.
    largest = np.abs(small.identity_mm).max() / 32767
    tolerance = max(SHAPE_STEP_MM, largest) / 2 * 1.01 + 1e-5
    assert np.abs(back.identity_mm - small.identity_mm).max() < tolerance
    assert np.abs(back.expression_mm - small.expression_mm).max() < tolerance
    assert np.abs(back.albedo_modes - small.albedo_modes).max() <= ALBEDO_STEP / 2 * 1.01
    for key in ("mean_mm", "triangles", "triangle_part", "uv", "triangle_uv", "weights", "mirror"):
        np.testing.assert_array_equal(getattr(back, key), getattr(small, key))
    for key in ("albedo_mean", "contour"):
        np.testing.assert_array_equal(getattr(back, key), getattr(small, key))
    assert (back.name, back.licence) == (small.name, small.licence)
    assert back.expression_names == small.expression_names
    for name, mask in small.regions.items():
        np.testing.assert_array_equal(back.regions[name], mask)
    for scheme, points in small.landmarks.items():
        np.testing.assert_array_equal(back.landmarks[scheme], points)


def test_one_level_model_returns(model, tmp_path):
    coarse = replace(model.coarse.truncated(3, 2))
    save_model(coarse, tmp_path / "m.npz")
    back = read_model(tmp_path / "m.npz")
    assert back.coarse is None
    np.testing.assert_array_equal(back.mean_mm, coarse.mean_mm)
    np.testing.assert_array_equal(back.albedo_mean, coarse.albedo_mean)


@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_what_is_no_model_is_refused(content, tmp_path):
    path = tmp_path / "m.npz"
    if content is None:
        np.savez(path, something=np.zeros(3))
    else:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=r"m\.npz"):
        read_model(path)


def test_unknown_spec_is_refused(tmp_path):
    with pytest.raises(BadInput, match="no such model"):
        load_model(str(tmp_path / "absent.npz"))
    with pytest.raises(BadInput, match="generic_neutral_mesh"):
        load_model(str(tmp_path))


def test_fine_level_is_the_prolonged_coarse_one(model):
    coarse, rng = model.coarse, np.random.default_rng(0)
    identity, expression = rng.normal(size=100), rng.uniform(0, 1, 52)
    fine = model.prolongation @ coarse.shape(identity, expression)
    # float32 sums over 152 modes of some mm.
    np.testing.assert_allclose(model.shape(identity, expression), fine, atol=2e-3)
    for name, mask in coarse.regions.items():
        np.testing.assert_array_equal(model.regions[name][: coarse.vertex_count], mask)


def test_only_skin_and_sockets_are_subdivided(model):
    coarse = model.coarse
    for part in ("eye", "teeth", "tongue"):
        np.testing.assert_array_equal(model.part_triangles(part), coarse.part_triangles(part))
    assert len(model.part_triangles("skin")) == 4 * len(coarse.part_triangles("skin"))


def test_mirror_is_an_involution_and_the_mean_symmetric(model):
    mirror = model.mirror
    np.testing.assert_array_equal(mirror[mirror], np.arange(model.vertex_count))
    # The mean is made symmetric before it is rounded to float32.
    np.testing.assert_allclose(model.mean_mm[mirror] * [-1, 1, 1], model.mean_mm, atol=1e-3)
    for mask in model.regions.values():
        np.testing.assert_array_equal(mask[mirror], mask)


def test_landmarks_are_paired_and_on_their_sides(model):
    points = model.landmarks["ibug68"]
    np.testing.assert_array_equal(model.mirror[points], points[MIRROR_68])
    x = model.mean_mm[points, 0]
    assert (x[LANDMARK_SIDES[LEFT]] > 3).all()
    assert (x[MIRROR_68[LANDMARK_SIDES[LEFT]]] < -3).all()
    np.testing.assert_allclose(x[LANDMARK_SIDES[CENTRE]], 0, atol=1e-3)


def test_dense_set_holds_the_68_and_is_symmetric(model):
    dense = model.landmarks["dense240"]
    assert len(set(dense.tolist())) == 240
    np.testing.assert_array_equal(dense[:68], model.landmarks["ibug68"])
    # All but at most one vertex come with their mirror image (the count may cut the last pair).
    assert len(set(dense.tolist()) ^ set(model.mirror[dense].tolist())) <= 2


def test_head_has_human_size(model):
    # Biocular breadth of adults (Farkas 1994): 81 to 97 mm over both sexes at ±2σ.
    assert 81 < model.iod_mm < 97
    points = model.mean_mm[model.landmarks["ibug68"]]
    # Mouth width 45 to 60 mm at ±2σ; nose in front of everything.
    assert 43 < points[54, 0] - points[48, 0] < 60
    assert points[30, 2] == points[:, 2].max()


def test_lips_are_closed_whoever_it_is(model):
    rng, points = np.random.default_rng(3), model.landmarks["ibug68"]
    upper, lower = points[[61, 62, 63]], points[[67, 66, 65]]
    for _ in range(20):
        y = model.shape(rng.normal(size=100).clip(-2.5, 2.5), np.zeros(1))[:, 1]
        # They overlap by a third of a millimetre; points of one pair may lie 1 mm apart in x,
        # along a line that rises by half of that.
        assert np.abs(y[upper] - y[lower]).max() < 1.5
        assert y[upper[1]] < y[lower[1]] + 0.1


def test_eyeballs_fill_the_lids(model):
    points = model.mean_mm[model.landmarks["ibug68"]].astype(float)
    for side, lids in ((1, points[42:48]), (-1, points[36:42])):
        own = model.part_vertices("eye") & (side * model.mean_mm[:, 0] > 0)
        ball = model.mean_mm[own]
        gap = np.linalg.norm(ball[None] - lids[[1, 2, 4, 5], None], axis=2).min(1)
        # Lids are about 2 mm thick, and these points lie on their outer edge.
        assert gap.max() < 4
        assert 20 < np.ptp(ball[:, 0]) < 33


def test_triangles_face_outwards(model):
    normals = vertex_normals(model.mean_mm, model.part_triangles("skin"))
    tip, chin = (model.landmarks["ibug68"][k] for k in (30, 8))
    assert normals[tip, 2] > 0.8
    assert normals[chin, 1] < 0
    eyes = model.part_triangles("eye")
    front = np.unique(eyes)[model.mean_mm[np.unique(eyes), 2].argmax()]
    assert vertex_normals(model.mean_mm, eyes)[front, 2] > 0.9


def test_regions_hold_what_they_name(model):
    points, regions = model.landmarks["ibug68"], model.regions
    for name, own in (("brows", range(17, 27)), ("nose", range(27, 36)), ("eyes", range(36, 48))):
        assert regions[name][points[list(own)]].mean() > 0.85, name
    assert regions["mouth"][points[48:60]].all()
    assert regions["face"][points[17:60]].all()
    skin = model.part_vertices("skin", "mouth_socket", "eye_socket")  # an edge may span a rim
    for name, mask in regions.items():
        assert mask.any(), name
        assert not (mask & ~skin).any(), name
    parts = [regions[name] for name in ("face", "ears", "neck", "scalp")]
    np.testing.assert_array_equal(np.sum(parts, axis=0), model.part_vertices("skin"))
    assert (model.weights[regions["nose"]] == 1).all()
    assert (model.weights[regions["ears"]] < 0.2).all()


def test_ears_hold_their_hollows_and_no_hair(model):
    ears, points = model.regions["ears"], model.landmarks["ibug68"]
    for side in (points[0], points[16]):
        sign = np.sign(model.mean_mm[side, 0])
        own = ears & (sign * model.mean_mm[:, 0] > 0)
        # An adult's ear is 55 to 70 mm high and 30 to 40 mm wide (Farkas 1994).
        assert 50 < np.ptp(model.mean_mm[own, 1]) < 75
        assert 25 < np.ptp(model.mean_mm[own, 2]) < 45
        # Seen from the side, the middle of the ear is ear, at whatever depth.
        middle = model.mean_mm[own].mean(0)
        across = np.linalg.norm(model.mean_mm[:, 1:] - middle[1:], axis=1)
        near = (across < 5) & (sign * model.mean_mm[:, 0] > 40)
        outside = vertex_normals(model.mean_mm, model.triangles)[:, 0] * sign > 0.5
        assert (ears[near & outside & (sign * model.mean_mm[:, 0] > sign * middle[0] - 4)]).all()
    skin = model.albedo_mean[model.regions["cheeks"]].mean()
    # Shade in the hollow takes up to half of the skin's brightness; hair is a quarter of it.
    assert model.albedo_mean[ears].mean(1).min() > 0.45 * skin


def test_coarse_level_has_the_fine_features(model):
    coarse, count = model.coarse, model.coarse.vertex_count
    for name, mask in model.regions.items():
        np.testing.assert_array_equal(coarse.regions[name], mask[:count])
    np.testing.assert_array_equal(coarse.weights, model.weights[:count])
    for key in ("ibug68", "dense240"):
        gap = coarse.mean_mm[coarse.landmarks[key]] - model.mean_mm[model.landmarks[key]]
        # Half an edge of the coarse face, the longest of which is 19 mm, on the forehead.
        assert np.linalg.norm(gap, axis=1).max() < 9.5
    assert model.contour.max() < model.vertex_count
    assert coarse.contour.max() < count


def test_contour_runs_from_the_front_backwards(model):
    depth = model.mean_mm[model.contour, 2]
    assert (depth[:, 0] > depth[:, -1] + 10).all()
    np.testing.assert_array_equal(model.contour[:, 4], model.landmarks["ibug68"][:17])
    np.testing.assert_array_equal(model.mirror[model.contour[:8]], model.contour[16:8:-1])


@pytest.mark.parametrize(
    ("name", "landmark", "axis", "sign", "least"),
    [
        ("jawOpen", 8, 1, -1, 15.0),
        ("eyeBlink_L", 43, 1, -1, 4.0),
        ("eyeBlink_R", 38, 1, -1, 4.0),
        ("mouthSmile_L", 54, 1, 1, 3.0),
        ("mouthFrown_R", 48, 1, -1, 2.0),
        ("browOuterUp_R", 17, 1, 1, 1.0),
        ("jawForward", 8, 2, 1, 1.0),
        ("mouthLeft", 54, 0, 1, 1.0),
    ],
)
def test_expressions_move_what_they_name(model, name, landmark, axis, sign, least):
    offset = moved(model, name)
    points = model.landmarks["ibug68"]
    assert sign * offset[points[landmark], axis] > least
    if name[-2:] in ("_L", "_R") and landmark != 8:
        # The other side's twin keeps still: under a fifth of this side's motion.
        twin = offset[points[MIRROR_68[landmark]]]
        assert np.linalg.norm(twin) < 0.2 * np.linalg.norm(offset[points[landmark]])


@pytest.mark.parametrize(
    ("name", "axis", "sign"), [("In", 0, -1), ("Out", 0, 1), ("Up", 1, 1), ("Down", 1, -1)]
)
def test_gaze_turns_the_left_eyeball_alone_and_rigidly(model, name, axis, sign):
    offset = moved(model, f"eyeLook{name}_L").astype(float)
    eyes = model.part_vertices("eye")
    left, right = (eyes & (s * model.mean_mm[:, 0] > 0) for s in (1, -1))
    ball = model.mean_mm[left].astype(float)
    front = ball[:, 2].argmax()
    assert sign * offset[left][front, axis] > 1
    np.testing.assert_allclose(offset[right], 0, atol=2e-3)
    turned = ball + offset[left]
    # Distances within a rigid body stay; quantised to a thousandth of a millimetre.
    np.testing.assert_allclose(
        np.linalg.norm(turned - turned[front], axis=1),
        np.linalg.norm(ball - ball[front], axis=1),
        atol=5e-3,
    )


def test_brows_lips_and_irises_stand_out_on_the_mean(model):
    luminance = model.albedo_mean @ np.array([0.299, 0.587, 0.114])
    points = model.landmarks["ibug68"]
    brow = luminance[points[[18, 19, 20, 23, 24, 25]]].mean()
    bare = luminance[model.regions["cheeks"]].mean()
    # A camera resolves steps of 0.01; the brow gate of the registration needs about 0.17.
    assert bare - brow > 0.2
    red = model.albedo_mean[:, 0] - model.albedo_mean[:, 1]
    lips = points[[57, 51]]
    assert red[model.regions["mouth"]].max() > red[model.regions["cheeks"]].mean() + 0.07
    assert luminance[lips].max() < bare
    eye = luminance[model.part_vertices("eye")]
    assert eye.min() < 0.1
    assert eye.max() > 0.65  # a sclera below the lid, as photographs show it


def test_skin_modes_span_light_to_dark(model):
    tone = np.zeros(len(model.albedo_modes))
    cheeks = model.regions["cheeks"]
    tone[0] = 2
    light, dark = (model.albedo(s * tone)[cheeks].mean() for s in (1, -1))
    # the lightest and darkest skins of synth.skin.pigment have means of 0.67 and 0.27
    assert light > 0.6
    assert dark < 0.33
