"""Cells with several things in them: records, the fields of a product, a place."""

import re
from dataclasses import dataclass, field
from typing import Final

from registry.intake.cells import (
    ERROR,
    CellValue,
    Parsed,
    half,
    is_error,
    not_given,
    plain,
    read_fact,
    squeeze,
)
from registry.intake.tables.mapping import MappingTarget
from registry.kit import regions
from registry.kit.characters import REPLACEMENT
from rules.model.facts import Fact, Scalar

#: The names in tables for the fields of annex 1 item 5, without the prefix 主导产品属.
FIELD_WORDS: Final = {
    "field_strategic": ("战略性新兴产业", "战略新兴产业"),
    "field_key_link": ("补短板锻长板填空白", "补短板", "锻长板", "填空白", "关键领域补短板"),
    "field_six_bases": ("工业六基",),
    "field_old_brand": ("中华老字号",),
    "field_serves_leader": ("服务重点龙头企业", "服务重点产业链龙头企业"),
    "field_ten_sectors": ("十大重点产业", "十大重点产业领域", "制造业十大重点产业领域"),
    "field_network_power": ("网络强国", "网络强国建设", "网络强国建设领域"),
}

_FIELDS: Final = {word: fact for fact, words in FIELD_WORDS.items() for word in words}
_DAY = r"[0-9]{4}[-./年][0-9]{1,2}[-./月][0-9]{1,2}日?"
_MONTH = r"[0-9]{4}[-./年][0-9]{1,2}月?"
_TO = r"起?(?:至|到|[-—–~]+)"
_TERM: Final = re.compile(rf"自?({_DAY}){_TO}({_DAY})止?")
_MONTHS: Final = re.compile(rf"自?{_MONTH}{_TO}{_MONTH}止?")
_SEVERAL: Final = re.compile(r"[；;\n、，,]+")
_FIELD_SEVERAL: Final = re.compile(r"[；;\s、，,/／]+")
_PROVINCE = r"(?P<province>.{2,}?(?:省|自治区|特别行政区)|北京市|天津市|上海市|重庆市)"
_CITY = r"(?P<city>.+?(?:自治州|地区|盟|市))"
_PLACE: Final = re.compile(rf"{_PROVINCE}{_CITY}?(?P<county>.*)")
_CAPITALS: Final = ("北京市", "天津市", "上海市", "重庆市")


@dataclass
class Records:
    """The records of one cell; ``stated`` says whether the cell has any readable content."""

    items: list[dict[str, Scalar]] = field(default_factory=list)
    stated: bool = False
    notices: list[tuple[str, str]] = field(default_factory=list)


def read_records(target: MappingTarget, value: CellValue) -> Records:
    """The records in a cell such as 「省级/1/2021-07-28；国家级/4/2021-09-28」.

    无 is an empty list; a blank cell says nothing. If no part of an entry can be read, the whole
    cell stays unknown.
    """
    found = Records()
    if not_given(value):
        return found
    if is_error(value):
        return Records(notices=[ERROR])
    shape = "/".join(f.name for f in target.fields)
    entries = [e for e in _SEVERAL.split(value) if e.strip()] if isinstance(value, str) else [value]
    if [half(plain(e)) for e in entries] == ["无"]:
        return Records(stated=True)
    for entry in entries:
        item, entry = _from(target, entry)
        parts = _parts(entry, len(target.fields))
        if len(parts) < len(target.fields):
            found.notices.append(
                (f"「{plain(entry)}」不齐全，按其中看得懂的部分读取", f"应写成 {shape}")
            )
        for one, part in zip(target.fields, parts, strict=False):
            parsed = _read(one, part)
            if parsed.value is not None:
                item[one.id] = parsed.value
            if parsed.notice:
                found.notices.append((parsed.said(one.name), parsed.expected))
        if all(item.get(one.id) is None for one in target.fields):
            whole = (f"「{plain(entry)}」看不懂，整格按未提供处理", f"应写成 {shape}")
            alone = found.notices if len(entries) == 1 else []
            return Records(notices=alone or [whole])
        found.items.append({**target.constants, **item})
    found.stated = True
    return found


def _from(target: MappingTarget, entry: CellValue) -> tuple[dict[str, Scalar], CellValue]:
    """The first and the last day of a term in a cell: 2022-12-31至2025-12-30."""
    if not isinstance(entry, str) or [f.kind for f in target.fields] != ["date"]:
        return {}, entry
    term = _TERM.fullmatch(squeeze(entry))
    if term is None:
        return {}, entry
    first = target.first
    day = read_fact(first, term[1]).value if first else None
    return ({} if first is None or day is None else {first.id: day}), term[2]


def _read(one: Fact, part: CellValue) -> Parsed:
    if one.kind == "date" and isinstance(part, str) and _MONTHS.fullmatch(squeeze(part)):
        return Parsed(None, "只写到月，缺少日", "应写起止的年月日，例如 2022-12-31至2025-12-30")
    return read_fact(one, part)


def _parts(entry: CellValue, count: int) -> list[CellValue]:
    if count == 1 or not isinstance(entry, str):
        return [entry]
    return list(half(entry).split("/", count - 1))


def read_fields(value: CellValue) -> tuple[dict[str, bool], list[str]]:
    """The seven flags of 主导产品所属领域, and the words that match none of them.

    >>> read_fields("中华老字号、网红")
    ({'field_old_brand': True}, ['网红'])
    """
    if not_given(value):
        return {}, []
    words = [squeeze(word) for word in _FIELD_SEVERAL.split(plain(value)) if word]
    if words == ["无"]:
        return dict.fromkeys(FIELD_WORDS, False), []
    named = {_FIELDS[bare]: True for word in words if (bare := _bare(word)) in _FIELDS}
    unknown = [word for word in words if _bare(word) not in _FIELDS]
    return (named if unknown else {f: f in named for f in FIELD_WORDS}), unknown


def _bare(word: str) -> str:
    return re.sub(r"^(?:主导产品)?属于?|^主导产品", "", word)


def read_region(value: CellValue) -> dict[str, str] | None:
    """Province, city and county of 「江苏省苏州市虎丘区」; None if no province is recognised.

    >>> read_region("江苏省 苏州市 虎丘区")
    {'province': '江苏省', 'city': '苏州市', 'county': '虎丘区'}
    >>> read_region("四川甘孜康定"), read_region("朝阳区")
    ({'province': '四川省', 'city': '甘孜藏族自治州', 'county': '康定市'}, None)
    """
    text = re.sub(r"[\s/／\-—·,，、]+", "", plain(value))
    match = _PLACE.fullmatch(text)
    if REPLACEMENT in text:
        return None
    if match is None:  # short names are understood if they mean one region
        return regions.named(regions.place_of(text)) or None
    found = {key: part for key, part in match.groupdict().items() if part}
    if found["province"] in _CAPITALS and "city" in found:
        found["county"] = found.pop("city") + found.get("county", "")
    return found
