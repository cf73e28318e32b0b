"""Living documentation: everything that a page says about the criteria, as values."""
