"""Examining a file that waits to be registered."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from registry.desk import examining
from registry.desk.waiting import WaitingFiles
from registry.jobs.kinds.kind import Kind, Work, taken


@dataclass(frozen=True)
class Examining:
    """The waiting file that is examined, by its SHA-256, and the filing day given for it."""

    digest: str
    name: str
    as_of: date | None = None


@dataclass(frozen=True)
class Examined:
    """How many filings can be registered and how many cannot, and how many issues there are."""

    good: int
    refused: int
    errors: int
    notices: int


def _examine(work: Work[Examining]) -> Examined:
    files = WaitingFiles(work.desk)
    return taken(Examined, examining.examine(work.desk, files, files.get(work.arguments.digest)))


EXAMINE: Final = Kind("examine", "核对待登记的文件", Examining, Examined, _examine)
