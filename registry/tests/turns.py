"""Who waits to write, for tests of how long somebody has to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from registry.kit import turns

_WAITING = """
    SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
"""


@contextmanager
def part_by_part(engine: sa.Engine, acts: int, act: Callable[[], None]) -> Iterator[list[int]]:
    """Have some acts begin in each part of a work in parts; the part ends once all of them wait.

    Yields the numbers of the parts that had begun when each act could write.
    """
    begun, others, written, inside = 0, list[threading.Thread](), list[int](), [0]
    waiting, lock = turns.waiting, threading.Lock()

    @contextmanager
    def counted(folder: Path) -> Iterator[None]:
        with waiting(folder):
            with lock:
                inside[0] += 1
            yield
            with lock:
                inside[0] -= 1

    def number_waiting() -> int:
        if engine.dialect.name == "sqlite":
            return inside[0]
        with engine.connect() as connection:
            return connection.scalar(sa.text(_WAITING)) or 0

    def part(connection: sa.Connection) -> None:
        nonlocal begun
        options = connection.get_execution_options()
        if not options.get("tidu_write"):
            return
        if not options.get("tidu_in_parts"):
            written.append(begun)
            return
        begun += 1
        made = [threading.Thread(target=act) for _ in range(acts)]
        others.extend(made)
        for other in made:
            other.start()
        end = monotonic() + 60
        while number_waiting() < acts:
            assert monotonic() < end
            sleep(0.001)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "waiting", counted)
        event.listen(engine, "begin", part)
        yield written
        for other in others:
            other.join()
        event.remove(engine, "begin", part)
