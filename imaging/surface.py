"""Colour and labels of what imaging.two_grids found, in one pass over the image.

A pixel inside a surface is shaded once, at its centre, and its labels are gathered from the same
three corners with the same weights. Where samples of a pixel lie on several surfaces or on both
sides of a fold, each triangle is shaded once, at the mean of its samples (imaging.samples).
"""

import numba
import numpy as np

from imaging.deferred import to_linear
from imaging.develop import develop_pixel
from imaging.mipmap import look_up_mip
from imaging.projection import depth_of
from imaging.raster_kernels import ONE, SUBPIXEL_BITS, edge
from imaging.samples import ROUGHEST, STEEPEST
from imaging.shadow import SPIRALS, lit_share
from imaging.two_grids import nearness_of, triangle_of

# Columns of a vertex's row
NORMAL, CODE, COLOR, COLUMNS = 0, 3, 6, 12
STEP_MM = 1.5  # outwards: keeps a slanted surface out of its own shadow


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def shade_image(grids, geometry, cuts, mesh, texture, lens, light, shadow, box, out, buffers):
    """Write the colours over ``out`` and the labels into ``buffers``.

    Args:
        grids: keys of centres and of samples (imaging.two_grids), samples along a pixel's side.
        geometry: snapped (V, 2) int32, near (V,), triangles (T + C, 3), perspective.
        cuts: number T of whole triangles; source (C,), weights (C, 3, 3) of imaging.clipping.
        mesh: rows (V, 12) float32: normal, code, colour of each vertex; rotation (3, 3) float32 of
            normals to axes x right, y up, z to the camera; corner_uv (T, 6) and chart_area (T,)
            float32, doubled; parts (T,) and surfaces (T,) uint8, where a change of surface is a
            rim.
        texture: texels and table of imaging.mipmap.packed; empty for the vertices' colours.
        lens: fx, fy, cx, cy, px.
        light: environment (9, 3), direction (3,), color (3,) float32 in the camera's frame; k_s, ν;
            linear; STEEPEN and ENCODE of imaging.develop.
        shadow: whether there is a map, depth (N, N), matrix (3, 4), spread.
        box: (left, top, right, bottom) in pixels, what was drawn.
        out: (H, W, 3) uint8 with the background.
        buffers: depth (H, W), normal, code (H, W, 3), uv (H, W, 2) float32, mask, part (H, W)
            uint8, triangle (H, W) int32; those that are not wanted are empty.
    """
    # arrays are taken out of their tuples once: numba counts references wherever that is done
    centre, fine, factor = grids
    snapped, near, triangles, perspective = geometry
    whole_count, source, weights = cuts
    rows, rotation, corner_uv, chart_area, parts, surfaces = mesh
    texels, table = texture
    fx, fy, cx, cy = lens
    environment, direction, color, specular, shininess, linear, steepen, encode = light
    shadowed, lamp_depth, lamp_matrix, lamp_spread = shadow
    depth, normals, code, uv, mask, part, triangle = buffers
    half, pitch, area_unit = ONE // 2, ONE // factor, np.float32(1 / ONE**2)
    share_of_one, one = np.float32(1 / factor**2), np.float32(1)
    for y in range(box[1], box[3] + 1):
        for x in range(box[0], box[2] + 1):
            drawn = triangle_of(centre[y, x])
            px, py = (x << SUBPIXEL_BITS) + half, (y << SUBPIXEL_BITS) + half
            top, left = y * factor, x * factor
            r, g, b, cover = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            t, shares, area, z = np.int64(0), (one, one, one), one, 1.0
            normal, at = (one, one, one), (one, one)
            is_one = False
            if drawn >= 0:
                t, shares, q, area = _place(
                    drawn,
                    px,
                    py,
                    snapped,
                    near,
                    triangles,
                    perspective,
                    whole_count,
                    source,
                    weights,
                )
                z = depth_of(q, perspective)
                normal = _normal(rows, rotation, triangles, t, shares)
                at = _chart_place(corner_uv, t, shares)
                if depth.size > 0:
                    depth[y, x] = z
                if normals.size > 0:
                    normals[y, x, 0], normals[y, x, 1], normals[y, x, 2] = normal
                if code.size > 0:
                    own = _mix3(rows, CODE, triangles, t, shares)
                    code[y, x, 0], code[y, x, 1], code[y, x, 2] = own
                if uv.size > 0:
                    uv[y, x, 0], uv[y, x, 1] = at
                if mask.size > 0:
                    mask[y, x] = 255
                if part.size > 0:
                    part[y, x] = parts[t]
                if triangle.size > 0:
                    triangle[y, x] = t
                is_one = factor == 1
                if factor > 1:
                    bound = _slope_bound(q, z, fx, perspective)
                    is_one = _is_one(
                        fine,
                        top,
                        left,
                        factor,
                        q,
                        surfaces[t],
                        surfaces,
                        whole_count,
                        source,
                        bound,
                    )
            for s in range(1 if is_one else factor * factor):
                weight = one
                if not is_one:
                    row, column = top + s // factor, left + s % factor
                    drawn = triangle_of(fine[row, column])
                    if drawn < 0:
                        continue
                    count, sx, sy = _members(fine, top, left, factor, row, column)
                    if count == 0:
                        continue
                    px, py, weight = int(sx * pitch), int(sy * pitch), count * share_of_one
                    t, shares, q, area = _place(
                        drawn,
                        px,
                        py,
                        snapped,
                        near,
                        triangles,
                        perspective,
                        whole_count,
                        source,
                        weights,
                    )
                    z = depth_of(q, perspective)
                    normal = _normal(rows, rotation, triangles, t, shares)
                    at = _chart_place(corner_uv, t, shares)
                if len(table) > 0:
                    spans = chart_area[t] * np.float32(table[0, 1] * table[0, 2])
                    spread = np.sqrt(spans / max(area * area_unit, np.float32(1e-6)))
                    tone = look_up_mip(texels, table, at[0], at[1], spread)
                else:
                    tone = _mix3(rows, COLOR, triangles, t, shares)
                nx, ny, nz = normal[0], -normal[1], -normal[2]
                incidence = nx * direction[0] + ny * direction[1] + nz * direction[2]
                lamp, shine = max(incidence, np.float32(0)), np.float32(0)
                if incidence > 0:
                    # where the place lies in the camera's frame, but for the depth of a pinhole
                    dx, dy = (px * (1 / ONE) - cx) / fx, (py * (1 / ONE) - cy) / fy
                    if shadowed:
                        across = z if perspective else 1.0
                        taps = SPIRALS[(x * 7 + y * 13) & 15]  # a fixed dither
                        lamp *= np.float32(
                            lit_share(
                                lamp_depth,
                                lamp_matrix,
                                lamp_spread,
                                dx * across + STEP_MM * nx,
                                dy * across + STEP_MM * ny,
                                z + STEP_MM * nz,
                                taps,
                            )
                        )
                    if specular > 0 and lamp > 0:
                        mirrored = (
                            2 * incidence * nx - direction[0],
                            2 * incidence * ny - direction[1],
                            2 * incidence * nz - direction[2],
                        )
                        cosine = _towards_camera(mirrored, dx, dy, perspective)
                        shine = specular * _lobe(cosine, shininess) * (lamp / incidence)
                dr = _channel(tone[0], 0, nx, ny, nz, environment, color, lamp, shine, linear)
                dg = _channel(tone[1], 1, nx, ny, nz, environment, color, lamp, shine, linear)
                db = _channel(tone[2], 2, nx, ny, nz, environment, color, lamp, shine, linear)
                if linear:
                    r8, g8, b8 = develop_pixel(dr, dg, db, steepen, encode)
                    dr, dg, db = np.float32(r8), np.float32(g8), np.float32(b8)
                else:
                    dr, dg, db = _full(dr), _full(dg), _full(db)
                r, g, b, cover = r + weight * dr, g + weight * dg, b + weight * db, cover + weight
            if cover > 0:
                _blend(out, y, x, r, g, b, max(one - cover, np.float32(0)))


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _full(value):
    return np.float32(255) * min(max(value, np.float32(0)), np.float32(1))


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _lobe(cosine, shininess):
    """The highlight of Eq. 4 for k_s = 1; 0 where it is below a thousandth."""
    if cosine <= 0 or shininess * (1 - cosine) > 7:  # cos^ν ≤ exp(−ν (1 − cos))
        return np.float32(0)
    return np.float32(cosine) ** shininess


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _blend(out, y, x, r, g, b, behind):
    """Colours in 0..255, weighted, over a share of what is there."""
    half = np.float32(0.5)
    out[y, x, 0] = np.uint8(r + behind * out[y, x, 0] + half)
    out[y, x, 1] = np.uint8(g + behind * out[y, x, 1] + half)
    out[y, x, 2] = np.uint8(b + behind * out[y, x, 2] + half)


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _place(drawn, px, py, snapped, near, triangles, perspective, whole, source, weights):
    """The whole triangle, its corners' weights, nearness and doubled area at a place.

    ``px, py`` in 1/256 px. Of a part of a triangle that was cut, the weights are the whole one's.
    """
    i, j, k = triangles[drawn, 0], triangles[drawn, 1], triangles[drawn, 2]
    ax, ay = np.int64(snapped[i, 0]), np.int64(snapped[i, 1])
    bx, by = np.int64(snapped[j, 0]), np.int64(snapped[j, 1])
    cx, cy = np.int64(snapped[k, 0]), np.int64(snapped[k, 1])
    area = np.float64(edge(ax, ay, bx, by, cx, cy))
    inverse = 1 / area
    a = edge(bx, by, cx, cy, px, py) * inverse
    b = edge(cx, cy, ax, ay, px, py) * inverse
    c = 1 - a - b
    q = a * near[i] + b * near[j] + c * near[k]
    if perspective:
        scale = 1 / q
        a, b, c = a * near[i] * scale, b * near[j] * scale, c * near[k] * scale
    t = drawn
    if drawn >= whole:
        n = drawn - whole
        t = np.int64(source[n])
        a, b, c = (
            a * weights[n, 0, 0] + b * weights[n, 1, 0] + c * weights[n, 2, 0],
            a * weights[n, 0, 1] + b * weights[n, 1, 1] + c * weights[n, 2, 1],
            a * weights[n, 0, 2] + b * weights[n, 1, 2] + c * weights[n, 2, 2],
        )
    return t, (np.float32(a), np.float32(b), np.float32(c)), q, np.float32(abs(area))


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _mix3(rows, column, triangles, t, shares):
    """Three columns of the vertices' rows, carried to a place between a triangle's corners."""
    i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    a, b, c = shares
    return (
        a * rows[i, column] + b * rows[j, column] + c * rows[k, column],
        a * rows[i, column + 1] + b * rows[j, column + 1] + c * rows[k, column + 1],
        a * rows[i, column + 2] + b * rows[j, column + 2] + c * rows[k, column + 2],
    )


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _normal(rows, rotation, triangles, t, shares):
    """Unit normal in axes x right, y up, z to the camera."""
    x, y, z = _mix3(rows, NORMAL, triangles, t, shares)
    scale = np.float32(1) / max(np.sqrt(x * x + y * y + z * z), np.float32(1e-9))
    x, y, z = x * scale, y * scale, z * scale
    return (
        rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z,
        rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z,
        rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z,
    )


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _chart_place(corner_uv, t, shares):
    a, b, c = shares
    return (
        a * corner_uv[t, 0] + b * corner_uv[t, 2] + c * corner_uv[t, 4],
        a * corner_uv[t, 1] + b * corner_uv[t, 3] + c * corner_uv[t, 5],
    )


