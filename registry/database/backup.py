"""Copies the whole registry to one SQLite file, and back, from and into either database.

A backup is itself a registry, at the same revision and with the same triggers; any registry in a
single SQLite file can be restored like a backup. Rows are copied as they are stored, in the order
of foreign keys and numbers, so that the copy's triggers check every one of them.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Session, SQLModel

from registry.database import storage
from registry.database.columns import LARGEST_ROW
from registry.database.models import JournalEntry
from registry.database.versions import table_of
from registry.errors import BackupError, UncopiedError
from registry.kit import settings
from registry.kit.files import working_folder, written_whole
from registry.kit.progress import Done, ignored
from rules.portable.errors import Remedy

_JOURNAL: Final = table_of(JournalEntry)

#: The most rows, and bytes, that are held at once; a filing's rows take some 20 kB each.
_CHUNK: Final = 500
_HELD: Final = 8 << 20


@dataclass(frozen=True)
class Copied:
    """The content of a registry when it was copied; ``head`` is the last journal entry's digest."""

    rows: Mapping[str, int]
    head: str | None

    @property
    def total(self) -> int:
        """The number of rows in all tables."""
        return sum(self.rows.values())


def write(engine: sa.Engine, path: Path, *, progress: Done = ignored) -> Copied:
    """Write the registry, as it is at one moment, to a new file.

    The file appears once it is complete and checked; an existing file is never touched.
    ``progress`` receives the percentage done.
    """
    if path.exists():
        raise BackupError("file-exists", "「{value}」已存在，不会覆盖：请另取文件名", value=path)
    if not path.parent.is_dir():
        raise BackupError(
            "no-such-folder", "没有文件夹「{value}」：请先建立，或换一个位置", value=path.parent
        )
    try:
        # private: it contains the names and numbers of the registry
        with written_whole(path, private=True, new=True) as unfinished:
            with storage.snapshot(engine) as source:
                copied = _fill(unfinished, source, progress)
            with reading(unfinished) as session:
                _compare(copied, _held(session))
    except FileExistsError:
        raise BackupError(
            "file-exists", "「{value}」已存在，不会覆盖：请另取文件名", value=path
        ) from None
    return copied


def as_found(engine: sa.Engine, path: Path) -> None:
    """Copy an SQLite registry page by page to a new file, whatever it contains.

    Such a copy is evidence, not a backup.
    """
    with (
        written_whole(path, private=True, new=True) as unfinished,
        closing(engine.raw_connection()) as source,
        closing(sqlite3.connect(unfinished)) as copy,
    ):
        source.driver_connection.backup(copy)  # type: ignore[union-attr]


def restore(engine: sa.Engine, path: Path, *, progress: Done = ignored) -> Copied:
    """Load a backup into an empty registry, all of it or nothing; all numbers stay the same.

    A copy of a backup at an earlier revision is upgraded first. ``progress`` receives the
    percentage done.
    """
    with _at_head(path) as file, reading(file) as source:
        _prepare(engine)
        with storage.session(engine, write=True) as target:
            found = _held(target)
            if found.total:
                raise BackupError(
                    "not-empty",
                    "登记库「{where}」不是空的（已有{value}行）：恢复只能进空库，请用 {setting} 指定一个新库",
                    where=storage.shown(engine.url),
                    value=found.total,
                    setting=settings.DATABASE.name,
                )
            copied = _copy(source, target, progress)
            _continue_numbers(target)
            _compare(copied, _held(target))
    return copied


@contextmanager
def reading(path: Path) -> Iterator[Session]:
    """A read-only session on a backup."""
    engine = storage.open_file(path)
    try:
        with storage.session(engine) as session:
            yield session
    finally:
        engine.dispose()


# copying


@cache
def _tables() -> tuple[sa.TableClause, ...]:
    """All tables in the order of their foreign keys, with columns as the databases store them."""
    return tuple(
        sa.table(table.name, *(sa.column(c.name, _stored(c.type)) for c in table.columns))
        for table in SQLModel.metadata.sorted_tables
    )


