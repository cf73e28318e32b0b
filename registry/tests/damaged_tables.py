"""Workbooks, CSV, JSON, Parquet, lists and mappings, and how each is damaged.

Half of the damage is what officers do to a table (``registry.tests.grids``): there every fact that is
read otherwise has to be told with its place. The rest is what happens to files.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final
from warnings import catch_warnings, simplefilter
from zipfile import ZIP_DEFLATED, ZipFile

import duckdb
from click import ClickException
from sqlmodel import Session

from registry.database import storage
from registry.desk import listed, notices
from registry.desk.listed import Firms
from registry.desk.place import Desk
from registry.errors import RegistryError
from registry.filings import FileReading
from registry.intake import directory
from registry.intake.tables.mapping import COLUMNS, HeaderMapping
from registry.intake.tests.counties import CATALOGUE, CELLS, DAY, code, read, survey
from registry.record.publication import packaged_catalogue
from registry.tests import grids, oracles
from registry.tests.grids import Change, Table
from registry.tests.mutator import Answer, Damaged, Kind, mutated, same, told_where
from rules.errors import RulesError

FILE: Final = "汇总表"


def _answer(read: Callable[[], Any]) -> Answer:
    try:
        content = read()
        told = bool(content.issues) if isinstance(content, FileReading) else False
        return Answer(content=content, told=told)
    except (RegistryError, RulesError, ClickException) as error:
        return Answer(str(error))


@cache
def truth() -> oracles.Truth:
    """What sound tables say, read from CSV; what says nothing of its place is read for itself."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{FILE}.csv"

        def reading(headings: list[str]) -> FileReading:
            path.write_text(grids.csv_text(grids.table(headings), Random(0)), encoding="utf-8")
            return read(path)

        whole = reading(list(CELLS))
        letters = {h.letter: h.text for h in whole.headings}
        placed = {letters[at[0]] for at in oracles.placed(whole).values()}
        single = {h: reading([h]) for h in CELLS if h not in placed}
        return oracles.Truth(reading([]), whole, letters, single)


def _judged(given: Table, answer: Answer) -> str:
    """What is wrong with the answer to a table of which it is known what it means."""
    if answer.said:
        return told_where(FILE, answer)
    return oracles.fault(given, answer.content, truth())


def _table(given: Table, data: bytes) -> Damaged:
    return Damaged(data, partial(_judged, given), "、".join(given.done))


def _any(place: str, how: str, data: bytes) -> Damaged:
    """Damage after which anything may stand in the file, but no refusal without a place."""
    return Damaged(data, partial(told_where, place), how)


# -- workbooks -----------------------------------------------------------------------------------


def _packed(parts: list[tuple[str, bytes]]) -> bytes:
    data = io.BytesIO()
    with catch_warnings(), ZipFile(data, "w", ZIP_DEFLATED) as archive:
        simplefilter("ignore")
        for name, part in parts:
            archive.writestr(name, part)
    return data.getvalue()


def _repacked(data: bytes, random: Random) -> tuple[bytes, str, bool]:
    """A workbook with a part amiss, how, and whether its cells may be others now."""
    with ZipFile(io.BytesIO(data)) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    at = random.randrange(len(parts))
    name, part = parts[at]
    other, further = random.choice(parts)
    how = random.choice(("removed", "cut", "swapped", "renamed", "twice", "capitals", "mended", "xml", "xml", "xml"))  # fmt: skip
    match how:
        case "removed":
            del parts[at]
        case "cut":
            parts[at] = name, part[: random.randrange(len(part))]
        case "swapped":
            parts[at] = name, further
        case "renamed":
            parts[at] = other + "x", part
        case "twice":
            parts.append((name, part))
        case "capitals":
            parts[at] = name.upper(), part
        case "mended":
            parts[at] = name, part.replace(b"><", b">\n<")
        case _:
            parts[at] = name, mutated(part, random)
    return _packed(parts), f"{how} {name}", how == "xml"


@contextmanager
def workbook(folder: Path) -> Iterator[Kind]:
    """A county's summary as a workbook."""
    path = folder / f"{FILE}.xlsx"
    truth()

    def damaged(random: Random) -> Damaged:
        if random.randrange(3):
            given = grids.changed(random)
            return _table(given, grids.workbook(given))
        given = grids.table(grids.some_headings(random))
        data, how, anything = grids.workbook(given), "bytes", False
        if random.randrange(4):
            data, how, anything = _repacked(data, random)
        else:
            data = mutated(data, random)
        given.done.append(how)
        return _any(FILE, how, data) if anything else _table(given, data)

    def reading(data: bytes) -> Answer:
        path.write_bytes(data)
        return _answer(lambda: read(path))

    yield Kind(grids.workbook(grids.table(list(CELLS))), reading, damaged)


