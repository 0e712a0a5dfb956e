"""Light on surfaces: the Phong model, spherical harmonics, and reading a texture."""

import numpy as np

# Irradiance through order 2 (Ramamoorthi and Hanrahan 2001, Eq. 12): the real harmonics' constants
# times the clamped cosine's A_0 = π, A_1 = 2π/3, A_2 = π/4, over π for a Lambertian surface.
_BAND = np.array([1.0, 2 / 3, 1 / 4])
_Y0, _Y1, _Y2, _Y20, _Y22 = 0.282095, 0.488603, 1.092548, 0.315392, 0.546274


def phong(
    albedo: np.ndarray,
    normals: np.ndarray,
    view: np.ndarray,
    light: np.ndarray,
    ambient: np.ndarray,
    directional: np.ndarray,
    specular: float,
    shininess: float,
) -> np.ndarray:
    """Colours of the Phong model (Beyond 3DMM Space, Eq. 4), dot products clamped at 0.

    C = Amb·T + Dir·T·⟨n, l⟩ + k_s·Dir·⟨r, ve⟩^ν with r = 2⟨n, l⟩n − l.

    The highlight vanishes where the light is behind the surface (⟨n, l⟩ ≤ 0): there r would point
    into it. All directions are in one frame.

    Args:
        albedo: (N, 3) in [0, 1], T.
        normals: (N, 3) unit, outwards.
        view: (N, 3) or (3,) unit, from the surface towards the camera, ve.
        light: (3,) unit, from the surface towards the light, l.
        ambient, directional: (3,), the diagonals of Amb and Dir.
        specular: k_s.
        shininess: ν > 0.

    Returns:
        (N, 3) float64, not clipped above.
    """
    normals, light = np.asarray(normals, dtype=np.float64), np.asarray(light, dtype=np.float64)
    incidence = normals @ light
    mirrored = 2 * incidence[:, None] * normals - light
    highlight = np.clip((mirrored * view).sum(-1), 0, None) ** shininess
    highlight = np.where(incidence > 0, highlight, 0)[:, None]
    diffuse = np.clip(incidence, 0, None)[:, None]
    ambient, directional = np.asarray(ambient), np.asarray(directional)
    return albedo * (ambient + directional * diffuse) + specular * directional * highlight


def harmonics(normals: np.ndarray) -> np.ndarray:
    """Real spherical harmonics through order 2 of unit directions (N, 3): (N, 9) float64.

    Order: 1; y, z, x; xy, yz, 3z²−1, xz, x²−y².
    """
    x, y, z = np.asarray(normals, dtype=np.float64).T
    return np.stack(
        [
            np.full_like(x, _Y0),
            *(_Y1 * y, _Y1 * z, _Y1 * x),
            *(
                _Y2 * x * y,
                _Y2 * y * z,
                _Y20 * (3 * z * z - 1),
                _Y2 * x * z,
                _Y22 * (x * x - y * y),
            ),
        ],
        axis=1,
    )


def spherical_harmonics(
    albedo: np.ndarray, normals: np.ndarray, coefficients: np.ndarray
) -> np.ndarray:
    """Diffuse colours under a distant environment through order 2.

    Args:
        albedo: (N, 3) in [0, 1].
        normals: (N, 3) unit.
        coefficients: (9, 3), the environment's radiance in harmonics(), a column a channel.

    Returns:
        (N, 3) float64 = albedo · irradiance / π, clamped at 0 below, not clipped above.
    """
    bands = np.repeat(_BAND, [1, 3, 5])[:, None]
    return albedo * np.clip(harmonics(normals) @ (bands * coefficients), 0, None)


def irradiance_polynomial(coefficients: np.ndarray) -> np.ndarray:
    """An environment (9, 3) as imaging.deferred evaluates it: constants and cosine bands put in.

    Returns:
        (9, 3) float64 factors of 1; y, z, x; xy, yz, 3z²−1, xz, x²−y², irradiance over π.
    """
    constants = [_Y0, _Y1, _Y1, _Y1, _Y2, _Y2, _Y20, _Y2, _Y22]
    bands = np.repeat(_BAND, [1, 3, 5])
    return (bands * constants)[:, None] * np.asarray(coefficients, dtype=np.float64)


def sample_texture(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Bilinear look-up of a texture; coordinates outside are held at the border.

    Args:
        texture: (H, W, C), any number type.
        uv: (..., 2) in [0, 1], u right, v **down** from the top-left corner of the texture;
            texel (i, j) has its centre at ((j + 0.5) / W, (i + 0.5) / H).

    Returns:
        (..., C) float32 in the texture's units.
    """
    height, width = texture.shape[:2]
    uv = np.asarray(uv, dtype=np.float64)
    x = np.clip(uv[..., 0] * width - 0.5, 0, width - 1)
    y = np.clip(uv[..., 1] * height - 0.5, 0, height - 1)
    left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    a, b = (x - left)[..., None], (y - top)[..., None]
    upper = texture[top, left] * (1 - a) + texture[top, right] * a
    lower = texture[bottom, left] * (1 - a) + texture[bottom, right] * a
    return (upper * (1 - b) + lower * b).astype(np.float32)
