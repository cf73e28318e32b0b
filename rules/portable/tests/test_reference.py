"""The reference evaluator on hand-built rulesets in literal JSON, with hand-typed results."""

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.portable.reference import EvaluationError, Evaluator, evaluate, verdict

NOT_MET, MISSING, PENDING, MET = range(4)
Json = dict[str, Any]


def fact(
    kind: str, origin: str = "填报", minimum: str | None = None, maximum: str | None = None
) -> Json:
    return {"name": "", "kind": kind, "unit": "", "origin": origin, "minimum": minimum, "maximum": maximum, "codes": []}  # fmt: skip


FACTS = {
    "x": fact("number", minimum="0"),
    "y": fact("number", minimum="0"),
    "z": fact("number", "认定", minimum="0"),
    "share": fact("number", minimum="0", maximum="1"),
    "flag": fact("flag"),
    "finding": fact("flag", "认定"),
    "revenue": fact("number", minimum="0"),
    "day": fact("date"),
    "industry": fact("text"),
    "sector": fact("code", "认定"),
    "low": fact("number", minimum="0"),
    "high": fact("number", minimum="0"),
    "filed": fact("number", minimum="0"),
}
FIELDS = {
    "ip.valid": fact("flag"),
    "ip.approved": fact("flag", "认定"),
    "ip.kind": fact("code"),
    "ip.amount": fact("number", minimum="0"),
    "ip.day": fact("date"),
}
INDICATORS = {
    "x": ["fact", "x"],
    "y": ["fact", "y"],
    "z": ["fact", "z"],
    "share": ["fact", "share"],
    "flag": ["fact", "flag"],
    "finding": ["fact", "finding"],
    "growth": ["div", ["sub", ["year", "revenue", 0], ["year", "revenue", -1]], ["year", "revenue", -1]],
    "ratio": ["div", ["fact", "x"], ["fact", "y"]],
    "both": ["add", ["fact", "flag"], ["fact", "finding"]],
    "capped": ["least", ["fact", "x"], ["const", "1"]],
    "between": ["bounded", ["fact", "x"], [["fact", "low"]], [["fact", "high"]]],
    "day": ["days", ["as_of"], ["fact", "day"]],
    "age": ["years", ["fact", "day"], ["new_year", 0]],
    "calendar": ["calendar_years", ["fact", "day"], ["as_of"]],
    "year": ["year_number", ["fact", "day"]],
    "sector": ["else_found", ["lookup", "sectors", ["fact", "industry"]], ["fact", "sector"]],
    "good ones": ["count", "ip", "good", "filed"],
    "good amount": ["total", "ip", "amount", "good", None],
    "ip.valid": ["field", "valid"],
    "ip.approved": ["field", "approved"],
    "ip.kind": ["field", "kind"],
    "ip.day": ["days", ["as_of"], ["field", "day"]],
}  # fmt: skip


def ruleset(*rules: Json) -> Json:
    return {
        "schema": 1,
        "root": rules[-1]["id"],
        "title": "",
        "tier": "",
        "source": "",
        "rules": list(rules),
        "indicators": {
            k: {"kind": "number", "unit": "", "expr": e, "records": "", "clause": ""}
            for k, e in INDICATORS.items()
        },
        "facts": FACTS,
        "fields": FIELDS,
        "maps": {"sectors": {"A": "农业", "A01": "种植", "C": "工业"}},
    }


def rule(id: str, kind: str, records: str = "", **body: Any) -> Json:
    return {
        "id": id,
        "title": "",
        "clause": "",
        "citation": "",
        "notes": [],
        "records": records,
        "body": {"kind": kind, **body},
    }


def line(subject: str, name: str, op: str = ">=", value: Any = None) -> Json:
    return {"subject": subject, "name": name, "op": op, "value": value, "text": ""}


def case(name: str, *lines: Json, **points: str) -> Json:
    return {"name": name, "lines": list(lines), **points}


def cases(id: str, *alternatives: Json, records: str = "") -> Json:
    return rule(id, "cases", records, cases=list(alternatives))


def facts(records: Json | None = None, **values: Any) -> Json:
    return {"as_of": "2023-05-31", "values": values, "records": records or {}, "sources": {}}


def ip(*items: Json, complete: bool | None = None) -> Json:
    return {"ip": {"complete": complete, "items": list(items)}}


def points(
    lo: int | str, hi: int | str | None = None, gap: int = 0
) -> tuple[Fraction, Fraction, int]:
    return (Fraction(lo), Fraction(lo if hi is None else hi), gap)