# -- CSV -----------------------------------------------------------------------------------------

#: What a text without sheets and merged cells cannot be changed by.
_NO_TEXT: Final = frozenset({grids.merged_alike, grids.merged_anyhow, grids.titles_merged})
_ENCODINGS: Final = ("utf-8", "utf-8-sig", "gb18030", "utf-16")


def _flat(given: Table) -> Table:
    """The sheets one below the other, and every number as it is shown."""
    given.sheets = [[row for grid in given.sheets for row in grid]]
    for cell in given.cells():
        if "%" in cell.format and cell.value == 0.12:
            cell.value = "12%"
    return given


@contextmanager
def csv_file(folder: Path) -> Iterator[Kind]:
    """A county's summary as CSV."""
    path = folder / f"{FILE}.csv"
    truth()
    changes = [c for c in (*grids.NEUTRAL, *grids.NEUTRAL, *grids.CHANGING) if c not in _NO_TEXT]

    def damaged(random: Random) -> Damaged:
        given = _flat(grids.changed(random, changes))
        said = grids.csv_text(given, random, random.choice(",,;\t"))
        encoding = random.choice(_ENCODINGS)
        data = said.encode(encoding, "replace")
        if random.randrange(3):
            return _table(given, data)
        return _any(FILE, f"bytes of {encoding}", mutated(data, random))

    def reading(data: bytes) -> Answer:
        path.write_bytes(data)
        return _answer(lambda: read(path))

    sound = grids.csv_text(grids.table(list(CELLS)), Random(0)).encode()
    yield Kind(sound, reading, damaged)


# -- Parquet -------------------------------------------------------------------------------------

_IN_PARQUET: Final[tuple[Change, ...]] = (
    grids.columns_shuffled, grids.foreign_column, grids.heading_marked, grids.heading_spelled, grids.in_yuan,
    grids.texts_for_numbers, grids.wide_digits, grids.units_in_cells, grids.dates_otherwise, grids.codes_typed,
    grids.nasty_cell, grids.nasty_cell, grids.cells_swapped, grids.heading_changed, grids.column_lost,
    grids.row_lost, grids.row_twice,
)  # fmt: skip


def _typed(values: list[Any]) -> tuple[str, list[Any]]:
    """The type of a column of Parquet, and its values."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {int} and all(abs(v) < 2**63 for v in values if v is not None):
        return "BIGINT", values
    if kinds <= {int, float}:
        return "DOUBLE", [v if v is None else float(v) for v in values]
    return "VARCHAR", [v if v is None else grids.text(v) for v in values]


def _parquet(given: Table, path: Path) -> bytes:
    rows = given.sheets[0][grids.head(given.sheets[0]) :]
    given.sheets = [rows]
    width = max(map(len, rows))
    names = list[str]()
    for index in range(width):
        name = grids.text(rows[0][index].value) if index < len(rows[0]) else ""
        while name.casefold() in map(str.casefold, names) or not name.strip():
            name += "列"
        names.append(name)
    columns = [[row[i].value if i < len(row) else None for row in rows[1:]] for i in range(width)]
    typed = [_typed(values) for values in columns]
    with duckdb.connect() as database:
        quoted = [f'"{name.replace(chr(34), "")}" {kind}' for name, (kind, _) in zip(names, typed, strict=True)]  # fmt: skip
        database.execute(f"CREATE TABLE made ({', '.join(quoted)})")
        if rows[1:]:
            marks = ", ".join("?" * width)
            values = list(zip(*(v for _, v in typed), strict=True))
            database.executemany(f"INSERT INTO made VALUES ({marks})", values)
        database.execute(f"COPY made TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


@contextmanager
def parquet(folder: Path) -> Iterator[Kind]:
    """A folder with the one table of enterprises, as Parquet."""
    place = folder / FILE
    place.mkdir()
    path, scratch = place / "enterprises.parquet", folder / "scratch.parquet"
    truth()

    def damaged(random: Random) -> Damaged:
        given = _flat(grids.changed(random, _IN_PARQUET))
        data = _parquet(given, scratch)
        if random.randrange(4):
            return Damaged(data, partial(_folder, given), "、".join(given.done))
        return _any("enterprises|汇总表", "bytes", mutated(data, random))

    def _folder(given: Table, answer: Answer) -> str:
        if answer.said:
            return told_where("enterprises|汇总表", answer)
        return oracles.fault(given, answer.content, truth())

    def reading(data: bytes) -> Answer:
        path.write_bytes(data)
        return _answer(_read)

    def _read() -> FileReading:
        found = survey(place)
        reader = directory.FolderReader(found, as_of=DAY)
        (whole,) = list(directory.parts(found)) or [None]
        return (
            reader.read(whole)
            if whole
            else FileReading(file=FILE, digest="", submissions=(), refused=(), issues=())
        )

    yield Kind(_parquet(grids.table(list(CELLS)), scratch), reading, damaged)


# -- JSON ----------------------------------------------------------------------------------------


def _entries() -> list[dict[str, Any]]:
    """The enterprises as a program sends them: amounts in yuan, each number a text or a number."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{FILE}.csv"
        path.write_text(grids.csv_text(grids.table(list(CELLS)), Random(0)), encoding="utf-8")
        reading = read(path)
    return [
        {
            "uscc": s.uscc,
            "name": s.name,
            "as_of": str(s.as_of),
            "identity": dict(s.identity),
            "values": {key: value for key, value in s.values.items() if key != "registered_in_prc"},
            "records": {
                name: {"complete": r.complete, "items": [dict(item) for item in r.items]}
                for name, r in s.records.items()
            },
        }
        for s in reading.submissions
    ]


