"""The formulas of indicators in words, for readers who look up how a figure is computed."""

from collections.abc import Callable
from typing import Final

from rules.model.catalogue import Catalogue
from rules.model.facts import period_name
from rules.model.ruleset import Expr, Indicator

_SIGNS: Final = {"add": "＋", "sub": "－", "div": "÷"}


def formula_in_words(indicator: Indicator, name: Callable[[str], str], catalogue: Catalogue) -> str:
    """How an indicator is computed, in one sentence; ``name`` is the word for a rule's id."""

    def said(expr: Expr) -> str:
        match expr:
            case ("year", id, offset):
                return period_name(catalogue.fact(id), offset)
            case ("fact", id):
                return catalogue.fact(id).name
            case ("field", id):
                return catalogue.field(indicator.records, id).name
            case ("const", text):
                return str(text)
            case ("as_of",):
                return "填报日"
            case ("new_year", offset):
                year = {0: "填报当年", -1: "填报上一年"}.get(offset, f"填报当年{offset:+d}年")
                return f"{year}1月1日"
            case ("count", records, rule, filed):
                counted = f"符合「{name(rule)}」的{catalogue.record_kind(records).name}件数"
                return counted + filed_total(filed)
            case ("total", records, field, rule, filed):
                listed, of = catalogue.record_kind(records), catalogue.field(records, field)
                return f"符合「{name(rule)}」的{listed.name}的{of.name}之和" + filed_total(filed)
            case ("add" | "sub" | "div" as node, *parts):
                return _SIGNS[node].join(map(inner, parts))
            case ("least", a, b):
                return f"{inner(a)}（至多{said(b)}）"
            case ("bounded", a, lowers, uppers):
                return said(a) + _bounds(lowers, uppers, bound)
            case ("days", a, b):
                return f"从{said(a)}到{said(b)}的天数"
            case ("years", a, b):
                return f"从{said(a)}到{said(b)}的年数"
            case ("calendar_years", a, b):
                return f"{said(b)}的年份－{said(a)}的年份"
            case ("year_number", a):
                return f"{said(a)}的年份"
            case ("lookup", table, a):
                return f"{said(a)}在 {table} 表中所属的类"
            case ("else_found", a, b):
                return f"{said(a)}；无法得出的，用{said(b)}"
            case ("else_known", a, b):
                return f"{said(a)}；未填报的，用{said(b)}"
        return str(expr[0])

    def inner(expr: Expr) -> str:
        return f"（{said(expr)}）" if expr[0] in _SIGNS else said(expr)

    def bound(expr: Expr) -> str:
        """A bound in short: the filed total stands for what is counted."""
        if expr[0] in ("count", "total"):
            return catalogue.fact(expr[-1]).name if expr[-1] else name(expr[-2])
        return said(expr)

    def filed_total(total: str | None) -> str:
        return f"；没有逐条填报的，用{catalogue.fact(total).name}" if total else ""

    return said(indicator.expr)


def _bounds(
    lowers: tuple[Expr, ...], uppers: tuple[Expr, ...], bound: Callable[[Expr], str]
) -> str:
    parts = [f"不少于{'、'.join(map(bound, lowers))}"] if lowers else []
    parts += [f"不多于{'、'.join(map(bound, uppers))}"] if uppers else []
    return f"；未知时{'，'.join(parts)}" if parts else ""
