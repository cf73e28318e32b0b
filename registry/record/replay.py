"""Taking decisions again from stored data, and telling where a difference comes from.

Only the database is read: the facts as filed, the determinations, and the published ruleset and
applicability table that the decision names. The decision must come out byte for byte.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import storage
from registry.database.altered import UNREADABLE
from registry.errors import RecordError
from registry.judging.case import Case, Known
from registry.judging.judge import Judge, Judgement
from registry.judging.published import Published
from registry.kit import workers
from registry.portable.chain import header_text
from registry.portable.sealing import sealed_facts
from registry.record import cases, journal, known, publication
from registry.record.decisions import asked_of, body_of
from rules.errors import NoRulesetError, RulesError
from rules.explanation.wording import result_text
from rules.model.days import parse_day
from rules.model.ruleset import Ruleset
from rules.portable.canonical import canonical_json, digest, sha256
from rules.portable.errors import Remedy
from rules.portable.record import IDENTITY, Json, plain_text


class ReplayDifference(StrEnum):
    """The reason why a decision comes out otherwise."""

    RECORD = "记录"
    FACTS = "事实"
    RULES = "规则"
    APPLICABILITY = "适用"
    ENGINE = "引擎"


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """A decision taken again; without a ``difference``, the same bytes came out."""

    seq: int
    uscc: str
    tier: str
    verdict: str
    difference: ReplayDifference | None = None
    detail: str = ""


@dataclass(frozen=True)
class Crossed:
    """A decision under the facts and rules of then and now.

    ``verdicts`` and ``changed`` (the rules whose results differ from the decision's) are keyed
    (facts, rules), each "then" or "now"; a text in ``verdicts`` says why there is no verdict.
    """

    seq: int
    verdicts: Mapping[tuple[str, str], str]
    changed: Mapping[tuple[str, str], Mapping[str, tuple[str, str]]]

    @property
    def turned_by(self) -> str:
        """What turned the verdict, in words."""
        then = self.verdicts["then", "then"]
        facts = self.verdicts.get(("now", "then"), then) != then
        rules = self.verdicts.get(("then", "now"), then) != then
        both = self.verdicts.get(("now", "now"), then) != then
        match facts, rules, both:
            case True, False, _:
                return "事实"
            case False, True, _:
                return "规则"
            case True, True, _:
                return "事实和规则，各自都足以改变结论"
            case False, False, True:
                return "事实和规则共同"
        return ""


@dataclass(frozen=True)
class _Ahead:
    """What was read for several decisions at once: filings, and those on which nothing bore."""

    filings: Mapping[int, Case] = field(default_factory=dict)
    untouched: Set[int] = frozenset()


class _DiffersError(Exception):
    def __init__(self, difference: ReplayDifference, detail: str) -> None:
        super().__init__(detail)
        self.difference = difference
        self.detail = detail


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except UNREADABLE:
        raise _DiffersError(ReplayDifference.RECORD, "记录或其依据已被改动，无法读取") from None


#: The number of entries whose filings are read at once.
_AT_ONCE: Final = 50
#: The number of publications that are kept ready.
_HELD: Final = 4


class Replayer:
    """Takes decisions again; keeps the rules of the last few publications ready."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._judges: dict[str, tuple[Published, Judge]] = {}
        self._ahead = _Ahead()

    def replay_all(self, entries: Iterable[journal.Entry]) -> Iterator[Replayed]:
        """Each of these decisions, taken again in order."""
        for entry in self.reading_ahead(entries):
            yield self.replay(entry)

    def reading_ahead(self, entries: Iterable[journal.Entry]) -> Iterator[journal.Entry]:
        """These entries; to save time, reads at once what the next few decisions rest on."""
        coming = iter(entries)
        while part := list(islice(coming, _AT_ONCE)):
            self._ahead = self._read_ahead([e for e in part if e.kind == "decision"])
            yield from part
        self._ahead = _Ahead()

    def _read_ahead(self, decisions: Sequence[journal.Entry]) -> _Ahead:
        ids = list(dict.fromkeys(entry.filing_id or 0 for entry in decisions))
        try:
            found = list(cases.cases(self.session, ids))
            untouched = known.untouched(self.session, found)
        except (RecordError, *UNREADABLE):  # each by itself, to tell which one is at fault
            return _Ahead()
        return _Ahead({c.filing_id: c for c in found}, {c.filing_id for c in untouched})

    def replay(self, entry: journal.Entry) -> Replayed:
        """One decision taken again."""
        if entry.kind != "decision":
            raise journal.not_a_decision(entry.seq)
        found = Replayed(seq=entry.seq, uscc="", tier=entry.tier, verdict="")
        try:
            with _readable():
                body = _sound_body(entry)
                asked = body["case"]
                found = Replayed(
                    seq=entry.seq,
                    uscc=asked["uscc"],
                    tier=asked["tier"],
                    verdict=plain_text(body["verdict"]),
                )
                self._same(entry, body)
        except _DiffersError as error:
            return replace(found, difference=error.difference, detail=error.detail)
        return found

    def judged(self, entry: journal.Entry) -> Judgement:
        """The judgement of a decision with its full trace; ``RecordError`` if it has changed."""
        try:
            with _readable():
                return self._same(entry, _sound_body(entry))
        except _DiffersError as error:
            raise RecordError(
                "not-reproduced",
                "第{where}号决定不能原样重现（{value}：{cause}）",
                where=entry.seq,
                value=error.difference,
                cause=error.detail,
                remedy=Remedy("verify-record"),
            ) from None

    def cross(self, entry: journal.Entry, facts: Sequence[str], rules: Sequence[str]) -> Crossed:
        """The decision under every combination of these facts and rules ("then", "now").

        Raises ``RecordError`` if it cannot be taken again.
        """
        try:
            with _readable():
                return self._cross(entry, facts, rules)
        except _DiffersError as error:
            raise RecordError(
                "not-decided-again",
                "第{where}号决定不能重算（{value}：{cause}）",
                where=entry.seq,
                value=error.difference,
                cause=error.detail,
                remedy=Remedy("verify-record"),
            ) from None

    def _cross(self, entry: journal.Entry, facts: Sequence[str], rules: Sequence[str]) -> Crossed:
        body = _sound_body(entry)
        asked = body["case"]
        now = publication.current(self.session)
        assert now is not None
        verdicts: dict[tuple[str, str], str] = {}
        changed: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
        day = parse_day(asked["as_of"])
        for f in dict.fromkeys(("then", *facts)):
            if f == "now":
                filed = self._now(entry, asked)
            else:
                published, _ = self._rules(body["applicability"]["digest"])
                ruleset = published.ruleset(body["applicability"]["ruleset"])
                filed = self._identified(self._then(entry, body), ruleset, body)
            for r in dict.fromkeys(("then", *rules)):
                digest = (
                    body["applicability"]["digest"] if r == "then" else now.applicability_digest
                )
                published, judge = self._rules(digest)
                try:
                    found = judge.governing(asked["tier"], day, how(asked))
                    if not found.row.encoded:
                        verdicts[f, r] = f"适用{found.row.basis}，尚未编入"
                        continue
                    judged = judge.judge(found, filed, day)
                except NoRulesetError as error:
                    verdicts[f, r] = str(error)
                    continue
                verdicts[f, r] = result_text(judged.decision.verdict)
                results = body_of(judged, asked, body, published)["results"]
                changed[f, r] = _changes(body["results"], results)
        return Crossed(entry.seq, verdicts, changed)

    def close(self) -> None:
        """Release the engines' memory."""
        for _, judge in self._judges.values():
            judge.close()
        self._judges.clear()

    def _same(self, entry: journal.Entry, body: Json) -> Judgement:
        """The judgement again, if the same bytes come out."""
        judged, again = self._judged(entry, body)
        if canonical_json(again) != entry.body:
            raise _DiffersError(*_outcome_differs(entry, body, again))
        return judged

    def _judged(self, entry: journal.Entry, body: Json) -> tuple[Judgement, Json]:
        asked = body["case"]
        day, filed = parse_day(asked["as_of"]), self._then(entry, body)
        published, judge = self._rules(body["applicability"]["digest"])
        try:
            found = judge.governing(asked["tier"], day, how(asked))
        except NoRulesetError as error:
            raise _DiffersError(ReplayDifference.APPLICABILITY, str(error)) from None
        root = found.row.ruleset
        if published.digests.get(root) != body["ruleset"]:
            raise _DiffersError(ReplayDifference.APPLICABILITY, f"按已发布的适用表应适用{root}")
        filed = self._identified(filed, published.ruleset(root), body)
        try:
            judged = judge.judge(found, filed, day)
        except RulesError as error:
            raise _DiffersError(ReplayDifference.ENGINE, str(error)) from None
        stated = asked_of(filed.case, asked["tier"], day, how(asked))
        return judged, body_of(judged, stated, body, published)

    def _identified(self, filed: Known, ruleset: Ruleset, body: Json) -> Known:
        """The filing with the enterprise as it was known then, where the filing itself is silent."""
        read = [key for key in IDENTITY if key in ruleset.facts]
        if not read:
            return filed
        stated, kept = cases.identity(self.session, filed.case.filing_id), body.get("identity", {})
        then = {key: kept.get(key, "") for key in read if not stated.get(key)}
        return replace(filed, case=replace(filed.case, **then))

    def _now(self, entry: journal.Entry, asked: Json) -> Known:
        """The filing behind a decision, as it is known now."""
        current = cases.of_day(self.session, asked["uscc"], parse_day(asked["filed_as_of"]))
        if current is None:
            raise RecordError(
                "filing-undone",
                "第{where}号决定所依据的填报（{value}）已撤销，没有现行的版本",
                where=entry.seq,
                value=asked["filed_as_of"],
            )
        return next(known.fetch(self.session, [current]))

    def _then(self, entry: journal.Entry, body: Json) -> Known:
        """The filing behind a decision with what bore on it then; each is checked for changes."""
        id = entry.filing_id or 0
        try:
            case = self._ahead.filings.get(id) or cases.case(self.session, id)
        except RecordError:
            raise _DiffersError(ReplayDifference.FACTS, "所依据的填报已不在登记库中") from None
        except UNREADABLE:
            raise _DiffersError(ReplayDifference.FACTS, "所依据的填报已被改动，无法读取") from None
        if digest(sealed_facts(case.facts, entry.salt, body)) != body["facts"]:
            raise _DiffersError(ReplayDifference.FACTS, "所依据的填报已被改动")
        filed = Known(case)
        if id not in self._ahead.untouched:
            [filed] = known.bearing(self.session, [case], until=entry.seq - 1)
        if not {d.digest for d in filed.determinations}.issuperset(body["determinations"]):
            raise _DiffersError(ReplayDifference.FACTS, "所依据的人工认定已不在登记库中")
        if not {e.digest for e in filed.register}.issuperset(body.get("register", ())):
            raise _DiffersError(ReplayDifference.FACTS, "所依据的登记已不在登记库中，或已被改动")
        return filed

    def _rules(self, applicability: str) -> tuple[Published, Judge]:
        if applicability not in self._judges:
            try:
                publication.document(self.session, applicability, "applicability")
            except RecordError as error:
                raise _DiffersError(ReplayDifference.APPLICABILITY, str(error)) from None
            try:
                found = publication.published(self.session, applicability)
            except (RecordError, RulesError) as error:
                raise _DiffersError(ReplayDifference.RULES, str(error)) from None
            while len(self._judges) >= _HELD:
                _, judge = self._judges.pop(next(iter(self._judges)))
                judge.close()
            self._judges[applicability] = found, Judge(found)
        return self._judges[applicability]


class ReplayingWorker:
    """Takes a registry's decisions again, over a connection of its own."""

    def __init__(self, url: str) -> None:
        self._engine = storage.create_engine(url)
        self._replayer: Replayer | None = None

    def __call__(self, entries: Sequence[journal.Entry]) -> list[Replayed]:
        """These decisions taken again, in a transaction of their own."""
        with storage.session(self._engine) as session:
            if self._replayer is None:
                self._replayer = Replayer(session)
            self._replayer.session = session
            return list(self._replayer.replay_all(entries))

    def close(self) -> None:
        """Release the engines' memory and disconnect."""
        if self._replayer is not None:
            self._replayer.close()
        self._engine.dispose()


def replayed(
    engine: sa.Engine,
    entries: Iterable[journal.Entry],
    jobs: int | None,
    *,
    worker: Callable[[str], ReplayingWorker] = ReplayingWorker,
    patience: float = workers.PATIENCE,
) -> Iterator[Replayed]:
    """Decisions taken again in order, in ``jobs`` processes (None: in this one).

    If processes die or hang on a decision, it is reported as a difference of the engine.
    """
    url = engine.url.render_as_string(hide_password=False)
    work: workers.Work[list[journal.Entry], list[Replayed]]
    work = workers.work(partial(worker, url), jobs, patience)
    with closing(work):
        for entry, found in workers.in_parts(work, entries):
            yield _unanswered(entry, found) if isinstance(found, workers.Lost) else found


def _unanswered(entry: journal.Entry, found: workers.Lost) -> Replayed:
    uscc = str(entry.content["case"]["uscc"])
    detail = f"{found.reason}，没有重新作出"
    return Replayed(
        seq=entry.seq,
        uscc=uscc,
        tier=entry.tier,
        verdict="",
        difference=ReplayDifference.ENGINE,
        detail=detail,
    )


def how(asked: Json) -> dict[str, str]:
    """The part of a decision's question that chooses the ruleset, besides tier and day."""
    return {k: asked[k] for k in ("procedure", "province", "batch")}


def _sound_body(entry: journal.Entry) -> Json:
    """The body of an entry, after a check of its digest."""
    if sha256(header_text(entry.header())) != entry.digest:
        raise _DiffersError(ReplayDifference.RECORD, "记录的内容与其摘要不符，已被改动")
    body = entry.content
    if body["case"]["tier"] != entry.tier:
        raise _DiffersError(ReplayDifference.RECORD, "记录的层级与其内容不符")
    return body


def _outcome_differs(entry: journal.Entry, body: Json, again: Json) -> tuple[ReplayDifference, str]:
    """The difference if the inputs are the same but another result comes out."""
    changes = _changes(body["results"], again["results"])
    named = "、".join(f"{k} 记为{a}、重算为{b}" for k, (a, b) in list(changes.items())[:3])
    detail = named or "、".join(k for k in body if body[k] != again.get(k))
    if entry.program == journal.program():
        return ReplayDifference.RECORD, f"记录的结论不是这些事实和规则得出的：{detail}"
    return ReplayDifference.ENGINE, f"{entry.program} 与 {journal.program()} 的结果不同：{detail}"


def _changes(then: Json, now: Json) -> dict[str, tuple[str, str]]:
    absent = "无"
    return {
        key: (
            plain_text(then[key]) if key in then else absent,
            plain_text(now[key]) if key in now else absent,
        )
        for key in sorted({**then, **now})
        if then.get(key) != now.get(key)
    }
