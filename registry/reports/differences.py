"""Two texts side by side as a table to hand round: plain text, Markdown or an HTML page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from registry.reports.pages import page
from rules.comparison.rows import (
    Change,
    Comparison,
    Definition,
    Requirement,
    Row,
    ScoreItem,
    ScoreRow,
)
from rules.explanation.wording import plain

#: What stands where a text says nothing of it.
NONE: Final = "—"
_KINDS: Final = (Change.CHANGED, Change.ADDED, Change.REMOVED)


@dataclass(frozen=True)
class Section:
    """A part of the comparison: sentences, then a table (perhaps without rows)."""

    title: str
    lines: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Sheet:
    """The comparison of one tier."""

    title: str
    lines: tuple[str, ...]
    sections: tuple[Section, ...]


def sheet(comparison: Comparison) -> Sheet:
    """A comparison as it is handed round."""
    before, after = comparison.before, comparison.after
    lines = (
        f"前：{before.source}（{before.root}，摘要{before.digest[:12]}）",
        f"后：{after.source}（{after.root}，摘要{after.digest[:12]}）",
        _counts(comparison),
    )
    return Sheet(after.tier or after.title, lines, tuple(_sections(comparison)))


def lone(tier: str, label: str) -> Sheet:
    """What is said of a tier that only one text has."""
    return Sheet(tier, (f"只有{label}规定这一层级，无从对照。",), ())


def _counts(comparison: Comparison) -> str:
    if comparison.identical:
        return "两个文本对这一层级的要求完全相同。"
    counted = {c: sum(r.change is c for r in comparison.rows) for c in Change}
    items = [s for s in comparison.scores if s.change is not Change.SAME]
    scored = f"；计分项变动{len(items)}项" if items else ""
    return f"条件：{'，'.join(f'{c.value}{n}项' for c, n in counted.items())}{scored}。"


def _sections(comparison: Comparison) -> Iterator[Section]:
    header = ("指标", "前", "后", "变化")
    by = {c: [r for r in comparison.rows if r.change is c] for c in Change}
    rows = tuple(_row(r) for c in _KINDS for r in by[c])
    if rows:
        yield Section("条件", (), header, rows)
    scores = [s for s in comparison.scores if s.change is not Change.SAME]
    if scores:
        yield Section("计分项", (), ("计分项", "前", "后", "变化"), tuple(map(_score, scores)))
    yield from _definitions(comparison.definitions)
    for title, names in (
        ("新增的填报和认定事项", comparison.facts_added),
        ("不再考察的填报和认定事项", comparison.facts_removed),
    ):
        if names:
            yield Section(title, (f"{'、'.join(names)}。",))
    same = tuple(
        (r.name, _cell(r.before), _cell(r.after)) for r in by[Change.SAME] if r.before and r.after
    )
    kept = [s for s in comparison.scores if s.change is Change.SAME]
    more = (f"另有{len(kept)}个计分项相同。",) if kept else ()
    if not comparison.identical and (same or more):
        yield Section("相同的条件", more, ("指标", "前", "后"), same)
    notes = tuple(
        (n.side, n.note.confidence, n.note.text, "、".join(n.rules)) for n in comparison.readings
    )
    if notes:
        said = "B：单一来源或转引；C：对文本未明之处的理解。只列有变动的条件所依据的解读。"
        yield Section("解读", (said,), ("文本", "置信度", "解读", "规则"), notes)


def _row(row: Row) -> tuple[str, ...]:
    changed = "；".join(row.details)
    word = row.change.value
    if row.change is not Change.CHANGED:
        changed = f"{word}；{changed}" if changed else word
    return row.name, _cell(row.before), _cell(row.after), changed


def _cell(requirement: Requirement | None) -> str:
    if requirement is None:
        return NONE
    role = f"（{requirement.role}）" if requirement.alternatives else ""
    return f"{requirement.text.replace(' ', '')}{role}〔{requirement.rule.id}，{requirement.rule.citation}〕"


def _score(row: ScoreRow) -> tuple[str, ...]:
    item = row.after or row.before
    assert item is not None
    name = f"{item.group}·{item.rule.id.rpartition('.')[2]}" if item.group else item.rule.title
    changed = "；".join(row.details) or row.change.value
    return name, _scored(row.before), _scored(row.after), changed


def _scored(item: ScoreItem | None) -> str:
    if item is None:
        return NONE
    return f"{item.rule.title}（满分{plain(item.full)}分）〔{item.rule.id}，{item.rule.citation}〕"


def _definitions(definitions: Sequence[Definition]) -> Iterator[Section]:
    changed = [d for d in definitions if d.change is Change.CHANGED]
    rows = [
        (d.name, d.before, d.after, "；".join(map(_difference, d.rows)) or "算法不同", d.citation)
        for d in changed
    ]
    formulas = [d for d in definitions if d.change is not Change.CHANGED and not d.rules]
    rows += [
        (d.name, d.before or NONE, d.after or NONE, d.change.value, d.citation) for d in formulas
    ]
    only = []
    for change, word in ((Change.ADDED, "只在后"), (Change.REMOVED, "只在前")):
        names = [d.name for d in definitions if d.change is change and d.rules]
        if names:
            only.append(f"{word}：{'、'.join(names)}。")
    if rows or only:
        yield Section("释义和算法", tuple(only), ("名称", "前", "后", "变化", "依据"), tuple(rows))


def _difference(row: Row) -> str:
    before, after = (r.text.replace(" ", "") if r else NONE for r in (row.before, row.after))
    told = f"（{'；'.join(row.details)}）" if row.details else ""
    moved = before if before == after else f"{before} → {after}"
    return f"{row.name}：{moved}{told}"


# -- formats -------------------------------------------------------------------------------------


def title(before: str, after: str) -> str:
    """The heading of a comparison."""
    return f"标准对照表：{before} 与 {after}"


def print_text(heading: str, sheets: Sequence[Sheet], console: Console) -> None:
    """Print the tables as plain text, as wide as the console."""
    console.print(heading, markup=False, style="bold")
    for found in sheets:
        console.print(f"\n■ {found.title}", markup=False, style="bold")
        for line in found.lines:
            console.print(f"  {line}", markup=False)
        for section in found.sections:
            console.print(f"\n{section.title}", markup=False, style="bold")
            for line in section.lines:
                console.print(line, markup=False)
            if section.rows:
                table = Table(
                    box=box.SIMPLE_HEAD, header_style="bold", show_edge=False, pad_edge=False
                )
                for name in section.header:
                    table.add_column(name, overflow="fold")
                for row in section.rows:
                    table.add_row(*(escape(cell.replace("〔", "\n〔")) for cell in row))
                console.print(table)


def markdown(heading: str, sheets: Sequence[Sheet]) -> str:
    """The tables in Markdown."""
    lines = [f"# {heading}", ""]
    for found in sheets:
        lines += [f"## {found.title}", "", *(f"- {line}" for line in found.lines), ""]
        for section in found.sections:
            lines += [f"### {section.title}", ""]
            for line in section.lines:
                lines += [_plain(line), ""]
            if section.rows:
                lines += [_piped(section.header), _piped(["---"] * len(section.header))]
                lines += [*map(_piped, section.rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _piped(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("\n", " ")


def html(heading: str, sheets: Sequence[Sheet]) -> str:
    """The tables as a page that opens offline and prints."""
    return page("diff.html", heading=heading, sheets=sheets, none=NONE)
