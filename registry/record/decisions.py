"""Decisions: the only module that writes entries of this kind.

A case is judged outside any lock and recorded inside one. Everything that can change a verdict is
an entry of the journal. So a decision that was judged at one head of the journal is recorded only
if nothing but other decisions came after it; otherwise the case is judged again. For the same
reason, a case is judged again only if something other than a decision has been recorded since its
last one.
"""

from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache, partial
from typing import Final, TypeAlias

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import projection, storage
from registry.database.versions import FILING, chunks
from registry.errors import RecordError
from registry.filings import Issue
from registry.judging.case import Case, Known, Request
from registry.judging.doubts import bearing, doubts_of
from registry.judging.judge import Judgement, refuse_wrong_day
from registry.judging.published import Published
from registry.judging.verdicts import NOT_ENCODED, unencoded
from registry.judging.worker import JudgingWorker, Refusal, attempt
from registry.kit import workers
from registry.portable.sealing import committed, filed, new_salt
from registry.record import cases, journal, publication
from registry.record.determinations import signed_name
from registry.record.known import fetch
from rules.explanation.explain import explain
from rules.explanation.wording import result_text
from rules.language.editions import ApplicabilityRow, governing
from rules.model.catalogue import Catalogue
from rules.model.ruleset import Outcome
from rules.portable.canonical import canonical_json
from rules.portable.errors import Remedy
from rules.portable.record import SCHEMA, Body, Json, decision_body, identity_read

