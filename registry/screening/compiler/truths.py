"""Conditions in SQL; those known at compile time are folded away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement


@dataclass(frozen=True)
class Truth:
    """A condition in SQL; if it is NULL, which ``null`` permits, it does not hold."""

    sql: ColumnElement[bool]
    null: bool = False


#: A condition known at compile time is True or False.
Condition: TypeAlias = Truth | bool


def absent(sql: ColumnElement[Any]) -> Condition:
    """Whether an expression is NULL."""
    return Truth(sql.is_(None))


def present(sql: ColumnElement[Any]) -> Condition:
    """Whether an expression is not NULL."""
    return Truth(sql.is_not(None))


def negated(condition: Condition) -> Condition:
    """The condition that another does not hold."""
    if isinstance(condition, bool):
        return not condition
    if condition.null:
        return Truth(sa.case((condition.sql, sa.false()), else_=sa.true()))
    return Truth(sa.not_(condition.sql))


def all_of(*conditions: Condition) -> Condition:
    """Conditions joined by AND."""
    if any(c is False for c in conditions):
        return False
    kept = [c for c in conditions if not isinstance(c, bool)]
    return _joined(sa.and_, kept) if kept else True


def any_of(*conditions: Condition) -> Condition:
    """Conditions joined by OR."""
    if any(c is True for c in conditions):
        return True
    kept = [c for c in conditions if not isinstance(c, bool)]
    return _joined(sa.or_, kept) if kept else False


def _joined(by: Callable[..., ColumnElement[bool]], conditions: Sequence[Truth]) -> Truth:
    if len(conditions) == 1:
        return conditions[0]
    return Truth(by(*(c.sql for c in conditions)), any(c.null for c in conditions))


def choice(branches: Sequence[tuple[Condition, Condition]], rest: Condition) -> Condition:
    """The condition of the first branch whose own condition holds, else ``rest``."""
    kept: list[tuple[Truth, Condition]] = []
    for condition, value in branches:
        if condition is True:
            rest = value
            break
        if condition is not False:
            kept.append((condition, value))
    while kept and kept[-1][1] == rest and isinstance(rest, bool):
        kept.pop()
    if not kept:
        return rest
    made = sa.case(*((c.sql, _sql(v)) for c, v in kept), else_=_sql(rest))
    null = any(isinstance(v, Truth) and v.null for v in (*(v for _, v in kept), rest))
    return Truth(made, null)


def _sql(condition: Condition) -> ColumnElement[bool]:
    if isinstance(condition, Truth):
        return condition.sql
    return sa.true() if condition else sa.false()
