"""Many scans solved together on a torch device, against the CPU's solver and register()."""

import sys
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp

from faces.errors import BadInput, MissingExtra
from faces.solver import analyse
from registration import batched, batched_solver
from registration.batched import register_batch
from registration.batched_factor import factorise
from registration.batched_levels import levels_of
from registration.batched_solver import solve_together, torch_device
from registration.nonrigid import System
from registration.template import template_of
from registration.ticp import TicpSettings, register
from tests.simulate import subject
from tests.toy import toy_model

torch = pytest.importorskip("torch")

CPU = torch.device("cpu")
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU here")
DEVICES = ["cpu-torch", pytest.param("cuda", marks=NO_GPU)]


def systems(count=3, length_mm=10.0, direct=True, tolerance=1e-3):
    """As many systems of one stage on the toy's coarse level, each with its own matches."""
    template, rng = template_of(toy_model().coarse), np.random.default_rng(0)
    made = []
    for _ in range(count):
        matched = rng.random((len(template.vertices), 1)) < 0.5
        data = template.area_mm2[:, None] * matched
        gap = rng.normal(0, 3, template.positions_mm.shape)
        diagonal = (data + 0.01 * template.area_mm2[:, None])[:, 0]
        smooth = (0.1 * length_mm**2, length_mm**4)
        start = 0.5 * data * gap
        made.append(System(template, diagonal, *smooth, data * gap, start, direct, tolerance))
    return made


def grid(side, copies=1):
    """Laplacian + 1 of ``copies`` square grids apart from each other, and their positions."""
    line = sp.diags([np.ones(side - 1), np.ones(side - 1)], [-1, 1])
    near = sp.kron(sp.eye(copies), sp.kronsum(line, line))
    matrix = sp.csr_matrix(sp.diags(near.sum(1).A1 + 1) - near)
    matrix.sort_indices()
    x, y, z = np.meshgrid(np.arange(copies), np.arange(side), np.arange(side), indexing="ij")
    return matrix, np.stack([1e3 * x, y, z], -1).reshape(-1, 3).astype(float)


def exact(system):
    """The answer (n, 3) by a factor in float64."""
    matrix = system.template.system(system.diagonal, system.membrane, system.bending)
    return system.template.symbolic.factorise(matrix).solve(system.right)


@dataclass
class OwnWay:
    """Another energy's system: nothing but a way to solve it."""

    system: System

    def solve(self):
        return exact(self.system)


def broken(system):
    return replace(system, diagonal=-1e6 * np.abs(system.diagonal))


def test_batched_factor_is_the_factor_of_each_matrix():
    made = systems()
    template = made[0].template
    shared = template.system(np.zeros(len(template.vertices)), made[0].membrane, made[0].bending)
    diagonal = torch.as_tensor(np.stack([system.diagonal for system in made]))
    right = torch.as_tensor(np.stack([system.right for system in made]))
    factor = factorise(template.symbolic, torch.as_tensor(shared.data), diagonal)
    assert not factor.bad.any()
    for found, system in zip(factor.solve(right).numpy(), made, strict=True):
        expected = exact(system)
        # The condition number is about 1e7 at ℓ = 10 mm: 1e-16 times it, and some room.
        assert np.abs(found - expected).max() < 1e-8 * np.abs(expected).max()


@pytest.mark.parametrize(("side", "copies", "fronts"), [(4, 1, 1), (20, 1, 3), (7, 9, 9)])
def test_one_front_and_grids_apart_are_factored_too(side, copies, fronts):
    matrix, positions = grid(side, copies)
    symbolic = analyse(matrix, positions)
    assert len(symbolic.fronts) >= fronts
    diagonal, right = np.random.default_rng(0).random((2, 3, len(positions)))
    factor = factorise(symbolic, torch.as_tensor(matrix.data), torch.as_tensor(diagonal))
    found = factor.solve(torch.as_tensor(right)[..., None]).numpy()[..., 0]
    for x, more, expected in zip(found, diagonal, right, strict=True):
        # A condition number below 10 leaves all but the last digit.
        np.testing.assert_allclose((matrix + sp.diags(more)) @ x, expected, rtol=0, atol=1e-13)


def test_levels_hold_every_unknown_and_every_child_once():
    symbolic = systems(1)[0].template.symbolic
    levels, count = levels_of(symbolic), len(symbolic.order)
    own = np.concatenate([level.own.ravel() for level in levels])
    np.testing.assert_array_equal(np.sort(own[own < count]), np.arange(count))
    assert len(levels) < len(symbolic.fronts) / 3
    for deeper, level in pairwise(levels):
        child = np.concatenate([children.child for children in level.children])
        np.testing.assert_array_equal(np.sort(child), np.arange(len(deeper.own)))
        for children in level.children:  # no sum may depend on the order of two writers
            assert len(np.unique(children.parent)) == len(children.parent)
            # A child's border lies among its parent's unknowns, under the same numbers.
            known = np.hstack([level.own, level.border, np.full((len(level.own), 1), count)])
            found = known[children.parent[:, None], children.place]
            np.testing.assert_array_equal(found, deeper.border[children.child])


