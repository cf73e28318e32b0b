"""Margins of filed values, and the changes that would turn a verdict to 符合.

Values stay within the bounds of the catalogue. Whether they are plausible beside the enterprise's
other figures is not checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final, NamedTuple

from rules.decider import Decision
from rules.errors import RulesetError
from rules.explanation.wording import magnitude, value_text
from rules.model.facts import Fact, Scalar
from rules.model.ruleset import Cases, Line, Outcome, Rule
from rules.portable import reference
from rules.sensitivity.along import Along
from rules.sensitivity.study import Reach, Study, StudyEvaluator, Tried, Variable

#: How many changes in a row are tried although they lead no further.
_PATIENCE: Final = 3


@dataclass(frozen=True, kw_only=True)
class Change:
    """Another value of a fact, and the resulting verdict.

    For several changes together, ``verdict`` is the result of all of them. Values are exact texts
    in base units, as in profiles; ``old`` is None if nothing was filed. ``relative`` is the size of
    the change: for a figure, its share of the figure, or of one unit of the form if the figure is
    smaller; for a date, its share of the distance from the filing date; for a yes-no fact or a
    code, 1.
    """

    key: str
    name: str
    fact: Fact
    old: Scalar | None
    new: Scalar
    verdict: Outcome
    relative: Fraction

    @property
    def difference(self) -> str:
        """The size of a figure's change, in its unit; empty for other facts."""
        if self.fact.kind != "number" or self.old is None:
            return ""
        return magnitude(Fraction(str(self.new)) - Fraction(str(self.old)), self.fact.unit)

    def to_json(self) -> dict[str, Any]:
        """The change as plain JSON values, with its values in words."""
        return {
            "key": self.key,
            "name": self.name,
            "old": self.old,
            "new": self.new,
            "old_text": "" if self.old is None else value_text(self.fact, self.old),
            "new_text": value_text(self.fact, self.new),
            "difference": self.difference,
            "verdict": self.verdict.text,
            "relative": str(self.relative),
        }