#: The number of filings that are judged between two recordings.
_CHUNK: Final = 200
#: The most times that a chunk is judged again because the registry changed meanwhile.
_TRIES: Final = 20


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What became of one case and tier.

    ``seq`` is the number of the decision: a new one, or an ``earlier`` one that says the same. If
    the case was refused, ``seq`` is None, ``reason`` says why, and ``remedy`` what to do about it.
    The decision rests on the ``determinations`` with these numbers. ``rounds`` name the batches
    under which another text would govern; ``doubts`` concern figures behind the decision that can
    hardly be true.
    """

    uscc: str
    name: str
    tier: str
    verdict: str = ""
    seq: int | None = None
    earlier: bool = False
    reason: str = ""
    determinations: tuple[int, ...] = ()
    rounds: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    remedy: Remedy | None = None


#: What a decision is about: a filing, and the canonical text of the question.
Matter: TypeAlias = tuple[int | None, str]


@dataclass(frozen=True)
class Judged:
    """A line, and the draft to be recorded for it; no draft if the case was refused."""

    line: Decided
    draft: journal.Draft | None = None
    matter: Matter = (None, "")


class DecidingWorker(JudgingWorker):
    """Judges cases by the published criteria and words the drafts; needs no database."""

    def __init__(self, published: Published, by: str) -> None:
        super().__init__(published)
        self.published = published
        self.by = by

    def __call__(self, asked: tuple[Known, Request]) -> list[Judged]:
        """One case under each requested tier."""
        known, request = asked
        return [self._tier(known, request, tier) for tier in request.tiers]

    def _tier(self, known: Known, request: Request, tier: str) -> Judged:
        found = attempt(known.case, lambda: self._judged(known, request, tier))
        if isinstance(found, Refusal):
            return _refused(known.case, tier, found.reason, found.remedy)
        return found

    def _judged(self, known: Known, request: Request, tier: str) -> Judged:
        case, day, how = known.case, request.day(known.case), request.how(known.case)
        refuse_wrong_day(case, day, self.published.catalogue)
        found = self.judge.governing(tier, day, how)
        if not found.row.encoded:
            raise RecordError("unencoded", NOT_ENCODED, value=unencoded(found))
        judged = self.judge.judge(found, known, day)
        salt = new_salt()
        asked = asked_of(case, tier, day, how)
        facts = committed(case.facts, salt, self.published.shown)
        body = body_of(judged, asked, facts, self.published)
        draft = journal.Draft(
            kind="decision", body=body, tier=tier, filing_id=case.filing_id, salt=salt
        )
        draft.signed(self.by)  # now, while no other writer waits
        line = Decided(
            uscc=case.uscc,
            name=case.name,
            tier=tier,
            verdict=result_text(judged.decision.verdict),
            determinations=tuple(d.seq for d in judged.applied),
            rounds=tuple(found.told()),
            doubts=tuple(d.said for d in _doubts(case, judged, self.published.catalogue)),
        )
        return Judged(line, draft, (case.filing_id, canonical_json(asked)))


def _refused(case: Case, tier: str, reason: str, remedy: Remedy | None = None) -> Judged:
    return Judged(Decided(uscc=case.uscc, name=case.name, tier=tier, reason=reason, remedy=remedy))


@dataclass(frozen=True)
class _Chunk:
    """Some filings that are being judged, with the registry as it stood after the entry ``head``.

    ``tasks`` are numbers of tasks, or the answer if it is already on record.
    """

    head: int
    cases: tuple[Case, ...]
    tasks: tuple[int | tuple[Judged, ...], ...]


class DecisionRecorder:
    """Decides filings and records the decisions; ``now`` gives the moment of recording.

    That moment decides nothing. Cases are judged in ``jobs`` processes, or in this one if it is
    None; only this one records. ``worker`` makes the judging worker; ``patience`` limits the
    seconds that one case may take.
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        by: str,
        now: Callable[[], datetime],
        jobs: int | None = None,
        worker: Callable[[Published, str], DecidingWorker] = DecidingWorker,
        patience: float = workers.PATIENCE,
    ) -> None:
        self.engine = engine
        self.by = signed_name(by)
        self.now = now
        self._jobs = jobs
        self._worker = worker
        self._patience = patience
        self._work: workers.Work[tuple[Known, Request], list[Judged]] | None = None
        self._published: Published | None = None
        #: The last entry other than a decision, among those up to a number.
        self._changed, self._seen = 0, 0

    def decide(self, filing_ids: Sequence[int], request: Request) -> Iterator[Decided]:
        """Decide these versions of filings in order; whatever is yielded is stored.

        A case that cannot be decided is refused and holds up no other. If the last decision on a
        case says the same, no new one is recorded.
        """
        with storage.session(self.engine) as session:
            self._working(session)
        assert self._published is not None
        request = request.of(self._published.catalogue, self._published.applicability)
        begun: deque[tuple[Sequence[int], _Chunk]] = deque()
        for start in range(0, len(filing_ids), _CHUNK):
            part = filing_ids[start : start + _CHUNK]
            begun.append((part, self._begun(part, request)))
            assert self._work is not None
            if len(begun) * _CHUNK >= self._work.ahead:
                yield from self._decided(*begun.popleft(), request)
        while begun:
            yield from self._decided(*begun.popleft(), request)

    def close(self) -> None:
        """Release the engine's memory and end the other processes."""
        if self._work is not None:
            self._work.close()
        self._work = self._published = None

    def _decided(self, filing_ids: Sequence[int], chunk: _Chunk, request: Request) -> list[Decided]:
        for _ in range(_TRIES):
            judged = self._judged(chunk, request)
            with storage.session(self.engine) as session:
                # in this order: entries added in between are read again below
                seen = journal.last_number(session)
                earlier = _last_decisions(session, filing_ids)
            with storage.session(self.engine, write=True) as session:
                if journal.kinds_after(session, chunk.head) <= journal.WITHOUT_BEARING:
                    last = earlier | _last_decisions(session, filing_ids, first=seen + 1)
                    numbers = self._recorded(session, judged, last)
                    break
            chunk = self._begun(filing_ids, request)
        else:
            raise RecordError("busy", "登记库正被频繁改动，决定没有记下：请稍后再试")
        return [_line(j, numbers, last) for j in judged]

    def _begun(self, filing_ids: Sequence[int], request: Request) -> _Chunk:
        """Start judging some filings."""
        with storage.session(self.engine) as session:
            head = journal.last_number(session)
            work = self._working(session)
            gone = cases.withdrawn(session, filing_ids)
            found = list(fetch(session, filing_ids))
            settled = self._settled(session, filing_ids, head)
        assert self._published is not None
        told, catalogue = _rounds(self._published.applicability), self._published.catalogue
        tasks = tuple(
            _closed(k.case, request, gone)
            or (() if doubts_of(k, catalogue) else _answered(k, request, settled, told))
            or work.submit((k, request))
            for k in found
        )
        return _Chunk(head, tuple(k.case for k in found), tasks)

    def _settled(
        self, session: Session, filing_ids: Sequence[int], head: int
    ) -> dict[Matter, journal.Entry]:
        """The last decisions on these filings that were followed by nothing but decisions."""
        changed = journal.last_change(session, first=self._seen + 1)
        self._changed, self._seen = max(self._changed, changed), head
        return _last_decisions(session, filing_ids, first=self._changed + 1)

    def _working(self, session: Session) -> workers.Work[tuple[Known, Request], list[Judged]]:
        """The worker that judges by the criteria in force."""
        published = publication.current(session)
        if published is None:
            raise RecordError(
                "nothing-published", "登记库还没有发布规则", remedy=Remedy("publish-criteria")
            )
        if self._work is None or self._published != published:
            self.close()
            self._published = published
            start = partial(self._worker, published, self.by)
            self._work = workers.work(start, self._jobs, self._patience)
        return self._work

    def _judged(self, chunk: _Chunk, request: Request) -> list[Judged]:
        assert self._work is not None
        found: list[Judged] = []
        for case, task in zip(chunk.cases, chunk.tasks, strict=True):
            judged = self._work.result(task) if isinstance(task, int) else task
            if isinstance(judged, workers.Lost):
                reason = f"{judged.reason}，没有作出决定：请保留数据并报告，其余企业不受影响"
                found += (_refused(case, tier, reason) for tier in request.tiers)
            else:
                found += judged
        return found

    def _recorded(
        self, session: Session, judged: Sequence[Judged], last: Mapping[Matter, journal.Entry]
    ) -> dict[Matter, int]:
        """Record whatever is new; returns the numbers of the new decisions by matter."""
        new = {
            j.matter: j.draft
            for j in judged
            if j.draft is not None and not _says_the_same(j.draft.body, last.get(j.matter))
        }
        added = journal.append(session, list(new.values()), by=self.by, now=self.now())
        _list_anew(session, [d.filing_id for d in new.values() if d.filing_id is not None])
        return {matter: entry.seq for matter, entry in zip(new, added, strict=True)}


