"""The desk itself: a registry, the person at work, the clock, and the watch over progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import storage
from registry.errors import MovedOnError
from registry.judging.published import Published
from registry.kit.progress import Watch, unwatched
from registry.portable.clock import china_day
from registry.portable.clock import now as now
from registry.record import journal, publication
from registry.record.determinations import signed_name
from rules.model.catalogue import Catalogue, Tier
from rules.portable.errors import Words, unworded

#: The most entries that a message names.
_SHOWN: Final = 5
#: Kinds of entries that concern every act: the criteria, and whether two persons are needed.
_ALWAYS: Final = ("publication", "policy")


@dataclass(frozen=True)
class Seen:
    """What somebody saw before acting: the journal up to the entry ``head``, 0 if it was empty.

    Later entries concern the act if they are about one of the enterprises ``usccs`` (all if None),
    or of one of the ``kinds``.
    """

    head: int
    usccs: tuple[str, ...] | None = None
    kinds: tuple[str, ...] = _ALWAYS


class _RehearsedError(Exception):
    """Ends a writing session without keeping anything."""


@dataclass(frozen=True)
class Desk:
    """A place to work on one registry; acts are recorded under the name ``by``.

    The registry is at ``url``, or else where the settings say. It is opened when first needed; an
    address that leads to no registry then raises ``StorageError``. ``clock`` gives the moments of
    recording, ``watch`` is shown the progress of long work, and ``words`` are the face's words for
    remedies. If what was ``seen`` is no longer all that concerns an act, the act is refused.
    An act that is ``rehearsing`` comes to the same result, and nothing is kept.
    ``patience`` is how many seconds it waits for another writer, if not as long as usual.
    """

    url: str | None = None
    by: str = ""
    clock: Callable[[], datetime] = now
    watch: Watch = unwatched
    words: Words = unworded
    seen: Seen | None = None
    rehearsing: bool = False
    patience: int | None = None

    @cached_property
    def database(self) -> sa.Engine:
        """The registry's database, at the revision of this program."""
        return storage.connect(self.url, patience=self.patience)

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
        """A writing session: everything is kept, or nothing.

        Raises ``MovedOnError`` if something was recorded meanwhile that concerns the act.
        """
        with suppress(_RehearsedError), storage.session(self.database, write=True) as session:
            self.refuse_unseen(session)
            yield session
            if self.rehearsing:
                raise _RehearsedError

    @property
    def today(self) -> date:
        """The day by the clock in China."""
        return china_day(self.clock())

    def after(self, seen: Seen) -> "Desk":
        """The same desk for acts that rest on what was seen; it is closed with this one."""
        return self._with(seen=seen)

    def rehearsal(self) -> "Desk":
        """The same desk for trying acts; it is closed with this one."""
        return self._with(rehearsing=True)

    def faced(self, words: Words) -> "Desk":
        """The same desk with a face's words, and nobody who watches; it is closed with this one."""
        return self._with(words=words, watch=unwatched)

    def in_parts(self) -> "Desk":
        """The same desk for work in many parts, between which others write; it is closed with this one."""
        found = self._with()
        found.__dict__["database"] = storage.in_parts(self.database)
        return found

    def _with(self, **changed: Any) -> "Desk":
        found = replace(self, **changed)
        found.__dict__["database"] = self.database
        return found

    def refuse_unseen(self, session: Session) -> None:
        """Raise ``MovedOnError`` if what was seen is no longer all that concerns an act."""
        if self.seen is not None and (found := unseen(session, self.seen)):
            raise MovedOnError(
                "moved-on",
                "打开本页以后登记簿又有{number}条有关的记录（{value}），没有登记：请看过后再办",
                number=len(found),
                value="、".join(f"第{seq}号" for seq in found[:_SHOWN]),
            )

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

    def head(self) -> int:
        """The number of the journal's last entry; 0 in an empty one."""
        with self.reading() as session:
            return journal.last_number(session)

    def close(self) -> None:
        """Disconnect from the registry."""
        if "database" in self.__dict__:
            self.database.dispose()

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def unseen(session: Session, seen: Seen) -> list[int]:
    """The numbers of the entries that concern an act and came after what was seen."""
    return journal.since(session, seen.head, seen.kinds, seen.usccs)
