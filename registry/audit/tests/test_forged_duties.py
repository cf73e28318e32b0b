"""Forged duties: who owns the database changes one and chains every digest anew; the verification tells of it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from registry.audit.tests.chained import chained_anew
from registry.audit.tests.held import HELD, held
from registry.audit.verify import verify
from registry.database import projection, storage, triggers
from registry.record import journal
from registry.tests.support import CODES
from registry.tests.titled import TIER

JOURNAL = journal.JOURNAL
Json: TypeAlias = dict[str, Any]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """A registry of three titles, and of two applications, one of them after a cancellation."""
    engine, _ = held(tmp_path_factory.mktemp("kept"))
    yield engine
    engine.dispose()


def rewritten(connection: sa.Connection, seq: int, change: Mapping[str, object]) -> None:
    """Change the body of an entry, and chain all that follows anew."""
    rows = connection.execute(sa.select(JOURNAL).order_by(JOURNAL.c.seq)).mappings().all()
    own = [n for n, text in triggers.DEFINITIONS["sqlite"].items() if " ON journal " in text]
    for name in own:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    connection.execute(sa.delete(JOURNAL))
    for row in chained_anew(rows, seq, lambda body: body.update(change)):
        connection.execute(sa.insert(JOURNAL), row)
    for name in own:
        connection.exec_driver_sql(triggers.DEFINITIONS["sqlite"][name])


def told(engine: sa.Engine, seq: int, change: Mapping[str, object]) -> list[str]:
    """What the verification tells once an entry was changed and everything made to agree."""
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.cursor().execute("PRAGMA foreign_keys = OFF")
        transaction = connection.begin()
        rewritten(connection, seq, change)
        projection.rebuild(connection)
        with Session(connection) as session:
            report = verify(session, replay=False)
        transaction.rollback()
    engine.dispose()  # the next forger has a connection of his own
    assert [*report.integrity, *report.completeness] == []
    return report.correctness


#: What is changed: the kind of the entry, its enterprise, which of them; and the change.
Forged: TypeAlias = tuple[str, str, Callable[[Json], bool], Json, str, str]


def any_(_: Json) -> bool:
    return True


def cancels(body: Json) -> bool:
    return bool(body["action"] == "cancel")


FORGERIES: dict[str, Forged] = {
    "another consequence": (
        "consequence", HELD[1], any_, {"consequence": "取消称号"},
        "后果", "年度更新逾期的后果是“失去复核资格”，不是“取消称号”",
    ),
    "another due day": (
        "consequence", HELD[1], any_, {"due": "2023-03-31"},
        "后果", "最后一日是2023-04-30，不是2023-03-31",
    ),
    "a decision on what was not overdue": (
        "consequence", HELD[1], any_, {"day": "2023-04-30"},
        "后果", "年度更新2023年在2023-04-30没有逾期：逾期而没有决定的是没有",
    ),
    "an update of another year": (
        "update", HELD[0], any_, {"year": 2022},
        "年度更新", "2022年不须更新：须更新的是2023年、2024年、2025年",
    ),
    "an update of a day to come": (
        "update", HELD[0], any_, {"day": "2024-04-01"},
        "年度更新", "2024-04-01晚于登记的日期（2023-09-01）",
    ),
    "another entry is taken back": (
        "update", HELD[2], lambda body: "revokes" in body, {"revokes": "a" * 64},
        "年度更新", "所撤回的记录不存在、已撤回，或内容不同",
    ),
    "a change that is none": (
        "change", HELD[1], any_, {"changed": "换了电话"},
        "变化报告", "没有列出“换了电话”这一变化：可写更名、合并、重组、跨省迁移、设立境外分支机构、其他重大变化",
    ),
    "an answer to nothing": (
        "complaint", HELD[2], lambda body: bool(body["of"]), {"of": "a" * 64},
        "举报", "所答复或补报的记录不存在，或已撤回",
    ),
    "an answer before the complaint": (
        "complaint", HELD[2], lambda body: bool(body["of"]), {"day": "2023-07-02"},
        "举报", "答复或报告的日期早于第",
    ),
    "a shorter bar": (
        "title", HELD[1], cancels, {"barred_until": "2025-01-01"},
        "称号登记", "因数据造假取消的至少到2026-07-20不得申报，不能写至2025-01-01",
    ),
    "another cause": (
        "title", HELD[1], cancels, {"cause": "自愿放弃", "reason": "自愿放弃"},
        "称号登记", "因自愿放弃取消的没有不得申报的期间，不能写至2027-12-31",
    ),
    "an unknown cause": (
        "title", HELD[1], cancels, {"cause": "不高兴", "reason": "不高兴"},
        "称号登记", "没有“不高兴”这一取消事由",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_duty_is_told_in_one_sentence(kept: sa.Engine, name: str) -> None:
    kind, uscc, meant, change, words, said = FORGERIES[name]
    seq = number(kept, kind, uscc, meant)
    complaint, *others = told(kept, seq, change)
    assert len(others) == name.endswith("taken back")  # a decision rested on its being taken back
    assert complaint.startswith(f"第{seq}号{words}当时不能登记：{said}")


def number(engine: sa.Engine, kind: str, uscc: str, meant: Callable[[Json], bool] = any_) -> int:
    """The number of the first such entry about an enterprise."""
    with storage.session(engine) as session:
        found = journal.entries(session, kinds=[kind], subjects=[uscc])
        return next(entry.seq for entry in found if meant(entry.content))


def test_an_application_within_a_bar_is_told_of(kept: sa.Engine) -> None:
    """The cause of the cancellation before it is changed to one that bars from applying."""
    seq = number(kept, "title", CODES[0], cancels)
    asked = number(kept, "application", CODES[0])
    [complaint] = told(kept, seq, {"cause": "数据造假", "reason": "数据造假"})
    assert complaint.startswith(
        f"第{asked}号申报当时不能登记：「{TIER}」称号于2023-07-03因数据造假取消"
    )


def test_clocks_that_were_not_in_force_are_told_of(kept: sa.Engine) -> None:
    seq = number(kept, "consequence", HELD[1])
    complaints = told(kept, seq, {"clocks": "a" * 64})
    assert f"第{seq}号后果所依的计时表不是当时发布的" in complaints


def test_the_registry_as_it_was_kept_is_sound(kept: sa.Engine) -> None:
    assert told(kept, 1, {}) == []
