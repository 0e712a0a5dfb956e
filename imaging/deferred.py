"""Shading of what a rasteriser found: a sample's own normal, texture, light and shadow.

Vectors are tuples of three inside of the loops. A surface's vertices come as rows of eight float32:
position (mm, camera frame), normal, openness, and k_s of Eq. 4.
"""

import numba
import numpy as np

from imaging.shadow import SPIRALS, lit_share
from imaging.texture import is_coarse, look_up, slope

# How far red, green and blue light wander below the skin before they leave it: the terminator's
# reach beyond a right angle (cosine units), by eye after Jensen et al. 2001's skin, where red
# scatters about three times as far as blue.
SCATTER = np.array([0.30, 0.14, 0.09])
FRESNEL = 0.9  # how much of the highlight's strength at grazing angles is added (Schlick's shape)
SHEEN = 0.05  # of what is all around: a cornea of strength 0.5 mirrors 2.5 % (Fresnel, n = 1.38)
BRIGHTEST = 4.0  # a glint may not outshine its pixel
STEP_MM = 1.5  # outwards: keeps a slanted surface out of its own shadow


@numba.njit(nogil=True, cache=True)
def to_linear(value):
    """sRGB in [0, 1] to linear light, Horner form of a fit good to 0.002."""
    return value * (value * (value * 0.305306 + 0.682171) + 0.012523)


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _irradiance(light, channel, way):
    """An environment's quadratic polynomial at a normal; light (9, 3), bands already weighted."""
    x, y, z = way
    value = light[0, channel] + light[1, channel] * y + light[2, channel] * z
    value += light[3, channel] * x + light[4, channel] * x * y + light[5, channel] * y * z
    value += light[6, channel] * (3 * z * z - 1) + light[7, channel] * x * z
    return max(value + light[8, channel] * (x * x - y * y), 0.0)


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def bounced(share, albedo):
    """The share of light in a crease with the light that its own colour throws back."""
    a = 2.0404 * albedo - 0.3324
    b = -4.7951 * albedo + 0.6417
    c = 2.7552 * albedo + 0.6903
    return max(share, ((share * a + b) * share + c) * share)


