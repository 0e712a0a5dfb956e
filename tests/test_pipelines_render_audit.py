"""What was rendered is what an audit finds: the ladder's shares, and the command that it gives."""

import json

import numpy as np
import pytest

from faces.morphable import save_model
from pipelines.cli import main
from synth.pose_plan import PosePlan
from tests import simulate
from tests.test_pipelines_render import PICTURE, write_mesh
from tests.toy import toy_model


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The toy model and two faces of it as meshes."""
    root, model = tmp_path_factory.mktemp("ladder"), toy_model()
    save_model(model, root / "toy.npz")
    for seed in range(2):
        shape = simulate.true_shape(model, np.random.default_rng(seed))
        write_mesh(root / "meshes" / f"p{seed}" / "a.ply", shape, model)
    return root


def render(root, out, *words):
    fixed = ["render", "--out", str(out), "--model", str(root / "toy.npz"), *PICTURE]
    return main([*fixed, "--faces", str(root / "meshes"), *words])


def audited(tmp_path, *words):
    out = tmp_path / "audit.json"
    assert main(["audit", *map(str, words), "--json", str(out)]) == 0
    return json.loads(out.read_text())["sets"]


@pytest.fixture(scope="module", params=[10, 26])
def ladder(root, tmp_path_factory, request):
    out = tmp_path_factory.mktemp(f"ladder{request.param}")
    assert render(root, out, "--preset", "ladder", "--views", str(request.param)) == 0
    return request.param, out


def test_the_ladders_shares_come_back_exactly(ladder, tmp_path):
    """Requested, achieved and counted share of each of the eleven sets, as the plan has them; of
    26 views the shares that two mirrored halves allow."""
    views, out = ladder
    plans, rungs = PosePlan.ladder(views), sorted(out.iterdir())
    assert len(plans) == len(rungs) == 11
    for plan, rung, found in zip(plans, rungs, audited(tmp_path, *rungs), strict=True):
        large = sum(pose.is_large for pose in plan.poses)
        assert found["images"] == 2 * views
        assert found["large"] == 2 * large
        assert found["faults"] == {}
        (said,) = found["plans"].values()
        assert said["counted"] == large / views
        assert said["achieved"] == pytest.approx(large / views, abs=5e-7)  # read to six digits
        assert said["requested"] == plan.requested_share == int(rung.name) / 100
        assert found["requested"]["bins"] == found["bins"]


def test_rendering_what_the_audit_says_reaches_the_share(root, ladder, tmp_path, capsys):
    """The command is done as printed, with the set's own faces, and both sets counted together."""
    _, out = ladder
    (before,) = audited(tmp_path, out / "020")
    capsys.readouterr()
    assert main(["audit", str(out / "020"), "--target-ratio", "0.5"]) == 0
    printed = capsys.readouterr().out.split("synth render ")[1].splitlines()[0].split()
    assert printed[:4] == ["--faces", "FACES", "--out", "OUT"]
    assert render(root, tmp_path / "more", *printed[4:]) == 0
    (more,) = audited(tmp_path, tmp_path / "more")
    assert more["large"] == more["images"]
    share = (before["large"] + more["large"]) / (before["images"] + more["images"])
    assert share == 0.5
