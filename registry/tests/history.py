"""A small registry in which everything happened that can happen, for tests of the record."""

import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from registry.audit import checkpoints
from registry.audit.keys import SigningKey
from registry.database import storage
from registry.filings import IDENTITY, FileReading, Submission
from registry.judging.case import Request
from registry.kit import resources
from registry.kit.uscc import check_digit
from registry.portable.notes import Checkpoint
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
from registry.record.holdings import Holding
from registry.record.register import Holder, Notice
from registry.record.rounds import Call
from registry.tests import packs, titled
from rules.language.rulebook import load as load_rules
from rules.model.facts import Fact, RecordList, Scalar
from rules.portable.canonical import sha256

FILED = date(2023, 6, 30)
LATER = date(2024, 6, 30)
ROUND = date(2026, 6, 30)
#: What may be filed by the packaged criteria.
CATALOGUE = publication.packaged_catalogue()
LITTLE_GIANT, SPECIALISED = "专精特新“小巨人”企业", "专精特新中小企业"


def code(number: int) -> str:
    body = f"91350100M{number:08d}"
    return body + check_digit(body)


def early(number: int) -> str:
    """A code whose check digit is wrong."""
    right = code(number)
    return right[:17] + ("0" if right[17] != "0" else "1")


def full(number: int, as_of: date = FILED, **values: Scalar) -> Submission:
    """A filing that states every fact of the catalogue and every field of every list."""
    year = as_of.year
    stated: dict[str, Scalar] = {}
    for fact in CATALOGUE.facts:
        for key in (f"{fact.id}@{year - n}" for n in (1, 2, 3)) if fact.yearly else (fact.id,):
            stated[key] = _value(fact, number)
    for key in ("key_chain_link", "well_known"):
        stated.pop(key, None)
    records = {
        kind.id: RecordList(
            tuple(
                {f.id: _value(f, n) for f in kind.fields if f.origin == "填报"} for n in range(3)
            ),
            complete=n % 2 == 0,
        )
        for n, kind in enumerate(CATALOGUE.records)
    }
    sources = {key: f"表1!{n}" for n, key in enumerate([*stated, *records, "ip#0", "brands#1"])}
    identity = {f.id: str(_value(f, number)) for f in IDENTITY}
    return Submission(
        uscc=code(number), name=f"企业{number}", as_of=as_of, identity=identity, values={**stated, **values}, records=records,
        sources={**sources, "net_profit@1999": "表1!E4（无法读出）"}, where=f"表1!{number}",
    )  # fmt: skip


def bare(number: int, as_of: date = FILED, **values: Scalar) -> Submission:
    """A filing that states hardly anything."""
    stated = {f"revenue@{as_of.year - 1}": "20000000", **values}
    records = {"ip": RecordList(({}, {"in_force": True}), complete=None)}
    return Submission(
        uscc=code(number),
        name=f"企业{number}",
        as_of=as_of,
        identity={},
        values=stated,
        records=records,
        sources={},
        where="表1!9",
    )


def _value(fact: Fact, number: int) -> Scalar:
    if fact.kind == "flag":
        return number % 2 == 0
    if fact.kind == "date":
        return f"20{10 + number}-01-01"
    if fact.kind == "code":
        return fact.codes[number % len(fact.codes)]
    if fact.kind == "text":
        return f"{fact.name}{number}"
    if fact.unit == "%":
        return f"0.{number}25"
    return {"万元": f"{number}0000000.25", "人": f"{number}5"}.get(fact.unit, str(1 + number % 3))


