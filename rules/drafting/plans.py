"""The cases that stand for every filing, chosen for a rule or a ruleset, and both evaluations of each."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, product
from math import prod
from typing import Any, Final, TypeAlias

from rules.decider import differences
from rules.drafting.synthetic import (
    GAPS,
    Choice,
    Input,
    InputReading,
    SyntheticSetting,
    given,
    reachable,
)
from rules.engine.driver import Engine
from rules.errors import EngineFaultError
from rules.model.quantities import show
from rules.model.ruleset import Attested, Bands, Points, Result, Rule, Ruleset, Total, trace_of
from rules.portable import reference

#: The most combinations of distinguishable inputs of one rule that are all tried.
PRODUCT: Final = 1024

#: What compiles a ruleset for the engine.
Make: TypeAlias = Callable[[Ruleset], Engine]


@dataclass(frozen=True)
class CertificateDifference:
    """A case on which the evaluators differ: the rule, the case and both results in Chinese."""

    rule: str
    case: str
    found: str
    expected: str

    def __str__(self) -> str:
        case = f"在{self.case}时" if self.case else "中"
        return f"规则「{self.rule}」{case}，规则引擎得“{self.found}”，独立复算得“{self.expected}”"


def planned(setting: SyntheticSetting) -> "Plan":
    """The cases of a single rule, or of a whole ruleset."""
    plan = Plan(setting)
    if setting.whole:
        plan.of_whole()
    else:
        plan.of_rule(setting.ruleset.rule(setting.ruleset.root))
    return plan


@dataclass
class Plan:
    """The cases of a setting, each with the reference evaluator's evaluation, or its complaint."""

    setting: SyntheticSetting
    cases: dict[Choice, "reference.Evaluation | str"] = field(default_factory=dict)
    evaluator: reference.Evaluator = field(init=False)

    def __post_init__(self) -> None:
        self.evaluator = reference.Evaluator(self.setting.ruleset.to_json())

    def add(self, choice: Choice) -> Mapping[str, Any]:
        """Add a case, evaluated by the reference evaluator if it is new; return its trace."""
        if choice not in self.cases:
            try:
                found: reference.Evaluation | str = self.evaluator.evaluation(
                    self.setting.profile(choice).to_json()
                )
            except reference.EvaluationError as error:
                found = str(error)
            self.cases[choice] = found
        known = self.cases[choice]
        return {} if isinstance(known, str) else known.trace

    def of_rule(self, rule: Rule) -> None:
        """Add the cases of a single rule."""
        inputs = self.setting.inputs
        everywhere = range(len(inputs))
        low = (0,) * len(inputs)
        choices = [self._distinct(low, n, rule) for n in everywhere]
        if prod(map(len, choices)) <= PRODUCT:
            for choice in product(*choices):
                self.add(choice)
            return
        best, worst = self._extremes(low, choices, rule.id)
        pairs = list(combinations(everywhere, 2))
        cases: dict[str, set[int]] = {}
        for case, line in rule.lines():
            within = cases.setdefault(case.name, set())
            within |= {n for n in everywhere if inputs[n].name in (line.name, given(line.name))}
        if not cases:
            self._pairs(best, choices, pairs)
            self._pairs(worst, choices, pairs)
            return
        # with all other lines unmet, a pair decides only the cases that lie within it
        deciding = [pair for pair in pairs if any(case <= {*pair} for case in cases.values())]
        self._pairs(worst, choices, deciding)
        for name, within in cases.items():
            best, _ = self._extremes(low, choices, f"{rule.id}/{name}")
            background = tuple(best[n] if n in within else worst[n] for n in everywhere)
            self._pairs(background, choices, combinations(sorted(within), 2))

    def _extremes(
        self, low: Choice, choices: Sequence[Sequence[int]], key: str
    ) -> tuple[Choice, Choice]:
        """The best and worst exact readings for a rule or one of its cases, input by input."""
        return _extremes(
            [
                {
                    place: _height(
                        r for k, r in self.add(_with(low, n, place)).items() if _of(key, k)
                    )
                    for place in places
                    if not self.setting.inputs[n].known[place].gap
                }
                for n, places in enumerate(choices)
            ]
        )

    def _pairs(
        self, background: Choice, choices: Sequence[Sequence[int]], pairs: Iterable[tuple[int, int]]
    ) -> None:
        """Add all choices for pairs of inputs against a background."""
        self.add(background)
        for m, n in pairs:
            for a, b in product(choices[m], choices[n]):
                self.add(_with(_with(background, m, a), n, b))

    def _distinct(self, low: Choice, n: int, rule: Rule) -> list[int]:
        """Try all readings of an input; return one for each distinguishable result.

        For the items of a total, these are the least, the most, and open points.
        """
        known = self.setting.inputs[n].known
        found: dict[str, int] = {}
        for place in range(len(known)):
            trace = self.add(_with(low, n, place))
            results = [(k, r) for k, r in trace.items() if _of(rule.id, k)]
            found.setdefault(repr(sorted(results)), place)
        places = list(found.values())
        return _ends(known, places) if isinstance(rule.body, Total) else places

    def of_whole(self) -> None:
        """Add the cases of a whole ruleset."""
        inputs = self.setting.inputs
        keys = [self._places(i) for i in inputs]
        heights: list[dict[int, Fraction]] = [{} for _ in inputs]
        distinct: list[dict[str, int]] = [{} for _ in inputs]
        for k in range(max((len(i.known) for i in inputs), default=1)):
            choice = tuple((k + n) % len(i.known) for n, i in enumerate(inputs))
            trace = self.add(choice)
            for n, place in enumerate(choice):
                if k < len(inputs[n].known):
                    results = [trace[key] for key in keys[n] if key in trace]
                    if not inputs[n].known[place].gap:
                        heights[n][place] = _height(results)
                    distinct[n].setdefault(repr(results), place)
        best, worst = _extremes(heights)
        self.add(best)
        self.add(worst)
        for n, found in enumerate(distinct):
            for place in (worst[n], *_open(inputs[n].known, list(found.values()))):
                self.add(_with(best, n, place))
        ways = self._ways()
        for rule in self.setting.ruleset.rules:  # a total may be an item of a later one
            if isinstance(rule.body, Total):
                sums, cap = _totals(rule.body, ways), rule.body.cap
                for chosen in sums.values():
                    self.add(tuple(chosen.get(n, w) for n, w in enumerate(worst)))
                ways[rule.id] = {p if cap is None else min(p, cap): w for p, w in sums.items()}

    def _places(self, input: Input) -> list[str]:
        """The keys of the lines and bands that read an input."""
        prefix = f"{input.records}#0:" if input.records else ""
        keys = []
        for rule in self.setting.ruleset.rules:
            if rule.records != input.records:
                continue
            if isinstance(rule.body, Bands | Attested) and input.name in rule.indicator_names():
                keys += [rule.id, f"{rule.id}/{input.name}"]
            numbers: dict[str, int] = {}
            for case, line in rule.lines():
                numbers[case.name] = number = numbers.get(case.name, 0) + 1
                if (line.subject, line.name) == ("indicator", input.name):
                    keys.append(f"{rule.id}/{case.name}/{number}")
        return [prefix + key for key in keys]

    def _ways(self) -> dict[str, "_Ways"]:
        """For each scored rule over figures, readings that give each number of points."""
        numbers = {i.name: n for n, i in enumerate(self.setting.inputs) if not i.records}
        read = {
            rule.id: [numbers[name] for name in dict.fromkeys(rule.indicator_names())]
            for rule in self.setting.ruleset.rules
            if rule.scored and not isinstance(rule.body, Total)
        }
        wanted = {id: reachable(self.setting.ruleset, id) for id in read}
        found: dict[str, _Ways] = {id: {} for id in read}
        for choice in self.cases:
            trace = self.add(choice)
            for id, inputs in read.items():
                points = trace.get(id)
                if not isinstance(points, reference.Points) or points.gap:
                    continue
                if points.lo in wanted[id]:
                    found[id].setdefault(points.lo, {n: choice[n] for n in inputs})
        return found

    def differing(self, make: Make = Engine) -> CertificateDifference | None:
        """The first case on which the engine differs, if there is one."""
        with make(self.setting.ruleset) as engine:
            for choice, expected in self.cases.items():
                difference = self._differing(engine, choice, expected)
                if difference:
                    return difference
        return None

    def _differing(
        self, engine: Engine, choice: Choice, expected: "reference.Evaluation | str"
    ) -> CertificateDifference | None:
        root = self.setting.ruleset.root
        try:
            found = engine.evaluate(self.setting.profile(choice))
        except EngineFaultError as error:
            return CertificateDifference(root, self.setting.words(choice), str(error), "有结果")
        if isinstance(expected, str):
            return CertificateDifference(root, self.setting.words(choice), "有结果", expected)
        keys = differences(found, expected)
        if not keys:
            return None
        rule = self._rule_of(keys)
        if rule is None:  # only readings differ
            return CertificateDifference(
                root, self.setting.words(choice), "别的读数", "、".join(keys[:3])
            )
        key = next(k for k in keys if _of(rule.id, k))
        names = [*rule.indicator_names(), *map(given, rule.rule_references())]
        return CertificateDifference(
            rule.id,
            self.setting.words(choice, names if self.setting.whole else None),
            _result(found.trace.get(key)),
            _result(trace_of(expected.trace).get(key)),
        )

    def _rule_of(self, keys: Collection[str]) -> Rule | None:
        """The first rule, in order of dependence, that has any of these keys among its results."""
        rules = self.setting.ruleset.rules
        return next((rule for rule in rules if any(_of(rule.id, key) for key in keys)), None)


