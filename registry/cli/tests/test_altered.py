"""A command that meets altered rows says one sentence, whatever stands in them."""

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from registry.cli import main
from registry.tests.history import History, code

ALTERED = (
    "UPDATE filing SET facts = '[]'",
    "UPDATE filing SET identity = '7'",
    "UPDATE filing SET as_of = '2023-W26-5' WHERE id = 1",
    "UPDATE journal SET body = CAST(x'ff' AS TEXT)",
    "UPDATE journal SET kind = 'Decision' WHERE seq > 1",
    "UPDATE journal SET recorded_at = 1.5",
    "UPDATE ip_right SET kind = '垃圾'",
    "UPDATE yearly_figure SET revenue = '七'",
)
COMMANDS = (
    ["check", "--all"],
    ["enterprise", "show", code(1)],
    ["audit", "log"],
    ["audit", "verify", "--no-replay"],
)


@pytest.mark.parametrize("history", ["sqlite"], indirect=True)
def test_no_altered_row_ends_in_a_traceback(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_DATABASE_URL", history.engine.url.render_as_string(False))
    with history.engine.connect() as connection:
        for name in connection.scalars(
            sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.commit()
    refused = 0
    for statement in ALTERED:
        with history.engine.connect() as connection:
            kept = connection.connection.driver_connection.serialize()  # type: ignore[union-attr]
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
            connection.exec_driver_sql(statement)
            connection.commit()
        for command in COMMANDS:
            done = CliRunner().invoke(main, command)
            assert done.exception is None or isinstance(done.exception, SystemExit), (
                statement,
                command,
            )
            assert "程序内部出错" not in done.output, (statement, command)
            refused += done.exit_code == 1
        history.engine.dispose()
        with open(str(history.engine.url.database), "wb") as file:
            file.write(kept)
    assert refused > len(ALTERED) * 2
