"""Living documentation: everything that a page says of the criteria, as values."""
