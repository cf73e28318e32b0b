"""A ruleset of scores as a JDM graph for zen-engine: the same figures, bands, ladders and sums.

The graph has an expression node that loops over each list of records (one flag per rule), an
expression node with one expression per indicator on the raw figures, a decision table per table of
bands and per ladder, and an expression node for the sums. It handles only known facts: no
intervals, no outcomes of single lines.
"""

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from rules.model.facts import Profile
from rules.model.ruleset import (
    Attested,
    Band,
    Bands,
    Case,
    Cases,
    Expr,
    Ladder,
    Line,
    Rule,
    Ruleset,
    Total,
)


def context(profile: Profile, ruleset: Ruleset) -> str:
    """The facts of a filing as JSON numbers, flags and texts; every record contains its dates."""
    facts: dict[str, Any] = {"as_of": profile.as_of.isoformat()}
    facts["new_year"] = f"{profile.as_of.year}-01-01"
    years = {profile.fiscal_year + n: suffix for n, suffix in ((0, "_0"), (-1, "_1"), (-2, "_2"))}
    for key, value in profile.values.items():
        name, _, year = key.partition("@")
        if fact := ruleset.facts.get(name):
            plain = float(value) if fact.kind == "number" else value
            facts[name + years[int(year)] if year else name] = plain
    for kind in {rule.records for rule in ruleset.rules} - {""}:
        filed = profile.records.get(kind)
        known = {key.partition(".")[2] for key in ruleset.fields if key.startswith(f"{kind}.")}
        facts[kind] = [
            {**{k: v for k, v in item.items() if k in known}, "as_of": facts["as_of"]}
            for item in (filed.items if filed else ())
        ]
        facts[f"{kind}_listed"] = bool(filed and (filed.items or filed.complete))
    return json.dumps(facts, ensure_ascii=False)


def graph(ruleset: Ruleset) -> str:
    """The JDM text; ``results`` explains its result."""
    return json.dumps(_Graph(ruleset).build(), ensure_ascii=False)


def results(ruleset: Ruleset) -> dict[str, str]:
    """The places of the points of each rule, group and table of bands in the graph's result."""
    graph = _Graph(ruleset)
    graph.build()
    return graph.results


