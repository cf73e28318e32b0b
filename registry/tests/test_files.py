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


SIDES = ("miit-2022-63", "miit-2026-2")
SCREEN = ("screen", "--ruleset", "63.2.研发费用", "-o")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_report_is_half_written(run: Run, tmp_path: Path) -> None:
    """Each is written beside first: where that cannot be, the earlier one stays, and it is named."""
    assert run("import", str(DEMO_COUNTY), "--partial").exit_code == 0
    for name, *command in (
        ("a.xlsx", *SCREEN),
        ("a.csv", *SCREEN),
        ("a.parquet", *SCREEN),
        ("a.xlsx", "impact", "--to", "2026.2", "-o"),
        ("a.html", "impact", "--to", "2026.2", "--html"),
        ("a.xlsx", "check", "--all", "--tier", "创新型", "--output"),
        ("a.xlsx", "import", str(DEMO_COUNTY), "--report"),
        ("a.html", "rules", "diff", *SIDES, "-o"),
    ):
        path = tmp_path / name
        path.write_text("旧", encoding="utf-8")
        (tmp_path / f".{name}.new").mkdir(exist_ok=True)
        result = run(*command, name)
        assert result.exit_code == 1, command
        assert f"错误：{name}：" in result.output
        assert path.read_text(encoding="utf-8") == "旧"
