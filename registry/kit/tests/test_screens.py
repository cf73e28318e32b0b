"""What characters may be shown: nothing that is stored or typed commands a terminal, a page or a file."""

import io
import json
import sys
from pathlib import Path
from zipfile import ZipFile

import click
import pytest
from rich.table import Table

from registry.conftest import Run
from registry.kit.characters import REPLACEMENT
from registry.kit.jsontext import json_text
from registry.kit.screens import Screen
from registry.kit.terminals import guarded
from rules.model.characters import UNFIT

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

#: C0, DEL, C1, an override of direction, a mark, a separator of lines.
CODES = (0x1B, 0x07, 0x08, 0x7F, 0x85, 0x9B, 0x200F, 0x202E, 0x2066, 0x2028)
HOSTILE = "".join(f"{chr(code)}2J" for code in CODES)
USCC = "91990000MA0000004L"


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that takes every text in, as earlier ones did."""
    monkeypatch.setattr("registry.intake.cells.legible", lambda text: text)
    monkeypatch.setattr("registry.cli.common.wrong", lambda text: "")
    monkeypatch.setattr("registry.cli.chinese.wrong", lambda text: "")


#: What fills a registry; ``{}`` stands for the hostile text.
FILLING = (
    "import 甲.json",
    "decide --all --tier 专精特新 --by 张{}",
    f"titles grant {USCC} --tier 创新型 --dated 2022-01-01 --document 文{{}} --by 张{{}}",
    f"holdings add {USCC} --holder 人{{}} --share 51% --dated 2022-01-01 --document 文{{}} --by 张{{}}",
    "audit key --name 局",
)
#: What shows it.
SHOWING = (
    "enterprise list", "enterprise list --json", f"enterprise show {USCC}",
    f"enterprise show {USCC} --json",
    "check", f"check {USCC}", "check --json", "check --all --tier 专精特新", "check 甲.json",
    "check --all --output 检查.xlsx", "import 甲.json --dry-run --report 清单.xlsx",
    "explain 3", "explain 3 --for auditor", "explain 3 --json", "explain 3 --format html -o 页.html",
    "explain 3 --format letter -o 函.html --office 局{}",
    "titles list", "titles list --json", "holdings list", "audit log", "audit log --json",
    "screen --tier 专精特新", "screen --tier 专精特新 -o 筛.csv", "screen --tier 专精特新 -o 筛.xlsx",
    "impact --to 2026.2", "impact --to 2026.2 --json", "impact --to 2026.2 --html 影响.html",
    "impact --to 2026.2 -o 影响.xlsx",
    "import 没有{}.json", "rules show 没有{}", "rules list 没有{}",
    "{}", "check --{}", "titles list {}", "check 甲.json --as-of {}", "db backup 没有{}/文件",
    "audit checkpoint",
    f"withdraw {USCC} --ground 因{{}} --by 张{{}}", "audit log", "audit log --json",
)  # fmt: skip


@on_sqlite
@pytest.mark.usefixtures("careless")
def test_no_command_shows_or_writes_what_would_command(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names, grounds, documents and officers as an old registry may hold them, and what is typed."""
    values = {"independent_legal_person": True, "revenue@2022": 1000000}
    filing = {"uscc": USCC, "name": f"甲{HOSTILE}公司", "as_of": "2023-06-30", "values": values}
    (tmp_path / "甲.json").write_text(json.dumps([filing]), encoding="utf-8")
    monkeypatch.setenv("TIDU_AUDIT_KEY", str(tmp_path / "钥"))
    shown = 0
    for line in (*FILLING, *SHOWING):
        arguments = [word.replace("{}", HOSTILE) for word in line.split()]
        result = run(*arguments)
        assert line not in FILLING or result.exit_code == 0, (line, result.output)
        assert UNFIT.search(result.output) is None, (line, result.output)
        shown += REPLACEMENT in result.output or "\\u202e" in result.output
    assert shown > 20
    kept = {path: _texts(path) for path in tmp_path.iterdir() if path.name not in INPUTS}
    assert len(kept) >= 8
    for path, texts in kept.items():
        assert all(UNFIT.search(text) is None for text in texts), path


