"""Decisions, and what persons settle: everything about a filing that goes on the record."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from sqlmodel import Session

from registry.desk import importing
from registry.desk.place import Desk
from registry.errors import RecordError, RegistryError
from registry.filings import FileReading
from registry.judging.case import Request as Request
from registry.judging.settled import Determination
from registry.judging.verdicts import TierVerdict
from registry.kit import workers
from registry.kit.progress import FEW, watched
from registry.record import cases, decisions, determinations, loading
from registry.record.decisions import Decided as Decided
from registry.record.determinations import Revocable as Revocable
from registry.record.determinations import Ruling as Ruling
from registry.record.determinations import Target as Target
from registry.record.journal import Entry
from registry.record.loading import LoadReport
from rules.portable.errors import Remedy
from rules.portable.record import left_to_judgement


@dataclass(kw_only=True)
class DecisionTally:
    """Counts what became of cases; keeps every line if ``whole``, else the first refusals."""

    whole: bool
    lines: list[Decided] = field(default_factory=list)
    refused: int = 0
    earlier: int = 0
    new: int = 0
    numbers: tuple[int, int] | None = None
    verdicts: dict[str, Counter[str]] = field(default_factory=dict)
    rounds: dict[str, None] = field(default_factory=dict)
    doubted: int = 0

    def add(self, line: Decided) -> Decided:
        """Count one line."""
        if self.whole or (line.seq is None and self.refused < FEW):
            self.lines.append(line)
        self.verdicts.setdefault(line.tier, Counter())[line.verdict or "拒绝"] += 1
        self.rounds |= dict.fromkeys(line.rounds)
        self.refused += line.seq is None
        self.earlier += line.earlier
        self.doubted += bool(line.doubts)
        if line.seq is not None and not line.earlier:
            first = self.numbers[0] if self.numbers else line.seq
            self.numbers = first, line.seq
            self.new += 1
        return line


class DecisionRun:
    """Cases that are being decided: each line comes once it is stored, and the tally counts it."""

    def __init__(self, lines: Iterator[Decided], number: int) -> None:
        self.tally = DecisionTally(whole=number < FEW)
        self._lines = lines

    def __iter__(self) -> Iterator[Decided]:
        return map(self.tally.add, self._lines)


@dataclass(frozen=True)
class Loaded:
    """A file as it was read, and the result of storing it."""

    reading: FileReading
    done: LoadReport

    @property
    def refused(self) -> bool:
        """Whether the file has an error, so that nothing of it was stored."""
        return bool(self.done.refused or self.reading.errors)

    @property
    def codes(self) -> list[str]:
        """The credit codes of the enterprises in it."""
        return [line.uscc for line in (*self.done.new, *self.done.changed, *self.done.unchanged)]


def load(desk: Desk, file: Path, as_of: date | None = None) -> Loaded:
    """Store the filings of a file whose enterprises are to be decided: all of them or none."""
    by = desk.signed()
    catalogue = desk.in_force().catalogue
    reading = importing.read_file(desk, file, catalogue, as_of=as_of)
    with desk.writing() as session:
        done = loading.load(session, reading, now=desk.clock(), as_of=as_of, by=by)
    return Loaded(reading, done)


@contextmanager
def run(
    desk: Desk, usccs: Sequence[str] | None, request: Request, *, jobs: int | None = None
) -> Iterator[DecisionRun]:
    """Decide the newest filings of these enterprises, or of all, and record the decisions.

    Raises ``RecordError`` before anything is decided if an enterprise has no filing, and
    ``FactsError`` for a tier that the criteria do not declare.
    """
    desk.signed()
    rules = desk.in_force()
    request = request.of(rules.catalogue, rules.applicability)
    with desk.reading() as session:
        desk.refuse_unseen(session)
        wanted = _wanted(session, usccs, request.as_of)
    number = len(wanted) * len(request.tiers)
    jobs = workers.jobs_for(len(wanted), jobs)
    at = desk.in_parts() if len(wanted) > 1 else desk
    decider = decisions.DecisionRecorder(at.database, by=desk.by, now=desk.clock, jobs=jobs)
    with closing(decider):
        yield DecisionRun(
            watched(desk.watch, "决定", decider.decide(wanted, request), number), number
        )


def decide(desk: Desk, uscc: str, request: Request) -> Decided:
    """Decide an enterprise's newest filing for one tier, and record it; ``RecordError`` if it is refused."""
    with run(desk, [uscc], request) as decisions:
        [line] = decisions
    if line.seq is None:
        raise RecordError(
            "not-decided", "没有作出决定：{cause}", cause=line.reason, remedy=line.remedy
        )
    return line


