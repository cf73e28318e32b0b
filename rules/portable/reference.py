"""The reference evaluator: decides a ruleset over the facts of one filing, in plain Python.

It is one self-contained file on the standard library (Python 3.11 or later). It shares no code with
the engine and computes only in whole numbers and exact fractions. Anyone who holds the JSON of a
ruleset and of the facts can decide the case again with it. Rules are evaluated on demand, so their
order in the ruleset does not matter. Unforeseen input raises ``EvaluationError``; nothing is
guessed.

An *outcome* is 0 不符合, 1 材料不足, 2 待人工认定 or 3 符合. A *gap* says what would settle a value
that is not exactly known: 0 nothing, 1 a filed fact, 2 a person's finding. The outcome of an
unsettled comparison is its gap, which is why the two share their numbers.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from operator import ge, gt, le, lt
from typing import Any, Final, NamedTuple, TypeAlias

SCHEMA: Final = 1

NOT_MET: Final = 0
MISSING: Final = 1
PENDING: Final = 2
MET: Final = 3
#: In place of the result of a rule that is just being evaluated.
UNDER_WAY: Final = -1


class EvaluationError(Exception):
    """This evaluator does not understand the ruleset or the facts."""


#: An exact number. Whole numbers are mostly ``int``, which computes far faster.
Number: TypeAlias = int | Fraction


class Points(NamedTuple):
    """Points of a score: every value it may still take lies in [lo, hi]."""

    lo: Number
    hi: Number
    gap: int


class Reading(NamedTuple):
    """What is known of a figure: it lies in [lo, hi] (None: unbounded), or it is a known code.

    A ``broken`` figure cannot be computed from any figures; only a person can settle it. It is
    ``NOTHING`` that could be computed, or what is filed is ``IMPOSSIBLE``; else ``broken`` is 0.
    """

    lo: Number | None
    hi: Number | None
    gap: int
    code: str | None = None
    broken: int = 0


Json: TypeAlias = Mapping[str, Any]
Result: TypeAlias = int | Points
Trace: TypeAlias = dict[str, Result]
#: The record at hand: the id of its list, and its index there, from 0.
At: TypeAlias = tuple[str, int] | None

#: No value at all, as of a ratio to zero. It limits nothing that is computed with it.
NOTHING: Final = Reading(None, None, PENDING, broken=1)
#: A figure that cannot be, or that contradicts others. Nothing can be computed with it.
IMPOSSIBLE: Final = Reading(None, None, PENDING, broken=2)


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


class Evaluator:
    """A ruleset ready for evaluating many filings.

    Trace keys are ``rule``; ``rule/case``, and ``rule/case/n`` for its n-th line from 1;
    ``rule/indicator`` for bands; ``rule/group`` for totals. The prefix ``list#i:`` stands for the
    i-th record of a list, from 0.
    """

    def __init__(self, ruleset: Json) -> None:
        if ruleset.get("schema") != SCHEMA:
            raise EvaluationError(f"unknown schema {ruleset.get('schema')!r}")
        self.ruleset = ruleset
        self.rules: dict[str, Json] = {rule["id"]: rule for rule in ruleset["rules"]}
        self.tables: dict[str, Table] = {}
        self.indicators: dict[str, Formula] = {}
        self.alike: dict[Evaluator, Alike] = {}

    def table(self, id: str) -> "Table":
        """The table of a rule, read when it is first asked for."""
        if id not in self.tables:
            self.tables[id] = table(id, self.rules[id]["body"])
        return self.tables[id]

    def indicator(self, name: str, records: str) -> "Formula":
        """The formula of an indicator, of a list's records or none, read when it is first asked for."""
        key = f"{records}.{name}" if records else name
        if key not in self.indicators:
            expr = self.ruleset["indicators"][key]["expr"]
            self.indicators[key] = self.formula(expr, records)
        return self.indicators[key]

    def evaluate(self, facts: Json) -> Trace:
        """The trace of one filing: each rule once, and each rule over records once per record."""
        return self.evaluation(facts).trace

    def evaluation(self, facts: Json, given: Sequence["Evaluation"] = ()) -> "Evaluation":
        """Evaluate one filing: its trace and its readings.

        ``given`` are evaluations of the same facts under other rulesets; what comes to the same
        there is taken from them.
        """
        try:
            case = Evaluation(self, facts)
            for other in given:
                case.take(other)
            for name, rule in self.rules.items():
                for place in case.places(rule["records"]):
                    case.result(name, place)
        except (
            ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError
        ) as problem:  # fmt: skip
            raise EvaluationError(f"malformed ruleset or facts: {problem!r}") from problem
        return case

    # formulas: each is read once and becomes a function of a place, for it is asked of many

    def formula(self, formula: Sequence[Any], records: str = "") -> "Formula":
        """The reading of a formula, over the records of a list if one is named."""
        match formula:
            case ["fact", id]:
                read_fact = leaf(self.ruleset["facts"][id])
                return lambda filing, place: read_fact(filing.values.get(id))
            case ["year", id, offset]:
                read_year = leaf(self.ruleset["facts"][id])
                return lambda filing, place: read_year(filing.of_year(id, offset))
            case ["field", id] if records:
                read_field = leaf(self.ruleset["fields"][f"{records}.{id}"])
                return lambda filing, place: read_field(place.record.get(id))
            case ["const", text]:
                constant = exactly(number(text))
                return lambda *_: constant
            case ["add", *parts]:
                terms = [self.formula(part, records) for part in parts]
                return lambda filing, place: sum_up([term(filing, place) for term in terms])
            case ["bounded", a, lowers, uppers]:
                value = self.formula(a, records)
                below = [self.formula(lower, records) for lower in lowers]
                above = [self.formula(upper, records) for upper in uppers]
                return lambda filing, place: bounded(
                    value(filing, place),
                    [end(filing, place).lo for end in below],
                    [end(filing, place).hi for end in above],
                )
            case ["parameter", name, offset]:
                return self.parameter(name, offset)
            case ["count", of, rule, filed]:
                return self.count(of, rule, filed)
            case ["total", of, field, rule, filed]:
                return self.amount(of, field, rule, filed)
            case [kind, a, b] if kind in MEASURES:
                return self.time(a, b, records, MEASURES[kind])
            case ["year_number", a]:
                return self.time(a, a, records, lambda x, _: x.year)
            case ["lookup", name, a]:
                text_of, table = self.formula(a, records), self.ruleset["maps"][name]
                return lambda filing, place: lookup(table, text_of(filing, place))
            case [kind, a, b] if kind in BINARY:
                one, other, computed = *(self.formula(x, records) for x in (a, b)), BINARY[kind]
                return lambda filing, place: computed(one(filing, place), other(filing, place))
            case ["else_known", a, b]:
                return else_known(self.formula(a, records), self.formula(b, records))
        raise EvaluationError(f"unknown formula {formula!r}")

    def parameter(self, name: str, offset: int) -> "Formula":
        """The value of the row that fits best: by place, then by sector, then by year.

        A row is passed over only if a known fact rules it out. There is none if all are ruled out.
        """
        rows = sorted(self.ruleset["parameters"][name]["rows"], key=precedence)

        def read(filing: Evaluation, place: Place) -> Reading:
            year, values = filing.year + offset, filing.values
            unknown = False
            for of, name, sector, of_year, value, _ in rows:
                here, code = values.get(of), values.get("industry_code")
                if of_year is not None and of_year != year:
                    continue
                if of and here is not None and here != name:
                    continue
                if sector and code is not None and not code.startswith(sector):
                    continue
                if (of and here is None) or (sector and code is None):
                    unknown = True
                    continue
                return Reading(None, None, MISSING) if unknown else exactly(number(value))
            return Reading(None, None, MISSING) if unknown else NOTHING

        return read

    def count(self, records: str, rule: str, filed: str | None) -> "Formula":
        """How many records satisfy a rule: at least those that do, at most the undecided ones too.

        An incomplete list may hold any number of further records.
        """

        def read(filing: Evaluation, place: Place) -> Reading:
            outcomes = [filing.result(rule, record) for record in filing.places(records)]
            met = outcomes.count(MET)
            if not filing.complete(records):
                return Reading(met, None, MISSING)
            missing, pending = outcomes.count(MISSING), outcomes.count(PENDING)
            gap = MISSING if missing else PENDING if pending else 0
            return interval(met, met + missing + pending, gap)

        return self.listed(records, read, filed)

    def amount(self, records: str, field: str, rule: str, filed: str | None) -> "Formula":
        """The sum of a field over the records that satisfy a rule, bounded like ``count``.

        The field must never be negative, so undecided records can only add to the sum.
        """
        value_of = leaf(self.ruleset["fields"][f"{records}.{field}"])

        def read(filing: Evaluation, place: Place) -> Reading:
            terms = [] if filing.complete(records) else [Reading(0, None, MISSING)]
            for record in filing.places(records):
                value, outcome = value_of(record.record.get(field)), filing.outcome(rule, record)
                if value.lo is None or value.lo < 0:
                    raise EvaluationError(
                        f"{records}.{field} may be negative, it cannot be summed up"
                    )
                if outcome == MET:
                    terms.append(value)
                elif outcome in (MISSING, PENDING):
                    terms.append(Reading(0, value.hi, widest([outcome, value.gap])))
            return sum_up(terms)

        return self.listed(records, read, filed)

    def listed(self, records: str, itemised: "Formula", filed: str | None) -> "Formula":
        """The reading of a list's records, settled by the filed total.

        The total stands in for an incomplete list without records.
        """
        nothing_filed = Reading(0, None, MISSING)
        total = (lambda *_: nothing_filed) if filed is None else self.formula(["fact", filed])
        agreeing = self.agreeing(filed)

        def read(filing: Evaluation, place: Place) -> Reading:
            if not filing.places(records) and not filing.complete(records):
                return total(filing, place)
            return agreeing(filing, itemised(filing, place))

        return read

    def agreeing(self, filed: str | None) -> "Callable[[Evaluation, Reading], Reading]":
        """The reading of records, settled by a filed total that they allow, impossible by another.

        A total that is a flag says whether there is any record at all.
        """
        if filed is None:
            return lambda _filing, listed: listed
        total_of = self.formula(["fact", filed])

        def agreed(filing: Evaluation, listed: Reading) -> Reading:
            known = filing.values.get(filed)
            if known is None or listed.lo is None:
                return listed
            total = total_of(filing, filing.itself)
            least, most = listed.lo, listed.hi
            if isinstance(known, bool):
                least, most = min(least, 1), None if most is None else min(most, 1)
            if total.lo is None or least > total.lo or (most is not None and most < total.lo):
                return IMPOSSIBLE
            return total

        return agreed

    def time(
        self,
        a: Sequence[Any],
        b: Sequence[Any],
        records: str,
        measure: Callable[[date, date], Number],
    ) -> "Formula":
        """A measure of the time from date a to date b."""
        first, last = self.day(a, records), self.day(b, records)
        measured = lru_cache(maxsize=1 << 12)(lambda x, y: exactly(measure(x, y)))

        def read(filing: Evaluation, place: Place) -> Reading:
            start, end = first(filing, place), last(filing, place)
            if isinstance(start, date) and isinstance(end, date):
                return measured(start, end)
            return Reading(None, None, widest(gap for gap in (start, end) if isinstance(gap, int)))

        return read

    def day(
        self, formula: Sequence[Any], records: str
    ) -> "Callable[[Evaluation, Place], date | int]":
        """The date that a formula gives; its gap if the date is unknown."""
        match formula:
            case ["as_of"]:
                return lambda filing, place: filing.as_of
            case ["new_year", offset]:
                return lambda filing, place: date(filing.as_of.year + offset, 1, 1)
            case ["day", text]:
                fixed = date.fromisoformat(text)
                return lambda *_: fixed
            case ["else_known", a, b]:
                ways = self.day(a, records), self.day(b, records)

                def either(filing: Evaluation, place: Place) -> date | int:
                    days = [way(filing, place) for way in ways]
                    return next((day for day in days if isinstance(day, date)), days[0])

                return either
        reading_of = self.formula(formula, records)

        def found(filing: Evaluation, place: Place) -> date | int:
            reading = reading_of(filing, place)
            if reading.code is not None:
                return date.fromisoformat(reading.code)
            if reading.gap:
                return reading.gap
            raise EvaluationError(f"not a date: {formula!r}")

        return found


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
        #: The names of these indicators, by the list of records over which they are.
        self.indicators: dict[str, set[str]] = {}
        #: The keys of these rules in a trace, likewise.
        self.keys: dict[str, list[str]] = {}
        for kind, id in kept:
            if kind == "rules":
                self.keys.setdefault(mine[kind, id]["records"], []).extend(keys(mine[kind, id]))
            elif kind == "indicators":
                records = mine[kind, id]["records"]
                self.indicators.setdefault(records, set()).add(id.removeprefix(f"{records}."))


