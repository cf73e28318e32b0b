"""Mutants: rulebooks with one small error, which some example must notice.

A mutant of a rule is tried on the rule's own examples, then on those of the rules that refer to it;
a mutant of an indicator, on the examples of every rule that reads it. The first example that fails
or cannot be evaluated kills it. Equivalent mutants, which no example can tell from the original,
are listed with the reason in a table 规则,变异,理由.
"""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from rules.drafting.examples import Example, examples, read_indicator, run
from rules.drafting.mutations import (
    ALWAYS,
    Lookup,
    moved,
    of_clocks,
    of_formula,
    of_rule,
    of_workflow,
    step,
)
from rules.errors import RulesError, RulesetError
from rules.language.clocks import own_rows
from rules.language.editions import ApplicabilityRow
from rules.language.linking import dependencies, indicator_keys, vocabulary
from rules.language.provinces import Fill
from rules.language.rulebook import Rulebook
from rules.model.facts import Profile
from rules.model.quantities import show
from rules.model.ruleset import (
    Assumed,
    Indicator,
    Outcome,
    Position,
    Rule,
    Ruleset,
    Trace,
    trace_of,
)
from rules.portable import reference

#: The file name of the list of equivalent mutants in a features folder, and its columns.
EQUIVALENT: Final = "mutants-equivalent.csv"
COLUMNS: Final = ("规则", "变异", "理由")
#: The rule (or indicator) and the description of a mutant.
Key: TypeAlias = tuple[str, str]
P = TypeVar("P", ApplicabilityRow, Fill)


@dataclass(frozen=True)
class Mutant:
    """A rulebook with one alteration; ``rule`` is the id of the rule, or the indicator's name.

    ``path`` is the feature file of the rule; ``tried`` are the rules whose examples may notice it.
    """

    rule: str
    description: str
    path: str
    tried: tuple[str, ...]
    rulebook: Rulebook = field(compare=False, repr=False)

    @property
    def key(self) -> Key:
        """The key of the mutant in the list of equivalent ones."""
        return self.rule, self.description

    def __str__(self) -> str:
        return f"{self.rule}：{self.description}"


def mutants(rulebook: Rulebook, only: Collection[str] | None = None) -> Iterator[Mutant]:
    """Every mutant of a rulebook, or only those of some rules and of the indicators they read."""
    ids = [id for id in rulebook.clauses if only is None or id in only]
    referring = _referring(rulebook)
    for id in ids:
        if id in rulebook.rules:
            tried = (id, *referring.get(id, ()))
            yield from _of_rule(rulebook, rulebook.rules[id], tried)
        elif id in rulebook.thresholds:
            yield from _of_slot(rulebook, id)
        elif id in rulebook.workflows:
            path = rulebook.clauses[id].path
            for text, workflow in of_workflow(rulebook.workflows[id]):
                workflows = {**rulebook.workflows, id: workflow}
                yield Mutant(id, text, path, (id,), replace(rulebook, workflows=workflows))
        elif id in rulebook.clocks:
            path, (rows, _) = rulebook.clauses[id].path, own_rows(rulebook.clauses[id])
            for text, altered in of_clocks(rulebook.clocks[id], len(rows)):
                clocks = {**rulebook.clocks, id: altered}
                yield Mutant(id, text, path, (id,), replace(rulebook, clocks=clocks))
    yield from _of_fills(rulebook, set(ids))
    yield from _of_applicability(rulebook, set(ids))
    yield from _of_indicators(rulebook, [rulebook.rules[id] for id in ids if id in rulebook.rules])


def survivors(
    rulebook: Rulebook,
    only: Collection[str] | None = None,
    progress: Callable[[Mutant], None] | None = None,
    avoid: Collection[str] = (),
) -> list[Mutant]:
    """The mutants that no example notices; ``progress`` is called before each is tried.

    Mutants that the examples of a rule in ``avoid`` may notice are left out.
    """

    @cache
    def expanded(id: str) -> tuple[Example, ...]:
        return tuple(examples(rulebook.clauses[id], rulebook.catalogue))

    found = []
    for mutant in mutants(rulebook, only):
        if not set(mutant.tried).isdisjoint(avoid):
            continue
        if progress:
            progress(mutant)
        if not _killed(mutant, (e for id in mutant.tried for e in expanded(id))):
            found.append(mutant)
    return found


def unlisted(found: Iterable[Mutant], equivalent: Mapping[Key, str]) -> list[Mutant]:
    """The survivors not listed as equivalent: each needs an example."""
    return [m for m in found if m.key not in equivalent]


