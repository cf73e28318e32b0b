"""Exporting a bundle for auditors."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from registry.desk import auditing
from registry.jobs.kinds.kind import Kind, Work, taken
from registry.jobs.store import ResultFile
from registry.kit.jsontext import fields_of


@dataclass(frozen=True, kw_only=True)
class Exporting:
    """Which decisions go into a bundle, as in ``Selection``, and whether names are masked."""

    numbers: tuple[int, ...] = ()
    tier: str = ""
    first: date | None = None
    last: date | None = None
    masked: bool = False


@dataclass(frozen=True)
class Exported:
    """The number of decisions in a bundle, its SHA-256, and the key that verifies it."""

    decisions: int
    sha256: str
    key: str


#: The name of the bundle among the files of its job.
BUNDLE_FILE: Final = "证据包.zip"


def _export(work: Work[Exporting]) -> Exported:
    asked = work.arguments
    selection = auditing.Selection(**fields_of(asked, without=["masked"]))
    made = auditing.export(work.desk, selection, masked=asked.masked)
    work.keep(ResultFile(BUNDLE_FILE, "application/zip", made.data))
    return taken(Exported, made, key=str(made.key))


BUNDLE: Final = Kind("bundle", "导出证据包", Exporting, Exported, _export)
