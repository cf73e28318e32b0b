"""Compiles a ruleset to programs for the engine, one per scope.

The enterprise's rules form one scope; the rules over each list of records form another. Each of
these becomes one node of the engine: a line, the conjunction of a case, the disjunction of a rule,
the choice among bands, the choice among rungs. Identical nodes are shared.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Final, Literal, TypeAlias

from rules.engine.cells import cut, extremes, merged, pieces
from rules.engine.network import Node, pack
from rules.engine.program import (
    Banded,
    Best,
    Climbed,
    CodeStep,
    Compared,
    FigureStep,
    FiledStep,
    Program,
    Programs,
    Ranked,
    Scale,
    Score,
    Stage,
    Step,
    Summed,
)
from rules.engine.trees import (
    Split,
    Tree,
    bisect,
    by_gap,
    cells_of_ends,
    highest,
    least,
    negated,
    rungs,
    slots_of,
)
from rules.errors import RulesetError
from rules.model.ruleset import (
    Assumed,
    Attested,
    Band,
    Bands,
    Case,
    Cases,
    Ladder,
    Line,
    Outcome,
    Points,
    Rule,
    Ruleset,
    Total,
)

#: How many outcomes one node combines; larger combinations take several stages.
FAN_IN: Final = 16

_Subject: TypeAlias = Literal["indicator", "points"]


def compiled(ruleset: Ruleset) -> Programs:
    """The programs of all scopes, lists first: the enterprise's rules count their records."""
    return {records: compile_scope(ruleset, records) for records in scopes(ruleset)}


def scopes(ruleset: Ruleset) -> tuple[str, ...]:
    """The lists whose records have rules, then the enterprise's scope, whose name is empty."""
    lists = dict.fromkeys(rule.records for rule in ruleset.rules if rule.records)
    return (*lists, "")


def compile_scope(ruleset: Ruleset, records: str = "") -> Program:
    """The program of the rules over a list of records, or of the enterprise's rules."""
    return _Compiler([r for r in ruleset.rules if r.records == records]).program()


