"""The bureau's own mapping: confirmed term by term, and read with every file, whoever asks."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from registry.cli import main
from registry.desk import headings
from registry.desk.importing import Source, import_file
from registry.desk.place import Desk
from registry.errors import RegistryError
from registry.intake.tests.counties import county, firm, saved
from registry.kit import settings

#: A heading that nobody understands -> what it means.
ODD = "2022年营业总盘子（万元）"
TERM = "营业总盘子"


@pytest.fixture
def desk(fresh: Callable[..., sa.Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("TIDU_HOME", str(tmp_path))
    return Desk(fresh("sqlite").url.render_as_string(hide_password=False), by="经办人")


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    rows = [firm(n) | {ODD: firm(n)["2022年营业收入（万元）"]} for n in (1, 2)]
    kept = [h for h in rows[0] if h != "2022年营业收入（万元）"]
    return saved(county(rows, day=date(2023, 6, 30), headings=kept), tmp_path)


def revenue(desk: Desk, path: Path) -> object:
    read = import_file(desk, Source(path=path, dry_run=True)).reading
    return read.submissions[0].values.get("revenue@2022")


def test_a_confirmed_term_is_read_from_then_on_here_and_on_the_command_line(
    desk: Desk, odd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = import_file(desk, Source(path=odd, dry_run=True)).reading
    [term] = headings.asked(desk, reading.headings)
    assert (term.term, term.unit, term.where) == (
        TERM,
        "万元",
        f"汇总表 {term.headings[0].letter}3「{ODD}」",
    )
    assert "营业收入总额" in headings.choices(desk)
    assert revenue(desk, odd) is None
    kept = headings.keep(desk, {TERM: ("营业收入总额", "")})
    assert kept == settings.mapping()
    assert revenue(desk, odd) == "100000000"
    monkeypatch.setenv("TIDU_DATABASE_URL", str(desk.url))
    ran = CliRunner().invoke(main, ["import", str(odd), "--dry-run"])
    assert "看不懂" not in ran.output


def test_no_file_needs_all_that_the_bureau_has_confirmed(desk: Desk, odd: Path) -> None:
    headings.keep(desk, {TERM: ("营业收入总额", ""), "别的表的表头": ("研发费用总额", "元")})
    read = import_file(desk, Source(path=odd, dry_run=True)).reading
    assert [i for i in read.issues if i.sheet == settings.mapping().name] == []
    again = import_file(
        desk,
        Source(path=odd, mapping=settings.mapping().rename(odd.with_name("另.csv")), dry_run=True),
    ).reading
    [unused] = [i for i in again.issues if i.sheet == "另.csv"]
    assert "这一行没有用到" in unused.message


def test_another_mapping_takes_the_place_of_the_bureaus_own(
    desk: Desk, odd: Path, tmp_path: Path
) -> None:
    headings.keep(desk, {TERM: ("营业收入总额", "")})
    other = tmp_path / "另.csv"
    other.write_text(f"表头,填报项,单位,说明\n{TERM},忽略,,\n", "utf-8")
    read = import_file(desk, Source(path=odd, mapping=other, dry_run=True)).reading
    assert "revenue@2022" not in read.submissions[0].values


def test_a_later_choice_replaces_the_earlier_one_and_keeps_the_others(desk: Desk) -> None:
    headings.keep(desk, {"甲": ("营业收入总额", "元"), "乙": ("研发费用总额", "")})
    headings.keep(desk, {"甲": ("忽略", "")})
    rows = settings.mapping().read_text("utf-8-sig").splitlines()
    assert [row.split(",")[:3] for row in rows] == [
        ["表头", "填报项", "单位"], ["乙", "研发费用总额", ""], ["甲", "忽略", ""],
    ]  # fmt: skip
    assert "经办人" in rows[1]


@pytest.mark.parametrize(
    ("name", "unit", "said"),
    [
        ("没有的填报项", "", "没有的填报项"),
        ("营业收入总额", "人", "单位「人」不适用"),
        ("统一社会信用代码", "元", "单位「元」不适用"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_and_nothing_is_kept(
    desk: Desk, name: str, unit: str, said: str
) -> None:
    with pytest.raises(RegistryError) as error:
        headings.keep(desk, {"甲": (name, unit), "乙": ("忽略", "")})
    assert said in error.value.details[0]
    assert "第" not in error.value.details[0]
    assert headings.own() is None
