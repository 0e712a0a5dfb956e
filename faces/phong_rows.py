"""Eq. 4 and its derivatives, a vertex at a time: the loop that a fit of texture lives in."""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def shade_rows(albedo, normals, view, modes, p, light, shininess, held, colors, jacobian):
    """Fill colours, and the Jacobian where it has rows.

    Args:
        albedo: (N, 3), T of Eq. 3; modes: (N, 3, B).
        normals, view: (N, 3) unit.
        p: (B + 11,) packed parameters; light (3,) and shininess follow from them.
        held: whether ν stands at one of its bounds.
        colors: (N, 3), C of Eq. 4, not clipped.
        jacobian: (N, 3, B + 11), dC/dp, zero before; or (0, 3, B + 11).
    """
    tail = modes.shape[2]
    ambient, directional = p[tail : tail + 3] ** 2, p[tail + 3 : tail + 6] ** 2
    specular, length = p[tail + 9] ** 2, np.sqrt((p[tail + 6 : tail + 9] ** 2).sum())
    turn = np.zeros(3)
    for i in range(len(albedo)):
        n, v = normals[i], view[i]
        incidence = n[0] * light[0] + n[1] * light[1] + n[2] * light[2]
        facing = n[0] * v[0] + n[1] * v[1] + n[2] * v[2]
        aside = v[0] * light[0] + v[1] * light[1] + v[2] * light[2]
        mirror, lit, glow = 2 * incidence * facing - aside, max(incidence, 0.0), 0.0
        glints = mirror > 0 and incidence > 0
        if glints:
            glow = mirror**shininess
        for c in range(3):
            colors[i, c] = albedo[i, c] * (ambient[c] + directional[c] * lit)
            colors[i, c] += specular * directional[c] * glow
        if len(jacobian) == 0:
            continue
        for c in range(3):
            row, gloss = jacobian[i, c], specular * directional[c]
            level = ambient[c] + directional[c] * lit
            for b in range(tail):
                row[b] = modes[i, c, b] * level
            row[tail + c] = 2 * p[tail + c] * albedo[i, c]
            row[tail + 3 + c] = 2 * p[tail + 3 + c] * (albedo[i, c] * lit + specular * glow)
            # The light's direction counts, not its length: the change along it drops out.
            along = 0.0
            for k in range(3):
                turn[k] = directional[c] * albedo[i, c] * n[k] if incidence > 0 else 0.0
                if glints:
                    turn[k] += gloss * shininess * glow / mirror * (2 * facing * n[k] - v[k])
                along += turn[k] * light[k]
            for k in range(3):
                row[tail + 6 + k] = (turn[k] - along * light[k]) / length
            row[tail + 9] = 2 * p[tail + 9] * directional[c] * glow
            if glints and not held:
                row[tail + 10] = gloss * glow * np.log(mirror) * shininess
