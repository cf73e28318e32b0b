"""Days, moments and provinces as people type them, on a command line or in an address."""

from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Final

from registry.kit.characters import visible
from registry.portable.clock import CHINA, midnight
from rules.language.provinces import PROVINCES, acting
from rules.model.days import parse_day
from rules.model.facts import check_day

#: The formats of a moment, each with the time it spans.
_MOMENTS: Final = {
    "%Y-%m-%d %H:%M": timedelta(minutes=1),
    "%Y-%m-%d %H:%M:%S": timedelta(seconds=1),
    "%Y-%m-%d %H:%M:%S.%f": timedelta(microseconds=1),
}


def day(text: str) -> date:
    """A day in any form that is clear in a cell of a table, within the years that a filing can state.

    Any other text, and a day with a time, raises ``ValueError`` with a sentence.

    >>> day("2023年6月30日"), day("2023.6.30")
    (datetime.date(2023, 6, 30), datetime.date(2023, 6, 30))
    """
    try:
        found = parse_day(text)
    except ValueError:
        found = _as_in_a_cell(text)
    if wrong := check_day(found.isoformat()):
        raise ValueError(f"「{text}」的{wrong}，请核对日期")
    return found


def _as_in_a_cell(text: str) -> date:
    from registry.intake.cells import (  # whoever types the usual form does not wait for it
        half,
        read_date,
    )

    read = read_date(visible(text))
    if isinstance(read.value, str) and not read.notice and ":" not in half(text):
        return date.fromisoformat(read.value)
    why = read.notice.replace("可识别的", "") if read.value is None else "不是日期"
    raise ValueError(f"「{text}」{why or '不是日期'}，请写成 2023-06-30 或 2023年6月30日")


def province(text: str) -> str:
    """The full name of a province or a city with independent planning status: 广东省, 广东, 深圳.

    ``ValueError`` with a sentence for any other text.

    >>> province("广东"), province("深圳")
    ('广东省', '深圳市')
    """
    if (found := acting(text)) in PROVINCES:
        return found
    raise ValueError(f"「{text}」不是省级行政区，也不是计划单列市")


def last_instant(text: str, now: datetime) -> datetime:
    """The last instant of a day or a minute by China's clock, but none after ``now``.

    So a day stands for everything known by its end. A future moment raises ``ValueError``, because
    nobody can tell what will be known then; so does any text that is no moment.
    """
    start, length = _read(text)
    if start > now:
        raise ValueError(f"「{text}」还没有到：请给出过去的日期或时间")
    return min(start + length - timedelta(microseconds=1), now)


def _read(text: str) -> tuple[datetime, timedelta]:
    for form, length in _MOMENTS.items():
        with suppress(ValueError):
            found = datetime.strptime(text.replace("T", " "), form)
            return found.replace(tzinfo=CHINA), length
    return midnight(day(text)), timedelta(days=1)
