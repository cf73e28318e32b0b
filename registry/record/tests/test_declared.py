"""Facts that a bureau's own pack declares are stored, read, judged and replayed like any other."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from registry.audit.verify import verify
from registry.database import backup, storage
from registry.database.models import OtherRecord, RecordField, YearlyFact
from registry.database.rows import layout
from registry.errors import RecordError
from registry.record import journal, loading, on_file, publication
from registry.record.determinations import Target
from registry.record.replay import Replayer
from registry.tests import packs
from registry.tests.history import FILED, History, bare, code
from rules.model.facts import Profile


@pytest.fixture
def told(database: sa.Engine, tmp_path: Path) -> History:
    found = History(database)
    found.publish_pack(packs.written(tmp_path / "own"))
    return found


def stored(engine: sa.Engine, number: int = 1) -> Profile | None:
    with storage.session(engine) as session:
        return on_file.profile(session, code(number))


def test_what_a_pack_declares_comes_back_as_it_was_filed(told: History) -> None:
    filed = packs.green(bare(1))
    report = told.load(filed)
    assert (len(report.new), report.refused) == (1, ())
    assert stored(told.engine) == filed.profile(FILED)
    with storage.session(told.engine) as session:
        assert verify(session).sound


def test_a_changed_value_is_a_new_version_and_undoing_opens_the_old_one(told: History) -> None:
    first, other = packs.green(bare(1)), packs.green(bare(1), **{"green_revenue@2022": "3000000"})
    told.load(first)
    assert len(told.load(first).unchanged) == 1
    again = told.load(other)
    assert len(again.changed) == 1
    assert stored(told.engine) == other.profile(FILED)
    told.undo(again.import_id)
    assert stored(told.engine) == first.profile(FILED)
    with storage.session(told.engine) as session:
        for model in (YearlyFact, OtherRecord, RecordField):
            current = sa.select(sa.func.count()).where(sa.column("known_until").is_(None))
            rows = layout(publication.to_be_filed(session)).state(first).rows[model]
            assert session.scalar(current.select_from(model)) == len(rows)
        assert verify(session).sound


def test_what_a_pack_declares_is_judged_and_replayed(told: History) -> None:
    told.load(packs.green(bare(1)))
    asked = {"tiers": (packs.TIER,), "batch": packs.ROUND}
    [line] = told.decide(1, **asked)
    assert line.verdict == "待人工认定"
    told.determine(1, Target("绿色评价"), "60分")
    told.determine(1, Target("已验收", records="绿色项目", number=1), "否")
    told.determine(1, Target("绿色得分", year=2022), "70分")
    [line] = told.decide(1, **asked)
    assert (line.verdict, line.determinations) == ("材料不足", (4, 5))
    told.determine(1, Target("已验收", records="绿色项目", number=2), "是")
    [line] = told.decide(1, **asked)
    assert line.verdict == "符合"
    with Session(told.engine) as session:
        entries = list(journal.entries(session, kinds=["decision"]))
        replayer = Replayer(session)
        assert [r.difference for r in replayer.replay_all(entries)] == [None] * 3
        replayer.close()
        assert verify(session).sound


def test_a_tier_of_a_pack_has_titles_filed_and_registered(told: History) -> None:
    held = {"kind": packs.TIER, "valid_from": "2022-07-01", "held": True}
    filed = packs.green(bare(1))
    titles = packs.RecordList((held,), complete=True)
    told.load(replace(filed, records={**filed.records, "titles": titles}))
    kept = stored(told.engine)
    assert kept is not None
    assert kept.records["titles"] == titles
    told.grant(1, date(2023, 7, 1), kind=packs.TIER)
    with pytest.raises(RecordError, match="没有名为「红色企业」的称号"):
        told.grant(1, date(2023, 7, 1), kind="红色企业")
    with storage.session(told.engine) as session:
        assert verify(session).sound


def test_a_backup_holds_what_a_pack_declares(told: History, tmp_path: Path) -> None:
    filed = packs.green(bare(1))
    told.load(filed)
    backup.write(told.engine, tmp_path / "backup")
    restored = storage.create_engine(sa.URL.create("sqlite", database=str(tmp_path / "new.db")))
    backup.restore(restored, tmp_path / "backup")
    assert stored(restored) == filed.profile(FILED)
    restored.dispose()


def test_a_filing_is_verified_by_the_catalogue_of_its_time(told: History, tmp_path: Path) -> None:
    """A fact that is no longer declared, or otherwise, stays as it was filed."""
    filed = packs.green(bare(1))
    told.load(filed)
    fewer = "        | 园区名称 | park | 文字 |  |  |  |  |  |  |  |\n"
    told.publish_pack(packs.written(tmp_path / "fewer", changed=(fewer, "")))
    report = told.load(packs.green(bare(2)))
    assert "没有名为「park」的填报项" in report.refused[0].reason
    assert stored(told.engine) == filed.profile(FILED)
    worth = ("| 环保投入 | green_spent | 数量 | 万元", "| 环保投入 | green_spent | 数量 | %")
    told.publish_pack(packs.written(tmp_path / "other", changed=worth))
    told.load(packs.green(bare(3), green_spent="0.0012"))
    assert stored(told.engine) == filed.profile(FILED)
    with storage.session(told.engine) as session:
        assert verify(session).sound


def test_a_filing_needs_a_catalogue_on_record(
    database: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, own = History(database), packs.written(tmp_path / "own")
    found = packs.compiled(own).catalogue
    reading = loading.prepare(told.reading(packs.green(bare(1))), None, found)
    with storage.session(database, write=True) as session:
        with pytest.raises(RecordError, match="没有发布"):
            loading.store(session, reading, now=told.now(), by="甲")
        session.rollback()
    monkeypatch.setenv("TIDU_FEATURES", str(own))
    told.load(packs.green(bare(1)))
    with storage.session(database) as session:
        kinds = [e.kind for e in journal.entries(session)]
        assert kinds == ["publication", "intake"]
        assert verify(session).sound


def test_a_column_is_used_only_for_a_fact_that_fits_it(told: History, tmp_path: Path) -> None:
    with storage.session(told.engine) as session:
        catalogue = publication.to_be_filed(session)
    facts = tuple(
        replace(f, unit="%") if f.id == "staff" else f for f in catalogue.facts if f.id != "revenue"
    )
    lists = tuple(
        replace(k, fields=tuple(replace(f, minimum=None) for f in k.fields))
        if k.id == "awards"
        else k
        for k in catalogue.records
    )
    other = replace(catalogue, facts=facts, records=lists)
    filed = replace(
        bare(1),
        values={"staff@2022": "0.5"},
        records={"awards": packs.RecordList(({"rank": "-1", "level": "省级"},), complete=True)},
    )
    rows = layout(other).state(filed).rows
    assert [row[1:3] for row in rows[YearlyFact]] == [(2022, "staff")]
    assert [row[1:4] for row in rows[RecordField]] == [("awards", 0, "rank")]
