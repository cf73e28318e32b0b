"""What the database did not store as it was told to is not announced, and nothing of it stays."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from registry.database import storage
from registry.database.models import NAMES_INDEX
from registry.errors import RegistryError
from registry.record.determinations import Target
from registry.tests.history import LITTLE_GIANT, History, bare, revised
from rules.portable.errors import Remedy

#: What is recorded, and the table that it comes to.
RECORDED: dict[str, tuple[str, Callable[[History, Path], object]]] = {
    "decision": ("journal", lambda told, _: told.decide(1)),
    "determination": ("journal", lambda told, _: told.determine(1, Target("知名度和影响力"), "是")),
    "title": ("journal", lambda told, _: told.grant(1, date(2022, 7, 1))),
    "holding": ("journal", lambda told, _: told.hold(1, 2, "0.51", date(2022, 7, 1))),
    "publication": ("document", lambda told, folder: told.publish(revised(folder / "own"))),
    "load": ("import", lambda told, _: told.load(bare(3))),
    "enterprise": ("enterprise", lambda told, _: told.load(bare(3))),
    "filing": ("filing", lambda told, _: told.load(bare(3))),
    "rows": ("ip_right", lambda told, _: told.load(bare(3))),
    "figures": ("yearly_figure", lambda told, _: told.load(bare(3))),
    "closing": ("filing", lambda told, _: told.load(bare(1, **{"staff@2022": "7"}))),
    "undoing": ("import", lambda told, _: told.undo(1)),
}
#: How an entry is altered on its way: what it states, beside what it is digested by.
ALTERED = {"journal": "body", "document": "text", "import": "file", "enterprise": "name",
           "filing": "facts", "ip_right": "sources", "yearly_figure": "revenue"}  # fmt: skip


def _trigger(kind: str, table: str, what: str, *, alters: bool) -> list[str]:
    """The statements that make a trigger which swallows rows of a table, or alters them."""
    event = "UPDATE" if what in ("closing", "undoing") else "INSERT"
    if kind == "sqlite":
        if not alters:
            return [
                f'CREATE TRIGGER zz BEFORE {event} ON "{table}" BEGIN SELECT RAISE(IGNORE); END'
            ]
        column = ALTERED[table]
        value = "12345" if column == "revenue" else f"{column} || ' '"
        dropped = [f"DROP TRIGGER IF EXISTS {table}_no_update"]
        return [*dropped, f'CREATE TRIGGER zz AFTER INSERT ON "{table}" BEGIN UPDATE "{table}" '
                f"SET {column} = {value} WHERE rowid = NEW.rowid; END"]  # fmt: skip
    column = ALTERED[table]
    value = "12345" if column == "revenue" else f"NEW.{column} || ' '"
    done = f"NEW.{column} := {value}; RETURN NEW;" if alters else "RETURN NULL;"
    return [
        f"CREATE FUNCTION zz() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {done} END $$",
        f'CREATE TRIGGER zz BEFORE {event} ON "{table}" FOR EACH ROW EXECUTE FUNCTION zz()',
    ]


def _rows(database: sa.Engine) -> dict[str, Any]:
    with database.connect() as connection:
        tables = [t for t in sa.inspect(connection).get_table_names() if t != NAMES_INDEX]
        return {
            t: connection.exec_driver_sql(f'SELECT count(*) FROM "{t}"').scalar() for t in tables
        }


def test_what_a_trigger_swallows_or_alters_is_noticed_and_nothing_stays(
    database: sa.Engine, tmp_path: Path
) -> None:
    told = History(database)
    told.load(bare(1), bare(2, **{"giant_holding": "0"}))
    told.publish()
    before = _rows(database)
    for what, (table, record) in RECORDED.items():
        for alters in (False, True):
            if alters and what in ("closing", "undoing"):
                continue
            _make(database, _trigger(database.dialect.name, table, what, alters=alters))
            folder = tmp_path / f"{what}{alters}"
            folder.mkdir()
            with pytest.raises(RegistryError) as caught:
                record(told, folder)
            mended = caught.value.remedy == Remedy("verify-record")
            assert mended or "请从备份恢复" in str(caught.value)
            assert "\n" not in str(caught.value)
            assert _rows(database) == before, (what, alters)
            _drop(database, table)
    told.decide(1, tiers=(LITTLE_GIANT,))


def _make(database: sa.Engine, statements: list[str]) -> None:
    with storage.session(database, write=True) as session:
        for statement in statements:
            session.connection().exec_driver_sql(statement)


def _drop(database: sa.Engine, table: str) -> None:
    postgresql = database.dialect.name == "postgresql"
    _make(
        database,
        [f'DROP TRIGGER zz ON "{table}"', "DROP FUNCTION zz()"]
        if postgresql
        else ["DROP TRIGGER zz"],
    )
