"""Screening: a ruleset as one SQL statement, for all filings of a snapshot at once.

Whatever is decided on the record is decided by ``rules.decider``; this is for asking a whole registry.
"""
