"""A sheet becomes tables: headings understood, kinds of rows told apart, cells added to filings."""
