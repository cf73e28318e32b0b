"""The only form in which each value is stored, as a condition that either database can check.

SQLite keeps whatever it is given: a day written ``2023-W26-5`` reads like another but sorts
differently. The conditions are in a CHECK named ``form`` of every table. ``misshapen`` also tests
all rows, because the owner of a database can switch its checks off. PostgreSQL's types ensure most
of it, but they allow infinite days, and do not cover the text of a decimal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import registry

from registry.database.columns import Exact

#: The name of the check in each table.
FORM: Final = "form"
#: The most characters of a decimal in a column.
_LONGEST: Final = 90


def sound(column: sa.Column[Any], dialect: str) -> str:
    """The condition that a column's value is in its only form; empty if the type ensures it."""
    name, kind = f'"{column.name}"', column.type
    stored = kind.impl_instance if isinstance(kind, sa.TypeDecorator) else kind
    conditions = _SQLITE if dialect == "sqlite" else _POSTGRESQL
    is_exact = isinstance(kind, Exact)
    of_type = "exact" if is_exact else next(k for k, t in _TYPES.items() if isinstance(stored, t))
    condition = conditions.get(of_type, "").replace("{}", name)
    if column.nullable:
        return condition and f"({name} IS NULL OR {condition})"
    return condition and f"({condition})"


#: The order matters: an enumeration is also a text, and a moment is not a day.
_TYPES: Final[dict[str, type[Any]]] = {
    "text": sa.String,
    "flag": sa.Boolean,
    "moment": sa.DateTime,
    "day": sa.Date,
    "whole": sa.Integer,
}

_SQLITE: Final = {
    "text": "typeof({}) = 'text' AND instr({}, char(0)) = 0",
    "flag": "typeof({}) = 'integer' AND {} IN (0, 1)",
    "moment": (
        "typeof({}) = 'text' AND length(CAST({} AS BLOB)) = 26"
        " AND substr({}, 1, 19) IS datetime(substr({}, 1, 19), '+0 days') AND {} >= '0001'"
        " AND substr({}, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]'"
    ),
    "day": "typeof({}) = 'text' AND {} IS date({}, '+0 days') AND {} >= '0001'",
    "whole": "typeof({}) = 'integer'",
    "exact": (
        f"typeof({{}}) = 'text' AND length(CAST({{}} AS BLOB)) <= {_LONGEST}"
        " AND ltrim({}, '-') GLOB '[0-9]*' AND substr({}, 2) NOT GLOB '*[^0-9.]*'"
        " AND {} NOT GLOB '*.*.*' AND {} NOT GLOB '*.*0' AND {} NOT GLOB '*.'"
        " AND ltrim({}, '-') NOT GLOB '0[0-9]*' AND {} <> '-0' AND instr({}, char(0)) = 0"
    ),
}
_POSTGRESQL: Final = {
    "moment": "{} >= '0001-01-01' AND {} < '10000-01-01'",
    "day": "{} >= '0001-01-01' AND {} <= '9999-12-31'",
    "exact": (
        f"length({{}}) <= {_LONGEST} AND {{}} <> '-0'"
        " AND {} ~ '^-?(0|[1-9][0-9]*)([.][0-9]*[1-9])?$'"
    ),
}


def form(table: sa.Table, dialect: str) -> str:
    """The condition that all values of a row are in their only form; empty if types ensure it."""
    return " AND ".join(filter(None, (sound(c, dialect) for c in table.columns)))


@dataclass(frozen=True)
class Misshapen:
    """A row that the database should refuse: its key as shown, its filing, and its faults."""

    table: str
    key: tuple[Any, ...]
    filing_id: Any
    amiss: tuple[str, ...]


def misshapen(connection: sa.Connection, tables: Sequence[sa.Table]) -> Iterator[Misshapen]:
    """Every row of these tables with a value in another form, or that fails another check."""
    dialect = connection.dialect.name
    if dialect == "sqlite" and not connection.info.get(_PREPARED):
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.create_function("is_utf8", 1, _is_utf8, deterministic=True)
        connection.info[_PREPARED] = True  # made anew, it would be refused while rows are read
    for table in tables:
        yield from _misshapen(connection, table, dialect)


#: A connection's note that it knows the function.
_PREPARED: Final = "knows_utf8"


def _misshapen(connection: sa.Connection, table: sa.Table, dialect: str) -> Iterator[Misshapen]:
    asked = _conditions(table, dialect)
    keys = [_shown(c, dialect) for c in table.primary_key]
    filing = _shown(table.c.filing_id, dialect) if "filing_id" in table.c else "NULL"
    chosen = ", ".join([*keys, filing, *asked.values()])
    found = connection.exec_driver_sql(
        f'SELECT {chosen} FROM "{table.name}" WHERE NOT ({" AND ".join(asked.values())})'.replace(
            "%", "%%" if dialect == "postgresql" else "%"
        )
    )
    for row in found:
        key, filing_id, answers = row[: len(keys)], row[len(keys)], row[len(keys) + 1 :]
        amiss = (name for name, holds in zip(asked, answers, strict=True) if not holds)
        yield Misshapen(table.name, tuple(key), filing_id, tuple(amiss))


@cache
def _dialect(name: str) -> sa.Dialect:
    """A database dialect, loaded on demand."""
    found: sa.Dialect = registry.load(name)()
    return found


@cache
def _conditions(table: sa.Table, dialect: str) -> dict[str, str]:
    """The conditions on a row, by subject: its columns, and its table's checks."""
    asked: dict[str, list[str]] = {c.name: _of_column(c, dialect) for c in table.columns}
    for check in table.constraints:
        if isinstance(check, sa.CheckConstraint) and "dialect" not in check.info:
            text = check.sqltext.compile(
                dialect=_dialect(dialect), compile_kwargs={"literal_binds": True}
            )
            # the check of an enumeration has its column's name
            name = str(check.name).removeprefix(f"ck_{table.name}_")
            asked.setdefault(name, []).append(f"({text}) IS NOT FALSE")
    return {name: f"({' AND '.join(parts)})" for name, parts in asked.items() if parts}


def _of_column(column: sa.Column[Any], dialect: str) -> list[str]:
    name, form = f'"{column.name}"', sound(column, dialect)
    parts = [form] if form else []
    if not column.nullable:
        parts.append(f"{name} IS NOT NULL")
    if dialect == "sqlite" and isinstance(column.type, (sa.String, Exact)):
        parts.append(f"is_utf8(CAST({name} AS BLOB))")
    return parts


def _is_utf8(stored: bytes | None) -> bool:
    try:
        (stored or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def _shown(column: sa.Column[Any], dialect: str) -> str:
    """A key in a readable form, whatever it contains."""
    name = f'"{column.name}"'
    if dialect == "postgresql":
        return name
    is_sound = " AND ".join(_of_column(column, dialect))
    return f"CASE WHEN {is_sound} THEN {name} ELSE quote(substr(CAST({name} AS BLOB), 1, 20)) END"
