"""Snapshots: the newest filings of a registry as of one day, as typed Parquet files with a manifest.

They come from the canonical facts that decisions rest on, one pass, a few hundred filings held at a
time, with titles as they are registered. A filing that the columns cannot hold, or of which a person
has determined something, stands there without facts and with the reason: such cases are the engine's.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import Session

from registry.judging.case import Case, Known
from registry.judging.facts import as_registered, newest_year, profile_of
from registry.judging.settled import Registration
from registry.kit.files import PRIVATE_FILE, PRIVATE_FOLDER, refuse_link, sha256_of, working_folder
from registry.kit.progress import Done, ignored
from registry.record import journal
from registry.record.known import fetch
from registry.screening.engines import (
    Database,
    DuckDB,
    ScreeningError,
    csv_source,
    duckdb_connection,
)
from registry.screening.schema import CATALOGUE, FILING, NotStoredError, Schema, Value
from registry.screening.tables import Files
from rules.model.facts import TITLES
from rules.model.roles import CONTROLLING
from rules.portable.canonical import digest
from rules.portable.errors import Remedy
from rules.portable.record import CONTROL, Body, is_holding

FORMAT: Final = 4
_COPIED: Final = 10_000
_MANIFEST: Final = "manifest.json"
#: Many times of what it takes to say where a snapshot comes from and what its columns hold.
_LARGEST: Final = 1 << 20
#: All that a ruleset may ask of the register.
_REGISTERED: Final = frozenset({*TITLES, CONTROL})
#: Why a filing is left to the engine.
DETERMINED: Final = "有人工认定"
#: Whether such a list is complete depends on the kinds of titles that a ruleset looks for.
REGISTERED: Final = "有登记的称号，而填报的称号清单不全"
#: Whether it matters depends on the ruleset.
HELD: Final = f"登记的持股表明与{CONTROLLING}有控制关系"
#: The engine refuses it.
MISDATED: Final = "登记的称号日期有误"


@dataclass(frozen=True)
class Filed:
    """A filing to be put into a snapshot: its case, and its facts as registered.

    ``left`` says why it is left to the engine, if it is.
    """

    case: Case
    facts: Body
    left: str = ""


@dataclass(frozen=True)
class Manifest:
    """What a snapshot says of itself: its day, the registry's last entry, rows and columns.

    ``head`` is number and digest of the journal's last entry, ``bounds`` the least and greatest number
    of each column, ``routed`` how many filings are the engine's, by reason, ``digests`` the SHA-256 of
    the file of each table.
    """

    format: int
    day: str
    head: tuple[int, str]
    filings: int
    routed: Mapping[str, int]
    rows: Mapping[str, int]
    columns: Mapping[str, Mapping[str, str]]
    bounds: Mapping[str, tuple[int, int]]
    digests: Mapping[str, str]

    @property
    def as_of(self) -> date:
        """The day."""
        return date.fromisoformat(self.day)

    @property
    def schema(self) -> Schema:
        """The schema with the bounds that hold."""
        return CATALOGUE.narrowed(self.bounds)


def stock(session: Session, ids: Sequence[int], day: date) -> Iterator[Filed]:
    """These filings of a registry as of a day, with what is registered of their titles."""
    for known in fetch(session, ids):
        facts, speaking = as_registered(known.case.facts, known.register, _REGISTERED, day)
        yield Filed(known.case, facts, _left(known, facts, speaking))


def _left(known: Known, facts: Body, speaking: Sequence[Registration]) -> str:
    """Why a filing is left to the engine; empty if it is not."""
    if known.determinations:
        return DETERMINED
    if any(e.misdated for e in speaking):
        return MISDATED
    if any(is_holding(e.content) for e in speaking):
        return HELD
    if speaking and not facts["records"]["titles"]["complete"]:
        return REGISTERED
    return ""


def head(session: Session) -> tuple[int, str]:
    """Number and digest of the last entry of the journal; (0, "") of an empty one."""
    last = journal.head(session)
    return (last.seq, last.digest) if last else (0, "")


def collect(filed: Iterable[Filed], day: date, files: Files, progress: Done = ignored) -> None:
    """Write filings into the tables of a snapshot."""
    for number, one in enumerate(filed, 1):
        facts, records, routed = _rows(CATALOGUE, one, day)
        case, year = one.case, newest_year(one.facts["values"])
        names = (case.filing_id, case.uscc, case.name, case.province, case.city, case.county)
        files.add(FILING, [(*names, case.as_of, year, routed, *facts)])
        for table, rows in records.items():
            files.add(table, [(case.filing_id, n, *row) for n, row in enumerate(rows)])
        progress(number)


def _rows(
    schema: Schema, one: Filed, day: date
) -> tuple[Sequence[Value], dict[str, list[tuple[Value, ...]]], str | None]:
    """Facts and records as rows, or none and the reason."""
    routed = one.left
    if not routed:
        try:
            rows = schema.rows(profile_of(one.facts, one.case.as_of), day.year - 1)
            return rows.pop(FILING)[0], rows, None
        except NotStoredError as error:
            routed = str(error)
    width = len(schema.facts) + len(schema.lists)
    return (None,) * width, {}, routed


def write(
    folder: Path,
    filed: Iterable[Filed],
    day: date,
    head: tuple[int, str],
    progress: Done = ignored,
) -> None:
    """Write a snapshot into a folder that does not exist yet, whole or not at all.

    What is under way stands in a folder beside it.
    """
    if folder.exists():
        raise ScreeningError("exists", "{where} 已存在：请另取文件夹名", where=folder)
    refuse_link(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with working_folder(folder.parent) as work:
        fresh = work / "snapshot"
        fresh.mkdir(PRIVATE_FOLDER)
        with Files(CATALOGUE, fresh) as files:
            collect(filed, day, files, progress)
        manifest = asdict(_convert(fresh, day, head))
        (fresh / _MANIFEST).write_text(
            json.dumps(manifest | {"digest": digest(manifest)}, ensure_ascii=False, indent=1),
            encoding="utf-8",
        )
        for file in fresh.iterdir():
            file.chmod(PRIVATE_FILE)
        try:
            fresh.rename(folder)
        except OSError:  # another run was faster
            raise ScreeningError("exists", "{where} 已存在：请另取文件夹名", where=folder) from None


def _convert(folder: Path, day: date, head: tuple[int, str]) -> Manifest:
    """Make Parquet of the files in a folder, and their manifest."""
    connection = duckdb_connection()
    for table in CATALOGUE.tables:
        place = str(folder / f"{table}.parquet").replace("'", "''")
        source = csv_source(CATALOGUE, table, folder)
        connection.execute(
            f"COPY (SELECT * FROM {source}) TO '{place}' (FORMAT parquet, COMPRESSION zstd)"
        )
        (folder / f"{table}.csv").unlink()
    connection.close()
    database = DuckDB(CATALOGUE, folder)
    count = sa.func.count()
    rows = {
        table: int(next(database.rows(sa.select(count).select_from(sa.table(table))))[0])
        for table in CATALOGUE.tables
    }
    reason: ColumnElement[Any] = sa.column("routed")
    found = sa.select(reason, count).select_from(sa.table(FILING)).where(reason.is_not(None))
    routed: Counter[str] = Counter()
    for text, number in database.rows(found.group_by(reason)):
        routed[kind_of(text)] += number
    least_and_most = bounds(database)
    database.close()
    return Manifest(
        FORMAT,
        day.isoformat(),
        head,
        rows[FILING],
        dict(routed),
        rows,
        CATALOGUE.described,
        least_and_most,
        _digests(folder),
    )


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a snapshot."""
    return {table: sha256_of(folder / f"{table}.parquet") for table in CATALOGUE.tables}


