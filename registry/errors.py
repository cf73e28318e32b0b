"""Errors of the registry: data, of which a face makes one Chinese sentence."""

from pathlib import Path
from traceback import extract_tb

from rules.portable.errors import DescribedError


def fault(error: Exception) -> str:
    """The sentence for an error that nobody foresaw, with its place in the program."""
    place = next(
        (f"{Path(f.filename).name}:{f.lineno} " for f in extract_tb(error.__traceback__)[-1:]), ""
    )
    said = f"：{error}" if str(error) else ""
    return f"程序内部出错（{place}{type(error).__name__}{said}），请保留数据并报告"


class RegistryError(DescribedError):
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


class UncopiedError(BackupError):
    """A registry holds rows that none would take: a copy of it row by row is not made."""


class AlteredError(RegistryError):
    """What the database holds was not stored by the registry as it stands there."""