def stale(
    found: Iterable[Mutant], equivalent: Mapping[Key, str], only: Collection[str] | None = None
) -> list[Key]:
    """The entries of the list that name no survivor: the mutant is gone, or an example kills it."""
    keys = {m.key for m in found}
    return [k for k in equivalent if k not in keys and (only is None or k[0] in only)]


def read_equivalent(path: Path) -> dict[Key, str]:
    """Read the list of equivalent mutants with the reasons; raises ``RulesetError`` if unusable."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header, *rows = list(csv.reader(stream, strict=True)) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RulesetError(
            "unreadable-table",
            "{where}:1: 不是 UTF-8 的 CSV 表，或引号没有成对：请改正",
            where=path.name,
        ) from error
    if tuple(header) != COLUMNS:
        raise RulesetError(
            "bad-heading",
            "{where}:1: 表头应为 {expected}：请改正",
            where=path.name,
            expected=",".join(COLUMNS),
        )
    listed: dict[Key, str] = {}
    for number, row in enumerate(rows, 2):
        if len(row) != len(COLUMNS) or not all(row) or (row[0], row[1]) in listed:
            raise RulesetError(
                "bad-row",
                "{where}:{line}: 此行缺列、有空白格或重复：请改正",
                where=path.name,
                line=number,
            )
        listed[row[0], row[1]] = row[2]
    return listed


def _killed(mutant: Mutant, tries: Iterable[Example]) -> bool:
    evaluators: dict[int, reference.Evaluator] = {}

    def evaluate(ruleset: Ruleset, profile: Profile) -> Trace:
        evaluator = evaluators.get(id(ruleset))
        if evaluator is None:  # the rulebook keeps its rulesets, so their ids stay valid
            evaluator = evaluators[id(ruleset)] = reference.Evaluator(ruleset.to_json())
        return trace_of(evaluator.evaluate(profile.to_json()))

    try:
        return any(
            not r.passed for e in tries for r in run(mutant.rulebook, e, evaluate, read_indicator)
        )
    except (RulesError, reference.EvaluationError):
        return True


def _of_rule(rulebook: Rulebook, rule: Rule, tried: tuple[str, ...]) -> Iterator[Mutant]:
    for text, altered in of_rule(rule, _lookup(rulebook, rule)):
        rules = {**rulebook.rules, rule.id: altered}
        yield Mutant(rule.id, text, rule.position.path, tried, replace(rulebook, rules=rules))


def _lookup(rulebook: Rulebook, rule: Rule) -> Lookup:
    named = {c for _, x in rule.lines() if isinstance(x.value, tuple) for c in x.value}
    foreign = {*rulebook.catalogue.added} - named  # titles of others, which no text alone can know

    def find(name: str) -> tuple[Indicator, tuple[str, ...]]:
        indicator = rulebook.indicators[f"{rule.records}.{name}" if rule.records else name]
        codes = vocabulary(indicator, rulebook.catalogue, rulebook.maps)
        return indicator, tuple(code for code in codes if code not in foreign)

    return Lookup(find, rulebook.catalogue)


def _of_slot(rulebook: Rulebook, id: str) -> Iterator[Mutant]:
    slot, path = rulebook.thresholds[id], rulebook.clauses[id].path
    unit = slot.text.lstrip("+-.0123456789")
    for text, value in moved(slot.value.value, unit, step(unit)):
        altered = replace(slot, value=replace(slot.value, value=value))
        thresholds = {**rulebook.thresholds, id: altered}
        yield Mutant(id, f"默认 {text}", path, (id,), replace(rulebook, thresholds=thresholds))


def _of_applicability(rulebook: Rulebook, ids: set[str]) -> Iterator[Mutant]:
    def written(rows: tuple[ApplicabilityRow, ...]) -> Rulebook:
        return rulebook.revised(written=rows)

    def workflows(rows: tuple[ApplicabilityRow, ...]) -> Rulebook:
        return rulebook.revised(workflow_rows=rows)

    def clocks(rows: tuple[ApplicabilityRow, ...]) -> Rulebook:
        return rulebook.revised(clock_rows=rows)

    yield from _of_rows(rulebook, ids, rulebook.written, written)
    yield from _of_rows(rulebook, ids, rulebook.workflow_rows, workflows)
    yield from _of_rows(rulebook, ids, rulebook.clock_rows, clocks)


def _of_rows(
    rulebook: Rulebook,
    ids: set[str],
    rows: tuple[ApplicabilityRow, ...],
    revised: Callable[[tuple[ApplicabilityRow, ...]], Rulebook],
) -> Iterator[Mutant]:
    texts = list(dict.fromkeys(r.ruleset for r in rows))
    places = _places(rulebook)
    for i, row in enumerate(rows):
        id, number = places[row.position]
        if id not in ids:
            continue
        altered: dict[str, tuple[ApplicabilityRow, ...]] = {"删去": ()}
        altered |= {text: (other,) for text, other in _shifted(row)}
        if len(texts) > 1:
            other = texts[texts.index(row.ruleset) - 1]
            altered[f"规则集 改为「{other}」"] = (replace(row, ruleset=other),)
        for text, new in altered.items():
            changed = revised((*rows[:i], *new, *rows[i + 1 :]))
            yield Mutant(id, f"第{number}行 {text}", row.position.path, (id,), changed)


def _of_fills(rulebook: Rulebook, ids: set[str]) -> Iterator[Mutant]:
    places, fills = _places(rulebook), rulebook.fills
    for i, fill in enumerate(fills):
        if fill.clause not in ids:
            continue
        number = places[fill.position][1]
        altered: dict[str, tuple[Fill, ...]] = {"删去": ()}
        altered |= {text: (other,) for text, other in _shifted(fill)}
        if fill.value is not None:
            unit = fill.text.lstrip("+-.0123456789")
            for text, value in moved(fill.value.value, unit, step(unit)):
                shown = show(value, unit)
                other = replace(fill, value=replace(fill.value, value=value), text=shown)
                altered[f"设定 {text}"] = (other,)
        for text, new in altered.items():
            changed = rulebook.revised(fills=(*fills[:i], *new, *fills[i + 1 :]))
            yield Mutant(
                fill.clause, f"第{number}行 {text}", fill.position.path, (fill.clause,), changed
            )


def _places(rulebook: Rulebook) -> dict[Position, tuple[str, int]]:
    """The rule and the number of each row of its definition table, by position."""
    return {
        Position(c.path, r.line): (c.id, n)
        for c in rulebook.clauses.values()
        for n, r in enumerate(c.definition.table)
    }


def _shifted(period: P) -> Iterator[tuple[str, P]]:
    """A period that begins or ends a day earlier or later."""
    for by in (-timedelta(days=1), timedelta(days=1)):
        if period.start:
            moved_to = period.start + by
            yield f"自 {period.start} 改为 {moved_to}", replace(period, start=moved_to)
        if period.end:
            moved_to = period.end + by
            yield f"至 {period.end} 改为 {moved_to}", replace(period, end=moved_to)


def _of_indicators(rulebook: Rulebook, rules: Iterable[Rule]) -> Iterator[Mutant]:
    readers: dict[str, list[str]] = {}
    for rule in rulebook.rules.values():
        for key in dict.fromkeys(indicator_keys(rule)):
            readers.setdefault(key, []).append(rule.id)
    always = {
        f"{ALWAYS}.{r.id}": Rule(
            id=f"{ALWAYS}.{r.id}",
            title=ALWAYS,
            clause="",
            citation="",
            notes=(),
            body=Assumed(Outcome.MET),
            records=r.id,
        )
        for r in rulebook.catalogue.records
    }
    for key in dict.fromkeys(k for rule in rules for k in indicator_keys(rule)):
        indicator = rulebook.indicators[key]
        for text, expr in of_formula(indicator.expr, rulebook.catalogue):
            indicators = {**rulebook.indicators, key: replace(indicator, expr=expr)}
            changed = replace(rulebook, indicators=indicators, rules={**rulebook.rules, **always})
            path = rulebook.rules[readers[key][0]].position.path
            yield Mutant(key, text, path, tuple(readers[key]), changed)


def users(rulebook: Rulebook, id: str) -> list[str]:
    """The rules whose examples may notice a mutant of a rule: those that refer to it, or read what it reads."""
    found = _referring(rulebook).get(id, [])
    read = set(indicator_keys(rulebook.rules[id])) if id in rulebook.rules else set()
    readers = [r.id for r in rulebook.rules.values() if read & set(indicator_keys(r))]
    return list(dict.fromkeys((*found, *readers)))


def _referring(rulebook: Rulebook) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for rule in rulebook.rules.values():
        for id in dict.fromkeys(dependencies(rule, rulebook.indicators)):
            found.setdefault(id, []).append(rule.id)
    return found
