"""Elements of a statement that SQLAlchemy lacks: arithmetic on NUMERIC(38, 0), and days."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement


class Wide(ColumnElement[Any]):
    """An operation on NUMERIC(38, 0)."""

    inherit_cache = False

    def __init__(self, operation: str, *parts: ColumnElement[Any]) -> None:
        self.operation, self.parts = operation, parts
        self.type = sa.Boolean() if operation in _COMPARED else sa.Numeric(38, 0)

    def get_children(self, **_: Any) -> Sequence[ColumnElement[Any]]:
        """The operands."""
        return self.parts


_COMPARED: Final = (">=", ">", "<", "<=", "=")


@compiles(Wide)
def _wide(element: Wide, compiler: Any, **how: Any) -> str:
    parts = [compiler.process(part.self_group(), **how) for part in element.parts]
    if element.operation == "cast":
        return f"CAST({parts[0]} AS NUMERIC(38, 0))"
    return f"({f' {element.operation} '.join(parts)})"


class DayLiteral(ColumnElement[Any]):
    """A day as a constant."""

    inherit_cache = False
    type = sa.Date()

    def __init__(self, day: date) -> None:
        self.day = day


@compiles(DayLiteral)
def _day(element: DayLiteral, _: Any, **__: Any) -> str:
    return f"DATE '{element.day.isoformat()}'"
