"""Outcomes in SQL: the numbers of ``rules.model.ruleset.Outcome``, never NULL, and their combination.

*And* and *or* are bitwise operations, which databases compute fastest. This is correct as long as
only one kind of gap may occur among the operands. If both may occur, the kinds are distinguished.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, Literal

from registry.screening.compiler.figures import Figure, Words
from registry.screening.compiler.truths import any_of, present
from registry.screening.compiler.widths import (
    Comparison,
    Int,
    UnsupportedError,
    bitwise,
    case,
    compare,
    literal,
)
from rules.model.ruleset import Outcome

MET: Final = literal(int(Outcome.MET))
NOT_MET: Final = literal(int(Outcome.NOT_MET))
MISSING: Final = literal(int(Outcome.MISSING))
PENDING: Final = literal(int(Outcome.PENDING))


def compared(figure: Figure, op: Comparison, limit: Fraction) -> Int:
    """The outcome of a comparison: met if all values satisfy it, not met if none does."""
    refuted: Comparison = _OPPOSITE[op]
    if op in (">=", ">"):
        met, not_met = figure.low_is(op, limit), figure.high_is(refuted, limit)
    else:
        met, not_met = figure.high_is(op, limit), figure.low_is(refuted, limit)
    return case([(met, MET), (not_met, NOT_MET)], figure.gap.outcome())


_OPPOSITE: Final[Mapping[str, Comparison]] = {">=": "<", ">": "<=", "<": ">=", "<=": ">"}


def among(words: Words, codes: object) -> Int:
    """The outcome of a comparison with codes."""
    if not isinstance(codes, tuple):
        raise UnsupportedError("unlisted-code", "代码只能与所列的代码比较")
    outcomes = [(words.among(codes), MET), (present(words.sql), NOT_MET)]
    return case(outcomes, words.gap.outcome())


def all_met(outcomes: Sequence[Int]) -> Int:
    """The least of the outcomes: cases joined by *and*."""
    order = (Outcome.NOT_MET, Outcome.MISSING, Outcome.PENDING)
    return _first(_joined("&", outcomes), order, Outcome.MET)


def any_met(outcomes: Sequence[Int]) -> Int:
    """The outcome of cases joined by *or*: met if any is, not met if none can be."""
    order = (Outcome.MET, Outcome.MISSING, Outcome.PENDING)
    return _first(_joined("|", outcomes), order, Outcome.NOT_MET)


def _joined(op: Literal["&", "|"], outcomes: Sequence[Int]) -> list[Int]:
    """The outcomes, with those joined that together may have at most one kind of gap."""
    kinds: dict[object, list[Int]] = {}
    for n, outcome in enumerate(outcomes):
        gaps = _GAPS & outcome.values if outcome.values else _GAPS
        # an outcome with both kinds is joined with no other
        kinds.setdefault(n if len(gaps) > 1 else gaps, []).append(outcome)
    sure, groups = kinds.pop(frozenset(), []), list(kinds.values())
    groups = [[*sure, *groups[0]], *groups[1:]] if groups else [sure]
    return [g[0] if len(g) == 1 else bitwise(op, g) for g in groups]


_GAPS: Final = frozenset({int(Outcome.MISSING), int(Outcome.PENDING)})


def _first(outcomes: Sequence[Int], order: Iterable[Outcome], rest: Outcome) -> Int:
    """The first outcome of ``order`` that occurs among the outcomes."""
    if len(outcomes) == 1:
        return outcomes[0]
    branches = [
        (any_of(*(compare("=", o, literal(int(wanted))) for o in outcomes)), literal(int(wanted)))
        for wanted in order
    ]
    return case(branches, literal(int(rest)))
