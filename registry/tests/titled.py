"""The life of three titles after the grant, in which everything happens that can, for tests of the record."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from registry.database import storage
from registry.record import duties, register
from registry.record.duties import Change, Matter, Papers
from registry.record.register import Holder, Notice
from rules.tests.packaged import TITLES

TIER = TITLES[0]
GRANTED = date(2022, 10, 1)
CANCELLED = Notice("取消8号", date(2023, 7, 20), ("d" * 64,))


def live(engine: sa.Engine, codes: Sequence[str], now: Callable[[], datetime]) -> None:
    """Three titles: one is looked after, one cancelled, and one entered with mistakes.

    The first has a change reported late and a complaint of a year without a calendar; the second
    loses the right to a re-check, and then the title, with a longer bar; the third an announced last
    day of its own, an update taken back, no consequence of it, and a complaint that was answered.
    """
    first, second, third = codes
    notice = Notice("公告9号", GRANTED)
    with storage.session(engine, write=True) as session:
        for code, last in ((first, None), (second, None), (third, date(2026, 1, 31))):
            register.grant(
                session, [Holder(code, f"持有{code[-4:]}")], TIER, notice,
                first=GRANTED, last=last, by="辛", now=now(),
            )  # fmt: skip
        handed = Papers(day=date(2023, 4, 20), document="平台", evidence=("a" * 64,))
        _, mistaken = duties.update(session, [first, third], 2023, handed, by="辛", now=now())
        renamed = Change(kind="更名", day=date(2023, 3, 1), renamed=f"改名{first[-4:]}")
        [noted] = duties.change(session, [first], renamed, handed, by="辛", now=now())
        duties.report(session, noted.seq, Papers(day=date(2023, 7, 3)), by="辛", now=now())
        moved = Change(kind="跨省迁移", day=date(2023, 5, 4), reported=date(2023, 5, 20))
        duties.change(session, [second], moved, handed, by="辛", now=now())
        said = Papers(day=date(2022, 10, 10), ground="营业收入不实")
        duties.complain(session, first, said, "举报人甲", by="辛", now=now())
        said = Papers(day=date(2023, 7, 3), ground="研发费用不实")
        complaint = duties.complain(session, third, said, "举报人乙", by="辛", now=now())
        answered = Papers(day=date(2023, 7, 10), ground="已核对账目")
        duties.answer(session, complaint.seq, "不属实", answered, by="辛", now=now())
        papers = Papers(day=date(2023, 5, 10), ground="记错了企业")
        duties.revoke(session, mistaken.seq, papers, by="辛", now=now())
        missed = Matter(tier=TIER, matter="年度更新", subject="2023年")
        for code, consequence in ((second, "失去复核资格"), (third, "")):
            papers = Papers(day=date(2023, 5, 10), ground="两次催告的结果")
            duties.decide(session, [code], missed, consequence, papers, by="辛", now=now())
        register.cancel(
            session, [Holder(second)], TIER, CANCELLED, "数据造假",
            barred_until=date(2027, 12, 31), by="辛", now=now(),
        )  # fmt: skip
