"""Registering a file that waits."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from registry.desk import examining, importing
from registry.desk.examining import Registered
from registry.desk.waiting import WaitingFiles
from registry.jobs.kinds.kind import Kind, Work


@dataclass(frozen=True)
class Importing:
    """The waiting file to register, the day given for it, and whether faulty filings are left out."""

    digest: str
    name: str
    as_of: date | None = None
    partial: bool = False


def _import(work: Work[Importing]) -> Registered:
    wanted = work.arguments
    files = WaitingFiles(work.desk)
    waiting = replace(files.get(wanted.digest), as_of=wanted.as_of)
    # what was stored after this is the job's own
    parts = importing.InParts(after=work.at_first(lambda: importing.last_import(work.desk)))
    return examining.register(work.desk, files, waiting, partial=wanted.partial, parts=parts)


IMPORT: Final = Kind("import", "登记文件", Importing, Registered, _import, records=True)