def _stored(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The plain type beneath ours: a backup neither checks nor rewrites the content of a cell."""
    if isinstance(kind, TypeDecorator):
        return kind.impl_instance
    return sa.Text() if isinstance(kind, sa.Enum) else kind


def _copy(source: Session, target: Session, progress: Done) -> Copied:
    """Copy all rows of a registry to an empty one; returns counts of what was read."""
    total, done = _held(source).total, 0
    rows = {}
    for table in _tables():
        rows[table.name] = 0
        for part in _parts(source, table):
            try:
                target.execute(sa.insert(table), part)
            except exc.DatabaseError as error:
                if not isinstance(error, _REFUSED) and "append-only" not in str(error.orig):
                    raise
                raise _altered(table.name, " ".join(str(error.orig).split())) from error
            rows[table.name] += len(part)
            done += len(part)
            progress(100 * done // max(total, 1))
    return Copied(rows, _head(source))


def _parts(source: Session, table: sa.TableClause) -> Iterator[Sequence[dict[str, Any]]]:
    key = SQLModel.metadata.tables[table.name].primary_key.columns.keys()
    query = sa.select(table).order_by(*(table.c[name] for name in key))
    with storage.translated(source.get_bind().engine):
        try:
            at_once = {"yield_per": _at_once(source, table)}
            for part in source.execute(query, execution_options=at_once).mappings().partitions():
                yield [dict(row) for row in part]
        except ValueError as error:
            raise _altered(table.name, str(error)) from error
        except exc.DataError as error:  # a cell beyond all bounds
            raise _altered(table.name, _said(error)) from error


def _said(error: exc.DataError) -> str:
    said = str(error.orig)
    return _TOO_LARGE if "too big" in said else said


#: What is said of a row that no registry can have written.
_TOO_LARGE: Final = f"一行超过{LARGEST_ROW >> 20}MB"


def _at_once(source: Session, table: sa.TableClause) -> int:
    """The number of a table's rows to hold at once, given the largest; refuses an oversized row."""
    if source.get_bind().dialect.name == "sqlite":  # it keeps anything in any column
        sizes = [sa.func.length(sa.cast(c, sa.LargeBinary)) for c in table.c]
    else:
        sizes = [sa.func.octet_length(c) for c in table.c if isinstance(c.type, sa.String)]
    row = sum((sa.func.coalesce(size, 0) for size in sizes), sa.literal(0))
    largest = source.scalar(sa.select(sa.func.max(row)).select_from(table)) or 0
    if largest > LARGEST_ROW:
        raise _altered(table.name, _TOO_LARGE)
    return max(1, min(_CHUNK, _HELD // max(largest, 1)))


#: The errors of a database for content that it does not accept.
_REFUSED: Final = (exc.IntegrityError, exc.DataError)


def _altered(table: str, said: str) -> UncopiedError:
    return UncopiedError(
        "altered-rows",
        "数据表{where}中有不合登记库规定的内容（{value}），它曾被改动，没有复制",
        where=table,
        value=said,
        remedy=Remedy("verify-or-other-backup"),
    )


def _held(session: Session) -> Copied:
    rows = {
        table.name: session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        for table in _tables()
    }
    return Copied(rows, _head(session))


def _head(session: Session) -> str | None:
    query = sa.select(_JOURNAL.c.digest).order_by(_JOURNAL.c.seq.desc()).limit(1)
    return session.scalar(query)


def _compare(copied: Copied, found: Copied) -> None:
    if copied != found:
        different = [t for t, n in copied.rows.items() if found.rows[t] != n] or ["journal"]
        raise BackupError(
            "copy-differs",
            "写成的内容与原来的不一致（{where}），已放弃：请检查磁盘后重试",
            where="、".join(different),
        )


def _continue_numbers(target: Session) -> None:
    """Let PostgreSQL number new rows after the last; SQLite does so by itself."""
    if target.get_bind().dialect.name != "postgresql":
        return
    for table in SQLModel.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = sa.func.pg_get_serial_sequence(f'"{table.name}"', column.name)
        last = sa.select(sa.func.max(column)).scalar_subquery()
        # without rows the sequence stays at its start
        target.execute(sa.select(sa.func.setval(sequence, last)).where(last.is_not(None)))


# files


def _fill(path: Path, source: Session, progress: Done) -> Copied:
    """A new registry in a file, filled from another one and flushed to disk."""
    engine = storage.create_engine(sa.URL.create("sqlite", database=str(path)))
    event.listen(engine, "connect", _write_straight)
    try:
        storage.upgrade(engine)
        with storage.session(engine, write=True) as target:
            copied = _copy(source, target, progress)
    finally:
        engine.dispose()
    return copied


def _write_straight(connection: sqlite3.Connection, _record: object) -> None:
    """No journal and no waiting: a failed file is discarded, a finished one is synced whole."""
    for pragma in ("journal_mode = OFF", "synchronous = OFF"):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def _at_head(path: Path) -> Iterator[Path]:
    """A sound backup at the newest revision: the file itself, or a temporary upgraded copy."""
    if not path.is_file():
        raise BackupError("no-such-file", "没有备份文件「{value}」：请核对位置", value=path)
    file = storage.open_file(path)
    try:
        pending = _checked(file, path).pending
        if not pending:
            yield path
            return
        with working_folder() as folder:
            copy = folder / "backup"
            with closing(file.raw_connection()) as old, closing(sqlite3.connect(copy)) as new:
                old.driver_connection.backup(new)  # type: ignore[union-attr]
            upgraded = storage.create_engine(sa.URL.create("sqlite", database=str(copy)))
            try:
                storage.upgrade(upgraded)
            finally:
                upgraded.dispose()
            yield copy
    finally:
        file.dispose()


def _checked(file: sa.Engine, path: Path) -> storage.Status:
    """The revision of a file, after reading all of it once."""
    try:
        with file.connect() as connection:
            said = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar())
            damaged = said != "ok"
            orphaned = connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None
    except exc.DatabaseError as error:
        if "unable to open" in str(error.orig):
            raise BackupError(
                "unreadable-file", "打不开备份文件「{value}」：请检查读写权限", value=path
            ) from error
        if "not a database" in str(error.orig):
            raise _no_backup(path) from error
        said, damaged = "", True
    except UnicodeDecodeError:  # the error message quotes text from the damaged file
        said, damaged = "", True
    if damaged and (table := _OF_A_TABLE.match(said)):
        raise _altered(table[1], said)
    if damaged or orphaned:
        raise BackupError(
            "damaged-backup", "备份文件「{value}」已损坏，不能恢复：请换用另一份备份", value=path
        )
    found = storage.status(file)
    if found.current is None:
        raise _no_backup(path)
    for kind, name, _ in sorted(_objects(file) - _of_revision(found.current)):
        raise BackupError(
            "altered-backup",
            "备份文件「{where}」中有登记库没有的{kind}「{value}」，它曾被改动，没有恢复：请换用另一份备份",
            where=path,
            kind=_KINDS.get(kind, kind),
            value=name,
        )
    return found


#: SQLite's remarks on rows that a table does not allow, in an undamaged file.
_OF_A_TABLE: Final = re.compile(r"(?:CHECK constraint failed|\w+ value) in (\w+)")
_KINDS: Final = {"table": "数据表", "index": "索引", "trigger": "触发器", "view": "视图"}


def _objects(file: sa.Engine) -> set[tuple[str, str, str]]:
    """The objects of an SQLite file: kind, name, and a table's columns or a trigger's text."""
    found = set()
    with storage.translated(file), file.connect() as connection:
        schema = connection.exec_driver_sql(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        for kind, name, text in schema.all():
            told = ""
            if kind == "table":
                columns = sa.text("SELECT name, hidden FROM pragma_table_xinfo(:name)")
                told = str(sorted(map(tuple, connection.execute(columns, {"name": name}))))
                told += "virtual" if str(text).upper().startswith("CREATE VIRTUAL") else ""
            elif kind == "trigger":
                told = " ".join(str(text).split())
            found.add((kind, name, told))
    return found


@cache
def _of_revision(revision: str) -> frozenset[tuple[str, str, str]]:
    """The objects of a registry at a revision."""
    with working_folder() as folder:
        engine = storage.create_engine(sa.URL.create("sqlite", database=str(folder / "empty")))
        try:
            storage.upgrade(engine, revision)
            return frozenset(_objects(engine))
        finally:
            engine.dispose()


def _no_backup(path: Path) -> BackupError:
    return BackupError(
        "no-backup", "「{value}」不是梯度的备份", value=path, remedy=Remedy("give-backup")
    )


def _prepare(engine: sa.Engine) -> None:
    """Create the tables in a database that has none."""
    found = storage.status(engine)
    if found.current is None or engine.dialect.name == "sqlite":
        storage.upgrade(engine)
    storage.connect(engine.url).dispose()
