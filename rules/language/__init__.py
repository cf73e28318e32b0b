"""The language of the feature files: from tables and sentences to rulesets, and which of them governs."""