def _number(random: Random, said: str) -> Any:
    """A number as a program may write it, the same to the last digit."""
    exact = Decimal(said)
    return random.choice((said, exact, exact, f"{exact:.2f}" if exact == exact.quantize(Decimal("0.01")) else said))  # fmt: skip


def _respelled(random: Random, entry: dict[str, Any]) -> dict[str, Any]:
    """An entry that says the same: keys in another order, by name, numbers with or without quotes."""
    values = {}
    for key, value in entry["values"].items():
        name, at, year = key.partition("@")
        known = packaged_catalogue().fact(name)
        if known.kind == "number" and random.randrange(2):
            value = _number(random, value)
        values[(known.name if random.randrange(4) == 0 else name) + at + year] = value
    made = entry | {
        "values": _shuffled(random, values),
        "identity": _shuffled(random, entry["identity"]),
    }
    return _shuffled(random, made)


def _shuffled(random: Random, given: Mapping[str, Any]) -> dict[str, Any]:
    pairs = list(given.items())
    random.shuffle(pairs)
    return dict(pairs)


def _spoilt(random: Random, entries: list[dict[str, Any]], at: int) -> set[tuple[str, str, str]]:
    """Change a value, a key or an entry; of which enterprise, part and key it is (all, if empty)."""
    entry = entries[at]
    own = str(entry["uscc"])
    name = random.choice(("", "values", "values", "identity", "records"))
    part = entry[name] if name else entry
    key = random.choice(list(part))
    changed = {(own, key, "")} if not name else {(own, name, _id(key) if name == "values" else key)}
    match random.randrange(4):
        case 0:
            del part[key]
        case 1:
            part[random.choice([key + "x", "甲", "", key.upper(), "revenue@20221"])] = part.pop(key)
        case 2 if random.randrange(3) == 0:
            entries.append(entry)
            return {(own, "uscc", "")}
        case _:
            part[key] = random.choice(
                [*grids.NASTY, [], {}, [[]], {"complete": "是", "items": {}}, [{"级别": 1}, 3]]
            )
    return changed


def _id(key: str) -> str:
    name, at, year = key.partition("@")
    return packaged_catalogue().fact(name).id + at + year


def _json_fault(
    right: Mapping[str, Mapping[tuple[str, str], Any]],
    free: set[tuple[str, str, str]],
    answer: Answer,
) -> str:
    """What is wrong with an answer: an enterprise is lost, or a fact is another, and nobody told."""
    if answer.said:
        return told_where(FILE, answer)
    good = {s.uscc: oracles.facts(s) for s in answer.content.submissions}
    told = {(issue.uscc, issue.cell.rpartition(".")[2]) for issue in answer.content.issues}
    for own, facts in right.items():
        if (own, "uscc", "") in free:
            continue
        if own not in good:
            # an entry with a number that no filing states is not looked at further: no code is known
            if not {own, ""} & {i.uscc for i in answer.content.errors}:
                return f"{own} lost"
            continue
        for part, key in facts.keys() | good[own].keys():
            free_here = {(own, part, key), (own, part or key, "")} & free
            same_fact = good[own].get((part, key)) == facts.get((part, key))
            if not (same_fact or free_here or (own, key) in told):
                return f"{own} {part}.{key}: {good[own].get((part, key))!r}"
    return ""


