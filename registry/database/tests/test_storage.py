import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlmodel import select

from registry.cli import main
from registry.database import storage
from registry.database.models import Enterprise
from registry.errors import RegistryError, StorageError
from registry.kit import resources
from registry.tests.turns import part_by_part
from rules.portable.errors import Remedy


def test_the_default_is_a_file_in_the_home_or_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TIDU_DATABASE_URL", raising=False)
    monkeypatch.delenv("TIDU_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert storage.database_url().database == str(tmp_path / "tidu.db")
    monkeypatch.setenv("TIDU_HOME", str(tmp_path / "home"))
    assert storage.database_url().database == str(tmp_path / "home" / "tidu.db")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_is_spoken_to_through_psycopg_3(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_DATABASE_URL", f"{scheme}://u:p@host/db")
    assert storage.database_url().drivername == "postgresql+psycopg"
    assert storage.create_engine().dialect.driver == "psycopg"


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://tidu.db"]
)
def test_sqlite_is_asked_for_its_file(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDU_DATABASE_URL", url)
    with pytest.raises(StorageError, match="没有写明SQLite文件"):
        storage.connect()


def test_sqlite_migrates_itself_on_first_use(tmp_path: Path) -> None:
    engine = storage.connect(f"sqlite:///{tmp_path}/new.db")
    found = storage.status(engine)
    assert found.current == found.head
    assert found.pending == ()
    engine.dispose()


def test_postgresql_asks_to_be_migrated(postgresql_url: sa.URL) -> None:
    with pytest.raises(StorageError) as caught:
        storage.connect(postgresql_url)
    assert caught.value.remedy == Remedy("upgrade-database")


def test_an_upgraded_database_connects(database: sa.Engine) -> None:
    engine = storage.connect(database.url)
    assert storage.status(engine).pending == ()
    engine.dispose()


def test_status_lists_what_is_pending(empty_url: sa.URL) -> None:
    engine = storage.create_engine(empty_url)
    found = storage.status(engine)
    assert found.current is None
    assert found.pending[0] == "0001"
    assert found.pending[-1] == found.head
    engine.dispose()


def test_a_revision_of_a_newer_program_is_refused(database: sa.Engine) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageError, match="9999不为本程序所知"):
        storage.connect(database.url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("tidu.db", "数据库地址无法识别"),
        ("postgresql://u@h:port/db", "数据库地址无法识别"),
        ("mysql://u@h/db", "不支持数据库种类「mysql」"),
        ("postgresql://u:secret@127.0.0.1:1/db", "连接不上"),
        ("postgresql://u:secret@no-such-host.invalid/db", "连接不上"),
        ("sqlite:////no/such/folder/tidu.db", "打不开"),
    ],
)
def test_a_bad_address_is_one_clear_sentence(url: str, message: str) -> None:
    with pytest.raises(RegistryError, match=message) as caught:
        storage.connect(url)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_bytes("这不是数据库".encode() * 200)
    with pytest.raises(StorageError, match="不是SQLite数据库文件"):
        storage.connect(f"sqlite:///{file}")
    assert file.read_bytes() == "这不是数据库".encode() * 200


def test_the_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    """It would pass for an empty registry, also where its pages were put over those of a registry."""
    file = tmp_path / "tidu.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE notes (text)")
    before = file.read_bytes()
    with pytest.raises(StorageError, match="已有别的数据表，却没有登记库的版本"):
        storage.connect(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("notes",)]
    assert file.read_bytes() == before


@pytest.mark.parametrize("usual", [True, False])
def test_writers_wait_for_one_another_and_then_say_so(
    database: sa.Engine, monkeypatch: pytest.MonkeyPatch, usual: bool
) -> None:
    if usual:
        monkeypatch.setattr(storage, "_PATIENCE", 1)
    impatient = storage.create_engine(database.url, patience=None if usual else 1)
    with (
        storage.session(database, write=True),
        storage.session(database),
        pytest.raises(StorageError, match="正被其他程序写入"),
        storage.session(impatient, write=True),
    ):
        raise AssertionError("the lock was not needed")
    with storage.session(impatient, write=True):
        pass
    impatient.dispose()


