"""The days of validity of titles, as lists of notices state them for each enterprise."""

import re
from collections.abc import Collection
from datetime import date
from typing import Final, NamedTuple

from registry.errors import RegistryError
from registry.intake.cells import DAY_EXPECTED, CellValue, half, plain, read_date
from registry.intake.lists import ListEntry, enterprises
from registry.intake.tables import headings
from rules.model.characters import clipped

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


def stated(line: ListEntry, terms: Collection[int], told: list[str]) -> Validity:
    """The days in an enterprise's row; ``RegistryError`` with its place if they cannot be read.

    ``terms`` are the usual terms of titles in years: a cell that states only one gives no day. What
    the officer should know about a day that was read is added to ``told``.
    """
    both = _period(line, line.cells.get(_BOTH), terms, told)
    first, last = (_day(line, name, line.cells.get(name), told) for name in (_FROM, _UNTIL))
    for name, one, other in ((_FROM, first, both.first), (_UNTIL, last, both.last)):
        if one and other and one != other:
            raise RegistryError(
                "contradicting-days",
                "{where}：{value}与“{column}”的{expected}不同，请核对后改成一致",
                where=line.at(name),
                column=_BOTH,
                value=one,
                expected=other,
            )
    found = Validity(first or both.first, last or both.last)
    if found.first and found.last and found.last < found.first:
        raise RegistryError(
            "ends-before-it-begins",
            "{where}：有效期自{expected}至{value}，终止早于开始，请核对日期",
            where=line.at(_UNTIL if last else _BOTH),
            value=found.last,
            expected=found.first,
        )
    return found


def _period(line: ListEntry, cell: CellValue, terms: Collection[int], told: list[str]) -> Validity:
    """A period of two days; a single day is the last."""
    text = half(plain(cell))
    digits = "零一二三四五六七八九"
    if any(text in (f"{n}年", f"{digits[n : n + 1]}年") for n in terms):
        return Validity()
    parts = _BETWEEN.split(text)
    if len(parts) == 2:
        first, last = (_day(line, _BOTH, part.strip("自起止") or None, told) for part in parts)
        return Validity(first, last)
    return Validity(None, _day(line, _BOTH, cell, told))


def _day(line: ListEntry, name: str, cell: CellValue, told: list[str]) -> date | None:
    if cell is None:
        return None
    read = read_date(cell)
    if not isinstance(read.value, str):
        raise RegistryError(
            "unreadable-day",
            "{where}：“{column}”「{value}」{why}，{expected}；没有写明的请留空",
            where=line.at(name),
            column=name,
            value=clipped(plain(cell)),
            why=read.notice or "没有写明日期",
            expected=read.expected or DAY_EXPECTED,
        )
    if read.notice:
        told.append(f"{line.at(name)}：“{name}”「{plain(cell)}」{read.notice}，{read.expected}")
    return date.fromisoformat(read.value)
