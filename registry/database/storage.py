"""The database: engine, session and schema revision, for SQLite and PostgreSQL.

The address is ``TIDU_DATABASE_URL``; without it, the file ``tidu.db`` in ``TIDU_HOME`` or the
current directory. An SQLite database migrates itself on first use; ``upgrade`` migrates PostgreSQL.
Every database error becomes a ``StorageError`` in Chinese.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import NullPool, event, exc
from sqlmodel import Session

from registry.database.columns import LARGEST_ROW
from registry.errors import StorageError
from registry.kit import resources, settings, turns
from registry.kit.files import PRIVATE_FILE
from rules.portable.errors import Remedy

#: The seconds that somebody waits for a writer, unless told otherwise.
_PATIENCE: Final = 30

#: The option of an engine that tells the seconds to wait.
_PATIENT: Final = "tidu_patience"
#: The option of an engine whose writing transactions are parts of a longer work.
_IN_PARTS: Final = "tidu_in_parts"

#: The advisory lock that writers to one PostgreSQL database share: "tidu" in ASCII.
_WRITER_LOCK: Final = 0x74696475

#: The encoding is fixed whatever the server's default: names are Chinese.
_POSTGRESQL: Final = {"connect_timeout": 10, "client_encoding": "utf8"}

_EXAMPLES: Final = "sqlite:///tidu.db 或 postgresql://用户@主机/库名"


#: The table in which alembic keeps a database's revision.
_VERSION: Final = sa.table("alembic_version", sa.column("version_num"))

#: SQLite's name for a database that is not a file.
_IN_MEMORY: Final = ":memory:"


@dataclass(frozen=True)
class Status:
    """The schema revision of a database, and the one that this program expects."""

    current: str | None
    head: str
    pending: tuple[str, ...]


def database_url() -> sa.URL:
    """The address of the registry; ``StorageError`` if it cannot be parsed."""
    if not settings.DATABASE.value:
        return sa.URL.create("sqlite", database=str(settings.home() / "tidu.db"))
    url = _parse(settings.DATABASE.value)
    if url.drivername == "sqlite" and (url.host or url.database in (None, "", _IN_MEMORY)):
        raise StorageError(  # everything recorded in memory would be lost at the end
            "no-file-named",
            "数据库地址没有写明SQLite文件（相对位置用三条斜线，绝对位置用四条）：请写成 {expected}",
            expected=_EXAMPLES,
        )
    return url


def exists(url: str | sa.URL | None = None) -> bool:
    """Whether a database exists at an address; for a server, only connecting tells."""
    address = database_url() if url is None else _parse(url)
    return address.drivername != "sqlite" or Path(address.database or "").exists()


def connect(url: str | sa.URL | None = None, *, patience: int | None = None) -> sa.Engine:
    """An engine on a database at the expected revision; else ``StorageError``.

    ``patience`` is how many seconds it waits for another writer.
    """
    engine = create_engine(url, patience=patience)
    try:
        found = status(engine)
        if found.pending and engine.dialect.name == "sqlite":
            upgrade(engine)
        elif found.pending:
            raise StorageError(
                "not-upgraded",
                "数据库{where}尚未升级到本程序需要的版本{expected}（现为{value}）",
                where=_shown(engine),
                expected=found.head,
                value=found.current or "空库",
                remedy=Remedy("upgrade-database"),
            )
    except BaseException:
        engine.dispose()
        raise
    return engine


def create_engine(url: str | sa.URL | None = None, *, patience: int | None = None) -> sa.Engine:
    """An engine that has not connected yet; does not look at the schema. ``patience`` as above."""
    address = database_url() if url is None else _parse(url)
    if address.get_backend_name() == "postgresql":
        told = {_PATIENT: patience}
        engine = sa.create_engine(address, connect_args=_POSTGRESQL, execution_options=told)
        event.listen(engine, "begin", _begin_postgresql)
    else:
        engine = sa.create_engine(address, connect_args={"timeout": patience or _PATIENCE})
        event.listen(engine, "do_connect", _found)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "handle_error", _no_text)
    return engine


def in_parts(engine: sa.Engine) -> sa.Engine:
    """The same engine for work in many parts: between two of them, whoever waits writes first.

    Others wait for one part at most, whatever the machine has to do. SQLite does not do so by
    itself: the first to ask is not the first to be served. PostgreSQL serves all in turn.
    """
    return engine.execution_options(**{_IN_PARTS: True})


def open_file(path: Path) -> sa.Engine:
    """A read-only engine on an SQLite file at any revision."""

    def opened() -> sqlite3.Connection:
        address = f"file:{quote(str(path.absolute()))}?mode=ro"
        opened = sqlite3.connect(address, uri=True, isolation_level=None, timeout=_PATIENCE)
        # a stranger's file: its definitions have no effect, and no cell can exhaust the memory
        opened.execute("PRAGMA trusted_schema = OFF")
        opened.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_ROW)
        return opened

    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), creator=opened, poolclass=NullPool
    )
    event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[Session]:
    """A read-only transaction that sees one state of the whole database throughout."""
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":  # SQLite's transactions always do
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with session(engine.execution_options(**options)) as opened:
        yield opened


@contextmanager
def session(engine: sa.Engine, *, write: bool = False) -> Iterator[Session]:
    """A transaction: committed at the end, rolled back on any error.

    Writing transactions (``write``) wait for one another from the start, so that whatever they read
    still holds when they write.
    """
    with (
        translated(engine),
        Session(engine.execution_options(tidu_write=write), expire_on_commit=False) as opened,
        opened.begin(),
    ):
        if write:
            opened.connection()  # take the lock now
        yield opened


def state(session: Session) -> tuple[object, ...] | None:
    """What tells one state of the database from every other, for the connection of a session.

    None within a transaction of PostgreSQL that has written something.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        found = "SELECT pg_current_snapshot()::text, pg_current_xact_id_if_assigned()::text"
        snapshot, own = connection.exec_driver_sql(found).one()
        return None if own else (snapshot,)
    others = connection.exec_driver_sql("PRAGMA data_version").scalar()
    driver: Any = connection.connection.driver_connection
    return others, driver.total_changes


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Upgrade the schema to a revision, by default the newest."""
    from registry.database import migrations  # alembic is slow to load and seldom needed

    found = status(engine)
    with translated(engine), engine.execution_options(tidu_write=True).begin() as connection:
        if found.current is None and engine.dialect.name == "sqlite":
            _refuse_another(engine, connection)
        try:
            migrations.upgrade(connection, revision)
        except LookupError as error:
            raise StorageError(
                "foreign-schema",
                "数据库{where}的表结构不是本程序建立的样子，没有升级：请从备份恢复",
                where=_shown(engine),
            ) from error


def _refuse_another(engine: sa.Engine, connection: sa.Connection) -> None:
    """Raise ``StorageError`` where a file holds something else, and would look like an empty registry."""
    if set(sa.inspect(connection).get_table_names()) - {_VERSION.name}:
        raise StorageError(
            "another-database",
            "数据库{where}中已有别的数据表，却没有登记库的版本：请检查路径，如果它本是登记库，请从备份恢复",
            where=_shown(engine),
        )


def status(engine: sa.Engine) -> Status:
    """The revision of the database and the pending ones; ``StorageError`` if it is unknown."""
    with translated(engine), engine.connect() as connection:
        there = sa.inspect(connection).has_table(_VERSION.name)
        heads = connection.scalars(sa.select(_VERSION.c.version_num)).all() if there else ()
    if len(heads) > 1:
        raise StorageError(
            "several-revisions",
            "数据库{where}的版本表有{value}行，只应有一行，它曾被改动：请从备份恢复",
            where=_shown(engine),
            value=len(heads),
        )
    current = heads[0] if heads else None
    known = revisions()
    if current is not None and current not in known:
        raise StorageError(
            "unknown-revision",
            "数据库{where}的版本{value}不为本程序所知，可能由更新的程序建立：请升级本程序",
            where=_shown(engine),
            value=current,
        )
    done = 0 if current is None else known.index(current) + 1
    return Status(current, known[-1], tuple(known[done:]))


def revisions() -> list[str]:
    """All revisions of the schema, oldest first: their files are named by number, then content."""
    files = (resources.migrations() / "versions").glob("*.py")
    return sorted(file.stem.partition("_")[0] for file in files)


def _parse(given: str | sa.URL) -> sa.URL:
    try:
        url = sa.make_url(given)
    except (exc.ArgumentError, ValueError):
        raise StorageError(
            "unreadable-address", "数据库地址无法识别：请写成 {expected}", expected=_EXAMPLES
        ) from None
    if "@" in f"{url.host}{url.database}" and url.drivername != "sqlite":
        raise StorageError(
            "unescaped-address",
            "数据库地址中用户和口令里的 @、/、:、? 须写成 %40、%2F、%3A、%3F：请改正",
        )
    match url.drivername:
        case "sqlite":
            return url.set(query={})  # nothing can follow 「?」
        case "postgresql+psycopg":
            return url
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+psycopg")
    raise StorageError(
        "unknown-database",
        "不支持数据库种类「{value}」：请写成 {expected}",
        value=url.drivername,
        expected=_EXAMPLES,
    )


def _found(_dialect: object, _record: object, arguments: Any, _named: object) -> None:
    """Make a new registry private to its owner; an existing one keeps its mode."""
    if arguments[0] == _IN_MEMORY:
        return
    with suppress(OSError):  # it exists, or SQLite will report the fault
        os.close(os.open(arguments[0], os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE))


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # _begin_sqlite begins transactions, also around DDL
    # FULL, because under WAL a power cut after a commit may lose it with NORMAL: a decision that
    # was announced as recorded must exist afterwards.
    for pragma in ("foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not tables or _VERSION.name in tables:  # WAL is written into the file, which may not be ours
        connection.execute("PRAGMA journal_mode = WAL")


def _no_text(context: sa.ExceptionContext) -> None:
    """A text that cannot be decoded is a fault of the data, not of the database."""
    error = context.original_exception
    if isinstance(error, sqlite3.OperationalError) and _UNDECODED in str(error):
        raise exc.DataError(context.statement, context.parameters, error) from error


_UNDECODED: Final = "Could not decode to UTF-8"


def _begin_sqlite(connection: sa.Connection) -> None:
    if not _writes(connection):
        connection.exec_driver_sql("BEGIN")
        return
    folder = Path(connection.engine.url.database or _IN_MEMORY).parent
    if connection.get_execution_options().get(_IN_PARTS):
        turns.give_way(folder)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    with turns.waiting(folder):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_postgresql(connection: sa.Connection) -> None:
    if _writes(connection):
        patience = connection.get_execution_options().get(_PATIENT) or _PATIENCE
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{patience}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")


def _writes(connection: sa.Connection) -> bool:
    return bool(connection.get_execution_options().get("tidu_write"))


def _shown(engine: sa.Engine) -> str:
    return f"「{shown(engine.url)}」"


def shown(url: sa.URL) -> str:
    """An address without its password, and without anything after 「?」, which may contain others.

    >>> shown(sa.make_url("postgresql://u:secret@h/d?sslpassword=secret"))
    'postgresql://u:***@h/d'
    >>> shown(sa.make_url("sqlite:///登记.db"))
    'sqlite:///登记.db'
    """
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database}"  # as it was typed, not as it is escaped
    return url.set(query={}).render_as_string(hide_password=True)


#: The characters of a text that is unlikely to be part of another word.
_LONG_ENOUGH: Final = 5


def _without_secrets(said: str, url: sa.URL) -> str:
    """A database's message, without anything that only its address should contain."""
    values = [v for one in url.query.values() for v in ([one] if isinstance(one, str) else one)]
    for secret in filter(None, map(str, (url.password or "", *values))):
        # a short one may be part of words: if masked there, the rest would reveal it
        whole = len(secret) < _LONG_ENOUGH
        part = rf"(?<!\w){re.escape(secret)}(?!\w)" if whole else re.escape(secret)
        said = re.sub(part, "***", said)
    return said


