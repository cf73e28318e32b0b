"""Tidu rules: a pure library that turns a ruleset and a filing's facts into a decision.

No database, clock, web or command line in here: see ``registry`` for the application.
"""