def given_as(id: str, lo: int | str, hi: int | str | None = None, gap: int = 0) -> Json:
    return rule(id, "assumed", points=[str(lo), str(lo if hi is None else hi), gap])


# lines


@pytest.mark.parametrize(
    ("name", "op", "value", "values", "expected"),
    [
        # just below, on and just above a threshold
        ("x", ">=", "3/100", {"x": "0.029999"}, NOT_MET),
        ("x", ">=", "3/100", {"x": "0.03"}, MET),
        ("x", ">=", "3/100", {"x": "0.030001"}, MET),
        ("x", ">", "3/100", {"x": "0.029999"}, NOT_MET),
        ("x", ">", "3/100", {"x": "0.03"}, NOT_MET),
        ("x", ">", "3/100", {"x": "0.030001"}, MET),
        ("x", "<", "3/100", {"x": "0.029999"}, MET),
        ("x", "<", "3/100", {"x": "0.03"}, NOT_MET),
        ("x", "<", "3/100", {"x": "0.030001"}, NOT_MET),
        ("x", "<=", "3/100", {"x": "0.029999"}, MET),
        ("x", "<=", "3/100", {"x": "0.03"}, MET),
        ("x", "<=", "3/100", {"x": "0.030001"}, NOT_MET),
        # unknown, within what can be true of it
        ("x", ">=", "1", {}, MISSING),
        ("x", ">=", "0", {}, MET),
        ("x", ">", "0", {}, MISSING),
        ("x", "<", "0", {}, NOT_MET),
        ("x", "<=", "0", {}, MISSING),
        ("z", ">=", "1", {}, PENDING),
        ("share", ">", "1", {}, NOT_MET),
        ("share", "<=", "1", {}, MET),
        ("share", "<", "1", {}, MISSING),
        # flags count as 1 and 0
        ("flag", ">=", "1", {"flag": True}, MET),
        ("flag", ">=", "1", {"flag": False}, NOT_MET),
        ("flag", "<", "1", {"flag": False}, MET),
        ("flag", ">=", "1", {}, MISSING),
        ("finding", ">=", "1", {}, PENDING),
        ("both", ">=", "1", {"flag": True}, MET),
        ("both", ">=", "2", {"flag": True}, PENDING),
        ("both", ">=", "2", {"finding": True}, MISSING),
        ("both", ">=", "2", {"finding": False}, NOT_MET),
        # ratios: unknown, on the threshold, and those that cannot be computed
        ("ratio", ">=", "1/3", {"x": "1", "y": "3"}, MET),
        ("ratio", ">", "1/3", {"x": "1", "y": "3"}, NOT_MET),
        ("ratio", ">=", "1/3", {"x": "1"}, MISSING),
        ("ratio", ">=", "1/3", {"x": "1", "y": "0"}, PENDING),
        ("growth", ">=", "1/20", {"revenue@2022": "105", "revenue@2021": "100"}, MET),
        ("growth", ">=", "1/20", {"revenue@2022": "104.99", "revenue@2021": "100"}, NOT_MET),
        ("growth", ">=", "-1", {"revenue@2021": "100"}, MET),
        ("growth", ">=", "1/20", {"revenue@2022": "105"}, MISSING),
        ("growth", ">=", "1/20", {"revenue@2022": "105", "revenue@2021": "0"}, PENDING),
        ("growth", ">=", "1/20", {"revenue@2022": "105", "revenue@2021": "-1"}, PENDING),
        # intervals
        ("capped", "<=", "1", {}, MET),
        ("capped", "<", "1", {}, MISSING),
        ("between", ">=", "2", {"low": "2"}, MET),
        ("between", ">", "2", {"low": "2"}, MISSING),
        ("between", "<=", "5", {"low": "2", "high": "5"}, MET),
        ("between", ">", "5", {"low": "2", "high": "5"}, NOT_MET),
        ("between", ">", "4", {"x": "5", "low": "2", "high": "5"}, MET),
        ("between", ">", "5", {"x": "6", "low": "2", "high": "5"}, PENDING),
        ("between", ">=", "0", {"low": "5", "high": "2"}, PENDING),
        # dates: the day before, on, and after; 29 February
        ("day", ">", "0", {"day": "2023-05-30"}, NOT_MET),
        ("day", ">=", "0", {"day": "2023-05-30"}, NOT_MET),
        ("day", ">=", "0", {"day": "2023-05-31"}, MET),
        ("day", ">", "0", {"day": "2023-05-31"}, NOT_MET),
        ("day", ">", "0", {"day": "2023-06-01"}, MET),
        ("day", ">", "0", {}, MISSING),
        ("age", ">=", "3", {"day": "2019-12-31"}, MET),
        ("age", ">=", "3", {"day": "2020-01-01"}, MET),
        ("age", ">=", "3", {"day": "2020-01-02"}, NOT_MET),
        ("age", ">", "3", {"day": "2020-01-01"}, NOT_MET),
        ("age", "<=", "1036/365", {"day": "2020-02-29"}, MET),
        ("age", ">=", "1036/365", {"day": "2020-02-29"}, MET),
        ("calendar", "<=", "1", {"day": "2022-01-01"}, MET),
        ("calendar", "<=", "1", {"day": "2021-12-31"}, NOT_MET),
        ("year", ">=", "2021", {"day": "2021-01-01"}, MET),
        ("year", ">=", "2021", {"day": "2020-12-31"}, NOT_MET),
        # codes: the longest prefix, else the finding
        ("sector", "in", ["工业", "农业"], {"industry": "C3412"}, MET),
        ("sector", "in", ["农业"], {"industry": "C3412"}, NOT_MET),
        ("sector", "in", ["种植"], {"industry": "A0111"}, MET),
        ("sector", "in", ["农业"], {"industry": "A02"}, MET),
        ("sector", "in", ["农业"], {}, MISSING),
        ("sector", "in", ["农业"], {"sector": "农业"}, MISSING),
        ("sector", "in", ["农业"], {"industry": "Z9"}, PENDING),
        ("sector", "in", ["农业"], {"industry": "Z9", "sector": "农业"}, MET),
        ("sector", "in", ["农业"], {"industry": "C34", "sector": "农业"}, NOT_MET),
    ],
)
def test_line(name: str, op: str, value: Any, values: Json, expected: int) -> None:
    rules = ruleset(cases("r", case("情形", line("indicator", name, op, value))))
    assert evaluate(rules, facts(**values)) == {
        "r": expected,
        "r/情形": expected,
        "r/情形/1": expected,
    }


