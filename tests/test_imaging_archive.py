"""Arrays come back as they were, from the same bytes each time, and never from pickles."""

import io

import numpy as np
import pytest

from imaging.archive import decode_arrays, encode_arrays

RNG = np.random.default_rng(3)
ARRAYS = {
    "texture": RNG.integers(0, 256, (32, 32, 3)).astype(np.uint8),
    "vertices_mm": RNG.normal(size=(7, 3)),
    "visible": RNG.random(7) < 0.5,
    "none": np.zeros((0, 3), dtype=np.float32),
    "column": np.asfortranarray(RNG.normal(size=(4, 5))),
}


def test_arrays_come_back_with_shape_and_type():
    back = decode_arrays(encode_arrays(ARRAYS))
    assert list(back) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)


def test_the_same_arrays_give_the_same_bytes():
    assert encode_arrays(ARRAYS) == encode_arrays({k: v.copy() for k, v in ARRAYS.items()})


def test_objects_are_neither_written_nor_read():
    with pytest.raises(ValueError, match="pickle"):
        encode_arrays({"bad": np.array([object()])})
    stream = io.BytesIO()
    np.savez(stream, bad=np.array([{}]))
    with pytest.raises(ValueError, match="pickle"):
        decode_arrays(stream.getvalue())
