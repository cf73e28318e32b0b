"""The meaning of a table's headings: the packaged mapping.csv, an officer's own, the catalogue.

A heading is read as period, term and unit: 「2022年末资产总额（万元）」 is the catalogue's 资产总额 of 2022 in 万元.
Stacked headings, such as 营业收入 over 2022年 over 万元, are read as one. Only whole terms count. A
heading with a remainder is not understood, because a half-understood unit or period would give a
wrong figure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from registry.errors import RegistryError
from registry.filings import IDENTITY
from registry.intake import cells
from registry.intake.files.sheets import csv_rows
from registry.intake.tables import headings
from registry.intake.tables.headings import Period, Words
from rules.errors import FactsError
from rules.model.catalogue import Catalogue
from rules.model.facts import Fact, RecordKind, Scalar

Role: TypeAlias = Literal[
    "uscc", "name", "as_of", "year", "region", "fields",
    "identity", "fact", "records", "complete", "ignore", "unread",
]  # fmt: skip

CODE, NAME, AS_OF, YEAR = "统一社会信用代码", "企业名称", "填报日期", "年度"
COMPLETE: Final = "清单已报全"
#: The 填报项 of an ignored column, and the mark of an unconfirmed one.
IGNORED, UNCONFIRMED = "忽略", "待确认"

_ROLES: Final[dict[str, Role]] = {
    CODE: "uscc", NAME: "name", AS_OF: "as_of", YEAR: "year",
    "所在地": "region", "主导产品所属领域": "fields", IGNORED: "ignore", "不读取": "unread",
}  # fmt: skip
PACKAGED: Final = Path(__file__).with_name("mapping.csv")
COLUMNS: Final = ("表头", "填报项", "单位", "说明")

_ANY_YEAR: Final = Period()
#: The last and the first day of a term, in the names of their fields.
_TERM: Final = ("有效期至", "有效期始")

#: Words of a heading that only groups those below; words that it must not contain then.
_GROUP: Final = re.compile(
    r".*(?:情况|信息|指标|数据|状况|能力|程度|水平|条件|要求|概况|资料|内容|事项|部分|方面|效益|规模)"
)
_TURNED: Final = re.compile(
    "母公司|子公司|控股|股东|实际控制|集团|关联|行业平均|预计|计划|预测|目标|同比|环比|增长|增幅|增速|占比|比重|比例|排名"
    "|同期|月份|[0-9]月(?![0-9])|季度|上半年|下半年|预算|合同|境外|出口|海外|实控|联系人|上期|调整|变动"
)
#: The words below a heading that separate its whole from its parts.
_WHOLE: Final = frozenset(
    [
        "合计",
        "总计",
        "总数",
        "总额",
        "总量",
        "总人数",
        "小计",
        "数量",
        "人数",
        "金额",
        "数额",
        "全部",
        "数值",
        "数",
        "合计数",
    ]
)


@dataclass(frozen=True, kw_only=True)
class MappingTarget:
    """The destination of a column's cells.

    ``fact`` says how a cell reads (facts, identity, completeness). ``fields`` and ``constants``
    make a record of list ``record`` out of one cell; if that is the last day of a term, ``first``
    is the field of its first day. ``unit`` is stated by the mapping or its heading, which may also
    name a ``period``. ``wanted`` tells the officer about a column that is not read.
    """

    role: Role
    fact: Fact | None = None
    record: str = ""
    fields: tuple[Fact, ...] = ()
    first: Fact | None = None
    constants: Mapping[str, Scalar] = field(default_factory=dict)
    unit: str = ""
    wanted: str = ""
    period: Period = _ANY_YEAR


@dataclass(frozen=True)
class MappedHeading:
    """An understood heading: its target, its unit and the fiscal year it names, if any.

    ``offset`` counts years after T (上年度 is 0); ``nested`` marks a 其中 heading.
    """

    target: MappingTarget
    unit: str = ""
    year: int | None = None
    offset: int | None = None
    nested: bool = False


class HeaderMapping:
    """The headings that are understood: those of a catalogue, and of mappings.

    What the catalogue declares is read under its name, whatever the packaged mapping says; the
    officer's own, ``extra``, overrides both. With ``ids``, those of the catalogue are understood
    too: programs write them, with values in base units.
    """

    def __init__(
        self, catalogue: Catalogue, extra: Path | None = None, *, ids: bool = False
    ) -> None:
        self.catalogue = catalogue
        self._ids = ids
        self._known: dict[tuple[tuple[str, ...], str], MappedHeading | None] = {}
        self._targets = {**_packaged(catalogue)}
        self._targets |= {headings.key(name): t for name, t in named(catalogue).items()}
        if ids:
            self._targets |= _with_ids(catalogue)
        if extra:
            self._targets |= _load(extra, catalogue)

    def list_of(self, table: str) -> RecordKind | None:
        """The list whose records a sheet or a table with that name holds, if it is one's."""
        with suppress(FactsError):
            return self.catalogue.record_kind(table)
        return None

    def resolve(self, header: str, record: RecordKind | None = None) -> MappedHeading | None:
        """The meaning of a heading, or None; on the sheet of ``record`` its fields come first."""
        return self.resolve_levels((header,), record)

    def resolve_levels(
        self, levels: tuple[str, ...], record: RecordKind | None = None
    ) -> MappedHeading | None:
        """The joint meaning of stacked headings, the uppermost first."""
        asked = levels, record.id if record else ""
        if asked not in self._known:
            self._known[asked] = self._resolved(levels, record)
        return self._known[asked]

    def split(self, levels: Sequence[str]) -> Words:
        """Stacked headings as one: the term by which a mapping names them, the unit, the year."""
        words = [self._words(text, None) for text in _texts(levels)]
        *upper, lowest = _named(words) or [Words("")]
        terms = [w.term for w in upper if not self._only_gathers(w.term, None)]
        term = "".join(w.term for w in upper) + lowest.term if terms else lowest.term
        period = next((w.period for w in words if w.period != Period()), Period())
        return Words(term, period, next((w.unit for w in words if w.unit), ""), lowest.nested)

    def _resolved(self, levels: tuple[str, ...], record: RecordKind | None) -> MappedHeading | None:
        texts = _texts(levels)
        for text in ("".join(texts), "".join(reversed(texts))):
            if literal := self._find(text, record):
                return MappedHeading(literal, literal.unit, *literal.period)
        return self._composed([self._words(text, record) for text in texts], record)

    def _words(self, text: str, record: RecordKind | None) -> Words:
        """A heading taken apart, unless the whole is a term."""
        if found := self._find(text, record):
            return Words(text, found.period, found.unit)
        if headings.as_unit(text) in cells.UNITS:
            return Words("", unit=headings.as_unit(text))
        return headings.words(text)

    def _composed(self, levels: Sequence[Words], record: RecordKind | None) -> MappedHeading | None:
        periods = {w.period for w in levels if w.period != Period()}
        units = {w.unit for w in levels if w.unit}
        target = self._target(levels, record)
        if target is None:
            return None
        if len(periods) > 1 or len(units) > 1:
            return None
        year, offset = periods.pop() if periods else target.period
        if target.role in ("ignore", "unread"):
            return MappedHeading(target)
        unit = units.pop() if units else ""
        named = target.fact
        if unit and not (named and cells.fits(named, unit)):
            return None
        if (year or offset is not None) and not (named and named.yearly):
            return None
        if offset is not None and offset > 0 and not (named and named.rating):
            return None  # an audit report has no figures of the current year
        nested = next((w.nested for w in reversed(levels) if w.term), False)
        return MappedHeading(target, unit or target.unit, year, offset, nested)

    def _target(self, levels: Sequence[Words], record: RecordKind | None) -> MappingTarget | None:
        """The target of all levels together, or of the lowest if the upper ones only group."""
        named = _named(levels)
        terms = [w.term for w in named]
        for text in ("".join(terms), "".join(reversed(terms))):
            if found := self._find(text, record):
                return found
        if not named:
            return None
        *upper, lowest = named
        found = self._find(lowest.term, record)
        if found and all(self._gathers(w, found, lowest.nested, record) for w in upper):
            return found
        return None

    def _gathers(
        self, upper: Words, target: MappingTarget, nested: bool, record: RecordKind | None
    ) -> bool:
        """Whether a heading over others leaves their meaning unchanged."""
        whole = self._find(upper.term, record)
        if whole is None or whole.fact is None or target.fact is None:
            return self._only_gathers(upper.term, record)
        related = nested or target.fact.part_of == whole.fact.id
        return related and not _TURNED.search(upper.term)

    def _only_gathers(self, term: str, record: RecordKind | None) -> bool:
        """Whether a heading over others only says what kind of figures they are."""
        if _TURNED.search(term) or self._find(term, record):
            return False
        return _GROUP.fullmatch(term) is not None

    def _find(self, text: str, record: RecordKind | None) -> MappingTarget | None:
        if record is not None:
            for item in record.fields:
                if headings.key(item.name) == text:
                    return MappingTarget(role="fact", fact=item)
                if self._ids and item.id == text:
                    return _of_id(item)
        return self._targets.get(text) or self._asked(text)

    def _asked(self, text: str) -> MappingTarget | None:
        """The yes-no item in a question: 是否自主品牌."""
        before, asked, after = text.partition("是否")
        for word in ("", "属于", "为", "有", "已") if asked else ():
            for kept in ("", "属") if word == "属于" else ("",):
                found = self._targets.get(before + kept + after.removeprefix(word))
                if found and found.fact and found.fact.kind == "flag":
                    return found
        return None


