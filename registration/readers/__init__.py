"""Readers: one file for each layout that scans come in."""
