"""The store of jobs: what states there are, who may write, and that two never have one job."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from registry.database import roles
from registry.desk.place import Desk
from registry.errors import RecordError, RegistryError, StorageError
from registry.jobs import store as stores
from registry.jobs import tables
from registry.jobs.store import Job, JobStore, Progress, ResultFile, Trouble
from registry.portable.clock import now
from rules.portable.errors import Remedy


@pytest.fixture
def desk(database: sa.Engine) -> Iterator[Desk]:
    with Desk(database.url.render_as_string(hide_password=False)) as desk:
        yield desk


@pytest.fixture
def store(desk: Desk) -> Iterator[JobStore]:
    with JobStore(desk) as store:
        yield store


def later(monkeypatch: pytest.MonkeyPatch, **ahead: float) -> None:
    monkeypatch.setattr(stores, "now", lambda: now() + timedelta(**ahead))


def taken(store: JobStore, runner: str = "甲进程") -> Job:
    found = store.take(runner)
    assert found is not None
    return found


def test_a_job_waits_is_done_and_leaves_its_result(store: JobStore) -> None:
    id = store.ask("verify", "{}", by="经办人")
    waiting = store.job(id)
    assert (waiting.word, waiting.by, waiting.is_open) == ("等待", "经办人", True)
    job = taken(store)
    assert (job.id, job.word, job.begun_at is None) == (id, "进行", False)
    assert store.take("乙进程") is None
    assert store.report(id, "甲进程", Progress("验证", 3, 9, 60))
    assert store.job(id).progress == Progress("验证", 3, 9, 60)
    file = ResultFile("包.zip", "application/zip", b"\0\1")
    store.finish(id, "甲进程", '{"size": 1}', {file.name: file})
    done = store.job(id)
    assert (done.word, done.result, done.files) == ("完成", '{"size": 1}', ("包.zip",))
    assert (done.is_open, done.can_be_resumed, done.trouble) == (False, False, None)
    assert store.file(id, "包.zip") == file
    with pytest.raises(RecordError, match="没有第1项任务"):
        store.file(id, "../包.zip")


def test_jobs_are_taken_in_the_order_in_which_they_were_asked_for(store: JobStore) -> None:
    first, second = (store.ask("verify", text, by="") for text in ("1", "2"))
    assert store.ask("verify", "1", by="") == first, "the same one that still waits"
    assert [taken(store).id, taken(store).id] == [first, second]
    assert store.ask("verify", "1", by="") not in (first, second)
    assert [job.id for job in store.jobs(limit=2)] == [second + 1, second]
    assert [job.id for job in store.jobs(before=second)] == [first]


def test_no_two_processes_get_one_job(desk: Desk, store: JobStore) -> None:
    asked = {store.ask("verify", str(n), by="") for n in range(30)}

    def work(runner: int) -> list[int]:
        with JobStore(desk) as own:
            return [job.id for job in iter(lambda: own.take(str(runner)), None)]

    with ThreadPoolExecutor(6) as pool:
        found = [id for ids in pool.map(work, range(6)) for id in ids]
    assert sorted(found) == sorted(asked)


def test_several_open_a_new_store_at_once(desk: Desk) -> None:
    def opened(number: int) -> int:
        with JobStore(desk) as own:
            return own.ask("verify", str(number), by="")

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(opened, range(6))) == [1, 2, 3, 4, 5, 6]


def test_a_failed_job_says_why_and_can_be_resumed(store: JobStore) -> None:
    id = store.ask("verify", "{}", by="")
    taken(store)
    error = RecordError("x", "没有{value}", value="甲", remedy=Remedy("strike-title", {"seq": 3}))
    store.fail(id, "甲进程", Trouble.of(error))
    failed = store.job(id)
    assert (failed.word, failed.can_be_resumed) == ("失败", True)
    assert failed.trouble == Trouble("没有甲", (), Remedy("strike-title", {"seq": 3}))
    store.again(id)
    again = store.job(id)
    assert (again.word, again.trouble, again.ended_at, again.progress) == (
        "等待",
        None,
        None,
        Progress(),
    )
    assert taken(store).id == id


def test_an_unforeseen_error_is_a_trouble_too() -> None:
    assert "程序内部出错" in Trouble.of(ZeroDivisionError("零")).said


def test_a_waiting_job_is_stopped_at_once_and_one_at_work_by_its_process(store: JobStore) -> None:
    first, second = (store.ask("verify", text, by="") for text in ("1", "2"))
    store.stop(first)
    assert (store.job(first).word, store.job(first).trouble) == ("中断", Trouble("已按要求停止"))
    assert taken(store).id == second
    store.stop(second)
    assert store.job(second).word == "停止中"
    assert not store.report(second, "甲进程", Progress()), "so that its process ends it"
    store.interrupt("甲进程", Trouble("进程已死"))
    assert (store.job(second).word, store.job(second).trouble) == ("中断", Trouble("已按要求停止"))
    store.stop(second)
    assert store.job(second).word == "中断"


def test_a_job_whose_process_died_or_fell_silent_is_interrupted(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    died = store.ask("verify", "1", by="")
    taken(store)
    with pytest.raises(RecordError, match="没有中断"):
        store.again(died)
    store.interrupt("乙进程", Trouble("另一个"))
    assert store.job(died).word == "进行"
    store.interrupt("甲进程", Trouble("进程已死"))
    assert (store.job(died).word, store.job(died).trouble) == ("中断", Trouble("进程已死"))
    silent = store.ask("verify", "2", by="")
    assert taken(store).id == silent
    later(monkeypatch, seconds=61)
    found = store.job(silent)
    assert (found.word, found.can_be_resumed) == ("中断", True)
    store.again(silent)
    assert taken(store, "乙进程").id == silent
    assert not store.report(silent, "甲进程", Progress("旧", 1)), "it is another's now"
    store.finish(silent, "甲进程", "{}", {})
    store.fail(silent, "甲进程", Trouble("旧"))
    assert (store.job(silent).word, store.job(silent).progress.stage) == ("进行", "")


def test_old_jobs_go_with_their_files(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    done, _silent, waiting = (store.ask("verify", text, by="") for text in ("1", "2", "3"))
    taken(store)
    file = ResultFile("包.zip", "application/zip", b"")
    store.finish(done, "甲进程", "{}", {file.name: file})
    taken(store)
    later(monkeypatch, days=29)
    assert store.clear() == 0
    later(monkeypatch, days=31)
    assert store.clear() == 2
    assert [job.id for job in store.jobs()] == [waiting]
    with pytest.raises(RecordError, match="已过保留期限"):
        store.file(done, "包.zip")
    monkeypatch.setenv("TIDU_JOB_DAYS", "100")
    assert taken(store).id == waiting
    store.fail(waiting, "甲进程", Trouble("x"))
    later(monkeypatch, days=130)
    assert store.clear() == 0
    later(monkeypatch, days=132)
    assert store.clear() == 1


@pytest.mark.parametrize("value", ["三十", "-1", "1.5", "9999999", "²"])
def test_a_number_of_days_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, store: JobStore, value: str
) -> None:
    monkeypatch.setenv("TIDU_JOB_DAYS", value)
    with pytest.raises(RegistryError, match=f"TIDU_JOB_DAYS「{value}」不是天数：请写成整数"):
        store.clear()


def test_no_job_of_that_number(store: JobStore) -> None:
    with pytest.raises(RecordError, match="没有第7项任务"):
        store.job(7)


def test_the_store_is_beside_the_registry_and_no_part_of_it(
    desk: Desk, store: JobStore, database: sa.Engine
) -> None:
    store.ask("verify", "{}", by="")
    with database.connect() as connection:
        names = sa.inspect(connection).get_table_names()
    assert "filing" in names
    assert not {"job", "job_file", "version"} & {*names}
    assert desk.in_force()
    if database.dialect.name == "postgresql":
        with database.connect() as connection:
            assert "public_operations" in sa.inspect(connection).get_schema_names()


def test_a_store_of_a_newer_program_is_refused(desk: Desk, store: JobStore) -> None:
    with tables.writing(store.engine) as connection:
        connection.execute(sa.update(tables.Version).values(number=99))
    with JobStore(desk) as other, pytest.raises(StorageError, match="版本99不为本程序所知"):
        other.jobs()


def test_nothing_of_a_transaction_that_fails_is_kept(store: JobStore) -> None:
    id = store.ask("verify", "{}", by="")
    taken(store)
    file: Any = ResultFile("包.zip", "application/zip", None)  # type: ignore[arg-type]
    with pytest.raises(StorageError):
        store.finish(id, "甲进程", "{}", {"包.zip": file})
    assert store.job(id).word == "进行"


def test_officers_and_auditors_of_postgresql_may_work_with_jobs(
    fresh: Callable[..., sa.Engine],
) -> None:
    owner = fresh("postgresql")
    server = owner.execution_options(isolation_level="AUTOCOMMIT")
    role = "jobs_auditor"
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
    try:
        roles.grant(owner, role, auditor=True)
        with (
            Desk(address(owner.url.set(username=role))) as desk,
            JobStore(desk) as store,
            pytest.raises(StorageError, match="不允许这样做"),
        ):
            store.jobs()
        with Desk(address(owner.url)) as desk, JobStore(desk) as store:
            store.prepare(role)
            store.prepare(role)
        with Desk(address(owner.url.set(username=role))) as desk, JobStore(desk) as store:
            id = store.ask("verify", "{}", by="审计人")
            assert taken(store).id == id
            store.finish(id, "甲进程", "{}", {"包": ResultFile("包", "text/plain", b"x")})
            assert store.job(id).files == ("包",)
            assert store.clear() == 0
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


def address(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)
