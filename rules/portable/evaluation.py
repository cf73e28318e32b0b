"""One filing under evaluation: where its rules are evaluated, and what they have come to so far.

The second part of the reference evaluator.

An *outcome* is 0 不符合, 1 材料不足, 2 待人工认定 or 3 符合. The outcome of an unsettled comparison is
the gap of what is compared, which is why the two share their numbers.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final, NamedTuple, TypeAlias

from rules.portable.figures import Json, Number, Reading

NOT_MET: Final = 0
MET: Final = 3


class Points(NamedTuple):
    """Points of a score: every value it may still take lies in [lo, hi]."""

    lo: Number
    hi: Number
    gap: int


Result: TypeAlias = int | Points
Trace: TypeAlias = dict[str, Result]
#: The record at hand: the id of its list, and its index there, from 0.
At: TypeAlias = tuple[str, int] | None


class Place:
    """Where rules are evaluated: a filing or one of its records.

    ``trace`` and ``known`` fill up as results and readings are asked for, without the prefix.
    """

    __slots__ = ("at", "known", "prefix", "record", "records", "trace")

    def __init__(self, at: At = None, record: Json = {}) -> None:  # noqa: B006
        self.at = at
        self.record = record
        self.records = at[0] if at else ""
        self.prefix = f"{at[0]}#{at[1]}:" if at else ""
        self.trace: Trace = {}
        self.known: dict[str, Reading] = {}


class Evaluation:
    """One filing under evaluation: the place of the filing itself, and one for each record."""

    def __init__(self, facts: Json) -> None:
        self.as_of = date.fromisoformat(facts["as_of"])
        self.year = self.as_of.year - 1  # years count from the last full one
        self.values: Json = facts["values"]
        self.records: Json = facts["records"]
        self.itself = Place()
        self.listed: dict[str, list[Place]] = {"": [self.itself]}

    def places(self, records: str) -> list[Place]:
        """The places of a rule: the records of its list, or the filing itself if it has no list."""
        places = self.listed.get(records)
        if places is None:
            items = self.records[records]["items"] if records in self.records else ()
            places = self.listed[records] = [Place((records, n), r) for n, r in enumerate(items)]
        return places

    def everywhere(self) -> Iterator[Place]:
        """All places."""
        yield self.itself
        for records in self.records:
            yield from self.places(records)

    def complete(self, records: str) -> bool:
        """Whether a list is declared complete; unless stated, it is not."""
        return records in self.records and self.records[records]["complete"] is True

    @property
    def trace(self) -> Trace:
        """The results that were asked for, so far."""
        return {
            p.prefix + key: result for p in self.everywhere() for key, result in p.trace.items()
        }

    @property
    def readings(self) -> dict[str, Reading]:
        """The reading of every indicator that was read; of records, under ``list#i:name``."""
        return {
            p.prefix + name: found for p in self.everywhere() for name, found in p.known.items()
        }


#: What a formula, a rule or a line of its table becomes: it is read once, and asked at many places.
Formula: TypeAlias = Callable[[Evaluation, Place], Reading]
Rule: TypeAlias = Callable[[Evaluation, Place], Result]
Condition: TypeAlias = Callable[[Evaluation, Place], int]
Score: TypeAlias = Callable[[Evaluation, Place], Points]