def keys(rule: Json) -> list[str]:
    """The keys of a rule in a trace: its own, and those of its cases, indicators or groups."""
    id, body = rule["id"], rule["body"]
    found = [id, *(f"{id}/{name}" for name, _ in body.get("bands", ()))]
    found += [f"{id}/{group}" for group, *_ in body.get("items", ()) if group]
    for case in body.get("cases", body.get("rungs", ())):
        found += of_case(id, case["name"], len(case["lines"]))
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


class Place:
    """Where rules are evaluated: a filing or one of its records.

    ``trace`` and ``known`` fill up as results and readings are asked for, without the prefix.
    """

    __slots__ = ("at", "known", "prefix", "record", "records", "trace")

    def __init__(self, at: At = None, record: Json = {}) -> None:  # noqa: B006
        self.at = at
        self.record = record
        self.records = at[0] if at else ""
        self.prefix = f"{at[0]}#{at[1]}:" if at else ""
        self.trace: Trace = {}
        self.known: dict[str, Reading] = {}


class Evaluation:
    """One filing under evaluation: the place of the filing itself, and one for each record."""

    def __init__(self, evaluator: Evaluator, facts: Json) -> None:
        self.evaluator = evaluator
        self.as_of = date.fromisoformat(facts["as_of"])
        self.year = self.as_of.year - 1  # years count from the last full one
        self.values: Json = facts["values"]
        self.records: Json = facts["records"]
        self.itself = Place()
        self.listed: dict[str, list[Place]] = {}

    def places(self, records: str) -> "list[Place]":
        """The places of a rule: the records of its list, or the filing itself if it has no list."""
        if not records:
            return [self.itself]
        if records not in self.listed:
            items = self.records[records]["items"] if records in self.records else ()
            self.listed[records] = [Place((records, n), r) for n, r in enumerate(items)]
        return self.listed[records]

    def everywhere(self) -> "Iterator[Place]":
        """All places."""
        yield self.itself
        for records in self.records:
            yield from self.places(records)

    def take(self, other: "Evaluation") -> None:
        """Take the results and readings that come to the same under another ruleset."""
        known = self.evaluator.alike
        if other.evaluator not in known:
            known[other.evaluator] = Alike(self.evaluator, other.evaluator)
        alike = known[other.evaluator]
        for records, keys in alike.keys.items():
            for mine, theirs in zip(self.places(records), other.places(records), strict=True):
                for key in keys:
                    mine.trace[key] = theirs.trace[key]
        for records, names in alike.indicators.items():
            for mine, theirs in zip(self.places(records), other.places(records), strict=True):
                for name, reading in theirs.known.items():
                    if name in names:
                        mine.known[name] = reading

    def complete(self, records: str) -> bool:
        """Whether a list is declared complete; unless stated, it is not."""
        return records in self.records and self.records[records]["complete"] is True

    def of_year(self, id: str, offset: int) -> object:
        """What is filed of a yearly fact, if anything."""
        return self.values.get(f"{id}@{self.year + offset}")

    def result(self, id: str, place: Place) -> Result:
        """The result of a rule, evaluated when it is first asked for."""
        found = place.trace.get(id)
        if found is None:
            if self.evaluator.rules[id]["records"] != place.records:
                raise EvaluationError(f"rule {id} is not a rule for {place.prefix or 'a filing'}")
            place.trace[id] = UNDER_WAY
            found = place.trace[id] = self.evaluator.table(id)(self, place)
        elif found == UNDER_WAY:
            raise EvaluationError(f"rule {place.prefix}{id} depends on itself")
        return found

    def outcome(self, id: str, place: Place) -> int:
        """The outcome of a rule."""
        outcome = self.result(id, place)
        if isinstance(outcome, Points):
            raise EvaluationError(f"rule {id} yields points, an outcome is asked for")
        return outcome

    def points(self, name: str, place: Place) -> Points:
        """The points of a ``rule``, or of a ``rule/group``."""
        self.result(name if name in self.evaluator.rules else name.partition("/")[0], place)
        points = place.trace[name]
        if not isinstance(points, Points):
            raise EvaluationError(f"{name} yields an outcome, points are asked for")
        return points

    def indicator(self, name: str, place: Place) -> Reading:
        """The reading of an indicator."""
        found = place.known.get(name)
        if found is None:
            read = self.evaluator.indicator(name, place.records)
            found = place.known[name] = read(self, place)
        return found

    @property
    def trace(self) -> Trace:
        """The results that were asked for, so far."""
        return {
            p.prefix + key: result for p in self.everywhere() for key, result in p.trace.items()
        }

    @property
    def readings(self) -> dict[str, Reading]:
        """The reading of every indicator that was read; of records, under ``list#i:name``."""
        return {
            p.prefix + name: found for p in self.everywhere() for name, found in p.known.items()
        }


