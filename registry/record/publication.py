"""Publishing criteria: compiled rulesets stored by digest with the texts they came from.

Decisions are made by published criteria, never by files. A publication is an entry of the journal.
The last one governs new decisions, and all earlier ones remain readable for good. A fresh registry
publishes the packaged criteria by itself on first use.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlmodel import Session

import rules
from registry.database import followed, projection
from registry.database.altered import UNREADABLE
from registry.database.models import Document
from registry.database.versions import table_of
from registry.errors import RecordError
from registry.judging.published import Published
from registry.kit import resources
from registry.record import journal, receipts
from rules.language.editions import ApplicabilityRow
from rules.model.catalogue import Catalogue, catalogue_of
from rules.model.ruleset import Position
from rules.portable.applications import Calendars
from rules.portable.calendar import Calendar
from rules.portable.canonical import canonical_json, sha256
from rules.portable.errors import Remedy
from rules.portable.record import Body
from rules.portable.workflow import CLOCK

if TYPE_CHECKING:
    from rules.language.rulebook import Rulebook

_DOCUMENT: Final = table_of(Document)
#: The files of a features folder from which rules are compiled.
_TEXTS: Final = ("*.feature", "*.csv", "*.md")
#: The data maps of a features folder; one without any stands on the packaged ones.
_MAPS: Final = "maps"


@dataclass(frozen=True)
class Publication:
    """The result of publishing; ``seq`` is None if nothing had changed.

    ``years`` says of each year of the calendar what the publication states otherwise than before.
    """

    seq: int | None
    applicability: str
    changed: Mapping[str, str]
    unchanged: Mapping[str, str]
    years: Mapping[str, Sequence[str]] = field(default_factory=dict)


def publish(
    session: Session,
    rulebook: "Rulebook",
    folder: Path,
    *,
    by: str,
    now: datetime,
    own: Path | None = None,
) -> Publication:
    """Store what a features folder compiles to and record it, unless it is already in force.

    ``own`` is the folder of packs laid over it, if any.

    Needs a writing transaction.
    """
    receipts.adopt(session, by=by, now=now)
    rulesets = {root: rulebook.ruleset(root).canonical() for root in roots(rulebook)}
    digests = {root: sha256(text) for root, text in rulesets.items()}
    rows = [_row_json(row, digests) for row in rulebook.applicability]
    catalogue = canonical_json(rulebook.catalogue.to_json())
    table = canonical_json({"catalogue": sha256(catalogue), "rows": rows, "schema": 1})
    handling, clocks = workflows_text(rulebook), clocks_text(rulebook)
    almanac = calendar_text(session, rulebook)
    last = latest(session)
    before = last.content["rulesets"] if last else {}
    sources = texts(rulebook, folder, own)
    named = {path: sha256(text) for path, text in sources.items()}
    body = {
        "schema": 1,
        "rulesets": digests,
        "applicability": sha256(table),
        "workflows": sha256(handling),
        "clocks": sha256(clocks),
        "calendar": sha256(almanac),
        "sources": named,
    }
    unchanged = {root: d for root, d in digests.items() if before.get(root) == d}
    changed = {root: d for root, d in digests.items() if root not in unchanged}
    known = calendar_in_force(session)  # by an entry of its own it may be newer
    if last is not None and known and {**last.content, "calendar": known} == body:
        return Publication(None, sha256(table), {}, unchanged)
    _store(session, "source", sources.values())
    _store(session, "ruleset", rulesets.values())
    _store(session, "catalogue", [catalogue])
    _store(session, "applicability", [table])
    _store(session, "workflows", [handling])
    _store(session, "clocks", [clocks])
    _store(session, "calendar", [almanac])
    [entry] = journal.append(
        session, [journal.Draft(kind="publication", body=body)], by=by, now=now
    )
    projection.refresh_open(session.connection())
    return Publication(entry.seq, sha256(table), changed, unchanged)


def workflows_text(rulebook: "Rulebook") -> str:
    """The workflows as they are published, with the rows that say which one handles a case."""
    rows = [_row_json(row, {}) for row in rulebook.workflow_rows]
    for row in rows:
        row["workflow"] = row.pop("ruleset")
        del row["digest"]
    found = {
        id: {**workflow.to_json(), **_told(rulebook, id)}
        for id, workflow in rulebook.workflows.items()
    }
    return canonical_json({"rows": rows, "schema": 1, "workflows": found})


@dataclass(frozen=True)
class WorkflowTable:
    """The published workflows, with the rows that say which one handles a case."""

    digest: str
    table: Body


def workflow_table(session: Session) -> WorkflowTable:
    """The workflows in force; ``RecordError`` if the last publication has none."""
    last = latest(session)
    digest = last.content.get("workflows") if last else None
    if digest is None:
        raise RecordError(
            "no-workflows",
            "登记库所发布的标准没有办理程序：请重新发布标准",
            remedy=Remedy("publish-criteria"),
        )
    return WorkflowTable(digest, workflows(session, digest))


def workflows(session: Session, digest: str) -> Body:
    """The published workflows with that digest."""
    return followed.parsed(document(session, digest, "workflows"))


def calendar(session: Session, digest: str) -> Calendar:
    """The published calendar with that digest."""
    return followed.calendar(document(session, digest, "calendar"))


def calendars(session: Session) -> Calendars:
    """Every calendar that was ever in force."""
    kinds = ("publication", "calendar")
    return Calendars.of(
        [
            (entry.seq, calendar(session, named))
            for entry in journal.entries(session, kinds=kinds)
            if (named := entry.content.get("calendar"))
        ]
    )


def clocks_text(rulebook: "Rulebook") -> str:
    """The clocks as they are published, with the rows that say which of them govern."""
    from rules.language.clocks import published  # only publishing needs the language

    found = published(rulebook.clock_rows, rulebook.clocks)
    tables = {id: {**table, **_told(rulebook, id)} for id, table in found["clocks"].items()}
    return canonical_json({"schema": 1, **found, "clocks": tables})


def _told(rulebook: "Rulebook", id: str) -> dict[str, Any]:
    """The title of a clause and its prose, in JSON's own types."""
    clause = rulebook.clauses[id]
    return {"title": clause.title, "prose": [*clause.prose]}


