"""What another text would mean for the enterprises on record."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from registry.desk import simulating
from registry.jobs.kinds.kind import Kind, Work
from registry.jobs.kinds.surveying import Surveyed, unproved
from registry.jobs.store import ResultFile
from registry.kit.jsontext import fields_of
from registry.kit.workbooks import workbook
from registry.reports import impact as impact_report


@dataclass(frozen=True, kw_only=True)
class Simulating:
    """Which text is tried, against which other, and on whom: as in ``SimulationRequest``."""

    after: str
    before: str | None = None
    tiers: tuple[str, ...] = ()
    procedure: str | None = None
    batch: str = ""
    regions: tuple[str, ...] = ()
    holders: bool = False
    changed: bool = False
    as_of: date | None = None


def _simulate(work: Work[Simulating]) -> Surveyed:
    request = simulating.SimulationRequest(**fields_of(work.arguments))
    page = impact_report.PageSink()
    with work.writing("摸底.xlsx") as path, workbook(path) as book:
        sink = impact_report.WorkbookSink(book)
        run = simulating.simulate(work.desk, request, [sink, page])
        sink.close(run)
    work.keep(ResultFile("摸底.html", "text/html; charset=utf-8", page.html(run).encode()))
    return Surveyed(
        heading=tuple(impact_report.heading(run)),
        counts=run.to_json(),
        faults=run.faults,
        unproved=unproved(request.before, request.after),
    )


IMPACT: Final = Kind("impact", "摸底", Simulating, Surveyed, _simulate)
