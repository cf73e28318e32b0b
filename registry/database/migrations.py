"""Runs the revisions of the schema: the only module that needs alembic."""

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from alembic import command
from registry.database import projection
from registry.database.altered import UNREADABLE
from registry.kit import resources


def upgrade(connection: sa.Connection, revision: str) -> None:
    """Bring the schema to a revision, in the transaction of an open connection.

    At a new newest revision the projection is filled from what the tables hold. If something there
    was altered, it stays empty: the verification, which needs the new schema, names what is amiss.
    """
    before = MigrationContext.configure(connection).get_current_heads()
    command.upgrade(config(connection), revision)
    if revision == "head" and MigrationContext.configure(connection).get_current_heads() != before:
        try:
            with connection.begin_nested():
                projection.rebuild(connection)
        except UNREADABLE:
            return


def config(connection: sa.Connection | None = None) -> Config:
    """The configuration of the packaged revisions, for an open connection."""
    found = Config()
    found.set_main_option("script_location", str(resources.migrations()).replace("%", "%%"))
    found.attributes["connection"] = connection
    return found
