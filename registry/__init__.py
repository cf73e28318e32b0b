"""Tidu registry: tables, intake, checks and the command line over the ``rules`` library."""
