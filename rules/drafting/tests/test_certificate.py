"""Certificates: the packaged criteria have one, and no small fault of either evaluator gets one."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from rules.drafting.certificate import certify
from rules.drafting.mutations import Lookup, of_rule
from rules.drafting.plans import CertificateDifference, Plan, planned
from rules.drafting.synthetic import SyntheticSetting, alone, together
from rules.engine import cells, compiler, program
from rules.engine.driver import Engine
from rules.engine.trees import Split, Tree
from rules.errors import RulesetError
from rules.language.linking import vocabulary
from rules.model.ruleset import Band, Bands, Cases, Indicator, Outcome, Rule, Ruleset
from rules.portable import reference, tables
from rules.portable.evaluation import MET, NOT_MET, Points
from rules.portable.figures import MISSING, PENDING, Number, Reading
from rules.tests.packaged import rulebook


@cache
def rulesets() -> dict[str, Ruleset]:
    roots = dict.fromkeys(r.ruleset for r in rulebook().applicability if r.encoded)
    return {root: rulebook().ruleset(root) for root in roots}


#: Points that fall again, which no packaged rule has.
HUMP = Ruleset(
    root="峰", title="", tier="", source="",
    rules=(
        Rule(id="峰", title="", clause="", citation="", notes=(), body=Bands((("占比", (
            Band(None, Fraction(1, 4), Fraction(0)),
            Band(Fraction(1, 4), Fraction(1, 3), Fraction(5)),
            Band(Fraction(1, 3), None, Fraction(2)),
        )),))),
    ),
    indicators={"占比": Indicator(name="占比", kind="number", unit="%", expr=("fact", "market_share"))}, facts={}, fields={}, maps={},
)  # fmt: skip


@cache
def plans() -> list[Plan]:
    """The cases of every packaged rule, each once, and of the hump.

    Those of whole rulesets would take gigabytes: their test makes them one by one.
    """
    found: dict[str, SyntheticSetting] = {}
    for ruleset in (*rulesets().values(), HUMP):
        for setting in (alone(ruleset, rule) for rule in ruleset.rules):
            found.setdefault(setting.digest, setting)
    return [planned(setting) for setting in found.values()]


@pytest.fixture(scope="module", autouse=True)
def _plans_forgotten() -> Iterator[None]:
    """They are large, and tests that come later in this process fork it."""
    yield
    plans.cache_clear()


def by_rule() -> dict[str, Plan]:
    """The plans of the packaged rules."""
    found: dict[str, Plan] = {}
    for plan in plans():
        found.setdefault(plan.setting.ruleset.root, plan)
    return {id: plan for id, plan in found.items() if id != HUMP.root}


def traces(plan: Plan) -> Iterator[reference.Trace]:
    for evaluation in plan.cases.values():
        assert not isinstance(evaluation, str), evaluation
        yield evaluation.trace


# -- the packaged criteria -------------------------------------------------------------------------


def test_the_packaged_rules_are_certified() -> None:
    assert [str(d) for plan in plans() if (d := plan.differing())] == []
    assert all(len(plan.cases) > 0 for plan in plans())
    assert set(by_rule()) == {rule.id for ruleset in rulesets().values() for rule in ruleset.rules}


@pytest.mark.parametrize("root", [*rulesets(), HUMP.root])
def test_the_packaged_rulesets_are_certified(root: str) -> None:
    plan = planned(together(rulesets().get(root, HUMP)))
    assert plan.cases
    assert plan.differing() is None


def test_a_certificate_counts_the_cases_of_every_rule() -> None:
    ruleset = rulebook().ruleset("2026.3.前置称号")
    found = certify(ruleset)
    assert found.root == "2026.3.前置称号"
    assert list(found.cases) == [rule.id for rule in ruleset.rules]
    assert all(found.cases.values())
    assert found.whole > 0
    assert found.total == sum(found.cases.values()) + found.whole
    assert found.differences == ()


def test_a_rule_is_compared_once() -> None:
    ruleset, made = rulebook().ruleset("2026.3.前置称号"), []

    def make(of: Ruleset) -> Engine:
        made.append(of.root)
        return Engine(of)

    done: dict[str, int] = {}
    first = certify(ruleset, done, make)
    assert len(made) == len(ruleset.rules) + 1
    assert certify(replace(ruleset, title="别的"), done, make) == first
    assert len(made) == len(ruleset.rules) + 2, "only the whole again"


def test_a_difference_leaves_no_certificate_and_is_not_remembered() -> None:
    ruleset, done = rulebook().ruleset("63.2.研发费用"), {}
    wrong = next(rule for text, rule in mutants(by_rule()["63.2.研发费用"]) if "改为 高于" in text)
    found = certify(ruleset, done, altered(wrong))
    assert len(found.differences) == 2, "of the rule, and of the whole"
    assert {d.rule for d in found.differences} == {"63.2.研发费用"}
    assert found.cases["63.2.研发费用"] > 0
    assert done == {}


def test_every_outcome_and_every_reachable_total_occurs() -> None:
    for id, plan in by_rule().items():
        rule = rulebook().rules[id]
        if isinstance(rule.body, Cases):
            key = f"{rule.records}#0:{id}" if rule.records else id
            assert {t[key] for t in traces(plan)} == {NOT_MET, MISSING, PENDING, MET}, id
    whole = planned(together(rulesets()["63.2"]))
    totals = {t["63.2.评价得分"] for t in traces(whole)}
    exact = {t.lo for t in totals if isinstance(t, reference.Points) and not t.gap}
    assert exact >= set(map(Fraction, range(101)))


def test_every_line_of_every_case_decides_it_once_by_every_outcome() -> None:
    never = []
    for id, plan in by_rule().items():
        rule = rulebook().rules[id]
        prefix = f"{rule.records}#0:{id}" if rule.records else id
        for case, count in Counter(case.name for case, _ in rule.lines()).items():
            keys = [f"{prefix}/{case}/{n}" for n in range(1, count + 1)]
            rows = {tuple(trace[key] for key in keys) for trace in traces(plan)}
            for n in range(count):
                for outcome in (NOT_MET, MISSING, PENDING, MET):
                    wanted = tuple(outcome if m == n else MET for m in range(count))
                    if wanted not in rows:
                        never.append((id, case, n + 1, outcome))
    assert never == []


# -- faults ----------------------------------------------------------------------------------------

Patch = Callable[[pytest.MonkeyPatch], None]
ENGINE: dict[str, Patch] = {}
REFERENCE: dict[str, Patch] = {}


def fault(faults: dict[str, Patch], name: str, owner: Any, attribute: str) -> Callable[..., Any]:
    """Register a fault: what takes the place of a function is given the function first."""

    def register(wrong: Callable[..., Any]) -> Callable[..., Any]:
        right = getattr(owner, attribute)

        def patch(monkeypatch: pytest.MonkeyPatch) -> None:
            monkeypatch.setattr(owner, attribute, lambda *a, **k: wrong(right, *a, **k))

        assert name not in faults
        faults[name] = patch
        return wrong

    return register


def engine(name: str, owner: Any, attribute: str) -> Callable[..., Any]:
    return fault(ENGINE, name, owner, attribute)


def ref(name: str, owner: Any, attribute: str) -> Callable[..., Any]:
    return fault(REFERENCE, name, owner, attribute)


def mapped(tree: Tree, to: Callable[[int], int]) -> Tree:
    if isinstance(tree, Split):
        return Split(tree.slot, tree.at, mapped(tree.below, to), mapped(tree.above, to))
    return None if tree is None else to(tree)


REVERSED: dict[str, Any] = {">=": "<=", ">": "<", "<=": ">=", "<": ">", "in": "in"}
COMPILER = compiler._Compiler

engine("> as >=, <= as <", compiler, "cut")(lambda f, t, s, after=False: f(t, s))
engine(">= as >, < as <=", compiler, "cut")(lambda f, t, s, after=False: f(t, s, after=True))
engine("one above the boundary", compiler, "cut")(lambda f, *a, **k: f(*a, **k) + 1)
engine("one below the boundary", compiler, "cut")(lambda f, *a, **k: f(*a, **k) - 1)
engine("bands cut one too high", cells, "cut")(lambda f, *a, **k: f(*a, **k) + 1)
engine("directions reversed", COMPILER, "_line")(
    lambda f, self, rule, line: f(self, rule, replace(line, op=REVERSED[line.op]))
)
engine("only < reversed", COMPILER, "_line")(
    lambda f, self, rule, line: f(self, rule, replace(line, op=">=") if line.op == "<" else line)
)
engine("unknown as met", compiler, "by_gap")(lambda f, gap: Outcome.MET)
engine("unknown as not met", compiler, "by_gap")(lambda f, gap: Outcome.NOT_MET)
engine("findings as figures", compiler, "by_gap")(
    lambda f, gap: Split(gap, 1, None, Outcome.MISSING)
)
engine("gaps swapped", compiler, "by_gap")(
    lambda f, gap: Split(gap, 1, None, Split(gap, 2, Outcome.PENDING, Outcome.MISSING))
)
engine("a conjunction without its last line", compiler, "least")(
    lambda f, slots: f(slots[:-1]) if len(slots) > 1 else f(slots)
)
engine("a conjunction without its first line", compiler, "least")(
    lambda f, slots: f(slots[1:]) if len(slots) > 1 else f(slots)
)
engine("a conjunction of which 待人工认定 is met", compiler, "least")(
    lambda f, slots: mapped(f(slots), lambda o: Outcome.MET if o == Outcome.PENDING else o)
)
engine("a conjunction as a disjunction", COMPILER, "_all")(lambda f, self, slots: self._any(slots))
engine("a disjunction as a conjunction", COMPILER, "_any")(lambda f, self, slots: self._all(slots))
engine("a disjunction without its last case", compiler, "highest")(lambda f, ranks: f(ranks[:-1]))
engine("a disjunction of which 材料不足 is not met", compiler, "highest")(
    lambda f, ranks: mapped(f(ranks), lambda o: Outcome.NOT_MET if o == Outcome.MISSING else o)
)
engine("a ladder upside down", compiler, "rungs")(lambda f, slots: f(slots[::-1]))
engine("the rest of a ladder", COMPILER, "_ladder")(
    lambda f, self, rule, cases, rest: f(self, rule, cases, rest + 1)
)
engine("band points swapped", compiler, "extremes")(lambda f, points: f(points[::-1]))
engine("bands between the ends left out", compiler, "extremes")(
    lambda f, points: tuple((min(a, b), max(a, b)) for a in points for b in points)
)
engine("bands of the lower end", compiler, "cells_of_ends")(lambda f, lo, hi, cuts: f(lo, lo, cuts))
engine("on a boundary the lower points", cells, "_points_of")(
    lambda f, rule, name, rows, lo, hi: min(
        b.points
        for b in rows
        if (b.lo is None or (lo is not None and b.lo <= lo))
        and (b.hi is None or (hi is not None and hi <= b.hi))
    )
)
engine("leaves turned round", compiler, "merged")(
    lambda f, pairs: (lambda cuts, leaves: (cuts, leaves[::-1]))(*f(pairs))
)
engine("what is not whole is cut off", program.Scale, "encode")(
    lambda f, self, value: f(self, value) // 2 * 2
)
engine("rounded up", program.Scale, "encode")(
    lambda f, self, value: min(self.most, (f(self, value) + 1) // 2 * 2)
)
engine("pulled in too far", program.Scale, "encode")(
    lambda f, self, value: min(f(self, value), self.most - 1)
)
engine("without end as the other end", program.Scale, "store")(
    lambda f, self, memory, lo, hi, gap: f(self, memory, lo, lo if hi is None else hi, gap)
)
engine("any other code as the first", program.CodeStep, "run")(
    lambda f, self, memory: f(replace(self, numbers={**self.numbers, "（未列的代码）": 0}), memory)
)
engine("sums without the last", program.Summed, "run")(
    lambda f, self, memory: f(replace(self, parts=self.parts[:-1]), memory)
)
engine("filed points without bounds", program.FiledStep, "run")(
    lambda f, self, memory: f(replace(self, least=-(10**9), most=10**9), memory)
)


@engine("the best as the worst", program.Best, "run")
def _worst(f: Any, self: program.Best, memory: program.Memory) -> None:
    memory.scores[self.score] = min(memory.scores[part] for part in self.parts)


@engine("sums without a gap", program.Summed, "run")
def _gapless(f: Any, self: program.Summed, memory: program.Memory) -> None:
    f(self, memory)
    memory.scores[self.score] = (*memory.scores[self.score][:2], 0)


@engine("what is open of a ladder as 待人工认定", program.Climbed, "run")
def _climbed(f: Any, self: program.Climbed, memory: program.Memory) -> None:
    f(self, memory)
    lo, hi, gap = memory.scores[self.score]
    memory.scores[self.score] = (lo, hi, 2 if gap else 0)


ENGINE["ranks as outcomes"] = lambda m: m.setattr(program, "RANK", (0, 1, 2, 3))

ref("unknown as met", tables, "unsettled")(lambda f, gap: MET)
ref("gaps swapped", tables, "unsettled")(lambda f, gap: 3 - gap)
for right, wrong in ((">=", ">"), ("<", "<="), ("<=", ">=")):
    ref(f"{right} as {wrong}", tables, "comparison")(
        lambda f, op, limit, ops={right: wrong}: f(ops.get(op, op), limit)
    )


@ref("the lower end only", tables, "comparison")
def _lower(f: Any, op: str, limit: Number) -> Callable[..., int]:
    compare = f(op, limit)
    return lambda known: compare(known if known.lo is None else known._replace(hi=known.lo))


ref("a disjunction of the least", tables, "any_of")(lambda f, outcomes: min(outcomes))
ref("待人工认定 before 材料不足", tables, "any_of")(
    lambda f, outcomes: PENDING if PENDING in outcomes and MET not in outcomes else f(outcomes)
)
ref("any code", tables, "among")(lambda f, reading, codes: f(reading, (*codes, reading.code)))
ref("on a boundary the lower points", tables, "score")(
    lambda f, rows, value: min(
        (
            points
            for lo, hi, points in rows
            if (lo is None or lo <= value) and (hi is None or value <= hi)
        ),
        default=None,
    )
)
ref("on a boundary the points below it", tables.Scale, "step")(
    lambda f, self, value: f(self, value) // 2 * 2
)
ref("no gap", tables, "span")(lambda f, lo, hi, gap: Points(lo, hi, 0))
ref("the sum of the least", tables, "sum_of")(
    lambda f, parts: f([p._replace(hi=p.lo) for p in parts])
)
ref("persons before figures", tables, "widest")(
    lambda f, gaps: max((g for g in gaps if g), default=0)
)
ref("filed points without bounds", tables, "attested")(
    lambda f, reading, least, most: f(reading, least, 1000)
)
ref("the lowest rung that is met", tables.Tables, "ladder")(
    lambda f, self, rule, rungs, rest, records: f(self, rule, rungs[::-1], rest, records)
)


@ref("points of the ends only", tables.Scale, "points")
def _ends(f: Any, self: tables.Scale, reading: Reading) -> Any:
    lo, hi = reading.lo, reading.hi
    ends = [self.steps[0 if lo is None else self.step(lo)]]
    ends.append(self.steps[-1 if hi is None else self.step(hi)])
    return Points(*sorted(points for points in ends if points is not None), reading.gap)


def first(compared: Iterable[Plan]) -> CertificateDifference | None:
    return next((d for plan in compared if (d := plan.differing())), None)


@pytest.mark.parametrize("name", ENGINE)
def test_a_fault_of_the_engine_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = sorted(plans(), key=lambda plan: len(plan.cases))
    ENGINE[name](monkeypatch)
    assert first(compared)


#: Rules that have everything between them.
VARIED = (
    "63.4.近三年融资", "63.4.奖励时限", "63.4.取得", "63.2.研发费用", "63.2.营收或融资", "63.2.8.资产负债率",
    "63.2.9.特色化指标", "63.2.10.知识产权", "63.1.资产负债率", "63.1.评价得分", "63.3.专", "63.3.研发投入",
)  # fmt: skip


@cache
def varied() -> list[SyntheticSetting]:
    """Their settings, in which there is nothing to find."""
    settings = [alone(HUMP, HUMP.rules[0]), *(by_rule()[id].setting for id in VARIED)]
    assert first(map(planned, settings)) is None
    return settings


@pytest.mark.parametrize("name", REFERENCE)
def test_a_fault_of_the_reference_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = varied()
    REFERENCE[name](monkeypatch)
    assert first(map(planned, settings))


# -- mutants ---------------------------------------------------------------------------------------


def mutants(plan: Plan) -> Iterator[tuple[str, Rule]]:
    rule = plan.setting.ruleset.rule(plan.setting.ruleset.root)

    def lookup(name: str) -> tuple[Indicator, tuple[str, ...]]:
        indicator = rulebook().indicators[f"{rule.records}.{name}" if rule.records else name]
        return indicator, vocabulary(indicator, rulebook().catalogue, rulebook().maps)

    yield from of_rule(rule, Lookup(lookup, rulebook().catalogue))


def altered(rule: Rule) -> Callable[[Ruleset], Engine]:
    """The engine, given another rule in the place of one."""

    def make(ruleset: Ruleset) -> Engine:
        rules = tuple(rule if r.id == rule.id else r for r in ruleset.rules)
        return Engine(replace(ruleset, rules=rules))

    return make


def test_every_alteration_given_to_the_engine_only_is_found() -> None:
    tried, survived = 0, []
    for plan in by_rule().values():
        for text, rule in mutants(plan):
            tried += 1
            try:
                if not plan.differing(altered(rule)):
                    survived.append(f"{rule.id}：{text}")
            except RulesetError:  # the compiler refuses it, so it is noticed too
                continue
    assert tried > 1000
    assert survived == []
