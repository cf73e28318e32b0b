"""Gathers the contents of a bundle: decisions, everything they rest on, and the tree of proofs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias

import sqlalchemy as sa
from sqlmodel import Session

from registry.audit import checkpoints
from registry.audit.keys import SigningKey
from registry.database.versions import chunks
from registry.errors import RecordError
from registry.portable.clock import midnight, moment_text
from registry.portable.merkle import Tree
from registry.portable.notes import Checkpoint
from registry.portable.verifier import EARLIEST, LATEST
from registry.record import cases, journal, publication
from registry.record.journal import Entry
from rules.model.catalogue import Catalogue
from rules.portable.errors import Remedy
from rules.portable.record import Body, Json


@dataclass(frozen=True)
class Selection:
    """A selection of decisions: by ``numbers``, or all of a tier recorded in a period.

    An empty tier means every tier. ``first`` and ``last`` are days of recording in China, both
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
    """Decisions and everything on which they rest, under one signed checkpoint.

    ``settled`` are determinations with their confirmations, and registrations. ``published`` are
    the publications in force, and ``documents`` their rulesets, tables and feature files as members
    of the bundle. ``catalogue`` is that of the last of them, which names facts for people. ``facts``
    are the facts of filings by number. If a period was selected,
    ``headers`` are those of all its entries, with one beyond it at each end.
    """

    note: str
    point: Checkpoint
    tree: Tree
    decisions: tuple[Entry, ...]
    settled: tuple[Entry, ...]
    published: tuple[Entry, ...]
    documents: Mapping[str, bytes]
    catalogue: Catalogue
    facts: Mapping[int, Body]
    headers: tuple[Body, ...] = ()

    @property
    def entries(self) -> list[Entry]:
        """All entries of the bundle, in order."""
        found = {e.seq: e for e in (*self.decisions, *self.settled, *self.published)}
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
        raise RecordError("nothing-selected", "所选范围内没有决定", remedy=Remedy("find-decisions"))


def gather(session: Session, selection: Selection, key: SigningKey, covering: Covering) -> Evidence:
    """Gather the evidence for a selection, from the entries that a checkpoint covers.

    Raises ``RecordError`` if nothing is selected.
    """
    asked = selection.to_json()
    refuse_nothing(session, selection)
    note, tree = covering
    point = checkpoints.read(note, key.verifier_key)
    decisions = tuple(d for d in _selected(session, asked) if d.seq <= point.size)
    published, documents = _publications(session, decisions)
    ids = list(dict.fromkeys(entry.filing_id or 0 for entry in decisions))
    return Evidence(
        note=note,
        point=point,
        tree=tree,
        decisions=decisions,
        settled=(*_determinations(session, decisions), *_register(session, decisions)),
        published=published,
        documents=documents,
        catalogue=publication.published_catalogue(session, published[-1].content["applicability"]),
        facts={case.filing_id: case.facts for case in cases.cases(session, ids)},
        headers=() if selection.numbers else tuple(_headers(session, asked, point.size)),
    )


def _selected(session: Session, asked: Json) -> Iterator[Entry]:
    if "numbers" in asked:
        for number in asked["numbers"]:
            found = journal.entry(session, number)
            if found.kind != "decision":
                raise journal.not_a_decision(number)
            yield found
        return
    for entry in journal.entries(session, kinds=["decision"], tier=asked["tier"]):
        if asked["from"] <= moment_text(entry.recorded_at) < asked["until"]:
            yield entry


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
    session: Session, decisions: Iterable[Entry]
) -> tuple[tuple[Entry, ...], dict[str, bytes]]:
    """The publications in force for decisions; rulesets, tables and feature files as members."""
    published = list(journal.entries(session, kinds=["publication"]))
    last = {max(p.seq for p in published if p.seq < e.seq) for e in decisions}
    found = [p for p in published if p.seq in last]
    files = {
        f"rulesets/{d}.json": publication.document(session, d, "ruleset").encode()
        for d in {e.content["ruleset"] for e in decisions}
    }
    for entry in found:
        body = entry.content
        table = body["applicability"]
        text = publication.document(session, table, "applicability")
        files[f"applicability/{table}.json"] = text.encode()
        for path, name in body["sources"].items():
            text = publication.document(session, name, "source")
            files[f"features/{entry.seq}/{path}"] = text.encode()
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
