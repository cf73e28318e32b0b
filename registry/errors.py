"""Errors of the registry; every message is one Chinese sentence: what, and what to do."""


class RegistryError(Exception):
    """Base of every error that ``registry`` raises on purpose."""


class StorageError(RegistryError):
    """The database cannot be reached, is not ours, or is not at the expected revision."""


class LoadError(RegistryError):
    """A load, or taking one back, would not leave an honest record."""
