"""Decision trees as durable_rules rulesets: emission, packing, and the check of the safe subset.

Each leaf of a tree becomes one rule: the conjunction of the comparisons on the way to the leaf. So
exactly one rule of a tree can fire. This needs only integers and two operators of durable_rules,
``<`` and ``>=``. The engine stores the common beginnings of rules once, so it walks down the tree
too.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice, product
from string import ascii_lowercase
from typing import Any, Final, TypeAlias

from rules.engine.trees import Split, Tree, slots_of
from rules.errors import RulesetError

#: The operators of the safe subset.
BELOW: Final = "$lt"
ABOVE: Final = "$gte"

# Limits of the C code are in brackets; beyond them it fails, wraps or loops for ever.
MAX_TRUE: Final = 64  # conditions on its stack while it walks one fact [64]
MAX_BRANCHES: Final = 400  # conditions that follow one condition, or stand first [511]
MAX_PROPERTIES: Final = 250  # of a fact, beside id and sid [254]
MAX_RULES: Final = 1000  # of a network [4096]; names have three digits
MAX_SHARING: Final = 254  # rules with the same conditions [255]
MAX_BITS: Final = 62  # of a constant [64, then it wraps]

#: How many nodes share one ruleset and one fact. Measured: fewer nodes make more facts, but facts
#: with fewer values recur more often, and a remembered answer costs next to nothing.
NODES: Final = 4


#: An operator, the name of a property, and a constant.
_Condition: TypeAlias = tuple[str, str, int]


@dataclass(frozen=True)
class Node:
    """A question: its answer goes to ``slot``."""

    slot: int
    tree: Split


@dataclass(frozen=True)
class Network:
    """A durable_rules ruleset that answers a few nodes from one fact.

    The fact holds the values of the slots ``inputs``, named by position. ``answers`` maps each rule
    to one of the ``outputs`` and its value.
    """

    text: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    answers: Mapping[str, tuple[int, int]]

    @cached_property
    def fact(self) -> str:
        """The template of the fact's JSON: an id, then the values of the inputs."""
        values = (f',"{name}":%d' for name in islice(_names(), len(self.inputs)))
        return "".join([_HEAD, *values, "}"])

    @property
    def retraction(self) -> str:
        """The template of the JSON that retracts the fact with that id."""
        return _HEAD + "}"


_HEAD: Final = '{"id":"%s","sid":"0"'


def branches(tree: Tree) -> Iterator[tuple[tuple[tuple[str, int, int], ...], int]]:
    """The leaves with an answer, each with the comparisons (operator, slot, constant) on its path."""
    if isinstance(tree, int):
        yield (), tree
    elif tree is not None:
        for operator, side in ((BELOW, tree.below), (ABOVE, tree.above)):
            for path, answer in branches(side):
                yield ((operator, tree.slot, tree.at), *path), answer


def pack(nodes: Iterable[Node]) -> list[Network]:
    """Distribute nodes that do not depend on one another over networks of the fastest size."""
    networks: list[Network] = []
    group: list[Node] = []
    used: set[int] = set()
    rules = 0
    for node in sorted(nodes, key=lambda n: min(slots_of(n.tree))):
        reads, leaves = set(slots_of(node.tree)), sum(1 for _ in branches(node.tree))
        if len(reads) > MAX_PROPERTIES or leaves > MAX_RULES:
            raise RulesetError(
                "too-fine",
                "一张表分得太细（{value}种结果，上限{expected}种）：请拆成几条规则",
                value=leaves,
                expected=MAX_RULES,
            )
        if group and (
            len(group) == NODES or len(used | reads) > MAX_PROPERTIES or rules + leaves > MAX_RULES
        ):
            networks.append(_emit(group))
            group, used, rules = [], set(), 0
        group.append(node)
        used |= reads
        rules += leaves
    return [*networks, _emit(group)] if group else networks


def _emit(nodes: Sequence[Node]) -> Network:
    inputs = tuple(dict.fromkeys(slot for node in nodes for slot in slots_of(node.tree)))
    # numbered by place, so that different slots cannot get one name
    names = dict(zip(inputs, islice(_names(), len(inputs)), strict=True))
    paths: list[tuple[_Condition, ...]] = []
    answers = {}
    for place, node in enumerate(nodes):
        for path, answer in branches(node.tree):
            answers[f"{len(paths):03d}"] = (place, answer)
            paths.append(tuple((operator, names[slot], at) for operator, slot, at in path))
    text = _text(tuple(paths))
    return Network(text, inputs, tuple(n.slot for n in nodes), answers)


@lru_cache(maxsize=1 << 11)
def _text(paths: tuple[tuple[_Condition, ...], ...]) -> str:
    """The checked rules of these paths, cached because rulesets share most tables."""
    rules = {
        f"{n:03d}": {
            "all": [{"m": {"$and": [{operator: {name: at}} for operator, name, at in path]}}]
        }
        for n, path in enumerate(paths)
    }
    text = json.dumps(rules, separators=(",", ":"))
    check(text)
    return text


def _names() -> Iterator[str]:
    names = map("".join, product(ascii_lowercase, repeat=2))
    return (name for name in names if name not in RESERVED)


@lru_cache(maxsize=1 << 10)
def name_hash(name: str) -> int:
    """FNV-1a in 32 bits: durable_rules compares only this hash of names, fact ids and session ids.

    >>> hex(name_hash("a"))
    '0xe40c292c'
    """
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


