"""Decisions: the only writer of entries of that kind.

A case is judged outside any lock and recorded inside one. Everything that can change a verdict is an
entry of the journal, so a decision that was judged at one head of the journal is recorded only if
nothing but other decisions came after it; else the case is judged again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.checking import unencoded
from registry.database import storage
from registry.database.versions import chunks
from registry.errors import RecordError
from registry.judging import (
    CheckRefusedError,
    Determination,
    Judge,
    Judgement,
    refuse_wrong_day,
)
from registry.record import cases, journal, publication
from registry.record.determinations import signed_name
from registry.record.sealing import new_salt, sealed_facts
from rules.canonical import canonical_json, digest
from rules.errors import DisagreementError, EngineFaultError, FactsError, NoRulesetError
from rules.explain import result_text
from rules.facts import TITLES
from rules.record import SCHEMA, Json, decision_body

#: How many filings are judged between two recordings.
_CHUNK: Final = 200
#: How often a chunk is judged again because the registry changed meanwhile.
_TRIES: Final = 20


@dataclass(frozen=True)
class Request:
    """What is to be decided of each filing: which tiers, how, and as of which day.

    Without ``as_of``, each as of its own filing date; without ``province``, by where it is.
    """

    tiers: tuple[str, ...] = TITLES
    procedure: str = "认定"
    batch: str = ""
    province: str | None = None
    as_of: date | None = None


@dataclass(frozen=True)
class Decided:
    """What became of one case and tier.

    ``seq`` is the number of the decision: a new one, or the ``earlier`` one that says the same; it is
    None where the case was refused, for ``reason``. ``determinations`` are the numbers of those that
    it rests on.
    """

    uscc: str
    name: str
    tier: str
    verdict: str = ""
    seq: int | None = None
    earlier: bool = False
    reason: str = ""
    determinations: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Judged:
    """A line, and what is to be recorded for it; nothing where the case was refused.

    ``matter`` is what was decided on: a filing, and the canonical text of the question put to it.
    """

    line: Decided
    draft: journal.Draft | None = None
    matter: tuple[int | None, str] = (None, "")


class Decider:
    """Decides filings and records it; ``now`` gives the moment of recording, which decides nothing."""

    def __init__(self, engine: sa.Engine, *, by: str, now: Callable[[], datetime]) -> None:
        self.engine = engine
        self.by = signed_name(by)
        self.now = now
        self._judge: Judge | None = None

    def decide(self, filing_ids: Sequence[int], request: Request) -> Iterator[Decided]:
        """Decide these versions of filings in order; what is yielded is stored.

        A case that cannot be decided is refused and holds up no other. One on which the last
        decision says just the same is not decided twice.
        """
        for start in range(0, len(filing_ids), _CHUNK):
            yield from self._decided(filing_ids[start : start + _CHUNK], request)

    def close(self) -> None:
        """Release the engine's memory."""
        if self._judge is not None:
            self._judge.close()

    def _decided(self, filing_ids: Sequence[int], request: Request) -> list[Decided]:
        for _ in range(_TRIES):
            with storage.session(self.engine) as session:
                head = journal.head(session)
                judged = list(self._judged(session, filing_ids, request))
            with storage.session(self.engine, write=True) as session:
                first = head.seq + 1 if head else 1
                meanwhile = {e.kind for e in journal.entries(session, first=first)}
                if meanwhile <= {"decision"}:
                    return self._recorded(session, filing_ids, judged)
        raise RecordError("登记库正被频繁改动，决定没有记下：请稍后再试")

    def _judged(
        self, session: Session, filing_ids: Sequence[int], request: Request
    ) -> Iterator[_Judged]:
        published = publication.current(session)
        if published is None:
            raise RecordError("登记库还没有发布规则：请先运行 tidu rules publish")
        if self._judge is None or self._judge.rules != published:
            self.close()
            self._judge = Judge(published)
        gone = cases.withdrawn(session, filing_ids)
        determined = cases.determinations(session, filing_ids)
        for case in cases.cases(session, filing_ids):
            for tier in request.tiers:
                line = Decided(case.uscc, case.name, tier)
                try:
                    if case.filing_id in gone:
                        raise RecordError("填报已撤回，不能再作决定：请重新登记填报")
                    if case.known_until is not None:
                        raise RecordError("填报已被更正或撤销，不能再作决定")
                    known = determined.get(case.filing_id, ())
                    yield self._one(line, case, request, published, known)
                except _REFUSALS as error:
                    reason = str(error).removeprefix(f"{case.name}：")
                    yield _Judged(replace(line, reason=reason))

    def _one(
        self,
        line: Decided,
        case: cases.Case,
        request: Request,
        published: publication.Published,
        determined: Sequence[Determination],
    ) -> _Judged:
        assert self._judge is not None
        profile = case.profile_as_of(request.as_of or case.as_of)
        refuse_wrong_day(case.name, case.profile, profile.as_of)
        province = case.province if request.province is None else request.province
        how = {"procedure": request.procedure, "province": province, "batch": request.batch}
        found = self._judge.governing(line.tier, profile.as_of, how)
        if not found.row.encoded:
            raise RecordError(unencoded(found))
        judged = self._judge.judge(found, profile, determined)
        salt = new_salt()
        asked = asked_of(case, line.tier, profile.as_of, how)
        body = body_of(judged, asked, digest(sealed_facts(case.facts, salt)), published)
        verdict = result_text(judged.decision.verdict)
        numbers = tuple(d.seq for d in judged.applied)
        return _Judged(
            replace(line, verdict=verdict, determinations=numbers),
            journal.Draft("decision", body, line.tier, case.filing_id, salt=salt),
            (case.filing_id, canonical_json(asked)),
        )

    def _recorded(
        self, session: Session, filing_ids: Sequence[int], judged: Sequence[_Judged]
    ) -> list[Decided]:
        last = _last_decisions(session, filing_ids)
        new = [
            j
            for j in judged
            if j.draft is not None and not _says_the_same(j.draft.body, last.get(j.matter))
        ]
        drafts = [j.draft for j in new if j.draft is not None]
        added = journal.append(session, drafts, by=self.by, now=self.now())
        numbers = {j.matter: entry.seq for j, entry in zip(new, added, strict=True)}
        lines = []
        for j in judged:
            if j.draft is None:
                lines.append(j.line)
            elif j.matter in numbers:
                lines.append(replace(j.line, seq=numbers[j.matter]))
            else:
                lines.append(replace(j.line, seq=last[j.matter].seq, earlier=True))
        return lines


