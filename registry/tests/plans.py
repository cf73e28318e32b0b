"""Query plans: by what a database finds the rows of the statements that a test makes it run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


@contextmanager
def plans(connection: sa.Connection, about: str) -> Iterator[list[str]]:
    """The lines of the plans of all statements run in between that contain a text."""
    lines, explaining = list[str](), False
    on_postgresql = connection.dialect.name == "postgresql"
    if on_postgresql:  # which would rather look at all of a few rows
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")

    def explain(_c: object, _u: object, statement: str, given: Any, *_: object) -> None:
        nonlocal explaining
        if explaining or about not in statement:
            return
        explaining = True
        how = "EXPLAIN" if on_postgresql else "EXPLAIN QUERY PLAN"
        rows = connection.exec_driver_sql(f"{how} {statement}", given)
        lines.extend(str(row[-1]) for row in rows)
        explaining = False

    sa.event.listen(connection, "before_cursor_execute", explain)
    yield lines
    sa.event.remove(connection, "before_cursor_execute", explain)
