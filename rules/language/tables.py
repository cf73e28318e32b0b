"""Compiles definition tables to rule bodies: the closed table language of the feature files."""

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

from rules.errors import Problem
from rules.language.lines import (
    CellLookup,
    Slot,
    TableError,
    Threshold,
    compared,
    compile_line,
    named_subject,
    read_points,
    read_quantity,
)
from rules.language.source import DECLARATIONS, Clause, Row
from rules.model.nearness import near
from rules.model.quantities import UNITS, parse
from rules.model.ruleset import (
    Attested,
    Band,
    Bands,
    Body,
    Case,
    Cases,
    Indicator,
    Item,
    Ladder,
    Line,
    Total,
)

CASES: Final = "满足下列任一情形即为符合"
BANDS: Final = "按下表计分，边界按高分"
LADDER: Final = "按所满足的最高情形计分"
TOTAL: Final = "得分为下列各项之和"
SLOT: Final = "由省级主管部门设定"
FILL: Final = "省级主管部门设定如下"
APPLICABILITY: Final = "按下表适用"
WORKFLOW: Final = "按下表办理"
WORKFLOW_ROWS: Final = "办理程序按下表适用"
CLOCKS: Final = "按下表计时"
CLOCK_ROWS: Final = "计时按下表适用"

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    CASES: ("情形", "指标", "要求", "门槛"),
    BANDS: ("指标", "下限", "上限", "得分"),
    LADDER: ("得分", "情形", "指标", "要求", "门槛"),
    TOTAL: ("组", "项", "满分"),
    SLOT: ("项目", "种类", "默认", "允许"),
    FILL: ("省份", "项目", "自", "至", "设定"),
    APPLICABILITY: ("层级", "程序", "省份", "批次", "自", "至", "规则集", "依据"),
    WORKFLOW: ("环节", "承办", "办理", "转入", "时限", "须有", "效果"),
    WORKFLOW_ROWS: ("层级", "程序", "省份", "批次", "自", "至", "办理程序", "依据"),
    CLOCKS: ("事项", "起算", "期限", "逾期", "提前提醒"),
    CLOCK_ROWS: ("层级", "省份", "自", "至", "计时", "依据"),
}

REST: Final = "其余"
CAP: Final = "最高"


def compile_table(
    clause: Clause, names: CellLookup
) -> tuple[Body | Threshold | None, list[Problem]]:
    """The body of a rule, or None with the problems of its table."""
    step = clause.definition
    columns = COLUMNS.get(step.text)
    if columns is None:
        known = "、".join(f"「{s}」" for s in (*COLUMNS, *DECLARATIONS))
        return None, [
            Problem(
                clause.path,
                step.line,
                f"定义句「{step.text}」不认识{near(step.text, COLUMNS)}：可用的有{known}",
            )
        ]
    header, *rows = step.table
    if header.cells != columns:
        return None, [Problem(clause.path, header.line, f"表头应为：{' | '.join(columns)}")]
    if not rows:
        return None, [Problem(clause.path, header.line, "定义表没有数据行：请补写")]
    compiler = _COMPILERS.get(step.text)
    if compiler is None:
        return None, []
    try:
        return compiler(rows, names), []
    except TableError as error:
        return None, [Problem(clause.path, error.line, str(error))]


def _cases(rows: list[Row], names: CellLookup) -> Cases:
    grouped = _grouped(rows)
    cases = [Case(name, _lines(group, 1, names)) for name, group in grouped]
    _distinct(cases, grouped)
    return Cases(tuple(cases))


def _lines(rows: list[Row], first: int, names: CellLookup) -> tuple[Line, ...]:
    """The comparisons of one case whose 指标 is in column ``first``."""
    lines: list[Line] = []
    for row in rows:
        line = compile_line(row.line, row.cells[first:], names)
        if line in lines:
            raise TableError(
                "repeated-line",
                "与第{value}行相同：请删去一行",
                where=row.line,
                value=rows[lines.index(line)].line,
            )
        lines.append(line)
    return tuple(lines)


def _distinct(cases: list[Case], grouped: list[tuple[str, list[Row]]]) -> None:
    seen: dict[frozenset[Line], str] = {}
    for case, (_, rows) in zip(cases, grouped, strict=True):
        first = seen.setdefault(frozenset(case.lines), case.name)
        if first != case.name:
            raise TableError(
                "repeated-case",
                "情形「{value}」与「{first}」相同，不起作用：请删去一个",
                where=rows[0].line,
                value=case.name,
                first=first,
            )


