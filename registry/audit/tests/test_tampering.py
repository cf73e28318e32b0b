"""Whatever is changed behind the registry's back is found: every column of every table.

The attacker is the owner of the database: triggers and foreign keys do not stop them, and stand again
afterwards. What no one can find is listed, with the reason.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from registry.audit import checkpoints
from registry.audit.keys import SigningKey
from registry.audit.report import VerificationReport
from registry.audit.tests.chained import chained_anew
from registry.audit.verify import verify
from registry.database import backup, forms, projection, schema, storage, triggers
from registry.database.columns import Day, Exact, Utc, Yuan
from registry.database.models import STATED_TABLES
from registry.errors import AlteredError, RecordError, StorageError
from registry.judging import judge as judging
from registry.judging.facts import profile_of
from registry.kit import resources
from registry.portable.chain import header_text
from registry.portable.notes import Checkpoint
from registry.record import cases, journal, on_file, publication, relations
from registry.record.decisions import body_of
from registry.record.replay import Replayer, how
from registry.tests import packs
from registry.tests.history import History, bare, code
from rules.decider import Decider, Decision
from rules.model.decode import decode
from rules.model.facts import Profile
from rules.model.ruleset import Ruleset
from rules.portable.canonical import canonical_json, sha256
from rules.portable.record import decision_body

TABLES = SQLModel.metadata.tables
JOURNAL, DOCUMENT, FILING = TABLES["journal"], TABLES["document"], TABLES["filing"]
ENTERPRISE = TABLES["enterprise"]

#: What cannot be found in the database alone, and why. An entry that is found after all must go.
UNDETECTABLE = {
    f"{model.__tablename__}.id": "a surrogate number that nothing refers to and that states nothing"
    for model in STATED_TABLES
}
_DETAILS = {model.__tablename__ for model in STATED_TABLES}
#: What is made from the record, for lists.
_PROJECTED = {"case_state", "due_item"}
#: What each kind of entry is checked for in its own way, and whether a filing is still current, is
#: altered in each row that is picked; digests cover all other columns alike, so one row is altered.
_READ_BY_KIND = {
    JOURNAL.c[name]
    for name in ("kind", "filing_id", "tier", "subject", "holder", "body", "disclosures")
}
#: What is found in texts and in the chain is found by what was read; that rows and values are read
#: alike from either database is the matter of the tests of every table and of every reader.
on_sqlite = pytest.mark.parametrize("history", ["sqlite"], indirect=True)

#: A row, and another value for one of its columns.
Alteration: TypeAlias = tuple[sa.RowMapping, Any]


@dataclass
class Attacker:
    """A connection of the database's owner, in a transaction that is rolled back in the end."""

    connection: sa.Connection
    checkpoints: list[Checkpoint]

    @contextmanager
    def attack(self, *tables: str) -> Iterator[None]:
        """Alter tables; their triggers are there again afterwards."""
        names = [(n, t) for t in tables for n in self._triggers(t)]
        if self.connection.dialect.name == "sqlite":
            for name, _ in names:
                self.run(f"DROP TRIGGER {name}")
        yield
        if self.connection.dialect.name == "sqlite":
            for name, _ in names:
                self.run(triggers.DEFINITIONS["sqlite"][name])

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What is done here is undone afterwards."""
        savepoint = self.connection.begin_nested()
        yield
        savepoint.rollback()

    def run(self, statement: str | sa.Executable, values: Any = None) -> sa.CursorResult[Any]:
        if isinstance(statement, str):
            return self.connection.exec_driver_sql(statement)
        return self.connection.execute(statement, values)

    def verified(
        self, *, checkpoints: bool = False, replay: bool | None = None
    ) -> VerificationReport:
        """What is found, by replay only where nothing else finds it."""
        points = self.checkpoints if checkpoints else []
        with Session(self.connection) as session:
            report = verify(session, points, replay=bool(replay))
            if report.sound and replay is None:
                report = verify(session, points)
            return report

    def _triggers(self, table: str) -> list[str]:
        found = triggers.DEFINITIONS[self.connection.dialect.name]
        return [name for name, text in found.items() if f" ON {table} " in text]


@pytest.fixture(autouse=True)
def _engines_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine is kept for each ruleset, and what it said of a case, however often it is replayed."""

    def made(ruleset: Ruleset, *, alone: bool, **_: object) -> Decider:
        assert not alone, "what is on the record is decided by both"
        return _decider(ruleset.canonical())

    monkeypatch.setattr(judging, "Decider", made)


@lru_cache(maxsize=32)
def _decider(text: str) -> Decider:
    decider = Decider(decode(text))
    decider.close = decider.__exit__ = lambda *_: None  # type: ignore[assignment, method-assign]
    decide, decided = decider.decide, dict[str, Decision]()

    def once(profile: Profile) -> Decision:
        facts = canonical_json(profile.to_json())
        if facts not in decided:
            decided[facts] = decide(profile)
        return decided[facts]

    decider.decide = once  # type: ignore[method-assign]
    return decider


@pytest.fixture
def attacker(history: History, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attacker]:
    engine = history.engine
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        if engine.dialect.name == "sqlite":
            for pragma in ("foreign_keys = OFF", "ignore_check_constraints = ON"):
                raw.cursor().execute(f"PRAGMA {pragma}")
        transaction = connection.begin()
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for table, name in connection.exec_driver_sql(
                "SELECT conrelid::regclass, conname FROM pg_constraint JOIN pg_class t "
                "ON t.oid = conrelid WHERE contype IN ('c', 'u') "
                "AND t.relnamespace = current_schema()::regnamespace"
            ).all():
                connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for table in TABLES.values():
            for index in table.indexes:
                if index.unique:
                    connection.exec_driver_sql(f"DROP INDEX {index.name}")
        # what the attacker did to the schema is told too, of which see below
        monkeypatch.setattr(schema, "differences", lambda _: [])
        yield Attacker(connection, history.checkpoints)
        transaction.rollback()


def texts(report: VerificationReport) -> str:
    return "\n".join([*report.integrity, *report.completeness, *report.correctness])


def test_the_history_is_sound_and_rich(history: History) -> None:
    with storage.session(history.engine) as session:
        report = verify(session, history.checkpoints)
        assert report.sound, texts(report)
        assert report.replayed == report.decisions == 27
        assert {e.kind for e in journal.entries(session)} == set(journal_kinds())
        tiers = {e.tier for e in journal.entries(session, kinds=["decision"])}
        applied = {
            target
            for found in cases.determinations(session, [1]).values()
            for d in found
            if (target := d.target)
        }
        cited = [e for e in journal.entries(session) if e.content.get("determinations")]
        for table in TABLES.values():
            assert session.scalar(sa.select(sa.func.count()).select_from(table)), table.name
    assert len(tiers) == 4
    assert applied == {"well_known", "honours#1.accepted", "63.3.链"}
    assert cited


