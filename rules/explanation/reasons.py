"""What a result rests on: the comparisons that decide it, and the values that keep it open."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

from rules.explanation.figures import Figure
from rules.explanation.findings import Check, Finding, Option
from rules.model.ruleset import Gap, Outcome, Points, Result

_OPEN: Final = (Outcome.MISSING, Outcome.PENDING)


def reasons(finding: Finding, wanted: Outcome = Outcome.NOT_MET) -> list[Check]:
    """The comparisons on which a result rests, from a finding down to figures.

    For 不符合 these are the failed ones; for 材料不足 or 待人工认定, those open in that way.
    """
    return list(dict.fromkeys(check for _, check in grounds(finding, wanted)))


def rested_on(finding: Finding) -> Iterator[str]:
    """The keys of the figures on which a verdict rests, and of all figures below a score.

    Nothing for a score by itself. A key may recur.
    """
    for check in finding.reasons:
        yield from check.keys
        if check.finding is not None:
            yield from check.finding.keys()


def grounds(finding: Finding, wanted: Outcome = Outcome.NOT_MET) -> Iterator[tuple[Finding, Check]]:
    """The comparisons of ``reasons``, each with its rule's finding; those of one rule may recur."""
    for check in decisive(finding, wanted):
        if check.finding is not None and check.points is None:
            yield from grounds(check.finding, wanted)
        else:
            yield finding, check


def decisive(finding: Finding, wanted: Outcome) -> Iterator[Check]:
    """The comparisons of the cases nearest to holding."""
    for option in _nearest(finding.options, wanted):
        yield from (c for c in option.checks if c.outcome is wanted)


def _nearest(options: Sequence[Option], wanted: Outcome) -> list[Option]:
    """The cases with an outcome that are nearest to holding."""
    found = [o for o in options if o.outcome is wanted]
    if len(found) < 2:
        return found
    shared = _shared(options)
    distances = [_remoteness(o, shared) for o in found]
    nearest = min(distances)
    near = [o for o, distance in zip(found, distances, strict=True) if distance == nearest]
    failed = [{c.subject: c.shortfall for c in o.checks if c.failed} for o in near]
    return [
        o
        for o, own in zip(near, failed, strict=True)
        if not any(_asks_less(other, own) for other in failed)
    ]


def _shared(options: Sequence[Option]) -> set[str]:
    """The figures that every case compares: like codes, they show for whom a case is meant."""
    compared = [{c.subject for c in o.checks if c.subject} for o in options]
    return set.intersection(*compared) if compared else set()


def _remoteness(option: Option, shared: set[str]) -> tuple[int, int]:
    """How far a case is from holding: its failures that show it is meant for others, then all."""
    failed = [c for c in option.checks if c.failed]
    return sum(c.categorical or c.subject in shared for c in failed), len(failed)


def _asks_less(near: Mapping[str, Fraction | None], far: Mapping[str, Fraction | None]) -> bool:
    """Whether a case fails on the same figures as another, but by less; by their shortfalls."""
    return (
        near is not far
        and near.keys() == far.keys()
        and near != far
        and all(
            a is not None and b is not None and a <= b
            for a, b in ((a, far[subject]) for subject, a in near.items())
        )
    )


def missing(finding: Finding) -> list[Figure]:
    """The values that keep a finding open: not filed, not found by a person, or not computable.

    A record has one entry with all the fields that it lacks. The values that the result itself
    waits for come first: for 待人工认定 a person's findings, otherwise values that are not filed.
    """
    found: dict[tuple[str, Gap], Figure] = {}

    def collect(node: Finding) -> None:
        if _settled(node.result):
            return
        for option in node.options:
            if option.outcome in _OPEN:
                for check in option.checks:
                    take(check)
        for check in node.checks:
            take(check)
        for _, item in node.items:
            collect(item)

    def take(check: Check) -> None:
        scored = check.points is not None and _settled(check.points)
        if scored or check.outcome in (Outcome.MET, Outcome.NOT_MET):
            return
        for figure in _open_figures(check):
            if figure.gap:
                key = (figure.record or figure.name, figure.gap)
                found[key] = _merged(found.get(key, figure), figure)
        if check.finding is not None:
            collect(check.finding)

    collect(finding)
    first = Gap.PENDING if finding.result is Outcome.PENDING else Gap.MISSING
    return sorted(found.values(), key=lambda figure: figure.gap is not first)


def _open_figures(check: Check) -> Iterator[Figure]:
    """The open figures that a comparison read; first the indicator itself, if not computable."""
    if check.broken:
        name = check.requirement.partition(" ")[0]
        sources = "、".join(dict.fromkeys(f.source for f in check.figures if f.source))
        yield Figure(name=name, value=check.value, source=sources, gap=Gap.PENDING, broken=True)
    yield from check.figures


def _merged(figure: Figure, other: Figure) -> Figure:
    fields = tuple(dict.fromkeys((*figure.fields, *other.fields)))
    if fields == figure.fields:
        return figure
    asked = tuple(dict.fromkeys((*figure.asked, *other.asked)))
    return Figure.lacking(figure.record, fields, figure.source, figure.gap, asked, figure.item)


def _settled(result: Result) -> bool:
    if isinstance(result, Points):
        return result.lo == result.hi
    return result in (Outcome.MET, Outcome.NOT_MET)
