"""A ruleset compiled to one SQL statement (``program``), out of exact whole numbers (``widths``).

From the bottom: what databases write differently, conditions, numbers; figures and their arithmetic;
formulas, records, outcomes, the bodies of rules; the stages of the statement.
"""
