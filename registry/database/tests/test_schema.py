"""Nothing stands on the registry's tables that is not ours, and what is ours stands as it was made."""

import re
from collections.abc import Callable

import sqlalchemy as sa

from registry.database import schema, triggers


def differences(connection: sa.Connection) -> str:
    return "\n".join(schema.differences(connection))


def test_a_registry_is_as_it_was_made(database: sa.Engine) -> None:
    with database.connect() as connection:
        assert differences(connection) == ""


def _ways(kind: str, name: str, text: str) -> list[list[str]]:
    """How a trigger can be dropped, altered or switched off."""
    table = text.partition(" ON ")[2].split()[0]
    drop = f"DROP TRIGGER {name}" + ("" if kind == "sqlite" else f" ON {table}")
    ways = [[drop]]
    if "OLD" not in text:
        ways.append([drop, text.replace(f" ON {table}", " ON import", 1)])
    if kind == "sqlite":
        ignoring = re.sub(r"RAISE\(.*?\)", "RAISE(IGNORE)", text)
        never = " AND 0 BEGIN " if " WHEN " in text else " WHEN 0 BEGIN "
        changed = [ignoring] if ignoring != text else []
        return [*ways, *([drop, t] for t in (*changed, text.replace(" BEGIN ", never, 1)))]
    off, replica = f"DISABLE TRIGGER {name}", f"ENABLE REPLICA TRIGGER {name}"
    return [*ways, *([f"ALTER TABLE {table} {how}"] for how in (off, replica))]


def test_a_dropped_disabled_or_altered_trigger_is_named(database: sa.Engine) -> None:
    kind = database.dialect.name
    attempts = [
        (name, statements)
        for name, text in triggers.DEFINITIONS[kind].items()
        for statements in _ways(kind, name, text)
    ]
    if kind == "postgresql":
        for name, text in triggers.FUNCTIONS.items():
            changed = text.replace("CREATE", "CREATE OR REPLACE")
            attempts.append((name, [changed.replace("BEGIN", "BEGIN RETURN NEW;")]))
    with database.connect() as connection:
        for name, statements in attempts:
            _tried(connection, statements, name)


def _tried(connection: sa.Connection, statements: list[str], name: str) -> None:
    """Run statements, look for a name in what is said of it, and undo them."""
    with connection.begin_nested() as savepoint:
        for statement in statements:
            connection.exec_driver_sql(
                statement.replace("%", "%%") if "$$" in statement else statement
            )
        assert name in differences(connection), statements
        savepoint.rollback()


