"""A filing under study: one fact takes other values; results that do not read it are kept."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final, TypeAlias, cast

from rules.model.expressions import leaves
from rules.model.facts import YEARS, Fact, Profile, Scalar, exact
from rules.model.quantities import UNITS, show
from rules.model.ruleset import Expr, Ruleset
from rules.portable import reference
from rules.portable.evaluation import MET, NOT_MET, At, Formula, Place
from rules.portable.figures import Json, Number, Reading, interval
from rules.sensitivity.along import Along, Grid, Track

#: Grid steps in base units: fen, 0.0001 percentage points, 0.01 points; other figures are counts.
STEPS: Final = {"万元": Fraction(1, 100), "%": Fraction(1, 10**6), "分": Fraction(1, 100)}
_DIGITS: Final = 6

#: Values of a fact, each with its evaluation.
Tried: TypeAlias = Iterable[tuple[Scalar, reference.Evaluation]]


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A fact of the filing that may take other values.

    ``leaf`` is the formula that reads it, ``at`` the record it belongs to, if any.
    """

    key: str
    name: str
    fact: Fact
    value: Scalar | None
    leaf: Expr
    at: At = None

    @property
    def filed(self) -> Scalar:
        """Its filed value, if any."""
        assert self.value is not None
        return self.value

    @property
    def ordered(self) -> bool:
        """Whether its values lie on a grid."""
        return self.fact.kind in ("number", "date")

    @property
    def step(self) -> Fraction:
        """The distance between two neighbouring values on its grid, in base units or days."""
        return STEPS.get(self.fact.unit, Fraction(1))

    @property
    def place(self) -> Fraction:
        """The place of its value on the grid; a fraction if the value is finer than the grid."""
        text = str(self.value)
        if self.fact.kind == "date":
            return Fraction(date.fromisoformat(text).toordinal())
        return exact(text) / self.step

    def grid(self) -> Grid:
        """The places that the catalogue allows."""
        if self.fact.kind == "date":
            first, last = date(YEARS.start, 1, 1), date(YEARS.stop - 1, 12, 31)
            return Grid(first.toordinal(), last.toordinal())
        lo, hi = self.fact.minimum, self.fact.maximum
        return Grid(
            None if lo is None else ceil(lo / self.step),
            None if hi is None else floor(hi / self.step),
        )

    def text(self, place: int) -> str:
        """The value at a place, in the form of profiles."""
        if self.fact.kind == "date":
            return date.fromordinal(place).isoformat()
        return show(place * self.step, "元", digits=_DIGITS).removesuffix("元")

    def choices(self) -> tuple[Scalar, ...]:
        """The other values of a yes-no fact or a code."""
        every = (True, False) if self.fact.kind == "flag" else self.fact.codes
        return tuple(v for v in every if v != self.value)

    def remoteness(self, new: Scalar, as_of: date) -> Fraction:
        """The relative size of a change.

        A figure's change is relative to the figure, at least to one unit of the form; a date's to
        its distance from the filing date, at least one day; any other change has size 1.
        """
        old = str(self.value)
        if self.fact.kind == "number":
            least = UNITS[self.fact.unit][1]
            return abs(Fraction(str(new)) - Fraction(old)) / max(abs(Fraction(old)), least)
        if self.fact.kind == "date":
            was, now = date.fromisoformat(old), date.fromisoformat(str(new))
            return Fraction(abs((now - was).days), max(abs((as_of - was).days), 1))
        return Fraction(1)


