"""Errors of the registry; every message is one Chinese sentence: what, and what to do."""


class RegistryError(Exception):
    """Base of every error that ``registry`` raises on purpose."""


class StorageError(RegistryError):
    """The database cannot be reached, is not ours, or is not at the expected revision."""


class LoadError(RegistryError):
    """A load, or taking one back, would not leave an honest record."""


class RecordError(RegistryError):
    """Something cannot be recorded, or the record does not hold what is asked for."""


class SigningKeyError(RegistryError):
    """The file of the signing key cannot be created, read or opened."""


class BackupError(RegistryError):
    """A backup cannot be written, or a file cannot be restored."""