def turns(text: str) -> bool:
    """Whether a heading over others changes what their figures mean: 子公司情况, 预计, 同比增长."""
    return ":" not in (term := headings.key(text)) and _TURNED.search(term) is not None


def _texts(levels: Sequence[str]) -> list[str]:
    """The stacked headings that say more than how to fill in the column."""
    texts = list(dict.fromkeys(text for level in levels if (text := headings.key(level))))
    return [t for t in texts if not headings.is_remark(t)] or texts[:1]


def _named(levels: Sequence[Words]) -> list[Words]:
    """The headings with a term, except a 合计 that only means the whole of the one above."""
    named = [w for w in levels if w.term]
    if any(w.period != Period() and not w.term for w in levels):
        named = [w._replace(term=headings.without_years(w.term)) for w in named]
    while len(named) > 1 and named[-1].term in _WHOLE:
        named.pop()
    return named


@lru_cache(maxsize=4)
def named(catalogue: Catalogue) -> Mapping[str, MappingTarget]:
    """Every 填报项 of a table by name, with its target; no fact takes the place of a key."""
    keys = {name: MappingTarget(role=role) for name, role in _ROLES.items()}
    keys |= {item.name: MappingTarget(role="identity", fact=item) for item in IDENTITY}
    facts = {item.name: MappingTarget(role="fact", fact=item) for item in catalogue.facts}
    return {**keys, **facts, **_complete(catalogue, "{0.name}" + COMPLETE), **keys}


