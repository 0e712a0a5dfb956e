"""Scans in: one reader a folder layout."""

from registration.readers.base import Reader, ScanRef, SideView, open_layout

__all__ = ["Reader", "ScanRef", "SideView", "open_layout"]
