"""What parts of a formula make together, and which parts go together: kinds and dimensions."""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import reduce
from typing import Final, NamedTuple, TypeAlias

from rules.language.formulas.meaning import (
    COUNTS,
    IN_DAYS,
    IN_YEARS,
    MONEY,
    PLAIN,
    RATIO,
    WITH_UNIT,
    ZERO,
    Formula,
    FormulaError,
)
from rules.language.formulas.tokens import error
from rules.model.facts import PERIODS, Kind
from rules.model.ruleset import Expr

#: Far more than any formula of law has: what is inlined beyond it is a mistake.
_MOST_NODES: Final = 200
_SHOWN: Final = 20


class Part(NamedTuple):
    """A part of a formula, with its text and the place where it starts.

    It is ``open`` if it is a sum without brackets, which the next summand joins.
    """

    formula: Formula
    text: str
    start: int
    open: bool = False

    @property
    def expr(self) -> Expr:
        """Its expression."""
        return self.formula.expr

    @property
    def shown(self) -> str:
        """Its text, cut to what a sentence can hold."""
        return self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…"


def made(expr: Expr, dimension: str, start: int, kind: Kind = "number") -> Formula:
    """A formula of an expression that starts at a place; an error if it is too large."""
    if _size(expr) > _MOST_NODES:
        raise error("large-formula", "算式连同所引的指标过大：请简化", start)
    return Formula(expr, kind, dimension)


def _size(expr: Expr) -> int:
    """The number of nodes."""
    return 1 + sum(
        _size(part) if part and isinstance(part[0], str) else sum(map(_size, part))
        for part in expr[1:]
        if isinstance(part, tuple)
    )


# which parts go together


def unfit(part: Part, why: str) -> FormulaError:
    """The error of a part that cannot stand where it does."""
    return error(
        "unfit-operand",
        "「{value}」是{kind}：{why}",
        part.start,
        value=part.shown,
        kind=part.formula.said,
        why=why,
    )


def _mixed(slug: str, pattern: str, part: Part, first: Part, verb: str) -> FormulaError:
    """The error of a part that does not go together with another."""
    return error(
        slug,
        pattern,
        part.start,
        value=part.shown,
        kind=part.formula.said,
        first=first.shown,
        other=first.formula.said,
        verb=verb,
    )


def rational(parts: Iterable[Part]) -> None:
    """Refuse a compound rate as a part of anything."""
    for part in parts:
        if part.formula.root > 1:
            raise unfit(part, "它不是有理数，只能单独成式，不能参加运算")


def usable(parts: Iterable[Part]) -> None:
    """Refuse texts outside of lookups, and the earliest or latest of dates outside of spans."""
    for part in parts:
        if part.formula.kind == "text":
            raise unfit(part, "文字只能用在 查表 中")
        if part.expr[0] in ("earliest", "latest"):
            raise unfit(part, "最早、最晚 只能用在 足年、天数、年度差、年份 中")


def _dates(parts: Iterable[Part]) -> None:
    for part in parts:
        if part.formula.kind != "date":
            raise unfit(part, "此处应为日期")


def _numbers(parts: list[Part], verb: str) -> None:
    """Refuse parts that are no numbers, and a calculation with nothing but constants."""
    rational(parts)
    for part in parts:
        if part.formula.kind not in ("number", "flag"):
            raise unfit(part, f"不能{verb}")
    if all(part.formula.constant for part in parts):
        pattern = "各项都是固定的数，不用{verb}：请直接写出结果"
        raise error("constants-only", pattern, parts[0].start, verb=verb)


def _alike(parts: list[Part], verb: str) -> str:
    """The dimension that the parts have in common."""
    _numbers(parts, verb)
    first = next(p for p in parts if not p.formula.constant)
    dimension = first.formula.measure
    for part in parts:
        own = part.formula.measure
        if own == PLAIN and part.expr != ZERO and dimension in WITH_UNIT:
            pattern = "「{value}」没有单位，不能与「{first}」{verb}：请写明单位"
            raise _mixed("missing-unit", pattern, part, first, verb)
        if own not in (dimension, PLAIN):
            raise _mixed("mixed-dimensions", _MIXED, part, first, verb)
    return dimension


def _choice(parts: list[Part], verb: str) -> tuple[Kind, str]:
    """The kind and dimension of one out of several numbers: among flags it is a flag."""
    dimension = _alike(parts, verb)
    flags = all(p.formula.kind == "flag" for p in parts)
    return ("flag", "") if flags else ("number", dimension)