@pytest.mark.parametrize(
    ("given", "op", "expected"),
    [
        (points(60), ">=", MET),
        (points("59.9"), ">=", NOT_MET),
        (points(60), ">", NOT_MET),
        (points(60, 70, 1), ">=", MET),
        (points(60, 70, 1), ">", MISSING),
        (points(50, 60, 2), ">=", PENDING),
        (points(50, 60, 2), ">", NOT_MET),
        (points(50, 60, 2), "<=", MET),
        (points(50, 60, 1), "<", MISSING),
    ],
)
def test_points_line(given: tuple[Fraction, Fraction, int], op: str, expected: int) -> None:
    score = rule("s", "assumed", points=[str(given[0]), str(given[1]), given[2]])
    rules = ruleset(score, cases("r", case("情形", line("points", "s", op, "60"))))
    assert verdict(rules, facts()) == expected
    assert evaluate(rules, facts())["s"] == given


@pytest.mark.parametrize(
    ("given_outcome", "expected"),
    [(MET, NOT_MET), (NOT_MET, MET), (MISSING, MISSING), (PENDING, PENDING)],
)
def test_a_rule_that_must_not_be_met(given_outcome: int, expected: int) -> None:
    rules = ruleset(
        rule("甲", "assumed", outcome=given_outcome), cases("r", case("情形", line("unmet", "甲")))
    )
    assert verdict(rules, facts()) == expected


def test_lines_join_by_and_and_cases_by_or() -> None:
    a, b, c = (line("rule", name) for name in "abc")

    def outcome(of_a: int, of_b: int, of_c: int) -> object:
        """Of (a and b) or c."""
        given = [
            rule(n, "assumed", outcome=o) for n, o in zip("abc", (of_a, of_b, of_c), strict=True)
        ]
        return verdict(ruleset(*given, cases("r", case("一", a, b), case("二", c))), facts())

    assert outcome(MET, MET, NOT_MET) == MET
    assert outcome(MET, NOT_MET, MET) == MET
    assert outcome(MET, PENDING, NOT_MET) == PENDING
    assert outcome(MISSING, PENDING, NOT_MET) == MISSING
    assert outcome(NOT_MET, PENDING, NOT_MET) == NOT_MET
    assert outcome(MET, PENDING, MISSING) == MISSING
    assert outcome(NOT_MET, MET, PENDING) == PENDING
    assert outcome(NOT_MET, MET, MISSING) == MISSING


# scores

