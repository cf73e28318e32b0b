"""Rulesets as networks for the Rete engine, within the subset of it that was shown to be safe."""
