"""Gathers the contents of a bundle: decisions, everything they rest on, and the tree of proofs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeAlias

import sqlalchemy as sa
from sqlmodel import Session

from registry.audit import checkpoints
from registry.audit.keys import SigningKey
from registry.database.versions import chunks
from registry.errors import RecordError
from registry.portable.clock import midnight, moment_text
from registry.portable.contents import last_before, member
from registry.portable.merkle import Tree
from registry.portable.notes import Checkpoint
from registry.portable.verifier import EARLIEST, LATEST
from registry.record import cases, journal, publication
from registry.record.journal import Entry
from rules.model.catalogue import Catalogue
from rules.portable.duties import KINDS, is_recheck
from rules.portable.errors import Remedy
from rules.portable.record import Body, Json


@dataclass(frozen=True)
class Selection:
    """A selection: entries by ``numbers``, or all of a tier recorded in a period.

    Decisions, applications, what was recorded of duties, and cancellations of titles are selected.
    An application is selected with all its steps, and by each of them. An empty tier means every
    tier. ``first`` and ``last`` are days of recording in China, both
    included.
    """

    numbers: tuple[int, ...] = ()
    tier: str = ""
    first: date | None = None
    last: date | None = None

    def to_json(self) -> Json:
        """The selection in the form of the manifest; moments are UTC, ``until`` is exclusive."""
        if self.numbers:
            return {"numbers": sorted(set(self.numbers))}
        return {
            "tier": self.tier,
            "from": moment_text(midnight(self.first)) if self.first else EARLIEST,
            "until": moment_text(midnight(self.last + timedelta(days=1))) if self.last else LATEST,
        }


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Decisions, applications, and everything on which they rest, under one signed checkpoint.

    ``settled`` are determinations with their confirmations, and registrations. ``steps`` are the
    applications and their steps, with rounds and announcements, and ``held`` what is on record of the
    holders of titles. ``published`` are the publications
    and calendars in force, and ``documents`` their rulesets, tables and feature files as members of
    the bundle. ``catalogue`` is that of the last of them, which names facts for people. ``facts``
    are the facts of filings by number. If a period was selected,
    ``headers`` are those of all its entries, with one beyond it at each end.
    """

    note: str
    point: Checkpoint
    tree: Tree
    decisions: tuple[Entry, ...]
    settled: tuple[Entry, ...]
    steps: tuple[Entry, ...]
    held: tuple[Entry, ...]
    published: tuple[Entry, ...]
    documents: Mapping[str, bytes]
    catalogue: Catalogue
    facts: Mapping[int, Body]
    headers: tuple[Body, ...] = ()

    @property
    def entries(self) -> list[Entry]:
        """All entries of the bundle, in order."""
        found = {
            e.seq: e
            for e in (*self.decisions, *self.settled, *self.steps, *self.held, *self.published)
        }
        return [found[seq] for seq in sorted(found)]

    def proof(self, seq: int) -> list[str]:
        """The proof that an entry is in the journal under the checkpoint."""
        return [node.hex() for node in self.tree.inclusion(seq - 1, self.point.size)]

    def consistency(self, earlier: Checkpoint) -> list[str]:
        """The proof that the checkpoint continues an earlier one."""
        return [node.hex() for node in self.tree.consistency(earlier.size, self.point.size)]


#: A signed checkpoint, and a tree over the entries that it covers, at least.
Covering: TypeAlias = tuple[str, Tree]


def refuse_nothing(session: Session, selection: Selection) -> None:
    """Raise ``RecordError`` if nothing is selected."""
    if next(_selected(session, selection.to_json()), None) is None:
        raise RecordError(
            "nothing-selected",
            "所选范围内没有决定、申报或授予称号以后的记录",
            remedy=Remedy("find-decisions"),
        )


