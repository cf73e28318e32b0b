"""Criteria compiled from their folders, which needs no registry, and those that a registry published."""

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import rules
from registry.errors import RegistryError
from registry.kit import resources
from registry.kit.files import working_folder
from rules.errors import SourceError
from rules.portable.canonical import sha256
from rules.portable.errors import Remedy

if TYPE_CHECKING:
    from sqlmodel import Session

    from registry.desk.place import Desk
    from rules.language.rulebook import Rulebook


def rulebook(folder: Path | None = None) -> "Rulebook":
    """The packaged criteria with a bureau's own, or those of another folder; compiled once."""
    return _compiled(*resources.criteria(folder))


@cache
def _compiled(folder: Path, own: Path | None) -> "Rulebook":
    return rules.load(folder, own, base=resources.features())


def in_force(desk: "Desk") -> "Rulebook":
    """The criteria in force as they were written; ``rulebook()`` itself if those at hand are.

    They are also those at hand where nothing was published, and where there is no registry; none
    is created.
    """
    if not desk.is_there:
        return rulebook()
    with desk.reading() as session:
        return written(session)


def written(session: "Session", *, until: int | None = None) -> "Rulebook":
    """The criteria in force, as in ``in_force``, of an open registry.

    ``until`` asks for those in force after that many entries of the journal. Raises ``RegistryError`` if this program can no longer compile the published texts.
    """
    from registry.record import publication  # who checks a draft opens no registry

    named = publication.named_sources(session, until=until)
    if not named or named == _at_hand(*resources.criteria()):
        return rulebook()
    return _compiled_texts(tuple(sorted(publication.sources(session, until=until).items())))


@cache
def _at_hand(folder: Path, own: Path | None) -> Mapping[str, str]:
    """The digests of the files at hand, by path, as a publication names them."""
    from registry.record import publication

    texts = publication.texts(_compiled(folder, own), folder, own)
    return {path: sha256(text) for path, text in texts.items()}


@lru_cache(maxsize=2)
def _compiled_texts(texts: tuple[tuple[str, str], ...]) -> "Rulebook":
    with working_folder() as folder:
        write_texts(dict(texts), folder)
        try:
            return rules.load(folder, base=resources.features())
        except SourceError as error:
            raise RegistryError(
                "published-not-compiled",
                "已发布的标准不能由本版本的程序编译（{cause}）",
                cause=error.problems[0],
                remedy=Remedy("publish-criteria"),
            ) from error


def write_texts(texts: Mapping[str, str], folder: Path) -> None:
    """Write the files of criteria, by path, into a folder; none may leave it (``RegistryError``)."""
    for path, text in texts.items():
        file = folder / path
        if not file.resolve().is_relative_to(folder.resolve()):
            raise RegistryError(
                "path-outside", "标准文件的路径「{value}」不在文件夹之内", value=path
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
