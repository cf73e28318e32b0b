"""Journeys in a browser: at the size of an old laptop and of a phone, clean for everybody who reads.

No page scrolls sideways or says anything in the console (a breach of the policy would be said
there), and axe finds nothing against WCAG 2.2 AA.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
import sqlalchemy as sa
import uvicorn

from registry.database import backup, storage
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.jobs import kinds
from registry.jobs.store import JobStore
from registry.jobs.supervisor import Supervisor
from registry.web import serving
from registry.web.addresses import decision, edition, enterprise, rule
from registry.web.app import application
from registry.web.tests.test_case import LACKING, NARROW, SECOND, THIRD, WAITING
from registry.web.tests.visiting import case

pytestmark = pytest.mark.browser

SIZES: Final = {"laptop": (1366, 768), "phone": (390, 844)}
#: Each database at one of the sizes, for what is recorded in a browser.
PLACES: Final = (("laptop", "sqlite"), ("phone", "postgresql"))
_AXE: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    # describe what breaks a rule, and not the thousands of elements that keep it
    "resultTypes": ["violations"],
}
#: Only what breaks a rule crosses to here, each with its first elements.
_VIOLATIONS: Final = """async (options) => (await axe.run(options)).violations.map(
  (v) => [v.id, v.nodes.slice(0, 3).map((n) => n.html)])"""
_CHROMIUM: Final = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def site(office: tuple[Desk, Judging]) -> Iterator[str]:
    """The example registry, served."""
    with served(*office) as address:
        yield address


@contextmanager
def served(desk: Desk, judging: Judging) -> Iterator[str]:
    """The pages over a registry, for a browser."""
    opened = serving.listening(0)
    config = uvicorn.Config(
        application(desk, judging), lifespan="off", log_level="error", access_log=False, ws="none"
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [opened]})
    thread.start()
    try:
        yield serving.address(opened).rstrip("/")
    finally:
        server.should_exit = True
        thread.join()
        opened.close()


@pytest.fixture
def own_site(
    request: pytest.FixtureRequest,
    example: str,
    fresh: Callable[..., sa.Engine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """A copy of the example registry on either database, served, in which anything may be recorded."""
    monkeypatch.setenv("TIDU_HOME", str(tmp_path))
    database = fresh(getattr(request, "param", "sqlite"))
    given = storage.create_engine(example)
    backup.write(given, tmp_path / "example")
    given.dispose()
    backup.restore(database, tmp_path / "example")
    with (
        Desk(database.url.render_as_string(hide_password=False), by="王某") as desk,
        Judging(desk) as judging,
        served(desk, judging) as address,
    ):
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@dataclass
class Reader:
    """Somebody at a browser of one size; ``said`` is what the console said."""

    site: str
    page: Any
    said: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Open a page."""
        self.page.goto(self.site + path)

    def look(self) -> None:
        """Look at the page as it stands: it must be clean."""
        from axe_playwright_python.sync_playwright import Axe

        width = self.page.viewport_size["width"]
        assert self.page.evaluate("document.documentElement.scrollWidth") <= width
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(Axe().axe_script)
        found = self.page.evaluate(_VIOLATIONS, _AXE)
        assert not found
        assert not self.said

    def resize(self, size: str) -> None:
        """Have the window at another size."""
        width, height = SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})


@contextmanager
def reading(browser: Any, site: str, size: str, *, scripts: bool = True) -> Iterator[Reader]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=scripts
    )
    page = context.new_page()
    reader = Reader(site, page)
    page.on("console", lambda message: reader.said.append(message.text))
    page.on("pageerror", lambda error: reader.said.append(str(error)))
    yield reader
    context.close()


@pytest.fixture(scope="module")
def reader(browser: Any, site: str) -> Iterator[Reader]:
    """Somebody who reads page after page of the example registry."""
    with reading(browser, site, "laptop") as found:
        yield found