@pytest.mark.parametrize("name", DEVICES)
def test_the_same_systems_give_the_same_bits(name):
    first, again = (solve_together(systems(), torch_device(name)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("length_mm", [40.0, 10.0, 2.5])
def test_float32_factor_is_refined_to_the_answer_of_float64(name, length_mm):
    made = systems(length_mm=length_mm)
    for found, system in zip(solve_together(made, torch_device(name)), made, strict=True):
        # A thousandth of what may flip a match; one float32 solve alone is some µm off.
        np.testing.assert_allclose(found, exact(system), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", DEVICES)
def test_gradients_take_the_steps_of_the_cpu_and_stop_where_it_stops(name):
    made = systems(length_mm=2.5, direct=False, tolerance=0.03)
    made[0] = replace(made[0], start=made[0].start * 0)
    for found, system in zip(solve_together(made, torch_device(name)), made, strict=True):
        # The iterates, far from the answer, agree but for the rounding of sums in another order.
        np.testing.assert_allclose(found, system.solve(), rtol=0, atol=1e-6)
        assert np.abs(found - exact(system)).max() > 1e-3


@pytest.mark.parametrize("direct", [True, False])
def test_a_matrix_that_is_not_definite_sinks_no_other(direct):
    made = systems(direct=direct)
    alone = solve_together(made[::2], CPU)
    made[1] = broken(made[1])
    first, second, third = solve_together(made, CPU)
    assert isinstance(second, ValueError)
    assert "not positive definite" in str(second)
    np.testing.assert_allclose([first, third], alone, rtol=0, atol=1e-6)


def test_a_system_that_is_not_finite_sinks_no_other():
    made = systems()
    made[1] = replace(made[1], right=made[1].right * np.nan)
    made[2] = replace(made[2], diagonal=made[2].diagonal * np.nan)
    first, second, third = solve_together(made, CPU)
    np.testing.assert_allclose(first, exact(made[0]), rtol=0, atol=1e-5)
    assert isinstance(second, ValueError)
    assert isinstance(third, ValueError)


def test_matrices_that_float32_cannot_factor_are_factored_in_float64(monkeypatch):
    made, kinds = systems(), []

    def coarse(symbolic, shared, diagonal):
        """factorise; in float32 it fails as at a condition number beyond 1e8, of one scan."""
        kinds.append(shared.dtype)
        factor = factorise(symbolic, shared, diagonal)
        if shared.dtype == torch.float64:
            return factor
        bad = torch.tensor([False, True, False])
        return replace(factor, blocks=[(a * torch.nan, b) for a, b in factor.blocks], bad=bad)

    monkeypatch.setattr(batched_solver, "factorise", coarse)
    for found, system in zip(solve_together(made, CPU), made, strict=True):
        np.testing.assert_allclose(found, exact(system), rtol=0, atol=1e-6)
    assert kinds == [torch.float32, torch.float64]


@pytest.mark.parametrize("name", DEVICES)
def test_each_scan_of_a_batch_is_registered_as_it_is_alone(name):
    model = toy_model()
    scans = [subject(model, seed) for seed in (0, 1)]
    for face, scan in zip(register_batch(scans, model, device=name), scans, strict=True):
        alone = register(scan, model)
        np.testing.assert_allclose(face.vertices_mm, alone.vertices_mm, rtol=0, atol=0.01)
        np.testing.assert_allclose(face.shape_mm, alone.shape_mm, rtol=0, atol=0.01)
        assert face.key == scan.key
        assert face.quality.verdict == alone.quality.verdict
        assert (np.isfinite(face.residual_mm) == np.isfinite(alone.residual_mm)).mean() > 0.999


def test_bad_scans_keep_their_own_errors_and_sink_no_other(monkeypatch):
    model, settings = toy_model(), TicpSettings(refits=0, fine=TicpSettings().fine[:1])
    good = subject(model, 0)
    scans = [replace(good, key="bare", landmarks=None), good, replace(good, key="broken")]

    def steps(scan, *others):
        """registering, but the third system of "broken" has no solution."""
        run, count, solution = registering(scan, *others), 0, None
        while True:
            try:
                system = run.send(solution)
            except StopIteration as end:
                return end.value
            count += 1
            solution = yield broken(system) if scan.key == "broken" and count == 3 else system

    registering = batched.registering
    monkeypatch.setattr(batched, "registering", steps)
    bare, face, sunk = register_batch(scans, model, settings, "cpu-torch")
    assert isinstance(bare, BadInput)
    assert "bare" in str(bare)
    assert isinstance(sunk, ValueError)
    assert "not positive definite" in str(sunk)
    alone = register(good, model, settings)
    np.testing.assert_allclose(face.vertices_mm, alone.vertices_mm, rtol=0, atol=0.01)


def test_scans_at_different_stages_are_not_mixed():
    model = toy_model()
    short = TicpSettings(refits=0, fine=TicpSettings().fine[:1])
    runs = [
        batched._Run(batched.registering(subject(model, 0), model, settings))
        for settings in (short, replace(short, coarse=short.coarse[2:]), short)
    ]
    assert [len(batch) for batch in batched._alike(runs)] == [2, 1]


def test_an_energy_with_systems_of_its_own_is_solved_by_them(monkeypatch):
    made = systems(2)

    def steps(system, *_):
        return (yield OwnWay(system))

    monkeypatch.setattr(batched, "registering", steps)
    scans = [made[0], broken(made[1]), made[1]]
    first, sunk, last = register_batch(scans, toy_model(), device="cpu-torch")
    np.testing.assert_array_equal([first, last], [exact(system) for system in made])
    assert isinstance(sunk, ValueError)


def test_no_scans_give_no_faces():
    assert register_batch([], toy_model(), device="cpu-torch") == []


@pytest.mark.parametrize("name", ["gpu", "cpu", "cuda:", "cuda0", "cuda:-1", "cpu-torch:0"])
def test_another_device_is_refused(name):
    with pytest.raises(BadInput, match="cpu-torch, cuda or cuda:N"):
        torch_device(name)


@pytest.mark.parametrize(("count", "name"), [(0, "cuda"), (2, "cuda:2")])
def test_a_gpu_that_is_not_there_is_said_to_be_missing(monkeypatch, count, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(BadInput, match=f"torch finds {count} GPUs"):
        register_batch([], toy_model(), device=name)


def test_without_torch_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"facesynth\[train\]"):
        torch_device("cpu-torch")