@dataclass(frozen=True)
class Matter:
    """Something that a verdict leaves to a person: what may be determined, and what it is called."""

    target: Target
    name: str


def matters(verdict: TierVerdict) -> list[Matter]:
    """What a person may determine to settle a verdict: rules left to judgement, then open facts."""
    decision = verdict.decision
    if decision is None:
        return []
    rules = [
        Matter(Target(rule["id"], rule=True), rule["title"])
        for rule in decision.ruleset.to_json()["rules"]
        if left_to_judgement(rule, decision.trace)
    ]
    facts = [
        Matter(Target(id, int(year) if year else None), figure.name)
        for figure in verdict.missing()
        for id, _, year in (figure.key.partition("@"),)
        if id in decision.ruleset.facts and not figure.broken
    ]
    return [*rules, *facts]


@dataclass(frozen=True, kw_only=True)
class Unconfirmed:
    """A determination that a second person has still to confirm, and whether it is one's own."""

    determination: Determination
    uscc: str
    own: bool


def unconfirmed(desk: Desk, seq: int) -> Unconfirmed:
    """The determination with this number, if it waits for a second person; else ``RecordError``."""
    with desk.reading() as session:
        entry, found = determinations.waiting(session, seq)
    return Unconfirmed(
        determination=found,
        uscc=entry.content["case"]["uscc"],
        own=determinations.same_person(desk.by, entry.by),
    )


def waiting(desk: Desk, uscc: str, as_of: date | None = None) -> list[Determination]:
    """The determinations on an enterprise's newest filing that a second person has still to confirm."""
    with desk.reading() as session:
        found = cases.newest(session, [uscc], as_of=as_of)
        return [
            one
            for settled in cases.determinations(session, found, pending=True).values()
            for one in settled
        ]


def determine(desk: Desk, ruling: Ruling) -> Entry:
    """Record what a person settles about an enterprise's newest open filing."""
    desk.signed()
    rules = desk.in_force()
    if ruling.tier:
        ruling = replace(ruling, tier=rules.catalogue.tier(ruling.tier).name)
    with desk.writing() as session:
        return determinations.determine(session, rules, ruling, by=desk.by, now=desk.clock())


def revocable(desk: Desk, seq: int) -> Revocable:
    """The determination with this number, if it can be taken back; else ``RecordError``."""
    with desk.reading() as session:
        return determinations.revocable(session, seq)


def is_revocable(desk: Desk, seq: int) -> bool:
    """Whether a determination can be taken back."""
    with suppress(RegistryError):
        return bool(revocable(desk, seq))
    return False


def revoke(desk: Desk, seq: int, ground: str, evidence: Sequence[str]) -> Entry:
    """Take a determination back: a fact is again what was filed, a rule again open."""
    desk.signed()
    rules = desk.in_force()
    with desk.writing() as session:
        return determinations.revoke(
            session, rules, seq, ground=ground, evidence=evidence, by=desk.by, now=desk.clock()
        )


def waits(desk: Desk, entry: Entry) -> bool:
    """Whether a determination still waits for a second person."""
    assert entry.filing_id is not None
    with desk.reading() as session:
        found = cases.determinations(session, [entry.filing_id], pending=True)
    return any(one.seq == entry.seq for one in found.get(entry.filing_id, ()))


def confirm(desk: Desk, seq: int) -> Entry:
    """Confirm, as a second person, what another person has settled."""
    with desk.writing() as session:
        return determinations.confirm(session, seq, by=desk.by, now=desk.clock())


def withdraw(desk: Desk, uscc: str, ground: str, as_of: date | None = None) -> Entry:
    """Close an enterprise's newest filing without a decision."""
    with desk.writing() as session:
        return decisions.withdraw(
            session, uscc, ground=ground, by=desk.by, now=desk.clock(), as_of=as_of
        )


def _wanted(session: Session, usccs: Sequence[str] | None, as_of: date | None) -> list[int]:
    wanted = cases.newest(session, usccs, as_of=as_of)
    if usccs is None and not wanted:
        raise RecordError("nothing-filed", "没有登记的企业", remedy=Remedy("import-file"))
    if usccs is not None and len(wanted) < len(set(usccs)):
        known = {*cases.codes(session, wanted).values()}
        raise RecordError(
            "no-filing",
            "没有信用代码为{value}的企业{before}的现行填报",
            value="、".join(c for c in usccs if c not in known),
            before=f"{as_of.isoformat()}以前" if as_of else "",
            remedy=Remedy("list-enterprises"),
        )
    return wanted
