"""What the headings of a table mean: the packaged mapping.csv, an officer's own, the catalogue.

A heading is read as period, term and unit: 「2022年末资产总额（万元）」 is the catalogue's 资产总额 of
2022 in 万元. Only whole terms count; a heading with anything left over is not understood, because
a half-understood unit or period would be a wrong figure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from registry.errors import RegistryError
from registry.filings import IDENTITY
from registry.intake import cells
from registry.intake.tables import csv_rows
from rules.errors import FactsError
from rules.facts import FACTS, PERIODS, RECORDS, Fact, RecordKind, Scalar, fact, record_kind

Role: TypeAlias = Literal[
    "uscc", "name", "as_of", "year", "region", "fields",
    "identity", "fact", "records", "complete", "ignore",
]  # fmt: skip

CODE, NAME, AS_OF, YEAR = "统一社会信用代码", "企业名称", "填报日期", "年度"
COMPLETE: Final = "清单已报全"
#: The 填报项 of a column that is passed over, and the mark of one that nobody has confirmed.
IGNORED, UNCONFIRMED = "忽略", "待确认"

_ROLES: Final[dict[str, Role]] = {
    CODE: "uscc", NAME: "name", AS_OF: "as_of", YEAR: "year",
    "所在地": "region", "主导产品所属领域": "fields", IGNORED: "ignore",
}  # fmt: skip
PACKAGED: Final = Path(__file__).with_name("mapping.csv")
COLUMNS: Final = ("表头", "填报项", "单位", "说明")

_YEAR: Final = re.compile(r"\(?((?:19|20)[0-9]{2})年[度末底]?\)?")
_RELATIVE: Final = re.compile(r"(上上年|再上年|上年|本年)[度末]?")
_UNIT: Final = re.compile(
    r"\((?:(?P<rest>[^()]*)[,:;、])??(?:单位[:为]?)?(?P<unit>[^(),:;、]{1,3})\)$"
)


@dataclass(frozen=True)
class Target:
    """Where the cells of a column go.

    ``fact`` says how a cell reads (facts, identity, completeness); ``fields`` and ``constants``
    make a record of list ``record`` out of one cell. ``unit`` is what the mapping states.
    """

    role: Role
    fact: Fact | None = None
    record: str = ""
    fields: tuple[Fact, ...] = ()
    constants: Mapping[str, Scalar] = field(default_factory=dict)
    unit: str = ""


@dataclass(frozen=True)
class Heading:
    """A heading understood: its target, its unit and the fiscal year it names, if any.

    ``offset`` counts years after T (上年度 is 0); ``nested`` marks a 其中 heading.
    """

    target: Target
    unit: str = ""
    year: int | None = None
    offset: int | None = None
    nested: bool = False


class HeaderMapping:
    """The headings that are understood; later rows override earlier ones.

    With ``ids`` those of the catalogue are too: programs write them, with values in base units.
    """

    def __init__(self, extra: Path | None = None, *, ids: bool = False) -> None:
        self._ids = ids
        self._targets = {_key(name): target for name, target in catalogue()}
        if ids:
            self._targets |= dict(_catalogue_ids())
        for path in (PACKAGED, extra) if extra else (PACKAGED,):
            self._targets |= _load(path)

    def resolve(self, header: str, record: RecordKind | None = None) -> Heading | None:
        """What a heading means, or None; on the sheet of ``record`` its fields come first."""
        text = _key(header)
        if literal := self._find(text, record):
            return Heading(literal, literal.unit)
        nested = text.startswith("其中")
        text = text.removeprefix("其中").removeprefix(":")
        unit = ""
        if match := _UNIT.search(text):
            rest = f"({match['rest']})" if match["rest"] else ""
            text, unit = text[: match.start()] + rest, match["unit"]
        year, offset, text = _period(text)
        target = self._find(text, record)
        if target is None:
            return None
        if target.role == "ignore":
            return Heading(target)
        named = target.fact
        if unit and not (named and cells.fits(named, unit)):
            return None
        if (year or offset is not None) and not (named and named.yearly):
            return None
        if offset is not None and offset > 0 and not (named and named.rating):
            return None  # a figure of the running year is none of an audit report
        return Heading(target, unit or target.unit, year, offset, nested)

    def _find(self, text: str, record: RecordKind | None) -> Target | None:
        own = next((f for f in record.fields if _key(f.name) == text), None) if record else None
        if own is None and record and self._ids:
            own = next((f for f in record.fields if f.id == text), None)
            return _of_id(own) if own else self._targets.get(text)
        if own is not None:
            return Target("fact", own)
        return self._targets.get(text)


def split(header: str) -> tuple[str, str, bool]:
    """The term of a heading, its unit, and whether it names a year."""
    text = _key(header).removeprefix("其中").removeprefix(":")
    unit = ""
    if (match := _UNIT.search(text)) and any(cells.fits(item, match["unit"]) for item in FACTS):
        rest = f"({match['rest']})" if match["rest"] else ""
        text, unit = text[: match.start()] + rest, match["unit"]
    year, offset, text = _period(text)
    return text, unit, year is not None or offset is not None


def _period(text: str) -> tuple[int | None, int | None, str]:
    years = {int(m[1]) for m in _YEAR.finditer(text)}
    if len(years) == 1:
        return years.pop(), None, _YEAR.sub("", text)
    if match := _RELATIVE.match(text):
        return None, PERIODS[f"{match[1]}度"], text[match.end() :]
    return None, None, text.removeprefix("年末")


def _key(header: str) -> str:
    """A heading as it is compared: unified characters, no blanks, quotes or asterisks.

    >>> _key("Ⅰ类 知识产权（项）*")
    'I类知识产权(项)'
    """
    return re.sub(r"[“”\"'*]", "", cells.squeeze(header))


def catalogue() -> Iterator[tuple[str, Target]]:
    """Every 填报项 by its name, and where its cells go."""
    for name, role in _ROLES.items():
        yield name, Target(role)
    for item in IDENTITY:
        yield item.name, Target("identity", item)
    for item in FACTS:
        yield item.name, Target("fact", item)
    for record in RECORDS:
        name = record.name + COMPLETE
        yield name, Target("complete", Fact(record.id, name, "flag"), record.id)


def _catalogue_ids() -> Iterable[tuple[str, Target]]:
    for role in ("uscc", "name", "as_of", "year"):
        yield role, Target(role)
    for item in IDENTITY:
        yield item.id, replace(_of_id(item), role="identity")
    for item in FACTS:
        yield item.id, _of_id(item)
    for record in RECORDS:
        listed = Fact(record.id, record.name + COMPLETE, "flag")
        yield f"{record.id}_complete", Target("complete", listed, record.id)


def _of_id(item: Fact) -> Target:
    """The column of an id: amounts are in yuan, ratios plain numbers."""
    unit = "元" if item.unit in cells.MONEY else cells.PLAIN if item.unit == "%" else ""
    return Target("fact", item, unit=unit)


class Line(NamedTuple):
    """A line of a mapping file, with its number there."""

    number: int
    header: str
    name: str
    unit: str
    note: str

    @property
    def confirmed(self) -> bool:
        """Whether it says what the heading stands for: a draft only guesses."""
        return bool(self.name) and UNCONFIRMED not in self.name


def lines(path: Path) -> Iterator[Line]:
    """The lines of a mapping file that name a heading."""
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xls", ".et"):
        raise RegistryError(f"表头对照表 {path.name}：请用 Excel 或 WPS 另存为 .csv 后给出")
    rows = csv_rows(path)
    heading = [cells.squeeze(h) for h in next(rows, [])]
    if missing := [c for c in COLUMNS[:3] if c not in heading]:
        raise RegistryError(
            f"表头对照表 {path.name}：缺少列 {'、'.join(missing)}，第一行应为 {','.join(COLUMNS)}"
        )
    at = [heading.index(c) if c in heading else len(heading) for c in COLUMNS]
    for number, row in enumerate(rows, 2):
        header, name, unit, note = (row[i].strip() if i < len(row) else "" for i in at)
        if header:  # whoever takes the mark of a draft away may leave its colon
            yield Line(number, header, name.lstrip("：: "), unit, note)


def _load(path: Path) -> dict[str, Target]:
    found: dict[str, Target] = {}
    problems = []
    for line in lines(path):
        if not line.confirmed:
            continue
        try:
            found[_key(line.header)] = _target(line.name, line.unit)
        except (FactsError, RegistryError) as error:
            problems.append(f"第{line.number}行「{line.header}」{error}{_nearest(line.name)}")
    if problems:
        raise RegistryError(f"表头对照表 {path.name}：{'；'.join(problems)}")
    return found


def _nearest(name: str) -> str:
    """What may have been meant by a 填报项 that is none."""
    known = dict(catalogue())
    close = [] if name in known or "：" in name else get_close_matches(name, known, cutoff=0.5)
    return f"，相近的有{'、'.join(close)}" if close else ""


def _target(text: str, unit: str) -> Target:
    """Read 填报项: a name, or 「清单：字段/字段；字段=值」 for a cell that holds records."""
    known = dict(catalogue())
    listing, colon, rest = text.replace(":", "：").partition("：")
    if not colon:
        target = known.get(text) or Target("fact", fact(text))
        if unit and not (target.fact and cells.fits(target.fact, unit)):
            raise RegistryError(f"的单位「{unit}」不适用于「{text}」")
        return replace(target, unit=unit)
    record = record_kind(listing)
    names, *fixed = rest.replace(";", "；").split("；")
    constants: dict[str, Scalar] = {}
    for item in fixed:
        name, _, value = item.partition("=")
        own = _field(record, name)
        parsed = cells.read_fact(own, value).value
        if parsed is None:
            raise RegistryError(f"的「{item}」不是「{own.name}」的值")
        constants[own.id] = parsed
    fields = tuple(_field(record, name) for name in names.split("/"))
    return Target("records", None, record.id, fields, constants)


def _field(record: RecordKind, name: str) -> Fact:
    found = record.field(name.strip())
    if found is None:
        raise RegistryError(
            f"的「{name}」不是{record.name}清单的字段，可用的有{'、'.join(f.name for f in record.fields)}"
        )
    return found
