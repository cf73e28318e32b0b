"""A registry in which everything was done that can be done, for tests that need a full one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from registry.audit import checkpoints
from registry.audit.keys import SigningKey
from registry.database import storage
from registry.demo import DEMO_COUNTY
from registry.filings import IDENTITY, FileReading, Submission
from registry.intake.tests.counties import read
from registry.judging.case import Request
from registry.kit import resources
from registry.kit.uscc import check_digit
from registry.record import (
    admissions,
    applications,
    calendars,
    cases,
    decisions,
    determinations,
    holdings,
    loading,
    publication,
    register,
    rounds,
)
from registry.record.applications import Applying, Doing
from registry.record.determinations import Ruling, Target
from registry.record.rounds import Call
from registry.tests import packs, titled
from rules.model.catalogue import Catalogue
from rules.model.facts import Fact, RecordList, Scalar
from rules.portable.canonical import sha256
from rules.tests.packaged import TITLES

CATALOGUE = publication.packaged_catalogue()
START = datetime(2023, 8, 1, 9, 30, tzinfo=UTC)
FILED = date(2023, 6, 30)


def clock(start: datetime = START) -> Callable[[], datetime]:
    """A clock that moves on by a minute whenever it is looked at."""
    moments: Iterator[datetime] = (start + timedelta(minutes=n) for n in range(10**6))
    return lambda: next(moments)


def code(number: int) -> str:
    """A credit code."""
    body = f"91350100M{number:08d}"
    return body + check_digit(body)


def full(number: int, catalogue: Catalogue = CATALOGUE) -> Submission:
    """A filing that states everything that the catalogue has."""
    values = {f"{f.id}@2022" if f.yearly else f.id: _value(f) for f in catalogue.facts}
    records = {
        kind.id: RecordList(({f.id: _value(f) for f in kind.fields}, {}), complete=True)
        for kind in catalogue.records
    }
    identity = {f.id: str(_value(f)) for f in IDENTITY}
    sources = {key: f"表1!{n}" for n, key in enumerate(values)} | {"ip#0": "清单!2"}
    return Submission(
        uscc=code(number),
        name=f"全项{number}号",
        as_of=FILED,
        identity=identity,
        values=values,
        records=records,
        sources=sources,
        where=f"表1!{number}",
    )


def _value(fact: Fact) -> Scalar:
    match fact.kind:
        case "flag":
            return True
        case "date":
            return "2020-02-29"
        case "code":
            return fact.codes[0] if fact.codes else "C3985"
        case "number":
            return "0.25" if fact.unit == "%" else "2"
    return "示例「′𠮷」"


def reading(*submissions: Submission) -> FileReading:
    """What was read from a file with just these filings."""
    return FileReading(
        file="全项.xlsx", digest="0" * 64, submissions=submissions, refused=(), issues=()
    )


def work(engine: sa.Engine, folder: Path, now: Callable[[], datetime]) -> None:
    """A season's work: every kind of entry, and every kind of version of a filing."""
    county = read(DEMO_COUNTY)
    own = packs.written(folder / "own")
    book = packs.compiled(own)
    first, second = full(1, book.catalogue), full(2, book.catalogue)
    with storage.session(engine, write=True) as session:
        publication.publish(session, book, resources.features(), by="局长", now=now(), own=own)
    with storage.session(engine, write=True) as session:
        loading.load(session, county, now=now(), partial=True, by="甲")
    with storage.session(engine, write=True) as session:
        loading.load(session, reading(first, second), now=now(), by="甲")
    changed = replace(first, values={**first.values, "staff@2022": "3"})
    with storage.session(engine, write=True) as session:
        loading.load(session, reading(changed, second), now=now(), by="甲")
    with storage.session(engine, write=True) as session:
        wrong = replace(second, name="写错了的名字")
        done = loading.load(session, reading(wrong, changed), now=now(), by="乙")
    with storage.session(engine, write=True) as session:
        assert done.import_id is not None
        loading.undo(session, done.import_id, now=now(), by="乙")
    decide(engine, now)
    codes = [s.uscc for s in county.submissions]
    for uscc in (codes[0], codes[1]):
        with storage.session(engine, write=True) as session:
            rules = publication.current(session)
            assert rules is not None
            ruling = Ruling(
                uscc=uscc,
                target=Target("market_share"),
                value="37.5%",
                ground="核对了报表",
                evidence=(sha256("证据"),),
            )
            made = determinations.determine(session, rules, ruling, by="丙", now=now())
        if uscc == codes[0]:
            with storage.session(engine, write=True) as session:
                determinations.set_four_eyes(session, True, by="局长", now=now())
    with storage.session(engine, write=True) as session:
        determinations.confirm(session, made.seq, by="丁", now=now())
    notice = register.Notice("示工信〔2022〕1号", date(2022, 10, 1), ("e" * 64,))
    holders = [register.Holder(uscc) for uscc in codes[:5]]
    with storage.session(engine, write=True) as session:
        register.grant(session, holders, TITLES[0], notice, first=notice.dated, by="甲", now=now())
        stated = [holdings.Holding(holders[0], holders[1], "0.51")]
        holdings.hold(session, stated, notice, first=notice.dated, by="甲", now=now())
    right = code(31)
    early = right[:17] + ("0" if right[17] != "0" else "1")
    with storage.session(engine, write=True) as session:
        admissions.record(
            session, "admit", early, document="证明5号", dated="2022-10-02", evidence=["e" * 64],
            by="甲", now=now(),
        )  # fmt: skip
    with storage.session(engine, write=True) as session:
        year = {"basis": "通知6号", "rest": [["2031-01-01", "2031-01-01"]], "work": []}
        calendars.record(
            session, 2031, year, document="通知6号", dated="2022-11-03", evidence=["e" * 64],
            by="甲", now=now(),
        )  # fmt: skip
    decide(engine, now)
    with storage.session(engine, write=True) as session:
        loading.load(session, reading(full(3)), now=now(), as_of=FILED, by="甲")
    with storage.session(engine, write=True) as session:
        decisions.withdraw(session, code(3), ground="企业申请撤回", by="甲", now=now())
    apply(engine, codes[:3], now)
    decide(engine, now)
    titled.live(engine, [code(51), code(52), code(53)], now)
    key = SigningKey.create(folder / f"{engine.dialect.name}.key", "某局")
    with storage.session(engine, write=True) as session:
        checkpoints.write(session, key, now=now())


