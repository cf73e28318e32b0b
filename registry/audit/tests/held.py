"""A registry of titles and what followed them, which those who forge and those who export share."""

from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa

from registry.database import storage
from registry.record import register
from registry.record.register import Holder, Notice
from registry.tests.busy import apply
from registry.tests.history import code
from registry.tests.support import CODES, Clock, decide, load, publish, submission
from registry.tests.titled import GRANTED, TIER, live

HELD = tuple(code(number) for number in (51, 52, 53))
LEFT = Notice("取消1号", date(2023, 7, 3))


def held(folder: Path) -> tuple[sa.Engine, Clock]:
    """Three titles, and two applications, one of them after a cancellation; and the clock."""
    engine = storage.create_engine(f"sqlite:///{folder}/tidu.db")
    storage.upgrade(engine)
    now = Clock(datetime(2023, 9, 1, 9, tzinfo=UTC))
    publish(engine, now)
    load(engine, now, *(submission(code) for code in CODES[:2]))
    decide(engine, now, "专精特新")
    live(engine, HELD, now)
    with storage.session(engine, write=True) as session:
        holder, notice = [Holder(CODES[0], "甲公司")], Notice("公告1号", GRANTED)
        register.grant(session, holder, TIER, notice, first=GRANTED, by="辛", now=now())
        register.cancel(session, holder, TIER, LEFT, "自愿放弃", by="辛", now=now())
    apply(engine, [*CODES[:2]], now)
    return engine, now
