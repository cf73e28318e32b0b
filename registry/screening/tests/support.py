"""What tests of screening share: filings in databases, and what a program and the reference say of them."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from registry.judging.case import Case
from registry.judging.facts import facts_of
from registry.screening.agreement import record_results, results
from registry.screening.compiler.program import Program
from registry.screening.engines import Database, DuckDB, PostgreSQL
from registry.screening.schema import Schema, schema_of
from registry.screening.snapshot import FiledRow, collect, narrowed
from registry.screening.tables import Files
from registry.screening.tests.filings import DAY
from rules.model.facts import Profile
from rules.model.ruleset import Ruleset, Trace, trace_of
from rules.portable import reference
from rules.tests.packaged import catalogue, rulebook

FEATURES = Path(__file__).parents[3] / "features"


def roots() -> list[str]:
    """Every ruleset that may govern, nationally, in a province or in a round."""
    return list(dict.fromkeys(r.ruleset for r in rulebook().applicability if r.encoded))


def filed(profiles: Iterable[Profile]) -> list[FiledRow]:
    """Profiles as filings of made-up enterprises, numbered from 0."""
    place = {"province": "江苏省", "city": "南京市", "county": "玄武区"}
    return [
        FiledRow(
            Case(
                filing_id=n, uscc=f"{n:018d}", name=f"企业{n}", as_of=p.as_of, facts=facts, **place
            ),
            facts,
        )
        for n, p in enumerate(profiles)
        for facts in [facts_of(p)]
    ]


def duckdb(filings: Iterable[FiledRow], day: date = DAY) -> DuckDB:
    with tempfile.TemporaryDirectory() as folder:
        with Files(schema_of(catalogue()), Path(folder)) as files:
            collect(filings, day, files, catalogue())
        database = DuckDB(schema_of(catalogue()))
        database.load(Path(folder))
    database.schema = narrowed(database)
    return database


def postgresql(filings: Iterable[FiledRow], url: sa.URL, day: date = DAY) -> PostgreSQL:
    with tempfile.TemporaryDirectory() as folder:
        with Files(schema_of(catalogue()), Path(folder)) as files:
            collect(filings, day, files, catalogue())
        database = PostgreSQL(schema_of(catalogue()), url)
        database.load(Path(folder))
    database.schema = narrowed(database)
    return database


def by_reference(ruleset: Ruleset, profiles: Sequence[Profile]) -> list[Trace]:
    evaluator = reference.Evaluator(ruleset.to_json())
    return [trace_of(evaluator.evaluate(p.to_json())) for p in profiles]


def screened(
    database: Database, ruleset: Ruleset, schema: Schema | None = None, day: date = DAY
) -> dict[int, Trace]:
    """The whole trace of every filing, records and all."""
    program = Program(ruleset, schema or database.schema, day)
    found: dict[int, Trace] = defaultdict(dict)
    for filing_id, trace in results(database, program):
        found[filing_id] = dict(trace)
    for records in program.record_nodes:
        for filing_id, position, trace in record_results(database, program, records):
            found[filing_id] |= {f"{records}#{position}:{k}": r for k, r in trace.items()}
    return found


def differing(
    database: Database,
    ruleset: Ruleset,
    expected: Sequence[Trace],
    screen: Callable[[Database, Ruleset], dict[int, Trace]] = screened,
) -> list[str]:
    """The nodes on which a database and the expected traces differ, with the filing."""
    found = screen(database, ruleset)
    assert set(found) == set(range(len(expected)))
    return [
        f"{n} {key}: {found[n].get(key)} {trace.get(key)}"
        for n, trace in enumerate(expected)
        for key in {**found[n], **trace}
        if found[n].get(key) != trace.get(key)
    ]
