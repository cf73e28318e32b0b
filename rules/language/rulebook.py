"""The compiled feature files: every rule by id, checked as a whole, and rulesets cut from them.

A folder of features has one sub-folder per source document, ``maps/`` with the cited data files,
and ``applicability.feature``. Linking resolves the name in each 指标 cell in this order: a field or
indicator of the rule's own records, a rule id, a group's points, a filed fact, a derived indicator.
"""

import csv
import io
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from rules.errors import Problem, RulesetError, SourceError
from rules.language import calendars
from rules.language.clocks import published
from rules.language.consistency import inconsistencies
from rules.language.editions import ApplicabilityRow
from rules.language.lines import Slot, Threshold
from rules.language.linking import dependencies, indicator_keys, link, slots_under
from rules.language.provinces import Fill, effective, in_force, parted
from rules.language.source import Clause, Document, read_all, read_file
from rules.model.catalogue import HELD, Catalogue
from rules.model.expressions import parameters as read_parameters
from rules.model.facts import Fact, RecordKind
from rules.model.nearness import near
from rules.model.ruleset import (
    Assumed,
    Attested,
    Body,
    Cases,
    Expr,
    Indicator,
    Item,
    Ladder,
    Line,
    Parameter,
    Result,
    Rule,
    Ruleset,
    Total,
)
from rules.portable.calendar import Calendar
from rules.portable.clocks import Clocks, periods
from rules.portable.errors import Remedy
from rules.portable.timing import Timing
from rules.portable.workflow import Workflow

