"""Snapshots: the newest filings of a registry as of one day, as typed Parquet files with a manifest.

They are written in one pass from the canonical facts on which decisions rest, with registered
titles; a few hundred filings are in memory at a time. A filing that does not fit the columns, or
about which a person has determined something, is stored with the reason instead of its facts: the
engine decides it.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import Session

from registry.judging.case import Case, Known
from registry.judging.facts import as_registered, linked, newest_year, profile_of
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
from registry.screening.schema import (
    FILING,
    NotStoredError,
    Schema,
    Value,
    schema_of,
    share_stored,
)
from registry.screening.tables import Files
from rules.model.catalogue import Catalogue
from rules.portable.canonical import digest
from rules.portable.errors import Remedy
from rules.portable.record import (
    Asked,
    Body,
    identity_read,
    with_identity,
)

FORMAT: Final = 5
_COPIED: Final = 10_000
_MANIFEST: Final = "manifest.json"
#: The most bytes of a manifest: many times the size of any real one.
_LARGEST: Final = 1 << 20
#: Reasons why a filing is left to the engine.
DETERMINED: Final = "有人工认定"
#: Whether such a list is complete depends on the kinds of titles that a ruleset reads.
REGISTERED: Final = "有登记的称号，而填报的称号清单不全"
#: The engine refuses such a title.
MISDATED: Final = "登记的称号日期有误"


@dataclass(frozen=True)
class FiledRow:
    """A filing to be put into a snapshot: its case, and its facts as registered.

    ``left`` is the reason for leaving it to the engine, if any. ``linked`` is the greatest share
    of holdings that link it with the holder of a title, if any do.
    """

    case: Case
    facts: Body
    left: str = ""
    linked: Fraction | None = None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The manifest of a snapshot: its day, the journal's last entry, rows and columns.

    ``head`` is the number and digest of the journal's last entry, ``bounds`` the least and greatest
    number of each column, ``routed`` the number of filings left to the engine, by reason, and
    ``digests`` the SHA-256 of each table's file.
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


def stock(
    session: Session, ids: Sequence[int], day: date, titles: Collection[str]
) -> Iterator[FiledRow]:
    """These filings of a registry as of a day, with their registered ``titles``."""
    asked = Asked(frozenset(titles))
    for known in fetch(session, ids):
        facts, speaking = as_registered(known.case.facts, known.register, asked, day)
        left = _left(known, facts, speaking)
        yield FiledRow(known.case, facts, left, linked(known.register, day))


def _left(known: Known, facts: Body, speaking: Sequence[Registration]) -> str:
    """The reason why a filing is left to the engine; empty if it is not."""
    if known.determinations:
        return DETERMINED
    if any(e.misdated for e in speaking):
        return MISDATED
    if speaking and not facts["records"]["titles"]["complete"]:
        return REGISTERED
    return ""


def head(session: Session) -> tuple[int, str]:
    """The number and digest of the journal's last entry; (0, "") if it is empty."""
    last = journal.head(session)
    return (last.seq, last.digest) if last else (0, "")


def collect(
    filed: Iterable[FiledRow],
    day: date,
    files: Files,
    catalogue: Catalogue,
    progress: Done = ignored,
) -> None:
    """Write filings into the tables of a snapshot."""
    for number, one in enumerate(filed, 1):
        facts, records, routed = _rows(files.schema, one, day)
        case, year = one.case, newest_year(one.facts["values"], catalogue)
        names = (case.filing_id, case.uscc, case.name, case.province, case.city, case.county)
        link = None if one.linked is None else share_stored(one.linked)
        files.add(FILING, [(*names, case.as_of, year, routed, link, *facts)])
        for table, rows in records.items():
            files.add(table, [(case.filing_id, n, *row) for n, row in enumerate(rows)])
        progress(number)


def _rows(
    schema: Schema, one: FiledRow, day: date
) -> tuple[Sequence[Value], dict[str, list[tuple[Value, ...]]], str | None]:
    """Facts and records as rows, or no rows and the reason."""
    routed = one.left
    if not routed:
        try:
            known = identity_read(schema.facts, vars(one.case))
            facts = with_identity(one.facts, known) if known else one.facts
            rows = schema.rows(profile_of(facts, one.case.as_of), day.year - 1)
            return rows.pop(FILING)[0], rows, None
        except NotStoredError as error:
            routed = str(error)
    width = len(schema.facts) + len(schema.lists)
    return (None,) * width, {}, routed


