"""Programs for the engine: networks in stages, and the exact steps between the stages.

A program's memory consists of numbered *slots* of integers, which the engine compares and writes
its answers into, and numbered *scores*. The engine makes every comparison and combines all
outcomes; the steps encode values, add points, and take the largest and smallest.
``rules.engine.compiler`` writes programs.

**Numbers.** Let S be the least factor that makes all thresholds of a figure whole (100万元 and 500万元
become 1 and 5). A value v becomes the integer 2·floor(v·S), plus 1 if v·S is not whole; a threshold
t becomes 2·t·S. This keeps order and equality with every threshold; ``> t`` is ``>= 2·t·S + 1``.
Values that no threshold tells apart often become the same integer, so the engine has remembered the
answers. A value beyond the outermost thresholds is moved next to them, which changes no comparison;
so only thresholds can be too large. A value that is not exactly known becomes two such integers,
its ends, with its gap beside them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Protocol, TypeAlias

from rules.engine.network import Network
from rules.engine.readings import Reading
from rules.model.quantities import Number

#: Least points, most points and gap, in units of 1/``Program.unit``; whole unless filed.
Score: TypeAlias = tuple[Number, Number, int]

#: The rank of each outcome in a disjunction, where the highest counts: 符合, then 材料不足, then
#: 待人工认定, then 不符合. (A conjunction takes the least outcome in their own order.)
RANK: Final = (0, 2, 1, 3)


class ContradictionError(Exception):
    """A value that no reading can have; any conclusion from it would be a guess."""


class Memory:
    """The state of one evaluation of a program.

    A slot holds an integer, or None until it is answered. None can be neither compared nor added,
    so using a slot too early fails.
    """

    __slots__ = ("readings", "scores", "slots")

    def __init__(self, program: "Program", readings: Mapping[str, Reading]) -> None:
        self.readings = readings
        self.slots: list[Any] = list(program.slots)
        self.scores = list(program.scores)


class Step(Protocol):
    """An exact computation between two stages."""

    def run(self, memory: Memory) -> None:
        """Fill in slots or scores from others."""


@dataclass(frozen=True)
class Stage:
    """Networks that do not depend on one another, then steps, in order."""

    networks: tuple[Network, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Program:
    """The compiled rules of one scope: the enterprise, or the records of a list.

    The first stage has no networks: it encodes the readings, which no later stage uses. ``slots``
    and ``scores`` are the initial memory; ``outcomes`` and ``points`` map each trace key to the
    slot or score that holds its result in the end.
    """

    slots: tuple[int | None, ...]
    scores: tuple[Score, ...]
    unit: int
    stages: tuple[Stage, ...]
    outcomes: Mapping[str, int]
    points: Mapping[str, int]


#: The programs of a ruleset by scope, in the order in which they run.
Programs: TypeAlias = Mapping[str, Program]


@dataclass(frozen=True)
class Scale:
    """How the values of one figure become integers, and which slots hold them.

    ``factor`` scales thresholds. ``times / over`` scales values by the same factor, except that
    points are given in units.
    """

    lo: int
    hi: int
    gap: int
    factor: Fraction
    times: int
    over: int
    least: int
    most: int

    def encode(self, value: Number) -> int:
        """The integer that compares with encoded thresholds as the value does with thresholds."""
        numerator, denominator = value.as_integer_ratio()
        whole, part = divmod(numerator * self.times, denominator * self.over)
        code = 2 * whole + 1 if part else 2 * whole
        return self.least if code < self.least else self.most if code > self.most else code

    def store(self, memory: Memory, lo: Number | None, hi: Number | None, gap: int) -> None:
        """Encode a value between two ends, which must be equal unless there is a gap."""
        slots = memory.slots
        slots[self.gap] = gap
        start = slots[self.lo] = self.least if lo is None else self.encode(lo)
        if gap:
            slots[self.hi] = self.most if hi is None else self.encode(hi)
        elif lo is not None and (lo is hi or lo == hi):  # is: comparing fractions takes time
            slots[self.hi] = start
        else:
            raise ContradictionError


@dataclass(frozen=True)
class FigureStep:
    """Step: encodes the reading of an indicator."""

    name: str
    scale: Scale

    def run(self, memory: Memory) -> None:
        """Encode the reading's ends."""
        lo, hi, gap, _, _, _ = memory.readings[self.name]
        self.scale.store(memory, lo, hi, gap)


