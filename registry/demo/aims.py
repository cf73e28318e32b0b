"""Puts made-up enterprises just below, on and just above every threshold of the criteria.

The compiled rulesets tell what is compared with what, so a new threshold is covered without a
change here. An indicator's formula is solved for its first figure; the others are rounded so that
the threshold is a whole number of fen, people or days away.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Final, TypeAlias

from registry.record.publication import packaged_catalogue
from rules.language.rulebook import Rulebook
from rules.model.facts import Fact
from rules.model.ruleset import Expr, Indicator

#: A number in the smallest steps of filing (``scale``), a date, a yes or no, a code.
Value: TypeAlias = int | date | bool | str

_SCALES: Final = {"万元": 100, "%": 1_000_000, "分": 100}
#: The multiples to which a formula's other figures are rounded: 10,000 yuan, 20 people.
_ROUND_MONEY: Final = 1_000_000
_ROUND_COUNT: Final = 20


class UnreachableError(Exception):
    """A formula cannot be solved for one figure, or the figure cannot have the value."""


@dataclass(kw_only=True)
class MadeUpFirm:
    """An enterprise in the making.

    ``years`` has the figures of T-2, T-1, T and T+1 (ratings only); ``lists`` has the records;
    ``fixed`` are the facts that were aimed at.
    """

    as_of: date
    values: dict[str, Value | None] = field(default_factory=dict)
    years: dict[str, list[int]] = field(default_factory=dict)
    lists: dict[str, list[dict[str, Value | None]]] = field(default_factory=dict)
    complete: dict[str, bool | None] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Aim:
    """A threshold of an indicator, and the side of it: -1 below, 0 on it, 1 above."""

    indicator: Indicator
    threshold: Fraction
    side: int

    def take(self, firm: MadeUpFirm) -> None:
        """Put a firm there; if the threshold is for records, put its list there."""
        records = self.indicator.records
        if records:
            record = firm.lists[records][0]
            _reach_field(
                self.indicator.expr, self.threshold, self.side, record, firm.as_of, records
            )
        else:
            _reach(self.indicator.expr, self.threshold, self.side, firm)


def scale(fact: Fact) -> int:
    """The number of steps in one base unit: fen in a yuan, millionths in a ratio."""
    return _SCALES.get(fact.unit, 1)


def aims(rulebook: Rulebook) -> list[Aim]:
    """Every threshold that can be aimed at, from both sides and exactly."""
    return [
        Aim(indicator, threshold, side)
        for indicator, threshold in dict.fromkeys(thresholds(rulebook))
        if _solvable(indicator)
        for side in (-1, 0, 1)
    ]


def thresholds(rulebook: Rulebook) -> Iterator[tuple[Indicator, Fraction]]:
    """Everything that the criteria in use compare with numbers and days."""
    for root in dict.fromkeys(row.ruleset for row in rulebook.applicability if row.encoded):
        ruleset = rulebook.ruleset(root)
        for rule in ruleset.rules:
            for subject, name, value in rule.constants():
                if subject != "indicator":
                    continue
                key = f"{rule.records}.{name}"
                indicator = ruleset.indicators.get(key) or ruleset.indicators[name]
                if indicator.kind in ("number", "date"):
                    yield indicator, value


def _solvable(indicator: Indicator) -> bool:
    """Whether a single figure decides it; numbers of records and flags are left to chance."""
    match indicator.expr:
        case ("least" | "most" | "mul", *_) | ("count", _, _, None):
            return False
        case ("add", *parts):
            return all(part[0] == "year" for part in parts)
    return True


def _reach(expr: Expr, value: Fraction, side: int, firm: MadeUpFirm) -> None:
    """Make a formula yield a value, or the next one beside it, through its first figure."""
    match expr:
        case ("fact", id):
            firm.values[id] = _steps(packaged_catalogue().fact(id), value, side)
            firm.fixed.add(id)
        case ("year", id, offset):
            firm.years[id][offset + 2] = int(_steps(packaged_catalogue().fact(id), value, side))
            firm.fixed.add(id)
        case ("count" | "total", listed, *_, str(total)):
            firm.lists[listed], firm.complete[listed] = [], None
            _reach(("fact", total), value, side, firm)
        case ("bounded", a, _, _):
            _reach(a, value, side, firm)
        case ("div", a, b):
            _round(b, firm)
            _reach(a, value * _amount(b, firm), side, firm)
        case ("sub", a, b):
            _round(b, firm)
            _reach(a, value + _amount(b, firm), side, firm)
        case ("add", a, *others):
            for other in others:
                share = Fraction(0) if other[0] == "div" else value / len(expr[1:])
                _reach(other, Fraction(floor(share)), 0, firm)
            _reach(a, value - sum(_amount(o, firm) for o in others), side, firm)
        case ("years", ("fact", id), ("new_year", offset)):
            end = date(firm.as_of.year + offset, 1, 1)
            firm.values[id] = _years_before(end, value, side)
        case ("days", ("as_of",), ("fact", id)):
            firm.values[id] = firm.as_of + timedelta(int(value) + side)
        case ("days", ("day", text), ("fact", id)):
            firm.values[id] = date.fromisoformat(text) + timedelta(int(value) + side)
        case _:
            raise UnreachableError(expr)


def _reach_field(
    expr: Expr, value: Fraction, side: int, record: dict[str, Value | None], as_of: date, kind: str
) -> None:
    match expr:
        case ("field", id):
            record[id] = _steps(packaged_catalogue().field(kind, id), value, side)
        case ("years", ("field", id), ("as_of",)):
            record[id] = _years_before(as_of, value, side)
        case ("days", ("as_of",), ("field", id)):
            record[id] = as_of + timedelta(int(value) + side)
        case ("days", ("day", text), ("field", id)):
            record[id] = date.fromisoformat(text) + timedelta(int(value) + side)
        case ("calendar_years", ("field", id), ("as_of",)):
            record[id] = date(as_of.year - int(value) - side, 6, 1)
        case ("year_number", ("field", id)):
            record[id] = date(int(value) + side, 6, 1)
        case _:
            raise UnreachableError(expr)


def _steps(fact: Fact, value: Fraction, side: int) -> int:
    """A value in steps: the next one below or above it, or the value itself."""
    exact = value * scale(fact)
    steps = ceil(exact) - 1 if side < 0 else floor(exact) + 1 if side > 0 else round(exact)
    if fact.minimum is not None and steps < fact.minimum * scale(fact):
        raise UnreachableError(fact.id)
    if fact.maximum is not None and steps > fact.maximum * scale(fact):
        raise UnreachableError(fact.id)
    return steps


def _years_before(end: date, years: Fraction, side: int) -> date:
    """The day a number of years before another; with fewer (below) or more (above), a day off."""
    day = end.day if (end.month, end.day) != (2, 29) else 28
    return date(end.year - int(years), end.month, day) - timedelta(side)


def _amount(expr: Expr, firm: MadeUpFirm) -> Fraction:
    match expr:
        case ("const", text):
            return Fraction(text)
        case ("year", id, offset):
            return Fraction(firm.years[id][offset + 2], scale(packaged_catalogue().fact(id)))
        case ("sub", a, b):
            return _amount(a, firm) - _amount(b, firm)
        case ("div", a, b):
            return _amount(a, firm) / _amount(b, firm)
    raise UnreachableError(expr)


def _round(expr: Expr, firm: MadeUpFirm) -> None:
    if expr[0] == "year":
        _, id, offset = expr
        step = _ROUND_MONEY if packaged_catalogue().fact(id).unit == "万元" else _ROUND_COUNT
        figures = firm.years[id]
        figures[offset + 2] = max(figures[offset + 2] // step, 1) * step
