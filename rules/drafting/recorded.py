"""A case as a scenario for the drafter: the figures that a rule reads, and the result they have.

Nobody is named: no code, no name, no text that the rule does not read.
"""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Final

from rules.decider import Decision
from rules.drafting.format import width
from rules.drafting.steps import DEFAULT_AS_OF
from rules.language.source import GherkinStep, Row, Scenario
from rules.language.values import exact_decimal
from rules.model.days import day_text
from rules.model.expressions import leaves
from rules.model.facts import Fact, Scalar, period_name, yearly_key
from rules.model.quantities import UNITS
from rules.model.ruleset import Expr, Outcome, Result

_GIVEN: Final = "假如"
_EXPECTED: Final = "那么"
#: What it is called; whoever puts it into a file gives it the name of what it shows.
_NAME: Final = "取自一个案件"


def scenario(decision: Decision, rule: str) -> Scenario:
    """The scenario that gives a rule the same result as the case; its lines are not numbered."""
    read = dict.fromkeys(_read(decision, rule))
    steps = [*_filed(decision, read), *_lists(decision, read)]
    if (day := decision.profile.as_of) != DEFAULT_AS_OF:
        steps.insert(0, GherkinStep(f"填报日期为{day_text(day)}", 0))
    expected = GherkinStep(_result(decision.trace[rule]), 0)
    return Scenario(_NAME, 0, (*steps, expected))


def text(found: Scenario) -> str:
    """The scenario as it is written under a rule, with its tables aligned."""
    lines = [f"    场景: {found.name}"]
    for number, step in enumerate(found.steps):
        last = number == len(found.steps) - 1
        word = _EXPECTED if last else _GIVEN if number == 0 else "而且"
        lines.append(f"      {word} {step.text}")
        widths = [max(map(width, c)) for c in zip(*(r.cells for r in step.table), strict=True)]
        for row in step.table:
            cells = (c + " " * (w - width(c)) for c, w in zip(row.cells, widths, strict=True))
            lines.append(f"        | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _read(decision: Decision, root: str) -> Iterator[Expr]:
    """The leaves that a rule and all rules under it read."""
    ruleset = decision.ruleset
    waiting, seen = [root], {root}
    while waiting:
        rule = ruleset.rule(waiting.pop())
        below = list(rule.rule_references())
        for name in rule.indicator_names():
            for leaf in leaves(ruleset.indicator(rule, name).expr):
                yield leaf
                below += [leaf[2]] if leaf[0] == "count" else []
                below += [leaf[3]] if leaf[0] == "total" else []
        waiting += [id for id in dict.fromkeys(below) if id not in seen]
        seen.update(below)


def _filed(decision: Decision, read: dict[Expr, None]) -> Iterator[GherkinStep]:
    """The single facts, with their years as periods."""
    profile, facts = decision.profile, decision.ruleset.facts
    rows = list[tuple[str, str]]()
    for leaf in read:
        match leaf:
            case ("fact", id) if (value := profile.values.get(id)) is not None:
                rows.append((facts[id].name, _exact(facts[id], value)))
            case ("year", id, offset):
                key = yearly_key(id, profile.fiscal_year + offset)
                if (value := profile.values.get(key)) is not None:
                    rows.append((period_name(facts[id], offset), _exact(facts[id], value)))
            case ("count", *_, str() as total) | ("total", *_, str() as total):
                if (value := profile.values.get(total)) is not None:
                    rows.append((facts[total].name, _exact(facts[total], value)))
    if rows:
        yield GherkinStep("企业填报", 0, tuple(Row(0, row) for row in dict.fromkeys(rows)))


def _lists(decision: Decision, read: dict[Expr, None]) -> Iterator[GherkinStep]:
    """The lists of records, with the fields that the ruleset reads."""
    profile, fields = decision.profile, decision.ruleset.fields
    for id in dict.fromkeys(leaf[1] for leaf in read if leaf[0] in ("count", "total")):
        filed = profile.records.get(id)
        own = [f for key, f in fields.items() if key.partition(".")[0] == id]
        if filed is None or not own:
            continue
        kind = decision.ruleset.lists[id].name
        said = "已" if filed.complete else "未"
        rows = [Row(0, tuple(f.name for f in own))]
        for item in filed.items:
            cells = (_exact(f, item[f.id]) if f.id in item else "" for f in own)
            rows.append(Row(0, tuple(cells)))
        yield GherkinStep(f"{said}报全的“{kind}”清单", 0, tuple(rows))


def _exact(fact: Fact, value: Scalar) -> str:
    """A value as an example states it, without rounding."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if fact.kind == "number":
        return f"{exact_decimal(Fraction(value) / UNITS[fact.unit][1])}{fact.unit}"
    return day_text(date.fromisoformat(value)) if fact.kind == "date" else value


def _result(result: Result) -> str:
    if isinstance(result, Outcome):
        return f"结论为“{result.text}”"
    low, high = exact_decimal(result.lo), exact_decimal(result.hi)
    return f"得分为“{low}分”" if low == high else f"得分为“{low}分至{high}分”"
