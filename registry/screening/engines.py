"""Databases that evaluate a program: DuckDB, PostgreSQL, SQLite, and Spark, from one statement.

All but SQLite take the text of the PostgreSQL dialect. Each holds the tables of one snapshot, and
keeps results in temporary tables of its own.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from registry.errors import RegistryError
from registry.screening.schema import Schema
from registry.screening.stages import Fence
from registry.screening.tables import create

#: Named parameters, so that no sign of a text is taken for a placeholder; there are none anyway.
_POSTGRESQL: Final = postgresql.dialect(paramstyle="named")
_SQLITE: Final = sqlite.dialect(paramstyle="named")
_FETCHED: Final = 10_000


class ScreeningError(RegistryError):
    """A screening cannot be done as asked."""


class Database(Protocol):
    """A database that holds a snapshot."""

    @property
    def name(self) -> str:
        """How the command line calls it."""

    @property
    def fence(self) -> Fence:
        """What keeps its stages apart."""

    def keep(self, table: str, statement: sa.Select[Any]) -> None:
        """Keep a result as a temporary table."""

    def rows(self, statement: sa.Select[Any]) -> Iterator[tuple[Any, ...]]:
        """A result, row by row."""

    def close(self) -> None:
        """Release it."""


def text_of(statement: sa.Select[Any], dialect: sa.Dialect = _POSTGRESQL) -> str:
    """The text of a statement, complete with its constants."""
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


class DuckDB:
    """DuckDB in this process; ``parquet`` is the folder of a snapshot that it reads in place."""

    name = "duckdb"
    fence: Fence = ""

    def __init__(self, schema: Schema, parquet: Path | None = None, threads: int = 0) -> None:
        self.connection = duckdb_connection(threads)
        self.schema = schema
        if parquet is not None:
            for table in schema.tables:
                place = str(parquet / f"{table}.parquet").replace("'", "''")
                self.connection.execute(
                    f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{place}')"
                )

    def load(self, folder: Path) -> None:
        """Make the tables from files of comma-separated values."""
        for table, columns in self.schema.tables.items():
            self.connection.execute(create(table, columns, _POSTGRESQL))
            source = csv_source(self.schema, table, folder)
            self.connection.execute(f"INSERT INTO {table} SELECT * FROM {source}")

    def keep(self, table: str, statement: sa.Select[Any]) -> None:
        """Keep a result as a temporary table."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {text_of(statement)}")

    def rows(self, statement: sa.Select[Any]) -> Iterator[tuple[Any, ...]]:
        """A result, row by row."""
        found = self.connection.cursor() if False else self.connection.execute(text_of(statement))
        while rows := found.fetchmany(_FETCHED):
            yield from rows

    def close(self) -> None:
        """Release it."""
        self.connection.close()


def csv_source(schema: Schema, table: str, folder: Path) -> str:
    """What DuckDB reads a file of comma-separated values with."""
    columns = schema.tables[table]
    types = ", ".join(f"'{n}': '{t.compile(_POSTGRESQL)}'" for n, t in columns.items())
    place = str(folder / f"{table}.csv").replace("'", "''")
    return (
        f"read_csv('{place}', columns={{{types}}}, header=false, delim=',', quote='\"', escape='\"',"
        " nullstr='', allow_quoted_nulls=false, auto_detect=false, dateformat='%Y-%m-%d',"
        " max_line_size=16777216)"
    )


def duckdb_connection(threads: int = 0) -> Any:
    """A connection to a DuckDB in memory that fetches nothing from anywhere."""
    try:
        import duckdb
    except ImportError:
        raise ScreeningError(
            "没有安装 DuckDB：请运行 pip install 'tidu[screening]'，或用 --engine 换一个数据库"
        ) from None
    config: dict[str, Any] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        # filings come out in no order anyway, and order would have to be kept in memory
        "preserve_insertion_order": "false",
    }
    if threads:
        config["threads"] = str(threads)
    return duckdb.connect(":memory:", config=config)
