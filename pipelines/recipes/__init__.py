"""Recipes: the stages of one kind of set, readable top to bottom."""