@dataclass(frozen=True, kw_only=True)
class Margin:
    """How far one filed value may change before the verdict changes.

    For a figure or date, ``below`` and ``above`` are the nearest values that change the verdict,
    None if there are none. For a yes-no fact or a code, ``others`` are the values that change it.
    """

    key: str
    name: str
    fact: Fact
    value: Scalar
    verdict: Outcome
    below: Change | None = None
    above: Change | None = None
    others: tuple[Change, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes, nearest first."""
        found = [c for c in (self.below, self.above, *self.others) if c is not None]
        return tuple(sorted(found, key=lambda c: c.relative))

    def to_json(self) -> dict[str, Any]:
        """The margin as plain JSON values."""
        return {
            "key": self.key,
            "name": self.name,
            "value": self.value,
            "text": value_text(self.fact, self.value),
            "verdict": self.verdict.text,
            "below": None if self.below is None else self.below.to_json(),
            "above": None if self.above is None else self.above.to_json(),
            "others": [c.to_json() for c in self.others],
        }


@dataclass(frozen=True)
class Rest:
    """A comparison that no change of filed values settled: its requirement and its outcome."""

    rule: str
    title: str
    requirement: str
    outcome: Outcome

    def to_json(self) -> dict[str, Any]:
        """The comparison as plain JSON values."""
        return {
            "rule": self.rule,
            "title": self.title,
            "requirement": self.requirement,
            "outcome": self.outcome.text,
        }


@dataclass(frozen=True)
class Changes:
    """The changes that would turn a verdict to 符合.

    For 不符合, each change in ``single`` suffices alone, smallest first. If there are none, the few
    changes in ``together`` suffice together, except for ``rest``: comparisons that the search did
    not settle, such as those that need a person's finding, a title that is not held, or many
    figures at once. These changes are small, but not proved smallest. For 材料不足 and 待人工认定,
    ``answers`` are values of unfiled yes-no facts that change the verdict.
    """

    verdict: Outcome
    single: tuple[Change, ...] = ()
    together: tuple[Change, ...] = ()
    rest: tuple[Rest, ...] = ()
    answers: tuple[Change, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The changes as plain JSON values."""
        return {
            "verdict": self.verdict.text,
            "single": [c.to_json() for c in self.single],
            "together": [c.to_json() for c in self.together],
            "rest": [r.to_json() for r in self.rest],
            "answers": [c.to_json() for c in self.answers],
        }


def margins(decision: Decision) -> list[Margin]:
    """The margin of every filed value that the root rule reads, smallest relative margin first.

    Texts, such as the industry code, have none. A root that is a score raises ``RulesetError``.

    >>> from datetime import date
    >>> from pathlib import Path
    >>> from rules import Decider, Profile, load
    >>> profile = Profile(date(2023, 6, 30), {"rd_expense@2022": "980000"})
    >>> with Decider(load(Path("features")).ruleset("63.2.研发费用")) as decider:
    ...     [margin] = margins(decider.decide(profile))
    >>> margin.above.difference, margin.above.verdict.text
    ('2万元', '材料不足')
    """
    search = _Search(decision)
    found = [search.margin(variable) for variable in search.variables]
    return sorted(found, key=lambda m: (not m.changes, m.changes and m.changes[0].relative))


def smallest_changes(decision: Decision) -> Changes:
    """The changes that would turn the verdict to 符合; empty if it is 符合 already.

    A person's finding is never one of them. A root that is a score raises ``RulesetError``.
    """
    search = _Search(decision)
    if search.verdict is Outcome.NOT_MET:
        return search.to_met()
    if search.verdict is Outcome.MET:
        return Changes(search.verdict)
    return Changes(search.verdict, answers=tuple(search.answers()))


class _Standing(NamedTuple):
    """How far a filing is from 符合: the comparisons that are not met, and the points still short."""

    unmet: int
    short: Fraction
    rests: tuple[Rest, ...]

    @property
    def order(self) -> tuple[int, Fraction]:
        return self.unmet, self.short


class _Move(NamedTuple):
    """Another value of a fact, the size of the change, and the standing it leads to."""

    variable: Variable
    value: Scalar
    relative: Fraction
    standing: _Standing

    @property
    def order(self) -> tuple[int, Fraction]:
        return self.standing.order


class _Search:
    def __init__(self, decision: Decision) -> None:
        ruleset, self.profile = decision.ruleset, decision.profile
        if not isinstance(decision.verdict, Outcome):
            raise RulesetError(
                "only-points", "规则「{value}」只给出得分，没有可以改变的结论", value=ruleset.root
            )
        self.root, self.verdict = ruleset.root, decision.verdict
        self.reach = Reach(ruleset)
        evaluator = StudyEvaluator(ruleset.to_json())
        self.study = Study(self.reach, evaluator, self.profile.to_json())
        self.variables = self.reach.variables(self.profile)

    def outcome(self, case: reference.Evaluation, key: str) -> Outcome:
        found = case.itself.trace[key]
        assert isinstance(found, int)
        return Outcome(found)

    def change(self, variable: Variable, new: Scalar, verdict: Outcome) -> Change:
        relative = variable.remoteness(new, self.profile.as_of)
        key, name, fact, old = variable.key, variable.name, variable.fact, variable.value
        return Change(
            key=key, name=name, fact=fact, old=old, new=new, verdict=verdict, relative=relative
        )

    def turned(self, variable: Variable, tried: Tried) -> Iterator[Change]:
        """The tried values that give another verdict."""
        for value, case in tried:
            verdict = self.outcome(case, self.root)
            if verdict is not self.verdict:
                yield self.change(variable, value, verdict)

    def margin(self, variable: Variable) -> Margin:
        own = Margin(
            key=variable.key,
            name=variable.name,
            fact=variable.fact,
            value=variable.filed,
            verdict=self.verdict,
        )
        if not variable.ordered:
            others = self.turned(variable, self.study.others(variable))
            return replace(own, others=tuple(others))
        below, above = (self.turned(variable, run) for run in self.study.runs(variable))
        return replace(own, below=next(below, None), above=next(above, None))

    def answers(self) -> Iterator[Change]:
        for variable in self.reach.unanswered(self.profile):
            yield from self.turned(variable, self.study.others(variable))

    # changes that turn 不符合 to 符合

    def to_met(self) -> Changes:
        variables = [v for v in self.variables if v.fact.origin == "填报"]
        runs = [list(run) for v in variables for run in self.runs(self.study, v)]
        alone = (next((m for m in run if not m.order[0]), None) for run in runs)
        single = [self.change(m.variable, m.value, Outcome.MET) for m in alone if m is not None]
        if single:
            return Changes(self.verdict, tuple(sorted(single, key=lambda c: c.relative)))
        return self.together(variables, [move for run in runs for move in run])

    def runs(self, study: Study, variable: Variable) -> Iterator[Iterator[_Move]]:
        """The values of a fact by direction, nearest first."""
        for tried in study.runs(variable):
            yield (
                _Move(
                    variable,
                    value,
                    variable.remoteness(value, self.profile.as_of),
                    self.standing(case, self.root),
                )
                for value, case in tried
            )

    def together(self, variables: list[Variable], moves: list[_Move]) -> Changes:
        """A few changes together; none exceeds the figure itself if such changes lead as far."""
        moderate = [m for m in moves if m.relative <= 1]
        tried = [self.steps(variables, moderate, Fraction(1)), self.steps(variables, moves, None)]
        study, chosen = min(tried, key=lambda t: self.standing(t[0].base, self.root).order)
        standing = self.standing(study.base, self.root)
        for key in reversed(list(chosen)):  # later changes may make it needless or too large
            move = chosen.pop(key)
            least = self.least(study, move.variable, standing.order)
            study = study.having(move.variable, least.value if least else move.variable.filed)
            if least:
                chosen[key] = least
        verdict = self.outcome(study.base, self.root)
        found = [self.change(m.variable, m.value, verdict) for m in chosen.values()]
        together = tuple(sorted(found, key=lambda c: c.relative))
        return Changes(self.verdict, (), together, self.standing(study.base, self.root).rests)

    def steps(
        self, variables: list[Variable], moves: list[_Move], most: Fraction | None
    ) -> tuple[Study, dict[str, _Move]]:
        """Take, at each step, the smallest of the changes that lead furthest.

        If none leads further, a few are tried that settle one comparison and unsettle another, as
        when a larger denominator is reached first.
        """
        study, chosen = self.study, dict[str, _Move]()
        standing = self.standing(study.base, self.root)
        best, seen, patience = (study, chosen), {standing.rests}, _PATIENCE
        reached = standing.order
        while reached[0] and patience:
            fresh = [m for m in moves if m.standing.rests not in seen or m.order < reached]
            move = min(fresh, key=lambda m: (m.order, m.relative), default=None)
            if move is None or move.order > reached:
                break
            study, chosen = (
                study.having(move.variable, move.value),
                {**chosen, move.variable.key: move},
            )
            seen.add(move.standing.rests)
            patience -= 1
            if move.order < reached:
                best, reached, patience = (study, chosen), move.order, _PATIENCE
            runs = (run for v in variables for run in self.runs(study, v))
            moves = [m for run in runs for m in run if most is None or m.relative <= most]
        return best

    def least(self, study: Study, variable: Variable, order: tuple[int, Fraction]) -> _Move | None:
        """The smallest change of a fact that leads as far; None if its filed value does."""
        without = study.having(variable, variable.filed)
        if self.standing(without.base, self.root).order <= order:
            return None
        runs = self.runs(study, variable)
        enough = (next((m for m in run if m.order <= order), None) for run in runs)
        return min((m for m in enough if m is not None), key=lambda m: m.relative)

    def standing(self, case: reference.Evaluation, id: str) -> _Standing:
        """How far a rule is from being met, by its nearest 情形."""
        rule = self.reach.rules[id]
        outcome = self.outcome(case, id)
        if outcome is Outcome.MET:
            return _Standing(0, Fraction(0), ())
        if not isinstance(rule.body, Cases):
            return _Standing(1, Fraction(0), (Rest(id, rule.title, rule.title, outcome),))
        nearest = []
        for option in rule.body.cases:
            parts = [
                self.compared(case, rule, line, f"{id}/{option.name}/{n}")
                for n, line in enumerate(option.lines, 1)
            ]
            nearest.append(
                _Standing(
                    sum(p.unmet for p in parts),
                    sum((p.short for p in parts), Fraction(0)),
                    tuple(rest for p in parts for rest in p.rests),
                )
            )
        return min(nearest, key=lambda s: s.order)

    def compared(self, case: reference.Evaluation, rule: Rule, line: Line, key: str) -> _Standing:
        """How far one comparison is from being met."""
        if line.subject == "rule":
            return self.standing(case, line.name)
        outcome, short = self.outcome(case, key), Fraction(0)
        if outcome is Outcome.MET:
            return _Standing(0, short, ())
        requirement = f"{line.name} {line.text}"
        if line.subject == "indicator":
            requirement = f"{self.reach.ruleset.indicator(rule, line.name).shown} {line.text}"
        if line.subject == "unmet":
            requirement = f"{self.reach.rules[line.name].title} {line.text}"
        if line.subject == "points":
            points, limit = case.itself.trace[line.name], line.value
            assert isinstance(points, reference.Points)
            assert isinstance(limit, Fraction)
            most = points.hi.value if isinstance(points.hi, Along) else points.hi
            short = max(limit - most, short) if line.op in (">=", ">") else short
            title = self.reach.rules[line.name.partition("/")[0]].title
            requirement = f"{title} {line.text}"
        return _Standing(1, short, (Rest(rule.id, rule.title, requirement, outcome),))
