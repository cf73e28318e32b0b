"""A folder of made-up enterprises, read, checked and stored, beside bare inserts of its rows.

Run ``python -m benchmarks.bulk``; ``--help`` names the options. Each part of the folder is loaded
as ``tidu import`` does it. Then its rows in all tables are added to the same tables of two further
databases, by COPY (PostgreSQL) or one executemany per table (SQLite): once without keys, indexes
and triggers, once with all of them. Only the ratios within one run count.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import SQLModel

from benchmarks.decide import postgresql as postgresql_server
from registry.database import storage
from registry.database.models import STATED_TABLES, Enterprise, Filing, Import
from registry.database.versions import table_of
from registry.demo.aims import aims
from registry.demo.tables import write_directory
from registry.desk.importing import rechecked
from registry.filings import FileReading
from registry.intake import directory
from registry.intake.folders import FolderLoader
from registry.kit import resources
from registry.record import loading
from registry.record.publication import packaged_catalogue
from rules.language.rulebook import load as load_rules

DAY: Final = date(2026, 6, 30)
CATALOGUE: Final = packaged_catalogue()
#: The tables that a load fills, each after those it refers to; an import's enterprises are new.
MODELS: Final[tuple[type[SQLModel], ...]] = (Import, Enterprise, Filing, *STATED_TABLES)
TABLES: Final = tuple(map(table_of, MODELS))


@dataclass
class Spent:
    """Seconds by activity, a figure for each part, and what was stored.

    ``own`` is the processor time of this process.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    own: dict[str, list[float]] = field(default_factory=dict)
    rows: int = 0
    enterprises: int = 0
    memory: list[float] = field(default_factory=list)

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        """Time an activity."""
        start, own = perf_counter(), process_time()
        yield
        self.seconds.setdefault(what, []).append(perf_counter() - start)
        self.own.setdefault(what, []).append(process_time() - own)


def ratio(spent: dict[str, list[float]], what: Sequence[str], bare: str) -> float:
    """The median ratio of the sum of some activities to another, part by part."""
    parts = zip(*(spent[w] for w in what), strict=True)
    return median(a / b for a, b in zip(map(sum, parts), spent[bare], strict=True))


def main(arguments: Sequence[str] | None = None) -> None:
    """Generate, load into each kind of database, and print ratios first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000, help="enterprises")
    parser.add_argument("--only", choices=["SQLite", "PostgreSQL"], help="one kind of database")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "firms"
        start = perf_counter()
        wanted = aims(load_rules(resources.features()))
        write_directory(folder, given.count, 1, DAY, wanted, lambda done: None)
        size = sum(f.stat().st_size for f in folder.iterdir())
        rate = given.count / (perf_counter() - start)
        print(f"{given.count} enterprises, {size / 1e6:.0f} MB, generated at {rate:.0f}/s")
        start = perf_counter()
        found = directory.survey(folder, CATALOGUE)
        print(f"looked through for their order at {given.count / (perf_counter() - start):.0f}/s")
        for kind, databases in {"SQLite": sqlite, "PostgreSQL": postgresql}.items():
            if given.only in (None, kind):
                with databases() as (registry, plain, keyed):
                    report(kind, measured(found, registry, plain, keyed))


@contextmanager
def sqlite() -> Iterator[tuple[sa.Engine, sa.Engine, sa.Engine]]:
    """A registry, a database with bare tables, and one with the registry's tables."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _prepared([f"sqlite:///{folder}/{n}.db" for n in ("tidu", "plain", "keyed")])


@contextmanager
def postgresql() -> Iterator[tuple[sa.Engine, sa.Engine, sa.Engine]]:
    """The same on our own PostgreSQL server with default settings."""
    with postgresql_server() as (url, plain):
        keyed = sa.make_url(url).set(database="keyed").render_as_string(hide_password=False)
        administration = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with administration.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE keyed")
        administration.dispose()
        yield from _prepared([url, plain, keyed])


def _prepared(urls: list[str]) -> Iterator[tuple[sa.Engine, sa.Engine, sa.Engine]]:
    registry, plain, keyed = (storage.create_engine(url) for url in urls)
    for engine in (registry, keyed):
        storage.upgrade(engine)
    bare = sa.MetaData()
    for table in TABLES:
        sa.Table(table.name, bare, *(sa.Column(c.name, _plain(c.type)) for c in table.columns))
    with plain.execution_options(tidu_write=True).begin() as connection:
        bare.create_all(connection)
    yield registry, plain, keyed
    for engine in (registry, plain, keyed):
        engine.dispose()


def _plain(kind: Any) -> Any:
    """A column's type without an enumeration's constraint."""
    return sa.Text() if isinstance(kind, sa.Enum) else kind


