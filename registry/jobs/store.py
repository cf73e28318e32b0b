"""Where jobs wait, are watched and leave their results; any number of processes may share it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from threading import Lock
from typing import Any, Final

import sqlalchemy as sa

from registry.desk.place import Desk
from registry.errors import RecordError, fault
from registry.jobs import tables
from registry.jobs.tables import STATES
from registry.kit import settings
from registry.kit.jsontext import json_text
from registry.portable.clock import now
from rules.portable.errors import DescribedError, Remedy

_JOB: Final = tables.Stored.metadata.tables["job"]
_FILE: Final = tables.Stored.metadata.tables["job_file"]

#: A process that has not written for so long has died, or hangs.
SILENCE: Final = timedelta(minutes=1)
#: The states in which a process is at a job, and those in which it is to be done.
_AT_WORK: Final = ("running", "stopping")
_OPEN: Final = ("waiting", *_AT_WORK)


@dataclass(frozen=True)
class Trouble:
    """Why a job did not end well, as a sentence with the details before it, and what to do."""

    said: str
    details: tuple[str, ...] = ()
    remedy: Remedy | None = None

    @classmethod
    def of(cls, error: Exception) -> "Trouble":
        """The trouble that an error tells."""
        if isinstance(error, DescribedError):
            return cls(str(error), error.details, error.remedy)
        return cls(fault(error))

    def to_json(self) -> str:
        """The text that is kept of it."""
        act, given = (self.remedy.act, self.remedy.given) if self.remedy else ("", {})
        told = {
            name: value if isinstance(value, int) else str(value) for name, value in given.items()
        }
        return json_text({"said": self.said, "details": self.details, "act": act, "given": told})

    @classmethod
    def from_json(cls, text: str) -> "Trouble":
        """Read what was kept."""
        kept = json.loads(text)
        remedy = Remedy(kept["act"], kept["given"]) if kept["act"] else None
        return cls(kept["said"], tuple(kept["details"]), remedy)


@dataclass(frozen=True)
class Progress:
    """How far a job is: ``done`` of ``total`` parts of a stage, at a ``rate`` a minute if known."""

    stage: str = ""
    done: int = 0
    total: int | None = None
    rate: int | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as it stands; moments are UTC.

    ``arguments`` and ``result`` are JSON, as its kind reads and makes them; ``notes`` is what it noted
    for the time when it is begun again; ``files`` are the names of what it made.
    """

    id: int
    kind: str
    arguments: str
    by: str
    state: str
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    progress: Progress
    notes: str
    result: str | None
    trouble: Trouble | None
    files: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The state in the officers' words."""
        return STATES[self.state]

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done, or being done."""
        return self.state in _OPEN

    @property
    def can_be_resumed(self) -> bool:
        """Whether it ended before its work was done."""
        return self.state in ("interrupted", "failed")


@dataclass(frozen=True)
class ResultFile:
    """A file that a job made."""

    name: str
    media_type: str
    data: bytes


class JobStore:
    """The jobs of one registry, in the store beside it, which is opened when first needed.

    ``StorageError`` where it can be neither opened nor made. ``runner`` names the process that does
    a job; only that one may write about it. Threads may share a store.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._opening = Lock()

    @cached_property
    def _opened(self) -> sa.Engine:
        return tables.beside(self._desk.database)

    @property
    def engine(self) -> sa.Engine:
        """The store's database."""
        with self._opening:
            return self._opened

    def close(self) -> None:
        """Disconnect from the store."""
        if "_opened" in self.__dict__:
            self._opened.dispose()

    def __enter__(self) -> "JobStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def prepare(self, role: str = "") -> None:
        """Make the store where only the owner of PostgreSQL's tables may, and let a role work with it.

        A store in a file is made when it is first needed.
        """
        if self._desk.database.dialect.name == "postgresql":
            engine = self.engine
            if role:
                tables.grant(engine, role)

    # -- for whoever asks --------------------------------------------------------------------------

    def ask(self, kind: str, arguments: str, *, by: str) -> int:
        """Put a job at the end of the queue; returns its number, or that of the same one still open."""
        with tables.writing(self.engine) as connection:
            same = sa.select(_JOB.c.id).where(
                _JOB.c.kind == kind, _JOB.c.arguments == arguments, _JOB.c.state == "waiting"
            )
            if (found := connection.scalar(same)) is not None:
                return int(found)
            row = {"kind": kind, "arguments": arguments, "by": by, "asked_at": now()}
            made = sa.insert(_JOB).values(_fresh(**row)).returning(_JOB.c.id)
            return int(connection.execute(made).scalar_one())

    def job(self, id: int) -> Job:
        """One job; ``RecordError`` if there is none of that number."""
        with tables.reading(self.engine) as connection:
            row = connection.execute(sa.select(_JOB).where(_JOB.c.id == id)).mappings().first()
            if row is None:
                raise _absent(id)
            files = connection.scalars(
                sa.select(_FILE.c.name).where(_FILE.c.job_id == id).order_by(_FILE.c.name)
            )
            return _job(row, tuple(files))

    def jobs(self, *, before: int | None = None, limit: int = 50) -> list[Job]:
        """The newest jobs, or the newest ``before`` a number, newest first; without their files."""
        query = sa.select(_JOB).order_by(_JOB.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(_JOB.c.id < before)
        with tables.reading(self.engine) as connection:
            return [_job(row) for row in connection.execute(query).mappings()]

    def file(self, id: int, name: str) -> ResultFile:
        """A file that a job made; ``RecordError`` if there is none of that name."""
        query = sa.select(_FILE.c.media_type, _FILE.c.data)
        query = query.where(_FILE.c.job_id == id, _FILE.c.name == name)
        with tables.reading(self.engine) as connection:
            found = connection.execute(query).first()
        if found is None:
            raise _absent(id)
        return ResultFile(name, found.media_type, found.data)

    def stop(self, id: int) -> None:
        """Have a job stopped: at once if it waits, else its process ends it."""
        stopped = _ended("interrupted", trouble=_STOPPED.to_json())
        with tables.writing(self.engine) as connection:
            mine = sa.update(_JOB).where(_JOB.c.id == id)
            if not connection.execute(
                mine.where(_JOB.c.state == "waiting").values(stopped)
            ).rowcount:
                connection.execute(mine.where(_JOB.c.state == "running").values(state="stopping"))

    def again(self, id: int) -> None:
        """Put a job that was interrupted or failed back into the queue; it takes up where it stopped.

        ``RecordError`` for a job that waits, is being done or is done.
        """
        with tables.writing(self.engine) as connection:
            back = sa.update(_JOB).where(_JOB.c.id == id, _resumable())
            if not connection.execute(back.values(_fresh(state="waiting"))).rowcount:
                raise RecordError(
                    "job-not-resumable", "第{value}项任务没有中断，不能接着做", value=id
                )

    # -- for whoever does it -----------------------------------------------------------------------

    def take(self, runner: str) -> Job | None:
        """Take the next waiting job, which no other process gets then; None if nothing waits."""
        first = sa.select(_JOB.c.id).where(_JOB.c.state == "waiting").order_by(_JOB.c.id).limit(1)
        with tables.writing(self.engine) as connection:
            id = connection.scalar(first.with_for_update(skip_locked=True))
            if id is None:
                return None
            moment = now()
            taken = {"state": "running", "runner": runner, "begun_at": moment, "seen_at": moment}
            connection.execute(sa.update(_JOB).where(_JOB.c.id == id).values(taken))
            row = connection.execute(sa.select(_JOB).where(_JOB.c.id == id)).mappings().one()
        return _job(row)

    def report(self, id: int, runner: str, progress: Progress) -> bool:
        """Write how far a job is, which shows that its process lives; False if that must end it."""
        told = {
            "stage": progress.stage,
            "done": progress.done,
            "total": progress.total,
            "rate": progress.rate,
            "seen_at": now(),
        }
        with tables.writing(self.engine) as connection:
            mine = _JOB.c.id == id, _JOB.c.runner == runner
            connection.execute(sa.update(_JOB).where(*mine).values(told))
            return connection.scalar(sa.select(_JOB.c.state).where(*mine)) == "running"

    def note(self, id: int, runner: str, notes: str) -> None:
        """Write what a job will need if it is begun again."""
        with tables.writing(self.engine) as connection:
            mine = _JOB.c.id == id, _JOB.c.runner == runner
            connection.execute(sa.update(_JOB).where(*mine).values(notes=notes))

    def finish(self, id: int, runner: str, result: str, files: Mapping[str, ResultFile]) -> None:
        """Write the result of a job, with the files that it made."""
        with tables.writing(self.engine) as connection:
            if not self._end(connection, id, runner, "done", result=result):
                return
            connection.execute(sa.delete(_FILE).where(_FILE.c.job_id == id))
            for file in files.values():
                row = {"name": file.name, "media_type": file.media_type, "data": file.data}
                connection.execute(sa.insert(_FILE).values(job_id=id, **row))

    def fail(self, id: int, runner: str, trouble: Trouble) -> None:
        """Write why a job could not be done."""
        with tables.writing(self.engine) as connection:
            self._end(connection, id, runner, "failed", trouble=trouble.to_json())

    def interrupt(self, runner: str, trouble: Trouble) -> None:
        """Write that a process has left the job that it had, if it had one."""
        with tables.writing(self.engine) as connection:
            left = sa.update(_JOB).where(_JOB.c.runner == runner, _JOB.c.state.in_(_AT_WORK))
            asked = left.where(_JOB.c.state == "stopping")
            connection.execute(asked.values(_ended("interrupted", trouble=_STOPPED.to_json())))
            connection.execute(left.values(_ended("interrupted", trouble=trouble.to_json())))

    def clear(self) -> int:
        """Remove the jobs that ended longer ago than the settings keep them; returns how many."""
        left_at = sa.func.coalesce(_JOB.c.ended_at, _JOB.c.seen_at)  # a silent one never ended
        ended = left_at < now() - timedelta(days=settings.job_days())
        with tables.writing(self.engine) as connection:
            return connection.execute(sa.delete(_JOB).where(ended)).rowcount

    @staticmethod
    def _end(connection: sa.Connection, id: int, runner: str, state: str, **more: str) -> bool:
        mine = sa.update(_JOB).where(
            _JOB.c.id == id, _JOB.c.runner == runner, _JOB.c.state.in_(_AT_WORK)
        )
        return bool(connection.execute(mine.values(_ended(state, **more))).rowcount)


_STOPPED: Final = Trouble("已按要求停止")
_SILENT: Final = Trouble("做这项任务的进程没有回应")


def _fresh(**row: Any) -> dict[str, Any]:
    """The values of a job that nobody has begun."""
    nothing = dict.fromkeys(
        ("begun_at", "seen_at", "ended_at", "total", "rate", "result", "trouble")
    )
    return {**nothing, "state": "waiting", "runner": "", "stage": "", "done": 0, **row}


def _ended(state: str, **more: str) -> dict[str, Any]:
    return {"state": state, "ended_at": now(), **more}


def _resumable() -> sa.ColumnElement[bool]:
    silent = _JOB.c.state.in_(_AT_WORK) & (_JOB.c.seen_at < now() - SILENCE)
    return _JOB.c.state.in_(("interrupted", "failed")) | silent


def _job(row: sa.RowMapping, files: tuple[str, ...] = ()) -> Job:
    """The job in a row; one whose process has fallen silent is interrupted."""
    state, trouble = row["state"], None
    if row["trouble"] is not None:
        with suppress(ValueError, KeyError, TypeError):
            trouble = Trouble.from_json(row["trouble"])
    if state in _AT_WORK and row["seen_at"] < now() - SILENCE:
        state, trouble = "interrupted", _SILENT
    return Job(
        id=row["id"],
        kind=row["kind"],
        arguments=row["arguments"],
        by=row["by"],
        state=state,
        asked_at=row["asked_at"],
        begun_at=row["begun_at"],
        ended_at=row["ended_at"],
        progress=Progress(row["stage"], row["done"], row["total"], row["rate"]),
        notes=row["notes"],
        result=row["result"],
        trouble=trouble,
        files=files,
    )


def _absent(id: int) -> RecordError:
    return RecordError("no-such-job", "没有第{value}项任务，或已过保留期限", value=id)
