"""Adding many rows at once: COPY on PostgreSQL, one executemany of bare tuples on SQLite.

What is stored is just what an ordinary insert of the same rows stores: values pass through the same
column types. Numbers of rows that others refer to are given out first, in one go.
"""

from collections.abc import Sequence
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import exc
from sqlmodel import Session

#: What psycopg raises where the server has gone, and not where it refuses.
_GONE: Final = (psycopg.OperationalError, psycopg.InterfaceError)


def insert(
    session: Session, table: sa.Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Add rows, which are the values of these columns; needs a writing transaction."""
    if not rows:
        return
    columns = zip(names, zip(*rows, strict=True), strict=True)
    bound = [_bound(table.c[name], values, session) for name, values in columns]
    store = _copy if session.get_bind().dialect.name == "postgresql" else _executemany
    store(session.connection(), table, names, list(zip(*bound, strict=True)))


def numbers(session: Session, table: sa.Table, count: int) -> list[int]:
    """The numbers that the next rows of a table are to have; needs a writing transaction."""
    if session.get_bind().dialect.name == "postgresql":
        name = session.get_bind().dialect.identifier_preparer.format_table(table)
        sequence = sa.func.nextval(sa.func.pg_get_serial_sequence(name, "id"))
        series = sa.func.generate_series(1, count).table_valued("n")
        return list(session.scalars(sa.select(sequence).select_from(series)))
    last = session.scalar(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0)))
    assert last is not None
    return list(range(last + 1, last + count + 1))


def _bound(column: sa.Column[Any], values: Sequence[Any], session: Session) -> Sequence[Any]:
    """The values of a column as the driver takes them; each different one is worked out once."""
    dialect = session.get_bind().dialect
    bind = column.type.dialect_impl(dialect).bind_processor(dialect)
    if bind is None:
        return values
    known = {value: None if value is None else bind(value) for value in set(values)}
    return [known[value] for value in values]


def _executemany(
    connection: sa.Connection, table: sa.Table, names: Sequence[str], rows: list[tuple[Any, ...]]
) -> None:
    quote = connection.dialect.identifier_preparer.quote
    columns, places = ", ".join(map(quote, names)), ", ".join("?" * len(names))
    connection.exec_driver_sql(
        f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({places})", rows
    )


def _copy(
    connection: sa.Connection, table: sa.Table, names: Sequence[str], rows: list[tuple[Any, ...]]
) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        # as SQLAlchemy would have wrapped it, so that callers need to know of one kind only
        raise exc.DBAPIError.instance(
            statement.as_string(driver),
            None,
            error,
            psycopg.Error,
            connection_invalidated=isinstance(error, _GONE) and driver.closed,
            dialect=connection.dialect,
        ) from error
