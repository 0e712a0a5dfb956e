"""sRGB's curve (IEC 61966-2-1), exact both ways on 8 bits."""

import numpy as np


def decode_srgb(color: np.ndarray) -> np.ndarray:
    """(...,) uint8 sRGB to float32 linear light in [0, 1]."""
    if color.dtype != np.uint8:
        raise ValueError(f"sRGB image: {color.dtype}; expected uint8; scale it to 0..255 first")
    return _LINEAR[color]


def encode_srgb(light: np.ndarray) -> np.ndarray:
    """(...,) linear light, clipped to [0, 1], to uint8 sRGB."""
    x = np.clip(light, 0, 1)
    value = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return np.rint(255 * value).astype(np.uint8)


def _table():
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


_LINEAR = _table().astype(np.float32)