HIGHER_IS_BETTER = [[None, "2", "0"], ["2", "5", "3"], ["5", "10", "6"], ["10", None, "10"]]
LOWER_IS_BETTER = [[None, "1/2", "10"], ["1/2", "7/10", "5"], ["7/10", None, "0"]]


@pytest.mark.parametrize(
    ("name", "rows", "values", "expected"),
    [
        # a boundary takes the higher points
        ("x", HIGHER_IS_BETTER, {"x": "1.99"}, points(0)),
        ("x", HIGHER_IS_BETTER, {"x": "2"}, points(3)),
        ("x", HIGHER_IS_BETTER, {"x": "4.99"}, points(3)),
        ("x", HIGHER_IS_BETTER, {"x": "5"}, points(6)),
        ("x", HIGHER_IS_BETTER, {"x": "10"}, points(10)),
        ("x", HIGHER_IS_BETTER, {"x": "1000"}, points(10)),
        ("x", LOWER_IS_BETTER, {"x": "0"}, points(10)),
        ("x", LOWER_IS_BETTER, {"x": "0.5"}, points(10)),
        ("x", LOWER_IS_BETTER, {"x": "0.51"}, points(5)),
        ("x", LOWER_IS_BETTER, {"x": "0.7"}, points(5)),
        ("x", LOWER_IS_BETTER, {"x": "0.71"}, points(0)),
        # intervals across the cells
        ("x", HIGHER_IS_BETTER, {}, points(0, 10, 1)),
        ("z", LOWER_IS_BETTER, {}, points(0, 10, 2)),
        ("share", LOWER_IS_BETTER, {}, points(0, 10, 1)),
        ("share", HIGHER_IS_BETTER, {}, points(0)),
        ("ratio", HIGHER_IS_BETTER, {"x": "1", "y": "0"}, points(0, 10, 2)),
        ("between", HIGHER_IS_BETTER, {"low": "2", "high": "4"}, points(3)),
        ("between", HIGHER_IS_BETTER, {"low": "2", "high": "5"}, points(3, 6, 1)),
        ("between", HIGHER_IS_BETTER, {"low": "3", "high": "20"}, points(3, 10, 1)),
        ("between", HIGHER_IS_BETTER, {"low": "5", "high": "9"}, points(6)),
        ("between", HIGHER_IS_BETTER, {"low": "10"}, points(10)),
        ("between", LOWER_IS_BETTER, {"low": "0.5", "high": "0.6"}, points(5, 10, 1)),
        ("between", LOWER_IS_BETTER, {"low": "0.6", "high": "0.7"}, points(5)),
        ("between", LOWER_IS_BETTER, {"low": "0.7", "high": "0.8"}, points(0, 5, 1)),
        ("between", LOWER_IS_BETTER, {"low": "0.1", "high": "0.5"}, points(10)),
        # the middle is best: the most lies inside the interval, not at its ends
        ("between", [[None, "1", "0"], ["1", "2", "7"], ["2", None, "1"]], {"high": "9"}, points(0, 7, 1)),
        ("between", [[None, "1", "5"], ["1", "2", "0"], ["2", None, "5"]], {"low": "1", "high": "2"}, points(0, 5, 1)),
        ("x", [[None, None, "4"]], {}, points(4)),
    ],
)  # fmt: skip
def test_bands(name: str, rows: object, values: Json, expected: object) -> None:
    rules = ruleset(rule("s", "bands", bands=[[name, rows]]))
    assert evaluate(rules, facts(**values)) == {"s": expected, f"s/{name}": expected}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"x": "5", "z": "2"}, points(6)),
        ({"x": "2", "z": "5"}, points(6)),
        ({"x": "5"}, points(6, 10, 2)),
        ({"z": "5"}, points(6, 10, 1)),
        ({}, points(0, 10, 1)),
        ({"x": "10"}, points(10)),
    ],
)
def test_the_best_banded_indicator_counts(values: Json, expected: object) -> None:
    rules = ruleset(rule("s", "bands", bands=[["x", HIGHER_IS_BETTER], ["z", HIGHER_IS_BETTER]]))
    assert verdict(rules, facts(**values)) == expected


def test_a_banded_indicator_that_cannot_win_leaves_no_gap() -> None:
    poor = [[None, "5", "0"], ["5", None, "3"]]
    rules = ruleset(rule("s", "bands", bands=[["x", poor], ["z", HIGHER_IS_BETTER]]))
    assert evaluate(rules, facts()) == {
        "s": points(0, 10, 1),
        "s/x": points(0, 3, 1),
        "s/z": points(0, 10, 2),
    }
    assert verdict(rules, facts(z="2")) == points(3)
    rules = ruleset(rule("s", "bands", bands=[["x", poor], ["z", [[None, "5", "3"], ["5", None, "9"]]]]))  # fmt: skip
    assert verdict(rules, facts()) == points(3, 9, 2)


