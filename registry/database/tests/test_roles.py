from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy import exc

from registry.audit.verify import verify
from registry.cli import main
from registry.database import backup, roles, storage, triggers
from registry.database.models import SQLModel
from registry.errors import StorageError
from registry.record import cases, journal, loading
from registry.tests.busy import START, clock, full, reading, work

Fresh = Callable[..., sa.Engine]


def administer(engine: sa.Engine, *statements: str) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.fixture(scope="module")
def roles_made(postgresql_url: sa.URL) -> Iterator[None]:
    """Two roles of the server; what they may do is of the databases."""
    server = sa.create_engine(postgresql_url.set(drivername="postgresql+psycopg"))
    names = ('"经办"', "auditor", "stranger")
    administer(server, *(f"CREATE ROLE {name} LOGIN" for name in names))
    yield
    administer(server, *(f"DROP ROLE {name}" for name in names))
    server.dispose()


@pytest.fixture
def owner(fresh: Fresh, roles_made: None) -> sa.Engine:
    return fresh("postgresql")


@pytest.fixture
def as_role(owner: sa.Engine) -> Iterator[Callable[[str], sa.Engine]]:
    engines = []

    def connect(role: str) -> sa.Engine:
        engines.append(storage.connect(owner.url.set(username=role)))
        return engines[-1]

    yield connect
    for engine in engines:
        engine.dispose()


def test_an_officer_can_do_all_normal_work(
    owner: sa.Engine, as_role: Callable[[str], sa.Engine], tmp_path: Path
) -> None:
    roles.grant(owner, "经办")
    officer = as_role("经办")
    work(officer, tmp_path, clock())
    with storage.session(officer) as session:
        assert verify(session).sound
        assert journal.size(session, ["withdrawal"]) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET tier = 'x'",
        "UPDATE journal SET body = '{}' WHERE seq = 1",
        "DELETE FROM journal",
        "TRUNCATE journal",
        "TRUNCATE journal, filing, document CASCADE",
        "INSERT INTO journal SELECT * FROM journal ON CONFLICT (seq) DO UPDATE SET tier = 'x'",
        "UPDATE document SET text = ''",
        "DELETE FROM document",
        "DELETE FROM checkpoint",
        "UPDATE checkpoint SET note = ''",
        "UPDATE filing SET facts = '{}'",
        "DELETE FROM filing",
        "DELETE FROM yearly_figure",
        "UPDATE yearly_figure SET revenue = 1",
        "UPDATE enterprise SET uscc = '91350100M000100Y43'",
        'UPDATE "import" SET digest = file',
        "DELETE FROM restatement",
        "UPDATE alembic_version SET version_num = '0001'",
        "DROP TRIGGER journal_no_update ON journal",
        "DROP TABLE checkpoint",
        "ALTER TABLE journal DISABLE TRIGGER ALL",
        "ALTER TABLE journal DISABLE TRIGGER journal_follows",
        "ALTER TABLE journal OWNER TO CURRENT_USER",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION tidu_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        "CREATE FUNCTION tidu_follows(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION tidu_follows() RESET ALL",
        "DROP FUNCTION tidu_refuse CASCADE",
        "CREATE TRIGGER other BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION tidu_refuse()",
        "CREATE TABLE more (id integer)",
        "CREATE SCHEMA other",
        "SELECT setval('filing_id_seq', 1)",
    ],
)
def test_an_officer_cannot_touch_what_was_recorded(
    statement: str, worked: Callable[[str], sa.Engine]
) -> None:
    with (
        pytest.raises(exc.DBAPIError, match=r"permission denied|must be owner"),
        worked("经办").begin() as connection,
    ):
        connection.exec_driver_sql(statement)


@pytest.fixture(scope="module")
def worked(
    postgresql_url: sa.URL, migrated: dict[str, str], roles_made: None
) -> Iterator[Callable[[str], sa.Engine]]:
    """One registry with a filing, under the role asked for."""
    server = sa.create_engine(postgresql_url.set(drivername="postgresql+psycopg"))
    administer(server, "CREATE DATABASE worked TEMPLATE migrated")
    engine = storage.create_engine(postgresql_url.set(database="worked"))
    with storage.session(engine, write=True) as session:
        loading.load(session, reading(full(1)), now=START, by="甲")
    roles.grant(engine, "经办")
    roles.grant(engine, "auditor", auditor=True)
    engines = {r: storage.create_engine(engine.url.set(username=r)) for r in ("经办", "auditor")}
    yield engines.__getitem__
    for opened in (engine, *engines.values()):
        opened.dispose()
    administer(server, "DROP DATABASE worked")
    server.dispose()


