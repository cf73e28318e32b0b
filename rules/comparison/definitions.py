"""Terms of two texts: the conditions for a record to count, and the formulas of indicators."""

from collections.abc import Callable, Hashable, Iterator
from typing import Final

from rules.comparison.matching import match
from rules.comparison.requirements import ARITHMETIC, conditions, requirements
from rules.comparison.rows import Definition, RequirementChange
from rules.explanation.wording import quantity
from rules.model.expressions import leaves
from rules.model.facts import PERIODS, period_name
from rules.model.ruleset import Expr, Parameter, Rule, Ruleset
from rules.portable.record import share_with

_YEARS: Final = {offset: word for word, offset in PERIODS.items()}
_SIGNS: Final = {"add": "＋", "sub": "－", "mul": "×", "div": "÷"}


def counterparts(before: Ruleset, after: Ruleset) -> dict[str, str]:
    """Rules over records of the old text and their counterparts in the new one."""
    old = [r for r in before.rules if r.records]
    new = [r for r in after.rules if r.records]
    found: dict[str, str] = {}

    def pair(key: Callable[[Ruleset, Rule], Hashable]) -> None:
        for rule in old:
            taken = set(found.values())
            wanted = key(before, rule)
            same = [r for r in new if r.id not in taken and key(after, r) == wanted]
            rivals = [r for r in old if r.id not in found and key(before, r) == wanted]
            if rule.id not in found and len(same) == len(rivals) == 1:
                found[rule.id] = same[0].id

    pair(lambda _, r: r.id)
    pair(lambda _, r: (r.records, r.id.rpartition(".")[2]))
    pair(lambda _, r: (r.records, frozenset((x.subject, x.name, x.op) for _, x in r.lines())))
    return found


def record_definitions(
    before: Ruleset, after: Ruleset, twins: dict[str, str]
) -> Iterator[Definition]:
    """Rules over records that differ, or that only one text has.

    A rule that they build on has its own definition if both texts have it.
    """
    back = {new: old for old, new in twins.items()}
    for rule in after.rules:
        if not rule.records:
            continue
        if rule.id not in back:
            text = conditions(after, rule)
            yield Definition(
                RequirementChange.ADDED, rule.title, "", text, _cited(rule), rules=(rule.id,)
            )
            continue
        old = before.rule(back[rule.id])
        rows = match(
            requirements(before, old.id, apart=frozenset(twins)),
            requirements(after, rule.id, apart=frozenset(back)),
            twins,
            (before, after),
        )
        differing = tuple(r for r in rows if r.change is not RequirementChange.SAME)
        if differing:
            name = rule.title if old.title == rule.title else f"{old.title} → {rule.title}"
            cited = " → ".join(dict.fromkeys((_cited(old), _cited(rule))))
            texts = conditions(before, old), conditions(after, rule)
            ids = old.id, rule.id
            yield Definition(RequirementChange.CHANGED, name, *texts, cited, differing, ids)
    for rule in before.rules:
        if rule.records and rule.id not in twins:
            text = conditions(before, rule)
            yield Definition(
                RequirementChange.REMOVED, rule.title, text, "", _cited(rule), rules=(rule.id,)
            )


def _cited(rule: Rule) -> str:
    return f"{rule.id}，{rule.citation}"


def formulas(before: Ruleset, after: Ruleset) -> Iterator[Definition]:
    """Computed indicators that differ, or that only one text compares."""
    old, new = (
        {k: i for k, i in s.indicators.items() if i.expr[0] in ARITHMETIC} for s in (before, after)
    )
    for name, indicator in new.items():
        was = old.get(name)
        if was is None or was.expr != indicator.expr:
            change = RequirementChange.ADDED if was is None else RequirementChange.CHANGED
            texts = (
                formula_text(was.expr, before) if was else "",
                formula_text(indicator.expr, after),
            )
            yield Definition(change, indicator.name, *texts, indicator.clause)
    for name, indicator in old.items():
        if name not in new:
            text = formula_text(indicator.expr, before)
            yield Definition(RequirementChange.REMOVED, indicator.name, text, "", indicator.clause)


def parameters(before: Ruleset, after: Ruleset) -> Iterator[Definition]:
    """Parameters whose values differ, or that only one text has."""
    for name in dict.fromkeys((*after.parameters, *before.parameters)):
        old, new = before.parameters.get(name), after.parameters.get(name)
        if old != new:
            change = RequirementChange.CHANGED if old and new else RequirementChange.ADDED
            change = change if new else RequirementChange.REMOVED
            rows = [row for parameter in (new or old,) if parameter for row in parameter.rows]
            basis = "、".join(dict.fromkeys(row.basis for row in rows if row.basis))
            texts = _rows_text(old) if old else "", _rows_text(new) if new else ""
            yield Definition(change, name, *texts, basis)


def shares(before: Ruleset, after: Ruleset) -> Iterator[Definition]:
    """Facts that state a share with holders of one title in one text, and of another in the other."""
    texts = before.to_json(), after.to_json()
    for key in (id for id in after.facts if id in before.facts):
        old, new = (share_with(text, key) for text in texts)
        if old != new:
            name = after.facts[key].name
            yield Definition(RequirementChange.CHANGED, name, _other(old), _other(new), "")


def _other(title: str) -> str:
    return f"持股对方为{title}" if title else "不看登记的持股"


def _rows_text(parameter: Parameter) -> str:
    return "；".join(
        f"{row.place}{row.sector}{'' if row.year is None else f'{row.year}年'}"
        f"{quantity(row.value, parameter.unit)}"
        for row in parameter.rows
    )


def formula_text(expr: Expr, ruleset: Ruleset) -> str:
    """An arithmetic formula of a ruleset in words, such as 上年度研发费用总额÷上年度营业收入总额."""

    def said(part: Expr) -> str:
        return formula_text(part, ruleset)

    match expr:
        case ("year", id, offset):
            return period_name(ruleset.facts[id], offset)
        case ("fact", id):
            return ruleset.facts[id].name
        case ("const", text):
            return str(text)
        case ("count", records, _, total) | ("total", records, _, _, total):
            return ruleset.facts[total].name if total else f"{ruleset.lists[records].name}件数"
        case ("add" | "sub" | "mul" | "div" as node, *parts):
            return _SIGNS[node].join(
                f"（{said(p)}）" if p[0] in ARITHMETIC else said(p) for p in parts
            )
        case ("least", a, _) | ("bounded", a, *_):
            return said(a)
        case ("most", a, b):
            return f"{said(a)}与{said(b)}中较大者"
        case ("parameter", name, offset):
            return f"{_YEARS.get(offset, '')}{name}"
    names = [said(leaf) for leaf in leaves(expr) if leaf[0] != "field"]
    return "、".join(names)
