"""A draft whose examples fail is never evaluated in silence."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from registry.desk import drafting
from rules.errors import Problem

#: What the commands say does not depend on the database; that either keeps the same, see the record.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

Run = Callable[..., Result]


@pytest.mark.parametrize(
    "typed",
    [
        ("check", "--all", "--features", "draft"),
        ("impact", "--to", "draft", "--tier", "专精特新"),
        ("impact", "--from", "draft", "--to", "miit-2026-2", "--tier", "专精特新"),
        ("screen", "--draft", "draft", "--tier", "专精特新"),
    ],
)
def test_it_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "draft" / "maps").mkdir(parents=True)
    asked: list[Path] = []

    def unproved(folder: Path) -> tuple[Problem, ...]:
        asked.append(folder)
        return (
            Problem("draft/a.feature", 21, "例子不成立"),
            Problem("draft/b.feature", 1, "又一处"),
        )

    monkeypatch.setattr(drafting, "unproved", unproved)
    result = run(*typed)
    assert asked == [Path("draft")]
    assert (
        "提示 草案 draft 有2处不成立，以下结果按定义表算出，未必是起草人的本意"
        "（第一处：draft/a.feature:21: 例子不成立）：请先运行 tidu rules check draft"
        in result.output
    )
