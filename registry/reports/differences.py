"""The comparison of two texts as a table to share."""

from collections.abc import Iterator, Sequence
from typing import Final

from registry.reports.layout import Part, Report, Section, Table
from rules.comparison.rows import (
    Comparison,
    Definition,
    Requirement,
    RequirementChange,
    Row,
    ScoreItem,
    ScoreRow,
)
from rules.explanation.wording import plain

#: Stands where one of the texts has no such requirement.
NONE: Final = "—"
_REMARK: Final = "本表由定义标准的文件编译后逐项比对生成，门槛、例外和条款均取自所运行的标准；对不上的条件列为只在一个文本中。"
_KINDS: Final = (RequirementChange.CHANGED, RequirementChange.ADDED, RequirementChange.REMOVED)


def report(before: str, after: str, parts: Sequence[Part]) -> Report:
    """The comparison of two texts, each under its label."""
    return Report(title=f"标准对照表：{before} 与 {after}", parts=tuple(parts), remark=_REMARK)


def part(comparison: Comparison) -> Part:
    """One comparison as a part of the report."""
    before, after = comparison.before, comparison.after
    lines = (
        f"前：{before.source}（{before.root}，摘要{before.digest[:12]}）",
        f"后：{after.source}（{after.root}，摘要{after.digest[:12]}）",
        _counts(comparison),
    )
    return Part(after.tier or after.title, lines, tuple(_sections(comparison)))


def lone(tier: str, label: str) -> Part:
    """The part for a tier that only one text has."""
    return Part(tier, (f"只有{label}规定这一层级，无从对照。",))


def _counts(comparison: Comparison) -> str:
    if comparison.identical:
        return "两个文本对这一层级的要求完全相同。"
    counted = {c: sum(r.change is c for r in comparison.rows) for c in RequirementChange}
    items = [s for s in comparison.scores if s.change is not RequirementChange.SAME]
    scored = f"；计分项变动{len(items)}项" if items else ""
    return f"条件：{'，'.join(f'{c.value}{n}项' for c, n in counted.items())}{scored}。"


def _sections(comparison: Comparison) -> Iterator[Section]:
    header = ("指标", "前", "后", "变化")
    by = {c: [r for r in comparison.rows if r.change is c] for c in RequirementChange}
    rows = tuple(_row(r) for c in _KINDS for r in by[c])
    if rows:
        yield Section(title="条件", table=Table(header, rows))
    scores = [s for s in comparison.scores if s.change is not RequirementChange.SAME]
    if scores:
        header = ("计分项", "前", "后", "变化")
        yield Section(title="计分项", table=Table(header, tuple(map(_score, scores))))
    yield from _definitions(comparison.definitions)
    for title, names in (
        ("新增的填报和认定事项", comparison.facts_added),
        ("不再考察的填报和认定事项", comparison.facts_removed),
    ):
        if names:
            yield Section(title=title, paragraphs=(f"{'、'.join(names)}。",))
    same = tuple(
        (r.name, _cell(r.before), _cell(r.after))
        for r in by[RequirementChange.SAME]
        if r.before and r.after
    )
    kept = [s for s in comparison.scores if s.change is RequirementChange.SAME]
    more = (f"另有{len(kept)}个计分项相同。",) if kept else ()
    if not comparison.identical and (same or more):
        table = Table(("指标", "前", "后"), same) if same else None
        yield Section(title="相同的条件", paragraphs=more, table=table)
    notes = tuple(
        (n.side, n.note.confidence, n.note.text, "、".join(n.rules)) for n in comparison.readings
    )
    if notes:
        said = "B：单一来源或转引；C：对文本未明之处的理解。只列有变动的条件所依据的解读。"
        yield Section(
            title="解读", paragraphs=(said,), table=Table(("文本", "置信度", "解读", "规则"), notes)
        )


def _row(row: Row) -> tuple[str, ...]:
    changed = "；".join(row.details)
    word = row.change.value
    if row.change is not RequirementChange.CHANGED:
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
    changed = [d for d in definitions if d.change is RequirementChange.CHANGED]
    rows = [
        (d.name, d.before, d.after, "；".join(map(_difference, d.rows)) or "算法不同", d.citation)
        for d in changed
    ]
    formulas = [d for d in definitions if d.change is not RequirementChange.CHANGED and not d.rules]
    rows += [
        (d.name, d.before or NONE, d.after or NONE, d.change.value, d.citation) for d in formulas
    ]
    only = []
    for change, word in (
        (RequirementChange.ADDED, "只在后"),
        (RequirementChange.REMOVED, "只在前"),
    ):
        names = [d.name for d in definitions if d.change is change and d.rules]
        if names:
            only.append(f"{word}：{'、'.join(names)}。")
    if rows or only:
        header = ("名称", "前", "后", "变化", "依据")
        table = Table(header, tuple(rows)) if rows else None
        yield Section(title="释义和算法", paragraphs=tuple(only), table=table)


def _difference(row: Row) -> str:
    before, after = (r.text.replace(" ", "") if r else NONE for r in (row.before, row.after))
    told = f"（{'；'.join(row.details)}）" if row.details else ""
    moved = before if before == after else f"{before} → {after}"
    return f"{row.name}：{moved}{told}"