#: The reading of a formula at a place.
Formula: TypeAlias = Callable[[Evaluation, Place], Reading]


# tables: each is read once and becomes a function of a place, for it is asked of many

#: The result of a rule at a place.
Table: TypeAlias = Callable[[Evaluation, Place], Result]


def table(id: str, body: Json) -> Table:
    """The result of a rule's table."""
    match body["kind"]:
        case "cases":
            cases = [table_case(id, case) for case in body["cases"]]
            if len(cases) == 1:
                return cases[0]
            return lambda filing, place: any_of([met(filing, place) for met in cases])
        case "bands":
            return bands(id, body["bands"])
        case "ladder":
            return ladder(id, body["rungs"], number(body["rest"]))
        case "total":
            return total(id, body["items"], body.get("cap"))
        case "attested":
            return attested(body["indicator"], number(body["lo"]), number(body["hi"]))
        case "assumed":
            result = assumed(body)
            return lambda *_: result
    raise EvaluationError(f"unknown kind of table {body['kind']!r}")


def table_case(id: str, case: Json) -> Callable[[Evaluation, Place], int]:
    """The outcome of a case, the least of its lines' outcomes: it is met if all lines are."""
    own, *numbered = of_case(id, case["name"], len(case["lines"]))
    lines = [line(written) for written in case["lines"]]

    def outcome(filing: Evaluation, place: Place) -> int:
        outcomes = [asked(filing, place) for asked in lines]
        place.trace.update(zip(numbered, outcomes, strict=True))
        least = place.trace[own] = min(outcomes)
        return least

    return outcome


