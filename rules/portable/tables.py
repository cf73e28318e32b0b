"""The tables of rules: each is read once, and becomes a function of a filing and a place in it.

The fourth part of the reference evaluator. What a table comes to is noted in the trace of the place,
also of its parts: ``rule/case``, and ``rule/case/n`` for its n-th line from 1; ``rule/indicator`` for
bands; ``rule/group`` for totals.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import ge, gt, le, lt
from typing import Any, Final, TypeAlias

from rules.portable.evaluation import (
    MET,
    NOT_MET,
    Condition,
    Evaluation,
    Place,
    Points,
    Result,
    Rule,
    Score,
)
from rules.portable.figures import (
    MISSING,
    PENDING,
    EvaluationError,
    Json,
    Number,
    Reading,
    end,
    number,
    ratio,
    same,
    widest,
)
from rules.portable.formulas import Formulas

#: The tables that give points; an assumed result may be either.
SCORING: Final = ("bands", "ladder", "total", "attested")


class Tables(Formulas):
    """Reads the rules of a ruleset."""

    def __init__(self, ruleset: Json) -> None:
        super().__init__(ruleset)
        self.rules: dict[str, Json] = {rule["id"]: rule for rule in ruleset["rules"]}
        self._rules: dict[str, Rule] = {}
        self._under_way: set[str] = set()

    def rule(self, id: str, records: str) -> Rule:
        """The result of a rule, over a list's records or none: evaluated once at each place."""
        if self.rules[id]["records"] != records:
            raise EvaluationError(f"rule {id} is not a rule for {records or 'a filing'}")
        if id in self._under_way:
            raise EvaluationError(f"rule {id} depends on itself")
        if id not in self._rules:
            self._under_way.add(id)
            try:
                result = self.table(id, self.rules[id]["body"], records)
            finally:
                self._under_way.remove(id)

            def once(filing: Evaluation, place: Place) -> Result:
                found = place.trace.get(id)
                if found is None:
                    found = place.trace[id] = result(filing, place)
                return found

            self._rules[id] = once
        return self._rules[id]

    def outcome(self, id: str, records: str) -> Condition:
        """The outcome of a rule."""
        if scoring(self.rules[id]["body"]):
            raise EvaluationError(f"rule {id} yields points, an outcome is asked for")
        return self.rule(id, records)  # type: ignore[return-value]

    def points(self, name: str, records: str) -> Score:
        """The points of a ``rule``, or of a ``rule/group``."""
        id = name if name in self.rules else name.partition("/")[0]
        if not scoring(self.rules[id]["body"]):
            raise EvaluationError(f"rule {id} yields an outcome, points are asked for")
        rule = self.rule(id, records)
        if id == name:
            return rule  # type: ignore[return-value]

        def of_part(filing: Evaluation, place: Place) -> Points:
            rule(filing, place)
            points = place.trace[name]
            if not isinstance(points, Points):
                raise EvaluationError(f"{name} yields an outcome, points are asked for")
            return points

        return of_part

    def table(self, id: str, body: Json, records: str) -> Rule:
        """The result of a rule's table."""
        match body["kind"]:
            case "cases":
                cases = [self.case(id, case, records) for case in body["cases"]]
                if len(cases) == 1:
                    return cases[0]
                return lambda filing, place: any_of([met(filing, place) for met in cases])
            case "bands":
                return self.bands(id, body["bands"], records)
            case "ladder":
                return self.ladder(id, body["rungs"], number(body["rest"]), records)
            case "total":
                return self.total(id, body["items"], body.get("cap"), records)
            case "attested":
                figure = self.indicator(body["indicator"], records)
                least, most = number(body["lo"]), number(body["hi"])
                return lambda filing, place: attested(figure(filing, place), least, most)
            case "assumed":
                result = assumed(body)
                return lambda *_: result
        raise EvaluationError(f"unknown kind of table {body['kind']!r}")

    def case(self, id: str, case: Json, records: str) -> Condition:
        """The outcome of a case, the least of its lines' outcomes: it is met if all lines are."""
        own = f"{id}/{case['name']}"
        lines = [
            (f"{own}/{n}", self.line(line, records)) for n, line in enumerate(case["lines"], 1)
        ]

        if not lines:
            raise EvaluationError(f"malformed case {own}: it has no lines")

        def outcome(filing: Evaluation, place: Place) -> int:
            trace = place.trace
            least = MET
            for key, asked in lines:
                found = trace[key] = asked(filing, place)
                if found < least:
                    least = found
            trace[own] = least
            return least

        if len(lines) > 1:
            return outcome
        [(key, asked)] = lines

        def of_line(filing: Evaluation, place: Place) -> int:
            found = place.trace[own] = place.trace[key] = asked(filing, place)
            return found

        return of_line

    def line(self, line: Json, records: str) -> Condition:
        """One comparison."""
        name, op, value = line["name"], line["op"], line["value"]
        match line["subject"]:
            case "indicator" if op == "in":
                code = self.indicator(name, records)
                return lambda filing, place: among(code(filing, place), value)
            case "indicator":
                figure, compare = self.indicator(name, records), comparison(op, number(value))
                return lambda filing, place: compare(figure(filing, place))
            case "points":
                score, compare = self.points(name, records), comparison(op, number(value))
                return lambda filing, place: compare(score(filing, place))
            case "rule":
                return self.outcome(name, records)
            case "unmet":
                outcome = self.outcome(name, records)
                return lambda filing, place: negated(outcome(filing, place))
        raise EvaluationError(f"unknown subject {line['subject']!r}")

    def bands(self, id: str, table: Sequence[Any], records: str) -> Score:
        """The points of the best indicator; each has the points of all the values it may take."""
        indicators = [
            (
                f"{id}/{name}",
                self.indicator(name, records),
                Scale([(end(lo), end(hi), number(points)) for lo, hi, points in rows]),
            )
            for name, rows in table
        ]

        def points(filing: Evaluation, place: Place) -> Points:
            scores = []
            for key, figure, scale in indicators:
                found = place.trace[key] = scale.points(figure(filing, place))
                scores.append(found)
            return scores[0] if len(scores) == 1 else best_of(scores)

        return points

    def ladder(self, id: str, rungs: Sequence[Json], rest: Number, records: str) -> Score:
        """At least the points of the first rung met, at most those of the first not ruled out."""
        cases = [(self.case(id, rung, records), number(rung["points"])) for rung in rungs]

        def points(filing: Evaluation, place: Place) -> Points:
            steps = [(met(filing, place), points) for met, points in cases]
            possible = [step for step in steps if step[0] != NOT_MET]
            if not possible:
                return span(rest, rest, 0)
            outcome, hi = possible[0]
            if outcome == MET:
                return span(hi, hi, 0)
            lo = next((points for outcome, points in possible if outcome == MET), rest)
            filed = any(outcome == MISSING and points > lo for outcome, points in possible)
            return span(lo, hi, MISSING if filed else PENDING)

        return points

    def total(self, id: str, items: Sequence[Any], cap: str | None, records: str) -> Score:
        """The sum of all items' points; the sum of each group is traced."""
        scores = [(group, self.points(rule, records)) for group, rule, _ in items]
        groups = {group: f"{id}/{group}" for group, _ in scores if group}
        most = end(cap)

        def points(filing: Evaluation, place: Place) -> Points:
            points = [(group, score(filing, place)) for group, score in scores]
            for name, key in groups.items():
                place.trace[key] = sum_of([p for group, p in points if group == name])
            return capped(sum_of([p for _, p in points]), most)

        return points