@dataclass(frozen=True)
class CodeStep:
    """Step: encodes the code of an indicator; -1 is unknown, the last number is any other code."""

    name: str
    slot: int
    gap: int
    numbers: Mapping[str, int]

    def run(self, memory: Memory) -> None:
        """Encode the code."""
        reading = memory.readings[self.name]
        number = -1 if reading.code is None else self.numbers.get(reading.code, len(self.numbers))
        memory.slots[self.slot] = number
        memory.slots[self.gap] = reading.gap


@dataclass(frozen=True)
class Compared:
    """Step: encodes points for the lines that compare them."""

    score: int
    scale: Scale

    def run(self, memory: Memory) -> None:
        """Encode the ends of the score."""
        self.scale.store(memory, *memory.scores[self.score])


@dataclass(frozen=True)
class Ranked:
    """Step: translates outcomes to their ranks in a disjunction; ``pairs`` are of source and slot."""

    pairs: tuple[tuple[int, int], ...]

    def run(self, memory: Memory) -> None:
        """Translate the codes."""
        slots = memory.slots
        for source, slot in self.pairs:
            slots[slot] = RANK[slots[source]]


@dataclass(frozen=True)
class Banded:
    """Step: takes the points of one indicator from the cells in which its ends lie."""

    score: int
    answer: int
    gap: int
    table: tuple[tuple[int, int], ...]

    def run(self, memory: Memory) -> None:
        """Store the least and most points over these cells."""
        lo, hi = self.table[memory.slots[self.answer]]
        memory.scores[self.score] = (lo, hi, memory.slots[self.gap] if lo < hi else 0)


@dataclass(frozen=True)
class Best:
    """Step: takes the points of the best indicator."""

    score: int
    parts: tuple[int, ...]

    def run(self, memory: Memory) -> None:
        """Store the largest of the least points, and the largest of the most."""
        parts = [memory.scores[part] for part in self.parts]
        lo, hi = max(p[0] for p in parts), max(p[1] for p in parts)
        gap = _widest(g for _, most, g in parts if most > lo) if lo < hi else 0
        memory.scores[self.score] = (lo, hi, gap)


@dataclass(frozen=True)
class Climbed:
    """Step: takes the points of a ladder; the answer names the rungs reached at most and surely.

    ``table`` holds for each answer the points, and the outcomes of the rungs that yield more.
    """

    score: int
    answer: int
    table: tuple[tuple[int, int, tuple[int, ...]], ...]

    def run(self, memory: Memory) -> None:
        """Store the points of the rungs; the outcomes of the better rungs give the gap."""
        lo, hi, better = self.table[memory.slots[self.answer]]
        gap = _widest(memory.slots[rung] for rung in better) if lo < hi else 0
        memory.scores[self.score] = (lo, hi, gap)


@dataclass(frozen=True)
class Summed:
    """Step: adds points up, to at most ``cap`` if there is one."""

    score: int
    parts: tuple[int, ...]
    cap: int | None = None

    def run(self, memory: Memory) -> None:
        """Store the sum of the least points, and the sum of the most."""
        parts = [memory.scores[part] for part in self.parts]
        lo, hi = sum(p[0] for p in parts), sum(p[1] for p in parts)
        if self.cap is not None:
            lo, hi = min(lo, self.cap), min(hi, self.cap)
        memory.scores[self.score] = (lo, hi, _widest(p[2] for p in parts) if lo < hi else 0)


@dataclass(frozen=True)
class FiledStep:
    """Step: brings filed points within their bounds."""

    score: int
    name: str
    unit: int
    least: int
    most: int

    def run(self, memory: Memory) -> None:
        """Clip the reading's ends."""
        reading = memory.readings[self.name]
        lo = self.least if reading.lo is None else self._clip(reading.lo)
        hi = self.most if reading.hi is None else self._clip(reading.hi)
        if lo < hi and not reading.gap:
            raise ContradictionError
        memory.scores[self.score] = (lo, hi, reading.gap if lo < hi else 0)

    def _clip(self, value: Number) -> Number:
        points = value * self.unit
        if points <= self.least:
            return self.least
        return self.most if points >= self.most else points


def _widest(gaps: Iterable[int]) -> int:
    return min((gap for gap in gaps if gap), default=0)
