"""The kinds of jobs: what is done, with which arguments, and what comes of it.

A kind is a function of its work, which has the desk, whose ``watch`` shows the progress, and the
arguments. It may be ended at any moment; begun again with the same arguments, it takes up where it
stopped, and comes to the same result.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter

from registry.desk import (
    auditing,
    deciding,
    drafting,
    examining,
    importing,
    replaying,
    screening,
    simulating,
)
from registry.desk.examining import Registered
from registry.desk.place import Desk
from registry.desk.replaying import Replayed
from registry.desk.waiting import WaitingFiles
from registry.errors import RecordError
from registry.jobs.store import ResultFile
from registry.kit.files import working_folder
from registry.kit.jsontext import fields_of
from registry.kit.workbooks import workbook
from registry.reports import impact as impact_report
from registry.reports import screening as screening_report
from registry.reports.verdicts import doubt_text
from rules.language.editions import RECOGNITION

#: The media type of a workbook.
WORKBOOK: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: The most enterprises of a list, and of each tier and group, that are kept with a result.
_LISTED: Final = 50

_A = TypeVar("_A")
_R = TypeVar("_R")


@dataclass
class Work(Generic[_A]):
    """A job at work: its desk, whose person asked for it, its arguments, and the files that it makes.

    ``notes`` is what it noted when it was at work before; ``write`` keeps what it notes now.
    """

    desk: Desk
    arguments: _A
    notes: str = ""
    write: Callable[[str], None] = lambda _: None
    files: dict[str, ResultFile] = field(default_factory=dict)

    def note(self, notes: str) -> None:
        """Note what will be needed if the job is begun again, in place of what was noted before."""
        self.write(notes)
        self.notes = notes

    def keep(self, file: ResultFile) -> None:
        """Keep a file with the result, in place of one of the same name."""
        self.files[file.name] = file


@dataclass(frozen=True)
class Kind(Generic[_A, _R]):
    """A kind of job: its name in addresses, its title, and how it is done.

    Arguments and results are dataclasses of values that JSON can hold. One that ``records`` has
    nothing left to do once it is done; any other may come to something else on another day.
    """

    name: str
    title: str
    arguments: type[_A]
    result: type[_R]
    run: Callable[[Work[_A]], _R]
    records: bool = False

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
    notes = replaying.Notes(lambda: work.notes, work.note)
    found = replaying.finish(work.desk, span, replaying.begun(work.desk, span, notes), notes)
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
    if not work.notes:  # what is stored from here on is this job's, whenever it goes on
        work.note(str(importing.last_import(work.desk)))
    parts = importing.InParts(after=int(work.notes))
    return examining.register(work.desk, files, waiting, partial=wanted.partial, parts=parts)


IMPORT: Final = Kind("import", "登记文件", Importing, Registered, _import, records=True)

# -- decide many -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Deciding:
    """Whose newest filings are decided, all if None, under which tiers and how.

    Tiers may have any of their names; ``as_of`` and the rest are as in ``Request``.
    """

    usccs: tuple[str, ...] | None = None
    tiers: tuple[str, ...] = ()
    as_of: date | None = None
    procedure: str = RECOGNITION
    batch: str = ""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A case that could not be decided, and why."""

    uscc: str
    name: str
    tier: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class DecidedMany:
    """What became of all cases: new decisions, those that said the same already, and refusals.

    ``verdicts`` counts by tier and verdict, refusals too. ``first`` and ``last`` are the numbers of
    the new decisions. ``refusals`` are the first ones. ``doubted`` decisions rest on figures that
    can hardly be right. ``rounds`` are the batches under which another text would govern.
    """

    new: int
    earlier: int
    refused: int
    first: int | None
    last: int | None
    verdicts: Mapping[str, Mapping[str, int]]
    refusals: tuple[Refused, ...]
    doubted: int
    rounds: tuple[str, ...]


def _decide(work: Work[Deciding]) -> DecidedMany:
    asked = work.arguments
    if not work.notes:  # what is recorded from here on is new, whenever the job goes on
        work.note(str(work.desk.head()))
    before = int(work.notes)
    request = deciding.Request(
        tiers=asked.tiers, as_of=asked.as_of, procedure=asked.procedure, batch=asked.batch
    )
    new: list[int] = []
    refusals: list[Refused] = []
    with deciding.run(work.desk, asked.usccs, request) as run:
        for line in run:
            if line.seq is None and len(refusals) < _LISTED:
                said = {"name": line.name, "tier": line.tier, "reason": line.reason}
                refusals.append(Refused(uscc=line.uscc, **said))
            if line.seq is not None and line.seq > before:
                new.append(line.seq)
    tally = run.tally
    return DecidedMany(
        new=len(new),
        earlier=tally.new + tally.earlier - len(new),
        refused=tally.refused,
        first=min(new, default=None),
        last=max(new, default=None),
        verdicts=tally.verdicts,
        refusals=tuple(refusals),
        doubted=tally.doubted,
        rounds=tuple(tally.rounds),
    )


DECIDE: Final = Kind("decide", "作出决定", Deciding, DecidedMany, _decide, records=True)


# -- screening, impact -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Screening:
    """What is screened: as in ``ScreeningRequest``, by the texts on record; ``near`` is in percent."""

    tiers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    as_of: date | None = None
    text: str | None = None
    procedure: str = RECOGNITION
    batch: str = ""
    near: int = 5