_TRIGGER = "BEFORE INSERT ON journal WHEN NEW.kind = 'decision' BEGIN SELECT RAISE(IGNORE); END"
_FUNCTION = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
#: What may be put onto the tables of a registry, and what it is called then.
FOREIGN = {
    "sqlite": [
        (f"CREATE TRIGGER zz {_TRIGGER}", "触发器zz"),
        (f"CREATE TEMP TRIGGER zz {_TRIGGER.replace(' ON journal', ' ON main.journal')}", "触发器zz"),
        ("CREATE TRIGGER zz AFTER UPDATE ON brand BEGIN SELECT 1; END", "触发器zz"),
        ("CREATE VIEW zz AS SELECT 1", "视图zz"),
        ("CREATE TEMP VIEW filing AS SELECT * FROM main.filing", "视图filing"),
        ("CREATE INDEX zz ON journal (body)", "索引zz"),
        ("DROP INDEX uq_filing_current", "uq_filing_current"),
        ("ALTER TABLE filing ADD COLUMN zz AS (as_of)", "数据表filing"),
        ("ALTER TABLE brand ADD COLUMN zz TEXT", "数据表brand"),
        ("ALTER TABLE brand RENAME TO zz", "数据表brand"),
        ("ALTER TABLE alembic_version ADD COLUMN zz TEXT", "数据表alembic_version"),
    ],
    "postgresql": [
        (f"CREATE FUNCTION zz() {_FUNCTION}; CREATE TRIGGER zz BEFORE INSERT ON journal FOR EACH ROW "
         "EXECUTE FUNCTION zz()", "触发器zz"),
        (f"CREATE FUNCTION zz() {_FUNCTION}", "函数zz"),
        ("CREATE FUNCTION tidu_refuse(text) RETURNS text LANGUAGE sql AS $$ SELECT $1 $$", "函数tidu_refuse"),
        ("CREATE FUNCTION length(text) RETURNS int LANGUAGE sql AS $$ SELECT 18 $$", "函数length"),
        ("CREATE RULE zz AS ON INSERT TO journal DO INSTEAD NOTHING", "规则zz"),
        ("CREATE RULE zz AS ON UPDATE TO filing DO INSTEAD NOTHING", "规则zz"),
        ("CREATE POLICY zz ON filing USING (id > 1)", "行级策略zz"),
        ("ALTER TABLE filing ENABLE ROW LEVEL SECURITY", "行级安全"),
        ("CREATE TABLE zz () INHERITS (filing)", "继承关系zz"),
        ("CREATE VIEW zz AS SELECT 1", "视图zz"),
        ("CREATE SCHEMA evil; CREATE TABLE evil.journal (seq bigint); "
         "SET LOCAL search_path = public, evil", "同名的数据表journal"),
        ("CREATE TEMP TABLE filing (id bigint)", "同名的数据表filing"),
        ("ALTER TABLE filing ALTER digest SET DEFAULT 'x'", "列digest"),
        ("ALTER TABLE filing ALTER facts DROP NOT NULL", "列facts"),
        ("ALTER TABLE brand ADD zz text", "列zz"),
        ("ALTER TABLE brand ALTER name TYPE varchar(9)", "列name"),
        ("ALTER TABLE filing DROP CONSTRAINT ck_filing_form", "约束ck_filing_form"),
        ("ALTER TABLE import DROP CONSTRAINT ck_import_digest, "
         "ADD CONSTRAINT ck_import_digest CHECK (length(digest) = 1)", "约束ck_import_digest"),
        ("ALTER TABLE brand ADD CONSTRAINT zz CHECK (true)", "约束zz"),
        # the same values and names as before, and never true of a decision
        ("ALTER TABLE journal DROP CONSTRAINT ck_journal_seq, "
         "ADD CONSTRAINT ck_journal_seq CHECK (seq > 1 OR kind = tier) NOT VALID", "约束ck_journal_seq"),
        ("ALTER TABLE journal DROP CONSTRAINT ck_journal_form, "
         "ADD CONSTRAINT ck_journal_form CHECK (kind <> 'decision') NOT VALID", "约束ck_journal_form"),
        ("ALTER TABLE enterprise DROP CONSTRAINT uq_enterprise_uscc, "
         "ADD CONSTRAINT uq_enterprise_uscc UNIQUE (id, uscc)", "约束uq_enterprise_uscc"),
        ("ALTER TABLE brand DROP CONSTRAINT fk_brand_filing_id, ADD CONSTRAINT fk_brand_filing_id "
         "FOREIGN KEY (filing_id) REFERENCES filing (id) ON DELETE CASCADE", "约束fk_brand_filing_id"),
        ('ALTER TABLE enterprise ALTER uscc TYPE text COLLATE "C"', "列uscc"),
        ("ALTER FUNCTION tidu_refuse() SECURITY DEFINER", "tidu_refuse"),
        (f"CREATE SCHEMA evil; CREATE FUNCTION evil.zz() {_FUNCTION}; CREATE TRIGGER zz BEFORE INSERT "
         "ON import FOR EACH ROW EXECUTE FUNCTION evil.zz(); "
         "UPDATE pg_trigger SET tgisinternal = true WHERE tgname = 'zz'", "触发器zz"),
        ("CREATE SCHEMA evil; CREATE FUNCTION evil.zz(text) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; "
         "CREATE CAST (text AS int) WITH FUNCTION evil.zz(text) AS IMPLICIT", "类型转换text"),
        ("CREATE SCHEMA evil; CREATE FUNCTION evil.zz(varchar, varchar) RETURNS boolean LANGUAGE sql AS "
         "$$ SELECT false $$; CREATE OPERATOR = "
         "(LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = evil.zz)", "运算符="),
        ("ALTER TABLE checkpoint SET UNLOGGED", "不落盘的存储"),
        ("UPDATE pg_index SET indisready = false WHERE indexrelid = 'uq_filing_current'::regclass",
         "失效的索引uq_filing_current"),
        ("ALTER TABLE brand DISABLE TRIGGER ALL", "停用的外键检查"),
        ("CREATE INDEX zz ON brand (name)", "索引zz"),
        ("DROP INDEX uq_filing_current", "索引uq_filing_current"),
        (f"CREATE FUNCTION zz() {_FUNCTION.replace('trigger', 'event_trigger').replace('RETURN NULL;', '')};"
         " CREATE EVENT TRIGGER zz ON ddl_command_end EXECUTE FUNCTION zz()", "事件触发器zz"),
    ],
}  # fmt: skip


def test_whatever_is_not_ours_is_named(database: sa.Engine) -> None:
    with database.connect() as connection:
        for statement, name in FOREIGN[database.dialect.name]:
            _tried(connection, [statement], name)


def test_what_a_role_sets_for_its_sessions_is_named(fresh: "Fresh") -> None:
    """No trigger fires then, or other tables are read; no one need alter the registry's."""
    engine = fresh("postgresql")
    with engine.connect() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        for setting in ("session_replication_role = replica", "search_path = elsewhere"):
            _tried(connection, [f"ALTER DATABASE {name} SET {setting}"], "会话设置")


def test_an_index_that_says_something_else_than_its_table_is_named(fresh: "Fresh") -> None:
    engine = fresh("sqlite")
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "INSERT INTO document VALUES (printf('%064d', 1), 'source', '甲')"
        )
        connection.exec_driver_sql("PRAGMA writable_schema = ON")
        connection.exec_driver_sql("DELETE FROM sqlite_master WHERE name = 'ix_filing_import_id'")
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")
        assert "ix_filing_import_id" in differences(connection)
        assert "数据库文件已损坏" in differences(connection)  # its pages are still there


Fresh = Callable[..., sa.Engine]
