"""Where the files that travel with the program stand: the repository or an installed wheel."""

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent


def _folder(packaged: str, in_repository: str) -> Path:
    installed = _HERE / "_packaged" / packaged
    return installed if installed.is_dir() else _HERE.parent / in_repository


def migrations() -> Path:
    """The folder of the alembic environment and its revisions."""
    return _folder("migrations", "alembic")


def features() -> Path:
    """The folder of the criteria, one sub-folder per source document."""
    return _folder("features", "features")


def locale() -> Path:
    """The folder of message catalogues for the command line's own texts."""
    return _HERE / "locale"