def _with_ids(catalogue: Catalogue) -> dict[str, MappingTarget]:
    """The same by id."""
    roles: tuple[Role, ...] = ("uscc", "name", "as_of", "year")
    keys: dict[str, MappingTarget] = {role: MappingTarget(role=role) for role in roles}
    keys |= {item.id: replace(_of_id(item), role="identity") for item in IDENTITY}
    facts = {item.id: _of_id(item) for item in catalogue.facts}
    return {**_complete(catalogue, "{0.id}_complete"), **facts, **keys}


def _complete(catalogue: Catalogue, heading: str) -> dict[str, MappingTarget]:
    """The columns that say whether a list is 已报全."""
    return {
        heading.format(record): MappingTarget(
            role="complete",
            fact=Fact(record.id, record.name + COMPLETE, "flag"),
            record=record.id,
        )
        for record in catalogue.records
    }


def _of_id(item: Fact) -> MappingTarget:
    """The target of an id: amounts are in yuan, ratios plain numbers."""
    unit = "元" if item.unit in cells.MONEY else cells.PLAIN if item.unit == "%" else ""
    return MappingTarget(role="fact", fact=item, unit=unit)


class MappingLine(NamedTuple):
    """A line of a mapping file, with its number."""

    number: int
    header: str
    name: str
    unit: str
    note: str

    @property
    def confirmed(self) -> bool:
        """Whether it states the heading's meaning: a draft only guesses."""
        return bool(self.name) and UNCONFIRMED not in self.name


def lines(path: Path) -> Iterator[MappingLine]:
    """The lines of a mapping file that name a heading."""
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xls", ".et"):
        raise RegistryError(
            "mapping-as-workbook",
            "表头对照表 {where}：请用 Excel 或 WPS 另存为 .csv 后给出",
            where=path.name,
        )
    if not path.is_file():
        raise RegistryError(
            "no-such-file",
            "表头对照表 {value}：找不到这个文件，请核对文件名和位置",
            value=path.name,
        )
    rows = csv_rows(path)
    heading = [cells.squeeze(h) for h in next(rows, [])]
    if missing := [c for c in COLUMNS[:3] if c not in heading]:
        raise RegistryError(
            "mapping-lacks-columns",
            "表头对照表 {where}：缺少列 {value}，第一行应为 {expected}",
            where=path.name,
            value="、".join(missing),
            expected=",".join(COLUMNS),
        )
    at = [heading.index(c) if c in heading else len(heading) for c in COLUMNS]
    for number, row in enumerate(rows, 2):
        header, name, unit, note = (row[i].strip() if i < len(row) else "" for i in at)
        if header:  # an officer who removes the mark of a draft may leave its colon
            yield MappingLine(number, header, name.lstrip("：: "), unit, note)


