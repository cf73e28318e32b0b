"""Compiles a ruleset to one SQL statement (``program``) over exact whole numbers (``widths``).

From the bottom up: elements that databases write differently, conditions, numbers; figures and
their arithmetic; formulas, records, outcomes, the bodies of rules; the stages of the statement.
"""
