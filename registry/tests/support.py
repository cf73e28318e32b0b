"""What tests of the record share: a registry with decisions, and a clock of its own."""

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from registry.database import storage
from registry.filings import FileReading, Submission
from registry.judging.case import Request
from registry.judging.published import Published
from registry.kit import resources
from registry.record import cases, decisions, determinations, loading, publication
from rules.language.rulebook import load as load_rules
from rules.model.facts import RecordList
from rules.portable.canonical import sha256

CODES = ("913205052HYEF0R3JN", "9111000071783519X4", "914403007576325472")
DAY = date(2023, 6, 30)


class Clock:
    """Every look at it is a second later."""

    def __init__(self, start: datetime = datetime(2023, 7, 1, 8, tzinfo=UTC)) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


#: A filing that meets all conditions of 专精特新 but for what a test takes away.
VALUES: dict[str, Any] = {
    "registered_in_prc": True,
    "independent_legal_person": True,
    "industry_code": "C3511",
    "abnormal_list": False,
    "dishonesty_list": False,
    "restricted_product": False,
    "major_accident": False,
    "tax_violation": False,
    "segment_entry": "2015-03-01",
    "field_key_link": True,
    "digital_level": "3",
    "quality_award": True,
    "management_certificate": True,
    "own_brand": True,
    "standards": True,
    "local_points": "10",
    "ip_high_value": "1",
    "ip_self_developed": "1",
    "ip_class_one": "2",
    "ip_class_two": "3",
    "financing_three_years": "0",
    "financing_two_years": "0",
    "staff@2022": "100",
    "rd_staff@2022": "20",
    "revenue@2022": "50000000",
    "revenue@2021": "45000000",
    "revenue@2020": "40000000",
    "main_revenue@2022": "45000000",
    "main_revenue@2021": "40000000",
    "main_revenue@2020": "36000000",
    "rd_expense@2022": "2000000",
    "rd_expense@2021": "1800000",
    "net_profit@2022": "5000000",
    "total_assets@2022": "80000000",
    "total_liabilities@2022": "30000000",
}
RECORDS = {
    "titles": RecordList(
        (
            {
                "kind": "创新型中小企业",
                "valid_from": "2022-10-01",
                "valid_until": "2025-09-30",
                "held": True,
            },
        ),
        True,
    ),
    "institutions": RecordList(({"level": "省级", "name": "某研究院"},), True),
    "honours": RecordList(({"kind": "其他"},), True),
    "awards": RecordList((), True),
    "competitions": RecordList((), True),
}


def submission(code: str = CODES[0], day: date = DAY, **changes: Any) -> Submission:
    """A filing with some values changed; None takes one away. ``__`` stands for ``@``."""
    named = {k.replace("__", "@"): v for k, v in changes.items()}
    values = {k: v for k, v in {**VALUES, **named}.items() if v is not None}
    identity = {"province": "江苏省", "legal_representative": "王法人"}
    return Submission(
        uscc=code,
        name=f"测试{code[-4:]}有限公司",
        as_of=day,
        identity=identity,
        values=values,
        records=RECORDS,
    )


def load(
    database: sa.Engine, clock: Clock, *filed: Submission, file: str = "汇总表.xlsx"
) -> loading.LoadReport:
    """Load these filings as one file."""
    reading = FileReading(file=file, digest="f" * 64, submissions=filed, refused=(), issues=())
    with storage.session(database, write=True) as session:
        return loading.load(session, reading, now=clock(), by="导入人")


def publish(database: sa.Engine, clock: Clock) -> Published:
    """Publish the packaged criteria, as a fresh registry does."""
    with storage.session(database, write=True) as session:
        return publication.in_force(session, by="发布人", now=clock())


#: A change to a copy of the criteria: a file, a text in it, and the text instead.
Change: TypeAlias = tuple[str, str, str]
ROUND: Final = "rounds/2026-batch-8/little-giant.feature"
#: Holdings of more than 40 % are control.
FORTY: Final[tuple[Change, ...]] = (
    (ROUND, "50%", "40%"),
    (ROUND, "49.999999%", "39.999999%"),
    (ROUND, "50.000001%", "40.000001%"),
)


def publish_changed(database: sa.Engine, clock: Clock, folder: Path, *changes: Change) -> None:
    """Publish a copy of the packaged criteria with other words in some files."""
    shutil.copytree(resources.features(), folder)
    for name, before, after in changes:
        text = (folder / name).read_text(encoding="utf-8")
        assert before in text
        (folder / name).write_text(text.replace(before, after), encoding="utf-8")
    with storage.session(database, write=True) as session:
        publication.publish(session, load_rules(folder), folder, by="发布人", now=clock())


def decide(
    database: sa.Engine,
    clock: Clock,
    *tiers: str,
    codes: Sequence[str] | None = None,
    by: str = "经办人",
    **how: Any,
) -> list[decisions.Decided]:
    """Decide the newest filings of some enterprises, or of all."""
    with storage.session(database) as session:
        wanted = cases.newest(session, codes)
    decider = decisions.DecisionRecorder(database, by=by, now=clock)
    try:
        named = {"tiers": tiers} if tiers else {}
        return list(decider.decide(wanted, Request(**named, **how)))
    finally:
        decider.close()


def determine(
    database: sa.Engine,
    clock: Clock,
    target: determinations.Target,
    value: str,
    evidence: Path,
    code: str = CODES[0],
    **how: Any,
) -> int:
    """Record a determination; its number."""
    rules = publish(database, clock)
    by = how.pop("by", "认定人")
    given = {
        "ground": "现场核查",
        "evidence": (sha256(evidence.read_text(encoding="utf-8")),),
        **how,
    }
    ruling = determinations.Ruling(uscc=code, target=target, value=value, **given)
    with storage.session(database, write=True) as session:
        entry = determinations.determine(session, rules, ruling, by=by, now=clock())
    return entry.seq


def each(lines: Sequence[decisions.Decided]) -> Iterator[tuple[str, str]]:
    """Tier and verdict of each line."""
    return ((line.tier, line.verdict) for line in lines)
