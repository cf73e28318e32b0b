"""The pages among many enterprises, beside the bare queries: the processor time of the server.

Run ``python -m benchmarks.pages``; ``--help`` names the options. The example county is loaded and
decided; beside it, made-up enterprises with names as in a province are inserted directly, half of
them with a filing and a decision in the journal. SQLite and PostgreSQL hold the same. A bare query
answers the page's question without the projection's indices: ``LIKE`` on every name, ``OFFSET`` for
a late page, a full count. The ratio is the time of the largest number to that of the smallest.
"""

import argparse
import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from os import sysconf
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, Final

import httpx
import sqlalchemy as sa
from sqlmodel import Session
from starlette.types import ASGIApp

from benchmarks.decide import postgresql as postgresql_server
from registry.database import bulk, storage
from registry.database.models import Import
from registry.database.projection import CASE_STATE
from registry.database.versions import ENTERPRISE, FILING, table_of
from registry.demo import DEMO_COUNTY
from registry.desk import deciding, importing
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.judging.case import Request
from registry.kit import names, regions
from registry.kit.uscc import check_digit
from registry.portable.chain import KINDS as ENTRIES
from registry.record import journal, loading
from registry.record.finding import UNDECIDED_WORD
from registry.record.publication import packaged_catalogue
from registry.web.addresses import Addresses, asked, enterprise
from registry.web.app import application
from rules.model.ruleset import Outcome

COUNTS: Final = (10_000, 1_000_000)
TIER: Final = packaged_catalogue().titles[1]
DAY: Final = date(2023, 6, 30)
_CHUNK: Final = 20_000
#: Above the numbers that the example county takes.
_FIRST: Final = 1_001
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

_FILED: Final = [
    "id",
    "enterprise_id",
    "import_id",
    "as_of",
    "known_from",
    "sources",
    "identity",
    "facts",
    "digest",
]

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Question:
    """A page by its address, and the bare query that answers the same, if there is one."""

    name: str
    path: str
    bare: sa.Select[Any] | None = None


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill both databases with each number of enterprises, time every page, print the times."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, nargs="*", default=COUNTS, help="enterprises")
    parser.add_argument("--turns", type=int, default=20, help="times that each page is asked for")
    parser.add_argument("--only", choices=DATABASES, help="one kind of database")
    given = parser.parse_args(arguments)
    for kind in [given.only] if given.only else DATABASES:
        taken = [measured(kind, count, given.turns) for count in given.count]
        heads = "".join(f"{f'{count:,} ms':>15}{'bare':>10}" for count in given.count)
        print(f"\n{kind:34}{heads}{'ratio':>8}{'bare':>8}")
        for name, figures in taken[0].items():
            every = [each[name] for each in taken]
            shown = "".join(f"{page:15.2f}{_text(bare):>10}" for page, bare in every)
            last = every[-1]
            ratios = last[0] / figures[0], last[1] and figures[1] and last[1] / figures[1]
            print(f"{name:34}{shown}{_text(ratios[0]):>8}{_text(ratios[1]):>8}", flush=True)


def _text(number: float | None) -> str:
    return "–" if number is None else f"{number:.2f}"


Figures = tuple[float, float | None]


def measured(kind: str, count: int, turns: int) -> dict[str, Figures]:
    """The milliseconds of each page and of its bare query in a database with so many enterprises."""
    with DATABASES[kind]() as address, Desk(address, by="经办人") as desk:
        began = perf_counter()
        fill(desk, count)
        print(f"{kind}, {count} enterprises, filled in {perf_counter() - began:.0f} s", flush=True)
        return dict(figures(desk, count, turns))


def figures(desk: Desk, count: int, turns: int) -> Iterator[tuple[str, Figures]]:
    """The same of a filled database, by the names of the pages."""
    with Judging(desk) as judging, asyncio.Runner() as runner, desk.reading() as session:
        ask = visiting(runner, application(desk, judging))
        for one in questions(session, count, Addresses(desk.to_be_filed)):
            page = timed(session, partial(ask, one.path), turns)
            bare = None
            if one.bare is not None:
                bare = timed(session, partial(_answered, session, one.bare), turns)
            yield one.name, (page, bare)


