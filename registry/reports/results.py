"""Results of checks as they come: tables, JSON, counts; none is held as a whole."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from rich.console import Console
from rich.table import Table

from registry.judging.verdicts import CaseResult, TierVerdict
from registry.kit.jsontext import JsonStream, json_text
from registry.reports.verdicts import (
    COLOURS,
    DOUBTED,
    Row,
    explanation,
    only_title_lacking,
    row,
    table,
)
from rules.language.editions import OTHERS, Governing
from rules.model.catalogue import PREREQUISITE, SUBSTANCE

#: The most enterprises in a table; more are shown in several tables.
PART: Final = 500
#: The mark of a verdict that only the prerequisite title stands in the way of.
ONLY_TITLE: Final = f"* 只缺{PREREQUISITE}"


View = TypeVar("View")


class Taker(Protocol[View]):
    """Takes its view of results one by one; if it fails on one, nothing is left half written."""

    @staticmethod
    def view(result: CaseResult) -> View:
        """What it wants of a result; made where the result is, because results are large.

        Must be picklable.
        """

    def add(self, viewed: View) -> None:
        """Take the view of one result."""


class Sink(Taker[View], Protocol[View]):
    """Takes results one by one and writes them."""

    def close(self, refused: Sequence[str], error: str = "") -> None:
        """Write the rest; ``refused`` are cases without a result, ``error`` is what stopped it."""


@dataclass(frozen=True)
class Viewed:
    """What several takers want of one result, in their order."""

    uscc: str
    name: str
    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Views:
    """Makes the views of a result for several takers."""

    makers: tuple[Callable[[CaseResult], Any], ...]

    def __call__(self, result: CaseResult) -> Viewed:
        """Make them."""
        return Viewed(result.uscc, result.name, tuple(make(result) for make in self.makers))


# -- counts --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counted:
    """What is counted of a result: outcomes by the tiers' short names, marks, texts that applied, and batches."""

    uscc: str
    outcomes: tuple[tuple[str, str], ...]
    marks: tuple[str, ...]
    applied: tuple[str, ...]
    batches: tuple[str, ...]


class VerdictCounts:
    """Counts the outcomes, and collects what the table's marks mean."""

    def __init__(self) -> None:
        self.number = 0
        self.last = ""
        self.batches: set[str] = set()
        self._outcomes: dict[str, Counter[str]] = {}
        self._marks: set[str] = set()
        self._applied: dict[str, None] = {}

    @staticmethod
    def view(result: CaseResult) -> Counted:
        """What is counted of a result."""
        verdicts = result.verdicts
        governed = [v for v in verdicts if v.governing]
        return Counted(
            result.uscc,
            tuple((v.short, v.outcome) for v in verdicts),
            tuple(m for m, (_, applies) in _MARKS.items() if any(map(applies, verdicts))),
            tuple(said for v in governed for said in _applied(v.short, v.governing)),
            tuple(v.governing.row.batch for v in governed if v.governing),
        )

    def add(self, viewed: Counted) -> None:
        """Count a result."""
        self.number += 1
        self.last = viewed.uscc
        for short, outcome in viewed.outcomes:
            self._outcomes.setdefault(short, Counter())[outcome] += 1
        self._marks.update(viewed.marks)
        self._applied |= dict.fromkeys(viewed.applied)
        self.batches.update(viewed.batches)

    def lines(self) -> Iterator[str]:
        """One line per tier, then the footnotes."""
        for short, outcomes in self._outcomes.items():
            counted = [f"{o}{outcomes[o]}家" for o in COLOURS if outcomes[o]]
            yield f"{short}：{'，'.join(counted)}"
        yield from (f"{mark} {text}" for mark, (text, _) in _MARKS.items() if mark in self._marks)
        yield from self._applied


def _applied(short: str, governing: Governing | None) -> Iterator[str]:
    """What is to be noted of the text that governs a tier."""
    if governing is None:
        return
    yield from (f"注意：{said}" for said in governing.told())
    row = governing.row
    if row.batch or row.province != OTHERS:
        what = "轮次要求" if row.batch else f"{row.province}的设定"
        yield f"{short}适用{what}：{row.basis}"


_MARKS: Final[Mapping[str, tuple[str, Callable[[TierVerdict], bool]]]] = {
    "*": (f"{SUBSTANCE}符合，只缺{PREREQUISITE}", only_title_lacking),
    "†": ("含人工认定，见逐条说明", lambda v: bool(v.determinations)),
    "‡": ("填报的称号与登记簿不符，以登记簿为准，见逐条说明", lambda v: bool(v.overruled)),
    DOUBTED: ("结论所依据的数据存疑，可能填错，请先核对，见逐条说明", lambda v: bool(v.doubts)),
}


# -- terminal ------------------------------------------------------------------------------------


class Tables:
    """Prints a table, and a new one after a set number of enterprises."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._shorts: tuple[str, ...] = ()
        self._rows: list[Row] = []
        self._said = ""

    @staticmethod
    def view(result: CaseResult) -> tuple[tuple[str, ...], Row]:
        """The short names of the tiers, and the row."""
        return tuple(v.short for v in result.verdicts), row(result)

    def add(self, viewed: tuple[tuple[str, ...], Row]) -> None:
        """Keep a row until a table is full."""
        self._shorts, line = viewed
        self._rows.append(line)
        if len(self._rows) == PART:
            self._print()

    def close(self, refused: Sequence[str], error: str = "") -> None:
        """Print the last table; refusals are shown elsewhere."""
        if self._rows:
            self._print()

    def _print(self) -> None:
        days = {day for _, day, _, _ in self._rows}
        if len(days) == 1:
            [day] = days
            said = f"填报日期 {day.isoformat()}，上年度为{day.year - 1}年"
            if said != self._said:
                self.console.print(said, markup=False, soft_wrap=True)
            self._said = said
        found: Table = table(self._shorts, self._rows, self.console.width)
        self.console.print(found)
        self._rows.clear()


class Explanations:
    """Prints all reasons of each enterprise."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @staticmethod
    def view(result: CaseResult) -> list[str]:
        """All lines."""
        return [*explanation(result, full=True), ""]

    def add(self, viewed: list[str]) -> None:
        """Print the reasons."""
        for line in viewed:
            self.console.print(line, markup=False, soft_wrap=True)

    def close(self, refused: Sequence[str], error: str = "") -> None:
        """Does nothing: everything is printed."""


# -- JSON ----------------------------------------------------------------------------------------


class Json:
    """Writes one JSON document, part by part."""

    def __init__(self, write: Callable[[str], object], head: Mapping[str, Any]) -> None:
        self._stream = JsonStream(write, "results", head)

    @staticmethod
    def view(result: CaseResult) -> str:
        """The result as JSON."""
        return json_text(result.to_json())

    def add(self, viewed: str) -> None:
        """Write a result."""
        self._stream.put(viewed)

    def close(self, refused: Sequence[str], error: str = "") -> None:
        """Write the refusals and end the document."""
        self._stream.close({"refused": refused}, error=error)
