"""Turns a sheet into tables: understands headings, classifies rows, adds cells to filings."""
