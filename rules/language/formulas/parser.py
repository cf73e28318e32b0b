"""Reads a formula by recursive descent: a sum of products of operands."""

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Final

from rules.language.formulas.algebra import (
    COMPUTED,
    Part,
    bounded,
    earlier,
    joined,
    made,
    product,
    ratio,
    unfit,
    usable,
)
from rules.language.formulas.meaning import (
    COUNTS,
    ITEMS,
    RATIO,
    Formula,
    FormulaError,
    Names,
    said,
)
from rules.language.formulas.tokens import (
    FUNCTIONS,
    LOWER,
    OR,
    UPPER,
    Token,
    anchor,
    constant,
    error,
    like_quantity,
    tokens,
)
from rules.model.quantities import UNITS
from rules.model.ruleset import Expr

#: Far more than any formula of law has: what is longer, or nested deeper, is a mistake.
_LONGEST, _DEEPEST = 1000, 20
#: What to do about a name that is like no other, by its sort.
_UNKNOWN: Final = {
    "对照表": "：请补上 maps/{}.csv，或改正名称",
    "规则": "：请补写这条规则，或改正编号",
}
_CHECK: Final = "：请查对名称"
_YEARS: Final = re.compile("([1-9][0-9]?)年?", re.ASCII)


def parse_formula(text: str, names: Names) -> Formula:
    """Read a formula; ``FormulaError`` says at which character it goes wrong, and what to do.

    >>> from rules.model.catalogue import Catalogue
    >>> ids = {"研发费用": "cost", "营业收入": "revenue"}
    >>> facts = {name: Formula(("fact", id), "number", "金额") for name, id in ids.items()}
    >>> names = Names(catalogue=Catalogue(), values=facts)
    >>> parse_formula("研发费用 ÷ 营业收入", names)
    Formula(expr=('div', ('fact', 'cost'), ('fact', 'revenue')), kind='number', dimension='比例', root=1)
    >>> parse_formula("研发费 ÷ 2", names)
    Traceback (most recent call last):
    ...
    rules.language.formulas.meaning.FormulaError: 算式第1字处：没有名为「研发费」的填报项或指标，相近的有「研发费用」
    """
    if len(text) > _LONGEST:
        raise error("long-formula", "算式过长：请拆成几个指标", _LONGEST)
    return _Parser(text, names).formula()


