"""The replayable part of a decision: the same from both evaluators, and what determinations may do."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from rules.decider import Decider
from rules.language import editions
from rules.model.facts import IDENTITY as KNOWN
from rules.model.facts import Profile, RecordList
from rules.portable.canonical import digest
from rules.portable.record import (
    IDENTITY,
    RecordError,
    admissible,
    amended_facts,
    amended_rules,
    governs,
    identity_read,
    left_to_judgement,
    plain,
    plain_readings,
    plain_trace,
    redecide,
    with_identity,
)
from rules.portable.reference import Evaluator
from rules.tests.packaged import TITLES, rulebook
from rules.tests.test_agreement import AS_OF, profiles

FEATURES = Path(__file__).parents[3] / "features"
ROOTS = ("63.1", "63.2", "63.3", "2026.2", "2026.3")


@cache
def decider(root: str) -> Decider:
    return Decider(rulebook().ruleset(root))


@cache
def ruleset(root: str) -> dict[str, Any]:
    return rulebook().ruleset(root).to_json()


def recorded(trace: Any, readings: Any) -> str:
    return digest({"trace": plain_trace(trace), "readings": plain_readings(readings)})


@pytest.mark.parametrize("root", ROOTS)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(profile=profiles())
def test_engine_and_reference_record_the_same_bytes(root: str, profile: Profile) -> None:
    by_engine = decider(root).decide(profile)
    by_reference = Evaluator(ruleset(root)).evaluation(profile.to_json())
    assert recorded(by_engine.trace, by_engine.readings) == recorded(
        by_reference.trace, by_reference.readings
    )


# -- determinations of facts ------------------------------------------------------------------------


FACTS: dict[str, Any] = {
    "values": {"revenue@2022": "100", "well_known": False},
    "records": {"ip": {"complete": None, "items": [{"kind": "发明专利"}, {"pledge": True}]}},
    "sources": {},
}


@pytest.mark.parametrize(
    ("determination", "where", "expected"),
    [
        ({"fact": "revenue@2022", "value": "120"}, ("values", "revenue@2022"), "120"),
        ({"fact": "well_known", "value": None}, ("values", "well_known"), None),
        ({"fact": "market_share", "value": "0.1"}, ("values", "market_share"), "0.1"),
    ],
)
def test_a_fact_takes_its_new_value(
    determination: dict[str, Any], where: tuple[str, str], expected: object
) -> None:
    again = amended_facts(FACTS, [determination])
    assert again[where[0]].get(where[1]) == expected
    assert FACTS["values"] == {"revenue@2022": "100", "well_known": False}


def test_fields_of_records_and_completeness_take_new_values() -> None:
    again = amended_facts(
        FACTS,
        [
            {"fact": "ip#1.pledge", "value": False},
            {"fact": "ip", "list": True, "value": True},
            {"fact": "awards", "list": True, "value": True},
        ],
    )
    assert again["records"] == {
        "ip": {"complete": True, "items": [{"kind": "发明专利"}, {"pledge": False}]},
        "awards": {"complete": True, "items": []},
    }
    assert FACTS["records"]["ip"]["items"][1] == {"pledge": True}


@pytest.mark.parametrize("target", ["ip#2.pledge", "ip#x.pledge", "awards#0.rank", "ip#-1.pledge"])
def test_a_record_that_is_not_there_cannot_be_determined(target: str) -> None:
    with pytest.raises(RecordError):
        amended_facts(FACTS, [{"fact": target, "value": True}])


# -- determinations of rules ------------------------------------------------------------------------


def traced(**values: Any) -> Any:
    facts = Profile(AS_OF, {k.replace("__", "@"): v for k, v in values.items()}).to_json()
    return facts, Evaluator(ruleset("63.2")).evaluation(facts).trace


def rule(id: str) -> dict[str, Any]:
    return next(r for r in ruleset("63.2")["rules"] if r["id"] == id)


def test_only_what_figures_cannot_settle_is_left_to_judgement() -> None:
    _, trace = traced(revenue__2022="0", rd_expense__2022="1200000")
    assert plain(trace["63.2.研发费用"]) == 2
    assert admissible(rule("63.2.研发费用"), trace, 3)
    assert admissible(rule("63.2.研发费用"), trace, 0)
    for wrong in (1, 2, True, ["1", "1", 0], 4):
        assert not admissible(rule("63.2.研发费用"), trace, wrong)  # type: ignore[arg-type]
    # of the ratio's points only those it may still have
    assert plain(trace["63.2.7.净利润率"])[2] == 2
    assert admissible(rule("63.2.7.净利润率"), trace, ["6", "6", 0])
    for wrong in (["11", "11", 0], ["2", "6", 0], ["6", "6", 2], 3):
        assert not admissible(rule("63.2.7.净利润率"), trace, wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("revenue", "expense"), [("40000000", "1200000"), ("40000000", "1199999"), (None, "1200000")]
)
def test_what_figures_settle_or_could_settle_is_not(revenue: str | None, expense: str) -> None:
    values = {"rd_expense__2022": expense} | ({"revenue__2022": revenue} if revenue else {})
    _, trace = traced(**values)
    assert not left_to_judgement(rule("63.2.研发费用"), trace)


def test_a_rule_that_merely_rests_on_others_cannot_be_settled_over_their_heads() -> None:
    _, trace = traced(revenue__2022="0", rd_expense__2022="1200000")
    for id in ("63.2", "63.2.实质条件", "63.2.评价得分"):
        assert not left_to_judgement(rule(id), trace)


def test_a_settled_rule_settles_what_rests_on_it() -> None:
    facts, trace = traced(revenue__2022="0", rd_expense__2022="1200000")
    effective, settled = amended_rules(
        ruleset("63.2"),
        trace,
        [{"rule": "63.2.研发费用", "value": 0}, {"rule": "63.2", "value": 3}],
    )
    assert settled == ["63.2.研发费用"]
    again = Evaluator(effective).evaluation(facts).trace
    assert (again["63.2.研发费用"], again["63.2.实质条件"], again["63.2"]) == (0, 0, 0)
    assert ruleset("63.2") == rulebook().ruleset("63.2").to_json()


def test_redeciding_applies_facts_first_and_then_rules() -> None:
    facts, _ = traced(revenue__2022="0", rd_expense__2022="1200000")
    of_rule = {"rule": "63.2.研发费用", "value": 3}
    found = redecide(ruleset("63.2"), facts, [("r", of_rule)])
    assert found.determinations == ("r",)
    assert found.trace["63.2.研发费用"] == 3
    corrected = {"fact": "revenue@2022", "value": "50000000"}
    found = redecide(ruleset("63.2"), facts, [("f", corrected), ("r", of_rule)])
    assert found.determinations == ("f",)  # figures settle it now: 2.4%
    assert found.trace["63.2.研发费用"] == 0


# -- which ruleset governs ----------------------------------------------------------------------------


def test_the_verifier_chooses_the_ruleset_as_editions_do() -> None:
    rows = rulebook().applicability
    plain_rows = [
        {
            "tier": r.tier,
            "procedure": r.procedure,
            "province": r.province,
            "batch": r.batch,
            "start": r.start and r.start.isoformat(),
            "end": r.end and r.end.isoformat(),
            "ruleset": r.ruleset,
        }
        for r in rows
    ]
    days = {d for r in rows for d in (r.start, r.end) if d}
    around = {date.fromordinal(d.toordinal() + n) for d in days for n in (-1, 0, 1)}
    batches = {r.batch for r in rows} | {"别的批次"}
    compared = 0
    for tier in TITLES:
        for procedure in ("认定", "复核"):
            for province in {r.province for r in rows} | {"", "江苏省"}:
                for batch in batches:
                    for day in around:
                        case = {"procedure": procedure, "province": province, "batch": batch}
                        try:
                            found = editions.governing(rows, tier=tier, day=day, **case)
                            expected = found.row.ruleset
                        except editions.NoRulesetError:
                            expected = None
                        asked = {"tier": tier, "as_of": day.isoformat(), **case}
                        try:
                            row = governs(plain_rows, asked)
                            assert row["ruleset"] == expected
                        except RecordError:
                            assert expected is None
                        compared += 1
    assert compared > 100


def test_lists_are_kept_as_they_are() -> None:
    profile = Profile(AS_OF, {}, {"ip": RecordList(({"kind": "商标"},), True)})
    facts = profile.to_json()
    assert amended_facts(facts, [])["records"] == facts["records"]  # type: ignore[arg-type]


# -- what is known of an enterprise itself -------------------------------------------------------------


def test_what_is_known_of_an_enterprise_is_what_criteria_may_name() -> None:
    assert tuple(fact.id for fact in KNOWN) == IDENTITY


def test_only_what_a_ruleset_reads_of_an_enterprise_joins_its_facts() -> None:
    stated = {"province": "江苏省", "city": "", "registered_on": "2020-01-01", "name": "甲公司"}
    read = identity_read(["city", "province", "name", "revenue"], stated)
    assert read == {"province": "江苏省"}
    filed = {"values": {"revenue@2022": "1"}, "records": {}}
    joined = with_identity(filed, read)
    assert joined["values"] == {"revenue@2022": "1", "province": "江苏省"}
    assert filed["values"] == {"revenue@2022": "1"}
