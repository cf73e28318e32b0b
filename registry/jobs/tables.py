"""The second store, beside the registry: what is going on; nothing in it is part of the record.

For an SQLite registry it is a second file in the same folder, for PostgreSQL a second schema in the
same database. So somebody who may only read the registry can still ask for jobs.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, LargeBinary, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from registry.database import storage
from registry.database.columns import RowId, Utc
from registry.errors import StorageError

#: What the second store is called, after the registry's file or schema.
_SUFFIX: Final = "operations"
#: The advisory lock of whoever makes or upgrades the store on PostgreSQL.
_MAKING: Final = 0x74696475 + 1

#: The states of a job, with the officers' words.
STATES: Final = {
    "waiting": "等待",
    "running": "进行",
    "stopping": "停止中",
    "done": "完成",
    "failed": "失败",
    "interrupted": "中断",
}


class Stored(SQLModel, registry=registry()):
    """The base of all tables of this store, which are none of the registry's."""


class Version(Stored, table=True):
    """The version of the store's tables: one row."""

    __tablename__ = "version"

    number: int = Field(primary_key=True)


class Job(Stored, table=True):
    """Work that somebody asked for.

    ``arguments``, ``result`` and ``trouble`` are JSON; ``notes`` is what the job itself noted for the
    time when it is begun again. ``runner`` is the process that has taken it, ``seen_at`` when that
    last wrote here. ``done`` of ``total`` parts of a ``stage`` are done, at a
    ``rate`` per minute.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(map(repr, STATES))})", "state"),
        CheckConstraint("(ended_at IS NULL) = (state IN ('waiting', 'running', 'stopping'))", "ended"),
    )  # fmt: skip

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    kind: str = Field(sa_type=Text)
    arguments: str = Field(sa_type=Text)
    by: str = Field(sa_type=Text)
    state: str = Field(default="waiting", sa_type=Text, index=True)
    asked_at: dt.datetime = Field(sa_type=Utc)
    begun_at: dt.datetime | None = Field(default=None, sa_type=Utc)
    seen_at: dt.datetime | None = Field(default=None, sa_type=Utc)
    ended_at: dt.datetime | None = Field(default=None, sa_type=Utc)
    runner: str = Field(default="", sa_type=Text)
    stage: str = Field(default="", sa_type=Text)
    done: int = Field(default=0, sa_type=RowId)
    total: int | None = Field(default=None, sa_type=RowId)
    rate: int | None = Field(default=None, sa_type=RowId)
    notes: str = Field(default="", sa_type=Text)
    result: str | None = Field(default=None, sa_type=Text)
    trouble: str | None = Field(default=None, sa_type=Text)


class JobFile(Stored, table=True):
    """A file that a job made; it goes with the job."""

    __tablename__ = "job_file"

    job_id: int = Field(
        primary_key=True, sa_type=RowId, foreign_key="job.id", ondelete="CASCADE"
    )  # fmt: skip
    name: str = Field(primary_key=True, sa_type=Text)
    media_type: str = Field(sa_type=Text)
    data: bytes = Field(sa_type=LargeBinary)


#: The statements that bring the store from each version to the next; never edited once released.
_STEPS: Final[tuple[tuple[str, ...], ...]] = ()
_NEWEST: Final = 1 + len(_STEPS)


def beside(database: sa.Engine) -> sa.Engine:
    """An engine on the store beside a registry, which is made or upgraded if need be.

    Raises ``StorageError`` where that is not allowed, or a newer program made it.
    """
    url = database.url
    if database.dialect.name == "sqlite":
        file = Path(url.database or "")
        engine = storage.create_engine(url.set(database=str(file.with_suffix(f".{_SUFFIX}.db"))))
    else:
        with storage.translated(database), database.connect() as connection:
            schema = f"{connection.scalar(sa.select(sa.func.current_schema()))}_{_SUFFIX}"
        engine = storage.create_engine(url).execution_options(schema_translate_map={None: schema})
    try:
        _upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def grant(engine: sa.Engine, role: str) -> None:
    """Let a role of PostgreSQL ask for jobs, watch them and do them; run by the owner of the tables.

    ``engine`` is of the store; a store in a file belongs to whoever may write there.
    """
    with writing(engine) as connection:
        if (schema := _schema(connection)) is None:
            return
        quoted = connection.dialect.identifier_preparer.quote_identifier
        place, to = quoted(schema), f"TO {quoted(role)}"
        tables = (f"{place}.{quoted(name)}" for name in (_table(Job), _table(JobFile)))
        for statement in (
            f"GRANT USAGE ON SCHEMA {place} {to}",
            f"GRANT SELECT ON {place}.{quoted(_table(Version))} {to}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(tables)} {to}",
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {place} {to}",
        ):
            connection.exec_driver_sql(statement)


def _table(model: type[SQLModel]) -> str:
    return str(model.__tablename__)


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that writes; on SQLite one waits for another from the start."""
    at_once = engine.dialect.name == "sqlite"
    with storage.translated(engine), engine.execution_options(tidu_write=at_once).begin() as opened:
        yield opened


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that reads."""
    with storage.translated(engine), engine.begin() as opened:
        yield opened


def _upgrade(engine: sa.Engine) -> None:
    with reading(engine) as connection:
        if _version(connection) == _NEWEST:
            return
    with writing(engine) as connection:
        if (schema := _schema(connection)) is not None:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKING)))
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        found = _version(connection)
        if found > _NEWEST:
            raise StorageError(
                "unknown-revision",
                "数据库{where}的版本{value}不为本程序所知，可能由更新的程序建立：请升级本程序",
                where=f"「{storage.shown(engine.url)}」",
                value=found,
            )
        if found == 0:
            Stored.metadata.create_all(connection)
        else:
            for statement in (said for step in _STEPS[found - 1 :] for said in step):
                connection.exec_driver_sql(statement)
        connection.execute(sa.delete(Version))
        connection.execute(sa.insert(Version).values(number=_NEWEST))


def _version(connection: sa.Connection) -> int:
    """The version of the store's tables; 0 if there are none."""
    if not sa.inspect(connection).has_table("version", schema=_schema(connection)):
        return 0
    return connection.scalar(sa.select(sa.func.max(Version.number))) or 0


def _schema(connection: sa.Connection) -> str | None:
    options = connection.get_execution_options()
    named: str | None = options.get("schema_translate_map", {}).get(None)
    return named