def gather(session: Session, selection: Selection, key: SigningKey, covering: Covering) -> Evidence:
    """Gather the evidence for a selection, from the entries that a checkpoint covers.

    Raises ``RecordError`` if nothing is selected.
    """
    asked = selection.to_json()
    refuse_nothing(session, selection)
    note, tree = covering
    point = checkpoints.read(note, key.verifier_key)
    selected = [entry for entry in _selected(session, asked) if entry.seq <= point.size]
    asked_for = [e for e in selected if e.kind in ("application", "step")]
    steps = _steps(session, asked_for, point.size)
    followed = _followed(session, [e for e in selected if e.kind in _HELD], steps, point.size)
    steps = _steps(session, [*asked_for, *_rechecks(session, followed)], point.size)
    resting = {e.seq: e for e in (*selected, *_rested(session, steps)) if e.kind == "decision"}
    decisions = tuple(resting[seq] for seq in sorted(resting))
    held = [e for e in followed if e.kind in _HELD]
    clocked = [e for e in followed if e.kind not in _HELD or _runs(e)]
    published, documents = _publications(session, decisions, steps, clocked)
    ids = list(dict.fromkeys(entry.filing_id or 0 for entry in decisions))
    return Evidence(
        note=note,
        point=point,
        tree=tree,
        decisions=decisions,
        settled=(*_determinations(session, decisions), *_register(session, decisions)),
        steps=(*steps, *_named(session, steps)),
        held=tuple(held),
        published=published,
        documents=documents,
        catalogue=_catalogue(session, published),
        facts={case.filing_id: case.facts for case in cases.cases(session, ids)},
        headers=() if selection.numbers else tuple(_headers(session, asked, point.size)),
    )


#: The kinds of entries that can be selected.
_SELECTABLE: Final = ("decision", "application", "step", *KINDS)
#: The kinds of entries about an enterprise's titles.
_HELD: Final = ("title", *KINDS)


def _selected(session: Session, asked: Json) -> Iterator[Entry]:
    if "numbers" in asked:
        for number in asked["numbers"]:
            found = journal.entry(session, number)
            if found.kind == "step" or not (found.kind in _SELECTABLE or _runs(found)):
                raise RecordError(
                    "not-selectable",
                    "第{value}号记录不是决定、申报，也不是授予称号以后的记录",
                    value=number,
                    remedy=Remedy("list-entries"),
                )
            yield found
        return
    for entry in journal.entries(session, kinds=(*_SELECTABLE, "title"), tier=asked["tier"]):
        if entry.kind == "title" and not _runs(entry):
            continue
        if asked["from"] <= moment_text(entry.recorded_at) < asked["until"]:
            yield entry


def _steps(session: Session, selected: Sequence[Entry], size: int) -> list[Entry]:
    """The selected applications, and those of selected steps, each with all its steps."""
    wanted = {e.digest if e.kind == "application" else e.content["application"] for e in selected}
    subjects = sorted({str(e.subject) for e in selected})
    return [
        entry
        for part in chunks(subjects)
        for entry in journal.entries(
            session, last=size, kinds=("application", "step"), subjects=part
        )
        if entry.digest in wanted or entry.content.get("application") in wanted
    ]


def _runs(entry: Entry) -> bool:
    """Whether an entry about an enterprise's titles has to be what the clocks of its time allow."""
    return entry.kind in KINDS or (entry.kind == "title" and entry.content["action"] == "cancel")


def _followed(
    session: Session, held: Sequence[Entry], steps: Sequence[Entry], size: int
) -> list[Entry]:
    """What is on record of titles and applications, up to each enterprise's last checked entry.

    The selected entries ``held`` are checked; applications only if a title was cancelled or a
    consequence drawn before them.
    """
    ends = {str(e.subject): e.seq for e in held}
    asking = [e for e in steps if e.kind == "application"]
    subjects = sorted({*ends, *(str(e.subject) for e in asking)})
    kinds = (*_HELD, "application")
    known = [
        entry
        for part in chunks(subjects)
        for entry in journal.entries(session, last=size, kinds=kinds, subjects=part)
    ]
    judged: dict[str, int] = {}
    for entry in known:
        if entry.kind == "consequence" or (entry.kind == "title" and _runs(entry)):
            judged.setdefault(str(entry.subject), entry.seq)
    for entry in asking:
        uscc = str(entry.subject)
        if judged.get(uscc, size) < entry.seq:
            ends[uscc] = max(ends.get(uscc, 0), entry.seq)
    chosen = {e.seq for e in asking}
    found = [e for e in known if e.seq <= ends.get(str(e.subject), 0)]
    again = {e.seq for e in _rechecks(session, found)}
    return [e for e in found if e.kind in _HELD or e.seq in chosen | again]


def _rechecks(session: Session, entries: Iterable[Entry]) -> Iterator[Entry]:
    """Those of these entries that are applications for a re-check."""
    for entry in entries:
        if entry.kind == "application":
            found = publication.workflows(session, entry.content["workflows"])
            if is_recheck(found["workflows"][entry.content["workflow"]]):
                yield entry


def _rested(session: Session, steps: Sequence[Entry]) -> Iterator[Entry]:
    """The decisions on which steps rest."""
    wanted = {e.content["decision"] for e in steps if e.content.get("decision")}
    codes = sorted({str(e.subject) for e in steps if e.content.get("decision")})
    for code in codes:
        filings = cases.of_enterprise(session, code)
        for entry in journal.entries(session, kinds=["decision"], filing_ids=filings):
            if entry.digest in wanted:
                yield entry


