"""Findings: the result of each rule, with its comparisons, in words that are made when asked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rules.engine.readings import Reading
from rules.explanation.figures import Figure
from rules.explanation.wording import plain, result_text
from rules.model.quantities import UNITS
from rules.model.ruleset import Outcome, Points, Result, Rule


@dataclass(frozen=True)
class Measure:
    """A comparison as exact numbers, for drawing; all are in ``unit``, ratios in percent.

    Every value that the figure may have lies in [lo, hi] (None: unbounded); both ends of a known
    figure are equal. The figure is compared with ``threshold``. In a table of points, this is the
    beginning of the nearest better band, or None in the best band.
    """

    lo: Fraction | None
    hi: Fraction | None
    threshold: Fraction | None
    unit: str

    @classmethod
    def of(cls, known: Reading | Points, threshold: Fraction | None, unit: str) -> "Measure":
        """Convert a reading or points, and the threshold, from base units to ``unit``.

        >>> Measure.of(Reading(Fraction(1, 40), Fraction(1, 40)), Fraction(3, 100), "%").lo
        Fraction(5, 2)
        """
        lo, hi, limit = (
            None if number is None else Fraction(number) / UNITS[unit][1]
            for number in (known.lo, known.hi, threshold)
        )
        return cls(lo, hi, limit, unit)


class Check:
    """One comparison: the requirement, the actual figure, and its distance from the threshold.

    ``subject`` is the name of the indicator or score that it compares; a rule has none. Two checks are
    equal if they compare the same, in the same way, for the same decision.
    """

    subject: str = ""

    def __init__(self, outcome: Outcome | None) -> None:
        #: None in a table of points, where a figure earns ``points``.
        self.outcome = outcome

    @property
    def failed(self) -> bool:
        """Whether the comparison is not met."""
        return self.outcome is Outcome.NOT_MET

    @property
    def requirement(self) -> str:
        """What is required, such as 上年度研发费用占比 不低于3%."""
        raise NotImplementedError

    @property
    def value(self) -> str:
        """What the case has."""
        raise NotImplementedError

    @property
    def distance(self) -> str:
        """How far the figure is from the threshold, if it can be said."""
        return ""

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The filed figures that were read."""
        return ()

    @property
    def keys(self) -> Iterable[str]:
        """The keys of these figures in the profile; of records, such as ``ip#0``."""
        return [figure.key or figure.item for figure in self.figures]

    @property
    def finding(self) -> "Finding | None":
        """The finding of the rule or score that is compared."""
        return None

    @property
    def points(self) -> Points | None:
        """The points that are compared or earned."""
        return None

    @property
    def categorical(self) -> bool:
        """Whether codes are compared, not figures."""
        return False

    @property
    def shortfall(self) -> Fraction | None:
        """The difference from the threshold as a number, if it is known."""
        return None

    @property
    def broken(self) -> bool:
        """Whether the figure, or a part of it, cannot be computed from those filed.

        Not if a finding of a person is asked for instead.
        """
        return False

    @property
    def measure(self) -> Measure | None:
        """A numeric comparison as numbers."""
        return None


class Option:
    """A 情形 or a rung: its comparisons, all of which must hold."""

    def __init__(self, name: str, outcome: Outcome, points: Fraction | None = None) -> None:
        self.name = name
        self.outcome = outcome
        self.points = points

    @property
    def checks(self) -> tuple[Check, ...]:
        """The comparisons, in the order of the table."""
        return ()

    @property
    def meant_for_others(self) -> bool:
        """Whether a code rules it out: the enterprise is of another sector or kind."""
        return any(c.categorical and c.failed for c in self.checks)


class Finding:
    """The result of one rule, and on what it rests."""

    def __init__(self, rule: Rule, result: Result) -> None:
        self.rule = rule.id
        self.title = rule.title
        self.citation = rule.citation
        self.notes = rule.notes
        #: Where the rule is written.
        self.position = str(rule.position)
        #: The full number of points of a score.
        self.possible = rule.possible
        self.result = result

    @property
    def outcome(self) -> str:
        """The result in words: 符合, 15分, 6～10分."""
        return result_text(self.result)

    @property
    def options(self) -> tuple[Option, ...]:
        """The cases of a table, or the rungs of a ladder."""
        return ()

    @property
    def checks(self) -> tuple[Check, ...]:
        """The figures of a table of points, or one that was attested."""
        return ()

    @property
    def items(self) -> tuple[tuple[str, "Finding"], ...]:
        """The summands of a total, each with its group."""
        return ()

    @property
    def groups(self) -> tuple[tuple[str, Points], ...]:
        """The points of each group of a total."""
        return ()

    @property
    def uncapped(self) -> Points | None:
        """The sum of the items, if it may exceed what the total can give."""
        return None

    @property
    def reasons(self) -> Sequence[Check]:
        """The comparisons on which the result rests; none for a score."""
        return ()

    def keys(self) -> Iterator[str]:
        """The keys of what this rule and the rules below it read; a key may recur."""
        raise NotImplementedError

    def walk(self) -> Iterator["Finding"]:
        """This finding and all findings below it, each rule once."""
        seen: set[str] = set()
        stack = [self]
        while stack:
            finding = stack.pop()
            if finding.rule in seen:
                continue
            seen.add(finding.rule)
            yield finding
            stack += reversed(list(finding.children()))

    def children(self) -> Iterator["Finding"]:
        """The findings on which this one directly rests."""
        yield from (f for _, f in self.items)
        for check in (*self.checks, *(c for o in self.options for c in o.checks)):
            if check.finding is not None:
                yield check.finding

    def to_json(self) -> dict[str, Any]:
        """The finding and all below it as plain JSON values.

        A rule's findings are written out where it first occurs; later occurrences only name it,
        with ``see``. Cases meant for other enterprises have only a name and an outcome.
        """
        return _finding_json(self, set())


def _finding_json(finding: Finding, seen: set[str]) -> dict[str, Any]:
    if finding.rule in seen:
        return {"rule": finding.rule, "outcome": finding.outcome, "see": "above"}
    seen.add(finding.rule)
    result, possible = finding.result, finding.possible
    points = {"points": [plain(result.lo), plain(result.hi)]} if isinstance(result, Points) else {}
    own = any(not o.meant_for_others for o in finding.options)
    options: list[dict[str, Any]] = []
    for option in finding.options:
        row: dict[str, Any] = {"name": option.name, "outcome": option.outcome.text}
        if not (own and option.meant_for_others):
            row["checks"] = [_check_json(c, seen) for c in option.checks]
        options.append(row)
    return {
        "rule": finding.rule,
        "title": finding.title,
        "citation": finding.citation,
        "outcome": finding.outcome,
        **points,
        "possible": None if possible is None else plain(possible),
        "notes": [f"{n.confidence}：{n.text}" for n in finding.notes],
        "options": options,
        "checks": [_check_json(c, seen) for c in finding.checks],
        "groups": {g: result_text(p) for g, p in finding.groups},
        "items": [_finding_json(f, seen) for _, f in finding.items],
        **({} if finding.uncapped is None else {"sum": result_text(finding.uncapped)}),
    }


def _check_json(check: Check, seen: set[str]) -> dict[str, Any]:
    return {
        "requirement": check.requirement,
        "outcome": check.outcome.text if check.outcome is not None else None,
        "value": check.value,
        "distance": check.distance,
        "figures": [{"name": f.name, "value": f.value, "source": f.source} for f in check.figures],
        "finding": None if check.finding is None else _finding_json(check.finding, seen),
    }
