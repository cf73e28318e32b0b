"""What several rulesets ask alike of one profile is evaluated once by each evaluator."""

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import cache
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings

from benchmarks.profiles import profiles as synthetic
from rules.decider import Beside, Decider
from rules.engine.driver import Engine, Shared
from rules.errors import FactsError
from rules.model.expressions import add, const
from rules.model.facts import Profile
from rules.model.ruleset import Ruleset
from rules.portable.reference import Alike, EvaluationError, Evaluator
from rules.tests.packaged import rulebook
from rules.tests.test_agreement import evaluator, profiles

ROOTS = ("63.1", "63.2", "63.3", "2026.2")


def same(one: Evaluator, profile: Profile, beside: Beside) -> None:
    """Evaluate beside others, which must give what the ruleset gives alone."""
    beside.turn(profile)
    alone, found = one.evaluation(profile.to_json()), beside.evaluation(one)
    assert dict(found.trace) == alone.trace
    assert found.readings == alone.readings


@settings(max_examples=40)
@given(profile=profiles())
def test_tiers_beside_each_other_come_to_what_each_comes_to_alone(profile: Profile) -> None:
    beside = Beside()
    for root in (*ROOTS, *reversed(ROOTS)):
        same(evaluator(root), profile, beside)


def test_tiers_have_much_in_common() -> None:
    alike = Alike(evaluator("63.2"), evaluator("63.3"))
    assert len(alike.keys[""]) > 100
    assert "63.4.Ⅰ类" in alike.keys["ip"]
    assert "上年度研发费用占比" in alike.indicators[""]


def test_a_field_is_the_same_though_that_name_means_another_in_another_list() -> None:
    alike = Alike(evaluator("63.1"), evaluator("63.2"))
    only = {*evaluator("63.2").ruleset["fields"]} - {*evaluator("63.1").ruleset["fields"]}
    assert "titles.kind" in only
    assert "63.4.Ⅰ类" in alike.keys["ip"]
    assert "类别" in alike.indicators["ip"]


def places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every text in a ruleset, by what holds it and where."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        if isinstance(value, str):
            yield part, key
        elif isinstance(value, dict | list):
            yield from places(value)


OTHERS = {">=": "<", ">": "<=", "<": ">=", "<=": ">", "rule": "unmet", "unmet": "rule"}


@pytest.mark.parametrize("part", ["rules", "indicators", "facts", "fields", "maps"])
def test_nothing_is_taken_from_what_is_written_otherwise(part: str) -> None:
    rng, plain = random.Random(part), rulebook().ruleset("63.2").to_json()
    filings = list(islice(synthetic(itemised=True), 3))
    tried = turned = 0
    while tried < 60:
        other = copy.deepcopy(json.loads(json.dumps(plain)))
        holder, key = rng.choice(list(places(other[part])))
        text = holder[key]
        holder[key] = OTHERS.get(text, "3" if text.isdecimal() else f"{text}1")
        changed = Evaluator(other)
        try:
            alone = [changed.evaluate(profile.to_json()) for profile in filings]
        except EvaluationError:
            continue
        tried += 1
        turned += alone != [evaluator("63.2").evaluate(p.to_json()) for p in filings]
        for profile in filings:
            beside = Beside()
            beside.turn(profile)
            beside.evaluation(evaluator("63.2"))
            same(changed, profile, beside)
    assert turned or part not in ("rules", "indicators")


# -- the engine ------------------------------------------------------------------------------------


@cache
def engine(root: str) -> Engine:
    return Engine(rulebook().ruleset(root))


@cache
def together() -> tuple[Shared, dict[str, Engine]]:
    shared = Shared()
    return shared, {root: Engine(rulebook().ruleset(root), shared=shared) for root in ROOTS}


@settings(max_examples=40)
@given(profile=profiles())
def test_engines_beside_each_other_come_to_what_each_comes_to_alone(profile: Profile) -> None:
    shared, engines = together()
    shared.forget()
    for root in (*ROOTS, *reversed(ROOTS)):
        assert engines[root].evaluate(profile) == engine(root).evaluate(profile)