def scoring(body: Json) -> bool:
    """Whether a table gives points instead of an outcome."""
    return body["kind"] in SCORING or (body["kind"] == "assumed" and "points" in body)


# outcomes


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


def unsettled(gap: int) -> int:
    """The outcome of a comparison that is still open."""
    if gap not in (MISSING, PENDING):
        raise EvaluationError("a comparison of something that is not comparable")
    return gap


#: What must hold between a value and a limit.
HOLDS: Final = {">=": ge, ">": gt, "<=": le, "<": lt}


def comparison(op: str, limit: Number) -> Callable[[Reading | Points], int]:
    """Met if all of [lo, hi] satisfy it, not met if none does."""
    if op not in HOLDS:
        raise EvaluationError(f"unknown comparison {op!r}")
    holds, rising = HOLDS[op], op in (">=", ">")

    def compare(known: Reading | Points) -> int:
        lo, hi = known.lo, known.hi
        if lo is hi and lo is not None:  # exactly known
            return MET if holds(lo, limit) else NOT_MET
        worst, best = (lo, hi) if rising else (hi, lo)
        if worst is not None and holds(worst, limit):
            return MET
        if best is not None and not holds(best, limit):
            return NOT_MET
        return unsettled(known.gap)

    return compare


def among(reading: Reading, codes: Sequence[str]) -> int:
    """Met if the code is one of those listed."""
    if reading.code is None:
        return unsettled(reading.gap)
    return MET if reading.code in codes else NOT_MET


