"""VRML97: small scenes whose surface is known, and files that are broken in every way."""

import numpy as np
import pytest

from faces.errors import BadInput
from registration.readers.vrml import read_vrml
from registration.readers.vrml_syntax import MAX_DEPTH
from tests.surfaces import surface, write_wrl

SQUARE = "coord Coordinate { point [ 0 0 0, 2 0 0, 2 2 0, 0 2 0 ] } coordIndex [ 0 1 2 3 -1 ]"


def read(tmp_path, body, header="#VRML V2.0 utf8"):
    path = tmp_path / "a.wrl"
    path.write_text(f"{header}\n{body}\n")
    return read_vrml(path)


def shape(fields, appearance=""):
    return f"Shape {{ {appearance} geometry IndexedFaceSet {{ {fields} }} }}"


def area(mesh):
    a, b, c = np.moveaxis(mesh.vertices[mesh.triangles], 1, 0)
    return np.cross(b - a, c - a).sum(0) / 2  # its direction is the winding's


def test_polygons_become_triangles(tmp_path):
    mesh = read(tmp_path, shape(SQUARE))
    assert mesh.triangles.shape == (2, 3)
    np.testing.assert_allclose(area(mesh), [0, 0, 4])
    assert (mesh.uv, mesh.colors, mesh.textures) == (None, None, ())


def test_polygons_of_several_sizes_keep_their_area(tmp_path):
    angles = 2 * np.pi * np.arange(7) / 7
    points = " ".join(f"{np.cos(a)} {np.sin(a)} 0," for a in angles)
    fields = f"coord Coordinate {{ point [ {points} 3 0 0, 4 0 0, 4 1 0 ] }}"
    mesh = read(tmp_path, shape(fields + " coordIndex [ 0,1,2,3,4,5,6,-1, 7,8,9 ]"))
    assert len(mesh.triangles) == 5 + 1
    heptagon = 7 / 2 * np.sin(2 * np.pi / 7)
    np.testing.assert_allclose(area(mesh), [0, 0, heptagon + 0.5], atol=1e-12)


def test_a_scanners_file_comes_back(tmp_path):
    vertices, triangles, uv = surface(41)
    write_wrl(tmp_path / "s.wrl", vertices, triangles, uv, texture="skin.bmp")
    mesh = read_vrml(tmp_path / "s.wrl")
    np.testing.assert_allclose(mesh.vertices, vertices, atol=1e-6)  # six decimals written
    np.testing.assert_allclose(mesh.uv, uv, atol=1e-6)
    np.testing.assert_array_equal(mesh.triangles, triangles)
    assert mesh.textures == ("skin.bmp",)


def test_a_seam_splits_its_vertices(tmp_path):
    fields = """coord Coordinate { point [ 0 0 0 1 0 0 1 1 0 0 1 0 2 0 0 2 1 0 ] }
      coordIndex [ 0 1 2 3 -1 1 4 5 2 -1 ]
      texCoord TextureCoordinate { point [ 0 0, .5 0, .5 1, 0 1, .6 0, 1 0, 1 1, .6 1 ] }
      texCoordIndex [ 0 1 2 3 -1 4 5 6 7 -1 ]"""
    mesh = read(tmp_path, shape(fields))
    assert len(mesh.vertices) == 8  # two of six lie on the seam
    centres = mesh.vertices[mesh.triangles].mean(1)[:, 0]
    assert (mesh.uv[mesh.triangles].mean(1)[:, 0] > 0.55).tolist() == (centres > 1).tolist()


@pytest.mark.parametrize("listed", ["", "colorIndex [ 2 0 ]"])
def test_colours_a_face(tmp_path, listed):
    fields = """colorPerVertex FALSE color Color { color [ 1 0 0, 0 1 0, 0 0 1 ] }
      coord Coordinate { point [ 0 0 0 1 0 0 1 1 0 0 1 0 2 0 0 2 1 0 ] }
      coordIndex [ 0 1 2 3 -1 1 4 5 2 -1 ] """
    mesh = read(tmp_path, shape(fields + listed))
    left = mesh.vertices[mesh.triangles].mean(1)[:, 0] < 1
    first, second = ([0, 0, 255], [255, 0, 0]) if listed else ([255, 0, 0], [0, 255, 0])
    assert (mesh.colors[mesh.triangles[left]] == first).all()
    assert (mesh.colors[mesh.triangles[~left]] == second).all()


def test_placement_of_nested_transforms(tmp_path):
    inner = f"Transform {{ scale 2 1 1 center 1 0 0 children [ {shape(SQUARE)} ] }}"
    turned = "rotation 0 0 1 1.5707963267948966 translation 0 0 5"
    mesh = read(tmp_path, f"DEF A Transform {{ {turned} children {inner} }}")
    # x: 0…2 doubled about 1 gives -1…3; the quarter turn carries it to y, and y to -x.
    np.testing.assert_allclose(mesh.vertices.min(0), [-2, -1, 5], atol=1e-12)
    np.testing.assert_allclose(mesh.vertices.max(0), [0, 3, 5], atol=1e-12)