def journal_kinds() -> list[str]:
    return list(JOURNAL.c.kind.type.enums)  # type: ignore[attr-defined]


# -- every column ----------------------------------------------------------------------------------


def test_an_altered_value_is_found_in_every_column(attacker: Attacker) -> None:
    """What is told of by name is altered at once: each must be named."""
    thorough = attacker.connection.dialect.name == "sqlite"  # the checks are the same on both
    columns = {table: _columns(table, thorough) for table in TABLES.values()}
    found: dict[str, list[bool]] = {}
    unnamed: list[str] = []
    changes: dict[str, list[Change]] = {}
    for table in TABLES.values():
        rows = _rows(attacker, table)
        for number, column in enumerate(columns[table]):
            where = f"{table.name}.{column.name}"
            found[where] = []
            # what an entry is about is compared with what others say of it, so each has a turn alone
            together = table is JOURNAL and column is not JOURNAL.c.filing_id
            for turn in _turns(together, _alterations(table, column, rows, number, thorough)):
                made = [_altered(table, row, {column: value}) for row, value in turn]
                if place := _place(table, column, turn[0][0]):
                    change = Change(place, table, made[0], f"{where}: {turn[0][1]!r}")
                    changes.setdefault(_group(table, column), []).append(change)
                    found[where].append(where not in UNDETECTABLE)
                    continue
                with attacker.attempt():
                    with attacker.attack(table.name):
                        for one in made:
                            attacker.run(one)
                    report = attacker.verified()
                    found[where] += [not report.sound] * len(turn)
                    unnamed += [
                        f"{where}: {value!r} gave\n{texts(report)}"
                        for row, value in turn
                        if not report.sound and not _names(table, row, report)
                    ]
    with attacker.attempt():
        hidden = changes.pop("undetectable")
        with attacker.attack(*{c.table.name: None for c in hidden}):
            for change in hidden:
                attacker.run(change.statement)
        assert attacker.verified().sound  # not one is told of, though all are made at once
    for name, group in changes.items():
        unnamed += _not_named(attacker, group, also=name in ("moved", "filing"))
    print(
        f"{sum(sum(f) for f in found.values())} of {sum(map(len, found.values()))} alterations found"
    )
    assert set(found) == {f"{t.name}.{c.name}" for t in TABLES.values() for c in columns[t]}
    missed = {where for where, each in found.items() if not all(each)}
    assert missed == {where for where in UNDETECTABLE if where in found}
    assert not unnamed


def _columns(table: sa.Table, thorough: bool) -> list[sa.Column[Any]]:
    """All columns, or one for each type of value."""
    each = {(type(c.type), c.primary_key): c.name for c in reversed([*table.c])}
    return [c for c in table.c if thorough or c.name in each.values()]


def _turns(together: bool, alterations: Iterable[Alteration]) -> list[list[Alteration]]:
    """What is altered at once: different rows if they are altered ``together``."""
    turns: list[list[Alteration]] = []
    for row, value in alterations:
        free = (t for t in turns if together and all(r is not row for r, _ in t))
        turn = next(free, None)
        if turn is None:
            turns.append(turn := [])
        turn.append((row, value))
    return turns