class _Encoder(json.JSONEncoder):
    """Numbers digit by digit, days as texts."""

    def default(self, o: Any) -> Any:
        return f"\ue000{o}\ue000" if isinstance(o, Decimal) else str(o)


def _json(random: Random, entries: list[dict[str, Any]]) -> bytes:
    said = json.dumps(entries, cls=_Encoder, ensure_ascii=False, indent=random.choice((None, 1)))
    said = said.replace('"\ue000', "").replace('\ue000"', "")
    return said.encode(random.choice(_ENCODINGS), "surrogatepass")


@contextmanager
def json_file(folder: Path) -> Iterator[Kind]:
    """Filings as a program sends them."""
    path = folder / f"{FILE}.json"
    sound = _entries()

    def reading(data: bytes) -> Answer:
        path.write_bytes(data)
        return _answer(lambda: read(path))

    whole = reading(json.dumps(sound).encode()).content
    right = {s.uscc: oracles.facts(s) for s in whole.submissions}

    def damaged(random: Random) -> Damaged:
        entries = [_respelled(random, e) for e in json.loads(json.dumps(sound))]
        random.shuffle(entries)
        free = set[tuple[str, str, str]]()
        if random.randrange(3):
            for at in random.sample(range(grids.FIRMS), random.choice((1, 1, 2))):
                free |= _spoilt(random, entries, at)
        data = _json(random, entries)
        if random.randrange(3):
            return Damaged(data, partial(_json_fault, right, free), f"spoilt {free}")
        return _any(FILE, "bytes", mutated(data, random))

    yield Kind(json.dumps(sound).encode(), reading, damaged)


# -- lists ---------------------------------------------------------------------------------------


def _side_by_side(given: Table, random: Random) -> None:
    """The second half of the enterprises stands beside the first."""
    grid = given.sheets[0]
    first = grids.head(grid)
    body = grid[first + 1 :]
    half = len(body) // 2
    if (
        len(given.sheets) > 1
        or any(c.firm is None for row in body for c in row)
        or half * 2 != len(body)
    ):
        return
    gap = [grids.Cell()] * random.randrange(2)
    again = [grids.Cell(c.value, "", None, c.heading) for c in grid[first]]
    grid[first] += [*gap, *again]
    for upper, lower in zip(body[:half], body[half:], strict=True):
        upper += [*(grids.Cell() for _ in gap), *lower]
    del grid[first + 1 + half :]


def _only(heading: str) -> Change:
    """Without the column: the enterprises are known by the other."""

    def lost(given: Table, random: Random) -> None:
        for grid in given.sheets:
            for row in grid:
                row[:] = [c for c in row if c.heading != heading]

    lost.__name__ = f"without_{heading}"
    return lost


_OF_LISTS: Final[tuple[Change, ...]] = (
    grids.columns_shuffled, grids.rows_shuffled, grids.blank_row, grids.blank_column, grids.foreign_column,
    grids.note_row, grids.heading_again, grids.heading_marked, grids.wide_digits, grids.two_sheets, grids.titles_merged,
    grids.codes_typed, _side_by_side, _side_by_side, grids.total_row, grids.prefilled_rows,
    grids.nasty_cell, grids.nasty_cell, grids.cells_swapped, grids.heading_changed, grids.row_lost, grids.row_twice,
)  # fmt: skip
_HELD: Final = {"持股方": "云溪县工业投资有限公司", "持股比例": "51%"}


def _list_table(random: Random, *, shares: bool) -> Table:
    made = grids.table([])
    if shares:
        for grid in made.sheets:
            for row in grid[grids.head(grid) :]:
                firm = row[0].firm
                row += [grids.Cell(h if firm is None else v, "", firm, h) for h, v in _HELD.items()]
    for _ in range(random.choice((1, 1, 2, 3))):
        change = random.choice(_OF_LISTS)
        if change is _side_by_side and len(made.done):
            continue
        change(made, random)
        made.done.append(change.__name__)
    return made


def _listed_wrongly(given: Table, shares: bool, answer: Answer) -> str:
    """What is wrong with the enterprises of a list: each must be there, or something be told."""
    if answer.said:
        return told_where("汇总表|名单", answer)
    found, told = answer.content
    share = (("", _HELD["持股方"], "0.51"),) if shares else ((),)
    right = {
        (code(n + 1), f"云溪县第{n + 1}泵阀有限公司", *share[0]): n for n in range(grids.FIRMS)
    }
    free = {firm for firm, _ in given.free}
    if None in free:
        return ""
    lost = [entry for entry, firm in right.items() if entry not in found and firm not in free]
    if lost and not told:
        return f"lost {lost}, found {found}"
    strangers = [e for e in found if e not in right]
    return f"strangers {strangers}" if strangers and not free else ""


