"""Provinces: their names, their fills for the slots of a national text, and the rows that follow.

A *fill* sets one slot (认定分数线, 特色化指标) for one province and a period. A province cannot change
anything else in a national text: it fills slots, or writes its own root rule. From the fills follow
rows of the applicability table. Each has its own ruleset, ``63.2@广东省.2024-01-01``: the national
root, the province, and the first day on which exactly these fills applied.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from rules.errors import RulesetError
from rules.language.editions import OTHERS, ApplicabilityRow
from rules.model.days import parse_day
from rules.model.quantities import Quantity
from rules.model.ruleset import Note, Position

#: Cities with independent planning status, which act as a province -> their province.
CITIES: Final = {
    "大连市": "辽宁省", "青岛市": "山东省", "宁波市": "浙江省", "厦门市": "福建省", "深圳市": "广东省",
}  # fmt: skip
#: A province that is made up, for the demonstration and for examples of packs.
EXAMPLE: Final = "示范省"
#: Everything that acts as a province.
PROVINCES: Final = (
    "北京市", "天津市", "河北省", "山西省", "内蒙古自治区", "辽宁省", "吉林省", "黑龙江省", "上海市", "江苏省",
    "浙江省", "安徽省", "福建省", "江西省", "山东省", "河南省", "湖北省", "湖南省", "广东省",
    "广西壮族自治区", "海南省", "重庆市", "四川省", "贵州省", "云南省", "西藏自治区", "陕西省", "甘肃省",
    "青海省", "宁夏回族自治区", "新疆维吾尔自治区", "新疆生产建设兵团", *CITIES, EXAMPLE,
)  # fmt: skip
_ENDINGS: Final = ("壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "生产建设兵团", "省", "市")
_DAY: Final = timedelta(days=1)


def short_name(name: str) -> str:
    """The short name of a province: 广东, 内蒙古, 深圳."""
    return next(name.removesuffix(e) for e in _ENDINGS if name.endswith(e))


_BY_SHORT: Final = {short_name(name): name for name in reversed(PROVINCES)}
#: The short name, the name and the province of each such city.
_PLANNED: Final = tuple((short_name(city), city, around) for city, around in CITIES.items())


def full_name(text: str) -> str:
    """The full name of a province; any other text is returned as it is.

    >>> full_name("广东"), full_name(" 深圳 "), full_name("示范省")
    ('广东省', '深圳市', '示范省')
    """
    text = "".join(text.split())
    return _BY_SHORT.get(text, text)


def acting(province: str, city: str = "") -> str:
    """The province whose rules apply to a place.

    A city with independent planning status has its own.

    >>> acting("广东省", "深圳市"), acting("广东", "广州市"), acting("", "大连"), acting("广东省深圳市")
    ('深圳市', '广东省', '大连市', '深圳市')
    """
    name, place = full_name(province), "".join(city.split())
    for short, planned, around in _PLANNED:
        here = place.startswith(short) and name in ("", around)
        if here or name.removeprefix(around) in (planned, short):
            return planned
    return name


@dataclass(frozen=True, kw_only=True)
class Fill:
    """A row of a 省级主管部门设定如下 table; ``start`` and ``end`` are included, None is open.

    ``slot`` is the id of the slot's rule, ``clause`` that of the rule that sets it. A 门槛 has a
    ``value``; a 得分 is given by the rule named ``text``.
    """

    slot: str
    province: str
    start: date | None
    end: date | None
    text: str
    value: Quantity | None
    clause: str
    source: str
    citation: str
    notes: tuple[Note, ...]
    position: Position

    def covers(self, day: date) -> bool:
        """Whether it applies on a day."""
        return (self.start or date.min) <= day <= (self.end or date.max)

    def collides(self, other: "Fill") -> bool:
        """Whether both set the same slot on some day."""
        return (
            (self.slot, self.province) == (other.slot, other.province)
            and (self.start or date.min) <= (other.end or date.max)
            and (other.start or date.min) <= (self.end or date.max)
        )


def in_force(fills: Iterable[Fill], province: str, day: date) -> tuple[Fill, ...]:
    """A province's fills in force on a day."""
    return tuple(f for f in fills if f.province == province and f.covers(day))


def variant(root: str, province: str, day: date) -> str:
    """The id of a national ruleset as a province has filled it from a day on."""
    return f"{root}@{province}.{day.isoformat()}"


