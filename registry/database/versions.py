"""Versions of filings and their rows: the only writer and reader of the stated tables.

``registry.record.loading`` decides what is stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from operator import itemgetter
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from registry.database import bulk
from registry.database.models import STATED_TABLES, Enterprise, Filing, Stated, YearlyFigure
from registry.database.rows import STATES, Row, Statement, identity_columns

_T = TypeVar("_T")

#: The most keys in one statement (SQLite and PostgreSQL both limit them), and the most filings whose
#: rows are held at once: they take some 80 kB each.
_CHUNK: Final = 500


def table_of(model: type[SQLModel]) -> sa.Table:
    """The table of a model, for statements that name columns."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


ENTERPRISE: Final = table_of(Enterprise)
FILING: Final = table_of(Filing)
_FIGURE: Final = table_of(YearlyFigure)
#: The columns that a filing shares with its rows, besides its number.
_KEYS: Final = ("enterprise_id", "import_id", "as_of", "known_from")


def chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Parts small enough for one statement."""
    return (items[i : i + _CHUNK] for i in range(0, len(items), _CHUNK))


def known(known_at: datetime | None) -> sa.ColumnElement[bool]:
    """The condition for versions of filings that are current, or were known at a moment."""
    current = FILING.c.known_until.is_(None)
    if known_at is None:
        return current
    return (FILING.c.known_from <= known_at) & (current | (FILING.c.known_until > known_at))


def touched(import_id: int) -> sa.Select[Any]:
    """The ids of the enterprises in an import."""
    return sa.select(FILING.c.enterprise_id).where(FILING.c.import_id == import_id)


def close(session: Session, filing_ids: Sequence[int], now: datetime) -> None:
    """End these versions with all their rows."""
    for part in chunks(filing_ids):
        keys = (FILING.c.id, *(table_of(model).c.filing_id for model in STATED_TABLES))
        for key in keys:
            table = key.table
            closing = sa.update(table).where(key.in_(part), table.c.known_until.is_(None))
            if table is FILING:
                bulk.update(session, closing.values(known_until=now), len(part))
            else:
                session.execute(closing.values(known_until=now))


def insert(
    session: Session,
    import_id: int,
    statements: dict[tuple[str, date], Statement],
    replaced: dict[tuple[str, date], int],
    now: datetime,
) -> list[int]:
    """Add versions that begin now, and the enterprises that are not yet known.

    Returns the enterprises with more filings than this one, whose newest filing must still be found
    (``settle``). The others are described by this filing.
    """
    filed: dict[str, list[str]] = {}
    for (uscc, _), statement in statements.items():
        filed.setdefault(uscc, []).append(statement.identity)
    ids, new = _enterprise_ids(session, filed)
    alone = {uscc for uscc in new if len(filed[uscc]) == 1}
    numbers = bulk.numbers(session, FILING, len(statements))
    keys = {
        (uscc, as_of): (number, ids[uscc], import_id, as_of, now)
        for number, (uscc, as_of) in zip(numbers, statements, strict=True)
    }
    versions = [
        (*keys[key], None, s.sources, replaced.get(key), s.identity, s.facts, s.digest)
        for key, s in statements.items()
    ]
    columns = ("sources", "replaces_id", "identity", "facts", "digest")
    bulk.insert(session, FILING, ("id", *_KEYS, "known_until", *columns), versions)
    for model in STATED_TABLES:
        rows = []
        for key, statement in statements.items():
            # if a year has several statements, ``settle`` finds the current one
            waits = model is YearlyFigure and key[0] not in alone
            stated = (*keys[key], now if waits else None)
            rows += [stated + row for row in statement.rows[model]]
        names = ("filing_id", *_KEYS, "known_until", *STATES[model])
        bulk.insert(session, table_of(model), names, rows)
    return sorted(ids[uscc] for uscc in filed if uscc not in alone)


def _enterprise_ids(
    session: Session, filed: Mapping[str, Sequence[str]]
) -> tuple[dict[str, int], set[str]]:
    """The enterprises with these codes, and those that were added; ``filed`` are identities."""
    query = sa.select(ENTERPRISE.c.uscc, ENTERPRISE.c.id)
    ids = {
        uscc: found
        for part in chunks(sorted(filed))
        for uscc, found in session.execute(query.where(ENTERPRISE.c.uscc.in_(part)))
    }
    missing = [uscc for uscc in filed if uscc not in ids]
    numbers = bulk.numbers(session, ENTERPRISE, len(missing)) if missing else []
    rows = [
        {"id": number, "uscc": uscc} | identity_columns(filed[uscc])
        for number, uscc in zip(numbers, missing, strict=True)
    ]
    _insert_rows(session, ENTERPRISE, rows)
    ids |= dict(zip(missing, numbers, strict=True))
    return ids, set(missing)


def reopen(session: Session, filing_ids: Sequence[int], now: datetime) -> None:
    """Add copies of closed versions that begin now; yearly figures stay closed until ``settle``."""
    for part in chunks(filing_ids):
        closed = [
            dict(row)
            for row in session.execute(sa.select(FILING).where(FILING.c.id.in_(part))).mappings()
        ]
        rows = rows_of(session, [version["id"] for version in closed])
        begin = {"known_from": now, "known_until": None}
        opened = bulk.numbers(session, FILING, len(closed))
        copied = zip(opened, closed, strict=True)
        _insert_rows(session, FILING, [version | begin | {"id": id} for id, version in copied])
        for model in STATED_TABLES:
            waits = {"known_until": now} if model is YearlyFigure else {}
            copies = [
                _without_id(row) | begin | waits | {"filing_id": filing_id}
                for filing_id, version in zip(opened, closed, strict=True)
                for row in rows[version["id"]][model]
            ]
            _insert_rows(session, table_of(model), copies)


def _insert_rows(session: Session, table: sa.Table, rows: Sequence[Row]) -> None:
    """Add rows with the same columns."""
    if rows:
        names = tuple(rows[0])
        bulk.insert(session, table, names, list(map(itemgetter(*names), rows)))


def _without_id(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "id"}


def rows_of(
    session: Session, filing_ids: Sequence[int]
) -> dict[int, dict[type[Stated], list[Row]]]:
    """All rows of these filings, in the order of storing."""
    rows: dict[int, dict[type[Stated], list[Row]]] = {
        filing_id: {model: [] for model in STATED_TABLES} for filing_id in filing_ids
    }
    for model in STATED_TABLES:
        for row in session.execute(_rows(model), {"ids": list(filing_ids)}).mappings():
            rows[row["filing_id"]][model].append(dict(row))
    return rows


@cache
def _rows(model: type[Stated]) -> sa.Select[Any]:
    table = table_of(model)
    chosen = table.c.filing_id.in_(sa.bindparam("ids", expanding=True))
    return sa.select(table).where(chosen).order_by(table.c.id)


def settle(session: Session, enterprise_ids: Sequence[int], now: datetime) -> None:
    """Let the newest filing determine the current yearly figures and the enterprise's columns."""
    for part in chunks(enterprise_ids):
        _settle(session, part, now)


