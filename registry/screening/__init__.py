"""Screening: a ruleset as one SQL statement, for all filings of a snapshot at once.

Recorded decisions are always made by ``rules.decider``; screening only answers questions about a
whole registry.
"""
