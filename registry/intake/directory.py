"""Reads a folder of tables as filings, a few thousand enterprises at a time, in flat memory.

The tables are those of the template: ``enterprises`` (企业基本情况) with one row per enterprise,
``yearly`` (年度数据) with one per fiscal year, and one table per list of records, named by its id or
name; CSV or Parquet. Headings are ids of the catalogue (amounts in yuan, ratios as plain numbers)
or any that a workbook may have. Every table is in order of credit code, so no table is held in
memory. The same code checks these rows and those of a workbook.
"""

import csv
import hashlib
from collections.abc import Container, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from glob import escape
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import duckdb
from openpyxl.utils import get_column_letter

from registry.errors import RegistryError
from registry.filings import FileReading, Heading
from registry.intake.cells import plain
from registry.intake.drafts import Drafts, Log
from registry.intake.files import archives, limits
from registry.intake.files.sheets import Row, flowing_rows
from registry.intake.tables.headers import find_header, settle
from registry.intake.tables.mapping import YEAR, HeaderMapping
from registry.intake.tables.mapping_draft import unachieved
from registry.intake.tables.rows import FilingTable
from registry.intake.template import BASIC, YEARLY
from registry.kit import uscc
from registry.kit.characters import visible
from registry.kit.progress import Done, ignored
from rules.model.catalogue import Catalogue

#: The number of enterprises that are read, checked and stored at once.
CHUNK: Final = 1000

_ENTERPRISES: Final = ("enterprises", BASIC)
_YEARLY: Final = ("yearly", YEARLY)
_SUFFIXES: Final = (".csv", ".parquet")
#: The types of Parquet columns whose cells no workbook could contain.
_NESTED: Final = ("list", "array", "struct", "map", "union", "blob")
_STEP: Final = 10_000
#: The most bytes of text that are fetched at once.
_HELD: Final = 8 << 20
#: Sorts after every code.
_LAST: Final = "\U0010ffff"

#: Some rows of one table with their numbers.
_Rows: TypeAlias = tuple[tuple[int, Row], ...]


@dataclass(frozen=True)
class Survey:
    """The content of a folder: its tables, enterprises first, and the number of their rows.

    ``catalogue`` is what may be filed. ``headings`` are those of all tables.
    """

    folder: Path
    catalogue: Catalogue
    tables: tuple[Path, ...]
    enterprises: int
    headings: tuple[Heading, ...] = ()


@dataclass(frozen=True)
class FolderPart:
    """Some enterprises of a folder, counted from 1, not yet read: their rows by table.

    ``digest`` is the SHA-256 of these rows, which identifies the part.
    """

    name: str
    digest: str
    first: int
    last: int
    rows: tuple[_Rows, ...]


def survey(folder: Path, catalogue: Catalogue, progress: Done = ignored) -> Survey:
    """Look through a folder once: find its tables, and check that they are in order.

    Raises ``RegistryError`` for a table that is unsorted, unknown or without a heading.
    """
    if not folder.is_dir():
        raise RegistryError("no-such-folder", "{value}：没有这个文件夹，请核对位置", value=folder)
    tables = _tables(folder, catalogue)
    counted = [
        _look_through(path, progress if n == 0 else ignored) for n, path in enumerate(tables)
    ]
    headings = tuple(
        Heading(path.name, get_column_letter(index), 1, plain(cell))
        for path in tables
        for index, cell in enumerate(next(_numbered(path))[1], 1)
    )
    return Survey(folder, catalogue, tables, counted[0], headings)


def unpacked(archive: Path, into: Path, catalogue: Catalogue) -> Path:
    """The tables of an archive in a new folder in ``into``; ``RegistryError`` if it is no set of them."""
    lists = (name for kind in catalogue.records for name in (kind.id, kind.name))
    tables = {*_ENTERPRISES, *_YEARLY, *(name.lower() for name in lists)}
    return archives.unpacked(archive, into, tables, _SUFFIXES)


def headings(found: Survey, mapping: Path | None) -> list[Heading]:
    """The headings of all tables, each with whether it is understood."""
    return _understood(found, HeaderMapping(found.catalogue, mapping, ids=True))


