"""The language of the feature files: from tables to rulesets, and which of them governs."""
