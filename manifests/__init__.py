"""Bytes on disk: shards, sidecars, manifests and their verification; knows no faces."""