def _ladder(rows: list[Row], names: CellLookup) -> Ladder:
    *rungs, last = rows
    if last.cells[1] != REST or any(last.cells[2:]):
        raise TableError(
            "missing-rest",
            "最后一行应为「{expected}」并只写得分：请补写",
            where=last.line,
            expected=REST,
        )
    if not rungs:
        raise TableError(
            "empty-ladder", "「{value}」之上没有任何情形：请补写", where=last.line, value=REST
        )
    cases: list[Case] = []
    joined = [Row(r.line, (f"{r.cells[0]}·{r.cells[1]}".rstrip("·"), *r.cells)) for r in rungs]
    previous: Fraction | None = None
    grouped = _grouped(joined)
    for name, group in grouped:
        points = read_points(group[0].line, group[0].cells[1])
        if previous is not None and points > previous:
            raise TableError(
                "unordered-points", "得分应从高到低排列：请调整各行次序", where=group[0].line
            )
        previous = points
        cases.append(Case(name, _lines(group, 3, names), points))
    _distinct(cases, grouped)
    rest = read_points(last.line, last.cells[0])
    if previous is not None and rest > previous:
        raise TableError(
            "rest-too-high",
            "「{value}」的得分不应高于以上各行：请改正",
            where=last.line,
            value=REST,
        )
    return Ladder(tuple(cases), rest)


def _bands(rows: list[Row], names: CellLookup) -> Bands:
    result = []
    for name, group in _grouped(rows):
        subject = named_subject(group[0].line, name, names)
        if subject.indicator is None or subject.indicator.kind not in ("number", "flag"):
            raise TableError(
                "unbanded-indicator",
                "「{value}」不是数量指标，不能分档计分",
                where=group[0].line,
                value=name,
            )
        bands = [
            Band(
                _bound(r.line, r.cells[1], subject.indicator),
                _bound(r.line, r.cells[2], subject.indicator),
                read_points(r.line, r.cells[3]),
            )
            for r in group
        ]
        result.append((subject.name, _tiled(group, bands)))
    return Bands(tuple(result))


def _tiled(rows: list[Row], bands: list[Band]) -> tuple[Band, ...]:
    """The bands in ascending order; ``TableError`` if they do not tile the line."""
    ordered = list(zip(rows, bands, strict=True))
    if bands[0].lo is not None:
        ordered.reverse()
    first, last = ordered[0], ordered[-1]
    if first[1].lo is not None or last[1].hi is not None:
        raise TableError(
            "untiled-ends",
            "分档应覆盖全部数值：最低一档下限留空，最高一档上限留空，各档按序排列",
            where=rows[0].line,
        )
    for (_, below), (row, above) in pairwise(ordered):
        if below.hi is None or below.hi != above.lo:
            raise TableError(
                "untiled-bands",
                "相邻两档应共用同一界限：请使上一档的端点等于下一档的端点",
                where=row.line,
            )
    for row, band in ordered:
        if band.lo is not None and band.hi is not None and band.lo >= band.hi:
            raise TableError("empty-band", "下限应小于上限：请改正", where=row.line)
    return tuple(band for _, band in ordered)


def _total(rows: list[Row], names: CellLookup) -> Total:
    items = []
    *most, last = rows
    capped = last.cells[1] == CAP
    rows = most if capped else rows
    for row in rows:
        group, name, full = row.cells
        if name == CAP:
            raise TableError(
                "cap-not-last", "「{value}」应是最后一行：请移到表末", where=row.line, value=CAP
            )
        if "/" in group:
            raise TableError(
                "slash-in-name", "「{value}」中有「/」：请改用其他字", where=row.line, value=group
            )
        subject = named_subject(row.line, name, names)
        if subject.kind != "points":
            raise TableError(
                "unscored-item",
                "「{value}」不是计分规则，不能相加：请写计分规则的编号",
                where=row.line,
                value=name,
            )
        items.append(Item(group, subject.name, read_points(row.line, full)))
    repeated = next((r for r in rows if [x.cells[1] for x in rows].count(r.cells[1]) > 1), None)
    if repeated is not None:
        raise TableError(
            "repeated-item",
            "「{value}」重复相加：请删去一行",
            where=repeated.line,
            value=repeated.cells[1],
        )
    return Total(tuple(items), _cap(last, items) if capped else None)


