"""The data of filings and rulesets: facts, exact quantities, expressions, and canonical forms."""
