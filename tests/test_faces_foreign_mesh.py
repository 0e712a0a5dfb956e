"""Meshes of others: headers that promise too much, and files that they name elsewhere."""

import json
import struct

import numpy as np
import pytest
import trimesh
from PIL import Image

from faces.errors import BadInput
from faces.foreign_mesh import load_mesh
from registration.readers.mesh_files import read_mesh
from tests.surfaces import surface, write_obj, write_wrl


@pytest.fixture
def glb(tmp_path):
    """A good GLB's header, and what writes it back changed."""
    vertices, triangles, uv = surface(5)
    visual = trimesh.visual.TextureVisuals(uv=uv, image=Image.new("RGB", (8, 8), (200, 90, 80)))
    path = tmp_path / "a.glb"
    trimesh.Trimesh(vertices, triangles, visual=visual, process=False).export(path)
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)

    def write(record):
        text = json.dumps(record).encode()
        text += b" " * (-len(text) % 4)
        head = struct.pack(
            "<4sIIII", b"glTF", 2, 20 + len(text) + len(data) - 20 - length, len(text), 0x4E4F534A
        )
        path.write_bytes(head + text + data[20 + length :])
        return path

    return json.loads(data[20 : 20 + length]), write


def test_a_list_without_a_buffer_is_not_believed(glb):
    record, write = glb
    assert len(read_mesh(write(record)).vertices_mm) == 25
    record["accessors"][1] = {"componentType": 5126, "type": "VEC3", "count": 10**12}
    with pytest.raises(BadInput, match=r"1,000,000,000,000 entries.*MESH_ELEMENTS"):
        load_mesh(write(record))


def test_an_image_inside_of_a_glb_is_measured(glb, monkeypatch):
    monkeypatch.setenv("FACESYNTH_MAX_IMAGE_PIXELS", "63")
    with pytest.raises(BadInput, match="8×8 pixels"):
        load_mesh(glb[1](glb[0]))


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(accessors=3),
        lambda r: r.update(accessors=[{}]),
        lambda r: r["images"][0].update(bufferView=99),
        lambda r: r["bufferViews"][0].update(byteLength=10**12),
    ],
)
def test_a_damaged_glb_is_unreadable(glb, change):
    record, write = glb
    change(record)
    with pytest.raises(BadInput, match="unreadable"):
        load_mesh(write(record))


PLY = """ply\nformat {} 1.0\nelement vertex {}\nproperty float x\nproperty float y\nproperty float z
element face {}\nproperty list uchar int vertex_indices\nend_header\n1 2 3 4 5 6"""


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian"])
@pytest.mark.parametrize("counts", [(10**12, 1), (1, 10**12), (-1, -1)])
def test_a_ply_that_promises_more_than_it_holds(tmp_path, form, counts):
    (tmp_path / "a.ply").write_text(PLY.format(form, *counts))
    with pytest.raises(BadInput, match=r"unreadable|no triangles"):
        read_mesh(tmp_path / "a.ply")


def test_a_large_file_is_not_opened(tmp_path, monkeypatch):
    write_obj(tmp_path / "a.obj", *surface(5))
    monkeypatch.setenv("FACESYNTH_MAX_MESH_BYTES", "1000")
    with pytest.raises(BadInput, match="FACESYNTH_MAX_MESH_BYTES"):
        load_mesh(tmp_path / "a.obj")


@pytest.mark.parametrize("name", ["../skin.png", "{}/skin.png"])
def test_an_obj_and_a_wrl_name_nothing_outside_of_their_folder(tmp_path, name):
    """The image is there and readable: only its place speaks against it."""
    home = tmp_path / "s"
    home.mkdir()
    name = name.format(tmp_path)
    write_obj(home / "a.obj", *surface(5))
    (home / "skin.png").rename(tmp_path / "skin.png")
    (home / "skin.mtl").write_text(f"newmtl skin\nmap_Kd {name}\n")
    write_wrl(home / "a.wrl", *surface(5), texture=name)
    for path in (home / "a.obj", home / "a.wrl"):
        with pytest.raises(BadInput, match="outside of its folder"):
            read_mesh(path)


def test_a_bomb_as_texture_is_named(tmp_path, monkeypatch):
    write_obj(tmp_path / "a.obj", *surface(5))
    assert np.ptp(read_mesh(tmp_path / "a.obj").vertices_mm) > 0
    monkeypatch.setenv("FACESYNTH_MAX_IMAGE_PIXELS", "65535")  # it has 256×256
    with pytest.raises(BadInput, match=r"skin\.png.*256×256"):
        read_mesh(tmp_path / "a.obj")
