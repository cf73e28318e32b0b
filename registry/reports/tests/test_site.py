"""The pages of the criteria: whole, harmless, the same each time, and loud where an example fails."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from registry.kit import resources
from registry.reports.site import ASSETS, INDEX, Charts, Site, slug, static
from rules.drafting.documentation.documenter import document, since
from rules.drafting.documentation.values import Documentation
from rules.language.rulebook import load

SITE = Site("梯度标准", "标准", "随附的标准", "tidu", "以前的标准")
#: What a drafter might type by mistake or in malice, with a mark to find it by.
MARKUP = '<script src="http://evil.example/甲.js"></script>"\'><img src=x onerror=alert(1)>&lt;'
FEATURE = """\
# language: zh-CN
@tier:示例{said} @source:示例{said}
功能: 示例标准{said}
  说明{said}

  @id:示例.研发费用
  规则: 上年度研发费用总额不低于100万元{said}
    依据: 示例第一条{said}
    解读C: 含本数{said}
    说明{said}

    背景:
      假如 满足下列任一情形即为符合
        | 情形   | 指标               | 要求   | 门槛    |
        | {cell} | 上年度研发费用总额 | 不低于 | 100万元 |

    场景: 门槛{said}
      假如 企业填报
        | 上年度研发费用总额 | 100万元 |
      那么 结论为“{outcome}”