LADDER = rule(
    "s",
    "ladder",
    rungs=[
        case("一档", line("indicator", "finding", ">=", "1"), points="10"),
        case("二档", line("indicator", "x", ">=", "5"), points="6"),
        case("三档", line("indicator", "y", ">=", "5"), points="6"),
        case("四档", line("indicator", "flag", ">=", "1"), points="2"),
    ],
    rest="1/2",
)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"finding": True}, points(10)),
        ({"finding": False, "x": "5"}, points(6)),
        ({"finding": False, "y": "5"}, points(6)),
        ({"finding": False, "x": "4", "y": "4", "flag": True}, points(2)),
        ({"finding": False, "x": "4", "y": "4", "flag": False}, points("1/2")),
        ({}, points("1/2", 10, 1)),
        ({"x": "5"}, points(6, 10, 2)),
        ({"y": "5"}, points(6, 10, 2)),
        ({"finding": False, "x": "4"}, points("1/2", 6, 1)),
        ({"finding": False, "flag": True}, points(2, 6, 1)),
        ({"x": "4", "y": "4", "flag": False}, points("1/2", 10, 2)),
        ({"x": "4", "y": "4"}, points("1/2", 10, 1)),
    ],
)
def test_ladder(values: Json, expected: object) -> None:
    assert verdict(ruleset(LADDER), facts(**values)) == expected


def test_ladder_trace() -> None:
    assert evaluate(ruleset(LADDER), facts(x="5", flag=False)) == {
        "s": points(6, 10, 2),
        "s/一档": PENDING,
        "s/一档/1": PENDING,
        "s/二档": MET,
        "s/二档/1": MET,
        "s/三档": MISSING,
        "s/三档/1": MISSING,
        "s/四档": NOT_MET,
        "s/四档/1": NOT_MET,
    }


def test_total_and_groups() -> None:
    items = [["甲", "a", "10"], ["乙", "b", "10"], ["甲", "c", "10"], ["", "d", "5"]]
    parts = (given_as("a", 3), given_as("b", 1, 4, 2), given_as("c", 2, 6, 1), given_as("d", "1/2"))
    root = cases(
        "r",
        case("情形", line("points", "t", ">=", "13/2"), line("points", "t/甲", ">", "9")),
    )
    trace = evaluate(ruleset(*parts, rule("t", "total", items=items), root), facts())
    assert trace["t"] == points("13/2", "27/2", 1)
    assert trace["t/甲"] == points(5, 9, 1)
    assert trace["t/乙"] == points(1, 4, 2)
    assert "t/" not in trace
    assert (trace["r/情形/1"], trace["r/情形/2"], trace["r"]) == (MET, NOT_MET, NOT_MET)


@pytest.mark.parametrize(
    ("cap", "expected"),
    [
        ("14", points("13/2", "27/2", 1)),
        ("27/2", points("13/2", "27/2", 1)),
        ("10", points("13/2", 10, 1)),
        ("13/2", points("13/2")),
        ("6", points(6)),
    ],
)
def test_a_capped_total_and_its_groups(cap: str, expected: object) -> None:
    items = [["甲", "a", "10"], ["乙", "b", "10"], ["甲", "c", "10"], ["", "d", "5"]]
    parts = (given_as("a", 3), given_as("b", 1, 4, 2), given_as("c", 2, 6, 1), given_as("d", "1/2"))
    trace = evaluate(ruleset(*parts, rule("t", "total", items=items, cap=cap)), facts())
    assert trace["t"] == expected
    assert (trace["t/甲"], trace["t/乙"]) == (points(5, 9, 1), points(1, 4, 2))


def test_points_of_an_assumed_group() -> None:
    rules = ruleset(
        given_as("t/甲", 5), cases("r", case("情形", line("points", "t/甲", ">=", "5")))
    )
    assert verdict(rules, facts()) == MET


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("x", {"x": "7.5"}, points("15/2")),
        ("x", {"x": "15"}, points(15)),
        ("x", {"x": "16"}, points(15)),
        ("x", {"x": "1"}, points(2)),
        ("x", {}, points(2, 15, 1)),
        ("z", {}, points(2, 15, 2)),
        ("between", {"low": "5", "high": "20"}, points(5, 15, 1)),
        ("between", {"low": "16", "high": "20"}, points(15)),
        ("ratio", {"x": "1", "y": "0"}, points(2, 15, 2)),
    ],
)
def test_attested(name: str, values: Json, expected: object) -> None:
    rules = ruleset(rule("s", "attested", indicator=name, lo="2", hi="15"))
    assert verdict(rules, facts(**values)) == expected