_REFUSALS: Final = (
    RecordError,
    CheckRefusedError,
    NoRulesetError,
    DisagreementError,
    EngineFaultError,
    FactsError,
)


def asked_of(case: cases.Case, tier: str, day: date, how: Mapping[str, str]) -> Json:
    """The question that a decision answers."""
    return {
        "uscc": case.uscc,
        "name": case.name,
        "filed_as_of": case.as_of.isoformat(),
        "tier": tier,
        "as_of": day.isoformat(),
        **how,
    }


def body_of(judged: Judgement, asked: Json, facts: str, published: publication.Published) -> Json:
    """The replayable part of a decision; ``facts`` is the digest of the sealed facts as filed."""
    governing = judged.governing
    root = governing.row.ruleset
    return decision_body(
        case=asked,
        facts=facts,
        determinations=[d.digest for d in judged.applied],
        ruleset=judged.decision.ruleset.to_json(),
        ruleset_digest=published.digests[root],
        applicability={
            "digest": published.applicability_digest,
            "ruleset": root,
            "reason": governing.reason,
        },
        trace=judged.decision.trace,
        readings=judged.decision.readings,
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

    Raises ``RecordError`` for a filing on which a decision was recorded, and without a ground.
    """
    named, ground = signed_name(by), ground.strip()
    if not ground:
        raise RecordError("撤回申报必须写明理由（--ground）")
    case = cases.open_case(session, uscc, as_of)
    for entry in journal.entries(session, kinds=["decision"], filing_ids=[case.filing_id]):
        raise RecordError(
            f"{case.name}{case.as_of.isoformat()}的填报已有第{entry.seq}号决定，不能撤回"
        )
    salt = new_salt()
    body = {
        "schema": SCHEMA,
        "case": {"uscc": case.uscc, "as_of": case.as_of.isoformat()},
        "facts": digest(sealed_facts(case.facts, salt)),
        "ground": journal.SEALED,
    }
    draft = journal.Draft("withdrawal", body, "", case.filing_id, {"ground": ground}, salt)
    return journal.append(session, [draft], by=named, now=now)[0]


def _last_decisions(
    session: Session, filing_ids: Sequence[int]
) -> dict[tuple[int | None, str], journal.Entry]:
    """The last decision on each matter of these filings."""
    return {
        (entry.filing_id, canonical_json(entry.content["case"])): entry
        for part in chunks(filing_ids)
        for entry in journal.entries(session, kinds=["decision"], filing_ids=part)
    }


def _says_the_same(body: Json, entry: journal.Entry | None) -> bool:
    """Whether a decision says just what a new one would; only the salt of its facts may differ."""
    return entry is not None and {**body, "facts": entry.content["facts"]} == entry.content
