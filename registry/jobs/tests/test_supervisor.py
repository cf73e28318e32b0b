"""The process that does jobs: it is replaced when it dies, ends with its server, and loses nothing."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from time import monotonic, sleep
from typing import Any

import pytest
import sqlalchemy as sa

from registry.desk.place import Desk
from registry.jobs import kinds
from registry.jobs.store import Job, JobStore
from registry.jobs.supervisor import Supervisor
from registry.tests.history import History

VERIFY = kinds.VERIFY.written(kinds.Verifying(replay=False))
REPLAY = kinds.REPLAY.written(kinds.Replaying(since=date(2026, 1, 1)))


def until(found: Callable[[], Any], seconds: float = 60) -> Any:
    """What is found, once there is something."""
    end = monotonic() + seconds
    while not (what := found()):
        assert monotonic() < end
        sleep(0.02)
    return what


def ended(store: JobStore, id: int) -> Job:
    until(lambda: not store.job(id).is_open)
    return store.job(id)


def address(database: sa.Engine) -> str:
    return database.url.render_as_string(hide_password=False)


@contextmanager
def attended(database: sa.Engine) -> Iterator[tuple[Desk, JobStore, Supervisor]]:
    with (
        Desk(address(database), by="经办人") as desk,
        JobStore(desk) as store,
        Supervisor(desk, store) as supervisor,
    ):
        yield desk, store, supervisor


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("history", ["sqlite"], indirect=True)
def test_jobs_are_done_and_a_process_that_dies_is_replaced(history: History) -> None:
    with attended(history.engine) as (_, store, supervisor):
        first = ended(store, store.ask("verify", VERIFY, by="甲"))
        assert (first.word, first.trouble) == ("完成", None)
        found = kinds.VERIFY.outcome(first.result or "")
        assert (found.integrity, found.completeness, found.correctness) == ((), (), ())
        process = until(lambda: supervisor.process)
        os.kill(process, signal.SIGKILL)
        until(lambda: supervisor.process not in (None, process))
        second = ended(store, store.ask("replay", REPLAY, by="甲"))
        assert kinds.REPLAY.outcome(second.result or "").counted == 0
        unknown = ended(store, store.ask("no-such-kind", "{}", by="甲"))
        assert unknown.trouble is not None
        assert (unknown.word, unknown.trouble.said) == ("失败", "没有名为「no-such-kind」的任务")
        foreign = ended(store, store.ask("verify", '{"replay": "maybe"}', by="甲"))
        assert foreign.trouble is not None
        assert "另一版本的程序" in foreign.trouble.said
        last = until(lambda: supervisor.process)
    assert not alive(last)


def test_two_servers_on_one_store_do_no_job_twice(history: History) -> None:
    with (
        attended(history.engine) as (_, store, first),
        attended(history.engine) as (_, _, second),
    ):
        until(lambda: first.process and second.process)
        asked = [store.ask("verify", VERIFY + " " * n, by="") for n in range(6)]
        assert [ended(store, id).word for id in asked] == ["完成"] * 6


@pytest.mark.parametrize("history", ["sqlite"], indirect=True)
def test_a_job_of_a_server_that_ends_is_interrupted(history: History) -> None:
    with JobStore(Desk(address(history.engine))) as kept:
        with attended(history.engine) as (_, store, supervisor):
            until(lambda: supervisor.process)
            id = store.ask("verify", VERIFY, by="甲")
            until(lambda: store.job(id).state == "running")
        left = kept.job(id)
        assert left.word in ("中断", "完成"), left.trouble
        waiting = kept.ask("replay", REPLAY, by="甲")
        assert kept.job(waiting).word == "等待"
        with attended(history.engine) as (_, store, _):
            if left.can_be_resumed:
                store.again(id)
                assert ended(store, id).word == "完成"
            assert ended(store, waiting).word == "完成"
