"""Finds the packaged files, in the repository or in an installed wheel."""

from pathlib import Path
from typing import Final

from registry.errors import RegistryError
from registry.kit import settings

_HERE: Final = Path(__file__).parents[1]


def _folder(packaged: str, in_repository: str) -> Path:
    installed = _HERE / "_packaged" / packaged
    return installed if installed.is_dir() else _HERE.parent / in_repository


def migrations() -> Path:
    """The folder of the alembic environment and its revisions."""
    return _folder("migrations", "alembic")


def features() -> Path:
    """The folder of the criteria, one sub-folder per source document."""
    return _folder("features", "features")


def own_features() -> Path | None:
    """The folder of a bureau's own packs, from ``TIDU_FEATURES``; ``RegistryError`` if it is no folder."""
    name = settings.FEATURES.value
    if not name:
        return None
    if not Path(name).is_dir():
        raise RegistryError(
            "no-such-folder",
            "环境变量 {where} 所指的目录 {value} 不存在：请改正或取消设置",
            where=settings.FEATURES.name,
            value=name,
        )
    return Path(name)


def criteria(folder: Path | None = None) -> tuple[Path, Path | None]:
    """The features folder to compile, and the folder of own packs to lay over it, if any.

    Without ``folder``: the packaged criteria, and the packs of ``TIDU_FEATURES``. A folder with
    only packs (``provinces``, ``rounds``) is laid over the packaged criteria; any other stands
    alone.
    """
    if folder is None:
        return features(), own_features()
    return (features(), folder) if is_own(folder) else (folder, None)


def is_own(folder: Path) -> bool:
    """Whether a folder holds packs for the packaged criteria, and is no set of criteria itself."""
    packs = any((folder / name).is_dir() for name in _PACKS)
    return packs and not is_complete(folder)


def is_complete(folder: Path) -> bool:
    """Whether a folder is a complete set of criteria, with the cited maps and the applicability."""
    return (folder / "maps").is_dir() and any(folder.glob("*.feature"))


_PACKS: Final = ("provinces", "rounds")


def locale() -> Path:
    """The folder of message catalogues for the command line's own texts."""
    return _HERE / "locale"