@dataclass
class History:
    """A registry that is written to, one moment after the other."""

    engine: sa.Engine
    moment: datetime = datetime(2024, 7, 1, 8, tzinfo=UTC)
    checkpoints: list[Checkpoint] = field(default_factory=list)

    def now(self) -> datetime:
        self.moment += timedelta(minutes=1)
        return self.moment

    def load(self, *filed: Submission, file: str = "表.xlsx") -> loading.LoadReport:
        with storage.session(self.engine, write=True) as session:
            reading = self.reading(*filed, file=file)
            return loading.load(session, reading, now=self.now(), by="甲")

    def reading(self, *filed: Submission, file: str = "表.xlsx") -> FileReading:
        return FileReading(file=file, digest="0" * 64, submissions=filed, refused=(), issues=())

    def undo(self, import_id: int | None) -> None:
        assert import_id is not None
        with storage.session(self.engine, write=True) as session:
            loading.undo(session, import_id, now=self.now(), by="甲")

    def publish(self, folder: Path | None = None) -> None:
        with storage.session(self.engine, write=True) as session:
            if folder is None:
                publication.in_force(session, by="乙", now=self.now())
            else:
                publication.publish(session, load_rules(folder), folder, by="乙", now=self.now())

    def publish_pack(self, own: Path) -> None:
        """Publish the packaged criteria with a bureau's own pack."""
        with storage.session(self.engine, write=True) as session:
            folder = resources.features()
            book = packs.compiled(own)
            publication.publish(session, book, folder, by="乙", now=self.now(), own=own)

    def decide(self, *numbers: int, **asked: Any) -> list[decisions.Decided]:
        decider = decisions.DecisionRecorder(self.engine, by="丙", now=self.now)
        with storage.session(self.engine) as session:
            wanted = [code(n) for n in numbers] or None
            ids = cases.newest(session, wanted)
        found = list(decider.decide(ids, Request(**asked)))
        decider.close()
        return found

    def determine(self, number: int, target: Target, value: str, **more: Any) -> int:
        with storage.session(self.engine, write=True) as session:
            rules = publication.current(session)
            assert rules is not None
            given = {
                "ground": "现场核查",
                "evidence": (sha256(Path(__file__).read_text(encoding="utf-8")),),
            } | more
            ruling = Ruling(uscc=code(number), target=target, value=value, **given)
            return determinations.determine(session, rules, ruling, by="丙", now=self.now()).seq

    def confirm(self, seq: int) -> None:
        with storage.session(self.engine, write=True) as session:
            determinations.confirm(session, seq, by="丁", now=self.now())

    def four_eyes(self, asked: bool) -> None:
        with storage.session(self.engine, write=True) as session:
            determinations.set_four_eyes(session, asked, by="乙", now=self.now())

    def withdraw(self, number: int) -> None:
        with storage.session(self.engine, write=True) as session:
            decisions.withdraw(session, code(number), ground="企业申请", by="丙", now=self.now())

    def grant(self, number: int, first: date, kind: str = "创新型中小企业") -> int:
        holders, notice = [Holder(code(number), f"企业{number}")], Notice("公告1号", first)
        with storage.session(self.engine, write=True) as session:
            done = register.grant(
                session, holders, kind, notice, first=first, by="戊", now=self.now()
            )
        return done[0].seq

    def end(self, number: int, day: date, kind: str = "创新型中小企业") -> int:
        holders, notice = (
            [Holder(code(number), f"企业{number}")],
            Notice("决定2号", day, ("a" * 64,)),
        )
        given = {"first": day - timedelta(days=300), "last": day + timedelta(days=300)}
        with storage.session(self.engine, write=True) as session:
            known = register.titles(session, [code(number)])
            done = register.end(
                session,
                holders,
                kind,
                notice,
                on=day,
                reason="撤销",
                by="戊",
                now=self.now(),
                **({} if known else given),
            )
        return done[0].seq

    def strike(self, number: int) -> int:
        with storage.session(self.engine, write=True) as session:
            entries = register.titles(session, [code(number)]).get(code(number), [])
            seq, notice = (entries[-1].seq if entries else 0), Notice("更正3号", LATER)
            return register.strike(session, seq, notice, by="戊", now=self.now()).seq

    def hold(self, holder: int, held: int, share: str, first: date) -> int:
        stated = [Holding(Holder(code(held), f"企业{held}"), Holder(code(holder)), share)]
        notice = Notice("章程4号", first)
        with storage.session(self.engine, write=True) as session:
            done = holdings.hold(session, stated, notice, first=first, by="戊", now=self.now())
        return done[0].seq

    def admit(self, number: int, action: str = "admit") -> None:
        paper = {"document": "证明5号", "dated": "2024-01-02", "evidence": ["b" * 64]}
        with storage.session(self.engine, write=True) as session:
            admissions.record(session, action, early(number), **paper, by="戊", now=self.now())

    def open_round(self, name: str) -> None:
        call = Call(name=name, tier=SPECIALISED, procedure="认定", opens=LATER, lag=30)
        with storage.session(self.engine, write=True) as session:
            rounds.open_round(session, call, Notice("通知6号", LATER), by="己", now=self.now())

    def close_round(self, name: str) -> None:
        with storage.session(self.engine, write=True) as session:
            found = rounds.round_named(session, name)
            rounds.close_round(
                session, found, on=self.now().date(), ground="额满", by="己", now=self.now()
            )

    def apply(self, *numbers: int, name: str) -> None:
        with storage.session(self.engine, write=True) as session:
            asked = Applying(
                tier=SPECIALISED, procedure="认定", day=self.now().date(), level="县级",
                round=rounds.round_named(session, name),
            )  # fmt: skip
            applications.apply(session, [*map(code, numbers)], asked, by="己", now=self.now())

    def step(self, number: int, level: str, act: str, ground: str = "有理由") -> None:
        doing = Doing(act=act, level=level, day=self.now().date(), ground=ground)
        with storage.session(self.engine, write=True) as session:
            applications.step(session, [code(number)], SPECIALISED, doing, by="己", now=self.now())

    def announce(self, number: int) -> None:
        notice = Notice("公告7号", self.now().date(), ("c" * 64,))
        with storage.session(self.engine, write=True) as session:
            applications.announce(
                session, [code(number)], SPECIALISED, notice, level="省级", by="己", now=self.now()
            )

    def play_round(self) -> None:
        """A round: one application announced after an objection, one withdrawn, one open."""
        self.open_round("第一批")
        self.apply(1, 3, 4, name="第一批")
        self.close_round("第一批")
        self.step(1, "企业", "撤回申报", "")
        for level, act in (("县级", "推荐"), ("市级", "推荐"), ("省级", "拟认定")):
            self.step(4, level, act)
        self.step(4, "省级", "提出异议")
        self.moment += timedelta(days=20)
        self.step(4, "省级", "异议不成立")
        self.announce(4)

    def add_year(self, year: int, *, replace: bool = False, **more: Any) -> None:
        """Put a year's days off on record; ``more`` is what else its notice says."""
        stated = {"basis": "通知6号", "rest": [[f"{year}-01-01", f"{year}-01-02"]], "work": []}
        paper = {"document": "通知6号", "dated": "2024-01-03", "evidence": ["c" * 64]}
        with storage.session(self.engine, write=True) as session:
            calendars.record(
                session, year, stated | more, **paper, replace=replace, by="戊", now=self.now()
            )

    def checkpoint(self, key: SigningKey) -> None:
        with storage.session(self.engine, write=True) as session:
            note = checkpoints.write(session, key, now=self.now())
        self.checkpoints.append(checkpoints.read(note, key.verifier_key))


