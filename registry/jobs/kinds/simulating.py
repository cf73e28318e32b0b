"""What another text would mean for the enterprises on record."""

from typing import Final

from registry.desk.simulating import SimulationRequest, simulate
from registry.jobs.kinds.kind import Kind, Work
from registry.jobs.kinds.surveying import Surveyed, unproved
from registry.jobs.store import ResultFile
from registry.kit.workbooks import workbook
from registry.reports import impact as impact_report


def _simulate(work: Work[SimulationRequest]) -> Surveyed:
    request = work.arguments
    page = impact_report.PageSink()
    with work.writing("摸底.xlsx") as path, workbook(path) as book:
        sink = impact_report.WorkbookSink(book)
        run = simulate(work.desk, request, [sink, page])
        sink.close(run)
    work.keep(ResultFile("摸底.html", "text/html; charset=utf-8", page.html(run).encode()))
    return Surveyed(
        heading=tuple(impact_report.heading(run)),
        counts=run.to_json(),
        faults=run.faults,
        unproved=unproved(request.before, request.after),
    )


IMPACT: Final = Kind("impact", "摸底", SimulationRequest, Surveyed, _simulate)
