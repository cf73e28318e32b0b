"""A waiting file is examined before it is registered; what is found holds until something changes."""

import csv
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from registry.cli.tests.test_journey import FAULTS, FIRMS, table
from registry.conftest import Run
from registry.demo.aims import aims
from registry.demo.tables import write_directory
from registry.desk import examining, headings, importing
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.desk.waiting import Waiting, WaitingFiles
from registry.errors import LoadError, StorageError
from registry.intake import marking
from registry.intake.tests.counties import county, firm, saved
from registry.intake.tests.test_folders import contents
from registry.kit.progress import ignored
from registry.tests.support import Clock


@pytest.fixture
def desk(
    fresh: Callable[..., sa.Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setenv("TIDU_HOME", str(tmp_path))
    url = fresh("sqlite").url.render_as_string(hide_password=False)
    with Desk(url, by="经办人") as desk:
        yield desk


@pytest.fixture
def files(desk: Desk) -> WaitingFiles:
    return WaitingFiles(desk)


def kept(files: WaitingFiles, path: Path) -> Waiting:
    return files.keep(BytesIO(path.read_bytes()), path.name)


def test_an_untidy_table_is_told_kind_by_kind_and_comes_back_marked(
    desk: Desk, files: WaitingFiles, tmp_path: Path
) -> None:
    waiting = kept(files, table(tmp_path / "汇总表.xlsx", mended=False))
    found = examining.examine(desk, files, waiting)
    assert (found.good, found.refused, found.errors) == (FIRMS - 7, 7, 6)  # one code is there twice
    assert found.counts() == {"错误": 6, "存疑": 0, "提示": found.notices}
    assert not found.faultless
    assert found.days == (date(2023, 6, 30),)
    errors = {line.where: line for line in found.of("错误")}
    assert errors.keys() == {f"汇总表!{letter}{number}" for number, (letter, *_) in FAULTS.items()}
    assert errors["汇总表!D17"].value == "990000000012345"
    assert errors["汇总表!I29"].name == "云溪县第29泵阀有限公司"
    [share] = [line for line in found.lines if "R列" in line.where]
    assert (share.count, share.value) == (15, "国内前三等")
    assert [term.text for term in found.terms] == ["镇里自编的等次"]
    assert (found.book, found.unmarked) == ("汇总表（已标出问题）.xlsx", "")
    book = load_workbook(BytesIO(examining.book(files, waiting, found)))
    assert book.sheetnames == ["汇总表", "问题"]
    assert book["汇总表"]["I29"].comment is not None
    with pytest.raises(LoadError, match=r"汇总表\.xlsx有错误，没有登记任何企业"):
        examining.register(desk, files, waiting, partial=False)
    assert importing.imports(desk) == []
    done = examining.register(desk, files, waiting, partial=True)
    assert (done.new, done.refused, done.again) == (FIRMS - 7, 7, False)


def test_what_was_found_holds_until_something_is_registered_or_confirmed(
    desk: Desk, files: WaitingFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = kept(files, saved(county([firm(1)]), tmp_path))
    assert examining.found(desk, files, waiting) is None
    first = examining.examine(desk, files, waiting)
    assert examining.found(desk, files, waiting) == first
    with monkeypatch.context() as patch:
        patch.setattr(importing, "import_file", lambda *_: pytest.fail("it is known"))
        assert examining.examine(desk, files, waiting) == first
    headings.keep(desk, {"甲": ("忽略", "")})
    assert examining.found(desk, files, waiting) is None
    assert examining.examine(desk, files, waiting).new == 1
    examining.register(desk, files, waiting, partial=False)
    assert examining.found(desk, files, waiting) is None
    assert examining.examine(desk, files, waiting).unchanged == 1
    assert (
        examining.found(desk, files, files.change(waiting.digest, as_of=date(2024, 6, 30))) is None
    )


def test_a_busy_registry_is_no_fault_of_the_file(
    desk: Desk, files: WaitingFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise StorageError("database-busy", "数据库正被其他程序写入")

    waiting = kept(files, saved(county([firm(1)]), tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(importing, "import_file", busy)
        with pytest.raises(StorageError):
            examining.examine(desk, files, waiting)
    assert examining.examine(desk, files, waiting).new == 1


def test_the_same_file_twice_changes_nothing_and_leads_to_the_first_time(
    desk: Desk, files: WaitingFiles, tmp_path: Path
) -> None:
    waiting = kept(files, saved(county([firm(1), firm(2)]), tmp_path))
    first = examining.register(desk, files, waiting, partial=False)
    assert (first.first, first.new, first.again) == (1, 2, False)
    again = examining.register(desk, files, waiting, partial=False)
    assert (again.first, again.new, again.unchanged, again.again) == (1, 0, 2, True)
    [line] = importing.imports(desk)
    assert (line.id, line.new, line.digest) == (1, 2, waiting.digest)
    assert importing.of_digest(desk, waiting.digest) == line
    assert [name for _, name in importing.stated(desk, 1, 1)] == [firm(1)["企业名称"]]


def test_a_day_is_asked_for_where_the_file_has_none(
    desk: Desk, files: WaitingFiles, tmp_path: Path
) -> None:
    undated = county([firm(1), firm(2)])
    undated["汇总表"]["C2"] = None
    waiting = kept(files, saved(undated, tmp_path))
    found = examining.examine(desk, files, waiting)
    assert (found.good, found.refused, found.undated, found.errors) == (0, 2, 2, 0)
    assert found.reasons == (
        f"{firm(1)['企业名称']}等2家：没有填报日期：请在文件中填写，或另行给出",
    )
    dated = files.change(waiting.digest, as_of=date(2023, 6, 30))
    assert examining.examine(desk, files, dated).good == 2
    assert examining.register(desk, files, dated, partial=False).new == 2


def test_what_cannot_be_read_says_why_and_what_its_headings_may_mean(
    desk: Desk, files: WaitingFiles, tmp_path: Path
) -> None:
    path = tmp_path / "表.csv"
    path.write_text("企业大名,信用码儿,2022年营业收入（万元）\n甲,91990000MA0000001B,1\n", "utf-8")
    found = examining.examine(desk, files, kept(files, path))
    assert "没有找到带有“统一社会信用代码”和“企业名称”的表头" in found.trouble
    assert {term.text for term in found.terms} >= {"企业大名", "信用码儿"}
    assert found.good == 0
    assert not found.faultless
    headings.keep(desk, {"企业大名": ("企业名称", ""), "信用码儿": ("统一社会信用代码", "")})
    again = examining.examine(desk, files, files.listed()[0])
    assert (again.trouble, again.refused + again.good) == ("", 1)


def test_a_file_without_cells_comes_back_as_a_list(
    desk: Desk, files: WaitingFiles, tmp_path: Path
) -> None:
    path = tmp_path / "表.csv"
    path.write_text("企业名称,统一社会信用代码,填报日期\n=1+1,123,2023-06-30\n", "utf-8")
    waiting = kept(files, path)
    found = examining.examine(desk, files, waiting)
    assert (found.book, found.unmarked) == ("表（问题清单）.xlsx", "")
    book = load_workbook(BytesIO(examining.book(files, waiting, found)))
    assert {c.data_type for row in book["问题清单"].iter_rows() for c in row} <= {"s", "n"}


def test_a_workbook_that_cannot_be_marked_comes_with_a_list_and_the_reason(
    desk: Desk, files: WaitingFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "_HELD", 1000)
    waiting = kept(files, table(tmp_path / "汇总表.xlsx", mended=False))
    found = examining.examine(desk, files, waiting)
    assert found.book == "汇总表（问题清单）.xlsx"
    assert "不能在原表上标出，请看问题清单" in found.unmarked
    assert "问题清单" in load_workbook(BytesIO(examining.book(files, waiting, found))).sheetnames


def test_an_archive_of_tables_is_examined_and_registered_like_the_folder(
    desk: Desk, files: WaitingFiles, tmp_path: Path
) -> None:
    folder = tmp_path / "全省"
    write_directory(folder, 5, 1, date(2026, 6, 30), aims(rulebook()), ignored)
    rows = (folder / "enterprises.csv").read_text("utf-8").splitlines()
    rows[0] += ",镇里自编的等次"
    (folder / "enterprises.csv").write_text(
        "\n".join([rows[0], *(r + "," for r in rows[1:])]), "utf-8"
    )
    path = tmp_path / "打包.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for one in folder.iterdir():
            archive.write(one, f"全省/{one.name}")
    waiting = kept(files, path)
    found = examining.examine(desk, files, waiting)
    assert (found.new, found.refused, found.errors, found.trouble) == (5, 0, 0, "")
    assert [term.text for term in found.terms] == ["镇里自编的等次"]
    assert found.book == "打包（问题清单）.csv"
    told = examining.book(files, waiting, found).decode("utf-8-sig").splitlines()
    assert len([*csv.reader(told)]) == found.notices + 1
    done = examining.register(desk, files, waiting, partial=False)
    assert (done.file, done.first, done.last, done.new) == ("全省", 1, 1, 5)
    again = examining.register(desk, files, waiting, partial=False)
    assert (again.new, again.unchanged, again.again) == (0, 5, True)


def test_the_registry_holds_what_the_command_line_would_have_stored(
    run: Run, database: sa.Engine, fresh: Callable[..., sa.Engine], tmp_path: Path
) -> None:
    path = table(tmp_path / "汇总表.xlsx", mended=False)
    other = fresh(database.dialect.name)
    url = other.url.render_as_string(hide_password=False)
    with Desk(url, by="经办人", clock=Clock()) as desk:
        files = WaitingFiles(desk)
        waiting = kept(files, path)
        examining.examine(desk, files, waiting)
        examining.register(desk, files, waiting, partial=True)
    ran = run("import", str(path), "--partial", "--by", "经办人")
    assert ran.exit_code == 0, ran.output
    moments = ("known_from", "known_until", "loaded_at")
    one, two = contents(other, *moments), contents(database, *moments)
    differing = {name for name in one if one[name] != two[name]}
    assert differing <= {"journal", "publication"}  # which tell the moment of each entry
    assert len(one["filing"]) == FIRMS - 7


def test_an_import_is_undone_unless_something_rests_on_it(
    desk: Desk, files: WaitingFiles, tmp_path: Path
) -> None:
    waiting = kept(files, saved(county([firm(1)]), tmp_path))
    examining.register(desk, files, waiting, partial=False)
    assert importing.undo(desk, 1, dry_run=True, unless_rested_upon=True).decisions == ()
    importing.undo(desk, 1, unless_rested_upon=True)
    assert importing.one(desk, 1).undone_at is not None
    assert importing.of_digest(desk, waiting.digest) is None
