"""What the databases write differently: arithmetic on NUMERIC(38, 0), and days."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement


class Wide(ColumnElement[Any]):
    """An operation on NUMERIC(38, 0); SQLite has no such type and calls a function of ours."""

    inherit_cache = False

    def __init__(self, operation: str, *parts: ColumnElement[Any]) -> None:
        self.operation, self.parts = operation, parts
        self.type = sa.Boolean() if operation in _COMPARED else sa.Numeric(38, 0)

    def get_children(self, **_: Any) -> Sequence[ColumnElement[Any]]:
        """What it is made of."""
        return self.parts


_COMPARED: Final = (">=", ">", "<", "<=", "=")
#: The functions that a connection to SQLite needs; they take and give whole numbers, or their texts.
SQLITE_FUNCTIONS: Final = {"+": "wide_add", "-": "wide_sub", "*": "wide_mul", "?": "wide_sign"}


@compiles(Wide)
def _wide(element: Wide, compiler: Any, **how: Any) -> str:
    parts = [compiler.process(part.self_group(), **how) for part in element.parts]
    if element.operation == "cast":
        return f"CAST({parts[0]} AS NUMERIC(38, 0))"
    return f"({f' {element.operation} '.join(parts)})"


@compiles(Wide, "sqlite")
def _wide_on_sqlite(element: Wide, compiler: Any, **how: Any) -> str:
    parts = [compiler.process(part, **how) for part in element.parts]
    if element.operation == "cast":
        return str(parts[0])
    if element.operation in _COMPARED:
        return f"({SQLITE_FUNCTIONS['?']}({', '.join(parts)}) {element.operation} 0)"
    return f"{SQLITE_FUNCTIONS[element.operation]}({', '.join(parts)})"


class DayLiteral(ColumnElement[Any]):
    """A day as a constant; SQLite keeps days as texts."""

    inherit_cache = False
    type = sa.Date()

    def __init__(self, day: date) -> None:
        self.day = day


@compiles(DayLiteral)
def _day(element: DayLiteral, _: Any, **__: Any) -> str:
    return f"DATE '{element.day.isoformat()}'"


@compiles(DayLiteral, "sqlite")
def _day_on_sqlite(element: DayLiteral, _: Any, **__: Any) -> str:
    return f"'{element.day.isoformat()}'"


def on_sqlite(connection: Any) -> None:
    """Give an SQLite connection the wide operations."""
    operations = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "?": lambda a, b: (a > b) - (a < b),
    }
    for op, name in SQLITE_FUNCTIONS.items():
        connection.create_function(name, 2, _over(operations[op]), deterministic=True)


def _over(operation: Any) -> Any:
    def applied(a: int | str | None, b: int | str | None) -> int | str | None:
        if a is None or b is None:
            return None
        found = operation(int(a), int(b))
        return found if -(2**63) <= found < 2**63 else str(found)

    return applied
