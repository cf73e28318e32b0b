import re

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlmodel import SQLModel

from alembic import command
from registry import storage


def _definitions(engine: sa.Engine) -> dict[str, list[str]]:
    """Every table and index as SQLite was told to make it, clauses in any order."""
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE sql NOTNULL AND name <> 'alembic_version'"
        ).all()
    return {
        name: sorted(line.strip(" ,\t") for line in re.sub(r" +", " ", text).split("\n"))
        for name, text in found
    }


def test_the_migrated_schema_is_that_of_the_models(database: sa.Engine) -> None:
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
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
        }
        kept = {str(c["name"]) for c in found.get_check_constraints(table.name)}
        assert kept == {f"ck_{table.name}_{name}" for name in declared}
        indices = {i.name for i in table.indexes}
        assert {i["name"] for i in found.get_indexes(table.name)} >= indices


def test_downgrade_leaves_nothing_and_upgrade_works_again(database: sa.Engine) -> None:
    with database.begin() as connection:
        command.downgrade(storage.alembic_config(connection), "base")
    assert sa.inspect(database).get_table_names() == ["alembic_version"]
    storage.upgrade(database)
    assert storage.status(database).pending == ()