def _answered(session: Session, query: sa.Select[Any]) -> None:
    session.execute(query).all()


@contextmanager
def sqlite() -> Iterator[str]:
    """The address of a file of one's own."""
    with TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/tidu.db"


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a database on a PostgreSQL server of one's own."""
    with postgresql_server() as (address, _):
        engine = storage.create_engine(address)
        storage.upgrade(engine)
        engine.dispose()
        yield address


DATABASES: Final = {"sqlite": sqlite, "postgresql": postgresql}


def fill(desk: Desk, count: int) -> None:
    """Load and decide the example county, and add made-up enterprises around its decisions."""
    desk.in_force()
    reading = importing.read_file(desk, DEMO_COUNTY, desk.to_be_filed())
    with desk.writing() as session:
        loading.load(session, reading, now=desk.clock(), partial=True, by=desk.by)
    codes = [filed.uscc for filed in reading.submissions]
    with deciding.run(desk, codes[:5], Request(), jobs=1) as run:
        list(run)
    add_made_up(desk, count)
    with deciding.run(desk, codes[5:], Request(), jobs=1) as run:
        list(run)
    with desk.database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(
            "ANALYZE" if connection.dialect.name == "sqlite" else "VACUUM ANALYZE"
        )


def add_made_up(desk: Desk, count: int) -> None:
    """Add made-up enterprises, half of them decided under one tier, as a decision of the county was."""
    random = Random(1)
    counties = [r for r in regions.regions().values() if r.level == regions.LEVELS[-1]]
    places = [regions.place_of(regions.full_name(r.code)) for r in counties if r.code[:2] == "33"]
    with desk.reading() as session:
        model = next(iter(journal.entries(session, kinds=["decision"], tier=TIER)))
        file = session.scalar(sa.select(table_of(Import).c.id))
    for start in range(_FIRST, _FIRST + count, _CHUNK):
        enterprises, filings, rows, drafts = list[Row](), list[Row](), list[Row](), list[Any]()
        with desk.writing() as session:
            seq = journal.last_number(session)
            for id in range(start, min(start + _CHUNK, _FIRST + count)):
                body = f"91{330000 + id % 3:06d}MA{id:07d}"
                code = body + check_digit(body)
                signs = "".join(random.choices(_SIGNS, k=random.choice((2, 2, 3))))
                name = (
                    random.choice(_PLACES) + signs + random.choice(_TRADES) + random.choice(_KINDS)
                )
                enterprises.append((id, code, name))
                place = random.choice(places)
                codes = place.province, place.city or None, place.county
                pairs = " ".join(names.pairs(names.typed(name)))
                decided = None
                if id % 2:
                    outcome = random.choice(list(Outcome))
                    drafts.append(_like(model, code, outcome, id))
                    decided = seq + len(drafts)
                    rows.append((id, TIER, code, name, "", *codes, outcome.text, decided, id, DAY))
                filings.append((id, id, file, DAY, datetime(2023, 7, 1, tzinfo=UTC), "{}", "{}", "{}", "0" * 64))  # fmt: skip
                standing = TIER if decided else ""
                rows.append((id, "", code, name, pairs, *codes, standing, None, id, DAY))
            bulk.insert(session, ENTERPRISE, ["id", "uscc", "name"], enterprises)
            bulk.insert(session, FILING, _FILED, filings)
            columns = CASE_STATE.c.keys()
            unapplied = (None, None, None, None)  # state, level, due, step
            stated = [dict(zip(columns, (*row, *unapplied), strict=True)) for row in rows]
            session.execute(sa.insert(CASE_STATE), stated)
            journal.append(session, drafts, by=desk.by, now=desk.clock())


def _like(model: journal.Entry, code: str, outcome: Outcome, filing_id: int) -> journal.Draft:
    """A decision like another, on another enterprise."""
    body = model.content
    body["case"] |= {"uscc": code, "as_of": DAY.isoformat()}
    body["verdict"] = outcome.value
    return journal.Draft(kind="decision", body=body, tier=model.tier, filing_id=filing_id)


