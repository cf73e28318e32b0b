"""Decision trees, the networks they become, and the check that nothing unsafe is emitted."""

import json
from collections.abc import Mapping
from itertools import product

import pytest

from rules.engine.driver import FACT_IDS, _extension
from rules.engine.network import (
    MAX_RULES,
    MAX_TRUE,
    NODES,
    RESERVED,
    Node,
    branches,
    check,
    name_hash,
    pack,
)
from rules.engine.program import RANK
from rules.engine.trees import Split, Tree, bisect, cells_of_ends, highest, least, rungs, slots_of
from rules.errors import RulesetError
from rules.model.ruleset import Outcome

OUTCOMES = list(Outcome)[:4]


def answer(tree: Tree, slots: Mapping[int, int]) -> int | None:
    while isinstance(tree, Split):
        tree = tree.below if slots[tree.slot] < tree.at else tree.above
    return tree


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_conjunction_and_disjunction_of_all_combinations(n: int) -> None:
    for outcomes in product(OUTCOMES, repeat=n):
        assert answer(least(range(n)), dict(enumerate(outcomes))) == min(outcomes)
        best = next((o for o in (3, 1, 2) if o in outcomes), 0)
        assert answer(highest(range(n)), {i: RANK[o] for i, o in enumerate(outcomes)}) == best


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_rungs_of_all_combinations(n: int) -> None:
    for outcomes in product(OUTCOMES, repeat=n):
        first = next((i for i, o in enumerate(outcomes) if o is not Outcome.NOT_MET), n)
        met = next((i for i, o in enumerate(outcomes) if o is Outcome.MET), n)
        assert answer(rungs(range(n)), dict(enumerate(outcomes))) == first * (n + 1) + met


@pytest.mark.parametrize("cuts", [[], [5], [1, 2], [-3, 0, 4], [1, 3, 4, 8, 9, 20]])
def test_cells_of_all_values(cuts: list[int]) -> None:
    def cell(value: int) -> int:
        return sum(value >= cut for cut in cuts)

    n = len(cuts) + 1
    for lo in range(-5, 23):
        assert answer(bisect(0, cuts, range(n)), {0: lo}) == cell(lo)
        for hi in range(lo, 23):
            assert answer(cells_of_ends(0, 1, cuts), {0: lo, 1: hi}) == cell(lo) * n + cell(hi)


@pytest.mark.parametrize("tree", [least(range(5)), highest(range(5)), rungs(range(5))])
def test_exactly_one_path_holds(tree: Tree) -> None:
    for values in product(range(4), repeat=5):
        held = [
            found
            for path, found in branches(tree)
            if all((values[slot] < at) == (operator == "$lt") for operator, slot, at in path)
        ]
        assert held == [answer(tree, dict(enumerate(values)))]


def test_nodes_are_packed_and_named_by_place() -> None:
    nodes = [
        Node(1000 + n, Split(2 * n, 1, 0, Split(2 * n + 1, 7, 1, 2))) for n in range(3 * NODES)
    ]
    networks = pack(nodes)
    assert [len(network.outputs) for network in networks] == [NODES] * 3
    assert sorted(o for n in networks for o in n.outputs) == [node.slot for node in nodes]
    for network in networks:
        filled = json.loads(network.fact % ("00", *range(len(network.inputs))))
        assert list(filled) == ["id", "sid", *(k for k in filled if k not in ("id", "sid"))]
        assert len(filled) == 2 + len(network.inputs)
        assert len(set(network.inputs)) == len(network.inputs)


def wide(slots: range) -> Tree:
    half = len(slots) // 2
    return Split(slots[half], 1, wide(slots[:half]), wide(slots[half + 1 :])) if slots else 0


def test_a_wide_node_gets_names_that_mean_nothing_to_the_engine() -> None:
    [network] = pack([Node(999, wide(range(250)))])  # type: ignore[arg-type]
    names = set(json.loads(network.fact % ("00", *range(250)))) - {"id", "sid"}
    assert len(names) == 250
    assert not names & set(RESERVED)


def test_nodes_too_wide_or_too_fine_are_refused() -> None:
    with pytest.raises(RulesetError, match="拆成几条规则"):
        pack([Node(999, wide(range(251)))])  # type: ignore[arg-type]
    with pytest.raises(RulesetError, match="拆成几条规则"):
        pack([Node(999, bisect(0, range(1000), range(1001)))])  # type: ignore[arg-type]


def test_hashes_are_those_of_the_engine() -> None:
    """The constants stand in the C code."""
    expected = {"id": 926444256, "sid": 3593476751, "$and": 3746487396, "$lt": 542787579}
    assert {name: name_hash(name) for name in expected} == expected
    assert len({name_hash(id) for id in (*FACT_IDS, "sid-0")}) == len(FACT_IDS) + 1


def compact(rules: object) -> str:
    """As networks are written: anything else is refused for its form alone."""
    return json.dumps(rules, separators=(",", ":"))


def text(*conditions: object, **more: object) -> str:
    return compact({"000": {"all": [{"m": {"$and": list(conditions)}}], **more}})


GOOD = {"$lt": {"aa": 1}}


def test_the_safe_subset_is_let_through() -> None:
    check(text(GOOD, {"$gte": {"ab": -(2**62) + 1}}))
    assert all(
        set(condition) <= {"$lt", "$gte"}
        for network in pack([Node(9, Split(0, 1, 0, least([1, 2, 3])))])
        for rule in json.loads(network.text).values()
        for condition in rule["all"][0]["m"]["$and"]
    )
    assert set(slots_of(least([1, 2, 3]))) == {1, 2, 3}


