"""The register of holdings: what it proves of a day, what it knew when, how decisions rest on it."""

import json
from collections.abc import Callable
from datetime import date
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
from registry.judging.case import Request
from registry.judging.judge import Judge
from registry.judging.verdicts import Checker
from registry.portable.verifier import verify_bundle
from registry.record import holdings, journal, known, register
from registry.record.holdings import Holding
from registry.record.register import Holder, Notice
from registry.record.replay import Replayer
from registry.record.tests.test_known import filed as filing
from registry.reports.explaining import explanation
from registry.reports.layout import text
from registry.reports.readers import report
from registry.tests.history import LITTLE_GIANT as GIANT
from registry.tests.history import code
from registry.tests.support import (
    FORTY,
    ROUND,
    Change,
    Clock,
    decide,
    load,
    publish,
    publish_changed,
)

DAY, BATCH = date(2026, 6, 30), "第八批"
FIRM, BETWEEN, OTHER = 1, 2, 3
#: Whether the share itself is control, and another title with whose holders.
INCLUDED = (
    (ROUND, "最高持股比例 | 不高于 |", "最高持股比例 | 低于 |"),
    (ROUND, "持股高于40%", "持股不低于40%"),
)
OTHER_TITLE = ("facts.feature", "100% | 专精特新“小巨人”企业 |", "100% | 专精特新中小企业 |")
CHARTER = Notice("章程1号", date(2025, 1, 1), ("e" * 64,))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def filed(database: sa.Engine, clock: Clock) -> sa.Engine:
    """A registry with one filing that states no share, and a little giant that filed nothing."""
    publish(database, clock)
    load(database, clock, stated())
    grant(database, clock, OTHER)
    return database


def stated(share: str = "0", number: int = FIRM) -> Any:
    asked = {"single_champion": False, "group_similar": False}
    return filing(number, DAY, giant_holding=share, **asked)


def grant(database: sa.Engine, clock: Clock, number: int, title: str = GIANT) -> None:
    with storage.session(database, write=True) as session:
        register.grant(
            session, [Holder(code(number), "巨人公司")], title, CHARTER,
            first=date(2025, 7, 1), by="登记人", now=clock(),
        )  # fmt: skip


def hold(
    database: sa.Engine,
    clock: Clock,
    *stated: tuple[int | str, int, str],
    first: date = date(2025, 1, 1),
    last: date | None = None,
) -> int:
    """Register shares (holder, held, share); the number of the last entry."""
    stated = [
        Holding(Holder(code(held)), holder(who) if isinstance(who, str) else Holder(code(who)), s)
        for who, held, s in stated
    ]
    with storage.session(database, write=True) as session:
        return holdings.hold(
            session, stated, CHARTER, first=first, last=last, by="登记人", now=clock()
        )[-1].seq


def holder(name: str) -> Holder:
    return Holder("", name)


def end(database: sa.Engine, clock: Clock, who: int, held: int, on: date = date(2026, 1, 1)) -> int:
    with storage.session(database, write=True) as session:
        return holdings.end(
            session, code(held), Holder(code(who)), CHARTER, on=on, by="登记人", now=clock()
        ).seq


def checked(database: sa.Engine, known_at: Any = None, batch: str = BATCH) -> dict[str, Any]:
    """The verdict on 小巨人 of the eighth round."""
    with storage.session(database) as session:
        rules = known.rules(session, known_at)
        ids = known.stock(session, [code(FIRM)], as_of=DAY, known_at=known_at)
        [found] = known.fetch(session, ids, known_at=known_at)
    checker = Checker(Judge(rules))
    try:
        asked = Request((GIANT,), batch=batch, province="", as_of=DAY)
        return checker.check(found, asked).to_json()["verdicts"][0]
    finally:
        checker.judge.close()


def asked_for(verdict: dict[str, Any]) -> str:
    """The outcome of what the notice of the round asks for."""
    return next(
        str(check["finding"]["outcome"])
        for option in verdict["finding"]["options"]
        for check in option["checks"]
        if check["finding"]
        for option in check["finding"]["options"]
        for check in option["checks"]
        if check["finding"] and check["finding"]["rule"] == "第八批.3.推荐要求"
    )


@pytest.mark.parametrize(
    ("changes", "outcomes"),
    [
        (FORTY, {"0.39999": "符合", "0.4": "符合", "0.400001": "不符合", "0.5": "不符合"}),
        ((*FORTY, *INCLUDED), {"0.39999": "符合", "0.4": "不符合", "0.400001": "不符合"}),
    ],
    ids=["more than 40 %", "40 % or more"],
)
def test_the_share_is_that_of_the_criteria(
    database: sa.Engine,
    clock: Clock,
    tmp_path: Path,
    changes: tuple[Change, ...],
    outcomes: dict[str, str],
) -> None:
    publish_changed(database, clock, tmp_path / "标准", *changes)
    load(database, clock, stated())
    grant(database, clock, OTHER)
    found = {}
    for share in outcomes:
        hold(database, clock, (FIRM, OTHER, share))
        verdict = checked(database)
        found[share] = asked_for(verdict)
        assert ("register" in verdict) is (found[share] == "不符合")
        decide(database, clock, GIANT, batch=BATCH)
        with storage.session(database) as session:
            assert verify(session).sound
    assert found == outcomes


