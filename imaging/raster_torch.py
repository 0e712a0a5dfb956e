"""The rasteriser on torch tensors: batched, on any device, with gradients to the positions.

Coverage is the exact one of imaging.raster (1/256 px, int64 edge functions, top-left rule), all
triangles of a batch at once. Which triangle is seen is fixed; the weights of its corners are
differentiable in their positions, so attributes, depths and losses on them are, too.
Needs the extra 'train'.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imaging.raster_kernels import MAX_COORDINATE_PX, ONE, SUBPIXEL_BITS

if TYPE_CHECKING:
    import torch

MOST_PAIRS = 1 << 20  # triangles times pixels of their boxes that are tested in one go: ~200 MB
_FIRST = (1 << 31) - 1  # less the triangle's id: of equally near ones the first has the most
_NOTHING = -(1 << 63)


@dataclass(frozen=True, slots=True, eq=False)
class TensorFragments:
    """What is seen at each pixel's centre of B images.

    Attributes:
        triangle_id: (B, H, W) int64, the nearest triangle; -1 = background.
        barycentric: (B, H, W, 3) weights of its corners, perspective-correct, sum 1; 0 on the
            background.
        depth: (B, H, W), z in mm; 0 on the background.
    """

    triangle_id: "torch.Tensor"
    barycentric: "torch.Tensor"
    depth: "torch.Tensor"

    @property
    def mask(self) -> "torch.Tensor":
        """(B, H, W) bool: pixels that a triangle covers."""
        return self.triangle_id >= 0

    def interpolate(self, attributes: "torch.Tensor", triangles: "torch.Tensor") -> "torch.Tensor":
        """Corner attributes (V, C) or (B, V, C) carried to the pixels: (B, H, W, C).

        ``triangles`` (T, 3) int64 in the order that was rasterised; may be another index buffer
        than the positions'. Differentiable in the attributes and in the positions.
        """
        import torch

        corners = triangles[self.triangle_id.clamp(min=0)]
        if attributes.ndim == 3:
            batch, count = attributes.shape[:2]
            first = torch.arange(0, batch * count, count, device=corners.device)
            corners = corners + first[:, None, None, None]
            attributes = attributes.flatten(0, 1)
        return sum(self.barycentric[..., k, None] * attributes[corners[..., k]] for k in range(3))


def rasterise(
    screen: "torch.Tensor",
    triangles: "torch.Tensor",
    size: tuple[int, int],
    perspective: bool = True,
    cull: bool = False,
) -> TensorFragments:
    """The nearest triangle at every pixel centre of B images of one mesh's shapes.

    Args:
        screen: (B, V, 3) float, (u px, v px, z mm) with pixel centres at +0.5 (Camera.screen).
        triangles: (T, 3) int64, on the same device. One with a vertex at z <= 0, with a non-finite
            coordinate, or farther than MAX_COORDINATE_PX from the origin is dropped.
        size: (width, height), px.
        perspective: whether 1/z (pinhole) or z (orthographic) is linear over the image.
        cull: leave out triangles that turn their back (clockwise from outside) to the camera.

    Returns:
        Fragments in the dtype of ``screen``: the ids of imaging.raster.rasterise, its weights and
        depths to rounding. Gradients pass the snapping as if it were none.

    Raises:
        ValueError: where a shape does not fit.
    """
    if screen.ndim != 3 or screen.shape[2] != 3:
        got = tuple(screen.shape)
        raise ValueError(f"screen: shape {got}; expected (B, V, 3); stack (u, v, z) of each image")
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        got = tuple(triangles.shape)
        raise ValueError(f"triangles: shape {got}; expected (T, 3); pass corner indices")
    width, height = int(size[0]), int(size[1])
    if width <= 0 or height <= 0:
        raise ValueError(f"size: {size}; expected (width, height) above 0; check the camera")
    import torch

    with torch.no_grad():
        snapped, near = _snapped(screen.double(), perspective)
        ids = nearest_ids(snapped, near, triangles, (width, height), cull)
    return _resolved(screen, snapped, triangles, ids, perspective)


def _snapped(screen, perspective):
    """(B, V, 2) int64 positions in 1/256 px, and (B, V) nearness, NaN of unusable vertices."""
    place, z = screen[..., :2], screen[..., 2]
    inside = (place.abs() < MAX_COORDINATE_PX).all(-1) & (z > 0) & z.isfinite()
    near = (1 / z if perspective else -z).where(inside, float("nan"))
    return (place.where(inside[..., None], 0) * ONE + 0.5).floor().long(), near


def nearest_ids(
    snapped: "torch.Tensor",
    near: "torch.Tensor",
    triangles: "torch.Tensor",
    size: tuple[int, int],
    cull: bool = False,
    bits: int = SUBPIXEL_BITS,
) -> "torch.Tensor":
    """(B, H, W) int64, the nearest triangle at each sample; -1 where there is none.

    One integer a candidate, its nearness above and its place in the order below: their maximum does
    not depend on the order in which a device meets them.

    Args:
        snapped: (B, V, 2) int64, 1/256 px; near: (B, V) float64, linear over the image and larger
            where nearer; not finite for a vertex that no triangle may use.
        triangles, cull: as of rasterise().
        size: (width, height), samples.
        bits: samples lie 2^bits / 256 px apart.
    """
    import torch

    (width, height), batch, count = size, len(snapped), len(triangles)
    whole, planes = _set_up(snapped, near, triangles, size, cull, bits)
    best = snapped.new_full((batch * height * width,), _NOTHING)
    counts = whole[_WIDTH] * whole[_HEIGHT]
    ends = counts.cumsum(0)
    starts, total = ends - counts, int(counts.sum())
    every = torch.arange(len(counts), device=counts.device)
    for start in range(0, total, MOST_PAIRS):
        stop = min(start + MOST_PAIRS, total)
        some = ends.clamp(start, stop) - starts.clamp(start, stop)
        rows = every.repeat_interleave(some, output_size=stop - start)
        place = torch.arange(start, stop, device=rows.device) - starts[rows]
        rows, x, y = _inside(whole, rows, place)
        image, triangle = whole[_OWN][rows] // count, whole[_OWN][rows] % count
        pixel = (image * height + whole[_TOP][rows] + y) * width + whole[_LEFT][rows] + x
        nearness = planes[0][rows] + planes[2][rows] * y + planes[1][rows] * x
        key = _ordered(nearness.float()) * (1 << 32) + (_FIRST - triangle)
        best.scatter_reduce_(0, pixel, key, "amax")
    ids = (_FIRST - (best & _FIRST)).where(best != _NOTHING, -1)
    return ids.view(batch, height, width)


# rows of a triangle's whole numbers: three edge functions with their biases at the box's first
# centre, their steps along x and along y, the box, and which of all images' triangles it is
_EDGES, _ALONG, _DOWN = range(3), range(3, 6), range(6, 9)
_LEFT, _TOP, _WIDTH, _HEIGHT, _OWN = range(9, 14)


def _set_up(snapped, near, triangles, size, cull, bits):
    """Whole numbers (14, M) int64 and nearness planes (3, M) float64 of triangles worth testing.

    A plane is its value at the box's first centre and its steps along x and y.
    """
    import torch

    u, v, nears, own, box = _candidates(snapped, near, triangles, size, cull, bits)
    turned = _cross(u[1] - u[0], v[1] - v[0], u[2] - u[0], v[2] - v[0]) < 0
    u, v, nears = (_swapped(corners, turned) for corners in (u, v, nears))
    du, dv = u[[2, 0, 1]] - u[[1, 2, 0]], v[[2, 0, 1]] - v[[1, 2, 0]]  # opposite each corner
    x, y = ((first << bits) + (1 << bits) // 2 for first in box[:2])
    edges = _cross(du, dv, x - u[[1, 2, 0]], y - v[[1, 2, 0]])
    along, down = -dv << bits, du << bits
    area = edges.sum(0).double()
    planes = torch.stack([(terms * nears).sum(0) / area for terms in (edges, along, down)])
    # a centre exactly on a side belongs to the triangle on top sides and on left ones
    owned = (dv < 0) | ((dv == 0) & (du > 0))
    edges = edges - (~owned).long()
    # most triangles of a fine mesh in a small image have a box of one pixel and miss its centre
    worth = ((box[2] * box[3] > 1) | (edges >= 0).all(0)).nonzero()[:, 0]
    whole = torch.cat([edges, along, down, torch.stack([*box, own])])
    return whole[:, worth], planes[:, worth]


def _candidates(snapped, near, triangles, size, cull, bits):
    """Corners' u, v and nearness (3, M each) of triangles whose boxes hold a pixel's centre, which
    of all images' triangles they are (M,), and left, top, width and height of their boxes."""
    import torch

    order = triangles.T
    u, v, nears = (a[:, order].transpose(0, 1).flatten(1) for a in (*snapped.unbind(2), near))
    (width, height), half = size, (1 << bits) // 2
    left = ((u.amin(0) + half - 1) >> bits).clamp(min=0)
    top = ((v.amin(0) + half - 1) >> bits).clamp(min=0)
    wide = ((u.amax(0) - half) >> bits).clamp(max=width - 1) - left + 1
    high = ((v.amax(0) - half) >> bits).clamp(max=height - 1) - top + 1
    # outward normals look at the camera where the area is negative, since v points down
    area = _cross(u[1] - u[0], v[1] - v[0], u[2] - u[0], v[2] - v[0])
    kept = (wide > 0) & (high > 0) & (area < 0 if cull else area != 0) & nears.isfinite().all(0)
    own = kept.nonzero()[:, 0]
    box = [side[own] for side in (left, top, wide, high)]
    return u[:, own], v[:, own], nears[:, own], own, torch.stack(box)