def test_names_comments_routes_and_other_nodes(tmp_path):
    body = f"""# a comment with a }} in it
    WorldInfo {{ title "a # that is no comment" info [ "x" "y" ] }}
    NavigationInfo {{ headlight TRUE speed 1.5 }} Viewpoint {{ position 0 0 10 }}
    Group {{ children [
      Transform {{ children DEF S {shape(SQUARE)} }}
      Transform {{ translation 10 0 0 children USE S }}
    ] }}
    DEF T TimeSensor {{ }}
    ROUTE T.a TO T.b"""
    mesh = read(tmp_path, body)
    assert len(mesh.triangles) == 4
    assert mesh.vertices[:, 0].max() == 12


def test_clockwise_faces_are_turned(tmp_path):
    np.testing.assert_allclose(area(read(tmp_path, shape(f"ccw FALSE {SQUARE}"))), [0, 0, -4])


def test_windows_paths_and_several_urls(tmp_path):
    url = r'appearance Appearance { texture ImageTexture { url [ "a\\b.bmp" "c.bmp" ] } }'
    mesh = read(tmp_path, shape(SQUARE, url))
    assert mesh.textures == (r"a\b.bmp", "c.bmp")


def nested(depth):
    return "Group { children " * depth + shape(SQUARE) + "}" * depth


def doubled(times):
    """2 to the power of ``times`` squares, in a few lines."""
    steps = [f"DEF A{i + 1} Group {{ children [ USE A{i} USE A{i} ] }}" for i in range(times)]
    return "\n".join([f"DEF A0 {shape(SQUARE)}", *steps])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "no IndexedFaceSet"),
        ("Group { children [ ] }", "no IndexedFaceSet"),
        (shape(SQUARE)[:-20], "ends too early|never ends|the end of the file"),
        (shape(SQUARE).replace("3 -1", "4 -1"), "reaches 4 of 4"),
        (shape(SQUARE).replace("0 2 0 ]", "0 2 ]"), "multiple of 3"),
        (shape(SQUARE).replace("2 2 0", "2 z 0"), "line 2: a list of numbers"),
        (shape(SQUARE).replace("1 2 3", "1 2.5 3"), "no whole numbers"),
        (shape("coordIndex [ 0 1 2 -1 ]"), "without coordinates"),
        (shape("coord Coordinate { point [ 0 0 0 ] }"), "no triangles"),
        (
            shape(SQUARE + " texCoord TextureCoordinate { point [0 0] } texCoordIndex [0 0 -1]"),
            "oth",
        ),
        (
            shape(SQUARE + " color Color { color [0 0 0] } colorPerVertex FALSE colorIndex [4]"),
            "4 of",
        ),
        (shape(SQUARE) + "}", "'}'|where"),
        ("Transform { children [ USE A ] }", "USE of 'A'"),
        ("PROTO A [ ] { }", "PROTO"),
        ("Transform { scale 1 2 children [ ] }", "scale has 2"),
        (nested(MAX_DEPTH), "nested deeper"),
        (doubled(20), "nodes in the scene"),
        (
            shape(SQUARE, 'appearance Appearance { texture ImageTexture { url "a" } }')
            + shape(SQUARE, 'appearance Appearance { texture ImageTexture { url "b" } }'),
            "2 different textures",
        ),
        (
            shape(SQUARE) + shape(SQUARE + " color Color { color [ 0 0 0 1 1 1 1 0 1 0 1 1 ] }"),
            "colours on some",
        ),
    ],
)
def test_what_is_broken_is_said(tmp_path, body, says):
    with pytest.raises(BadInput, match=says) as caught:
        read(tmp_path, body)
    assert "a.wrl" in caught.value.what
    assert "VRML97" in caught.value.expected


def test_other_versions_and_no_text(tmp_path):
    with pytest.raises(BadInput, match=r"#VRML V1\.0"):
        read(tmp_path, shape(SQUARE), header="#VRML V1.0 ascii")
    (tmp_path / "a.wrl").write_bytes(b"\x1f\x8b\x08" + bytes(range(256)))
    with pytest.raises(BadInput, match="first line"):
        read_vrml(tmp_path / "a.wrl")
    with pytest.raises(BadInput, match="no such file"):
        read_vrml(tmp_path / "b.wrl")


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_a_file_cut_short(tmp_path, share):
    vertices, triangles, uv = surface(11)
    path = tmp_path / "s.wrl"
    write_wrl(path, vertices, triangles, uv)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BadInput, match=r"s\.wrl"):
        read_vrml(path)
