import numpy as np
import pytest

from imaging.srgb import decode_srgb, encode_srgb

CODES = np.arange(256, dtype=np.uint8)


def test_every_code_comes_back():
    assert np.array_equal(encode_srgb(decode_srgb(CODES)), CODES)


def test_the_curve_is_the_standards():
    """Its two ends, and 18 % grey, which is sRGB 118 (IEC 61966-2-1)."""
    assert decode_srgb(CODES[[0, 255]]).tolist() == [0.0, 1.0]
    assert encode_srgb(np.float32(0.18)) == 118
    assert np.all(np.diff(decode_srgb(CODES)) > 0)


def test_light_beyond_the_range_is_clipped():
    assert encode_srgb(np.float32([-1, 2])).tolist() == [0, 255]


def test_other_types_are_refused():
    with pytest.raises(ValueError, match="float32"):
        decode_srgb(np.zeros(3, np.float32))
