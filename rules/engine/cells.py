"""Cuts the number line into cells within which no answer changes.

Cells are numbered upwards and begin at integers. Numbers are encoded as ``rules.engine.program``
describes: a threshold is an integer, and values between it and the next threshold lie above it.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

from rules.errors import RulesetError
from rules.model.ruleset import Band

_T = TypeVar("_T")


def cut(threshold: Fraction, factor: Fraction, after: bool = False) -> int:
    """The first integer at (or after) a threshold."""
    return 2 * int(threshold * factor) + after


def merged(cells: Iterable[tuple[int, _T]]) -> tuple[list[int], list[_T]]:
    """Merge neighbouring cells of the same value; return the cuts between cells and the values."""
    cuts: list[int] = []
    values: list[_T] = []
    for start, value in cells:
        if not values or value != values[-1]:
            cuts.append(start)
            values.append(value)
    return cuts[1:], values


def pieces(
    rule: str, name: str, rows: Sequence[Band], factor: Fraction
) -> Iterator[tuple[int, Fraction]]:
    """The bands as pieces of the line with their points: boundaries, and intervals between them."""
    marks = sorted({end for band in rows for end in (band.lo, band.hi) if end is not None})
    ends: list[Fraction | None] = [None, *marks, None]
    for lo, hi in pairwise(ends):
        if lo is not None:
            yield cut(lo, factor), _points_of(rule, name, rows, lo, lo)
        start = cut(marks[0], factor) - 1 if lo is None else cut(lo, factor, after=True)
        yield start, _points_of(rule, name, rows, lo, hi)


def _points_of(
    rule: str, name: str, rows: Sequence[Band], lo: Fraction | None, hi: Fraction | None
) -> Fraction:
    """The highest points among the bands that contain the whole piece."""
    points = [
        band.points
        for band in rows
        if (band.lo is None or (lo is not None and band.lo <= lo))
        and (band.hi is None or (hi is not None and hi <= band.hi))
    ]
    if not points:
        raise RulesetError(
            "gap-between-bands",
            "规则 {where} 的「{value}」分段之间有空档：请使相邻两段首尾相接",
            where=rule,
            value=name,
        )
    return max(points)


def extremes(points: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The least and most points from cell lo to cell hi, at index ``lo * n + hi``."""
    cells = range(len(points))
    spans = (points[min(lo, hi) : hi + 1] for lo in cells for hi in cells)
    return tuple((min(span), max(span)) for span in spans)
