"""What lists show is what the record says, however it came about, and can be made from it anew."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from itertools import chain
from random import Random

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from alembic import command
from registry.audit.verify import verify
from registry.database import migrations, projection, storage
from registry.database.models import NAMES_INDEX
from registry.database.projection import CASE_STATE
from registry.errors import LoadError, RecordError
from registry.record import cases, finding, journal
from registry.record.finding import UNDECIDED_WORD, Asked
from registry.tests.history import LATER, History, bare, code
from registry.tests.plans import plans
from rules.model.ruleset import OUTCOMES, Outcome
from rules.tests.packaged import TITLES

Rows = list[tuple[object, ...]]


def rows(session: Session) -> Rows:
    """All rows, and what the index of names finds."""
    found = session.execute(sa.select(CASE_STATE).order_by(*CASE_STATE.primary_key))
    listed = [tuple(row) for row in found]
    for query in ("企业", "业1", "1", "改"):
        listed.append((query, finding.page(session, Asked(query=query))))
    return listed


def told(session: Session) -> dict[tuple[str, str], tuple[str, int, str]]:
    """What the journal says of the last decisions, entry by entry."""
    found = {}
    for entry in journal.entries(session, kinds=["decision"]):
        case = entry.content["case"]
        outcome = Outcome(entry.content["verdict"]).text
        found[case["uscc"], entry.tier] = outcome, entry.seq, case["as_of"]
    return found


def waiting(session: Session, tier: str = "") -> list[str]:
    """The enterprises whose newest filing is neither withdrawn nor decided, or not under a tier."""
    newest = cases.newest(session)
    closed = {
        entry.filing_id
        for entry in journal.entries(session, kinds=["decision", "withdrawal"])
        if entry.kind == "withdrawal" or tier in ("", entry.tier)
    }
    return sorted(u for id, u in cases.codes(session, newest).items() if id not in closed)


def _codes(session: Session, asked: Asked) -> list[str]:
    """The enterprises of a list, leafed through, which are as many as it says."""
    found, after = list[str](), ""
    while True:
        page = finding.page(session, asked, after=after, limit=3)
        found += [line.uscc for line in page.lines]
        if not (after := page.after):
            assert page.count == len(found) == finding.count(session, asked)
            return found


def _step(history: History, random: Random) -> None:
    """Something that officers do."""
    number, day = random.randrange(1, 6), random.choice((None, LATER))
    match random.choice(("load", "load", "load", "undo", "decide", "withdraw")):
        case "load":
            filing = bare(number, *([day] if day else []))
            renamed = replace(filing, name=f"企业{number}{random.choice(('', '', '改'))}")
            history.load(renamed, bare(random.randrange(6, 9)))
        case "undo":
            with storage.session(history.engine) as session:
                last = session.scalar(
                    sa.select(sa.func.max(sa.column("id"))).select_from(sa.table("import"))
                )
            with suppress(LoadError):
                history.undo(last)
        case "decide":
            history.decide(number, tiers=random.sample(TITLES, random.randrange(1, 4)))
        case _:
            with suppress(RecordError):
                history.withdraw(number)


@pytest.mark.parametrize("seed", range(2))
def test_what_grew_is_what_is_made_anew(database: sa.Engine, seed: int) -> None:
    random, history = Random(seed), History(database)
    history.publish()
    for _ in range(20):
        _step(history, random)
    with storage.session(database, write=True) as session:
        grown = rows(session)
        assert projection.rebuild(session.connection()) == 0
        assert rows(session) == grown
        session.execute(sa.delete(CASE_STATE))
        assert projection.rebuild(session.connection()) > 0
        assert rows(session) == grown
        listed = finding.page(session, Asked(), limit=200).lines
        assert {
            (line.uscc, case.tier): (case.outcome, case.seq, str(case.as_of))
            for line in listed
            for case in line.decisions
        } == told(session)
        places = ("320000", "330000")
        for odd, place in enumerate(places):
            of = CASE_STATE.c.enterprise_id % 2 == odd
            session.execute(sa.update(CASE_STATE).where(of).values(province=place))
        for tier in ("", *TITLES):
            undecided = Asked(outcome=UNDECIDED_WORD, tier=tier)
            assert _codes(session, undecided) == waiting(session, tier)
            for outcome in ("", UNDECIDED_WORD, *OUTCOMES):
                asked = Asked(tier=tier, outcome=outcome)
                parts = (_codes(session, replace(asked, place=place)) for place in places)
                assert sorted(chain.from_iterable(parts)) == _codes(session, asked)


def test_lists_are_kept_by_tier_and_outcome(database: sa.Engine) -> None:
    history = History(database)
    history.publish()
    history.load(bare(1), bare(2), bare(3))
    history.decide(1, 2, tiers=TITLES[1:2])
    with storage.session(database) as session:

        def listed(**asked: str) -> list[str]:
            found = finding.page(session, Asked(**asked))
            assert found.count == len(found.lines) == finding.count(session, Asked(**asked))
            return [line.uscc for line in found.lines]

        [first, *_] = finding.page(session, Asked()).lines
        [decided] = first.decisions
        assert (first.uscc, first.name, first.filed) == (code(1), "企业1", date(2023, 6, 30))
        assert (decided.tier, decided.current) == (TITLES[1], True)
        both = [code(1), code(2)]
        assert listed() == [*both, code(3)]
        assert listed(tier=TITLES[1]) == listed(outcome=decided.outcome) == both
        assert listed(tier=TITLES[1], outcome=decided.outcome, query="业1") == [code(1)]
        assert listed(tier=TITLES[0]) == listed(outcome="不适用") == []
        assert listed(outcome=UNDECIDED_WORD) == [code(3)]
        assert listed(outcome=UNDECIDED_WORD, tier=TITLES[1]) == [code(3)]
        assert listed(outcome=UNDECIDED_WORD, tier=TITLES[0], query="企业") == [*both, code(3)]
    history.load(bare(1, LATER))
    with storage.session(database) as session:
        [first, *_] = finding.page(session, Asked()).lines
        assert (first.filed, first.decisions[0].current) == (LATER, False)
        assert listed(outcome=UNDECIDED_WORD) == [code(1), code(3)]
    history.withdraw(3)
    with storage.session(database) as session:
        assert listed(outcome=UNDECIDED_WORD) == [code(1)]
        assert listed(outcome=UNDECIDED_WORD, tier=TITLES[0]) == [code(1), code(2)]


@pytest.mark.parametrize("tier", ["", TITLES[1]])
@pytest.mark.parametrize("outcome", ["", UNDECIDED_WORD, "符合"])
@pytest.mark.parametrize("place", ["", "320000", "320500"])
def test_no_list_walks_through_all_enterprises(
    database: sa.Engine, tier: str, outcome: str, place: str
) -> None:
    history = History(database)
    history.publish()
    history.load(bare(1), bare(2))
    history.decide(1)
    with storage.session(database) as session, plans(session.connection(), " case_state") as lines:
        for query in ("", "企业", "9135"):
            finding.page(session, Asked(query=query, tier=tier, outcome=outcome, place=place))
    assert lines
    assert not [line for line in lines if re.search(r"SCAN (case_state|enterprise)|Seq Scan", line)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE case_state SET name = '别的' WHERE tier = ''",
        "UPDATE case_state SET standing = '符合' WHERE tier <> ''",
        "UPDATE case_state SET standing = NULL WHERE tier = ''",
        "DELETE FROM case_state WHERE tier = ''",
        "INSERT INTO case_state (enterprise_id, tier, uscc, name, pairs) SELECT 1, 'x', uscc, '', '' FROM enterprise",
    ],
)
def test_a_difference_is_one_line_and_mended_by_making_the_lists_anew(
    database: sa.Engine, change: str
) -> None:
    history = History(database)
    history.publish()
    history.load(bare(1))
    history.decide(1, tiers=TITLES[:1])
    with storage.session(database, write=True) as session:
        session.execute(sa.text(change))
    with storage.session(database, write=True) as session:
        report = verify(session, replay=False)
        assert (report.completeness, len(report.integrity)) == ([], 1)
        assert f"企业{code(1)}）" in report.integrity[0]
    with storage.session(database, write=True) as session:
        assert projection.rebuild(session.connection()) == 1
    with storage.session(database) as session:
        assert verify(session, replay=False).sound


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO case_name (case_name, rowid, pairs)"
        " SELECT 'delete', enterprise_id, pairs FROM case_state WHERE tier = '' AND uscc = :code",
        "INSERT INTO case_name (rowid, pairs) VALUES (99, '别的')",
        "INSERT INTO case_name (case_name) VALUES ('delete-all')",
    ],
)
def test_an_index_of_names_that_finds_others_is_told_and_made_anew(
    fresh: Callable[..., sa.Engine], change: str
) -> None:
    history = History(fresh("sqlite"))
    history.publish()
    history.load(bare(1), bare(2))
    with storage.session(history.engine, write=True) as session:
        session.execute(sa.text(change), {"code": code(1)} if ":code" in change else {})
    with storage.session(history.engine) as session:
        [said] = verify(session, replay=False).integrity
        assert "按名称查找用的索引" in said
    with storage.session(history.engine, write=True) as session:
        projection.rebuild(session.connection())
    with storage.session(history.engine) as session:
        assert verify(session, replay=False).sound


def test_an_earlier_registry_has_its_lists_after_the_upgrade(database: sa.Engine) -> None:
    history = History(database)
    history.publish()
    history.load(bare(1), bare(2))
    history.decide(1)
    with storage.session(database) as session:
        before = rows(session)
    with database.begin() as connection:
        command.downgrade(migrations.config(connection), "0012")
        names = sa.inspect(connection).get_table_names()
        assert not [name for name in names if name.startswith((NAMES_INDEX, "case_"))]
    storage.upgrade(database)
    with storage.session(database) as session:
        assert rows(session) == before
        assert verify(session, replay=False).sound


# the types of PostgreSQL's columns keep other values out
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_earlier_registry_that_was_altered_can_be_upgraded_and_examined(
    database: sa.Engine,
) -> None:
    History(database).load(bare(1))
    with database.begin() as connection:
        command.downgrade(migrations.config(connection), "0012")
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        connection.exec_driver_sql("UPDATE enterprise SET name = CAST(x'ff' AS TEXT)")
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")
    storage.upgrade(database)
    with storage.session(database) as session:
        assert not verify(session, replay=False).sound
