"""Worker processes: what they answer, and that one that dies or hangs loses nothing."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from multiprocessing import resource_tracker, spawn
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from registry.audit.verify import verify
from registry.database import storage
from registry.errors import RegistryError
from registry.judging.case import Request
from registry.kit import workers
from registry.kit.tests.losing import BAD, Hung, Killed, KilledReplaying, code
from registry.kit.tests.squares import ManySquares, Squares
from registry.record import cases, decisions, journal
from registry.record.decisions import Decided, DecidingWorker, DecisionRecorder
from registry.record.replay import ReplayDifference, Replayed, replayed
from registry.tests.processes import ended, forked
from registry.tests.support import Clock, load, publish, submission
from rules.tests.packaged import TITLES

REQUEST = Request(tiers=TITLES[:1])
COUNT = 9


def squares(kind: str, log: Path, numbers: list[int], jobs: int = 2, **how: Any) -> list[Any]:
    pool: workers.Pool[int, int] = workers.Pool(partial(Squares, kind, log), jobs, **how)
    with closing(pool):
        return [found for _, found in workers.answers(pool, ((n, n) for n in numbers))]


def tried(log: Path, number: int) -> list[tuple[str, list[str]]]:
    """By which processes a number was tried, each with all that it did."""
    lines = [line.split() for line in log.read_text().splitlines()]
    return [(pid, [m for m, p in lines if p == pid]) for n, pid in lines if n == str(number)]


def test_answers_come_in_order_from_several_processes(tmp_path: Path) -> None:
    numbers = list(range(50))
    assert squares("", tmp_path / "log", numbers) == [n * n for n in numbers]
    pids = {line.split()[1] for line in (tmp_path / "log").read_text().splitlines()}
    assert len(pids) == 2
    assert str(os.getpid()) not in pids


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("killed", "计算进程两次异常结束（信号9）"), ("hangs", "计算进程两次超过1秒没有结果")],
)
def test_a_task_that_processes_die_on_is_tried_again_in_a_fresh_one_and_given_up(
    kind: str, reason: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    found = squares(kind, log, [1, 2, -3, *range(4, 20)], patience=1)
    assert found[2] == workers.Lost(reason)
    assert found[:2] + found[3:] == [1, 4, *(n * n for n in range(4, 20))]
    first, second = tried(log, -3)
    assert first[0] != second[0]
    assert second[1] == ["-3"], "the second had done nothing else, and did nothing more"


def test_a_task_that_succeeds_at_the_second_try_is_answered(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert squares("killed once", log, [1, -2, 3], jobs=1) == [1, 4, 9]
    assert len(tried(log, -2)) == 2
    assert len(tried(log, 3)) == 1


@pytest.mark.parametrize("kind", ["killed", "killed once"])
def test_of_tasks_handed_in_together_only_the_one_is_lost_that_processes_die_on(
    kind: str, tmp_path: Path
) -> None:
    numbers = [*range(7), -7, *range(8, 25)]
    pool: workers.Pool[list[int], list[int]]
    pool = workers.Pool(partial(ManySquares, kind, tmp_path / "log"), 2)
    with closing(pool):
        found = list(workers.in_parts(pool, numbers, 5))
    assert [number for number, _ in found] == numbers
    expected = [n * n for n in numbers]
    if kind == "killed":
        assert found[7][1] == workers.Lost("计算进程两次异常结束（信号9）")
        del found[7], expected[7]
    assert [answer for _, answer in found] == expected


def test_tasks_of_this_process_are_handed_in_together_too(tmp_path: Path) -> None:
    work: workers.Work[list[int], list[int]]
    work = workers.InProcess(partial(ManySquares, "", tmp_path / "log"))
    assert list(workers.in_parts(work, range(7), 3)) == [(n, n * n) for n in range(7)]


def test_what_the_work_raises_is_raised(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="负数"):
        squares("raises", tmp_path / "log", [1, -2, 3])


@pytest.mark.parametrize(
    ("kind", "said"),
    [("no start", "没有可用的规则"), ("dead", "计算进程不能启动（异常结束（退出码3））")],
)
def test_processes_that_cannot_start_are_one_clear_sentence(
    kind: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(RegistryError) as caught:
        squares(kind, tmp_path / "log", [1])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("does", "said"), [("exit 1", "异常结束（退出码1）"), ("exec sleep 1000", "超过1秒没有结果")]
)
def test_a_process_that_never_reads_what_to_begin_with_is_no_hang(
    does: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_STARTING", 1.0)
    resource_tracker.ensure_running()
    before, program = spawn.get_executable(), tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o700)
    spawn.set_executable(str(program))
    try:
        with pytest.raises(RegistryError, match=f"计算进程不能启动（{said}）"):
            squares("x" * 10**6, tmp_path / "log", [1])
    finally:
        spawn.set_executable(before)


# deciding


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ids(database: sa.Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Some filings to be decided, a few at a time."""
    monkeypatch.setattr(decisions, "_CHUNK", 4)
    monkeypatch.setattr(workers.Pool, "ahead", 8)
    load(database, clock, *(submission(code(n + 1)) for n in range(COUNT)))
    publish(database, clock)
    with storage.session(database) as session:
        return cases.newest(session)


