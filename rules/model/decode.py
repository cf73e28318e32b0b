"""Decodes a ruleset from its canonical text, so published rules need no feature files."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from rules.errors import RulesetError
from rules.model.catalogue import Catalogue
from rules.model.expressions import leaves
from rules.model.facts import Fact, RecordKind, exact
from rules.model.ruleset import (
    SCHEMA,
    Assumed,
    Attested,
    Band,
    Bands,
    Body,
    Case,
    Cases,
    Expr,
    Gap,
    Indicator,
    Item,
    Ladder,
    Line,
    Note,
    Outcome,
    Parameter,
    ParameterRow,
    Points,
    Rule,
    Ruleset,
    Total,
)
from rules.portable.record import share_with

_Json = Mapping[str, Any]


def decode(text: str, catalogue: Catalogue | None = None) -> Ruleset:
    """The ruleset of a canonical text, equal to the compiled one except for positions in files.

    ``catalogue`` is what could be filed when the ruleset was published; without it, the ruleset
    lacks what is only for people, such as the names of lists.

    Raises ``RulesetError`` for a text that is not the canonical text of a ruleset.

    >>> from pathlib import Path
    >>> from rules import load
    >>> text = load(Path("features")).ruleset("63.2.研发费用").canonical()
    >>> decode(text).root
    '63.2.研发费用'
    """
    try:
        plain = json.loads(text)
        if plain["schema"] != SCHEMA:
            raise RulesetError(
                "unknown-ruleset-schema",
                "规则集的格式版本{value}不为本程序所知：请升级本程序",
                value=plain["schema"],
            )
        ruleset = _ruleset(plain, catalogue or Catalogue())
    except (KeyError, TypeError, ValueError, IndexError) as problem:
        raise RulesetError(
            "altered-ruleset", "规则集的文本不完整或被改动：请从备份恢复"
        ) from problem
    if ruleset.canonical() != text:
        raise RulesetError("uncanonical-ruleset", "规则集的文本不是规范写法：请从备份恢复")
    return ruleset


def _ruleset(plain: _Json, catalogue: Catalogue) -> Ruleset:
    indicators = {k: _indicator(k, i) for k, i in plain["indicators"].items()}
    yearly = {leaf[1] for i in indicators.values() for leaf in leaves(i.expr) if leaf[0] == "year"}
    facts = {
        k: _described(
            replace(_fact(k, f, k in yearly), share_with=share_with(plain, k)), catalogue.get(k)
        )
        for k, f in plain["facts"].items()
    }
    fields: dict[str, Fact] = {}
    lists: dict[str, RecordKind] = {}
    for key, field in plain["fields"].items():
        records, _, id = key.rpartition(".")
        lists[records] = catalogue.lists.get(records) or RecordKind(records, records, ())
        fields[key] = _described(_fact(id, field), lists[records].field(id))
    for leaf in (leaf for i in indicators.values() for leaf in leaves(i.expr)):
        if leaf[0] in ("count", "total") and leaf[1] not in lists:
            lists[leaf[1]] = catalogue.lists.get(leaf[1]) or RecordKind(leaf[1], leaf[1], ())
    return Ruleset(
        root=plain["root"],
        title=plain["title"],
        tier=plain["tier"],
        source=plain["source"],
        rules=tuple(_rule(r) for r in plain["rules"]),
        indicators=indicators,
        facts=facts,
        fields=fields,
        maps=plain["maps"],
        lists=lists,
        parameters={k: _parameter(p) for k, p in plain.get("parameters", {}).items()},
    )


def _described(fact: Fact, declared: Fact | None) -> Fact:
    """The declared fact, if a ruleset means the same; it says more to people."""
    if declared is None:
        return fact
    same = replace(
        declared,
        rating=fact.rating,
        part_of="",
        evidence="",
        note="",
        fixed=False,
        yearly=fact.yearly,
        share_with=fact.share_with,
    )
    return replace(declared, share_with=fact.share_with) if same == fact else fact


def _rule(plain: _Json) -> Rule:
    return Rule(
        id=plain["id"],
        title=plain["title"],
        clause=plain["clause"],
        citation=plain["citation"],
        notes=tuple(Note(*note) for note in plain["notes"]),
        body=_BODIES[plain["body"]["kind"]](plain["body"]),
        records=plain["records"],
    )


def _indicator(key: str, plain: _Json) -> Indicator:
    records = plain["records"]
    return Indicator(
        name=key.removeprefix(f"{records}.") if records else key,
        kind=plain["kind"],
        unit=plain["unit"],
        expr=_expr(plain["expr"]),
        records=records,
        clause=plain["clause"],
        root=plain.get("root", 1),
        against=plain.get("against", ""),
    )


def _expr(plain: Any) -> Expr:
    return tuple(_expr(part) if isinstance(part, list) else part for part in plain)


def _fact(id: str, plain: _Json, yearly: bool = False) -> Fact:
    return Fact(
        id,
        plain["name"],
        plain["kind"],
        plain["unit"],
        yearly=yearly,
        origin=plain["origin"],
        minimum=_number(plain["minimum"]),
        maximum=_number(plain["maximum"]),
        codes=tuple(plain["codes"]),
    )


def _parameter(plain: _Json) -> Parameter:
    return Parameter(
        plain["unit"],
        tuple(
            ParameterRow(of=of, place=at, sector=sector, year=year, value=exact(v), basis=basis)
            for of, at, sector, year, v, basis in plain["rows"]
        ),
    )


def _number(text: str | None) -> Fraction | None:
    return None if text is None else exact(text)


def _case(plain: _Json) -> Case:
    return Case(
        plain["name"], tuple(_line(x) for x in plain["lines"]), _number(plain.get("points"))
    )


def _line(plain: _Json) -> Line:
    value = plain["value"]
    return Line(
        subject=plain["subject"],
        name=plain["name"],
        op=plain["op"],
        value=tuple(value) if isinstance(value, list) else _number(value),
        text=plain["text"],
    )


def _bands(plain: _Json) -> Bands:
    return Bands(
        tuple(
            (name, tuple(Band(_number(lo), _number(hi), exact(p)) for lo, hi, p in rows))
            for name, rows in plain["bands"]
        )
    )


def _assumed(plain: _Json) -> Assumed:
    if "outcome" in plain:
        return Assumed(Outcome(plain["outcome"]))
    lo, hi, gap = plain["points"]
    return Assumed(Points(exact(lo), exact(hi), Gap(gap)))


_BODIES: Final[dict[str, Callable[[_Json], Body]]] = {
    "cases": lambda b: Cases(tuple(_case(c) for c in b["cases"])),
    "bands": _bands,
    "ladder": lambda b: Ladder(tuple(_case(c) for c in b["rungs"]), exact(b["rest"])),
    "total": lambda b: Total(
        tuple(Item(g, r, exact(full)) for g, r, full in b["items"]), _number(b.get("cap"))
    ),
    "attested": lambda b: Attested(b["indicator"], exact(b["lo"]), exact(b["hi"])),
    "assumed": _assumed,
}