@dataclass(frozen=True, kw_only=True)
class Surveyed:
    """The heading of a survey, and its counts as their report gives them to machines.

    For ``faults`` enterprises the program failed. ``unproved`` says that examples of a draft do not
    hold, so that its drafter may have meant something else.
    """

    heading: tuple[str, ...]
    counts: Mapping[str, Any]
    faults: int
    unproved: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ListedFirm:
    """An enterprise in a list of a screening, and why it stands there."""

    uscc: str
    name: str
    place: str
    why: str
    doubts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The enterprises of a tier that belong together: how many, and the first of them."""

    tier: str
    name: str
    count: int
    firms: tuple[ListedFirm, ...]


@dataclass(frozen=True, kw_only=True)
class Screened(Surveyed):
    """A survey with its groups of enterprises; the workbook has all of each."""

    groups: tuple[Group, ...]


def _unproved(*texts: str | None) -> tuple[str, ...]:
    """What is said of the drafts among these texts whose examples do not hold."""
    drafts = [Path(text) for text in texts if text and Path(text).is_dir()]
    found = {draft: problems for draft in drafts if (problems := drafting.unproved(draft))}
    return tuple(
        f"草案 {draft} 有{len(problems)}处不成立，结果按定义表算出，未必是起草人的本意"
        f"（第一处：{problems[0]}）"
        for draft, problems in found.items()
    )


def _grouped(firms: Iterable[screening.ListedFirm], titles: Mapping[str, str]) -> Iterator[Group]:
    """The groups of enterprises, in the order in which they are met."""
    counts = Counter[tuple[str, str]]()
    first: dict[tuple[str, str], list[ListedFirm]] = {}
    for firm in filter(attrgetter("group"), firms):
        key = firm.tier, firm.group
        counts[key] += 1
        if counts[key] <= _LISTED:
            listed = ListedFirm(
                uscc=firm.uscc,
                name=firm.name,
                place="".join(dict.fromkeys((firm.province, firm.city, firm.county))),
                why=screening_report.why(firm, titles),
                doubts=tuple(map(doubt_text, firm.doubts)),
            )
            first.setdefault(key, []).append(listed)
    for (tier, name), kept in first.items():
        yield Group(tier=tier, name=name, count=counts[tier, name], firms=tuple(kept))


def _screen(work: Work[Screening]) -> Screened:
    asked = work.arguments
    request = screening.ScreeningRequest(
        tiers=asked.tiers,
        regions=asked.regions,
        as_of=asked.as_of,
        text=asked.text,
        procedure=asked.procedure,
        batch=asked.batch,
        near=Fraction(asked.near, 100),
    )
    with screening.run(work.desk, request) as found, working_folder() as folder:
        heading, tallies = screening.heading(request, found), list(found.tallies.values())
        book = folder / "筛查.xlsx"
        with work.desk.watch("写出工作簿", None):
            screening_report.write(book, heading, tallies, found.doubted_firms())
        work.keep(ResultFile(book.name, WORKBOOK, book.read_bytes()))
        return Screened(
            heading=tuple(heading),
            counts=screening_report.to_json(heading, tallies),
            faults=found.faults,
            unproved=_unproved(asked.text),
            groups=tuple(_grouped(found.doubted_firms(), screening_report.titles(tallies))),
        )


SCREEN: Final = Kind("screen", "筛查", Screening, Screened, _screen)


@dataclass(frozen=True, kw_only=True)
class Simulating:
    """Which text is tried, against which other, and on whom: as in ``SimulationRequest``."""

    after: str
    before: str | None = None
    tiers: tuple[str, ...] = ()
    procedure: str | None = None
    batch: str = ""
    regions: tuple[str, ...] = ()
    holders: bool = False
    changed: bool = False
    as_of: date | None = None


def _simulate(work: Work[Simulating]) -> Surveyed:
    request = simulating.SimulationRequest(**fields_of(work.arguments))
    page = impact_report.PageSink()
    with working_folder() as folder:
        path = folder / "摸底.xlsx"
        with workbook(path) as book:
            sink = impact_report.WorkbookSink(book)
            run = simulating.simulate(work.desk, request, [sink, page])
            sink.close(run)
        work.keep(ResultFile(path.name, WORKBOOK, path.read_bytes()))
    work.keep(ResultFile("摸底.html", "text/html; charset=utf-8", page.html(run).encode()))
    return Surveyed(
        heading=tuple(impact_report.heading(run)),
        counts=run.to_json(),
        faults=run.faults,
        unproved=_unproved(request.before, request.after),
    )


IMPACT: Final = Kind("impact", "摸底", Simulating, Surveyed, _simulate)


# -- bundle ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Exporting:
    """Which decisions go into a bundle, as in ``Selection``, and whether names are masked."""

    numbers: tuple[int, ...] = ()
    tier: str = ""
    first: date | None = None
    last: date | None = None
    masked: bool = False


@dataclass(frozen=True)
class Exported:
    """The number of decisions in a bundle, its SHA-256, and the key that verifies it."""

    decisions: int
    sha256: str
    key: str


#: The name of the bundle among the files of its job.
BUNDLE_FILE: Final = "证据包.zip"


def _export(work: Work[Exporting]) -> Exported:
    asked = work.arguments
    selection = auditing.Selection(asked.numbers, asked.tier, asked.first, asked.last)
    made = auditing.export(work.desk, selection, masked=asked.masked)
    work.keep(ResultFile(BUNDLE_FILE, "application/zip", made.data))
    return Exported(made.decisions, made.sha256, str(made.key))


BUNDLE: Final = Kind("bundle", "导出证据包", Exporting, Exported, _export)


KINDS: Final[Mapping[str, Kind[Any, Any]]] = {
    kind.name: kind for kind in (VERIFY, REPLAY, EXAMINE, IMPORT, DECIDE, SCREEN, IMPACT, BUNDLE)
}


def kind(name: str) -> Kind[Any, Any]:
    """The kind of that name; ``RecordError`` for one that this release does not know."""
    if name not in KINDS:
        raise RecordError("no-such-kind-of-job", "没有名为「{value}」的任务", value=name)
    return KINDS[name]
