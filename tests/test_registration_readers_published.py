"""The published mesh layouts: a tree of each, written here, gives the surface, person and terms."""

import inspect
import logging

import numpy as np
import pytest
import trimesh

from faces.errors import BadInput
from registration.readers import open_layout
from registration.readers.base import LAYOUTS, SOURCE_FIELDS, reader_class
from tests.surfaces import (
    BULGE_MM,
    check_surface,
    corner_colors,
    surface,
    write_obj,
    write_texture,
    write_wrl,
)


def bu3dfe(root, subject):
    home = root / subject
    vertices, triangles, uv = surface()
    name = f"{subject}_AN01WH_F2D.bmp"
    write_wrl(home / f"{subject}_AN01WH_F3D.wrl", vertices, triangles, uv, texture=name)
    write_texture(home / name)
    rows = np.linspace(0, len(vertices) - 1, 83).astype(int)
    lines = [f"{row}\t\t" + " ".join(f"{x:.4f}" for x in vertices[row]) for row in rows]
    (home / f"{subject}_AN01WH_F3D.bnd").write_text("\n".join(lines) + "\n")


def bp4d(root, subject):
    home = root / subject / "T8"
    home.mkdir(parents=True)
    write_obj(home / "0012.obj", *surface(), material=False)
    write_texture(home / "0012.jpg")


def bp4d_wrl(root, subject):
    home = root / subject / "T8"
    # The file names its texture by the path that it had on another machine.
    write_wrl(home / "0012.wrl", *surface(), texture=r"D:\\scans\\0012.jpg")
    write_texture(home / "0012.jpg")


def casia3d(root, subject):
    vertices, triangles, uv = surface()
    path = root / "3D-Face-WRL" / subject / f"{subject}-001.wrl"
    write_wrl(path, vertices, triangles, colors=corner_colors(uv))


def florence(root, subject):
    home = root / subject / "Model" / "frontal1" / "obj"
    home.mkdir(parents=True)
    write_obj(home / "110920150452.obj", *surface())


def facescape(root, subject):
    home = root / subject / "models_reg"
    home.mkdir(parents=True)
    write_obj(home / "1_neutral.obj", *surface(), material=False)
    # The set's own materials are black and name no image.
    (home / "1_neutral.obj.mtl").write_text("newmtl a\nKd 0 0 0\n")
    text = (home / "1_neutral.obj").read_text()
    (home / "1_neutral.obj").write_text(f"mtllib ./1_neutral.obj.mtl\nusemtl a\n{text}")
    write_texture(home / "1_neutral.jpg")


def headspace(root, subject):
    home = root / "subjects" / subject
    home.mkdir(parents=True)
    write_obj(home / "090625104234.obj", *surface(), material=False)
    write_texture(home / "090625104234.bmp")


def now(root, subject):
    home = root / "scans" / subject
    home.mkdir(parents=True)
    vertices, triangles, uv = surface()
    write_obj(home / "head.000001.obj", vertices, triangles, uv)
    points = root / "scans_lmks_onlypp" / subject
    points.mkdir(parents=True)
    tags = "".join(
        f' <point x="{x}" y="{y}" z="{z}" name="{i}" active="1"/>\n'
        for i, (x, y, z) in enumerate(vertices[np.linspace(0, len(vertices) - 1, 7).astype(int)])
    )
    text = f"<!DOCTYPE PickedPoints>\n<PickedPoints>\n{tags}</PickedPoints>\n"
    (points / "head.000001_picked_points.pp").write_text(text)


