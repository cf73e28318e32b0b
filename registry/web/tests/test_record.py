"""The record in the browser: entries with what proves them, and decisions explained and taken again."""

import re
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from registry.desk import auditing, explaining, replaying
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.errors import RecordError
from registry.portable.chain import KINDS
from registry.record.replay import ReplayDifference, Replayed
from registry.tests.history import History
from registry.tests.support import Clock, decide, load, submission
from registry.web.addresses import decision, entry
from registry.web.app import application
from registry.web.tests.visiting import Visitor
from rules.tests.packaged import TITLES


@pytest.fixture
def rich(history: History) -> Iterator[tuple[Visitor, History]]:
    """A reader of a registry in which everything happened that can happen."""
    url = history.engine.url.render_as_string(hide_password=False)
    with Desk(url) as desk, Judging(desk) as judging:
        yield Visitor(application(desk, judging)), history


def numbers(desk: Desk, kind: str) -> list[int]:
    return [line.seq for line in auditing.log(desk, auditing.EntryQuery(kind=KINDS[kind]))]


def test_entries_are_listed_newest_first_and_leafed_through(
    visitor: Visitor, office: tuple[Desk, Judging]
) -> None:
    desk, _ = office
    every = [line.seq for line in auditing.log(desk, auditing.EntryQuery())]
    page = auditing.leafed(desk, limit=3)
    leafed = [line.seq for line in page.lines]
    while page.before:
        page = auditing.leafed(desk, before=page.before, limit=3)
        leafed += [line.seq for line in page.lines]
    assert leafed == every[::-1]
    shown = re.findall(r">第(\d+)号</a>", visitor.get("/journal").source)
    assert [int(seq) for seq in shown] == every[::-1]


def test_entries_of_one_kind_are_listed(visitor: Visitor) -> None:
    page = visitor.get(f"/journal?kind={KINDS['decision']}")
    assert page.words.count("专精特新中小企业认定：") == 5
    assert "没有这样的记录" in visitor.get(f"/journal?kind={KINDS['title']}").words
    assert visitor.get("/journal?kind=没有").status == 422
    assert "「x」不是编号" in visitor.get("/journal?before=x").words


def test_a_new_registry_has_a_journal_to_look_at(newcomer: Visitor) -> None:
    assert newcomer.get("/journal").status == 200


def test_an_entry_can_be_verified_from_its_page(visitor: Visitor) -> None:
    page = visitor.get(entry(3))
    header, body = map(
        unescape, re.findall(r"<pre><code>(.*?)</code></pre>", page.source, re.DOTALL)
    )
    digest = re.search(r"本条摘要</dt><dd><code>(\w+)", page.source)
    assert digest
    assert sha256(header.encode()).hexdigest() == digest[1]
    assert '"rulesets"' in body or '"case"' in body or '"filings"' in body


@pytest.mark.parametrize("history", ["sqlite"], indirect=True)
def test_every_kind_of_entry_has_a_page(rich: tuple[Visitor, History]) -> None:
    visitor, history = rich
    with history.engine.connect() as connection:
        kinds = dict(
            tuple(row)
            for row in connection.execute(
                sa.text("SELECT kind, max(seq) FROM journal GROUP BY kind")
            )
        )
    assert kinds.keys() == KINDS.keys()
    for kind, seq in kinds.items():
        page = visitor.get(entry(seq))
        assert page.status == 200
        assert KINDS[kind] in page.words
    assert visitor.get("/journal").status == 200


def test_no_such_entry_is_no_page(visitor: Visitor) -> None:
    assert visitor.get(entry(999)).status == 404
    assert visitor.get("/journal/x").status == 422
    assert visitor.get(decision(999)).status == 404
    assert "第1号记录不是决定" in visitor.get(decision(1)).words


@pytest.mark.parametrize("reader", ["enterprise", "officer", "auditor"])
def test_a_decision_is_explained_for_each_reader(
    visitor: Visitor, office: tuple[Desk, Judging], reader: str
) -> None:
    seq = numbers(office[0], "decision")[3]
    page = visitor.get(decision(seq, **{"for": reader}))
    assert page.status == 200
    assert "按记录重新作出，与记录逐字节一致" in page.words
    assert "差0.0001个百分点" in page.words
    assert visitor.get(decision(seq, **{"for": "nobody"})).status == 422


