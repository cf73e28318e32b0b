"""The pages of the criteria in a browser, opened from a folder: wide, narrow, without script, printed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from registry.kit import resources
from registry.reports.site import Site, slug, static
from rules.drafting.documentation.documenter import document
from rules.language.rulebook import load

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
SIZES = {"wide": (1366, 768), "narrow": (390, 844)}
RULE = f"rule-{slug('63.2.评分或直通')}.html"
#: One page of each kind, and the rules with the widest and the longest tables.
KINDS = (
    "index.html",
    "applicability.html",
    "indicators.html",
    "text-miit-2022-63.html",
    "book-miit-2026-2.html",
    f"comparison-{slug('miit-2022-63...miit-2026-2')}.html",
    RULE,
    f"rule-{slug('63.4.高价值情形')}.html",
    f"rule-{slug('适用.63')}.html",
    f"rule-{slug('63.2')}.html",
    f"rule-{slug('填报项.年度')}.html",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged criteria as a site on disk."""
    made = tmp_path_factory.mktemp("site")
    features = resources.features()
    docs = document(load(features), [features], with_mutants=False)
    for name, data in static(docs, Site("梯度标准", "标准", "随附的标准", "tidu")):
        (made / name).write_bytes(data)
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(params=SIZES, scope="module")
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(browser: Browser, size: str) -> Iterator[Page]:
    """A page that fails the test if anything is written to its console."""
    width, height = SIZES[size]
    opened = browser.new_page(viewport={"width": width, "height": height})
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    opened.close()
    assert said == []


def visit(page: Page, folder: Path, name: str) -> None:
    page.goto((folder / name.partition("#")[0]).as_uri() + name[len(name.partition("#")[0]) :])


def test_no_page_scrolls_sideways(page: Page, folder: Path) -> None:
    for name in (*KINDS, *sorted(file.name for file in folder.glob("rule-*.html"))[::10]):
        visit(page, folder, name)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width == page.evaluate("window.innerWidth"), name


@pytest.mark.parametrize("name", KINDS)
def test_a_page_is_accessible(page: Page, folder: Path, name: str) -> None:
    visit(page, folder, name)
    look(page)


def look(page: Page) -> None:
    """The page as it stands is accessible."""
    options: dict[str, Any] = {
        # it would ask for the style sheets once more, which no browser allows in a folder
        "preload": False,
        # describe what breaks a rule, and not the thousands of elements that keep it
        "resultTypes": ["violations"],
    }
    if page.evaluate("window.innerWidth") == SIZES["narrow"][0]:
        # no colour depends on the width, and to compare them takes longer than all the rest
        options["rules"] = {"color-contrast": {"enabled": False}}
    found = Axe().run(page, options=options).response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"][:3]]) for v in found] == []


def test_a_drafter_goes_from_the_cover_to_an_example_of_a_rule(page: Page, folder: Path) -> None:
    visit(page, folder, "index.html")
    page.get_by_role("table").get_by_role("link", name="工信部企业〔2022〕63号").click()
    page.get_by_role("link", name="评价得分达到认定分数线60分").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("评价得分达到认定分数线60分")
    expect(page.get_by_text("30个全部成立")).to_be_visible()
    page.get_by_role("link", name="评价得分", exact=True).first.click()
    expect(page.locator("p.facts")).to_contain_text("63.2.评价得分")
    page.go_back()
    page.locator("p.facts a").click()
    place = unquote(page.url).partition("#")[2]
    assert place.startswith("行-")
    expect(page.locator(f"[id='{place}']")).to_be_in_viewport()


def test_an_example_has_an_address_of_its_own(page: Page, folder: Path) -> None:
    visit(page, folder, f"{RULE}#例-29")
    expect(page.locator("[id='例-29']")).to_be_in_viewport()


def test_a_word_finds_rules_clauses_and_indicators(page: Page, folder: Path) -> None:
    visit(page, folder, "index.html")
    box = page.get_by_role("searchbox", name="查找条文、编号或指标")
    box.fill("研发费用 占比")
    found = page.locator(".found li")
    expect(found.first).to_be_visible()
    assert all("研发费用" in text and "占比" in text for text in found.all_inner_texts())
    look(page)
    box.fill("没有这样的词")
    expect(page.get_by_role("status")).to_have_text("没有找到：请换一个词")
    box.press("Escape")
    expect(page.locator(".found")).to_be_hidden()
    box.fill("63.2.评分或直通")
    box.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("评价得分达到认定分数线60分")


def test_what_is_searched_for_stays_text(page: Page, folder: Path) -> None:
    visit(page, folder, "index.html")
    page.get_by_role("searchbox").fill("<img src=x>")
    assert page.locator(".found img").count() == 0


def test_without_script_all_is_there_but_the_search(
    browser: Browser, folder: Path, size: str
) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": width, "height": height}
    )
    page = context.new_page()
    visit(page, folder, "index.html")
    expect(page.locator("#find")).to_be_hidden()
    page.get_by_role("link", name="何时适用").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("何时何地适用哪个规则集")
    context.close()


def test_on_paper_the_law_stands_without_the_bar(page: Page, folder: Path) -> None:
    visit(page, folder, RULE)
    page.emulate_media(media="print")
    expect(page.locator(".bar")).to_be_hidden()
    expect(page.locator(".definition")).to_be_visible()
    expect(page.locator("[id='例-30']")).to_be_visible()


def test_all_is_reached_by_the_keyboard(page: Page, folder: Path) -> None:
    visit(page, folder, RULE)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