@pytest.mark.parametrize(
    "path",
    [
        "/",
        case(NARROW, SECOND),
        case(LACKING, SECOND),
        case(WAITING, THIRD, print=1),
        case(NARROW, SECOND, as_of="2024-06-30"),
        enterprise(LACKING),
        enterprise(NARROW, picture="giant"),
        case(NARROW, SECOND, "what-if"),
        case(NARROW, SECOND, "example"),
        "/enterprises",
        "/enterprises?q=火星",
        "/rules",
        "/applicability",
        "/indicators",
        edition("miit-2022-63"),
        edition("miit-2022-63...miit-2026-2"),
        rule("63.2.研发费用"),
        "/journal",
        "/journal/2",
        "/checkpoints",
        "/admissions",
        "/policy",
        decision(7),
        f"{decision(7)}/replay",
        case(WAITING, THIRD, "decide"),
        case(WAITING, THIRD, "determine"),
        enterprise(NARROW, "withdraw"),
        "/titles",
        "/titles/grant",
        "/titles/end",
        "/holdings/add",
        "/letters",
        "/decide",
        "/applications",
        "/applications/apply",
        "/applications/step?tier=giant",
        "/applications/announce?tier=giant",
        "/rounds",
        "/rounds/open",
        "/due",
        "/duties/decide",
        "/duties/change",
        "/duties/cancel",
    ],
)
def test_a_page_is_clean(reader: Reader, path: str) -> None:
    """At both sizes, opened once: no script of the page asks for the size as it opens."""
    reader.said.clear()
    reader.resize("laptop")
    answer = reader.page.goto(reader.site + path)
    reader.said[:] = [s for s in reader.said if answer.status == 200 or "status" not in s]
    for size in SIZES:
        reader.resize(size)
        reader.look()


@pytest.mark.parametrize("size", SIZES)
def test_a_click_on_a_clause_fills_the_pane_without_a_new_page(
    browser: Any, site: str, size: str
) -> None:
    with reading(browser, site, size) as reader:
        reader.open(case(NARROW, SECOND))
        reader.page.evaluate("window.same = true")
        reader.page.locator(".tree summary", has_text="特定细分市场满2年").click()
        line = reader.page.locator(".tree .cite a", has_text="附件2认定条件第一项").first
        line.click()
        reader.page.locator("#clause h2", has_text="特定细分市场满2年").wait_for()
        assert reader.page.evaluate("window.same") is True
        assert "rule=" in reader.page.url
        below = reader.page.evaluate("!!document.querySelector('.tree #clause')")
        assert below == (size == "phone")
        reader.look()


def test_without_scripts_the_same_click_opens_the_same_address(browser: Any, site: str) -> None:
    with reading(browser, site, "laptop", scripts=False) as reader:
        reader.open(case(NARROW, SECOND))
        reader.page.locator(".tree summary", has_text="特定细分市场满2年").click()
        reader.page.locator(".tree .cite a", has_text="附件2认定条件第一项").first.click()
        assert reader.page.locator("#clause h2").inner_text().startswith("截至上年末")
        assert reader.page.url.endswith("#clause")


