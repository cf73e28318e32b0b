"""Upkeep of the database: its schema, a backup of all of it, and who may do what."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from registry.database import backup as backups
from registry.database import roles, storage
from registry.database.backup import Copied, Progress
from registry.database.storage import Status
from registry.desk.place import Desk
from registry.kit.progress import Watch, unwatched


@dataclass(frozen=True)
class Schema:
    """Where the database is, and the revision of its schema; the address shows no secret."""

    place: str
    status: Status


@dataclass(frozen=True)
class Upgraded:
    """The schema before and after an upgrade."""

    before: Status
    after: Status


@dataclass(frozen=True)
class Restored:
    """Where a backup was restored to, and what it held."""

    place: str
    copied: Copied


def schema() -> Schema:
    """Look at the database that the settings name, without changing it."""
    with _any_revision() as database:
        return Schema(storage.shown(database.url), storage.status(database))


def upgrade() -> Upgraded:
    """Bring the database that the settings name to the revision of this program."""
    with _any_revision() as database:
        before = storage.status(database)
        storage.upgrade(database)
        return Upgraded(before, storage.status(database))


def backup(desk: Desk, file: Path) -> Copied:
    """Copy the whole registry, as of one moment, into a new file."""
    with _percentage(desk.watch, "备份（%）") as done:
        return backups.write(desk.database, file, progress=done)


def restore(file: Path, watch: Watch = unwatched) -> Restored:
    """Restore a backup into the empty database that the settings name: all of it, or nothing."""
    with _any_revision() as database:
        with _percentage(watch, "恢复（%）") as done:
            copied = backups.restore(database, file, progress=done)
        return Restored(storage.shown(database.url), copied)


def grant(desk: Desk, role: str, *, auditor: bool) -> None:
    """Give a role of PostgreSQL exactly the rights of an officer, or of an auditor."""
    roles.grant(desk.database, role, auditor=auditor)


@contextmanager
def _any_revision() -> Iterator[sa.Engine]:
    """The database that the settings name, of whatever revision."""
    database = storage.create_engine()
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def _percentage(watch: Watch, stage: str) -> Iterator[Progress]:
    with watch(stage, 100) as shown:
        yield lambda done, total: shown(100 * done // max(total, 1))
