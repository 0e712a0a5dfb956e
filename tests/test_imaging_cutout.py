import numpy as np

from imaging.cutout import Cutout
from imaging.raster import downsample, rasterise

SCREEN = np.array([[10.0, 10, 400], [90, 10, 500], [90, 90, 900], [10, 90, 700]])
TRIANGLES = np.array([[0, 2, 1], [0, 2, 3]], dtype=np.int32)  # one turns its back
UV = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32)


def cut(alpha, dithered=False):
    texture = np.array([[0, *alpha.shape]] * 2, dtype=np.int32)
    return Cutout(alpha.ravel().astype(np.float32), texture, UV[TRIANGLES], dithered)


def test_holes_lie_where_the_texture_says_in_perspective():
    rng = np.random.default_rng(0)
    alpha = (rng.random((7, 5)) > 0.5).astype(np.float32)
    whole = rasterise(SCREEN, TRIANGLES, (100, 100))
    holed = rasterise(SCREEN, TRIANGLES, (100, 100), cutout=cut(alpha))
    uv = whole.interpolate(UV, TRIANGLES)
    rows = np.clip((uv[..., 1] * 7).astype(int), 0, 6)
    columns = np.clip((uv[..., 0] * 5).astype(int), 0, 4)
    expected = whole.mask & (alpha[rows, columns] > 0.5)
    # float32 weights decide differently at a texel's border alone
    assert (holed.mask != expected).sum() < 10
    assert 0.2 < holed.mask.sum() / whole.mask.sum() < 0.8


def test_what_lies_behind_a_hole_is_seen():
    behind = SCREEN + np.array([0, 0, 1000])
    screen, triangles = np.concatenate([SCREEN, behind]), np.concatenate([TRIANGLES, TRIANGLES + 4])
    holes = cut(np.array([[1.0, 0.0]]))
    texture = np.concatenate([holes.texture, np.zeros((2, 3), np.int32)])
    uv = np.concatenate([holes.uv, holes.uv])
    both = rasterise(screen, triangles, (100, 100), cutout=Cutout(holes.alpha, texture, uv))
    whole = rasterise(SCREEN, TRIANGLES, (100, 100))
    np.testing.assert_array_equal(both.mask, whole.mask)
    assert set(np.unique(both.triangle_id[both.mask])) == {0, 1, 2, 3}


def test_dithered_holes_average_to_the_alpha():
    for share in (0.25, 0.5, 0.75):
        seen = rasterise(
            SCREEN, TRIANGLES, (100, 100), cutout=cut(np.full((2, 2), share), dithered=True)
        )
        cover = downsample(seen.mask.astype(np.float32), 2)
        inside = cover[12:30, 30:44]
        np.testing.assert_allclose(inside, share)  # the pattern repeats every 2 × 2 samples
