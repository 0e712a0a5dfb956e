"""The peers of benchmarks.registration are given what they need, and its tables are Markdown."""

import io
import sys

import numpy as np
import pytest

from benchmarks.registration_peers import METHODS, PeerSettings, registered
from benchmarks.tables import copied_to, print_table
from faces.mesh import vertex_normals
from faces.visibility import visible_vertices
from tests.simulate import subject
from tests.toy import toy_model

PLAIN = PeerSettings((1.0, 0.01), (0.1, 0.1), reach_mm=5.0)  # matches at points: needs no rtree


@pytest.mark.parametrize("name", METHODS)
def test_a_peer_takes_a_dent_out(name):
    """Units, landmarks and target are right if it does: a wave of 1.5 mm falls to noise."""
    model = toy_model()
    scan = subject(model, 3, noise_mm=0.3)
    truth = scan.truth["vertices_mm"]
    normals = vertex_normals(truth, model.triangles)
    wave = 1.5 * np.sin(model.mean_mm[:, 0] / 16) * np.cos(model.mean_mm[:, 1] / 16)
    dented = truth + wave[:, None] * normals
    kept = dented.copy()
    found = registered(name, dented, scan, model, PLAIN)
    seen = visible_vertices(truth, model.triangles, scan.camera, cos_min=0.5)
    seen &= model.regions["narrow_face"]
    before, after = (np.abs(((v - truth) * normals).sum(1)[seen]).mean() for v in (dented, found))
    assert after < before / 2
    assert np.array_equal(dented, kept)  # trimesh scales its source in place


def test_a_table_is_markdown_and_goes_to_the_file_as_well(tmp_path):
    screen = sys.stdout
    sys.stdout = io.StringIO()
    try:
        with copied_to(tmp_path / "new" / "out.md"):
            print_table(("", "mm"), [("T-ICP", "1.5"), ("a", "10.25")])
        printed = sys.stdout.getvalue()
    finally:
        sys.stdout = screen
    lines = ["|       |    mm |", "| ----- | ----: |", "| T-ICP |   1.5 |", "| a     | 10.25 |"]
    assert printed.splitlines() == lines
    assert (tmp_path / "new" / "out.md").read_text(encoding="utf-8") == printed
