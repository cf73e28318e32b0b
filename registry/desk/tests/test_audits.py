"""Auditing, replaying, explaining and the criteria without any face: values in and out, nothing printed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.desk import (
    applications,
    auditing,
    criteria,
    deciding,
    drafting,
    explaining,
    notices,
    publishing,
    replaying,
)
from registry.desk.applications import Applying, Doing
from registry.desk.auditing import Selection, Trust
from registry.desk.checking import Request
from registry.desk.notices import Firms, Notice, Validity
from registry.desk.place import Desk
from registry.desk.replaying import ReplaySpan
from registry.desk.rulebooks import rulebook
from registry.errors import RecordError, RegistryError
from registry.kit import settings
from registry.tests.support import CODES, Clock, load, submission
from rules.errors import RulesError
from rules.tests.packaged import TITLES

ONE, TWO, STRANGER = CODES[0], CODES[1], "91110105MA00000000"


@pytest.fixture
def desk(
    fresh: Callable[..., sa.Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """A registry with two filings and the decisions on them, its key and notes in a folder."""
    monkeypatch.setenv(settings.HOME.name, str(tmp_path))
    monkeypatch.delenv(settings.AUDIT_KEY.name, raising=False)
    engine, clock = fresh("sqlite"), Clock()
    load(engine, clock, submission(ONE), submission(TWO, rd_expense__2022="1000000"))
    url = engine.url.render_as_string(hide_password=False)
    with Desk(url, by="经办人", clock=clock) as found:
        with deciding.run(found, None, Request(TITLES[:2])) as run:
            assert len(list(run)) == 4
        yield found


@pytest.fixture(autouse=True)
def silence(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert capfd.readouterr() == ("", "")


def test_the_journal_is_told_entry_by_entry(desk: Desk) -> None:
    lines = auditing.log(desk, auditing.EntryQuery())
    assert [line.seq for line in lines] == [*range(1, len(lines) + 1)]
    decided = auditing.log(desk, auditing.EntryQuery(uscc=TWO, tier="专精特新"))
    assert [line.what.partition("有限公司")[2] for line in decided] == [f" {TITLES[1]}认定：不符合"]
    assert auditing.log(desk, auditing.EntryQuery(last=2)) == lines[-2:]
    assert auditing.log(desk, auditing.EntryQuery(kind="发布规则", last=1))[0].kind == "发布规则"


def test_the_entries_on_an_enterprise_are_those_of_its_filings_applications_and_titles(
    desk: Desk,
) -> None:
    before = auditing.log(desk, auditing.EntryQuery(uscc=TWO))
    day = desk.today
    applying = Applying(tier="专精特新", procedure="认定", day=day, level="县级")
    applications.apply(desk, Firms((TWO,)), applying)
    doing = Doing(act="撤回申报", level="企业", day=day)
    applications.step(desk, Firms((TWO,)), "专精特新", doing)
    notices.grant(desk, Firms((TWO,)), "创新型", Notice("某公告1号", day), Validity())
    notices.hold(desk, ONE, TWO, "51%", Notice("章程", day), Validity())
    lines = auditing.log(desk, auditing.EntryQuery(uscc=TWO))
    assert [line.kind for line in lines[len(before) :]] == ["申报", "办理", "称号登记", "持股登记"]
    assert [line.seq for line in lines] == sorted(line.seq for line in lines)


def test_what_is_handed_out_is_verified_by_who_holds_the_key(desk: Desk) -> None:
    made = auditing.new_key("某市中小企业局")
    signed = auditing.checkpoint(desk)
    assert signed.key == made.key
    held = (("甲.note", signed.note.encode()),)
    done = auditing.export(desk, Selection((), TITLES[1]), since=held)
    with pytest.raises(RecordError, match="坏：签名文件不合格式"):
        auditing.export(desk, Selection((), TITLES[1]), since=(("坏", b"x"),))
    found = auditing.verified_bundle(done.data, Trust(held, str(made.key)))
    assert (found.problems, len(found.verdicts), done.decisions) == ([], 2, 2)
    report = auditing.verified(desk, Trust(held))
    assert (report.sound, report.decisions, report.replayed) == (True, 4, 4)
    assert auditing.verified(desk, Trust(), replay=False).replayed == 0
    assert auditing.first_amiss(desk) is None


def alter(desk: Desk, statement: str) -> None:
    """What an owner of the database may do."""
    named = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal'"
    with desk.database.begin() as connection:
        for name in connection.scalars(sa.text(named)).all():
            connection.execute(sa.text(f"DROP TRIGGER {name}"))
        connection.execute(sa.text(statement))


def test_an_interrupted_run_goes_on_past_an_altered_entry(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_, last = [line.seq for line in auditing.log(desk, auditing.EntryQuery(kind="决定"))]
    alter(desk, f"UPDATE journal SET tier = '甲' WHERE seq = {first}")
    monkeypatch.setattr(replaying, "_EVERY", 1)
    monkeypatch.setattr(
        Path, "unlink", lambda *_, **__: None
    )  # as if it had been killed at its end
    everything = ReplaySpan()
    assert replaying.begun(desk, everything).following == 1
    done = replaying.finish(desk, everything, replaying.begun(desk, everything))
    assert ([line.seq for line in done.differing], done.counted) == ([first], 4)
    again = replaying.begun(desk, everything)
    assert (again.following, again.counted) == (last + 1, 4)
    assert [line.seq for line in again.differing] == [first]
    assert replaying.begun(desk, ReplaySpan(restart=True)).following == 1
    assert replaying.replay(desk, last).difference is None
    assert replaying.cross(desk, last, "now", "now").turned_by == ""


def test_decisions_are_explained_one_by_one(desk: Desk) -> None:
    wanted = explaining.DecisionQuery((ONE, TWO), outcomes=("不符合",))
    with explaining.chosen(desk, wanted) as chosen:
        told = [found.case["uscc"] for _, found in chosen.each(lambda found: found)]
    assert (TWO in told, chosen.unexplained) == (True, [])
    assert explaining.one(desk, chosen.decisions[0].seq).case["uscc"] == told[0]


@pytest.mark.parametrize(
    ("act", "slug", "remedy"),
    [
        (
            lambda desk: auditing.log(desk, auditing.EntryQuery(STRANGER)),
            "unknown-enterprise",
            True,
        ),
        (auditing.checkpoint, "no-signing-key", True),
        (lambda desk: auditing.verified(desk, Trust(key="甲")), "unreadable-key", False),
        (lambda desk: auditing.verified(desk, Trust((("a", b""),))), "no-public-key", True),
        (lambda desk: replaying.replay(desk, 1), "not-a-decision", True),
        (lambda desk: explaining.one(desk, 1), "not-a-decision", True),
        (lambda desk: explaining.one(desk, 99), "no-such-entry", True),
        (lambda _: criteria.told(rulebook(), "没有"), "no-such-rule", True),
        (lambda _: drafting.check(Path("没有")), "no-such-file", False),
        (lambda _: publishing.prepare(by=" "), "unsigned", True),
    ],
)
def test_what_is_refused_says_as_data_what_may_be_done(
    desk: Desk, act: Callable[[Desk], object], slug: str, remedy: bool
) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011
        act(desk)
    error = raised.value
    assert (error.slug, bool(error.remedy)) == (slug, remedy)  # type: ignore[attr-defined]
    assert "tidu" not in error.pattern  # type: ignore[attr-defined]
    assert "--" not in error.pattern  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("named", "slug"),
    [
        ((STRANGER,), "no-decisions-on-enterprise"),
        ((range(1, 3),), "no-decisions-in-range"),
        ((), "no-such-decisions"),
    ],
)
def test_where_there_are_no_such_decisions_that_is_said(
    desk: Desk, named: tuple[explaining.NamedDecisions, ...], slug: str
) -> None:
    wanted = explaining.DecisionQuery(named, outcomes=("待人工认定",))
    with pytest.raises(RegistryError) as raised, explaining.chosen(desk, wanted):
        pass
    assert raised.value.slug == slug


def test_criteria_are_read_and_what_is_in_force_is_not_published_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = criteria.listed(rulebook(), "63.2")[0]
    told = criteria.told(rulebook(), rule.id)
    assert (told.clause.title, told.place) == (rule.title, f"features/{rule.position}")
    assert all(run.passed for run in told.runs)
    assert {row.ruleset for row in criteria.applicability(rulebook(), "63.2")} >= {"63.2"}
    changed = criteria.compared(desk, "63.2", "63.3", (), "认定")
    assert (len(changed.comparisons), changed.alone) == (1, {})
    rules = publishing.checker
    monkeypatch.setattr(rules, "check", lambda *_, **__: (criteria.rulebook(), []))
    prepared = publishing.prepare(by="张三")
    assert (prepared.problems, prepared.certified) == ((), 0)
    assert publishing.publish(desk, prepared).seq is None
    spoilt = replace(prepared, problems=(rules.Problem("甲.feature", 1, "不对"),))
    with pytest.raises(RulesError, match=r"甲\.feature:1: 不对"):
        publishing.publish(desk, spoilt)
