"""Nobody waits for what he did not ask for."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from registry.cli import main
from registry.kit.resources import features

#: What takes long to load, and what works rather than lists.
HEAVY = (
    "alembic", "cryptography", "duckdb", "durable_rules_engine", "gherkin", "jinja2", "openpyxl",
    "psycopg", "registry.database", "registry.desk", "registry.intake", "registry.record", "rich",
    "rules.decider", "rules.engine", "rules.language", "sqlalchemy", "sqlmodel",
)  # fmt: skip
#: What a check of an enterprise on record has no use for.
UNASKED = (
    "alembic", "cryptography", "duckdb", "jinja2", "openpyxl", "psycopg", "rich.progress",
    "gherkin", "rules.drafting", "rules.language.rulebook",
)  # fmt: skip
#: What opens a registry.
UNOPENED = ("registry.database", "registry.record", "sqlalchemy", "sqlmodel")

RUN = """
import atexit, sys
from registry.__main__ import main
sys.argv = ["tidu", *sys.argv[1:]]
atexit.register(lambda: print("\\nloaded", *sys.modules))
main()
"""


def loaded(*command: str) -> set[str]:
    """The modules that a command has loaded in the end, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", RUN, *command], capture_output=True, text=True, check=True
    )
    return set(ran.stdout.rpartition("\nloaded ")[2].split())


def test_help_loads_nothing_that_works() -> None:
    assert not loaded("--help").intersection(HEAVY)


@pytest.mark.parametrize("width", [30, 80, 200])
def test_the_list_says_of_each_command_what_it_says_itself(width: int) -> None:
    formatter = click.HelpFormatter(width=width)
    context = click.Context(main)
    main.format_commands(context, formatter)
    own = click.HelpFormatter(width=width)
    click.Group.format_commands(main, context, own)
    assert formatter.getvalue() == own.getvalue()


def test_a_check_loads_only_what_it_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what migrates, publishes, reads files or writes workbooks."""
    monkeypatch.setenv("TIDU_HOME", str(tmp_path))
    monkeypatch.setenv("TIDU_DATABASE_URL", f"sqlite:///{tmp_path / 'tidu-demo.db'}")
    assert "openpyxl" in loaded("demo")
    seen = loaded("check", "91990000MA0000001B")
    assert "durable_rules_engine" in seen
    assert not seen.intersection(UNASKED)


def test_a_check_of_criteria_opens_no_registry() -> None:
    seen = loaded("rules", "check", str(features() / "applicability.feature"))
    assert "gherkin" in seen
    assert not seen.intersection((*UNOPENED, "jinja2", "openpyxl", "registry.intake"))