def parted(id: str) -> tuple[str, str, date | None]:
    """The root, province and first day in a ruleset's id; an unfilled ruleset has only a root.

    >>> parted("63.2@广东省.2024-01-01")
    ('63.2', '广东省', datetime.date(2024, 1, 1))
    """
    root, filled, rest = id.partition("@")
    province, _, day = rest.partition(".")
    try:
        first = parse_day(day)
    except ValueError:
        first = None
    if filled and first is None:
        raise RulesetError(
            "incomplete-edition",
            "规则集编号「{value}」不完整：应写成 63.2@广东省.2024-01-01 的形式",
            value=id,
        )
    return root, province, first


def effective(
    rows: Sequence[ApplicabilityRow],
    fills: Sequence[Fill],
    slots_of: Callable[[str], frozenset[str]],
) -> tuple[ApplicabilityRow, ...]:
    """The applicability table with the rows that follow from fills.

    ``rows`` are the written ones; ``slots_of`` returns the slots on which a root rule rests. A row
    for all provinces stays. For each province and period with fills a row is added beside it,
    unless the province has written its own. A province's own row is divided where its fills change.
    """
    if not fills:
        return tuple(rows)
    found: list[ApplicabilityRow] = []
    for row in rows:
        if row.province == OTHERS:
            found.append(row)
            for province in dict.fromkeys(f.province for f in fills):
                found += _beside(row, province, rows, fills, slots_of)
        else:
            own = _relevant(row, row.province, fills, slots_of)
            found += [_filled(p, row.province, own) for p in _pieces(row, own)] if own else [row]
    return tuple(found)


def _relevant(
    row: ApplicabilityRow,
    province: str,
    fills: Iterable[Fill],
    slots_of: Callable[[str], frozenset[str]],
) -> list[Fill]:
    slots = slots_of(row.ruleset) if row.encoded else frozenset()
    return [f for f in fills if f.province == province and f.slot in slots]


def _beside(
    row: ApplicabilityRow,
    province: str,
    rows: Sequence[ApplicabilityRow],
    fills: Sequence[Fill],
    slots_of: Callable[[str], frozenset[str]],
) -> Iterator[ApplicabilityRow]:
    """The rows that follow from a row for all provinces in one that has set something.

    A batch's row stays as it is there, because a province's rows precede those of batches.
    """
    relevant = _relevant(row, province, fills, slots_of)
    alike = [r for r in rows if (r.tier, r.procedure) == (row.tier, row.procedure)]
    own = [r for r in alike if (r.province, r.batch) == (province, row.batch)]
    plain = [r for r in alike if r.province == OTHERS and not r.batch]
    shadowing = [f for r in plain for f in _relevant(r, province, fills, slots_of)]
    if not relevant and not (row.batch and shadowing):
        return
    for piece in _pieces(row, [*relevant, *own, *shadowing]):
        day = piece.start or date.min
        if any(r.covers(day) for r in own):
            continue
        if any(f.covers(day) for f in relevant):
            yield _filled(piece, province, relevant)
        elif row.batch and any(f.covers(day) for f in shadowing):
            yield replace(piece, province=province, position=shadowing[0].position)


def _pieces(
    row: ApplicabilityRow, periods: Iterable[Fill | ApplicabilityRow]
) -> Iterator[ApplicabilityRow]:
    """The row, divided at every day on which one of these periods begins or has ended."""
    firsts = {p.start for p in periods if p.start}
    firsts |= {p.end + _DAY for p in periods if p.end and p.end < date.max}
    inside = [
        d
        for d in sorted(firsts)
        if (row.start or date.min) < d and (row.end is None or d <= row.end)
    ]
    for start, end in zip(
        [row.start, *inside], [*(d - _DAY for d in inside), row.end], strict=True
    ):
        yield replace(row, start=start, end=end)


def _filled(piece: ApplicabilityRow, province: str, fills: Iterable[Fill]) -> ApplicabilityRow:
    day = piece.start or date.min
    holding = [f for f in fills if f.covers(day)]
    if not holding:
        return piece
    sources = dict.fromkeys(f.source for f in holding)
    return replace(
        piece,
        province=province,
        ruleset=variant(piece.ruleset, province, day),
        basis="；".join([*sources, piece.basis]),
        position=holding[0].position if piece.province == OTHERS else piece.position,
    )
