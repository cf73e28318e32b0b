"""The clocks of a title: what runs from when, until which day, and what may follow.

Standard library only. Clocks are the table of a feature file in JSON, each in force for a tier in a
place from day to day. What they show on a day, ``rules.portable.timing`` tells.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

from rules.portable.calendar import Term
from rules.portable.errors import DescribedError

_DAY: Final = timedelta(days=1)
#: Every province that has no row of its own.
OTHERS: Final = "其余"
#: What a clock can be about.
VALIDITY: Final = "有效期"
EXTENSION: Final = "延续期"
UPDATE: Final = "年度更新"
MISSES: Final = "累计未更新"
CHANGE: Final = "变化报告"
RECHECK: Final = "复核申报"
BAR: Final = "再次申报"
COMPLAINT: Final = "举报答复"
#: From when each runs. 当日 counts the day itself, 次日 begins on the next.
NEXT_YEAR: Final = "授予次年"
AFTER_EXPIRY: Final = "期满次日"
EXPIRY_YEAR: Final = "期满当年"
BEFORE_EXPIRY: Final = "期满前"
UNBARRED: Final = "取消"
STARTS: Final[Mapping[str, tuple[str, ...]]] = {
    VALIDITY: ("授予当日", "授予次日"),
    EXTENSION: (AFTER_EXPIRY, "公告当日"),
    UPDATE: (NEXT_YEAR, "授予当年"),
    MISSES: ("有效期内",),
    CHANGE: ("变化次日", "变化当日"),
    RECHECK: (EXPIRY_YEAR, BEFORE_EXPIRY),
    BAR: ("取消次日", "取消当日"),
    COMPLAINT: ("收到次日", "收到当日"),
}
#: What may follow when a day has passed.
COUNTED: Final = "计一次未更新"
LOST: Final = "失去复核资格"
CANCELLED: Final = "取消称号"
EXPIRED: Final = "称号到期"
_REFUSED: Final = "不予受理"
_CORRECTED: Final = "责令整改"
CONSEQUENCES: Final[Mapping[str, tuple[str, ...]]] = {
    VALIDITY: (EXPIRED,),
    EXTENSION: (EXPIRED,),
    UPDATE: (LOST, COUNTED, CANCELLED),
    MISSES: (CANCELLED, LOST),
    CHANGE: (LOST, CANCELLED, _CORRECTED),
    RECHECK: (EXPIRED, LOST, _REFUSED),
    BAR: (_REFUSED,),
    COMPLAINT: (_CORRECTED, CANCELLED),
}


class ClockError(DescribedError):
    """A record holds something that the clocks do not know."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A row of a table of clocks.

    ``term`` is how long it runs; for a re-check, how long before the last day of the title it ends,
    None on that day itself; a bar without one is none. ``lead`` is how long before that day a
    re-check opens. ``yearly`` is a month and a day, ``times`` how many misses, ``ground`` that of the
    cancellation from which a bar runs. ``kinds`` are the changes that must be reported, by name; none
    named is any.
    """

    matter: str
    start: str
    ground: str = ""
    lead: Term | None = None
    term: Term | None = None
    yearly: tuple[int, int] | None = None
    times: int = 0
    consequences: tuple[str, ...] = ()
    remind: Term | None = None
    kinds: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        """Whether the first day counts."""
        return self.start.endswith("当日")

    def to_json(self) -> dict[str, Any]:
        """The clock in JSON's own types; keys that are not used are left out."""
        found = {
            "matter": self.matter,
            "start": self.start,
            "ground": self.ground,
            "lead": _written(self.lead),
            "term": _written(self.term),
            "yearly": [*self.yearly] if self.yearly else None,
            "times": self.times,
            "consequences": [*self.consequences],
            "remind": _written(self.remind),
            "kinds": [*self.kinds],
        }
        return {key: value for key, value in found.items() if value}

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Clock":
        """The clock that a canonical text holds."""
        month, day = found.get("yearly", (0, 0))
        return cls(
            matter=found["matter"],
            start=found["start"],
            ground=found.get("ground", ""),
            lead=_read(found.get("lead")),
            term=_read(found.get("term")),
            yearly=(month, day) if month else None,
            times=found.get("times", 0),
            consequences=tuple(found.get("consequences", ())),
            remind=_read(found.get("remind")),
            kinds=tuple(found.get("kinds", ())),
        )


