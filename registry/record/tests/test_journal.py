"""The chain: entries follow one another, and the database itself refuses everything else."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, IntegrityError

from registry.database import storage
from registry.errors import RecordError
from registry.portable.chain import GENESIS, header_text
from registry.portable.sealing import seal
from registry.record import journal, publication
from registry.record.journal import SEALED, Draft
from registry.tests.history import History, bare
from registry.tests.plans import plans
from rules.portable.canonical import sha256

NOW = datetime(2023, 7, 1, 8, tzinfo=UTC)


def add(database: sa.Engine, *bodies: dict[str, Any], now: datetime = NOW) -> list[journal.Entry]:
    with storage.session(database, write=True) as session:
        return journal.append(
            session, [Draft(kind="policy", body=b) for b in bodies], by="张三", now=now
        )


def stored(database: sa.Engine) -> list[journal.Entry]:
    with storage.session(database) as session:
        return list(journal.entries(session))


def test_entries_are_chained_and_come_back_as_they_were(database: sa.Engine) -> None:
    added = [*add(database, {"a": 1}, {"a": 2}), *add(database, {"a": 3})]
    assert stored(database) == added
    assert [e.seq for e in added] == [1, 2, 3]
    assert [e.previous for e in added] == [GENESIS, added[0].digest, added[1].digest]
    for entry in added:
        assert sha256(header_text(entry.header())) == entry.digest
        assert entry.by == "张三"
    with storage.session(database) as session:
        assert journal.head(session) == added[-1]
        assert journal.entry(session, 2).content == {"a": 2}
        assert journal.size(session) == 3
        assert journal.numbers(session, [added[1].digest]) == {added[1].digest: 2}
        with pytest.raises(RecordError):
            journal.entry(session, 4)


def test_names_and_texts_stand_in_the_digested_part_as_commitments_only(
    database: sa.Engine,
) -> None:
    draft = Draft(kind="withdrawal", body={"ground": SEALED}, texts={"ground": "企业来函"})
    with storage.session(database, write=True) as session:
        [entry] = journal.append(session, [draft], by="张三", now=NOW)
    assert entry.content == {"ground": seal(entry.salt, "ground", "企业来函")}
    assert "张三" not in header_text(entry.header())
    assert entry.texts == {"ground": "企业来函", "by": "张三"}


def test_a_clock_that_stands_still_may_go_on_but_not_back(database: sa.Engine) -> None:
    add(database, {})
    add(database, {})
    with pytest.raises(RecordError, match="系统时间早于上一条记录"):
        add(database, {}, now=NOW - timedelta(microseconds=1))
    assert len(stored(database)) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET body = '{}' WHERE seq = 1",
        "UPDATE journal SET seq = 9 WHERE seq = 2",
        "DELETE FROM journal WHERE seq = 2",
        "DELETE FROM journal",
        "INSERT INTO journal SELECT 4, kind, tier, filing_id, recorded_at, program, body, disclosures,"
        " digest, 'x' || substr(digest, 2), subject, holder FROM journal WHERE seq = 2",
        "INSERT INTO journal SELECT 3, kind, tier, filing_id, recorded_at, program, body, disclosures,"
        " 'x' || substr(digest, 2), 'y' || substr(digest, 2), subject, holder FROM journal WHERE seq = 2",
        "UPDATE document SET text = 'x'",
        "DELETE FROM document",
        "UPDATE checkpoint SET note = 'x'",
        "DELETE FROM checkpoint",
    ],
)
def test_the_database_refuses_to_change_what_was_recorded(
    database: sa.Engine, statement: str
) -> None:
    before = add(database, {"a": 1}, {"a": 2})
    with database.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO document VALUES ('{'a' * 64}', 'source', 'text')")
        connection.exec_driver_sql(
            "INSERT INTO checkpoint VALUES (2, '2023-07-01 08:00:00.000000', 'note')"
        )
    with pytest.raises((IntegrityError, DatabaseError), match="append-only"), database.begin() as c:
        c.exec_driver_sql(statement)
    assert stored(database) == before


def test_what_one_database_alone_would_let_through_is_refused_too(database: sa.Engine) -> None:
    before = add(database, {"a": 1}, {"a": 2})
    statement = (
        "INSERT OR REPLACE INTO journal SELECT seq, kind, tier, filing_id, recorded_at, program,"
        " '{}', disclosures, previous, digest, subject, holder FROM journal WHERE seq = 2"
        if database.dialect.name == "sqlite"
        else "TRUNCATE journal"
    )
    with pytest.raises(DatabaseError, match="append-only"), database.begin() as connection:
        connection.exec_driver_sql(statement)
    assert stored(database) == before


def test_no_index_slows_recording_the_more_the_longer_the_journal(database: sa.Engine) -> None:
    where = f"{database.dialect.name}_where"
    found = sa.inspect(database)
    indices = found.get_indexes("journal")
    # decisions stand only in indices of numbers that were given out one after the other
    every = [i["column_names"] for i in indices if where not in i.get("dialect_options", {})]
    assert every == [["filing_id"]]
    assert len(indices) == 7  # the rest hold what is no decision, or nothing at all
    assert found.get_unique_constraints("journal") == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_no_decision_is_found_without_reading_those(database: sa.Engine) -> None:
    plans: list[str] = []

    @sa.event.listens_for(database, "before_cursor_execute")
    def explained(connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        plans.append(" ".join(row[3] for row in cursor.fetchall()))

    with storage.session(database) as session:
        publication.current(session)
        list(journal.newest_first(session, ["intake"]))
        journal.numbers(session, ["0" * 64])
        list(journal.entries(session, subjects=["S"]))
        list(journal.entries(session, holders=["H"]))
    used = [re.findall("ix_journal_[a-z_]+", plan) for plan in plans if plan]
    whole, begins = ["filing_id"], ["misnamed"]  # once: no gaps, and every kind as its body begins
    expected = [whole, begins, ["changes"], ["changes"], ["digest"], ["subject"], ["holder"]]
    assert used == [[f"ix_journal_{name}" for name in names] for names in expected], plans


def test_what_a_second_person_must_confirm_is_found_without_reading_the_decisions(
    history: History,
) -> None:
    with (
        storage.session(history.engine) as session,
        plans(session.connection(), "journal.body") as lines,
    ):
        found = list(journal.entries(session, kinds=["determination", "confirmation"]))
    assert {entry.kind for entry in found} <= {"determination", "confirmation"}
    assert lines
    walked = r"Seq Scan|pk_journal|SCAN journal$|INTEGER PRIMARY KEY"
    assert not [line for line in lines if re.search(walked, line)]


@pytest.mark.parametrize("looked_for", ["count(*)", "CASE WHEN (substr(journal.body"])
def test_the_whole_journal_is_looked_at_once_in_each_state_of_the_database(
    history: History, looked_for: str
) -> None:
    def looked() -> int:
        said = list[str]()
        with storage.session(history.engine) as session:

            @sa.event.listens_for(session.connection(), "before_cursor_execute")
            def note(_c: object, _u: object, statement: str, *_: object) -> None:
                said.append(statement)

            list(journal.entries(session, kinds=["round"]))
            publication.latest(session)
        return sum(looked_for in statement for statement in said)

    looked()
    assert looked() == 0
    history.load(bare(77))
    assert looked() == 1
    assert looked() == 0
