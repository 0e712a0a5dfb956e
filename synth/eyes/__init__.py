"""Eyeballs and what lies on them: where they look, lids, lashes, cornea."""
