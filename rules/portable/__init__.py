"""The second evaluator and its data: standard library only, as it travels in ``verify.py``."""
