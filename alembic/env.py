from sqlalchemy.types import TypeDecorator

from alembic import context
from registry.database import storage
from registry.database.models import SQLModel


def plain_type(kind, item, _autogenerate):
    """Spell our column types in plain SQLAlchemy, so that a revision never changes with them."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


def migrate(connection):
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, render_item=plain_type
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:  # the alembic command line, for developers
    with storage.create_engine().begin() as opened:
        migrate(opened)
