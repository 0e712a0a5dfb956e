"""Which modes a face is fitted with, and that its coefficients mean the same in the whole model."""

from dataclasses import replace

import numpy as np
import pytest

from faces.errors import BadInput
from faces.models import load_model
from faces.types import FaceFit
from pipelines.recipes.fg3d import Fg3dConfig, identify
from pipelines.stages.register import in_full
from synth.beyond import FITTED, fitting_model
from tests.staged import stage

MODEL = load_model("default")


@pytest.mark.parametrize(
    ("scans", "asked", "taken"),
    [
        (None, "auto", "truncated"),
        (".", "auto", "full"),
        (None, "full", "full"),
        (".", "truncated", "truncated"),
    ],
)
def test_simulated_people_are_fitted_with_fewer_modes_than_they_are_made_of(scans, asked, taken):
    assert identify(Fg3dConfig(scans=scans, basis=asked)).basis == taken


def test_another_basis_is_refused():
    with pytest.raises(BadInput, match="truncated"):
        identify(Fg3dConfig(basis="half"))


@pytest.mark.parametrize("expressions", [len(FITTED), 5])
def test_coefficients_give_the_same_surface_in_the_whole_model(expressions):
    small, rng = fitting_model(MODEL), np.random.default_rng(7)
    pose, face = stage().face.pose, stage().face
    identity, expression = rng.normal(size=40), rng.random(expressions)
    fitted = pose.apply(small.shape(identity, expression))
    face = replace(face, initial=FaceFit(pose, identity, expression, fitted))
    initial = in_full(face, small, MODEL).initial
    assert np.count_nonzero(initial.expression) == expressions
    again = pose.apply(MODEL.shape(initial.identity, initial.expression))
    # the same sum of float32 modes in another order
    np.testing.assert_allclose(again, fitted, atol=1e-3)
