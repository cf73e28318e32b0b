"""The compiled feature files: every rule by id, checked as a whole, and the rulesets cut from it.

A folder of features holds one sub-folder per source document, ``maps/`` with the cited data files,
and ``applicability.feature``. Linking resolves what each 指标 cell names, in this order: a field or
indicator of the rule's own records, a rule id, a group's points, a filed fact, a derived indicator.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from rules.editions import ApplicabilityRow
from rules.errors import Problem, RulesetError, SourceError
from rules.facts import Fact, fact, record_kind
from rules.language.consistency import inconsistencies
from rules.language.lines import Threshold
from rules.language.linking import dependencies, indicator_keys, link
from rules.model import Assumed, Expr, Indicator, Result, Rule, Ruleset
from rules.source import Clause, Document, read_all

_MAP_COLUMNS: Final = 2


@dataclass(frozen=True)
class Rulebook:
    """Everything compiled from a features folder, or the problems that prevent it.

    ``problems`` is empty for a rulebook that may be used; ``clauses`` keeps the written form of every
    rule for display and for running its examples.
    """

    documents: tuple[Document, ...]
    clauses: Mapping[str, Clause]
    rules: Mapping[str, Rule]
    thresholds: Mapping[str, Threshold]
    applicability: tuple[ApplicabilityRow, ...]
    maps: Mapping[str, Mapping[str, str]]
    indicators: Mapping[str, Indicator]
    problems: tuple[Problem, ...] = field(default=(), compare=False)
    _cut: dict[tuple[str, frozenset[tuple[str, Result]]], Ruleset] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def rule(self, id: str) -> Rule:
        """The rule of that id; raises ``RulesetError`` naming close ids."""
        if id not in self.rules:
            close = (
                "、".join(k for k in self.rules if k.startswith(id) or id in k)
                or "见 tidu rules list"
            )
            raise RulesetError(f"没有编号为「{id}」的规则：相近的有{close}")
        return self.rules[id]

    def document(self, rule: Rule) -> Document:
        """The file in which a rule stands."""
        return next(d for d in self.documents if d.path == rule.position.path)

    def ruleset(self, root: str, assume: Mapping[str, Result] | None = None) -> Ruleset:
        """The closure of a root rule; ``assume`` takes rules as given instead of deciding them."""
        key = root, frozenset((assume or {}).items())
        if key not in self._cut:
            self._cut[key] = self._closure(root, assume or {})
        return self._cut[key]

    def _closure(self, root: str, assume: Mapping[str, Result]) -> Ruleset:
        rules: dict[str, Rule] = {}
        indicators: dict[str, Indicator] = {}

        def visit(id: str) -> None:
            if id in rules:
                return
            rule = self.rule(id)
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
        facts, fields, maps = _used(indicators)
        return Ruleset(
            root,
            self.rule(root).title,
            document.tag("tier"),
            document.tag("source"),
            tuple(ordered),
            dict(sorted(indicators.items())),
            facts,
            fields,
            {name: self.maps[name] for name in sorted(maps)},
        )


def _used(
    indicators: Mapping[str, Indicator],
) -> tuple[dict[str, Fact], dict[str, Fact], set[str]]:
    facts: dict[str, Fact] = {}
    fields: dict[str, Fact] = {}
    maps: set[str] = set()

    def use(expr: Expr, records: str) -> None:
        kind = expr[0]
        if kind in ("fact", "year"):
            facts[expr[1]] = fact(expr[1])
        elif kind == "field":
            found = record_kind(records).field(expr[1])
            assert found is not None
            fields[f"{records}.{expr[1]}"] = found
        elif kind in ("count", "total"):
            total = expr[-1]
            if total is not None:
                facts[total] = fact(total)
            if kind == "total":
                found = record_kind(expr[1]).field(expr[2])
                assert found is not None
                fields[f"{expr[1]}.{expr[2]}"] = found
        elif kind == "lookup":
            maps.add(expr[1])
        for part in expr[1:]:
            if isinstance(part, tuple) and part:
                for inner in (part,) if isinstance(part[0], str) else part:
                    use(inner, records)

    for indicator in indicators.values():
        use(indicator.expr, indicator.records)
    return dict(sorted(facts.items())), dict(sorted(fields.items())), maps


def load(path: Path) -> Rulebook:
    """Compile a features folder; raises ``SourceError`` with everything amiss."""
    rulebook = compile_all(path)
    if rulebook.problems:
        raise SourceError(list(rulebook.problems))
    return rulebook


def compile_all(path: Path) -> Rulebook:
    """Compile a features folder as far as possible; ``problems`` lists everything amiss."""
    documents, problems = read_all(path)
    maps, found = _read_maps(path)
    links = link(documents, maps)
    problems += [*found, *links.problems, *inconsistencies(links)]
    return Rulebook(
        tuple(documents),
        links.clauses,
        links.rules,
        links.thresholds,
        links.applicability,
        maps,
        links.indicators,
        tuple(sorted(set(problems))),
    )


def _read_maps(path: Path) -> tuple[dict[str, dict[str, str]], list[Problem]]:
    maps: dict[str, dict[str, str]] = {}
    problems = []
    for file in sorted((path / "maps").glob("*.csv")):
        table: dict[str, str] = {}
        with file.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
        for number, row in enumerate(rows[1:], 2):
            if len(row) < _MAP_COLUMNS or not row[0] or row[0] in table:
                name = file.relative_to(path).as_posix()
                problems.append(Problem(name, number, "此行缺列、代码为空或代码重复：请改正"))
            else:
                table[row[0]] = row[1]
        maps[file.stem] = table
    return maps, problems