_MIXED: Final = "「{value}」是{kind}，「{first}」是{other}，不能{verb}"


# signs


def joined(sign: str, left: Part, right: Part) -> Formula:
    """The sum or difference of two parts."""
    dimension = _alike([left, right], "相加" if sign == "+" else "相减")
    if sign == "−":
        expr: Expr = ("sub", left.expr, right.expr)
    elif left.open:
        expr = (*left.expr, right.expr)
    else:
        expr = ("add", left.expr, right.expr)
    return made(expr, dimension, left.start)


def product(left: Part, right: Part) -> Formula:
    """The product of two parts: one of them only scales the other, and leaves its dimension."""
    _numbers([left, right], "相乘")
    for part in (left, right):
        if part.formula.constant:
            _factor(part)
    if _weight(left) == _weight(right) == _HEAVIEST:
        pattern = "「{first}」是{other}，不能乘以「{value}」，它是{kind}"
        raise _mixed("unfit-factors", pattern, right, left, "相乘")
    scaled = max(left, right, key=_weight)
    return made(("mul", left.expr, right.expr), scaled.formula.measure, left.start)


#: The weight of what cannot scale anything.
_HEAVIEST: Final = 4


def _weight(part: Part) -> int:
    """How little a part scales others: constants most of all, then flags, ratios and counts."""
    if part.formula.constant:
        return 0
    if part.formula.kind == "flag":
        return 1
    dimension = part.formula.dimension
    return 2 if dimension == RATIO else 3 if dimension in COUNTS else _HEAVIEST


def ratio(left: Part, right: Part) -> Formula:
    """A part divided by another: per head if that is a count."""
    _numbers([left, right], "相除")
    if left.formula.constant:
        raise unfit(left, "固定的数不能作被除数")
    dimension, divisor = left.formula.measure, right.formula.measure
    if right.formula.constant:
        _factor(right)
    elif dimension == divisor:
        dimension = RATIO
    elif divisor not in (RATIO, *COUNTS) and (dimension, divisor) != (MONEY, IN_YEARS):
        pattern = "「{first}」是{other}，不能除以「{value}」，它是{kind}"
        raise _mixed("unfit-divisor", pattern, right, left, "相除")
    return made(("div", left.expr, right.expr), dimension, left.start)


def _factor(part: Part) -> Fraction:
    """The constant by which something is multiplied or divided."""
    value = Fraction(part.expr[1])
    if part.formula.dimension not in (PLAIN, RATIO) or value <= 0:
        pattern = "「{value}」不能作倍数或除数：应为大于零、不带单位的数"
        raise error("unfit-factor", pattern, part.start, value=part.shown)
    return value


# functions whose arguments are all formulas


def _sum(parts: list[Part], at: int) -> Formula:
    dimension = _alike(parts, "相加")
    return made(("add", *_exprs(parts)), dimension, at)


def _mean(parts: list[Part], at: int) -> Formula:
    dimension = _alike(parts, "平均")
    return made(("div", ("add", *_exprs(parts)), ("const", str(len(parts)))), dimension, at)


def _share(parts: list[Part], at: int) -> Formula:
    return ratio(*parts)


def _growth(parts: list[Part], at: int) -> Formula:
    if len(parts) == 1:
        now, before = parts[0].expr, earlier(parts[0], 1)
    else:
        now, before = _exprs(parts)
        _alike(parts, "比较")
        for part in parts:
            if part.formula.constant:
                raise unfit(part, "增长率应由两个数据计算")
    return made(("div", ("sub", now, before), before), RATIO, at)


def earlier(part: Part, years: int) -> Expr:
    """A yearly figure, some years earlier."""
    match part.expr:
        case ("year", id, offset) if offset - years in PERIODS.values():
            return ("year", id, offset - years)
        case ("year", *_):
            raise error(
                "no-such-period",
                "「{value}」之前{years}年的数据不在填报之列：可填报的年度有{expected}",
                part.start,
                value=part.shown,
                years=years,
                expected="、".join(PERIODS),
            )
    raise unfit(part, "此处应为年度数据，例如以 上年度 开头的填报项")


def _least(parts: list[Part], at: int) -> Formula:
    kind, dimension = _choice(parts, "比较")
    return made(_folded("least", _exprs(parts)), dimension, at, kind)