def _written(term: Term | None) -> dict[str, Any] | None:
    return None if term is None else {"number": term.number, "unit": term.unit}


def _read(found: Mapping[str, Any] | None) -> Term | None:
    return None if found is None else Term(found["number"], found["unit"])


@dataclass(frozen=True)
class Clocks:
    """The clocks of a title: one for each matter, and a bar for each ground of a cancellation.

    >>> yearly = Clock(matter=UPDATE, start=NEXT_YEAR, yearly=(6, 15), consequences=(COUNTED,))
    >>> Clocks("甲", (yearly,)).to_json()["clocks"]
    [{'matter': '年度更新', 'start': '授予次年', 'yearly': [6, 15], 'consequences': ['计一次未更新']}]
    """

    id: str
    clocks: tuple[Clock, ...]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Clocks":
        """The clocks that a canonical text holds."""
        return cls(found["id"], tuple(map(Clock.of, found["clocks"])))

    def to_json(self) -> dict[str, Any]:
        """The clocks in JSON's own types."""
        return {"id": self.id, "clocks": [clock.to_json() for clock in self.clocks]}

    def clock(self, matter: str, ground: str = "") -> Clock | None:
        """The clock of a matter, for a bar that of a ground; None if there is none."""
        return next((c for c in self.clocks if (c.matter, c.ground) == (matter, ground)), None)

    @property
    def grounds(self) -> tuple[str, ...]:
        """The grounds on which a title may be cancelled."""
        return tuple(c.ground for c in self.clocks if c.matter == BAR)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The changes that must be reported, by name; empty if the table names none, and so means any."""
        clock = self.clock(CHANGE)
        return clock.kinds if clock else ()


@dataclass(frozen=True)
class Period:
    """The days, both included, on which a table of clocks is in force, and by which document; None is open."""

    first: date | None
    last: date | None
    clocks: Clocks
    basis: str = ""

    def covers(self, day: date) -> bool:
        """Whether the table is in force on a day."""
        return (self.first or date.min) <= day <= (self.last or date.max)


def periods(
    rows: Iterable[Mapping[str, Any]],
    clocks: Mapping[str, Clocks],
    tier: str,
    province: str = "",
) -> tuple[Period, ...]:
    """The tables of clocks of a tier in a province, or in what acts as one, in the order of their days.

    ``rows`` say in JSON which table (``clocks``) governs a ``tier`` in a ``province`` from ``start`` to
    ``end``; those of the province itself precede those of all others. A day on which several would govern
    has none.
    """
    mine = [
        (
            row["province"],
            date.fromisoformat(row["start"]) if row["start"] else date.min,
            date.fromisoformat(row["end"]) if row["end"] else date.max,
            clocks[row["clocks"]],
            str(row.get("basis", "")),
        )
        for row in rows
        if row["tier"] == tier and row["province"] in (province, OTHERS) and row["clocks"] in clocks
    ]
    edges = {first for _, first, *_ in mine} | {
        last + _DAY for _, _, last, *_ in mine if last < date.max
    }
    found: list[Period] = []
    for first, after in pairwise([*sorted(edges), None]):
        assert first is not None  # only the last is
        covering = [row for row in mine if row[1] <= first <= row[2]]
        nearest = [row for row in covering if row[0] != OTHERS] or covering
        if len(nearest) == 1:
            begun, last = None if first == date.min else first, after and after - _DAY
            found.append(Period(begun, last, *nearest[0][3:]))
    return tuple(found)
