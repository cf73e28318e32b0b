"""Entries that no act could have recorded: each is whole and chained, and the verification tells of it.

Who owns the database appends them as the program does, but without its checks.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from registry.audit import standalone
from registry.audit.tests.held import held
from registry.audit.tests.test_forged_duties import told
from registry.audit.verify import verify
from registry.database import projection, storage, triggers
from registry.portable import bodies
from registry.portable.clock import moment_text
from registry.portable.notes import Checkpoint
from registry.portable.sealing import committed, filed
from registry.record import cases, journal, register
from registry.record.journal import Draft
from registry.record.register import Holder, Notice
from registry.tests.history import code
from registry.tests.support import CODES, Clock
from registry.tests.titled import TIER
from rules.portable.canonical import canonical_json

Json = dict[str, Any]
GRANTED = date(2022, 1, 1)


@dataclass(frozen=True)
class Kept:
    """A registry, and the moment after its last entry."""

    engine: sa.Engine
    now: Clock


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    engine, now = held(tmp_path_factory.mktemp("impossible"))
    yield Kept(engine, now)
    engine.dispose()


# -- one form --------------------------------------------------------------------------------------


def otherwise(value: Any) -> Iterator[Any]:
    """The same value, or one like it, in forms in which nobody records it."""
    match value:
        case bool():
            yield from (int(value), str(value))
        case int():
            yield from (float(value), str(value), True)
        case str() if bodies.is_day(value):
            yield from (value.replace("-", ""), f"{value} ", f"{value}T00:00:00", "2023-02-29")
            yield date.fromisoformat(value).strftime("%G-W%V-%u")
        case str() if len(value) in (18, 64):
            yield from (value.swapcase() if value.swapcase() != value else "", f"{value}\n")
            yield value.translate({c: c + 0xFEE0 for c in range(ord("0"), ord("z") + 1)})
        case list():
            yield from ([*value, 1.5], tuple(value), {})
        case dict():
            yield from ({**value, "x": 1.5}, [])
    yield from (7.5, {"x": 1}) if not isinstance(value, dict) else ()


def test_every_body_has_its_one_form(kept: Kept) -> None:
    kinds, tried = set(), 0
    with storage.session(kept.engine) as session:
        for entry in journal.entries(session):
            body = entry.content
            assert bodies.amiss(entry.kind, body) == "", entry.seq
            assert bodies.tier_of(entry.kind, body) in (None, entry.tier), entry.seq
            if (shape := (entry.kind, *body)) in kinds:
                continue
            kinds.add(shape)
            assert bodies.amiss(entry.kind, {**body, "x": 1}) == "多出「x」"
            for key, value in body.items():
                lacking = {k: v for k, v in body.items() if k != key}
                if (entry.kind, key) not in _MAY_LACK:
                    assert bodies.amiss(entry.kind, lacking), (entry.kind, key)
                for other in otherwise(value):
                    assert bodies.amiss(entry.kind, {**body, key: other}), (entry.kind, key, other)
                    tried += 1
    assert tried > 600


_MAY_LACK = {
    *(("publication", key) for key in ("workflows", "clocks", "calendar")),
    *((kind, "ground") for kind in ("step", "update", "change", "complaint")),
    ("complaint", "of"), ("update", "revokes"), ("decision", "register"), ("decision", "identity"),
}  # fmt: skip


# -- what was possible then ------------------------------------------------------------------------


def title(number: int, action: str, **stated: Any) -> Draft:
    body: Json = {
        "schema": 1, "action": action, "document": "伪1号", "dated": "2023-01-01", "evidence": [],
        "uscc": code(number), "name": "甲", "kind": TIER, "valid_from": GRANTED.isoformat(),
        "valid_until": "2024-12-31", "ended_on": None, "reason": "", **stated,
    }  # fmt: skip
    return Draft(kind="title", tier=TIER, subject=body["uscc"], body=body)


def change(number: int, **stated: Any) -> Draft:
    body: Json = {
        "schema": 1, "uscc": code(number), "name": "甲", "province": "", "changed": "更名",
        "of": None, "renamed": "乙", "reported": None, "day": "2023-03-01", "document": "",
        "evidence": [], **stated,
    }  # fmt: skip
    return Draft(kind="change", subject=body["uscc"], body=body)


ENDED = {"ended_on": "2023-01-01", "reason": "撤销"}
#: What is appended after a title is granted to an enterprise of its own, and what is told of the last.
IMPOSSIBLE: dict[str, tuple[Callable[[int], list[Draft]], str]] = {
    "a title twice": (lambda n: [title(n, "grant")], "重叠"),
    "two titles at a time": (
        lambda n: [title(n, "grant", valid_from="2024-01-01", valid_until="2026-12-31")], "重叠",
    ),
    "an extension of a title that has ended": (
        lambda n: [title(n, "end", **ENDED), title(n, "extend", valid_until="2027-12-31")],
        "称号已终止",
    ),
    "an extension that revives": (
        lambda n: [title(n, "end", **ENDED), title(n, "extend", valid_until="2024-12-31")],
        "称号已终止",
    ),
    "an extension that shortens": (lambda n: [title(n, "extend", valid_until="2024-06-30")], "不能延期"),
    "an end after the end": (
        lambda n: [title(n, "end", **ENDED), title(n, "end", **{**ENDED, "ended_on": "2022-06-01"})],
        "称号已终止",
    ),
    "an end before the beginning": (
        lambda n: [title(n, "end", **{**ENDED, "ended_on": "2021-06-01"})], "终止早于开始",
    ),
    "an end that says no day": (lambda n: [title(n, "end")], "须写明终止日期"),
    "an end of other days": (
        lambda n: [title(n, "end", **ENDED, valid_until="2023-12-31")], "有效期与此前登记的不同",
    ),
    "a grant that has ended": (
        lambda n: [title(n, "grant", **ENDED, valid_from="2019-01-01", valid_until="2020-12-31")],
        "授予或延期则没有",
    ),
    "a title that ends before it begins": (
        lambda n: [title(n, "grant", valid_from="2030-01-01", valid_until="2029-01-01")],
        "终止早于开始",
    ),
    "what is struck out is another's": (lambda n: [title(n, "strike", strikes="a" * 64)], "划销的不是"),
    "a change reported before it happened": (
        lambda n: [change(n, reported="2023-02-28")], "报告的日期早于变化的日期",
    ),
    "a change of nobody's title": (lambda n: [replace_code(change(n), 90)], "没有登记过称号"),
}  # fmt: skip


def replace_code(draft: Draft, number: int) -> Draft:
    return replace(draft, subject=code(number), body={**draft.body, "uscc": code(number)})


def appended(
    kept: Kept,
    *forge: Callable[[Session], list[Draft]],
    points: Sequence[Checkpoint] = (),
) -> tuple[list[int], list[str]]:
    """What is told once drafts were appended, and the number of the last of each."""
    with kept.engine.connect() as connection:
        transaction = connection.begin()
        with Session(connection) as session:
            numbers = [
                journal.append(session, made(session), by="伪", now=kept.now())[-1].seq
                for made in forge
            ]
            projection.rebuild(connection)
            report = verify(session, points, replay=False)
        transaction.rollback()
    return numbers, [*report.integrity, *report.completeness, *report.correctness]


def granted(kept: Kept, session: Session, number: int) -> journal.Entry:
    notice = Notice("公告1号", GRANTED)
    last = date(2024, 12, 31)
    return register.grant(
        session, [Holder(code(number), "甲")], TIER, notice, first=GRANTED, last=last, by="辛",
        now=kept.now(),
    )[0]  # fmt: skip


def test_what_could_not_be_said_of_a_title_is_told_of(kept: Kept) -> None:
    """Each of a holder of its own, so that all are told of at once."""

    def forged(number: int, made: Callable[[int], list[Draft]]) -> Callable[[Session], list[Draft]]:
        def drafts(session: Session) -> list[Draft]:
            granted(kept, session, number)
            return made(number)

        return drafts

    made = [forged(60 + n, one) for n, (one, _) in enumerate(IMPOSSIBLE.values())]
    numbers, complaints = appended(kept, *made)
    for seq, (name, (_, said)) in zip(numbers, IMPOSSIBLE.items(), strict=True):
        assert any(f"第{seq}号" in c and said in c for c in complaints), (name, complaints)


def test_what_was_struck_out_is_not_struck_out_again(kept: Kept) -> None:
    def forged(session: Session) -> list[Draft]:
        entry = granted(kept, session, 60)
        first = title(60, "strike", strikes=entry.digest)
        [struck] = journal.append(session, [first], by="伪", now=kept.now())
        return [title(60, "strike", strikes=struck.digest)]

    [seq], complaints = appended(kept, forged)
    assert f"第{seq}号划销的不是这项称号现行的登记" in complaints


def test_what_changes_nothing_or_has_no_sound_code_is_told_of(kept: Kept) -> None:
    policy = Draft(kind="policy", body={"schema": 1, "four_eyes": False})
    unsound = title(1, "grant")
    unsound = replace(
        unsound, subject="91350100M00000001X", body={**unsound.body, "uscc": "91350100M00000001X"}
    )
    paper = {"schema": 1, "document": "证", "dated": "2023-01-01", "evidence": ["a" * 64]}
    early = code(31)[:17] + ("0" if code(31)[17] != "0" else "1")
    revoked = Draft(
        kind="admission", subject=early, body={**paper, "action": "revoke", "uscc": early}
    )
    numbers, complaints = appended(
        kept, lambda _: [policy], lambda _: [unsound], lambda _: [revoked]
    )
    for seq, said in zip(
        numbers, ("管理规定与当时的规定相同", "校验码不符", "认可代码的内容不合格式"), strict=True
    ):
        assert any(f"第{seq}号" in c and said in c for c in complaints), (said, complaints)


def test_an_entry_that_is_dated_back_behind_a_checkpoint_is_told_of(kept: Kept) -> None:
    """Its moment is not before the last entry's, but before that at which others took a checkpoint."""
    with storage.session(kept.engine) as session:
        known = verify(session, replay=False)
        last = journal.entry(session, known.size).recorded_at

    def point(moment: datetime) -> Checkpoint:
        return Checkpoint("局", known.size, known.root, (f"time {moment_text(moment)}",))

    later, earlier = point(last + timedelta(days=30)), point(last - timedelta(seconds=1))
    with storage.session(kept.engine) as session:
        assert verify(session, [later], replay=False).sound
        [told_of] = verify(session, [earlier], replay=False).integrity
    assert told_of.startswith(f"第{known.size}号记录的时间晚于包含它的检查点")
    policy = Draft(kind="policy", body={"schema": 1, "four_eyes": True})
    [seq], complaints = appended(kept, lambda _: [policy], points=[later])
    assert complaints == [f"第{seq}号记录的时间早于此前签发的检查点：时间被倒填"]