@contextmanager
def listing(folder: Path) -> Iterator[Kind]:
    """A list of enterprises that hold a title, or of which somebody holds a share."""
    engine = storage.create_engine(f"sqlite:///{folder / 'register.db'}")
    storage.upgrade(engine)

    def reading(data: bytes) -> Answer:
        workbook, shares = data[:1] == b"P", data[-1:] == b"+"
        path = folder / f"{FILE}.{'xlsx' if workbook else 'csv'}"
        path.write_bytes(data[:-1])
        with storage.session(engine) as session:
            return _answer(lambda: _read_list(session, path, shares))

    def damaged(random: Random) -> Damaged:
        shares = random.randrange(3) == 0
        given = _list_table(random, shares=shares)
        mark = b"+" if shares else b"-"
        if random.randrange(2):
            data = grids.workbook(given)
        else:
            given = _flat(given)
            data = grids.csv_text(given, random).encode("utf-8", "replace")
        if random.randrange(4) == 0:
            return _any("汇总表|名单", "bytes", mutated(data, random) + mark)
        return Damaged(data + mark, partial(_listed_wrongly, given, shares), "、".join(given.done))

    yield Kind(grids.workbook(grids.table([])) + b"-", reading, damaged)
    engine.dispose()


def _read_list(
    session: Session, path: Path, shares: bool
) -> tuple[list[tuple[str, ...]], list[str]]:
    """The entries as the desk takes them in, and what it tells of the list."""
    firms, told = Firms(file=path), list[str]()
    if shares:
        stated = notices._listed(session, path, firms, told)
        held = [(h.held.uscc, h.held.name, h.holder.uscc, h.holder.name, h.share) for h in stated]
        return held, told
    found = listed.coded(session, path, listed._listing(Desk(), path), told)
    return [(holder.uscc, holder.name) for _, holder in found], told


# -- mappings ------------------------------------------------------------------------------------

_OWN: Final = {
    "营收之总": ("营业收入总额", "万元"),
    "去年研发投了多少": ("研发费用总额", "元"),
    "人手": ("从业人员", "人"),
    "厂址": ("所在地", ""),
    "不要的": ("忽略", ""),
    "知产": ("知识产权：类别/授权日期", ""),
}


@contextmanager
def mapping(folder: Path) -> Iterator[Kind]:
    """An officer's own meanings of headings."""
    path = folder / f"{FILE}.csv"

    def reading(data: bytes) -> Answer:
        path.write_bytes(data)
        return _answer(lambda: _targets(HeaderMapping(CATALOGUE, path)))

    def _targets(known: HeaderMapping) -> dict[str, Any]:
        return {heading: known.resolve(heading) for heading in _OWN}

    def rows() -> list[list[str]]:
        return [list(COLUMNS), *([h, name, unit, ""] for h, (name, unit) in _OWN.items())]

    def written(given: list[list[str]], random: Random) -> bytes:
        out = io.StringIO()
        csv.writer(out, delimiter=random.choice(",;\t")).writerows(given)
        return out.getvalue().encode(random.choice(_ENCODINGS), "replace")

    sound = written(rows(), Random(0))
    right = reading(sound).content

    def judged(free: set[str], answer: Answer) -> str:
        if answer.said:
            return told_where(FILE, answer)
        kept = {h: t for h, t in answer.content.items() if h not in free}
        return same({h: t for h, t in right.items() if h not in free}, FILE, Answer("", kept))

    def damaged(random: Random) -> Damaged:
        given = rows()
        free = set[str]()
        if random.randrange(2):
            order = random.sample(range(4), 4)
            given = [[row[i] for i in order] for row in given]
        if random.randrange(2):
            row = random.choice(given[1:])
            at = random.randrange(len(row))
            free |= _OWN.keys() & set(row)
            row[at] = grids.text(random.choice(grids.NASTY))
        given[1:] = random.sample(given[1:], len(given) - 1)
        if random.randrange(2):
            given.insert(
                random.randint(1, len(given)),
                random.choice([[], ["", "", "", ""], ["#", "", "", "注"]]),
            )
        data = written(given, random)
        if random.randrange(4) == 0:
            return _any(FILE, "bytes", mutated(data, random))
        return Damaged(data, partial(judged, free), f"rows {free}")

    yield Kind(sound, reading, damaged)