def _named(session: Session, steps: Sequence[Entry]) -> Iterator[Entry]:
    """The rounds, announcements and titles that applications and steps name."""
    keys = ("round", "announcement", "title")
    wanted = {name for e in steps for key in keys if (name := e.content.get(key))}
    closings = [e for e in journal.entries(session, kinds=["round"]) if "round" in e.content]
    for part in chunks(sorted(wanted)):
        for number in journal.numbers(session, part).values():
            yield journal.entry(session, number)
    yield from (e for e in closings if e.content["round"] in wanted)


def _catalogue(session: Session, published: Sequence[Entry]) -> Catalogue:
    """What could be filed by the last of these publications."""
    publications = [e for e in published if e.kind == "publication"]
    if not publications:  # a complaint may come in before anything is published
        return Catalogue()
    named = publications[-1].content["applicability"]
    return publication.published_catalogue(session, named)


def _determinations(session: Session, decisions: Iterable[Entry]) -> list[Entry]:
    """The determinations behind decisions, earlier ones of the same targets, and confirmations."""
    wanted = {d for entry in decisions for d in entry.content["determinations"]}
    filings = sorted(
        {e.filing_id for e in decisions if e.filing_id and e.content["determinations"]}
    )
    kinds = ("determination", "confirmation")
    found = list(journal.entries(session, kinds=kinds, filing_ids=filings)) if filings else []
    last = {(e.filing_id, e.content.get("fact")): e.seq for e in found if e.digest in wanted}
    held = {
        e.digest
        for e in found
        if e.digest in wanted
        or ("fact" in e.content and e.seq < last.get((e.filing_id, e.content["fact"]), 0))
    }
    return [e for e in found if e.digest in held or e.content.get("determination") in held]


def _register(session: Session, decisions: Iterable[Entry]) -> Iterator[Entry]:
    """The registered titles and holdings on which decisions rest."""
    wanted = {d for e in decisions for d in e.content.get("register", ())}
    for part in chunks(sorted(wanted)):
        for number in journal.numbers(session, part).values():
            yield journal.entry(session, number)


def _publications(
    session: Session,
    decisions: Iterable[Entry],
    steps: Sequence[Entry],
    clocked: Sequence[Entry],
) -> tuple[tuple[Entry, ...], dict[str, bytes]]:
    """The publications and calendars in force for these entries, with their texts as members."""
    known = list(journal.entries(session, kinds=("publication", "calendar")))
    seqs = [p.seq for p in known if p.kind == "publication"]
    applications = [e for e in steps if e.kind == "application"]
    decided, handled, timed = (
        {last_before(e.seq, seqs) for e in some} for some in (decisions, applications, clocked)
    )
    dated = {last_before(e.seq, [p.seq for p in known]) for e in (*steps, *clocked)}
    found = [p for p in known if p.seq in decided | handled | timed | dated]
    texts = {("ruleset", e.content["ruleset"]) for e in decisions}
    texts |= {("workflows", e.content["workflows"]) for e in applications}
    files = {}
    for entry in found:
        body = entry.content
        if entry.seq in dated and "calendar" in body:
            texts.add(("calendar", body["calendar"]))
        if entry.kind == "calendar":
            continue
        if entry.seq in timed and "clocks" in body:
            texts.add(("clocks", body["clocks"]))
        if entry.seq in decided:
            texts.add(("applicability", body["applicability"]))
        for path, name in body["sources"].items():
            text = publication.document(session, name, "source")
            files[f"features/{entry.seq}/{path}"] = text.encode()
    for kind, name in texts:
        files[member(kind, name)] = publication.document(session, name, kind).encode()
    return tuple(found), files


def _headers(session: Session, asked: Json, size: int) -> Iterator[Json]:
    """The headers of all entries of a period, and one beyond it at each end, if there is one."""
    table = journal.JOURNAL
    start = datetime.fromisoformat(asked["from"])
    end = datetime.fromisoformat(asked["until"])
    before = session.scalar(sa.select(sa.func.max(table.c.seq)).where(table.c.recorded_at < start))
    beyond = sa.select(sa.func.min(table.c.seq)).where(table.c.recorded_at >= end)
    after = session.scalar(beyond.where(table.c.seq <= size))
    found = journal.entries(session, first=before or 1, last=after or size)
    return (entry.header() for entry in found)