def _line(
    judged: Judged, numbers: Mapping[Matter, int], last: Mapping[Matter, journal.Entry]
) -> Decided:
    """What became of a case, now that it is stored."""
    if judged.draft is None:
        return judged.line
    if judged.matter in numbers:
        return replace(judged.line, seq=numbers[judged.matter])
    return replace(judged.line, seq=last[judged.matter].seq, earlier=True)


#: The batches under which another text would govern, by tier, day, procedure, province and batch.
_Rounds: TypeAlias = Callable[[str, date, tuple[tuple[str, str], ...]], tuple[str, ...]]


def _rounds(rows: tuple[ApplicabilityRow, ...]) -> _Rounds:
    @cache
    def told(tier: str, day: date, how: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
        return tuple(governing(rows, tier=tier, day=day, **dict(how)).told())

    return told


def _closed(case: Case, request: Request, gone: Container[int]) -> tuple[Judged, ...]:
    """The refusals of a case that is not open to decisions; empty for an open case."""
    if case.filing_id in gone:
        reason = "填报已撤回，不能再作决定：请重新登记填报"
    elif case.known_until is not None:
        reason = "填报已被更正或撤销，不能再作决定"
    else:
        return ()
    return tuple(_refused(case, tier, reason) for tier in request.tiers)


def _answered(
    known: Known, request: Request, settled: Mapping[Matter, journal.Entry], told: _Rounds
) -> tuple[Judged, ...]:
    """The recorded answers for a case under each tier; empty unless all tiers have one.

    A case with doubts must be judged, which alone tells whether they bear on it.
    """
    found = []
    case, day, how = known.case, request.day(known.case), request.how(known.case)
    for tier in request.tiers:
        question = asked_of(case, tier, day, how)
        entry = settled.get((case.filing_id, canonical_json(question)))
        if entry is None:
            return ()
        verdict = Outcome(entry.content["verdict"]).text
        applied = entry.content["determinations"]
        numbers = tuple(d.seq for d in known.determinations if d.digest in applied)
        line = Decided(
            uscc=case.uscc, name=case.name, tier=tier, verdict=verdict, seq=entry.seq, earlier=True
        )
        rounds = told(tier, day, tuple(how.items()))
        found.append(Judged(replace(line, determinations=numbers, rounds=rounds)))
    return tuple(found)


def _doubts(case: Case, judged: Judgement, catalogue: Catalogue) -> tuple[Issue, ...]:
    """The doubts about the figures behind a judgement."""
    found = doubts_of(Known(case, judged.applied), catalogue)
    return bearing(found, explain(judged.decision))


def asked_of(case: Case, tier: str, day: date, how: Mapping[str, str]) -> Json:
    """The question that a decision answers."""
    return {
        "uscc": case.uscc,
        "name": case.name,
        "filed_as_of": case.as_of.isoformat(),
        "tier": tier,
        "as_of": day.isoformat(),
        **how,
    }


def body_of(judged: Judgement, asked: Json, facts: Json, published: Published) -> Json:
    """The replayable part of a decision; ``facts`` says what it states of the facts as filed."""
    governing = judged.governing
    root, ruleset = governing.row.ruleset, judged.decision.ruleset
    # nothing else of it is needed, and converting all of it would take long
    outline = [{"id": r.id, "records": r.records} for r in ruleset.rules]
    return decision_body(
        case=asked,
        facts=facts["facts"],
        determinations=[d.digest for d in judged.applied],
        ruleset={"root": ruleset.root, "rules": outline},
        ruleset_digest=published.digests[root],
        applicability={
            "digest": published.applicability_digest,
            "ruleset": root,
            "reason": governing.reason,
        },
        trace=judged.decision.trace,
        readings=judged.decision.readings,
        register=[e.digest for e in judged.register],
        identity=identity_read(ruleset.facts, judged.decision.profile.values),
        sealed=facts.get("sealed", ()),
    )


def withdraw(
    session: Session,
    uscc: str,
    *,
    ground: str,
    by: str,
    now: datetime,
    as_of: date | None = None,
) -> journal.Entry:
    """Close a filing without a decision, on the record; needs a writing transaction.

    Raises ``RecordError`` if a decision on the filing was recorded, or if there is no ground.
    """
    named, ground = signed_name(by), ground.strip()
    if not ground:
        raise RecordError("no-ground", "撤回申报必须写明理由", remedy=Remedy("give-ground"))
    case = cases.open_case(session, uscc, as_of)
    for entry in journal.entries(session, kinds=["decision"], filing_ids=[case.filing_id]):
        raise RecordError(
            "decided-already",
            "{where}的填报已有第{value}号决定，不能撤回",
            where=f"{case.name}{case.as_of.isoformat()}",
            value=entry.seq,
        )
    salt, shown = new_salt(), filed(case.facts)
    published = publication.current(session)
    if published is not None:
        shown &= published.shown
    body = {
        "schema": SCHEMA,
        "case": {"uscc": case.uscc, "as_of": case.as_of.isoformat()},
        **committed(case.facts, salt, shown),
        "ground": journal.SEALED,
    }
    draft = journal.Draft(
        kind="withdrawal",
        body=body,
        tier="",
        filing_id=case.filing_id,
        texts={"ground": ground},
        salt=salt,
    )
    [entry] = journal.append(session, [draft], by=named, now=now)
    _list_anew(session, [case.filing_id])
    return entry


def _list_anew(session: Session, filing_ids: Sequence[int]) -> None:
    """Bring what lists show of these filings' enterprises up to date."""
    filed = sa.select(FILING.c.enterprise_id).where(FILING.c.id.in_(filing_ids)).distinct()
    projection.refresh(session.connection(), sorted(session.scalars(filed)))


def _last_decisions(
    session: Session, filing_ids: Sequence[int], first: int = 1
) -> dict[Matter, journal.Entry]:
    """The last decision on each matter of these filings, from the entry ``first`` on."""
    return {
        (entry.filing_id, canonical_json(entry.content["case"])): entry
        for part in chunks(filing_ids)
        for entry in journal.entries(session, first=first, kinds=["decision"], filing_ids=part)
    }


def _says_the_same(body: Body, entry: journal.Entry | None) -> bool:
    """Whether a decision equals a new one; only the salt of its facts may differ."""
    return entry is not None and {**body, "facts": entry.content["facts"]} == entry.content
