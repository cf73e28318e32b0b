"""Made-up enterprises as tables: a folder of CSV files, or one stream of rows.

The files are those that ``registry.intake.directory`` reads: one row per enterprise, fiscal year or
record, all in order of credit code. In a stream, the first cell of every row names its table.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Final, TextIO, TypeAlias

from registry.demo.aims import Aim, MadeUpFirm, Value, scale
from registry.demo.firms import firms
from registry.filings import IDENTITY
from registry.kit.files import folder_written_whole
from registry.kit.progress import Done
from registry.record.publication import packaged_catalogue
from rules.model.facts import Fact

_Column: TypeAlias = tuple[str, Callable[[Value], str]]


@cache
def _once() -> tuple[Fact, ...]:
    return tuple(f for f in (*IDENTITY, *packaged_catalogue().facts) if not f.yearly)


@cache
def _by_year() -> tuple[Fact, ...]:
    return tuple(f for f in packaged_catalogue().facts if f.yearly)


def columns() -> dict[str, tuple[str, ...]]:
    """The columns of each table: ids of the packaged catalogue, amounts in yuan."""
    records = packaged_catalogue().records
    complete = (f"{kind.id}_complete" for kind in records)
    return {
        "enterprises": ("uscc", "name", "as_of", *(f.id for f in _once()), *complete),
        "yearly": ("uscc", "year", *(f.id for f in _by_year())),
        **{kind.id: ("uscc", *(f.id for f in kind.fields)) for kind in records},
    }


_STEP: Final = 1000


def write_directory(
    folder: Path, count: int, seed: int, as_of: date, aims: Sequence[Aim], progress: Done
) -> None:
    """Write a new folder with one CSV file per table."""
    with folder_written_whole(folder) as fresh, ExitStack() as stack:
        writers = {}
        for table, heads in columns().items():
            path = fresh / f"{table}.csv"
            file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            writers[table] = csv.writer(file, lineterminator="\n")
            writers[table].writerow(heads)
        for table, rows in _tables(count, seed, as_of, aims, progress):
            writers[table].writerows(rows)


def write_stream(
    file: TextIO, count: int, seed: int, as_of: date, aims: Sequence[Aim], progress: Done
) -> None:
    """Write all rows to one file, each after its table's name; heading rows come first."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([table, *heads] for table, heads in columns().items())
    for table, rows in _tables(count, seed, as_of, aims, progress):
        writer.writerows([table, *row] for row in rows)


def _tables(
    count: int, seed: int, as_of: date, aims: Sequence[Aim], progress: Done
) -> Iterator[tuple[str, list[list[str]]]]:
    """The rows of each enterprise by table, its own row first."""
    for number, (code, firm) in enumerate(firms(count, seed, as_of, aims), 1):
        yield "enterprises", [_enterprise(code, firm)]
        yield "yearly", list(_years(code, firm))
        for kind in packaged_catalogue().records:
            if items := firm.lists[kind.id]:
                yield kind.id, [[code, *_cells(_fields(kind.id), item)] for item in items]
        if number % _STEP == 0:
            progress(number)


def _enterprise(code: str, firm: MadeUpFirm) -> list[str]:
    complete = [_FLAG[firm.complete[kind.id]] for kind in packaged_catalogue().records]
    named = [code, str(firm.values["name"]), firm.as_of.isoformat()]
    return [*named, *_cells(_scalars(), firm.values), *complete]


def _years(code: str, firm: MadeUpFirm) -> Iterator[list[str]]:
    """T-2 to T; for the filing's own year only the rating, which is known before the accounts."""
    first = firm.as_of.year - 3
    for place in range(4):
        figures = {id: row[place] for id, row in firm.years.items() if place < len(row)}
        yield [code, str(first + place), *_cells(_yearly(), figures)]


def _writer(fact: Fact) -> Callable[[Value], str]:
    """How a value is written in base units: yuan, a plain ratio, an ISO date, 是 or 否."""
    if fact.kind == "flag":
        return _FLAG.__getitem__  # type: ignore[return-value]
    unit = scale(fact) if fact.kind == "number" else 1
    return str if unit == 1 else partial(_number, unit, len(str(unit)) - 1)


def _number(unit: int, places: int, steps: Value) -> str:
    assert isinstance(steps, int)
    whole, rest = divmod(abs(steps), unit)
    shown = f"{whole}.{rest:0{places}d}".rstrip("0") if rest else str(whole)
    return f"-{shown}" if steps < 0 else shown


def _cells(columns: Sequence[_Column], values: Mapping[str, Value | None]) -> list[str]:
    get = values.get
    return ["" if (value := get(id)) is None else write(value) for id, write in columns]


_FLAG: Final = {True: "是", False: "否", None: ""}


@cache
def _scalars() -> list[_Column]:
    return [(f.id, _writer(f)) for f in _once()]


@cache
def _yearly() -> list[_Column]:
    return [(f.id, _writer(f)) for f in _by_year()]


@cache
def _fields(records: str) -> list[_Column]:
    return [(f.id, _writer(f)) for f in packaged_catalogue().record_kind(records).fields]
