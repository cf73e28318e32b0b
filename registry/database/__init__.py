"""The database: tables, column types, triggers, roles, and the only writer of filings."""
