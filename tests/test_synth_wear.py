"""Hair and beards suit who wears them."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from faces.models import load_model
from synth.props.beard import LEAST_MM, make_beard
from synth.skin.parameters import MELANIN_RANGE, sample_skin
from synth.wear import COILED_CHANCE, STYLE_CHANCE, choose_hair, wear


@pytest.fixture(scope="module")
def model():
    return load_model("default")


def person(**changes):
    return replace(sample_skin(np.random.default_rng(2), 30, True), **changes)


def styles(skin, count=300):
    rng = np.random.default_rng(0)
    return Counter(choose_hair(skin, rng).style for _ in range(count))


def test_dark_skins_mostly_wear_coils_and_light_ones_seldom():
    low, high = MELANIN_RANGE
    only_coiled = set(COILED_CHANCE) - set(STYLE_CHANCE)
    for melanin, share in ((high, (0.4, 1.0)), (low, (0.0, 0.05))):
        found = styles(person(melanin=melanin, male=False))
        coiled = sum(found[name] for name in only_coiled) / found.total()
        assert share[0] <= coiled <= share[1]


def test_women_wear_it_long_more_often_than_men():
    long = ("long", "long fringe", "ponytail", "wavy", "bob")
    light = {"melanin": MELANIN_RANGE[0]}
    women, men = (styles(person(male=male, **light)) for male in (False, True))
    assert sum(women[n] for n in long) > 0.5 * women.total()
    assert sum(men[n] for n in long) < 0.15 * men.total()


def test_only_older_men_go_bald():
    for age, male, low, high in ((25, True, 0, 0), (70, True, 0.15, 0.35), (70, False, 0, 0)):
        found = styles(person(age_years=age, male=male))
        # 300 draws of a chance of 0.25 scatter by 0.025: four of them either way
        assert low <= found[None] / found.total() <= high


def test_hair_has_the_colour_of_the_skin_s_owner():
    tone = (0.42, 0.22, 0.11)
    settings = choose_hair(person(hair=np.array(tone)), np.random.default_rng(0))
    assert settings.tone == pytest.approx(tone)


def test_a_beard_grows_where_it_is_long_and_leaves_the_lips(model):
    shape, rng = model.mean_mm, np.random.default_rng(1)
    assert make_beard(model, shape, person(beard_mm=LEAST_MM - 0.1, stubble=1.0), rng) == []
    layers = make_beard(model, shape, person(beard_mm=7.0, stubble=0.9), rng)
    gaps = [cKDTree(shape).query(layer.vertices_mm)[0] for layer in layers]
    assert all(layer.label == "hair" for layer in layers)
    assert gaps[-1].max() > 3  # it has volume
    assert gaps[-1].mean() > gaps[0].mean() > 0.4  # layers begin half a millimetre over the skin
    lips = model.landmarks["ibug68"][[62, 66]]
    dense = layers[-1].vertices_mm[gaps[-1] > 1.5]
    assert np.linalg.norm(dense[:, None] - shape[lips], axis=-1).min() > 2
    eyes = shape[model.landmarks["ibug68"][36:48], 1].min()
    ahead = layers[-1].vertices_mm[:, 2] > 55  # of the sideburns
    assert layers[-1].vertices_mm[ahead, 1].max() < eyes


def test_no_beard_below_a_mask_and_none_on_a_bare_head(model):
    skin = person(beard_mm=7.0, stubble=0.9)
    tone = np.full(3, 0.5)

    def low_hair(occluder):
        pieces = wear(model, model.mean_mm, skin, tone, occluder, np.random.default_rng(4))
        chin = model.mean_mm[model.landmarks["ibug68"][8]]
        return sum(
            (np.linalg.norm(piece.vertices_mm - chin, axis=1) < 25).any()
            for piece in pieces
            if piece.label == "hair"
        )

    assert low_hair("hair") >= 1
    assert low_hair("mask") == 0
    assert low_hair("none") == 0


def test_the_same_state_wears_the_same(model):
    for seed in range(3):
        skin = person(beard_mm=7.0, stubble=0.9)
        first, second = (
            wear(model, model.mean_mm, skin, np.full(3, 0.5), "random", np.random.default_rng(seed))
            for _ in range(2)
        )
        assert [p.label for p in first] == [p.label for p in second]
        for one, two in zip(first, second, strict=True):
            assert np.array_equal(one.vertices_mm, two.vertices_mm)
            assert np.array_equal(one.albedo, two.albedo)