class Reach:
    """The facts on which the results of a ruleset depend.

    Atoms are ``("fact", id)``, ``("year", id, offset)``, ``("field", id, list)`` for the record at
    hand, and ``("listed", id, list)`` for any record of a list.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self.rules = {rule.id: rule for rule in ruleset.rules}
        self._read: dict[str, set[Expr]] = {}
        self.of_rule = {id: self._of_rule(id) for id in self.rules}
        self.of_indicator = {
            key: self._of_formula(i.expr, i.records) for key, i in ruleset.indicators.items()
        }

    def _of_rule(self, id: str) -> set[Expr]:
        if id not in self._read:
            rule, ruleset = self.rules[id], self.ruleset
            own = (ruleset.indicator(rule, name) for name in rule.indicator_names())
            self._read[id] = set().union(
                *(self._of_formula(i.expr, i.records) for i in own),
                *(self._of_rule(other) for other in rule.rule_references()),
            )
        return self._read[id]

    def _of_formula(self, expr: Expr, records: str) -> set[Expr]:
        found: set[Expr] = set()
        for leaf in leaves(expr):
            match leaf:
                case ("count" | "total", listed, *field, rule, filed):
                    found |= {_listed(atom) for atom in self._of_rule(rule)}
                    found |= {("fact", filed), *(("listed", id, listed) for id in field)}
                case ("field", id):
                    found.add(("field", id, records))
                case _:
                    found.add(leaf)
        return found

    def affects(self, variable: "Variable", read: set[Expr], at: At) -> bool:
        """Whether a node that reads these atoms, for the record at hand, depends on a fact."""
        if variable.at is None:
            return variable.leaf in read
        atom = (*variable.leaf, variable.at[0])
        return _listed(atom) in read or (at == variable.at and atom in read)

    def variables(self, profile: Profile) -> list[Variable]:
        """The filed facts on which the root rule depends, except texts."""
        read = self.of_rule[self.ruleset.root]
        found = []
        for key, value in profile.values.items():
            id, _, year = key.partition("@")
            fact = self.ruleset.facts.get(id)
            if fact is not None:
                leaf = ("year", id, int(year) - profile.fiscal_year) if year else ("fact", id)
                name = f"{year}年{fact.name}" if year else fact.name
                found.append(Variable(key=key, name=name, fact=fact, value=value, leaf=leaf))
        for records, filed in profile.records.items():
            for i, item in enumerate(filed.items):
                for id, value in item.items():
                    fact = self.ruleset.fields.get(f"{records}.{id}")
                    if fact is not None:
                        label = f"{self.ruleset.lists[records].name}第{i + 1}条：{fact.name}"
                        key = f"{records}#{i}.{id}"
                        found.append(
                            Variable(
                                key=key,
                                name=label,
                                fact=fact,
                                value=value,
                                leaf=("field", id),
                                at=(records, i),
                            )
                        )
        return [v for v in found if v.fact.kind != "text" and self.affects(v, read, None)]

    def unanswered(self, profile: Profile) -> list[Variable]:
        """The unfiled yes-no facts on which the root rule depends."""
        read = self.of_rule[self.ruleset.root]
        return [
            Variable(key=id, name=fact.name, fact=fact, value=None, leaf=("fact", id))
            for id, fact in self.ruleset.facts.items()
            if fact.kind == "flag" and id not in profile.values and ("fact", id) in read
        ]


def _listed(atom: Expr) -> Expr:
    """The atom of a field of one record, as it is read through a list."""
    return ("listed", *atom[1:]) if atom[0] == "field" else atom


class StudyCase(reference.Evaluation):
    """A reference evaluation in which one fact has a place on its grid instead of a fixed value."""

    def __init__(
        self,
        facts: Json,
        variable: Variable,
        grid: Grid | None = None,
        place: int = 0,
    ) -> None:
        super().__init__(facts)
        self.variable = variable
        self.grid = grid
        self.place = place
        self.turns: set[int] = set()
        self.along: Along | None = None
        if grid is not None and variable.fact.kind == "number":
            track = Track(place, self.turns, grid.turns)
            up, down = variable.step.as_integer_ratio()
            self.along = Along(track, (0, up), (down,))

    def moves(self, formula: Sequence[Any], at: At) -> bool:
        """Whether a formula reads the fact itself."""
        if formula[0] == "else_known":  # if the first is filed, the rest is never read
            return self.moves(formula[1], at)
        own = self.variable.at
        return tuple(formula) == self.variable.leaf and (own is None or own == at)


class StudyEvaluator(reference.Evaluator):
    """The reference evaluator, in whose formulas the fact of a ``StudyCase`` is a variable."""

    def formula(self, formula: Sequence[Any], records: str = "") -> Formula:
        """The reading of a formula."""
        plain = super().formula(formula, records)

        def read(case: reference.Evaluation, place: Place) -> Reading:
            if (
                isinstance(case, StudyCase)
                and case.along is not None
                and case.moves(formula, place.at)
            ):
                value = cast(Fraction, case.along)
                return Reading(value, value, 0)
            return plain(case, place)

        match formula:
            case [("fact" | "year" | "field" | "else_known"), *_]:
                return read
            case ["total", of, field, rule, filed]:
                return self.summed(plain, of, field, rule, filed)
        return plain

    def summed(
        self, plain: Formula, records: str, field: str, rule: str, filed: str | None
    ) -> Formula:
        """A total whose summands may include the fact."""
        listed = super().formula(["total", records, field, rule, None])
        agreeing = self.agreeing(filed)

        def read(case: reference.Evaluation, place: Place) -> Reading:
            if not isinstance(case, StudyCase) or case.along is None:
                return plain(case, place)
            own = case.variable.at
            if own is None or own[0] != records or case.variable.leaf != ("field", field):
                return plain(case, place)
            lo, hi, gap, *_ = listed(case, place)
            assert lo is not None
            outcome = self.outcome(rule, records)(case, case.places(records)[own[1]])
            shift = cast(Fraction, case.along - case.along.value)
            if outcome == MET:
                lo += shift
            if outcome != NOT_MET and hi is not None:
                hi += shift
            return agreeing(case, interval(lo, hi, gap))

        return read

    def time(
        self,
        a: Sequence[Any],
        b: Sequence[Any],
        records: str,
        measure: Callable[[date, date], Number],
    ) -> Formula:
        """A measure of time with one date as a variable; it is monotone in each of its dates."""
        plain = super().time(a, b, records, measure)
        first, last = self.day(a, records), self.day(b, records)

        def read(case: reference.Evaluation, place: Place) -> Reading:
            known = plain(case, place)
            if not isinstance(case, StudyCase) or case.grid is None or known.lo is None:
                return known
            moving = case.moves(a, place.at), case.moves(b, place.at)
            if not any(moving):
                return known
            pairs = tuple(zip(moving, (first(case, place), last(case, place)), strict=True))

            def measured(ordinal: int) -> Number:
                day = date.fromordinal(ordinal)
                return measure(*(day if moves else cast(date, fixed) for moves, fixed in pairs))

            grid = case.grid
            track = Track(known.lo, case.turns, lambda p: grid.days(measured, p))
            value = cast(Fraction, Along(track, (0, 1)))
            return Reading(value, value, 0)

        return read


#: Makes the evaluation of a value: at a place on a grid, or by itself.
Maker: TypeAlias = Callable[[Scalar, Grid | None, int], StudyCase]


class Study:
    """One evaluated filing, from which other values of one fact are evaluated."""

    def __init__(self, reach: Reach, evaluator: StudyEvaluator, facts: Json) -> None:
        self.reach = reach
        self.evaluator = evaluator
        self.facts = facts
        self.base = evaluator.evaluation(facts)
        self._makers: dict[str, Maker] = {}

    def having(self, variable: Variable, value: Scalar) -> "Study":
        """The filing with another value of one fact."""
        return Study(self.reach, self.evaluator, self.with_value(variable, value))

    def with_value(self, variable: Variable, value: Scalar) -> Json:
        """The facts with another value of one of them."""
        if variable.at is None:
            return {**self.facts, "values": {**self.facts["values"], variable.key: value}}
        records, number = variable.at
        filed = self.facts["records"][records]
        items = list(filed["items"])
        items[number] = {**items[number], variable.leaf[1]: value}
        return {
            **self.facts,
            "records": {**self.facts["records"], records: {**filed, "items": items}},
        }

    def others(self, variable: Variable) -> Tried:
        """The other values of a yes-no fact or a code, with their evaluations."""
        made = self._maker(variable)
        for value in variable.choices():
            yield value, made(value, None, 0)

    def runs(self, variable: Variable) -> Iterator[Tried]:
        """Values by direction, nearest first: down and up, or each other value as its own run."""
        if variable.ordered:
            yield from (self.walk(variable, way) for way in (-1, 1))
        else:
            yield from ([other] for other in self.others(variable))

    def walk(self, variable: Variable, way: int) -> Tried:
        """Ever larger (way 1) or smaller (way -1) values of a figure or date, with their evaluations.

        If neighbouring values take the same course, only the nearest is given. From a broken
        figure, the way up begins at the least value that it can truly have.
        """
        made, grid = self._maker(variable), variable.grid()
        place: int | None = floor(variable.place) + 1 if way > 0 else ceil(variable.place) - 1
        if place is not None and way > 0 and grid.lo is not None:
            place = max(place, grid.lo)
        while (
            place is not None
            and (grid.lo is None or grid.lo <= place)
            and (grid.hi is None or place <= grid.hi)
        ):
            value = variable.text(place)
            case = made(value, grid, place)
            yield value, case
            if way > 0:
                place = min((t for t in case.turns if t > place), default=None)
            else:
                place = max((t - 1 for t in case.turns if t <= place), default=None)

    def _maker(self, variable: Variable) -> Maker:
        """A maker of evaluations for other values, which reuses results independent of the fact."""
        if variable.key in self._makers:
            return self._makers[variable.key]
        kept = [self._kept(variable, place) for place in self.base.everywhere()]
        root = self.evaluator.rule(self.reach.ruleset.root, "")

        def made(value: Scalar, grid: Grid | None, place: int) -> StudyCase:
            case = StudyCase(self.with_value(variable, value), variable, grid, place)
            for of, (trace, known) in zip(case.everywhere(), kept, strict=True):
                of.trace.update(trace)
                of.known.update(known)
            root(case, case.itself)
            return case

        self._makers[variable.key] = made
        return made

    def _kept(self, variable: Variable, place: Place) -> tuple[reference.Trace, dict[str, Reading]]:
        """The results and readings at a place that are independent of the fact."""
        reach, records = self.reach, place.records
        rules = {key.partition("/")[0] for key in place.trace}
        of_rules = {r for r in rules if reach.affects(variable, reach.of_rule[r], place.at)}
        of_indicators = {
            name
            for name in place.known
            if reach.affects(
                variable, reach.of_indicator[f"{records}.{name}" if records else name], place.at
            )
        }
        trace = {k: r for k, r in place.trace.items() if k.partition("/")[0] not in of_rules}
        return trace, {name: r for name, r in place.known.items() if name not in of_indicators}
