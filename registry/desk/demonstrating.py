"""The demo: stores the example workbook in its own registry, and checks every enterprise in it."""

from dataclasses import dataclass, replace

from registry.demo import DEMO_COUNTY
from registry.desk import checking, importing
from registry.desk.checking import CaseResult, Inquiry, Request
from registry.desk.place import Desk
from registry.record import loading, publication
from rules.model.catalogue import SUBSTANCE


@dataclass(frozen=True)
class Demo:
    """The result of the demo: the workbook, the enterprises on record, and all checked cases."""

    file: str
    number: int
    results: tuple[CaseResult, ...]

    @property
    def instructive(self) -> CaseResult:
        """A case whose second tier, the only one it has here, fails on few figures.

        Such a case shows threshold, distance and sources well.
        """
        chosen = max(self.results, key=_instructive)
        return replace(chosen, verdicts=chosen.verdicts[1:2])


def demonstrate(desk: Desk) -> Demo:
    """Store the demo workbook, and check everybody on record."""
    reading = importing.read_file(desk, DEMO_COUNTY, desk.to_be_filed())
    with desk.writing() as session:
        loading.load(session, reading, now=desk.clock(), partial=True)
        publication.in_force(session, by=desk.by, now=desk.clock())
    with checking.run(desk, Inquiry(request=Request()), view=checking.whole) as checked:
        results = tuple(r for r in checked.results() if isinstance(r, CaseResult))
    return Demo(reading.file, checked.number, results)


def _instructive(result: CaseResult) -> tuple[bool, int]:
    second = result.verdicts[1]
    distances = [check for check in second.reasons() if check.distance and check.figures]
    return bool(distances) and second.parts.get(SUBSTANCE) == "不符合", -len(distances)