@numba.njit(nogil=True, cache=True, inline="always")
def _slope_bound(near, z, fx, perspective):
    """Change of nearness over a pixel of a surface at 45°."""
    if perspective:
        return near / fx  # d(n / z) = n / z · dz / z, and a pixel's edge is z / f
    return (1 - near) / z / fx


@numba.njit(nogil=True, cache=True, inline="always")
def _is_one(fine, top, left, factor, q, surface, surfaces, whole, source, bound):
    """Whether all samples of a pixel lie on the surface of its centre without a fold or a jump.

    As imaging.samples has it, whose limits these are: two samples opposite each other are, on a
    plane, as near as the centre on average.
    """
    last = factor - 1
    nearest, farthest = q, q
    for row in range(factor):
        for column in range(factor):
            own = fine[top + row, left + column]
            if own <= 0 or surfaces[_source(triangle_of(own), whole, source)] != surface:
                return False
            here = nearness_of(own)
            opposite = nearness_of(fine[top + last - row, left + last - column])
            if abs(here + opposite - 2 * q) > 2 * ROUGHEST * bound:
                return False
            nearest, farthest = max(nearest, here), min(farthest, here)
    return nearest - farthest <= STEEPEST * bound


@numba.njit(nogil=True, cache=True, inline="always")
def _source(drawn, whole, source):
    """The triangle of the mesh that a drawn one is, or is a part of."""
    return drawn if drawn < whole else np.int64(source[drawn - whole])


