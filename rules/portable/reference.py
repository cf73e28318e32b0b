"""The reference evaluator: decides a ruleset over the facts of one filing, in plain Python.

It is five modules on the standard library (Python 3.11 or later): ``figures`` has exact figures and
what is computed from them, ``evaluation`` a filing under evaluation, ``formulas`` and ``tables`` what a
ruleset says, and this one the whole. They share no code with the engine and compute only in whole
numbers and exact fractions. Anyone who holds the JSON of a ruleset and of the facts can decide the
case again with them. Rules are evaluated on demand, so their order in the ruleset does not matter.
Unforeseen input raises ``EvaluationError``; nothing is guessed.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rules.portable.evaluation import Evaluation, Place, Points, Result, Rule, Trace
from rules.portable.figures import EvaluationError, Json, Reading
from rules.portable.tables import Tables

__all__ = [
    "Alike",
    "Evaluation",
    "EvaluationError",
    "Evaluator",
    "Place",
    "Points",
    "Reading",
    "Trace",
    "evaluate",
    "verdict",
]

SCHEMA: Final = 1


def evaluate(ruleset: Json, facts: Json) -> Trace:
    """The results of all rules and their parts, under the trace keys of ``Evaluator``."""
    return Evaluator(ruleset).evaluate(facts)


def verdict(ruleset: Json, facts: Json) -> Result:
    """The result of the root rule.

    >>> line = {"subject": "indicator", "name": "人数", "op": ">=", "value": "20"}
    >>> body = {"kind": "cases", "cases": [{"name": "一", "lines": [line]}]}
    >>> staff = {"kind": "number", "origin": "填报", "minimum": "0", "maximum": None}
    >>> ruleset = {
    ...     "schema": 1,
    ...     "root": "甲",
    ...     "rules": [{"id": "甲", "records": "", "body": body}],
    ...     "indicators": {"人数": {"expr": ["fact", "staff"], "records": ""}},
    ...     "facts": {"staff": staff},
    ... }
    >>> filed = {"as_of": "2023-06-30", "records": {}, "values": {"staff": "20"}}
    >>> verdict(ruleset, filed), verdict(ruleset, {**filed, "values": {}})
    (3, 1)
    """
    return evaluate(ruleset, facts)[ruleset["root"]]


class Evaluator(Tables):
    """A ruleset ready for evaluating many filings.

    Trace keys are ``rule``; ``rule/case``, and ``rule/case/n`` for its n-th line from 1;
    ``rule/indicator`` for bands; ``rule/group`` for totals. The prefix ``list#i:`` stands for the
    i-th record of a list, from 0.
    """

    def __init__(self, ruleset: Json) -> None:
        if ruleset.get("schema") != SCHEMA:
            raise EvaluationError(f"unknown schema {ruleset.get('schema')!r}")
        super().__init__(ruleset)
        self.lists = tuple(dict.fromkeys(rule["records"] for rule in self.rules.values()))
        self._alike: dict[Evaluator, Alike] = {}
        self._met: set[tuple[Evaluator, ...]] = set()
        self._sources: dict[tuple[Evaluator, ...], dict[str, tuple[Evaluator, Alike]]] = {}
        self._over: dict[str, list[tuple[str, Rule]]] = {}

    def over(self, records: str) -> list[tuple[str, Rule]]:
        """The rules over the records of a list or none, read when there are records to ask them of."""
        if records not in self._over:
            ids = [id for id, rule in self.rules.items() if rule["records"] == records]
            self._over[records] = [(id, self.rule(id, records)) for id in ids]
        return self._over[records]

    def sources(self, others: tuple["Evaluator", ...]) -> Mapping[str, tuple["Evaluator", "Alike"]]:
        """For each list and none, which of other rulesets has most in common with this one, and what.

        Nothing for the first filing: to evaluate one takes less time than to find out.
        """
        if others not in self._met:
            self._met.add(others)
            return {}
        if others not in self._sources:
            found: dict[str, tuple[Evaluator, Alike]] = {}
            for other in others:
                if other not in self._alike:
                    self._alike[other] = Alike(self, other)
                alike = self._alike[other]
                for records in {**alike.keys, **alike.indicators}:
                    most = found.get(records)
                    if most is None or alike.extent(records) > most[1].extent(records):
                        found[records] = (other, alike)
            self._sources[others] = found
        return self._sources[others]

    def evaluate(self, facts: Json) -> Trace:
        """The trace of one filing: each rule once, and each rule over records once per record."""
        return self.evaluation(facts).trace

    def evaluation(self, facts: Json, given: Mapping["Evaluator", Evaluation] = {}) -> Evaluation:
        """Evaluate one filing: its trace and its readings.

        ``given`` are evaluations of the same facts under other rulesets; what comes to the same
        there is taken from them.
        """
        try:
            filing = Evaluation(facts)
            for records, (other, alike) in self.sources(tuple(given)).items():
                alike.take(records, filing, given[other])
            for records in self.lists:
                places = filing.places(records)
                rules = self.over(records) if places else []
                for place in places:
                    for id, rule in rules:
                        if id not in place.trace:
                            rule(filing, place)
        except (
            ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError
        ) as problem:  # fmt: skip
            raise EvaluationError(f"malformed ruleset or facts: {problem!r}") from problem
        return filing


class Alike:
    """The rules and indicators that come to the same under two rulesets, whatever is filed.

    They are written alike, and so is everything that they name, and what that names.
    """

    def __init__(self, one: Evaluator, other: Evaluator) -> None:
        mine, theirs = parts(one), parts(other)
        kept = {key for key, part in mine.items() if key in theirs and theirs[key] == part}
        naming = ("rules", "indicators")
        named = {key: mentioned(mine[key]) if key[0] in naming else set() for key in kept}
        changed = {key for keys in (mine, theirs) for key in keys} - kept
        while changed:
            names = {name for part in changed for name in called(*part)}
            changed = {key for key in kept if any(name <= named[key] for name in names)}
            kept -= changed
        #: The keys of these rules in a trace, by the list of records over which they are.
        self.keys = keys_by_list(mine[key] for key in kept if key[0] == "rules")
        everything = keys_by_list(other.rules.values())
        #: The keys of the other's further rules, likewise.
        self.further = {
            records: everything[records] - alike for records, alike in self.keys.items()
        }
        #: The names of these indicators, likewise.
        self.indicators: dict[str, set[str]] = {}
        for kind, id in kept:
            if kind == "indicators":
                records = mine[kind, id]["records"]
                self.indicators.setdefault(records, set()).add(id.removeprefix(f"{records}."))

    def extent(self, records: str) -> int:
        """How much is alike over the records of a list or none."""
        return len(self.keys.get(records, ())) + len(self.indicators.get(records, ()))

    def take(self, records: str, mine: Evaluation, theirs: Evaluation) -> None:
        """Take what is alike there from the evaluation of the same facts under the other."""
        further, names = self.further.get(records), self.indicators.get(records, ())
        for here, there in zip(mine.places(records), theirs.places(records), strict=True):
            if further is not None:
                here.trace = there.trace.copy()  # far faster than to look up what is taken
                for key in further:
                    del here.trace[key]
            here.known = {name: read for name, read in there.known.items() if name in names}


def keys_by_list(rules: Iterable[Json]) -> dict[str, set[str]]:
    """The keys of rules in a trace, by the list of records over which the rules are."""
    found: dict[str, set[str]] = {}
    for rule in rules:
        found.setdefault(rule["records"], set()).update(keys(rule))
    return found


def keys(rule: Json) -> list[str]:
    """The keys of a rule in a trace: its own, and those of its cases, indicators or groups."""
    id, body = rule["id"], rule["body"]
    found = [id, *(f"{id}/{name}" for name, _ in body.get("bands", ()))]
    found += [f"{id}/{group}" for group, *_ in body.get("items", ()) if group]
    for case in body.get("cases", body.get("rungs", ())):
        own = f"{id}/{case['name']}"
        found += [own, *(f"{own}/{n}" for n, _ in enumerate(case["lines"], 1))]
    return found


def parts(evaluator: Evaluator) -> dict[tuple[str, str], Any]:
    """Whatever can be named in a ruleset, by its kind and name."""
    kinds = ("indicators", "facts", "fields", "maps", "parameters")
    found = {("rules", id): rule for id, rule in evaluator.rules.items()}
    for kind in kinds:
        found |= {(kind, key): part for key, part in evaluator.ruleset.get(kind, {}).items()}
    return found


def called(kind: str, key: str) -> tuple[frozenset[str], ...]:
    """The texts that name a part together: its name, or that without its list beside the list's."""
    whole = frozenset([key])
    records, dot, name = key.partition(".")
    listed = dot and kind in ("fields", "indicators")
    return (whole, frozenset([records, name])) if listed else (whole,)


def mentioned(part: Any) -> set[str]:
    """All texts in a part of a ruleset, and the rule of each group of points."""
    if isinstance(part, str):
        return {part, part.partition("/")[0]}
    if isinstance(part, Mapping):
        part = list(part.values())
    if isinstance(part, list | tuple):
        return set().union(*map(mentioned, part))
    return set()
