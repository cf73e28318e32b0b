"""Counts and lists of screened filings, read from the tables that hold the results."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from registry.screening.engines import Database
from registry.screening.results import INDUSTRY, VERDICT, ListedFirm, Part, ScreeningTally
from registry.screening.schema import Schema
from rules.model.ruleset import Outcome

_UNSTATED: Final = "（未填报）"
_COUNTED: Final = (Outcome.MET, Outcome.NOT_MET, Outcome.MISSING, Outcome.PENDING)


class Counting:
    """Counts the results in a database."""

    def __init__(self, database: Database, schema: Schema) -> None:
        self.database = database
        self._filing = schema.filing

    def count(self, tally: ScreeningTally, part: Part) -> None:
        """Count a part."""
        self._steps(tally, part)
        self._places(tally, part)
        near = sa.select(sa.func.count()).select_from(sa.table(part.near))
        [(number,)] = self.database.rows(near)
        tally.near += int(number)

    def _steps(self, tally: ScreeningTally, part: Part) -> None:
        """One row of counts: for each criterion its outcomes, with those before it, and alone."""
        table = part.results()
        columns: list[ColumnElement[Any]] = [table.c[f"step{n}"] for n in range(len(part.steps))]
        wanted: list[ColumnElement[bool]] = []
        for n, column in enumerate(columns):
            wanted += [column == int(o) for o in _COUNTED]
            wanted.append(sa.and_(*(c == 3 for c in columns[: n + 1])))
            wanted.append(sa.and_(column != 3, *(c == 3 for c in columns if c is not column)))
        sums = [sa.func.sum(sa.case((w, 1), else_=0)).label(f"n{n}") for n, w in enumerate(wanted)]
        [row] = self.database.rows(sa.select(*sums).select_from(table))
        numbers = [int(v or 0) for v in row]
        width = len(_COUNTED) + 2
        for n, id in enumerate(part.steps):
            mine = numbers[n * width : (n + 1) * width]
            step = tally.steps[id]
            step.outcomes.update(dict(zip(_COUNTED, mine, strict=False)))
            step.passed += mine[-2]
            step.alone += mine[-1]

    def _places(self, tally: ScreeningTally, part: Part) -> None:
        """Outcomes by place and sector, and of the title's holders."""
        joined, results, held = self._joined(part)
        places = [self._filing.c.province, self._filing.c.city, results.c[INDUSTRY]]
        holding = sa.case((held.is_not(None), 1), else_=0)
        keys = [*places, results.c[VERDICT], holding]
        query = sa.select(*keys, sa.func.count()).select_from(joined).group_by(*keys)
        # a database groups in any order, and orders text by its own collation
        rows = sorted(self.database.rows(query), key=lambda row: [str(v or "") for v in row])
        for province, city, industry, value, holding_, number in rows:
            outcome, count = Outcome(int(value)), int(number)
            tally.outcomes[outcome] += count
            if holding_:
                tally.holders += count
                tally.lost += count if outcome is Outcome.NOT_MET else 0
            for name, of in (("省份", province), ("市", city), ("划型行业", industry)):
                counted = tally.places.setdefault(name, {})
                counted.setdefault(of or _UNSTATED, Counter())[outcome.text] += count

    def _joined(self, part: Part) -> tuple[Any, sa.TableClause, Any]:
        """Results with their filings and titles: the source, the results and the holders."""
        results = part.results()
        held = sa.table(part.holds, sa.column("filing_id"))
        joined = results.join(self._filing, self._filing.c.filing_id == results.c.filing_id)
        joined = joined.outerjoin(held, held.c.filing_id == results.c.filing_id)
        return joined, results, held.c.filing_id

    def firms(self, tally: ScreeningTally, part: Part) -> Iterator[ListedFirm]:
        """The enterprises of a part in order of credit code."""
        joined, results, held = self._joined(part)
        near = sa.table(part.near, *map(sa.column, ("filing_id", *part.near_columns)))
        joined = joined.outerjoin(near, near.c.filing_id == self._filing.c.filing_id)
        count = part.code.parts
        firm = [
            self._filing.c[c] for c in ("filing_id", "uscc", "name", "province", "city", "county")
        ]
        facts = [results.c[INDUSTRY], self._filing.c.as_of, results.c[VERDICT]]
        codes = [*(results.c[c] for c in part.codes), *(near.c[c] for c in part.near_columns)]
        query = sa.select(*firm, *facts, held, near.c.filing_id, *codes).select_from(joined)
        for row in self.database.rows(query.order_by(self._filing.c.uscc)):
            id, *identity, industry, day, value, holding, close = row[:11]
            code, easier = row[11 : 11 + count], row[11 + count :]
            failed = part.code.named(code, Outcome.NOT_MET)
            if close is None:
                criteria = [r for r in failed if r in part.steps]
            else:
                left = part.code.named(easier, Outcome.NOT_MET)
                criteria = [r for r in failed if r not in left]
            still_open = part.code.named(code, Outcome.MISSING, Outcome.PENDING)
            outcome = Outcome(int(value))
            uscc, name, province, city, county = (str(v or "") for v in identity)
            yield ListedFirm(
                filing_id=int(id),
                uscc=uscc,
                name=name,
                province=province,
                city=city,
                county=county,
                sector=str(industry or ""),
                as_of=str(day),
                tier=tally.tier,
                ruleset=part.root,
                outcome=outcome,
                holds=holding is not None,
                near=close is not None,
                criteria=tuple(criteria) if outcome is Outcome.NOT_MET else (),
                open=tuple(r for r in still_open if r in part.steps),
                detail=tally.details.get(uscc, ""),
            )
