"""Taking recorded decisions again: one, all, or those since a day; or one with today's inputs."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from sqlmodel import Session

from registry.desk.place import Desk
from registry.errors import RecordError
from registry.kit import settings
from registry.kit.files import written_whole
from registry.kit.jsontext import json_text
from registry.kit.workers import jobs_for
from registry.portable.clock import midnight
from registry.record import journal
from registry.record.replay import Crossed as Crossed
from registry.record.replay import Replayed as Replayed
from registry.record.replay import Replayer, replayed

#: Notes where an interrupted run over all decisions continues.
_NOTES: Final = "tidu-replay.json"
#: The number of decisions after which a run notes its progress.
_EVERY: Final = 500


@dataclass(frozen=True)
class ReplaySpan:
    """Selects decisions: all, or those recorded on a day (in China) or later.

    A run over all continues where the last one was interrupted, unless ``restart``. ``jobs`` is the
    number of processes; without it, the number of decisions determines it.
    """

    since: date | None = None
    restart: bool = False
    jobs: int | None = None


@dataclass(frozen=True)
class ReplayState:
    """The progress of a run: the entry at which it continues, and its findings so far."""

    following: int = 1
    counted: int = 0
    differing: tuple[Replayed, ...] = ()


def replay(desk: Desk, seq: int) -> Replayed:
    """Take one decision again; ``RecordError`` if the entry is not a decision."""
    with desk.reading() as session, closing(Replayer(session)) as replayer:
        return replayer.replay(journal.entry(session, seq))


def cross(desk: Desk, seq: int, facts: str, rules: str) -> Crossed:
    """Decide again with the facts and rules of "then" or "now", to tell what turned the verdict."""
    with desk.reading() as session, closing(Replayer(session)) as replayer:
        return replayer.cross(journal.entry(session, seq), [facts], [rules])


def crossed(desk: Desk, seq: int) -> Crossed:
    """Decide again with every combination of the facts and rules of then and now."""
    both = ("then", "now")
    with desk.reading() as session, closing(Replayer(session)) as replayer:
        return replayer.cross(journal.entry(session, seq), both, both)


@dataclass(frozen=True)
class Notes:
    """Where a run notes how far it is: ``read`` gives the last note, empty if none; ``write`` a new one."""

    read: Callable[[], str]
    write: Callable[[str], None]


def begun(desk: Desk, span: ReplaySpan, notes: Notes | None = None) -> ReplayState:
    """The start of a run: the first entry, or where an interrupted run of this registry stopped.

    Without ``notes``, runs over all decisions share those of the settings' folder.
    """
    noted = "" if span.restart else _notes(span, notes).read()
    if not noted:
        return ReplayState()
    with desk.reading() as session:
        return _resumed(session, noted)


def finish(
    desk: Desk, span: ReplaySpan, state: ReplayState, notes: Notes | None = None
) -> ReplayState:
    """Take all remaining decisions again; those that come out the same are only counted."""
    counted, differing = state.counted, list(state.differing)
    note = _notes(span, notes).write
    with desk.reading() as session:
        head = journal.head(session)
        if head is None:
            raise RecordError("empty-record", "登记库还没有任何记录")
        wanted = _decisions(session, span, state.following, head.seq)
        jobs = jobs_for(head.seq - state.following, span.jobs)
        with desk.watch("重算", head.seq) as done:
            for found in replayed(desk.database, wanted, jobs):
                counted += 1
                if found.difference:
                    differing.append(found)
                done(found.seq)
                if counted % _EVERY == 0:
                    so_far = ReplayState(found.seq + 1, counted, tuple(differing))
                    note(_noted(session, so_far))
    note("")
    return ReplayState(head.seq + 1, counted, tuple(differing))


def _decisions(
    session: Session, span: ReplaySpan, first: int, last: int
) -> Iterator[journal.Entry]:
    """The decisions with these numbers, altered ones included, so that each is reported."""
    start = midnight(span.since) if span.since else None
    for entry in journal.entries(
        session, first=first, last=last, kinds=["decision"], checked=False
    ):
        # an altered row may not be readable
        if start is None or entry.recorded_at is None or entry.recorded_at >= start:
            yield entry


def _notes(span: ReplaySpan, notes: Notes | None) -> Notes:
    """Where a run notes how far it is; nowhere if it is over few decisions and nobody says where."""
    if notes is not None:
        return notes
    return _NOWHERE if span.since else Notes(_read, _write)


_NOWHERE: Final = Notes(lambda: "", lambda _: None)


def _file() -> Path:
    return settings.home() / _NOTES


def _read() -> str:
    try:
        return _file().read_text(encoding="utf-8")
    except (FileNotFoundError, ValueError):
        return ""


def _write(noted: str) -> None:
    if not noted:
        _file().unlink(missing_ok=True)
        return
    with written_whole(_file(), private=True) as fresh:
        fresh.write_text(noted, encoding="utf-8")


def _resumed(session: Session, noted: str) -> ReplayState:
    """The noted state, if it is readable and belongs to this registry."""
    try:
        kept = json.loads(noted)
        if _mark(session, kept["next"]) == kept["mark"]:
            differing = tuple(Replayed(**one) for one in kept["differing"])
            return ReplayState(kept["next"], kept["counted"], differing)
    except (ValueError, KeyError, TypeError, RecordError):
        pass
    return ReplayState()


def _noted(session: Session, state: ReplayState) -> str:
    return json_text(
        {
            "next": state.following,
            "mark": _mark(session, state.following),
            "counted": state.counted,
            "differing": state.differing,
        }
    )


def _mark(session: Session, following: int) -> str:
    """The stored digest of the last entry looked at, so that an altered entry holds up no run."""
    return journal.entry(session, following - 1, checked=False).digest