def line(line: Json) -> Callable[[Evaluation, Place], int]:
    """One comparison."""
    name, op, value = line["name"], line["op"], line["value"]
    match line["subject"]:
        case "indicator" if op == "in":
            return lambda filing, place: among(filing.indicator(name, place), value)
        case "indicator":
            figure = comparison(op, number(value))
            return lambda filing, place: figure(filing.indicator(name, place))
        case "points":
            score = comparison(op, number(value))
            return lambda filing, place: score(filing.points(name, place))
        case "rule":
            return lambda filing, place: filing.outcome(name, place)
        case "unmet":
            return lambda filing, place: negated(filing.outcome(name, place))
    raise EvaluationError(f"unknown subject {line['subject']!r}")


def bands(id: str, table: Sequence[Any]) -> Table:
    """The points of the best indicator; each has the points of all the values it may take."""
    indicators = [
        (f"{id}/{name}", name, [(end(lo), end(hi), number(points)) for lo, hi, points in rows])
        for name, rows in table
    ]

    def points(filing: Evaluation, place: Place) -> Points:
        scores = []
        for key, name, rows in indicators:
            reading = filing.indicator(name, place)
            reached = [score(rows, value) for value in samples(reading, rows)]
            found = span(min(reached), max(reached), reading.gap)
            place.trace[key] = found
            scores.append(found)
        lo = max(points.lo for points in scores)
        hi = max(points.hi for points in scores)
        return span(lo, hi, widest(points.gap for points in scores if points.hi > lo))

    return points