@pytest.mark.parametrize(
    "unsafe",
    [
        "{}",
        "[]",
        text(),  # no condition
        text({"$or": [GOOD, GOOD]}),  # fires once per true branch
        text({"$and": [GOOD]}),
        compact({"000": {"any": [{"m": {"$and": [GOOD]}}]}}),
        compact({"000": {"all": [{"m$not": {"$and": [GOOD]}}]}}),  # none()
        compact({"000": {"all": [{"m$any": [{"m": {"$and": [GOOD]}}]}]}}),
        compact({"000": {"all": [{"m": {"$and": [GOOD]}}, {"n": {"$and": [GOOD]}}]}}),
        compact({"000": {"all": [{"m": {"$and": [GOOD]}, "n": {"$and": [GOOD]}}]}}),
        compact({"000": {"all": [{"m": {"$and": [GOOD], "$or": [GOOD]}}]}}),
        compact({"000": {"all": [{"m": GOOD}]}}),
        compact({"000": {"all": []}}),
        text(GOOD, pri=1),
        text(GOOD, count=2),
        text(GOOD, cap=2),
        compact({"r": {"all": [{"m": {"$and": [GOOD]}}]}}),  # names have three digits
        text({"$lt": {"aa": {"$m": "ab"}}}),  # field against field
        text({"$lt": {"aa": {"first": "ab"}}}),  # against another fact
        text({"$lt": {"aa": {"$add": {"$l": {"$m": "ab"}, "$r": 1}}}}),  # arithmetic
        text({"$lt": {"$sub": {"$l": 0, "$r": 1}}}),
        text({"$iall": {"aa": GOOD}}),
        text({"$iany": {"aa": GOOD}}),
        text({"$mt": {"aa": "a+"}}),
        text({"$imt": {"aa": "a+"}}),
        text({"$ex": {"aa": 1}}),
        text({"$nex": {"aa": 1}}),
        text({"$eq": {"aa": 1}}),
        text({"$neq": {"aa": 1}}),
        text({"$gt": {"aa": 1}}),
        text({"$lte": {"aa": 1}}),
        text({"aa": 1}),
        text({"$lt": {"aa": 1.0}}),
        text({"$lt": {"aa": True}}),
        text({"$lt": {"aa": None}}),
        text({"$lt": {"aa": "1"}}),
        text({"$lt": {"aa": 2**62}}),
        text({"$gte": {"aa": -(2**62)}}),
        text({"$lt": {"aa": 1, "ab": 2}}),
        text({"$lt": {"aa": 1}, "$gte": {"aa": 0}}),
        text({"$lt": {}}),
        text({"$lt": {"aa.b": 1}}),  # of a nested object
        text({"$lt": {"id": 1}}),
        text({"$lt": {"研发": 1}}),
        text([GOOD]),
        text(GOOD).replace(":", ": "),  # another hand wrote it
        text(GOOD).replace("1", "01"),
        text(GOOD) + " ",
        '{"000":{"all":[{"m":{"$and":[{"$lt":{"aa":1,"aa":2}}]}}]}}',
        '{"000":{"all":[{"m":{"$and":[{"$lt":{"aa":1}}]}}]},"000":{"all":[{"m":{"$and":[{"$lt":{"aa":1}}]}}]}}',
    ],
)
def test_everything_else_is_refused(unsafe: str) -> None:
    with pytest.raises(RulesetError, match="安全范围"):
        check(unsafe)


def rules_of(paths: list[list[tuple[str, str, int]]]) -> str:
    return compact(
        {
            f"{n:03d}": {"all": [{"m": {"$and": [{op: {name: c}} for op, name, c in path]}}]}
            for n, path in enumerate(paths)
        }
    )


def names(n: int) -> list[str]:
    return [f"{a}{b}" for a, b in product("abcdefghjklmnopqr", repeat=2)][:n]


@pytest.mark.parametrize(
    "paths",
    [
        [[("$gte", "aa", n)] for n in range(401)],
        [[("$gte", name, 0)] for name in names(251)],
        [[("$lt", "aa", 0)]] * 255,
    ],
    ids=["conditions in one place", "properties", "rules with the same conditions"],
)
def test_limits_of_the_engine_are_kept(paths: list[list[tuple[str, str, int]]]) -> None:
    with pytest.raises(RulesetError, match="上限"):
        check(rules_of(paths))


def test_more_rules_than_have_names_are_refused() -> None:
    paths = [[("$lt", "aa", n % 30), ("$gte", "ab", n)] for n in range(MAX_RULES + 1)]
    check(rules_of(paths[:-1]))
    with pytest.raises(RulesetError, match="安全范围"):
        check(rules_of(paths))


def test_the_most_conditions_that_one_fact_makes_true_are_counted_exactly() -> None:
    def network(n: int) -> str:
        both = [[("$gte", name, 0)] for name in names(n - 1)]
        return rules_of([*both, [("$lt", "zz", 5)], [("$gte", "zz", 5)]])

    def run(n: int) -> object:
        durable = _extension()
        handle = durable.create_ruleset("x", network(n))
        values = ",".join(f'"{name}":1' for name in [*names(n - 1), "zz"])
        try:
            return durable.assert_fact(handle, f'{{"id":"0","sid":"0",{values}}}')[0]
        finally:
            durable.delete_ruleset(handle)

    check(network(MAX_TRUE))
    assert run(MAX_TRUE) == 0
    with pytest.raises(RulesetError, match="同时成立"):
        check(network(MAX_TRUE + 1))
    with pytest.raises(_extension().error, match="303"):
        run(MAX_TRUE + 1)


def test_conditions_after_the_first_count_too() -> None:
    first = ("$gte", "zz", 0)
    inner = [[first, ("$gte", name, 0)] for name in names(40)]
    check(rules_of(inner))
    with pytest.raises(RulesetError, match="同时成立"):
        check(rules_of([*inner, *([("$gte", name, 0)] for name in names(25))]))
