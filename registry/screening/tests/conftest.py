import pytest
import sqlalchemy as sa

from registry.tests.conftest import (  # noqa: F401
    database,
    migrated,
    postgresql,
    run,
    without_own_features,
)


@pytest.fixture(scope="session")
def postgresql_url(postgresql: sa.URL) -> sa.URL:  # noqa: F811
    """The address of a PostgreSQL server of our own."""
    return postgresql
