"""Turns a file into sheets of cells: formats, dates, merged cells, and bounds for everything."""
