"""Links the clauses of all files: resolves every 指标 cell, and finds faults across files."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from rules.errors import FactsError, Problem
from rules.language import declarations, tables
from rules.language.applicability import read_rows, unknown_province
from rules.language.clocks import compile_clocks, completed
from rules.language.editions import OTHERS, ApplicabilityRow
from rules.language.formulas import Formula, FormulaError, Names, filed_names, parse_formula
from rules.language.indicators import declared_indicators
from rules.language.lines import (
    CellLookup,
    Slot,
    Subject,
    SubjectError,
    TableError,
    Threshold,
    read_quantity,
)
from rules.language.parameters import declared_parameters, readings
from rules.language.provinces import Fill
from rules.language.source import DECLARATIONS, Clause, Document
from rules.language.tiers import declared_tiers
from rules.language.workflows import compile_workflow
from rules.model.catalogue import ROLES, SIZES, Catalogue
from rules.model.days import optional_day
from rules.model.expressions import leaves
from rules.model.facts import IDENTITY, PERIODS, Fact
from rules.model.nearness import near
from rules.model.quantities import Quantity
from rules.model.ruleset import Expr, Indicator, Note, Parameter, Position, Rule
from rules.portable.clocks import Clocks
from rules.portable.workflow import Workflow

#: The sentences whose rules have neither an outcome nor points.
_WITHOUT_RESULT: Final = (
    tables.APPLICABILITY,
    tables.FILL,
    tables.WORKFLOW_ROWS,
    tables.WORKFLOW,
    tables.CLOCK_ROWS,
    tables.CLOCKS,
    *DECLARATIONS,
)
_NOTE_MARKS: Final = {"解读B": "B", "解读C": "C"}


@dataclass(frozen=True, kw_only=True)
class Links:
    """The result of linking: everything compiled, and the problems found on the way.

    ``slots`` are what provinces may set, ``fills`` what they have set. ``written`` are the rows of
    the applicability tables as written in the files, ``workflow_rows`` those that say which of the
    ``workflows`` handles a case, ``clock_rows`` by which ``clocks`` a title runs. ``catalogue`` is
    what may be filed.
    """

    catalogue: Catalogue
    clauses: Mapping[str, Clause]
    rules: Mapping[str, Rule]
    thresholds: Mapping[str, Threshold]
    slots: Mapping[str, Slot]
    fills: tuple[Fill, ...]
    written: tuple[ApplicabilityRow, ...]
    workflow_rows: tuple[ApplicabilityRow, ...]
    workflows: Mapping[str, Workflow]
    clock_rows: tuple[ApplicabilityRow, ...]
    clocks: Mapping[str, Clocks]
    indicators: Mapping[str, Indicator]
    parameters: Mapping[str, Parameter]
    problems: tuple[Problem, ...]


def link(
    documents: Iterable[Document],
    maps: Mapping[str, Mapping[str, str]],
    assumed: Collection[str] = (),
) -> Links:
    """Compile the clauses of all documents.

    Indicators of the files ``assumed`` may count by rules that are not there, as long as no rule uses
    them.
    """
    return _Linker(documents, maps, assumed).link()


def implicit(fact: Fact, expr: Expr, records: str = "", name: str = "") -> Indicator | None:
    """The indicator that a filed fact or field itself defines; None if it cannot be compared."""
    name = name or fact.name
    if fact.kind == "text" and fact not in IDENTITY:
        return None
    if fact.kind == "date":
        return Indicator(
            name=name, kind="date", unit="天", expr=("days", ("as_of",), expr), records=records
        )
    kind = "code" if fact.kind == "text" else fact.kind
    return Indicator(name=name, kind=kind, unit=fact.unit, expr=expr, records=records)


def indicator_keys(rule: Rule) -> Iterator[str]:
    """The keys in ``Rulebook.indicators`` of the indicators that a rule's table reads."""
    for name in rule.indicator_names():
        yield f"{rule.records}.{name}" if rule.records else name


def dependencies(rule: Rule, indicators: Mapping[str, Indicator]) -> Iterator[str]:
    """Ids of the rules that a rule's table names, or by which its indicators count records."""
    yield from rule.rule_references()
    for key in indicator_keys(rule):
        for leaf in leaves(indicators[key].expr):
            if leaf[0] in ("count", "total"):
                yield leaf[2] if leaf[0] == "count" else leaf[3]


