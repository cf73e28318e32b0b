"""Databases that evaluate a program: DuckDB, PostgreSQL and Spark, from one PostgreSQL text.

Each holds the tables of one snapshot and keeps results in its own temporary tables.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from registry.errors import RegistryError
from registry.screening.compiler.stages import Fence
from registry.screening.schema import Schema
from registry.screening.tables import create
from rules.portable.errors import Remedy

#: Named parameters, so that no character of a text is taken for a placeholder.
_POSTGRESQL: Final[sa.Dialect] = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
_FETCHED: Final = 10_000
_BUFFER: Final = 1 << 20


class ScreeningError(RegistryError):
    """A screening is not possible as requested."""


class Database(Protocol):
    """A database that holds a snapshot."""

    schema: Schema

    @property
    def name(self) -> str:
        """The name of the database on the command line."""

    @property
    def release(self) -> str:
        """Its name and version."""

    @property
    def fence(self) -> Fence:
        """The fence that keeps stages apart in this database."""

    def keep(self, table: str, statement: sa.SelectBase) -> None:
        """Keep a result as a temporary table."""

    def extend(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows to a temporary table."""

    def rows(self, statement: sa.SelectBase) -> Iterator[tuple[Any, ...]]:
        """A result, row by row."""

    def close(self) -> None:
        """Release it."""


def _version(connection: Any) -> str:
    return str(connection.execute("SELECT version()").fetchone()[0])


