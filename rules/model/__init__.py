"""What is filed and what a ruleset is: facts, exact quantities, expressions, and their canonical form."""
