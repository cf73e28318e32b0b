"""The first evaluator: compiles rulesets to durable_rules networks in a subset proven safe."""