@on_sqlite
@pytest.mark.parametrize(
    "line",
    [
        f"withdraw {USCC} --by 张 --ground",
        f"withdraw {USCC} --ground 因 --by",
        f"titles grant {USCC} --tier 创新型 --dated 2022-01-01 --document",
        f"holdings add {USCC} --share 51% --document 文 --dated 2022-01-01 --holder",
        "audit export 3 -o",
    ],
)
def test_what_officers_type_is_refused_where_it_could_not_be_shown(run: Run, line: str) -> None:
    for code in CODES:
        result = run(*line.split(), f"文{chr(code)}字")
        assert result.exit_code == 2, result.output
        assert f"含有不能显示的字符（U+{code:04X}），请删去后重新输入" in result.output


@on_sqlite
def test_a_ground_of_a_whole_book_is_refused(run: Run) -> None:
    result = run("withdraw", USCC, "--ground", "因" * 100_000)
    assert (result.exit_code, len(result.output) < 300) == (2, True)
    assert "超过4000个字，请写短一些" in result.output


def test_a_terminal_is_coloured_by_the_program_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also between the programs' own colours, in tables and beside a progress bar's movements."""
    out = io.StringIO()
    out.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdout", out)
    table = Table(header_style="bold")
    table.add_column(f"列{HOSTILE}")
    table.add_row(f"名{HOSTILE}")
    with guarded():
        Screen(force_terminal=True, color_system="standard").print(table)
        click.echo(f"行\r盖{HOSTILE}")
        sys.stdout.writelines([f"行{HOSTILE}"])
    own = {"\x1b[1m", "\x1b[0m"}
    told = out.getvalue()
    assert "\x1b[1m" in told
    for sign in own:
        told = told.replace(sign, "")
    assert UNFIT.search(told) is None
    assert "行\ufffd盖" in told


@pytest.mark.parametrize(
    ("encoding", "shown", "escaped"),
    [
        ("utf-8", "✓ ✗ † ‡ 𠮷林", "𠮷林"),
        ("gb18030", "✓ ✗ † ‡ 𠮷林", "𠮷林"),
        ("gbk", "√ × ※ ◆ \\ud842\\udfb7林", "\\ud842\\udfb7林"),
        ("ascii", "✓ ✗ † ‡ 𠮷林", "𠮷林"),
        ("cp437", "✓ ✗ † ‡ 𠮷林", "𠮷林"),
        ("latin-1", "✓ ✗ † ‡ 𠮷林", "𠮷林"),
    ],
)
def test_whatever_encoding_a_stream_has_nothing_is_lost_or_mistaken(
    monkeypatch: pytest.MonkeyPatch, encoding: str, shown: str, escaped: str
) -> None:
    """Output that goes to a file on Chinese Windows is in GBK; without Chinese, it becomes UTF-8."""
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding))
    with guarded():
        Screen().print("✓ ✗ † ‡ 𠮷林")
        click.echo(json_text({"name": "𠮷林"}))
        sys.stdout.flush()
    read = written.getvalue().decode(encoding if encoding.startswith("g") else "utf-8")
    assert read.splitlines() == [shown, f'{{"name": "{escaped}"}}']
    assert json.loads(read.splitlines()[1]) == {"name": "𠮷林"}


INPUTS = ("tidu.db", "tidu.db-wal", "tidu.db-shm", "甲.json")


def _texts(path: Path) -> list[str]:
    if path.suffix == ".xlsx":
        with ZipFile(path) as archive:
            return [archive.read(name).decode() for name in archive.namelist()]
    return [path.read_bytes().decode("utf-8", "ignore")] if path.is_file() else []