class _Graph:
    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self.rule_names = {rule.id: f"r{n}" for n, rule in enumerate(ruleset.rules)}
        self.indicator_names = {key: f"i{n}" for n, key in enumerate(ruleset.indicators)}
        self.nodes: list[dict[str, Any]] = []
        self.edges: list[dict[str, str]] = []
        self.results: dict[str, str] = {}

    def build(self) -> dict[str, Any]:
        self.node("request", "inputNode", {})
        last = "request"
        for kind in dict.fromkeys(r.records for r in self.ruleset.rules if r.records):
            self.expressions(f"list {kind}", self.record_expressions(kind), [last], kind)
            last = f"list {kind}"
        figures = {
            self.indicator_names[key]: self.expression(indicator.expr)
            for key, indicator in self.ruleset.indicators.items()
            if not indicator.records
        }
        self.expressions("figures", figures, [last])
        for rule in self.ruleset.rules:
            if rule.scored:
                self.scored(rule)
        parts = list(self.results.values())
        sums = self.sums(self.ruleset.rule(self.ruleset.root))
        self.expressions("sums", {**sums, **{name: name for name in parts}}, parts)
        self.node("response", "outputNode", {})
        self.edge("sums", "response")
        return {"nodes": self.nodes, "edges": self.edges}

    # nodes

    def node(self, name: str, kind: str, content: Mapping[str, Any]) -> None:
        place = {"x": 0, "y": 0}
        node = {"id": name, "name": name, "type": kind, "position": place, "content": content}
        self.nodes.append(node)

    def edge(self, source: str, target: str) -> None:
        name = f"{source} {target}"
        self.edges.append({"id": name, "type": "edge", "sourceId": source, "targetId": target})

    def expressions(
        self, name: str, given: Mapping[str, str], after: list[str], loop: str = ""
    ) -> None:
        listed = [{"id": key, "key": key, "value": text} for key, text in given.items()]
        content: dict[str, Any] = {"expressions": listed, "passThrough": bool(loop)}
        if loop:
            content |= {"inputField": loop, "outputPath": loop, "executionMode": "loop"}
        self.node(name, "expressionNode", content)
        for source in after:
            self.edge(source, name)

    def table(
        self, name: str, inputs: Mapping[str, str], rows: list[tuple[dict[str, str], Fraction]]
    ) -> None:
        columns = [{"id": c, "name": c, "field": field} for c, field in inputs.items()]
        content = {
            "hitPolicy": "first",
            "passThrough": False,
            "inputs": columns,
            "outputs": [{"id": "points", "name": "points", "field": name}],
            "rules": [
                {"_id": str(n), **{c: cells.get(c, "") for c in inputs}, "points": _number(points)}
                for n, (cells, points) in enumerate(rows)
            ],
        }
        self.node(name, "decisionTableNode", content)
        self.edge("figures", name)

    # rules

    def scored(self, rule: Rule) -> None:
        """The nodes that give a rule's points."""
        name = self.rule_names[rule.id]
        match rule.body:
            case Bands(bands):
                for n, (figure, rows) in enumerate(bands):
                    column = {"x": self.indicator_names[figure]}
                    self.results[f"{rule.id}/{figure}"] = f"{name}_{n}"
                    self.table(f"{name}_{n}", column, _band_rows(rows))
            case Ladder(rungs, rest):
                used = dict.fromkeys(line.name for rung in rungs for line in rung.lines)
                columns = {self.indicator_names[used_name]: used_name for used_name in used}
                steps = [(self.cells(rung), rung.points or Fraction(0)) for rung in rungs]
                inputs = {column: column for column in columns}
                self.results[rule.id] = name
                self.table(name, inputs, [*steps, ({}, rest)])
            case Attested(figure, lo, hi):
                value = self.indicator_names[figure]
                clipped = f"max([{_number(lo)}, min([{_number(hi)}, {value}])])"
                self.results[rule.id] = name
                self.expressions(name, {name: clipped}, ["figures"])

    def cells(self, rung: Case) -> dict[str, str]:
        return {
            self.indicator_names[line.name]: f"{line.op} {_number(_limit(line))}"
            for line in rung.lines
        }

    def sums(self, root: Rule) -> dict[str, str]:
        assert isinstance(root.body, Total)
        groups = {}
        for n, (group, items) in enumerate(root.body.groups.items()):
            groups[f"group_{n}"] = " + ".join(self.best(item.rule) for item in items)
            self.results[f"{root.id}/{group}"] = f"group_{n}"
        self.results[root.id] = "total"
        return {**groups, "total": " + ".join(f"$.{name}" for name in groups)}

    def best(self, id: str) -> str:
        name = self.rule_names[id]
        body = self.ruleset.rule(id).body
        if not isinstance(body, Bands):
            return name
        parts = [f"{name}_{n}" for n in range(len(body.bands))]
        return parts[0] if len(parts) == 1 else f"max([{', '.join(parts)}])"

    # rules over records

    def record_expressions(self, kind: str) -> dict[str, str]:
        """One expression per indicator that is computed, then one flag per rule."""
        found = {
            self.indicator_names[key]: self.expression(indicator.expr)
            for key, indicator in self.ruleset.indicators.items()
            if indicator.records == kind and indicator.expr[0] != "field"
        }
        for rule in self.ruleset.rules:
            if rule.records == kind:
                assert isinstance(rule.body, Cases)
                cases = (
                    "(" + " and ".join(self.line(rule, line) for line in case.lines) + ")"
                    for case in rule.body.cases
                )
                found[self.rule_names[rule.id]] = " or ".join(cases)
        return found

    def line(self, rule: Rule, line: Line) -> str:
        if line.subject == "rule":
            return f"$.{self.rule_names[line.name]}"
        indicator = self.ruleset.indicator(rule, line.name)
        value = (
            indicator.expr[1]
            if indicator.expr[0] == "field"
            else f"$.{self.indicator_names[f'{rule.records}.{line.name}']}"
        )
        if isinstance(line.value, tuple):
            return f"{value} in [{', '.join(repr(code) for code in line.value)}]"
        if indicator.kind == "flag":
            return value
        return f"{value} {line.op} {_number(_limit(line))}"

    # formulas

    def expression(self, expr: Expr) -> str:
        match expr:
            case ("fact", id):
                return self.plain(id)
            case ("field", id):
                return str(id)
            case ("year", id, offset):
                return f"{id}_{-offset}"
            case ("const", text):
                return str(text)
            case ("add", *terms):
                return "(" + " + ".join(self.expression(t) for t in terms) + ")"
            case ("sub", a, b):
                return f"({self.expression(a)} - {self.expression(b)})"
            case ("div", a, b):
                return f"({self.expression(a)} / {self.expression(b)})"
            case ("least", a, b):
                return f"min([{self.expression(a)}, {self.expression(b)}])"
            case ("bounded", a, *_):  # of a known figure, itself
                return self.expression(a)
            case ("count", kind, rule, filed):
                listed = f"count({kind}, #.{self.rule_names[rule]})"
                if filed is None:
                    return listed
                return f"({kind}_listed ? {listed} : {self.plain(filed)})"
            case ("years", a, b):
                start, end = f"d({self.expression(a)})", f"d({self.expression(b)})"
                whole = f"{end}.diff({start}, 'year')"
                # half a year for a started one: compares with whole years as the exact figure does
                return f"({whole} + ({start}.add({whole}, 'year') < {end} ? 0.5 : 0))"
            case ("as_of",):
                return "as_of"
            case ("new_year", 0):
                return "new_year"
        raise ValueError(expr)

    def plain(self, id: str) -> str:
        return f"({id} ? 1 : 0)" if self.ruleset.facts[id].kind == "flag" else id


def _band_rows(rows: tuple[Band, ...]) -> list[tuple[dict[str, str], Fraction]]:
    best_first = sorted(rows, key=lambda band: band.points, reverse=True)
    return [({"x": _range(band)}, band.points) for band in best_first]


def _range(band: Band) -> str:
    if band.lo is None or band.hi is None:
        end = f">= {_number(band.lo)}" if band.lo is not None else f"<= {_number(band.hi)}"
        return "" if band.lo is band.hi else end
    return f"[{_number(band.lo)}..{_number(band.hi)}]"


def _limit(line: Line) -> Fraction:
    assert isinstance(line.value, Fraction)
    return line.value


def _number(value: Fraction | None) -> str:
    assert value is not None
    return str(value.numerator) if value.denominator == 1 else repr(float(value))
