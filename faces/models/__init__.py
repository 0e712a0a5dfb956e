"""Morphable models: the embedded default and importers of others."""
