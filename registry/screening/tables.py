"""The tables of a snapshot as CSV files, which every database loads fast."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO, TypeAlias, TypeVar

import sqlalchemy as sa

from registry.screening.schema import Schema, Value

#: The columns of a table with their types.
Columns: TypeAlias = Mapping[str, sa.types.TypeEngine[Any]]
_Row = TypeVar("_Row")


def line(row: Iterable[Value]) -> str:
    """A row as a line of CSV; text is always quoted, so that an empty text differs from NULL.

    >>> line([1, "", None]).rstrip()
    '1,"",'
    """
    return ",".join(map(_text, row)) + "\n"


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f'"{value.replace(chr(34), chr(34) * 2)}"'
    return value.isoformat() if isinstance(value, date) else str(value)


class Files:
    """One file for each table of a schema, in a folder."""

    def __init__(self, schema: Schema, folder: Path) -> None:
        self.schema = schema
        self.folder = folder
        self._open: dict[str, TextIO] = {
            table: self.path(table).open("w", encoding="utf-8", newline="\n")
            for table in schema.tables
        }

    def path(self, table: str) -> Path:
        """The file of a table."""
        return self.folder / f"{table}.csv"

    def add(self, table: str, rows: Iterable[Sequence[Value]]) -> None:
        """Add rows to a table."""
        self._open[table].writelines(map(line, rows))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._open.values():
            file.close()


def create(table: str, columns: Columns, dialect: sa.Dialect, *, temporary: bool = False) -> str:
    """The statement that creates a table."""
    defined = ", ".join(f"{name} {kind.compile(dialect)}" for name, kind in columns.items())
    return f"CREATE {'TEMPORARY ' if temporary else ''}TABLE {table} ({defined})"


def parts(rows: Iterable[_Row], size: int) -> Iterator[list[_Row]]:
    """Rows in lists of at most ``size``."""
    held: list[_Row] = []
    for row in rows:
        held.append(row)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held
