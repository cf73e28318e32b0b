"""Reads the declarations of what may be filed: the tables 填报项如下 of the feature files."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Final, TypeVar

from rules.errors import Problem, QuantityError
from rules.language.columns import rows_of
from rules.language.formulas import FormulaError, check_name
from rules.language.lines import TableError, in_line
from rules.language.source import DECLARATIONS, Clause, Row
from rules.model.catalogue import Catalogue
from rules.model.facts import COUNTED, PERIODS, Fact, Kind, RecordKind
from rules.model.nearness import near
from rules.model.quantities import UNITS, parse

_T = TypeVar("_T")

FACTS: Final = DECLARATIONS[0]
#: The columns of the table; those that no row needs may be left out.
COLUMNS: Final = (
    "名称", "标识", "类型", "单位", "期间", "取值", "下限", "上限", "清单", "属于", "持股对方", "由谁", "企业可影响", "佐证", "说明",
)  # fmt: skip
REQUIRED: Final = ("名称", "标识", "类型")

KINDS: Final[dict[str, Kind]] = {
    "数量": "number", "是否": "flag", "类别": "code", "日期": "date", "文字": "text",
}  # fmt: skip
#: The type that declares a record list instead of a fact.
LIST: Final = "清单"
#: 期间 -> whether the fact is yearly, and whether it is a rating.
_PERIODS: Final = {"": (False, False), "会计年度": (True, False), "自然年度": (True, True)}
_ORIGINS: Final = {"": "填报", "企业": "填报", "审核人": "认定"}
_YES_NO: Final = {"": True, "是": True, "否": False}
_ID: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_ID: Final = 40
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


@dataclass(kw_only=True)
class _Reader:
    problems: list[Problem] = field(default_factory=list)
    facts: dict[str, Fact] = field(default_factory=dict)
    lists: dict[str, RecordKind] = field(default_factory=dict)
    #: the places of ids and names: (list or "", id or name) -> where
    places: dict[tuple[str, str], str] = field(default_factory=dict)
    parts: list[tuple[Clause, Row, str, str]] = field(default_factory=list)

    def read(self, clause: Clause, row: Row, cells: Mapping[str, str]) -> None:
        try:
            self.row(clause, row, cells)
        except TableError as error:
            self.problems.append(Problem(clause.path, row.line, str(error)))

    def row(self, clause: Clause, row: Row, cells: Mapping[str, str]) -> None:
        name, id, listed = cells["名称"], cells["标识"], cells["清单"]
        _check_names(row.line, name, id)
        kind = self.lists.get(listed)
        if listed and kind is None:
            raise _error(
                row.line,
                "undeclared-list",
                "清单「{value}」没有声明：请先写一行「{value} | … | 清单」，或改正名称{near}",
                value=listed,
                near=near(listed, self.lists),
            )
        self.unique(clause, row, listed, name, id)
        if cells["类型"] == LIST:
            _empty(row.line, cells, *(c for c in COLUMNS if c not in (*REQUIRED, "说明")))
            self.lists[name] = RecordKind(id, name, ())
            return
        fact = _fact(row.line, cells)
        if kind is not None:
            if fact.yearly or cells["属于"] or fact.share_with:
                raise _error(row.line, "unfit-field", "清单的字段不写期间、属于和持股对方：请留空")
            self.lists[listed] = replace(kind, fields=(*kind.fields, fact))
            return
        self.facts[name] = fact
        if cells["属于"]:
            self.parts.append((clause, row, name, cells["属于"]))

    def unique(self, clause: Clause, row: Row, listed: str, name: str, id: str) -> None:
        """Refuse a name or an id that is already taken in the same list, or among the facts."""
        for what, text in (("名称", name), ("标识", id)):
            here = f"{clause.path}:{row.line}"
            first = self.places.setdefault((listed, text), here)
            if first != here:
                raise _error(
                    row.line,
                    "declared-twice",
                    "{what}「{value}」与 {first} 重复：请改名，或删去一行",
                    what=what,
                    value=text,
                    first=first,
                )

    def link_parts(self) -> None:
        """Resolve 属于: the whole must be a fact of the same unit and period."""
        for clause, row, name, whole in self.parts:
            part, other = self.facts[name], self.facts.get(whole)
            said = ""
            if other is None:
                said = f"属于「{whole}」：没有这个填报项，请改正{near(whole, self.facts)}"
            elif (part.unit, part.yearly) != (other.unit, other.yearly):
                said = f"属于「{whole}」：单位或期间不同，部分不能与总数相比，请改正"
            elif whole in self._parts_of(name):
                said = f"属于「{whole}」：循环，请断开其中一处"
            if said or other is None:
                self.problems.append(Problem(clause.path, row.line, said))
            else:
                self.facts[name] = replace(part, part_of=other.id)

    def _parts_of(self, name: str) -> set[str]:
        """The facts that are declared to be parts of a fact, at any depth, and the fact itself."""
        found, ahead = {name}, [name]
        while ahead:
            whole = ahead.pop()
            ahead += [p for _, _, p, w in self.parts if w == whole and p not in found]
            found |= set(ahead)
        return found


def declared(clauses: Iterable[Clause]) -> tuple[Catalogue, list[Problem]]:
    """The catalogue that these clauses declare, and the faults found on the way."""
    reader = _Reader()
    for clause, row, cells in rows_of(clauses, FACTS, COLUMNS, REQUIRED, reader.problems):
        reader.read(clause, row, cells)
    reader.link_parts()
    for kind in reader.lists.values():
        if not kind.fields:
            where = reader.places["", kind.name]
            path, _, line = where.rpartition(":")
            reader.problems.append(
                Problem(path, int(line), f"清单「{kind.name}」没有字段：请为它声明填报项")
            )
    return Catalogue(tuple(reader.facts.values()), tuple(reader.lists.values())), reader.problems


def untitled(clauses: Iterable[Clause], catalogue: Catalogue) -> Iterator[Problem]:
    """A problem for each fact whose 持股对方 is no title of the catalogue."""
    titles = catalogue.titles
    for clause, row, cells in rows_of(clauses, FACTS, COLUMNS, REQUIRED, []):
        fact = catalogue.get(cells["标识"])
        if fact is not None and fact.share_with not in ("", *titles):
            other = fact.share_with
            said = f"持股对方「{other}」不是已声明的称号{near(other, titles)}：请改正，或留空"
            yield Problem(clause.path, row.line, said)


def written(catalogue: Catalogue) -> Iterator[dict[str, str]]:
    """The rows, by column, that declare a catalogue."""
    kinds = {kind: word for word, kind in KINDS.items()}
    periods = {period: word for word, period in _PERIODS.items()}

    def bound(fact: Fact, value: Fraction | None) -> str:
        if value is None:
            return ""
        return str(value / UNITS[fact.unit][1]) + (fact.unit if value else "")

    for kind, fact in catalogue.all_facts:
        if kind is not None and fact is kind.fields[0]:
            yield {"名称": kind.name, "标识": kind.id, "类型": LIST}
        yield {
            "名称": fact.name,
            "标识": fact.id,
            "类型": kinds[fact.kind],
            "单位": fact.unit,
            "期间": periods[fact.yearly, fact.rating],
            "取值": "；".join(fact.codes),
            "下限": bound(fact, fact.minimum),
            "上限": bound(fact, fact.maximum),
            "清单": kind.name if kind else "",
            "属于": catalogue.fact(fact.part_of).name if fact.part_of else "",
            "持股对方": fact.share_with,
            "由谁": "审核人" if fact.origin == "认定" else "",
            "企业可影响": "否" if fact.fixed else "",
            "佐证": fact.evidence,
            "说明": fact.note,
        }


def _check_names(line: int, name: str, id: str) -> None:
    try:
        check_name(name)
    except FormulaError as error:
        raise in_line(line, error) from error
    if any(name.startswith(p) for p in PERIODS):
        raise _error(
            line,
            "period-in-name",
            "名称「{value}」以期间开头，会与年度数据混淆：请去掉期间，在期间一列写 会计年度",
            value=name,
        )
    if not _ID.fullmatch(id) or len(id) > _LONGEST_ID:
        raise _error(
            line,
            "unfit-id",
            "标识「{value}」应为小写字母、数字和下划线，以字母开头，不超过{expected}个字符，例如 green_factory",
            value=id,
            expected=_LONGEST_ID,
        )


def _fact(line: int, cells: Mapping[str, str]) -> Fact:
    kind = _of(line, cells, "类型", {**KINDS, LIST: "number"})
    yearly, rating = _of(line, cells, "期间", _PERIODS)
    unit, codes = cells["单位"], _codes(line, cells["取值"])
    if kind != "number":
        _empty(line, cells, "单位", "下限", "上限", "属于", "持股对方")
        if yearly:
            raise _error(
                line, "yearly-word", "按年度填报的只能是数量：请把类型改为 数量，或把期间留空"
            )
    elif unit not in UNITS:
        raise _error(
            line,
            "unknown-unit",
            "单位「{value}」不认识：可用的有{expected}",
            value=unit,
            expected="、".join(UNITS),
        )
    elif unit not in _FORM_UNITS:
        raise _error(
            line,
            "unfit-form-unit",
            "填报项的单位不用「{value}」：请写{expected}",
            value=unit,
            expected=_FORM_UNITS_INSTEAD[unit],
        )
    if (kind == "code") != bool(codes):
        said = "类别应在取值一列写出各类，以「；」分开" if kind == "code" else "只有类别才写取值"
        raise _error(line, "unfit-codes", "{said}：请改正", said=said)
    least, most = (_bound(line, cells, column, unit) for column in ("下限", "上限"))
    if least is not None and most is not None and least >= most:
        raise _error(line, "unfit-bounds", "下限应小于上限：请改正")
    if cells["持股对方"] and (yearly or UNITS[unit][0] != UNITS["%"][0]):
        raise _error(
            line,
            "unfit-share",
            "写持股对方的是一个比例：请把单位改为 %，期间留空，或把持股对方留空",
        )
    return Fact(
        cells["标识"],
        cells["名称"],
        kind,
        unit,
        yearly=yearly,
        rating=rating,
        origin="认定" if _of(line, cells, "由谁", _ORIGINS) == "认定" else "填报",
        minimum=least,
        maximum=most,
        codes=codes,
        share_with=cells["持股对方"],
        fixed=not _of(line, cells, "企业可影响", _YES_NO),
        evidence=cells["佐证"],
        note=cells["说明"],
    )


#: Units of measure that have a larger or smaller one of the same dimension, in which forms ask.
_FORM_UNITS_INSTEAD: Final = {"元": "万元", "亿元": "万元", "个百分点": "%"}
_FORM_UNITS: Final = tuple(u for u in UNITS if u not in _FORM_UNITS_INSTEAD)


def _codes(line: int, text: str) -> tuple[str, ...]:
    codes = tuple(c.strip() for c in re.split("[；;]" if re.search("[；;]", text) else "、", text))
    if not text:
        return ()
    if "" in codes or len(set(codes)) < len(codes):
        raise _error(line, "repeated-codes", "取值有空的或重复的一类：请改正")
    if len(codes) == 1:
        raise _error(line, "one-code", "取值只有「{value}」一类：请至少写两类", value=codes[0])
    return codes


def _bound(line: int, cells: Mapping[str, str], column: str, unit: str) -> Fraction | None:
    text = cells[column]
    if not text:
        return None
    if _NUMBER.fullmatch(text) and (text == "0" or unit in COUNTED):
        return Fraction(text) * UNITS[unit][1]
    try:
        quantity = parse(text)
    except QuantityError as error:
        raise TableError(error.slug, error.pattern, **{**error.fields, "where": line}) from error
    if quantity.dimension != UNITS[unit][0]:
        raise _error(
            line,
            "unfit-limit-unit",
            "{column}「{value}」的单位与「{expected}」不符：请改正",
            column=column,
            value=text,
            expected=unit,
        )
    return quantity.value


def _of(line: int, cells: Mapping[str, str], column: str, known: Mapping[str, _T]) -> _T:
    if cells[column] not in known:
        raise _error(
            line,
            "unknown-word",
            "{column}「{value}」不认识{near}：可写{expected}",
            column=column,
            value=cells[column],
            near=near(cells[column], known),
            expected="、".join(filter(None, known)) + ("，或留空" if "" in known else ""),
        )
    return known[cells[column]]


def _empty(line: int, cells: Mapping[str, str], *columns: str) -> None:
    filled = [c for c in columns if cells[c]]
    if filled:
        raise _error(
            line,
            "cell-not-wanted",
            "类型为「{kind}」的不写{value}：请留空",
            kind=cells["类型"],
            value="、".join(filled),
        )


def _error(line: int, slug: str, pattern: str, **fields: Any) -> TableError:
    return TableError(slug, pattern, where=line, **fields)