#: Names that have a meaning for the engine in the place of a property.
RESERVED: Final = (
    "id", "sid", "$s", "$i", "$m", "$forward", "$lt", "$lte", "$gt", "$gte", "$eq", "$neq", "$mt",
    "$imt", "$iall", "$iany", "$ex", "$nex", "$or", "$and", "$add", "$sub", "$mul", "$div", "$l",
    "$r", "name", "all", "any", "pri", "count", "cap", "dist",
)  # fmt: skip


# how ``_text`` writes a condition, a rule and a ruleset; nothing else is let through
_WRITTEN: Final = r'\{"\$(?:lt|gte)":\{"[a-z]{2}":(?:0|-?[1-9][0-9]*)\}\}'
_RULE: Final = (
    r'"[0-9]{3}":\{"all":\[\{"m":\{"\$and":\[' rf"{_WRITTEN}(?:,{_WRITTEN})*" r"\]\}\}\]\}"
)
_RULESET: Final = re.compile(rf"\{{{_RULE}(?:,{_RULE})*\}}")
#: The name and the conditions of each rule, the latter without their outermost braces.
_RULES: Final = re.compile(r'"([0-9]{3})":\{"all":\[\{"m":\{"\$and":\[\{([^]]*)\}\]')


@lru_cache(maxsize=1 << 11)
def check(text: str) -> None:
    """Raise ``RulesetError`` if a durable_rules ruleset is outside the safe subset.

    In the safe subset each rule has one fact and an ``$and`` of ``property < constant`` or ``>=``,
    properties are bare and their hashes differ, constants are integers of at most 62 bits, and the
    limits of the C code are kept.
    """
    if not _RULESET.fullmatch(text):
        raise _unsafe("no-conjunctions", "规则不都是单一事实的属性与整数常数比较的合取")
    rules = _RULES.findall(text)  # never too many: their names have three digits and differ
    if len({name for name, _ in rules}) < len(rules):
        raise _unsafe("repeated-name", "名称重复")
    paths = [[*map(_condition, written.split("},{"))] for _, written in rules]
    names = {name for path in paths for _, name, _ in path}
    if len(names) > MAX_PROPERTIES:
        raise _unsafe(
            "too-many-properties",
            "属性{value}个，上限{expected}个",
            value=len(names),
            expected=MAX_PROPERTIES,
        )
    if len({name_hash(n) for n in (*RESERVED, *names)}) < len(RESERVED) + len(names):
        raise _unsafe("equal-hashes", "属性名的32位散列相同")
    if (needed := _stack(paths)) > MAX_TRUE:
        raise _unsafe(
            "too-many-at-once",
            "一件事实最多使{value}个条件同时成立，上限{expected}个",
            value=needed,
            expected=MAX_TRUE,
        )


def _unsafe(slug: str, pattern: str, **fields: Any) -> RulesetError:
    return RulesetError(slug, "生成的规则网络超出 durable_rules 的安全范围：" + pattern, **fields)


@lru_cache(maxsize=1 << 12)
def _condition(written: str) -> _Condition:
    """A condition without its outermost braces."""
    _, operator, _, name, rest = written.split('"')
    constant = int(rest[1:-1])
    if abs(constant) >= 1 << MAX_BITS:
        raise _unsafe(
            "too-large-threshold",
            "门槛换算成整数后超过{expected}位，请核对门槛的单位",
            expected=MAX_BITS,
        )
    return operator, name, constant


def _stack(paths: Sequence[Sequence[_Condition]], at: int = 0) -> int:
    """How high the engine's stack can grow on one fact, in the worst case, from a place of the paths.

    The engine keeps conditions in a tree by common beginnings. It pops one condition off its stack
    and pushes all true conditions that follow it.
    """
    if len(paths) == 1:
        return 1  # what follows one another is never on the stack together
    following: dict[_Condition, list[Sequence[_Condition]]] = {}
    ended = 0
    for path in paths:
        if at < len(path):
            following.setdefault(path[at], []).append(path)
        else:
            ended += 1
    if ended > MAX_SHARING:
        raise _unsafe(
            "equal-rules",
            "{value}条规则的条件完全相同，上限{expected}条",
            value=ended,
            expected=MAX_SHARING,
        )
    if len(following) > MAX_BRANCHES:
        raise _unsafe(
            "too-many-branches",
            "同一处有{value}个条件，上限{expected}个",
            value=len(following),
            expected=MAX_BRANCHES,
        )
    rest = max((_stack(those, at + 1) for those in following.values()), default=0)
    return max(1, _at_once(tuple(following)) - 1 + rest)


@lru_cache(maxsize=1 << 11)
def _at_once(conditions: tuple[_Condition, ...]) -> int:
    """The most of these conditions that are true together.

    Which conditions on a property are depends on its value, so one value from each cell between its
    constants is tried.
    """
    cuts: dict[str, list[tuple[str, int]]] = {}
    for operator, name, constant in conditions:
        cuts.setdefault(name, []).append((operator, constant))
    return sum(
        max(
            sum((value < c) == (operator == BELOW) for operator, c in tests)
            for _, constant in tests
            for value in (constant - 1, constant)
        )
        for tests in cuts.values()
    )