def questions(session: Session, count: int, to: Addresses) -> Iterator[Question]:
    """The pages that are asked for, each with its bare query."""
    codes = sa.select(ENTERPRISE.c.uscc).order_by(ENTERPRISE.c.uscc)
    late = session.scalar(codes.offset(count * 9 // 10).limit(1)) or ""
    rare = session.scalar(sa.select(ENTERPRISE.c.name).where(ENTERPRISE.c.id == _FIRST + count // 2)) or ""  # fmt: skip
    firm = session.scalar(sa.select(ENTERPRISE.c.uscc).where(ENTERPRISE.c.id == 1)) or ""
    filed = sa.select(FILING.c.facts).join_from(FILING, ENTERPRISE).where(ENTERPRISE.c.uscc == firm)
    met, row = Outcome.MET.text, CASE_STATE.c
    counted = sa.select(row.tier, row.standing, sa.func.count()).group_by(row.tier, row.standing)

    def listed(name: str, bare: sa.Select[Any] | None = None, **query: str) -> Question:
        return Question(name, asked("/enterprises", **query), bare)

    def like(text: str) -> sa.Select[Any]:
        return codes.where(ENTERPRISE.c.name.contains(text)).limit(51)

    yield Question("desk", "/", counted)
    yield listed("list, first page", codes.limit(51))
    yield listed("list after nine tenths", codes.offset(count * 9 // 10).limit(51), after=late)
    yield listed("list, tier and outcome", tier=to.slug(TIER), outcome=met)
    yield listed("list, an outcome in a county", tier=to.slug(TIER), outcome=met, place="浙江省杭州市西湖区")  # fmt: skip
    yield listed("list, an outcome in a province", outcome=met, place="浙江省")
    yield listed("list, undecided", outcome=UNDECIDED_WORD)
    yield listed("list, undecided in a tier", outcome=UNDECIDED_WORD, tier=to.slug(TIER))
    yield listed("search, beginning of a code", codes.where(ENTERPRISE.c.uscc.like(f"{late[:10]}%")).limit(51), q=late[:10])  # fmt: skip
    for what, text in (
        ("one character", "越"), ("two characters", "恒越"), ("two that many bear", "科技"),
        ("three characters", rare[2:5]), ("six characters", rare[1:7]), ("in no name", "没有"),
    ):  # fmt: skip
        yield listed(f"search, {what}", like(text), q=text)
    yield listed("search, two of many in a county", q="科技", place="浙江省杭州市西湖区")
    few = "91330001MA000"
    yield Question("export of 3,333", asked("/enterprises.xlsx", q=few), codes.where(ENTERPRISE.c.uscc.like(f"{few}%")))  # fmt: skip
    yield Question("enterprise", enterprise(firm), filed)
    yield Question("case", to.case(firm, TIER), filed)
    yield Question("journal", "/journal")
    yield Question("journal, determinations", asked("/journal", kind=ENTRIES["determination"]))


def visiting(runner: asyncio.Runner, app: ASGIApp) -> Callable[[str], None]:
    """What asks the pages of an application, in one process with it."""
    transport = httpx.ASGITransport(app)
    client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    def ask(path: str) -> None:
        answer = runner.run(client.get(path))
        if answer.status_code != httpx.codes.OK:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:2000]}")

    return ask


def timed(session: Session, ask: Callable[[], Any], turns: int) -> float:
    """The processor time of a question in milliseconds, of program and server, after a first one."""
    ask()
    before = spent(session)
    for _ in range(turns):
        ask()
    return (spent(session) - before) / turns * 1000


def spent(session: Session) -> float:
    """The seconds of processor time that this process and the server's processes for it have taken."""
    if session.get_bind().dialect.name == "sqlite":
        return process_time()
    serving = sa.text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    return process_time() + sum(map(_ticks, session.scalars(serving))) / sysconf("SC_CLK_TCK")


def _ticks(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


if __name__ == "__main__":
    main()