def assumed(body: Json) -> Result:
    """The result that a rule takes as given."""
    if "points" in body:
        lo, hi, gap = body["points"]
        return Points(number(lo), number(hi), int(gap))
    if body["outcome"] not in (NOT_MET, MISSING, PENDING, MET):
        raise EvaluationError(f"unknown outcome {body['outcome']!r}")
    return int(body["outcome"])


# points


def span(lo: Number, hi: Number, gap: int) -> Points:
    """Points from lo to hi; there is no gap if these are equal."""
    return Points(lo, hi, 0 if same(lo, hi) else gap)


def best_of(scores: Sequence[Points]) -> Points:
    """The best of scores, of which some may still get better."""
    lo = max([points.lo for points in scores])
    hi = max([points.hi for points in scores])
    return span(lo, hi, widest([points.gap for points in scores if points.hi > lo]))


def sum_of(parts: Sequence[Points]) -> Points:
    """The sum of points."""
    lo = sum([points.lo for points in parts])
    if all(points.lo is points.hi for points in parts):
        return span(lo, lo, 0)
    return span(lo, sum([points.hi for points in parts]), widest([p.gap for p in parts]))


def capped(points: Points, most: Number | None) -> Points:
    """The points, at most ``most`` of them.

    >>> capped(Points(12, 18, MISSING), 15)
    Points(lo=12, hi=15, gap=1)
    """
    if most is None:
        return points
    return span(min(points.lo, most), min(points.hi, most), points.gap)


def attested(reading: Reading, least: Number, most: Number) -> Points:
    """The filed points, clipped to the bounds of the table."""
    lo = least if reading.lo is None else min(max(reading.lo, least), most)
    hi = most if reading.hi is None else min(max(reading.hi, least), most)
    return span(lo, hi, reading.gap)


#: A band: its ends, and the points of the values between them.
Row: TypeAlias = tuple[Number | None, Number | None, Number]


def score(rows: Sequence[Row], value: Number) -> Number | None:
    """The points of a value, if it lies in any band; on a boundary, the higher of the two."""
    return max(
        (
            points
            for lo, hi, points in rows
            if (lo is None or lo <= value) and (hi is None or value <= hi)
        ),
        default=None,
    )


class Scale:
    """The points of all values of an indicator, by its bands.

    They change only at boundaries. So the boundaries, a value between each two of them and one
    beyond either end stand for all values, and their points are known beforehand.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.ends: list[Number] = sorted(
            {end for row in rows for end in row[:2] if end is not None}
        )
        self.steps = [score(rows, value) for value in samples(self.ends)]
        self.exactly = [
            None if points is None else Points(points, points, 0) for points in self.steps
        ]

    def step(self, value: Number) -> int:
        """The place of a value among the steps: 0 below the first boundary, 1 on it, 2 after it …"""
        n = bisect_left(self.ends, value)
        return 2 * n + (n < len(self.ends) and self.ends[n] == value)

    def points(self, reading: Reading) -> Points:
        """The points of all values that an indicator may take."""
        lo, hi = reading.lo, reading.hi
        if lo is not None and same(lo, hi):
            known = self.exactly[self.step(lo)]
            if known is None:
                raise EvaluationError("a table of bands leaves out a value")
            return known
        unsettled(reading.gap)
        first = 0 if lo is None else self.step(lo)
        last = len(self.steps) - 1 if hi is None else self.step(hi)
        reached = [points for points in self.steps[first : last + 1] if points is not None]
        if len(reached) <= last - first:
            raise EvaluationError("a table of bands leaves out values")
        return span(min(reached), max(reached), reading.gap)


def samples(ends: Sequence[Number]) -> list[Number]:
    """Values below, on, between and beyond boundaries, in rising order.

    >>> samples([10, 21])
    [9, 10, Fraction(31, 2), 21, 22]
    """
    if not ends:
        return [0]
    found = [ends[0] - 1, ends[0]]
    for before, after in pairwise(ends):
        found += [ratio(before + after, 2), after]
    return [*found, ends[-1] + 1]