"""
#: Elements without an end tag.
VOID = {"meta", "link", "br", "line", "rect", "path", "input"}


class Page(HTMLParser):
    """The ids, links, elements and text of a page; raises where elements are not nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, Mapping[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag not in VOID:
            self.open.append(tag)
        if id := found.get("id"):
            self.ids.append(id)
        self.links += [link for name in ("href", "src") if (link := found.get(name))]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def written(folder: Path, said: str = "", cell: str = "一", outcome: str = "符合") -> Path:
    (folder / "text").mkdir(exist_ok=True)
    text = FEATURE.format(said=said, cell=cell, outcome=outcome)
    (folder / "text/a.feature").write_text(text, "utf-8")
    return folder


def documented(folder: Path, *, with_mutants: bool = True) -> Documentation:
    found = load(folder, base=resources.features())
    return document(found, [folder], with_mutants=with_mutants)


def compared() -> Documentation:
    """The packaged criteria, beside others: one ruleset is new, one altered, the others reworded."""
    features = resources.features()
    book = load(features)
    docs = document(book, [features], with_mutants=False)
    roots = [id for edition in docs.editions for id in edition.roots]
    digests = dict.fromkeys(roots[1:], "another")
    return since(
        docs, book, digests, lambda root: book.ruleset("63.2" if root == "2026.2" else root)
    )


@pytest.fixture(scope="module")
def packaged() -> Documentation:
    return compared()


@pytest.fixture(scope="module")
def files(packaged: Documentation) -> dict[str, bytes]:
    return dict(static(packaged, SITE))


@pytest.fixture(scope="module")
def pages(files: dict[str, bytes]) -> dict[str, Page]:
    return {name: Page(data.decode()) for name, data in html(files)}


def html(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    return ((name, data) for name, data in files.items() if name.endswith(".html"))


def test_every_rule_and_text_has_its_page(packaged: Documentation, files: dict[str, bytes]) -> None:
    number = len(packaged.rules) + 2 * len(packaged.editions) + len(packaged.compared) + 4
    assert len(dict(html(files))) == number
    assert set(files) - {name for name, _ in html(files)} == {*ASSETS, INDEX}


def test_file_names_are_plain_and_differ_whatever_the_case(files: dict[str, bytes]) -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+", name) for name in files)
    assert len({name.lower() for name in files}) == len(files)


def test_every_link_leads_to_a_page_and_a_place_on_it(pages: dict[str, Page]) -> None:
    known = {*pages, *ASSETS, INDEX}
    for name, page in pages.items():
        for link in page.links:
            where = urlsplit(link)
            assert not where.scheme
            assert not where.netloc
            target = unquote(where.path) or name
            assert target in known, (name, link)
            if where.fragment:
                assert unquote(where.fragment) in pages[target].ids, (name, link)


def test_every_page_is_reached_by_links(pages: dict[str, Page]) -> None:
    found, ahead = {"index.html"}, ["index.html"]
    while ahead:
        for link in pages[ahead.pop()].links:
            target = unquote(urlsplit(link).path)
            if target in pages and target not in found:
                found.add(target)
                ahead.append(target)
    assert found == set(pages)


def test_ids_are_unique(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), name


def test_regions_of_a_page_have_names_of_their_own(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        named = [a["aria-label"] for _, a in page.tags if a.get("role") == "region"]
        assert all(named)
        assert len(named) == len(set(named)), name


def test_pages_run_no_inline_script_and_carry_no_inline_style(pages: dict[str, Page]) -> None:
    for page in pages.values():
        for tag, attributes in page.tags:
            assert tag != "style"
            assert tag != "script" or attributes.get("src")
            assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_nothing_is_fetched_from_elsewhere(files: dict[str, bytes]) -> None:
    for name, data in files.items():
        text = data.decode().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//[a-z]|url\(|@import", text), name


def test_examples_and_lines_have_anchors(packaged: Documentation, pages: dict[str, Page]) -> None:
    page = packaged.rules["63.2.研发费用"]
    ids = pages[f"rule-{slug('63.2.研发费用')}.html"].ids
    assert {f"例-{e.number}" for e in page.examples} <= set(ids)
    assert f"行-{page.line}" in ids


def test_two_runs_give_the_same_bytes(files: dict[str, bytes]) -> None:
    assert dict(static(compared(), SITE)) == files


def test_the_whole_site_is_made_in_seconds(packaged: Documentation) -> None:
    began = time.process_time()
    assert sum(len(data) for _, data in static(packaged, SITE)) < 8_000_000
    assert time.process_time() - began < 10  # a fifth of that where nothing else runs


def test_what_all_examples_hold_is_said_quietly(files: dict[str, bytes]) -> None:
    assert all('role="alert"' not in data.decode() for _, data in html(files))


def test_an_example_that_fails_is_told_on_every_page(tmp_path: Path) -> None:
    docs = documented(written(tmp_path, outcome="不符合"), with_mutants=False)
    made = dict(static(docs, SITE))
    for name, data in html(made):
        assert "有1个例子不成立，这套标准不能发布" in data.decode(), name
    cover = Page(made["index.html"].decode())
    assert f"rule-{slug('示例.研发费用')}.html#例-1" in cover.links
    assert "不成立" in cover.ids


def test_nothing_typed_becomes_markup(tmp_path: Path) -> None:
    folder = written(tmp_path, said=MARKUP.replace(" ", ""), cell="<img src=x onerror=alert(1)>")
    (folder / "text/clauses.md").write_text(
        f"# 条款对照：{MARKUP}\n\n| 条款 | 内容 | 处理 |\n|---|---|---|\n"
        f"| {MARKUP} | {MARKUP} | `{MARKUP}`；未编码：{MARKUP} |\n",
        "utf-8",
    )
    (folder / "mutants-equivalent.csv").write_text("规则,变异,理由\n", "utf-8")
    made = dict(static(documented(folder), Site(MARKUP, MARKUP, MARKUP, MARKUP)))
    for name, data in html(made):
        page = Page(data.decode())
        sources = {a.get("src") for tag, a in page.tags if tag == "script"}
        assert sources == {INDEX, "search.js"}, name
        assert "img" not in {tag for tag, _ in page.tags}, name
        assert all(not urlsplit(link).scheme for link in page.links), name
    assert "<" not in made[INDEX].decode()


def test_the_index_is_data_and_leads_to_pages(
    files: dict[str, bytes], pages: dict[str, Page], packaged: Documentation
) -> None:
    text = files[INDEX].decode("ascii")
    entries = json.loads(text.removeprefix("var tiduIndex = ").rstrip().removesuffix(";"))
    assert len(entries) > len(packaged.rules)
    for href, name, more in entries:
        where = urlsplit(href)
        assert unquote(where.path) in pages
        assert not where.fragment or unquote(where.fragment) in pages[where.path].ids
        assert name
        assert more is not None


def test_a_strip_of_time_has_a_bar_for_every_period(packaged: Documentation) -> None:
    charts = Charts(packaged)
    chart = charts(packaged.applicability)
    bars = [bar for lane in chart.lanes for bar in lane.bars]
    assert len(bars) == len(packaged.applicability)
    for bar in bars:
        assert 0 < bar.x < bar.x + bar.width <= chart.width
    for lane in chart.lanes:
        for early, late in zip(lane.bars, lane.bars[1:], strict=False):
            assert early.x + early.width <= late.x + 1
    assert len(charts(packaged.applicability, short=True).lanes) < len(chart.lanes)


def test_the_script_works_on_old_browsers_and_makes_no_markup() -> None:
    script = (Path(__file__).parents[1] / "static/search.js").read_text("utf-8")
    assert not re.search(r"\?\?=|\|\|=|&&=|\.at\(|replaceAll|innerHTML|outerHTML|eval\(", script)