def test_who_complained_is_not_lost_unnoticed(kept: Kept) -> None:
    """No digest covers the texts beside an entry, but its body commits to them."""
    with kept.engine.connect() as connection:
        transaction = connection.begin()
        with Session(connection) as session:
            entry = next(journal.entries(session, kinds=["complaint"]))
            left = {place: text for place, text in entry.texts.items() if place != "informant"}
            stored = {"salt": entry.salt, "texts": left}
            made = triggers.DEFINITIONS["sqlite"]
            for name in [n for n, text in made.items() if " ON journal " in text]:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            changed = sa.update(journal.JOURNAL).where(journal.JOURNAL.c.seq == entry.seq)
            connection.execute(changed.values(disclosures=canonical_json(stored)))
            found = verify(session, replay=False).integrity
        transaction.rollback()
    assert f"第{entry.seq}号记录的举报人缺失" in found


#: What is changed in a registered announcement, title or round, and what is told.
REGISTERED: dict[str, tuple[str, Json, str]] = {
    "the announcement is another": ("announcement", {"document": "另一公告"}, "文号、日期或附件不一致"),
    "the title is by another notice": ("title", {"document": "另一公告"}, "文号、日期或附件不一致"),
    "an application from elsewhere": ("application", {"province": "浙江省"}, "所写的省份不是当时填报的"),
    "a change elsewhere": ("change", {"province": "浙江省"}, "所写的省份不是当时填报的"),
    "a step settles what it cannot": ("step", {"objection": "a" * 64}, "不了结异议，却写有异议"),
}  # fmt: skip


