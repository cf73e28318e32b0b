"""The first evaluator: rulesets as networks for durable_rules, within the subset that was shown to be safe."""
