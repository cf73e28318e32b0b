"""The catalogue of facts: how feature files name the year of a figure."""

import pytest

from rules.facts import TITLES, fact, period_fact, period_name, record_kind


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("上年度营业收入总额", ("revenue", 0)),
        ("再上年度营业收入总额", ("revenue", -2)),
        ("上年度专精特新发展评价得分", ("development_score", 0)),
        ("本年度专精特新发展评价得分", ("development_score", 1)),
        ("本年度营业收入总额", None),  # the running year has no accounts yet
        ("本年度自主品牌", None),
        ("营业收入总额", None),
    ],
)
def test_only_a_rating_has_a_value_of_the_running_year(
    name: str, found: tuple[str, int] | None
) -> None:
    split = period_fact(name)
    assert (split and (split[0].id, split[1])) == found
    if split:
        assert period_name(*split) == name


def test_titles_of_tiers_are_the_only_titles_of_the_list() -> None:
    kind = record_kind("titles").field("kind")
    assert kind is not None
    assert kind.codes == TITLES
    assert fact("tech_title").kind == "flag"
