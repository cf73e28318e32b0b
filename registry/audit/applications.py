"""Checks of applications and their steps against everything else on record.

Each is followed again by the workflow that it names and the calendars of its time, and compared
with the publications, filings and decisions that there were when it was recorded.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from registry.audit.filed import Filings
from registry.database.altered import UNREADABLE
from registry.database.versions import chunks
from registry.errors import RecordError
from registry.portable.chain import KINDS
from registry.record import journal, publication
from registry.record.applications import CHANGING, recorded
from rules.model.ruleset import Outcome
from rules.portable.applications import Applications, Calendars, Recorded, refuse_mistitled
from rules.portable.calendar import Calendar
from rules.portable.errors import DescribedError
from rules.portable.record import Body
from rules.portable.workflow import EXTEND, GRANT

_JOURNAL: Final = journal.JOURNAL


def complaints(session: Session) -> Iterator[str]:
    """What is wrong with applications and steps, each as a sentence; some hundred firms are held at a time."""
    subjects = sa.select(_JOURNAL.c.subject).where(_JOURNAL.c.kind.in_(("application", "step")))
    codes = sorted(set(session.scalars(subjects.distinct())) - {None})
    if not codes:
        return
    known = _read(session)
    for part in chunks(codes):
        yield from _Part(session, known, part).complaints()


@dataclass(frozen=True)
class _Known:
    """What applications of all enterprises rest on; ``workflows`` are told with their publications.

    ``rounds`` are the bodies of opened rounds, ``closings`` the entries that closed them, both by
    the digest of the round, and ``announcements`` bodies by their own.
    """

    calendars: Calendars
    rounds: Mapping[str, Body]
    closings: Mapping[str, Recorded]
    announcements: Mapping[str, Body]
    workflows: Sequence[tuple[int, str]]


def _read(session: Session) -> _Known:
    """Read it; whatever is altered or lost is reported elsewhere, and missing here."""
    calendars, workflows = list[tuple[int, Calendar]](), list[tuple[int, str]]()
    opened, closings, announced = dict[str, Body](), dict[str, Recorded](), dict[str, Body]()
    kinds = ("publication", "calendar", "round", "announcement")
    for entry in journal.entries(session, kinds=kinds, checked=False):
        with suppress(*UNREADABLE, RecordError):
            body = entry.content
            if entry.kind == "round" and "round" in body:
                closings[body["round"]] = recorded(entry)
            elif entry.kind == "round":
                opened[entry.digest] = body
            elif entry.kind == "announcement":
                announced[entry.digest] = body
            if entry.kind == "publication":
                workflows.append((entry.seq, body.get("workflows", "")))
            if "calendar" in body:
                calendars.append((entry.seq, publication.calendar(session, body["calendar"])))
    return _Known(Calendars.of(calendars), opened, closings, announced, workflows)


class _Decided(NamedTuple):
    seq: int
    digest: str
    filing_id: int
    procedure: str
    outcome: str


class _Part:
    """Some enterprises, with what was known of them at any moment."""

    def __init__(self, session: Session, known: _Known, usccs: Sequence[str]) -> None:
        self.session = session
        self.known = known
        self.usccs = usccs
        self.followed = Applications(
            partial(publication.workflows, session), known.rounds.__getitem__, known.calendars
        )
        self.filings = Filings(session, usccs)
        self.decisions, self.changes = _decisions(session, self.filings.ids)
        self.titles = dict[str, Body]()
        for entry in journal.entries(session, kinds=("title",), subjects=usccs, checked=False):
            with suppress(*UNREADABLE):  # an altered one is reported elsewhere
                self.titles[entry.digest] = entry.content

    def complaints(self) -> Iterator[str]:
        kinds = ("application", "step")
        for entry in journal.entries(self.session, kinds=kinds, subjects=self.usccs, checked=False):
            where = f"第{entry.seq}号{KINDS[entry.kind]}"
            try:
                said = self._application if entry.kind == "application" else self._step
                yield from (f"{where}{wrong}" for wrong in said(entry))
            except DescribedError as error:
                yield f"{where}当时不能登记：{error}"
            except UNREADABLE:
                yield f"{where}已被改动，无法读取"

    def _application(self, entry: journal.Entry) -> Iterator[str]:
        body, day = entry.content, date.fromisoformat(entry.content["applied_on"])
        try:
            self.followed.refuse(recorded(entry), self.known.closings.get(body["round"]))
        except DescribedError as error:
            yield f"当时不能登记：{error}"
        self.followed.open(recorded(entry))
        published = [named for seq, named in self.known.workflows if seq < entry.seq]
        if body["workflows"] != (published[-1] if published else ""):
            yield "所依的办理程序不是当时发布的"
        filed = self.filings.newest(body["uscc"], entry.recorded_at, day)
        if filed is None or filed.as_of.isoformat() != body["filed_as_of"]:
            yield "所写的填报日期不是当时最新的填报"
        if not self.filings.stated(body["uscc"], entry.recorded_at, body["province"]):
            yield "所写的省份不是当时填报的"

    def _step(self, entry: journal.Entry) -> Iterator[str]:
        body = entry.content
        effects = self.followed.take(recorded(entry)).act.effects
        application = self.followed.found[body["application"]]
        if bool({GRANT, EXTEND}.intersection(effects)) is not ("announcement" in body):
            yield "与公告不符：授予或延续称号的办理应随公告，其他的不应"
        elif "announcement" in body:
            announced = self.known.announcements.get(body["announcement"])
            title = self.titles.get(body["title"])
            if announced and title:  # what is missing is reported elsewhere
                refuse_mistitled(body, effects, entry.tier, announced, title)
        if entry.tier != application.entry.body["tier"]:
            yield "的层级与其申报不符"
        decided = self._decided(entry, application.entry.body)
        expected = (decided.digest, decided.outcome) if decided else (None, "")
        if (body["decision"], body["outcome"]) != expected:
            yield "所依的决定不是当时有效的决定"

    def _decided(self, entry: journal.Entry, application: Body) -> _Decided | None:
        """The decision on which a step could rest when it was recorded."""
        made = self.decisions.get((application["uscc"], application["tier"]), ())
        last = next((one for one in reversed(made) if one.seq < entry.seq), None)
        newest = self.filings.newest(application["uscc"], entry.recorded_at)
        if last is None or newest is None or last.filing_id != newest.id:
            return None
        if any(last.seq < seq < entry.seq for seq in self.changes.get(last.filing_id, ())):
            return None
        return last if last.procedure == application["procedure"] else None


def _decisions(
    session: Session, filing_ids: Sequence[int]
) -> tuple[dict[tuple[str, str], list[_Decided]], dict[int, list[int]]]:
    """The decisions by enterprise and tier, and the numbers of what changed filings, in order."""
    made: dict[tuple[str, str], list[_Decided]] = {}
    changes: dict[int, list[int]] = {}
    for part in chunks(filing_ids):
        kinds = ("decision", *CHANGING)
        for entry in journal.entries(session, kinds=kinds, filing_ids=part, checked=False):
            assert entry.filing_id is not None
            if entry.kind in CHANGING:
                changes.setdefault(entry.filing_id, []).append(entry.seq)
                continue
            with suppress(*UNREADABLE):  # an altered one is reported elsewhere
                body = entry.content
                decided = _Decided(
                    entry.seq,
                    entry.digest,
                    entry.filing_id,
                    body["case"]["procedure"],
                    Outcome(body["verdict"]).text,
                )
                made.setdefault((body["case"]["uscc"], entry.tier), []).append(decided)
    for decisions in made.values():
        decisions.sort()
    return made, changes
