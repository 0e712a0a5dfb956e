"""sRGB's curve (IEC 61966-2-1), exact both ways on 8 bits."""

import numpy as np


def decode_srgb(color: np.ndarray) -> np.ndarray:
    """(...,) uint8 sRGB to float32 linear light in [0, 1]."""
    if color.dtype != np.uint8:
        raise ValueError(f"sRGB image: {color.dtype}; expected uint8; scale it to 0..255 first")
    return _LINEAR[color]


def encode_srgb(light: np.ndarray) -> np.ndarray:
    """(...,) linear light, clipped to [0, 1], to uint8 sRGB.

    By a table of 2^16 steps: a value within 0.03 of a code of the border to the next may fall on
    its other side.
    """
    steps = np.clip(light, 0, 1)
    steps = (steps * np.float32(len(_CODES) - 1) + np.float32(0.5)).astype(np.uint16)
    return np.take(_CODES, steps)


def _linear(value):
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def srgb_curve(light: np.ndarray) -> np.ndarray:
    """(...,) linear light in [0, 1] to sRGB in [0, 1], float."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


_LINEAR = _linear(np.arange(256) / 255).astype(np.float32)
_CODES = np.rint(255 * srgb_curve(np.arange(1 << 16) / ((1 << 16) - 1))).astype(np.uint8)