def _swapped(corners, turned):
    """Corners (3, M), the last two exchanged where ``turned``."""
    import torch

    first, second, third = corners
    return torch.stack([first, third.where(turned, second), second.where(turned, third)])


def _cross(ax, ay, bx, by):
    return ax * by - ay * bx


def _inside(whole, rows, place):
    """The candidates (rows, x, y in the box) whose pixel's centre a triangle covers."""
    wide = whole[_WIDTH][rows]
    y = place // wide
    x = place - y * wide
    signs = 0
    for k in range(3):
        along, down = whole[_ALONG[k]][rows], whole[_DOWN[k]][rows]
        signs = signs | (whole[_EDGES[k]][rows] + x * along + y * down)
    inside = (signs >= 0).nonzero()[:, 0]
    return rows[inside], x[inside], y[inside]


def _ordered(values):
    """Integers (N,) int64 in the order of float32 values: the bits, turned about below zero."""
    import torch

    bits = values.view(torch.int32).long()
    return bits.where(bits >= 0, bits ^ 0x7FFFFFFF)


def _resolved(screen, snapped, triangles, ids, perspective):
    """Weights and depths of the seen triangles from the positions that the ids came from.

    Their values are of the snapped positions, their gradients pass on to the given ones.
    """
    import torch

    image, row, column = (ids >= 0).nonzero(as_tuple=True)
    corners = triangles[ids[image, row, column]].T + image * screen.shape[1]
    given = screen.flatten(0, 1).index_select(0, corners.flatten()).double()
    u, v, z = given.T.reshape(3, 3, -1)
    with torch.no_grad():
        exact = snapped.flatten(0, 1).index_select(0, corners.flatten()).double() / ONE
        shift_u, shift_v = exact.T.reshape(2, 3, -1) - torch.stack([u, v])
    u, v = u + shift_u - (column + 0.5), v + shift_v - (row + 0.5)
    weights, depths = weights_at(u, v, z, perspective)
    at = image, row, column
    barycentric = screen.new_zeros(*ids.shape, 3).index_put(at, weights.T.to(screen.dtype))
    depth = screen.new_zeros(ids.shape).index_put(at, depths.to(screen.dtype))
    return TensorFragments(ids, barycentric, depth)


def weights_at(
    u: "torch.Tensor", v: "torch.Tensor", z: "torch.Tensor", perspective: bool
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Perspective-correct weights (3, P) and depths (P,) mm at places of P triangles.

    Args:
        u, v: (3, P), corners less the place, px.
        z: (3, P), of the corners, mm.
        perspective: whether 1/z or z is linear over the image.
    """
    parts = _cross(u[[1, 2, 0]], v[[1, 2, 0]], u[[2, 0, 1]], v[[2, 0, 1]])
    weights = parts / parts.sum(0)
    if not perspective:
        return weights, (weights * z).sum(0)
    weights = weights / z
    nearness = weights.sum(0)
    return weights / nearness, 1 / nearness
