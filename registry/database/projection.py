"""Where the cases of every enterprise stand: the only writer of the table ``case_state``.

What is due of their titles (``registry.database.due``) is brought up to date with it.

Whoever adds filings, decisions or withdrawals calls ``refresh`` in the same transaction. Every row
follows from the other tables, which ``rebuild`` and ``differences`` ask again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, Final, NamedTuple, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from registry.database import called, due, followed
from registry.database.altered import UNREADABLE
from registry.database.models import (
    CREATE_NAMES_INDEX,
    NAMES_INDEX,
    CaseState,
    JournalEntry,
)
from registry.database.versions import ENTERPRISE, FILING, chunks, table_of
from registry.kit import names, regions
from registry.kit.progress import Done, ignored
from rules.model.ruleset import Outcome
from rules.portable.applications import Application

CASE_STATE: Final = table_of(CaseState)
_JOURNAL: Final = table_of(JournalEntry)

#: The key of a row: its enterprise, and its tier or nothing.
Key: TypeAlias = tuple[int, str]


class State(NamedTuple):
    """A row of ``case_state`` without its key."""

    uscc: str
    name: str
    pairs: str
    province: str | None
    city: str | None
    county: str | None
    standing: str | None
    decision: int | None
    filing_id: int | None
    as_of: date | None
    state: str | None = None
    level: str | None = None
    due: date | None = None
    step: int | None = None


#: The columns that may change.
CHANGING: Final = State._fields[1:]


def refresh(connection: sa.Connection, enterprise_ids: Sequence[int]) -> int:
    """Bring the rows of these enterprises up to date; returns how many were not."""
    return sum(_refresh(connection, part) for part in chunks(enterprise_ids))


def _refresh(connection: sa.Connection, enterprise_ids: Sequence[int]) -> int:
    expected, stored = _derived(connection, enterprise_ids), _stored(connection, enterprise_ids)
    usccs = dict.fromkeys(state.uscc for state in expected.values())
    return _store(connection, expected, stored) + due.refresh(connection, list(usccs))


def _store(
    connection: sa.Connection, expected: Mapping[Key, State], stored: Mapping[Key, State]
) -> int:
    """Store the rows that are not as expected; returns how many."""
    changed = [
        {"enterprise_id": key[0], "tier": key[1], **state._asdict()}
        for key, state in expected.items()
        if stored.get(key) != state
    ]
    if changed:
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        adding = kind.insert(CASE_STATE)
        setting = {name: adding.excluded[name] for name in CHANGING}
        key = list(CASE_STATE.primary_key)
        connection.execute(adding.on_conflict_do_update(index_elements=key, set_=setting), changed)
    return len(changed)


def step(connection: sa.Connection, taken: Mapping[int, Application]) -> None:
    """Bring up to date where applications stand after a step, by the numbers of these entries.

    Each has been followed already, and is the newest of its enterprise for its tier.
    """
    rows = [
        {"of": one.entry.body["uscc"], "for": one.entry.body["tier"], **_stands(one, seq)}
        for seq, one in taken.items()
    ]
    if not rows:
        return
    its = (CASE_STATE.c.uscc == sa.bindparam("of"), CASE_STATE.c.tier == sa.bindparam("for"))
    stored = connection.execute(sa.update(CASE_STATE).where(*its), rows).rowcount
    usccs = [row["of"] for row in rows]
    if stored == len(rows):
        due.refresh(connection, usccs)
    else:  # a row was missing
        refresh(connection, ids_of(connection, usccs))


def ids_of(connection: sa.Connection, usccs: Sequence[str]) -> list[int]:
    """The numbers of the enterprises with these credit codes, in order."""
    query = sa.select(ENTERPRISE.c.id)
    parts = (query.where(ENTERPRISE.c.uscc.in_(part)) for part in chunks(usccs))
    return sorted(id for part in parts for id in connection.scalars(part))


def refresh_open(connection: sa.Connection) -> int:
    """Bring up to date what terms and clocks say, after a calendar or a publication changed them."""
    query = sa.select(CASE_STATE.c.enterprise_id).where(CASE_STATE.c.level.is_not(None))
    changed = refresh(connection, sorted(set(connection.scalars(query))))
    return changed + due.refresh(connection, due.holders(connection))


def rebuild(connection: sa.Connection, progress: Done = ignored) -> int:
    """Bring all rows up to date, and the index of names; returns how many rows were not.

    ``progress`` receives the number of enterprises done.
    """
    changed = done = 0
    for part in chunks(_enterprises(connection)):
        expected, stored = _derived(connection, part), _stored(connection, part)
        surplus = stored.keys() - expected.keys()
        for id, tier in surplus:
            row = (CASE_STATE.c.enterprise_id == id) & (CASE_STATE.c.tier == tier)
            connection.execute(sa.delete(CASE_STATE).where(row))
        changed += len(surplus) + _store(connection, expected, stored)
        done += len(part)
        progress(done)
    if stray := connection.scalar(sa.select(sa.func.count()).where(_STRAY)):
        connection.execute(sa.delete(CASE_STATE).where(_STRAY))
    if connection.dialect.name == "sqlite":
        _rebuild_names(connection)
    return changed + (stray or 0) + due.rebuild(connection)


#: The rows of enterprises that do not exist.
_STRAY: Final = CASE_STATE.c.enterprise_id.not_in(sa.select(ENTERPRISE.c.id))


def _rebuild_names(connection: sa.Connection) -> None:
    """Make the index of names anew from the table."""
    for columns, values in (
        (NAMES_INDEX, "VALUES ('delete-all')"),
        ("rowid, pairs", "SELECT enterprise_id, pairs FROM case_state WHERE tier = ''"),
        (NAMES_INDEX, "VALUES ('optimize')"),
    ):
        connection.exec_driver_sql(f"INSERT INTO {NAMES_INDEX} ({columns}) {values}")


def differences(connection: sa.Connection) -> Iterator[str]:
    """The credit codes of enterprises with a row that is missing, surplus or out of date."""
    for part in chunks(_enterprises(connection)):
        expected, stored = _derived(connection, part), _stored(connection, part)
        differing = (k for k in expected | stored if expected.get(k) != stored.get(k))
        yield from dict.fromkeys((expected | stored)[key].uscc for key in differing)
    yield from connection.scalars(sa.select(CASE_STATE.c.uscc).where(_STRAY))
    yield from due.differences(connection)


def misplaced_names(connection: sa.Connection) -> list[int]:
    """The numbers of enterprises that the index of names finds by other pairs than it should.

    PostgreSQL keeps its index itself. SQLite's is compared with one that is made anew for the
    purpose, term by term.
    """
    if connection.dialect.name != "sqlite":
        return []
    whole = f"SELECT term, doc FROM {_TERMS}"
    anew = f"SELECT term, doc FROM {_TERMS}_anew"
    statements = (
        CREATE_NAMES_INDEX.replace(NAMES_INDEX, f"temp.{NAMES_INDEX}_anew", 1),
        f"INSERT INTO temp.{NAMES_INDEX}_anew (rowid, pairs) "
        "SELECT enterprise_id, pairs FROM case_state WHERE tier = ''",
        f"CREATE VIRTUAL TABLE temp.{_TERMS} USING fts5vocab(main, {NAMES_INDEX}, instance)",
        f"CREATE VIRTUAL TABLE temp.{_TERMS}_anew "
        f"USING fts5vocab(temp, {NAMES_INDEX}_anew, instance)",
    )
    try:
        for statement in statements:
            connection.exec_driver_sql(statement)
        found = connection.exec_driver_sql(
            f"SELECT DISTINCT doc FROM (SELECT * FROM ({whole} EXCEPT {anew}) "
            f"UNION ALL SELECT * FROM ({anew} EXCEPT {whole})) ORDER BY doc"
        )
        return [int(doc) for (doc,) in found]
    finally:
        for name in (_TERMS, f"{_TERMS}_anew", f"{NAMES_INDEX}_anew"):
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS temp.{name}")


#: The terms of the index of names, for as long as it is compared.
_TERMS: Final = "case_term"


def _enterprises(connection: sa.Connection) -> list[int]:
    return list(connection.scalars(sa.select(ENTERPRISE.c.id).order_by(ENTERPRISE.c.id)))


def _stored(connection: sa.Connection, enterprise_ids: Sequence[int]) -> dict[Key, State]:
    query = sa.select(CASE_STATE).where(CASE_STATE.c.enterprise_id.in_(enterprise_ids))
    return {(id, tier): State(*state) for id, tier, *state in connection.execute(query)}


def _derived(connection: sa.Connection, enterprise_ids: Sequence[int]) -> dict[Key, State]:
    """The rows of these enterprises, as they follow from filings and journal."""
    newest = _newest(connection, enterprise_ids)
    standing = _standing(connection, [filing_id for filing_id, _ in newest.values()])
    found: dict[Key, State] = {}
    columns = (ENTERPRISE.c[name] for name in ("id", "uscc", "name", "province", "city", "county"))
    query = sa.select(*columns).where(ENTERPRISE.c.id.in_(enterprise_ids))
    rows = connection.execute(query).all()
    renamed = called.renamings(connection, [row.uscc for row in rows])
    for id, uscc, name, *filed in rows:
        place = regions.place_of(*(part or "" for part in filed))
        filing_id, as_of = newest.get(id, (None, None))
        stated = called.Stated(as_of or date.min, False, name)
        present = called.called([stated, *renamed.get(uscc, ())])
        found[id, ""] = State(
            uscc=uscc,
            name=present,
            pairs=" ".join(
                pair
                for one in dict.fromkeys((present, name))
                for pair in names.pairs(names.typed(one))
            ),
            province=place.province or None,
            city=place.city or None,
            county=place.county or None,
            standing=standing.get(filing_id),
            decision=None,
            filing_id=filing_id,
            as_of=as_of,
        )
    of_tiers = _last_decisions(connection, enterprise_ids)
    codes = {state.uscc: id for (id, _), state in found.items()}
    for (uscc, tier), stands in _last_applications(connection, list(codes)).items():
        of_tiers.setdefault((codes[uscc], tier), _undecided()).update(stands)
    for (id, tier), stands in of_tiers.items():
        if (id, "") in found:
            found[id, tier] = found[id, ""]._replace(pairs="", **stands)
    return found


def _undecided() -> dict[str, Any]:
    """What the row of a tier says of decisions before there is one."""
    return {"standing": None, "decision": None, "filing_id": None, "as_of": None}


def _newest(
    connection: sa.Connection, enterprise_ids: Sequence[int]
) -> dict[int, tuple[int, date]]:
    """The newest current filing of each enterprise that has one, and its day."""
    query = (
        sa.select(FILING.c.enterprise_id, FILING.c.id, FILING.c.as_of)
        .where(FILING.c.known_until.is_(None), FILING.c.enterprise_id.in_(enterprise_ids))
        .order_by(FILING.c.as_of)
    )
    return {id: (filing_id, as_of) for id, filing_id, as_of in connection.execute(query)}


def _standing(connection: sa.Connection, filing_ids: Sequence[int]) -> dict[int | None, str]:
    """The tiers under which each of these filings is decided, one per line; withdrawn ones left out."""
    decided: dict[int | None, set[str]] = {id: set() for id in filing_ids}
    query = sa.select(_JOURNAL.c.filing_id, _JOURNAL.c.kind, _JOURNAL.c.tier).where(
        _JOURNAL.c.filing_id.in_(filing_ids), _JOURNAL.c.kind.in_(("decision", "withdrawal"))
    )
    rows = connection.execute(query.distinct()).all()
    for filing_id, kind, tier in rows:
        if kind == "decision":
            decided[filing_id].add(tier)
    withdrawn = {filing_id for filing_id, kind, _ in rows if kind == "withdrawal"}
    return {id: "\n".join(sorted(decided[id])) for id in decided.keys() - withdrawn}


def _last_decisions(
    connection: sa.Connection, enterprise_ids: Sequence[int]
) -> dict[Key, dict[str, Any]]:
    """What the last decision on each enterprise under each tier says."""
    numbers = (
        sa.select(FILING.c.enterprise_id, sa.func.max(_JOURNAL.c.seq))
        .join_from(FILING, _JOURNAL, _JOURNAL.c.filing_id == FILING.c.id)
        .where(FILING.c.enterprise_id.in_(enterprise_ids), _JOURNAL.c.kind == "decision")
        .group_by(FILING.c.enterprise_id, _JOURNAL.c.tier)
    )
    enterprise = {seq: id for id, seq in connection.execute(numbers)}
    found: dict[Key, dict[str, Any]] = {}
    columns = (_JOURNAL.c.seq, _JOURNAL.c.tier, _JOURNAL.c.filing_id, _JOURNAL.c.body)
    for part in chunks(list(enterprise)):
        query = sa.select(*columns).where(_JOURNAL.c.seq.in_(part))
        for seq, tier, filing_id, body in connection.execute(query):
            outcome, as_of = _said(body)
            found[enterprise[seq], tier] = {
                "standing": outcome, "decision": seq, "filing_id": filing_id, "as_of": as_of,
            }  # fmt: skip
    return found


def _last_applications(
    connection: sa.Connection, usccs: Sequence[str]
) -> dict[tuple[str, str], dict[str, Any]]:
    """Where the last application of each enterprise for each tier stands after its newest entry."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in followed.applications(connection, usccs):
        found[one.entry.body["uscc"], one.entry.body["tier"]] = _stands(one, one.last.seq)
    return found


def _stands(one: Application, step: int) -> dict[str, Any]:
    """Where an application stands after its newest entry, which has that number."""
    course = one.now()
    actors = (act.level for act in one.workflow.acts_in(course.state))
    return {"state": course.state, "level": next(actors, None), "due": course.due, "step": step}


def _said(body: str) -> tuple[str | None, date | None]:
    """The outcome and the day of a decision; neither for an altered one, which is reported elsewhere."""
    with suppress(*UNREADABLE):
        content = json.loads(body)
        return Outcome(content["verdict"]).text, date.fromisoformat(content["case"]["as_of"])
    return None, None
