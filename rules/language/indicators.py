"""Reads the declarations of computed figures: the tables 指标按下式计算 of the feature files.

Filed facts need no declaration: a fact's own name is an indicator. A yearly figure has its period in
its name (上年度研发费用总额 is year T, 上上年度… is T-1, 再上年度… is T-2, 前四年度… is T-3). Every rule over records
defines 「<rule title>件数」.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from rules.errors import FactsError, Problem, RulesError
from rules.language.columns import rows_of
from rules.language.formulas import (
    Declared,
    Formula,
    FormulaError,
    check_name,
    check_unit,
    filed_names,
)
from rules.language.formulas.meaning import KINDS
from rules.language.source import DECLARATIONS, Clause, Row
from rules.model.catalogue import Catalogue
from rules.model.facts import PERIODS
from rules.model.ruleset import Indicator

FORMULAS: Final = DECLARATIONS[1]
#: The columns of the table; without the last, the source of the rule holds for all rows.
COLUMNS: Final = ("指标", "单位", "算式", "依据")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A row that declares an indicator."""

    key: str
    name: str
    records: str
    unit: str
    formula: str
    source: str
    clause: Clause
    row: Row

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.clause.path}:{self.row.line}"

    def problem(self, fault: RulesError | str) -> Problem:
        """A fault of this row."""
        return Problem(self.clause.path, self.row.line, f"指标「{self.name}」：{fault}")


@dataclass(kw_only=True)
class Indicators:
    """The declared indicators by key (``name``, or ``list.name`` for those of a record).

    ``faults`` are those that do not compile: their rows, each with what is wrong. ``problems`` are
    the faults of tables and names.
    """

    found: dict[str, Indicator] = field(default_factory=dict)
    faults: dict[str, tuple[Entry, FormulaError]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def declared_indicators(
    clauses: Iterable[Clause],
    catalogue: Catalogue,
    counted: Mapping[str, Indicator],
    maps: Iterable[str],
    parameters: Mapping[str, Formula],
) -> Indicators:
    """The indicators that these clauses declare.

    ``counted`` are the numbers of records that satisfy a rule, by name, and ``parameters`` are the
    names of parameters: formulas may use both.
    """
    every = tuple(clauses)
    result = Indicators()
    entries: dict[str, Entry] = {}
    for clause, row, cells in rows_of(every, FORMULAS, COLUMNS, COLUMNS[:3], result.problems):
        entry = _entry(clause, row, cells, catalogue)
        if fault := _unfit(entry, catalogue, counted, parameters, entries):
            result.problems.append(entry.problem(fault))
        else:
            entries[entry.key] = entry
    lists = {c.id: _list(catalogue, c) for c in every}
    more = {name: Formula(i.expr, "number", "项") for name, i in counted.items()} | {**parameters}
    for records in dict.fromkeys(entry.records for entry in entries.values()):
        own = {e.name: e for e in entries.values() if e.records == records}
        filed = filed_names(catalogue, records, rules=lists, maps=maps, more=more)
        formulas = Declared({e.name: e.formula for e in own.values()}, filed)
        for entry in own.values():
            try:
                formula = formulas[entry.name]
                check_unit(formula, entry.unit)
            except FormulaError as fault:
                result.faults[entry.key] = entry, fault
            else:
                result.found[entry.key] = _indicator(entry, formula)
    return result


def _entry(clause: Clause, row: Row, cells: Mapping[str, str], catalogue: Catalogue) -> Entry:
    name, records = cells["指标"], _list(catalogue, clause)
    return Entry(
        key=f"{records}.{name}" if records else name,
        name=name,
        records=records,
        unit=cells["单位"],
        formula=cells["算式"],
        source=cells["依据"] or _cited(clause),
        clause=clause,
        row=row,
    )


def _unfit(
    entry: Entry,
    catalogue: Catalogue,
    counted: Mapping[str, Indicator],
    parameters: Mapping[str, Formula],
    entries: Mapping[str, Entry],
) -> str:
    """What is wrong with the name of an indicator; empty if nothing is."""
    try:
        check_name(entry.name)
    except FormulaError as fault:
        return str(fault)
    own = catalogue.lists[entry.records].field(entry.name) if entry.records else None
    period = next((p for p in PERIODS if entry.name.startswith(p)), "")
    filed = catalogue.get(entry.name) or catalogue.get(entry.name.removeprefix(period))
    if own or (not entry.records and filed):
        return "已有同名的填报项：请改名"
    if entry.name in parameters:
        return "已有同名的参数：请改名"
    if entry.name in counted:
        return "已是一条规则的件数：请改名"
    if entry.key in entries:
        return f"与 {entries[entry.key].place} 重复：请改名，或删去一行"
    if not entry.formula:
        return "没有写算式：请补写"
    return ""


def _indicator(entry: Entry, formula: Formula) -> Indicator:
    expr, kind = formula.expr, formula.kind
    if kind == "date":
        expr, unit = ("days", ("as_of",), expr), "天"
    else:
        unit = "" if entry.unit in KINDS else entry.unit
        kind = "number" if kind == "flag" and unit else kind
    assert kind != "text"
    return Indicator(
        name=entry.name,
        kind=kind,
        unit=unit,
        expr=expr,
        records=entry.records,
        clause=entry.source,
        root=formula.root,
    )


def _list(catalogue: Catalogue, clause: Clause) -> str:
    """The id of the list to whose records a rule is applied; empty if to none, or to none known."""
    name = clause.tag("对象")
    try:
        return catalogue.record_kind(name).id if name else ""
    except FactsError:
        return ""  # told where the rule is declared


def _cited(clause: Clause) -> str:
    found = (p.replace("：", ":", 1).partition(":") for p in clause.prose if p.startswith("依据"))
    return next((text.strip() for _, _, text in found), "")