def altered(ruleset: Ruleset, rng: random.Random) -> Ruleset:
    """A ruleset in which one fact, field, map or formula means something else."""
    facts, fields, maps = dict(ruleset.facts), dict(ruleset.fields), dict(ruleset.maps)
    indicators = dict(ruleset.indicators)
    match rng.randrange(4):
        case 0:
            id = rng.choice([f.id for f in facts.values() if f.kind == "number"])
            facts[id] = replace(facts[id], minimum=Fraction(10) ** 12)
        case 1:
            key = rng.choice([k for k, f in fields.items() if f.kind in ("flag", "code")])
            fields[key] = replace(fields[key], origin="认定")
        case 2:
            name = rng.choice([*maps])
            maps[name] = dict.fromkeys(maps[name], "其他")
        case _:
            name = rng.choice([k for k, i in indicators.items() if i.kind == "number"])
            indicators[name] = replace(
                indicators[name], expr=add(indicators[name].expr, const("1"))
            )
    return replace(ruleset, facts=facts, fields=fields, maps=maps, indicators=indicators)


def test_engines_take_nothing_from_what_means_something_else() -> None:
    rng, ruleset, shared = random.Random(7), rulebook().ruleset("63.2"), Shared()
    original = Engine(ruleset, shared=shared)
    filings = list(islice(synthetic(itemised=True), 4))
    turned = 0
    for _ in range(20):
        changed = altered(ruleset, rng)
        with Engine(changed) as alone, Engine(changed, shared=shared) as beside:
            for profile in filings:
                shared.forget()
                first = original.evaluate(profile)
                assert beside.evaluate(profile) == alone.evaluate(profile)
                turned += first.readings != alone.evaluate(profile).readings
    assert turned > 20


def test_a_profile_whose_facts_have_changed_since_is_another() -> None:
    [profile] = islice(synthetic(itemised=True), 1)
    values = dict(profile.values)
    with Decider(rulebook().ruleset("63.2")) as decider:
        filed = decider.decide(replace(profile, values=values))
        values.clear()
        assert decider.decide(replace(profile, values=values)).trace != filed.trace


# -- the values -----------------------------------------------------------------------------------


def test_each_ruleset_refuses_only_values_that_it_reads() -> None:
    beside = Beside()
    deciders = {root: Decider(rulebook().ruleset(root), beside=beside) for root in ROOTS}
    [sound] = islice(synthetic(itemised=True), 1)
    facts = {id for root in ROOTS for id in rulebook().ruleset(root).facts}
    read = {id: {r for r in ROOTS if id in rulebook().ruleset(r).facts} for id in facts}
    some = [id for id in sorted(facts) if len(read[id]) < len(ROOTS)]
    assert some
    for id in some[:20]:
        spoilt = replace(sound, values={**sound.values, id: "~"})
        if rulebook().catalogue.fact(id).kind == "text":
            continue
        for root, decider in deciders.items():
            if root in read[id]:
                with pytest.raises(FactsError, match="~"):
                    decider.decide(spoilt)
            else:
                assert decider.decide(spoilt).trace == decider.decide(sound).trace
    for decider in deciders.values():
        decider.close()


def test_a_ruleset_that_joins_later_or_declares_otherwise_validates_by_itself() -> None:
    [filed] = islice(synthetic(itemised=True), 1)
    beside, ruleset = Beside(), rulebook().ruleset("63.2")
    id = next(f.id for f in ruleset.facts.values() if f.kind == "code" and f.id in filed.values)
    narrow = replace(ruleset.facts[id], codes=("~",))
    other = replace(ruleset, facts={**ruleset.facts, id: narrow})
    with Decider(ruleset, beside=beside) as decider:
        decider.decide(filed)
        with Decider(other, beside=beside) as stricter, Decider(ruleset, beside=beside) as third:
            for day in (filed.as_of, date(2023, 12, 1)):  # of the last profile, and of another
                profile = replace(filed, as_of=day)
                with pytest.raises(FactsError):
                    stricter.decide(profile)
                assert decider.decide(profile).trace == third.decide(profile).trace
    beside = Beside()
    with Decider(other, beside=beside) as stricter, Decider(ruleset, beside=beside) as decider:
        decider.decide(filed)
        with pytest.raises(FactsError):
            stricter.decide(filed)
