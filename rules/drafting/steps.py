"""The step sentences of examples: a closed set.

A step only files facts or states an expected result; it never repeats the rule.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from rules.drafting import clocks, courses
from rules.drafting.clocks import Recorded
from rules.drafting.courses import Happened
from rules.errors import QuantityError, RulesError
from rules.language import provinces
from rules.language.source import GherkinStep, Row
from rules.language.values import filed_value
from rules.model.catalogue import Catalogue
from rules.model.days import optional_day, parse_day
from rules.model.facts import (
    IDENTITY,
    PERIODS,
    Fact,
    Profile,
    RecordKind,
    RecordList,
    Scalar,
    yearly_key,
)
from rules.model.nearness import near
from rules.model.quantities import parse
from rules.model.ruleset import OUTCOMES, Gap, Points, Result

DEFAULT_AS_OF: Final = date(2023, 6, 30)
#: The attributes of a case that an applicability example may state.
CASE: Final = ("层级", "程序", "省份", "城市", "批次", "填报日期")


class ExampleError(RulesError):
    """A step sentence is not one of the closed set, or its table cannot be used.

    ``line`` is the row of the step's table that is at fault, 0 if it is the step itself; ``cells`` is
    how many of its cells, 0 for all.
    """

    @property
    def line(self) -> int:
        """The line of the row at fault."""
        return int(self.fields.get("line", 0))

    @property
    def cells(self) -> int:
        """The number of cells at fault."""
        return int(self.fields.get("cells", 0))


@contextmanager
def _in_row(row: Row, cells: int = 0) -> Iterator[None]:
    """Any fault found inside is that of a row, or of its first ``cells`` cells."""
    try:
        yield
    except RulesError as error:
        fields = {**error.fields, "line": row.line, "cells": cells}
        raise ExampleError(error.slug, error.pattern, **fields) from error
    except ValueError as error:
        raise ExampleError("unreadable-cell", "{value}", line=row.line, value=str(error)) from error


@dataclass(kw_only=True)
class Given:
    """The facts that an example files, and the results it expects; filled step by step."""

    rule: str
    catalogue: Catalogue
    as_of: date = DEFAULT_AS_OF
    values: dict[str, Scalar] = field(default_factory=dict)
    yearly: dict[tuple[str, int], Scalar] = field(default_factory=dict)
    records: dict[str, RecordList] = field(default_factory=dict)
    assume: dict[str, Result] = field(default_factory=dict)
    case: dict[str, str] = field(default_factory=dict)
    happened: Happened = field(default_factory=Happened)
    recorded: Recorded = field(default_factory=Recorded)

    def profile(self) -> Profile:
        """The filing that the example describes, as of the day of its case if it has one."""
        yearly = {
            yearly_key(id, self.day.year - 1 + offset): value
            for (id, offset), value in self.yearly.items()
        }
        place = (str(self.values.get(key, "")) for key in ("province", "city"))
        acting = provinces.acting(*place)  # as the registry knows it
        here = {"province": acting} if acting else {}
        return Profile(self.day, {**self.values, **here, **yearly}, self.records)

    @property
    def day(self) -> date:
        """The filing date."""
        return optional_day(self.case.get("填报日期", "")) or self.as_of

    @property
    def province(self) -> str:
        """The province of the case, or whatever acts as its province."""
        return provinces.acting(self.case.get("省份", ""), self.case.get("城市", ""))


@dataclass(frozen=True)
class Expectation:
    """One 那么: the question (kind and subject) and the expected text."""

    kind: str
    subject: str
    text: str


def _file(given: Given, step: GherkinStep) -> None:
    for row, name, text in _pairs(step):
        with _in_row(row, 1):
            split = given.catalogue.period_fact(name)
            found = split[0] if split is not None else _fact(given.catalogue, name)
            if found.yearly and split is None:
                raise ExampleError(
                    "year-needed",
                    "「{where}」是年度数据：请加上 上年度、上上年度、再上年度 或 前四年度",
                    where=name,
                )
        if not text:
            continue
        with _in_row(row):
            if split is not None:
                given.yearly[found.id, split[1]] = filed_value(found, text)
            else:
                given.values[found.id] = filed_value(found, text)


def _fact(catalogue: Catalogue, name: str) -> Fact:
    found = next((f for f in (*IDENTITY, *catalogue.facts) if f.name == name), None)
    if found is None:
        yearly = [
            f"{period}{f.name}"
            for f in catalogue.facts
            if f.yearly
            for period, offset in PERIODS.items()
            if offset <= 0 or f.rating
        ]
        known = [*(f.name for f in catalogue.facts if not f.yearly), *yearly]
        raise ExampleError(
            "unknown-fact",
            "没有名为「{value}」的填报项{near}：请查对填报模板中的名称",
            value=name,
            near=near(name, known),
        )
    return found


def _list(given: Given, step: GherkinStep, complete: str, name: str) -> None:
    kind = given.catalogue.record_kind(name)
    if not step.table:
        raise ExampleError("list-without-table", "清单“{where}”没有表：请至少写表头", where=name)
    header, *rows = step.table
    for column in header.cells:
        if header.cells.count(column) > 1:
            raise ExampleError(
                "column-twice",
                "清单“{where}”有两列「{value}」：请删去一列",
                where=name,
                value=column,
            )
    with _in_row(header):
        fields = [_field(kind, name) for name in header.cells]
    items = []
    for row in rows:
        with _in_row(row):
            cells = zip(fields, row.cells, strict=True)
            items.append({f.id: filed_value(f, text) for f, text in cells if text})
    given.records[kind.id] = RecordList(tuple(items), complete == "已")


def _one_record(given: Given, step: GherkinStep, name: str) -> None:
    kind = given.catalogue.record_kind(name)
    item: dict[str, Scalar] = {}
    for row, field_name, text in _pairs(step):
        with _in_row(row, 1):
            found = _field(kind, field_name)
        with _in_row(row):
            if text:
                item[found.id] = filed_value(found, text)
    given.records[kind.id] = RecordList((item,), True)


def _field(kind: RecordKind, name: str) -> Fact:
    found = next((f for f in kind.fields if f.name == name), None)
    if found is None:
        raise ExampleError(
            "no-such-field",
            "清单“{where}”没有字段「{value}」{near}",
            where=kind.name,
            value=name,
            near=near(name, [f.name for f in kind.fields]),
        )
    return found


def _as_of(given: Given, step: GherkinStep, text: str) -> None:
    given.as_of = parse_day(text)


def _assume(given: Given, step: GherkinStep) -> None:
    for row, name, text in _pairs(step):
        with _in_row(row):
            given.assume[name] = OUTCOMES[text] if text in OUTCOMES else _points(text)


def _case(given: Given, step: GherkinStep) -> None:
    for row, name, text in _pairs(step):
        with _in_row(row, 1):
            if name not in CASE:
                raise ExampleError(
                    "no-such-case-item",
                    "案件没有「{value}」这一项：可写的有{expected}",
                    value=name,
                    expected="、".join(CASE),
                )
        with _in_row(row):
            if name == "填报日期":
                optional_day(text)
        given.case[name] = text


def _pairs(step: GherkinStep) -> list[tuple[Row, str, str]]:
    """The vertical table of a step as rows with their names and values."""
    pairs: dict[str, tuple[Row, str, str]] = {}
    for row in step.table:
        with _in_row(row):
            if len(row.cells) != 2:
                raise ExampleError(
                    "not-two-columns", "「{where}」的表应为两列：名称和值", where=step.text
                )
            if row.cells[0] in pairs:
                raise ExampleError(
                    "written-twice", "「{value}」写了两次：请删去一行", value=row.cells[0]
                )
        pairs[row.cells[0]] = (row, *row.cells)
    if not pairs:
        raise ExampleError(
            "step-without-table", "「{where}」没有表：请逐行写名称和值", where=step.text
        )
    return list(pairs.values())


def _points(text: str) -> Points:
    lo, _, hi = text.partition("至")
    try:
        low, high = parse(lo).value, parse(hi or lo).value
    except QuantityError as error:
        raise ExampleError(
            "not-points",
            "「{value}」不是得分：应写成 15分 或 6分至10分{near}",
            value=text,
            near=near(text, OUTCOMES),
        ) from error
    if low > high:
        raise ExampleError("points-turned-round", "「{value}」前大后小：请调换", value=text)
    return Points(low, high, Gap.NONE if low == high else Gap.MISSING)


def _happened(act: Callable[..., None]) -> Callable[..., None]:
    """A sentence on what happened in a case, as one of the sentences of all examples."""

    def said(given: Given, step: GherkinStep, *parts: str) -> None:
        act(given.happened, *parts)

    return said


def _recorded(act: Callable[..., None]) -> Callable[..., None]:
    """A sentence on what is on the record of a title, as one of the sentences of all examples."""

    def said(given: Given, step: GherkinStep, *parts: str) -> None:
        act(given.recorded, *parts)

    return said


GIVEN: Final[tuple[tuple[re.Pattern[str], Callable[..., None]], ...]] = (
    (re.compile(r"企业填报"), _file),
    (re.compile(r"(已|未)报全的“(.+)”清单"), _list),
    (re.compile(r"一条“(.+)”记录"), _one_record),
    (re.compile(r"填报日期为(.+)"), _as_of),
    (re.compile(r"其他规则的结论"), _assume),
    (re.compile(r"案件如下"), _case),
    *((pattern, _happened(act)) for pattern, act in courses.GIVEN),
    *((pattern, _recorded(act)) for pattern, act in clocks.GIVEN),
)

EXPECTED: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"结论为“(?P<text>.*)”"), "结论"),
    (re.compile(r"得分为“(?P<text>.*)”"), "得分"),
    (re.compile(r"“(?P<subject>.+)”得分为“(?P<text>.*)”"), "组得分"),
    (re.compile(r"指标“(?P<subject>.+)”为“(?P<text>.*)”"), "指标"),
    (re.compile(r"门槛为“(?P<text>.*)”"), "门槛"),
    (re.compile(r"设定为“(?P<text>.*)”"), "设定"),
    (re.compile(r"规则“(?P<subject>.+)”的(?:结论|得分)为“(?P<text>.*)”"), "所适用的规则"),
    (re.compile(r"适用“(?P<text>.*)”"), "适用"),
    (re.compile(r"(?P<text>没有适用的规则集)"), "适用"),
    *courses.EXPECTED,
    *clocks.EXPECTED,
)


#: Step sentences as they are written, to be compared with one that is unknown.
_SENTENCES: Final = (
    "企业填报", "已报全的“知识产权”清单", "未报全的“知识产权”清单", "一条“知识产权”记录", "填报日期为2023年6月30日",
    "其他规则的结论", "案件如下", "结论为“符合”", "得分为“10分”", "门槛为“60分”", "没有适用的规则集",
    *courses.SENTENCES, *clocks.SENTENCES,
)  # fmt: skip


def take(given: Given, step: GherkinStep) -> Expectation | None:
    """Carry out one step: file what it gives, or return what it expects."""
    for pattern, action in GIVEN:
        match = pattern.fullmatch(step.text)
        if match:
            action(given, step, *match.groups())
            return None
    for expected, kind in EXPECTED:
        match = expected.fullmatch(step.text)
        if match:
            groups = match.groupdict()
            judged = kind == "结论" or (kind == "所适用的规则" and "的结论为" in step.text)
            if judged and groups["text"] not in OUTCOMES:
                known = "、".join(list(OUTCOMES)[:4])
                raise ExampleError(
                    "not-an-outcome",
                    "「{value}」不是结论：应为{expected}之一{near}",
                    value=groups["text"],
                    expected=known,
                    near=near(groups["text"], OUTCOMES),
                )
            if kind in ("得分", "组得分"):
                _points(groups["text"])
            subject = groups["text"] if kind == courses.CAN else groups.get("subject", "")
            return Expectation(kind, subject, groups["text"])
    raise ExampleError(
        "no-such-step",
        "步骤「{value}」不认识{near}：请用 docs/language.md 所列的句式",
        value=step.text,
        near=near(step.text, _SENTENCES),
    )