def test_the_title_is_that_which_the_fact_declares(
    database: sa.Engine, clock: Clock, tmp_path: Path
) -> None:
    publish_changed(database, clock, tmp_path / "标准", OTHER_TITLE)
    load(database, clock, stated())
    hold(database, clock, (FIRM, OTHER, "0.6"))
    grant(database, clock, OTHER)
    assert asked_for(checked(database)) == "符合"
    grant(database, clock, OTHER, "专精特新中小企业")
    assert asked_for(checked(database)) == "不符合"
    [decided] = decide(database, clock, GIANT, batch=BATCH)
    with storage.session(database) as session:
        told = journal.entry(session, decided.seq or 0)
        assert len(told.content["register"]) == 2
        assert verify(session).sound


@pytest.mark.parametrize(
    ("share", "outcome"), [("0.5", "符合"), ("0.500001", "不符合"), ("1", "不符合")]
)
@pytest.mark.parametrize("ends", [(FIRM, OTHER), (OTHER, FIRM)])
def test_a_share_of_more_than_half_excludes(
    filed: sa.Engine, clock: Clock, share: str, outcome: str, ends: tuple[int, int]
) -> None:
    assert asked_for(checked(filed)) == "符合"
    seq = hold(filed, clock, (*ends, share))
    verdict = checked(filed)
    assert asked_for(verdict) == outcome
    cited = [3, seq] if outcome == "不符合" else []
    assert [e["seq"] for e in verdict.get("register", ())] == cited
    source = f"登记簿第{seq}号、登记簿第3号" in json.dumps(verdict["finding"], ensure_ascii=False)
    assert source is bool(cited)


def test_chains_lead_up_and_down(filed: sa.Engine, clock: Clock) -> None:
    hold(filed, clock, (BETWEEN, FIRM, "0.6"))
    assert asked_for(checked(filed)) == "符合"
    hold(filed, clock, (BETWEEN, OTHER, "0.4"))
    assert asked_for(checked(filed)) == "符合"
    hold(filed, clock, (BETWEEN, 4, "0.9"), (4, OTHER, "0.55"), (4, BETWEEN, "0.9"))
    verdict = checked(filed)
    assert asked_for(verdict) == "不符合"
    assert len(verdict["register"]) == 4
    assert verdict["overruled"] == []


def test_a_name_that_two_may_share_excludes_nobody(filed: sa.Engine, clock: Clock) -> None:
    hold(filed, clock, ("张伟", FIRM, "0.9"), ("张伟", OTHER, "0.9"))
    assert asked_for(checked(filed)) == "符合"


def test_an_ended_holding_and_one_known_later(filed: sa.Engine, clock: Clock) -> None:
    before = clock.moment
    hold(filed, clock, (FIRM, OTHER, "0.6"))
    held = clock.moment
    end(filed, clock, FIRM, OTHER, on=DAY)
    assert asked_for(checked(filed)) == "符合"
    assert asked_for(checked(filed, known_at=held)) == "不符合"
    assert asked_for(checked(filed, known_at=before)) == "符合"
    assert "register" not in checked(filed, known_at=before)


def test_a_share_sold_later_is_held_until_then(filed: sa.Engine, clock: Clock) -> None:
    hold(filed, clock, (FIRM, OTHER, "0.6"))
    end(filed, clock, FIRM, OTHER, on=date(2026, 7, 1))
    assert asked_for(checked(filed)) == "不符合"


def test_the_title_at_the_other_end_must_be_valid(filed: sa.Engine, clock: Clock) -> None:
    hold(filed, clock, (FIRM, OTHER, "0.6"))
    assert asked_for(checked(filed)) == "不符合"
    with storage.session(filed, write=True) as session:
        register.end(
            session, [Holder(code(OTHER))], GIANT, CHARTER,
            on=DAY, reason="撤销", by="登记人", now=clock(),
        )  # fmt: skip
    assert asked_for(checked(filed)) == "符合"


def test_where_no_chain_is_found_the_filing_stands(database: sa.Engine, clock: Clock) -> None:
    publish(database, clock)
    load(database, clock, stated("0.7"))
    hold(database, clock, (FIRM, OTHER, "0.1"))
    assert asked_for(checked(database)) == "不符合"
    assert "register" not in checked(database)


