"""The light of a block of places on surfaces (imaging.places), from albedo to colours."""

import numba
import numpy as np

from imaging.deferred import to_linear
from imaging.develop import develop_pixel
from imaging.places import BLOCK, COSINE, INCIDENCE, LAMP, NX, NY, NZ, SHINE, B, G, R, X, Y, Z
from imaging.shadow import SPIRALS, lit_share
from imaging.texels import read_texels

MOST = 256  # exponent of a highlight that is squared together
STEP_MM = 1.5  # outwards: keeps a slanted surface out of its own shadow


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def color_block(w, marks, count, texture, lens, turn, light, shadow):
    """From normals, places and albedo, or texture coordinates, to colours in 0..255 (R, G, B).

    Args:
        w, marks: a block of imaging.places. count: of places that hold something.
        texture, lens, light, shadow: as imaging.surface.shade_image takes them.
        turn: its rotation, and perspective.
    """
    texels, table = texture
    rotation, perspective = turn
    environment, direction, color, specular, shininess, linear, steepen, encode = light
    _turn_normals(w, rotation)
    if len(table) > 0:
        read_texels(w, marks, count, texels, table)
    if linear:
        _take_curve_out(w)
    _meet_lamp(w, direction, lens, perspective)
    if shadow[0]:
        _cast_shadows(w, count, lens, perspective, shadow)
    _shine(w, count, np.float32(specular), np.float32(shininess))
    _light(w, R, environment, color, 0)
    _light(w, G, environment, color, 1)
    _light(w, B, environment, color, 2)
    if linear:
        _develop(w, count, steepen, encode)
    else:
        _fill(w)


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _turn_normals(w, rotation):
    """Of unit length, into the camera's axes."""
    a, b, c = rotation[0, 0], rotation[0, 1], rotation[0, 2]
    d, e, f = rotation[1, 0], rotation[1, 1], rotation[1, 2]
    g, h, i = rotation[2, 0], rotation[2, 1], rotation[2, 2]
    for n in range(BLOCK):
        x, y, z = w[NX + n], w[NY + n], w[NZ + n]
        scale = np.float32(1) / np.sqrt(max(x * x + y * y + z * z, np.float32(1e-18)))
        x, y, z = x * scale, y * scale, z * scale
        w[NX + n] = a * x + b * y + c * z
        w[NY + n] = d * x + e * y + f * z
        w[NZ + n] = g * x + h * y + i * z


@numba.njit(nogil=True, cache=True, fastmath=True)
def _take_curve_out(w):
    for n in range(R, R + 3 * BLOCK):
        w[n] = np.float32(to_linear(w[n]))


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _meet_lamp(w, direction, lens, perspective):
    """Cosines with the lamp's direction, and of its mirrored ray with that to the camera."""
    lx, ly, lz = direction[0], -direction[1], -direction[2]
    if perspective:
        across, down = np.float32(1 / lens[0]), np.float32(1 / lens[1])
    else:
        across, down = np.float32(0), np.float32(0)
    cx, cy, one = np.float32(lens[2]), np.float32(lens[3]), np.float32(1)
    for n in range(BLOCK):
        x, y, z = w[NX + n], w[NY + n], w[NZ + n]
        incidence = x * lx + y * ly + z * lz
        dx, dy = (w[X + n] - cx) * across, (cy - w[Y + n]) * down
        twice = incidence + incidence
        along = (twice * z - lz) - dx * (twice * x - lx) - dy * (twice * y - ly)
        w[INCIDENCE + n] = incidence
        w[LAMP + n] = max(incidence, np.float32(0))
        w[COSINE + n] = along / np.sqrt(dx * dx + dy * dy + one)


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _cast_shadows(w, count, lens, perspective, shadow):
    _, depth, matrix, spread = shadow
    fx, fy, cx, cy = lens
    for n in range(count):
        if w[LAMP + n] <= 0:
            continue
        z = w[Z + n]
        across = z if perspective else np.float32(1)
        taps = SPIRALS[(int(w[X + n]) * 7 + int(w[Y + n]) * 13) & 15]  # a fixed dither
        w[LAMP + n] *= np.float32(
            lit_share(
                depth,
                matrix,
                spread,
                (w[X + n] - cx) / fx * across + STEP_MM * w[NX + n],
                (w[Y + n] - cy) / fy * across - STEP_MM * w[NY + n],
                z - STEP_MM * w[NZ + n],
                taps,
            )
        )


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _shine(w, count, specular, shininess):
    """The highlight of Eq. 4, by the share of the lamp that comes through."""
    tiny = np.float32(1e-6)
    whole = int(shininess)
    if specular > 0 and (whole != shininess or whole > MOST):
        _shine_slowly(w, count, specular, shininess)
        return
    for n in range(BLOCK):
        w[COSINE + n] = max(w[COSINE + n], np.float32(0))
        w[SHINE + n] = specular * w[LAMP + n] / max(w[INCIDENCE + n], tiny)
    while whole > 0 and specular > 0:
        if whole & 1:
            for n in range(BLOCK):
                w[SHINE + n] *= w[COSINE + n]
        for n in range(BLOCK):
            w[COSINE + n] *= w[COSINE + n]
        whole >>= 1


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _shine_slowly(w, count, specular, shininess):
    """The same for any exponent; 0 below a thousandth."""
    one = np.float32(1)
    for n in range(BLOCK):
        w[SHINE + n] = 0
    for n in range(count):
        cosine, lamp = w[COSINE + n], w[LAMP + n]
        # cos^ν ≤ exp(−ν (1 − cos))
        if lamp > 0 and cosine > 0 and shininess * (one - cosine) <= 7:
            w[SHINE + n] = specular * cosine**shininess * lamp / w[INCIDENCE + n]


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _light(w, channel, environment, color, c):
    """Eq. 4; the environment is a quadratic polynomial of the normal (y and z of the camera)."""
    e0, e1, e2 = environment[0, c], -environment[1, c], -environment[2, c]
    e3, e4, e5 = environment[3, c], -environment[4, c], environment[5, c]
    e6, e7, e8 = environment[6, c], -environment[7, c], environment[8, c]
    own, one, three = color[c], np.float32(1), np.float32(3)
    for n in range(BLOCK):
        x, y, z = w[NX + n], w[NY + n], w[NZ + n]
        around = e0 + e1 * y + e2 * z + e3 * x + e4 * x * y + e5 * y * z
        around += e6 * (three * z * z - one) + e7 * x * z + e8 * (x * x - y * y)
        light = max(around, np.float32(0)) + own * w[LAMP + n]
        w[channel + n] = w[channel + n] * light + own * w[SHINE + n]


@numba.njit(nogil=True, cache=True, fastmath=True)
def _develop(w, count, steepen, encode):
    for n in range(count):
        r, g, b = develop_pixel(w[R + n], w[G + n], w[B + n], steepen, encode)
        w[R + n], w[G + n], w[B + n] = np.float32(r), np.float32(g), np.float32(b)


@numba.njit(nogil=True, cache=True, fastmath=True)
def _fill(w):
    zero, one, full = np.float32(0), np.float32(1), np.float32(255)
    for n in range(R, R + 3 * BLOCK):
        w[n] = full * min(max(w[n], zero), one)
