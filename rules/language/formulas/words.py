"""Formulas in words: the inverse of ``parser``."""

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Final

from rules.language.formulas.meaning import WITH_UNIT, FormulaError, Names
from rules.language.formulas.tokens import FUNCTIONS
from rules.model.days import day_text
from rules.model.quantities import UNITS, show
from rules.model.ruleset import Expr

_SUM, _PRODUCT, _ATOM = range(3)
_FOLDED: Final = {"least": "最小", "most": "最大", "else_known": "未知时取"}
_SPANS: Final = {"years": "足年", "days": "天数", "calendar_years": "年度差"}
_FLAGS: Final = {("const", "1"): "是", ("const", "0"): "否"}


def written(expr: Expr, names: Names, *, unit: str = "", root: int = 1) -> str:
    """A formula in words; ``unit`` is that of its indicator, ``root`` of a compound growth rate.

    ``FormulaError`` if the language has no words for it.

    >>> from rules.language.formulas.meaning import Formula
    >>> from rules.model.catalogue import Catalogue
    >>> ids = {"研发费用": "cost", "营业收入": "revenue"}
    >>> facts = {name: Formula(("fact", id), "number", "金额") for name, id in ids.items()}
    >>> names = Names(catalogue=Catalogue(), values=facts)
    >>> written(("least", ("fact", "cost"), ("const", "1000000")), names)
    '最小（研发费用，100万元）'
    """
    writer = _Writer(names)
    if root > 1:
        match expr:
            case ("div", ("year", id, offset) as now, ("year", base, before)) if (
                id == base and offset - before == root
            ):
                return _call("复合增长率", writer.name(now), str(root))
        raise _unwritable(expr)
    dimension = UNITS[unit][0] if unit in UNITS else unit
    return writer.write(expr, dimension, top=True)


def _unwritable(expr: Expr) -> FormulaError:
    return FormulaError("unwritable-formula", "算式语言中没有{value}的写法", value=expr)


def _call(name: str, *parts: str) -> str:
    assert name in FUNCTIONS
    return f"{name}（{'，'.join(parts)}）"


