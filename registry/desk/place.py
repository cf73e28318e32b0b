"""The desk itself: one registry, who works at it, by which clock, and who watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlmodel import Session

import rules
from registry.database import storage
from registry.database.altered import UNREADABLE as UNREADABLE
from registry.kit import resources
from registry.kit.progress import Watch, unwatched
from registry.portable.clock import now as now
from registry.record import publication
from registry.record.determinations import signed_name
from registry.record.publication import Published
from rules.portable.errors import Words, unworded

if TYPE_CHECKING:
    from rules.language.rulebook import Rulebook


@dataclass(frozen=True)
class Desk:
    """Where one registry is worked on; ``by`` is the name under which is recorded what is done.

    The registry is the one at ``url``, or else the one that the settings name; it is opened when it is
    first needed, and an address that is none of a registry then raises ``StorageError``. ``clock``
    gives the moments of recording, ``watch`` is shown how far long work has come, and ``words``
    are those of the face for what may be done about an error.
    """

    url: str | None = None
    by: str = ""
    clock: Callable[[], datetime] = now
    watch: Watch = unwatched
    words: Words = unworded

    @cached_property
    def database(self) -> sa.Engine:
        """The database of the registry, at the revision of this program."""
        return storage.connect(self.url)

    @property
    def is_there(self) -> bool:
        """Whether there is such a registry; opening one in a file that is not there makes it."""
        return storage.exists(self.url)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that reads."""
        with storage.session(self.database) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that writes: all of it is kept, or nothing."""
        with storage.session(self.database, write=True) as session:
            yield session

    def signed(self) -> str:
        """The name under which is recorded what is done; ``RecordError`` where there is none."""
        return signed_name(self.by)

    def in_force(self) -> Published:
        """The criteria that hold; a registry without any publishes the packaged ones first."""
        with self.reading() as session:
            found = publication.current(session)
        if found is None:
            with self.writing() as session:
                found = publication.in_force(session, by=self.by, now=self.clock())
        return found

    def close(self) -> None:
        """Leave the registry."""
        if "database" in self.__dict__:
            self.database.dispose()

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def rulebook(folder: Path | None = None) -> "Rulebook":
    """The packaged criteria with a bureau's own, or those of another folder; compiled once."""
    return _compiled(*resources.criteria(folder))


@cache
def _compiled(folder: Path, own: Path | None) -> "Rulebook":
    return rules.load(folder, own)
