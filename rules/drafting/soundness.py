"""Criteria that compile but cannot be meant: parts that are missing, dead, or never used."""

from collections.abc import Collection, Iterable, Iterator
from fractions import Fraction
from typing import Final

from rules.errors import Problem
from rules.language import tables
from rules.language.clocks import unsettled
from rules.language.editions import RECHECK, RECOGNITION
from rules.language.linking import dependencies
from rules.language.rulebook import Rulebook
from rules.language.source import Clause, Row
from rules.model.catalogue import SIZES
from rules.model.nearness import folded, near
from rules.model.ruleset import Case, Cases, Ladder, Line, Rule

#: The tables that only say what governs; each row has its basis.
_GOVERNING: Final = (tables.APPLICABILITY, tables.WORKFLOW_ROWS, tables.CLOCK_ROWS)
_PROCEDURES: Final = (RECOGNITION, RECHECK)


def faults(rulebook: Rulebook, ids: Collection[str]) -> Iterator[Problem]:
    """Every fault of this kind in some rules and in their files."""
    yield from _untagged(rulebook, ids)
    yield from _unknown(rulebook, ids)
    yield from _twins(rulebook, ids)
    yield from _unsettled(rulebook, ids)
    for id in ids:
        if id in rulebook.rules:
            yield from _dead(rulebook.clauses[id], rulebook.rules[id])


def unused(rulebook: Rulebook, ids: Collection[str]) -> Iterator[Problem]:
    """One notice for each rule that no ruleset in force reaches.

    Where such rules rest on each other, only the topmost is named. Without an applicability table
    nothing is said: nobody knows yet what will govern. The same holds for workflows and clocks
    without the tables that say which of them govern.
    """
    for what, known, rows in (
        ("办理程序", rulebook.workflows.keys(), rulebook.workflow_rows),
        ("计时", rulebook.clocks.keys(), rulebook.clock_rows),
    ):
        listed = {row.ruleset for row in rows}
        for id in known & set(ids) - listed if rows else ():
            clause = rulebook.clauses[id]
            message = f"{what}「{id}」没有列入适用表，不会用到：请列入，或删去"
            yield Problem(clause.path, clause.line, message)
    if not rulebook.applicability:
        return
    reached = _reached(rulebook, _roots(rulebook))
    left = [id for id in rulebook.rules if id not in reached and not _by_role(id, reached)]
    below = {
        name
        for id in left
        for name in dependencies(rulebook.rules[id], rulebook.indicators)
        if name != id
    }
    for id in left:
        if id in ids and id not in below:
            clause = rulebook.clauses[id]
            message = (
                f"规则「{id}」没有列入适用表，也没有别的规则用到，不影响任何结论：请引用它，或删去"
            )
            yield Problem(clause.path, clause.line, message)


def _roots(rulebook: Rulebook) -> Iterator[str]:
    yield from (row.ruleset.partition("@")[0] for row in rulebook.applicability if row.encoded)
    yield from (fill.text for fill in rulebook.fills if fill.value is None)


