"""Errors of the registry, as data: a face turns each into one Chinese sentence."""

from pathlib import Path
from traceback import extract_tb

from rules.portable.errors import DescribedError


def fault(error: Exception) -> str:
    """The sentence for an unforeseen error, with its place in the program."""
    place = next(
        (f"{Path(f.filename).name}:{f.lineno} " for f in extract_tb(error.__traceback__)[-1:]), ""
    )
    said = f"：{error}" if str(error) else ""
    return f"程序内部出错（{place}{type(error).__name__}{said}），请保留数据并报告"


class RegistryError(DescribedError):
    """The base of all errors that ``registry`` raises on purpose."""


class StorageError(RegistryError):
    """The database cannot be reached, is not ours, or is not at the expected revision."""


class LoadError(RegistryError):
    """A load, or its undoing, would not leave an honest record."""


class RecordError(RegistryError):
    """Something cannot be recorded, or the record does not contain what is requested."""


class MovedOnError(RecordError):
    """Since somebody looked, something was recorded that concerns what they want to record."""


class SigningKeyError(RegistryError):
    """The signing key's file cannot be created, read or opened."""


class BackupError(RegistryError):
    """A backup cannot be written, or a file cannot be restored."""


class UncopiedError(BackupError):
    """A registry contains rows that no registry accepts, so it cannot be copied row by row."""


class AlteredError(RegistryError):
    """The content of the database differs from what the registry stored."""
