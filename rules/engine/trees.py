"""Decision trees: the form in which the engine is asked a question.

A tree compares the integers in numbered *slots* with constants; its leaves are answers. Exactly one
leaf is reached, so exactly one rule of the engine answers. A leaf is None where the values
contradict one another: no rule may answer there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rules.model.ruleset import Outcome

Tree: TypeAlias = "Split | int | None"


@dataclass(frozen=True, slots=True)
class Split:
    """One comparison: ``below`` where the value of the slot is less than ``at``, else ``above``."""

    slot: int
    at: int
    below: Tree
    above: Tree


def slots_of(tree: Tree) -> Iterator[int]:
    """The slots a tree reads, with repeats."""
    if isinstance(tree, Split):
        yield tree.slot
        yield from slots_of(tree.below)
        yield from slots_of(tree.above)


def bisect(slot: int, cuts: Sequence[int], leaves: Sequence[Tree]) -> Tree:
    """The leaf of the cell that the slot's value lies in; cell n ends below ``cuts[n]``."""
    if not cuts:
        return leaves[0]
    half = len(cuts) // 2
    below = bisect(slot, cuts[:half], leaves[: half + 1])
    above = bisect(slot, cuts[half + 1 :], leaves[half + 1 :])
    return Split(slot, cuts[half], below, above)


def cells_of_ends(lo: int, hi: int, cuts: Sequence[int]) -> Tree:
    """The cells in which the ends of a value lie, as one number ``low * n + high``.

    Cells are numbered from 0 to n - 1. Ends in the same cell take the shortest path.
    """
    n = len(cuts) + 1
    leaves: list[Tree] = []
    for low, cut in enumerate(cuts):
        beyond = bisect(hi, cuts[low + 1 :], range(low * n + low + 1, low * n + n))
        leaves.append(Split(hi, cut, low * n + low, beyond))
    return bisect(lo, cuts, [*leaves, n * n - 1])


def by_gap(gap: int) -> Tree:
    """The outcome of an open comparison."""
    return Split(gap, 1, None, Split(gap, 2, Outcome.MISSING, Outcome.PENDING))


def least(slots: Sequence[int]) -> Tree:
    """The least of the outcomes: their conjunction."""
    tree: Tree = Outcome.MET
    for outcome in (Outcome.PENDING, Outcome.MISSING, Outcome.NOT_MET):
        for slot in reversed(slots):
            tree = Split(slot, outcome + 1, outcome, tree)
    return tree


def negated(slot: int) -> Tree:
    """The outcome of the demand that a rule is not met; what is open stays so."""
    missing = Split(slot, Outcome.PENDING, Outcome.MISSING, Outcome.PENDING)
    open_or_not_met = Split(slot, Outcome.MISSING, Outcome.MET, missing)
    return Split(slot, Outcome.MET, open_or_not_met, Outcome.NOT_MET)


def highest(ranks: Sequence[int]) -> Tree:
    """The outcome of the highest rank (see ``rules.engine.program.RANK``): the disjunction."""
    tree: Tree = Outcome.NOT_MET
    for rank, outcome in enumerate((Outcome.PENDING, Outcome.MISSING, Outcome.MET), 1):
        for slot in reversed(ranks):
            tree = Split(slot, rank, tree, outcome)
    return tree


def rungs(slots: Sequence[int]) -> Tree:
    """The first rung that is not ruled out, and the first from there that is met, as one number.

    The number is ``first * n + met``, where n counts the rungs and 其余, which is always met.
    """
    n = len(slots) + 1
    tree: Tree = n * n - 1
    for first in reversed(range(len(slots))):
        met: Tree = first * n + n - 1
        for rung in reversed(range(first, len(slots))):
            met = Split(slots[rung], Outcome.MET, met, first * n + rung)
        tree = Split(slots[first], Outcome.MISSING, tree, met)
    return tree