def _settle(session: Session, enterprise_ids: Sequence[int], now: datetime) -> None:
    place = sa.func.row_number().over(
        partition_by=(_FIGURE.c.enterprise_id, _FIGURE.c.fiscal_year),
        order_by=(_FIGURE.c.as_of.desc(), _FIGURE.c.id.desc()),
    )
    # through the filings: current ones have an index, closed figures have none
    concerned = FILING.c.known_until.is_(None) & FILING.c.enterprise_id.in_(enterprise_ids)
    ranked = (
        sa.select(_FIGURE.c.id, place.label("place"))
        .join(FILING, FILING.c.id == _FIGURE.c.filing_id)
        .where(concerned)
        .subquery()
    )
    speaking = _FIGURE.c.id.in_(sa.select(ranked.c.id).where(ranked.c.place == 1))
    is_current = _FIGURE.c.known_until.is_(None)
    session.execute(
        sa.update(_FIGURE)
        .where(_FIGURE.c.enterprise_id.in_(enterprise_ids), is_current, ~speaking)
        .values(known_until=now)
    )
    session.execute(
        sa.update(_FIGURE).where(speaking, _FIGURE.c.known_from == now).values(known_until=None)
    )
    begin: dict[str, Any] = {
        "known_from": sa.literal(now, _FIGURE.c.known_from.type),
        "known_until": sa.null(),
    }
    columns = _without_id(dict(_FIGURE.c)) | begin
    session.execute(
        sa.insert(_FIGURE).from_select(
            list(columns), sa.select(*columns.values()).where(speaking, ~is_current)
        )
    )
    stated: dict[int, list[str]] = {}
    for enterprise_id, identity in session.execute(
        sa.select(FILING.c.enterprise_id, FILING.c.identity)
        .where(concerned)
        .order_by(FILING.c.as_of)
    ):
        stated.setdefault(enterprise_id, []).append(identity)
    if stated:
        session.execute(
            sa.update(Enterprise),
            [{"id": key} | identity_columns(texts) for key, texts in stated.items()],
        )
