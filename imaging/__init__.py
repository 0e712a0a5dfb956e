"""Pixels: rasterising, shading, gradient-domain editing and codecs; knows no faces."""
