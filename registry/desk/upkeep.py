"""Upkeep of the database: its schema, full backups, and the rights of roles."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from registry.audit.verify import verify
from registry.database import backup as backups
from registry.database import projection, roles, storage
from registry.database import schema as made
from registry.database.altered import UNREADABLE
from registry.database.backup import Copied as Copied
from registry.database.storage import Status
from registry.database.versions import ENTERPRISE
from registry.desk.place import Desk
from registry.errors import AlteredError, UncopiedError
from registry.kit.progress import Watch, unwatched
from registry.record import journal
from rules.portable.errors import Remedy


@dataclass(frozen=True)
class SchemaState:
    """The address of the database, without its secrets, and the revision of its schema."""

    place: str
    status: Status


@dataclass(frozen=True)
class Upgraded:
    """The schema before and after an upgrade."""

    before: Status
    after: Status


@dataclass(frozen=True)
class BackedUp:
    """The content of a backup, and every fault of the registry; faults do not prevent a backup."""

    copied: Copied
    amiss: tuple[str, ...]


@dataclass(frozen=True)
class Restored:
    """The place to which a backup was restored, and its content."""

    place: str
    copied: Copied


def schema() -> SchemaState:
    """Look at the database that the settings name; changes nothing."""
    with _any_revision() as database:
        return SchemaState(storage.shown(database.url), storage.status(database))


def upgrade() -> Upgraded:
    """Upgrade the database that the settings name to the revision of this program."""
    with _any_revision() as database:
        before = storage.status(database)
        storage.upgrade(database)
        return Upgraded(before, storage.status(database))


def backup(desk: Desk, file: Path) -> BackedUp:
    """Copy the whole registry, as of one moment, to a new file, and verify the copy without replay.

    If the rows of an SQLite registry cannot be copied, its file is kept page by page and
    ``UncopiedError`` is raised.
    """
    try:
        with desk.watch("备份（%）", 100) as done:
            copied = backups.write(desk.database, file, progress=done)
    except UncopiedError as error:
        if desk.database.dialect.name != "sqlite":
            raise
        backups.as_found(desk.database, file)
        raise UncopiedError(
            "kept-as-found",
            "{cause}；数据库文件已原样存入「{where}」作为证据，不能用来恢复",
            cause=str(error),
            where=file,
            remedy=error.remedy,
        ) from error
    return BackedUp(copied, tuple(_amiss(desk, file)))


def _amiss(desk: Desk, file: Path) -> Iterator[str]:
    """What was altered: in the database outside its rows, and in the rows that the copy holds."""
    with desk.database.connect() as connection:
        yield from made.differences(connection)
    with (
        backups.reading(file) as session,
        desk.watch("核对备份", journal.size(session)) as done,
    ):
        found = verify(session, replay=False, progress=done)
        yield from (*found.integrity, *found.completeness)


def restore(file: Path, watch: Watch = unwatched) -> Restored:
    """Restore a backup into the empty database that the settings name: all of it, or nothing."""
    with _any_revision() as database:
        with watch("恢复（%）", 100) as done:
            copied = backups.restore(database, file, progress=done)
        return Restored(storage.shown(database.url), copied)


@dataclass(frozen=True)
class Rebuilt:
    """How many enterprises' lists were made anew, and how many rows were amiss."""

    enterprises: int
    changed: int


def rebuild(desk: Desk) -> Rebuilt:
    """Rebuild from the record what lists and searches read; the record stays as it is."""
    with desk.writing() as session:
        connection = session.connection()
        count = connection.scalar(sa.select(sa.func.count()).select_from(ENTERPRISE)) or 0
        try:
            with desk.watch("重建概况", count) as done:
                changed = projection.rebuild(connection, done)
        except UNREADABLE as error:
            raise AlteredError(
                "unreadable-record",
                "登记库中有内容已被改动，不能据以重建",
                remedy=Remedy("verify-record"),
            ) from error
    return Rebuilt(count, changed)


def grant(desk: Desk, role: str, *, auditor: bool) -> None:
    """Give a role of PostgreSQL exactly the rights of an officer or of an auditor."""
    roles.grant(desk.database, role, auditor=auditor)


@contextmanager
def _any_revision() -> Iterator[sa.Engine]:
    """The database that the settings name, at any revision."""
    database = storage.create_engine()
    try:
        yield database
    finally:
        database.dispose()