def clocks_digest(session: Session) -> str:
    """The digest of the clocks in force; ``RecordError`` if the last publication has none."""
    last = latest(session)
    digest = last.content.get("clocks") if last else None
    if digest is None:
        raise RecordError(
            "no-clocks",
            "登记库还没有发布计时表，不能推算到期事项",
            remedy=Remedy("publish-criteria"),
        )
    return str(digest)


def clocks(session: Session, digest: str) -> Body:
    """The published clocks with that digest."""
    return followed.parsed(document(session, digest, "clocks"))


def calendar_text(session: Session, rulebook: "Rulebook") -> str:
    """The calendar as it is published: years that a bureau added on record remain."""
    known = calendar_in_force(session)
    years = json.loads(document(session, known, "calendar"))["years"] if known else {}
    return canonical_json({"schema": 1, "years": {**years, **rulebook.calendar}})


def calendar_in_force(session: Session, *, until: int | None = None) -> str | None:
    """The digest of the calendar in force; None if none was published. ``until`` as in ``current``."""
    kinds = ("publication", "calendar")
    entry = next(journal.newest_first(session, kinds, last=until), None)
    return entry.content.get("calendar") if entry else None


def last_calendar(session: Session) -> str | None:
    """The digest of the last calendar that was ever in force; None without any."""
    found = journal.newest_first(session, ("publication", "calendar"))
    return next((named for entry in found if (named := entry.content.get("calendar"))), None)


def clocked(session: Session) -> frozenset[tuple[str, str]]:
    """The tiers and states of all workflows ever published in which the end of a term does something."""
    named = {
        entry.content.get("workflows") for entry in journal.entries(session, kinds=["publication"])
    }
    tables = [workflows(session, digest) for digest in sorted(filter(None, named))]
    return frozenset(
        (row["tier"], act["state"])
        for table in tables
        for row in table["rows"]
        for act in table["workflows"][row["workflow"]]["acts"]
        if act["actor"] == CLOCK
    )


def hold_calendar(session: Session, text: str) -> str:
    """Store the canonical text of a calendar; returns its digest."""
    _store(session, "calendar", [text])
    return sha256(text)