def write(
    folder: Path,
    catalogue: Catalogue,
    filed: Iterable[FiledRow],
    day: date,
    head: tuple[int, str],
    progress: Done = ignored,
) -> None:
    """Write a snapshot into a folder that does not exist yet, completely or not at all.

    Until it is complete, it is in a folder beside the target.
    """
    if folder.exists():
        raise ScreeningError("exists", "{where} 已存在：请另取文件夹名", where=folder)
    refuse_link(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with working_folder(folder.parent) as work:
        fresh = work / "snapshot"
        fresh.mkdir(PRIVATE_FOLDER)
        schema = schema_of(catalogue)
        with Files(schema, fresh) as files:
            collect(filed, day, files, catalogue, progress)
        manifest = asdict(_convert(fresh, schema, day, head))
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


def _convert(folder: Path, schema: Schema, day: date, head: tuple[int, str]) -> Manifest:
    """Convert the files in a folder to Parquet; return their manifest."""
    connection = duckdb_connection()
    for table in schema.tables:
        place = str(folder / f"{table}.parquet").replace("'", "''")
        source = csv_source(schema, table, folder)
        connection.execute(
            f"COPY (SELECT * FROM {source}) TO '{place}' (FORMAT parquet, COMPRESSION zstd)"
        )
        (folder / f"{table}.csv").unlink()
    connection.close()
    database = DuckDB(schema, folder)
    count = sa.func.count()
    rows = {
        table: int(next(database.rows(sa.select(count).select_from(sa.table(table))))[0])
        for table in schema.tables
    }
    reason: ColumnElement[Any] = sa.column("routed")
    found = sa.select(reason, count).select_from(sa.table(FILING)).where(reason.is_not(None))
    routed: Counter[str] = Counter()
    for text, number in database.rows(found.group_by(reason)):
        routed[kind_of(text)] += number
    least_and_most = bounds(database)
    database.close()
    return Manifest(
        format=FORMAT,
        day=day.isoformat(),
        head=head,
        filings=rows[FILING],
        routed=dict(routed),
        rows=rows,
        columns=schema.described,
        bounds=least_and_most,
        digests=_digests(folder, schema),
    )


def _digests(folder: Path, schema: Schema) -> dict[str, str]:
    """The SHA-256 of each file of a snapshot."""
    return {table: sha256_of(folder / f"{table}.parquet") for table in schema.tables}


def copy(folder: Path, files: Files, progress: Done = ignored) -> None:
    """Copy the tables of a snapshot into another database."""
    connection = duckdb_connection()
    for table in files.schema.tables:
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
    """The schema with the bounds of a database's columns."""
    return database.schema.narrowed(bounds(database))


def kind_of(reason: str) -> str:
    """A reason without its figure, for counting.

    >>> kind_of("清单「知识产权」过长")
    '清单过长'
    """
    return reason.partition("「")[0] + reason.rpartition("」")[2] if "「" in reason else reason


def bounds(database: Database) -> dict[str, tuple[int, int]]:
    """The least and greatest number of each column of a snapshot."""
    found = {}
    for table, columns in database.schema.numbers.items():
        if not columns:
            continue
        plain = [sa.column(c.name, sa.BigInteger()) for c in columns]
        ends = [end for c in plain for end in (sa.func.min(c), sa.func.max(c))]
        query = sa.select(*(e.label(f"e{n}") for n, e in enumerate(ends)))
        [values] = database.rows(query.select_from(sa.table(table)))
        for column, low, high in zip(columns, values[::2], values[1::2], strict=True):
            # a column without values decides nothing: any bounds are right
            found[column.name] = (0, 0) if low is None else (int(low), int(high))
    return found


def manifest(folder: Path, schema: Schema) -> Manifest:
    """The manifest of a snapshot; raises ``ScreeningError`` if this program cannot read it.

    Each file is read once, and its digest must be the one that was written.
    """
    found = _stated(folder)
    if found.format != FORMAT or found.columns != schema.described:
        raise _unusable(
            "other-columns", "{where} 由另一版本的程序写成，或填报项目录已经不同", folder
        )
    missing = [t for t in schema.tables if not (folder / f"{t}.parquet").is_file()]
    if missing:
        raise _unusable("incomplete", "{where} 缺少 {value}", folder, f"{missing[0]}.parquet")
    for table, actual in _digests(folder, schema).items():
        if actual != found.digests.get(table):
            raise _unusable("altered", "{where}.parquet 已损坏或被替换", folder / table)
    return found


def _unusable(slug: str, pattern: str, where: Path, value: str = "") -> ScreeningError:
    return ScreeningError(slug, pattern, where=where, value=value, remedy=Remedy("take-snapshot"))


def _stated(folder: Path) -> Manifest:
    """The manifest as it was written, with every value of the right type."""
    path = folder / _MANIFEST
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain["format"] != FORMAT:  # checked first: another format has other fields
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
    """A whole number in the range that databases count in."""
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError("no whole number")
    return value


def belongs(session: Session, found: Manifest) -> bool:
    """Whether a snapshot was taken of this registry, in its present or an earlier state."""
    seq, digest = found.head
    if not seq:
        return True
    query = sa.select(journal.JOURNAL.c.digest).where(journal.JOURNAL.c.seq == seq)
    return session.scalar(query) == digest
