import io

import numpy as np
import pytest
from PIL import Image

from imaging import codec


def picture(size=64):
    y, x = np.mgrid[:size, :size] / size
    return np.rint(255 * np.stack([x, y, (x + y) / 2], -1)).astype(np.uint8)


def test_png_round_trips_every_kind():
    rng = np.random.default_rng(0)
    for dtype, top in ((np.uint8, 256), (np.uint16, 65536)):
        for shape in ((7, 5), (7, 5, 3), (7, 5, 4)):
            image = rng.integers(0, top, shape).astype(dtype)
            data = codec.encode_png(image)
            back = codec.decode_image(data)
            assert back.dtype == dtype
            np.testing.assert_array_equal(back, image)
            assert codec.encode_png(image) == data


def test_channels_are_rgb_for_other_readers():
    image = picture()
    with Image.open(io.BytesIO(codec.encode_png(image))) as other:
        np.testing.assert_array_equal(np.asarray(other), image)
    with Image.open(io.BytesIO(codec.encode_jpeg(image, 100))) as other:
        # quality 100 rounds luma and chroma once each; swapped channels would be 100 off
        assert np.abs(np.asarray(other).astype(int) - image).max() <= 6
        assert other.layer[1][1:3] == (1, 1)  # chroma at full resolution


def test_jpeg_is_close_and_444_keeps_thin_colour():
    image = picture()
    back = codec.decode_image(codec.encode_jpeg(image, 95))
    assert np.abs(back.astype(int) - image).mean() < 2  # quality 95 on a smooth picture
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2, 0] = 255  # one pixel wide
    full, half = (codec.decode_image(codec.encode_jpeg(stripes, 95, s)) for s in ("444", "420"))
    assert np.abs(full.astype(int) - stripes).mean() < 5
    assert np.abs(half.astype(int) - stripes).mean() > 20
    assert codec.encode_jpeg(image) == codec.encode_jpeg(image.copy())


def test_depth_is_kept_to_half_a_step():
    rng = np.random.default_rng(1)
    depth = rng.uniform(300, 6000, (40, 30)).astype(np.float32)
    depth[::3] = 0
    depth[1, 1] = 0.01  # nearer than half a step, yet seen
    back = codec.decode_depth(codec.encode_depth(depth))
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back == 0, depth == 0)
    # half a step of 0.1 mm, and float32's 0.0005 mm at 6 m
    assert np.abs(back - depth)[depth > 1].max() < 0.0506
    coarse = codec.decode_depth(codec.encode_depth(depth, 1.0), 1.0)
    assert np.abs(coarse - depth)[depth > 1].max() < 0.501


def test_normals_are_kept_to_half_a_degree():
    rng = np.random.default_rng(2)
    normals = rng.normal(size=(30, 20, 3))
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    normals[:5] = 0
    back = codec.decode_normals(codec.encode_normals(normals))
    assert (back[:5] == 0).all()
    cosine = (back * normals).sum(-1)[5:]
    # half of 1/127.5 in each of three axes turns a unit vector by at most 0.39°
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 0.4


def test_vertices_are_kept_to_half_a_step():
    rng = np.random.default_rng(3)
    vertices = rng.normal(size=(500, 3)) * 60
    quantised, step = codec.quantise_vertices(vertices)
    assert quantised.dtype == np.int16
    assert np.abs(quantised.astype(int)).max() == 32767
    back = codec.restore_vertices(quantised, step)
    assert np.abs(back - vertices).max() <= step / 2 * (1 + 1e-9)
    zero, step = codec.quantise_vertices(np.zeros((4, 3)))
    np.testing.assert_array_equal(codec.restore_vertices(zero, step), 0)
    with pytest.raises(ValueError, match="vertices: 1 values not finite"):
        codec.quantise_vertices(np.array([[0, np.nan, 1.0]]))