def ladder(id: str, rungs: Sequence[Json], rest: Number) -> Table:
    """At least the points of the first rung met, at most those of the first not ruled out."""
    cases = [(table_case(id, rung), number(rung["points"])) for rung in rungs]

    def points(filing: Evaluation, place: Place) -> Points:
        steps = [(met(filing, place), points) for met, points in cases]
        lo = next((points for outcome, points in steps if outcome == MET), rest)
        hi = next((points for outcome, points in steps if outcome != NOT_MET), rest)
        filed = any(outcome == MISSING and points > lo for outcome, points in steps)
        return span(lo, hi, MISSING if filed else PENDING)

    return points


def total(id: str, items: Sequence[Any], cap: str | None) -> Table:
    """The sum of all items' points; the sum of each group is traced."""
    groups = {group: f"{id}/{group}" for group, _, _ in items if group}

    def points(filing: Evaluation, place: Place) -> Points:
        points = [(group, filing.points(rule, place)) for group, rule, _ in items]
        for name, key in groups.items():
            place.trace[key] = sum_of([p for group, p in points if group == name])
        return capped(sum_of([p for _, p in points]), cap)

    return points


def attested(indicator: str, least: Number, most: Number) -> Table:
    """The filed points, clipped to the bounds of the table."""

    def points(filing: Evaluation, place: Place) -> Points:
        reading = filing.indicator(indicator, place)
        lo = least if reading.lo is None else min(max(reading.lo, least), most)
        hi = most if reading.hi is None else min(max(reading.hi, least), most)
        return span(lo, hi, reading.gap)

    return points


# results


@lru_cache(maxsize=1 << 12)
def of_case(key: str, name: str, lines: int) -> tuple[str, ...]:
    """The trace keys of a case, and of each of its lines."""
    return (f"{key}/{name}", *(f"{key}/{name}/{n}" for n in range(1, lines + 1)))


def widest(gaps: Iterable[int]) -> int:
    """The gap of a whole: a filed fact is asked for before a person's finding."""
    return min((gap for gap in gaps if gap), default=0)


