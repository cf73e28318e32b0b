"""What an auditor runs without Tidu: the standard library alone, for it travels in ``verify.py``."""
