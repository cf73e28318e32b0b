"""The first evaluator: rulesets as durable_rules networks, within a subset shown to be safe."""
