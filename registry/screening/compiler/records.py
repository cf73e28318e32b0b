"""The records of a list in SQL: rules evaluated for each record, and aggregates by filing."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from registry.screening.compiler.figures import Gap
from registry.screening.compiler.stages import Fence, Stages, fenced
from registry.screening.compiler.truths import Condition, absent, all_of, any_of
from registry.screening.compiler.widths import Int, Size, case, compare, literal
from registry.screening.schema import MOST_RECORDS, Schema, complete_column
from rules.model.ruleset import Outcome

_ONE: Final = literal(1)
_ZERO: Final = literal(0)
#: The number of bits that hold a count of records.
_BITS: Final = MOST_RECORDS.bit_length()
#: What a record adds to three counts: of records that satisfy a rule, that may, and that lack a
#: figure.
_WEIGHTS: Final = {
    Outcome.MET: 1 + (1 << _BITS),
    Outcome.MISSING: (1 << _BITS) + (1 << 2 * _BITS),
    Outcome.PENDING: 1 << _BITS,
}


class Lists:
    """Aggregates of the lists of a filing, joined to its row.

    ``outcomes`` gives the outcome of each rule over records as a column of its list's stages.
    """

    def __init__(
        self, schema: Schema, stages: Mapping[str, Stages], outcomes: Mapping[str, Int]
    ) -> None:
        self._schema = schema
        self._stages = stages
        self._outcomes = outcomes
        self._asked: dict[str, dict[str, ColumnElement[Any]]] = {}
        self._places = {rule: n for n, rule in enumerate(outcomes)}
        self._looked_up: dict[str, tuple[str, Int]] = {}

    def number(self, records: str) -> Int:
        """The number of records."""
        return self._aggregate(records, "n", sa.func.count(), MOST_RECORDS)

    def outcomes(self, records: str, rule: str) -> tuple[Int, Int, Gap]:
        """How many records satisfy a rule, and how many may; the gap of the undecided ones.

        One sum holds all three counts, each in its own bits, because fewer sums are faster.
        """
        outcome = self._outcomes[rule]
        weight = case(
            [(compare("=", outcome, literal(int(o))), literal(w)) for o, w in _WEIGHTS.items()],
            _ZERO,
        )
        packed = self._aggregate(
            records, f"{self._places[rule]}_outcomes", sa.func.sum(weight.sql), 2**63 - 1
        )
        met, maybe, missing = (packed.bits(n * _BITS, _BITS) for n in range(3))
        gap = Gap(compare(">", missing, _ZERO), compare(">", maybe, met + missing))
        return met, maybe, gap

    def amounts(self, records: str, field: str, rule: str) -> tuple[Int, Int, Gap, Condition]:
        """The sums of a field over records that satisfy a rule, and that may; gap; open end."""
        column = self._schema.field(records, field)
        place = f"{self._places[rule]}_{field}"
        amount = Int(sa.func.coalesce(sa.column(column.name), 0), 0, column.high, Size.LONG)
        counts = compare(">", self._outcomes[rule], _ZERO)
        least = self._summed(
            records, f"{place}_least", self._is(rule, Outcome.MET), amount, column.most
        )
        most = self._summed(records, f"{place}_most", counts, amount, column.most)
        unknown = all_of(counts, absent(sa.column(column.name)))
        lacks = Outcome.MISSING if column.fact.origin == "填报" else Outcome.PENDING
        gaps = [
            self._some(
                records,
                f"{place}_{o.name.lower()}",
                any_of(self._is(rule, o), unknown if o is lacks else False),
            )
            for o in (Outcome.MISSING, Outcome.PENDING)
        ]
        return least, most, Gap(*gaps), self._some(records, f"{place}_open", unknown)

    def complete(self, records: str) -> Condition:
        """Whether the list is declared complete."""
        return compare("=", Int(sa.column(complete_column(records)), 0, 1, Size.INT, True), _ONE)

    def looked_up(
        self, text: str, codes: Callable[[ColumnElement[Any]], Int]
    ) -> ColumnElement[Any]:
        """The code of a text, computed once for each distinct text of all filings."""
        name = f"looked_up_{len(self._looked_up)}"
        self._looked_up[name] = text, codes(sa.column(text))
        return sa.column(name, sa.Integer())

    def _is(self, rule: str, outcome: Outcome) -> Condition:
        return compare("=", self._outcomes[rule], literal(int(outcome)))

    def _some(self, records: str, name: str, condition: Condition) -> Condition:
        return compare(">", self._counted(records, name, condition), _ZERO)

    def _counted(self, records: str, name: str, condition: Condition) -> Int:
        if condition is False:
            return _ZERO
        flag = case([(condition, _ONE)], None)
        return self._aggregate(records, name, sa.func.count(flag.sql), MOST_RECORDS)

    def _summed(self, records: str, name: str, condition: Condition, amount: Int, most: int) -> Int:
        taken = case([(condition, amount)], _ZERO)
        # a snapshot contains no filing whose sum exceeds the column's limit
        return self._aggregate(records, name, sa.func.sum(taken.sql), most)

    def _aggregate(self, records: str, name: str, made: ColumnElement[Any], high: int) -> Int:
        column = f"{records}_{name}"
        self._asked.setdefault(records, {})[column] = sa.cast(made, sa.BigInteger())
        return Int(sa.column(column), 0, high, Size.LONG)

    def joined(
        self, filing: sa.FromClause, read: set[str], among: sa.Select[Any] | None, fence: Fence
    ) -> tuple[sa.FromClause, dict[str, ColumnElement[Any]]]:
        """The filings joined with the aggregates read, and these as columns; see ``Program``."""
        found: dict[str, ColumnElement[Any]] = {}
        source = filing
        for records, asked in self._asked.items():
            wanted = {n: made for n, made in asked.items() if n in read}
            if not wanted:
                continue
            by_filing = self._by_filing(records, wanted, among, fence).cte(f"{records}_counted")
            source = source.outerjoin(by_filing, by_filing.c.filing_id == filing.c.filing_id)
            # a filing without records has no row to join
            found |= {n: sa.func.coalesce(by_filing.c[n], 0) for n in wanted}
        for name, (text, number) in self._looked_up.items():
            if name in read:
                each = sa.select(filing.c[text]).distinct().cte(f"{name}_texts")
                made = sa.select(each.c[text], number.sql.label(name)).cte(f"{name}_made")
                source = source.outerjoin(made, made.c[text] == filing.c[text])
                found[name] = made.c[name]
        return source, found

    def _by_filing(
        self,
        records: str,
        wanted: Mapping[str, ColumnElement[Any]],
        among: sa.Select[Any] | None,
        fence: Fence,
    ) -> sa.Select[Any]:
        stages = self._stages[records]
        outputs = stages.named(wanted.values())
        table: sa.FromClause = self._schema.table(records)
        if among is not None:
            few = sa.select(*table.c).where(table.c.filing_id.in_(among))
            table = fenced(few, fence).cte(f"{records}_among")
        each = fenced(stages.statement(table, outputs, ["filing_id"], fence), fence)
        key: ColumnElement[Any] = sa.column("filing_id")
        made = (expression.label(n) for n, expression in wanted.items())
        return sa.select(key, *made).select_from(each.cte(f"{records}_each")).group_by(key)
