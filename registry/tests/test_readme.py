"""Every command that the README shows is run, and gives the output that it shows.

``python registry/tests/test_readme.py`` writes the outputs and the command reference anew.
"""

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from registry.cli import main
from registry.cli.reference import reference
from registry.tests.served import served

README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(r"```(console|gherkin (?P<file>\S+))\n(?P<body>.*?)```", re.DOTALL)
_REFERENCE = re.compile(r"(<!-- commands -->\n).*?(<!-- /commands -->)", re.DOTALL)


def environment(**more: str) -> dict[str, str]:
    given = {"COLUMNS": "110", "TIDU_DATABASE_URL": "", "TIDU_HOME": "", "TERM": "dumb"}
    return {**os.environ, **given, **more}


def run(command: str, folder: Path, program: Path) -> str:
    path = f"{program}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment(PATH=path),
        capture_output=True,
        text=True,
        check=False,
    )
    return "\n".join(line.rstrip() for line in (done.stdout + done.stderr).splitlines())


def replayed(text: str) -> str:
    """The README with every console block as it comes out now, run in one folder in order."""
    with tempfile.TemporaryDirectory() as name, served(environment()) as program:
        folder = Path(name)

        def block(match: re.Match[str]) -> str:
            if match["file"]:
                (folder / match["file"]).write_text(match["body"], encoding="utf-8")
                return match[0]
            shown = []
            for part in re.split(r"^(?=\$ )", match["body"], flags=re.MULTILINE):
                command, _, _ = part.partition("\n")
                if not command:
                    continue
                actual = run(command.removeprefix("$ "), folder, program)
                shown.append(f"{command}\n{actual}".rstrip())
            return "```console\n" + "\n".join(shown) + "\n```"

        text = _BLOCK.sub(block, text)
    return _REFERENCE.sub(lambda m: m[1] + reference(main) + m[2], text)


def test_readme_shows_what_the_commands_print() -> None:
    text = README.read_text(encoding="utf-8")
    assert _BLOCK.search(text)
    assert _REFERENCE.search(text)
    assert replayed(text) == text


def test_the_program_starts() -> None:
    program = Path(sysconfig.get_path("scripts"), "tidu")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("tidu ")


if __name__ == "__main__":
    README.write_text(replayed(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write("README 已更新\n")