@lru_cache(maxsize=4)
def _packaged(catalogue: Catalogue) -> Mapping[str, MappingTarget]:
    """The packaged mapping without the lines about what a catalogue does not declare."""
    return targets(lines(PACKAGED), catalogue)[0]


def _load(path: Path, catalogue: Catalogue) -> dict[str, MappingTarget]:
    """An officer's mapping; ``RegistryError`` for lines that cannot be applied."""
    found, problems = targets(lines(path), catalogue)
    if problems:
        raise RegistryError(
            "unsound-mapping",
            "表头对照表 {where}：{value}",
            where=path.name,
            value="；".join(problems),
        )
    return found


def targets(
    written: Iterable[MappingLine], catalogue: Catalogue
) -> tuple[dict[str, MappingTarget], list[str]]:
    """The targets of a mapping's lines by heading, and what is wrong with the other lines."""
    found: dict[str, MappingTarget] = {}
    problems = []
    for line in written:
        if not line.confirmed:
            continue
        try:
            key = headings.key(line.header)
            found[key] = _stated(_target(line, catalogue), key)
        except (FactsError, RegistryError) as error:
            said = f"「{line.header}」{error}{_nearest(line.name, catalogue)}"
            problems.append(f"第{line.number}行{''.join(said.splitlines())}")
    return found, problems


def _stated(target: MappingTarget, heading: str) -> MappingTarget:
    """A target with the unit and year in its heading; refuses contradictions."""
    named = headings.words(heading)
    item, unit = target.fact, named.unit if named.unit in cells.UNITS else ""
    if item is None or target.role in ("ignore", "unread"):
        return target
    if unit and not cells.fits(item, unit):
        raise RegistryError(
            "unfit-heading-unit",
            "的表头写的单位「{value}」不适用于「{name}」",
            value=unit,
            name=item.name,
        )
    if unit and target.unit and unit != target.unit:
        raise RegistryError(
            "contradicting-unit",
            "的表头写的单位是「{value}」，单位列却是「{expected}」，请改为一致",
            value=unit,
            expected=target.unit,
        )
    if not item.yearly:
        return replace(target, unit=target.unit or unit)
    if named.period.offset and named.period.offset > 0 and not item.rating:
        raise RegistryError(
            "unfit-heading-year",
            "的表头写的是本年度，「{value}」要填以前各年度的数",
            value=item.name,
        )
    return replace(target, unit=target.unit or unit, period=named.period)


def _nearest(name: str, catalogue: Catalogue) -> str:
    """The likely meaning of an unknown 填报项."""
    known = named(catalogue)
    close = [] if name in known or "：" in name else get_close_matches(name, known, cutoff=0.5)
    return f"，相近的有{'、'.join(close)}" if close else ""


def _target(line: MappingLine, catalogue: Catalogue) -> MappingTarget:
    """Read 填报项: a name, or 「清单：字段/字段；字段=值」 for a cell that holds records."""
    text, unit, wanted = line.name, line.unit, line.note
    listing, colon, rest = text.replace(":", "：").partition("：")
    if not colon:
        known = named(catalogue).get(text)
        target = known or MappingTarget(role="fact", fact=catalogue.fact(text))
        if unit and not (target.fact and cells.fits(target.fact, unit)):
            raise RegistryError(
                "unfit-heading-unit", "的单位「{value}」不适用于「{name}」", value=unit, name=text
            )
        return replace(target, unit=unit, wanted=wanted if target.role == "unread" else "")
    record = catalogue.record_kind(listing)
    names, *fixed = rest.replace(";", "；").split("；")
    constants: dict[str, Scalar] = {}
    for item in fixed:
        name, _, value = item.partition("=")
        own = _field(record, name)
        parsed = cells.read_fact(own, value).value
        if parsed is None:
            raise RegistryError(
                "unreadable-constant", "的「{value}」不是「{name}」的值", value=item, name=own.name
            )
        constants[own.id] = parsed
    fields = tuple(_field(record, name) for name in names.split("/"))
    until = fields[0].name if [f.kind for f in fields] == ["date"] else ""
    first = record.field(until.replace(*_TERM)) if until else None
    return MappingTarget(
        role="records", record=record.id, fields=fields, first=first, constants=constants
    )


def _field(record: RecordKind, name: str) -> Fact:
    found = record.field(name.strip())
    if found is None:
        raise RegistryError(
            "unknown-list-field",
            "的「{value}」不是{name}清单的字段，可用的有{expected}",
            value=name,
            name=record.name,
            expected="、".join(f.name for f in record.fields),
        )
    return found
