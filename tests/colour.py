"""CIELAB, in which measured colours of skin are published."""

import numpy as np

TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])


def cielab(srgb: np.ndarray) -> np.ndarray:
    """L*, a*, b* (..., 3) under D65 of sRGB (..., 3) in [0, 1], for Y above 0.9 % of white's."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.moveaxis(np.cbrt(linear @ TO_XYZ.T / WHITE), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)
