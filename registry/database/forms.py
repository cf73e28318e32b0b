"""The one form in which each value is stored, as a condition that either database can check.

SQLite keeps whatever it is given, so that a day written ``2023-W26-5`` reads like another and sorts
unlike it. The conditions stand in a CHECK named ``form`` of every table, and ``misshapen`` asks them
of all rows: whoever owns a database can switch its checks off. The types of PostgreSQL say most of
it themselves; they know infinite days, though, and of a decimal's text they know nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import registry

from registry.database.columns import Exact

#: The name of the check of each table.
FORM: Final = "form"
#: The longest text of a decimal that a column takes.
_LONGEST: Final = 90


def sound(column: sa.Column[Any], dialect: str) -> str:
    """The condition that a value of a column is in its one form; empty where its type says so."""
    name, kind = f'"{column.name}"', column.type
    stored = kind.impl_instance if isinstance(kind, sa.TypeDecorator) else kind
    conditions = _SQLITE if dialect == "sqlite" else _POSTGRESQL
    is_exact = isinstance(kind, Exact)
    of_type = "exact" if is_exact else next(k for k, t in _TYPES.items() if isinstance(stored, t))
    condition = conditions.get(of_type, "").replace("{}", name)
    if column.nullable:
        return condition and f"({name} IS NULL OR {condition})"
    return condition and f"({condition})"


#: In this order: an enumeration is a text, a moment is no day.
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
    """The condition that all values of a row are in their one form; empty where types say so."""
    return " AND ".join(filter(None, (sound(c, dialect) for c in table.columns)))


@dataclass(frozen=True)
class Misshapen:
    """A row that the database would not take: its key as shown, its filing, and what is amiss."""

    table: str
    key: tuple[Any, ...]
    filing_id: Any
    amiss: tuple[str, ...]


def misshapen(connection: sa.Connection, tables: Sequence[sa.Table]) -> Iterator[Misshapen]:
    """Every row of these tables with a value in another form, or against another check."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.create_function("is_utf8", 1, _is_utf8, deterministic=True)
    for table in tables:
        yield from _misshapen(connection, table, dialect)


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
    """A kind of database, loaded when it is asked for."""
    found: sa.Dialect = registry.load(name)()
    return found


@cache
def _conditions(table: sa.Table, dialect: str) -> dict[str, str]:
    """What is asked of a row, by what it is about: its columns, and the checks of its table."""
    asked: dict[str, list[str]] = {c.name: _of_column(c, dialect) for c in table.columns}
    for check in table.constraints:
        if isinstance(check, sa.CheckConstraint) and "dialect" not in check.info:
            text = check.sqltext.compile(
                dialect=_dialect(dialect), compile_kwargs={"literal_binds": True}
            )
            # that of an enumeration bears the name of its column
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
    """A key as it can be read whatever stands there."""
    name = f'"{column.name}"'
    if dialect == "postgresql":
        return name
    is_sound = " AND ".join(_of_column(column, dialect))
    return f"CASE WHEN {is_sound} THEN {name} ELSE quote(substr(CAST({name} AS BLOB), 1, 20)) END"