def _understood(found: Survey, known: HeaderMapping) -> list[Heading]:
    lists = {path.name: known.list_of(_name(path)) for path in found.tables}
    return [
        h._replace(understood=known.resolve(h.text, lists[h.sheet]) is not None)
        for h in found.headings
    ]


def parts(found: Survey, size: int = CHUNK) -> Iterator[FolderPart]:
    """The enterprises of a folder in order, ``size`` at a time."""
    heads = []
    sources = []
    for path in found.tables:
        rows = _numbered(path)
        _, heading = next(rows)
        heads.append([str(c) for c in heading])
        sources.append(_Source(path.name, rows, _code_column(path, heading)))
    enterprises, *others = sources
    first = 1
    while taken := enterprises.take(size):
        # rows without an enterprise go to the part where they belong by order, which reports them
        last_code = enterprises.code(taken[-1][1]) if enterprises.more else _LAST
        tables = (taken, *(source.until(last_code) for source in others))
        last = first + len(taken) - 1
        name = f"{found.folder.resolve().name}（第{first}至{last}家）"
        yield FolderPart(name, _digest(heads, tables), first, last, tables)
        first = last + 1


class FolderReader:
    """Reads the parts of a folder into filings, each with all its issues."""

    def __init__(
        self,
        found: Survey,
        *,
        as_of: date | None = None,
        mapping: Path | None = None,
        admitted: Container[str] = (),
    ) -> None:
        self._as_of = as_of
        self._admitted = admitted
        self._catalogue = found.catalogue
        headings = HeaderMapping(found.catalogue, mapping, ids=True)
        self._log = Log()
        drafts = Drafts(self._log, found.catalogue)
        self._tables = [_table(path, headings, drafts, as_of) for path in found.tables]
        if mapping is not None:
            known = _understood(found, headings)
            self._log.extend(unachieved(mapping, known, found.catalogue))

    def read(self, part: FolderPart) -> FileReading:
        """The filings of a part; the first part also reports issues of headings and mapping."""
        log = Log(self._log if part.first == 1 else ())
        drafts = Drafts(log, self._catalogue, self._admitted)
        for table, rows in zip(self._tables, part.rows, strict=True):
            table.turn(drafts)
            for number, row in rows:
                table.read(number, row)
            table.tell()
        good, held = drafts.finish(self._as_of)
        return FileReading(
            file=part.name, digest=part.digest, submissions=good, refused=held, issues=tuple(log)
        )


class _Source:
    """The rows of one table, taken in order of credit code."""

    def __init__(self, name: str, rows: Iterator[tuple[int, Row]], column: int) -> None:
        self._name = name
        self._rows = rows
        self._column = column
        self._next = next(rows, None)

    def code(self, row: Row) -> str:
        return _code(row, self._column)

    def take(self, count: int) -> _Rows:
        """``count`` rows, and the remaining ones of the last code."""
        found: list[tuple[int, Row]] = []
        while self._next is not None and len(found) < count:
            found.append(self._next)
            self._next = next(self._rows, None)
        return (*found, *self.until(self.code(found[-1][1]))) if found else ()

    def until(self, code: str) -> _Rows:
        """The rows up to a code."""
        found: list[tuple[int, Row]] = []
        while self._next is not None and self.code(self._next[1]) <= code:
            if len(found) == limits.HELD_ROWS:
                raise RegistryError(
                    "too-many-held-rows",
                    "{where}第{row}行：这里连续{expected}行以上属于同一批企业或不属于任何企业，请核对",
                    where=self._name,
                    row=self._next[0],
                    expected=limits.HELD_ROWS,
                )
            found.append(self._next)
            self._next = next(self._rows, None)
        return tuple(found)

    @property
    def more(self) -> bool:
        """Whether any rows are left."""
        return self._next is not None