def test_data_and_letter_are_files_to_save(visitor: Visitor, office: tuple[Desk, Judging]) -> None:
    seq = numbers(office[0], "decision")[0]
    data = visitor.raw(f"/decisions/{seq}.json")
    assert data.json()["record"]["seq"] == seq
    letter = visitor.raw(f"/decisions/{seq}/letter")
    assert "决定告知书" in letter.text
    for answer in (data, letter):
        assert answer.headers["content-disposition"].startswith("attachment;")


def test_a_decision_is_crossed_with_facts_and_rules_of_now(
    migrated: dict[str, str], tmp_path: Path
) -> None:
    clock = Clock()
    (tmp_path / "tidu.db").write_bytes(Path(migrated["sqlite"]).read_bytes())
    with Desk(f"sqlite:///{tmp_path / 'tidu.db'}", clock=clock) as desk, Judging(desk) as judging:
        load(desk.database, clock, submission(rd_expense__2022="1000000"))
        decide(desk.database, clock, TITLES[1])
        [seq] = numbers(desk, "decision")
        visitor = Visitor(application(desk, judging))
        same = visitor.get(f"{decision(seq)}/replay")
        load(desk.database, clock, submission())
        turned = visitor.get(f"{decision(seq)}/replay")
        later = visitor.get(decision(seq))
    assert "结论没有改变" in same.words
    assert "改变结论的是：事实" in turned.words
    assert "当时的事实 ✗ 不符合 ✗ 不符合 现在的事实 ✓ 符合" in turned.words
    assert "所依据的填报已于" in later.words


def test_a_decision_that_no_longer_comes_out_says_whose_fault_it_is(
    visitor: Visitor, office: tuple[Desk, Judging], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RecordError("not-decided-again", "不能重算")

    seq = numbers(office[0], "decision")[0]
    differs = Replayed(
        seq=seq, uscc="", tier="", verdict="", difference=ReplayDifference.FACTS, detail="少了一项"
    )
    monkeypatch.setattr(explaining, "one", fail)
    monkeypatch.setattr(replaying, "replay", lambda *_: differs)
    page = visitor.get(decision(seq))
    assert page.status == 500
    assert "不一致，出在事实：少了一项" in page.words


def unguard(history: History) -> None:
    """Take away what keeps the tables from being changed."""
    with history.engine.begin() as connection:
        names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for trigger in connection.execute(sa.text(names)).scalars().all():
            connection.execute(sa.text(f'DROP TRIGGER "{trigger}"'))


@pytest.mark.parametrize("history", ["sqlite"], indirect=True)
def test_what_was_altered_is_not_shown(rich: tuple[Visitor, History]) -> None:
    visitor, history = rich
    unguard(history)
    with history.engine.begin() as connection:
        last = "SELECT max(seq) FROM journal WHERE kind = 'decision'"
        seq = connection.execute(sa.text(last)).scalar()
        change = "UPDATE journal SET body = replace(body, '认定', '复核') WHERE seq = :seq"
        connection.execute(sa.text(change), {"seq": seq})
    for page in (visitor.get(decision(seq)), visitor.get(entry(seq))):
        assert page.status == 422
        assert "已被改动" in page.words


@pytest.mark.parametrize("history", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("change", "said", "gone"),
    [
        ("UPDATE journal SET program = 'x' WHERE seq = {}", "第{}号记录已被改动", 1),
        ("DELETE FROM journal WHERE seq = {}", "第{}号记录不在登记簿中", 1),
        ("DELETE FROM journal WHERE seq IN ({0}, {0} - 1)", "至第{}号记录不在登记簿中", 2),
    ],
)
def test_the_rest_of_the_journal_is_read_beside_what_is_amiss(
    rich: tuple[Visitor, History], change: str, said: str, gone: int
) -> None:
    visitor, history = rich
    before = re.findall(r">第(\d+)号</a>", visitor.get("/journal").source)
    seq = int(before[5])
    unguard(history)
    with history.engine.begin() as connection:
        connection.execute(sa.text(change.format(seq)))
    page = visitor.get("/journal")
    assert page.status == 200
    assert said.format(seq) in page.words
    left = re.findall(r">第(\d+)号</a>", page.source)
    assert {*before} - {*left} == {str(seq - n) for n in range(gone)}


def test_a_decision_leads_to_the_criteria_by_which_it_was_taken(
    visitor: Visitor, office: tuple[Desk, Judging]
) -> None:
    desk, _ = office
    [published] = numbers(desk, "publication")
    for seq in numbers(desk, "decision")[:2]:
        assert f"/rules?criteria={published}" in visitor.get(decision(seq)).links