def span(lo: Number, hi: Number, gap: int) -> Points:
    """Points from lo to hi; there is no gap if these are equal."""
    return Points(lo, hi, 0 if same(lo, hi) else gap)


def sum_of(parts: Sequence[Points]) -> Points:
    """The sum of points."""
    lo = hi = sum(points.lo for points in parts)
    if not all(points.lo is points.hi for points in parts):
        hi = sum(points.hi for points in parts)
    return span(lo, hi, widest(points.gap for points in parts))


def capped(points: Points, cap: str | None) -> Points:
    """The points, at most ``cap`` of them.

    >>> capped(Points(12, 18, MISSING), "15")
    Points(lo=12, hi=15, gap=1)
    """
    if cap is None:
        return points
    most = number(cap)
    return span(min(points.lo, most), min(points.hi, most), points.gap)


def any_of(outcomes: Sequence[int]) -> int:
    """The outcome of cases joined by *or*: met if any is, not met if none can be."""
    if MET in outcomes:
        return MET
    if MISSING in outcomes:
        return MISSING
    return PENDING if PENDING in outcomes else NOT_MET


def negated(outcome: int) -> int:
    """The outcome of the demand that a rule is not met; what is open stays so."""
    return {MET: NOT_MET, NOT_MET: MET}.get(outcome, outcome)


def assumed(body: Json) -> Result:
    """The result that a rule takes as given."""
    if "points" in body:
        lo, hi, gap = body["points"]
        return Points(number(lo), number(hi), int(gap))
    if body["outcome"] not in (NOT_MET, MISSING, PENDING, MET):
        raise EvaluationError(f"unknown outcome {body['outcome']!r}")
    return int(body["outcome"])


# comparisons

#: What must hold between a value and a limit.
HOLDS: Final = {">=": ge, ">": gt, "<=": le, "<": lt}

#: The numbers that are read. Python would accept others, such as 1e9999999999, too large to use.
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+|/[1-9][0-9]*)?")


@lru_cache(maxsize=1 << 14)
def number(text: object) -> Number:
    """The exact number in a text.

    >>> number("1.5"), number("7/2"), number("100")
    (Fraction(3, 2), Fraction(7, 2), 100)
    """
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise EvaluationError(f"numbers are decimals or fractions in a text, not {text!r}")
    value = Fraction(text)
    return value.numerator if value.denominator == 1 else value


def unsettled(gap: int) -> int:
    """The outcome of a comparison that is still open."""
    if gap not in (MISSING, PENDING):
        raise EvaluationError("a comparison of something that is not comparable")
    return gap


def comparison(op: str, limit: Number) -> Callable[[Reading | Points], int]:
    """Met if all of [lo, hi] satisfy it, not met if none does."""
    if op not in HOLDS:
        raise EvaluationError(f"unknown comparison {op!r}")
    holds, rising = HOLDS[op], op in (">=", ">")

    def compare(known: Reading | Points) -> int:
        worst, best = (known.lo, known.hi) if rising else (known.hi, known.lo)
        if worst is not None and holds(worst, limit):
            return MET
        if best is not None and (best is worst or not holds(best, limit)):
            return NOT_MET
        return unsettled(known.gap)

    return compare


def among(reading: Reading, codes: Sequence[str]) -> int:
    """Met if the code is one of those listed."""
    if reading.code is None:
        return unsettled(reading.gap)
    return MET if reading.code in codes else NOT_MET


# bands: rows of lower end, upper end, points


#: The ends of a band and its points.
Row: TypeAlias = tuple[Number | None, Number | None, Number]


def end(text: str | None) -> Number | None:
    """An end of a band, if it has one there."""
    return None if text is None else number(text)


def score(rows: Sequence[Row], value: Number) -> Number:
    """The points of a value; on a boundary, the higher of the two."""
    return max(
        points
        for lo, hi, points in rows
        if (lo is None or lo <= value) and (hi is None or value <= hi)
    )


def samples(reading: Reading, rows: Sequence[Row]) -> list[Number]:
    """Values that together earn the same points as all values of an interval.

    Points change only at boundaries. So the ends, the boundaries between them, and one value
    between each two of these are enough. A value beyond the last boundary represents an unbounded
    end.
    """
    lo, hi = reading.lo, reading.hi
    if lo is not None and same(lo, hi):
        return [lo]
    unsettled(reading.gap)
    marks = {end for row in rows for end in row[:2] if end is not None}
    inside = {m for m in marks if (lo is None or lo < m) and (hi is None or m < hi)}
    ends = sorted(inside.union(end for end in (lo, hi) if end is not None)) or [0]
    if lo is None:
        ends.insert(0, ends[0] - 1)
    if hi is None:
        ends.append(ends[-1] + 1)
    return ends + [ratio(a + b, 2) for a, b in pairwise(ends)]


