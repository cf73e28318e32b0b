"""A report as sections of paragraphs, items, tables and indented findings; as text and as HTML."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from rich.cells import cell_len
from rich.console import Console

from registry.kit.characters import legible
from registry.kit.screens import crowded, listing
from registry.reports.pages import page

#: The classes of the base template for words and signs of outcomes.
STYLES: Final = {
    "符合": "met",
    "不符合": "not",
    "材料不足": "open",
    "待人工认定": "person",
    "✓": "met",
    "✗": "not",
    "？": "open",
    "◇": "person",
    "†": "person",
}
_INDENT: Final = "  "


@dataclass(frozen=True)
class Item:
    """A point of a list, with what is said under it.

    ``word`` is an outcome that gives its colour, ``sign`` the sign of one in place of a bullet.
    """

    text: str
    details: tuple[str, ...] = ()
    word: str = ""
    sign: str = "·"

    @property
    def style(self) -> str:
        """The class of its outcome."""
        return STYLES.get(self.word, "")


@dataclass(frozen=True)
class Table:
    """Rows under a header; an empty cell says 「无」."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def said(self) -> list[list[str]]:
        """The rows, with no cell left blank."""
        return [[cell or "无" for cell in row] for row in self.rows]


@dataclass(frozen=True)
class Branch:
    """A line of indented findings."""

    depth: int
    text: str

    @property
    def style(self) -> str:
        """The class of the sign that it begins with."""
        return STYLES.get(self.text[:1], "")


@dataclass(frozen=True)
class Section:
    """A headed part: first ``paragraphs``, then what is listed, then ``remarks``.

    ``tree`` are lines indented by two blanks a level; ``commands`` what may be typed.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    table: Table | None = None
    tree: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    numbered: bool = False

    @property
    def branches(self) -> Iterator[Branch]:
        """The indented lines with their depth."""
        for line in self.tree:
            bare = line.lstrip(" ")
            yield Branch((len(line) - len(bare)) // len(_INDENT), bare)


@dataclass(frozen=True)
class Report:
    """A titled report; ``facts`` are its head (name and value), ``verdict`` a word in colour."""

    title: str
    facts: tuple[tuple[str, str], ...]
    verdict: str
    sections: tuple[Section, ...] = field(default=())

    @property
    def style(self) -> str:
        """The class of the verdict."""
        return STYLES.get(self.verdict, "")


def text(report: Report, width: int) -> str:
    """The report as plain text; tables are as wide as ``width`` columns allow."""
    return legible("\n".join(_lines(report, width))) + "\n"


def html(report: Report) -> str:
    """The report as one HTML file that needs no other."""
    return page("explanation.html", report=report)


def _lines(report: Report, width: int) -> Iterator[str]:
    yield report.title
    widest = max((cell_len(name) for name, _ in report.facts), default=0)
    for name, value in report.facts:
        yield f"{_INDENT}{name}{' ' * (widest - cell_len(name))}  {value}"
    for section in report.sections:
        yield ""
        yield f"■ {section.title}"
        yield from (f"{_INDENT}{p}" for p in section.paragraphs)
        for number, item in enumerate(section.items, 1):
            mark = f"{number}. " if section.numbered else f"{item.sign} "
            yield f"{_INDENT}{mark}{item.text}"
            yield from (f"{_INDENT}{' ' * cell_len(mark)}{d}" for d in item.details)
        if section.table is not None:
            yield from _table(section.table, width - len(_INDENT))
        yield from (f"{_INDENT}{line}" for line in section.tree)
        yield from (f"{_INDENT}{_INDENT}{c}" for c in section.commands)
        yield from (f"{_INDENT}{r}" for r in section.remarks)


def _table(table: Table, width: int) -> Iterator[str]:
    """The lines of a table; where it would be too narrow, those of its rows one below the other."""
    if crowded(table.header, table.said, width):
        for row in table.said:
            first, *rest = zip(table.header, row, strict=True)
            yield f"{_INDENT}· {first[0]}：{first[1]}"
            yield from (f"{_INDENT}  {name}：{value}" for name, value in rest)
        return
    out = io.StringIO()
    shown = listing(table.header, table.said, width)
    Console(file=out, width=width, color_system=None, emoji=False).print(shown)
    yield from (f"{_INDENT}{line.rstrip()}" for line in out.getvalue().splitlines())