def slots_under(
    root: str,
    rules: Mapping[str, Rule],
    slots: Mapping[str, Slot],
    indicators: Mapping[str, Indicator],
) -> frozenset[str]:
    """Ids of the slots on which a rule rests; ignores rules that do not compile."""
    by_name = {slot.name: id for id, slot in slots.items() if slot.kind == "门槛"}
    found: set[str] = set()
    seen: set[str] = set()
    ahead = [root]
    while ahead:
        id = ahead.pop()
        if id in seen or id not in rules:
            continue
        seen.add(id)
        found |= {id} & slots.keys()
        found |= {by_name[line.slot] for _, line in rules[id].lines() if line.slot}
        ahead += dependencies(rules[id], indicators)
    return frozenset(found)


class _Linker:
    def __init__(
        self,
        documents: Iterable[Document],
        maps: Mapping[str, Mapping[str, str]],
        assumed: Collection[str],
    ) -> None:
        self.documents = tuple(documents)
        self.assumed = assumed
        self.maps = maps
        every = [c for d in self.documents for c in d.clauses]
        filed, self.problems = declarations.declared(every)
        tiers, problems = declared_tiers(every)
        self.problems += problems
        self.catalogue = filed.with_tiers(tiers, {c.id: r for c in every if (r := c.tag("用途"))})
        self.problems += declarations.untitled(every, self.catalogue)
        self.clauses: dict[str, Clause] = {}
        self.rules: dict[str, Rule] = {}
        self.thresholds: dict[str, Threshold] = {}
        self.slots: dict[str, Slot] = {}
        self.fills: list[Fill] = []
        self.written: list[ApplicabilityRow] = []
        self.workflow_rows: list[ApplicabilityRow] = []
        self.workflows: dict[str, Workflow] = {}
        self.clock_rows: list[ApplicabilityRow] = []
        self.clocks: dict[str, Clocks] = {}
        self.indicators: dict[str, Indicator] = {}
        self.faults: Mapping[str, FormulaError] = {}
        self.parameters: Mapping[str, Parameter] = {}
        self.known = Names(catalogue=self.catalogue, values={})
        self.groups: dict[str, list[str]] = {}

    def refuse(self, clause: Clause, line: int, message: str) -> None:
        self.problems.append(Problem(clause.path, line, message))

    def link(self) -> Links:
        for clause in (c for d in self.documents for c in d.clauses):
            self.declare(clause)
        self.compute()
        for clause in self.clauses.values():
            self.compile(clause)
        self.complete_clocks()
        sources = {d.path: d.tag("source") for d in self.documents}
        for clause in self.clauses.values():
            if clause.definition.text == tables.FILL:
                self.read_fills(clause, sources[clause.path])
        return Links(
            catalogue=self.catalogue,
            clauses=self.clauses,
            rules=self.rules,
            thresholds=self.thresholds,
            slots=self.slots,
            fills=tuple(self.fills),
            written=tuple(self.written),
            workflow_rows=tuple(self.workflow_rows),
            workflows=self.workflows,
            clock_rows=tuple(self.clock_rows),
            clocks=self.clocks,
            indicators=self.indicators,
            parameters=self.parameters,
            problems=tuple(self.problems),
        )

    def declare(self, clause: Clause) -> None:
        other = self.clauses.get(clause.id)
        if other is not None:
            where = f"{other.path}:{other.line}"
            self.refuse(clause, clause.line, f"编号「{clause.id}」与 {where} 重复：请改编号")
            return
        if name := clause.tag("对象"):
            try:
                records = self.catalogue.record_kind(name).id
            except FactsError as error:
                self.refuse(clause, clause.line, str(error))
                return
            if clause.definition.text not in DECLARATIONS:
                self.declare_count(clause, records)
        if (role := clause.tag("用途")) and role not in (*ROLES, *SIZES):
            known = (*ROLES, *SIZES)
            said = f"用途「{role}」不认识{near(role, known)}：可写{'、'.join(known)}"
            self.refuse(clause, clause.line, said)
        self.clauses[clause.id] = clause
        sentence, rows = clause.definition.text, clause.definition.table[1:]
        if sentence == tables.TOTAL:
            for group in dict.fromkeys(r.cells[0] for r in rows if r.cells[0]):
                self.groups.setdefault(f"{group}得分", []).append(f"{clause.id}/{group}")

    def declare_count(self, clause: Clause, records: str) -> None:
        counted = f"{clause.title}件数"
        if counted in self.indicators:
            self.refuse(clause, clause.line, f"「{counted}」已另有所指：请改规则的标题")
        self.indicators[counted] = Indicator(
            name=counted, kind="number", unit="项", expr=("count", records, clause.id, None)
        )

    def compute(self) -> None:
        """Take over the declared indicators, and with them what else tables may name."""
        self.parameters, problems = declared_parameters(self.clauses.values())
        named = readings(self.parameters)
        found = declared_indicators(
            self.clauses.values(), self.catalogue, self.indicators, self.maps, named
        )
        self.problems += [*problems, *found.problems]
        self.known = filed_names(self.catalogue, more=named)
        self.indicators |= found.found
        self.faults = {key: fault for key, (_, fault) in found.faults.items()}
        for entry, fault in found.faults.values():
            if entry.clause.path not in self.assumed:
                self.problems.append(entry.problem(fault))
        for clause in self.clauses.values():
            self.declare_slot(clause)

    def declare_slot(self, clause: Clause) -> None:
        if clause.definition.text == tables.SLOT:
            body, _ = tables.compile_table(clause, self.names(clause))
            if body is not None:
                self.slots[clause.id] = tables.slot_of(clause)
            if isinstance(body, Threshold):
                if body.name in (t.name for t in self.thresholds.values()):
                    self.refuse(clause, clause.line, f"门槛「{body.name}」已另有设定：请改名或删去")
                self.thresholds[clause.id] = body

    def names(self, clause: Clause) -> CellLookup:
        records = clause.tag("对象")
        slots = {t.name: t for t in self.thresholds.values()}
        return CellLookup(
            lambda name: self.subject(
                name, self.catalogue.record_kind(records).id if records else "", clause.path
            ),
            self.vocabulary,
            slots.get,
            self.formula,
            self.add,
        )

    def formula(self, text: str) -> Formula:
        """A computed 门槛: parameters, their multiples, and what else may be named with them."""
        return parse_formula(text, self.known)

    def add(self, indicator: Indicator) -> Indicator:
        """Take an indicator that is made for one comparison of a table."""
        records = indicator.records
        key = f"{records}.{indicator.name}" if records else indicator.name
        return self.indicators.setdefault(key, indicator)

    def subject(self, name: str, records: str, path: str) -> Subject:
        if name in self.clauses:
            sentence = self.clauses[name].definition.text
            if name in self.thresholds or sentence in _WITHOUT_RESULT:
                raise SubjectError(
                    "no-result",
                    "「{value}」既没有结论也没有得分，不能作指标：请另选规则",
                    value=name,
                )
            return Subject("rule" if sentence == tables.CASES else "points", name)
        if records:
            found = self.catalogue.record_kind(records).field(name)
            key = f"{records}.{name}"
            if found is not None:
                built = implicit(found, ("field", found.id), records)
                if built is None:
                    raise SubjectError(
                        "text-indicator", "「{value}」是文字，不能比较：请另选指标", value=name
                    )
                self.indicators.setdefault(key, built)
            self.refuse_faulty(key)
            if key not in self.indicators:
                raise SubjectError(
                    "unknown-record-indicator",
                    "清单「{list}」没有字段或指标「{value}」{near}",
                    list=self.catalogue.record_kind(records).name,
                    value=name,
                    near=near(name, self.cell_names(records)),
                )
            return Subject("indicator", name, self.indicators[key])
        if name in self.groups:
            found_here = [g for g in self.groups[name] if self.path_of(g) == path]
            candidates = found_here or self.groups[name]
            if len(candidates) > 1:
                raise SubjectError(
                    "ambiguous-group",
                    "有几个总分都有「{value}」，无法确定是哪一个：请给组另取名称",
                    value=name,
                )
            return Subject("points", candidates[0])
        self.refuse_faulty(name)
        if name not in self.indicators:
            self.indicators[name] = self.implicit(name)
        return Subject("indicator", name, self.indicators[name])

    def refuse_faulty(self, key: str) -> None:
        """Raise ``SubjectError`` for an indicator that is declared and does not compile."""
        if fault := self.faults.get(key):
            raise SubjectError(
                "faulty-indicator",
                "指标「{value}」不能计算：{cause}",
                value=key.rpartition(".")[2],
                cause=str(fault),
            )

    def path_of(self, group: str) -> str:
        return self.clauses[group.partition("/")[0]].path

    def implicit(self, name: str) -> Indicator:
        split = self.catalogue.period_fact(name)
        built: Indicator | None = None
        if split is not None:
            built = implicit(split[0], ("year", split[0].id, split[1]), name=name)
        else:
            every = (*IDENTITY, *self.catalogue.facts)
            found = next((f for f in every if f.name == name and not f.yearly), None)
            if found and found.kind == "text" and found not in IDENTITY:
                raise SubjectError(
                    "text-indicator", "「{value}」是文字，不能比较：请另选指标", value=name
                )
            built = implicit(found, ("fact", found.id)) if found else None
        if built is None:
            raise SubjectError(
                "unknown-indicator",
                "没有名为「{value}」的指标、填报项或规则{near}：请查对规则目录与填报项目录（年度数据前加 上年度、上上年度、再上年度 或 前四年度）",
                value=name,
                near=near(name, self.cell_names()),
            )
        return built

    def cell_names(self, records: str = "") -> Iterator[str]:
        """Every name that a cell may have, of what a record holds or of everything else."""
        yield from self.clauses
        for indicator in self.indicators.values():
            if indicator.records == records:
                yield indicator.name
        if records:
            yield from (f.name for f in self.catalogue.record_kind(records).fields)
            return
        yield from self.groups
        for found in self.catalogue.facts:
            kept = [p for p, offset in PERIODS.items() if offset <= 0 or found.rating]
            yield from (f"{p}{found.name}" for p in kept) if found.yearly else (found.name,)

    def vocabulary(self, indicator: Indicator) -> tuple[str, ...]:
        return vocabulary(indicator, self.catalogue, self.maps)

    def compile(self, clause: Clause) -> None:
        cited, notes = self.annotated(clause)
        if clause.definition.text in DECLARATIONS:
            return
        records = clause.tag("对象")
        body, problems = tables.compile_table(clause, self.names(clause))
        self.problems += problems
        if not problems:
            self.compile_course(clause)
        if body is None or isinstance(body, Threshold):
            return
        self.rules[clause.id] = Rule(
            id=clause.id,
            title=clause.title,
            clause="\n".join(p for p in clause.prose if not marked(p)),
            citation=cited,
            notes=notes,
            body=body,
            records=self.catalogue.record_kind(records).id if records else "",
            position=Position(clause.path, clause.line),
        )

    def compile_course(self, clause: Clause) -> None:
        """Compile a workflow, clocks, or what says which ruleset, workflow or clocks govern."""
        match clause.definition.text:
            case tables.WORKFLOW:
                compiled, problems = compile_workflow(clause)
                if compiled is not None:
                    self.workflows[clause.id] = compiled
            case tables.CLOCKS:
                timed, problems = compile_clocks(clause)
                if timed is not None:
                    self.clocks[clause.id] = timed
            case tables.APPLICABILITY:
                rows, problems = read_rows(clause, self.catalogue, self.clauses)
                self.written += rows
            case tables.WORKFLOW_ROWS:
                rows, problems = read_rows(clause, self.catalogue, self.having(tables.WORKFLOW))
                self.workflow_rows += rows
            case tables.CLOCK_ROWS:
                rows, problems = read_rows(clause, self.catalogue, self.having(tables.CLOCKS))
                self.clock_rows += rows
            case _:
                return
        self.problems += problems

    def complete_clocks(self) -> None:
        """Give each table of clocks what it takes from another; leave out those with faults."""
        clauses = {id: self.clauses[id] for id in self.having(tables.CLOCKS)}
        written, self.clocks = self.clocks, {}
        for id in written:
            whole, problems = completed(clauses[id], written, clauses)
            self.problems += problems
            if whole is not None:
                self.clocks[id] = whole

    def having(self, sentence: str) -> list[str]:
        """Ids of the rules that a sentence defines."""
        return [c.id for c in self.clauses.values() if c.definition.text == sentence]

    def annotated(self, clause: Clause, quiet: bool = False) -> tuple[str, tuple[Note, ...]]:
        """The citation and the notes of a clause; ``quiet`` if its faults were already reported."""
        cited, notes = [], []
        for line in filter(marked, clause.prose):
            mark, _, text = line.replace("：", ":", 1).partition(":")
            if mark == "依据":
                cited.append(text.strip())
            elif mark in _NOTE_MARKS and text.strip():
                notes.append(Note(_NOTE_MARKS[mark], text.strip()))
            elif not quiet:
                self.refuse(
                    clause, clause.line, f"「{line}」不能识别：请写「解读B: …」或「解读C: …」"
                )
        if (len(cited) != 1 or not cited[0]) and not quiet:
            self.refuse(
                clause, clause.line, "规则应恰有一行依据：请在标题下写「依据: 附件几第几条」"
            )
        return "；".join(cited), tuple(notes)

    def read_fills(self, clause: Clause, source: str) -> None:
        if clause.definition.table[0].cells != tables.COLUMNS[tables.FILL]:
            return  # reported when it was compiled
        if not source:
            self.refuse(clause, clause.line, "省级设定没有文号：请在功能之上写 @source:文号")
        cited, notes = self.annotated(clause, quiet=True)
        items = {row.cells[1] for row in clause.definition.table[1:]}
        for row in clause.definition.table[1:]:
            province, item, start, end, text = row.cells
            slot = self.slots.get(item)
            if slot is None:
                known = "、".join(self.slots) or "无"
                self.refuse(
                    clause,
                    row.line,
                    f"「{item}」不是可由省级设定的项目{near(item, self.slots)}：可设定的有{known}",
                )
                continue
            if len(items) > 1:
                self.refuse(clause, row.line, "一条规则只设定一个项目：请把其余项目写成另一条规则")
                return
            if province in ("", OTHERS):
                self.refuse(clause, row.line, "省级设定须写明省份：请补写")
            for said in unknown_province(province):
                self.refuse(clause, row.line, said)
            try:
                first, last = optional_day(start), optional_day(end)
            except ValueError:
                self.refuse(clause, row.line, "自、至应为日期，例如 2026年4月1日，或留空")
                continue
            if first is None or (last and first > last):
                self.refuse(clause, row.line, "省级设定须写明自何日起，且不晚于至：请补写或改正")
                continue
            try:
                value = self.setting(slot, item, row.line, text)
            except TableError as error:
                self.refuse(clause, error.line, str(error))
                continue
            fill = Fill(
                slot=item,
                province=province,
                start=first,
                end=last,
                text=text,
                value=value,
                clause=clause.id,
                source=source,
                citation=cited,
                notes=notes,
                position=Position(clause.path, row.line),
            )
            for earlier in filter(fill.collides, self.fills):
                self.refuse(
                    clause,
                    row.line,
                    f"与 {earlier.position} 同时设定{province}的「{item}」：请使日期不重叠",
                )
            self.fills.append(fill)

    def setting(self, slot: Slot, item: str, line: int, text: str) -> Quantity | None:
        """The value in a cell for a 门槛; None for points, because the cell names a scored rule."""
        if slot.kind == "门槛":
            value = read_quantity(line, text)
            if value.dimension != self.thresholds[item].value.dimension:
                raise TableError(
                    "unfit-setting-unit",
                    "设定「{value}」的单位与默认的{expected}不符：请改正",
                    where=line,
                    value=text,
                    expected=slot.default,
                )
            return value
        rule = self.rules.get(text)
        if rule is None or not rule.scored or rule.records:
            raise TableError(
                "unscored-setting",
                "「{value}」不是计分规则，不能作为得分：请写计分规则的编号",
                where=line,
                value=text,
            )
        if item in slots_under(text, self.rules, self.slots, self.indicators):
            raise TableError(
                "circular-setting",
                "「{value}」自身用到「{item}」，不能用来设定它：请断开循环",
                where=line,
                value=text,
                item=item,
            )
        return None


class Facts(Protocol):
    """Whatever knows the facts that formulas read: a catalogue, or a ruleset."""

    def read_by(self, leaf: Expr, records: str = "") -> Fact:
        """The fact, or field of the records at hand, that a leaf of a formula reads."""


def vocabulary(
    indicator: Indicator, facts: Facts, maps: Mapping[str, Mapping[str, str]]
) -> tuple[str, ...]:
    """The codes that a code indicator may take."""
    return codes_of(indicator.expr, indicator.records, facts, maps)


def codes_of(
    expr: Expr, records: str, facts: Facts, maps: Mapping[str, Mapping[str, str]]
) -> tuple[str, ...]:
    """The codes that a formula may yield, in the order of the catalogue."""
    match expr:
        case ("fact" | "field", _):
            return facts.read_by(expr, records).codes
        case ("lookup", name, _):
            return tuple(sorted(set(maps.get(name, {}).values())))
        case ("else_found" | "else_known", a, b):
            first = codes_of(a, records, facts, maps)
            return (*first, *(c for c in codes_of(b, records, facts, maps) if c not in first))
    return ()


def marked(line: str) -> bool:
    """Whether a line of prose is a citation or a note, not part of the clause."""
    return line.startswith(("依据:", "依据：", "解读"))
