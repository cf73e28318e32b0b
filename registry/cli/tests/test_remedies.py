"""Remedies: each that an error names has its words, and what they tell the reader to type is there."""

import ast
import re
import shlex
from pathlib import Path

import click
import pytest

from registry.cli import main
from registry.cli.remedies import WORDS

ROOT = Path(__file__).parents[3]
BELOW = [
    path
    for package in ("rules", "registry")
    for path in (ROOT / package).rglob("*.py")
    if "tests" not in path.parts and ROOT / "registry/cli" not in path.parents
]


def acts() -> set[str]:
    """The acts of all remedies that the code makes."""
    calls = (n for path in BELOW for n in ast.walk(ast.parse(path.read_text("utf-8"))))
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "Remedy"
        and isinstance(call.args[0], ast.Constant)
    }


def test_no_error_below_the_command_line_tells_to_type_a_command() -> None:
    words = (
        f"{path.name}:{raised.lineno} {part.value}"
        for path in BELOW
        if path.name != "verifier.py"  # travels with a command line of its own
        for raised in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(raised, ast.Raise)
        for part in ast.walk(raised)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )
    assert [said for said in words if re.search(r"tidu [a-z]|(?<![-\w])--[a-z]", said)] == []


def test_every_remedy_has_its_words_and_no_words_are_left_over() -> None:
    assert acts() == WORDS.keys()


@pytest.mark.parametrize("act", WORDS)
def test_what_a_remedy_tells_to_type_is_there(act: str) -> None:
    for typed in re.findall(r"tidu ([a-z][ -~]*)", WORDS[act]):
        command: click.Command = main
        words = shlex.split(re.sub(r"{\w+}", "x", typed))
        while isinstance(command, click.Group) and words:
            name = words.pop(0)
            found = command.get_command(click.Context(command), name)
            assert found is not None, f"tidu {typed}"
            command = found
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        assert {w for w in words if w.startswith("-")} <= options, f"tidu {typed}"
