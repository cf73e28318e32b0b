"""What loading and undoing leave in the journal: which filings arrived, as digests over their rows.

These reveal later whether a filing was changed, added or lost outside the registry's control, even
if no decision rests on it yet.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database.models import Import, Restatement
from registry.database.versions import ENTERPRISE, FILING, table_of
from registry.portable.clock import moment_text
from registry.record import journal
from rules.portable.canonical import canonical_json, digest, sha256

IMPORT: Final = table_of(Import)
_RESTATEMENT: Final = table_of(Restatement)
_SCHEMA: Final = 1


def intake(
    session: Session, import_id: int, closed: Sequence[int], *, by: str, now: datetime
) -> None:
    """Record a load that was just stored; ``closed`` are the versions that it superseded."""
    stored = session.execute(sa.select(IMPORT).where(IMPORT.c.id == import_id)).mappings().one()
    body = {
        "schema": _SCHEMA,
        "import": import_json(stored),
        "filings": filings_json(session, _first_unrecorded(session)),
        "closed": sorted(closed),
        "restated": restated_json(session, import_id),
    }
    journal.append(session, [journal.Draft(kind="intake", body=body)], by=by, now=now)


def undo(
    session: Session, import_id: int, closed: Sequence[int], *, by: str, now: datetime
) -> None:
    """Record that a load was taken back; reopened versions are new rows."""
    body = {
        "schema": _SCHEMA,
        "import": {"id": import_id},
        "filings": filings_json(session, _first_unrecorded(session)),
        "closed": sorted(closed),
    }
    journal.append(session, [journal.Draft(kind="undo", body=body)], by=by, now=now)


def adopt(session: Session, *, by: str, now: datetime) -> None:
    """Record what a registry held before it had a journal; does nothing once it has one.

    ``imports`` also say when they were undone and what they restated, ``closed`` when each version
    ended.
    """
    if journal.head(session) is not None or not session.scalar(sa.select(sa.func.max(FILING.c.id))):
        return
    body = {
        "schema": _SCHEMA,
        "import": None,
        "imports": [
            {
                **import_json(row),
                "undone_at": row["undone_at"] and moment_text(row["undone_at"]),
                "restated": restated_json(session, row["id"]),
            }
            for row in session.execute(sa.select(IMPORT).order_by(IMPORT.c.id)).mappings()
        ],
        "filings": filings_json(session, 1),
        "closed": [
            [id, moment_text(until)]
            for id, until in session.execute(
                sa.select(FILING.c.id, FILING.c.known_until)
                .where(FILING.c.known_until.is_not(None))
                .order_by(FILING.c.id)
            )
        ],
    }
    journal.append(session, [journal.Draft(kind="intake", body=body)], by=by, now=now)


def import_json(row: sa.RowMapping) -> dict[str, Any]:
    """An import as its entry states it; its undoing is an entry of its own."""
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in row.items()
        if name != "undone_at"
    }


def filings_json(session: Session, first: int, last: int | None = None) -> dict[str, Any]:
    """The number of versions of filings with these numbers, and the digest over all they state.

    To verify: the SHA-256 of one line of canonical JSON per version, in order of ``id``: [id,
    credit code, day, version it replaced, digest of its facts and identity, SHA-256 of its facts
    with their sources, its other sources, import, since when it is known].
    """
    query = (
        sa.select(
            FILING.c.id,
            ENTERPRISE.c.uscc,
            FILING.c.as_of,
            FILING.c.replaces_id,
            FILING.c.digest,
            FILING.c.facts,
            FILING.c.sources,
            FILING.c.import_id,
            FILING.c.known_from,
        )
        .join_from(FILING, ENTERPRISE)
        .where(FILING.c.id >= first)
        .order_by(FILING.c.id)
        .execution_options(yield_per=500)
    )
    if last is not None:
        query = query.where(FILING.c.id <= last)
    lines: list[str] = []
    ids: list[int] = []
    for id, uscc, as_of, replaces, said, facts, *rest, known_from in session.execute(query):
        ids.append(id)
        line = [id, uscc, as_of.isoformat(), replaces, said, sha256(facts), *rest]
        lines.append(sha256(canonical_json([*line, moment_text(known_from)])))
    return {
        "first": ids[0] if ids else None,
        "last": ids[-1] if ids else None,
        "count": len(ids),
        "digest": digest(lines),
    }


def restated_json(session: Session, import_id: int) -> dict[str, Any]:
    """The number of filings that a load stated again unchanged, and a digest of their numbers."""
    query = sa.select(_RESTATEMENT.c.filing_id).where(_RESTATEMENT.c.import_id == import_id)
    ids = sorted(session.scalars(query))
    return {"count": len(ids), "digest": digest(ids)}


def _first_unrecorded(session: Session) -> int:
    """The first number that no receipt covers; receipts cover numbers in order."""
    for entry in journal.newest_first(session, ("intake", "undo")):
        if last := entry.content["filings"]["last"]:
            return int(last) + 1
    return 1
