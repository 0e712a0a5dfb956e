"""Registered face and image in, rotated views out (Beyond 3DMM Space, section 3.2)."""
