"""The cases of the publication certificate, which stand for every filing, go through screening as well."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import lcm

from sqlalchemy.dialects import postgresql

from registry.screening.compiler.stages import Fence
from registry.screening.engines import duckdb_connection, text_of
from registry.screening.schema import Column, Schema
from registry.screening.tables import create
from registry.screening.tests.filings import DAY
from registry.screening.tests.support import rulebook, screened
from rules.drafting.plans import Plan, planned
from rules.drafting.synthetic import SyntheticSetting, alone, together
from rules.model.facts import Fact, Profile
from rules.model.ruleset import Trace, trace_of
from rules.portable.reference import Evaluation

#: With 63.1, 63.2 and 2026.2 it is the same, and takes a minute.
ROOTS = ("63.3", "2026.3")


def schema_of(setting: SyntheticSetting, profiles: list[Profile]) -> Schema:
    """Columns for synthetic facts, in the parts that their values need."""
    ruleset = setting.ruleset
    lists: dict[str, dict[str, list[object]]] = {}
    found: dict[str, list[object]] = {}
    for profile in profiles:
        for key, value in profile.values.items():
            found.setdefault(key, []).append(value)
        for name, filed in profile.records.items():
            for item in filed.items:
                for key, value in item.items():
                    lists.setdefault(name, {}).setdefault(key, []).append(value)
    fields: dict[str, dict[str, Column]] = {r.records: {} for r in ruleset.rules if r.records}
    for key, fact in ruleset.fields.items():
        name, _, id = key.partition(".")
        fields[name][id] = column(f"{name}_{id}", fact, lists.get(name, {}).get(id, []))
    facts = {id: column(id, fact, found.get(id, [])) for id, fact in ruleset.facts.items()}
    return Schema(facts, fields)


def column(name: str, fact: Fact, values: list[object]) -> Column:
    if fact.kind != "number":
        return Column(name=name, fact=fact)
    numbers = [Fraction(str(v)) for v in values] or [Fraction(0)]
    scale = lcm(*(n.denominator for n in numbers))
    low, high = int(min(numbers) * scale), int(max(numbers) * scale)
    return Column(name=name, fact=fact, scale=scale, low=low, high=high, most=high)


DIALECT = postgresql.dialect(paramstyle="named")


@dataclass
class Loaded:
    """DuckDB with the cases of a setting."""

    schema: Schema
    name = "duckdb"
    fence: Fence = ""

    def __post_init__(self) -> None:
        self.connection = duckdb_connection(1)

    def load(self, profiles: list[Profile]) -> None:
        rows: dict[str, list[str]] = {}
        for n, profile in enumerate(profiles):
            stored = self.schema.rows(profile, 2022)
            filing = [n, "", "", "", "", "", DAY, 2022, None, None, *stored.pop("filing")[0]]
            rows.setdefault("filing", []).append(literal(filing))
            for table, items in stored.items():
                rows.setdefault(table, []).extend(literal([n, k, *i]) for k, i in enumerate(items))
        for table, columns in self.schema.tables.items():
            self.connection.execute(create(table, columns, DIALECT))
            if rows.get(table):
                self.connection.execute(f"INSERT INTO {table} VALUES {', '.join(rows[table])}")

    def rows(self, statement):  # type: ignore[no-untyped-def]
        yield from self.connection.execute(text_of(statement)).fetchall()


def literal(values: list[object]) -> str:
    texts = ("NULL" if v is None else str(v) if isinstance(v, int) else f"'{v}'" for v in values)
    return f"({', '.join(texts)})"


@cache
def settings() -> tuple[Plan, ...]:
    """The plans of all rules, each once, and of whole rulesets."""
    known: dict[str, SyntheticSetting] = {}
    for root in ROOTS:
        ruleset = rulebook().ruleset(root)
        for setting in (*(alone(ruleset, r) for r in ruleset.rules), together(ruleset)):
            known.setdefault(setting.digest, setting)
    return tuple(map(planned, known.values()))


def cases(plan: Plan) -> Iterator[tuple[Profile, Trace]]:
    for choice, expected in plan.cases.items():
        if isinstance(expected, Evaluation):
            yield plan.setting.profile(choice), trace_of(expected.trace)


def test_screening_agrees_in_every_cell() -> None:
    count, rules = 0, 0
    for plan in settings():
        profiles, traces = map(list, zip(*cases(plan), strict=True))
        database = Loaded(schema_of(plan.setting, profiles))
        database.load(profiles)
        found = screened(database, plan.setting.ruleset)  # type: ignore[arg-type]
        for n, trace in enumerate(traces):
            assert found[n] == trace, (plan.setting.ruleset.root, n)
        count, rules = count + len(traces), rules + 1
        database.connection.close()
    assert (count, rules) > (8000, 60)
