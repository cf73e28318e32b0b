"""No command writes through a link: who made it may mean another file to be lost."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result

from registry.demo.tables import write_directory
from registry.kit import resources

AS_OF = date(2023, 6, 30)


@pytest.mark.parametrize(
    "command",
    [
        ("rules", "format", "link.feature"),
        ("rules", "new", "link.feature", "--id", "63.9.1", "--title", "不低于1万元"),
        ("import", "全省", "--dry-run", "--report", "link.csv"),
    ],
    ids=" ".join,
)
def test_no_command_writes_through_a_link(
    command: tuple[str, ...], run: Callable[..., Result], tmp_path: Path
) -> None:
    write_directory(tmp_path / "全省", 0, 1, AS_OF, [], lambda _: None)
    untidy = next(resources.features().rglob("specialised.feature")).read_text("utf-8")
    kept = tmp_path / "another"
    kept.write_text(untidy.replace("| ", "|  "), "utf-8")
    before = kept.read_bytes()
    for name in ("link.feature", "link.csv"):
        (tmp_path / name).symlink_to(kept)
    refused = run(*command)
    assert refused.exit_code == 1, refused.output
    assert "link." in refused.output
    assert kept.read_bytes() == before


@pytest.mark.parametrize("command", [("generate", "1"), ("snapshot", "--as-of", "2023-06-30")])
def test_a_folder_is_made_only_where_nothing_is(
    command: tuple[str, ...], run: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "有").mkdir()
    (tmp_path / "链接").symlink_to("没有")
    told = {"有": "已存在", "链接": "是一个链接", "没有/里": "没有文件夹", "": "请写明文件夹名"}
    for place, said in told.items():
        refused = run(*command, "-o", place)
        assert refused.exit_code
        assert said in refused.output
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".db") == [
        "有",
        "链接",
    ]
