"""A file is written whole, or what stood there before still does."""

import errno
from pathlib import Path

import pytest

from registry.conftest import Run
from registry.examples import DEMO_COUNTY
from registry.files import written_whole


def test_a_file_takes_its_place_at_the_end(tmp_path: Path) -> None:
    path, link = tmp_path / "表.csv", tmp_path / "链接.csv"
    path.write_text("旧", encoding="utf-8")
    link.symlink_to(path)
    with written_whole(link) as fresh:
        fresh.write_text("新", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "旧"
    assert path.read_text(encoding="utf-8") == "新"
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == sorted([path, link])


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=repr
)
def test_after_an_error_all_is_as_before(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "表.csv"
    path.write_text("旧", encoding="utf-8")

    def write() -> None:
        with written_whole(path) as fresh:
            fresh.write_text("半", encoding="utf-8")
            raise error

    with pytest.raises(type(error)) as raised:
        write()
    assert path.read_text(encoding="utf-8") == "旧"
    assert list(tmp_path.iterdir()) == [path]
    if isinstance(raised.value, OSError):
        assert raised.value.filename == str(path)


SCREEN = ("screen", "--ruleset", "63.2.研发费用", "-o")
DIFF = ("rules", "diff", "63.3", "63.3.复核", "-o")
#: What writes a report, over an earlier one if there is one.
REPORTS = (
    ("a.xlsx", *SCREEN),
    ("a.csv", *SCREEN),
    ("a.parquet", *SCREEN),
    ("a.xlsx", "impact", "--to", "2026.2", "-o"),
    ("a.html", "impact", "--to", "2026.2", "-o"),
    ("a.xlsx", "check", "--all", "--tier", "创新型", "--output"),
    ("a.xlsx", "import", str(DEMO_COUNTY), "--report"),
    ("a.html", *DIFF),
)
#: What writes a file that must not exist yet.
OTHERS = (
    ("告知书.html", "explain", "1", "-o"),
    ("包.zip", "audit", "export", "1", "-o"),
    ("检查点", "audit", "checkpoint", "-o"),
    ("verify.py", "audit", "verifier", "-o"),
    ("a.xlsx", "template"),
)

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@on_sqlite
def test_no_report_is_half_written(run: Run, tmp_path: Path) -> None:
    """Each is written beside first: where that cannot be, the earlier one stays, and it is named."""
    assert run("import", str(DEMO_COUNTY), "--partial").exit_code == 0
    for name, *command in REPORTS:
        path = tmp_path / name
        path.write_text("旧", encoding="utf-8")
        (tmp_path / f".{name}.new").mkdir(exist_ok=True)
        result = run(*command, name)
        assert result.exit_code == 1, command
        assert f"错误：{name}：" in result.output
        assert path.read_text(encoding="utf-8") == "旧"


@on_sqlite
@pytest.mark.parametrize(("name", "command"), [(n, c) for n, *c in (*REPORTS, *OTHERS)])
def test_a_folder_that_is_not_there_is_told_before_the_work(
    run: Run, name: str, command: list[str]
) -> None:
    """On an empty registry the work itself would be refused for another reason."""
    result = run(*command, f"没有/{name}")
    assert result.exit_code == 1
    assert result.output == f"错误：没有/{name}：没有文件夹 没有，请先建立或换一个位置\n"


@on_sqlite
@pytest.mark.parametrize("command", [SCREEN, DIFF, ("impact", "--to", "2026.2", "-o")])
def test_what_is_no_report_by_its_name_is_not_written_over(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    before = (tmp_path / "tidu.db").read_bytes()
    result = run(*command, "tidu.db")
    assert (result.exit_code, "tidu.db：文件名请以" in result.output) == (1, True)
    assert (tmp_path / "tidu.db").read_bytes() == before
