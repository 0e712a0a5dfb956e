"""The torch rasteriser against imaging.raster, which is tested on exact geometry itself."""

import numpy as np
import pytest

from imaging import raster
from imaging.raster_kernels import ONE

torch = pytest.importorskip("torch", reason="the extra 'train' is not installed")

from imaging import raster_torch  # noqa: E402

WIDTH, HEIGHT = 37, 29
BATCH, CORNERS = 3, 60


def soup(seed, perspective):
    """Random triangles of all sizes and slopes, small and image-wide, in and out of the image;
    some twice, some flat, some behind the camera, far out or not a number."""
    rng = np.random.default_rng(seed)
    screen = np.empty((BATCH, CORNERS, 3))
    screen[..., 0] = rng.uniform(-15, WIDTH + 15, (BATCH, CORNERS))
    screen[..., 1] = rng.uniform(-15, HEIGHT + 15, (BATCH, CORNERS))
    screen[..., 2] = rng.uniform(200, 900, (BATCH, CORNERS))
    near = rng.integers(0, CORNERS, CORNERS // 2)  # small triangles around one of the others
    screen[:, 30:] = screen[:, near] + rng.normal(0, 0.7, (BATCH, CORNERS // 2, 3))
    screen[:, :8, :2] = np.round(screen[:, :8, :2] * 2) / 2  # centres exactly on edges
    triangles = rng.integers(0, CORNERS, (90, 3))
    triangles[40:45] = triangles[:5]  # equally near: the first wins
    triangles[45:50] = triangles[5:10, [1, 0, 2]]
    triangles[50, 2] = triangles[50, 1]
    screen[0, 11, 2], screen[1, 12, 0], screen[2, 13, 0] = -5, np.nan, 3e6
    return screen, triangles, perspective


def by_raster(screen, triangles, perspective, cull=False):
    return raster.rasterise(screen, triangles, (WIDTH, HEIGHT), perspective, cull)


def by_torch(screen, triangles, perspective, cull=False):
    triangles = torch.as_tensor(triangles)
    return raster_torch.rasterise(screen, triangles, (WIDTH, HEIGHT), perspective, cull)


@pytest.mark.parametrize("perspective", [True, False])
@pytest.mark.parametrize("cull", [True, False])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ids_weights_and_depths_are_the_rasterisers(seed, cull, perspective):
    screen, triangles, _ = soup(seed, perspective)
    seen = by_torch(torch.as_tensor(screen), triangles, perspective, cull)
    assert 0.3 < seen.mask.double().mean() <= 1  # the soup fills a good part of the image
    for image in range(BATCH):
        expected = by_raster(screen[image], triangles, perspective, cull)
        np.testing.assert_array_equal(seen.triangle_id[image], expected.triangle_id)
        # slivers' weights, up to 1 of areas of 1e-5 px², in float64 here and float32 there
        np.testing.assert_allclose(seen.barycentric[image], expected.barycentric, atol=2e-7)
        np.testing.assert_allclose(seen.depth[image], expected.depth, rtol=2e-7)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_centre_on_an_edge_belongs_to_one_side(mirrored):
    """Every corner on a pixel's centre, level, upright and oblique edges through the others."""
    v, u = np.mgrid[0:5, 0:6] * 4 + 2.5
    screen = np.stack([u, v, np.full(u.shape, 300.0)], -1).reshape(1, -1, 3)
    first = np.arange(30).reshape(5, 6)[:-1, :-1].ravel()
    turn = [0, 2, 1] if mirrored else [0, 1, 2]
    quads = np.stack([first, first + 1, first + 6, first + 7], 1)
    triangles = np.concatenate([quads[:, :3], quads[:, [1, 3, 2]]])[:, turn]
    whole = by_torch(torch.as_tensor(screen), triangles, True)
    assert whole.mask.sum() == 16 * 20
    alone = [by_torch(torch.as_tensor(screen), triangles[[t]], True) for t in range(len(triangles))]
    assert (sum(seen.mask.long() for seen in alone) == whole.mask.long()).all()
    expected = by_raster(screen[0], triangles, True)
    np.testing.assert_array_equal(whole.triangle_id[0], expected.triangle_id)


def test_the_bound_on_memory_changes_nothing(monkeypatch):
    screen, triangles, perspective = soup(5, True)
    whole = by_torch(torch.as_tensor(screen), triangles, perspective)
    monkeypatch.setattr(raster_torch, "MOST_PAIRS", 97)  # cuts most boxes into pieces
    pieces = by_torch(torch.as_tensor(screen), triangles, perspective)
    assert torch.equal(whole.triangle_id, pieces.triangle_id)


def test_float32_positions_give_the_same_ids():
    """Positions of a pixel's 256ths are whole in both: nothing but the depths is rounded."""
    screen, triangles, perspective = soup(6, True)
    screen[..., :2] = np.round(screen[..., :2] * ONE) / ONE
    screen[..., 2] = np.float32(screen[..., 2])
    wide = by_torch(torch.as_tensor(screen), triangles, perspective)
    narrow = by_torch(torch.as_tensor(screen, dtype=torch.float32), triangles, perspective)
    assert narrow.barycentric.dtype == torch.float32
    assert torch.equal(wide.triangle_id, narrow.triangle_id)
    np.testing.assert_allclose(wide.barycentric, narrow.barycentric, atol=1e-7)  # half an ulp of 1


def test_nothing_in_view_is_background():
    behind = torch.tensor([[[5.0, 5, -1], [15, 5, -1], [5, 15, -1]]])
    seen = by_torch(behind, np.array([[0, 1, 2]]), True)
    assert (seen.triangle_id == -1).all()
    assert not seen.barycentric.any()
    assert not seen.depth.any()


@pytest.mark.parametrize("perspective", [True, False])
def test_weights_have_the_gradient_of_finite_differences(perspective):
    rng = np.random.default_rng(7)
    corners = np.array([[-3.0, -2, 300], [4, -1, 500], [0.5, 5, 420]])[:, :, None]
    corners = torch.as_tensor(corners + rng.normal(0, 0.5, (3, 3, 6)), dtype=torch.float64)
    given = [corners[:, k].clone().requires_grad_() for k in range(3)]
    assert torch.autograd.gradcheck(
        lambda u, v, z: raster_torch.weights_at(u, v, z, perspective), given
    )


@pytest.mark.parametrize("perspective", [True, False])
def test_an_image_has_the_gradient_of_finite_differences(perspective):
    """Positions move by one step of the snapping, so that the image follows them exactly."""
    grid = np.stack(np.meshgrid(np.linspace(3, 33, 6), np.linspace(3, 26, 5)), -1).reshape(-1, 2)
    rng = np.random.default_rng(8)
    place = np.round((grid + rng.uniform(-1, 1, grid.shape)) * ONE) / ONE
    screen = np.concatenate([place, rng.uniform(400, 600, (len(place), 1))], 1)
    first = np.arange(len(place)).reshape(5, 6)[:-1, :-1].ravel()
    quads = np.stack([first, first + 1, first + 6, first + 7], 1)
    triangles = torch.as_tensor(np.concatenate([quads[:, :3], quads[:, [1, 3, 2]]]))
    values = torch.as_tensor(rng.uniform(0, 1, (len(place), 2)))
    weight = torch.as_tensor(rng.uniform(0, 1, (HEIGHT, WIDTH, 3)))

    def image(positions):
        seen = by_torch(positions[None], triangles, perspective)
        made = torch.cat([seen.interpolate(values, triangles), seen.depth[..., None] / 100], -1)
        return seen.triangle_id, made[0]

    positions = torch.as_tensor(screen).requires_grad_()
    ids, made = image(positions)
    (made * weight).sum().backward()
    for vertex in (7, 14, 22):
        for axis, step in enumerate((1 / ONE, 1 / ONE, 1e-3)):
            shift = torch.zeros_like(positions)
            shift[vertex, axis] = step
            (ids_up, up), (ids_down, down) = image(positions + shift), image(positions - shift)
            same = (ids == ids_up) & (ids == ids_down)  # the gradient is of a fixed visibility
            slope = ((up - down) * weight)[same[0]].sum() / (2 * step)
            fixed = positions.detach().clone().requires_grad_()
            (image(fixed)[1] * weight)[same[0]].sum().backward()
            # the third derivative of a 6 px cell over a step of 1/256 px: (1/256/6)² ~ 4e-7
            assert fixed.grad[vertex, axis].item() == pytest.approx(slope.item(), rel=1e-4)
    assert positions.grad.isfinite().all()


def test_what_cannot_be_seen_leaves_the_gradient_finite():
    screen, triangles, perspective = soup(9, True)
    positions = torch.as_tensor(screen).requires_grad_()
    seen = by_torch(positions, triangles, perspective)
    values = torch.ones(BATCH, CORNERS, 1, dtype=torch.float64, requires_grad=True)
    (seen.interpolate(values, torch.as_tensor(triangles)) * seen.depth[..., None]).sum().backward()
    assert positions.grad.isfinite().all()
    assert not positions.grad[1, 12].any()
    # a value counts as much as its weights: they sum to one a pixel, times the depth there
    assert values.grad.sum().item() == pytest.approx(seen.depth.sum().item(), rel=1e-12)


def test_attributes_may_differ_from_image_to_image():
    screen, triangles, perspective = soup(10, True)
    values = np.random.default_rng(11).uniform(0, 1, (BATCH, CORNERS, 4))
    seen = by_torch(torch.as_tensor(screen), triangles, perspective)
    made = seen.interpolate(torch.as_tensor(values), torch.as_tensor(triangles))
    for image in range(BATCH):
        expected = by_raster(screen[image], triangles, perspective)
        expected = expected.interpolate(values[image], triangles)
        np.testing.assert_allclose(made[image], expected, atol=1e-6)  # float32 there


@pytest.mark.parametrize(
    ("screen", "triangles", "size", "word"),
    [
        ((4, 3), (1, 3), (5, 5), "screen"),
        ((1, 4, 2), (1, 3), (5, 5), "screen"),
        ((1, 4, 3), (3,), (5, 5), "triangles"),
        ((1, 4, 3), (1, 3), (0, 5), "size"),
    ],
)
def test_shapes_that_do_not_fit_are_named(screen, triangles, size, word):
    with pytest.raises(ValueError, match=word):
        raster_torch.rasterise(torch.ones(screen), torch.zeros(triangles, dtype=torch.int64), size)