# records

GOOD = (
    cases("good", case("情形", line("rule", "valid"), line("rule", "known")), records="ip"),
    cases("valid", case("情形", line("indicator", "valid", ">=", "1")), records="ip"),
    cases(
        "known",
        case("认可", line("indicator", "approved", ">=", "1")),
        case("专利", line("indicator", "kind", "in", ["专利"])),
        records="ip",
    ),
)
PATENT = {"valid": True, "approved": False, "kind": "专利", "amount": "5"}
VOID = {"valid": False, "amount": "100"}
UNSEEN = {"valid": True, "kind": "商标", "amount": "7"}
UNKNOWN = {"approved": True}


@pytest.mark.parametrize(
    ("records", "counted", "summed"),
    [
        ({}, points(4), points(0, 100, 1)),
        (ip(), points(4), points(0, 100, 1)),
        (ip(complete=False), points(4), points(0, 100, 1)),
        (ip(complete=True), points(0), points(0)),
        (ip(PATENT, VOID), points(1, 100, 1), points(5, 100, 1)),
        (ip(PATENT, VOID, complete=False), points(1, 100, 1), points(5, 100, 1)),
        (ip(PATENT, VOID, complete=True), points(1), points(5)),
        (ip(PATENT, UNSEEN, complete=True), points(1, 2, 2), points(5, 12, 2)),
        (ip(UNKNOWN, UNSEEN, complete=True), points(0, 2, 1), points(0, 100, 1)),
        (ip(PATENT, {**PATENT, "amount": "0.5"}, complete=True), points(2), points("11/2")),
    ],
)
def test_records(records: Json, counted: object, summed: object) -> None:
    scores = [
        rule("counted", "attested", indicator="good ones", lo="0", hi="100"),
        rule("summed", "attested", indicator="good amount", lo="0", hi="100"),
    ]
    listed = records.get("ip", {})
    filed = {} if listed.get("items") or listed.get("complete") else {"filed": "4"}
    trace = evaluate(ruleset(*GOOD, *scores), facts(records, **filed))
    assert trace["counted"] == counted
    assert trace["summed"] == summed


def test_record_trace() -> None:
    assert evaluate(ruleset(*GOOD), facts(ip(PATENT, UNKNOWN))) == {
        "ip#0:good": MET,
        "ip#0:good/情形": MET,
        "ip#0:good/情形/1": MET,
        "ip#0:good/情形/2": MET,
        "ip#0:valid": MET,
        "ip#0:valid/情形": MET,
        "ip#0:valid/情形/1": MET,
        "ip#0:known": MET,
        "ip#0:known/认可": NOT_MET,
        "ip#0:known/认可/1": NOT_MET,
        "ip#0:known/专利": MET,
        "ip#0:known/专利/1": MET,
        "ip#1:good": MISSING,
        "ip#1:good/情形": MISSING,
        "ip#1:good/情形/1": MISSING,
        "ip#1:good/情形/2": MET,
        "ip#1:valid": MISSING,
        "ip#1:valid/情形": MISSING,
        "ip#1:valid/情形/1": MISSING,
        "ip#1:known": MET,
        "ip#1:known/认可": MET,
        "ip#1:known/认可/1": MET,
        "ip#1:known/专利": MISSING,
        "ip#1:known/专利/1": MISSING,
    }
    assert evaluate(ruleset(*GOOD), facts()) == {}


def test_dates_of_records() -> None:
    recent = cases("recent", case("情形", line("indicator", "day", ">", "0")), records="ip")
    items = [{"day": "2023-05-31"}, {"day": "2023-06-01"}, {}]
    trace = evaluate(ruleset(recent), facts(ip(*items)))
    assert [trace[f"ip#{n}:recent"] for n in range(3)] == [NOT_MET, MET, MISSING]


# what is not foreseen


