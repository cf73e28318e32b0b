"""A process that dies, a disk that is full, a connection that breaks: nothing is half written."""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from typing import Any, TypeAlias

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import SQLModel

from registry.audit.verify import verify
from registry.database import storage
from registry.errors import StorageError
from registry.judging.case import Request
from registry.kit import resources
from registry.record import cases, decisions, duties, journal, publication, register
from registry.record.determinations import Target
from registry.record.register import Holder, Notice
from registry.tests import titled
from registry.tests.history import History, bare, code, full
from registry.tests.processes import DIED, ended, forked
from rules.language.rulebook import load as load_rules

#: What is done, to a registry on an engine of its own.
Work: TypeAlias = Callable[[History], object]


def deciding(told: History) -> Work:
    decider = decisions.DecisionRecorder(told.engine, by="丙", now=told.now)
    ids = _ids(told, code(1))
    list(decider.decide(ids, Request(as_of=date(2023, 11, 30))))  # makes the engines

    def work(told: History) -> None:
        decider.engine = told.engine
        list(decider.decide(ids, Request(as_of=date(2023, 12, 1))))

    return work


def determining(told: History) -> Work:
    return lambda told: told.determine(8, Target("知名度和影响力"), "是")


def withdrawing(told: History) -> Work:
    told.load(bare(9))
    return lambda told: told.withdraw(9)


def loading(told: History) -> Work:
    changed = bare(8, **{"staff@2022": "7"})
    return lambda told: told.load(changed, bare(3), full(9), bare(10))


def undoing(told: History) -> Work:
    done = told.load(replace(bare(8), name="改名"), full(9))
    return lambda told: told.undo(done.import_id)


def publishing(told: History) -> Work:
    folder = resources.features()
    rulebook = load_rules(folder)

    def work(told: History) -> None:
        with storage.session(told.engine, write=True) as session:
            publication.publish(session, rulebook, folder, by="乙", now=told.now())

    return work


def stating_a_year(told: History) -> Work:
    return lambda told: told.add_year(2032)


def following_a_title(told: History) -> Work:
    def work(told: History) -> None:
        notice = Notice("取消10号", date(2023, 7, 24))
        with storage.session(told.engine, write=True) as session:
            papers = duties.Papers(day=notice.dated, ground="数据不实")
            duties.complain(session, code(53), papers, "举报人丙", by="辛", now=told.now())
            register.cancel(
                session,
                [Holder(code(53))],
                titled.TIER,
                notice,
                "数据造假",
                by="辛",
                now=told.now(),
            )

    return work


ALL_WORK = (
    deciding, determining, withdrawing, loading, undoing, publishing, stating_a_year,
    following_a_title,
)  # fmt: skip


def _ids(told: History, *usccs: str) -> list[int]:
    with storage.session(told.engine) as session:
        return cases.newest(session, usccs or None)


def contents(engine: sa.Engine) -> dict[str, list[Any]]:
    """Every row as the database states it, and as anybody else finds it now."""
    with engine.connect() as connection:
        return {name: _rows(connection, table) for name, table in SQLModel.metadata.tables.items()}


def _rows(connection: sa.Connection, table: sa.Table) -> list[Any]:
    key = ", ".join(f'"{column.name}"' for column in table.primary_key)
    # without what makes dates and numbers of it: this is read again before every statement
    return list(connection.exec_driver_sql(f'SELECT * FROM "{table.name}" ORDER BY {key}'))


def _sound(told: History, *, replay: bool = False) -> None:
    with storage.session(told.engine) as session:
        report = verify(session, told.checkpoints, replay=replay)
    assert report.sound, report.to_json()


@contextmanager
def _own(told: History) -> Iterator[History]:
    """The same registry through an engine of one's own."""
    engine = storage.create_engine(told.engine.url)
    yield replace(told, engine=engine)
    engine.dispose()


#: What happens before a step, which is a statement or a commit, on the connection of both.
Happen: TypeAlias = Callable[[int, sa.Connection], object]


def _before_each(engine: sa.Engine, happen: Happen, committing: Happen) -> None:
    """Let something happen before each statement, and before each commit, by their number."""
    steps = count(1)

    def statement(connection: sa.Connection, *_: object) -> None:
        happen(next(steps), connection)

    def commit(connection: sa.Connection) -> None:
        committing(next(steps), connection)

    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", commit)


def _steps() -> Iterator[int]:
    """The first steps of a piece of work, and ever fewer of the later ones."""
    return (2**n for n in count())


@pytest.mark.parametrize("what", ALL_WORK)
def test_until_the_commit_nobody_finds_anything_of_it(
    history: History, what: Callable[[History], Work]
) -> None:
    """What others find before a statement is what all find if the process dies there."""
    work = what(history)
    before = contents(history.engine)

    def watched() -> None:
        with _own(history) as told, _own(history) as other:

            def watch(step: int, _: object) -> None:
                assert contents(other.engine) == before, f"seen before step {step}"

            def die(step: int, connection: sa.Connection) -> None:
                watch(step, connection)
                tables = SQLModel.metadata.tables
                if {n: _rows(connection, t) for n, t in tables.items()} != before:
                    assert step > 5
                    os._exit(DIED)

            _before_each(told.engine, watch, die)
            work(told)

    history.engine.dispose()
    assert ended(forked(watched)) == DIED
    assert contents(history.engine) == before


