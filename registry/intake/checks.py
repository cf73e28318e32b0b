"""Whether the figures of one filing can be true together."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from registry.filings import Issue, Submission
from rules.facts import FACTS, Fact, RecordList, fact
from rules.quantities import show

#: Part -> whole, each in the same year where they are yearly.
PARTS: Final = {item.id: item.part_of for item in FACTS if item.part_of}


def check_parts(submission: Submission) -> Iterator[Issue]:
    """A 错误 for every part that is larger than its whole, where that can be computed with."""
    values = submission.values
    for key, small in values.items():
        total = _whole(key)
        if total not in values:
            continue
        large = values[total]
        if fact(total.partition("@")[0]).unusable(large):
            continue
        if Decimal(str(small)) > Decimal(str(large)):
            (part, _, year), (whole, _, _) = key.partition("@"), total.partition("@")
            a, b = fact(part), fact(whole)
            yield _issue(
                submission,
                key,
                _shown(a, Fraction(str(small))),
                f"{_named(a, year)}大于{_named(b, year)}{_shown(b, Fraction(str(large)))}",
                "部分不应大于总数，请核对两个数",
            )


@lru_cache(maxsize=1024)
def _whole(key: str) -> str:
    """The key of what this is a part of, or nothing."""
    part, at, year = key.partition("@")
    return f"{PARTS[part]}{at}{year}" if part in PARTS else ""


def check_titles(submission: Submission) -> Iterator[Issue]:
    """A 错误 for every title that ends before it begins, or is held before it begins."""
    filed = submission.records.get("titles", RecordList())
    for number, item in enumerate(filed.items):
        start, end = str(item.get("valid_from", "")), str(item.get("valid_until", ""))
        day = submission.as_of.isoformat() if submission.as_of else ""
        if start and end and end < start:
            said = f"称号有效期至{end}早于有效期始"
        elif start and day and item.get("held") and start > day:
            said = f"称号有效期始晚于填报日期{day}，却填报为持有"
        else:
            continue
        key = f"titles#{number}"
        yield _issue(submission, key, start, said, "请核对称号的起止日期")


def check_dates(submission: Submission) -> Iterator[Issue]:
    """A 提示 where the segment was entered after the filing date; the date is kept all the same."""
    entry, day = submission.values.get("segment_entry"), submission.as_of
    if isinstance(entry, str) and day is not None and entry > day.isoformat():
        said = f"{fact('segment_entry').name}晚于填报日期{day}"
        yield replace(
            _issue(submission, "segment_entry", entry, said, "请核对年份"), severity="提示"
        )


def check_totals(
    submission: Submission, counts: Mapping[str, tuple[Fraction, Fraction | None]]
) -> list[Issue]:
    """A 错误 for every filed total that its own itemised records contradict.

    ``counts`` gives per fact id (``ip_class_one``, ``financing_three_years`` …) the least and the
    greatest total that the records allow, in base units; None is no upper end (a list that is not
    已报全). Totals that were not filed, and counts that are not given, say nothing.
    """
    found = []
    for item in FACTS:
        filed = submission.values.get(item.id)
        if filed is None or item.id not in counts:
            continue
        low, high = counts[item.id]
        if isinstance(filed, bool):  # one record is enough for 是
            total, low = Fraction(filed), min(low, Fraction(1))
        else:
            total = Fraction(filed)
        if low > total:
            said = f"清单中符合的有{_shown(item, low)}，多于{item.name}{_shown(item, total)}"
        elif high is not None and high < total:
            said = (
                f"清单已报全但符合的至多{_shown(item, high)}，少于{item.name}{_shown(item, total)}"
            )
        else:
            continue
        found.append(
            _issue(submission, item.id, _shown(item, total), said, "请核对总数和清单，使两者一致")
        )
    return found


def _issue(submission: Submission, key: str, value: str, message: str, expected: str) -> Issue:
    sheet, _, cell = submission.sources.get(key, submission.where).rpartition("!")
    return Issue("错误", sheet, cell, value, message, expected, submission.uscc)


def _named(item: Fact, year: str) -> str:
    return f"{year}年{item.name}" if year else item.name


def _shown(item: Fact, value: Fraction) -> str:
    return show(value, item.unit or "项", digits=6)
