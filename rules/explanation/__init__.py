"""Decisions in words: every comparison with its figure, its threshold and its distance."""
