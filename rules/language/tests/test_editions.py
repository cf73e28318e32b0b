"""Which ruleset governs: days, provinces, batches, and the two ways of having no answer."""

from datetime import date

import pytest

from rules.errors import NoRulesetError
from rules.language.editions import ApplicabilityRow, governing
from rules.model.days import optional_day, parse_day
from rules.model.ruleset import Position

CHANGE = date(2026, 4, 1)
BEFORE = date(2026, 3, 31)


def row(
    line: int,
    ruleset: str,
    start: date | None = None,
    end: date | None = None,
    province: str = "其余",
    batch: str = "",
    tier: str = "小巨人",
) -> ApplicabilityRow:
    where = Position("applicability.feature", line)
    return ApplicabilityRow(
        tier=tier,
        procedure="认定",
        province=province,
        batch=batch,
        start=start,
        end=end,
        ruleset=ruleset,
        basis="某文",
        position=where,
    )


ROWS = (
    row(5, "旧", end=BEFORE),
    row(6, "新（未编码）", start=CHANGE),
    row(7, "浙江", province="浙江", start=date(2025, 1, 1), end=date(2025, 12, 31)),
    row(8, "第七批", batch="第七批", start=date(2025, 6, 1), end=date(2025, 6, 30)),
    row(9, "另一层", tier="创新型"),
)


def found(day: date, province: str = "", batch: str = "", tier: str = "小巨人") -> str:
    return governing(
        ROWS, tier=tier, procedure="认定", day=day, province=province, batch=batch
    ).row.ruleset


@pytest.mark.parametrize(
    ("day", "ruleset"),
    [(BEFORE, "旧"), (CHANGE, "新（未编码）"), (date(2026, 4, 2), "新（未编码）"), (date(2022, 1, 1), "旧")],
)  # fmt: skip
def test_the_day_decides(day: date, ruleset: str) -> None:
    assert found(day) == ruleset


@pytest.mark.parametrize(
    ("day", "province", "ruleset"),
    [
        (date(2024, 12, 31), "浙江", "旧"),
        (date(2025, 1, 1), "浙江", "浙江"),
        (date(2025, 12, 31), "浙江", "浙江"),
        (date(2026, 1, 1), "浙江", "旧"),
        (date(2025, 6, 1), "江苏", "旧"),
        (date(2025, 6, 1), "", "旧"),
    ],
)
def test_a_province_named_comes_before_the_others(day: date, province: str, ruleset: str) -> None:
    assert found(day, province) == ruleset


@pytest.mark.parametrize(
    ("day", "batch", "ruleset"),
    [
        (date(2025, 5, 31), "第七批", "旧"),
        (date(2025, 6, 1), "第七批", "第七批"),
        (date(2025, 6, 30), "第七批", "第七批"),
        (date(2025, 6, 15), "第八批", "旧"),
        (date(2025, 6, 15), "", "旧"),
    ],
)
def test_a_batch_named_comes_before_the_others(day: date, batch: str, ruleset: str) -> None:
    assert found(day, batch=batch) == ruleset


def test_tiers_are_apart() -> None:
    assert found(CHANGE, tier="创新型") == "另一层"


def test_the_reason_and_what_was_rejected() -> None:
    result = governing(ROWS, tier="小巨人", procedure="认定", day=date(2025, 6, 15), batch="第七批")
    assert result.reason == "某文（自2025-06-01至2025-06-30）"
    assert [(r.ruleset, why) for r, why in result.rejected] == [
        ("新（未编码）", "自2026-04-01，不含2025-06-15"),
        ("浙江", "适用于浙江，本案为未注明省份"),
        ("旧", "批次「第七批」另有规定"),
    ]
    other = governing(ROWS, tier="小巨人", procedure="认定", day=date(2025, 6, 15))
    assert other.rejected[-1] == (ROWS[3], "只适用于批次「第七批」")
    assert other.reason == "某文（至2026-03-31）"


def test_a_gap() -> None:
    with pytest.raises(NoRulesetError) as caught:
        governing(ROWS[1:2], tier="小巨人", procedure="认定", day=BEFORE)
    assert str(caught.value) == (
        "小巨人认定（2026-03-31）没有适用的规则集（之后最早的一行自2026-04-01起）："
        "请查对填报日期与适用表 applicability.feature"
    )


def test_an_overlap() -> None:
    rows = (row(5, "旧"), row(6, "新", start=CHANGE))
    assert governing(rows, tier="小巨人", procedure="认定", day=BEFORE).row.ruleset == "旧"
    with pytest.raises(NoRulesetError) as caught:
        governing(rows, tier="小巨人", procedure="认定", day=CHANGE)
    assert str(caught.value) == (
        "小巨人认定（2026-04-01）有2个规则集同时适用"
        "（applicability.feature:5、applicability.feature:6）：请改正适用表"
    )


@pytest.mark.parametrize(
    ("other", "collides"),
    [
        (row(6, "新", start=CHANGE), False),
        (row(6, "新", start=BEFORE), True),
        (row(6, "新", end=date(2020, 1, 1)), True),
        (row(6, "新"), True),
        (row(6, "新", province="浙江"), False),
        (row(6, "新", batch="第七批"), False),
        (row(6, "新", tier="创新型"), False),
    ],
)
def test_collision(other: ApplicabilityRow, collides: bool) -> None:
    old = row(5, "旧", end=BEFORE)
    assert old.collides(other) is collides
    assert other.collides(old) is collides


def test_whether_tidu_has_the_text() -> None:
    assert ROWS[0].encoded
    assert not ROWS[1].encoded
    assert row(5, "旧").period == "不限期"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026年4月1日", CHANGE),
        ("2026-04-01", CHANGE),
        (" 2026年04月01日 ", CHANGE),
        ("", None),
    ],
)
def test_days(text: str, day: date | None) -> None:
    assert optional_day(text) == day


@pytest.mark.parametrize(
    "text", ["", "2026年4月", "2026/4/1", "四月一日", "2026年13月1日", "2026年2月30日"]
)
def test_not_a_day(text: str) -> None:
    with pytest.raises(ValueError, match="请写成 2023-06-30 或 2023年6月30日"):
        parse_day(text)
