"""What a decision says in words: distances, sources, what is missing, and what it rests on."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import islice
from random import Random

import pytest

from benchmarks.profiles import profiles
from rules.decider import Decider, Decision
from rules.explanation.explain import explain
from rules.explanation.findings import Check, Finding, Measure
from rules.explanation.reasons import missing, reasons, rested_on
from rules.model.facts import Profile, RecordList, Scalar
from rules.model.ruleset import Outcome
from rules.tests.packaged import rulebook

AS_OF = date(2023, 6, 30)


def decide(root: str, values: dict[str, Scalar], **more: object) -> Decision:
    profile = Profile(
        AS_OF,
        values,
        more.get("records", {}),  # type: ignore[arg-type]
        {k: f"汇总表!{k}" for k in values},
    )
    with Decider(rulebook().ruleset(root)) as decider:
        return decider.decide(profile)


def checks(finding: Finding) -> dict[str, Check]:
    return {c.requirement: c for o in finding.options for c in o.checks} | {
        c.requirement: c for c in finding.checks
    }


@pytest.mark.parametrize(
    ("rd", "outcome", "distance"),
    [
        ("1400000", Outcome.NOT_MET, "差0.2个百分点，合10万元"),
        ("1500000", Outcome.MET, "恰在门槛上"),
        ("1499999.99", Outcome.NOT_MET, "差不足0.0001个百分点，合0.01元"),
        ("1600000", Outcome.MET, "高出0.2个百分点"),
    ],
)
def test_distance_to_a_ratio_in_points_and_in_money(
    rd: str, outcome: Outcome, distance: str
) -> None:
    found = checks(
        explain(decide("63.2.研发费用", {"rd_expense@2022": rd, "revenue@2022": "50000000"}))
    )
    check = found["上年度研发费用占比 不低于3%"]
    assert (check.outcome, check.distance) == (outcome, distance)


def test_figures_carry_their_year_value_and_source() -> None:
    values: dict[str, Scalar] = {"rd_expense@2022": "1400000", "revenue@2022": "50000000"}
    check = checks(explain(decide("63.2.研发费用", values)))["上年度研发费用占比 不低于3%"]
    assert [(f.name, f.value, f.source) for f in check.figures] == [
        ("2022年研发费用总额（上年度）", "140万元", "汇总表!rd_expense@2022"),
        ("2022年营业收入总额（上年度）", "5000万元", "汇总表!revenue@2022"),
    ]


def test_the_figure_of_a_rating_carries_the_year_of_the_filing() -> None:
    values: dict[str, Scalar] = {"development_score@2023": "49.5"}
    check = checks(explain(decide("2026.2.发展评价", values)))[
        "本年度专精特新发展评价得分 不低于50分"
    ]
    assert [(f.name, f.value) for f in check.figures] == [
        ("2023年专精特新发展评价得分（本年度）", "49.5分")
    ]
    assert check.distance == "差0.5分"


def test_a_score_says_what_the_next_band_would_take() -> None:
    values: dict[str, Scalar] = {
        "total_liabilities@2022": "56000000",
        "total_assets@2022": "100000000",
    }
    finding = explain(decide("63.1.资产负债率", values))
    assert finding.outcome == "5分"
    assert checks(finding)["上年度末资产负债率"].distance == "再低1个百分点（合100万元）可得10分"


def test_a_score_with_an_unknown_part_is_an_interval_and_names_it() -> None:
    finding = explain(decide("63.2.11.研发投入", {"rd_expense@2022": "3000000"}))
    assert finding.outcome == "6～10分"
    assert [f.name for f in missing(finding)] == ["2022年营业收入总额（上年度）"]


def test_what_cannot_be_computed_says_so() -> None:
    finding = explain(decide("63.2.研发费用", {"rd_expense@2022": "1400000", "revenue@2022": "0"}))
    assert finding.outcome == "待人工认定"
    assert (
        checks(finding)["上年度研发费用占比 不低于3%"].value
        == "无法计算（2022年营业收入总额填报为0万元）"
    )


def test_a_figure_that_cannot_be_negative_is_shown_as_filed_and_asked_of_a_person() -> None:
    negative = {"rd_expense@2022": "1400000", "revenue@2022": "-50000"}
    finding = explain(decide("63.2.研发费用", negative))
    assert finding.outcome == "待人工认定"
    check = checks(finding)["上年度研发费用占比 不低于3%"]
    assert check.value == "无法计算（2022年营业收入总额填报为-5万元）"
    assert [f.value for f in check.figures] == ["140万元", "-5万元"]
    assert [f.name for f in missing(finding)] == ["上年度研发费用占比"]


@pytest.mark.parametrize(
    ("filed", "figures"),
    [
        ({"industry_code": "C3525"}, ["行业代码：C3525"]),
        ({"industry_code": "C3525", "sector": "工业"}, ["行业代码：C3525"]),
        (
            {"industry_code": "C3525", "sector": "建筑业"},
            ["行业代码：C3525", "申报划型行业：建筑业（与工业不一致，没有采用）"],
        ),
        ({"sector": "工业"}, ["申报划型行业：工业"]),
        ({"sector_found": "工业"}, ["认定划型行业：工业"]),
        (
            {"sector_found": "工业", "sector": "建筑业"},
            ["认定划型行业：工业", "申报划型行业：建筑业（与工业不一致，没有采用）"],
        ),
    ],
)
def test_the_sector_says_what_it_rests_on_and_what_was_filed_otherwise(
    filed: dict[str, str], figures: list[str]
) -> None:
    finding = explain(decide("63.8.中小企业", {**filed, "staff@2022": "10"}))
    [check] = [c for o in finding.options for c in o.checks if c.requirement == "划型行业 为 工业"]
    assert check.value == "工业"
    assert [f"{f.name}：{f.value}" for f in check.figures] == figures


def test_a_settled_part_hides_no_open_one_and_asks_for_nothing_that_cannot_matter() -> None:
    failed = explain(decide("63.2.研发费用", {"rd_expense@2022": "990000"}))
    assert failed.outcome == "不符合"
    assert missing(failed) == []
    assert [c.requirement for c in reasons(failed)] == ["上年度研发费用总额 不低于100万元"]


def test_reasons_are_those_of_the_case_that_comes_nearest() -> None:
    values: dict[str, Scalar] = {
        "industry_code": "C3511",
        "staff@2022": "1000",
        "revenue@2022": "400000000",
        "total_assets@2022": "1",
    }
    found = [c.requirement for c in reasons(explain(decide("63.8.中小企业", values)))]
    assert found == ["上年度从业人员 低于1000人", "上年度营业收入总额 低于40000万元"]


@pytest.mark.parametrize(
    ("revenue", "expected"),
    [
        ("72731500", ["上年度研发费用占比 不低于6%", "上上年度研发费用占比 不低于6%"]),
        (
            "49999900",
            [
                "近两年新增股权融资额 不低于8000万元",
                "近2年研发费用合计 不低于3000万元",
                "上年度研发人员占比 不低于50%",
            ],
        ),
        # of two classes that it is in, the one that asks less
        ("200000000", ["上年度研发费用占比 不低于3%", "上上年度研发费用占比 不低于3%"]),
    ],
)
def test_reasons_are_those_of_the_class_that_the_enterprise_is_in(
    revenue: str, expected: list[str]
) -> None:
    values: dict[str, Scalar] = {
        "revenue@2022": revenue,
        "revenue@2021": revenue,
        "rd_expense@2022": "500000",
        "rd_expense@2021": "500000",
        "rd_staff@2022": "1",
        "staff@2022": "10",
        "financing_two_years": "0",
    }
    found = reasons(explain(decide("63.3.研发投入", values)))
    assert [c.requirement for c in found] == expected


def test_figures_are_cut_to_what_can_be_read() -> None:
    values: dict[str, Scalar] = {"segment_entry": "2021-01-03", "revenue@2022": "1" * 60}
    years = checks(explain(decide("63.2.年限", values)))["从事细分市场年限 不低于2年"]
    assert (years.value, years.distance) == ("约1.99年", "差约2天")
    revenue = checks(explain(decide("63.2.营收或融资", values)))[
        "上年度营业收入总额 不低于1000万元"
    ]
    assert revenue.value == f"{'1' * 20}…万元"


def test_an_open_record_is_named_with_its_source_and_the_fields_it_lacks() -> None:
    held: dict[str, Scalar] = {"kind": "创新型中小企业", "valid_until": "2022-01-01", "held": True}
    titles = RecordList((held, {"kind": "创新型中小企业"}, {"kind": "专精特新中小企业"}), True)
    profile = Profile(AS_OF, {}, {"titles": titles}, {"titles#1": "汇总表!AY5"})
    with Decider(rulebook().ruleset("63.2.前置称号")) as decider:
        found = missing(explain(decider.decide(profile)))
    assert [(f.name, f.value, f.source) for f in found] == [
        ("梯度称号第2条（创新型中小企业）：称号有效期至、填报时持有", "未填报", "汇总表!AY5")
    ]


def test_a_record_that_counts_may_lack_the_amount_that_is_added_up() -> None:
    capital: dict[str, Scalar] = {
        "date": "2023-01-01",
        "investor": "测试基金",
        "qualified": True,
        "new_shareholder": True,
        "share_given": "0.1",
    }
    records = {"financing": RecordList((capital,), True)}
    found = missing(explain(decide("63.2.营收或融资", {"revenue@2022": "1"}, records=records)))
    assert [(f.name, f.value) for f in found] == [("股权融资第1条（测试基金）：实缴金额", "未填报")]


def test_what_a_person_must_find_of_a_record_is_named_apart_from_what_is_to_be_filed() -> None:
    patent: dict[str, Scalar] = {"kind": "发明专利", "related": True, "pledged": True}
    records = {"ip": RecordList((patent,), True)}
    found = missing(explain(decide("63.2.10.知识产权", {}, records=records)))
    by_value = {f.value: f.name.partition("：") for f in found}
    assert by_value["待审核认定"] == ("知识产权第1条（发明专利）", "：", "较高质押融资")
    assert {"有效", "取得方式"} <= set(by_value["未填报"][2].split("、"))
    assert len(found) == 2


def test_records_are_named_one_by_one() -> None:
    patent: dict[str, Scalar] = {"kind": "发明专利", "in_force": True, "related": True}
    records = {"ip": RecordList(({**patent, "acquisition": "原始取得"}, {"kind": "商标"}), True)}
    decision = decide("63.1.知识产权", {}, records=records)
    figures = checks(explain(decision))["Ⅰ类知识产权数 不低于1项"].figures
    assert [(f.value, f.source) for f in figures] == [
        ("符合", "知识产权第1条"),
        ("不符合", "知识产权第2条"),
    ]


def test_json_holds_every_level() -> None:
    document = explain(decide("63.2.研发费用", {"rd_expense@2022": "1400000"})).to_json()
    line = document["options"][0]["checks"][1]
    assert line["outcome"] == "材料不足"
    assert line["figures"][1] == {
        "name": "2022年营业收入总额（上年度）",
        "value": "未填报",
        "source": "",
    }


def test_json_writes_a_rule_out_once_and_only_names_cases_for_others() -> None:
    whole = explain(decide("63.1", {"industry_code": "C3511", "staff@2022": "10"}))
    written: list[str] = []
    others: list[dict[str, object]] = []

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if "see" in node:
                assert set(node) == {"rule", "outcome", "see"}
                assert (node["rule"], node["see"]) in [(r, "above") for r in written]
            elif "rule" in node:
                written.append(node["rule"])
            elif "name" in node and set(node) == {"name", "outcome"}:
                others.append(node)
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(whole.to_json())
    assert len(written) == len(set(written))
    assert {"name": "建筑业", "outcome": "不符合"} in others
    assert "300.工业" in written
    assert "300.建筑业" not in written


@pytest.mark.parametrize(
    ("root", "values", "subject", "measure"),
    [
        (
            "63.2.研发费用",
            {"rd_expense@2022": "1499999.99", "revenue@2022": "50000000"},
            "上年度研发费用占比 不低于3%",
            ("2.99999998", "2.99999998", "3", "%"),
        ),
        (
            "63.2.研发费用",
            {"rd_expense@2022": "1400000"},
            "上年度研发费用总额 不低于100万元",
            ("140", "140", "100", "万元"),
        ),
        (
            "63.2.研发费用",
            {"rd_expense@2022": "1400000"},
            "上年度研发费用占比 不低于3%",
            (None, None, "3", "%"),
        ),
        (
            "63.2.研发费用",
            {"revenue@2022": "50000000"},
            "上年度研发费用总额 不低于100万元",
            ("0", None, "100", "万元"),
        ),
        (
            "63.2.研发费用",
            {"rd_expense@2022": "1400000", "revenue@2022": "0"},
            "上年度研发费用占比 不低于3%",
            (None, None, "3", "%"),
        ),
        (
            "63.1.收入增长",
            {"main_revenue@2022": "109", "main_revenue@2021": "100"},
            "上年度主营业务收入增长率",
            ("9", "9", "10", "%"),
        ),
        (
            "63.1.收入增长",
            {"main_revenue@2022": "50", "main_revenue@2021": "100"},
            "上年度主营业务收入增长率",
            ("-50", "-50", "0", "%"),
        ),
        (
            "63.1.收入增长",
            {"main_revenue@2022": "115", "main_revenue@2021": "100"},
            "上年度主营业务收入增长率",
            ("15", "15", None, "%"),
        ),
        ("63.1.收入增长", {}, "上年度主营业务收入增长率", (None, None, None, "%")),
    ],
    ids=[
        "just below", "money", "divisor not filed", "not filed", "cannot be computed",
        "growth below a band", "decline", "best band", "growth not filed",
    ],
)  # fmt: skip
def test_a_comparison_is_told_in_exact_numbers_of_its_unit(
    root: str,
    values: dict[str, Scalar],
    subject: str,
    measure: tuple[str | None, str | None, str | None, str],
) -> None:
    *numbers, unit = measure
    expected = [None if n is None else Fraction(n) for n in numbers]
    assert checks(explain(decide(root, values)))[subject].measure == Measure(*expected, unit)  # type: ignore[arg-type]


def test_a_score_that_is_compared_is_told_in_points_and_codes_in_no_numbers() -> None:
    found = [c for f in explain(decide("63.1", {})).walk() for o in f.options for c in o.checks]
    scores = [c for c in found if c.points is not None and c.outcome is not None]
    [part] = [c.measure for c in scores if c.requirement.startswith("成长性")]
    assert part == Measure(Fraction(0), Fraction(30), Fraction(15), "分")
    assert all(c.measure is None for c in found if c.categorical)


FILED: dict[str, Scalar] = {
    "revenue@2022": "60000000", "revenue@2021": "50000000", "revenue@2020": "40000000",
    "rd_expense@2022": "3600000", "rd_expense@2021": "3000000", "main_revenue@2022": "50000000",
    "net_profit@2022": "6000000", "staff@2022": "90", "industry_code": "3562",
}  # fmt: skip


def shown_keys(finding: Finding) -> set[str]:
    """The keys of the figures in words on which a verdict rests, and of all below a score."""
    shown = set()
    if isinstance(finding.result, Outcome):
        for check in reasons(finding, finding.result):
            shown |= {*check.figures}
            for below in check.finding.walk() if check.finding else ():
                shown |= {f for c in checks(below).values() for f in c.figures}
    return {figure.key or figure.item for figure in shown} - {""}


@pytest.mark.parametrize("root", ["63.1", "63.2", "63.3", "63.2.评价得分"])
@pytest.mark.parametrize("known", range(len(FILED) + 1))
def test_a_verdict_rests_on_the_figures_that_its_finding_shows(root: str, known: int) -> None:
    finding = explain(decide(root, dict(list(FILED.items())[:known])))
    assert set(rested_on(finding)) == shown_keys(finding)
    assert bool(shown_keys(finding)) == isinstance(finding.result, Outcome)


@pytest.mark.parametrize("root", ["63.1", "63.2", "63.3", "2026.3"])
def test_a_verdict_rests_on_the_records_that_its_finding_shows(root: str) -> None:
    random = Random(63)
    seen = set[str]()
    with Decider(rulebook().ruleset(root)) as decider:
        for profile in islice(profiles(itemised=True), 12):
            values = {k: v for k, v in profile.values.items() if random.random() > 0.2}
            lists = {
                name: RecordList(
                    tuple(
                        {k: v for k, v in item.items() if random.random() > 0.1}
                        for item in filed.items
                    ),
                    filed.complete and random.random() > 0.3,
                )
                for name, filed in profile.records.items()
            }
            finding = explain(decider.decide(replace(profile, values=values, records=lists)))
            assert set(rested_on(finding)) == shown_keys(finding)
            seen |= shown_keys(finding)
    assert {key.partition("#")[0] for key in seen if "#" in key}
