"""A rule's definition table beside one case: what each row asks, what the case has, what decided.

The table is that of the ruleset which decided the case, so it shows what was applied and nothing
else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rules.decider import Decision
from rules.engine.readings import Reading
from rules.explanation.findings import Check, Finding, Option
from rules.explanation.reasons import decisive
from rules.explanation.wording import plain, quantity
from rules.language.tables import BANDS, CASES, COLUMNS, LADDER, REST, SLOT, TOTAL
from rules.model.ruleset import Attested, Band, Bands, Cases, Ladder, Outcome, Points, Rule

#: The heading of what the case has.
OF_CASE: Final = "本案"


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """A row: its cells, what the case has, and the outcome of a comparison in words.

    ``decides`` marks the rows on which the rule's result rests; ``rule`` is the id of a rule that
    the row names.
    """

    cells: tuple[str, ...]
    value: str = ""
    distance: str = ""
    outcome: str = ""
    decides: bool = False
    rule: str = ""


@dataclass(frozen=True)
class CaseTable:
    """A definition table beside a case, under the sentence that says how it is to be read.

    ``others`` counts the cases that are left out because a code shows that they are meant for others.
    """

    sentence: str
    header: tuple[str, ...]
    rows: tuple[TableRow, ...]
    others: int = 0


def case_table(decision: Decision, finding: Finding) -> CaseTable | None:
    """The definition table of a finding's rule beside the case; None for an assumed result."""
    rule = decision.ruleset.rule(finding.rule)
    match rule.body:
        case Cases():
            header = (*COLUMNS[CASES][:2], "要求", OF_CASE)
            meant = [o for o in finding.options if not o.meant_for_others] or [*finding.options]
            others = len(finding.options) - len(meant)
            return CaseTable(CASES, header, tuple(_cases(finding, meant)), others)
        case Ladder(_, rest):
            header = (*COLUMNS[LADDER][:3], "要求", OF_CASE)
            return CaseTable(LADDER, header, tuple(_ladder(finding, rest)))
        case Bands():
            header = (*COLUMNS[BANDS], OF_CASE)
            return CaseTable(BANDS, header, tuple(_bands(decision, rule, finding)))
        case Attested(indicator, lo, hi):
            [check] = finding.checks
            cells = (indicator, f"{plain(lo)}分", f"{plain(hi)}分")
            row = TableRow(cells=cells, value=check.value, decides=True)
            return CaseTable(SLOT, ("项目", "下限", "上限", OF_CASE), (row,))
    if not finding.items:
        return None
    rows = tuple(
        TableRow(
            cells=(
                group,
                below.rule.rpartition(".")[2],
                f"{plain(below.possible or Fraction(0))}分",
            ),
            value=below.outcome,
            rule=below.rule,
        )
        for group, below in finding.items
    )
    return CaseTable(TOTAL, (*COLUMNS[TOTAL], OF_CASE), rows)


def _cases(finding: Finding, meant: Iterable[Option]) -> Iterator[TableRow]:
    result = finding.result
    if result is Outcome.MET:
        ruling = [c for o in finding.options if o.outcome is Outcome.MET for c in o.checks]
    else:
        assert isinstance(result, Outcome)
        ruling = list(decisive(finding, result))
    for option in meant:
        for check in option.checks:
            yield _row((option.name,), check, decides=any(check is one for one in ruling))


def _ladder(finding: Finding, rest: Fraction) -> Iterator[TableRow]:
    result = finding.result
    assert isinstance(result, Points)
    for option in finding.options:
        assert option.points is not None
        open_or_met = option.outcome is not Outcome.NOT_MET
        for check in option.checks:
            points = f"{plain(option.points)}分"
            first = (points, option.name.removeprefix(f"{points}·"))
            yield _row(first, check, decides=open_or_met and _within(option.points, result))
    yield TableRow(cells=(f"{plain(rest)}分", REST, "", ""), decides=_within(rest, result))


def _row(first: tuple[str, ...], check: Check, *, decides: bool) -> TableRow:
    """A comparison; another rule's outcome has no requirement beside its name."""
    below = check.finding if check.points is None else None
    name = check.subject if below is None and check.points is None else check.requirement
    wanted = check.requirement.removeprefix(name).strip()
    assert check.outcome is not None
    return TableRow(
        cells=(*first, name, wanted),
        value=check.value if below is None else "",
        distance=check.distance,
        outcome=check.outcome.text,
        decides=decides,
        rule=check.finding.rule if check.finding is not None else "",
    )


def _bands(decision: Decision, rule: Rule, finding: Finding) -> Iterator[TableRow]:
    """The bands of each indicator; those decide in which its value may lie and that count."""
    assert isinstance(rule.body, Bands)
    assert isinstance(finding.result, Points)
    for (name, bands), check in zip(rule.body.bands, finding.checks, strict=True):
        assert check.points is not None
        unit = decision.ruleset.indicator(rule, name).unit
        reading = decision.readings[name]
        counts = check.points.hi >= finding.result.lo
        for band in bands:
            ends = (_end(band.lo, unit), _end(band.hi, unit))
            yield TableRow(
                cells=(name, *ends, f"{plain(band.points)}分"),
                value=check.value if band is bands[0] else "",
                decides=counts and _within(band.points, check.points) and _meets(band, reading),
            )


def _end(value: Fraction | None, unit: str) -> str:
    return "" if value is None else quantity(value, unit)


def _within(points: Fraction, earned: Points) -> bool:
    return earned.lo <= points <= earned.hi


def _meets(band: Band, reading: Reading) -> bool:
    """Whether the value may lie in a band."""
    above = band.lo is None or reading.hi is None or reading.hi >= band.lo
    below = band.hi is None or reading.lo is None or reading.lo <= band.hi
    return above and below
