"""Control relations with the holders of a title, as registered holdings prove them."""

import itertools
from fractions import Fraction
from typing import Any

import pytest

from rules.portable.record import (
    SHARE,
    Asked,
    Control,
    asked_of_register,
    control,
    registered_facts,
    share_with,
)

DAY = "2026-06-30"
FIRM, GIANT, TITLE = "甲", "巨", "标杆企业"
HALF = Control({TITLE}, ((Fraction(1, 2), False),))
Entry = tuple[str, dict[str, Any]]


def holding(holder: str, held: str, share: str = "0.51", **more: Any) -> Entry:
    body = {"uscc": held, "holder": holder, "holder_name": "", "share": share, "action": "hold"}
    days = {"valid_from": "2020-01-01", "valid_until": None}
    return f"{holder}→{held}", {**body, **days, **more}


def title(uscc: str = GIANT, **more: Any) -> Entry:
    body = {"uscc": uscc, "kind": TITLE, "action": "grant", "ended_on": None}
    days = {"valid_from": "2024-07-01", "valid_until": "2027-06-30"}
    return f"题{uscc}", {**body, **days, **more}


def found(*entries: Entry, day: str = DAY, sought: Control = HALF) -> list[str]:
    return [name for name, _ in control(entries, FIRM, sought, day)]


@pytest.mark.parametrize(
    ("share", "controls"),
    [("0.49999999", False), ("0.5", False), ("0.50", False), ("0.50000001", True), ("1", True)],
)
@pytest.mark.parametrize("ends", [(FIRM, GIANT), (GIANT, FIRM)])
def test_control_takes_more_than_the_threshold(
    share: str, controls: bool, ends: tuple[str, str]
) -> None:
    entries = holding(*ends, share), title()
    assert found(*entries) == ([name for name, _ in entries] if controls else [])


@pytest.mark.parametrize(
    ("share", "controls"), [("0.39999999", False), ("0.4", True), ("0.40000001", True)]
)
def test_a_threshold_may_itself_be_control(share: str, controls: bool) -> None:
    sought = Control({TITLE}, ((Fraction(2, 5), True),))
    assert bool(found(holding(FIRM, GIANT, share), title(), sought=sought)) is controls


def test_of_several_thresholds_the_hardest_that_is_reached_counts() -> None:
    """A longer chain of larger holdings says more than a short one of small holdings."""
    sought = Control({TITLE}, ((Fraction(1, 2), False), (Fraction(1, 5), True)))
    short, long = [holding(FIRM, GIANT, "0.3")], [holding(FIRM, "中"), holding("中", GIANT)]
    assert found(*short, title(), sought=sought) == [short[0][0], f"题{GIANT}"]
    assert len(found(*short, *long, title(), sought=sought)) == len(long) + 1


@pytest.mark.parametrize(
    "chain",
    [
        [(FIRM, "中"), ("中", GIANT)],
        [("中", FIRM), (GIANT, "中")],
        [("母", FIRM), ("母", GIANT)],
        [("母", FIRM), ("祖", "母"), ("祖", "叔"), ("叔", GIANT)],
    ],
    ids=["down", "up", "common parent", "common grandparent"],
)
def test_chains_and_common_controllers(chain: list[tuple[str, str]]) -> None:
    entries = [holding(*ends) for ends in chain]
    names = [name for name, _ in entries]
    for order in itertools.permutations(entries):
        assert found(title(), *order) == [*names, f"题{GIANT}"]
    for weak in range(len(chain)):
        others = [holding(*e, "0.5" if n == weak else "0.9") for n, e in enumerate(chain)]
        assert found(title(), *others) == []


def test_two_who_control_one_are_not_connected_by_it() -> None:
    """What somebody else holds in one's own subsidiary is no relation: down, never up again."""
    assert found(holding(FIRM, "子", "0.6"), holding(GIANT, "子", "0.6"), title()) == []


def test_a_shortest_chain_speaks() -> None:
    long = holding(FIRM, "中"), holding("中", GIANT)
    assert found(*long, holding(FIRM, GIANT), title()) == [f"{FIRM}→{GIANT}", f"题{GIANT}"]


def test_a_circle_ends() -> None:
    circle = holding(FIRM, "乙"), holding("乙", FIRM)
    assert found(*circle) == []
    assert found(*circle, title(FIRM)) == []  # one's own title is no relation
    assert found(*circle, holding("乙", GIANT), title()) == [
        f"{FIRM}→乙",
        f"乙→{GIANT}",
        f"题{GIANT}",
    ]