def decide(database: sa.Engine, clock: Clock, ids: list[int], **how: Any) -> list[Decided]:
    decider = DecisionRecorder(database, by="甲", now=clock, **how)
    with closing(decider):
        return list(decider.decide(ids, REQUEST))


def entries(database: sa.Engine) -> list[journal.Entry]:
    with storage.session(database) as session:
        return list(journal.entries(session, kinds=["decision"]))


def sound(database: sa.Engine) -> None:
    with storage.session(database) as session:
        report = verify(session)
    assert report.sound, report.to_json()


def test_processes_decide_what_one_decides_in_the_same_order(
    database: sa.Engine, fresh: Callable[..., sa.Engine], clock: Clock, ids: list[int]
) -> None:
    other = fresh("sqlite")
    load(other, Clock(), *(submission(code(n + 1)) for n in range(COUNT)))
    publish(other, Clock())
    lines = decide(database, clock, ids, jobs=2)
    assert lines == decide(other, Clock(), ids)
    bodies = [[{**e.content, "facts": "salted"} for e in entries(one)] for one in (database, other)]
    assert bodies[0] == bodies[1]
    assert [line.seq for line in lines] == list(range(3, 3 + COUNT))
    sound(database)


@pytest.mark.parametrize("worker", [Killed, Hung])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_case_that_processes_are_lost_on_is_not_decided_and_holds_up_no_other(
    worker: type[DecidingWorker], database: sa.Engine, clock: Clock, ids: list[int]
) -> None:
    lines = decide(database, clock, ids, jobs=2, worker=worker, patience=4)
    [lost] = [line for line in lines if line.seq is None]
    assert lost.uscc == BAD
    assert lost.reason.startswith("计算进程两次")
    assert "没有作出决定" in lost.reason
    assert "\n" not in lost.reason
    assert [line.uscc for line in lines] == [code(n + 1) for n in range(COUNT)]
    assert len(entries(database)) == COUNT - 1
    again = decide(database, clock, ids, jobs=2)
    assert [line.uscc for line in again if not line.earlier] == [BAD]
    sound(database)


def test_a_correction_meanwhile_is_judged_by_processes_too(
    database: sa.Engine, clock: Clock, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the first few are put on the record, the next few are already being judged."""
    decider = DecisionRecorder(database, by="甲", now=clock, jobs=2)
    with closing(decider):
        lines = decider.decide(ids, REQUEST)
        found = [next(lines)]
        load(database, clock, submission(code(COUNT), rd_expense__2022="1499999.99"))
        found += lines
    assert [line.seq is None for line in found] == [False] * (COUNT - 1) + [True]
    assert "已被更正" in found[-1].reason
    sound(database)


def test_deciding_in_processes_goes_on_after_a_kill(
    database: sa.Engine, clock: Clock, ids: list[int]
) -> None:
    def work() -> None:
        decider = DecisionRecorder(storage.create_engine(database.url), by="甲", now=_now, jobs=2)
        for _ in decider.decide(ids, REQUEST):
            os.kill(os.getpid(), signal.SIGKILL)

    database.dispose()
    assert ended(forked(work)) == -signal.SIGKILL
    made = len(entries(database))
    assert 0 < made < COUNT
    lines = decide(database, Clock(_now()), ids, jobs=2)
    assert [line.earlier for line in lines] == [True] * made + [False] * (COUNT - made)
    assert len({e.filing_id for e in entries(database)}) == len(entries(database)) == COUNT
    sound(database)


def test_what_takes_nothing_in_does_not_hold_up_the_end(tmp_path: Path) -> None:
    pool: workers.Pool[list[int], list[int]]
    pool = workers.Pool(partial(ManySquares, "", tmp_path / "log"), 1)
    assert pool.result(pool.submit([2])) == [4]
    [worker] = pool._workers
    os.kill(worker.process.pid, signal.SIGSTOP)
    pool.submit([0] * 10**6)  # more than a pipe holds
    time.sleep(0.2)
    pool.close()
    assert not _alive(worker.process.pid)


def test_processes_end_with_their_parent(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def work() -> None:
        pool: workers.Pool[int, int] = workers.Pool(partial(Squares, "hangs", log), 1)
        pool.submit(-1)
        while not log.exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)

    assert ended(forked(work)) == -signal.SIGKILL
    [(pid, _)] = tried(log, -1)
    until = time.monotonic() + 10
    while _alive(int(pid)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _alive(int(pid))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _now() -> datetime:
    return datetime.now(UTC)


# replaying


def test_processes_replay_what_one_replays_and_tell_what_they_were_lost_on(
    database: sa.Engine, clock: Clock, ids: list[int]
) -> None:
    decide(database, clock, ids)

    def lines(jobs: int | None, **how: Any) -> list[Replayed]:
        with storage.session(database) as session:
            made: Iterator[journal.Entry] = journal.entries(session, kinds=["decision"])
            return list(replayed(database, made, jobs, **how))

    alone = lines(None)
    assert [line.difference for line in alone] == [None] * COUNT
    together = lines(2, worker=KilledReplaying)
    [lost] = [line for line in together if line.difference]
    assert (lost.seq, lost.difference) == (5, ReplayDifference.ENGINE)
    assert "没有重新作出" in lost.detail
    assert [line for line in together if line.seq != 5] == [line for line in alone if line.seq != 5]
