"""Linear light to a picture as cameras make it."""

import numba
import numpy as np

from imaging.srgb import srgb_curve

MIDDLE, CONTRAST = 0.18, 1.2  # grey card; log-log slope
KNEE, WHITE = 0.5, 4.0  # linear light after the contrast: where the shoulder begins and ends
BRIGHTEST, _STEPS = 8.0, 1 << 15


def developed(linear: np.ndarray) -> np.ndarray:
    """Linear light (H, W, 3) as a camera's sRGB picture, uint8.

    As cameras do, the middle greys keep their place, CONTRAST steepens what is around them without
    a change of hue, and channels above KNEE roll off towards white.
    """
    out = np.zeros(linear.shape, dtype=np.uint8)
    _develop(np.ascontiguousarray(linear, dtype=np.float32), STEEPEN, ENCODE, out)
    return out


def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Contrast's gain, and the shoulder with IEC 61966-2-1's curve, from steps of linear light."""
    light = np.linspace(0, BRIGHTEST, _STEPS + 1)
    gain = (np.maximum(light, 1e-3) / MIDDLE) ** (CONTRAST - 1)
    # Reinhard et al. 2002, Eq. 4, on what lies above the knee
    over, white = np.maximum(light - KNEE, 0) / (1 - KNEE), (WHITE - KNEE) / (1 - KNEE)
    shoulder = over * (1 + over / white**2) / (1 + over)
    x = np.clip(np.minimum(light, KNEE) + (1 - KNEE) * shoulder, 0, 1)
    return gain.astype(np.float32), np.rint(255 * srgb_curve(x)).astype(np.uint8)


STEEPEN, ENCODE = _tables()


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def develop_pixel(r, g, b, steepen, encode):
    """Three channels of linear light as uint8 sRGB, by the tables STEEPEN and ENCODE."""
    last = len(encode) - 1
    scale = np.float32(last / BRIGHTEST)
    luminance = np.float32(0.2126) * r + np.float32(0.7152) * g + np.float32(0.0722) * b
    gain = steepen[min(max(int(luminance * scale), 0), last)] * scale
    half = np.float32(0.5)
    return (
        encode[min(max(int(r * gain + half), 0), last)],
        encode[min(max(int(g * gain + half), 0), last)],
        encode[min(max(int(b * gain + half), 0), last)],
    )


@numba.njit(nogil=True, cache=True, fastmath=True)
def _develop(linear, steepen, encode, out):
    """developed() of (H, W, 3) float32 into uint8."""
    for y in range(linear.shape[0]):
        for x in range(linear.shape[1]):
            r, g, b = linear[y, x]
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = develop_pixel(r, g, b, steepen, encode)