@pytest.mark.parametrize(
    ("rules", "filing", "message"),
    [
        (ruleset(given_as("s", 1)) | {"schema": 2}, facts(), "schema 2"),
        (ruleset(rule("s", "lottery")), facts(), "lottery"),
        (ruleset(rule("s", "assumed", outcome=4)), facts(), "outcome 4"),
        (ruleset(cases("s", case("情形", line("weather", "x")))), facts(), "weather"),
        (ruleset(cases("s", case("情形", line("indicator", "x", "=", "1")))), facts(), "comparison '='"),
        (ruleset(cases("s", case("情形", line("indicator", "x", ">=", 1)))), facts(), "not 1"),
        (ruleset(cases("s", case("情形", line("indicator", "no", ">=", "1")))), facts(), "'no'"),
        (ruleset(cases("s", case("情形", line("indicator", "x", "in", ["1"])))), facts(x="1"), "not comparable"),
        (ruleset(cases("s", case("情形", line("indicator", "sector", ">=", "1")))), facts(industry="A"), "not comparable"),
        (ruleset(rule("s", "bands", bands=[["sector", HIGHER_IS_BETTER]])), facts(industry="A"), "not comparable"),
        (ruleset(cases("s", case("情形", line("rule", "s")))), facts(), "depends on itself"),
        (ruleset(*GOOD, cases("s", case("情形", line("rule", "good")))), facts(), "good is not a rule for"),
        (ruleset(given_as("p", 1), cases("s", case("情形", line("rule", "p")))), facts(), "outcome is asked"),
        (ruleset(rule("p", "assumed", outcome=3), rule("s", "total", items=[["", "p", "1"]])), facts(), "points are asked"),
        (ruleset(cases("s", case("情形"))), facts(), "malformed"),
        (ruleset(cases("s", case("情形", line("indicator", "x", ">=", "1")))), facts(x=True), "not True"),
        (ruleset(cases("s", case("情形", line("indicator", "x", ">=", "1")))), facts(x="三"), "三"),
        (ruleset(cases("s", case("情形", line("indicator", "flag", ">=", "1")))), facts(flag="是"), "是"),
        (ruleset(cases("s", case("情形", line("indicator", "day", ">=", "1")))), facts(day="2023-02-29"), "malformed"),
        (ruleset(cases("s", case("情形", line("indicator", "day", ">=", "1")))), facts(day=True), "not True"),
    ],
)  # fmt: skip
def test_fails_loudly(rules: Json, filing: Json, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        evaluate(rules, filing)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (["root", ["fact", "x"]], "unknown formula"),
        (["sub", ["fact", "x"]], "unknown formula"),
        (["field", "valid"], "unknown formula"),
        (["days", ["as_of"], ["fact", "odd"]], "kind or origin"),
        (["days", ["as_of"], ["const", "1"]], "not a date"),
        (["total", "ip", "loss", "good", None], "may be negative"),
    ],
)
def test_fails_loudly_on_formulas(formula: list[Any], message: str) -> None:
    rules = ruleset(*GOOD, rule("s", "attested", indicator="x", lo="0", hi="1"))
    rules["indicators"] = rules["indicators"] | {"x": {"expr": formula}}
    rules["facts"] = FACTS | {"odd": fact("odd")}
    rules["fields"] = FIELDS | {"ip.loss": fact("number")}
    with pytest.raises(EvaluationError, match=message):
        evaluate(rules, facts(ip(PATENT)))


# more information never overturns a settled outcome, nor widens points

amounts = st.sampled_from(["0", "1", "2", "3", "5", "8"])
whether = st.sampled_from(["rule", "unmet"])
limits = st.sampled_from(["0", "1", "2", "3", "5", "1/2"])
PLAIN = [["fact", n] for n in ("x", "y", "z", "share", "flag", "finding")] + [
    ["year", "revenue", 0],
    ["year", "revenue", -1],
    ["const", "2"],
    ["const", "0"],
    ["div", ["fact", "y"], ["fact", "z"]],
    ["bounded", ["div", ["fact", "y"], ["fact", "z"]], [["const", "0"]], []],
    ["days", ["as_of"], ["fact", "day"]],
    ["years", ["fact", "day"], ["new_year", 0]],
    ["count", "ip", "good", "filed"],
    ["total", "ip", "amount", "good", None],
    ["bounded", ["fact", "x"], [["fact", "low"]], [["fact", "high"]]],
    ["least", ["fact", "x"], ["fact", "z"]],
]


def pair(node: str, part: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(node), part, part).map(list)