def apply(engine: sa.Engine, codes: list[str], now: Callable[[], datetime]) -> None:
    """A round of three applications, entered late: one is withdrawn, one announced, one made public."""
    today, tier = now().date(), TITLES[1]
    day = today - timedelta(days=20)
    call = Call(name="一批", tier=tier, procedure="认定", opens=day)
    with storage.session(engine, write=True) as session:
        notice = register.Notice("通知6号", day)
        rounds.open_round(session, call, notice, by="甲", now=now())
        found = rounds.round_named(session, "一批")
        asked = Applying(tier=tier, procedure="认定", day=day, level="县级", round=found)
        applications.apply(session, codes, asked, by="甲", now=now())
    upwards = (("县级", "推荐"), ("市级", "推荐"), ("省级", "拟认定"))
    for code, level, act in (
        (codes[0], "企业", "撤回申报"), *((code, *step) for code in codes[1:] for step in upwards),
    ):  # fmt: skip
        doing = Doing(act=act, level=level, day=day, ground="有理由")
        with storage.session(engine, write=True) as session:
            applications.step(session, [code], tier, doing, by="甲", now=now())
    with storage.session(engine, write=True) as session:
        notice = register.Notice("公告7号", today)
        applications.announce(session, codes[1:2], tier, notice, level="省级", by="甲", now=now())
    with storage.session(engine, write=True) as session:
        rounds.close_round(session, found, on=today, ground="已公告", by="甲", now=now())


def decide(engine: sa.Engine, now: Callable[[], datetime]) -> list[decisions.Decided]:
    """Decide the newest filing of every enterprise."""
    with storage.session(engine) as session:
        ids = cases.newest(session)
    decider = decisions.DecisionRecorder(engine, by="甲", now=now)
    try:
        return list(decider.decide(ids, Request()))
    finally:
        decider.close()
