"""Shading of what a rasteriser found: a sample's own normal, texture, light and shadow."""

import numba
import numpy as np

from imaging.shadow import SPIRALS, lit_share

# How far red, green and blue light wander below the skin before they leave it: the terminator's
# reach beyond a right angle (cosine units), by eye after Jensen et al. 2001's skin, where red
# scatters about three times as far as blue.
SCATTER = np.array([0.30, 0.14, 0.09])
FRESNEL = 0.9  # how much of the highlight's strength at grazing angles is added (Schlick's shape)
SHEEN = 0.05  # of what is all around: a cornea of strength 0.5 mirrors 2.5 % (Fresnel, n = 1.38)


@numba.njit(nogil=True, cache=True)
def to_linear(value):
    """sRGB in [0, 1] to linear light, Horner form of a fit good to 0.002."""
    return value * (value * (value * 0.305306 + 0.682171) + 0.012523)


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _texel(texture, u, v, channel):
    """Bilinear look-up, held at the border."""
    height, width = texture.shape[:2]
    x = min(max(u * width - 0.5, 0.0), width - 1.001)
    y = min(max(v * height - 0.5, 0.0), height - 1.001)
    i, j = int(y), int(x)
    a, b = x - j, y - i
    upper = texture[i, j, channel] * (1 - a) + texture[i, j + 1, channel] * a
    lower = texture[i + 1, j, channel] * (1 - a) + texture[i + 1, j + 1, channel] * a
    return upper * (1 - b) + lower * b


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _irradiance(light, channel, x, y, z):
    """An environment's quadratic polynomial at a normal; light (9, 3), bands already weighted."""
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
def shade(
    triangle_id,
    barycentric,
    first,
    stop,
    mesh,
    paint,
    gloss,
    shininess,
    scatter,
    two_sided,
    lamp,
    environment,
    shadow,
    out,
):
    """Linear colours of the samples that one surface owns.

    Args:
        triangle_id: (h, w) int32 of the whole scene; barycentric: (h, w, 3) float32.
        first, stop: the range of triangle ids that are this surface.
        mesh: triangles (T, 3), points (V, 3) mm camera frame, normals (V, 3), openness (V,).
        paint: colors (V, 3) sRGB, texture (H, W, 3) sRGB or (0, 0, 3), relief (H, W) mm or (0, 0),
            uv (U, 2), triangle_uv (T, 3).
        gloss: (V,) k_s of Eq. 4 at the vertices; shininess: ν.
        scatter: share of SCATTER that the surface has.
        two_sided: whether normals turn towards the camera.
        lamp: direction (3,), colour (3,).
        environment: (9, 3), irradiance over π as a polynomial.
        shadow: whether there is a map, depth (N, N), matrix (3, 4), spread.
        out: (h, w, 3) float32, written in place.
    """
    triangles, points, normals, openness = mesh
    colors, texture, relief, uv, triangle_uv = paint
    direction, lamp_color = lamp
    shadowed, depth, matrix, spread = shadow
    height, width = triangle_id.shape
    for y in range(height):
        for x in range(width):
            t = triangle_id[y, x] - first
            if t < 0 or t >= stop - first:
                continue
            i, j, k = triangles[t]
            a, b, c = barycentric[y, x]
            px = a * points[i, 0] + b * points[j, 0] + c * points[k, 0]
            py = a * points[i, 1] + b * points[j, 1] + c * points[k, 1]
            pz = a * points[i, 2] + b * points[j, 2] + c * points[k, 2]
            nx = a * normals[i, 0] + b * normals[j, 0] + c * normals[k, 0]
            ny = a * normals[i, 1] + b * normals[j, 1] + c * normals[k, 1]
            nz = a * normals[i, 2] + b * normals[j, 2] + c * normals[k, 2]
            u = v = 0.0
            if texture.shape[0] > 0:
                ui, uj, uk = triangle_uv[t]
                u = a * uv[ui, 0] + b * uv[uj, 0] + c * uv[uk, 0]
                v = a * uv[ui, 1] + b * uv[uj, 1] + c * uv[uk, 1]
            length = max(np.sqrt(nx * nx + ny * ny + nz * nz), 1e-9)
            nx, ny, nz = nx / length, ny / length, nz / length
            if relief.shape[0] > 0:
                gx, gy, gz = _slope(
                    relief, u, v, points[i], points[j], points[k], uv[ui], uv[uj], uv[uk]
                )
                nx, ny, nz = nx - gx, ny - gy, nz - gz
                length = np.sqrt(nx * nx + ny * ny + nz * nz)
                nx, ny, nz = nx / length, ny / length, nz / length
            distance = np.sqrt(px * px + py * py + pz * pz)
            vx, vy, vz = -px / distance, -py / distance, -pz / distance
            facing = nx * vx + ny * vy + nz * vz
            if two_sided and facing < 0:
                nx, ny, nz, facing = -nx, -ny, -nz, -facing
            share = a * openness[i] + b * openness[j] + c * openness[k]
            lit = 1.0
            incidence = nx * direction[0] + ny * direction[1] + nz * direction[2]
            if shadowed and incidence > -0.3:
                taps = SPIRALS[(x * 7 + y * 13) & 15]  # a fixed dither
                # a step outwards keeps a slanted surface out of its own shadow
                lit = lit_share(
                    depth, matrix, spread, px + 1.5 * nx, py + 1.5 * ny, pz + 1.5 * nz, taps
                )
            rx, ry, rz = 2 * facing * nx - vx, 2 * facing * ny - vy, 2 * facing * nz - vz
            strength = a * gloss[i] + b * gloss[j] + c * gloss[k]
            mirrored = rx * direction[0] + ry * direction[1] + rz * direction[2]
            highlight = 0.0
            if incidence > 0 and mirrored > 0:
                highlight = strength * lit * mirrored**shininess
            away = (1 - min(max(facing, 0.0), 1.0)) ** 2
            rim = min(strength, 0.1) * FRESNEL * share * away * away
            for n in range(3):
                if texture.shape[0] > 0:
                    tone = _texel(texture, u, v, n)
                else:
                    tone = a * colors[i, n] + b * colors[j, n] + c * colors[k, n]
                albedo = to_linear(tone)
                wrap = scatter * SCATTER[n]
                diffuse = max(incidence + wrap, 0.0) / (1 + wrap)
                if wrap > 0:
                    diffuse *= diffuse / (diffuse + 0.3 * wrap + 1e-6)  # rolls off to zero softly
                soft = _irradiance(environment, n, nx, ny, nz) * bounced(share, albedo)
                glow = _irradiance(environment, n, rx, ry, rz) * (rim + SHEEN * strength * share)
                light = soft + lamp_color[n] * diffuse * (lit + 0.5 * wrap * lit * (1 - lit))
                out[y, x, n] = albedo * light + lamp_color[n] * highlight + glow


