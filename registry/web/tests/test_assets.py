"""The files that pages load: packaged, unchanged, for old browsers, and nothing from the internet."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

from registry import web
from registry.reports import pages
from registry.web.assets import address, assets
from registry.web.tests.visiting import Visitor

ROOT = Path(web.__path__[0])
TEMPLATES = [
    *ROOT.glob("templates/*.html"),
    *(Path(pages.__file__).parent / "templates").glob("*.html"),
]
#: The vendored files -> their SHA-256.
MANIFEST = dict(
    line.split()[::-1] for line in (ROOT / "static/SHA256SUMS").read_text("utf-8").splitlines()
)
OWN = sorted(assets().keys() - MANIFEST.keys())
#: What Chromium 86 does not know: a rule with an unknown selector is dropped whole, a property alone.
UNKNOWN = re.compile(
    r":is\(|:where\(|:has\(|:not\([^)]*[ ,>+~]|&|@layer|@container|@scope|@property|@supports"
    r"|(?<![-\w])(?:aspect-ratio|inset(?:-\w+)?|accent-color|scrollbar-gutter|text-wrap|translate|rotate"
    r"|scale|(?:margin|padding)-(?:inline|block)|font-size-adjust|overflow-anchor)\s*:"
    r"|\d(?:dvh|svh|lvh|cqw|cqh|lh|rlh)\b|color-mix\(|oklch\(|oklab\(|lab\(|lch\(|light-dark\("
)


#: What scripts may not say: what came after ES2020, and what Chromium 86 does not have.
NEWER = re.compile(
    r"(?:\?\?|\|\||&&)=|\b\d[\d_]*_\d|\bstatic\s*\{|#\w+ in\b"
    r"|\.(?:at|findLast(?:Index)?|group|hasOwn|to(?:Sorted|Reversed|Spliced)|with|replaceAll|any|cause"
    r"|checkVisibility|randomUUID|togglePopover|showPopover|canParse|timeout|scheduler)\("
    r"|\b(?:structuredClone|queueTask|WeakRef|FinalizationRegistry|AggregateError|CloseWatcher)\b"
    r"|querySelector(?:All)?\([^)]*(?::is|:where|:has)\("
)


def test_every_vendored_file_is_the_published_one_and_has_its_licence() -> None:
    assert MANIFEST
    for name, digest in MANIFEST.items():
        assert sha256((ROOT / "static" / name).read_bytes()).hexdigest() == digest
        assert re.search(r"-\d+\.\d+\.\d+\.", name)
        assert list((ROOT / "static").glob(f"{name.partition('.min')[0]}.LICENSE*"))


@pytest.mark.parametrize("name", assets())
def test_a_file_is_served_for_good_under_the_address_of_its_content(
    visitor: Visitor, name: str
) -> None:
    answer = visitor.raw(address(name))
    assert answer.status_code == 200
    assert answer.content == assets()[name].data
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/static/0000/tidu.css", "/static/0/no.css", "/static/0/..%2Fapp.py"]
)
def test_no_other_file_is_served(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status == 404


def test_the_sign_that_every_browser_asks_for_is_there(visitor: Visitor) -> None:
    assert visitor.raw("/favicon.ico").headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("name", [name for name in OWN if name.endswith(".css")])
def test_a_style_sheet_works_in_the_oldest_browser_in_use(name: str) -> None:
    text = re.sub(r"/\*.*?\*/", "", assets()[name].data.decode(), flags=re.DOTALL)
    assert not UNKNOWN.findall(text)
    assert _depth(text) <= 2  # a rule in a medium, and none in a rule


def _depth(text: str) -> int:
    depth = most = 0
    for mark in re.findall("[{}]", text):
        depth += 1 if mark == "{" else -1
        most = max(most, depth)
    assert depth == 0
    return most


@pytest.mark.parametrize(
    "rule",
    [
        "a:is(b, c) { color: red }",
        "p:not(svg title) { color: red }",
        "div { aspect-ratio: 1 }",
        "a { & b { color: red } }",
        "main { height: 100dvh }",
    ],
)
def test_a_rule_that_the_oldest_browser_would_drop_is_found(rule: str) -> None:
    assert UNKNOWN.search(rule)


@pytest.mark.parametrize("name", [name for name in OWN if name.endswith(".js")])
def test_a_script_works_in_the_oldest_browser_in_use(name: str) -> None:
    assert not NEWER.findall(assets()[name].data.decode())


@pytest.mark.parametrize(
    "script",
    ["a ??= 1", "n = 1_000", "list.at(-1)", "Object.hasOwn(a, b)", "d.querySelector('p:has(a)')"],
)
def test_a_script_that_the_oldest_browser_would_not_run_is_found(script: str) -> None:
    assert NEWER.search(script)


@pytest.mark.parametrize(
    "path", [*TEMPLATES, *(ROOT / "static").glob("tidu.*")], ids=lambda p: p.name
)
def test_nothing_names_an_address_on_the_internet(path: Path) -> None:
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in text
    assert "https:" not in text


@pytest.mark.parametrize("path", [*ROOT.glob("templates/*.html")], ids=lambda p: p.name)
def test_a_page_has_no_script_or_style_of_its_own(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<style|<script(?! src=)| style=| on[a-z]+=|\|\s*safe", text)
