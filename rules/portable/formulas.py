"""The formulas of a ruleset: each is read once, and becomes a function of a filing and a place in it.

The third part of the reference evaluator.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, TypeAlias

from rules.portable.evaluation import MET, Condition, Evaluation, Formula, Place
from rules.portable.figures import (
    BINARY,
    IMPOSSIBLE,
    MEASURES,
    MISSING,
    NOTHING,
    PENDING,
    EvaluationError,
    Json,
    Number,
    Reading,
    bounded,
    exactly,
    leaf,
    lookup,
    number,
    sum_up,
    widest,
)

#: The date that a formula gives; its gap if the date is unknown.
Day: TypeAlias = Callable[[Evaluation, Place], date | int]


class Formulas:
    """Reads the formulas of a ruleset. Whoever extends it reads the rules that they count by."""

    def __init__(self, ruleset: Json) -> None:
        self.ruleset = ruleset
        self._indicators: dict[str, Formula] = {}

    def outcome(self, id: str, records: str) -> Condition:
        """The outcome of a rule over the records of a list."""
        raise NotImplementedError

    def indicator(self, name: str, records: str) -> Formula:
        """The reading of an indicator, over a list's records or none: read once at each place."""
        key = f"{records}.{name}" if records else name
        if key not in self._indicators:
            read = self.formula(self.ruleset["indicators"][key]["expr"], records)

            def once(filing: Evaluation, place: Place) -> Reading:
                found = place.known.get(name)
                if found is None:
                    found = place.known[name] = read(filing, place)
                return found

            self._indicators[key] = once
        return self._indicators[key]

    def formula(self, formula: Sequence[Any], records: str = "") -> Formula:
        """The reading of a formula, over the records of a list if one is named."""
        match formula:
            case ["fact", id]:
                read_fact = leaf(self.ruleset["facts"][id])
                return lambda filing, place: read_fact(filing.values.get(id))
            case ["year", id, offset]:
                read_year = leaf(self.ruleset["facts"][id])
                return lambda filing, place: read_year(
                    filing.values.get(f"{id}@{filing.year + offset}")
                )
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

    def parameter(self, name: str, offset: int) -> Formula:
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

    def outcomes(self, filing: Evaluation, records: str, rule: str) -> list[int]:
        """The outcome of a rule for each record; of an empty list, nobody asks for the rule."""
        places = filing.places(records)
        if not places:
            return []
        outcome = self.outcome(rule, records)
        return [outcome(filing, place) for place in places]

    def count(self, records: str, rule: str, filed: str | None) -> Formula:
        """How many records satisfy a rule: at least those that do, at most the undecided ones too.

        An incomplete list may hold any number of further records.
        """

        def read(filing: Evaluation, place: Place) -> Reading:
            outcomes = self.outcomes(filing, records, rule)
            met = outcomes.count(MET)
            if not filing.complete(records):
                return Reading(met, None, MISSING)
            missing, pending = outcomes.count(MISSING), outcomes.count(PENDING)
            if not (missing or pending):
                return exactly(met)
            return Reading(met, met + missing + pending, MISSING if missing else PENDING)

        return self.listed(records, read, filed)

    def amount(self, records: str, field: str, rule: str, filed: str | None) -> Formula:
        """The sum of a field over the records that satisfy a rule, bounded like ``count``.

        The field must never be negative, so undecided records can only add to the sum.
        """
        value_of = leaf(self.ruleset["fields"][f"{records}.{field}"])

        def read(filing: Evaluation, place: Place) -> Reading:
            terms = [] if filing.complete(records) else [Reading(0, None, MISSING)]
            outcomes = self.outcomes(filing, records, rule)
            for listed, outcome in zip(filing.places(records), outcomes, strict=True):
                value = value_of(listed.record.get(field))
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

    def listed(self, records: str, itemised: Formula, filed: str | None) -> Formula:
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

    def agreeing(self, filed: str | None) -> Callable[[Evaluation, Reading], Reading]:
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
    ) -> Formula:
        """A measure of the time from date a to date b."""
        first, last = self.day(a, records), self.day(b, records)
        measured = lru_cache(maxsize=1 << 12)(lambda x, y: exactly(measure(x, y)))

        def read(filing: Evaluation, place: Place) -> Reading:
            start, end = first(filing, place), last(filing, place)
            if isinstance(start, date) and isinstance(end, date):
                return measured(start, end)
            return Reading(None, None, widest(gap for gap in (start, end) if isinstance(gap, int)))

        return read

    def day(self, formula: Sequence[Any], records: str) -> Day:
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


def precedence(row: Sequence[Any]) -> tuple[int, int, bool]:
    """The place of a parameter's row in the order in which rows are tried."""
    of, _, sector, year, *_ = row
    return ("city", "province", "").index(of), -len(sector), year is None


def else_known(a: Formula, b: Formula) -> Formula:
    """A figure, or another that is known if the first is not; the other is read only then."""

    def read(filing: Evaluation, place: Place) -> Reading:
        reading = a(filing, place)
        if reading.broken or reading.gap == 0:
            return reading
        instead = b(filing, place)
        return instead if instead.gap == 0 else reading

    return read