def text_of(statement: sa.SelectBase) -> str:
    """The text of a statement, including its constants."""
    return str(statement.compile(dialect=_POSTGRESQL, compile_kwargs={"literal_binds": True}))


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

    @property
    def release(self) -> str:
        """Its name and version."""
        return f"DuckDB {_version(self.connection)}"

    def load(self, folder: Path) -> None:
        """Make the tables from files of comma-separated values."""
        for table, columns in self.schema.tables.items():
            self.connection.execute(create(table, columns, _POSTGRESQL))
            source = csv_source(self.schema, table, folder)
            self.connection.execute(f"INSERT INTO {table} SELECT * FROM {source}")

    def keep(self, table: str, statement: sa.SelectBase) -> None:
        """Keep a result as a temporary table."""
        # everything is in memory; cursors would not see a table declared temporary
        self.connection.execute(f"CREATE OR REPLACE TABLE {table} AS {text_of(statement)}")

    def extend(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows to a temporary table."""
        for row in rows:
            places = ", ".join("?" * len(row))
            self.connection.execute(f"INSERT INTO {table} VALUES ({places})", list(row))

    def rows(self, statement: sa.SelectBase) -> Iterator[tuple[Any, ...]]:
        """A result, row by row."""
        found = self.connection.cursor().execute(text_of(statement))
        while rows := found.fetchmany(_FETCHED):
            yield from rows

    def close(self) -> None:
        """Release it."""
        self.connection.close()


class PostgreSQL:
    """The registry's own PostgreSQL, or another one; all tables there are temporary."""

    name = "postgresql"
    fence: Fence = "offset"

    def __init__(self, schema: Schema, url: sa.URL) -> None:
        self.schema = schema
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection = psycopg.connect(address, autocommit=True)
        # for statements of this length, compiling takes longer than it saves
        self.connection.execute("SET jit = off")
        self.connection.execute("SET join_collapse_limit = 1")

    @property
    def release(self) -> str:
        """Its name and version."""
        return _version(self.connection)

    def load(self, folder: Path) -> None:
        """Make the tables from files of comma-separated values."""
        for table, columns in self.schema.tables.items():
            self.connection.execute(create(table, columns, _POSTGRESQL, temporary=True))
            copy = f"COPY {table} FROM STDIN (FORMAT csv)"
            source = folder / f"{table}.csv"
            with self.connection.cursor().copy(copy) as target, source.open("rb") as file:
                while part := file.read(_BUFFER):
                    target.write(part)
            self.connection.execute(f"ANALYZE {table}")

    def keep(self, table: str, statement: sa.SelectBase) -> None:
        """Keep a result as a temporary table."""
        self.connection.execute(f"DROP TABLE IF EXISTS {table}")
        self.connection.execute(f"CREATE TEMPORARY TABLE {table} AS {text_of(statement)}")
        self.connection.execute(f"ANALYZE {table}")

    def extend(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows to a temporary table."""
        with self.connection.cursor() as cursor:
            for row in rows:
                places = ", ".join(["%s"] * len(row))
                cursor.execute(f"INSERT INTO {table} VALUES ({places})", list(row))

    def rows(self, statement: sa.SelectBase) -> Iterator[tuple[Any, ...]]:
        """A result, row by row."""
        cursor = self.connection.cursor()
        cursor.execute(text_of(statement))
        yield from cursor

    def close(self) -> None:
        """Close the connection, which drops all temporary tables."""
        self.connection.close()


class Spark:
    """A Spark session over the Parquet files of a snapshot; only this class knows Spark."""

    name = "spark"
    fence: Fence = "offset"

    def __init__(self, schema: Schema, parquet: Path, master: str = "local[*]") -> None:
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise ScreeningError(
                "no-spark", "没有安装 PySpark", remedy=Remedy("install-spark")
            ) from None
        self.schema = schema
        builder = SparkSession.builder.master(master).appName("tidu")
        for name, value in _SPARK.items():
            builder = builder.config(name, value)
        try:
            self.session = builder.getOrCreate()
        except Exception as error:  # PySpark, py4j and Java each raise their own
            raise ScreeningError(
                "spark-not-started",
                "Spark（{value}）没有启动：{cause}",
                value=master,
                cause=str(error).partition("\n")[0].rstrip("."),
                remedy=Remedy("start-spark"),
            ) from error
        folder = parquet.absolute()  # a cluster does not know this process's working folder
        for table in schema.tables:
            frame = self.session.read.parquet(str(folder / f"{table}.parquet"))
            frame.createOrReplaceTempView(table)

    @property
    def release(self) -> str:
        """Its name and version."""
        return f"Spark {self.session.version}"

    def keep(self, table: str, statement: sa.SelectBase) -> None:
        """Keep a result in the memory and on the disks of the cluster."""
        # a checkpoint drops its own plan; otherwise all later plans would contain it
        frame = self.session.sql(text_of(statement)).localCheckpoint()
        frame.createOrReplaceTempView(table)

    def extend(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows to a temporary table."""
        if rows:
            frame = self.session.table(table)
            more = self.session.createDataFrame([tuple(r) for r in rows], frame.schema)
            frame.union(more).localCheckpoint().createOrReplaceTempView(table)

    def rows(self, statement: sa.SelectBase) -> Iterator[tuple[Any, ...]]:
        """A result, row by row."""
        yield from map(tuple, self.session.sql(text_of(statement)).toLocalIterator())

    def close(self) -> None:
        """Stop the session."""
        self.session.stop()


#: Rules that move filters or projections through the stages substitute expressions into one another
#: over and over: planning would never end.
_MOVING: Final = ("PushDownPredicates", "PushPredicateThroughNonJoin", "CollapseProject")

#: With ANSI, an overflow is an error. Whole stages of our width compile to methods so long that the
#: JVM only interprets them. Each CTE is read once; the legacy precedence puts it in place while
#: parsing, otherwise each one causes another pass over the whole plan. Inferring filters and
#: replanning at run time gain nothing for our statements and take long.
_SPARK: Final = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.legacy.ctePrecedencePolicy": "LEGACY",
    "spark.sql.optimizer.excludedRules": ",".join(
        f"org.apache.spark.sql.catalyst.optimizer.{rule}" for rule in _MOVING
    ),
    "spark.sql.constraintPropagation.enabled": "false",
    "spark.sql.optimizer.dynamicPartitionPruning.enabled": "false",
    "spark.sql.optimizer.runtime.bloomFilter.enabled": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.memory": "4g",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def csv_source(schema: Schema, table: str, folder: Path) -> str:
    """The DuckDB expression that reads a table's CSV file."""
    columns = schema.tables[table]
    types = ", ".join(f"'{n}': '{t.compile(_POSTGRESQL)}'" for n, t in columns.items())
    place = str(folder / f"{table}.csv").replace("'", "''")
    return (
        f"read_csv('{place}', columns={{{types}}}, header=false, delim=',', quote='\"', escape='\"',"
        " nullstr='', allow_quoted_nulls=false, auto_detect=false, dateformat='%Y-%m-%d',"
        " max_line_size=16777216)"
    )


def to_parquet(source: Path, target: Path) -> None:
    """Convert a CSV file to Parquet; all columns are text, and the first row holds their names."""
    connection = duckdb_connection()
    import duckdb

    connection.execute("SET preserve_insertion_order = true")
    read, written = (str(p).replace("'", "''") for p in (source, target))
    try:
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{read}', header=true, all_varchar=true, quote='\"',"
            f" escape='\"', delim=',', auto_detect=true)) TO '{written}'"
            " (FORMAT parquet, USE_TMP_FILE false)"
        )
    except duckdb.IOException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def duckdb_connection(threads: int = 0) -> Any:
    """A connection to an in-memory DuckDB that downloads nothing."""
    try:
        import duckdb
    except ImportError:
        raise ScreeningError(
            "no-duckdb", "没有安装 DuckDB", remedy=Remedy("install-duckdb")
        ) from None
    config: dict[str, Any] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        # the order of filings does not matter, and keeping it takes memory
        "preserve_insertion_order": "false",
        # on stages as wide as ours this takes ten times as long as the rest of planning
        "disabled_optimizers": "partial_aggregate_pushdown",
    }
    if threads:
        config["threads"] = str(threads)
    return duckdb.connect(":memory:", config=config)
