"""A county's registry with everything in it that a bundle can hold, of made-up enterprises."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import storage
from registry.demo import DEMO_COUNTY
from registry.filings import Submission
from registry.intake.tests.counties import read
from registry.judging.case import Request
from registry.kit import resources
from registry.record import cases, decisions, determinations, loading, publication
from registry.record.decisions import DecisionRecorder
from registry.record.determinations import Ruling, Target
from rules.language.rulebook import load
from rules.model.facts import RecordList, Scalar
from rules.portable.canonical import sha256

#: What a masked bundle must not show: names of persons and of what they own, grounds of determinations.
PERSONS = ("张登记", "李经办", "王认定", "赵复核", "钱发布")
GROUNDS = ("现场核查属于关键环节", "审计报告载明的数额", "审计报告更正后的数额", "专家评审意见认可")
PROPERTY = {
    "ip": ("number", "ZL202110234567.8"),
    "financing": ("investor", "山海创业投资（虚构）"),
    "awards": ("name", "示范省科学技术进步奖一等奖"),
    "institutions": ("name", "示范省传感技术研究所"),
    "brands": ("name", "感知牌"),
}


class County:
    """The registry and its clock, which is set forward by hand."""

    def __init__(self, engine: sa.Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.clock = datetime(2023, 7, 1, 1, tzinfo=UTC)
        self.decider = DecisionRecorder(engine, by="李经办", now=self.now)

    def now(self) -> datetime:
        self.clock += timedelta(seconds=1)
        return self.clock

    def close(self) -> None:
        self.decider.close()
        self.engine.dispose()

    def day(self, text: str) -> None:
        self.clock = datetime.fromisoformat(f"{text}T01:00:00+00:00")

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with storage.session(self.engine, write=True) as session:
            yield session

    def publish(self, change: Callable[[str], str] = str) -> None:
        """Publish the packaged criteria, with a change to each file."""
        folder = self.folder / "features"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(resources.features(), folder)
        for file in folder.rglob("*.feature"):
            file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
        with self.writing() as session:
            publication.publish(session, load(folder), folder, by="钱发布", now=self.now())

    def file(self, submissions: list[Submission]) -> None:
        reading = replace(read(DEMO_COUNTY), submissions=tuple(submissions))
        with self.writing() as session:
            loading.load(session, reading, now=self.now(), by="张登记")

    def decide(self, usccs: list[str], **how: Any) -> list[decisions.Decided]:
        with storage.session(self.engine) as session:
            filings = cases.newest(session, usccs)
        return list(self.decider.decide(filings, Request(**how)))

    def determine(self, uscc: str, target: Target, value: str, ground: str, **how: str) -> int:
        with self.writing() as session:
            rules = publication.current(session)
            assert rules is not None
            given = {"ground": ground, "evidence": (sha256(ground),), **how}
            ruling = Ruling(uscc=uscc, target=target, value=value, **given)
            return determinations.determine(session, rules, ruling, by="王认定", now=self.now()).seq

    def confirm(self, seq: int) -> int:
        with self.writing() as session:
            return determinations.confirm(session, seq, by="赵复核", now=self.now()).seq


def submissions() -> list[Submission]:
    """The filings of the demo workbook; every fifth names property of the enterprise."""
    return [
        with_property(s) if n % 5 == 0 else s for n, s in enumerate(read(DEMO_COUNTY).submissions)
    ]


def with_property(filed: Submission) -> Submission:
    records = dict(filed.records)
    for name, (field, text) in PROPERTY.items():
        listed = records.get(name, RecordList())
        item: dict[str, Scalar] = {**(listed.items[0] if listed.items else {}), field: text}
        records[name] = RecordList((item, *listed.items[1:]), listed.complete)
    return replace(filed, records=records)


def of_2026(filed: Submission) -> Submission:
    """A filing as if made three years later."""

    def later(key: str) -> str:
        name, at, year = key.partition("@")
        return f"{name}@{int(year) + 3}" if at else key

    def moved(value: Scalar) -> Scalar:
        if isinstance(value, str) and len(value) == 10 and value[4] == "-":
            return f"{int(value[:4]) + 3}{value[4:]}"
        return value

    return replace(
        filed,
        as_of=date(2026, 6, 30),
        values={later(k): moved(v) for k, v in filed.values.items()},
        sources={later(k): v for k, v in filed.sources.items()},
        records={
            name: RecordList(
                tuple({k: moved(v) for k, v in item.items()} for item in listed.items),
                listed.complete,
            )
            for name, listed in filed.records.items()
        },
    )


def build(county: County, hold: Callable[[], None] = lambda: None) -> None:
    """Three years of a registry: decisions, determinations, and publications of several kinds.

    ``hold`` is called where someone takes a checkpoint home.
    """
    filed = submissions()
    codes = [s.uscc for s in filed]
    county.publish()
    county.file(filed)
    county.day("2023-07-03")
    county.decide(codes[:12])
    hold()
    county.day("2023-07-10")
    # the rule that the eleventh leaves to judgement; the figures of the fifth, twice, four-eyed
    little = "专精特新“小巨人”企业"
    county.determine(codes[10], Target("63.3.链", rule=True), "符合", GROUNDS[0], tier=little)
    with county.writing() as session:
        determinations.set_four_eyes(session, True, by="赵复核", now=county.now())
    revenue = Target("营业收入总额", year=2022)
    county.confirm(county.determine(codes[4], revenue, "5100万元", GROUNDS[1]))
    county.confirm(county.determine(codes[4], revenue, "5200万元", GROUNDS[2]))
    first = county.determine(
        codes[31], Target("63.3.品", rule=True), "符合", GROUNDS[3], tier=little
    )
    county.day("2023-07-12")
    county.decide([codes[4], codes[10]])
    county.confirm(first)
    county.decide(codes[29:32])
    hold()
    county.day("2023-08-02")
    county.publish(lambda text: text.replace("# language: zh-CN", "# language: zh-CN\n# 校对"))
    county.decide(codes[12:15])
    county.day("2023-09-01")
    county.publish(
        lambda text: text.replace("100万元", "90万元") if "@id:63.2.研发费用" in text else text
    )
    county.decide(codes[24:26], tiers=("专精特新中小企业",))
    county.publish()
    with county.writing() as session:
        ground = "企业来函撤回申报"
        decisions.withdraw(session, codes[40], ground=ground, by="李经办", now=county.now())
    county.day("2026-07-01")
    county.file([of_2026(s) for s in filed[:6]])
    county.decide(codes[:6])
    county.decide(codes[:2], procedure="复核", batch="2026年复核", tiers=(little,))