#: For each number of points, the indices of readings that give them, by input.
_Ways: TypeAlias = dict[int | Fraction, dict[int, int]]


def _totals(body: Total, ways: Mapping[str, _Ways]) -> _Ways:
    """Readings for each total that the items can give."""
    sums: _Ways = {Fraction(0): {}}
    for item in body.items:
        found: _Ways = {}
        for total, chosen in sums.items():
            for points, way in ways[item.rule].items():
                if all(chosen.get(n, place) == place for n, place in way.items()):
                    found.setdefault(total + points, {**chosen, **way})
        sums = found
    return sums


def _of(whole: str, key: str) -> bool:
    """Whether a key, of a record or not, belongs to a rule or case, or to a part of it."""
    plain = key.partition("#0:")[2] or key
    return plain == whole or plain.startswith(f"{whole}/")


def _with(choice: Choice, n: int, place: int) -> Choice:
    return (*choice[:n], place, *choice[n + 1 :])


def _extremes(heights: Sequence[Mapping[int, Fraction]]) -> tuple[Choice, Choice]:
    """The best and the worst for every input."""
    pairs = [(max(h, key=h.__getitem__), min(h, key=h.__getitem__)) for h in heights]
    return tuple(best for best, _ in pairs), tuple(worst for _, worst in pairs)


def _ends(known: Sequence[InputReading], places: Sequence[int]) -> list[int]:
    """The first and the last exact reading, and one open reading of each kind."""
    exact = [p for p in places if not known[p].gap]
    return [*dict.fromkeys((exact[0], exact[-1])), *_open(known, places)]


def _open(known: Sequence[InputReading], places: Sequence[int]) -> list[int]:
    first = (next((p for p in places if known[p].gap is gap), None) for gap in GAPS)
    return [p for p in first if p is not None]


def _height(results: Iterable[Any]) -> Fraction:
    """How good these results are as a whole; open points count as their least."""
    return sum((Fraction(r if isinstance(r, int) else r.lo) for r in results), Fraction(0))


def _result(result: Result | None) -> str:
    if isinstance(result, Points):
        points = show(result.lo, "分")
        return points if result.lo == result.hi else f"{points}至{show(result.hi, '分')}"
    return "没有结果" if result is None else result.text
