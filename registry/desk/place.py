"""The desk itself: a registry, the person at work, the clock, and the watch over progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import storage
from registry.kit.progress import Watch, unwatched
from registry.portable.clock import now as now
from registry.record import publication
from registry.record.determinations import signed_name
from registry.record.publication import Published
from rules.model.catalogue import Catalogue, Tier
from rules.portable.errors import Words, unworded


@dataclass(frozen=True)
class Desk:
    """A place to work on one registry; acts are recorded under the name ``by``.

    The registry is at ``url``, or else where the settings say. It is opened when first needed; an
    address that leads to no registry then raises ``StorageError``. ``clock`` gives the moments of
    recording, ``watch`` is shown the progress of long work, and ``words`` are the face's words for
    remedies.
    """

    url: str | None = None
    by: str = ""
    clock: Callable[[], datetime] = now
    watch: Watch = unwatched
    words: Words = unworded

    @cached_property
    def database(self) -> sa.Engine:
        """The registry's database, at the revision of this program."""
        return storage.connect(self.url)

    @property
    def is_there(self) -> bool:
        """Whether the registry exists; opening one in a missing file would create it."""
        return storage.exists(self.url)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A reading session."""
        with storage.session(self.database) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A writing session: everything is kept, or nothing."""
        with storage.session(self.database, write=True) as session:
            yield session

    def signed(self) -> str:
        """The name under which acts are recorded; ``RecordError`` if there is none."""
        return signed_name(self.by)

    def in_force(self) -> Published:
        """The criteria in force; a registry without any first publishes the packaged ones."""
        with self.reading() as session:
            found = publication.current(session)
        if found is None:
            with self.writing() as session:
                found = publication.in_force(session, by=self.by, now=self.clock())
        return found

    def to_be_filed(self) -> Catalogue:
        """What may be filed: by the criteria in force, or by those that a new registry publishes."""
        if not self.is_there:
            return publication.to_be_published()
        with self.reading() as session:
            return publication.to_be_filed(session)

    def tier(self, name: str) -> Tier:
        """The tier with that name, short name or slug, by the same criteria; ``FactsError`` if there is none."""
        return self.to_be_filed().tier(name)

    def close(self) -> None:
        """Disconnect from the registry."""
        if "database" in self.__dict__:
            self.database.dispose()

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
