"""Every command that a page shows is run, and prints what the page shows.

``python -m registry.tests.test_docs`` writes the outputs and the generated parts anew; name pages to
do so for these only.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from registry.cli import main
from registry.cli.reference import reference
from registry.desk.rulebooks import rulebook
from registry.kit.settings import SETTINGS
from registry.tests.served import served
from rules.drafting.steps import EXPECTED, GIVEN
from rules.language import declarations, indicators, parameters, tiers
from rules.language.formulas import FUNCTIONS, FormulaError, filed_names, parse_formula
from rules.language.tables import COLUMNS

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
#: What the pages use of the checkout, whose root every reader stands in; each gets a copy.
_AT_HAND = ("features", "docs/examples", "registry/audit/tests/golden", "registry/demo")
#: The sentences that declare, with their columns.
DECLARED = {
    declarations.FACTS: declarations.COLUMNS,
    indicators.FORMULAS: indicators.COLUMNS,
    parameters.PARAMETERS: parameters.COLUMNS,
    tiers.TIERS: tiers.COLUMNS,
}
_BLOCK = re.compile(r"```(console|\w+ (?P<file>\S+))\n(?P<body>.*?)```", re.DOTALL)
_GENERATED = re.compile(r"(<!-- (?P<part>\w+) -->\n).*?(<!-- /(?P=part) -->)", re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)(?P<file>[^)#]*)(#(?P<heading>[^)]+))?\)")
_VARIABLE = re.compile(r"\bTIDU_[A-Z_]+\b")


class Shell:
    """One shell for a whole page, so that what it exports holds to the end of the page."""

    def __init__(self, folder: Path, program: Path) -> None:
        path = os.pathsep.join(map(str, (program, Path(sys.executable).parent, os.environ["PATH"])))
        self._errors = program / "errors"
        self._process = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env=environment(PATH=path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, command: str) -> str:
        """What a command prints: its output, then its errors."""
        given, printed = self._process.stdin, self._process.stdout
        assert given is not None
        assert printed is not None
        there = shlex.quote(str(self._errors))
        told = f"{{\n{command}\n}} </dev/null 2>{there}; cat {there}; printf '\\0'\n"
        given.write(told.encode())
        given.flush()
        output = b""
        while not output.endswith(b"\0"):
            read = os.read(printed.fileno(), 1 << 16)
            assert read, f"the shell ended at: {command}"
            output += read
        return "\n".join(line.rstrip() for line in output[:-1].decode().splitlines())

    def end(self) -> None:
        self._process.communicate()


def environment(**more: str) -> dict[str, str]:
    given = {"COLUMNS": "110", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TIDU_")}
    return {**inherited, **given, **more}


@contextmanager
def checkout(program: Path) -> Iterator[tuple[Path, Shell]]:
    """A folder that looks like the root of a checkout, and a shell in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in _AT_HAND:
            shutil.copytree(ROOT / part, folder / part)
        shell = Shell(folder, program)
        yield folder, shell
        shell.end()


def replayed(text: str, program: Path) -> str:
    """A page with every block as it comes out now, run in order in a folder of its own."""
    if _BLOCK.search(text):
        with checkout(program) as (folder, shell):
            text = _BLOCK.sub(lambda match: _shown(match, folder, shell), text)
    return _GENERATED.sub(lambda match: match[1] + GENERATED[match["part"]]() + match[3], text)


def settings() -> str:
    """The table of all settings."""
    rows = (f"| `{s.name}` | {s.holds} | {s.default} |\n" for s in SETTINGS)
    return "".join(("| 变量 | 内容 | 不设时 |\n", "|---|---|---|\n", *rows))


#: What a page has between marks of that name.
GENERATED: Final[dict[str, Callable[[], str]]] = {
    "commands": lambda: reference(main),
    "settings": settings,
}


def _shown(block: re.Match[str], folder: Path, shell: Shell) -> str:
    if block["file"]:
        (folder / block["file"]).write_text(block["body"], encoding="utf-8")
        return block[0]
    commands = re.findall(r"^\$ (.*)$", block["body"], flags=re.MULTILINE)
    shown = [f"$ {command}\n{shell.run(command)}".rstrip() for command in commands]
    return "```console\n" + "\n".join(shown) + "\n```"


@pytest.fixture(scope="module")
def program() -> Iterator[Path]:
    """A folder with the program in it, loaded once for all pages."""
    with served(environment()) as folder:
        yield folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_shows_what_its_commands_print(page: Path, program: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert replayed(text, program) == text


def test_the_pages_of_commands_and_settings_are_generated() -> None:
    for page, part in (("commands.zh.md", "commands"), ("settings.zh.md", "settings")):
        assert f"<!-- {part} -->" in (ROOT / "docs" / page).read_text(encoding="utf-8")


def test_the_program_names_no_variable_beside_its_settings() -> None:
    product = [
        file
        for package in ("rules", "registry")
        for file in (ROOT / package).rglob("*.py")
        if "tests" not in file.parts and file.name != "conftest.py"
    ]
    named = {name for file in product for name in _VARIABLE.findall(file.read_text("utf-8"))}
    assert named == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in _LINK.finditer(page.read_text(encoding="utf-8")):
        target = (page.parent / link["file"]).resolve() if link["file"] else page
        assert target.exists(), link[0]
        if link["heading"]:
            assert link["heading"] in _anchors(target), link[0]


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


def test_the_drafters_page_has_every_sentence_that_is_understood() -> None:
    page = (ROOT / "docs/language.md").read_text(encoding="utf-8")
    for sentence, columns in {**COLUMNS, **DECLARED}.items():
        assert f"| {sentence} | {' '.join(columns)} |" in page
    steps = re.findall(r"`(?:假如|当|那么) (.*?)`", page)
    for pattern, _ in (*GIVEN, *EXPECTED):
        assert any(pattern.fullmatch(step) for step in steps), pattern.pattern


def test_the_drafters_page_has_every_function_and_the_words_of_a_refusal() -> None:
    page = (ROOT / "docs/language.md").read_text(encoding="utf-8")
    written = {
        cell for row in re.findall(r"^\| (.*?) \|", page, re.MULTILINE) for cell in row.split(", ")
    }
    assert {cell.partition("（")[0] for cell in written} >= FUNCTIONS.keys()
    for text in ("研发费用总额 ÷ 2", "上年度研发费用总额 + 全国细分市场占有率"):
        with pytest.raises(FormulaError) as refused:
            parse_formula(text, filed_names(rulebook().catalogue))
        assert f"\n{refused.value}\n" in page


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count("\n") <= 200
    linked = {(ROOT / link["file"]).resolve() for link in _LINK.finditer(text)}
    assert linked >= set(PAGES) - {README}


def test_the_program_starts() -> None:
    program = Path(sysconfig.get_path("scripts"), "tidu")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("tidu ")


if __name__ == "__main__":
    with served(environment()) as there:
        for page in map(Path, sys.argv[1:] or PAGES):
            page.write_text(replayed(page.read_text(encoding="utf-8"), there), encoding="utf-8")
            sys.stdout.write(f"{page.name} 已更新\n")
