"""A case as a scenario: run as an example, it has the same result, rule by rule."""

from dataclasses import replace
from datetime import date
from functools import cache

import pytest

from rules.decider import Decider, Decision, by_reference
from rules.drafting.examples import examples, read_indicator, run
from rules.drafting.recorded import scenario, text
from rules.model.facts import Profile, RecordList, Scalar
from rules.tests.packaged import rulebook

VALUES: dict[str, Scalar] = {
    "industry_code": "C3511",
    "independent_legal_person": True,
    "segment_entry": "2015-03-01",
    "revenue@2022": "50000000.01",
    "main_revenue@2022": "40000000",
    "main_revenue@2021": "30000000",
    "rd_expense@2022": "1400000",
    "staff@2022": "100",
    "ip_class_one": "2",
    "local_points": "7.5",
}
RECORDS = {
    "institutions": RecordList(({"level": "省级", "name": "某研究院"}, {}), True),
    "titles": RecordList(({"kind": "创新型中小企业", "valid_until": "2025-09-30"},), None),
}


@cache
def decided(day: date = date(2023, 6, 30)) -> Decision:
    with Decider(rulebook().ruleset("63.2")) as decider:
        return decider.decide(Profile(day, VALUES, RECORDS))


@pytest.mark.parametrize("day", [date(2023, 6, 30), date(2023, 9, 1)])
def test_every_rule_of_a_case_comes_out_the_same_as_an_example(day: date) -> None:
    decision = decided(day)
    for rule in decision.ruleset.rules:
        if rule.records:
            continue
        clause = replace(rulebook().clause(rule.id), scenarios=(scenario(decision, rule.id),))
        for example in examples(clause, rulebook().catalogue):
            [ran] = run(rulebook(), example, by_reference, read_indicator)
            assert ran.passed, (rule.id, ran.expectation.text, ran.actual)


def test_it_is_written_as_a_feature_file_has_it_and_names_nobody() -> None:
    assert text(scenario(decided(), "63.2.研发费用")) == (
        "    场景: 取自一个案件\n"
        "      假如 企业填报\n"
        "        | 上年度研发费用总额 | 140万元         |\n"
        "        | 上年度营业收入总额 | 5000.000001万元 |\n"
        "      那么 结论为“不符合”\n"
    )
    assert "某研究院" not in text(scenario(decided(), "63.2"))