# layout, what writes it, two people, the first one's key
CASES = {
    "bu3dfe": ("bu3dfe", bu3dfe, ("F0001", "M0044"), "F0001/AN01WH"),
    "bp4d": ("bp4d", bp4d, ("F001", "M018"), "F001/T8/0012"),
    "bp4d-wrl": ("bp4d", bp4d_wrl, ("F001", "M018"), "F001/T8/0012"),
    "casia3d": ("casia3d", casia3d, ("001", "002"), "001/001-001"),
    "florence": (
        "florence",
        florence,
        ("subject_01", "subject_02"),
        "subject_01/frontal1/110920150452",
    ),
    "facescape": ("facescape", facescape, ("1", "847"), "1/1_neutral"),
    "headspace": ("headspace", headspace, ("00001", "01519"), "00001/090625104234"),
    "now": ("now", now, ("FaMoS_180424_03335_TA", "FaMoS_2"), "FaMoS_180424_03335_TA/head_000001"),
}


@pytest.fixture(params=CASES, ids=list(CASES))
def case(request, tmp_path):
    layout, write, people, key = CASES[request.param]
    for person in people:
        write(tmp_path, person)
    return layout, tmp_path, people, key


def test_the_surface_the_person_and_the_terms(case):
    layout, root, people, key = case
    reader = open_layout(layout, root)
    refs = reader.refs()
    assert tuple(ref.subject for ref in refs) == people
    assert refs[0].key == key
    assert all("." not in ref.key for ref in refs)  # a dot would end the key in a shard
    scan = reader.read(refs[0])
    check_surface(scan)
    assert scan.provenance.source == reader.KNOWN["source"]
    assert scan.provenance.licence == reader.KNOWN["licence"]
    assert scan.provenance.consent == "unknown"
    assert scan.landmarks is None


def test_auto_finds_the_layout(case):
    layout, root, _, _ = case
    assert type(open_layout("auto", root)) is type(open_layout(layout, root))


def test_what_the_user_says_goes_before_what_the_set_says(tmp_path):
    casia3d(tmp_path, "001")
    (tmp_path / "source.json").write_text('{"licence": "a contract", "consent": "research"}')
    reader = open_layout("casia3d", tmp_path, source="ours")
    provenance = reader.read(reader.refs()[0]).provenance
    assert (provenance.source, provenance.licence) == ("ours", "a contract")
    assert provenance.consent == "research"


@pytest.mark.parametrize(
    ("write", "person", "layout", "name", "count"),
    [(bu3dfe, "F0001", "bu3dfe", "bu83_mm", 83), (now, "p", "now", "now7_mm", 7)],
)
def test_3d_points_of_the_set_are_truth_in_the_cameras_frame(
    tmp_path, write, person, layout, name, count
):
    write(tmp_path, person)
    reader = open_layout(layout, tmp_path)
    scan = reader.read(reader.refs()[0])
    vertices = surface()[0]
    points = vertices[np.linspace(0, len(vertices) - 1, count).astype(int)]
    expected = points * [1, -1, -1] + [0, 0, 900 + BULGE_MM / 2]
    np.testing.assert_allclose(scan.truth[name], expected, atol=1e-4)  # four decimals written


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[: len(text) // 2], "shape|inhomogeneous"),
        (lambda text: text.replace(" ", " x", 1), "could not convert|x"),
        (lambda text: "", "shape"),
    ],
)
def test_damaged_points_are_named(tmp_path, damage, says):
    bu3dfe(tmp_path, "F0001")
    points = tmp_path / "F0001" / "F0001_AN01WH_F3D.bnd"
    points.write_text(damage(points.read_text()))
    reader = open_layout("bu3dfe", tmp_path)
    with pytest.raises(BadInput, match=says) as caught:
        reader.read(reader.refs()[0])
    assert points.name in str(caught.value)
    assert "83 lines" in caught.value.expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<PickedPoints><point x='1' y='2'/></PickedPoints>", "KeyError"),
        ("<PickedPoints>", "ParseError"),
        ("<PickedPoints></PickedPoints>", "shape"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "entities"),
    ],
)
def test_damaged_picked_points_are_named(tmp_path, text, says):
    now(tmp_path, "p")
    points = next(tmp_path.rglob("*.pp"))
    points.write_text(text)
    reader = open_layout("now", tmp_path)
    with pytest.raises(BadInput, match=says) as caught:
        reader.read(reader.refs()[0])
    assert points.name in str(caught.value)


