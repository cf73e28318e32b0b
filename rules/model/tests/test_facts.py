"""The catalogue of facts: how feature files name the year of a figure."""

import re
from datetime import date

import pytest

from rules.errors import FactsError
from rules.model.facts import Profile, RecordList, check_value, exact, period_name
from rules.tests.packaged import TITLES, catalogue

AS_OF = date(2023, 6, 30)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("上年度营业收入总额", ("revenue", 0)),
        ("再上年度营业收入总额", ("revenue", -2)),
        ("前四年度营业收入总额", ("revenue", -3)),
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
    split = catalogue().period_fact(name)
    assert (split and (split[0].id, split[1])) == found
    if split:
        assert period_name(*split) == name


GOOD = [
    Profile(AS_OF, {"revenue@2022": "12.34", "net_profit@2022": "-5", "staff@2022": "7"}),
    Profile(AS_OF, {"registered_in_prc": False, "sector_found": "工业", "industry_code": ""}),
    Profile(AS_OF),
    Profile(AS_OF, {}, {"ip": RecordList(({"grant_date": "2020-02-29", "holder_rank": "1"},))}),
    Profile(AS_OF, {"revenue@2022": "-1", "staff@2022": "-2"}),
]
BAD = [
    ({"ip_class_one": "-1"}, {}, "ip_class_one：Ⅰ类知识产权总数「-1」不应小于0"),
    ({"development_score@2022": "-1"}, {}, "专精特新发展评价得分「-1」不应小于0"),
    ({"revenue@2022": "1e3"}, {}, "写法不规范"),
    ({"revenue@2022": "１"}, {}, "写法不规范"),
    ({"revenue@2022": True}, {}, "应为文字"),
    ({"staff@2022": "1.5"}, {}, "应为整数"),
    ({"registered_in_prc": "是"}, {}, "应为 是 或 否"),
    ({"sector_found": "其他"}, {}, "之一"),
    ({"收入": "1"}, {}, "没有名为「收入」的填报项"),
    ({}, {"ip": {"grant_date": "20200229"}}, "写法不规范"),
    ({}, {"ip": {"grant_date": "2023-02-29"}}, "知识产权第1条：授权日期「2023-02-29」应为日期"),
    ({}, {"ip": {"grant_date": "1234-01-01"}}, "年份应在1900至2199之间"),
    ({}, {"ip": {"date": "2020-01-01"}}, "没有字段「date」"),
]


@pytest.mark.parametrize("profile", GOOD)
def test_a_profile_that_the_catalogue_allows_is_valid(profile: Profile) -> None:
    catalogue().validate(profile)


@pytest.mark.parametrize(("values", "records", "told"), BAD)
def test_the_first_value_that_the_catalogue_does_not_allow_is_named(
    values: dict[str, str | bool], records: dict[str, dict[str, str]], told: str
) -> None:
    lists = {name: RecordList((item,)) for name, item in records.items()}
    with pytest.raises(FactsError, match=re.escape(told)):
        catalogue().validate(Profile(AS_OF, values, lists))


def test_titles_of_tiers_are_the_only_titles_of_the_list() -> None:
    kind = catalogue().record_kind("titles").field("kind")
    assert kind is not None
    assert kind.codes == TITLES
    assert catalogue().fact("tech_title").kind == "flag"


@pytest.mark.parametrize("text", ["1e-99999999", "-1e99999999", "9" * 81, "1/0", "x"])
def test_a_number_beyond_all_bounds_is_not_computed_with(text: str) -> None:
    assert check_value(catalogue().fact("营业收入总额"), text) == "应为数字"
    with pytest.raises(ValueError, match=r"number|Fraction"):
        exact(text)
