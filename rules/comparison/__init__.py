"""Two texts of law side by side: their differences, matched on the compiled rulesets."""