formulas = st.recursive(
    st.sampled_from(PLAIN),
    lambda part: st.one_of(
        [pair(node, part) for node in ("add", "sub", "mul", "div", "least", "most", "else_found")]
    ),
    max_leaves=4,
)
outcome_lines = st.builds(
    line,
    st.just("indicator"),
    st.sampled_from(["甲", "乙", "丙"]),
    st.sampled_from([">=", ">", "<", "<="]),
    limits,
) | st.builds(
    line,
    st.just("indicator"),
    st.just("sector"),
    st.just("in"),
    st.sampled_from([["工业"], ["农业", "种植"]]),
)
tables = st.lists(outcome_lines, min_size=1, max_size=2)
several = st.lists(tables, min_size=1, max_size=3)
scales = st.tuples(
    st.lists(st.sampled_from(["-1", "0", "1", "2", "3", "5"]), min_size=1, max_size=3, unique=True),
    st.lists(amounts, min_size=4, max_size=4),
)


def rows(scale: tuple[list[str], list[str]]) -> list[list[str | None]]:
    marks = [None, *sorted(scale[0], key=int), None]
    return [[lo, hi, p] for lo, hi, p in zip(marks, marks[1:], scale[1], strict=False)]


def rungs(tables: list[list[Json]]) -> list[Json]:
    return [case(f"{n}档", *lines, points=str(9 - n)) for n, lines in enumerate(tables)]


@st.composite
def small_rulesets(draw: st.DrawFn) -> Json:
    scored = [
        rule("bands", "bands", bands=[[n, rows(draw(scales))] for n in ("甲", "乙")]),
        rule("ladder", "ladder", rungs=rungs(draw(several)), rest="0"),
        rule("attested", "attested", indicator="丙", lo="0", hi="3"),
    ]
    items = [["一", "bands", "9"], ["一", "ladder", "9"], ["二", "attested", "3"]]
    met = cases("cases", *(case(f"{n}", *lines) for n, lines in enumerate(draw(several))))
    root = cases(
        "root",
        case("总分", line("points", "total", ">=", draw(limits)), line(draw(whether), "cases")),
        case("组分", line("points", "total/一", draw(st.sampled_from([">=", "<"])), draw(limits))),
    )
    cap = draw(st.one_of(st.just({}), limits.map(lambda most: {"cap": most})))
    rules = ruleset(*GOOD, *scored, met, rule("total", "total", items=items, **cap), root)
    rules["indicators"] |= {n: {"expr": draw(formulas)} for n in ("甲", "乙", "丙")}
    return rules


fully_filed = st.fixed_dictionaries(
    {
        **dict.fromkeys(("y", "z", "filed", "revenue@2022", "revenue@2021"), amounts),
        "share": st.sampled_from(["0", "0.5", "1"]),
        "flag": st.booleans(),
        "finding": st.booleans(),
        "day": st.sampled_from(["2019-12-31", "2020-02-29", "2023-05-31", "2023-06-01"]),
        "industry": st.sampled_from(["A0111", "C34", "Z9"]),
        "sector": st.sampled_from(["工业", "农业"]),
    }
)
bounds = st.tuples(amounts, amounts, amounts).map(
    lambda t: dict(zip(("low", "x", "high"), sorted(t), strict=True))
)
filed_records = st.lists(
    st.fixed_dictionaries(
        {
            "valid": st.booleans(),
            "approved": st.booleans(),
            "kind": st.sampled_from(["专利", "商标"]),
            "amount": amounts,
        }
    ),
    max_size=3,
)


@st.composite
def two_filings(draw: st.DrawFn) -> tuple[Json, Json]:
    """A filing, and one that leaves out some of its values, fields and records."""

    def some(values: Json) -> Json:
        return {k: v for k, v in values.items() if draw(st.booleans())}

    values: Json = draw(fully_filed)
    records: list[Json] = draw(filed_records)
    more = some(values | draw(bounds))
    items = [some(record) for record in records]
    complete = draw(st.booleans()) and bool(items)
    if items:  # a filed total may contradict the records: that corrects the record, adds nothing
        more.pop("filed", None)
    fewer, stated = items, complete
    if draw(st.booleans()) and items:
        fewer, stated = items[: draw(st.integers(1, len(items)))], False
    return (
        facts(ip(*map(some, fewer), complete=stated), **some(more)),
        facts(ip(*items, complete=complete), **more),
    )


@settings(max_examples=400)
@given(small_rulesets(), two_filings())
def test_information_only_settles(rules: Json, filings: tuple[Json, Json]) -> None:
    evaluator = Evaluator(json.loads(json.dumps(rules)))
    before, after = map(evaluator.evaluate, filings)
    for key, result in before.items():
        now = after[key]
        if isinstance(result, int):
            assert result in (MISSING, PENDING) or now == result, key
        else:
            assert not isinstance(now, int)
            assert result.lo <= now.lo <= now.hi <= result.hi, key
            assert (now.gap == 0) == (now.lo == now.hi), key