def test_rulesets_that_do_not_ask_are_left_alone(filed: sa.Engine, clock: Clock) -> None:
    hold(filed, clock, (FIRM, OTHER, "0.6"))
    assert "register" not in checked(filed, batch="")


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda d, c: hold(d, c, (FIRM, FIRM, "0.6")), "不能持有自己"),
        (lambda d, c: hold(d, c, (FIRM, OTHER, "1.01")), "不超过100%"),
        (lambda d, c: hold(d, c, (FIRM, OTHER, "0")), "应大于0"),
        (lambda d, c: hold(d, c, (FIRM, OTHER, "0.1"), (FIRM, OTHER, "0.2")), "出现两次"),
        (lambda d, c: hold(d, c, (" ".strip(), OTHER, "0.1")), "没有写明持股方"),
        (lambda d, c: hold(d, c, (FIRM, OTHER, "0.6"), last=date(2024, 1, 1)), "终止早于开始"),
        (lambda d, c: hold(d, c, (FIRM, OTHER, "0.6"), last=date(9999, 12, 31)), "1900至2199"),
        (lambda d, c: end(d, c, FIRM, OTHER), "没有这项持股"),
        (
            lambda d, c: [
                hold(d, c, (FIRM, OTHER, "0.6")),
                end(d, c, FIRM, OTHER, date(2024, 1, 1)),
            ],
            "不能于2024-01-01终止",
        ),
    ],
)
def test_what_cannot_be_is_not_registered(
    filed: sa.Engine, clock: Clock, act: Callable[[sa.Engine, Clock], Any], said: str
) -> None:
    with pytest.raises(RecordError, match=said):
        act(filed, clock)


@pytest.fixture
def decided(filed: sa.Engine, clock: Clock) -> tuple[sa.Engine, list[int]]:
    """Decisions: as filed, with a chain of two, and with that chain broken."""
    numbers = [decide(filed, clock, GIANT, batch=BATCH)[0].seq]
    hold(filed, clock, (BETWEEN, FIRM, "0.6"), (OTHER, BETWEEN, "0.8"), (OTHER, 5, "0.9"))
    numbers.append(decide(filed, clock, GIANT, batch=BATCH)[0].seq)
    end(filed, clock, OTHER, BETWEEN)
    numbers.append(decide(filed, clock, GIANT, batch=BATCH)[0].seq)
    return filed, [n for n in numbers if n is not None]


def test_decisions_name_the_holdings_they_rest_on_and_come_out_again(
    decided: tuple[sa.Engine, list[int]],
) -> None:
    database, numbers = decided
    with storage.session(database) as session:
        entries = [journal.entry(session, n) for n in numbers]
        kinds = [
            [journal.entry(session, s).kind for s in journal.numbers(session, names).values()]
            for names in (e.content.get("register", ()) for e in entries)
        ]
        assert [sorted(k) for k in kinds] == [[], ["holding", "holding", "title"], []]
        met = [e.content["results"]["第八批.3.推荐要求"] for e in entries]
        assert met == [3, 0, 3]
        found = verify(session)
        assert found.sound, found
        assert found.replayed == 3
        replayer = Replayer(session)
        told = explanation(session, replayer, entries[1])
        for reader in ("enterprise", "officer"):
            shown = text(report(told, reader), 200)
            assert "60%" in shown
            assert "依据章程1号（2025-01-01）" in shown
            assert f"巨人公司 {code(OTHER)} {GIANT}" in shown
        assert told.entry.content["register"][0] in text(report(told, "auditor"), 200)
        replayer.close()


def test_bundles_carry_the_holdings_that_decisions_rest_on(
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
    upper, lower = Forgery(data).numbers("holding")
    [granted] = Forgery(data).numbers("title")
    differs = "重新计算的结果不同"
    forgeries: list[tuple[Callable[[Forgery], None], str]] = [
        (lambda f: f.drop(upper), "所依据的登记不在包内"),
        (lambda f: f.drop(granted), "所依据的登记不在包内"),
        (lambda f: f.put(upper, share="0.5"), differs),
        (lambda f: f.put(lower, uscc=code(9)), differs),
        (lambda f: f.put(lower, holder=""), differs),
        (lambda f: f.put(lower, valid_until="2026-06-29"), differs),
        (lambda f: f.put(lower, valid_from="2026-07-01"), differs),
        (lambda f: f.put(granted, valid_until="2026-06-29"), differs),
        (lambda f: f.put(granted, uscc=code(9)), differs),
        (lambda f: f.put(numbers[1], register=[]), differs),
    ]
    for forge, said in forgeries:
        forged = Forgery(data)
        forge(forged)
        found = verify_bundle(forged.rechained().packed(key), key=str(key.verifier_key))
        assert any(said in problem for problem in found.problems), (said, found.problems)


@pytest.mark.parametrize("column", ["subject", "holder"])
def test_a_holding_filed_under_another_enterprise_is_found(
    decided: tuple[sa.Engine, list[int]], column: str
) -> None:
    database, numbers = decided
    where = " ON journal" if database.dialect.name == "postgresql" else ""
    with database.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER journal_no_update{where}")
        connection.exec_driver_sql(
            f"UPDATE journal SET {column} = '{code(8)}' WHERE kind = 'holding'"
        )
    with storage.session(database) as session:
        found = verify(session)
    assert sum("所指的企业与其内容不符" in line for line in found.integrity) == 4
    assert any(f"第{numbers[1]}号" in line for line in found.correctness)
