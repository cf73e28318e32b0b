"""One case judged, with reasons: the ruleset that governs it, both evaluators, what persons settled."""
