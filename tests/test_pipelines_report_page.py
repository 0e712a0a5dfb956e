"""The report's page: the review list's order and reasons, and tables only of what is known."""

from pathlib import Path

from faces.types import Provenance, Quality
from pipelines.report_page import FaceEntry, review_order, write_page
from pipelines.truth import COLUMNS, PLACES


def entry(key, verdict, severity, reason="", figures=None, **more):
    quality = Quality(
        verdict, reason, 0.5, 0.9, 0.0, 0.02, figures=figures or {}, severity=severity
    )
    return FaceEntry(key, Provenance("test"), quality, **more)


def faces():
    return [
        entry("good", "accept", 0.9, panels="0000-face.jpg"),
        entry("odd", "review", 1.2, "far from <every> face", {"failure_chance": 0.537}),
        entry("odder", "review", 1.9, "colours do not match", panels="0002-face.jpg"),
        entry("ball", "reject", 1.7, "an unlikely face"),
    ]


def test_the_review_list_is_worst_first_and_without_the_accepted():
    assert [e.key for e in review_order(faces())] == ["ball", "odder", "odd"]
    page = write_page(Path("set"), faces())
    listed = page[page.index("To look at: 3 of 4") : page.index("<h2>Faces")]
    assert listed.index("ball") < listed.index("odder") < listed.index(">odd<")
    assert "<td>54%<td>far from &lt;every&gt; face" in listed
    assert "good" not in listed
    assert "1 accept" in page
    assert "2 review" in page


def test_only_faces_with_pictures_are_linked_and_shown():
    page = write_page(Path("set"), faces())
    assert 'href="#odder"' in page
    assert 'id="odder"' in page
    assert "#ball" not in page
    assert "2 are shown" in page


def test_tables_of_error_are_there_where_truth_is():
    assert "against truth" not in write_page(Path("set"), faces()[:1]).split("<h2>Faces")[0]
    known = [
        entry(
            f"face{k}",
            "accept",
            0.5,
            panels=f"{k}.jpg",
            errors=dict.fromkeys(COLUMNS, 1.0 + k),
            places=dict.fromkeys(PLACES, 2.0 * k),
        )
        for k in (1, 2)
    ]
    page = write_page(Path("set"), known)
    head = page.split("<h2>Faces")[0]
    assert all(f"<th>{name}" in head for name in PLACES)
    assert head.count("<b>mean of 2</b><td>2.50") == 1  # errors 2 and 3
    assert head.count("<b>mean of 2</b><td>3.00") == 1  # places 2 and 4
