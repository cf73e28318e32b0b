"""Judges one case with reasons: governing ruleset, both evaluators, determinations by persons."""
