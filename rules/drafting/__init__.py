"""The tools of a drafter: examples, linter, mutants, formatter, scaffold."""
