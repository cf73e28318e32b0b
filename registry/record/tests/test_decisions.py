"""Deciding: what is recorded, what is refused, and that nothing is recorded twice."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from registry.database import storage
from registry.database.models import Filing
from registry.database.versions import table_of
from registry.errors import RecordError
from registry.judging.case import Known, Request
from registry.kit import resources
from registry.portable.sealing import sealed_facts
from registry.record import cases, decisions, journal, loading, publication
from registry.record.determinations import Target
from registry.tests.support import CODES, Clock, decide, determine, load, publish, submission
from rules.language.rulebook import load as load_rulebook
from rules.portable.canonical import canonical_json, digest
from rules.tests.packaged import TITLES

INNOVATIVE, SPECIALISED, GIANT = TITLES


@pytest.fixture
def clock() -> Clock:
    return Clock()


def entry_of(database: sa.Engine, seq: int | None) -> journal.Entry:
    assert seq is not None
    with storage.session(database) as session:
        return journal.entry(session, seq)


def test_a_decision_holds_all_that_is_needed_to_take_it_again(
    database: sa.Engine, clock: Clock
) -> None:
    load(database, clock, submission())
    published = publish(database, clock)
    [line] = decide(database, clock, SPECIALISED)
    assert (line.verdict, line.seq, line.earlier) == ("符合", 3, False)
    entry = entry_of(database, line.seq)
    body = entry.content
    assert canonical_json(body) == entry.body
    assert body["case"] == {
        "uscc": CODES[0],
        "name": "测试R3JN有限公司",
        "tier": SPECIALISED,
        "procedure": "认定",
        "province": "江苏省",
        "batch": "",
        "as_of": "2023-06-30",
        "filed_as_of": "2023-06-30",
    }
    assert body["ruleset"] == published.digests["63.2"]
    assert body["applicability"]["digest"] == published.applicability_digest
    assert body["verdict"] == 3
    assert body["results"]["63.2.研发费用"] == 3
    assert body["results"]["63.2.7.净利润率"] == ["10", "10", 0]
    with storage.session(database) as session:
        facts = json.loads(session.scalar(sa.select(table_of(Filing).c.facts)) or "")
    assert body["facts"] == digest(sealed_facts(facts, entry.salt, body))
    assert (entry.by, entry.tier, entry.kind) == ("经办人", SPECIALISED, "decision")
    assert entry.program.startswith("tidu ")
    assert len(entry.body.encode()) + len(entry.disclosures.encode()) < 4096


def test_findings_that_did_not_hold_are_recorded_too(database: sa.Engine, clock: Clock) -> None:
    load(database, clock, submission(rd_expense__2022="1499999.99"))
    publish(database, clock)
    [line] = decide(database, clock, SPECIALISED)
    results = entry_of(database, line.seq).content["results"]
    assert (line.verdict, results["63.2.研发费用"], results["63.2.年限"]) == ("不符合", 0, 3)


def test_every_tier_in_order_and_each_only_once(database: sa.Engine, clock: Clock) -> None:
    load(database, clock, submission(), submission(CODES[1], revenue__2022=None))
    publish(database, clock)
    first = decide(database, clock)
    assert [(x.uscc, x.tier) for x in first] == [
        (code, tier) for code in sorted(CODES[:2]) for tier in TITLES
    ]
    assert [x.seq for x in first] == list(range(3, 9))
    again = decide(database, clock)
    assert [(x.seq, x.earlier) for x in again] == [(x.seq, True) for x in first]
    with storage.session(database) as session:
        assert journal.size(session, ["decision"]) == 6


def test_a_corrected_filing_is_decided_anew(database: sa.Engine, clock: Clock) -> None:
    load(database, clock, submission())
    publish(database, clock)
    [first] = decide(database, clock, SPECIALISED)
    load(database, clock, submission(rd_expense__2022="1499999.99"))
    [second] = decide(database, clock, SPECIALISED)
    assert (first.verdict, second.verdict, second.earlier) == ("符合", "不符合", False)


def test_what_was_said_before_the_last_decision_is_said_again(
    database: sa.Engine, clock: Clock, tmp_path: Path
) -> None:
    evidence = tmp_path / "证据.txt"
    evidence.write_text("证据", encoding="utf-8")
    load(database, clock, submission())
    [first] = decide_after_publishing(database, clock)
    cost = Target("研发费用总额", 2022)
    determine(database, clock, cost, "149.999999万元", evidence)
    [second] = decide(database, clock, SPECIALISED)
    determine(database, clock, cost, "200万元", evidence)
    [third] = decide(database, clock, SPECIALISED)
    assert [x.verdict for x in (first, second, third)] == ["符合", "不符合", "符合"]
    assert not third.earlier
    assert third.seq not in (first.seq, second.seq)
    assert entry_of(database, third.seq).content["determinations"]


def decide_after_publishing(database: sa.Engine, clock: Clock) -> list[decisions.Decided]:
    publish(database, clock)
    return decide(database, clock, SPECIALISED)


def test_a_case_is_not_judged_again_until_something_happens(
    database: sa.Engine, clock: Clock, tmp_path: Path
) -> None:
    judged: list[str] = []

    class Noting(decisions.DecidingWorker):
        def __call__(self, asked: tuple[Known, Request]) -> list[decisions.Judged]:
            judged.append(asked[0].case.uscc)
            return super().__call__(asked)

    def again(*tiers: str, by: str = "张三") -> tuple[list[decisions.Decided], list[str]]:
        judged.clear()
        with closing(
            decisions.DecisionRecorder(database, by=by, now=clock, worker=Noting)
        ) as decider:
            lines = list(decider.decide(ids, Request(tiers=tiers)))
        return lines, list(judged)

    load(database, clock, *map(submission, CODES[:2]))
    publish(database, clock)
    with storage.session(database) as session:
        ids = cases.newest(session, CODES[:2])
    evidence = tmp_path / "证明.txt"
    evidence.write_text("属实", encoding="utf-8")
    determine(database, clock, Target("field_key_link"), "否", evidence)
    first, asked = again(*TITLES[:2])
    assert asked == sorted(CODES[:2])
    assert [len(line.determinations) for line in first] == [0, 0, 0, 1]
    second, asked = again(*TITLES[:2], by="李四")
    assert asked == []
    assert second == [replace(line, earlier=True) for line in first]
    # one tier more: the whole case is asked about; what is on the record stays as it is
    third, asked = again(*TITLES)
    assert asked == sorted(CODES[:2])
    assert [line.earlier for line in third] == [True, True, False] * 2
    determine(database, clock, Target("field_key_link"), "是", evidence)
    fourth, asked = again(*TITLES)
    assert asked == sorted(CODES[:2])
    assert [line.earlier for line in fourth] == [True, True, True, True, False, True]


def test_a_decision_that_comes_while_earlier_ones_are_read_is_seen(
    database: sa.Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(database, clock, submission())
    publish(database, clock)
    read = decisions._last_decisions
    others: list[decisions.Decided] = []

    def reading(session: Session, ids: Sequence[int], first: int = 1) -> Any:
        found = read(session, ids, first)
        if first == 1 and not others:
            monkeypatch.setattr(decisions, "_last_decisions", read)
            others.extend(decide(database, clock, SPECIALISED))
        return found

    monkeypatch.setattr(decisions, "_last_decisions", reading)
    [line] = decide(database, clock, SPECIALISED)
    assert [(other.seq, other.earlier) for other in others] == [(3, False)]
    assert (line.seq, line.earlier) == (3, True)


def test_a_feature_file_edited_afterwards_changes_no_decision(
    database: sa.Engine, clock: Clock, tmp_path: Path
) -> None:
    load(database, clock, submission())
    [first] = decide_after_publishing(database, clock)
    draft = copytree(resources.features(), tmp_path / "draft")
    file = draft / "miit-2022-63" / "specialised.feature"
    text = file.read_text(encoding="utf-8")
    assert text.count("占营业收入总额比重不低于3%") == 1
    text = text.replace("占营业收入总额比重不低于3%", "占营业收入总额比重不低于4.5%")
    start = text.index("@id:63.2.研发费用")
    rule = text[start : text.index("@id:", start + 1)]
    edited = rule.replace("| 3% ", "| 4.5% ").replace("3333", "2222")
    file.write_text(text.replace(rule, edited), encoding="utf-8")
    [same] = decide(database, clock, SPECIALISED)
    assert (same.seq, same.earlier) == (first.seq, True)
    with storage.session(database, write=True) as session:
        done = publication.publish(session, load_rulebook(draft), draft, by="发布人", now=clock())
    assert {"63.2", "63.2.复核"} <= set(done.changed)
    assert {"63.1", "63.3", "2026.2"} <= set(done.unchanged)
    [second] = decide(database, clock, SPECIALISED)
    assert (second.verdict, second.earlier) == ("不符合", False)
    assert entry_of(database, first.seq).content["verdict"] == 3


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"as_of": date(2023, 6, 29)}, "没有2023-06-29以前的填报"),
        ({"as_of": date(2024, 1, 1)}, "请补报2023年数据"),
    ],
)
def test_a_day_that_does_not_fit_is_refused_and_nothing_recorded(
    database: sa.Engine, clock: Clock, how: dict[str, date], reason: str
) -> None:
    load(database, clock, submission())
    publish(database, clock)
    [line] = decide(database, clock, SPECIALISED, **how)
    assert line.seq is None
    assert reason in line.reason
    with storage.session(database) as session:
        assert journal.size(session, ["decision"]) == 0


def test_one_refused_case_holds_up_no_other(database: sa.Engine, clock: Clock) -> None:
    load(database, clock, submission(), submission(CODES[1], date(2022, 7, 31)))
    publish(database, clock)
    lines = decide(database, clock, SPECIALISED)
    assert {x.uscc: x.seq is None for x in lines} == {CODES[0]: False, CODES[1]: True}


def test_a_name_is_asked_for(database: sa.Engine, clock: Clock) -> None:
    for name in ("", "  \t"):
        with pytest.raises(RecordError, match="经办人姓名"):
            decisions.DecisionRecorder(database, by=name, now=clock)


def test_without_published_rules_there_is_no_decision(database: sa.Engine, clock: Clock) -> None:
    load(database, clock, submission())
    with pytest.raises(RecordError, match="还没有发布规则"):
        decide(database, clock)


# -- withdrawing ------------------------------------------------------------------------------------


def withdraw(database: sa.Engine, clock: Clock, ground: str = "企业来函") -> journal.Entry:
    with storage.session(database, write=True) as session:
        return decisions.withdraw(session, CODES[0], ground=ground, by="经办人", now=clock())


def test_a_withdrawn_filing_is_closed_without_a_decision(database: sa.Engine, clock: Clock) -> None:
    load(database, clock, submission())
    publish(database, clock)
    entry = withdraw(database, clock)
    assert (entry.kind, entry.texts["ground"]) == ("withdrawal", "企业来函")
    [line] = decide(database, clock, SPECIALISED)
    assert line.seq is None
    assert "已撤回" in line.reason
    with pytest.raises(RecordError, match="已撤回"):
        withdraw(database, clock)
    load(database, clock, submission(rd_expense__2022="2100000"))
    [line] = decide(database, clock, SPECIALISED)
    assert line.verdict == "符合"


def test_a_decided_filing_cannot_be_withdrawn_nor_one_without_a_ground(
    database: sa.Engine, clock: Clock
) -> None:
    load(database, clock, submission())
    publish(database, clock)
    with pytest.raises(RecordError, match="理由"):
        withdraw(database, clock, "  ")
    [line] = decide(database, clock, SPECIALISED)
    with pytest.raises(RecordError, match=f"已有第{line.seq}号决定"):
        withdraw(database, clock)


# -- while others work --------------------------------------------------------------------------------


def test_a_correction_that_comes_between_judging_and_recording_is_judged(
    database: sa.Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(database, clock, submission())
    publish(database, clock)
    judged = decisions.DecisionRecorder._judged
    times = []

    def judged_then_corrected(self: decisions.DecisionRecorder, *given: object) -> object:
        found = list(judged(self, *given))  # type: ignore[arg-type]
        if not times:
            load(database, clock, submission(rd_expense__2022="1499999.99"))
        times.append(1)
        return found

    monkeypatch.setattr(decisions.DecisionRecorder, "_judged", judged_then_corrected)
    [line] = decide(database, clock, SPECIALISED)
    assert len(times) == 2
    assert line.seq is None  # the version that was asked for is no longer current
    assert "已被更正" in line.reason


def test_an_undone_import_leaves_its_decisions_on_the_record(
    database: sa.Engine, clock: Clock
) -> None:
    done = load(database, clock, submission())
    [line] = decide_after_publishing(database, clock)
    assert done.import_id is not None
    with storage.session(database, write=True) as session:
        loading.undo(session, done.import_id, now=clock(), by="导入人")
        assert cases.newest(session) == []
    assert entry_of(database, line.seq).content["verdict"] == 3


@pytest.mark.parametrize(
    ("filed", "acting"),
    [
        ({"city": "深圳市"}, "深圳市"),
        ({"city": "广州市"}, "广东省"),
        ({}, "广东省"),
        ({"province": "江苏省"}, "江苏省"),
    ],
)
def test_a_later_filing_does_not_move_what_an_earlier_one_said_of_its_city(
    database: sa.Engine, clock: Clock, filed: dict[str, str], acting: str
) -> None:
    earlier = replace(submission(), identity=filed)
    later = submission(day=date(2023, 7, 1))
    load(database, clock, earlier)
    load(
        database, clock, replace(later, identity={"province": "广东省", "city": "广州市"}), file="b"
    )
    with storage.session(database) as session:
        [id] = cases.oldest(session)
        [case] = cases.cases(session, [id])
    assert case.province == acting