def test_sqlite_keeps_foreign_keys_and_wal(tmp_path: Path) -> None:
    engine = storage.connect(f"sqlite:///{tmp_path}/tidu.db")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    engine.dispose()


def test_a_session_commits_at_the_end_and_rolls_back_on_errors(database: sa.Engine) -> None:
    code = "91350100M000100Y43"
    with pytest.raises(KeyError), storage.session(database, write=True) as session:  # noqa: PT012
        session.add(Enterprise(uscc=code, name="甲"))
        session.flush()
        raise KeyError
    with storage.session(database) as session:
        assert session.exec(select(Enterprise)).all() == []
    with storage.session(database, write=True) as session:
        session.add(Enterprise(uscc=code, name="甲"))
    with storage.session(database) as session:
        assert session.exec(select(Enterprise.name)).all() == ["甲"]


def test_a_failed_migration_leaves_nothing_behind(
    database: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    for name in ("env.py", "script.py.mako"):
        (versions.parent / name).write_text((resources.migrations() / name).read_text())
    for file in (resources.migrations() / "versions").glob("*.py"):
        (versions / file.name).write_text(file.read_text())
    head = storage.status(database).head
    (versions / "broken.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = 'broken'\ndown_revision = {head!r}\n"
        "def upgrade():\n"
        "    op.create_table('half', sa.Column('id', sa.Integer))\n"
        "    op.execute('SELECT * FROM nowhere')\n"
        "def downgrade():\n    pass\n"
    )
    monkeypatch.setattr(resources, "migrations", lambda: versions.parent)
    with pytest.raises(StorageError):
        storage.upgrade(database)
    assert storage.status(database).current == head
    assert "half" not in sa.inspect(database).get_table_names()


def test_the_packaged_folders_win_over_the_repository(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert (resources.migrations() / "env.py").is_file()
    assert resources.features().name == "features"
    (tmp_path / "_packaged" / "migrations").mkdir(parents=True)
    monkeypatch.setattr(resources, "_HERE", tmp_path)
    assert resources.migrations() == tmp_path / "_packaged" / "migrations"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:geheim@127.0.0.1:1/x",
        "postgresql://u@127.0.0.1:1/x?password=geheim",
        "postgresql://u@127.0.0.1:1/x?sslpassword=geheim&sslkey=/geheim&options=-c%20geheim",
        "postgresql://u@127.0.0.1:1/x?PASSWORD=geheim&PASSWORD=geheim",
        "postgresql://u:ab@geheim@127.0.0.1:1/x",
        "postgresql://u:geheim@127.0.0.1:ab/x",
        "mysql://u:geheim@127.0.0.1/x",
        "sqlite:///没有/x.db?password=geheim",
        "u:geheim",
    ],
)
@pytest.mark.parametrize("command", ["db status", "enterprise list", "db status --json"])
def test_no_secret_of_an_address_is_told(
    url: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_DATABASE_URL", url)
    result = CliRunner().invoke(main, command.split(), catch_exceptions=False)
    assert (result.exit_code, "geheim" in result.output) == (1, False)
    assert result.output.startswith("错误：")


@pytest.mark.parametrize(
    ("password", "said", "shown"),
    [
        ("p", "invalid connection option", "invalid connection option"),
        ("p", 'password "p" is wrong', 'password "***" is wrong'),
        ("geheim", "user=xgeheimx", "user=x***x"),
    ],
)
def test_a_short_password_is_masked_only_where_it_stands_alone(
    password: str, said: str, shown: str
) -> None:
    url = sa.URL.create("postgresql", username="u", password=password, host="h")
    assert storage._without_secrets(said, url) == shown


def test_a_database_in_memory_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    engine = storage.create_engine("sqlite://")
    engine.connect().close()
    engine.dispose()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("acts", [1, 3])
def test_who_writes_in_parts_lets_all_write_who_asked_during_a_part(
    database: sa.Engine, acts: int
) -> None:
    def act() -> None:
        with storage.session(database, write=True):
            pass

    with part_by_part(database, acts, act) as written:
        for _ in range(5):
            with storage.session(storage.in_parts(database), write=True):
                pass
    assert written == [part for part in range(1, 6) for _ in range(acts)]
