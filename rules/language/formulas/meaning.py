"""What a formula and the names in it stand for: a kind of value, and the dimension of a number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from rules.errors import RulesError
from rules.model.catalogue import Catalogue
from rules.model.facts import IDENTITY, PERIODS, Fact, Kind, period_name
from rules.model.quantities import UNITS
from rules.model.ruleset import Expr

#: The dimension of a number that is written without a unit.
PLAIN: Final = "纯数"
MONEY: Final = "金额"
RATIO: Final = "比例"
IN_DAYS: Final = "天"
IN_YEARS: Final = "年"
ITEMS: Final = "项"
#: Things that are counted. Dividing by them gives a figure per head, in its own dimension.
COUNTS: Final = (ITEMS, "件", "家", "次", "人")
#: A number without a unit cannot be told from another size of these.
WITH_UNIT: Final = (MONEY, IN_DAYS, IN_YEARS)
#: The units that are declared for what is no number.
KINDS: Final[dict[str, Kind]] = {"是否": "flag", "日期": "date", "类别": "code"}
_KINDS_SAID: Final = {"flag": "是否项", "code": "类别", "date": "日期", "text": "文字"}
_SAID: Final = {PLAIN: "没有单位的数", "分": "得分", "级": "等级", "名": "名次"}
#: Zero is the same in every unit.
ZERO: Final = ("const", "0")


def said(dimension: str) -> str:
    """A dimension in words.

    >>> said("人"), said("金额")
    ('人数', '金额')
    """
    return _SAID.get(dimension) or (dimension if len(dimension) > 1 else f"{dimension}数")


class FormulaError(RulesError):
    """A formula does not compile, or cannot be written; ``at`` is the place in its text, from 1."""


@dataclass(frozen=True)
class Formula:
    """A formula and what it yields: a kind of value, and the dimension of a number.

    If ``root`` is above 1, the figure is the ``root``-th root of the formula, minus 1: a compound
    growth rate. It is irrational, so its thresholds are ``compounded`` instead.
    """

    expr: Expr
    kind: Kind = "number"
    dimension: str = ""
    root: int = 1

    @property
    def constant(self) -> bool:
        """Whether it is a number as written."""
        return bool(self.expr[0] == "const")

    @property
    def measure(self) -> str:
        """The dimension in calculations, where flags count as 1 and 0."""
        return ITEMS if self.kind == "flag" else self.dimension

    @property
    def said(self) -> str:
        """What it yields, in words."""
        if self.root > 1:
            return "复合增长率"
        return _KINDS_SAID.get(self.kind) or said(self.dimension)


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the names in a formula stand for.

    ``values`` are facts, yearly figures with their period, fields of the record at hand,
    parameters, and other indicators, whose formulas are inlined. ``rules`` gives the list to whose
    records a rule is applied one by one (an empty text for any other rule), ``maps`` are the data
    maps. ``catalogue`` has the fields of the lists.
    """

    catalogue: Catalogue
    values: Mapping[str, Formula]
    rules: Mapping[str, str] = field(default_factory=dict)
    maps: frozenset[str] = frozenset()

    def fields(self, records: str) -> Mapping[str, Fact]:
        """The fields of a list by name."""
        return {f.name: f for f in self.catalogue.record_kind(records).fields}


def filed_names(
    catalogue: Catalogue,
    records: str = "",
    *,
    rules: Mapping[str, str] | None = None,
    maps: Iterable[str] = (),
    more: Mapping[str, Formula] | None = None,
) -> Names:
    """The names of a catalogue, with those of the record at hand if ``records`` is a list's id.

    ``more`` adds indicators and parameters.

    >>> staff = Fact("staff", "从业人员", "number", "人", yearly=True)
    >>> filed_names(Catalogue((staff,))).values["上上年度从业人员"]
    Formula(expr=('year', 'staff', -1), kind='number', dimension='人', root=1)
    """
    once = (f for f in (*IDENTITY, *catalogue.facts) if not f.yearly)
    values = {f.name: _leaf(f, ("fact", f.id)) for f in once}
    for f in catalogue.facts:
        for offset in PERIODS.values():
            if f.yearly and (offset <= 0 or f.rating):
                values[period_name(f, offset)] = _leaf(f, ("year", f.id, offset))
    if records:
        fields = catalogue.record_kind(records).fields
        values |= {f.name: _leaf(f, ("field", f.id)) for f in fields}
    values |= more or {}
    return Names(catalogue=catalogue, values=values, rules=rules or {}, maps=frozenset(maps))


def _leaf(fact: Fact, expr: Expr) -> Formula:
    return Formula(expr, fact.kind, UNITS[fact.unit][0] if fact.kind == "number" else "")


def check_unit(formula: Formula, unit: str) -> None:
    """Refuse a declared unit (是否, 日期, 类别 for what is no number) that does not fit a formula.

    >>> check_unit(Formula(("fact", "debt"), "number", "金额"), "%")
    Traceback (most recent call last):
    ...
    rules.language.formulas.meaning.FormulaError: 算式得金额，单位不能写「%」：应为元、万元、亿元
    """
    fitting = [u for u, kind in KINDS.items() if kind == formula.kind]
    if formula.kind in ("number", "flag"):
        fitting += [u for u in UNITS if _fits(formula.measure, UNITS[u][0])]
    if unit not in fitting:
        raise FormulaError(
            "unfit-formula-unit",
            "算式得{kind}，单位不能写「{value}」：应为{expected}",
            value=unit,
            kind=formula.said,
            expected="、".join(fitting),
        )


def _fits(dimension: str, declared: str) -> bool:
    if dimension == PLAIN:
        return declared not in WITH_UNIT
    return dimension == declared or (dimension == ITEMS and declared in COUNTS[:-1])