# figures


def exactly(value: Number) -> Reading:
    """A known figure."""
    return Reading(value, value, 0)


def interval(lo: Number | None, hi: Number | None, gap: int) -> Reading:
    """A figure from lo to hi; there is no gap if these are equal."""
    return Reading(lo, hi, 0 if lo is not None and same(lo, hi) else gap)


def ratio(a: Number, b: Number) -> Number:
    """a / b, exactly: for two whole numbers Python's division gives a float."""
    if isinstance(a, int):
        return Fraction(a, b) if isinstance(b, int) else a / b
    return a / b


def same(lo: Number, hi: Number | None) -> bool:
    """Whether two ends are equal; mostly they are one object, and comparing fractions is slow."""
    return lo is hi or lo == hi


def leaf(fact: Json) -> Callable[[object], Reading]:
    """The reading of a filed fact or a finding; if unknown, every value that it may take.

    A number below the least that the fact can truly have is impossible.
    """
    kind, origin = fact["kind"], fact["origin"]
    if kind not in ("number", "flag", "code", "date", "text") or origin not in ("填报", "认定"):
        raise EvaluationError(f"unknown kind or origin of a fact: {kind!r}, {origin!r}")
    gap = MISSING if origin == "填报" else PENDING
    if kind == "flag":
        either = Reading(0, 1, gap)
        return lambda value: either if value is None else flag(value)
    if kind != "number":
        anything = Reading(None, None, gap)
        return lambda value: anything if value is None else code(value)
    lo, hi = (end(fact[bound] or None) for bound in ("minimum", "maximum"))
    unknown = interval(lo, hi, gap)

    def read(value: object) -> Reading:
        if value is None:
            return unknown
        known = number(value)
        return IMPOSSIBLE if lo is not None and known < lo else exactly(known)

    return read


def flag(value: object) -> Reading:
    """The reading of a known flag."""
    if not isinstance(value, bool):
        raise EvaluationError(f"flags are true or false, not {value!r}")
    return exactly(int(value))


def code(value: object) -> Reading:
    """The reading of a known code, date or text."""
    if not isinstance(value, str):
        raise EvaluationError(f"codes, dates and texts are texts, not {value!r}")
    return Reading(None, None, 0, code=value)


def worst_of(parts: Sequence[Reading]) -> Reading:
    """The part that lets least be computed."""
    return max(parts, key=lambda part: part.broken)


def sum_up(terms: Sequence[Reading]) -> Reading:
    """The sum of figures; if one is broken, so is the sum."""
    broken = [term for term in terms if term.broken]
    if broken:
        return worst_of(broken)
    known = [term.lo for term in terms if term.lo is not None and term.lo is term.hi]
    if known and len(known) == len(terms):
        return exactly(sum(known[1:], known[0]))
    los = [term.lo for term in terms if term.lo is not None]
    his = [term.hi for term in terms if term.hi is not None]
    return interval(
        sum(los) if len(los) == len(terms) else None,
        sum(his) if len(his) == len(terms) else None,
        widest(term.gap for term in terms),
    )


def precedence(row: Sequence[Any]) -> tuple[int, int, bool]:
    """The place of a parameter's row in the order in which rows are tried."""
    of, _, sector, year, *_ = row
    return ("city", "province", "").index(of), -len(sector), year is None


def negative(a: Reading) -> Reading:
    """The figure with its sign changed."""
    lo, hi = None if a.hi is None else -a.hi, None if a.lo is None else -a.lo
    return Reading(lo, hi, a.gap, a.code, a.broken)


def difference(a: Reading, b: Reading) -> Reading:
    """a - b."""
    return sum_up([a, negative(b)])


def quotient(a: Reading, b: Reading) -> Reading:
    """a / b: nothing if b is known and not positive, unbounded while b is not exactly known."""
    if a.broken or b.broken:
        return worst_of([a, b])
    if b.lo is None or not same(b.lo, b.hi):
        return Reading(None, None, widest([a.gap, b.gap]))
    if b.lo <= 0:
        return NOTHING
    if a.lo is not None and a.lo is a.hi:
        return exactly(ratio(a.lo, b.lo))
    lo = None if a.lo is None else ratio(a.lo, b.lo)
    hi = None if a.hi is None else ratio(a.hi, b.lo)
    return interval(lo, hi, a.gap)


