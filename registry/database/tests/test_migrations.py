from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, select

from alembic import command
from registry.audit.keys import SigningKey
from registry.audit.verify import verify
from registry.database import migrations, schema, storage, triggers
from registry.database.models import NAMES_INDEX, IpRight
from registry.database.tests.test_models import _filing as stored_filing
from registry.record import journal
from registry.tests.history import History, bare


def _definitions(engine: sa.Engine) -> dict[str, list[str]]:
    """Every table and index as SQLite was told to make it."""
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT type, name, sql FROM sqlite_master"
            " WHERE sql NOTNULL AND type <> 'trigger' AND name <> 'alembic_version'"
        ).all()
    return {name: schema.clauses(text) for _, name, text in found}


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a table is one of ours, not of those in which SQLite keeps its index of names."""
    return kind != "table" or not str(name).startswith(NAMES_INDEX)


@pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'")  # reflecting
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression")
def test_the_migrated_schema_is_that_of_the_models(database: sa.Engine) -> None:
    with database.connect() as connection:
        opts = {"compare_type": True, "include_name": _is_ours}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, SQLModel.metadata) == []


def test_checks_and_indices_are_those_of_the_models() -> None:
    migrated, made = storage.create_engine("sqlite://"), storage.create_engine("sqlite://")
    storage.upgrade(migrated)
    SQLModel.metadata.create_all(made)
    assert _definitions(migrated) == _definitions(made)
    assert any("CHECK" in line for lines in _definitions(made).values() for line in lines)
    migrated.dispose()
    made.dispose()


def test_both_databases_have_the_named_checks_and_indices_of_the_models(
    database: sa.Engine,
) -> None:
    found = sa.inspect(database)
    for table in SQLModel.metadata.sorted_tables:
        declared = {
            str(c.name).removeprefix(f"ck_{table.name}_")
            for c in table.constraints
            if isinstance(c, sa.CheckConstraint)
            and c.info.get("dialect", database.dialect.name) == database.dialect.name
        }
        kept = {str(c["name"]) for c in found.get_check_constraints(table.name)}
        assert kept == {f"ck_{table.name}_{name}" for name in declared}
        kind = database.dialect.name
        indices = {i.name for i in table.indexes if i.info.get("dialect", kind) == kind}
        assert {i["name"] for i in found.get_indexes(table.name)} >= indices


def test_downgrade_leaves_nothing_and_upgrade_works_again(database: sa.Engine) -> None:
    with database.begin() as connection:
        command.downgrade(migrations.config(connection), "base")
    assert sa.inspect(database).get_table_names() == ["alembic_version"]
    storage.upgrade(database)
    assert storage.status(database).pending == ()


def test_the_migrated_triggers_are_those_that_are_looked_for(database: sa.Engine) -> None:
    with database.begin() as connection:
        assert triggers.missing(connection) == []
        connection.exec_driver_sql(
            "DROP TRIGGER journal_no_update"
            + (" ON journal" if database.dialect.name == "postgresql" else "")
        )
        assert triggers.missing(connection) == ["journal_no_update"]


def test_what_was_stored_stays_when_the_columns_of_2026_go_and_come(database: sa.Engine) -> None:
    with Session(database) as session:
        keys = stored_filing(session)
        session.add(IpRight(**keys, position=0, number="甲", holder_rank=3))
        session.commit()
    with database.begin() as connection:
        command.downgrade(migrations.config(connection), "0002")
    assert "holder_rank" not in {c["name"] for c in sa.inspect(database).get_columns("ip_right")}
    storage.upgrade(database)
    with Session(database) as session:
        right = session.exec(select(IpRight)).one()
        assert (right.number, right.holder_rank) == ("甲", None)
        right.holder_rank = 0
        with pytest.raises(IntegrityError):
            session.commit()


@pytest.mark.parametrize(
    ("revision", "columns"),
    [("0004", {"subject"}), ("0006", {"subject", "holder"})],
    ids=["holdings", "indices"],
)
def test_the_record_stays_as_it_is_when_the_journal_changes(
    database: sa.Engine, revision: str, columns: set[str]
) -> None:
    told = History(database)
    told.load(bare(1))
    told.publish()
    told.grant(1, date(2022, 7, 1))
    told.decide(1)
    with database.begin() as connection:
        before = connection.execute(sa.select(journal.JOURNAL)).mappings().all()
        command.downgrade(migrations.config(connection), revision)
        found = sa.inspect(connection)
        kept = {c["name"] for c in found.get_columns("journal")} & {"subject", "holder"}
        assert kept == columns
        unique = {c["name"] for c in found.get_unique_constraints("journal")}
        assert unique == {"uq_journal_previous", "uq_journal_digest"}
    storage.upgrade(database)
    with database.connect() as connection:
        assert connection.execute(sa.select(journal.JOURNAL)).mappings().all() == before
        assert sa.inspect(connection).get_unique_constraints("journal") == []
    with Session(database) as session:
        assert verify(session).sound


def test_what_was_stored_in_another_form_before_stays_and_is_named(database: sa.Engine) -> None:
    told = History(database)
    told.load(bare(1))
    written = "'2023-W26-5'" if database.dialect.name == "sqlite" else "'infinity'"
    with database.begin() as connection:
        command.downgrade(migrations.config(connection), "0009")
        connection.exec_driver_sql(f"UPDATE ip_right SET as_of = {written} WHERE id = 1")
        before = connection.exec_driver_sql("SELECT CAST(as_of AS TEXT) FROM ip_right").all()
    storage.upgrade(database)
    with database.connect() as connection:
        kept = connection.exec_driver_sql("SELECT CAST(as_of AS TEXT) FROM ip_right").all()
        assert kept == before
        assert schema.differences(connection) == []
    with Session(database) as session:
        assert any(
            "填报1的明细行（ip_right 1）的as_of" in line for line in verify(session).integrity
        )
    with pytest.raises(IntegrityError), database.begin() as connection:
        connection.exec_driver_sql(f"UPDATE ip_right SET grant_date = {written}")


def test_a_checkpoint_from_before_they_were_recorded_is_taken_up_by_the_next(
    database: sa.Engine, tmp_path: Path
) -> None:
    told, key = History(database), SigningKey.create(tmp_path / "key", "某局")
    told.load(bare(1))
    told.checkpoint(key)
    kept, journalled = sa.table("checkpoint"), journal.JOURNAL
    with database.begin() as connection:
        for table in ("journal", "checkpoint"):
            where = f" ON {table}" if database.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_delete{where}")
        connection.execute(sa.delete(journalled).where(journalled.c.kind == "checkpoint"))
    told.load(bare(2))
    told.checkpoint(key)
    with Session(database) as session:
        assert not verify(session).completeness
        [entry] = journal.entries(session, kinds=["checkpoint"])
        assert [size for size, _ in entry.content["signed"]] == [1, 2]
        session.execute(sa.delete(kept).where(sa.column("size") == 1))
        assert "签发过的检查点（1条记录）已不在登记库中" in verify(session).completeness


def test_the_record_stays_as_it_is_when_titles_come_to_it(database: sa.Engine) -> None:
    told = History(database)
    told.load(bare(1))
    told.publish()
    told.decide(1)
    with database.begin() as connection:
        before = connection.execute(sa.select(journal.JOURNAL)).mappings().all()
        command.downgrade(migrations.config(connection), "0003")
        columns = {c["name"] for c in sa.inspect(connection).get_columns("journal")}
        assert "subject" not in columns
    storage.upgrade(database)
    with database.connect() as connection:
        assert connection.execute(sa.select(journal.JOURNAL)).mappings().all() == before
    with Session(database) as session:
        assert verify(session).sound
    told.grant(1, date(2022, 7, 1))
    told.hold(1, 2, "0.51", date(2022, 7, 1))
    told.decide(1)
    with Session(database) as session:
        assert verify(session).sound


def test_the_files_of_the_revisions_are_named_in_their_order() -> None:
    script = ScriptDirectory.from_config(migrations.config())
    assert storage.revisions() == [r.revision for r in script.walk_revisions()][::-1]
