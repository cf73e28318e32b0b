"""Results of checks as they come: tables, JSON, a workbook, counts; none is held as a whole."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from rich.console import Console
from rich.table import Table

from registry.filings import Issue
from registry.judging.verdicts import CaseResult, TierVerdict
from registry.kit import workbooks
from registry.kit.jsontext import JsonStream, json_text
from registry.reports.verdicts import (
    COLOURS,
    DOUBTED,
    SHORT,
    Row,
    explanation,
    full_points,
    obstacle,
    only_title_lacking,
    row,
    stated,
    table,
)
from rules.explanation.explain import result_text
from rules.language.editions import OTHERS, Governing
from rules.model.roles import PREREQUISITE, SUBSTANCE, is_score
from rules.model.ruleset import Note, Points

#: The most enterprises in a table; more are shown in several tables.
PART: Final = 500
_ONLY_TITLE: Final = f"* 只缺{PREREQUISITE}"


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
    """What is counted of a result: outcomes by tier, marks, texts that applied, and batches."""

    uscc: str
    outcomes: tuple[tuple[str, str], ...]
    marks: tuple[str, ...]
    applied: tuple[str, ...]
    batches: tuple[str, ...]


class Counts:
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
            tuple((v.tier, v.outcome) for v in verdicts),
            tuple(m for m, (_, applies) in _MARKS.items() if any(map(applies, verdicts))),
            tuple(said for v in governed for said in _applied(v.tier, v.governing)),
            tuple(v.governing.row.batch for v in governed if v.governing),
        )

    def add(self, viewed: Counted) -> None:
        """Count a result."""
        self.number += 1
        self.last = viewed.uscc
        for tier, outcome in viewed.outcomes:
            self._outcomes.setdefault(tier, Counter())[outcome] += 1
        self._marks.update(viewed.marks)
        self._applied |= dict.fromkeys(viewed.applied)
        self.batches.update(viewed.batches)

    def lines(self) -> Iterator[str]:
        """One line per tier, then the footnotes."""
        for tier, outcomes in self._outcomes.items():
            counted = [f"{o}{outcomes[o]}家" for o in COLOURS if outcomes[o]]
            yield f"{SHORT[tier]}：{'，'.join(counted)}"
        yield from (f"{mark} {text}" for mark, (text, _) in _MARKS.items() if mark in self._marks)
        yield from self._applied


def _applied(tier: str, governing: Governing | None) -> Iterator[str]:
    """What is to be noted of the text that governs a tier."""
    if governing is None:
        return
    yield from (f"注意：{said}" for said in governing.told())
    row = governing.row
    if row.batch or row.province != OTHERS:
        what = "轮次要求" if row.batch else f"{row.province}的设定"
        yield f"{SHORT[tier]}适用{what}：{row.basis}"


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
        self._tiers: tuple[str, ...] = ()
        self._rows: list[Row] = []
        self._said = ""

    @staticmethod
    def view(result: CaseResult) -> tuple[tuple[str, ...], Row]:
        """The tiers, and the row."""
        return tuple(v.tier for v in result.verdicts), row(result)

    def add(self, viewed: tuple[tuple[str, ...], Row]) -> None:
        """Keep a row until a table is full."""
        self._tiers, line = viewed
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
        found: Table = table(self._tiers, self._rows, self.console.width)
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


# -- workbook ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Booked:
    """What a workbook takes from a result: rows of its sheets, and ``kept`` for the end."""

    tiers: tuple[str, ...]
    scored: tuple[str, ...]
    told: bool
    kept: str
    checks: list[list[str]]
    missing: list[list[str]]
    doubts: list[list[str]]
    notes: tuple[tuple[str, Note], ...]
    counted: Counted


class Book:
    """Writes verdicts, all comparisons and everything missing to a workbook."""

    def __init__(self, book: workbooks.Book) -> None:
        self._book = book
        self._checks = book.sheet(
            "逐项",
            ["统一社会信用代码", "企业名称", "层级", "规则", "条款", "要求或指标", "结果", "得分",
             "满分", "实际", "差距", "数据与来源"],
        )  # fmt: skip
        self._missing = book.sheet(
            "待补材料",
            ["统一社会信用代码", "企业名称", "层级", "事项", "现状", "来源"],
        )
        self._doubts = book.sheet(
            "数据存疑",
            ["统一社会信用代码", "企业名称", "依据它的结论", "数据", "疑点", "来源"],
        )
        self._notes: dict[tuple[str, Note], None] = {}
        self._counts = Counts()
        # only the end shows which tiers have a score, and whether there are notes
        self._kept = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._tiers: tuple[str, ...] = ()
        self._scored: set[str] = set()
        self._told = False

    @staticmethod
    def view(result: CaseResult) -> Booked:
        """The rows of one enterprise."""
        tiers = [(v.outcome, _mark(v), _score(v), _governed(v)) for v in result.verdicts]
        checks = [line for v in result.verdicts for line in _rows(result, v)]
        missing = [
            [result.uscc, result.name, v.tier, f.name, f.value, f.source]
            for v in result.verdicts
            for f in v.missing()
        ]
        doubts = [
            [result.uscc, result.name, _resting(result, d), d.value, d.said, d.where]
            for d in result.doubts
        ]
        head = [result.uscc, result.name, result.as_of.isoformat()]
        told = "；".join(
            dict.fromkeys(s for v in result.verdicts if v.governing for s in v.governing.told())
        )
        verdicts = list(zip(result.verdicts, tiers, strict=True))
        return Booked(
            tuple(v.tier for v in result.verdicts),
            tuple(v.tier for v, (_, _, score, _) in verdicts if score is not None),
            bool(told),
            json.dumps([head, tiers, obstacle(result), told], ensure_ascii=False),
            checks,
            missing,
            doubts,
            tuple(note for v in result.verdicts for note in v.notes),
            Counts.view(result),
        )

    def add(self, viewed: Booked) -> None:
        """Write the rows of one enterprise."""
        self._counts.add(viewed.counted)
        for line in viewed.checks:
            self._checks.add(line)
        for line in viewed.missing:
            self._missing.add(line)
        for line in viewed.doubts:
            self._doubts.add(line)
        self._kept.write(f"{viewed.kept}\n")
        self._tiers = viewed.tiers
        self._told = self._told or viewed.told
        self._notes |= dict.fromkeys(viewed.notes)
        self._scored.update(viewed.scored)

    def close(self, refused: Sequence[str], error: str = "") -> None:
        """Write the verdicts."""
        self._kept.seek(0)
        verdicts = (self._verdict(*json.loads(line)) for line in self._kept)
        self._book.sheet("结论", self._header(), rows=verdicts, place=0)
        self._kept.close()
        notes = ((rule, note.confidence, note.text) for rule, note in self._notes)
        self._book.sheet("解读", ["规则", "置信度", "解读"], rows=notes)
        self._book.sheet("说明", ["说明"], rows=([line] for line in self._counts.lines()))
        self._book.sheet("未能检查", ["企业和原因"], rows=([text] for text in refused))

    def _header(self) -> list[str]:
        header = ["统一社会信用代码", "企业名称", "填报日期"]
        for tier in self._tiers:
            scored = [f"{SHORT[tier]}得分"] if tier in self._scored else []
            header += [tier, f"{SHORT[tier]}标记", *scored, f"{SHORT[tier]}适用依据"]
        return [*header, "主要原因", *(["注意"] if self._told else [])]

    def _verdict(
        self, head: list[str], tiers: list[tuple[str, str, str | None, str]], why: str, told: str
    ) -> list[workbooks.Value]:
        cells: list[workbooks.Value] = [*head]
        for tier, (outcome, mark, points, basis) in zip(self._tiers, tiers, strict=True):
            score = [_number(points)] if tier in self._scored else []
            cells += [outcome, mark, *score, basis]
        return [*cells, why, *([told] if self._told else [])]


def _mark(verdict: TierVerdict) -> str:
    marks = [_ONLY_TITLE] if only_title_lacking(verdict) else []
    if verdict.determinations:
        numbers = "、".join(f"第{d.seq}号" for d in verdict.determinations)
        marks.append(f"† 含人工认定{numbers}")
    if verdict.overruled:
        marks.append(f"‡ 填报的称号{len(verdict.overruled)}项与登记簿不符，以登记簿为准")
    if verdict.doubts:
        marks.append(f"{DOUBTED} 所依据的数据{len(verdict.doubts)}处存疑")
    return "；".join(marks)


def _governed(verdict: TierVerdict) -> str:
    """The text that governs and why, or why none does."""
    return verdict.governing.reason if verdict.governing else verdict.note


def _resting(result: CaseResult, doubt: Issue) -> str:
    """The tiers whose verdicts rest on the doubted figure."""
    return "、".join(SHORT[v.tier] for v in result.verdicts if doubt in v.doubts)


def _score(verdict: TierVerdict) -> str | None:
    """A tier's score: a number, or words for an interval; None if there is no score."""
    found = verdict.finding.walk() if verdict.finding else ()
    for finding in found:
        points = finding.result
        if is_score(finding.rule) and isinstance(points, Points):
            if points.lo != points.hi:
                return result_text(points)
            return str(Decimal(points.lo.numerator) / points.lo.denominator)
    return None


def _number(score: str | None) -> Decimal | str | None:
    return score if score is None or score.endswith("分") else Decimal(score)


def _rows(result: CaseResult, verdict: TierVerdict) -> Iterator[list[str]]:
    if verdict.finding is None:
        return
    for finding in verdict.finding.walk():
        head = [result.uscc, result.name, verdict.tier, finding.rule, finding.citation]
        points = finding.outcome if isinstance(finding.result, Points) else ""
        full = full_points(finding) if finding.possible else ""
        outcome = "" if points else finding.outcome
        yield [*head, finding.title, outcome, points, full, "", "", ""]
        checks = (*finding.checks, *(c for o in finding.options for c in o.checks))
        for check in checks:
            if check.finding is not None and check.points is None:
                continue
            figures = "；".join(stated(f) for f in check.figures)
            earned = result_text(check.points) if check.points and check.outcome is None else ""
            decided = check.outcome.text if check.outcome is not None else ""
            yield [
                *head,
                check.requirement,
                decided,
                earned,
                "",
                check.value,
                check.distance,
                figures,
            ]
