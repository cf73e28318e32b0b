"""Merkle trees with SHA-256 as in RFC 9162, section 2.1 (the same hashes as RFC 6962).

All functions except ``leaf_hash`` work on hashes of 32 bytes. A proof says nothing about the size
of a tree beyond the shape of the path, so take size and root from the same signed checkpoint.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import count
from typing import Final

HASH_SIZE: Final = 32

#: The root of the tree without leaves.
EMPTY_ROOT: Final = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of one entry, as a leaf of the tree.

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that only grows and only gives its root; it keeps one hash per bit of its size."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []  # roots of the complete subtrees, the largest first

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash at the end."""
        node = _checked(leaf)
        rest = self.size
        while rest & 1:
            node = node_hash(self._peaks.pop(), node)
            rest >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return _folded(self._peaks) if self._peaks else EMPTY_ROOT


class Tree:
    """A tree that gives proofs: it keeps the root of every complete subtree, 64 bytes per leaf.

    A root or a proof takes O(log size) hashes.
    """

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]  # level n: the subtrees of 2**n leaves
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0]) // HASH_SIZE

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash at the end."""
        node = _checked(leaf)
        for level in count():
            if level == len(self._levels):
                self._levels.append(bytearray())
            row = self._levels[level]
            row += node
            if len(row) % (2 * HASH_SIZE):
                return
            node = sha256(b"\x01" + row[-2 * HASH_SIZE :]).digest()

    def root(self, size: int | None = None) -> bytes:
        """The root over the first ``size`` leaves, or over all."""
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise ValueError(f"no tree of size {size} in one of {self.size}")
        return self._hash(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that the leaf at ``index`` is in the tree of the first ``size`` leaves."""
        if not 0 <= index < size <= self.size:
            raise ValueError(f"no leaf {index} of {size} in a tree of {self.size}")
        proof = []
        start, end = 0, size
        while end - start > 1:
            middle = _middle(start, end)
            if index < middle:
                proof.append(self._hash(middle, end))
                end = middle
            else:
                proof.append(self._hash(start, middle))
                start = middle
        return proof[::-1]

    def consistency(self, first: int, second: int) -> list[bytes]:
        """The proof that the tree of size ``second`` begins with that of size ``first``.

        It is empty if the sizes are equal or ``first`` is 0.
        """
        if not 0 <= first <= second <= self.size:
            raise ValueError(f"no sizes {first} and {second} in a tree of {self.size}")
        if first == 0:
            return []
        proof = []
        start, end = 0, second
        while first != end:
            middle = _middle(start, end)
            if first <= middle:
                proof.append(self._hash(middle, end))
                end = middle
            else:
                proof.append(self._hash(start, middle))
                start = middle
        if start:
            proof.append(self._hash(start, end))
        return proof[::-1]

    def _hash(self, start: int, end: int) -> bytes:
        """The root over leaves ``start`` to ``end``; a subtree of the whole begins at ``start``."""
        parts = []
        for level in range((end - start).bit_length() - 1, -1, -1):
            if (end - start) >> level & 1:
                at = (start >> level) * HASH_SIZE
                parts.append(bytes(self._levels[level][at : at + HASH_SIZE]))
                start += 1 << level
        return _folded(parts)


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether ``proof`` shows the leaf hash ``leaf`` at ``index`` under ``root`` at ``size``."""
    if not 0 <= index < size or not _hashes(leaf, root, *proof):
        return False
    place, last, found = index, size - 1, leaf
    for node in proof:
        if not last:
            return False
        if place & 1 or place == last:
            found = node_hash(node, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, node)
        place, last = place >> 1, last >> 1
    return not last and found == root


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether ``proof`` shows that the second tree is the first one with leaves appended.

    Every tree extends the empty tree and itself, with an empty proof.
    """
    if not 0 <= first <= second or not _hashes(first_root, second_root, *proof):
        return False
    if first == 0:
        empty = first_root == EMPTY_ROOT and (second > 0 or second_root == EMPTY_ROOT)
        return empty and not proof
    if first == second:
        return first_root == second_root and not proof
    if not proof:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    # A complete first tree is itself the node from which the proof starts.
    start, nodes = (proof[0], proof[1:]) if first & (first - 1) else (first_root, proof)
    old = new = start
    for node in nodes:
        if not last:
            return False
        if place & 1 or place == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, node)
        place, last = place >> 1, last >> 1
    return not last and old == first_root and new == second_root


def _middle(start: int, end: int) -> int:
    """The start of the right subtree; the left one has the largest possible power of 2 leaves."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _folded(parts: Sequence[bytes]) -> bytes:
    """The root over adjacent complete subtrees, the largest first."""
    root = parts[-1]
    for part in parts[-2::-1]:
        root = node_hash(part, root)
    return root


def _checked(node: bytes) -> bytes:
    if len(node) != HASH_SIZE:
        raise ValueError(f"a leaf hash has {HASH_SIZE} bytes, not {len(node)}")
    return node


def _hashes(*nodes: bytes) -> bool:
    return all(len(node) == HASH_SIZE for node in nodes)