def revised(folder: Path) -> Path:
    """The packaged criteria with one note in other words."""
    shutil.copytree(resources.features(), folder)
    file = folder / "miit-2022-63" / "little-giant.feature"
    text = file.read_text(encoding="utf-8")
    before = "是否处于关键环节并有实效，由审核人依据材料认定。"
    assert before in text
    file.write_text(text.replace(before, "由审核人依据材料认定。"), encoding="utf-8")
    return folder


def rich(engine: sa.Engine, folder: Path) -> History:
    """Write such a registry; ``folder`` is for files."""
    told = History(engine)
    key = SigningKey.create(folder / "key", "示例市工信局")
    first = told.load(full(1), full(2), bare(3), bare(4))
    assert first.import_id == 1, first.refused
    told.publish()
    told.decide(3, tiers=(LITTLE_GIANT,))
    told.four_eyes(True)
    told.confirm(told.determine(1, Target("知名度和影响力"), "是"))
    told.confirm(told.determine(1, Target("审核认可", records="honours", number=2), "是"))
    told.confirm(told.determine(1, Target("63.3.链", rule=True), "符合", tier=LITTLE_GIANT))
    told.determine(2, Target("知名度和影响力"), "否")
    told.decide(1, 2)
    told.checkpoint(key)
    third = bare(3, LATER, **{"revenue@2022": "20000001"})
    later = [third, replace(full(2), values={**full(2).values, "staff@2022": "77"})]
    told.load(full(1), *later, bare(5), file="更正.xlsx")
    told.decide(1, 2, 3)
    told.withdraw(5)
    told.four_eyes(False)
    undone = told.load(
        full(1), bare(4, **{"staff@2022": "9"}), bare(6), bare(7, LATER), file="误.xlsx"
    )
    told.decide(4)
    told.undo(undone.import_id)
    told.determine(4, Target("营业收入总额", year=2022), "123.45万元")
    told.publish(revised(folder / "features"))
    told.decide(1, 4)
    told.load(bare(8), replace(third, identity={"city": "福州市"}), file="新.xlsx")
    told.grant(8, date(2022, 7, 1))
    told.end(1, date(2023, 6, 1), kind="专精特新中小企业")
    told.strike(1)
    told.decide(8)
    told.load(bare(21, ROUND, giant_holding="0"), file="第八批.xlsx")
    told.grant(22, date(2025, 7, 1), kind=LITTLE_GIANT)
    told.hold(21, 22, "0.3", date(2020, 1, 1))
    told.hold(21, 22, "0.51", date(2021, 1, 1))
    told.decide(21, tiers=(LITTLE_GIANT,), batch="第八批")
    told.add_year(2031)
    told.publish_pack(packs.written(folder / "own"))
    told.load(packs.green(bare(41)), file="绿色批次.xlsx")
    told.determine(41, Target("绿色评价"), "70分")
    told.determine(41, Target("已验收", records="绿色项目", number=2), "是")
    told.decide(41, tiers=(packs.TIER,), batch=packs.ROUND)
    told.grant(41, date(2023, 7, 1), kind=packs.TIER)
    told.play_round()
    titled.live(engine, [code(51), code(52), code(53)], told.now)
    told.admit(31)
    told.checkpoint(key)
    return told