class _Trouble(NamedTuple):
    """A database error, as data and as the words that follow its address."""

    slug: str
    said: str
    remedy: Remedy | None = None


_BUSY: Final = _Trouble("database-busy", "正被其他程序写入：请稍后再试")
_FULL: Final = _Trouble("disk-full", "所在的磁盘已满：请清理后重试")
#: SQLite's message -> what to tell the user.
_SQLITE_TROUBLE: Final = {
    "file is not a database": _Trouble(
        "no-database", "不是SQLite数据库文件：请检查路径，或换一个文件"
    ),
    "database disk image is malformed": _Trouble("damaged-database", "已损坏：请从备份恢复"),
    "database is locked": _BUSY,
    "unable to open database file": _Trouble(
        "unopened-database", "打不开：请检查文件夹是否存在、是否可写"
    ),
    "readonly database": _Trouble("read-only-database", "不可写：请检查文件和文件夹的权限"),
    "disk is full": _FULL,
    "disk I/O error": _Trouble("disk-error", "读写出错：请检查磁盘是否完好、空间是否足够"),
    "no such table": _Trouble("missing-table", "缺少数据表", Remedy("upgrade-database")),
}


#: The errors for content that a database does not accept or cannot read.
_ALTERED: Final = (exc.IntegrityError, exc.DataError)
#: The meaning of PostgreSQL's error codes.
_LOCK_NOT_AVAILABLE: Final = "55P03"
_DISK_FULL: Final = "53100"
_INSUFFICIENT_PRIVILEGE: Final = "42501"
_BROKEN: Final = _Trouble(
    "connection-lost", "的连接中断：没有完成的操作不会留下任何内容，请查看后重试"
)


