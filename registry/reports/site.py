"""The criteria as pages: living documentation, as a static site and for other faces.

The templates in ``templates/site`` take plain values, a frame to stand in, and a function ``link``
that gives the address of a page; so the same pages stand in a folder and on the web.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from registry.kit.characters import legible
from registry.reports import pages
from rules.drafting.documentation.values import Documentation
from rules.explanation.wording import plain
from rules.language.editions import OTHERS, ApplicabilityRow
from rules.language.provinces import parted

if TYPE_CHECKING:
    from jinja2 import Environment

_STATIC: Final = Path(__file__).with_name("static")
#: The files that every page loads, beside the index for searching.
ASSETS: Final = ("tidu.css", "site.css", "tidu.svg", "search.js")
INDEX: Final = "index.js"
#: How the index begins, in every site that was ever written.
MARK: Final = "var tiduIndex"
_PLACEHOLDER: Final = re.compile(r"<([^<>]+)>")
_REASON: Final = re.compile(r"^未编码：")
_PLAIN: Final = re.compile(r"[a-z0-9.-]+")


class Link(Protocol):
    """The address of a page; empty if there is none.

    ``kind`` is home, applicability, indicators, changes, rule, edition, book (all rules of a text),
    comparison or asset; ``key`` the id of a rule, the folder of a text, two folders joined by
    ``...``, or the name of a file; ``anchor`` a place on the page.
    """

    def __call__(self, kind: str, key: str = "", anchor: str = "") -> str:
        """The address."""


@dataclass(frozen=True)
class Site:
    """What a site says of itself: its name, its title, where its criteria stand, and by what made.

    ``earlier`` names the criteria with which they were compared, if any; ``published`` tells whether
    decisions are taken by those.
    """

    label: str
    title: str
    origin: str
    program: str
    earlier: str = ""
    published: bool = False


def slug(name: str) -> str:
    """A file name of ASCII characters for any name; the same on every run and in every folder.

    >>> slug("63.2"), slug("provinces/hunan")
    ('63.2', 'provinces-hunan-11cc0519')
    """
    if _PLAIN.fullmatch(name) and "..." not in name:
        return name
    digest = sha256(name.encode()).hexdigest()[:8]
    bare = "-".join(re.findall(r"[a-z0-9]+(?:\.[a-z0-9]+)*", name))
    return f"{bare}-{digest}" if bare else digest


class StaticLink:
    """The addresses of a site in one folder, without a server."""

    def __init__(self, docs: Documentation) -> None:
        compared = [f"{before}...{after}" for before, after in docs.compared]
        self._pages = {
            ("home", ""): "index.html",
            ("applicability", ""): "applicability.html",
            ("indicators", ""): "indicators.html",
            **({("changes", ""): "changes.html"} if docs.differs else {}),
            **{("rule", id): f"rule-{slug(id)}.html" for id in docs.rules},
            **{("edition", e.folder): f"text-{_folder_slug(e.folder)}.html" for e in docs.editions},
            **{("book", e.folder): f"book-{_folder_slug(e.folder)}.html" for e in docs.editions},
            **{("comparison", both): f"comparison-{slug(both)}.html" for both in compared},
            **{("asset", name): name for name in (*ASSETS, INDEX)},
        }

    def __call__(self, kind: str, key: str = "", anchor: str = "") -> str:
        """The file, and the place in it."""
        page = self._pages.get((kind, key), "")
        return f"{page}#{anchor}" if page and anchor else page


def _folder_slug(folder: str) -> str:
    return "general" if folder == "." else slug(folder)


def static(docs: Documentation, site: Site) -> Iterator[tuple[str, bytes]]:
    """The files of a static site: names and contents, the same for the same criteria."""
    link = StaticLink(docs)

    def made(template: str, here: str, **values: Any) -> bytes:
        frame = "site/frame.html"
        return rendered(template, docs, link, frame=frame, here=here, site=site, **values).encode()

    yield link("home"), made("home", "home")
    yield link("applicability"), made("applicability", "applicability")
    yield link("indicators"), made("indicators", "indicators")
    for edition in docs.editions:
        yield link("edition", edition.folder), made("edition", edition.folder, page=edition)
        yield link("book", edition.folder), made("book", "", page=edition)
    for before, after in docs.compared:
        found = [c for c in docs.comparisons if (c.before, c.after) == (before, after)]
        name = link("comparison", f"{before}...{after}")
        yield name, made("comparison", "", before=before, after=after, pages=found)
    if docs.differs:
        yield link("changes"), made("changes", "")
    for id, page in docs.rules.items():
        yield link("rule", id), made("rule", "", page=page)
    for name in ASSETS:
        yield name, (_STATIC / name).read_bytes()
    yield INDEX, index(docs, link).encode("ascii")


def rendered(template: str, docs: Documentation, link: Link, **values: Any) -> str:
    """A page of the criteria; ``frame`` among the values is the template that it stands in."""
    chart = Charts(docs)
    text = _environment().get_template(f"site/{template}.html")
    return legible(text.render(docs=docs, link=link, chart=chart, **values))


def index(docs: Documentation, link: Link) -> str:
    """The script that lists all pages for searching: address, name, and what is searched."""
    entries = [
        [link("rule", id), page.title, f"{id} {page.citation}"] for id, page in docs.rules.items()
    ]
    entries += [
        [link("edition", e.folder, "条款"), f"{c.name}　{c.content}", e.title]
        for e in docs.editions
        for c in (e.clauses.clauses if e.clauses else ())
    ]
    entries += [
        [link("indicators", "", i.key), i.name, i.formula] for i in docs.indicators.values()
    ]
    computed = {i.name for i in docs.indicators.values()}
    entries += [
        [link("rule", id, "声明"), d.name, page.title]
        for id, page in docs.rules.items()
        for d in page.declared
        if d.name.rpartition("　")[2] not in computed
    ]
    lines = ",\n".join(json.dumps(entry, ensure_ascii=True) for entry in entries)
    return f"{MARK} = [\n{lines}\n];\n".replace("<", "\\u003c")


@cache
def _environment() -> "Environment":
    made = pages.environment().overlay()
    made.filters |= {
        "parted": _PLACEHOLDER.split,
        "root": lambda ruleset: parted(ruleset)[0],
        "unreasoned": lambda text: _REASON.sub("", text),
        "points": plain,
    }
    return made


# -- strips of time ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tick:
    """The beginning of a year."""

    x: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A period in which one ruleset governs; ``open`` if its end is not known."""

    x: int
    width: int
    text: str
    title: str
    style: int
    open: bool


