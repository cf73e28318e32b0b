"""Replay: the same bytes from the database alone, and where a difference comes from."""

import json
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.database import storage, triggers
from registry.errors import RecordError
from registry.judging import published
from registry.kit import resources
from registry.portable.chain import header_text
from registry.record import journal, publication
from registry.record.determinations import Target
from registry.record.replay import Crossed, ReplayDifference, Replayed, Replayer
from registry.tests.support import Clock, decide, determine, load, publish, submission
from rules.portable.canonical import canonical_json, sha256
from rules.tests.packaged import TITLES

SPECIALISED = TITLES[1]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def decided(database: sa.Engine, clock: Clock) -> int:
    """The number of a decision on one filing."""
    load(database, clock, submission())
    publish(database, clock)
    [line] = decide(database, clock, SPECIALISED)
    assert line.seq is not None
    return line.seq


def replay(database: sa.Engine, seq: int) -> Replayed:
    with storage.session(database) as session:
        replayer = Replayer(session)
        found = replayer.replay(journal.entry(session, seq, checked=False))
        replayer.close()
        return found


def cross(database: sa.Engine, seq: int) -> Crossed:
    with storage.session(database) as session:
        replayer = Replayer(session)
        found = replayer.cross(journal.entry(session, seq), ["now"], ["now"])
        replayer.close()
        return found


def tamper(database: sa.Engine, *statements: str) -> None:
    """Change what the triggers guard, as someone with the rights of the owner can."""
    with database.begin() as connection:
        for name, text in triggers.DEFINITIONS[database.dialect.name].items():
            table = text.split(" ON ")[1].split()[0]
            on = f" ON {table}" if database.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_the_same_bytes_come_out_with_no_feature_file_in_sight(
    database: sa.Engine, decided: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(resources, "features", lambda: tmp_path / "absent")
    published.decoded.cache_clear()
    found = replay(database, decided)
    assert (found.difference, found.verdict, found.tier) == (None, "符合", SPECIALISED)


def test_determinations_of_facts_and_rules_come_out_again(
    database: sa.Engine, clock: Clock, tmp_path: Path
) -> None:
    evidence = tmp_path / "e"
    evidence.write_text("e", encoding="utf-8")
    load(database, clock, submission(revenue__2022="0", main_revenue__2022="0"))
    publish(database, clock)
    rule = Target("63.2.研发费用", rule=True)
    determine(database, clock, rule, "符合", evidence, tier=SPECIALISED)
    determine(database, clock, Target("自主品牌"), "否", evidence)
    [line] = decide(database, clock, SPECIALISED)
    assert line.seq is not None
    assert len(line.determinations) == 2
    # what is determined later changes nothing in it
    determine(database, clock, Target("自主品牌"), "是", evidence)
    assert replay(database, line.seq).difference is None


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("UPDATE filing SET facts = replace(facts, '2000000', '2000001')", ReplayDifference.FACTS),
        ("UPDATE filing SET facts = 'x'", ReplayDifference.FACTS),
        ("UPDATE document SET text = replace(text, '3/100', '3/101') WHERE kind = 'ruleset'",
         ReplayDifference.RULES),
        ("DELETE FROM document WHERE kind = 'ruleset'", ReplayDifference.RULES),
        ("UPDATE document SET text = replace(text, '2022-08-01', '2022-08-02')"
         " WHERE kind = 'applicability'", ReplayDifference.APPLICABILITY),
        ("DELETE FROM document WHERE kind = 'applicability'", ReplayDifference.APPLICABILITY),
        ("UPDATE journal SET body = replace(body, '\"verdict\":3', '\"verdict\":0')",
         ReplayDifference.RECORD),
        ("UPDATE journal SET program = 'tidu 9'", ReplayDifference.RECORD),
        ("UPDATE journal SET disclosures = replace(disclosures, '经办人', '别人')", ReplayDifference.RECORD),
        ("UPDATE journal SET disclosures = '{}'", ReplayDifference.RECORD),
        ("UPDATE journal SET body = '{}'", ReplayDifference.RECORD),
        ("UPDATE journal SET tier = 'x'", ReplayDifference.RECORD),
    ],
)  # fmt: skip
def test_a_difference_is_told_by_where_it_comes_from(
    database: sa.Engine, decided: int, statement: str, difference: ReplayDifference
) -> None:
    only = "" if "journal" not in statement else f" WHERE seq = {decided}"
    tamper(database, statement + only)
    found = replay(database, decided)
    assert found.difference is difference
    assert found.detail


