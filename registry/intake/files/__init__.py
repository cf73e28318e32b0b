"""A file becomes sheets of cells: formats, dates, merged cells, and bounds for all of it."""