@pytest.mark.parametrize(
    ("day", "stands"),
    [("2024-12-31", False), ("2025-01-01", True), ("2025-12-31", True), ("2026-01-01", False)],
)
def test_holdings_stand_from_their_first_to_their_last_day(day: str, stands: bool) -> None:
    days = {"valid_from": "2025-01-01", "valid_until": "2025-12-31"}
    assert bool(found(holding(FIRM, GIANT, **days), title(), day=day)) is stands


@pytest.mark.parametrize(
    ("day", "ended_on", "stands"),
    [
        ("2024-06-30", None, False),
        ("2024-07-01", None, True),
        ("2027-06-30", None, True),
        ("2027-07-01", None, False),
        ("2026-06-30", "2026-07-01", True),
        ("2026-06-30", "2026-06-30", False),
    ],
)
def test_the_title_stands_on_the_day(day: str, ended_on: str | None, stands: bool) -> None:
    assert bool(found(holding(FIRM, GIANT), title(ended_on=ended_on), day=day)) is stands


def test_titles_of_other_tiers_or_struck_out_are_none() -> None:
    assert found(holding(FIRM, GIANT), title(kind="专精特新中小企业")) == []
    assert found(holding(FIRM, GIANT), title(), title(action="strike")) == []


def test_the_last_entry_on_a_holder_and_a_firm_holds() -> None:
    first, last = holding(FIRM, GIANT, "0.9"), holding(FIRM, GIANT, "0.1")
    assert found(first, last, title()) == []
    assert found(last, first, title()) != []
    assert found(first, holding("丙", GIANT, "0.1"), title()) != []


def test_a_name_alone_joins_no_two_enterprises() -> None:
    ends = [holding("", held, holder_name="张伟") for held in (FIRM, GIANT)]
    assert found(*ends, title()) == []


def test_a_chain_speaks_and_silence_leaves_what_was_filed() -> None:
    facts = {"values": {"held": "0.2"}, "records": {}, "sources": {"held": "表"}}
    entries = [holding(FIRM, "中", "0.8"), holding("中", GIANT, "0.6"), title()]
    asked = Asked(control={"held": HALF})
    amended, speaking = registered_facts(facts, entries, FIRM, asked, DAY)
    assert amended["values"] == {"held": "0.6"}
    assert amended["sources"] == {"held": "、".join(speaking)}
    assert speaking == [name for name, _ in entries]
    assert registered_facts(facts, entries[1:], FIRM, asked, DAY) == (facts, [])
    assert registered_facts(facts, entries, FIRM, Asked(), DAY) == (facts, [])
    # what is taken from the entries that were named alone is the same
    again = registered_facts(facts, [e for e in entries if e[0] in speaking], FIRM, asked, DAY)
    assert again == (amended, speaking)


def ruleset(*lines: tuple[str, str], key: str = SHARE, kind: str = "cases", **said: str) -> Any:
    """A ruleset that compares a share with thresholds."""
    compared = [
        {"subject": "indicator", "name": "比例", "op": op, "value": value} for op, value in lines
    ]
    cases = [{"name": "一", "lines": compared}]
    return {
        "tier": TITLE,
        "facts": {key: said},
        "indicators": {"比例": {"expr": ["fact", key]}},
        "rules": [
            {"records": "", "body": {"kind": kind, "cases" if kind == "cases" else "rungs": cases}}
        ],
    }


@pytest.mark.parametrize("kind", ["cases", "ladder"])
@pytest.mark.parametrize(
    ("lines", "beyond"),
    [
        ([("<=", "1/2")], [(Fraction(1, 2), False)]),
        ([(">", "1/2")], [(Fraction(1, 2), False)]),
        ([("<", "2/5")], [(Fraction(2, 5), True)]),
        ([(">=", "2/5")], [(Fraction(2, 5), True)]),
        ([(">=", "2/5"), ("<=", "2/5"), (">", "1/2")], [(Fraction(1, 2), False), (Fraction(2, 5), False), (Fraction(2, 5), True)]),
        ([], []),
    ],
)  # fmt: skip
def test_the_share_is_the_threshold_of_the_ruleset(
    lines: list[tuple[str, str]], beyond: list[tuple[Fraction, bool]], kind: str
) -> None:
    asked = asked_of_register(ruleset(*lines, kind=kind))
    assert asked.control == {SHARE: Control({TITLE}, tuple(beyond))}


def test_the_title_is_declared_or_that_of_the_ruleset() -> None:
    """Texts published before facts could declare it mean the title of their own tier."""
    assert share_with(ruleset(), SHARE) == TITLE
    assert share_with(ruleset(share_with="乙类企业"), SHARE) == "乙类企业"
    assert share_with(ruleset(key="held"), "held") == ""
    assert share_with(ruleset(key="held", share_with="乙类企业"), "held") == "乙类企业"
    assert asked_of_register(ruleset(("<=", "1/2"), key="held")).control == {}
