"""Stages: pure functions from a shard task to a shard record."""
