"""The second evaluator and what it reads: the standard library alone, for it travels in ``verify.py``."""
