"""The surroundings of a table: its filing date and its unit of money."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple, Protocol

from openpyxl.utils import get_column_letter

from registry.intake.cells import MONEY, CellValue, Unsaved, not_given, plain, read_date, squeeze
from registry.intake.drafts import CellPlace, Log
from registry.intake.files.sheets import Row
from registry.intake.tables import headings
from registry.intake.tables.mapping import AS_OF

#: The names of a filing date, the plainest first; a date without a name comes last.
_CALLED: Final = (
    re.compile(r"(?:填报|申报|填表|填写|上报|报送|报表|制表)(?:日期|时间|日)(?:\(年月日\))?[:为]?"),
    re.compile(r"(?<![\u4e00-\u9fff0-9A-Za-z])日期(?:\(年月日\))?:"),
)
_DAY: Final = re.compile(
    r"\S{4}[-./年]\S{1,3}[-./月]\S{1,3}日|[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9]{8}"
)
_RANGE: Final = re.compile(r"[至到~—-]\S*[0-9日]")
_BLANK_FORM: Final = re.compile(r"[年月日_/.\-:]*")
_HAS_DIGIT: Final = re.compile("[0-9〇○零一二三四五六七八九]")
_UNIT: Final = re.compile(
    r"(?:^|[^\u4e00-\u9fff]|金额|货币|计量)单位\s*[:：为]?\s*(?:人民币)?(?P<units>[^\s:：;；。)）]+)"
)
_ALONE: Final = re.compile(r"[(（]\s*(?:人民币)?([^()（）\s]{1,3})\s*[)）]$")
_LABEL: Final = re.compile(r"(?:金额|货币|计量)?单位\s*[:：]?")
#: The unit in which money is read if none is stated.
USUAL: Final = "万元"
_SEVERAL: Final = re.compile(r"[、,，/和及;；]")


class Dated(NamedTuple):
    """A filing date in a row, and how plainly it is named: 0 if it is called so."""

    day: date
    rank: int


def filing_date(row: Row, sheet: str, number: int, log: Log) -> Dated | None:
    """The filing date that a title or closing row gives, in one cell or in the next."""
    for rank, called in enumerate(_CALLED):
        for index, cell in enumerate(row):
            if isinstance(cell, str) and (match := called.search(text := squeeze(cell))):
                found = _stated(row, index, text[match.end() :])
                if isinstance(found, Unsaved):
                    place = _place(sheet, row.index(found), number)
                    log.add("提示", place, found, *Unsaved.SAID)
                    return None
                day = _read(found, cell, _place(sheet, index, number), log)
                return Dated(day, rank) if day else None
    return None


def one_date(found: Iterable[Dated | None], sheet: str, log: Log) -> date | None:
    """The date that is meant if several rows give one: the plainest, unless two contradict."""
    dated = [d for d in found if d is not None]
    best = min((d.rank for d in dated), default=0)
    days = sorted({d.day for d in dated if d.rank == best})
    if len(days) > 1:
        said = f"写有不同的填报日期：{'、'.join(map(str, days))}，均未采用"
        log.add("提示", CellPlace(sheet), None, said, "请只保留一个填报日期")
        return None
    return days[0] if days else None


def _place(sheet: str, index: int, number: int) -> CellPlace:
    return CellPlace(sheet, f"{get_column_letter(index + 1)}{number}")


def _stated(row: Row, index: int, rest: str) -> CellValue:
    """The content after the words: in the same cell, else in the next cell that differs."""
    if day := _DAY.match(rest):
        return rest if _RANGE.match(rest[day.end() :]) else day[0]
    if not _BLANK_FORM.fullmatch(rest):
        return rest
    right = (c for c in row[index + 1 :] if c != row[index])
    found = next((c for c in right if isinstance(c, Unsaved) or not not_given(c)), None)
    return found if isinstance(found, Unsaved) or _HAS_DIGIT.search(plain(found)) else None


def _read(found: CellValue, cell: str, place: CellPlace, log: Log) -> date | None:
    if not_given(found) or (isinstance(found, str) and _BLANK_FORM.fullmatch(squeeze(found))):
        return None
    parsed = read_date(found)
    if parsed.notice:
        log.add("提示", place, cell, parsed.said(AS_OF), parsed.expected)
    return date.fromisoformat(parsed.value) if isinstance(parsed.value, str) else None


def money_unit(rows: Sequence[Row]) -> frozenset[str]:
    """The units of money that title rows state for the whole table; several settle nothing.

    >>> sorted(money_unit([["单位：万元、人、%"]]))
    ['万元']
    """
    texts = [text for row in rows for text in _joined(row)]
    stated = [m["units"] for text in texts for m in _UNIT.finditer(text)]
    alone = [m[1] for text in texts if (m := _ALONE.search(text))]
    words = [
        headings.as_unit(squeeze(w)) for text in [*stated, *alone] for w in _SEVERAL.split(text)
    ]
    return frozenset(word for word in words if word in MONEY)


def _joined(row: Row) -> Iterator[str]:
    """The texts of a title row; a label and the next cell's content are joined."""
    label = ""
    for cell in row:
        if isinstance(cell, str) and cell.strip():
            text = " ".join(cell.split())
            yield label + text if label else text
            label = text if _LABEL.fullmatch(text) else ""


class _Span(Protocol):
    """A table beside others."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def block_units(
    rows: Sequence[Row], blocks: Sequence[_Span], units: frozenset[str]
) -> list[frozenset[str]]:
    """The units of money of tables side by side, whose titles together state ``units``.

    Each table has its own unit if each states one, or if a row has a title for each table and only
    some state a unit; the others' units are then unknown.
    """
    if len(blocks) < 2 or not units:
        return [units for _ in blocks]
    own = [money_unit([row[b.start : b.end] for row in rows]) for b in blocks]
    if all(own):
        return own
    if any(_titled(row, blocks) for row in rows):
        return [found or units | {USUAL} for found in own]
    return [units for _ in blocks]


def _titled(row: Row, blocks: Sequence[_Span]) -> bool:
    """Whether a row has a title for each table, and some say more than a unit."""
    texts = [" ".join(_joined(row[b.start : b.end])) for b in blocks]
    stated = [text for text in texts if money_unit([[text]])]
    return all(texts) and any(
        _UNIT.sub("", _ALONE.sub("", text)).strip("()（） ") for text in stated
    )