@pytest.mark.parametrize("what", ALL_WORK)
def test_a_process_that_dies_leaves_all_or_nothing(
    history: History, what: Callable[[History], Work]
) -> None:
    work = what(history)
    before = contents(history.engine)

    def dying(at: int) -> None:
        def die(step: int, _: object) -> None:
            if step == at:
                os._exit(DIED)

        with _own(history) as told:
            _before_each(told.engine, die, die)
            work(told)

    for step in _steps():
        history.engine.dispose()
        if (code := ended(forked(lambda at=step: dying(at)))) == 0:  # type: ignore[misc]
            break
        assert code == DIED
        assert contents(history.engine) == before, f"died before step {step}"
    assert step > 5
    after = contents(history.engine)
    assert len(after["journal"]) > len(before["journal"])
    _sound(history, replay=what is deciding)


@pytest.mark.parametrize("history", ["postgresql"], indirect=True)  # SQLite has none to break
@pytest.mark.filterwarnings("ignore")  # of psycopg: what it had open it cannot close any more
def test_a_broken_connection_is_one_clear_sentence_and_leaves_nothing(history: History) -> None:
    work = loading(history)
    before = contents(history.engine)

    def cut(connection: sa.Connection) -> None:
        process = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
        with history.engine.connect() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({process}, 5000)")

    def said(happen: Happen, committing: Happen) -> str:
        with _own(history) as told:
            _before_each(told.engine, happen, committing)
            try:
                work(told)
            except StorageError as error:
                return str(error)
        return ""

    def at(number: int) -> Happen:
        return lambda step, connection: cut(connection) if step == number else None

    written = [said(lambda *_: None, lambda _, connection: cut(connection))]
    for step in _steps():
        if not (sentence := said(at(step + 1), at(step + 1))):
            break
        written.append(sentence)
        assert contents(history.engine) == before, f"cut before step {step + 1}"
    assert len(written) > 4
    for sentence in written:
        assert "连接中断" in sentence
        assert "\n" not in sentence
    gc.collect()  # what was open is found here, and not by a test that is not to ignore it
    _sound(history)


@pytest.mark.parametrize("history", ["sqlite"], indirect=True)  # only its disk can be made small
@pytest.mark.parametrize("room", [0, 1, 5, 20])
def test_a_full_disk_is_one_clear_sentence_and_leaves_nothing(history: History, room: int) -> None:
    before = contents(history.engine)
    filings = [full(n) for n in range(20, 60)]

    def limit(connection: Any, _: object) -> None:
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + room}")

    with _own(history) as told:
        event.listen(told.engine, "connect", limit)
        with pytest.raises(StorageError, match="磁盘已满") as caught:
            told.load(*filings)
    assert "\n" not in str(caught.value)
    assert contents(history.engine) == before
    history.load(*filings)
    _sound(history)


@pytest.mark.parametrize("what", ALL_WORK)
def test_a_lock_held_by_another_process_is_one_clear_sentence(
    history: History, what: Callable[[History], Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    work = what(history)
    before = contents(history.engine)
    monkeypatch.setattr(storage, "_PATIENCE", 1)
    ready, tell = os.pipe()

    def hold() -> None:
        with _own(history) as told, storage.session(told.engine, write=True):
            os.write(tell, b"x")
            signal.pause()

    history.engine.dispose()
    holder = forked(hold)
    os.read(ready, 1)
    try:
        with _own(history) as told, pytest.raises(StorageError, match="正被其他程序写入"):
            work(told)
        assert contents(history.engine) == before
    finally:
        os.kill(holder, signal.SIGKILL)
        assert ended(holder) == -signal.SIGKILL
        os.close(ready)
        os.close(tell)
    with _own(history) as told:
        work(told)
    _sound(history)


def test_deciding_goes_on_after_a_kill_without_duplicates(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "_CHUNK", 4)
    history.load(*(bare(n) for n in range(20, 60)))
    request = Request(tiers=("创新型中小企业",))
    ids = _ids(history, *(code(n) for n in range(20, 60)))
    decider = decisions.DecisionRecorder(history.engine, by="丙", now=lambda: datetime.now(UTC))
    list(decider.decide(ids[:1], request))
    told, tell = os.pipe()

    def work() -> None:
        with _own(history) as own:
            decider.engine = own.engine
            for line in decider.decide(ids, request):
                os.write(tell, f"{line.uscc} {line.seq}\n".encode())

    history.engine.dispose()
    process = forked(work)
    os.close(tell)
    with os.fdopen(told) as lines:
        yielded = [next(lines) for _ in range(10)]
        os.kill(process, signal.SIGKILL)
        yielded += list(lines)
    assert ended(process) == -signal.SIGKILL
    assert len(yielded) < len(ids)
    again = {line.uscc: line for line in decider.decide(ids, request)}
    decider.close()
    for line in yielded:
        uscc, seq = line.split()
        assert again[uscc].seq == int(seq), "what was yielded is stored"
        assert again[uscc].earlier
    with storage.session(history.engine) as session:
        entries = journal.entries(session, kinds=["decision"], tier="创新型中小企业")
        made = [e.filing_id for e in entries if e.filing_id in ids]
    assert sorted(made) == sorted(ids)
    _sound(history)