def texts(rulebook: "Rulebook", folder: Path, own: Path | None = None) -> dict[str, str]:
    """The files from which a rulebook was compiled, by path, as they are published."""
    maps = {} if (folder / _MAPS).is_dir() else _sources(resources.features() / _MAPS, f"{_MAPS}/")
    laid_over = _sources(own, f"{own.resolve().name}/") if own else {}
    return maps | _sources(folder) | laid_over | {d.path: d.text for d in rulebook.documents}


def judges_alike(published: Published, rulebook: "Rulebook") -> bool:
    """Whether published criteria and compiled ones have the same rulesets, each for the same cases."""
    digests = {root: rulebook.ruleset(root).digest for root in roots(rulebook)}

    def rows(table: Iterable[ApplicabilityRow]) -> list[dict[str, Any]]:
        return [_row_json(row, {}) for row in table]

    same_rows = rows(published.applicability) == rows(rulebook.applicability)
    return same_rows and dict(published.digests) == digests


def current(session: Session, *, until: int | None = None) -> Published | None:
    """The criteria of the last publication; None if nothing was published yet.

    ``until`` asks for the criteria in force after that many entries of the journal.
    """
    last = latest(session, until=until)
    if last is None:
        return None
    return published(session, last.content["applicability"])


def named_sources(session: Session, *, until: int | None = None) -> dict[str, str]:
    """The digests of the files from which the criteria of the last publication were compiled, by path.

    Empty if nothing was published; ``until`` as in ``current``.
    """
    last = latest(session, until=until)
    return dict(last.content["sources"]) if last else {}


def sources(session: Session, *, until: int | None = None) -> dict[str, str]:
    """The files from which the criteria of the last publication were compiled, by path, as above."""
    named = named_sources(session, until=until)
    return {path: document(session, digest, "source") for path, digest in named.items()}


def published(session: Session, applicability: str) -> Published:
    """The published criteria whose applicability table has this digest."""
    table = document(session, applicability, "applicability")
    plain = json.loads(table)
    digests = {row["ruleset"]: row["digest"] for row in plain["rows"] if row["digest"]}
    texts = {d: document(session, d, "ruleset") for d in digests.values()}
    return Published(
        applicability_digest=applicability,
        applicability=tuple(applicability_rows(table)),
        digests=digests,
        texts=texts,
        catalogue=published_catalogue(session, applicability),
    )


def published_catalogue(session: Session, applicability: str) -> Catalogue:
    """What could be filed by the criteria whose applicability table has this digest.

    It is the packaged catalogue for criteria that were published without any.
    """
    plain = json.loads(document(session, applicability, "applicability"))
    digest = plain.get("catalogue")
    if digest is None:
        return packaged_catalogue()
    return _decoded_catalogue(document(session, digest, "catalogue"))


@lru_cache(maxsize=4)
def _decoded_catalogue(text: str) -> Catalogue:
    return catalogue_of(json.loads(text))


@lru_cache(maxsize=1)
def packaged_catalogue() -> Catalogue:
    """What may be filed by the criteria that ship with the program."""
    from rules.language.rulebook import declared  # only few registries need the Gherkin parser

    return declared(resources.features())


def to_be_filed(session: Session) -> Catalogue:
    """What may be filed now; before anything is published, by the criteria that would be published."""
    last = latest(session)
    if last is None:
        return to_be_published()
    return published_catalogue(session, last.content["applicability"])


def to_be_published() -> Catalogue:
    """What may be filed by the criteria that a new registry publishes."""
    folder, own = resources.criteria()
    return _compiled(folder, own).catalogue if own else packaged_catalogue()


def catalogues(session: Session, tables: Iterable[str]) -> list[Catalogue]:
    """The catalogues by which filings may have been stored, the newest first.

    They are those of the applicability ``tables`` with these digests, older ones first, and the
    packaged one. What is altered or lost is left out.
    """
    found: dict[Catalogue, None] = {packaged_catalogue(): None}
    for name in tables:
        with suppress(*UNREADABLE, RecordError):
            found[published_catalogue(session, name)] = None
    return [*found][::-1]


def hold_catalogue(session: Session, digest: str, *, by: str, now: datetime) -> None:
    """Keep the catalogue with that digest on record; filings can be verified only by it.

    A registry without any publication publishes its criteria, if they declare more than the
    packaged ones. Raises ``RecordError`` for any other catalogue.

    Needs a writing transaction.
    """
    if digest == packaged_digest() or _is_held(session, digest):
        return
    if latest(session) is None:
        in_force(session, by=by, now=now)
    if not _is_held(session, digest):
        raise RecordError(
            "catalogue-not-published",
            "读取文件所依据的填报项目录没有发布，或已被新的发布取代：请重新读取文件后再登记",
        )


