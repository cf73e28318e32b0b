"""The examples under a rule, run against any evaluator.

They serve pytest-bdd (``features/conftest.py``), ``tidu rules show`` and the mutants.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from rules.decider import by_reference
from rules.drafting import clocks, courses
from rules.drafting.steps import ExampleError, Expectation, Given, take
from rules.engine.readings import Evaluator
from rules.errors import NoRulesetError, Problem, RulesError, RulesetError, SourceError
from rules.language import editions, provinces, tables
from rules.language.rulebook import Rulebook
from rules.language.source import Clause, GherkinStep, Scenario
from rules.language.values import exact_decimal
from rules.model.catalogue import Catalogue
from rules.model.facts import Profile
from rules.model.quantities import show
from rules.model.ruleset import Gap, Outcome, Result, Ruleset, Trace
from rules.portable.clocks import Period
from rules.portable.timing import Timing

#: What examples call a case that no ruleset governs.
NO_RULESET: Final = "没有适用的规则集"
#: What they call one that no workflow handles.
NO_WORKFLOW: Final = "没有适用的办理程序"
#: What they call a title that no clocks govern.
NO_CLOCKS: Final = "没有适用的计时"
#: An evaluator of one ruleset and profile: the trace, and the exact reading of an indicator.
Evaluate = Callable[[Ruleset, Profile], Trace]


@dataclass(frozen=True, kw_only=True)
class Example:
    """One run of a scenario: its place, the given facts, the expectations."""

    rule: str
    name: str
    path: str
    line: int
    given: Given
    expected: tuple[Expectation, ...]


def examples(clause: Clause, catalogue: Catalogue) -> Iterator[Example]:
    """Every run of every scenario of a rule; raises ``SourceError`` with file and line."""
    for found in readings(clause, catalogue):
        if isinstance(found, Problem):
            raise SourceError([found])
        yield found


def readings(clause: Clause, catalogue: Catalogue) -> Iterator[Example | Problem]:
    """Every run of every scenario of a rule, or what is wrong with it."""
    told: set[Problem] = set()
    for scenario in clause.scenarios:
        for line, name, steps in scenario.expanded():
            found = _read(clause, catalogue, scenario, line, name, steps)
            if isinstance(found, Example):
                yield found
            elif found not in told:
                told.add(found)
                yield found


def _read(
    clause: Clause,
    catalogue: Catalogue,
    scenario: Scenario,
    line: int,
    name: str,
    steps: tuple[GherkinStep, ...],
) -> Example | Problem:
    given, expected = Given(rule=clause.id, catalogue=catalogue), []
    for written, step in zip(scenario.steps, steps, strict=True):
        try:
            wanted = take(given, step)
        except (RulesError, ValueError) as error:
            at, cells = (error.line, error.cells) if isinstance(error, ExampleError) else (0, 0)
            if _as_written(written, step, at, cells):
                return Problem(clause.path, at or step.line, f"{scenario.name}：{error}")
            return Problem(clause.path, line, f"{name}：{error}")
        if wanted is not None:
            expected.append(wanted)
    if not expected:
        message = f"场景「{name}」的「那么」没有写结论：请写出应有的结论"
        return Problem(clause.path, line, message)
    return Example(
        rule=clause.id,
        name=name,
        path=clause.path,
        line=line,
        given=given,
        expected=tuple(expected),
    )


def _as_written(written: GherkinStep, step: GherkinStep, line: int, cells: int) -> bool:
    """Whether a step, or the row of it at a line, or its first cells, are the same in all runs."""
    pairs = zip(written.table, step.table, strict=True)
    rows = [(a.cells, b.cells) for a, b in pairs if b.line == line]
    same = all(a[: cells or None] == b[: cells or None] for a, b in rows)
    return written.text == step.text and same


def read_indicator(ruleset: Ruleset, profile: Profile, name: str) -> str:
    """The exact reading of an indicator in its unit; the outcome's word if it is not known."""
    rule = ruleset.rule(ruleset.root)
    key = f"{rule.records}.{name}" if rule.records else name
    if key not in ruleset.indicators:
        return f"规则「{rule.id}」没有用到指标「{name}」"
    indicator = ruleset.indicators[key]
    trace = by_reference(ruleset, profile)

    def outcomes(records: str, id: str) -> list[Outcome]:
        count = len(profile.records[records].items)
        return [Outcome(trace[f"{records}#{i}:{id}"]) for i in range(count)]  # type: ignore[arg-type]

    record = next(iter(profile.records[rule.records].items)) if rule.records else {}
    reading = Evaluator(ruleset, profile, outcomes).read(indicator.expr, rule.records, record)
    if reading.code is not None:
        return reading.code
    exact = reading.exact
    if exact is None:
        return (Outcome.PENDING if reading.gap is Gap.PENDING else Outcome.MISSING).text
    value = indicator.measured(exact)
    return show(value, indicator.unit) if indicator.unit else str(value)


def shown(result: Result) -> str:
    """A result in the form that examples use: 符合, 15分, 6分至10分."""
    if isinstance(result, Outcome):
        return result.text
    if result.lo == result.hi:
        return f"{exact_decimal(result.lo)}分"
    return f"{exact_decimal(result.lo)}分至{exact_decimal(result.hi)}分"


