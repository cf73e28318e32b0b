"""Judging single cases for many concurrent readers: one thread with the engine, and a result cache.

An engine belongs to the thread that made it, but a face answers its readers in many threads.
"""

from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from threading import Lock
from typing import Final, TypeAlias

from sqlmodel import Session

from registry.database import storage
from registry.desk.place import Desk
from registry.errors import RecordError
from registry.judging.case import Known, Request
from registry.judging.judge import Rules
from registry.judging.published import Published
from registry.judging.verdicts import CaseResult, Checker
from registry.judging.worker import Cause, JudgingWorker, Refusal, attempt
from registry.portable.clock import china_text
from registry.record import journal, known, publication
from rules.model.facts import Scalar
from rules.portable.errors import Remedy

#: A case with its verdicts, or why it could not be judged.
Answer: TypeAlias = CaseResult | Refusal

#: The source of a value that is only tried.
TRIED: Final = "试算"
#: How many results are remembered.
REMEMBERED: Final = 1000
#: The reason for a refusal may pass, so a refused case is judged anew when asked for again.
_PASSING: Final = (Cause.ENGINE, Cause.FAULT)


class _Worker(JudgingWorker):
    """Checks cases by fixed rules, with a request for each case."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.rules = rules
        self._checker = Checker(self.judge)

    def __call__(self, case: Known, request: Request) -> Answer:
        return attempt(case.case, lambda: self._checker.check(case, request))


class JudgingThread:
    """A thread that owns the engine; any other thread can hand it cases.

    The rules that were used last stay compiled.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "judging")
        self._worker: _Worker | None = None

    def submit(self, rules: Rules, case: Known, request: Request) -> "Future[Answer]":
        """Have a case judged; a case that cannot be judged gets a refusal, never an exception."""
        return self._thread.submit(self._judge, rules, case, request)

    def close(self) -> None:
        """End the thread once it has answered everything handed in."""
        self._thread.submit(self._release)
        self._thread.shutdown()

    def _judge(self, rules: Rules, case: Known, request: Request) -> Answer:
        if self._worker is None or self._worker.rules != rules:
            self._release()
            self._worker = _Worker(rules)
        return self._worker(case, request)

    def _release(self) -> None:
        if self._worker is not None:
            self._worker.close()
        self._worker = None


@dataclass(frozen=True, kw_only=True)
class _Key:
    """Everything on which a result depends: case, question, criteria, and the state of the record.

    ``changed`` is the last entry of the journal that may change a verdict; ``known_at`` is the
    moment that the question is about, if not now.
    """

    filing_id: int
    day: date
    tiers: tuple[str, ...]
    how: tuple[tuple[str, str], ...]
    applicability: str
    changed: int
    known_at: datetime | None


class Judging:
    """Judges filings by the criteria in force, for callers in any thread, and remembers results."""

    def __init__(self, desk: Desk, *, remembered: int = REMEMBERED) -> None:
        desk.in_force()
        self._desk = desk
        self._remembered = remembered
        self._thread = JudgingThread()
        self._answers: OrderedDict[_Key, Future[Answer]] = OrderedDict()
        self._lock = Lock()
        #: The criteria, and the last change of the journal before they were read.
        self._read: tuple[int, Published] | None = None

    def check(self, uscc: str, request: Request, *, known_at: datetime | None = None) -> Answer:
        """An enterprise's newest filing with its verdicts, or the reason for a refusal.

        ``known_at`` asks what was on record and in force at a moment. Raises ``RecordError`` for an
        enterprise without a filing, and if nothing was published by then; ``FactsError`` for a tier
        that the criteria do not declare.
        """
        with storage.snapshot(self._desk.database) as session:
            filings = known.stock(session, [uscc], as_of=request.as_of, known_at=known_at)
            if not filings:
                raise RecordError(
                    "not-on-record",
                    "{when}没有登记信用代码为{value}的企业",
                    when=f"在{china_text(known_at)}以前" if known_at else "",
                    value=uscc,
                    remedy=Remedy("list-enterprises"),
                )
            answer = self._answer(session, filings[0], request, known_at)
        return answer.result()

    def what_if(
        self,
        uscc: str,
        request: Request,
        values: Mapping[str, Scalar],
        *,
        known_at: datetime | None = None,
    ) -> Answer:
        """The same with other values of some facts, by their keys; nothing is kept of it."""
        with storage.snapshot(self._desk.database) as session:
            filings = known.stock(session, [uscc], as_of=request.as_of, known_at=known_at)
            found = next(known.fetch(session, filings, known_at=known_at))
            changed = journal.last_change(session)
            rules = known.rules(session, known_at) if known_at else self._rules(session, changed)
        facts = found.case.facts
        tried = {
            **facts,
            "values": {**facts["values"], **values},
            "sources": {**facts.get("sources", {}), **dict.fromkeys(values, TRIED)},
        }
        case = replace(found, case=replace(found.case, facts=tried))
        return self._thread.submit(rules, case, request).result()

    def check_filing(self, filing_id: int, request: Request) -> Answer:
        """The same for one version of a filing; ``RecordError`` if the number is unknown."""
        with storage.snapshot(self._desk.database) as session:
            answer = self._answer(session, filing_id, request)
        return answer.result()

    def close(self) -> None:
        """End the thread; cases already handed in are still answered."""
        self._thread.close()

    def __enter__(self) -> "Judging":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(
        self,
        session: Session,
        filing_id: int,
        request: Request,
        known_at: datetime | None = None,
    ) -> "Future[Answer]":
        """The remembered answer, or one to come; does not wait."""
        changed = journal.last_change(session)
        rules = known.rules(session, known_at) if known_at else self._rules(session, changed)
        request = request.of(rules.catalogue, rules.applicability)
        [found] = known.fetch(session, [filing_id], known_at=known_at)
        how = tuple(request.how(found.case).items())
        day, digest = request.day(found.case), rules.applicability_digest
        key = _Key(
            filing_id=filing_id,
            day=day,
            tiers=request.tiers,
            how=how,
            applicability=digest,
            changed=changed,
            known_at=known_at,
        )
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
            answer = self._answers[key] = self._thread.submit(rules, found, request)
            while len(self._answers) > self._remembered:
                self._answers.popitem(last=False)
        answer.add_done_callback(partial(self._forget_passing, key))
        return answer

    def _rules(self, session: Session, changed: int) -> Published:
        """The criteria in force; a publication counts as a change too."""
        read = self._read
        if read is None or read[0] != changed:
            rules = publication.current(session)
            assert rules is not None
            read = self._read = changed, rules
        return read[1]

    def _forget_passing(self, key: _Key, answer: "Future[Answer]") -> None:
        if answer.exception() is None:
            found = answer.result()
            if not isinstance(found, Refusal) or found.cause not in _PASSING:
                return
        with self._lock:
            self._answers.pop(key, None)
