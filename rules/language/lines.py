"""A row of a definition table, 指标 要求 门槛, as a comparison; and what its cells may name."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from rules.errors import QuantityError, RulesError
from rules.language.formulas import Formula, FormulaError
from rules.model.days import parse_day
from rules.model.expressions import parameters
from rules.model.nearness import near
from rules.model.quantities import UNITS, Quantity, parse
from rules.model.ruleset import Indicator, Line, Op

#: 要求 -> comparison of a quantity
COMPARISONS: Final[dict[str, Op]] = {"不低于": ">=", "高于": ">", "低于": "<", "不高于": "<="}
#: 要求 -> comparison of a date with 填报日 or with a fixed day
DATE_COMPARISONS: Final[dict[str, Op]] = {"不早于": ">=", "不晚于": "<=", "早于": "<", "晚于": ">"}
AS_OF: Final = "填报日"
MEMBERSHIPS: Final = ("为", "不为", "属于")


@dataclass(frozen=True)
class Threshold:
    """A 门槛 slot that a province may fill: its default and the least allowed value."""

    name: str
    value: Quantity
    text: str
    minimum: Quantity


@dataclass(frozen=True, kw_only=True)
class Slot:
    """What a province may set, as the national text permits it.

    ``least`` and ``most`` bound the 门槛 or the points (``most`` None: no upper bound). For a 得分 they
    also bound the number of its indicators if the text does.
    """

    name: str
    kind: str
    default: str
    least: Fraction
    most: Fraction | None = None
    fewest_items: int | None = None
    most_items: int | None = None


class TableError(RulesError):
    """A cell does not compile; ``where`` is its line in the file."""

    @property
    def line(self) -> int:
        """The line of the cell."""
        return int(self.fields["where"])


class SubjectError(RulesError):
    """The name in a 指标 cell is unknown, or names something that cannot be compared."""


@dataclass(frozen=True)
class Subject:
    """The meaning of a 指标 cell: an indicator, the points of a score, or a rule's outcome."""

    kind: str
    name: str
    indicator: Indicator | None = None


@dataclass(frozen=True)
class CellLookup:
    """Looks up the cells of one rule's table; ``subject`` raises ``SubjectError``.

    ``formula`` reads a 门槛 that is computed; it raises ``FormulaError``. ``add`` takes an indicator
    that is made for one comparison.
    """

    subject: Callable[[str], Subject]
    vocabulary: Callable[[Indicator], tuple[str, ...]]
    threshold: Callable[[str], Threshold | None]
    formula: Callable[[str], Formula]
    add: Callable[[Indicator], Indicator]


def compile_line(number: int, cells: tuple[str, ...], names: CellLookup) -> Line:
    """The comparison in the row at line ``number``; else ``TableError``."""
    name, requirement, text = cells
    subject = named_subject(number, name, names)
    shown = f"{requirement}{text}" if requirement in COMPARISONS else f"{requirement} {text}"
    if subject.kind == "rule":
        if requirement != "为" or text not in ("符合", "不符合"):
            raise TableError(
                "unfit-rule-line",
                "规则「{value}」只能写「为 符合」或「为 不符合」：请改正",
                where=number,
                value=name,
            )
        met = text == "符合"
        return Line(subject="rule" if met else "unmet", name=subject.name, text=shown)
    if subject.kind == "points":
        op, value = _comparison(number, requirement, text, "分", names)
        shown, slot = _with_slot(shown, text, names)
        return Line(subject="points", name=subject.name, op=op, value=value, text=shown, slot=slot)
    indicator = subject.indicator
    assert indicator is not None
    if indicator.kind == "date":
        day = _day(text)
        if requirement not in DATE_COMPARISONS or (day is None and text != AS_OF):
            raise TableError(
                "unfit-date-line",
                "「{value}」是日期：要求应为{expected}，门槛应为 {as_of} 或一个日期，例如 2020年1月1日",
                where=number,
                value=name,
                expected="、".join(DATE_COMPARISONS),
                as_of=AS_OF,
            )
        return Line(
            subject="indicator",
            name=subject.name if day is None else names.add(indicator.counted_from(day)).name,
            op=DATE_COMPARISONS[requirement],
            value=Fraction(0),
            text=shown,
        )
    if indicator.kind == "flag":
        if requirement != "为" or text not in ("是", "否"):
            raise TableError(
                "unfit-flag-line",
                "「{value}」是是否项：应写「为 是」或「为 否」",
                where=number,
                value=name,
            )
        op = ">=" if text == "是" else "<"
        return Line(subject="indicator", name=subject.name, op=op, value=Fraction(1), text=shown)
    if indicator.kind == "code":
        codes = _codes(number, requirement, text, indicator, names)
        return Line(subject="indicator", name=subject.name, op="in", value=codes, text=shown)
    if requirement in COMPARISONS and _computed(text, names):
        return _against(number, indicator, requirement, text, names)
    op, value = _comparison(number, requirement, text, indicator.unit, names)
    shown, slot = _with_slot(shown, text, names)
    return Line(
        subject="indicator",
        name=subject.name,
        op=op,
        value=compared(number, indicator, value),
        text=shown,
        slot=slot,
    )


