"""Limits: their defaults, the environment's word, and images whose headers promise too much."""

import struct
import zlib

import numpy as np
import pytest

from imaging.codec import decode_image, encode_jpeg, encode_png
from imaging.limits import Limits, limits, raise_it


def test_the_environment_raises_and_lowers_a_limit(monkeypatch):
    assert limits() == Limits()
    monkeypatch.setenv("FACESYNTH_MAX_TEXT_BYTES", "1000")
    assert limits().text_bytes == 1000
    assert limits().mesh_bytes == Limits().mesh_bytes
    assert "FACESYNTH_MAX_TEXT_BYTES" in raise_it("text_bytes")


@pytest.mark.parametrize("text", ["", "0", "-5", "many", "1e9"])
def test_a_limit_that_is_no_number_is_refused(monkeypatch, text):
    monkeypatch.setenv("FACESYNTH_MAX_MODEL_BYTES", text)
    with pytest.raises(ValueError, match="FACESYNTH_MAX_MODEL_BYTES"):
        limits()


def bomb_png(width, height):
    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def bomb_jpeg(width, height):
    data = bytearray(encode_jpeg(np.zeros((16, 16, 3), np.uint8)))
    at = data.index(b"\xff\xc0") + 5  # the frame header's height and width
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize("data", [bomb_png(60_000, 60_000), bomb_jpeg(65_000, 65_000)])
def test_a_header_beyond_the_limit_is_refused_before_decoding(data):
    with pytest.raises(ValueError, match=r"header says 6.*; expected .*; .*IMAGE_PIXELS"):
        decode_image(data, "background 'x'")


@pytest.mark.parametrize("encode", [encode_png, encode_jpeg])
def test_an_image_at_the_limit_is_decoded_and_one_above_is_not(monkeypatch, encode):
    data = encode(np.zeros((20, 30, 3), np.uint8))
    monkeypatch.setenv("FACESYNTH_MAX_IMAGE_PIXELS", "600")
    assert decode_image(data).shape == (20, 30, 3)
    monkeypatch.setenv("FACESYNTH_MAX_IMAGE_PIXELS", "599")
    with pytest.raises(ValueError, match="30×20"):
        decode_image(data)