def _most(parts: list[Part], at: int) -> Formula:
    kind, dimension = _choice(parts, "比较")
    return made(_folded("most", _exprs(parts)), dimension, at, kind)


def bounded(parts: list[Part], lowers: list[Expr], uppers: list[Expr], at: int) -> Formula:
    """The first part, with bounds; ``parts`` are all of them."""
    kind, dimension = _choice(parts, "比较")
    return made(("bounded", parts[0].expr, tuple(lowers), tuple(uppers)), dimension, at, kind)


def _known(parts: list[Part], at: int) -> Formula:
    return _instead("else_known", parts, at)


def _found(parts: list[Part], at: int) -> Formula:
    if parts[0].formula.kind == "date":
        raise unfit(parts[0], "日期不会无法计算，请用 未知时取")
    return _instead("else_found", parts, at)


def _instead(node: str, parts: list[Part], at: int) -> Formula:
    """The first part, or what stands in for it."""
    rational(parts)
    usable(parts)
    if all(p.formula.kind in ("number", "flag") for p in parts):
        kind, dimension = _choice(parts, "互相替代")
    else:
        kind, dimension = parts[0].formula.kind, ""
        for part in parts:
            if part.formula.kind != kind:
                raise _mixed("mixed-dimensions", _MIXED, part, parts[0], "互相替代")
    return made(_folded(node, _exprs(parts)), dimension, at, kind)


def _extreme(node: str) -> "Function":
    """The earliest or the latest of dates; a span does without these nodes."""

    def extreme(parts: list[Part], at: int) -> Formula:
        _dates(parts)
        return made((node, *_exprs(parts)), "", at, "date")

    return extreme


def _year(parts: list[Part], at: int) -> Formula:
    _dates(parts)

    def year(day: Expr) -> Expr:
        match day:
            case ("earliest" | "latest" as node, *days):
                return _folded(_OF_ENDS[node], map(year, days))
        return ("year_number", day)

    return made(year(parts[0].expr), IN_YEARS, at)


def _span(node: str, dimension: str) -> "Function":
    def span(parts: list[Part], at: int) -> Formula:
        _dates(parts)

        def between(start: Expr, end: Expr) -> Expr:
            match start, end:
                case ("earliest" | "latest" as extreme, *days), _:
                    return _folded(_OF_STARTS[extreme], (between(day, end) for day in days))
                case _, ("earliest" | "latest" as extreme, *days):
                    return _folded(_OF_ENDS[extreme], (between(start, day) for day in days))
            if {start[0], end[0]}.isdisjoint(("as_of", "new_year", "day")):
                pattern = "两个日期中，至少一个应为 填报日、本年1月1日 这样的定日"
                raise error("two-filed-dates", pattern, at)
            return (node, start, end)

        return made(between(*_exprs(parts)), dimension, at)

    return span


#: A span from the earliest of dates is the longest, one to the earliest the shortest.
_OF_STARTS: Final = {"earliest": "most", "latest": "least"}
_OF_ENDS: Final = {"earliest": "least", "latest": "most"}


def _exprs(parts: Iterable[Part]) -> list[Expr]:
    return [part.expr for part in parts]


def _folded(node: str, exprs: Iterable[Expr]) -> Expr:
    return reduce(lambda a, b: (node, a, b), exprs)


#: Makes a formula of the arguments of a function and its place.
Function: TypeAlias = Callable[[list[Part], int], Formula]
_MANY: Final = range(2, 1000)
#: What each function makes, and of how many formulas.
COMPUTED: Final[Mapping[str, tuple[Function, range]]] = {
    "合计": (_sum, _MANY),
    "平均": (_mean, _MANY),
    "占比": (_share, range(2, 3)),
    "增长率": (_growth, range(1, 3)),
    "最大": (_most, _MANY),
    "最小": (_least, _MANY),
    "未知时取": (_known, _MANY),
    "无法计算时取": (_found, range(2, 3)),
    "足年": (_span("years", IN_YEARS), range(2, 3)),
    "天数": (_span("days", IN_DAYS), range(2, 3)),
    "年度差": (_span("calendar_years", IN_YEARS), range(2, 3)),
    "最早": (_extreme("earliest"), _MANY),
    "最晚": (_extreme("latest"), _MANY),
    "年份": (_year, range(1, 2)),
}
