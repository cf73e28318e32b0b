"""A command that meets an altered registry says one sentence, whatever stands in it, on either database."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from registry.cli import main
from registry.tests.history import History, code

#: By the kind of database, what its types let happen; ``both`` is what happens on either.
ALTERED = {
    "both": (
        "UPDATE filing SET facts = '[]'",
        "UPDATE filing SET identity = '7'",
        "UPDATE journal SET body = '[]'",
        "UPDATE journal SET disclosures = '{}'",
        "UPDATE journal SET kind = 'Decision' WHERE seq > 1",
        "UPDATE document SET text = '{}'",
        "INSERT INTO alembic_version VALUES ('9998')",
    ),
    "sqlite": (
        "UPDATE filing SET as_of = '2023-W26-5' WHERE id = 1",
        "UPDATE journal SET body = CAST(x'ff' AS TEXT)",
        "UPDATE journal SET recorded_at = 1.5",
        "UPDATE ip_right SET kind = '垃圾'",
        "UPDATE yearly_figure SET revenue = '七'",
    ),
    "postgresql": (
        "UPDATE filing SET as_of = 'infinity' WHERE id = 3",
        "UPDATE filing SET known_from = '0044-03-15 BC'",
        "UPDATE journal SET recorded_at = '-infinity'",
        "UPDATE filed_fact SET number = '1e-99999999' WHERE number IS NOT NULL",
        "ALTER TABLE filing DROP COLUMN facts CASCADE",
        "DROP TABLE checkpoint CASCADE",
    ),
}
#: Every command that reads what is on record, also those that write afterwards.
COMMANDS = (
    ["check", "--all"],
    ["check", code(1), "--explain"],
    ["enterprise", "list"],
    ["enterprise", "show", code(1), "--history"],
    ["audit", "log"],
    ["audit", "log", "--json"],
    ["audit", "verify", "--no-replay"],
    ["audit", "verify"],
    ["audit", "export", "24", "-o", "bundle.zip"],
    ["explain", "24"],
    ["explain", code(8), "--format", "letter", "-o", "letters"],
    ["replay", "24"],
    ["replay", "--all", "--restart"],
    ["titles", "list"],
    ["holdings", "list"],
    ["screen", "--tier", "创新型"],
    ["snapshot", "--as-of", "2026-07-01", "-o", "snapshot"],
    ["impact", "--to", "miit-2026-2"],
    ["db", "status"],
    ["db", "backup", "backup.tidu"],
    ["decide", code(8), "--by", "甲"],
    ["withdraw", code(4), "--ground", "申请", "--by", "甲"],
    ["import", "--undo", "1", "--by", "甲"],
)


@contextmanager
def owner(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection whose changes no trigger, key or check stops."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            for name in (
                connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                .scalars()
                .all()
            ):
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
            for table, name in connection.exec_driver_sql(
                "SELECT conrelid::regclass, conname FROM pg_constraint "
                "WHERE contype = 'c' AND connamespace = current_schema()::regnamespace"
            ).all():
                connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        yield connection
        connection.commit()
    engine.dispose()


@pytest.mark.parametrize(
    ("history", "number", "statement"),
    [
        (kind, number, statement)
        for kind in ("sqlite", "postgresql")
        for number, statement in enumerate((*ALTERED["both"], *ALTERED[kind]))
    ],
    indirect=["history"],
)
def test_no_altered_registry_ends_in_a_traceback(
    history: History,
    number: int,
    statement: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIDU_DATABASE_URL", history.engine.url.render_as_string(False))
    with owner(history.engine) as connection:
        connection.exec_driver_sql(statement)
    turns = len((*ALTERED["both"], *ALTERED["sqlite"]))
    for place, command in enumerate(COMMANDS):
        # verification meets all alterations, each other command one or two of each database
        verified = command == ["audit", "verify", "--no-replay"]
        if verified or place % turns == number % turns:
            done = CliRunner().invoke(main, command)
            assert done.exception is None or isinstance(done.exception, SystemExit), command
            assert not re.search(r"程序内部出错|Traceback|\wError\b", done.output), command
            assert done.exit_code in (0, 1), done.output
            assert done.exit_code == 1 or not verified
            if done.exit_code == 1:
                assert done.stderr.startswith("错误：") or "\n错误：" in done.stderr, command
