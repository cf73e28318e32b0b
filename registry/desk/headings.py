"""The bureau's own mapping of headings: read with every file, and added to by what an officer confirms."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import Final

from registry.desk.place import Desk
from registry.filings import Heading
from registry.intake.cells import MONEY
from registry.intake.tables.mapping import IGNORED, MappingLine, lines, named
from registry.intake.tables.mapping_draft import UnknownTerm, confirmed, unknown, without
from registry.kit import settings
from registry.kit.files import written_whole
from registry.portable.clock import CHINA

__all__ = ["IGNORED", "UNITS", "UnknownTerm"]

#: The units of money that a heading may lack.
UNITS: Final = tuple(MONEY)

_WRITING: Final = Lock()


def own() -> Path | None:
    """The bureau's own mapping; None if it has none yet."""
    kept = settings.mapping()
    return kept if kept.is_file() else None


def asked(desk: Desk, headings: Iterable[Heading]) -> list[UnknownTerm]:
    """The terms among headings that nobody understands, each with what it may mean."""
    return unknown(headings, desk.to_be_filed())


def choices(desk: Desk) -> list[str]:
    """Every 填报项 that a heading may mean."""
    return [*named(desk.to_be_filed())]


def keep(desk: Desk, meant: Mapping[str, tuple[str, str]]) -> Path:
    """Keep what these terms mean: each a 填报项, in a unit where one is given.

    They replace what the mapping says of them. Raises ``RegistryError``, and keeps nothing, for an
    unknown 填报项 or a unit that it cannot have.
    """
    day = desk.clock().astimezone(CHINA).date()
    note = f"{desk.by}{day}在网页上核对"
    with _WRITING:
        return _write(confirmed(own(), meant, desk.to_be_filed(), note))


def kept() -> list[MappingLine]:
    """What the bureau's own mapping says of each heading, in its order."""
    path = own()
    return [*lines(path)] if path else []


def forget(term: str) -> None:
    """Take what the bureau's own mapping says of a heading out of it."""
    with _WRITING:
        if (path := own()) is not None:
            _write(without(path, term))


def _write(text: str) -> Path:
    path = settings.mapping()
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as fresh:
        fresh.write_bytes(text.encode("utf-8-sig"))
    return path