@dataclass(frozen=True)
class Lane:
    """What governs one kind of case over time."""

    y: int
    text: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Chart:
    """A strip of time in units of its drawing; ``said`` tells the same in words."""

    width: int
    height: int
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]
    said: str


class Charts:
    """Strips of time for rows of the applicability table, all to one scale."""

    _WIDTH, _LEFT, _RIGHT, _TOP, _STEP = 960, 250, 944, 26, 30
    #: The width of a character of a bar's text, and the room at its ends.
    _CHARACTER, _ENDS = 8, 14
    #: Beside so many lanes, those of single provinces and rounds are left to the table.
    _MANY = 6

    def __init__(self, docs: Documentation) -> None:
        days = [day for row in docs.applicability for day in (row.start, row.end) if day]
        years = [day.year for day in days] or [date.min.year]
        self._first, self._last = date(min(years), 1, 1), date(max(years) + 2, 1, 1)
        self._styles = {
            id: 2 if e.nested else number % 2
            for number, e in enumerate(e for e in docs.editions if e.roots)
            for id in e.roots
        }

    def __call__(self, rows: Iterable[ApplicabilityRow], *, short: bool = False) -> Chart:
        """The strip of these rows; a ``short`` one leaves many provinces and rounds out."""
        lanes: dict[tuple[str, str, str, str], list[ApplicabilityRow]] = {}
        for row in rows:
            lanes.setdefault((row.tier, row.procedure, row.province, row.batch), []).append(row)
        general = {key: those for key, those in lanes.items() if key[2:] == (OTHERS, "")}
        if short and general and len(lanes) > self._MANY:
            lanes = general
        tiers = len({tier for tier, *_ in lanes}) > 1
        drawn = tuple(
            Lane(
                self._TOP + number * self._STEP,
                _lane(key, tiers),
                tuple(self._bar(row) for row in sorted(those, key=_start)),
            )
            for number, (key, those) in enumerate(lanes.items())
        )
        said = "；".join(
            f"{_lane(key, True)} {row.period} {row.ruleset}"
            for key, those in lanes.items()
            for row in those
        )
        height = self._TOP + len(drawn) * self._STEP
        return Chart(self._WIDTH, height, self._ticks(), drawn, said)

    def _x(self, day: date) -> int:
        span = self._RIGHT - self._LEFT
        return self._LEFT + span * (day - self._first).days // (self._last - self._first).days

    def _ticks(self) -> tuple[Tick, ...]:
        years = range(self._first.year, self._last.year)
        return tuple(Tick(self._x(date(year, 1, 1)), str(year)) for year in years)

    def _bar(self, row: ApplicabilityRow) -> Bar:
        x = self._x(row.start or self._first)
        width = max(2, self._x(row.end or self._last) - x)
        text = parted(row.ruleset)[0] if row.encoded else row.ruleset
        fits = sum(2 if ord(c) > 0xFF else 1 for c in text) * self._CHARACTER + self._ENDS <= width
        return Bar(
            x=x,
            width=width,
            text=text if fits else "",
            title=f"{row.ruleset}　{row.period}　{row.basis}",
            style=self._styles.get(row.ruleset, 0),
            open=row.end is None,
        )


def _start(row: ApplicabilityRow) -> date:
    return row.start or date.min


def _lane(key: Sequence[str], tiers: bool) -> str:
    tier, procedure, province, batch = key
    where = "" if province == OTHERS else province
    return "　".join(filter(None, (tier if tiers else "", procedure, where, batch)))
