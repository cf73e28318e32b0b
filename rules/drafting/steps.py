"""The step sentences of examples: a closed set.

A step only files facts or states an expected result; it never repeats the rule.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from rules.errors import QuantityError, RulesError
from rules.language import editions, provinces
from rules.language.source import GherkinStep
from rules.language.values import filed_value
from rules.model.catalogue import Catalogue
from rules.model.facts import (
    Profile,
    RecordList,
    Scalar,
    yearly_key,
)
from rules.model.quantities import parse
from rules.model.ruleset import OUTCOMES, Gap, Points, Result

DEFAULT_AS_OF: Final = date(2023, 6, 30)
#: The attributes of a case that an applicability example may state.
CASE: Final = ("层级", "程序", "省份", "城市", "批次", "填报日期")


class ExampleError(RulesError):
    """A step sentence is not one of the closed set, or its table cannot be used."""


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

    def profile(self) -> Profile:
        """The filing that the example describes, as of the day of its case if it has one."""
        yearly = {
            yearly_key(id, self.day.year - 1 + offset): value
            for (id, offset), value in self.yearly.items()
        }
        return Profile(self.day, {**self.values, **yearly}, self.records)

    @property
    def day(self) -> date:
        """The filing date."""
        return editions.parse_day(self.case.get("填报日期", "")) or self.as_of

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
    for name, text in _pairs(step).items():
        if not text:
            continue
        split = given.catalogue.period_fact(name)
        if split is not None:
            given.yearly[split[0].id, split[1]] = filed_value(split[0], text)
        else:
            found = given.catalogue.fact(name)
            if found.yearly:
                raise ExampleError(
                    "year-needed",
                    "「{where}」是年度数据：请加上 上年度、上上年度 或 再上年度",
                    where=name,
                )
            given.values[found.id] = filed_value(found, text)


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
    items = tuple(
        _record(given.catalogue, kind.id, dict(zip(header.cells, r.cells, strict=True)))
        for r in rows
    )
    given.records[kind.id] = RecordList(items, complete == "已")


def _one_record(given: Given, step: GherkinStep, name: str) -> None:
    kind = given.catalogue.record_kind(name)
    item = _record(given.catalogue, kind.id, _pairs(step))
    given.records[kind.id] = RecordList((item,), True)


def _record(catalogue: Catalogue, records: str, cells: Mapping[str, str]) -> dict[str, Scalar]:
    item: dict[str, Scalar] = {}
    for name, text in cells.items():
        found = catalogue.field(records, name)
        if text:
            item[found.id] = filed_value(found, text)
    return item


def _as_of(given: Given, step: GherkinStep, text: str) -> None:
    day = editions.parse_day(text)
    if day is not None:
        given.as_of = day


def _assume(given: Given, step: GherkinStep) -> None:
    for name, text in _pairs(step).items():
        given.assume[name] = OUTCOMES[text] if text in OUTCOMES else _points(text)


def _case(given: Given, step: GherkinStep) -> None:
    for name, text in _pairs(step).items():
        if name not in CASE:
            raise ExampleError(
                "no-such-case-item",
                "案件没有「{value}」这一项：可写的有{expected}",
                value=name,
                expected="、".join(CASE),
            )
        given.case[name] = text


def _pairs(step: GherkinStep) -> dict[str, str]:
    """The vertical table of a step as names and values."""
    pairs: dict[str, str] = {}
    for row in step.table:
        if len(row.cells) != 2:
            raise ExampleError(
                "not-two-columns", "「{where}」的表应为两列：名称和值", where=step.text
            )
        if row.cells[0] in pairs:
            raise ExampleError(
                "written-twice", "「{value}」写了两次：请删去一行", value=row.cells[0]
            )
        pairs[row.cells[0]] = row.cells[1]
    if not pairs:
        raise ExampleError(
            "step-without-table", "「{where}」没有表：请逐行写名称和值", where=step.text
        )
    return pairs


def _points(text: str) -> Points:
    lo, _, hi = text.partition("至")
    try:
        low, high = parse(lo).value, parse(hi or lo).value
    except QuantityError as error:
        raise ExampleError(
            "not-points", "「{value}」不是得分：应写成 15分 或 6分至10分", value=text
        ) from error
    return Points(low, high, Gap.NONE if low == high else Gap.MISSING)


GIVEN: Final[tuple[tuple[re.Pattern[str], Callable[..., None]], ...]] = (
    (re.compile(r"企业填报"), _file),
    (re.compile(r"(已|未)报全的“(.+)”清单"), _list),
    (re.compile(r"一条“(.+)”记录"), _one_record),
    (re.compile(r"填报日期为(.+)"), _as_of),
    (re.compile(r"其他规则的结论"), _assume),
    (re.compile(r"案件如下"), _case),
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
)


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
                    "「{value}」不是结论：应为{expected}之一",
                    value=groups["text"],
                    expected=known,
                )
            return Expectation(kind, groups.get("subject", ""), groups["text"])
    raise ExampleError(
        "no-such-step", "步骤「{value}」不认识：请用 docs/criteria.md 所列的句式", value=step.text
    )
