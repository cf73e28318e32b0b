"""Code that auditors run without Tidu: standard library only, as it travels in ``verify.py``."""