@dataclass(frozen=True)
class ExampleRun:
    """The actual result for one expectation."""

    example: Example
    expectation: Expectation
    actual: str

    @property
    def passed(self) -> bool:
        """Whether the example holds."""
        return self.actual == self.expectation.text


def run(
    rulebook: Rulebook,
    example: Example,
    evaluate: Evaluate,
    read: Callable[[Ruleset, Profile, str], str],
) -> list[ExampleRun]:
    """Run one example; ``read`` shows the exact reading of an indicator."""
    return [
        ExampleRun(example, e, actual(rulebook, example.given, e, evaluate, read))
        for e in example.expected
    ]


def actual(
    rulebook: Rulebook,
    given: Given,
    expectation: Expectation,
    evaluate: Evaluate,
    read: Callable[[Ruleset, Profile, str], str],
) -> str:
    """The actual result for one expectation, in the words of the examples."""
    if expectation.kind == "适用":
        return applies(rulebook, given)
    if expectation.kind in courses.KINDS:
        return course(rulebook, given, expectation)
    if expectation.kind in clocks.KINDS:
        asked, recorded = given.happened.asked, given.recorded
        found = timing(rulebook, given)
        return clocks.actual(found, recorded, asked, expectation.kind, expectation.subject)
    if expectation.kind == "门槛":
        slot = rulebook.thresholds.get(given.rule)
        if slot is None:
            raise ExampleError(
                "not-a-threshold", "规则「{where}」不是门槛：请改写结论或得分", where=given.rule
            )
        return show(slot.value.value, slot.text.lstrip("+-.0123456789"))
    if expectation.kind == "设定":
        return setting(rulebook, given)
    profile = given.profile()
    if expectation.kind == "所适用的规则":
        trace = evaluate(rulebook.ruleset(applies(rulebook, given), given.assume), profile)
        if expectation.subject not in trace:
            raise RulesetError(
                "not-in-ruleset",
                "所适用的规则集没有用到「{value}」：请查对编号",
                value=expectation.subject,
            )
        return shown(trace[expectation.subject])
    ruleset = rulebook.ruleset(given.rule, given.assume)
    rule = ruleset.rule(given.rule)
    if rule.records and not profile.listed(rule.records).items:
        name = ruleset.lists[rule.records].name
        raise ExampleError(
            "record-needed",
            "规则「{where}」逐条判断：请写「一条“{expected}”记录」",
            where=rule.id,
            expected=name,
        )
    if expectation.kind == "指标":
        return read(ruleset, profile, expectation.subject)
    trace = evaluate(ruleset, profile)
    key = f"{given.rule}/{expectation.subject}" if expectation.subject else given.rule
    if rule.records:
        key = f"{rule.records}#0:{key}"
    if key not in trace:
        raise RulesetError(
            "no-such-item",
            "规则「{where}」没有「{value}」这一项",
            where=given.rule,
            value=expectation.subject,
        )
    return shown(trace[key])


def setting(rulebook: Rulebook, given: Given) -> str:
    """The value of the slot that a rule fills, in a case: a province's, or the default."""
    item = next((f.slot for f in rulebook.fills if f.clause == given.rule), None)
    if item is None:
        item = next(
            (r.cells[1] for r in rulebook.clauses[given.rule].definition.table[1:]), given.rule
        )
    if item not in rulebook.slots:
        raise ExampleError(
            "not-a-slot", "规则「{where}」不是省级设定：请改写结论或得分", where=given.rule
        )
    found = provinces.in_force(rulebook.fills, given.province, given.day)
    texts = [f.text for f in found if f.slot == item]
    return texts[0] if texts else rulebook.slots[item].default


def course(rulebook: Rulebook, given: Given, expectation: Expectation) -> str:
    """Where the case of an example of a workflow stands."""
    workflow = rulebook.workflows.get(given.rule)
    if workflow is None:
        raise ExampleError(
            "not-a-workflow", "规则「{where}」不是办理程序：请改写结论或得分", where=given.rule
        )
    kind, subject = expectation.kind, expectation.subject
    return courses.actual(workflow, rulebook.working_days, given.happened, kind, subject)


def timing(rulebook: Rulebook, given: Given) -> Timing:
    """The clocks of an example: those of its rule, or of its case in the table that says which."""
    if given.rule in rulebook.clocks:
        always = Period(None, None, rulebook.clocks[given.rule])
        return Timing((always,), rulebook.working_days)
    if rulebook.clauses[given.rule].definition.text == tables.CLOCK_ROWS:
        return rulebook.timing(given.case.get("层级", ""), given.province)
    raise ExampleError("not-clocks", "规则「{where}」不是计时：请改写结论或得分", where=given.rule)


def applies(rulebook: Rulebook, given: Given) -> str:
    """What governs the case of an applicability example: a ruleset, a workflow or clocks."""
    case = given.case
    rows, procedure, none = rulebook.applicability, case.get("程序", "认定"), NO_RULESET
    match rulebook.clauses[given.rule].definition.text:
        case tables.WORKFLOW_ROWS:
            rows, none = rulebook.workflow_rows, NO_WORKFLOW
        case tables.CLOCK_ROWS:
            rows, procedure, none = rulebook.clock_rows, "", NO_CLOCKS
    try:
        found = editions.governing(
            rows,
            tier=case.get("层级", ""),
            procedure=procedure,
            province=given.province,
            batch=case.get("批次", ""),
            day=given.day,
        )
    except NoRulesetError:
        return none
    return found.row.ruleset
