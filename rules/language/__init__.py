"""The table language of the feature files: from what ``rules.source`` reads to rules."""