class _Writer:
    """Writes parts as their names, or else by their node; constants have the unit of their place."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.named: Mapping[Expr, str] = {
            f.expr: name
            for name, f in reversed(tuple(names.values.items()))  # an alias yields to what it names
            if f.root == 1 and not f.constant
        }

    def name(self, expr: Expr) -> str:
        if expr not in self.named:
            raise _unwritable(expr)
        return self.named[expr]

    def write(self, expr: Expr, want: str = "", least: int = _SUM, top: bool = False) -> str:
        """The words for an expression of dimension ``want``, in brackets if they bind too weakly.

        At the ``top``, an indicator's formula is not replaced by its name.
        """
        if expr in self.named and not (top and expr[0] not in ("fact", "year", "field")):
            return self.named[expr]
        text, level = self.node(expr, want)
        return text if level >= least else f"（{text}）"

    def all(self, exprs: Iterable[Expr], want: str) -> tuple[str, ...]:
        listed = list(exprs)
        common = self.common(listed) or want
        # a sum of flags is a number: only a choice among flags has flags as constants
        return tuple(self.write(e, want if want == "是否" else common) for e in listed)

    def node(self, expr: Expr, want: str) -> tuple[str, int]:
        """The words for a node, and how strongly they bind."""
        match expr:
            case ("const", text):
                return self.constant(expr, Fraction(text), want)
            case ("add", ("const", _), ("const", _), *others) if others:
                return _call("合计", *self.all(expr[1:], want)), _ATOM
            case ("add", first, *others) if others:
                common = self.common(expr[1:])
                weak = first[0] == "add" and first not in self.named
                words = [self.write(first, common, _PRODUCT if weak else _SUM)]
                words += [self.write(e, common, _PRODUCT) for e in others]
                return " + ".join(words), _SUM
            case ("sub", a, b):
                common = self.common(expr[1:])
                return f"{self.write(a, common)} − {self.write(b, common, _PRODUCT)}", _SUM
            case ("div", a, b):
                return self.quotient(a, b)
            case ("mul", a, b):
                return f"{self.write(a, '', _PRODUCT)} × {self.write(b, '', _ATOM)}", _PRODUCT
            case ("least" | "most" | "else_known" as node, *_):
                return _call(_FOLDED[node], *self.all(self.flat(expr), want)), _ATOM
            case ("bounded", a, lowers, uppers) if lowers or uppers:
                value, *ends = self.all((a, *lowers, *uppers), want)
                marks = ["下限"] * len(lowers) + ["上限"] * len(uppers)
                limits = (f"{mark} {end}" for mark, end in zip(marks, ends, strict=True))
                return _call("受限于", value, *limits), _ATOM
            case ("else_found", *parts):
                return _call("无法计算时取", *self.all(parts, want)), _ATOM
        return self.atom(expr), _ATOM

    def quotient(self, a: Expr, b: Expr) -> tuple[str, int]:
        match a, b:
            case ("sub", ("year", id, offset) as now, ("year", *_) as before), base if (
                before == base == ("year", id, offset - 1)
            ):
                return _call("增长率", self.name(now)), _ATOM
            case ("sub", now, before), base if before == base and base[0] != "const":
                return _call("增长率", self.write(now), self.write(base)), _ATOM
            case ("add", *parts), ("const", text) if a not in self.named and text == str(
                len(parts)
            ):
                return _call("平均", *self.all(parts, "")), _ATOM
        return f"{self.write(a, '', _PRODUCT)} ÷ {self.write(b, '', _ATOM)}", _PRODUCT

    def atom(self, expr: Expr) -> str:
        match expr:
            case ("count", _, rule, filed):
                return _call("件数", rule, *self.filed(filed))
            case ("total", records, id, rule, filed):
                summed = self.names.catalogue.field(records, id).name
                return _call("合计", rule, summed, *self.filed(filed))
            case ("days" | "years" | "calendar_years" as node, a, b):
                return _call(_SPANS[node], self.write(a), self.write(b))
            case ("year_number", a):
                return _call("年份", self.write(a))
            case ("lookup", table, a):
                return _call("查表", table, self.name(a))
            case ("as_of",):
                return "填报日"
            case ("new_year", offset) if offset <= 0:
                return {0: "本年", -1: "上年"}.get(offset, f"前{-offset}年") + "1月1日"
            case ("day", text):
                return day_text(date.fromisoformat(text))
        raise _unwritable(expr)

    def filed(self, id: str | None) -> tuple[str, ...]:
        """The filed total, as an argument."""
        return () if id is None else (f"或 {self.name(('fact', id))}",)

    def constant(self, expr: Expr, value: Fraction, want: str) -> tuple[str, int]:
        if want == "是否" and expr in _FLAGS:
            return _FLAGS[expr], _ATOM
        level = _SUM if value < 0 else _ATOM
        if not value or want not in WITH_UNIT:
            return _plain(expr, value), level
        unit = want if want != "金额" else "元" if value % _TEN_THOUSAND else "万元"
        shown = _plain(expr, value / UNITS[unit][1])
        return f"{shown}{unit}", level

    def flat(self, expr: Expr) -> list[Expr]:
        """The parts of a node of two that is nested to the left, down to a part that has a name."""
        node, first, last = expr
        parts = [last]
        while first[0] == node and first not in self.named:
            _, first, last = first
            parts.append(last)
        return [first, *reversed(parts)]

    # what constants are measured in

    def common(self, exprs: Iterable[Expr]) -> str:
        """The dimension of parts that have one in common; empty if none of them tells it."""
        return next((d for e in exprs if (d := self.dimension(e))), "")

    def dimension(self, expr: Expr) -> str:
        """The dimension of an expression; empty for a constant or what is no number."""
        if expr in self.named:
            found = self.names.values[self.named[expr]]
            return "项" if found.kind == "flag" else found.dimension
        match expr:
            case ("div", a, ("const", _)):
                return self.dimension(a)
            case ("div", a, b):
                x, y = self.dimension(a), self.dimension(b)
                return "比例" if x == y or not x else x
            case ("mul", a, b):
                return x if (x := self.dimension(a)) in WITH_UNIT else self.dimension(b)
            case ("add" | "sub" | "least" | "most" | "else_known" | "else_found", *parts):
                return self.common(parts)
            case ("bounded", a, lowers, uppers):
                return self.common((a, *lowers, *uppers))
            case ("count", *_):
                return "项"
            case ("total", records, id, *_):
                return UNITS[self.names.catalogue.field(records, id).unit][0]
            case ("days", *_):
                return "天"
            case ("years" | "calendar_years" | "year_number", *_):
                return "年"
        return ""


_TEN_THOUSAND: Final = UNITS["万元"][1]


def _decimal(value: Fraction) -> bool:
    """Whether a value has a finite decimal form."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _plain(expr: Expr, value: Fraction) -> str:
    """A value as a decimal number without a unit."""
    if not _decimal(value):
        raise _unwritable(expr)
    digits = value.denominator.bit_length()
    return show(value, "分", digits=digits).removesuffix("分").replace("-", "−")