@lru_cache(maxsize=1)
def packaged_digest() -> str:
    """The digest of what may be filed by the criteria that ship with the program."""
    return sha256(canonical_json(packaged_catalogue().to_json()))


def _is_held(session: Session, digest: str) -> bool:
    query = sa.select(_DOCUMENT.c.digest).where(_DOCUMENT.c.digest == digest)
    return session.scalar(query.where(_DOCUMENT.c.kind == "catalogue")) is not None


def in_force(session: Session, *, by: str, now: datetime) -> Published:
    """The criteria in force; a registry without any publishes the packaged ones and a bureau's own.

    Needs a writing transaction if nothing was published yet.
    """
    found = current(session)
    if found is None:
        folder, own = resources.criteria()
        publish(session, _compiled(folder, own), folder, by=by, now=now, own=own)
        found = current(session)
        assert found is not None
    return found


def _compiled(folder: Path, own: Path | None) -> "Rulebook":
    """The criteria of these folders; only the packaged ones never change while the program runs."""
    return rules.load(folder, own, base=resources.features()) if own else packaged(folder)


@lru_cache(maxsize=2)
def packaged(folder: Path) -> "Rulebook":
    """The criteria that ship with the program, compiled once."""
    return rules.load(folder)


def document(session: Session, digest: str, kind: str) -> str:
    """The text with that digest; ``RecordError`` if it is lost or no longer matches."""
    query = sa.select(_DOCUMENT.c.text).where(_DOCUMENT.c.digest == digest)
    text = session.scalar(query.where(_DOCUMENT.c.kind == kind))
    if text is None:
        raise RecordError(
            "text-missing", "登记库缺少摘要为{value:.12}…的文本：请从备份恢复", value=digest
        )
    if sha256(text) != digest:
        raise RecordError(
            "text-altered", "摘要为{value:.12}…的文本已被改动：请从备份恢复", value=digest
        )
    return str(text)


def applicability_rows(table: str) -> list[ApplicabilityRow]:
    """The rows of a published applicability table."""
    return [
        ApplicabilityRow(
            tier=row["tier"],
            procedure=row["procedure"],
            province=row["province"],
            batch=row["batch"],
            start=_day(row["start"]),
            end=_day(row["end"]),
            ruleset=row["ruleset"],
            basis=row["basis"],
            position=Position("已发布的适用表", number),
        )
        for number, row in enumerate(json.loads(table)["rows"], 1)
    ]


def latest(session: Session, *, until: int | None = None) -> journal.Entry | None:
    """The entry of the last publication; None if nothing was published. ``until`` as in ``current``."""
    return next(journal.newest_first(session, ["publication"], last=until), None)


def roots(rulebook: "Rulebook") -> list[str]:
    """The root rules to be published."""
    return list(dict.fromkeys(r.ruleset for r in rulebook.applicability if r.encoded))


def _row_json(row: ApplicabilityRow, digests: Mapping[str, str]) -> dict[str, Any]:
    return {
        "tier": row.tier,
        "procedure": row.procedure,
        "province": row.province,
        "batch": row.batch,
        "start": row.start and row.start.isoformat(),
        "end": row.end and row.end.isoformat(),
        "ruleset": row.ruleset,
        "basis": row.basis,
        "digest": digests.get(row.ruleset),
    }


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _sources(folder: Path, prefix: str = "") -> dict[str, str]:
    files = sorted(f for pattern in _TEXTS for f in folder.rglob(pattern))
    return {
        f"{prefix}{f.relative_to(folder).as_posix()}": f.read_text(encoding="utf-8") for f in files
    }


def _store(session: Session, kind: str, texts: Iterable[str]) -> None:
    named = {sha256(text): text for text in texts}
    known = set(session.scalars(sa.select(_DOCUMENT.c.digest).where(_DOCUMENT.c.digest.in_(named))))
    rows = [
        {"digest": d, "kind": kind, "text": text} for d, text in named.items() if d not in known
    ]
    if rows:
        session.execute(sa.insert(_DOCUMENT), rows)
    for name in named:
        document(session, name, kind)  # checks that it exists and matches
