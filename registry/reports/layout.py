"""A report made of sections, tables and indented findings; written as text, Markdown or HTML."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
#: The beginning of a citation that ends a cell; the citation has a line of its own.
CITED: Final = "〔"


@dataclass(frozen=True)
class LayoutItem:
    """A list item, with the lines under it.

    ``word`` is an outcome that gives the item its colour; ``sign`` is an outcome's sign that
    replaces the bullet.
    """

    text: str
    details: tuple[str, ...] = ()
    word: str = ""
    sign: str = "·"

    @property
    def style(self) -> str:
        """The CSS class of its outcome."""
        return STYLES.get(self.word, "")


@dataclass(frozen=True)
class Table:
    """Rows under a header; an empty cell says 「无」."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def said(self) -> list[list[str]]:
        """The rows, without empty cells."""
        return [[cell or "无" for cell in row] for row in self.rows]


@dataclass(frozen=True)
class Branch:
    """A line of indented findings."""

    depth: int
    text: str

    @property
    def style(self) -> str:
        """The CSS class of the sign with which it begins."""
        return STYLES.get(self.text[:1], "")


@dataclass(frozen=True, kw_only=True)
class Section:
    """A headed part: first ``paragraphs``, then the lists, then ``remarks``.

    ``tree`` are lines indented by two blanks a level; ``commands`` are commands to type.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[LayoutItem, ...] = ()
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
class Part:
    """Sections under their own heading; ``lines`` introduce them."""

    title: str
    lines: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """A titled report; ``facts`` are its head (name and value), ``verdict`` a coloured word.

    On a page, ``remark`` says how the report was made. Its sections stand alone or in ``parts``.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    verdict: str = ""
    sections: tuple[Section, ...] = ()
    parts: tuple[Part, ...] = ()
    remark: str = ""

    @property
    def style(self) -> str:
        """The CSS class of the verdict."""
        return STYLES.get(self.verdict, "")


# -- text ----------------------------------------------------------------------------------------


def text(report: Report, width: int) -> str:
    """The report as plain text; tables are at most ``width`` columns wide."""
    return legible("\n".join(_lines(report, width))) + "\n"


def _lines(report: Report, width: int) -> Iterator[str]:
    yield report.title
    widest = max((cell_len(name) for name, _ in report.facts), default=0)
    for name, value in report.facts:
        yield f"{_INDENT}{name}{' ' * (widest - cell_len(name))}  {value}"
    for section in report.sections:
        yield from ("", f"■ {section.title}")
        yield from (f"{_INDENT}{line}" for line in _section(section, width - len(_INDENT)))
    for part in report.parts:
        yield from ("", f"■ {part.title}", *(f"{_INDENT}{line}" for line in part.lines))
        for section in part.sections:
            yield from ("", section.title, *_section(section, width))


def _section(section: Section, width: int) -> Iterator[str]:
    """The lines of a section under its title."""
    yield from section.paragraphs
    for number, item in enumerate(section.items, 1):
        mark = f"{number}. " if section.numbered else f"{item.sign} "
        yield f"{mark}{item.text}"
        yield from (f"{' ' * cell_len(mark)}{d}" for d in item.details)
    if section.table is not None:
        yield from _table(section.table, width)
    yield from section.tree
    yield from (f"{_INDENT}{c}" for c in section.commands)
    yield from section.remarks


def _table(table: Table, width: int) -> Iterator[str]:
    """The lines of a table; if it would be too narrow, each row becomes a block of lines."""
    rows = [[cell.replace(CITED, f"\n{CITED}") for cell in row] for row in table.said]
    if crowded(table.header, rows, width):
        for row in table.said:
            first, *rest = zip(table.header, row, strict=True)
            yield f"· {first[0]}：{first[1]}"
            yield from (f"  {name}：{value}" for name, value in rest)
        return
    out = io.StringIO()
    shown = listing(table.header, rows, width)
    Console(file=out, width=width, color_system=None, emoji=False).print(shown)
    yield from (line.rstrip() for line in out.getvalue().splitlines())


# -- Markdown ------------------------------------------------------------------------------------


def markdown(report: Report) -> str:
    """The report in Markdown."""
    lines = [f"# {report.title}", ""]
    if report.verdict:
        lines += [f"**{_plain(report.verdict)}**", ""]
    if report.facts:
        lines += [*(f"- {_plain(f'{name}：{value}')}" for name, value in report.facts), ""]
    for section in report.sections:
        lines += [f"## {section.title}", "", *_section_markdown(section)]
    for part in report.parts:
        lines += [f"## {part.title}", "", *(f"- {line}" for line in part.lines), ""]
        for section in part.sections:
            lines += [f"### {section.title}", "", *_section_markdown(section)]
    return legible("\n".join(lines).rstrip()) + "\n"


def _section_markdown(section: Section) -> Iterator[str]:
    for paragraph in section.paragraphs:
        yield from (_plain(paragraph), "")
    if section.items:
        mark = "1." if section.numbered else "-"
        for item in section.items:
            yield f"{mark} {_plain(item.text)}"
            yield from (f"{' ' * len(mark)} - {_plain(d)}" for d in item.details)
        yield ""
    if section.table is not None:
        header = section.table.header
        yield from (_piped(header), _piped(["---"] * len(header)))
        yield from (*map(_piped, section.table.said), "")
    if section.tree:
        yield from (f"{_INDENT * b.depth}- {_plain(b.text)}" for b in section.branches)
        yield ""
    if section.commands:
        yield from ("```", *section.commands, "```", "")
    for remark in section.remarks:
        yield from (_plain(remark), "")


def _piped(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("\n", " ")


# -- HTML ----------------------------------------------------------------------------------------


def html(report: Report) -> str:
    """The report as one self-contained HTML file that prints well."""
    return page("report.html", report=report, cited=CITED)