@numba.njit(nogil=True, cache=True)
def _members(fine, top, left, factor, first_row, first_column):
    """Number of a pixel's samples on the triangle of the first, and their mean place in samples.

    The number is 0 where an earlier sample of the pixel is on it.
    """
    t = triangle_of(fine[first_row, first_column])
    count, x, y = 0, 0.0, 0.0
    for row in range(top, top + factor):
        for column in range(left, left + factor):
            if triangle_of(fine[row, column]) != t:
                continue
            if row < first_row or (row == first_row and column < first_column):
                return 0, x, y
            count += 1
            x += column + 0.5
            y += row + 0.5
    return count, x / count, y / count


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _channel(tone, n, x, y, z, environment, color, lamp, shine, linear):
    """A channel of Eq. 4; the environment is a quadratic polynomial of the normal."""
    e = environment
    around = e[0, n] + e[1, n] * y + e[2, n] * z + e[3, n] * x
    around += e[4, n] * x * y + e[5, n] * y * z + e[6, n] * (3 * z * z - 1)
    around += e[7, n] * x * z + e[8, n] * (x * x - y * y)
    albedo = np.float32(to_linear(tone)) if linear else np.float32(tone)
    light = max(around, np.float32(0)) + color[n] * lamp
    return albedo * light + color[n] * shine


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _towards_camera(way, dx, dy, perspective):
    """Cosine between a unit direction and the one to the camera from along (dx, dy, 1)."""
    if not perspective:
        return -way[2]
    return -(dx * way[0] + dy * way[1] + way[2]) / np.sqrt(dx * dx + dy * dy + 1)