def copy(folder: Path, files: Files, progress: Done = ignored) -> None:
    """Copy the tables of a snapshot into another database."""
    connection = duckdb_connection()
    for table in CATALOGUE.tables:
        place = str(folder / f"{table}.parquet").replace("'", "''")
        found = connection.execute(f"SELECT * FROM read_parquet('{place}')")
        done = 0
        while rows := found.fetchmany(_COPIED):
            files.add(table, rows)
            done += len(rows)
            if table == FILING:
                progress(done)
    connection.close()


def narrowed(database: Database) -> Schema:
    """The schema with the bounds of what a database holds."""
    return CATALOGUE.narrowed(bounds(database))


def kind_of(reason: str) -> str:
    """A reason without the figure at hand, to count by."""
    return reason.partition("「")[0] + reason.rpartition("」")[2] if "「" in reason else reason


def bounds(database: Database) -> dict[str, tuple[int, int]]:
    """The least and greatest number of each column of a snapshot."""
    found = {}
    for table, columns in CATALOGUE.numbers.items():
        if not columns:
            continue
        plain = [sa.column(c.name, sa.BigInteger()) for c in columns]
        ends = [end for c in plain for end in (sa.func.min(c), sa.func.max(c))]
        query = sa.select(*(e.label(f"e{n}") for n, e in enumerate(ends)))
        [values] = database.rows(query.select_from(sa.table(table)))
        for column, low, high in zip(columns, values[::2], values[1::2], strict=True):
            # a column without numbers never decides anything: any bounds are right
            found[column.name] = (0, 0) if low is None else (int(low), int(high))
    return found