@pytest.mark.parametrize("name", REGISTERED)
def test_a_course_whose_entries_differ_is_told_of(kept: Kept, name: str) -> None:
    kind, change, said = REGISTERED[name]
    with storage.session(kept.engine) as session:
        found = journal.entries(session, kinds=[kind])
        own = (e for e in found if e.subject in (None, CODES[1]) or kind == "change")
        seq = next(e.seq for e in own)
    complaints = told(kept.engine, seq, change)
    assert any(said in c for c in complaints), complaints


def test_a_determination_of_what_did_not_stand_there_is_told_of(kept: Kept) -> None:
    with storage.session(kept.engine) as session:
        entry = next(journal.entries(session, kinds=["decision"]))
        facts = cases.case(session, entry.filing_id or 0).facts
    salt = "00"
    body: Json = {
        "schema": 1, "fact": "staff@2022", "value": "5",
        "case": {"uscc": entry.content["case"]["uscc"], "as_of": entry.content["case"]["filed_as_of"]},
        **committed(facts, salt, filed(facts)), "ground": journal.SEALED, "evidence": [],
        "four_eyes": False,
    }  # fmt: skip

    def draft(was: object) -> Draft:
        return Draft(
            kind="determination", filing_id=entry.filing_id, body={**body, "was": was}, salt=salt,
            texts={"ground": "核查"},
        )  # fmt: skip

    drafts = [draft(was) for was in ("100", "5", "99", 100, None)]
    [last], complaints = appended(kept, lambda _: drafts)
    for seq in (last - 2, last - 1, last):
        assert f"第{seq}号人工认定所写的原值与填报不符" in complaints
    assert f"第{last - 1}号记录的内容不合格式（「was」的写法不对）" in complaints
    assert len(complaints) == 4


def test_verify_py_says_which_python_it_needs() -> None:
    """An older one must be able to read the file so far as to say so."""
    ast.parse(standalone.script(), feature_version=(3, 7))
    assert "验证需要 Python 3.11 以上" in standalone.script()
