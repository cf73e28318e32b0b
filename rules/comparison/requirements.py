"""The requirements, the scored items and the facts of one ruleset."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

from rules.comparison.rows import Requirement, ScoreItem
from rules.explanation.wording import plain, quantity
from rules.model.expressions import asked, sought
from rules.model.facts import period_name
from rules.model.ruleset import (
    Attested,
    Band,
    Bands,
    Case,
    Cases,
    Expr,
    Indicator,
    Ladder,
    Line,
    Rule,
    Ruleset,
    Total,
)

#: Formulas that compute, instead of reading or counting.
ARITHMETIC: Final = ("add", "sub", "mul", "div", "most")


def asked_for(ruleset: Ruleset) -> dict[str, str]:
    """The parts of a filing that a ruleset reads: Chinese names by key.

    Keys are those of facts, of record fields (``ip.holder_rank``), and of yearly figures with their
    year relative to T (``rd_expense-1``). A list has a key of its own if its records are counted.
    """
    found = {
        key: name
        for indicator in ruleset.indicators.values()
        for leaf in sought(indicator.expr)
        for key, name in zip(
            asked(leaf, indicator.records), _names(ruleset, leaf, indicator), strict=True
        )
    }
    keys = {key for parameter in ruleset.parameters.values() for key in parameter.keys}
    return found | {key: ruleset.facts[key].name for key in sorted(keys)}


def _names(ruleset: Ruleset, leaf: Expr, indicator: Indicator) -> tuple[str, ...]:
    match leaf:
        case ("year", id, offset):
            return (period_name(ruleset.facts[id], offset),)
        case ("field", _):
            field = ruleset.read_by(leaf, indicator.records)
            return (f"{ruleset.lists[indicator.records].name}的{field.name}",)
        case ("count" | "total", records, *_, total):
            listed = f"{ruleset.lists[records].name}清单"
            return (listed, ruleset.facts[total].name) if total else (listed,)
    return (ruleset.facts[leaf[1]].name,)


def unchanged(before: Ruleset, after: Ruleset) -> frozenset[str]:
    """The rules, not over records, that have the same id and the same closure in both rulesets.

    Only rules whose cases are for different kinds of enterprise stay whole (the size of an SME by
    sector); the others are taken apart, so that each requirement has its row.
    """

    def closed(ruleset: Ruleset, id: str) -> Any:
        rule = ruleset.rule(id)
        return rule.title, rule.body, {r: closed(ruleset, r) for r in rule.rule_references()}

    ids = {r.id for r in before.rules} & {r.id for r in after.rules}
    return frozenset(
        id
        for id in ids
        if _by_kind(after, after.rule(id)) and closed(before, id) == closed(after, id)
    )


def _by_kind(ruleset: Ruleset, rule: Rule) -> bool:
    """Whether every case of a rule asks first which kind of enterprise it is."""
    if rule.records or not isinstance(rule.body, Cases) or len(rule.body.cases) == 1:
        return False
    return all(
        any(
            line.subject == "indicator" and ruleset.indicator(rule, line.name).kind == "code"
            for line in case.lines
        )
        for case in rule.body.cases
    )


def requirements(
    ruleset: Ruleset,
    root: str,
    whole: frozenset[str] = frozenset(),
    apart: frozenset[str] = frozenset(),
) -> list[Requirement]:
    """Every comparison below a rule, in order, except those that earn points.

    Rules in ``whole`` count as one requirement each; those in ``apart`` are left out.
    """
    found: dict[tuple[str, str, Line], Requirement] = {}
    records = ruleset.rule(root).records

    def visit(id: str, case: str, alternatives: tuple[str, ...]) -> None:
        rule = ruleset.rule(id)
        if rule.records != records or not isinstance(rule.body, Cases):
            return
        for own in rule.body.cases:
            several = len(rule.body.cases) > 1
            among = tuple(c.name for c in rule.body.cases) if several else alternatives
            name = own.name if several else case
            for line in own.lines:
                take(rule, own, line, name, among)

    def take(rule: Rule, own: Case, line: Line, case: str, alternatives: tuple[str, ...]) -> None:
        of, indicator, name = rule, None, line.name
        if line.subject == "indicator":
            indicator = ruleset.indicator(rule, line.name)
            name = indicator.shown
        elif line.subject == "points":
            id, _, group = line.name.partition("/")
            name = f"{group}得分" if group else id.rpartition(".")[2]
        elif line.subject == "unmet" or line.name in whole:
            of = ruleset.rule(line.name)
            name = of.title
        elif line.name in apart:
            return
        else:
            visit(line.name, case, alternatives)
            return
        found.setdefault(
            (rule.id, own.name, line),
            Requirement(
                rule=of,
                line=line,
                indicator=indicator,
                name=name,
                case=case,
                alternatives=alternatives,
            ),
        )

    visit(root, "", ())
    return list(found.values())


def score_items(ruleset: Ruleset) -> list[ScoreItem]:
    """The items of every total of a ruleset, in order, and the total itself if it is capped."""
    found = []
    for total in ruleset.rules:
        if not isinstance(total.body, Total):
            continue
        for item in total.body.items:
            rule = ruleset.rule(item.rule)
            bands = tuple(_bands(ruleset, rule))
            found.append(ScoreItem(rule, total.id, item.group, item.full, bands))
        if (cap := total.body.cap) is not None:
            found.append(ScoreItem(total, total.id, "", cap, (f"各项之和最高{plain(cap)}分",)))
    return found


def _bands(ruleset: Ruleset, rule: Rule) -> Iterator[str]:
    """The lines of a scored rule's table, best first."""
    match rule.body:
        case Bands(bands):
            for name, rows in bands:
                unit = ruleset.indicator(rule, name).unit
                for band in sorted(rows, key=lambda b: -b.points):
                    if band.points:
                        yield f"{name}{_range(band, unit)}：{plain(band.points)}分"
        case Ladder(rungs):
            for rung in rungs:
                asked = "，且".join(f"{_shown(ruleset, rule, x)}{x.text}" for x in rung.lines)
                yield f"{asked}：{plain(rung.points or Fraction(0))}分"
        case Attested(indicator, lo, hi):
            yield f"{indicator}：{plain(lo)}～{plain(hi)}分"
        case Cases() | Total():
            yield rule.title


def _range(band: Band, unit: str) -> str:
    if band.hi is None:
        return f"不低于{quantity(band.lo or Fraction(0), unit)}"
    if band.lo is None:
        return f"不高于{quantity(band.hi, unit)}"
    return f"{quantity(band.lo, unit)}～{quantity(band.hi, unit)}"


def conditions(ruleset: Ruleset, rule: Rule) -> str:
    """The conditions on a record in one sentence; the rules it builds on are written out."""
    cases = rule.body.cases if isinstance(rule.body, Cases) else ()
    texts = []
    for case in cases:
        parts = []
        for line in case.lines:
            if line.subject not in ("rule", "unmet"):
                parts.append(f"{_shown(ruleset, rule, line)}{_spaced(line.text)}")
                continue
            text = conditions(ruleset, ruleset.rule(line.name))
            if line.subject == "unmet":
                parts.append(f"不符合（{text}）")
            else:
                parts.append(f"（{text}）" if "；或" in text else text)
        texts.append("，".join(parts))
    return "；或".join(texts)


def _shown(ruleset: Ruleset, rule: Rule, line: Line) -> str:
    """The name of what a line compares."""
    if line.subject == "indicator":
        return ruleset.indicator(rule, line.name).shown
    return line.name


def _spaced(text: str) -> str:
    return text.replace(" ", "")
