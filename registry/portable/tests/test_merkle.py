"""Against the published tree of eight leaves, and against the definitions of RFC 9162 as written.

The second half of this file's helpers restates section 2.1 by its recursive definitions, verification
included; it shares nothing with the module but SHA-256.
"""

import random
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256

import pytest

from registry.portable.merkle import (
    EMPTY_ROOT,
    Frontier,
    Tree,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 70

#: The reference tree of Certificate Transparency, and its root at every size.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
REFERENCE = Tree(map(leaf_hash, ENTRIES))

LEAVES = [leaf_hash(b"entry %d" % n) for n in range(LARGEST)]
TREE = Tree(LEAVES)


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


@cache
def mth(start: int, end: int) -> bytes:
    if start == end:
        return sha256(b"").digest()
    if end - start == 1:
        return LEAVES[start]
    k = start + split(end - start)
    return node(mth(start, k), mth(k, end))


def path(index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    k = start + split(end - start)
    if index < k:
        return [*path(index, start, k), mth(k, end)]
    return [*path(index, k, end), mth(start, k)]


def subproof(first: int, start: int, end: int, whole: bool) -> list[bytes]:
    if first == end:
        return [] if whole else [mth(start, end)]
    k = start + split(end - start)
    if first <= k:
        return [*subproof(first, start, k, whole), mth(k, end)]
    return [*subproof(first, k, end, False), mth(start, k)]


def root_of_path(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to, from the top of the tree down."""
    if not 0 <= index < size:
        return None
    if size == 1:
        return None if proof else leaf
    if not proof:
        return None
    k = split(size)
    if index < k:
        below = root_of_path(leaf, index, k, proof[:-1])
        return below and node(below, proof[-1])
    below = root_of_path(leaf, index - k, size - k, proof[:-1])
    return below and node(proof[-1], below)


def roots_of_proof(
    first: int, second: int, proof: Sequence[bytes], root: bytes | None
) -> tuple[bytes, bytes] | None:
    """The two roots that a consistency proof leads to; ``root``: the first tree is the left edge."""
    if first == second:
        if root is not None:
            return None if proof else (root, root)
        return (proof[0], proof[0]) if len(proof) == 1 else None
    if not proof:
        return None
    k = split(second)
    if first <= k:
        below = roots_of_proof(first, k, proof[:-1], root)
        return below and (below[0], node(below[1], proof[-1]))
    below = roots_of_proof(first - k, second - k, proof[:-1], None)
    return below and (node(proof[-1], below[0]), node(proof[-1], below[1]))


def consistent(first: int, second: int, old: bytes, new: bytes, proof: Sequence[bytes]) -> bool:
    if not 0 < first <= second:
        return False
    return roots_of_proof(first, second, proof, old) == (old, new)


def mangled(proof: list[bytes]) -> list[list[bytes]]:
    """Every proof that is this one with one node changed, dropped, doubled, cut, or added."""
    wrong = sha256(b"wrong").digest()
    result = [[*proof, wrong], [wrong, *proof]]
    for n, item in enumerate(proof):
        result += (
            [*proof[:n], other, *proof[n + 1 :]]
            for other in (bytes([item[0] ^ 1]) + item[1:], item[:-1], item + b"\0", b"")
        )
        result += [[*proof[:n], *proof[n + 1 :]], [*proof[:n], item, item, *proof[n + 1 :]]]
    return result


def test_roots_of_the_reference_tree() -> None:
    frontier = Frontier()
    assert frontier.root().hex() == REFERENCE.root(0).hex() == EMPTY_ROOT.hex() == ROOTS[0]
    for size, entry in enumerate(ENTRIES, 1):
        frontier.append(leaf_hash(entry))
        assert frontier.root().hex() == REFERENCE.root(size).hex() == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (2, 3, [ROOTS[2]]),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                ROOTS[4],
            ],
        ),
    ],
)
def test_published_inclusion_proofs(index: int, size: int, proof: list[str]) -> None:
    assert [p.hex() for p in REFERENCE.inclusion(index, size)] == proof


@pytest.mark.parametrize(
    ("first", "second", "proof"),
    [
        (1, 1, []),
        (
            1,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                ROOTS[4],
            ],
        ),
        (
            2,
            5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_published_consistency_proofs(first: int, second: int, proof: list[str]) -> None:
    assert [p.hex() for p in REFERENCE.consistency(first, second)] == proof
    nodes = [bytes.fromhex(p) for p in proof]
    old, new = (bytes.fromhex(ROOTS[n]) for n in (first, second))
    assert verify_consistency(first, second, old, new, nodes)


def test_tree_and_frontier_have_the_roots_of_the_definition() -> None:
    frontier, growing = Frontier(), Tree()
    for size in range(LARGEST + 1):
        assert frontier.size == growing.size == size
        assert frontier.root() == growing.root() == TREE.root(size) == mth(0, size)
        if size < LARGEST:
            frontier.append(LEAVES[size])
            growing.append(LEAVES[size])


def test_proofs_are_those_of_the_definition_and_verify() -> None:
    for size in range(1, LARGEST + 1):
        root = mth(0, size)
        for index in range(size):
            proof = TREE.inclusion(index, size)
            assert proof == path(index, 0, size)
            assert verify_inclusion(LEAVES[index], index, size, proof, root)
        for first in range(1, size + 1):
            proof = TREE.consistency(first, size)
            assert proof == subproof(first, 0, size, True)
            assert verify_consistency(first, size, mth(0, first), root, proof)


def test_a_mangled_inclusion_proof_shows_nothing() -> None:
    for size in range(1, LARGEST + 1):
        root = TREE.root(size)
        for index in range(0, size, 1 if size < 20 else 7):
            leaf, proof = LEAVES[index], TREE.inclusion(index, size)
            for wrong in mangled(proof):
                assert not verify_inclusion(leaf, index, size, wrong, root)
            for wrong_leaf in (LEAVES[index - 1] if size > 1 else root[::-1], leaf[:-1], b""):
                assert not verify_inclusion(wrong_leaf, index, size, proof, root)
            for wrong_root in (EMPTY_ROOT, root[:-1], root + b"\0", b""):
                assert not verify_inclusion(leaf, index, size, proof, wrong_root)


def test_a_mangled_consistency_proof_shows_nothing() -> None:
    for second in range(1, LARGEST + 1):
        new = TREE.root(second)
        for first in range(1, second + 1, 1 if second < 20 else 7):
            old, proof = TREE.root(first), TREE.consistency(first, second)
            for wrong in mangled(proof):
                assert not verify_consistency(first, second, old, new, wrong)
            for bad in (EMPTY_ROOT, new[::-1], b""):
                assert not verify_consistency(first, second, bad, new, proof)
                assert not verify_consistency(first, second, old, bad, proof)
            if first < second:
                assert not verify_consistency(first, second, new, old, proof)
                assert not verify_consistency(second, first, new, old, proof)


def test_inclusion_at_another_place_is_judged_by_the_definition() -> None:
    """Another size may have the same shape of path (as 3 and 4 have for leaf 0), another place not."""
    for size in range(1, 18):
        root = mth(0, size)
        for index in range(size):
            leaf, proof = LEAVES[index], TREE.inclusion(index, size)
            for other in range(-2, 20):
                if other != index:
                    assert not verify_inclusion(leaf, other, size, proof, root)
                for claimed in range(-2, 20):
                    expected = root_of_path(leaf, other, claimed, proof) == root
                    assert verify_inclusion(leaf, other, claimed, proof, root) == expected


def test_consistency_of_other_sizes_is_judged_by_the_definition() -> None:
    for second in range(1, 14):
        for first in range(1, second + 1):
            proof = TREE.consistency(first, second)
            old, new = mth(0, first), mth(0, second)
            for a in range(1, 16):
                for b in range(-1, 16):
                    expected = consistent(a, b, old, new, proof)
                    assert verify_consistency(a, b, old, new, proof) == expected
            assert not verify_consistency(-1, second, old, new, proof)
            assert not verify_consistency(-1, -1, old, old, [])


def test_every_tree_extends_the_empty_one_and_only_that_has_its_root() -> None:
    assert TREE.consistency(0, 0) == TREE.consistency(0, 5) == []
    assert verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    assert verify_consistency(0, 5, EMPTY_ROOT, TREE.root(5), [])
    assert not verify_consistency(0, 0, EMPTY_ROOT, TREE.root(5), [])
    assert not verify_consistency(0, 0, TREE.root(5), TREE.root(5), [])
    assert not verify_consistency(0, 5, TREE.root(5), TREE.root(5), [])
    assert not verify_consistency(0, 5, EMPTY_ROOT, TREE.root(5), [LEAVES[0]])
    assert not verify_consistency(0, 5, EMPTY_ROOT, TREE.root(5)[:-1], [])


def test_a_rewritten_entry_breaks_consistency() -> None:
    changed = Tree([*LEAVES[:10], leaf_hash(b"rewritten"), *LEAVES[11:]])
    for first in range(1, LARGEST):
        proof = changed.consistency(first, LARGEST)
        expected = first <= 10
        assert (
            verify_consistency(first, LARGEST, TREE.root(first), changed.root(), proof) == expected
        )


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    """Entries and inner nodes are hashed apart: two leaf hashes do not make an entry."""
    entry = LEAVES[0] + LEAVES[1]
    assert leaf_hash(entry) != TREE.root(2)
    assert leaf_hash(b"") != EMPTY_ROOT


def test_large_trees_prove_at_any_size() -> None:
    leaves = [sha256(b"%d" % n).digest() for n in range(20_000)]
    tree, frontier = Tree(leaves), Frontier()
    roots = [frontier.root()]
    for leaf in leaves:
        frontier.append(leaf)
        roots.append(frontier.root())
    chance = random.Random(9162)
    for _ in range(200):
        size = chance.randint(1, len(leaves))
        index, first = chance.randrange(size), chance.randint(1, size)
        assert verify_inclusion(
            leaves[index], index, size, tree.inclusion(index, size), roots[size]
        )
        proof = tree.consistency(first, size)
        assert verify_consistency(first, size, roots[first], roots[size], proof)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: TREE.root(LARGEST + 1),
        lambda: TREE.root(-1),
        lambda: TREE.inclusion(0, 0),
        lambda: TREE.inclusion(-1, 3),
        lambda: TREE.inclusion(3, 3),
        lambda: TREE.inclusion(3, LARGEST + 1),
        lambda: TREE.consistency(-1, 3),
        lambda: TREE.consistency(4, 3),
        lambda: TREE.consistency(3, LARGEST + 1),
        lambda: Tree([b"short"]),
        lambda: Frontier().append(LEAVES[0] + b"\0"),
    ],
)
def test_what_a_tree_does_not_have_is_not_proved(ask: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"tree of|leaf hash has"):
        ask()
