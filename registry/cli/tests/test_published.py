"""What a registry has published is known to every command that reads criteria."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry.cli import main
from registry.cli.common import console
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.kit import resources
from registry.record import publication

Run = Callable[..., Result]

PACK = Path("docs/examples/shifan").resolve()
TOLD = (
    "提示 以下是登记库中已发布的标准，与随附的标准（连同 TIDU_FEATURES）不同："
    "对照用 tidu rules diff 随附 现行\n"
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line in a folder of its own, without any registry."""
    monkeypatch.setenv("TIDU_DATABASE_URL", f"sqlite:///{tmp_path / 'tidu.db'}")
    monkeypatch.setattr(console, "width", 200)
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), prog_name="tidu", catch_exceptions=False)

    return invoke


@cache
def _published() -> bytes:
    """A registry that has published the pack; its criteria are certified by other tests."""
    file = Path("tidu.db")
    with Desk(by="张三") as desk, desk.writing() as session:
        folder, own = resources.criteria(PACK)
        publication.publish(session, rulebook(PACK), folder, by="张三", now=desk.clock(), own=own)
    return file.read_bytes()


@pytest.fixture
def published(run: Run) -> Run:
    """The command line on a registry that has published the pack, which is not at hand."""
    Path("tidu.db").write_bytes(_published())
    return run


def test_what_is_published_is_listed_and_shown(published: Run) -> None:
    listed = published("rules", "list", "示范.增")
    assert (listed.exit_code, listed.stderr) == (0, TOLD)
    assert "shifan/provinces/shifan/model.feature:229" in listed.stdout
    as_json = published("rules", "list", "示范.增", "--json")
    assert [rule["id"] for rule in json.loads(as_json.stdout)] == ["示范.增长"]
    shown = published("rules", "show", "示范.增长")
    assert "位置：shifan/provinces/shifan/model.feature:229（已发布）" in shown.stdout
    assert "✗" not in shown.stdout
    assert "示范标杆企业" in published("rules", "list", "示范", "--applicability").stdout


def test_what_is_published_and_at_hand_is_told_without_a_word(
    published: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDU_FEATURES", str(PACK))
    assert published("rules", "list", "示范.增").stderr == ""
    shown = published("rules", "show", "示范.增长").stdout
    assert "位置：shifan/provinces/shifan/model.feature:229\n" in shown


def test_without_a_registry_the_criteria_at_hand_are_read_and_none_is_made(run: Run) -> None:
    assert run("rules", "list", "63.2").stderr == ""
    assert run("rules", "show", "示范.增长").exit_code == 1
    assert run("rules", "diff", "随附", "现行", "--tier", "specialised").exit_code == 0
    assert not list(Path().iterdir())


def test_what_is_in_force_is_compared_with_what_is_packaged(published: Run) -> None:
    found = json.loads(published("rules", "diff", "随附", "现行", "--json").stdout)
    assert (found["before"], found["after"]) == ("随附的标准", "已发布的标准")
    assert found["only_in_one"] == {"示范标杆企业": "已发布的标准"}


BY_PUBLISHED = (
    "提示 甲.csv 按登记库中已发布的标准检查，与随附的标准（连同 TIDU_FEATURES）不同："
    "对照用 tidu rules diff 随附 现行\n"
)


def test_a_file_is_judged_by_what_is_in_force(
    published: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (
        "统一社会信用代码,企业名称,填报日期,省份",
        "91990000MA0000001B,甲公司,2026-06-30,示范省",
    )
    Path("甲.csv").write_text("\n".join(lines), encoding="utf-8")
    done = published("check", "甲.csv", "--tier", "标杆")
    assert BY_PUBLISHED in done.stderr
    assert (done.exit_code, "标杆" in done.stdout) == (0, True)
    monkeypatch.setenv("TIDU_FEATURES", str(PACK))
    assert "提示 甲.csv" not in published("check", "甲.csv").stderr
    monkeypatch.delenv("TIDU_FEATURES")
    Path("tidu.db").unlink()
    assert "提示 甲.csv" not in published("check", "甲.csv").stderr
    assert not Path("tidu.db").exists()
