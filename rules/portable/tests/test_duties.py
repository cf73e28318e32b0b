"""Duties followed entry by entry: what refuses an application, whatever table says so."""

from datetime import date
from typing import Any

import pytest

from rules.portable.applications import Recorded
from rules.portable.calendar import Calendar
from rules.portable.clocks import Clock, Clocks, Period
from rules.portable.duties import Duties, DutyError
from rules.portable.timing import Timing

TIER = "甲类"
CLOCKS = Clocks(
    "甲",
    (
        Clock(matter="有效期", start="授予当日", consequences=("称号到期",)),
        Clock(matter="复核申报", start="期满当年", consequences=("失去复核资格", "称号到期")),
    ),
)
TIMING = Timing((Period(None, None, CLOCKS, "某文"),), Calendar({}, frozenset(), frozenset()))


def held(*more: tuple[str, dict[str, Any]]) -> Duties:
    """An enterprise with a title of 2022-07-01 to 2025-06-30, and what else is on record."""
    title = {
        "action": "grant", "kind": TIER, "name": "甲公司", "valid_from": "2022-07-01",
        "valid_until": "2025-06-30", "ended_on": None, "dated": "2022-07-01",
    }  # fmt: skip
    found = Duties()
    for number, (kind, body) in enumerate((("title", title), *more), 1):
        found.follow(kind, Recorded(number, str(number), date(2026, 1, 1), body), lambda _: TIMING)
    return found


def drawn(consequence: str) -> tuple[str, dict[str, Any]]:
    return "consequence", {
        "tier": TIER, "matter": "复核申报", "subject": "", "due": "2025-06-30", "day": "2025-07-05",
        "consequence": consequence,
    }  # fmt: skip


def test_the_right_to_a_re_check_is_lost_by_its_own_clock_too() -> None:
    for consequence in ("", "称号到期"):
        held(drawn(consequence)).refuse_barred(lambda _: TIMING, date(2025, 7, 6), TIER)
    with pytest.raises(DutyError, match="已决定失去复核资格（复核申报，最迟2025-06-30，某文，甲）"):
        held(drawn("失去复核资格")).refuse_barred(lambda _: TIMING, date(2025, 7, 6), TIER)
    held(drawn("失去复核资格")).refuse_barred(lambda _: TIMING, date(2025, 7, 4), TIER)


def test_a_matter_is_decided_once_and_by_its_last_day() -> None:
    with pytest.raises(DutyError, match="复核申报在2025-07-05没有逾期"):
        held(drawn(""), drawn("称号到期"))
    kind, body = drawn("")
    with pytest.raises(DutyError, match="最后一日是2025-06-30，不是2025-06-29"):
        held((kind, {**body, "due": "2025-06-29"}))
