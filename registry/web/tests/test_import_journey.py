"""A county's untidy table in a browser: confirmed, marked, mended, registered, and not taken back once decided."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa
import uvicorn
from click.testing import CliRunner
from openpyxl import load_workbook

from registry.cli import main
from registry.cli.tests.test_journey import FAULTS, FIRMS, table
from registry.desk import deciding, headings
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.intake.tests.counties import code
from registry.intake.tests.test_folders import contents
from registry.jobs.store import JobStore
from registry.jobs.supervisor import Supervisor
from registry.judging.case import Request
from registry.judging.verdicts import CaseResult
from registry.web import serving
from registry.web.app import application
from registry.web.remedies import words
from registry.web.tests.test_journeys import SIZES, Reader, browser, reading
from rules.tests.packaged import TITLES

__all__ = ["browser"]

pytestmark = pytest.mark.browser


@pytest.fixture
def office(
    request: pytest.FixtureRequest,
    fresh: Callable[..., sa.Engine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Desk, Judging, str]]:
    """The desk of an empty registry on either database, who judges there, and where it is served."""
    monkeypatch.setenv("TIDU_HOME", str(tmp_path))
    url = fresh(getattr(request, "param", "sqlite")).url.render_as_string(hide_password=False)
    with (
        Desk(url, by="经办人") as desk,
        Judging(desk) as judging,
        JobStore(desk) as store,
        Supervisor(desk.faced(words), store) as supervisor,
    ):
        opened = serving.listening(0)
        config = uvicorn.Config(
            application(desk, judging, supervisor), lifespan="off", log_level="error", ws="none"
        )
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [opened]})
        thread.start()
        yield desk, judging, serving.address(opened).rstrip("/")
        server.should_exit = True
        thread.join()
        opened.close()


def sent(reader: Reader, path: Path) -> None:
    """Send a file and wait for its page."""
    reader.open("/imports")
    reader.page.set_input_files("#file", str(path))
    assert path.name in reader.page.locator(".choose").inner_text()
    look(reader)
    reader.page.locator("button", has_text="上传并核对").click()
    reader.page.locator("h1", has_text=path.name).wait_for()


def mended(marked: Path, to: Path) -> Path:
    """The marked workbook as an officer mends it: cell by cell, all else as it is."""
    book = load_workbook(marked)
    for number, (letter, _, right) in FAULTS.items():
        cell = book["汇总表"][f"{letter}{number}"]
        assert cell.comment or letter == "D"
        cell.value = right
    book.save(to)
    return to


def look(reader: Reader) -> None:
    """Look at the page as it stands in each size, on the laptop last."""
    for name in reversed(SIZES):
        width, height = SIZES[name]
        reader.page.set_viewport_size({"width": width, "height": height})
        reader.look()


@pytest.mark.parametrize("office", ["postgresql"], indirect=True)
def test_an_untidy_table_becomes_cases_and_stays_once_one_is_decided(
    browser: Any,
    office: tuple[Desk, Judging, str],
    fresh: Callable[..., sa.Engine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, judging, site = office
    with reading(browser, site, "laptop") as reader:
        sent(reader, table(tmp_path / "云溪县.xlsx", mended=False))
        page = reader.page
        assert f"可以登记{FIRMS - 7}家，退回7家；错误6条" in page.locator(".notice").inner_text()
        look(reader)
        page.locator("select[name='chosen.1']").select_option(headings.IGNORED)
        page.locator("button", has_text="确认所选").click()
        page.wait_for_function("!document.querySelector('.terms')")
        page.locator(".tabs a", has_text="错误").click()
        page.wait_for_function("document.querySelectorAll('.issues tbody tr').length === 6")
        look(reader)
        with page.expect_download() as awaited:
            page.locator("a", has_text="下载标出问题的原表").click()
        awaited.value.save_as(tmp_path / "标出.xlsx")
        right = mended(tmp_path / "标出.xlsx", tmp_path / "改好.xlsx")
        sent(reader, right)
        assert f"可以登记{FIRMS}家，退回0家；错误0条" in page.locator(".notice").inner_text()
        look(reader)
        page.locator("button", has_text=f"登记{FIRMS}家").click()
        page.locator("h1", has_text="登记文件").wait_for()
        page.locator("a", has_text="第1次导入").click()
        page.locator("#undo").wait_for()
        look(reader)
        page.locator(".many a", has_text="云溪县第6泵阀有限公司").click()
        page.locator(".cases a", has_text="专精特新").click()
        answer = judging.check(code(6), Request(TITLES[1:2]))
        assert isinstance(answer, CaseResult)
        page.locator("h2", has_text=answer.verdicts[0].outcome).first.wait_for()
        look(reader)
        moments = ("known_from", "known_until", "loaded_at")
        registered = contents(desk.database, *moments)
        with deciding.run(desk, [code(6)], Request(TITLES[1:2]), jobs=1) as run:
            assert len(list(run)) == 1
        reader.open("/imports/1")
        assert "不能撤销：依据这次登记的填报已有决定1项" in page.locator("main").inner_text()
        assert page.locator("button", has_text="撤销").count() == 0
        look(reader)
        reader.open("/imports")
        look(reader)
    other = fresh(desk.database.dialect.name)
    monkeypatch.setenv("TIDU_DATABASE_URL", other.url.render_as_string(hide_password=False))
    ran = CliRunner().invoke(main, ["import", str(right), "--by", "经办人"])
    assert ran.exit_code == 0, ran.output
    typed = contents(other, *moments)
    # what entries say has the moment of each
    differing = {name for name in typed if typed[name] != registered[name]}
    assert differing <= {"journal", "document"}


def test_without_scripts_a_file_is_sent_by_the_form(
    browser: Any, office: tuple[Desk, Judging, str], tmp_path: Path
) -> None:
    *_, site = office
    with reading(browser, site, "laptop", scripts=False) as reader:
        reader.open("/imports")
        reader.page.set_input_files("#file", str(table(tmp_path / "云溪县.xlsx", mended=True)))
        reader.page.locator("button", has_text="上传并核对").click()
        reader.page.locator("button", has_text=f"登记{FIRMS}家").click()
        for _ in range(100):
            if reader.page.locator("a", has_text="第1次导入").count():
                break
            reader.page.wait_for_timeout(200)
            reader.page.reload()
        reader.page.locator("a", has_text="第1次导入").click()
        assert "已登记：新增60家" in reader.page.locator("main").inner_text()


def test_what_is_refused_is_said_on_the_same_page(
    browser: Any, office: tuple[Desk, Judging, str], tmp_path: Path
) -> None:
    *_, site = office
    other = tmp_path / "照片.png"
    other.write_bytes(b"\x89PNG")
    with reading(browser, site, "phone") as reader:
        reader.open("/imports")
        reader.page.set_input_files("#file", str(other))
        reader.page.locator("button", has_text="上传并核对").click()
        reader.page.locator(".notice", has_text="照片.png：不支持这种文件").wait_for()
        assert reader.page.locator(".choose").inner_text().startswith("选择文件")
        reader.said = [said for said in reader.said if "422" not in said]
        reader.look()