def test_other_files_are_named_and_left_out(tmp_path, caplog):
    bu3dfe(tmp_path, "F0001")
    raw = tmp_path / "F0001" / "F0001_AN01WH_RAW.wrl"
    raw.write_text("#VRML V2.0 utf8\n")
    with caplog.at_level(logging.WARNING):
        assert len(open_layout("bu3dfe", tmp_path).refs()) == 1
    assert raw.name in caplog.text


def test_one_frame_as_obj_and_wrl_is_one_scan(tmp_path):
    bp4d(tmp_path, "F001")
    vertices, triangles, uv = surface(5)
    write_wrl(tmp_path / "F001" / "T8" / "0012.wrl", vertices, triangles, uv)
    (ref,) = open_layout("bp4d", tmp_path).refs()
    assert ref.files["mesh"].endswith(".obj")


def test_a_folder_of_another_kind_is_described(tmp_path):
    bu3dfe(tmp_path, "F0001")
    with pytest.raises(BadInput, match=r"F0001_AN01WH_F3D\.wrl") as caught:
        open_layout("casia3d", tmp_path).refs()
    assert "001/001-001.wrl" in caught.value.expected


def test_florence_leaves_out_scans_from_the_side(tmp_path, caplog):
    florence(tmp_path, "subject_01")
    side = tmp_path / "subject_01" / "Model" / "sidelLeft" / "obj"
    side.mkdir(parents=True)
    write_obj(side / "1.obj", *surface(5))
    assert [ref.key for ref in open_layout("florence", tmp_path).refs()] == [
        "subject_01/frontal1/110920150452"
    ]


@pytest.mark.parametrize("name", ["bp4d", "headspace", "facescape"])
def test_a_missing_texture_is_an_error(tmp_path, name):
    layout, write, people, _ = CASES[name]
    write(tmp_path, people[0])
    for image in [*tmp_path.rglob("*.jpg"), *tmp_path.rglob("*.bmp")]:
        image.unlink()
    reader = open_layout(layout, tmp_path)
    with pytest.raises(BadInput, match="no texture"):
        reader.read(reader.refs()[0])


def test_a_truncated_texture_is_an_error(tmp_path):
    headspace(tmp_path, "00001")
    image = next(tmp_path.rglob("*.bmp"))
    image.write_bytes(image.read_bytes()[:5000])
    reader = open_layout("headspace", tmp_path)
    with pytest.raises(BadInput, match="damaged or truncated"):
        reader.read(reader.refs()[0])


def test_auto_says_what_it_found_when_it_cannot_tell(tmp_path):
    with pytest.raises(BadInput, match="no files") as caught:
        open_layout("auto", tmp_path)
    assert "facescape" in caught.value.expected
    (tmp_path / "notes.txt").touch()
    (tmp_path / "film.avi").touch()
    with pytest.raises(BadInput, match=r"\.avi \(1\), \.txt \(1\); first 'film.avi'"):
        open_layout("auto", tmp_path)


def test_auto_asks_where_two_layouts_lie(tmp_path):
    bu3dfe(tmp_path, "F0001")
    casia3d(tmp_path, "001")
    with pytest.raises(BadInput, match=r"'bu3dfe' \(1\) and 'casia3d' \(1\)") as caught:
        open_layout("auto", tmp_path)
    assert "--layout" in caught.value.remedy


def test_auto_takes_other_meshes_as_such(tmp_path):
    trimesh.creation.icosphere().export(tmp_path / "a.ply")
    assert type(open_layout("auto", tmp_path)).__name__ == "MeshReader"


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_every_layout_takes_the_terms_as_options(layout):
    """So that what a data set's files do not say can be said on the command line."""
    assert set(SOURCE_FIELDS) <= set(inspect.signature(reader_class(layout)).parameters)
