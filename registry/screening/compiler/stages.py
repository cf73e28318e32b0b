"""Expressions in stages: each is computed once, in a sub-query, under a name for later stages.

The stage of an expression follows from the columns that it reads. Only needed columns are selected.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.expression import ColumnElement, FromClause

from registry.screening.compiler.truths import Condition, Truth
from registry.screening.compiler.widths import Int

#: Keeps a database from merging the stages and repeating their expressions: ``OFFSET 0`` on
#: PostgreSQL and Spark; DuckDB does not merge them.
Fence: TypeAlias = Literal["", "offset"]

_ZERO: Final[ColumnElement[Any]] = sa.literal_column("0")


class Stages:
    """Named expressions over one source; their names begin with ``prefix``."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._made: dict[str, ColumnElement[Any]] = {}
        self._names: dict[str, str] = {}
        self._level: dict[str, int] = {}
        self._read: dict[str, tuple[str, ...]] = {}

    def bind(self, value: Int) -> Int:
        """The number under a name of its own; constants and columns stay unchanged."""
        if value.constant is not None or isinstance(value.sql, sa.ColumnClause):
            return value
        return replace(value, sql=self._bind(value.sql))

    def bind_condition(self, condition: Condition) -> Condition:
        """The condition under a name of its own."""
        if isinstance(condition, bool) or isinstance(condition.sql, sa.ColumnClause):
            return condition
        return Truth(self._bind(condition.sql), condition.null)

    def bind_words(self, words: ColumnElement[Any]) -> ColumnElement[Any]:
        """A text under a name of its own."""
        return words if isinstance(words, sa.ColumnClause) else self._bind(words)

    def _bind(self, expression: ColumnElement[Any]) -> ColumnElement[Any]:
        text = str(expression.compile(compile_kwargs={"literal_binds": True}))
        name = self._names.setdefault(text, f"{self._prefix}{len(self._made)}")
        if name in self._made:
            return sa.column(name, expression.type)
        read = self._read[name] = tuple(dict.fromkeys(_columns(expression)))
        self._made[name] = expression
        self._level[name] = 1 + max((self._level.get(c, 0) for c in read), default=0)
        return sa.column(name, expression.type)

    def statement(
        self, source: FromClause, outputs: Collection[str], kept: Collection[str], fence: Fence
    ) -> sa.Select[Any]:
        """Select ``kept`` columns of the source and then ``outputs``, stage by stage."""
        needed = self._needed(outputs)
        top = max((self._level[n] for n in needed), default=0)
        selected = source
        statement: sa.Select[Any] = _select([sa.column(c) for c in kept])
        for level in range(1, top + 1):
            if level == top:
                columns: list[ColumnElement[Any]] = [
                    self._made[o].label(o) if self._level.get(o) == top else sa.column(o)
                    for o in outputs
                ]
            else:
                columns = self._columns_of(level, needed, set(outputs) - set(kept))
            statement = _select([*(sa.column(c) for c in kept), *columns])
            statement = statement.select_from(selected)
            if level < top:
                selected = fenced(statement, fence).cte(f"{self._prefix}stage{level}")
        return statement if top else statement.select_from(source)

    def _columns_of(
        self, level: int, needed: Sequence[str], outputs: set[str]
    ) -> list[ColumnElement[Any]]:
        """The columns of a stage: those it computes, and those that later stages read."""
        later = set(outputs)
        for name in needed:
            if self._level[name] > level:
                later.update(self._read[name])
        passed: list[ColumnElement[Any]] = [
            sa.column(c) for c in sorted(later) if self._level.get(c, 0) < level
        ]
        return [*passed, *(self._made[n].label(n) for n in needed if self._level[n] == level)]

    def named(self, expressions: Iterable[ColumnElement[Any]]) -> list[str]:
        """The columns that expressions read, in order."""
        return list(dict.fromkeys(c for e in expressions for c in _columns(e)))

    def read(self, outputs: Collection[str]) -> set[str]:
        """The columns of the source on which outputs depend."""
        needed = self._needed(outputs)
        read = {c for n in needed for c in self._read[n]} | set(outputs)
        return {c for c in read if c not in self._made}

    def _needed(self, outputs: Collection[str]) -> list[str]:
        """The names on which outputs depend, in the order in which they were made."""
        found: set[str] = set()
        open_ = [o for o in outputs if o in self._made]
        while open_:
            name = open_.pop()
            if name not in found:
                found.add(name)
                open_ += [c for c in self._read[name] if c in self._made]
        return [n for n in self._made if n in found]


def _select(columns: Sequence[ColumnElement[Any]]) -> sa.Select[Any]:
    return sa.select(*columns)


def fenced(statement: sa.Select[Any], fence: Fence) -> sa.Select[Any]:
    """The statement, fenced so that a database evaluates it separately."""
    return statement.offset(_ZERO) if fence else statement


def _columns(expression: ColumnElement[Any]) -> Iterator[str]:
    for part in visitors.iterate(expression):
        if isinstance(part, sa.ColumnClause) and not part.is_literal:
            yield part.name