def test_a_table_of_the_same_name_does_not_deceive_the_triggers(
    worked: Callable[[str], sa.Engine],
) -> None:
    with worked("经办").connect() as connection:
        connection.exec_driver_sql("CREATE TEMPORARY TABLE journal (seq integer, digest text)")
        forged = (
            "INSERT INTO public.journal SELECT 9, kind, tier, filing_id, recorded_at, program, "
            "body, disclosures, digest, repeat('1', 64) FROM public.journal"
        )
        connection.exec_driver_sql(f"INSERT INTO journal VALUES (8, '{'0' * 64}')")
        with pytest.raises(exc.DBAPIError, match="append-only"):
            connection.exec_driver_sql(forged)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO enterprise (uscc, name) VALUES ('91350100M000100Y43', '甲')",
        "UPDATE filing SET known_until = known_from",
        "DELETE FROM filing",
        "SELECT nextval('filing_id_seq')",
    ],
)
def test_an_auditor_only_reads(statement: str, worked: Callable[[str], sa.Engine]) -> None:
    auditor = worked("auditor")
    with (
        pytest.raises(exc.DBAPIError, match="permission denied"),
        auditor.begin() as connection,
    ):
        connection.exec_driver_sql(statement)
    with storage.session(auditor) as session:
        assert verify(session).sound
        assert cases.newest(session)


def test_an_auditor_can_take_a_copy(worked: Callable[[str], sa.Engine], tmp_path: Path) -> None:
    assert backup.write(worked("auditor"), tmp_path / "copy").rows["filing"] == 1


def test_what_a_role_had_before_is_taken_away(
    owner: sa.Engine, as_role: Callable[[str], sa.Engine]
) -> None:
    administer(owner, "GRANT ALL ON ALL TABLES IN SCHEMA public TO auditor")
    roles.grant(owner, "auditor")
    roles.grant(owner, "auditor", auditor=True)
    with owner.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT DISTINCT privilege_type FROM information_schema.role_column_grants "
            "WHERE grantee = 'auditor' UNION SELECT DISTINCT privilege_type "
            "FROM information_schema.role_table_grants WHERE grantee = 'auditor'"
        )
        assert list(found.scalars()) == ["SELECT"]


def test_only_named_columns_can_be_updated(owner: sa.Engine) -> None:
    roles.grant(owner, "经办")
    with owner.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT table_name, column_name FROM information_schema.role_column_grants "
            "WHERE grantee = '经办' AND privilege_type = 'UPDATE'"
        )
        granted = {tuple(row) for row in found}
    assert granted == {(table, c) for table, columns in roles.UPDATED.items() for c in columns}
    assert set(roles.UPDATED) <= set(SQLModel.metadata.tables) - set(triggers.APPEND_ONLY)


def test_roles_that_no_grant_holds_back_are_refused(owner: sa.Engine) -> None:
    for role, message in (("nobody", "没有角色"), ("postgres", "超级用户")):
        with pytest.raises(StorageError, match=message):
            roles.grant(owner, role)
    administer(owner, "ALTER TABLE award OWNER TO stranger")
    with pytest.raises(StorageError, match="所有者"):
        roles.grant(owner, "stranger")
    administer(owner, "ALTER TABLE award OWNER TO CURRENT_USER")
    administer(owner, "GRANT DELETE ON journal TO PUBLIC")
    with pytest.raises(StorageError, match="journal的DELETE"):
        roles.grant(owner, "经办")
    administer(
        owner, "REVOKE ALL ON journal FROM PUBLIC", "GRANT CREATE ON SCHEMA public TO PUBLIC"
    )
    with pytest.raises(StorageError, match="CREATE"):
        roles.grant(owner, "经办")


def test_only_the_owner_grants(worked: Callable[[str], sa.Engine]) -> None:
    with pytest.raises(StorageError, match="不允许这样做"):
        roles.grant(worked("经办"), "stranger")


def test_the_command(owner: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIDU_DATABASE_URL", owner.url.render_as_string(hide_password=False))
    done = CliRunner().invoke(main, ["db", "grant", "auditor", "--auditor"])
    assert (done.exit_code, done.output) == (
        0,
        "已授予角色「auditor」审计人员的权限：只能查询\n",
    )
    done = CliRunner().invoke(main, ["db", "grant", "经办", "--json"])
    assert done.output == '{"role": "经办", "granted": "officer"}\n'
    monkeypatch.setenv("TIDU_DATABASE_URL", f"sqlite:///{tmp_path}/tidu.db")
    done = CliRunner().invoke(main, ["db", "grant", "经办"])
    assert done.exit_code == 1
    assert "只有 PostgreSQL 有角色" in done.output
