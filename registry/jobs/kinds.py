"""The kinds of jobs: what is done, with which arguments, and what comes of it.

A kind is a function of its work, which has the desk, whose ``watch`` shows the progress, and the
arguments. It may be ended at any moment; begun again with the same arguments, it takes up where it
stopped, and comes to the same result.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter

from registry.desk import auditing, examining, replaying
from registry.desk.examining import Registered
from registry.desk.place import Desk
from registry.desk.replaying import Replayed
from registry.desk.waiting import WaitingFiles
from registry.errors import RecordError
from registry.jobs.store import ResultFile

_A = TypeVar("_A")
_R = TypeVar("_R")


@dataclass
class Work(Generic[_A]):
    """A job at work: its desk, whose person asked for it, its arguments, and the files that it makes."""

    desk: Desk
    arguments: _A
    files: dict[str, ResultFile] = field(default_factory=dict)

    def keep(self, file: ResultFile) -> None:
        """Keep a file with the result, in place of one of the same name."""
        self.files[file.name] = file


@dataclass(frozen=True)
class Kind(Generic[_A, _R]):
    """A kind of job: its name in addresses, its title, and how it is done.

    Arguments and results are dataclasses of values that JSON can hold.
    """

    name: str
    title: str
    arguments: type[_A]
    result: type[_R]
    run: Callable[[Work[_A]], _R]

    def written(self, arguments: _A) -> str:
        """Arguments as they are kept."""
        return self._arguments.dump_json(arguments).decode()

    def read(self, arguments: str) -> _A:
        """Arguments as they were kept; ``RecordError`` for those of another release."""
        return _read(self._arguments, arguments)

    def outcome(self, result: str) -> _R:
        """A result as it was kept; ``RecordError`` for that of another release."""
        return _read(self._result, result)

    def done(self, work: Work[_A]) -> str:
        """Do the work; returns the result as it is kept."""
        return self._result.dump_json(self.run(work)).decode()

    @cached_property
    def _arguments(self) -> "TypeAdapter[_A]":
        return TypeAdapter(self.arguments)

    @cached_property
    def _result(self) -> "TypeAdapter[_R]":
        return TypeAdapter(self.result)


def _read(adapter: TypeAdapter[_R], text: str) -> _R:
    try:
        return adapter.validate_json(text)
    except ValueError as error:
        raise RecordError(
            "foreign-job", "这项任务由另一版本的程序留下，不能读取：请重新提出"
        ) from error


# -- verify ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verifying:
    """Whether decisions are taken again too."""

    replay: bool = True


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The findings of a verification, as in ``VerificationReport``."""

    integrity: tuple[str, ...]
    completeness: tuple[str, ...]
    correctness: tuple[str, ...]
    size: int
    decisions: int
    replayed: int
    filings: Mapping[str, int]
    head: str
    checkpoints: int


def _verify(work: Work[Verifying]) -> Verified:
    found = auditing.verified(work.desk, auditing.Trust(), replay=work.arguments.replay)
    return Verified(
        integrity=tuple(found.integrity),
        completeness=tuple(found.completeness),
        correctness=tuple(found.correctness),
        size=found.size,
        decisions=found.decisions,
        replayed=found.replayed,
        filings=found.filings,
        head=found.head,
        checkpoints=found.checkpoints,
    )


VERIFY: Final = Kind("verify", "验证登记库", Verifying, Verified, _verify)


# -- replay ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Replaying:
    """The first day (in China) of the decisions that are taken again; without it, all are."""

    since: date | None = None


@dataclass(frozen=True)
class ReplayedAgain:
    """How many decisions were taken again, and those that came out otherwise."""

    counted: int
    differing: tuple[Replayed, ...]


def _replay(work: Work[Replaying]) -> ReplayedAgain:
    span = replaying.ReplaySpan(since=work.arguments.since)
    found = replaying.finish(work.desk, span, replaying.begun(work.desk, span))
    return ReplayedAgain(found.counted, found.differing)


REPLAY: Final = Kind("replay", "重新作出决定", Replaying, ReplayedAgain, _replay)


# -- import ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Examining:
    """The waiting file that is examined, by its SHA-256, and the filing day given for it."""

    digest: str
    name: str
    as_of: date | None = None


@dataclass(frozen=True)
class Examined:
    """How many filings can be registered and how many cannot, and how many issues there are."""

    good: int
    refused: int
    errors: int
    notices: int


def _examine(work: Work[Examining]) -> Examined:
    files = WaitingFiles(work.desk)
    found = examining.examine(work.desk, files, files.get(work.arguments.digest))
    return Examined(found.good, found.refused, found.errors, found.notices)


EXAMINE: Final = Kind("examine", "核对待登记的文件", Examining, Examined, _examine)


@dataclass(frozen=True)
class Importing:
    """The waiting file that is registered, the day given for it, and whether only what has no fault is."""

    digest: str
    name: str
    as_of: date | None = None
    partial: bool = False


def _import(work: Work[Importing]) -> Registered:
    wanted = work.arguments
    files = WaitingFiles(work.desk)
    waiting = replace(files.get(wanted.digest), as_of=wanted.as_of)
    return examining.register(work.desk, files, waiting, partial=wanted.partial)


IMPORT: Final = Kind("import", "登记文件", Importing, Registered, _import)


KINDS: Final[Mapping[str, Kind[Any, Any]]] = {
    kind.name: kind for kind in (VERIFY, REPLAY, EXAMINE, IMPORT)
}


def kind(name: str) -> Kind[Any, Any]:
    """The kind of that name; ``RecordError`` for one that this release does not know."""
    if name not in KINDS:
        raise RecordError("no-such-kind-of-job", "没有名为「{value}」的任务", value=name)
    return KINDS[name]