def _reached(rulebook: Rulebook, roots: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    ahead = list(roots)
    while ahead:
        id = ahead.pop()
        if id not in seen and id in rulebook.rules:
            seen.add(id)
            ahead += dependencies(rulebook.rules[id], rulebook.indicators)
    return seen


def _by_role(id: str, reached: Collection[str]) -> bool:
    """Whether a rule is looked up by its name: the lower limits of the sizes of a sector."""
    limits, _, size = id.rpartition(".")
    return size in SIZES and limits in reached


def _untagged(rulebook: Rulebook, ids: Collection[str]) -> Iterator[Problem]:
    """One problem for each file that does not say where it comes from, or for which tier it is."""
    used = {
        name for rule in rulebook.rules.values() for name in dependencies(rule, rulebook.indicators)
    }
    used |= {fill.text for fill in rulebook.fills}
    used |= {size for id in rulebook.rules for size in (f"{id}.{name}" for name in SIZES)}
    for document in rulebook.documents:
        clauses = [c for c in document.clauses if c.id in ids]
        line = _title_line(document.text)
        judged = [c for c in clauses if c.definition.text not in _GOVERNING]
        if judged and not document.tag("source"):
            yield Problem(
                document.path,
                line,
                "没有文号，理由和告知书无从引用：请在「功能:」之上写 @source:文号",
            )
        tier, tiers = document.tag("tier"), [t.name for t in rulebook.catalogue.tiers]
        if clauses and tier and tier not in tiers and (hint := near(tier, tiers)):
            yield Problem(
                document.path, line, f"层级「{tier}」没有声明{hint}：请改正，或声明此层级"
            )
        top = [c for c in judged if c.id in rulebook.rules and c.id not in used]
        top = [c for c in top if not c.tag("对象")]
        if top and not document.tag("tier"):
            message = (
                f"没有层级，规则「{top[0].id}」不知用于哪一层级：请在「功能:」之上写 @tier:层级"
            )
            yield Problem(document.path, line, message)


def _title_line(text: str) -> int:
    lines = text.splitlines()
    return next((n for n, line in enumerate(lines, 1) if line.strip().startswith("功能")), 1)


def _unknown(rulebook: Rulebook, ids: Collection[str]) -> Iterator[Problem]:
    """One problem for each procedure of an applicability table that no case can have."""
    places = {(c.path, r.line): c.id for c in rulebook.clauses.values() for r in c.definition.table}
    for row in (*rulebook.written, *rulebook.workflow_rows):
        at = row.position
        if places.get((at.path, at.line)) not in ids:
            continue
        if row.procedure not in _PROCEDURES:
            said = f"「{row.procedure}」不是程序{near(row.procedure, _PROCEDURES)}"
            yield Problem(at.path, at.line, f"{said}：可用的有{'、'.join(_PROCEDURES)}")
        root = rulebook.rules.get(row.ruleset)
        tag = rulebook.document(root).tag("tier") if root is not None else row.tier
        if tag != row.tier and tag in (t.name for t in rulebook.catalogue.tiers):
            said = f"规则集「{row.ruleset}」所在的文件标为「{tag}」，此行的层级是「{row.tier}」"
            yield Problem(at.path, at.line, f"{said}：请使两者一致")


def _unsettled(rulebook: Rulebook, ids: Collection[str]) -> Iterator[Problem]:
    """One problem for each year in which other clocks begin so that an update has two last days, or none."""
    places = {(c.path, r.line): c.id for c in rulebook.clauses.values() for r in c.definition.table}
    for tier, province in dict.fromkeys((r.tier, r.province) for r in rulebook.clock_rows):
        for first, said in unsettled(rulebook.timing(tier, province).periods):
            rows = [r for r in rulebook.clock_rows if r.tier == tier]
            row = next((r for r in rows if r.start == first), rows[0])
            if places.get((row.position.path, row.position.line)) in ids:
                message = f"{tier}{first.year}年的更新应恰有一个最后日，按此表有：{said}"
                yield Problem(row.position.path, row.position.line, f"{message}；请改正起止日")


def _twins(rulebook: Rulebook, ids: Collection[str]) -> Iterator[Problem]:
    """One problem for each rule whose id or title looks like that of another."""
    seen: dict[str, str] = {}
    for id, clause in rulebook.clauses.items():
        first = seen.setdefault(folded(id), id)
        if first != id and id in ids:
            message = f"编号「{id}」与「{first}」看上去相同，字符不同：请统一写法，或改编号"
            yield Problem(clause.path, clause.line, message)


def _dead(clause: Clause, rule: Rule) -> Iterator[Problem]:
    """One problem for each case or row of a table that can never matter."""
    match rule.body:
        case Cases(cases):
            rows = clause.definition.table[1:]
        case Ladder(cases, _):
            rows = clause.definition.table[1:-1]
        case _:
            return
    ladder = isinstance(rule.body, Ladder)
    placed = _placed(cases, rows)
    for case, lines in zip(cases, placed, strict=True):
        yield from _dead_rows(clause, case, lines)
    for n, case in enumerate(cases):
        if _never(case):
            message = f"情形「{case.name}」的各行不能同时满足：请改正"
            yield Problem(clause.path, placed[n][0].line, message)
            continue
        others = cases[:n] if ladder else (*cases[:n], *cases[n + 1 :])
        wider = next((o for o in others if not _never(o) and _implies(case, o)), None)
        if wider is not None and set(wider.lines) != set(case.lines):
            message = f"情形「{case.name}」不起作用：满足它的也都满足「{wider.name}」，请改正或删去"
            yield Problem(clause.path, placed[n][0].line, message)


def _placed(cases: Iterable[Case], rows: tuple[Row, ...]) -> list[tuple[Row, ...]]:
    found, start = [], 0
    for case in cases:
        found.append(rows[start : start + len(case.lines)])
        start += len(case.lines)
    return found


def _dead_rows(clause: Clause, case: Case, rows: tuple[Row, ...]) -> Iterator[Problem]:
    for line, row in zip(case.lines, rows, strict=True):
        for other, at in zip(case.lines, rows, strict=True):
            if other is not line and _stronger(other, line) and not _stronger(line, other):
                message = f"此行不起作用：同一情形第{at.line}行的要求更严，请改正或删去"
                yield Problem(clause.path, row.line, message)
                break


def _implies(narrow: Case, wide: Case) -> bool:
    """Whether whatever satisfies one case satisfies another."""
    return all(any(_stronger(line, other) for line in narrow.lines) for other in wide.lines)


def _stronger(line: Line, other: Line) -> bool:
    """Whether one comparison holds only if another does; a rule's outcome and codes included."""
    if (line.subject, line.name) != (other.subject, other.name):
        return False
    if line.slot or other.slot:
        return (line.slot, line.op, line.value) == (other.slot, other.op, other.value)
    a, b = line.value, other.value
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        if line.op[0] != other.op[0]:
            return False
        if a == b:
            return line.op == other.op or "=" in other.op
        return a > b if line.op[0] == ">" else a < b
    if isinstance(a, tuple) and isinstance(b, tuple):
        return set(a) <= set(b)
    return a == b and line.op == other.op


def _never(case: Case) -> bool:
    """Whether two comparisons of a case contradict each other."""
    for line in case.lines:
        for other in case.lines:
            if {line.subject, other.subject} == {"rule", "unmet"} and line.name == other.name:
                return True
            if (line.subject, line.name) != (other.subject, other.name) or line.slot or other.slot:
                continue
            a, b = line.value, other.value
            if isinstance(a, tuple) and isinstance(b, tuple) and not set(a) & set(b):
                return True
            if isinstance(a, Fraction) and isinstance(b, Fraction):
                apart = line.op[0] == ">" and other.op[0] == "<"
                if apart and (a > b or (a == b and not ("=" in line.op and "=" in other.op))):
                    return True
    return False