def manifest(folder: Path) -> Manifest:
    """What a snapshot says of itself; ``ScreeningError`` for one that this program cannot read.

    Its files are those that were written: each is read once and compared by its digest.
    """
    found = _stated(folder)
    if found.format != FORMAT or found.columns != CATALOGUE.described:
        raise _unusable("other-version", "{where} 由另一版本的程序写成", folder)
    missing = [t for t in CATALOGUE.tables if not (folder / f"{t}.parquet").is_file()]
    if missing:
        raise _unusable("incomplete", "{where} 缺少 {value}", folder, f"{missing[0]}.parquet")
    for table, actual in _digests(folder).items():
        if actual != found.digests.get(table):
            raise _unusable("altered", "{where}.parquet 已损坏或被替换", folder / table)
    return found


def _unusable(slug: str, pattern: str, where: Path, value: str = "") -> ScreeningError:
    return ScreeningError(slug, pattern, where=where, value=value, remedy=Remedy("take-snapshot"))


def _stated(folder: Path) -> Manifest:
    """The manifest as it stands, of the types that it should have."""
    path = folder / _MANIFEST
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain["format"] != FORMAT:  # before its fields are looked at, which may be others
            raise _unusable("other-version", "{where} 由另一版本的程序写成", folder)
        if plain.pop("digest") != digest(plain):
            raise ValueError("altered")
        return Manifest(
            **{
                **plain,
                "day": date.fromisoformat(plain["day"]).isoformat(),
                "head": (_whole(plain["head"][0]), str(plain["head"][1])),
                "filings": _whole(plain["filings"]),
                "routed": {str(k): _whole(v) for k, v in plain["routed"].items()},
                "rows": {k: _whole(v) for k, v in plain["rows"].items()},
                "bounds": {k: (_whole(v[0]), _whole(v[1])) for k, v in plain["bounds"].items()},
                "digests": dict(plain["digests"]),
            }
        )
    except (FileNotFoundError, NotADirectoryError):
        raise ScreeningError(
            "no-snapshot", "{where} 不是快照", where=folder, remedy=Remedy("give-snapshot")
        ) from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise _unusable("altered-manifest", "{where} 的说明文件已损坏", folder) from None


def _whole(value: object) -> int:
    """A whole number within what databases count."""
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError("no whole number")
    return value


def belongs(session: Session, found: Manifest) -> bool:
    """Whether a snapshot was taken of this registry, now or before."""
    seq, digest = found.head
    if not seq:
        return True
    query = sa.select(journal.JOURNAL.c.digest).where(journal.JOURNAL.c.seq == seq)
    return session.scalar(query) == digest