class _Parser:
    """Takes the tokens one by one; each method takes those of one construct."""

    def __init__(self, text: str, names: Names) -> None:
        self.text = text
        self.names = names
        self.tokens = list(tokens(text))
        self.position = 0
        self.depth = 0

    # tokens

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.token
        self.position += token.kind != "end"
        return token

    def at(self, kind: str, *texts: str) -> bool:
        return self.token.kind == kind and (not texts or self.token.text in texts)

    def part(self, formula: Formula, start: int, open: bool = False) -> Part:
        """The part that began at a place and ends with the last token taken."""
        last = self.tokens[self.position - 1]
        return Part(formula, self.text[start : last.at + len(last.text)], start, open)

    # the grammar

    def formula(self) -> Formula:
        part = self.sum()
        if not self.at("end"):
            raise self.stray()
        usable([part])
        return part.formula

    def stray(self) -> FormulaError:
        """The error of a token where the formula should go on with an operator, or end."""
        token, before = self.token, self.tokens[self.position - 1]
        if token.text in UNITS and before.text[-1:].isdigit():
            pattern = "数字与单位「{value}」之间不能有空格"
            return error("spaced-unit", pattern, token.at, value=token.text)
        if token.kind == "name" or token.text == "（":
            pattern = "「{value}」之前缺少运算符或逗号"
            return error("missing-operator", pattern, token.at, value=token.text)
        if token.text == "）":
            return error("unopened-bracket", "多了一个「）」，没有与它成对的「（」", token.at)
        return error("stray-comma", "多了一个「，」：逗号只分隔函数的各项", token.at)

    def sum(self) -> Part:
        left = self.product()
        while self.at("operator", "+", "−"):
            sign = self.take().text
            formula = joined(sign, left, self.product())
            left = self.part(formula, left.start, open=sign == "+")
        return left

    def product(self) -> Part:
        left = self.operand()
        while self.at("operator", "×", "÷"):
            make = product if self.take().text == "×" else ratio
            left = self.part(make(left, self.operand()), left.start)
        return left

    def operand(self) -> Part:
        token = self.take()
        match token:
            case ("name", _, at):
                formula = self.call(token) if self.at("mark", "（") else self.value(token)
                return self.part(formula, at)
            case ("mark", "（", at):
                self.deeper(token)
                inner = self.sum()
                self.close(token)
                return self.part(inner.formula, at)
            case ("operator", "−", at):
                return self.part(self.negative(token), at)
        pattern = "此处应为名称、数量、函数或「（」，却是{value}"
        raise error("missing-operand", pattern, token.at, value=token.shown)

    def negative(self, sign: Token) -> Formula:
        """A number below zero."""
        number = constant(self.token.text)
        if number is None or number.kind != "number":
            pattern = "「−」之前缺少被减数：求相反数请写 0 − …"
            raise error("missing-minuend", pattern, sign.at)
        self.take()
        return replace(number, expr=("const", str(-Fraction(number.expr[1]))))

    def deeper(self, opening: Token) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise error("deep-formula", "括号套得太深：请拆成几个指标", opening.at)

    def close(self, opening: Token) -> None:
        """Take the bracket that closes another."""
        if self.at("end"):
            pattern = "缺少「）」，与第{first}字处的「（」成对"
            raise error("unclosed-bracket", pattern, self.token.at, first=opening.at + 1)
        if not self.at("mark", "）"):
            raise self.stray()
        self.take()
        self.depth -= 1

    def value(self, token: Token) -> Formula:
        """What a name or a quantity stands for."""
        text = token.text
        fixed = constant(text) or anchor(token)
        if fixed is not None:
            return fixed
        if text in self.names.values:
            return self.names.values[text]
        if text in FUNCTIONS:
            pattern = "函数「{value}」之后应为括号，写成 {expected}"
            raise error("missing-bracket", pattern, token.at, value=text, expected=FUNCTIONS[text])
        if self.names.rules.get(text):
            pattern = "「{value}」是规则，不是数：请写 件数（{value}）"
            raise error("rule-as-number", pattern, token.at, value=text)
        if text in self.names.rules:
            pattern = "「{value}」是规则，不能用在算式中"
            raise error("rule-in-formula", pattern, token.at, value=text)
        if like_quantity(text):
            pattern = "「{value}」不是可识别的数量：单位应为{expected}"
            raise error("unknown-unit", pattern, token.at, value=text, expected="、".join(UNITS))
        raise self.unknown("填报项或指标", token, (*self.names.values, *self.names.rules))

    def unknown(self, sort: str, token: Token, known: Iterable[str]) -> FormulaError:
        close = get_close_matches(token.text, tuple(known), 1)
        return error(
            "unknown-name",
            "没有名为「{value}」的{sort}{hint}",
            token.at,
            value=token.text,
            sort=sort,
            hint=f"，相近的有「{close[0]}」"
            if close
            else _UNKNOWN.get(sort, _CHECK).format(token.text),
        )

    # functions

    def call(self, name: Token) -> Formula:
        opening = self.take()
        if name.text not in FUNCTIONS:
            if name.text in self.names.values:
                pattern = "「{value}」不是函数，后面不能有括号"
                raise error("no-function", pattern, name.at, value=name.text)
            pattern = "没有名为「{value}」的函数：可用的有{expected}"
            known = "、".join(FUNCTIONS)
            raise error("unknown-function", pattern, name.at, value=name.text, expected=known)
        self.deeper(opening)
        if self.at("mark", "）"):
            raise self.misused(name)
        match name.text:
            case "件数":
                return self.count(name, opening)
            case "合计" if self.token.text in self.names.rules:
                return self.total(name, opening)
            case "查表":
                return self.lookup(name, opening)
            case "受限于":
                return self.bounded(name, opening)
            case "复合增长率":
                return self.compound(name, opening)
        make, number = COMPUTED[name.text]
        parts = [self.sum()]
        while self.more(opening):
            parts.append(self.sum())
        if len(parts) not in number:
            raise self.misused(name)
        return make(parts, name.at)

    def more(self, opening: Token) -> bool:
        """Take a comma, or else the closing bracket."""
        if self.at("mark", "，"):
            self.take()
            return True
        self.close(opening)
        return False

    def next(self, name: Token, opening: Token) -> None:
        """Take the comma before an argument that a function must have."""
        if not self.more(opening):
            raise self.misused(name)

    def misused(self, name: Token) -> FormulaError:
        pattern = "「{value}」的各项不合：应写成 {expected}"
        usage = FUNCTIONS[name.text]
        return error("unfit-arguments", pattern, name.at, value=name.text, expected=usage)

    def word(self, word: str) -> bool:
        """Take a word before an argument, whether or not a space follows it."""
        kind, text, at = self.token
        if kind != "name" or not text.startswith(word) or text in self.names.values:
            return False
        if rest := text.removeprefix(word):
            self.tokens[self.position] = Token("name", rest, at + len(word))
        else:
            self.take()
        return True

    def bounded(self, name: Token, opening: Token) -> Formula:
        parts = [self.sum()]
        lowers: list[Expr] = []
        uppers: list[Expr] = []
        while self.more(opening):
            start = self.token
            if self.word(LOWER):
                ends = lowers
            elif self.word(UPPER):
                ends = uppers
            else:
                pattern = "此处应为「下限」或「上限」，却是{value}"
                raise error("missing-limit", pattern, start.at, value=start.shown)
            parts.append(self.sum())
            ends.append(parts[-1].expr)
        if len(parts) == 1:
            raise self.misused(name)
        return bounded(parts, lowers, uppers, name.at)

    def compound(self, name: Token, opening: Token) -> Formula:
        part = self.sum()
        self.next(name, opening)
        token = self.take()
        years = _YEARS.fullmatch(token.text)
        if years is None:
            pattern = "此处应为年数，例如 2，却是{value}"
            raise error("unreadable-years", pattern, token.at, value=token.shown)
        root = int(years[1])
        if root == 1:
            raise error("one-year-growth", "一年的增长率请写 增长率（…）", token.at)
        before = earlier(part, root)
        self.close(opening)
        return Formula(("div", part.expr, before), "number", RATIO, root)

    # records and maps

    def named(self, sort: str, fitting: Collection[str], *others: str) -> Token:
        """Take a name of some sort; an error suggests one that is ``fitting``."""
        token = self.take()
        if token.kind != "name":
            pattern = "此处应为{sort}的名称或编号，却是{value}"
            raise error("missing-name", pattern, token.at, value=token.shown, sort=sort)
        if token.text not in fitting and token.text not in others:
            raise self.unknown(sort, token, fitting)
        return token

    def listed(self) -> tuple[str, str]:
        """A rule over records, and their list."""
        rules = self.names.rules
        token = self.named("规则", [id for id, records in rules.items() if records], *rules)
        if not rules[token.text]:
            pattern = "规则「{value}」不逐条适用于清单的记录，不能计数：应为标有 @对象 的规则"
            raise error("rule-without-records", pattern, token.at, value=token.text)
        return token.text, rules[token.text]

    def filed(self, name: Token, opening: Token, dimension: str) -> str | None:
        """The id of the filed total after 或, if any, up to the closing bracket."""
        if not self.more(opening):
            return None
        if not self.word(OR):
            raise self.misused(name)
        part = self.sum()
        self.close(opening)
        match part.expr:
            case ("fact", id) if part.formula.measure == dimension:
                return str(id)
        pattern = "「{value}」不能作申报总数：应为以{expected}计的填报项，不分年度"
        expected = dimension if dimension in COUNTS else said(dimension)
        raise error("unfit-total", pattern, part.start, value=part.shown, expected=expected)

    def count(self, name: Token, opening: Token) -> Formula:
        rule, records = self.listed()
        filed = self.filed(name, opening, ITEMS)
        return made(("count", records, rule, filed), ITEMS, name.at)

    def total(self, name: Token, opening: Token) -> Formula:
        rule, records = self.listed()
        self.next(name, opening)
        fields = self.names.fields(records)
        token = self.named("字段", fields)
        summed = fields[token.text]
        if summed.kind != "number" or summed.minimum is None or summed.minimum < 0:
            pattern = "「{value}」不能逐条相加：应为不会小于零的数量字段"
            raise error("unfit-field", pattern, token.at, value=token.text)
        dimension = UNITS[summed.unit][0]
        filed = self.filed(name, opening, dimension)
        return made(("total", records, summed.id, rule, filed), dimension, name.at)

    def lookup(self, name: Token, opening: Token) -> Formula:
        token = self.named("对照表", sorted(self.names.maps))
        self.next(name, opening)
        part = self.sum()
        self.close(opening)
        if part.formula.kind != "text":
            raise unfit(part, "查表所用的应为文字填报项")
        return made(("lookup", token.text, part.expr), "", name.at, "code")
