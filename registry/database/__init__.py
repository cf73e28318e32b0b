"""The database: its tables and column types, triggers and roles, and the one way to write filings."""
