"""The register of titles: what it says of a day, what it knew when, and how decisions rest on it."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from registry.audit.bundle import export
from registry.audit.evidence import Selection
from registry.audit.keys import SigningKey
from registry.audit.tests.forger import Forgery
from registry.audit.verify import verify
from registry.database import storage
from registry.errors import RecordError
from registry.judging.judge import Judge
from registry.judging.verdicts import Checker
from registry.portable.verifier import verify_bundle
from registry.record import journal, known, register
from registry.record.register import Holder, Notice
from registry.record.replay import Replayer
from registry.record.tests.test_known import Asked
from registry.reports.explaining import explanation
from registry.reports.layout import text
from registry.reports.readers import report
from registry.tests.support import CODES, DAY, Clock, decide, load, publish, submission
from rules.model.facts import RecordList

INNOVATIVE, SPECIALISED, GIANT = "创新型中小企业", "专精特新中小企业", "专精特新“小巨人”企业"
NOTICE = Notice("示工信〔2022〕1号", date(2022, 10, 1), ("e" * 64,))
ENDING = Notice("示工信〔2023〕9号", date(2023, 5, 1))
CODE = CODES[0]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def filed(database: sa.Engine, clock: Clock) -> sa.Engine:
    """A registry with one filing, which states a 创新型 title to 2025-09-30, list 已报全."""
    publish(database, clock)
    load(database, clock, submission())
    return database


def enter(database: sa.Engine, clock: Clock, action: str, *codes: str, **more: Any) -> int:
    """Register one notice of some enterprises; the number of the last entry."""
    named = {"kind": INNOVATIVE, "notice": NOTICE, **more}
    holders = [Holder(code, f"企业{n}") for n, code in enumerate(codes or (CODE,))]
    act: Callable[..., list[journal.Entry]] = getattr(register, action)
    with storage.session(database, write=True) as session:
        return act(session, holders, by="登记人", now=clock(), **named)[-1].seq


def grant(database: sa.Engine, clock: Clock, *codes: str, **more: Any) -> int:
    return enter(database, clock, "grant", *codes, **{"first": date(2022, 10, 1), **more})


def end(database: sa.Engine, clock: Clock, **more: Any) -> int:
    given = {"notice": ENDING, "on": date(2023, 5, 1), "reason": "撤销", **more}
    return enter(database, clock, "end", **given)


def standing(database: sa.Engine, day: date) -> list[tuple[str, str]]:
    """The titles of the enterprise that are held on a day, with their last day."""
    with storage.session(database) as session:
        found = register.standing(register.titles(session, [CODE]).get(CODE, ()))
    return [(e.content["kind"], e.content["valid_until"]) for e in found if register.held(e, day)]


def prerequisite(database: sa.Engine, as_of: date = DAY, known_at: Any = None) -> dict[str, Any]:
    """The verdict on 专精特新, which asks for a 创新型 title."""
    asked = Asked(database)
    with storage.session(database) as session:
        rules = known.rules(session, known_at)
        ids = known.stock(session, [CODE], as_of=as_of, known_at=known_at)
        [found] = known.fetch(session, ids, known_at=known_at)
    checker = Checker(Judge(rules))
    try:
        verdict: dict[str, Any] = asked.verdict(checker, found, as_of)["verdicts"][0]
    finally:
        checker.judge.close()
    return verdict


@pytest.mark.parametrize(
    ("day", "held"),
    [
        (date(2022, 9, 30), False),
        (date(2022, 10, 1), True),
        (date(2025, 9, 30), True),
        (date(2025, 10, 1), False),
    ],
)
def test_a_title_is_held_from_its_first_to_its_last_day(
    filed: sa.Engine, clock: Clock, day: date, held: bool
) -> None:
    grant(filed, clock)
    assert standing(filed, day) == ([(INNOVATIVE, "2025-09-30")] if held else [])


@pytest.mark.parametrize(
    ("day", "held"), [(date(2023, 4, 30), True), (date(2023, 5, 1), False), (DAY, False)]
)
def test_an_ended_title_is_held_to_the_day_before(
    filed: sa.Engine, clock: Clock, day: date, held: bool
) -> None:
    grant(filed, clock)
    end(filed, clock)
    assert bool(standing(filed, day)) is held


def test_an_extension_adds_three_years_to_the_title_itself(filed: sa.Engine, clock: Clock) -> None:
    grant(filed, clock)
    enter(filed, clock, "extend", notice=Notice("示工信〔2025〕3号", date(2025, 11, 3)))
    assert standing(filed, date(2025, 10, 15)) == [(INNOVATIVE, "2028-09-30")]
    assert standing(filed, date(2028, 10, 1)) == []


@pytest.mark.parametrize(
    ("ended", "outcome"), [(date(2023, 7, 1), "符合"), (date(2023, 6, 30), "不符合")]
)
def test_prerequisites_read_titles_as_they_stand_on_the_day(
    filed: sa.Engine, clock: Clock, ended: date, outcome: str
) -> None:
    grant(filed, clock)
    seq = end(filed, clock, on=ended)
    verdict = prerequisite(filed)
    assert verdict["parts"]["前置称号"] == outcome
    assert [e["seq"] for e in verdict["register"]] == [seq]
    assert f"登记簿第{seq}号" in json.dumps(verdict["finding"], ensure_ascii=False)


def test_what_the_register_says_goes_before_what_was_filed_and_the_report_says_so(
    filed: sa.Engine, clock: Clock
) -> None:
    assert prerequisite(filed)["parts"]["前置称号"] == "符合"
    assert "register" not in prerequisite(filed)
    grant(filed, clock)
    assert prerequisite(filed)["overruled"] == []  # both say the same
    end(filed, clock)
    verdict = prerequisite(filed)
    assert verdict["parts"]["前置称号"] == "不符合"
    [title] = verdict["overruled"]
    assert title["held"] is True


def test_titles_of_other_kinds_stay_as_filed(filed: sa.Engine, clock: Clock) -> None:
    grant(filed, clock, kind=GIANT)
    verdict = prerequisite(filed)
    assert verdict["parts"]["前置称号"] == "符合"
    assert "register" not in verdict


def test_a_registered_title_settles_a_list_that_is_not_complete(
    database: sa.Engine, clock: Clock
) -> None:
    publish(database, clock)
    stated = submission()
    object.__setattr__(stated, "records", {**stated.records, "titles": RecordList((), None)})
    load(database, clock, stated)
    assert prerequisite(database)["parts"]["前置称号"] == "材料不足"
    grant(database, clock)
    assert prerequisite(database)["parts"]["前置称号"] == "符合"
    end(database, clock)
    assert prerequisite(database)["parts"]["前置称号"] == "不符合"


def test_a_title_struck_out_was_never_registered(filed: sa.Engine, clock: Clock) -> None:
    grant(filed, clock)
    seq = end(filed, clock)
    assert prerequisite(filed)["parts"]["前置称号"] == "不符合"
    with storage.session(filed, write=True) as session:
        register.strike(session, seq, ENDING, by="登记人", now=clock())
    assert prerequisite(filed)["parts"]["前置称号"] == "符合"  # as filed
    with (
        storage.session(filed, write=True) as session,
        pytest.raises(RecordError, match="不是这项称号现行的登记"),
    ):
        register.strike(session, seq, ENDING, by="登记人", now=clock())


def test_what_was_registered_later_was_not_known(filed: sa.Engine, clock: Clock) -> None:
    grant(filed, clock)
    before = clock.moment
    end(filed, clock)
    assert prerequisite(filed)["parts"]["前置称号"] == "不符合"
    assert prerequisite(filed, known_at=before)["parts"]["前置称号"] == "符合"
    first = before - timedelta(seconds=1)
    assert "register" not in prerequisite(filed, known_at=first)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda d, c: grant(d, c, CODE[:-1] + "0"), "校验码不符"),
        (lambda d, c: grant(d, c, CODE, CODE), "名单中出现两次"),
        (lambda d, c: grant(d, c, kind="省级企业"), "没有名为「省级企业」的称号"),
        (lambda d, c: grant(d, c, notice=Notice(" ", DAY)), "必须写明依据的文号"),
        (lambda d, c: grant(d, c, last=date(2022, 9, 30)), "终止早于开始"),
        (lambda d, c: enter(d, c, "extend"), "登记簿中没有这项称号"),
        (lambda d, c: end(d, c), "登记簿中没有这项称号"),
        (lambda d, c: [grant(d, c), grant(d, c, first=date(2025, 9, 30))], "与新的有效期重叠"),
        (lambda d, c: [grant(d, c), end(d, c), end(d, c)], "已登记于2023-05-01终止"),
        (lambda d, c: [grant(d, c), end(d, c), enter(d, c, "extend")], "不能延期"),
        (lambda d, c: [grant(d, c), end(d, c, on=date(2022, 9, 30))], "不能更早终止"),
        (
            lambda d, c: [grant(d, c), enter(d, c, "extend", last=date(2025, 9, 30))],
            "延期应更晚",
        ),
        *(
            (act, "的年份应在1900至2199之间：请核对日期")
            for act in (
                lambda d, c: grant(d, c, notice=Notice("函", date(2999, 10, 8))),
                lambda d, c: grant(d, c, first=date(202, 10, 8)),
                lambda d, c: grant(d, c, first=date(9998, 1, 1)),
                lambda d, c: grant(d, c, first=date(2198, 1, 1)),  # it would end in 2200
                lambda d, c: grant(d, c, last=date(9999, 12, 31)),
                lambda d, c: [grant(d, c), enter(d, c, "extend", last=date(2999, 1, 1))],
                lambda d, c: [grant(d, c), end(d, c, on=date(2999, 1, 1))],
                lambda d, c: end(d, c, first=date(2021, 1, 1), last=date(2999, 12, 31)),
            )
        ),
    ],
)
def test_what_cannot_be_is_not_registered(
    filed: sa.Engine, clock: Clock, act: Callable[[sa.Engine, Clock], Any], said: str
) -> None:
    with pytest.raises(RecordError, match=said):
        act(filed, clock)


def test_a_title_of_impossible_days_that_is_on_record_can_be_struck_out(
    filed: sa.Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(register, "check_day", lambda _: None)
        seq = grant(filed, clock, last=date(9999, 12, 31))
    [refused] = decide(filed, clock, SPECIALISED)
    assert refused.seq is None
    assert f"登记簿第{seq}号称号有效期的年份应在1900至2199之间" in refused.reason
    with pytest.raises(RecordError, match="年份应在1900至2199之间"):
        enter(filed, clock, "extend")
    with storage.session(filed, write=True) as session:
        register.strike(session, seq, ENDING, by="登记人", now=clock())
    assert prerequisite(filed)["parts"]["前置称号"] == "符合"


def test_one_wrong_holder_keeps_the_whole_list_out(filed: sa.Engine, clock: Clock) -> None:
    with pytest.raises(RecordError, match="没有登记。企业1"):
        grant(filed, clock, CODE, CODES[1][:-1] + "0")
    assert standing(filed, DAY) == []


def test_a_title_that_is_not_registered_can_be_stated_when_it_changes(
    filed: sa.Engine, clock: Clock
) -> None:
    end(filed, clock, first=date(2021, 1, 1), last=date(2023, 12, 31))
    assert prerequisite(filed)["parts"]["前置称号"] == "不符合"


def test_a_new_title_may_follow_one_that_ended(filed: sa.Engine, clock: Clock) -> None:
    grant(filed, clock)
    end(filed, clock)
    grant(filed, clock, first=date(2023, 5, 1))
    assert standing(filed, date(2023, 5, 1)) == [(INNOVATIVE, "2026-04-30")]


@pytest.fixture
def decided(filed: sa.Engine, clock: Clock) -> tuple[sa.Engine, list[int]]:
    """Decisions on 专精特新: as filed, when granted, when ended, when struck out."""
    numbers = [decide(filed, clock, SPECIALISED)[0].seq]
    grant(filed, clock)
    numbers.append(decide(filed, clock, SPECIALISED)[0].seq)
    seq = end(filed, clock)
    numbers.append(decide(filed, clock, SPECIALISED)[0].seq)
    with storage.session(filed, write=True) as session:
        register.strike(session, seq, ENDING, by="登记人", now=clock())
    numbers.append(decide(filed, clock, SPECIALISED)[0].seq)
    return filed, [n for n in numbers if n is not None]


def test_decisions_name_the_titles_they_rest_on_and_come_out_again(
    decided: tuple[sa.Engine, list[int]],
) -> None:
    database, numbers = decided
    with storage.session(database) as session:
        entries = [journal.entry(session, n) for n in numbers]
        rested = [len(e.content.get("register", ())) for e in entries]
        assert rested == [0, 1, 1, 0]
        met = [e.content["verdict"] for e in entries]
        assert met[0] == met[1] == met[3] != met[2]
        found = verify(session)
        assert found.sound, found
        assert found.replayed == 4
        replayer = Replayer(session)
        now = replayer.cross(entries[1], ["now"], ["then"])
        assert now.verdicts["then", "then"] == now.verdicts["now", "then"]
        told = explanation(session, replayer, entries[2])
        for reader in ("enterprise", "officer"):
            shown = text(report(told, reader), 200)
            assert "2023-05-01终止（撤销），依据示工信〔2023〕9号（2023-05-01）" in shown
            assert "与登记簿不符，以登记簿为准" in shown
        assert told.entry.content["register"][0] in text(report(told, "auditor"), 200)
        replayer.close()


def test_bundles_carry_the_titles_that_decisions_rest_on(
    decided: tuple[sa.Engine, list[int]], tmp_path: Path, clock: Clock
) -> None:
    database, numbers = decided
    key = SigningKey.create(tmp_path / "key", "示例市工信局")
    with storage.session(database, write=True) as session:
        data = export(session, Selection(tuple(numbers)), key, now=clock())
    found = verify_bundle(data, key=str(key.verifier_key))
    assert found.problems == []
    assert list(found.verdicts) == sorted(numbers)

    # what an insider could do who has the bureau's key, and makes every digest and proof agree
    granted, ended = Forgery(data).numbers("title")
    for forge, said in (
        (lambda f: f.drop(granted), "所依据的登记不在包内"),
        (lambda f: f.put(granted, uscc=CODES[1]), "号称号登记是关于另一家企业的"),
        (lambda f: f.put(granted, ended_on="2023-01-01"), "重新计算的结果不同"),
        (lambda f: f.put(ended, ended_on=None), "重新计算的结果不同"),
        (lambda f: f.put(ended, action="strike", strikes="a" * 64), "重新计算的结果不同"),
        (lambda f: f.put(numbers[2], register=[]), "重新计算的结果不同"),
    ):
        forged = Forgery(data)
        forge(forged)
        found = verify_bundle(forged.rechained().packed(key), key=str(key.verifier_key))
        assert any(said in problem for problem in found.problems), (said, found.problems)


def test_a_title_of_another_enterprise_is_none_of_its_business(
    decided: tuple[sa.Engine, list[int]],
) -> None:
    database, _ = decided
    where = " ON journal" if database.dialect.name == "postgresql" else ""
    with database.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER journal_no_update{where}")
        connection.exec_driver_sql(
            f"UPDATE journal SET subject = '{CODES[1]}' WHERE kind = 'title'"
        )
    with storage.session(database) as session:
        found = verify(session)
    assert sum("所指的企业与其内容不符" in line for line in found.integrity) == 3
    assert sum("重算不符" in line for line in found.correctness) == 2