def product(a: Reading, b: Reading) -> Reading:
    """a * b: from the least to the greatest product of their ends, of which some may be endless.

    Zero times anything is zero, also if that cannot be computed.
    """
    if a.lo is not None and a.lo is a.hi and b.lo is not None and b.lo is b.hi:
        return exactly(a.lo * b.lo)
    if (a.broken or b.broken) and not (may_be_zero(a) or may_be_zero(b)):
        return worst_of([a, b])
    lows: list[Number | None] = []
    highs: list[Number | None] = []
    for x, x_falls in ((a.lo, True), (a.hi, False)):
        for y, y_falls in ((b.lo, True), (b.hi, False)):
            if x == 0 or y == 0:  # however large the other may be
                lows.append(0)
                highs.append(0)
            elif x is not None and y is not None:
                lows.append(x * y)
                highs.append(x * y)
            elif (x_falls if x is None else x < 0) is (y_falls if y is None else y < 0):
                highs.append(None)
            else:
                lows.append(None)
    lo = min((end for end in lows if end is not None), default=None)
    hi = max((end for end in highs if end is not None), default=None)
    endless = [any(end is None for end in ends) for ends in (lows, highs)]
    gap = widest([a.gap, b.gap])
    return interval(None if endless[0] else lo, None if endless[1] else hi, gap)


def may_be_zero(a: Reading) -> bool:
    """Whether a figure is zero, or may turn out to be."""
    return not (a.broken or (a.lo is not None and a.lo > 0) or (a.hi is not None and a.hi < 0))


def smaller(a: Reading, b: Reading) -> Reading:
    """The smaller of two figures: no greater than either, also if the other is nothing."""
    if IMPOSSIBLE in (a, b) or (a.broken and b.broken):
        return worst_of([a, b])
    lo = None if a.lo is None or b.lo is None else min(a.lo, b.lo)
    hi = min((end for end in (a.hi, b.hi) if end is not None), default=None)
    return interval(lo, hi, widest([a.gap, b.gap]))


def greater(a: Reading, b: Reading) -> Reading:
    """The greater of two figures."""
    return negative(smaller(negative(a), negative(b)))


def else_found(a: Reading, found: Reading) -> Reading:
    """A figure, or what a person found if it cannot be computed."""
    return found if a.broken and found.gap == 0 else a


def else_known(a: Formula, b: Formula) -> Formula:
    """A figure, or another that is known if the first is not; the other is read only then."""

    def read(filing: Evaluation, place: Place) -> Reading:
        reading = a(filing, place)
        if reading.broken or reading.gap == 0:
            return reading
        instead = b(filing, place)
        return instead if instead.gap == 0 else reading

    return read


#: What is computed from two figures.
BINARY: Final = {
    "sub": difference,
    "div": quotient,
    "mul": product,
    "least": smaller,
    "most": greater,
    "else_found": else_found,
}


def bounded(
    a: Reading, lowers: Sequence[Number | None], uppers: Sequence[Number | None]
) -> Reading:
    """a within the bounds; impossible if no value is left, as when filed totals contradict it."""
    if a == IMPOSSIBLE:
        return a
    lo = max((end for end in (a.lo, *lowers) if end is not None), default=None)
    hi = min((end for end in (a.hi, *uppers) if end is not None), default=None)
    if lo is not None and hi is not None and lo > hi:
        return IMPOSSIBLE
    return interval(lo, hi, a.gap)


def lookup(table: Mapping[str, str], a: Reading) -> Reading:
    """The code for the longest prefix of a text in the table; nothing if there is none."""
    if a.code is None:
        return a
    prefixes = [a.code[:end] for end in range(1, len(a.code) + 1)]
    known = [prefix for prefix in prefixes if prefix in table]
    return Reading(None, None, 0, code=table[known[-1]]) if known else NOTHING


# dates


def anniversary(day: date, after: int) -> date:
    """The same day ``after`` years later; in a common year 29 February becomes 1 March."""
    try:
        return date(day.year + after, day.month, day.day)
    except ValueError:
        return date(day.year + after, 3, 1)


def years(a: date, b: date) -> Number:
    """Full years from a to b, plus the share of the current year's days that have passed.

    >>> years(date(2012, 6, 30), date(2022, 7, 1))
    Fraction(3651, 365)
    """
    if b < a:
        return -years(b, a)
    full = b.year - a.year
    if anniversary(a, full) > b:
        full -= 1
    start, end = anniversary(a, full), anniversary(a, full + 1)
    return full + Fraction((b - start).days, (end - start).days)


#: What is measured between two dates.
MEASURES: Final[Mapping[str, Callable[[date, date], Number]]] = {
    "days": lambda a, b: (b - a).days,
    "years": years,
    "calendar_years": lambda a, b: b.year - a.year,
}
