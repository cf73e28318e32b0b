"""Adds many rows at once: COPY on PostgreSQL, one executemany of bare tuples on SQLite.

The stored rows are the same as from an ordinary insert: values pass through the same column types.
Numbers of rows to which others refer are assigned first, all at once. The stored rows are read back
and compared value by value, so a row that a trigger swallowed or altered is never announced as
stored.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlmodel import Session

from registry.errors import StorageError
from rules.portable.errors import Remedy


def insert(
    session: Session, table: sa.Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Add rows, given as the values of these columns; needs a writing transaction.

    Rows that state their key come in its order, after the existing rows. Raises ``StorageError``
    unless the database contains exactly these rows afterwards.
    """
    if not rows:
        return
    columns = zip(names, zip(*rows, strict=True), strict=True)
    bound = [_bound(table.c[name], values, session) for name, values in columns]
    stored = list(zip(*bound, strict=True))
    connection, key = session.connection(), next(iter(table.primary_key))
    numbered = isinstance(key.type, sa.Integer)
    last = connection.scalar(sa.select(sa.func.max(key))) if numbered else None
    store = _copy if connection.dialect.name == "postgresql" else _executemany
    store(connection, table, names, stored)
    if _added(connection, table, names, last) != stored:
        raise _unlike(table)


def update(session: Session, statement: sa.Update, count: int) -> None:
    """Update exactly ``count`` rows; ``StorageError`` if it was another number."""
    done = session.execute(statement)
    if done.rowcount != count:  # type: ignore[attr-defined]
        raise _unlike(statement.table)


def _unlike(table: Any) -> StorageError:
    return StorageError(
        "not-stored-as-written",
        "写入数据表{where}的内容没有如实存下，全部没有写入：数据库中可能有外加的触发器或规则",
        where=table.name,
        remedy=Remedy("verify-record"),
    )


def _added(
    connection: sa.Connection, table: sa.Table, names: Sequence[str], last: int | None
) -> list[tuple[Any, ...]]:
    """The rows after a number in order, as the driver returns them."""
    quote = connection.dialect.identifier_preparer.quote
    keys = [quote(column.name) for column in table.primary_key]
    since = "" if last is None else f" WHERE {keys[0]} > {last}"
    found = connection.exec_driver_sql(
        f"SELECT {', '.join(map(quote, names))} FROM {quote(table.name)}{since} ORDER BY {', '.join(keys)}"
    )
    return [tuple(row) for row in found]


def numbers(session: Session, table: sa.Table, count: int) -> list[int]:
    """The numbers for the next rows of a table; needs a writing transaction."""
    if session.get_bind().dialect.name == "postgresql":
        name = session.get_bind().dialect.identifier_preparer.format_table(table)
        sequence = sa.func.nextval(sa.func.pg_get_serial_sequence(name, "id"))
        series = sa.func.generate_series(1, count).table_valued("n")
        return list(session.scalars(sa.select(sequence).select_from(series)))
    last = session.scalar(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0)))
    assert last is not None
    return list(range(last + 1, last + count + 1))


def _bound(column: sa.Column[Any], values: Sequence[Any], session: Session) -> Sequence[Any]:
    """The values of a column as the driver takes them; each distinct one is converted once."""
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
    import psycopg  # a registry in a file does not need it
    from psycopg import sql

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
        # wrapped as by SQLAlchemy, so that callers need to know only one kind
        raise exc.DBAPIError.instance(
            statement.as_string(driver),
            None,
            error,
            psycopg.Error,
            # true if the server has gone, not if it refused
            connection_invalidated=driver.closed
            and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError),
            dialect=connection.dialect,
        ) from error