def _computed(text: str, names: CellLookup) -> bool:
    """Whether a 门槛 is no quantity but names a figure, such as 1.5×生产总值增速."""
    if names.threshold(text) is not None:
        return False
    try:
        parse(text)
    except QuantityError:
        try:
            return bool(parameters(names.formula(text).expr))
        except FormulaError:
            return False
    return False


def _against(
    number: int, indicator: Indicator, requirement: str, text: str, names: CellLookup
) -> Line:
    """The comparison of an indicator with a computed figure, as that of their difference with 0."""
    formula = names.formula(text)
    if indicator.root > 1 or formula.root > 1:
        raise TableError(
            "computed-rate",
            "复合增长率不能与「{value}」相比：请改用增长率或平均增长率",
            where=number,
            value=text,
        )
    if formula.kind != "number" or formula.dimension != UNITS[indicator.unit][0]:
        raise TableError(
            "unfit-unit",
            "门槛「{value}」的单位与指标不符：应以{expected}这类单位表示",
            where=number,
            value=text,
            expected=indicator.unit,
        )
    difference = names.add(indicator.compared_with(text, formula.expr))
    return Line(
        subject="indicator",
        name=difference.name,
        op=COMPARISONS[requirement],
        value=Fraction(0),
        text=f"{requirement}{text}",
    )


def compared(number: int, indicator: Indicator, threshold: Fraction) -> Fraction:
    """The number with which an indicator's formula is compared; else ``TableError``."""
    if indicator.root > 1 and threshold < -1:
        raise TableError("impossible-rate", "增长率不能低于-100%：请改正门槛", where=number)
    return indicator.compared(threshold)


def _day(text: str) -> date | None:
    """The day in a 门槛 cell; None if there is none."""
    try:
        return parse_day(text)
    except ValueError:
        return None


def named_subject(number: int, name: str, names: CellLookup) -> Subject:
    """The meaning of a cell in the row at line ``number``; else ``TableError``."""
    try:
        return names.subject(name)
    except SubjectError as error:
        raise in_line(number, error) from error


def read_quantity(number: int, text: str) -> Quantity:
    """The quantity in a cell of the row at line ``number``; else ``TableError``."""
    try:
        return parse(text)
    except QuantityError as error:
        raise in_line(number, error) from error


def in_line(number: int, error: RulesError) -> TableError:
    """The error of a cell, with its line."""
    return TableError(error.slug, error.pattern, **{**error.fields, "where": number})


def read_points(number: int, text: str) -> Fraction:
    """The points in a cell, with or without 分."""
    quantity = read_quantity(number, text if text.endswith("分") else f"{text}分")
    return quantity.value


def _comparison(
    number: int, requirement: str, text: str, unit: str, names: CellLookup
) -> tuple[Op, Fraction]:
    if requirement not in COMPARISONS:
        raise TableError(
            "unfit-requirement",
            "要求「{value}」不适用于数量：应为{expected}",
            where=number,
            value=requirement,
            expected="、".join(COMPARISONS),
        )
    slot = names.threshold(text)
    quantity = slot.value if slot else read_quantity(number, text)
    if quantity.dimension != UNITS[unit][0]:
        raise TableError(
            "unfit-unit",
            "门槛「{value}」的单位与指标不符：应以{expected}这类单位表示",
            where=number,
            value=text,
            expected=unit,
        )
    return COMPARISONS[requirement], quantity.value


def _with_slot(shown: str, text: str, names: CellLookup) -> tuple[str, str]:
    slot = names.threshold(text)
    return (f"{shown}（{slot.text}）", slot.name) if slot else (shown, "")


def _codes(
    number: int, requirement: str, text: str, indicator: Indicator, names: CellLookup
) -> tuple[str, ...]:
    if requirement not in MEMBERSHIPS:
        raise TableError(
            "unfit-requirement",
            "要求「{value}」不适用于类别：应为{expected}",
            where=number,
            value=requirement,
            expected="、".join(MEMBERSHIPS),
        )
    vocabulary = names.vocabulary(indicator)
    codes = (text,) if text in vocabulary or requirement != "属于" else tuple(text.split("、"))
    if not vocabulary and (requirement == "不为" or not all(codes)):
        raise TableError(
            "open-choice",
            "「{value}」可以是任何文字：要求应为 为 或 属于，门槛写出文字；要排除的，另写一条规则并要求它 为 不符合",
            where=number,
            value=indicator.name,
        )
    for code in codes:
        if vocabulary and code not in vocabulary:
            raise TableError(
                "unknown-code",
                "「{value}」不是{name}的可选值{near}：{expected}",
                where=number,
                value=code,
                name=indicator.name,
                near=near(code, vocabulary),
                expected="、".join(vocabulary),
            )
        if codes.count(code) > 1:
            raise TableError(
                "repeated-code", "「{value}」重复列出：请删去一个", where=number, value=code
            )
    if requirement == "不为":
        return tuple(c for c in vocabulary if c not in codes)
    return codes
