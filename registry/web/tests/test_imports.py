"""Importing on pages: a file is sent, examined, confirmed, registered, and taken back."""

import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from registry.cli import main
from registry.cli.tests.test_journey import FIRMS, table
from registry.demo.aims import aims
from registry.demo.tables import write_directory
from registry.desk import deciding, examining, importing, waiting
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.desk.rulebooks import rulebook
from registry.desk.waiting import WAIT, WaitingFiles
from registry.intake.tests.counties import code, county, firm, saved
from registry.jobs import child
from registry.jobs.store import JobStore
from registry.judging.case import Request
from registry.kit.progress import ignored
from registry.web import forms, serving
from registry.web.app import application
from registry.web.tests.visiting import Bureau, Page, Visitor
from rules.tests.packaged import TITLES

SECOND: Final = TITLES[1]


@dataclass
class Importer:
    """Somebody who imports at a bureau, and does the jobs that this asks for."""

    bureau: Bureau

    @property
    def desk(self) -> Desk:
        return self.bureau.desk

    def send(self, path: Path, **named: str) -> Page:
        """Send a file; the page to which that leads."""
        name = named.get("name", path.name)
        files = {"file": (name, path.read_bytes(), "application/octet-stream")}
        return self.bureau.visitor.send("/imports", {}, files)

    def sent(self, path: Path, **named: str) -> str:
        """The address of a file's page, once it is sent."""
        page = self.send(path, **named)
        assert page.status == 303, page.words
        return page.place

    def do(self, place: str, act: str, **typed: Any) -> Page:
        """Press a button of a page."""
        return self.bureau.visitor.send(place, {"act": act, **typed})

    def work(self) -> None:
        """Do the jobs that wait."""
        with JobStore(self.desk) as store:
            while (job := store.take("进程")) is not None:
                child._do(self.desk, child._Watcher(store, job, "进程", _Leash()))  # type: ignore[arg-type]

    def look(self, place: str) -> Page:
        page = self.bureau.visitor.get(place)
        assert page.status == 200, page.words
        return page

    def registered(self, place: str, act: str = "register") -> Page:
        """Register a file; the receipt."""
        page = self.do(place, act)
        assert page.status == 303, page.words
        self.work()
        job = self.look(page.place)
        return self.look(next(link for link in job.links if re.fullmatch(r"/imports/\d+", link)))


class _Leash:
    """The other end of a process that nobody lets go."""

    def poll(self, _seconds: float = 0) -> bool:
        return False