def _cap(row: Row, items: Sequence[Item]) -> Fraction:
    """The most points of a total; ``TableError`` if they say nothing beyond its items."""
    group, name, text = row.cells
    if group:
        raise TableError(
            "capped-group",
            "「{value}」一行只限合计，不限一组：请使组一列留空",
            where=row.line,
            value=name,
        )
    cap, full = read_points(row.line, text), sum((i.full for i in items), Fraction(0))
    if not 0 < cap < full:
        raise TableError(
            "idle-cap",
            "「{value}」为{cap}分，应大于零并小于各项满分之和{full}分：请改正，或删去此行",
            where=row.line,
            value=name,
            cap=cap,
            full=full,
        )
    return cap


def _slot(rows: list[Row], names: CellLookup) -> Attested | Threshold:
    if len(rows) > 1:
        raise TableError(
            "several-slots",
            "一条规则只设定一个项目：请把其余项目写成另一条规则",
            where=rows[1].line,
        )
    row = rows[0]
    name, kind, default, allowed = row.cells
    if kind == "门槛":
        if not allowed.startswith("不低于"):
            raise TableError(
                "unreadable-minimum", "门槛的允许范围应写成「不低于60分」这样的形式", where=row.line
            )
        minimum = read_quantity(row.line, allowed.removeprefix("不低于"))
        value = read_quantity(row.line, default)
        if value.dimension != minimum.dimension or value < minimum:
            raise TableError(
                "default-out-of-range",
                "默认值{value}不在允许范围「{expected}」之内：请改正",
                where=row.line,
                value=default,
                expected=allowed,
            )
        return Threshold(name, value, default, minimum)
    if kind == "得分":
        lo, separator, hi = allowed.partition("，")[0].partition("至")
        subject = named_subject(row.line, default, names)
        if not separator or subject.indicator is None or subject.indicator.unit != "分":
            raise TableError(
                "unreadable-points-slot",
                "得分项的默认应为以分计的填报项，允许范围应写成「0分至15分」这样的形式",
                where=row.line,
            )
        items = allowed.partition("，")[2]
        if items and not _ITEMS.fullmatch(items):
            raise TableError(
                "unreadable-item-count",
                "「{value}」应写成「1项至3项」这样的形式，或删去",
                where=row.line,
                value=items,
            )
        return Attested(subject.name, read_points(row.line, lo), read_points(row.line, hi))
    raise TableError(
        "unknown-slot-kind", "种类「{value}」不认识：应为 门槛 或 得分", where=row.line, value=kind
    )


def slot_of(clause: Clause) -> Slot:
    """The slot that a compiled slot table declares."""
    name, kind, default, allowed = clause.definition.table[1].cells
    points, _, items = allowed.partition("，")
    if kind == "门槛":
        return Slot(
            name=name, kind=kind, default=default, least=parse(allowed.removeprefix("不低于")).value
        )
    lo, _, hi = points.partition("至")
    ends = _ITEMS.fullmatch(items)
    fewest, most = map(int, ends.groups()) if ends else (None, None)
    return Slot(
        name=name,
        kind=kind,
        default=default,
        least=read_points(0, lo),
        most=read_points(0, hi),
        fewest_items=fewest,
        most_items=most,
    )


#: The least and most indicators from which a province may make its points.
_ITEMS: Final = re.compile(r"(\d+)项至(\d+)项")


def _grouped(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    groups: list[tuple[str, list[Row]]] = []
    for row in rows:
        name = row.cells[0]
        if not name:
            raise TableError("empty-first-column", "首列不能为空：请每行都写", where=row.line)
        if "/" in name:
            raise TableError(
                "slash-in-name", "「{value}」中有「/」：请改用其他字", where=row.line, value=name
            )
        if groups and groups[-1][0] == name:
            groups[-1][1].append(row)
        elif any(g == name for g, _ in groups):
            raise TableError(
                "scattered-rows", "「{value}」的各行应相邻：请调整次序", where=row.line, value=name
            )
        else:
            groups.append((name, [row]))
    return groups


def _bound(number: int, text: str, indicator: Indicator) -> Fraction | None:
    if not text:
        return None
    quantity = read_quantity(number, text)
    if quantity.dimension != UNITS[indicator.unit][0]:
        raise TableError(
            "unfit-bound-unit",
            "「{value}」的单位与指标「{name}」不符：应以{expected}这类单位表示",
            where=number,
            value=text,
            name=indicator.name,
            expected=indicator.unit,
        )
    return compared(number, indicator, quantity.value)


_COMPILERS: Final[dict[str, Callable[[list[Row], CellLookup], Body | Threshold]]] = {
    CASES: _cases,
    BANDS: _bands,
    LADDER: _ladder,
    TOTAL: _total,
    SLOT: _slot,
}