def _rows(attacker: Attacker, table: sa.Table) -> list[sa.RowMapping]:
    """First, middle and last row; of the journal, one of each kind; of details, one of each filing."""
    rows = attacker.run(sa.select(table).order_by(*table.primary_key)).mappings().all()
    if table is JOURNAL:
        return [*{row["kind"]: row for row in reversed(rows)}.values(), rows[-1]]
    if table.name in _DETAILS:
        filings: dict[int, list[sa.RowMapping]] = {}
        for row in rows:
            filings.setdefault(row["filing_id"], []).append(row)
        return [r[(0, len(r) // 2, -1)[n % 3]] for n, r in enumerate(filings.values())]
    return [rows[0], rows[len(rows) // 2], rows[-1]]


def _is_detail(table: sa.Table, column: sa.Column[Any]) -> bool:
    """Whether an altered value of the column is to be found in the filing that it is a detail of."""
    return (
        table.name in _DETAILS
        and column.name != "filing_id"
        and f"{table.name}.{column.name}" not in UNDETECTABLE
    )


@dataclass(frozen=True)
class Change:
    """What is done to a table, and the place of which is to be told."""

    place: tuple[Any, ...]
    table: sa.Table
    statement: sa.Executable
    where: str


def _group(table: sa.Table, column: sa.Column[Any]) -> str:
    """Changes of one group do not make each other told of."""
    if f"{table.name}.{column.name}" in UNDETECTABLE:
        return "undetectable"
    if table.name in _DETAILS:
        return "moved" if column.name == "filing_id" else "details"
    return "projected" if table.name in _PROJECTED else table.name


def _place(table: sa.Table, column: sa.Column[Any], row: sa.RowMapping) -> tuple[Any, ...] | None:
    """What a finding names, where it names no less than what was altered; None: altered alone."""
    name = table.name
    if name in _DETAILS:
        return "detail", row["filing_id"], name
    if name == "filing":
        return name, row["id"]
    if column.primary_key or (name in _PROJECTED and column.name == "uscc"):
        return None  # two are told of, or under another name
    if name in _PROJECTED:
        return "projected", row["uscc"]
    if name == "enterprise" and column.name != "uscc":
        return name, row["uscc"], column.name
    return (name, row["id"]) if name == "import" else None


def _told(text: str) -> set[tuple[Any, ...]]:
    """The places that are named."""
    places: set[tuple[Any, ...]] = set()
    for id, name in re.findall(r"填报(\d+)(?:（[^）]*）)?的(?:内容与其)?明细行（(\w+)", text):
        places |= {("detail", int(id), name), ("filing", int(id))}
    places |= {("detail", int(id), "yearly_figure") for id in re.findall(r"填报(\d+)的\d+年", text)}
    places |= {("filing", int(id)) for id in re.findall(r"填报(\d+)（", text)}
    for first, last in re.findall(r"填报（编号(\d+)至(\d+)，", text):
        places |= {("filing", id) for id in range(int(first), int(last) + 1)}
    places |= {
        ("enterprise", *named) for named in re.findall(r"企业(\w+)的(\w+)与其填报不符", text)
    }
    places |= {("import", int(id)) for id in re.findall(r"导入(\d+)的(?:登记信息|撤销时间)", text)}
    return places


def _not_named(attacker: Attacker, changes: list[Change], *, also: bool = False) -> list[str]:
    """The changes of which the verification does not tell.

    Those of different places are made at once: each place is read and told of by itself, and no
    other filing may be, unless ``also`` is said.
    """
    turns: list[dict[tuple[Any, ...], Change]] = []
    for change in changes:
        turn = next((t for t in turns if change.place not in t), None)
        if turn is None:
            turns.append(turn := {})
        turn[change.place] = change
    missed = []
    for turn in turns:
        with attacker.attempt():
            with attacker.attack(*{c.table.name: None for c in turn.values()}):
                for change in turn.values():
                    attacker.run(change.statement)
            found = texts(attacker.verified(replay=False))
        if lists := re.search(r"案件概况与登记簿不符（企业\w+?(?:等(\d+)家企业)?）", found):
            named = int(lists[1] or 1) == len(turn)  # one is named, the others are counted
        else:
            named = turn.keys() <= _told(found)
        filings = {int(id) for id in re.findall(r"填报(\d+)", found)}
        if not named or not (also or filings <= {place[1] for place in turn}):
            missed += [f"{c.where} gave\n{found}" for c in turn.values()]
    return missed


def _alterations(
    table: sa.Table,
    column: sa.Column[Any],
    rows: list[sa.RowMapping],
    number: int,
    thorough: bool,
) -> Iterator[Alteration]:
    """Another value, none, and text that reads the same but is written otherwise."""
    if f"{table.name}.{column.name}" in UNDETECTABLE:
        value = rows[-1][column]
        yield rows[-1], f"x{value}" if isinstance(value, str) else value + 1000
        return
    turn = number % len(rows)
    every = thorough and (table.name == "filing" or column in _READ_BY_KIND)
    for row in rows if every else [rows[turn]]:
        yield row, _other(column, row[column])
    if not thorough:
        return
    if column.nullable:
        yield from [(row, None) for row in rows if row[column] is not None][-1:]
    row = rows[(turn + 1) % len(rows)]
    if isinstance(row[column], str) and row[column].startswith("{"):
        yield row, " " + row[column]


def _other(column: sa.Column[Any], value: Any) -> Any:
    kind = column.type
    if isinstance(kind, sa.Enum):
        return next(v for v in kind.enums if v != value)
    if isinstance(kind, sa.Boolean):
        return not value
    if isinstance(kind, Day):
        return (value or date(2020, 1, 1)) + timedelta(days=1)
    if isinstance(kind, Utc):
        return (value or datetime.fromisoformat("2024-07-01T09:00:00Z")) + timedelta(seconds=1)
    if isinstance(kind, (Exact, Yuan)):
        return (value or Decimal(0)) + 1
    if isinstance(value, str) and len(value) == 64:
        return sha256(value)
    if isinstance(value, str) and value.startswith("{"):
        return canonical_json({**json.loads(value), "x": "y"})
    if kind.python_type is str:
        return f"{value or ''}x"
    return (value or 0) + (1000 if column.primary_key else 1)


def _altered(table: sa.Table, row: sa.RowMapping, values: dict[Any, Any]) -> sa.Update:
    return (
        sa.update(table)
        .where(*(key == row[key] for key in table.primary_key))
        .values({c.name: v for c, v in values.items()})
    )


def _names(table: sa.Table, row: sa.RowMapping, report: VerificationReport) -> bool:
    """Whether the report names what was altered, where that is one entry."""
    return table is not JOURNAL or f"第{row['seq']}号" in texts(report)


def test_a_value_that_cannot_be_read_is_a_finding_and_no_crash(attacker: Attacker) -> None:
    """Details of one type are read alike, so those of different filings and tables are altered at once.

    So are the columns of one type in what is made for lists, which is read only if all else holds;
    and those of one table, each in a row of its own, where every row is told of by name.
    """
    sqlite = attacker.connection.dialect.name == "sqlite"
    tried = 0
    of_filings: dict[type[Any], list[Change]] = {}
    of_lists: dict[tuple[str, type[Any]], list[str]] = {}
    of_rows: dict[tuple[str, type[Any]], list[tuple[sa.Column[Any], str]]] = {}
    for table in TABLES.values():
        rows = _rows(attacker, table)
        for number, column in enumerate(_columns(table, sqlite)):
            garbage, where = _garbage(column, sqlite), f"{table.name}.{column.name}"
            if garbage is None or column.primary_key or where in UNDETECTABLE:
                continue
            tried += 1
            detail = _is_detail(table, column)
            row = rows[number % len(rows)] if detail else rows[0]
            keys = " AND ".join(f"{k.name} = {row[k]!r}" for k in table.primary_key)
            change = f'UPDATE "{table.name}" SET "{column.name}" = {garbage} WHERE {keys}'
            if detail:
                place = "detail", row["filing_id"], table.name
                done = Change(place, table, sa.text(change), where)
                of_filings.setdefault(type(column.type), []).append(done)
            elif table.name in _PROJECTED:
                of_lists.setdefault((table.name, type(column.type)), []).append(change)
            elif table.name in _ROW_NAMED:
                of_rows.setdefault((table.name, type(column.type)), []).append((column, garbage))
            else:
                _unsound(attacker, table.name, [change], table.name == "document")
    for (name, _), altered in of_rows.items():
        _each_named(attacker, TABLES[name], altered)
    for (name, _), statements in of_lists.items():
        _unsound(attacker, name, statements, False)
    for changes in of_filings.values():
        assert not _not_named(attacker, changes)
    assert tried > (200 if sqlite else 40)


#: How a finding names a row, by its key or, of an enterprise, by its code too.
_ROW_NAMED = {
    "journal": r"第{seq}号",
    "filing": r"填报{id}(?!\d)",
    "import": r"导入{id}(?!\d)",
    "enterprise": r"enterprise {id}(?!\d)|企业{uscc}的",
}


def _each_named(
    attacker: Attacker, table: sa.Table, altered: Sequence[tuple[sa.Column[Any], str]]
) -> None:
    """Each column is altered in a row of its own, and each of these rows must be named."""
    rows = attacker.run(sa.select(table).order_by(*table.primary_key)).mappings().all()
    if table is JOURNAL:
        rows = _rows(attacker, table)
    for start in range(0, len(altered), len(rows)):
        changed = list(zip(altered[start : start + len(rows)], rows, strict=False))
        with attacker.attempt():
            with attacker.attack(table.name):
                for (column, garbage), row in changed:
                    keys = " AND ".join(f"{k.name} = {row[k]!r}" for k in table.primary_key)
                    attacker.run(
                        f'UPDATE "{table.name}" SET "{column.name}" = {garbage} WHERE {keys}'
                    )
            found = texts(attacker.verified(replay=table.name != "import"))
        for (column, _), row in changed:
            named = _ROW_NAMED[table.name].format(
                **{k: row[k] for k in ("seq", "id", "uscc") if k in row}
            )
            assert re.search(named, found), f"{table.name}.{column.name} gave\n{found}"


def _unsound(attacker: Attacker, table: str, changes: list[str], replayed: bool) -> None:
    with attacker.attempt():
        with attacker.attack(table):
            for change in changes:
                attacker.run(change)
        assert not attacker.verified(replay=replayed).sound, changes


def _garbage(column: sa.Column[Any], sqlite: bool) -> str | None:
    if isinstance(column.type, (Utc, Day)):
        return "'垃圾'" if sqlite else "'infinity'"
    if isinstance(column.type, sa.Enum):
        return "'垃圾'"
    if isinstance(column.type, sa.Boolean):
        return None  # SQLite has no such type: whatever stands there is read as yes or no
    return "'[[}'" if sqlite or column.type.python_type is str else None


@pytest.mark.parametrize("version", ["'9999'", "'0001'", "NULL"])
def test_an_altered_revision_is_refused(history: History, version: str) -> None:
    with history.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
        if version != "NULL":
            connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ({version})")
    with pytest.raises(StorageError):
        storage.connect(history.engine.url)


@on_sqlite
def test_a_kept_checkpoint_that_states_something_else_is_found(attacker: Attacker) -> None:
    table = TABLES["checkpoint"]
    for row in _rows(attacker, table):
        name, size, root, *rest = row["note"].split("\n")
        for lines in ([name, "7", root], [name, size, root.swapcase()], [name, size]):
            with attacker.attempt():
                with attacker.attack("checkpoint"):
                    note = "\n".join([*lines, *rest])
                    attacker.run(_altered(table, row, {table.c.note: note}))
                assert "检查点" in texts(attacker.verified(replay=False))


# -- rows ------------------------------------------------------------------------------------------


def _picked(attacker: Attacker, table: sa.Table) -> list[sa.RowMapping]:
    """The rows; of a table that is read row by row alike on both databases, on one of them the first."""
    rows = _rows(attacker, table)
    thorough = attacker.connection.dialect.name == "sqlite" or table.name in _DETAILS
    return rows if thorough else rows[:1]


def test_a_lost_row_is_found_in_every_table(attacker: Attacker) -> None:
    of_filings = []
    for table in TABLES.values():
        for row in _picked(attacker, table):
            if table is JOURNAL and row["seq"] == _entry(attacker, "decision", -1).seq:
                continue  # the end of the journal: see below
            lost = sa.delete(table).where(*(key == row[key] for key in table.primary_key))
            if table.name in _DETAILS:
                of_filings.append(
                    Change(("detail", row["filing_id"], table.name), table, lost, table.name)
                )
                continue
            with attacker.attempt():
                with attacker.attack(table.name):
                    attacker.run(lost)
                assert not attacker.verified().sound, table.name
    assert not _not_named(attacker, of_filings)


def test_a_row_slipped_in_is_found_in_every_table(attacker: Attacker) -> None:
    of_filings = []
    for table in TABLES.values():
        for number, row in enumerate(_picked(attacker, table)):
            if table.name in _DETAILS:
                more = sa.insert(table).values(**{**row, "id": 10_000 + number})
                of_filings.append(
                    Change(("detail", row["filing_id"], table.name), table, more, table.name)
                )
                continue
            with attacker.attempt():
                with attacker.attack(table.name):
                    attacker.run(sa.insert(table), _copy(table, row))
                assert not attacker.verified().sound, table.name
    assert not _not_named(attacker, of_filings)


def _copy(table: sa.Table, row: sa.RowMapping) -> dict[str, Any]:
    """The row once more, under keys of its own."""
    own = {
        "document": {"digest": "f" * 64},
        "journal": {"seq": 10_000, "previous": "e" * 64, "digest": "f" * 64},
        "checkpoint": {"size": 1},
        "enterprise": {"id": 10_000, "uscc": code(99)},
        "restatement": {"import_id": 10_000},
        "case_state": {"enterprise_id": 10_000},
        "due_item": {"number": 10_000},
    }
    return {**row, **own.get(table.name, {"id": 10_000})}


def test_a_figure_that_stands_twice_within_its_period_is_found(attacker: Attacker) -> None:
    """The row says what the filing says; whoever counts rows of a moment counts it twice."""
    table = TABLES["yearly_figure"]
    row = _rows(attacker, table)[0]
    until = row["known_from"] + timedelta(seconds=1)
    with attacker.attack(table.name):
        attacker.run(sa.insert(table), {**_copy(table, row), "known_until": until})
    found = texts(attacker.verified(replay=False))
    assert f"填报{row['filing_id']}的{row['fiscal_year']}年数据何时为现行" in found


def test_swapped_entries_are_found(attacker: Attacker) -> None:
    for one, other in ((5, 6), (2, 30)):
        with attacker.attempt():
            with attacker.attack("journal"):
                for old, new in ((one, 10_000), (other, one), (10_000, other)):
                    attacker.run(sa.update(JOURNAL).where(JOURNAL.c.seq == old).values(seq=new))
            report = attacker.verified()
            assert any(f"第{one}号" in text for text in report.integrity)


def test_a_cut_journal_is_found_by_a_checkpoint_alone(attacker: Attacker) -> None:
    """Also where the entries that say of checkpoints are cut with it, and these themselves."""
    first, last = (c.size for c in attacker.checkpoints)
    cut = _entry(attacker, "checkpoint", 0).seq - 1
    assert cut == first
    with attacker.attack("journal", "checkpoint"):
        attacker.run(sa.delete(JOURNAL).where(JOURNAL.c.seq >= last))
        attacker.run(sa.delete(TABLES["checkpoint"]).where(TABLES["checkpoint"].c.size == last))
    assert attacker.verified().sound
    found = texts(attacker.verified(checkpoints=True))
    assert f"检查点记有{last}条记录，登记库只有{last - 1}条：末尾的记录被截去" in found


# -- forgeries with all digests recomputed -----------------------------------------------------------


def _rewrite(
    attacker: Attacker, seq: int, change: Callable[[dict[str, Any]], object], *, by: str = ""
) -> None:
    """Change the body of an entry, or who made it, and chain all that follows anew."""
    with attacker.attack("journal"):
        rows = attacker.run(sa.select(JOURNAL).order_by(JOURNAL.c.seq)).mappings().all()
        attacker.run(sa.delete(JOURNAL))
        for row in chained_anew(rows, seq, change, by=by):
            attacker.run(sa.insert(JOURNAL), row)


def _unsigned(attacker: Attacker) -> None:
    """As if no checkpoint had ever been kept: all that is left to find are those that others hold."""
    with attacker.attack("checkpoint"):
        attacker.run(sa.delete(TABLES["checkpoint"]))
    for pick in (0, 1):
        seq = _entry(attacker, "checkpoint", pick).seq
        _rewrite(attacker, seq, lambda body: body.update(signed=[]))


def _entry(attacker: Attacker, kind: str, pick: int = 0) -> journal.Entry:
    with Session(attacker.connection) as session:
        return list(journal.entries(session, kinds=[kind]))[pick]


def _found_by_checkpoint(attacker: Attacker) -> bool:
    return "与检查点" in texts(attacker.verified(checkpoints=True, replay=False))


@on_sqlite
def test_a_forged_verdict_is_found_though_the_chain_was_rewritten(attacker: Attacker) -> None:
    for pick in (0, -1):
        entry = _entry(attacker, "decision", pick)

        def forge(body: dict[str, Any]) -> None:
            body["verdict"] = 3 if body["verdict"] != 3 else 0

        with attacker.attempt():
            _unsigned(attacker)
            _rewrite(attacker, entry.seq, forge)
            report = attacker.verified(replay=True)
            assert [*report.integrity, *report.completeness] == []
            [complaint] = report.correctness
            assert f"第{entry.seq}号决定" in complaint
            assert _found_by_checkpoint(attacker)
            with Session(attacker.connection) as session:
                replayer = Replayer(session)
                forged = journal.entry(session, entry.seq)
                with pytest.raises(RecordError, match="不能原样重现"):
                    replayer.judged(forged)
                replayer.close()


@on_sqlite
def test_a_decision_that_leaves_out_a_determination_is_found(attacker: Attacker) -> None:
    with Session(attacker.connection) as session:
        entry = next(
            e
            for e in journal.entries(session, kinds=["decision"])
            if e.content["determinations"] and "小巨人" in e.tier
        )
        replayer = Replayer(session)
        published, judge = replayer._rules(entry.content["applicability"]["digest"])
        case = cases.case(session, entry.filing_id or 0)
        root = entry.content["applicability"]["ruleset"]
        decision = judge.decide(root, profile_of(case.facts, case.as_of))
        ruleset = published.ruleset(root).to_json()
        replayer.close()

    def forge(body: dict[str, Any]) -> None:
        body |= decision_body(
            case=body["case"],
            facts=body["facts"],
            determinations=[],
            ruleset=ruleset,
            ruleset_digest=body["ruleset"],
            applicability=body["applicability"],
            trace=decision.trace,
            readings=decision.readings,
        )

    _rewrite(attacker, entry.seq, forge)
    assert any(f"第{entry.seq}号决定" in c for c in attacker.verified(replay=True).correctness)


@on_sqlite
def test_a_decision_that_leaves_out_a_registered_title_is_found(attacker: Attacker) -> None:
    with Session(attacker.connection) as session:
        entries = journal.entries(session, kinds=["decision"])
        entry = next(e for e in entries if e.content.get("register"))
        replayer = Replayer(session)
        asked = entry.content["case"]
        known = replace(replayer._then(entry, entry.content), register=())
        published, judge = replayer._rules(entry.content["applicability"]["digest"])
        day = date.fromisoformat(asked["as_of"])
        governing = judge.governing(asked["tier"], day, how(asked))
        judged = judge.judge(governing, known, day)
        forged = body_of(judged, asked, entry.content, published)
        replayer.close()

    def forge(body: dict[str, Any]) -> None:
        body.pop("register")
        body.update(forged)

    _rewrite(attacker, entry.seq, forge)
    assert any(f"第{entry.seq}号决定" in c for c in attacker.verified(replay=True).correctness)


@on_sqlite
def test_a_title_that_was_cut_short_is_found(attacker: Attacker) -> None:
    """Even where every digest after it was forged: the decision does not come out again."""
    with Session(attacker.connection) as session:
        entries = journal.entries(session, kinds=["decision"])
        entry = next(e for e in entries if e.content.get("register"))
        [name] = entry.content["register"]
        seq = journal.numbers(session, [name])[name]
    _rewrite(attacker, seq, lambda body: body.update(valid_until="2022-12-31"))
    assert any(f"第{entry.seq}号决定" in c for c in attacker.verified(replay=True).correctness)


@on_sqlite
def test_striking_out_what_does_not_hold_is_found(attacker: Attacker) -> None:
    with Session(attacker.connection) as session:
        entries = journal.entries(session, kinds=["title"])
        seq = next(e.seq for e in entries if e.content["action"] == "strike")
    _rewrite(attacker, seq, lambda body: body.update(strikes="0" * 64))
    found = texts(attacker.verified(replay=False))
    assert f"第{seq}号划销的不是这项称号现行的登记" in found


@on_sqlite
def test_a_title_under_another_tier_is_found(attacker: Attacker) -> None:
    seq = _entry(attacker, "title").seq
    _rewrite(attacker, seq, lambda body: body.update(kind="专精特新中小企业"))
    found = texts(attacker.verified(replay=False))
    assert f"第{seq}号称号登记的层级与其内容不符" in found


@on_sqlite
@pytest.mark.parametrize("change", [{"share": "0.5"}, {"valid_until": "2026-06-29"}])
def test_a_holding_that_was_made_less_of_is_found(
    attacker: Attacker, change: dict[str, str]
) -> None:
    """Even where every digest after it was forged: the decision does not come out again."""
    with Session(attacker.connection) as session:
        decided = journal.entries(session, kinds=["decision"])
        entry = [e for e in decided if len(e.content.get("register", ())) == 2][-1]
    seq = _entry(attacker, "holding", -1).seq
    _rewrite(attacker, seq, lambda body: body.update(change))
    assert any(f"第{entry.seq}号决定" in c for c in attacker.verified(replay=True).correctness)


@on_sqlite
@pytest.mark.parametrize("share", ["0", "1.5", "-1"])
def test_a_share_that_cannot_be_is_found(attacker: Attacker, share: str) -> None:
    seq = _entry(attacker, "holding").seq
    _rewrite(attacker, seq, lambda body: body.update(share=share))
    assert f"第{seq}号持股登记的内容不合格式" in texts(attacker.verified(replay=False))


@on_sqlite
@pytest.mark.parametrize("forged", ["former", "other", "another year"])
def test_a_calendar_in_which_more_than_the_stated_year_changed_is_found(
    attacker: Attacker, forged: str
) -> None:
    """Even where every digest after it was forged, and what it names was published."""
    with Session(attacker.connection) as session:
        stated = _entry(attacker, "calendar")
        former = publication.calendar_in_force(session, until=stated.seq - 1)
        assert former is not None
        years = json.loads(publication.document(session, stated.content["calendar"], "calendar"))
        first = min(years["years"])
        years["years"][first] = {**years["years"][first], "work": []}
        other = publication.hold_calendar(session, canonical_json(years))
        session.flush()
    changed = {
        "former": {"calendar": former},
        "other": {"calendar": other},
        "another year": {"year": int(first)},
    }[forged]
    _rewrite(attacker, stated.seq, lambda body: body.update(changed))
    found = texts(attacker.verified(replay=False))
    assert f"第{stated.seq}号放假安排与其前的工作日历接不上" in found


@on_sqlite
def test_a_calendar_that_is_lost_or_altered_is_a_finding_and_no_crash(attacker: Attacker) -> None:
    named = DOCUMENT.c.digest == _entry(attacker, "calendar").content["calendar"]
    for done, said in (
        (sa.delete(DOCUMENT).where(named), "缺失"),
        (sa.update(DOCUMENT).where(named).values(text='{"years":{}}'), "的工作日历已被改动"),
    ):
        with attacker.attempt():
            with attacker.attack("document"):
                attacker.run(done)
            assert said in texts(attacker.verified(replay=False))


@on_sqlite
def test_a_decision_under_superseded_criteria_is_found(attacker: Attacker) -> None:
    with Session(attacker.connection) as session:
        first = next(journal.entries(session, kinds=["publication"])).content
        entry = [e for e in journal.entries(session, kinds=["decision"]) if "小巨人" in e.tier][-1]
        replayer = Replayer(session)
        asked = entry.content["case"]
        known, day = replayer._then(entry, entry.content), date.fromisoformat(asked["as_of"])
        published, judge = replayer._rules(first["applicability"])
        governing = judge.governing(asked["tier"], day, how(asked))
        judged = judge.judge(governing, known, day)
        forged = body_of(judged, asked, entry.content, published)
        replayer.close()
    _rewrite(attacker, entry.seq, lambda body: body.update(forged))
    report = attacker.verified(replay=True)
    assert not report.correctness
    assert f"第{entry.seq}号决定不是按当时发布的标准作出的" in texts(report)


@on_sqlite
def test_a_confirmation_by_the_same_person_is_found(attacker: Attacker) -> None:
    seq = _entry(attacker, "confirmation").seq
    _rewrite(attacker, seq, lambda body: None, by="丙")
    assert f"第{seq}号确认与所确认的认定出自同一人" in texts(attacker.verified(replay=False))


@on_sqlite
def test_a_determination_that_passes_over_the_second_person_is_found(attacker: Attacker) -> None:
    seq = _entry(attacker, "determination").seq
    _rewrite(attacker, seq, lambda body: body.update(four_eyes=False))
    found = texts(attacker.verified(replay=False))
    assert f"第{seq}号人工认定的复核要求与当时的规定不符" in found


def test_an_entry_on_a_filing_that_was_not_current_is_found(attacker: Attacker) -> None:
    """A copy of the filing that was opened again later states just the same."""
    with attacker.attack("journal"):
        query = sa.select(FILING.c.id, FILING.c.enterprise_id, FILING.c.digest).order_by(
            FILING.c.id
        )
        first: dict[tuple[int, str], int] = {}
        for id, *same in attacker.run(query):
            if (copied := first.setdefault((same[0], same[1]), id)) != id:
                break
        moved = JOURNAL.c.filing_id == id
        seqs = attacker.run(sa.select(JOURNAL.c.seq).where(moved)).scalars().all()
        attacker.run(sa.update(JOURNAL).where(moved).values(filing_id=copied))
    found = texts(attacker.verified(replay=False))
    assert seqs
    assert all(f"第{seq}号" in found for seq in seqs)
    assert "所依据的填报当时不是现行的" in found


@on_sqlite
def test_each_of_two_checkpoints_of_one_size_must_agree(attacker: Attacker) -> None:
    good = attacker.checkpoints[-1]
    bad = replace(good, origin="另一机关", root=bytes(32))
    for points in ([good, bad], [bad, good]):
        attacker.checkpoints = points
        assert "（另一机关）不一致" in texts(attacker.verified(checkpoints=True, replay=False))


@on_sqlite
def test_a_checkpoint_that_is_kept_and_given_is_told_of_once(attacker: Attacker) -> None:
    with Session(attacker.connection) as session:
        [*_, (size, note)] = checkpoints.kept(session)
    attacker.checkpoints = [Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")]
    _rewrite(attacker, 1, lambda body: body.update(more=1))
    found = texts(attacker.verified(checkpoints=True, replay=False))
    assert found.count(f"登记库的前{size}条记录与检查点") == 1


@on_sqlite
def test_what_was_held_before_there_was_a_journal_is_kept_too(
    attacker: Attacker, tmp_path: Path
) -> None:
    with attacker.attack("journal", "document", "checkpoint"):
        for name in ("journal", "document", "checkpoint"):
            attacker.run(sa.delete(TABLES[name]))
    with Session(attacker.connection) as session:
        folder = resources.features()
        own = packs.written(tmp_path)
        publication.publish(
            session, packs.compiled(own), folder, by="乙", now=datetime.now(UTC), own=own
        )
        session.flush()
        projection.rebuild(session.connection())  # of that time
        report = verify(session)
        assert report.sound, texts(report)
    for where in ("filing.known_until", "filing.known_from", "import.undone_at", "import.file"):
        name, _, column = where.partition(".")
        table = TABLES[name]
        query = sa.select(table).where(table.c[column].is_not(None))
        row = attacker.run(query).mappings().all()[0]
        with attacker.attempt():
            with attacker.attack(name):
                value = _other(table.c[column], row[column])
                attacker.run(_altered(table, row, {table.c[column]: value}))
            assert not attacker.verified(replay=False).sound, where


#: Texts that are no JSON, or JSON of another shape than is stored.
SHAPES = (
    "",
    "{",
    "[]",
    "{}",
    "null",
    '"x"',
    "[" * 100_000,
    '{"case":1,"values":{"revenue":"NaN"}}',
)
#: It cannot be parsed either, for the reason for which an empty text cannot: one kind shows it.
_NO_JSON = "{"


def test_no_reader_passes_over_an_entry_whose_kind_was_altered(attacker: Attacker) -> None:
    """By whatever it is asked for; an entry that was made to look decided is no exception.

    What a kind is altered to is read by its name on either database: on one each is tried.
    """
    thorough = attacker.connection.dialect.name == "sqlite"
    for number, kind in enumerate(journal_kinds()):
        row = _entry(attacker, kind)
        others = [k for k in journal_kinds() if k != kind]
        for other in others if thorough else {others[number % len(others)], "decision"} - {kind}:
            with attacker.attempt():
                with attacker.attack("journal"):
                    changed = sa.update(JOURNAL).where(JOURNAL.c.seq == row.seq)
                    attacker.run(changed.values(kind=other))
                found_by: list[dict[str, Any]] = [{}]
                found_by += [{"filing_ids": [row.filing_id]}] if row.filing_id else []
                found_by += [{"subjects": [row.subject]}] if row.subject else []
                found_by += [{"holders": [row.holder]}] if row.holder else []
                for given in found_by:
                    with (
                        Session(attacker.connection) as session,
                        pytest.raises(AlteredError, match=f"第{row.seq}号"),
                    ):
                        list(journal.entries(session, kinds=[kind], **given))
                if not row.filing_id:
                    with (
                        Session(attacker.connection) as session,
                        pytest.raises(AlteredError, match=f"第{row.seq}号"),
                    ):
                        list(journal.newest_first(session, [kind]))


def test_no_reader_is_answered_from_a_journal_with_gaps(attacker: Attacker) -> None:
    for seq, kind in (
        (1, "title"),
        (_entry(attacker, "title", -1).seq, "title"),
        (5, "publication"),
    ):
        with (
            attacker.attempt(),
            attacker.attack("journal"),
            Session(attacker.connection) as session,
        ):
            attacker.run(sa.delete(JOURNAL).where(JOURNAL.c.seq == seq))
            for reader in (journal.entries, journal.newest_first):
                with pytest.raises(AlteredError, match="有记录被删去或改号"):
                    next(reader(session, kinds=[kind]))


@pytest.mark.parametrize("kind", ["determination", "decision", "withdrawal"])
def test_an_entry_that_was_moved_to_another_filing_says_nothing_there(
    attacker: Attacker, kind: str
) -> None:
    entry = _entry(attacker, kind)
    with Session(attacker.connection) as session:
        ids = {id for n in range(1, 9) for id in cases.of_enterprise(session, code(n))}
    for moved in sorted(ids - {entry.filing_id}):
        with (
            attacker.attempt(),
            attacker.attack("journal"),
            Session(attacker.connection) as session,
        ):
            here, there = (
                sa.select(ENTERPRISE.c.uscc, FILING.c.as_of)
                .join_from(FILING, ENTERPRISE)
                .where(FILING.c.id == id)
                for id in (entry.filing_id, moved)
            )
            if attacker.run(here).one() == attacker.run(there).one():
                continue  # another version of the same filing: see where it is current
            changed = sa.update(JOURNAL).where(JOURNAL.c.seq == entry.seq)
            attacker.run(changed.values(filing_id=moved))
            with pytest.raises(AlteredError, match=f"第{entry.seq}号"):
                list(journal.entries(session, kinds=[kind], filing_ids=[moved]))


#: A member of what a filing states, and another in its place.
_RESTATED = (
    ("facts", '"20000000"', '"90000000"'),
    ("facts", '"20000000"', '"-0"'),
    ("facts", '"values":{', '"values":{"staff@2025":"7",'),
    ("facts", '"in_force":true', '"in_force":false'),
    ("facts", '"sources":{', '"sources":{"staff@2025":7,'),
    ("identity", "企业", "企 业"),
)


@on_sqlite
@pytest.mark.parametrize(("column", "before", "after"), _RESTATED)
def test_nothing_is_read_of_a_filing_that_states_something_else(
    attacker: Attacker, column: str, before: str, after: str
) -> None:
    with Session(attacker.connection) as session:
        [id] = cases.newest(session, [code(21)])
        assert cases.case(session, id)
        with attacker.attack("filing"):
            changed = sa.func.replace(FILING.c[column], before, after)
            moved = sa.update(FILING).where(FILING.c.id == id, changed != FILING.c[column])
            assert attacker.run(moved.values({column: changed})).rowcount == 1
        with pytest.raises(AlteredError, match=f"填报{id}已被改动"):
            cases.case(session, id)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("yearly_figure", "revenue = revenue + 1"),
        ("yearly_figure", "revenue = NULL"),
        ("yearly_figure", "fiscal_year = fiscal_year + 1"),
        ("ip_right", "in_force = NULL"),
        ("ip_right", "filing_id = filing_id - 1"),
        ("record_list", "kind = 'awards'"),
    ],
)
def test_nothing_is_read_of_rows_that_state_something_else(
    attacker: Attacker, table: str, change: str
) -> None:
    with Session(attacker.connection) as session:
        [id] = cases.newest(session, [code(21)])
        assert on_file.profile(session, code(21))
        with attacker.attack(table):
            attacker.run(f"UPDATE {table} SET {change} WHERE filing_id = {id}")
        with pytest.raises(AlteredError, match=f"填报{id}已被改动"):
            on_file.profile(session, code(21))


@on_sqlite
@pytest.mark.parametrize("kind", journal_kinds())
def test_a_body_of_another_shape_is_a_finding_and_no_crash(attacker: Attacker, kind: str) -> None:
    seq = _entry(attacker, kind).seq
    row = attacker.run(sa.select(JOURNAL).where(JOURNAL.c.seq == seq)).mappings().one()
    for body in SHAPES:
        if body == _NO_JSON and kind != "decision":
            continue
        with attacker.attempt():
            with attacker.attack("journal"):
                forged = journal.Entry(**{**row, "body": body})
                new = sha256(header_text(forged.header()))
                attacker.run(_altered(JOURNAL, row, {JOURNAL.c.body: body, JOURNAL.c.digest: new}))
            report = attacker.verified(replay=kind == "decision")
            assert f"第{seq}号" in texts(report)


@on_sqlite
@pytest.mark.parametrize("column", [FILING.c.facts, FILING.c.identity, DOCUMENT.c.text], ids=str)
def test_a_text_of_another_shape_is_a_finding_and_no_crash(
    attacker: Attacker, column: sa.Column[Any]
) -> None:
    for text in SHAPES:
        with attacker.attempt():
            with attacker.attack(column.table.name):
                attacker.run(sa.update(column.table).values({column.name: text}))
            report = attacker.verified(replay=True)
            assert report.integrity
            undone = [said for said in report.correctness if "号决定（" in said]
            assert len(undone) == report.decisions


# -- values in another form ---------------------------------------------------------------------------

#: What SQLite takes in a column of each type, and no one stored: it reads alike, or not at all.
_OTHERWISE = {
    sa.Date: ("'2023-W26-5'", "'20230630'", "'2023-06-30 '", "'2023-06-31'", "20230630", "x'32'"),
    sa.DateTime: ("'2023-06-30 08:00:00'", "'2023-06-30T08:00:00.000000'", "'x'", "1.5",
                  "'2023-W26-5 08:00:00.000000'", "'2023-06-30 24:00:00.000000'"),
    sa.Boolean: ("2", "'true'", "1.5"),
    sa.Integer: ("'七'", "'1x'", "1.5", "x'31'"),
    sa.Text: ("x'e4'", "cast(x'ff41' AS TEXT)", "'甲'||char(0)"),
}  # fmt: skip
_NO_NUMBERS = ("'1.50'", "'1e2'", "'-0'", "'+1'", "' 1'", "'1.'", "'.5'", "'007'", "'1'||char(0)")
#: What PostgreSQL takes in spite of its types.
_ENDLESS = {
    sa.Date: ("'infinity'", "'0044-03-15 BC'", "'10000-01-01'"),
    sa.DateTime: ("'-infinity'", "'infinity'", "'0044-03-15 BC'"),
}


def _written_otherwise(column: sa.Column[Any], sqlite: bool) -> list[str]:
    kind = column.type
    stored = kind.impl_instance if isinstance(kind, sa.TypeDecorator) else kind
    found = _OTHERWISE if sqlite else _ENDLESS
    values = [v for t, listed in found.items() if isinstance(stored, t) for v in listed]
    if isinstance(kind, sa.Enum) and sqlite:
        values += ["'垃圾'", "x'e4'"]
    if isinstance(kind, Exact):
        values += _NO_NUMBERS[: None if sqlite else -1]
    return values


def test_a_value_written_otherwise_is_refused_and_its_row_is_named(attacker: Attacker) -> None:
    """In every column of every table: who owns the database writes past its checks."""
    sqlite, tried = attacker.connection.dialect.name == "sqlite", 0
    for table in TABLES.values():
        [row, *_] = _rows(attacker, table)
        keys = " AND ".join(f"{k.name} = {row[k]!r}" for k in table.primary_key)
        with attacker.attempt(), attacker.attack(table.name):
            for column in table.c:
                if column.primary_key and isinstance(column.type, sa.Integer):
                    continue  # the number of a row is a number
                for value in _written_otherwise(column, sqlite):
                    with attacker.attempt():
                        change = f'UPDATE "{table.name}" SET "{column.name}" = {value} WHERE {keys}'
                        attacker.run(change.replace("%", "%%"))
                        named = list(forms.misshapen(attacker.connection, [table]))
                        where = f"{table.name}.{column.name} = {value}"
                        assert named, where
                        [found] = named
                        assert column.name in found.amiss, where
                        assert found.table == table.name
                        if not column.primary_key:
                            assert found.key == tuple(row[k] for k in table.primary_key), where
                        tried += 1
    assert tried > (400 if sqlite else 100)


@on_sqlite
@pytest.mark.parametrize(
    ("table", "change", "named"),
    [
        ("filing", "as_of = '2023-W26-5' WHERE id = 1", "填报1的as_of"),
        ("filing", "known_from = '2024-W27-1'||substr(known_from, 11) WHERE id = 3", "填报3的known_from"),
        ("journal", "recorded_at = 'x' WHERE seq = 3", "第3号记录的recorded_at"),
        ("journal", "kind = 'Decision' WHERE seq = 4", "第4号记录的kind"),
        ("journal", "body = cast(x'ff' AS TEXT) WHERE seq = 5", "第5号记录的body"),
        ("checkpoint", "written_at = 'x'", "所存的检查点"),
        ("award", "date = '2023-W26-5' WHERE id = 1", "的明细行（award 1）的date"),
        ("enterprise", "uscc = x'31' WHERE id = 1", "企业（enterprise 1）的uscc"),
    ],
)  # fmt: skip
def test_the_whole_verification_names_what_is_written_otherwise(
    attacker: Attacker, table: str, change: str, named: str
) -> None:
    with attacker.attack(table):
        attacker.run(f"UPDATE {table} SET {change}")
    assert named in texts(attacker.verified(replay=True))


def test_a_share_of_too_many_digits_is_found_at_once(attacker: Attacker) -> None:
    """Altered alone, and with every digest made to fit: it is never computed with."""
    seq = _entry(attacker, "holding", -1).seq
    with attacker.attempt():
        with attacker.attack("journal"):
            body = sa.func.replace(JOURNAL.c.body, '"0.51"', '"1e-99999999"')
            attacker.run(sa.update(JOURNAL).where(JOURNAL.c.seq == seq).values(body=body))
        assert f"第{seq}号记录的内容与其摘要不符" in texts(attacker.verified(replay=True))
        with (
            Session(attacker.connection) as session,
            pytest.raises(AlteredError, match=f"第{seq}号"),
        ):
            relations.bearing(session, [code(22)])
    _rewrite(attacker, seq, lambda body: body.update(share="1e-99999999"))
    assert f"第{seq}号记录已被改动，无法读取" in texts(attacker.verified(replay=True))


@on_sqlite
@pytest.mark.parametrize("column", ["recorded_at", "kind", "body"])
def test_a_row_that_cannot_be_read_is_named_and_all_others_are_verified(
    attacker: Attacker, column: str
) -> None:
    decisions = attacker.verified(replay=False).decisions
    size = attacker.run("SELECT count(*) FROM journal").scalar_one()
    for seq in (1, size // 2, size):
        with attacker.attempt():
            with attacker.attack("journal"):
                attacker.run(f"UPDATE journal SET {column} = CAST(x'ff' AS TEXT) WHERE seq = {seq}")
            report = attacker.verified(replay=True)
            assert f"第{seq}号" in texts(report)
            assert report.size == size
            assert report.decisions >= decisions - 1
            assert not any("没有读完" in said for said in report.completeness)


def test_an_older_copy_is_sound_and_found_by_a_checkpoint_that_others_hold(
    fresh: Callable[..., sa.Engine], tmp_path: Path
) -> None:
    """Nothing in the copy was altered: only what is outside of it can know that more was recorded."""
    told = History(fresh("sqlite"))
    key = SigningKey.create(tmp_path / "key", "示例市工信局")
    told.load(bare(3))
    told.checkpoint(key)
    backup.write(told.engine, tmp_path / "older.tidu")
    told.load(bare(4))
    told.checkpoint(key)
    older = fresh("sqlite")
    backup.restore(older, tmp_path / "older.tidu")
    first, last = told.checkpoints
    with storage.session(older) as session:
        assert verify(session, [first]).sound
        [found] = verify(session, [last]).completeness
    assert found.startswith(f"检查点记有{last.size}条记录，登记库只有{first.size + 1}条")
