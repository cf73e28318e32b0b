"""Checking: the tiers for which enterprises qualify, and the reasons; nothing is recorded."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from sqlmodel import Session

from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.errors import RecordError
from registry.filings import FileReading, Submission
from registry.judging.case import Known, unfiled
from registry.judging.case import Request as Request
from registry.judging.judge import Rules
from registry.judging.verdicts import CaseResult as CaseResult
from registry.judging.worker import Cause as Cause
from registry.judging.worker import CheckingWorker
from registry.judging.worker import Refusal as Refusal
from registry.judging.worker import unwritten as unwritten
from registry.kit import workers
from registry.kit.progress import Watch, unwatched, watched
from registry.portable.clock import china_text
from registry.record import known, publication
from rules.language.editions import RECHECK as RECHECK
from rules.language.editions import RECOGNITION as RECOGNITION
from rules.portable.errors import Remedy


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """Who is checked, how, and on what knowledge.

    Without ``usccs``, everybody on record is checked. ``known_at`` asks for what was on record and
    in force at that moment; ``rules_of_now`` then replaces the criteria by today's. ``features`` is
    a folder of criteria to use instead.
    """

    request: Request
    usccs: tuple[str, ...] = ()
    known_at: datetime | None = None
    rules_of_now: bool = False
    features: Path | None = None
    jobs: int | None = None


View = TypeVar("View")


def whole(result: CaseResult) -> CaseResult:
    """All of a result."""
    return result


@dataclass(frozen=True)
class CheckRun(Generic[View]):
    """Cases that are being checked: how many, and why others of a file are ``held_back``."""

    number: int
    held_back: tuple[str, ...]
    _answers: Iterator[View | Refusal]
    _watch: Watch

    def results(self, *, quiet: bool = False) -> Iterator[View | Refusal]:
        """The view of each case, or the reason for a refusal; can be read once, as they come.

        ``quiet`` reports no progress.
        """
        watch = unwatched if quiet else self._watch
        return watched(watch, "检查", self._answers, self.number)


@contextmanager
def run(
    desk: Desk,
    inquiry: Inquiry,
    reading: FileReading | None = None,
    *,
    view: Callable[[CaseResult], View],
) -> Iterator[CheckRun[View]]:
    """Check filings of the registry, or those of a file that was read but not stored.

    ``view`` makes what the caller needs of each result. Where several processes check, they make the
    views and send nothing else, so both ``view`` and its results must be picklable.
    Raises ``RecordError`` for an enterprise that is not on record, and for a filing without a day;
    ``FactsError`` for a tier that the criteria do not declare.
    """
    held_back: tuple[str, ...] = ()
    with ExitStack() as stack:
        if reading is not None:
            rules: Rules = for_file(desk, inquiry.features)
            cases: Iterable[Known] = _of_file(reading, inquiry.request)
            number = len(reading.submissions)
            held_back = tuple(f"{_called(s)}：{reading.reasons(s)}" for s in reading.refused)
        else:
            in_force = None if inquiry.features else _in_force(desk, inquiry)
            session = stack.enter_context(desk.reading())
            cases, number = _on_record(session, inquiry)
            rules = in_force or _rules(session, inquiry)
        request = inquiry.request.of(rules.catalogue, rules.applicability)
        start = partial(CheckingWorker[View], rules, request, view)
        work: workers.Work[list[Known], list[View | Refusal]]
        work = workers.work(start, workers.jobs_for(number, inquiry.jobs))
        stack.enter_context(closing(work))
        yield CheckRun(number, held_back, _answers(work, cases), desk.watch)


def for_file(desk: Desk, features: Path | None = None) -> Rules:
    """The criteria for a file that is not on record: of a folder, else those in force.

    They are the criteria at hand, ``rulebook()``, if those in force judge alike, and where nothing
    is published; no registry is created.
    """
    if features is not None or not desk.is_there:
        return rulebook(features)
    with desk.reading() as session:
        published = publication.current(session)
    if published is None or publication.judges_alike(published, rulebook()):
        return rulebook()
    return published


def _of_file(reading: FileReading, request: Request) -> list[Known]:
    found = []
    for submission in reading.submissions:
        day = submission.as_of or request.as_of
        if day is None:
            raise RecordError(
                "no-day", "{where} 没有填报日期", where=reading.file, remedy=Remedy("give-as-of")
            )
        found.append(unfiled(submission, day))
    return found


def _called(filed: Submission) -> str:
    """The enterprise of a filing, or the filing's place in the file if it names none."""
    return f"{filed.name or filed.where}{filed.uscc and f'（{filed.uscc}）'}"


def _in_force(desk: Desk, inquiry: Inquiry) -> Rules | None:
    now = inquiry.known_at is None or inquiry.rules_of_now
    return desk.in_force() if now else None


def _rules(session: Session, inquiry: Inquiry) -> Rules:
    if inquiry.features:
        return rulebook(inquiry.features)
    return known.rules(session, inquiry.known_at)


def _on_record(session: Session, inquiry: Inquiry) -> tuple[Iterable[Known], int]:
    """The requested cases in order, and their number."""
    usccs, moment = inquiry.usccs, inquiry.known_at
    ids = known.stock(session, usccs or None, as_of=inquiry.request.as_of, known_at=moment)
    by_then = f"在{china_text(moment)}以前" if moment else ""
    if not usccs and not ids:
        raise RecordError(
            "nobody-on-record",
            "{when}没有登记的企业",
            when=by_then,
            remedy=Remedy("import-or-demo"),
        )
    cases = known.fetch(session, ids, known_at=moment)
    if not usccs:
        return cases, len(ids)
    found = {one.case.uscc: one for one in cases}
    unknown = [uscc for uscc in usccs if uscc not in found]
    if unknown:
        raise RecordError(
            "not-on-record",
            "{when}没有登记信用代码为{value}的企业",
            when=by_then,
            value="、".join(unknown),
            remedy=Remedy("list-enterprises"),
        )
    return [found[uscc] for uscc in usccs], len(usccs)


def _answers(
    work: workers.Work[list[Known], list[View | Refusal]], cases: Iterable[Known]
) -> Iterator[View | Refusal]:
    """Check each case; one that is refused, or that kills its process, holds up no other."""
    for one, found in workers.in_parts(work, cases):
        if isinstance(found, workers.Lost):
            said = f"{found.reason}，没有检查：请保留数据并报告"
            yield Refusal(Cause.FAULT, one.case.uscc, one.case.name, said)
        else:
            yield found