@pytest.fixture
def importer(bureau: Bureau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Importer:
    monkeypatch.setenv("TIDU_HOME", str(tmp_path))
    return Importer(bureau)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return saved(county([firm(1), firm(2)]), tmp_path)


def test_a_faultless_file_is_examined_registered_and_receipted(
    importer: Importer, good: Path
) -> None:
    assert "还没有登记过文件" not in importer.look("/imports").words
    place = importer.sent(good)
    page = importer.look(place)
    assert "✓ 可以登记2家，退回0家；错误0条" in page.words
    assert "新增2家，变更0家，未变0家，退回0家" in page.words
    assert "填报日期 2023-06-30" in page.words
    before = importer.bureau.entries
    receipt = importer.registered(place)
    assert "第2次导入" in receipt.words
    assert "已登记：新增2家" in receipt.words
    assert f"/enterprises/{code(1)}" in receipt.links
    assert [kind for _, kind in importer.bureau.entries[len(before) :]] == ["intake"]
    listed = importer.look("/imports").words
    assert "第2次导入 汇总表.xlsx" in listed
    assert "等待登记的文件" in listed


def test_the_same_file_twice_changes_nothing_and_says_so(importer: Importer, good: Path) -> None:
    importer.registered(importer.sent(good))
    before = importer.bureau.entries
    place = importer.sent(good, name="另一个名字.xlsx")
    page = importer.look(place)
    assert "这个文件已登记： 第2次导入" in page.words
    assert "内容没有变化，2家均已登记" in page.words
    assert 'value="register"' not in page.source
    assert importer.do(place, "register").status == 303  # from another window
    importer.work()
    assert "没有再记录" in importer.look("/jobs/2").words
    assert importer.bureau.entries == before


def test_two_windows_register_once(
    importer: Importer,
    good: Path,
    in_threads: Callable[[Callable[[], Any], int], list[Any]],
) -> None:
    place = importer.sent(good)
    one, two = (importer.look(place).hidden for _ in range(2))
    pages = [importer.bureau.visitor.post(place, {**h, "act": "register"}) for h in (one, two, one)]
    assert {(p.status, p.place) for p in pages} == {(303, "/jobs/1")}
    importer.work()
    assert len(importing.imports(importer.desk)) == 2
    late = importer.bureau.visitor.post(place, {**two, "key": "anew", "act": "register"})
    assert late.status == 422
    assert "登记簿、填报日期或表头对照有了变化" in late.words


def test_a_faulty_file_is_told_cell_by_cell_and_only_the_faultless_are_registered(
    importer: Importer, tmp_path: Path
) -> None:
    place = importer.sent(table(tmp_path / "汇总表.xlsx", mended=False))
    page = importer.look(place)
    assert f"✗ 可以登记{FIRMS - 7}家，退回7家；错误6条" in page.words
    assert "汇总表!I29 云溪县第29泵阀有限公司 999" in page.words
    assert 'value="register"' not in page.source
    assert importer.do(place, "register").status == 422
    only = importer.look(f"{place}?kind=%E9%94%99%E8%AF%AF")
    assert "城关镇" in page.words
    assert "城关镇" not in only.words
    assert "汇总表!D17" in only.words
    book = importer.bureau.visitor.raw(f"{place}/book")
    assert book.headers["content-disposition"].startswith("attachment")
    marked = load_workbook(BytesIO(book.content))
    assert marked["汇总表"]["D17"].comment.text.startswith("错误：")
    receipt = importer.registered(place, "partial")
    assert f"新增{FIRMS - 7}家，变更0家，未变0家，退回7家" in receipt.words


@pytest.mark.parametrize("name", ["汇总表.xlsx", "表.csv"])
def test_the_command_line_writes_the_marked_workbook_that_the_page_gives(
    importer: Importer, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    if path.suffix == ".csv":
        path.write_text(
            f"统一社会信用代码,企业名称,填报日期,全国细分市场占有率\n{code(1)},甲,2023-06-30,18\n"
        )
    else:
        table(path, mended=False)
    place = importer.sent(path)
    importer.look(place)
    monkeypatch.setenv("TIDU_DATABASE_URL", importer.desk.url or "")
    mark = ["import", str(path), "--dry-run", "--marked", str(tmp_path / "标出.xlsx")]
    done = CliRunner().invoke(main, mark)
    assert ("已在原表上标出问题" if path.suffix == ".xlsx" else "不是工作簿") in done.output
    given = importer.bureau.visitor.raw(f"{place}/book").content
    assert (tmp_path / "标出.xlsx").read_bytes() == given


def test_headings_are_confirmed_on_the_page_and_kept(importer: Importer, tmp_path: Path) -> None:
    odd = "2022年营业总盘子（万元）"
    rows = [firm(n) | {odd: firm(n)["2022年营业收入（万元）"]} for n in (1, 2)]
    kept = [h for h in rows[0] if h != "2022年营业收入（万元）"]
    place = importer.sent(saved(county(rows, headings=kept), tmp_path))
    page = importer.look(place)
    assert "看不懂的表头1个" in page.words
    assert f"营业总盘子 汇总表 {page.source.split('汇总表 ')[1][:2].strip()}" in page.words
    assert "或在本页核对这个表头" in page.words
    empty = importer.do(place, "headings")
    assert empty.status == 422
    assert "请至少选定一个表头的填报项" in empty.words
    wrong = importer.do(place, "headings", **{"other.1": "没有的填报项"})
    assert wrong.status == 422
    assert "没有的填报项" in wrong.words
    done = importer.do(place, "headings", **{"chosen.1": "营业收入总额"})
    assert (done.status, done.place) == (303, place)
    again = importer.look(place)
    assert "看不懂的表头" not in again.words
    assert "营业总盘子,营业收入总额" in (tmp_path / "tidu-headings.csv").read_text("utf-8-sig")
    assert "营业总盘子 营业收入总额" in importer.look("/imports/headings").words
    back = importer.bureau.visitor.send("/imports/headings", {"term": "营业总盘子"})
    assert (back.status, back.place) == (303, "/imports/headings")
    assert "还没有确认过表头" in importer.look("/imports/headings").words
    assert "看不懂的表头1个" in importer.look(place).words


def test_a_day_is_asked_for_where_the_file_has_none(importer: Importer, tmp_path: Path) -> None:
    undated = county([firm(1), firm(2)])
    undated["汇总表"]["C2"] = None
    place = importer.sent(saved(undated, tmp_path))
    page = importer.look(place)
    assert "文件中没有填报日期，请给出" in page.words
    assert "退回 云溪县第1泵阀有限公司等2家：没有填报日期" in page.words
    assert "或在本页给出填报日期" in page.words
    wrong = importer.do(place, "day", day="去年")
    assert wrong.status == 422
    assert "「去年」不是日期" in wrong.words
    assert importer.do(place, "day", day="2023年6月30日").status == 303
    assert "✓ 可以登记2家" in importer.look(place).words
    assert "另给的填报日期 2023-06-30" in importer.registered(place).words


def test_a_large_file_is_examined_by_a_job_while_its_page_waits(
    importer: Importer, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, "AT_ONCE", 0)
    place = importer.sent(good)
    page = importer.look(place)
    assert "正在核对" in page.words
    assert f'hx-get="{place}" hx-trigger="every 1s"' in page.source
    assert "登记2家" not in page.words
    importer.work()
    page = importer.look(place)
    assert "hx-get" not in page.source
    assert "可以登记2家" in page.words
    assert "可以登记2家" in importer.look("/jobs/1").words
    importer.do(place, "day", day="2023-06-29")
    assert "正在核对" in importer.look(place).words
    importer.work()
    importer.registered(place)
    gone = importer.look(place)
    assert "还没有按现在的登记库核对" in gone.words
    assert importer.do(place, "examine").status == 303
    importer.work()
    assert "均已登记" in importer.look(place).words


def test_an_import_is_undone_until_a_decision_rests_on_it(importer: Importer, good: Path) -> None:
    importer.registered(importer.sent(good))
    page = importer.look("/imports/2")
    assert "将撤回2家的填报，恢复0家原来的内容" in page.words
    undone = importer.bureau.visitor.send("/imports/2", {})
    assert (undone.status, undone.place) == (303, "/imports/2")
    assert "▪ 已撤销" in importer.look("/imports/2").words
    again = importer.registered(importer.sent(good))
    assert "第3次导入" in again.words
    stale = importer.look("/imports/3").hidden
    with deciding.run(importer.desk, [code(1)], Request((SECOND,)), jobs=1) as run:
        [decided] = list(run)
    assert decided
    refused = importer.bureau.visitor.post("/imports/3", stale)
    assert refused.status == 422
    assert "导入3不能撤销：依据它的填报已有决定1项" in refused.words
    page = importer.look("/imports/3")
    assert "不能撤销：依据这次登记的填报已有决定1项" in page.words
    assert "撤销这次导入" not in page.words
    assert any(link.startswith("/decisions/") for link in page.links)


@pytest.mark.parametrize("name", ["表.json", "表.csv"])
def test_other_kinds_of_files_are_registered_alike(
    importer: Importer, tmp_path: Path, name: str
) -> None:
    filed = {"uscc": code(1), "name": "甲有限公司", "as_of": "2023-06-30"}
    written = {
        "表.json": json.dumps([filed]),
        "表.csv": "统一社会信用代码,企业名称,填报日期\n" + ",".join(filed.values()),
    }
    path = tmp_path / name
    path.write_text(written[name], "utf-8")
    assert "新增1家" in importer.registered(importer.sent(path)).words


def test_an_archive_is_examined_by_a_job_however_small(importer: Importer, tmp_path: Path) -> None:
    folder = tmp_path / "全省"
    write_directory(folder, 3, 1, date(2026, 6, 30), aims(rulebook()), ignored)
    tables = {f"全省/{one.name}": one.read_text("utf-8") for one in folder.iterdir()}
    place = importer.sent(_packed(tmp_path / "全省.zip", tables))
    assert "正在核对" in importer.look(place).words
    importer.work()
    assert "可以登记3家" in importer.look(place).words
    receipt = importer.registered(place)
    assert "全省（第1至3家）" in receipt.words
    importer.sent(tmp_path / "全省.zip")
    importer.work()
    assert "均已登记" in importer.look(place).words


def test_receipts_are_read_without_a_name_and_cannot_be_undone(
    importer: Importer, good: Path
) -> None:
    importer.registered(importer.sent(good))
    with Desk(importer.desk.url, by="") as desk, Judging(desk) as judging:
        reader = Visitor(application(desk, judging))
        page = reader.get("/imports/2")
        assert "已登记：新增2家" in page.words
        assert "撤销" not in page.words
        assert not page.hidden
        assert "第2次导入" in reader.get("/imports").words
        assert "还没有确认过表头" in reader.get("/imports/headings").words


def test_a_file_that_is_let_go_or_too_old_is_gone(importer: Importer, good: Path) -> None:
    place = importer.sent(good)
    assert importer.do(place, "drop").place == "/imports"
    gone = importer.bureau.visitor.get(place)
    assert gone.status == 404
    place = importer.sent(good)
    importer.bureau.clock.moment += WAIT + timedelta(seconds=1)
    assert importer.bureau.visitor.get(place).status == 404
    assert "等待登记的文件" not in importer.look("/imports").words
    assert importer.bureau.visitor.get("/imports/99").status == 404


def test_the_server_removes_what_has_waited_for_too_long(
    importer: Importer, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OverError(Exception):
        pass

    def over(_seconds: float) -> None:
        raise OverError

    monkeypatch.setattr(serving, "sleep", over)
    importer.sent(good)
    folder = WaitingFiles(importer.desk).folder
    with pytest.raises(OverError):
        serving._clear(importer.desk)
    assert [*folder.glob("*/*/content")]
    importer.bureau.clock.moment += WAIT
    with pytest.raises(OverError):
        serving._clear(importer.desk)
    assert not [*folder.glob("*/*/content")]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("表.pdf", b"%PDF-1.7", "表.pdf：不支持这种文件"),
        ("表.xls", b"\xd0\xcf\x11\xe0", "表.xls：不支持 .xls 文件"),
        ("表.xlsx", b"%PDF-1.7", "表.xlsx：这其实是PDF 文件，不是 Excel 工作簿"),
        ("表.zip", b"%PDF-1.7", "表.zip：不是 .zip 压缩包（这其实是PDF 文件）"),
        ("表.csv", b"", "表.csv：文件是空的"),
        ("../../etc/passwd", b"x", "passwd：不支持这种文件"),
    ],
    ids=["pdf", "old", "no-workbook", "no-archive", "empty", "elsewhere"],
)
def test_what_is_not_read_is_told_in_one_sentence_and_does_not_wait(
    importer: Importer, tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    page = importer.send(path, name=name)
    assert page.status == 422
    assert said in page.words
    assert WaitingFiles(importer.desk).listed() == []


def test_no_file_and_too_large_a_file_are_refused(
    importer: Importer, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = importer.bureau.visitor.send("/imports", {})
    assert page.status == 422
    assert "✗ 请选择要登记的文件" in page.words
    hidden = importer.look("/imports").hidden
    monkeypatch.setattr(forms, "LARGEST", 1000)
    page = importer.bureau.visitor.post("/imports", hidden, {"file": ("a.xlsx", good.read_bytes())})
    assert page.status == 413
    assert "MB，没有登记" in page.words
    monkeypatch.setattr(forms, "LARGEST", 1 << 20)
    monkeypatch.setattr(waiting, "LARGEST", 1000)
    page = importer.bureau.visitor.post("/imports", hidden, {"file": ("a.xlsx", good.read_bytes())})
    assert page.status == 422
    assert "a.xlsx：超过" in page.words


def _packed(path: Path, parts: Mapping[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def test_bombs_are_told_and_harm_nothing(importer: Importer, good: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(good) as archive:
        parts = {i.filename: archive.read(i).decode() for i in archive.infolist()}
    sheet = "xl/worksheets/sheet1.xml"
    tight = parts | {sheet: parts[sheet].replace("<sheetData>", "<sheetData>" + " " * (17 << 20))}
    page = importer.look(importer.sent(_packed(tmp_path / "紧.xlsx", tight)))
    assert "不是正常的工作簿" in page.words
    laughs = '<!DOCTYPE a [<!ENTITY b "b">]>'
    told = parts | {sheet: parts[sheet].replace("<worksheet", laughs + "<worksheet", 1)}
    page = importer.look(importer.sent(_packed(tmp_path / "笑.xlsx", told)))
    assert "文件已损坏或不是 Excel 工作簿" in page.words
    tables = {"enterprises.csv": "0" * (17 << 20)}
    place = importer.sent(_packed(tmp_path / "表.zip", tables))
    importer.work()
    page = importer.look(place)
    assert "压缩得不像数据表" in page.words
    assert 'value="register"' not in page.source


def test_what_is_typed_in_a_file_is_shown_as_text(importer: Importer, tmp_path: Path) -> None:
    rows = [
        firm(1) | {"企业名称": "<script>alert(1)</script>", "2022年营业收入（万元）": "<b>约</b>"}
    ]
    page = importer.look(importer.sent(saved(county(rows), tmp_path), name='<img src="x">.xlsx'))
    assert "<script>alert" not in page.source
    assert "<b>约" not in page.source
    assert "&lt;b&gt;约" in page.source
