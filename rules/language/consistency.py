"""Checks that need the whole rulebook: cycles, gaps, overlaps, and clause against table."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from rules.errors import Problem
from rules.language import tables
from rules.language.columns import rows_of
from rules.language.editions import ApplicabilityRow
from rules.language.lines import MEMBERSHIPS
from rules.language.linking import Links, dependencies, indicator_keys, marked
from rules.language.source import Clause
from rules.language.tiers import COLUMNS, TIERS
from rules.language.values import DATED, exact_decimal
from rules.language.wording import (
    Names,
    alike,
    besides,
    contradictions,
    denials,
    factors,
    shares,
    spans,
    times,
)
from rules.model.expressions import leaves
from rules.model.quantities import LONGEST, Quantity, mentions, show
from rules.model.ruleset import Rule, Total
from rules.portable.calendar import Term
from rules.portable.clocks import VALIDITY

#: A full day in words or figures.
_DAY: Final = re.compile(r"(\d{4})[年-](\d{1,2})[月-](\d{1,2})(?:日|(?!\d))", re.ASCII)


def inconsistencies(links: Links, applicability: tuple[ApplicabilityRow, ...]) -> Iterator[Problem]:
    """Every fault in clauses that each compile but cannot be meant together.

    ``applicability`` contains the written rows and those that follow from provinces' fills.
    """
    yield from _cycles(links)
    yield from _unused_slots(links)
    yield from _overlaps(applicability)
    yield from _overlaps(links.workflow_rows)
    yield from _overlaps(links.clock_rows)
    yield from _validities(links)
    names = Names((i.name for i in links.indicators.values()), links.catalogue)
    for rule in links.rules.values():
        clause = links.clauses[rule.id]
        yield from _references(links, clause, rule)
        yield from _full_points(links, clause, rule)
        yield from _shares(links, clause, rule)
        yield from _quantities(links, clause, rule.scored)
        yield from _wording(links, clause, rule, names)
    for id in dict.fromkeys((*links.thresholds, *(f.clause for f in links.fills))):
        yield from _quantities(links, links.clauses[id], False)


def _cycles(links: Links) -> Iterator[Problem]:
    done: set[str] = set()

    def visit(id: str, path: tuple[str, ...]) -> Iterator[Problem]:
        if id in path:
            clause = links.clauses[id]
            cycle = " → ".join((*path[path.index(id) :], id))
            yield Problem(clause.path, clause.line, f"规则循环引用：{cycle}，请断开其中一处")
        elif id in links.rules and id not in done:
            for reference in dependencies(links.rules[id], links.indicators):
                yield from visit(reference, (*path, id))
            done.add(id)

    for id in links.rules:
        yield from visit(id, ())


def _unused_slots(links: Links) -> Iterator[Problem]:
    for id, slot in links.thresholds.items():
        clause = links.clauses[id]
        others = (c for c in links.clauses.values() if c.id != id)
        if not any(slot.name in r.cells for c in others for r in c.definition.table):
            yield Problem(
                clause.path,
                clause.definition.line,
                f"门槛「{slot.name}」没有任何规则使用：请在门槛列写「{slot.name}」，或删去此规则",
            )


def _overlaps(rows: tuple[ApplicabilityRow, ...]) -> Iterator[Problem]:
    for number, row in enumerate(rows):
        for earlier in rows[:number]:
            if row.collides(earlier):
                yield Problem(
                    row.position.path,
                    row.position.line,
                    f"与 {earlier.position} 同时适用于同一批案件：请使日期不重叠",
                )


def _validities(links: Links) -> Iterator[Problem]:
    """Years for which a title is declared to be valid, though no clocks of its tier give them.

    They serve where no clocks govern. A later text may give another term, so it is enough that one
    table gives them.
    """
    years = {tier.name: tier.years for tier in links.catalogue.tiers}
    for clause, row, cells in rows_of(links.clauses.values(), TIERS, COLUMNS, (), []):
        name = cells["名称"]
        timed = dict.fromkeys(r.ruleset for r in links.clock_rows if r.tier == name)
        clocks = [links.clocks[id].clock(VALIDITY) for id in timed if id in links.clocks]
        terms = dict.fromkeys(clock.term for clock in clocks if clock and clock.term)
        declared = years.get(name)
        if (
            declared
            and terms
            and {Term(declared, "年"), Term(declared * 12, "个月")}.isdisjoint(terms)
        ):
            told = "、".join(f"{term.number}{term.unit}" for term in terms)
            yield Problem(
                clause.path,
                row.line,
                f"「{name}」的有效期写为{declared}年，所适用的计时写的是{told}：请使两者一致",
            )


def _references(links: Links, clause: Clause, rule: Rule) -> Iterator[Problem]:
    for id in dict.fromkeys(dependencies(rule, links.indicators)):
        if id not in links.clauses:
            yield Problem(
                clause.path,
                clause.definition.line,
                f"所用指标要按规则「{id}」逐条判断，但没有这条规则：请补写，或改用其他指标",
            )
    for id in dict.fromkeys(rule.rule_references()):
        other = links.rules.get(id)
        if other is not None and other.records != rule.records:
            yield Problem(
                clause.path,
                clause.definition.line,
                f"规则「{id}」的对象不同，不能直接引用：请用「{other.title}件数」"
                if other.records
                else f"规则「{id}」不是逐条判断的规则，不能在此引用：请移到别的规则中",
            )


def _full_points(links: Links, clause: Clause, rule: Rule) -> Iterator[Problem]:
    if not isinstance(rule.body, Total):
        return
    rows = clause.definition.table[1 : 1 + len(rule.body.items)]  # the last row may be a cap
    for row, item in zip(rows, rule.body.items, strict=True):
        summand = links.rules.get(item.rule)
        best = None if summand is None else summand.possible
        if best is not None and best != item.full:
            yield Problem(
                clause.path,
                row.line,
                f"「{item.rule}」的最高得分是{best}分，与满分{item.full}分不符：请改正",
            )


def _shares(links: Links, clause: Clause, rule: Rule) -> Iterator[Problem]:
    """Shares that holdings can prove, where no threshold says which holdings do."""
    compared = {line.name for _, line in rule.lines()}
    for name, key in zip(rule.indicator_names(), indicator_keys(rule), strict=True):
        expr = links.indicators[key].expr
        for leaf in leaves(expr):
            fact = links.catalogue.fact(leaf[1]) if leaf[0] == "fact" else None
            if fact and fact.share_with and (leaf != expr or name not in compared):
                yield Problem(
                    clause.path,
                    clause.definition.line,
                    f"「{fact.name}」由登记的持股证明，只能在情形中直接与一个比例相比：请不要用于算式或计分段",
                )


def _said(clause: Clause) -> str:
    """The clause in words."""
    return "；".join([clause.title, *(p for p in clause.prose if not marked(p))])


def _wording(links: Links, clause: Clause, rule: Rule, names: Names) -> Iterator[Problem]:
    """Directions and names of the clause that are certainly not those of its table."""
    text = _said(clause)
    for said in (
        *contradictions(text, rule, links.indicators, names, lambda: _used(links, rule)),
        *denials(text, rule, links.indicators),
    ):
        yield Problem(clause.path, clause.line, said)


def _used(links: Links, root: Rule) -> Iterator[str]:
    """The names of the figures of a rule and of all on which it rests, and of their facts."""
    seen: set[str] = set()
    ahead = [root.id]
    while ahead:
        id = ahead.pop()
        if id in seen or id not in links.rules:
            continue
        seen.add(id)
        rule = links.rules[id]
        ahead += dependencies(rule, links.indicators)
        for key in indicator_keys(rule):
            yield links.indicators[key].name
            for leaf in leaves(links.indicators[key].expr):
                if leaf[0] in ("fact", "year"):
                    yield links.catalogue.fact(leaf[1]).name


def _quantities(links: Links, clause: Clause, scored: bool) -> Iterator[Problem]:
    text = _said(clause)
    columns = slice(None)
    if clause.definition.text == tables.FILL:
        text, columns = DATED.sub("", text), slice(-1, None)
    elif clause.definition.text == tables.SLOT and scored:
        columns = slice(-1)  # the last column binds provinces, not enterprises
    days, text = _fixed_days(text)
    written = _counted(mentions(text), scored)
    slots = {t.name: t.text for t in links.thresholds.values()}
    rows = clause.definition.table[1:]

    def read(cells: Iterable[str]) -> tuple[set[str], set[Quantity]]:
        shown = (slots.get(c, "" if c in links.clauses else c) for c in cells)
        found, numbers = _fixed_days("；".join(shown))
        return found, _counted(mentions(numbers), scored)

    names = [cell for row in rows for cell in row.cells]
    multiples = factors(names)
    fixed, shown = read(c for r in rows for c in r.cells[columns])
    _, defined = read(c for r in rows for c in _figures(r.cells[columns]))
    may_say = {alike(q) for q in shown} | shares(multiples) | spans(names) | besides(text)
    may_mean = {alike(q) for q in written} | besides(text)
    for day in sorted(days - fixed):
        yield Problem(
            clause.path,
            clause.line,
            f"条文写有{day}，定义表中没有：请使条文与定义表的日期一致",
        )
    for day in sorted(fixed - days):
        yield Problem(
            clause.path,
            clause.definition.line,
            f"定义表写有{day}，条文「{clause.title}」中没有：请使条文与定义表的日期一致",
        )
    said = times(text)
    for factor in sorted(multiples) if said else ():
        if not said & {factor, factor - 1} and not shares([factor]) & written:
            yield Problem(
                clause.path,
                clause.definition.line,
                f"定义表写有{exact_decimal(factor)}倍，条文「{clause.title}」中没有：请使条文与定义表的数字一致",
            )
    for quantity in sorted(q for q in written if alike(q) not in may_say):
        yield Problem(
            clause.path,
            clause.line,
            f"条文写有{_show(quantity)}，定义表中没有：请使条文与定义表的数字一致",
        )
    for quantity in sorted(q for q in defined if alike(q) not in may_mean):
        yield Problem(
            clause.path,
            clause.definition.line,
            f"定义表写有{_show(quantity)}，条文「{clause.title}」中没有：请使条文与定义表的数字一致",
        )


def _figures(cells: tuple[str, ...]) -> tuple[str, ...]:
    """The cells whose quantities a clause must carry: of a yes-no fact or a choice not the name."""
    at = next((i for i, cell in enumerate(cells) if cell in MEMBERSHIPS), 0)
    return cells[: at - 1] + cells[at:] if at else cells


def _fixed_days(text: str) -> tuple[set[str], str]:
    """The full days in a text, and the rest of it."""
    plain = unicodedata.normalize("NFKC", text)
    found = {f"{int(y)}年{int(m)}月{int(d)}日" for y, m, d in _DAY.findall(plain)}
    return found, _DAY.sub("", plain)


def _counted(quantities: set[Quantity], scored: bool) -> set[Quantity]:
    if not scored:
        return quantities
    return {q for q in quantities if q.dimension != "分" and q.value}


def _show(quantity: Quantity) -> str:
    unit = {"金额": "万元", "比例": "%"}.get(quantity.dimension, quantity.dimension)
    return show(quantity.value, unit, digits=LONGEST)