@numba.njit(nogil=True, cache=True, fastmath=True)
def _slope(relief, u, v, p, q, r, up, uq, ur):
    """Gradient (3 values, mm a mm) of a relief over a triangle, in the triangle's plane."""
    height, width = relief.shape
    x = min(max(int(u * width), 1), width - 2)
    y = min(max(int(v * height), 1), height - 2)
    du = (relief[y, x + 1] - relief[y, x - 1]) * 0.5 * width
    dv = (relief[y + 1, x] - relief[y - 1, x]) * 0.5 * height
    e1x, e1y, e1z = q[0] - p[0], q[1] - p[1], q[2] - p[2]
    e2x, e2y, e2z = r[0] - p[0], r[1] - p[1], r[2] - p[2]
    a, b = uq[0] - up[0], uq[1] - up[1]
    c, d = ur[0] - up[0], ur[1] - up[1]
    # along the sides the relief rises by s1 and s2; its gradient is g = α e1 + β e2
    s1, s2 = du * a + dv * b, du * c + dv * d
    m11 = e1x * e1x + e1y * e1y + e1z * e1z
    m12 = e1x * e2x + e1y * e2y + e1z * e2z
    m22 = e2x * e2x + e2y * e2y + e2z * e2z
    determinant = m11 * m22 - m12 * m12
    if determinant < 1e-12:
        return 0.0, 0.0, 0.0
    alpha = (m22 * s1 - m12 * s2) / determinant
    beta = (m11 * s2 - m12 * s1) / determinant
    return alpha * e1x + beta * e2x, alpha * e1y + beta * e2y, alpha * e1z + beta * e2z
