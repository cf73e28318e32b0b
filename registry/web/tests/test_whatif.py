"""Trying other figures: the same verdict as if they had been filed, and nothing is kept of it."""

from registry.desk import auditing
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.web.tests.test_case import LACKING, NARROW, SECOND, THIRD, WAITING
from registry.web.tests.visiting import Visitor, case


def tried(visitor: Visitor, uscc: str, tier: str, **figures: str) -> str:
    query = {f"f.{key.replace('__', '@')}": text for key, text in figures.items()}
    page = visitor.get(case(uscc, tier, "what-if", **query))
    assert page.status == 200
    assert "不是决定，不登记任何内容" in page.words
    return page.words


def test_the_smallest_change_is_told_and_comes_true(visitor: Visitor) -> None:
    words = tried(visitor, NARROW, SECOND)
    assert "2022年研发费用总额" in words
    assert "300万元 +0.01万元 ✓ 符合" in words
    assert "✗ 不符合 → ✓ 符合" in tried(visitor, NARROW, SECOND, rd_expense__2022="300万元")
    assert "✗ 不符合 → ✗ 不符合" in tried(visitor, NARROW, SECOND, rd_expense__2022="299.995万元")


def test_what_is_lacking_may_be_tried(visitor: Visitor) -> None:
    words = tried(visitor, LACKING, SECOND, rd_expense__2022="300万元")
    assert "？ 材料不足 → " in words


def test_what_only_a_person_can_find_is_told(visitor: Visitor) -> None:
    assert "知名度和影响力" in tried(visitor, WAITING, THIRD)


def test_a_text_that_is_no_value_is_marked_and_nothing_is_tried(visitor: Visitor) -> None:
    words = tried(visitor, NARROW, SECOND, rd_expense__2022="很多")
    assert "无法读取" in words
    assert "→" not in words
    assert "→" not in tried(visitor, NARROW, SECOND, nothing="1")


def test_a_trial_leaves_the_case_and_the_record_as_they_are(
    visitor: Visitor, office: tuple[Desk, Judging]
) -> None:
    before = auditing.leafed(office[0]).lines
    tried(visitor, NARROW, SECOND, rd_expense__2022="300万元")
    assert auditing.leafed(office[0]).lines == before
    assert "✗ 不符合：1项不满足" in visitor.get(case(NARROW, SECOND)).words


def test_what_cannot_be_judged_cannot_be_tried(visitor: Visitor) -> None:
    assert visitor.get(case(NARROW, SECOND, "what-if", as_of="2024-06-30")).status == 422
    assert visitor.get(case("91990000MA0000099X", SECOND, "what-if")).status == 404
