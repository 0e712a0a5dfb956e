"""Files from outside: no more of them is read than the limits allow, and nothing beside them."""

import io
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from faces.errors import BadInput
from faces.files import beside, read_array, read_arrays, read_bytes, read_json, read_text
from faces.pictures import open_picture


def refused(says, function, *args):
    with pytest.raises(BadInput, match=says) as caught:
        function(*args)
    assert str(caught.value).count(";") >= 2  # got; expected; remedy
    assert "'x'" in str(caught.value)


def test_text_json_and_arrays_come_back(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + '{"ü": [1]}'.encode())  # with its mark
    assert read_json(tmp_path / "a.json", "file 'x'") == {"ü": [1]}
    arrays = {"a": np.arange(12.0).reshape(3, 4).T, "b": np.array("name"), "c": np.zeros((0, 3))}
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    found = read_arrays(tmp_path / "a.npz", "truth 'x'")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    np.save(tmp_path / "a.npy", arrays["a"])
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy", "file 'x'"), arrays["a"])


def test_larger_files_pipes_and_other_text_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("12345")
    monkeypatch.setenv("FACESYNTH_MAX_TEXT_BYTES", "5")
    assert read_text(path, "file 'x'") == "12345"
    monkeypatch.setenv("FACESYNTH_MAX_TEXT_BYTES", "4")
    refused("5 bytes.*FACESYNTH_MAX_TEXT_BYTES", read_bytes, path, "file 'x'")
    monkeypatch.delenv("FACESYNTH_MAX_TEXT_BYTES")
    os.mkfifo(tmp_path / "pipe")  # to open it would wait for ever
    refused("no such file", read_bytes, tmp_path / "pipe", "file 'x'")
    path.write_bytes("text".encode("utf-16"))
    refused("UTF-8", read_text, path, "file 'x'")
    path.write_text("[" * 100_000)
    refused("no JSON", read_json, path, "file 'x'")


def npz(shape, body=b"\0" * 64, dtype="<f8"):
    stream, archive = io.BytesIO(), io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.npy", stream.getvalue() + body)
    return archive.getvalue()


@pytest.mark.parametrize("shape", [(10**12,), (2**32, 2**32), (7,), (9,), (-8,)])
def test_a_header_that_promises_other_than_there_is(tmp_path, shape):
    (tmp_path / "a.npz").write_bytes(npz(shape))
    refused("its header promises", read_arrays, tmp_path / "a.npz", "truth 'x'")


def test_pickles_and_archives_that_unpack_to_too_much(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.array([{}], dtype=object))
    refused("never loaded", read_arrays, path, "truth 'x'")
    np.savez_compressed(path, a=np.zeros(100_000))  # some 800 bytes packed
    monkeypatch.setenv("FACESYNTH_MAX_ARCHIVE_BYTES", "10000")
    refused("once unpacked", read_arrays, path, "truth 'x'")


@pytest.mark.parametrize(
    "name", ["../b.png", "/etc/passwd", "a/../../b.png", r"..\b.png", r"C:\b.png", "b\0.png"]
)
def test_names_that_lead_out_of_the_folder(tmp_path, name):
    refused("outside", beside, tmp_path / "a.obj", name, "mesh 'x'")


def test_names_within_the_folder_or_the_root(tmp_path):
    mesh = tmp_path / "s" / "a.obj"
    assert beside(mesh, r"tex\b.png", "mesh 'x'") == tmp_path / "s" / "tex" / "b.png"
    assert beside(mesh, "./t/../b.png", "mesh 'x'") == tmp_path / "s" / "b.png"
    assert beside(mesh, "../b.png", "mesh 'x'", tmp_path) == tmp_path / "b.png"


def test_few_formats_of_images_are_opened_and_none_is_executed(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    with Image.open(path) as eps:  # so Pillow would take it, and run Ghostscript to decode it
        assert eps.format == "EPS"
    refused("none of PNG", open_picture, path, "image 'x'")


def test_pillows_own_limit_does_not_stand_in_the_way(tmp_path, monkeypatch):
    Image.new("L", (40, 30)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # it refuses twice as many
    with open_picture(tmp_path / "a.png", "image 'x'") as image:
        assert image.size == (40, 30)
    assert Image.MAX_IMAGE_PIXELS == 100
    monkeypatch.setenv("FACESYNTH_MAX_IMAGE_PIXELS", "1199")
    refused("40×30", open_picture, tmp_path / "a.png", "image 'x'")
