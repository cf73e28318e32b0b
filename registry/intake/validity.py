"""The days of validity of titles, as lists of notices state them for each enterprise."""

import re
from collections.abc import Collection
from datetime import date
from typing import Any, Final, NamedTuple

from registry.errors import RegistryError
from registry.intake.cells import CellValue, half, plain, read_date
from registry.intake.lists import ListEntry, enterprises
from registry.intake.tables import headings

_FROM, _UNTIL, _BOTH = "有效期始", "有效期至", "有效期"
_OF: Final = r"(?:称号|证书|认定|资格)?"
_DAY: Final = r"(?:日期|时间|日)?"
_COLUMNS: Final = {
    _FROM: re.compile(rf"{_OF}有效期?(?:始|起|自|从|开始|起始|起算){_DAY}"),
    _UNTIL: re.compile(rf"{_OF}(?:有效期?限?(?:至|止|到|截止|终止|结束|届满){_DAY}|到期{_DAY})"),
    _BOTH: re.compile(rf"{_OF}有效(?:期限?|时间)(?:起止{_DAY})?"),
}
#: Separates two days; a hyphen may also be inside each of them.
_BETWEEN: Final = re.compile(r"\s*(?:至|到|~|—+|–|--+)\s*|\s+-\s+|-(?=\d{4}(?:[-年./]|\d{4}))")


class Validity(NamedTuple):
    """The first and the last day, None if not stated."""

    first: date | None = None
    last: date | None = None


def columns(heading: str) -> str:
    """The columns of a list of titles: those of enterprises, and days of validity.

    >>> [columns(text) for text in ("有效期至", "证书有效期起", "有效期", "高新技术企业有效期至")]
    ['有效期至', '有效期始', '有效期', '']
    """
    text = headings.key(heading)
    days = (name for name, pattern in _COLUMNS.items() if pattern.fullmatch(text))
    return enterprises(heading) or next(days, "")


def stated(line: ListEntry, terms: Collection[int]) -> Validity:
    """The days in an enterprise's row; ``RegistryError`` with its place if they cannot be read.

    ``terms`` are the usual terms of titles in years: a cell that states only one gives no day.
    """
    both = _period(line, line.cells.get(_BOTH), terms)
    first, last = (_day(line, name, line.cells.get(name)) for name in (_FROM, _UNTIL))
    for one, other in ((first, both.first), (last, both.last)):
        if one and other and one != other:
            raise _unclear(
                line,
                "contradicting-days",
                "{value}与“{column}”的{expected}不同",
                column=_BOTH,
                value=one,
                expected=other,
            )
    found = Validity(first or both.first, last or both.last)
    if found.first and found.last and found.last < found.first:
        raise _unclear(
            line,
            "ends-before-it-begins",
            "有效期自{expected}至{value}，终止早于开始",
            value=found.last,
            expected=found.first,
        )
    return found


def _period(line: ListEntry, cell: CellValue, terms: Collection[int]) -> Validity:
    """A period of two days; a single day is the last."""
    text = half(plain(cell))
    digits = "零一二三四五六七八九"
    if any(text in (f"{n}年", f"{digits[n : n + 1]}年") for n in terms):
        return Validity()
    parts = _BETWEEN.split(text)
    if len(parts) == 2:
        first, last = (_day(line, _BOTH, part.strip("自起止") or None) for part in parts)
        return Validity(first, last)
    return Validity(None, _day(line, _BOTH, cell))


def _day(line: ListEntry, name: str, cell: CellValue) -> date | None:
    if cell is None:
        return None
    read = read_date(cell)
    if not isinstance(read.value, str) or read.notice:
        raise _unclear(
            line,
            "unreadable-day",
            "“{column}”「{value}」{why}",
            column=name,
            value=plain(cell),
            why=read.notice or "没有写明日期",
        )
    return date.fromisoformat(read.value)


def _unclear(line: ListEntry, slug: str, pattern: str, **fields: Any) -> RegistryError:
    return RegistryError(
        slug,
        "{where} {name}{code}：" + pattern + "，整份名单没有登记："
        "请写成 2022-10-01 至 2025-09-30 这样的日期，或删去这一列",
        where=line.where,
        name=line.text("name"),
        code=line.text("uscc"),
        **fields,
    )