@pytest.mark.parametrize("encode", [codec.encode_png, codec.encode_jpeg])
def test_broken_images_are_named(encode):
    data = encode(picture())
    for bad in (data[: len(data) // 2], data[:-4] if encode is codec.encode_jpeg else data[:-12]):
        with pytest.raises(ValueError, match=r"scan 'a/b\.png': truncated"):
            codec.decode_image(bad, "scan 'a/b.png'")
    for bad in (b"", b"not an image"):
        with pytest.raises(ValueError, match="neither PNG nor JPEG"):
            codec.decode_image(bad)


def test_damaged_images_are_named():
    data = codec.encode_png(picture())
    flipped = data[:300] + bytes([data[300] ^ 1]) + data[301:]
    with pytest.raises(ValueError, match=r"damaged PNG \(checksum of IDAT\)"):
        codec.decode_image(flipped)
    with pytest.raises(ValueError, match="cannot be decoded"):
        codec.decode_image(b"\xff\xd8" + bytes(40) + b"\xff\xd9")


def test_wrong_kinds_are_named():
    with pytest.raises(ValueError, match="expected uint8"):
        codec.encode_jpeg(np.zeros((4, 4, 3)))
    with pytest.raises(ValueError, match="expected uint8 or uint16"):
        codec.encode_png(np.zeros((4, 4)))
    with pytest.raises(ValueError, match="expected 444 or 420"):
        codec.encode_jpeg(picture(), sampling="411")
    with pytest.raises(ValueError, match=r"1 values outside; expected \(H, W\) in 0\.\.6553\.5 mm"):
        codec.encode_depth(np.array([[7000.0, 1.0]]))
    with pytest.raises(ValueError, match="expected one 16-bit channel"):
        codec.decode_depth(codec.encode_png(np.zeros((4, 4), dtype=np.uint8)))


def test_masks_come_back_by_runs():
    rng = np.random.default_rng(4)
    mask = np.repeat(rng.integers(0, 3, (40, 10)) * 127, 7, axis=1).astype(np.uint8)
    data = codec.encode_mask(mask)
    np.testing.assert_array_equal(codec.decode_image(data), mask)
    assert data == codec.encode_mask(mask)
    with pytest.raises(ValueError, match="uint8"):
        codec.encode_mask(mask.astype(np.float32))


@pytest.mark.parametrize("content", ["plain", "smooth", "fine", "relief", "flat"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_how_a_png_is_packed_changes_no_pixel(content, dtype):
    image = picture().astype(dtype) * (1 if dtype == np.uint8 else 251)
    for shown in (image, image[..., 0]):
        data = codec.encode_png(shown, content)
        np.testing.assert_array_equal(codec.decode_image(data), shown)
        if dtype == np.uint8:  # Pillow reads 16 bits of one channel only
            with Image.open(io.BytesIO(data)) as other:
                np.testing.assert_array_equal(np.asarray(other), shown)


def test_uv_is_kept_to_half_a_step_and_its_corner_is_a_place():
    rng = np.random.default_rng(1)
    uv = rng.uniform(size=(9, 8, 2)).astype(np.float32)
    uv[0, 0] = 0
    mask = rng.random((9, 8)) > 0.3
    mask[0, 0] = True
    back, seen = codec.decode_uv(codec.encode_uv(uv, mask))
    np.testing.assert_array_equal(seen, mask)
    # half a step of 1/65535, and the rounding of float32 near 1
    np.testing.assert_allclose(back, uv, atol=0.5 / 65535 + 1e-7)


def test_ids_come_back_whole():
    ids = np.array([[-1, 0, 1, 254, 255], [256, 65534, 65535, 65536, (1 << 24) - 2]], np.int32)
    back = codec.decode_ids(codec.encode_ids(ids))
    assert back.dtype == np.int32
    np.testing.assert_array_equal(back, ids)


@pytest.mark.parametrize("bad", [-2, (1 << 24) - 1])
def test_ids_beyond_24_bits_are_refused(bad):
    with pytest.raises(ValueError, match="2\\*\\*24"):
        codec.encode_ids(np.full((2, 2), bad))


def test_unit_values_are_kept_to_half_a_step():
    values = np.random.default_rng(2).uniform(size=(5, 6, 3)).astype(np.float32)
    back = codec.decode_image(codec.encode_unit(values)) / 255
    np.testing.assert_allclose(back, values, atol=0.5 / 255 + 1e-6)