@numba.njit(nogil=True, cache=True, fastmath=True)
def shade(samples, first, stop, surface, paint, look, lamp, environment, shadow, out):
    """Add the colours, in linear light, of the samples that one surface owns.

    Args:
        samples: pixel, triangle, barycentric, weight, area of imaging.samples.Samples.
        first, stop: the range of triangle ids that are this surface.
        surface: triangles (T, 3) int32 and vertices (V, 8) float32 as above.
        paint: colors (V, 3) sRGB; texture (H, W, 3) sRGB and its half, or (0, 0, 3); relief
            (H, W) mm and its half, or (0, 0); uv (U, 2); triangle_uv (T, 3).
        look: ν of the highlight; share of SCATTER; whether normals turn towards the camera.
        lamp: direction (3,), colour (3,).
        environment: (9, 3), irradiance over π as a polynomial.
        shadow: whether there is a map, depth (N, N), matrix (3, 4), spread.
        out: (h, w, 3) float32, added to in place.
    """
    pixel, triangle, barycentric, weight, area = samples
    triangles, vertices = surface
    colors, texture, half, relief, half_relief, uv, triangle_uv = paint
    shininess, scatter, two_sided = look
    shadowed, depth, matrix, spread = shadow
    direction, lamp_color = lamp
    width, slot = out.shape[1], 0
    for e in range(len(pixel)):
        slot = slot + 1 if e > 0 and pixel[e] == pixel[e - 1] else 0
        t = triangle[e] - first
        if t < 0 or t >= stop - first:
            continue
        y, x = pixel[e] // width, pixel[e] % width
        corners = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        shares = barycentric[e, 0], barycentric[e, 1], barycentric[e, 2]
        place = _mix3(vertices, 0, corners, shares)
        normal = _unit(_mix3(vertices, 3, corners, shares))
        share = _mix(vertices, 6, corners, shares)
        strength = _mix(vertices, 7, corners, shares)
        tone = _mix3(colors, 0, corners, shares) if len(texture) == 0 else (0.0, 0.0, 0.0)
        if len(texture) > 0:
            tone, normal = _painted(
                texture,
                half,
                relief,
                half_relief,
                uv,
                (triangle_uv[t, 0], triangle_uv[t, 1], triangle_uv[t, 2]),
                vertices,
                corners,
                shares,
                normal,
                area[e],
                weight[e],
            )
        view = _unit((-place[0], -place[1], -place[2]))
        if two_sided and _dot(normal, view) < 0:
            normal = (-normal[0], -normal[1], -normal[2])
        lit = 1.0
        incidence, lit = _dot(normal, direction), 1.0
        if shadowed and incidence > -SCATTER[0]:
            taps = SPIRALS[(x * 7 + y * 13 + 4 * slot) & 15]  # a fixed dither
            px, py, pz = place[0] + STEP_MM * normal[0], place[1] + STEP_MM * normal[1], place[2]
            lit = lit_share(depth, matrix, spread, px, py, pz + STEP_MM * normal[2], taps)
        mirror = _mirrored(view, normal)
        highlight = (
            strength * lit * _lobe(_dot(mirror, direction), shininess) if incidence > 0 else 0.0
        )
        glow = strength * share * SHEEN + _rim(_dot(normal, view), strength) * share
        for n in range(3):
            albedo = to_linear(tone[n])
            soft = _irradiance(environment, n, normal) * bounced(share, albedo)
            light = soft + lamp_color[n] * _diffuse(incidence, lit, scatter * SCATTER[n])
            shiny = lamp_color[n] * highlight
            if glow > 0:
                shiny += _irradiance(environment, n, mirror) * glow
            out[y, x, n] += weight[e] * min(albedo * light + shiny, BRIGHTEST)


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _mix(values, column, corners, shares):
    """A column of the vertices' values, carried to a place between a triangle's corners."""
    total = shares[0] * values[corners[0], column] + shares[1] * values[corners[1], column]
    return total + shares[2] * values[corners[2], column]


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _mix3(values, column, corners, shares):
    """Three columns, from ``column`` on."""
    return (
        _mix(values, column, corners, shares),
        _mix(values, column + 1, corners, shares),
        _mix(values, column + 2, corners, shares),
    )


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _painted(
    texture, half, relief, half_relief, uv, chart, vertices, corners, shares, normal, area, weight
):
    """sRGB of a sample of a textured triangle, and its unit normal turned by the relief."""
    at = _mix(uv, 0, chart, shares), _mix(uv, 1, chart, shares)
    if len(relief) > 0:
        if is_coarse(relief, uv, chart, area, weight):
            normal = _roughened(normal, half_relief, at, vertices, corners, uv, chart)
        else:
            normal = _roughened(normal, relief, at, vertices, corners, uv, chart)
    if is_coarse(texture, uv, chart, area, weight):
        tone = look_up(half, at[0], at[1])
    else:
        tone = look_up(texture, at[0], at[1])
    return tone, normal


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _roughened(normal, relief, place, vertices, corners, uv, chart):
    """A unit normal turned by the slope of a relief."""
    way = slope(relief, place[0], place[1], vertices, corners, uv, chart)
    return _unit((normal[0] - way[0], normal[1] - way[1], normal[2] - way[2]))


@numba.njit(nogil=True, cache=True, fastmath=True)
def _diffuse(incidence, lit, wrap):
    """The lamp's share on a surface whose light reaches ``wrap`` beyond the terminator."""
    diffuse = max(incidence + wrap, 0.0) / (1 + wrap)
    if wrap > 0:
        diffuse *= diffuse / (diffuse + 0.3 * wrap + 1e-6)  # rolls off to zero softly
    return diffuse * (lit + 0.5 * wrap * lit * (1 - lit))


@numba.njit(nogil=True, cache=True, fastmath=True)
def _lobe(cosine, shininess):
    """The highlight of Eq. 4 for k_s = 1; 0 where it is below a thousandth."""
    if cosine <= 0 or shininess * (1 - cosine) > 7:  # cos^ν ≤ exp(−ν (1 − cos))
        return 0.0
    return np.float32(cosine) ** np.float32(shininess)


@numba.njit(nogil=True, cache=True, fastmath=True)
def _rim(facing, strength):
    """What grazing angles add to the mirror's strength: Schlick's shape, its fifth power rounded
    to a fourth."""
    away = (1 - min(max(facing, 0.0), 1.0)) ** 2
    return min(strength, 0.1) * FRESNEL * away * away


@numba.njit(nogil=True, cache=True, fastmath=True)
def _mirrored(view, normal):
    """Where a ray from the camera goes on to."""
    twice = 2 * _dot(normal, view)
    return (
        twice * normal[0] - view[0],
        twice * normal[1] - view[1],
        twice * normal[2] - view[2],
    )


@numba.njit(nogil=True, cache=True, fastmath=True)
def _unit(way):
    scale = 1 / max(np.sqrt(_dot(way, way)), 1e-9)
    return way[0] * scale, way[1] * scale, way[2] * scale


@numba.njit(nogil=True, cache=True, fastmath=True)
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