@pytest.mark.parametrize(("size", "own_site"), PLACES, indirect=["own_site"])
def test_an_officer_determines_decides_and_takes_the_letter(
    browser: Any, own_site: str, size: str
) -> None:
    with reading(browser, own_site, size) as reader:
        page, second = reader.page, reader.page.context.new_page()
        second.goto(own_site + case(WAITING, THIRD, "decide"))
        reader.open(case(WAITING, THIRD))
        page.get_by_role("link", name="人工认定", exact=True).click()
        page.get_by_label("认定什么").select_option(label="知名度和影响力")
        page.get_by_label("认定为").fill("是")
        proof = {"name": "现场核查.pdf", "mimeType": "application/pdf", "buffer": b"%PDF 1"}
        page.get_by_label("证据文件").set_input_files(proof)
        page.get_by_role("button", name="记入登记簿").click()
        page.get_by_text("✗ 请写明理由").wait_for()
        reader.said.clear()  # a refused form is told in the console too, by its status
        reader.look()
        assert page.get_by_label("认定为").input_value() == "是"
        page.get_by_label("理由").fill("现场核查属实")
        page.get_by_role("button", name="记入登记簿").click()
        page.get_by_text("现场核查属实").first.wait_for()
        assert "/journal/" in page.url
        reader.look()
        second.get_by_role("button", name="作出决定").click()
        second.get_by_text("登记簿有了与此有关的记录").wait_for()
        reader.open(case(WAITING, THIRD))
        page.get_by_role("link", name="作出决定").click()
        page.get_by_text("知名度和影响力").first.wait_for()
        reader.look()
        page.get_by_role("button", name="作出决定").dblclick()
        page.get_by_text("按记录重新作出，与记录逐字节一致").wait_for()
        reader.look()
        page.get_by_label("告知书的出具单位").fill("某市中小企业局")
        with page.expect_download() as download:
            page.get_by_role("button", name="下载告知书").click()
        letter = Path(download.value.path()).read_text("utf-8")
        assert "某市中小企业局" in letter
        assert download.value.suggested_filename.endswith("告知书.html")


def test_without_scripts_an_officer_decides_what_follows_from_a_missed_day(
    browser: Any, own_site: str
) -> None:
    with reading(browser, own_site, "phone", scripts=False) as reader:
        page = reader.page
        page.goto(own_site + f"/titles/grant?uscc={NARROW}")
        page.locator("#tier").select_option(label=SECOND)
        page.locator("#document").fill("示工信9号")
        page.locator("#dated").fill("2022-10-01")
        page.locator("button.main").click()
        page.goto(own_site + "/due?matter=年度更新&state=逾期")
        page.locator("td a", has_text="决定后果").first.click()
        page.locator("#consequence").select_option(index=1)
        page.locator("button.main").click()
        page.get_by_text("✗ 请写明理由").wait_for()
        page.locator("#ground").fill("两次催告仍未填报")
        page.locator("button.main").click()
        page.get_by_role("heading", name="还没有登记：请先核对").wait_for()
        page.locator("button[name=rehearsed]").click()
        page.get_by_role("link", name="撤回误登").wait_for()
        page.get_by_role("link", name="查看企业").click()
        page.get_by_text("已决定失去复核资格").first.wait_for()


def test_an_officer_takes_a_case_through_a_whole_round(browser: Any, own_site: str) -> None:
    with reading(browser, own_site, "phone") as reader:
        page = reader.page

        def fill(**typed: str) -> None:
            for name, text in typed.items():
                page.locator(f"#{name}").fill(text)

        def take(act: str, **typed: str) -> None:
            page.locator(".following a", has_text=re.compile(f"^{act}$")).click()
            fill(**typed)
            reader.look()
            page.locator("button.main").click()
            page.locator(".course .now").wait_for()

        reader.open("/rounds")
        page.locator("a", has_text="开始一个轮次").first.click()
        fill(name="第一批", document="示工信7号", dated="2023-07-03", terms="县级初审 10个工作日")
        page.locator("#tier").select_option(label=SECOND)
        page.locator("button.main").click()
        page.locator("h1", has_text="第一批").wait_for()
        page.locator("a", has_text="登记申报").click()
        fill(codes=NARROW, day="2023-07-03")
        page.locator("#round").select_option(index=1)
        page.locator("button.main").click()
        page.locator(".course .now", has_text="县级初审").wait_for()
        reader.look()
        take("直接报省级", day="2023-07-20", ground="见会议纪要")
        assert "逾期3日" in page.locator(".course").inner_text()
        take("拟认定", day="2023-07-21", ground="见会议纪要")
        assert "期限届满，转入 待公告" in page.locator(".course").inner_text()
        reader.look()
        reader.open("/applications?tier=specialised")
        page.locator("input[name=uscc]").check()
        reader.look()
        page.locator("button", has_text="办理选中的").click()
        page.locator("td a", has_text="公告").click()
        fill(document="示工信9号", dated="2023-08-01")
        page.locator("button.main").click()
        page.locator("#rehearsed").wait_for()
        reader.look()
        page.locator("button[name=rehearsed]").click()
        page.locator(".course .now", has_text="认定").wait_for()
        assert "称号登记" in page.locator(".course").inner_text()
        reader.look()