def _tables(folder: Path, catalogue: Catalogue) -> tuple[Path, ...]:
    found: dict[int, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        # Excel and WPS lock an open table with a file of the same name after ~$
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith("~$"):
            found.setdefault(_place(path, catalogue), []).append(path)
    if 0 not in found:
        raise RegistryError(
            "missing-enterprises",
            "{where}：没有 {expected}.csv（{basic}），请核对文件夹",
            where=folder,
            expected=_ENTERPRISES[0],
            basic=BASIC,
        )
    for paths in found.values():
        if len(paths) > 1:
            raise RegistryError(
                "table-in-two-files",
                "{where}：{value} 是同一张表，请只留一个文件",
                where=folder,
                value="、".join(p.name for p in paths),
            )
    return tuple(paths[0] for _, paths in sorted(found.items()))


def _name(path: Path) -> str:
    """The name of a table, which may be in capitals."""
    return path.stem.lower()


def _place(path: Path, catalogue: Catalogue) -> int:
    name = _name(path)
    if name in _ENTERPRISES:
        return 0
    if name in _YEARLY:
        return 1
    for place, record in enumerate(catalogue.records, 2):
        if name in (record.id, record.name):
            return place
    raise RegistryError(
        "unknown-table",
        "{where}：不认识的表；表名应为 {enterprises}、{yearly} 或清单的名称，例如 ip",
        where=path.name,
        enterprises=_ENTERPRISES[0],
        yearly=_YEARLY[0],
    )


def _table(path: Path, headings: HeaderMapping, drafts: Drafts, as_of: date | None) -> FilingTable:
    _, heading = next(_numbered(path))
    header = find_header(_name(path), [heading], headings)
    missing = ["表头"] if header is None else header.missing
    if header is not None and _name(path) in _YEARLY:
        missing = [] if header.column("year") else [YEAR]
    if header is None or missing:
        raise RegistryError(
            "missing-columns",
            "{where}：第一行缺少{value}，请补上后重试",
            where=path.name,
            value="、".join(missing),
        )
    columns = settle(header, path.name, frozenset(), as_of, drafts.log)
    return FilingTable(path.name, header, columns, drafts, exact=True)


def _look_through(path: Path, progress: Done) -> int:
    """The number of rows in a table, which must be in order of credit code."""
    rows = _numbered(path)
    column = _code_column(path, next(rows, (1, ()))[1])
    before, count = "", 0
    for number, row in rows:
        code = _code(row, column)
        if code < before:
            raise RegistryError(
                "unsorted-rows",
                "{where}第{row}行：{value} 排在 {before} 之后，请把各表都按统一社会信用代码从小到大排序后重试",
                where=path.name,
                row=number,
                value=code,
                before=before,
            )
        before = code
        count += 1
        if count % _STEP == 0:
            progress(count)
    return count


def spooled(stream: BinaryIO, folder: Path, catalogue: Catalogue) -> None:
    """Write a stream of rows, each preceded by its table's name, as a new folder of CSV files.

    The folder's name is that of the stream. Raises ``RegistryError`` for a row that names no table,
    and if there are no enterprises.
    """
    name = folder.name
    known = {_ENTERPRISES[0], _YEARLY[0], *(kind.id for kind in catalogue.records)}
    folder.mkdir()
    with ExitStack() as stack:
        writers: dict[str, Any] = {}
        for number, (table, *row) in enumerate(filter(None, flowing_rows(name, stream)), 1):
            if table not in known:
                raise RegistryError(
                    "unknown-stream-table",
                    "{where}第{row}行：「{value}」不是表名；每行应以表名开头",
                    where=name,
                    row=number,
                    value=table[:20],
                )
            if table not in writers:
                path = folder / f"{table}.csv"
                file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
                writers[table] = csv.writer(file, lineterminator="\n")
            writers[table].writerow(row)
    if _ENTERPRISES[0] not in writers:
        lacks = f"没有 {_ENTERPRISES[0]}（{BASIC}）的行" if writers else "没有内容"
        raise RegistryError(
            "nothing-in-stream", "{where}：{value}，请核对数据从哪里来", where=name, value=lacks
        )


def _code_column(path: Path, heading: Row) -> int:
    known = HeaderMapping(Catalogue(), ids=True)
    for index, cell in enumerate(heading):
        found = known.resolve(plain(cell))
        if found is not None and found.target.role == "uscc":
            return index
    raise RegistryError(
        "missing-code-column",
        "{where}：第一行没有统一社会信用代码（uscc）列，请补上后重试",
        where=path.name,
    )


def _code(row: Row, column: int) -> str:
    cell = row[column] if column < len(row) else None
    if isinstance(cell, str) and len(cell) == 18 and cell.isalnum() and cell.isascii():
        return cell
    return uscc.tidy(plain(cell))


def _digest(heads: Sequence[Sequence[str]], rows: Sequence[_Rows]) -> str:
    hashed = hashlib.sha256()
    for head, table in zip(heads, rows, strict=True):
        hashed.update(repr(head).encode())
        for _, row in table:
            hashed.update(repr(row).encode())
    return hashed.hexdigest()


def _numbered(path: Path) -> Iterator[tuple[int, Row]]:
    """The rows of a table with their numbers (the heading is row 1), without blank ones."""
    rows = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    return ((number, row) for number, row in enumerate(rows, 1) if any(row))


def _csv(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        yield from flowing_rows(path.name, file)


def _parquet(path: Path) -> Iterator[Row]:
    _refuse_footer(path)
    with duckdb.connect(config={"memory_limit": limits.PARQUET_MEMORY, "threads": 1}) as database:
        try:
            yield from _parquet_rows(database, path)
        except duckdb.OutOfMemoryException as error:
            raise _oversized(path) from error
        except duckdb.Error as error:
            raise RegistryError(
                "damaged-parquet",
                "{where}：不是完整的 Parquet 文件，请重新导出后重试",
                where=path.name,
            ) from error


def _parquet_rows(database: duckdb.DuckDBPyConnection, path: Path) -> Iterator[Row]:
    given = [escape(str(path))]
    largest = "SELECT max(total_uncompressed_size) FROM parquet_metadata($1)"
    count = _one(database.execute("SELECT sum(num_rows) FROM parquet_file_metadata($1)", given))
    enough = max(limits.ROWS, limits.PARQUET_ROWS * path.stat().st_size)
    if count > enough or _one(database.execute(largest, given)) > limits.PARQUET_COLUMN:
        raise _oversized(path)
    columns = database.execute("SELECT * FROM read_parquet($1) LIMIT 0", given).description
    if len(columns) > limits.COLUMNS:
        raise RegistryError(
            "too-many-columns",
            "{where}：超过{expected}列，不是正常的表格，请核对",
            where=path.name,
            expected=limits.COLUMNS,
        )
    for name, kind, *_ in columns:
        if kind.id in _NESTED:
            raise RegistryError(
                "nested-column",
                "{where}：{column}列是列表、结构或字节，不是一格一个值，请改为文字、数字或日期后重试",
                where=path.name,
                column=name,
            )
    yield [visible(column[0]) for column in columns]
    step = _at_once(database, path, [n for n, kind, *_ in columns if kind.id == "varchar"])
    found = database.execute("SELECT * FROM read_parquet($1)", given)
    while rows := found.fetchmany(step):
        for row in rows:
            yield [visible(cell) if isinstance(cell, str) else cell for cell in row]


def _at_once(database: duckdb.DuckDBPyConnection, path: Path, texts: Sequence[str]) -> int:
    """The number of rows to hold at once, given the longest; refuses an oversized row."""
    lengths = " + ".join(f"coalesce(strlen({_quoted(name)}), 0)" for name in texts) or "0"
    query = f"SELECT max({lengths}) FROM read_parquet($1)"
    longest = _one(database.execute(query, [escape(str(path))]))
    if longest > limits.LINE:
        raise RegistryError(
            "too-long-row",
            "{where}：有一行超过{expected}字，不是正常的表格，请核对",
            where=path.name,
            expected=limits.LINE,
        )
    return min(_STEP, _HELD // max(longest, 1))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _one(found: duckdb.DuckDBPyConnection) -> int:
    """The number that a query returns; 0 if it returns no rows."""
    row = found.fetchone()
    return int(row[0] or 0) if row else 0


def _refuse_footer(path: Path) -> None:
    """Refuse a file whose footer is oversized: it is read first, and its length is at the end."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 8))
        end = file.read()
    if end[4:] == b"PAR1" and int.from_bytes(end[:4], "little") > limits.PARQUET_FOOTER:
        raise _oversized(path)


def _oversized(path: Path) -> RegistryError:
    return RegistryError(
        "oversized-row-group",
        "{where}：列太多或一批行太大，超过可读取的大小，请用较小的行组（row group）重新导出",
        where=path.name,
    )
