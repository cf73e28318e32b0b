"""Runs the revisions of the schema: the only module that needs alembic."""

import sqlalchemy as sa
from alembic.config import Config

from alembic import command
from registry.kit import resources


def upgrade(connection: sa.Connection, revision: str) -> None:
    """Bring the schema to a revision, in the transaction of an open connection."""
    command.upgrade(config(connection), revision)


def config(connection: sa.Connection | None = None) -> Config:
    """The configuration of the packaged revisions, for an open connection."""
    found = Config()
    found.set_main_option("script_location", str(resources.migrations()).replace("%", "%%"))
    found.attributes["connection"] = connection
    return found