class _Compiler:
    """Hands out slots and scores; ``level`` is the stage after which each is known."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.unit = lcm(*(p.denominator for rule in rules for p in _all_points(rule)))
        self.slots: list[int | None] = []
        self.level: list[int] = []
        self.scores: list[Score] = []
        self.score_level: list[int] = []
        self.nodes: list[Node] = []
        self.steps: list[tuple[int, Step]] = []
        self.outcomes: dict[str, int] = {}
        self.points: dict[str, int] = {}
        # values that have a slot already, so that nothing is asked or encoded twice
        self.constants: dict[int, int] = {}
        self.answers: dict[Tree, int] = {}
        self.ranks: dict[int, int] = {}
        self.scales: dict[tuple[_Subject, str], Scale] = {}
        self.thresholds: defaultdict[tuple[str, str], list[Fraction]] = defaultdict(list)
        for constant in (c for rule in self.rules for c in rule.constants()):
            self.thresholds[constant.subject, constant.name].append(constant.value)
        self.codes: dict[str, CodeStep] = {}

    def program(self) -> Program:
        for rule in self.rules:
            self._rule(rule)
        stages = tuple(
            Stage(
                tuple(pack(node for node in self.nodes if self.level[node.slot] == level)),
                (
                    *self._ranked(level),
                    *(step for after, step in self.steps if after == level),
                ),
            )
            for level in range(max(self.level, default=0) + 1)
        )
        slots, scores = tuple(self.slots), tuple(self.scores)
        return Program(
            slots=slots,
            scores=scores,
            unit=self.unit,
            stages=stages,
            outcomes=self.outcomes,
            points=self.points,
        )

    def _ranked(self, level: int) -> Iterator[Step]:
        """One step for all outcomes of a stage that a disjunction ranks."""
        pairs = tuple(pair for pair in self.ranks.items() if self.level[pair[0]] == level)
        if pairs:
            yield Ranked(pairs)

    # slots and scores

    def _slot(self, level: int, value: int | None = None) -> int:
        self.slots.append(value)
        self.level.append(level)
        return len(self.slots) - 1

    def _score(self, level: int, value: Score = (0, 0, 0)) -> int:
        self.scores.append(value)
        self.score_level.append(level)
        return len(self.scores) - 1

    def _constant(self, value: int) -> int:
        if value not in self.constants:
            self.constants[value] = self._slot(0, value)
        return self.constants[value]

    def _answer(self, tree: Tree) -> int:
        """The slot of a tree's answer."""
        if isinstance(tree, int):
            return self._constant(tree)
        assert tree is not None
        if tree not in self.answers:
            slot = self._slot(1 + max(self.level[s] for s in slots_of(tree)))
            self.answers[tree] = slot
            self.nodes.append(Node(slot, tree))
        return self.answers[tree]

    def _rank(self, slot: int) -> int:
        if slot not in self.ranks:
            self.ranks[slot] = self._slot(self.level[slot])
        return self.ranks[slot]

    def _number(self, points: Fraction) -> int:
        return int(points * self.unit)

    # rules

    def _rule(self, rule: Rule) -> None:
        match rule.body:
            case Cases(cases):
                self.outcomes[rule.id] = self._any([self._case(rule, c) for c in cases])
            case Bands(bands):
                self.points[rule.id] = self._best(rule, bands)
            case Ladder(cases, rest):
                self.points[rule.id] = self._ladder(rule, cases, rest)
            case Total(items, cap):
                for group, members in rule.body.groups.items():
                    self.points[f"{rule.id}/{group}"] = self._sum(rule, [i.rule for i in members])
                most = None if cap is None else self._number(cap)
                self.points[rule.id] = self._sum(rule, [item.rule for item in items], most)
            case Attested(name, lo, hi):
                score = self.points[rule.id] = self._score(0)
                bounds = self._number(lo), self._number(hi)
                self.steps.append((0, FiledStep(score, name, self.unit, *bounds)))
            case Assumed(Points(lo, hi, gap)):
                given = self._number(lo), self._number(hi), int(gap)
                self.points[rule.id] = self._score(0, given)
            case Assumed(Outcome.NOT_APPLICABLE):
                raise RulesetError(
                    "not-applicable",
                    "规则 {where} 不能设为不适用：请从引用它的表中删去该行",
                    where=rule.id,
                )
            case Assumed(Outcome() as outcome):
                self.outcomes[rule.id] = self._constant(outcome)

    def _case(self, rule: Rule, case: Case) -> int:
        if not case.lines:
            raise RulesetError(
                "empty-case",
                "规则 {where} 的情形「{value}」没有内容：请至少写一行",
                where=rule.id,
                value=case.name,
            )
        key = f"{rule.id}/{case.name}"
        slots = [self._line(rule, line) for line in case.lines]
        self.outcomes |= {f"{key}/{n}": slot for n, slot in enumerate(slots, 1)}
        self.outcomes[key] = self._all(slots)
        return self.outcomes[key]

    def _all(self, slots: Sequence[int]) -> int:
        """A conjunction: the least outcome, whatever the grouping."""
        slots = list(dict.fromkeys(slots))
        while len(slots) > 1:
            slots = [self._answer(least(part)) for part in _parts(slots)]
        return slots[0]

    def _any(self, slots: Sequence[int]) -> int:
        """A disjunction: the outcome of the highest rank, whatever the grouping."""
        slots = list(dict.fromkeys(slots)) or [self._constant(Outcome.NOT_MET)]
        while len(slots) > 1:
            parts = ([self._rank(slot) for slot in part] for part in _parts(slots))
            slots = [self._answer(highest(part)) for part in parts]
        return slots[0]

    def _line(self, rule: Rule, line: Line) -> int:
        if line.subject == "rule":
            return _known(self.outcomes, line.name, rule)
        if line.subject == "unmet":
            return self._answer(negated(_known(self.outcomes, line.name, rule)))
        if isinstance(line.value, tuple):
            return self._answer(self._membership(line.name, line.value))
        if line.value is None or line.op == "in":
            raise RulesetError(
                "no-threshold",
                "规则 {where} 中「{value}」一行没有门槛：请补上",
                where=rule.id,
                value=line.name,
            )
        if line.subject == "points":
            _known(self.points, line.name, rule)
        scale = self._scale(line.subject, line.name)
        limit = cut(line.value, scale.factor, after=line.op in (">", "<="))
        undecided = by_gap(scale.gap)
        if line.op in (">=", ">"):
            above = Split(scale.lo, limit, undecided, Outcome.MET)
            return self._answer(Split(scale.hi, limit, Outcome.NOT_MET, above))
        below = Split(scale.hi, limit, Outcome.MET, undecided)
        return self._answer(Split(scale.lo, limit, below, Outcome.NOT_MET))

    def _membership(self, name: str, codes: tuple[str, ...]) -> Tree:
        code = self.codes.get(name)
        if code is None:
            values = (line.value for r in self.rules for _, line in r.lines() if line.name == name)
            named = sorted({c for value in values if isinstance(value, tuple) for c in value})
            numbers = {c: n for n, c in enumerate(named)}
            code = self.codes[name] = CodeStep(name, self._slot(0), self._slot(0), numbers)
            self.steps.append((0, code))
        met = [Outcome.MET if c in codes else Outcome.NOT_MET for c in code.numbers]
        cuts, leaves = merged(enumerate([*met, Outcome.NOT_MET]))
        return Split(code.slot, 0, by_gap(code.gap), bisect(code.slot, cuts, leaves))

    def _scale(self, subject: _Subject, name: str) -> Scale:
        """The scale of a figure or of points, with the step that encodes the value."""
        if (subject, name) in self.scales:
            return self.scales[subject, name]
        thresholds = self.thresholds[subject, name]
        numerators = (t.numerator for t in thresholds)
        denominators = (t.denominator for t in thresholds)
        factor = Fraction(lcm(*denominators), gcd(*numerators) or 1)  # all are zero: any will do
        ends = cut(min(thresholds), factor) - 1, cut(max(thresholds), factor, after=True)
        score = self.points[name] if subject == "points" else None
        level = 0 if score is None else self.score_level[score]
        slots = self._slot(level), self._slot(level), self._slot(level)
        unit = 1 if score is None else self.unit
        scale = Scale(*slots, factor, factor.numerator, factor.denominator * unit, *ends)
        self.scales[subject, name] = scale
        step = FigureStep(name, scale) if score is None else Compared(score, scale)
        self.steps.append((level, step))
        return scale

    def _best(self, rule: Rule, bands: Sequence[tuple[str, tuple[Band, ...]]]) -> int:
        parts = []
        for name, rows in bands:
            if not rows:
                raise RulesetError(
                    "no-bands",
                    "规则 {where} 的「{value}」没有分段：请补全",
                    where=rule.id,
                    value=name,
                )
            points: Sequence[int] = [max(self._number(band.points) for band in rows)]
            answer = gap = self._constant(0)
            if any(band.lo is not None or band.hi is not None for band in rows):
                scale = self._scale("indicator", name)
                cells = pieces(rule.id, name, rows, scale.factor)
                cuts, points = merged((start, self._number(p)) for start, p in cells)
                answer, gap = self._answer(cells_of_ends(scale.lo, scale.hi, cuts)), scale.gap
            level = self.level[answer]
            part = self.points[f"{rule.id}/{name}"] = self._score(level)
            self.steps.append((level, Banded(part, answer, gap, extremes(points))))
            parts.append(part)
        if len(parts) == 1:
            return parts[0]
        level = max(self.score_level[part] for part in parts)
        score = self._score(level)
        self.steps.append((level, Best(score, tuple(parts))))
        return score

    def _ladder(self, rule: Rule, cases: Sequence[Case], rest: Fraction) -> int:
        slots = [self._case(rule, case) for case in cases]
        points = [self._number(p) for p in (*_rung_points(rule, cases), rest)]
        table = tuple(
            (points[lo], points[hi], tuple(s for s, p in zip(slots, points) if p > points[lo]))  # noqa: B905
            for hi in range(len(points))
            for lo in range(len(points))
        )
        answer = self._answer(rungs(slots))
        score = self._score(self.level[answer])
        self.steps.append((self.level[answer], Climbed(score, answer, table)))
        return score

    def _sum(self, rule: Rule, items: Sequence[str], cap: int | None = None) -> int:
        parts = tuple(_known(self.points, item, rule) for item in items)
        level = max((self.score_level[part] for part in parts), default=0)
        score = self._score(level)
        self.steps.append((level, Summed(score, parts, cap)))
        return score


# tables


def _parts(slots: Sequence[int]) -> Iterator[Sequence[int]]:
    return (slots[at : at + FAN_IN] for at in range(0, len(slots), FAN_IN))


def _known(places: Mapping[str, int], name: str, rule: Rule) -> int:
    if name not in places:
        raise RulesetError(
            "unknown-reference",
            "规则 {where} 引用了「{value}」：它不存在、种类不符或排在后面",
            where=rule.id,
            value=name,
        )
    return places[name]


def _rung_points(rule: Rule, cases: Iterable[Case]) -> Iterator[Fraction]:
    for case in cases:
        if case.points is None:
            raise RulesetError(
                "case-without-points",
                "规则 {where} 的情形「{value}」没有得分：请补上",
                where=rule.id,
                value=case.name,
            )
        yield case.points


def _all_points(rule: Rule) -> Iterator[Fraction]:
    match rule.body:
        case Bands(bands):
            yield from (band.points for _, rows in bands for band in rows)
        case Ladder(cases, rest):
            yield from (*_rung_points(rule, cases), rest)
        case Attested(_, lo, hi) | Assumed(Points(lo, hi)):
            yield from (lo, hi)
        case Total(_, cap) if cap is not None:
            yield cap
