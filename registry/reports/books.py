"""A workbook of results as they come: verdicts, all comparisons, and everything missing."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from registry.filings import Issue
from registry.judging.verdicts import CaseResult, TierVerdict
from registry.kit import workbooks
from registry.reports.results import ONLY_TITLE, Counted, VerdictCounts
from registry.reports.verdicts import (
    DOUBTED,
    full_points,
    obstacle,
    only_title_lacking,
    stated,
)
from rules.explanation.wording import result_text
from rules.model.catalogue import SCORE
from rules.model.ruleset import Note, Points


@contextmanager
def opened(path: Path) -> Iterator["ResultBook"]:
    """A workbook to be written to a file, which is there when all is written."""
    with workbooks.workbook(path) as book:
        yield ResultBook(book)


@dataclass(frozen=True, kw_only=True)
class Booked:
    """What a workbook takes from a result: rows of its sheets, and ``kept`` for the end.

    ``shorts`` are its tiers with their short names.
    """

    shorts: tuple[tuple[str, str], ...]
    scored: tuple[str, ...]
    told: bool
    kept: str
    checks: Sequence[Sequence[str]]
    missing: Sequence[Sequence[str]]
    doubts: Sequence[Sequence[str]]
    notes: tuple[tuple[str, Note], ...]
    counted: Counted


class ResultBook:
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
        self._counts = VerdictCounts()
        # only the end shows which tiers have a score, and whether there are notes
        self._kept = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._shorts: dict[str, str] = {}
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
            shorts=tuple((v.tier, v.short) for v in result.verdicts),
            scored=tuple(v.tier for v, (_, _, score, _) in verdicts if score is not None),
            told=bool(told),
            kept=json.dumps([head, tiers, obstacle(result), told], ensure_ascii=False),
            checks=checks,
            missing=missing,
            doubts=doubts,
            notes=tuple(note for v in result.verdicts for note in v.notes),
            counted=VerdictCounts.view(result),
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
        self._shorts = dict(viewed.shorts)
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
        for tier in self._shorts:
            short = self._shorts[tier]
            scored = [f"{short}得分"] if tier in self._scored else []
            header += [tier, f"{short}标记", *scored, f"{short}适用依据"]
        return [*header, "主要原因", *(["注意"] if self._told else [])]

    def _verdict(
        self, head: list[str], tiers: list[tuple[str, str, str | None, str]], why: str, told: str
    ) -> list[workbooks.Value]:
        cells: list[workbooks.Value] = [*head]
        for tier, (outcome, mark, points, basis) in zip(self._shorts, tiers, strict=True):
            score = [_number(points)] if tier in self._scored else []
            cells += [outcome, mark, *score, basis]
        return [*cells, why, *([told] if self._told else [])]


def _mark(verdict: TierVerdict) -> str:
    marks = [ONLY_TITLE] if only_title_lacking(verdict) else []
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
    return "、".join(v.short for v in result.verdicts if doubt in v.doubts)


def _score(verdict: TierVerdict) -> str | None:
    """A tier's score: a number, or words for an interval; None if there is no score."""
    found = verdict.finding.walk() if verdict.finding else ()
    for finding in found:
        points = finding.result
        if verdict.catalogue.part(finding.rule) == SCORE and isinstance(points, Points):
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