_MAP_COLUMNS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """Everything compiled from a features folder, or the problems that prevent it.

    ``problems`` is empty for a usable rulebook. ``clauses`` keeps every rule as written, for
    display and for running its examples. ``written`` are the rows of the applicability tables as
    written in the files; ``applicability`` adds those that follow from ``fills``, by which
    provinces set ``slots``; ``workflow_rows`` says which of the ``workflows`` handles a case,
    ``clock_rows`` by which ``clocks`` a title runs. ``catalogue`` is what may be filed. ``calendar``
    has the years whose holidays are published, as ``rules.portable.calendar`` reads them into ``working_days``.
    """

    documents: tuple[Document, ...]
    catalogue: Catalogue
    clauses: Mapping[str, Clause]
    rules: Mapping[str, Rule]
    thresholds: Mapping[str, Threshold]
    slots: Mapping[str, Slot]
    fills: tuple[Fill, ...]
    written: tuple[ApplicabilityRow, ...]
    applicability: tuple[ApplicabilityRow, ...]
    workflow_rows: tuple[ApplicabilityRow, ...]
    workflows: Mapping[str, Workflow]
    clock_rows: tuple[ApplicabilityRow, ...]
    clocks: Mapping[str, Clocks]
    maps: Mapping[str, Mapping[str, str]]
    indicators: Mapping[str, Indicator]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    calendar: Mapping[str, Any] = field(default_factory=dict)
    working_days: Calendar = field(default_factory=lambda: Calendar.of({}), repr=False)
    problems: tuple[Problem, ...] = field(default=(), compare=False)
    _cut: dict[tuple[str, frozenset[tuple[str, Result]]], Ruleset] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )
    _slots: dict[str, frozenset[str]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def rule(self, id: str) -> Rule:
        """The rule with that id; ``RulesetError`` naming similar ids if there is none."""
        if id not in self.rules:
            raise self._no_such_rule(id)
        return self.rules[id]

    def clause(self, id: str) -> Clause:
        """The clause with that id as written; ``RulesetError`` naming similar ids if it is unknown."""
        if id not in self.clauses:
            raise self._no_such_rule(id)
        return self.clauses[id]

    def _no_such_rule(self, id: str) -> RulesetError:
        if close := "、".join(known for known in self.rules if id in known):
            said = "没有编号为「{value}」的规则：相近的有{expected}"
            return RulesetError("no-such-rule", said, value=id, expected=close)
        said = "没有编号为「{value}」的规则{near}"
        close = near(id, self.rules)
        return RulesetError("no-such-rule", said, value=id, near=close, remedy=Remedy("list-rules"))

    def document(self, rule: Rule) -> Document:
        """The file that contains a rule."""
        return next(d for d in self.documents if d.path == rule.position.path)

    def ruleset(self, root: str, assume: Mapping[str, Result] | None = None) -> Ruleset:
        """The closure of a root rule, as filled by a province if the id names one.

        ``assume`` gives the results of rules that are not to be decided.
        """
        key = root, frozenset((assume or {}).items())
        if key not in self._cut:
            self._cut[key] = self._closure(root, assume or {})
        return self._cut[key]

    def revised(
        self,
        written: tuple[ApplicabilityRow, ...] | None = None,
        fills: tuple[Fill, ...] | None = None,
        workflow_rows: tuple[ApplicabilityRow, ...] | None = None,
        clock_rows: tuple[ApplicabilityRow, ...] | None = None,
    ) -> "Rulebook":
        """The rulebook with other rows of the applicability tables, or other provinces' fills."""
        written = self.written if written is None else written
        fills = self.fills if fills is None else fills
        rows = effective(written, fills, self.slots_of)
        if workflow_rows is None:
            workflow_rows = self.workflow_rows
        clock_rows = self.clock_rows if clock_rows is None else clock_rows
        return replace(
            self,
            written=written,
            fills=fills,
            applicability=rows,
            workflow_rows=workflow_rows,
            clock_rows=clock_rows,
        )

    @property
    def beside(self) -> tuple[ApplicabilityRow, ...]:
        """The rows that say which workflows and clocks govern, beside those of rulesets."""
        return (*self.workflow_rows, *self.clock_rows)

    def timing(self, tier: str, province: str = "") -> Timing:
        """The clocks of a tier in a province, or in what acts as one, each with its days, and the calendar."""
        rows = published(self.clock_rows, self.clocks)["rows"]
        return Timing(periods(rows, self.clocks, tier, province), self.working_days)

    def slots_of(self, root: str) -> frozenset[str]:
        """Ids of the slots on which a root rule rests."""
        if root not in self._slots:
            self._slots[root] = slots_under(root, self.rules, self.slots, self.indicators)
        return self._slots[root]

    def _closure(self, id: str, assume: Mapping[str, Result]) -> Ruleset:
        root, province, day = parted(id)
        fills = in_force(self.fills, province, day) if day else ()
        filled = {f.slot: f for f in fills if f.slot in self.slots_of(root)}
        rules: dict[str, Rule] = {}
        indicators: dict[str, Indicator] = {}

        def visit(id: str) -> None:
            if id in rules:
                return
            rule = self._as_filled(self.rule(id), filled)
            if id in assume and id != root:
                rules[id] = replace(rule, body=Assumed(assume[id]))
                return
            for key in indicator_keys(rule):
                indicators[key] = self.indicators[key]
            for dependency in dependencies(rule, self.indicators):
                visit(dependency)
            rules[id] = rule

        visit(root)
        ordered = sorted(rules.values(), key=lambda r: not r.records)
        document = self.document(self.rule(root))
        named = {
            c
            for r in rules.values()
            for _, x in r.lines()
            if isinstance(x.value, tuple)
            for c in x.value
        }
        used = _Used(self.catalogue, named)
        for indicator in indicators.values():
            used.by(indicator.expr, indicator.records)
        read = sorted({p[1] for i in indicators.values() for p in read_parameters(i.expr)})
        parameters = {name: self.parameters[name] for name in read}
        for key in {key for parameter in parameters.values() for key in parameter.keys}:
            used.by(("fact", key), "")
        return Ruleset(
            root=root,
            title=self.rule(root).title,
            tier=document.tag("tier"),
            source="；".join(
                [document.tag("source"), *dict.fromkeys(f.source for f in filled.values())]
            ),
            rules=tuple(ordered),
            indicators=dict(sorted(indicators.items())),
            facts=dict(sorted(used.facts.items())),
            fields=dict(sorted(used.fields.items())),
            maps={name: self.maps[name] for name in sorted(used.maps)},
            lists=used.lists,
            parameters=parameters,
        )

    def _as_filled(self, rule: Rule, filled: Mapping[str, Fill]) -> Rule:
        """A rule with its slots filled: in its table, its wording and its citations."""
        if rule.id in filled and isinstance(rule.body, Attested):
            fill = filled[rule.id]
            full = self.rule(fill.text).possible
            assert full is not None
            body: Body = Total((Item("", fill.text, full),))
            return replace(rule, body=body, citation=_cited(rule, fill), notes=fill.notes)
        by_name = {self.thresholds[s].name: f for s, f in filled.items() if s in self.thresholds}
        names = {line.slot for _, line in rule.lines() if line.slot in by_name}
        for name in sorted(names):
            rule = _with_threshold(
                rule, name, self.slots[by_name[name].slot].default, by_name[name]
            )
        return rule


def _with_threshold(rule: Rule, name: str, default: str, fill: Fill) -> Rule:
    """A rule with a 门槛 slot filled; its wording 「认定分数线60分」 becomes 「认定分数线70分」."""
    assert fill.value is not None
    value = fill.value.value

    def line(old: Line) -> Line:
        if old.slot != name:
            return old
        text = old.text.replace(f"（{default}）", f"（{fill.text}）")
        return replace(old, value=value, text=text)

    body: Body = rule.body
    if isinstance(body, Cases):
        body = Cases(tuple(replace(c, lines=tuple(map(line, c.lines))) for c in body.cases))
    elif isinstance(body, Ladder):
        rungs = tuple(replace(c, lines=tuple(map(line, c.lines))) for c in body.rungs)
        body = replace(body, rungs=rungs)
    said, says = f"{name}{default}", f"{name}{fill.text}"
    return replace(
        rule,
        title=rule.title.replace(said, says),
        clause=rule.clause.replace(said, says),
        citation=_cited(rule, fill),
        notes=(*rule.notes, *(n for n in fill.notes if n not in rule.notes)),
        body=body,
    )


def _cited(rule: Rule, fill: Fill) -> str:
    return f"{rule.citation}；{fill.source}：{fill.citation}"


class _Used:
    """Collects what formulas read; ``named`` are the codes with which tables compare."""

    def __init__(self, catalogue: Catalogue, named: Set[str]) -> None:
        self.catalogue = catalogue
        self.foreign = {title for title in catalogue.added if title not in named}
        self.facts: dict[str, Fact] = {}
        self.fields: dict[str, Fact] = {}
        self.lists: dict[str, RecordKind] = {}
        self.maps: set[str] = set()

    def by(self, expr: Expr, records: str) -> None:
        """Collect what a formula reads."""
        match expr:
            case ("fact" | "year", id, *_):
                self.facts[id] = self.catalogue.fact(id)
            case ("field", id):
                self.field(records, id)
            case ("count", listed, _, filed):
                self.listed(listed, filed)
            case ("total", listed, field, _, filed):
                self.listed(listed, filed)
                self.field(listed, field)
            case ("lookup", map, _):
                self.maps.add(map)
        for part in expr[1:]:
            if isinstance(part, tuple) and part:
                for inner in (part,) if isinstance(part[0], str) else part:
                    self.by(inner, records)

    def field(self, records: str, id: str) -> None:
        fact = self.catalogue.field(records, id)
        if records == HELD and self.foreign:
            fact = replace(fact, codes=tuple(c for c in fact.codes if c not in self.foreign))
        self.lists[records] = self.catalogue.record_kind(records)
        self.fields[f"{records}.{id}"] = fact

    def listed(self, records: str, filed: str | None) -> None:
        self.lists[records] = self.catalogue.record_kind(records)
        if filed is not None:
            self.facts[filed] = self.catalogue.fact(filed)


def load(path: Path, own: Path | None = None, *, base: Path | None = None) -> Rulebook:
    """Compile a features folder, with a bureau's ``own``; ``SourceError`` lists all faults.

    ``base`` is a folder whose declarations hold too, unless ``path`` is a complete set.

    >>> load(Path("features")).rule("63.2.研发费用").title
    '上年度研发费用总额不低于100万元，且占营业收入总额比重不低于3%'
    """
    rulebook = compile_all(path, own, base=base)
    if rulebook.problems:
        raise SourceError(list(rulebook.problems))
    return rulebook


def compile_all(path: Path, own: Path | None = None, *, base: Path | None = None) -> Rulebook:
    """Compile a features folder as far as possible; ``problems`` lists all faults.

    ``own`` is a folder of packs laid over it: it adds files and replaces none. The paths of its
    files begin with its name. ``base`` is a folder whose declarations and data maps hold too, unless
    ``path`` has its own of both.
    """
    documents, problems = read_all(path)
    assumed: list[Document] = []
    complete = (path / "maps").is_dir() and any(d.declaring for d in documents)
    if base is not None and not complete:
        assumed = _declarations(base)
        documents = [*assumed, *documents]
    if own is not None:
        folder = own.resolve()
        if (path / folder.name).exists():
            message = f"目录名「{folder.name}」与随附标准中的目录相同，无法区分：请改目录名"
            problems.append(Problem(folder.name, 1, message))
        more, found = read_all(folder, folder.parent)
        documents, problems = documents + more, problems + found
    maps, calendar, found = _read_maps(path if base is None or (path / "maps").is_dir() else base)
    links = link(documents, maps, [d.path for d in assumed])
    rulebook = Rulebook(
        documents=tuple(documents),
        catalogue=links.catalogue,
        clauses=links.clauses,
        rules=links.rules,
        thresholds=links.thresholds,
        slots=links.slots,
        fills=links.fills,
        written=links.written,
        applicability=(),
        workflow_rows=links.workflow_rows,
        workflows=links.workflows,
        clock_rows=links.clock_rows,
        clocks=links.clocks,
        maps=maps,
        indicators=links.indicators,
        parameters=links.parameters,
        calendar=calendar,
        working_days=Calendar.of(calendar),
    ).revised()
    problems += [*found, *links.problems, *inconsistencies(links, rulebook.applicability)]
    if own is not None and not problems:
        problems += _changed(compile_all(path, base=base), rulebook, own.resolve().name)
    return replace(rulebook, problems=tuple(sorted(set(problems))))


def declared(base: Path) -> Catalogue:
    """What may be filed by the declarations of a features folder, without its rules."""
    return link(_declarations(base), {}).catalogue


def _declarations(base: Path) -> list[Document]:
    """The documents at the top of a features folder that only declare."""
    found = (read_file(file, base)[0] for file in sorted(base.glob("*.feature")))
    return [document for document in found if document is not None and document.declaring]


def _changed(packaged: Rulebook, layered: Rulebook, own: str) -> list[Problem]:
    """A problem for each packaged ruleset that a bureau's own files would change."""
    roots = dict.fromkeys(r.ruleset for r in packaged.written if r.encoded)
    return [
        Problem(
            own,
            1,
            f"随附的规则集「{root}」因本目录的文件而改变：其编号、组名或项目名与条文用语相同，请改名",
        )
        for root in roots
        if not packaged.problems and packaged.ruleset(root) != layered.ruleset(root)
    ]


def _read_maps(
    path: Path,
) -> tuple[dict[str, dict[str, str]], dict[str, Any], list[Problem]]:
    """The data maps by name, the years of the calendar, and all faults."""
    maps: dict[str, dict[str, str]] = {}
    calendar: dict[str, Any] = {}
    problems: list[Problem] = []
    for file in sorted((path / "maps").glob("*.csv")):
        table: dict[str, str] = {}
        name = file.relative_to(path).as_posix()
        try:
            text = file.read_text(encoding="utf-8")
            rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error):
            problems.append(Problem(name, 1, "不是 UTF-8 的 CSV 表，或引号没有成对：请改正"))
            continue
        if file.name == calendars.FILE:
            calendar, found = calendars.read_calendar(name, rows)
            problems += found
            continue
        for number, row in enumerate(rows[1:], 2):
            if len(row) < _MAP_COLUMNS or not row[0] or row[0] in table:
                problems.append(Problem(name, number, "此行缺列、代码为空或代码重复：请改正"))
            else:
                table[row[0]] = row[1]
        maps[file.stem] = table
    return maps, calendar, problems