def measured(
    found: directory.Survey, registry: sa.Engine, plain: sa.Engine, keyed: sa.Engine
) -> Spent:
    """Load part by part, and add the same rows to the other two databases after each."""
    spent = Spent()
    reader = directory.FolderReader(found)
    parts = FolderLoader(registry, found, now=_now).parts()
    while True:
        with spent.on("reading"):
            part = next(parts, None)
            reading = reader.read(part) if part else None
        if reading is None:
            spent.seconds["reading"].pop()
            spent.own["reading"].pop()
            return spent
        with spent.on("totals"):
            reading = rechecked(reading, CATALOGUE, None)
        import_id = _load(registry, reading, spent)
        rows = _stored(registry, import_id)
        spent.rows += sum(count for _, _, count in rows)
        spent.enterprises += len(reading.submissions)
        for name, engine in (("bare", plain), ("keyed", keyed)):
            with spent.on(name), engine.execution_options(tidu_write=True).begin() as connection:
                for table, data, _ in rows:
                    _add(connection, table, data)
        spent.memory.append(_memory())


def _load(engine: sa.Engine, reading: FileReading, spent: Spent) -> int:
    with spent.on("storing"), storage.session(engine, write=True) as session:
        done = loading.load(session, reading, now=_now(), partial=True, by="甲")
    assert not done.refused
    assert done.import_id is not None
    return done.import_id


def _now() -> datetime:
    return datetime.now(UTC)


def _stored(engine: sa.Engine, import_id: int) -> list[tuple[sa.Table, Any, int]]:
    """The rows of an import by table, as bytes for COPY or as tuples, and their number."""
    return [(t, *_fetched(engine, t, _of(t, import_id))) for t in TABLES]


def _of(table: sa.Table, import_id: int) -> str:
    if table is table_of(Enterprise):
        return f"id IN (SELECT enterprise_id FROM filing WHERE import_id = {import_id})"
    return f"{'id' if table is table_of(Import) else 'import_id'} = {import_id}"


def _fetched(engine: sa.Engine, table: sa.Table, where: str) -> tuple[Any, int]:
    query = f'SELECT {_columns(table)} FROM "{table.name}" WHERE {where} ORDER BY id'
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if engine.dialect.name == "sqlite":
            rows = driver.execute(query).fetchall()
            return rows, len(rows)
        with driver.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
            data = b"".join(bytes(block) for block in copy)
        return data, data.count(b"\n")


def _add(connection: sa.Connection, table: sa.Table, data: Any) -> None:
    if not data:
        return
    driver: Any = connection.connection.driver_connection
    columns = _columns(table)
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(table.columns))
        driver.executemany(f'INSERT INTO "{table.name}" ({columns}) VALUES ({places})', data)
    else:
        statement = f'COPY "{table.name}" ({columns}) FROM STDIN'
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(data)


def _columns(table: sa.Table) -> str:
    return ", ".join(f'"{c.name}"' for c in table.columns)


def report(kind: str, spent: Spent) -> None:
    """Print the results."""
    total: Callable[[str], float] = lambda what: sum(spent.seconds[what])  # noqa: E731
    whole = ("reading", "totals", "storing")
    taken = sum(map(total, whole))
    print(f"\n{kind}: {spent.enterprises} enterprises, {spent.rows} rows")
    for bare, words in (("bare", "into tables without keys"), ("keyed", "into the same tables")):
        times = {"": spent.seconds}
        if kind == "SQLite":  # on PostgreSQL the server does the inserting
            times[", in processor time"] = spent.own
        for how, taken_for in times.items():
            all_of_it = ratio(taken_for, whole, bare)
            print(f"  {all_of_it:6.2f}  loading / bare inserts of the same rows {words}{how}")
            print(f"  {ratio(taken_for, ['storing'], bare):6.2f}  of these storing alone")
    for what, words in zip(
        whole, ("reading and checking", "comparing totals", "storing"), strict=True
    ):
        print(f"  {total(what) / taken:6.1%}  of loading is {words}")
    print(
        f"  {spent.rows / taken:8.0f}  rows/s loaded here and now, {spent.enterprises / taken:.0f} enterprises/s"
    )
    print(f"  {spent.rows / total('bare'):8.0f}  rows/s into tables without keys")
    print(f"  {spent.rows / total('keyed'):8.0f}  rows/s into the same tables")
    fifths = [spent.memory[len(spent.memory) * n // 5 - 1] for n in range(1, 6)]
    print(f"          memory in MB after each fifth: {', '.join(f'{m:.0f}' for m in fifths)}")


def _memory() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


if __name__ == "__main__":
    main()