def rewrite(database: sa.Engine, seq: int, program: str) -> None:
    """Forge a verdict, and every digest with it, as if ``program`` had given it."""
    with storage.session(database) as session:
        entry = journal.entry(session, seq)
    body = canonical_json({**entry.content, "verdict": 0})
    forged = journal.Entry(**{**vars(entry), "body": body, "program": program})
    digest = sha256(header_text(forged.header()))
    tamper(
        database,
        f"UPDATE journal SET body = '{body}', digest = '{digest}', program = '{program}'"
        f" WHERE seq = {seq}",
    )


def test_a_forged_verdict_with_all_digests_made_anew_does_not_come_out(
    database: sa.Engine, decided: int
) -> None:
    rewrite(database, decided, journal.program())
    found = replay(database, decided)
    assert found.difference is ReplayDifference.RECORD
    assert "不是这些事实和规则得出的" in found.detail


def test_what_another_program_said_is_told_apart(database: sa.Engine, decided: int) -> None:
    rewrite(database, decided, "tidu 0.0.1; durable_rules 1.0")
    assert replay(database, decided).difference is ReplayDifference.ENGINE


def test_only_decisions_can_be_replayed(database: sa.Engine, decided: int) -> None:
    with pytest.raises(RecordError, match="不是决定"):
        replay(database, 1)


# -- then and now -----------------------------------------------------------------------------------


def raise_pass_line(database: sa.Engine, clock: Clock) -> None:
    """Publish criteria in which R&D must reach 5%."""
    published = publish(database, clock)
    text = published.texts[published.digests["63.2"]]
    plain = json.loads(text)
    for rule in plain["rules"]:
        if rule["id"] == "63.2.研发费用":
            rule["body"]["cases"][0]["lines"][1]["value"] = "1/20"
    ruleset = canonical_json(plain)
    with storage.session(database) as session:
        rows = json.loads(
            publication.document(session, published.applicability_digest, "applicability")
        )
    for row in rows["rows"]:
        if row["ruleset"] == "63.2":
            row["digest"] = sha256(ruleset)
    table = canonical_json(rows)
    with storage.session(database, write=True) as session:
        publication._store(session, "ruleset", [ruleset])
        publication._store(session, "applicability", [table])
        digests = {**published.digests, "63.2": sha256(ruleset)}
        body = {"rulesets": digests, "applicability": sha256(table), "sources": {}, "schema": 1}
        journal.append(session, [journal.Draft(kind="publication", body=body)], by="x", now=clock())


def test_crossing_shows_that_nothing_turned(database: sa.Engine, decided: int) -> None:
    found = cross(database, decided)
    assert set(found.verdicts.values()) == {"符合"}
    assert found.turned_by == ""


def test_crossing_shows_that_the_facts_turned_the_verdict(
    database: sa.Engine, clock: Clock, decided: int
) -> None:
    load(database, clock, submission(rd_expense__2022="1499999.99"))
    found = cross(database, decided)
    assert found.turned_by == "事实"
    assert found.verdicts["now", "then"] == "不符合"
    assert found.changed["now", "then"]["63.2.研发费用"] == ("符合", "不符合")
    assert found.changed["then", "then"] == {}


def test_crossing_shows_that_the_rules_turned_the_verdict(
    database: sa.Engine, clock: Clock, decided: int
) -> None:
    raise_pass_line(database, clock)
    found = cross(database, decided)
    assert found.turned_by == "规则"
    assert found.verdicts["then", "now"] == "不符合"
    assert replay(database, decided).difference is None


def test_crossing_shows_that_each_alone_would_turn_it(
    database: sa.Engine, clock: Clock, decided: int
) -> None:
    raise_pass_line(database, clock)
    load(database, clock, submission(rd_expense__2022="1499999.99"))
    assert "各自" in cross(database, decided).turned_by


def test_crossing_an_undone_filing_says_so(database: sa.Engine, clock: Clock, decided: int) -> None:
    from registry.record import loading

    with storage.session(database, write=True) as session:
        loading.undo(session, 1, now=clock())
    with pytest.raises(RecordError, match="已撤销"):
        cross(database, decided)


def test_a_database_that_is_only_read_can_be_replayed(
    tmp_path: Path, clock: Clock, migrated: dict[str, str]
) -> None:
    file = tmp_path / "t.db"
    file.write_bytes(Path(migrated["sqlite"]).read_bytes())
    engine = storage.create_engine(f"sqlite:///{file}")
    load(engine, clock, submission())
    publish(engine, clock)
    [line] = decide(engine, clock, SPECIALISED)
    engine.dispose()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    file.chmod(0o444)
    engine = storage.create_engine(f"sqlite:///{file}")
    assert line.seq is not None
    assert replay(engine, line.seq).difference is None
    engine.dispose()