@pytest.mark.parametrize("own_site", ["sqlite", "postgresql"], indirect=True)
def test_without_scripts_a_form_records_as_well(browser: Any, own_site: str) -> None:
    with reading(browser, own_site, "laptop", scripts=False) as reader:
        reader.open(enterprise(LACKING, "withdraw"))
        reader.page.get_by_label("理由").fill("企业来函撤回申报")
        reader.page.get_by_role("button", name="撤回申报").click()
        assert "企业来函撤回申报" in reader.page.locator("main").inner_text()
        assert "/journal/" in reader.page.url


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("uscc", [NARROW, LACKING])
def test_no_name_of_the_picture_is_cut_off(browser: Any, site: str, size: str, uscc: str) -> None:
    with reading(browser, site, size) as reader:
        reader.open(enterprise(uscc, picture="specialised"))
        outside = reader.page.evaluate(
            """() => {
              const box = document.querySelector("svg.radar").getBoundingClientRect();
              return [...document.querySelectorAll("svg.radar text")]
                .map((text) => [text.textContent, text.getBoundingClientRect()])
                .filter(([, r]) => r.left < box.left || r.right > box.right
                  || r.top < box.top || r.bottom > box.bottom)
                .map(([said]) => said);
            }"""
        )
        assert outside == []


def test_long_work_is_watched_until_it_ends(browser: Any, example: str, tmp_path: Path) -> None:
    file = shutil.copy(example.removeprefix("sqlite:///"), tmp_path / "tidu.db")
    with (
        Desk(f"sqlite:///{file}", by="经办人") as desk,
        Judging(desk) as judging,
        JobStore(desk) as store,
        served(desk, judging) as address,
        reading(browser, address, "phone") as reader,
    ):
        id = store.ask("verify", kinds.VERIFY.written(kinds.Verifying(replay=False)), by="经办人")
        reader.open(f"/jobs/{id}")
        reader.look()
        reader.page.evaluate("window.same = true")
        with Supervisor(desk, store):
            reader.page.locator("#found").wait_for(timeout=60_000)
        assert reader.page.evaluate("window.same") is True
        assert "没有遗漏：成立" in reader.page.inner_text("main")
        reader.look()


@pytest.mark.parametrize(("size", "own_site"), PLACES, indirect=["own_site"])
def test_a_list_of_titles_is_looked_through_and_registered(
    browser: Any, own_site: str, size: str
) -> None:
    with reading(browser, own_site, size) as reader:
        page = reader.page
        reader.open("/titles")
        page.get_by_role("link", name="登记新认定的称号").click()
        text = f"企业名称,统一社会信用代码\n,{NARROW}\n,{LACKING}\n"
        listed = {"name": "名单.csv", "mimeType": "text/csv", "buffer": text.encode("utf-8-sig")}
        page.get_by_label("名单文件").set_input_files(listed)
        page.get_by_label("层级").select_option(label=SECOND)
        page.get_by_label("文号").fill("某公告1号")
        page.get_by_label("日期", exact=True).fill("2023-07-01")
        page.get_by_role("button", name="登记", exact=True).click()
        page.get_by_text("将登记2条").wait_for()
        reader.look()
        page.get_by_role("button", name="核对无误，登记").click()
        page.get_by_text("授予").first.wait_for()
        assert "/journal" in page.url
        reader.look()