@contextmanager
def translated(engine: sa.Engine) -> Iterator[None]:
    """Turn the database's errors into one Chinese sentence."""
    try:
        yield
    except exc.DatabaseError as error:
        trouble = _BROKEN if error.connection_invalidated else _trouble(error, engine.url)
        raise StorageError(
            trouble.slug,
            "数据库{where}{value}",
            where=_shown(engine),
            value=trouble.said,
            remedy=trouble.remedy,
        ) from error


def _trouble(error: exc.DatabaseError, url: sa.URL) -> _Trouble:
    said = _without_secrets(" ".join(str(error.orig).split()), url)
    number = getattr(error.orig, "sqlstate", "")  # None if no server answers; SQLite has none
    if "append-only" in said:
        text = "拒绝了这次写入，全部没有写入：其中可能有外加的触发器或规则"
        return _Trouble("write-refused", text, Remedy("verify-record"))
    if isinstance(error, _ALTERED) or _UNDECODED in said:
        text = f"的内容与登记库的规定不合（{said[:120]}），没有完成"
        return _Trouble("altered-database", text, Remedy("verify-record"))
    for phrase, advice in _SQLITE_TROUBLE.items():
        if phrase in said:
            return advice
    if number == _LOCK_NOT_AVAILABLE:
        return _BUSY
    if number == _DISK_FULL:
        return _FULL
    if number == _INSUFFICIENT_PRIVILEGE:
        return _Trouble("not-permitted", f"不允许这样做（{said}）", Remedy("grant-rights"))
    if isinstance(error, exc.OperationalError) and number is None:
        text = f"连接不上（{said}）：请检查主机、端口、库名、用户和口令"
        return _Trouble("no-connection", text)
    return _Trouble("database-trouble", f"无法使用（{said}）")
