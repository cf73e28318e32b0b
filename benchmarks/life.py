"""Applications and steps by list, beside bare inserts of the same rows; then everything followed anew.

Run ``python -m benchmarks.life``; ``--help`` names the options. Made-up enterprises are inserted
directly, each with a filing. All of them apply, are sent back and hand in again, in lists of 10,000,
each list one transaction. A bare insert puts the rows of the same entries into a table without keys,
indexes and triggers. Then the projection is made anew, and every application is verified.
"""

import argparse
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from benchmarks.pages import DATABASES
from registry.audit import applications as audited
from registry.database import bulk, projection
from registry.database.models import Import
from registry.database.versions import ENTERPRISE, FILING, table_of
from registry.desk.place import Desk
from registry.kit.uscc import check_digit
from registry.record import applications, journal
from registry.record.applications import Applying, Doing
from registry.record.publication import packaged_catalogue

TIER: Final = packaged_catalogue().titles[1]
DAY: Final = date(2023, 6, 30)
MOMENT: Final = datetime(2023, 8, 1, tzinfo=UTC)
_LIST: Final = 10_000
_FILED: Final = (
    "id", "enterprise_id", "import_id", "as_of", "known_from", "sources", "identity", "facts",
    "digest",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Play the beginning of a round with each number of enterprises, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, nargs="*", default=(10_000, 100_000))
    given = parser.parse_args(arguments)
    heads = ("applications", "steps", "bare rows", "ratio", "rebuilt", "verified", "MB")
    print(f"{'enterprises':>12}" + "".join(f"{head:>14}" for head in heads))
    for count in given.count:
        with (
            DATABASES["sqlite"]() as address,
            Desk(address, by="经办人", clock=lambda: MOMENT) as desk,
        ):
            print(f"{count:12,}" + "".join(f"{figure:>14}" for figure in measured(desk, count)))


def measured(desk: Desk, count: int) -> list[str]:
    """What is done a second of processor time, and the most memory that the process ever took."""
    codes = fill(desk, count)
    asked = Applying(tier=TIER, procedure="认定", day=DAY, level="县级")

    def apply(part: Sequence[str]) -> None:
        with desk.writing() as session:
            applications.apply(session, part, asked, by=desk.by, now=MOMENT)

    def step(part: Sequence[str], level: str, act: str) -> None:
        doing = Doing(act=act, level=level, day=DAY, ground="有理由")
        with desk.writing() as session:
            applications.step(session, part, TIER, doing, by=desk.by, now=MOMENT)

    lists = [codes[n : n + _LIST] for n in range(0, count, _LIST)]
    acts = (("县级", "退回补正"), ("企业", "重新提交"))
    applied = _taken(apply, [(part,) for part in lists])
    stepped = _taken(step, [(part, *act) for act in acts for part in lists])
    bare = _taken(_bare, [(desk, 2 * count)])
    with desk.database.begin() as connection:
        connection.execute(sa.update(projection.CASE_STATE).values(state=None))
        rebuilt = _taken(projection.rebuild, [(connection,)])
    with desk.reading() as session:
        verified = _taken(_verify, [(session,)])
    memory = getrusage(RUSAGE_SELF).ru_maxrss >> 10
    return [
        f"{count / applied:,.0f}/s", f"{2 * count / stepped:,.0f}/s", f"{2 * count / bare:,.0f}/s",
        f"{stepped / bare:.1f}", f"{count / rebuilt:,.0f}/s", f"{count / verified:,.0f}/s",
        f"{memory:,}",
    ]  # fmt: skip


def _verify(session: Session) -> None:
    for complaint in audited.complaints(session):
        raise SystemExit(complaint)


def _taken(act: Callable[..., object], asked: Sequence[tuple[Any, ...]]) -> float:
    """The processor seconds of doing something with all that is asked."""
    began = process_time()
    for arguments in asked:
        act(*arguments)
    return process_time() - began


def _bare(desk: Desk, count: int) -> None:
    """Insert the newest entries of the journal into a table with nothing but columns."""
    with desk.reading() as session:
        query = sa.select(journal.JOURNAL).order_by(journal.JOURNAL.c.seq.desc()).limit(count)
        rows = [tuple(row) for row in session.execute(query)]
    table = sa.Table("bare", sa.MetaData(), *(sa.Column(c.name, c.type) for c in journal.JOURNAL.c))
    with TemporaryDirectory() as folder:
        engine = sa.create_engine(f"sqlite:///{Path(folder) / 'bare.db'}")
        table.create(engine)
        with engine.begin() as connection:
            marks = ", ".join("?" * len(table.c))
            stored = [[str(value) if isinstance(value, datetime) else value for value in row] for row in rows]  # fmt: skip
            connection.exec_driver_sql(
                f"INSERT INTO bare VALUES ({marks})", [tuple(r) for r in stored]
            )
        engine.dispose()


def fill(desk: Desk, count: int) -> list[str]:
    """Publish the criteria and insert made-up enterprises, each with a filing; their codes."""
    desk.in_force()
    codes = []
    for n in range(1, count + 1):
        body = f"91330001MA{n:07d}"
        codes.append(body + check_digit(body))
    with desk.writing() as session:
        session.execute(
            sa.insert(table_of(Import)).values(
                id=1, file="表.xlsx", digest="0" * 64, loaded_at=MOMENT, new=count, changed=0,
                unchanged=0, refused=0,
            )
        )  # fmt: skip
        rows = [(n, code, f"企业{n}") for n, code in enumerate(codes, 1)]
        bulk.insert(session, ENTERPRISE, ["id", "uscc", "name"], rows)
        filed = ("{}", "{}", "{}", "0" * 64)
        filings = [(n, n, 1, DAY, datetime(2023, 7, 1, tzinfo=UTC), *filed) for n in range(1, count + 1)]  # fmt: skip
        bulk.insert(session, FILING, list(_FILED), filings)
    with desk.database.begin() as connection:
        projection.rebuild(connection)
    return codes


if __name__ == "__main__":
    main()
