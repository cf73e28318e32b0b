"""What titles make due on a day: as a list, as counts, and as the events of a calendar file."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from registry.database import storage
from registry.desk.place import Desk
from registry.errors import RecordError
from registry.record import dues
from registry.record.dues import MATTERS as MATTERS
from registry.record.dues import PRESSING as PRESSING
from registry.record.dues import Asked as Asked
from registry.record.dues import Due as Due
from registry.record.dues import DueLine as DueLine
from registry.record.dues import Place
from registry.record.dues import Text as Text
from registry.record.finding import MOST as MOST
from rules.portable.timing import DONE as DONE
from rules.portable.timing import OVERDUE as OVERDUE
from rules.portable.timing import STATES as STATES


def due(desk: Desk, asked: Asked) -> Due:
    """What is due on a day, at most ``MOST`` lines; the tier goes by any of its names."""
    with desk.reading() as session:
        return dues.due(session, _tier(desk, asked))


@dataclass
class Whole:
    """All that is due on a day, read while it is written; lines can be taken once."""

    day: date
    lines: Iterator[DueLine]
    texts: Sequence[Text]


@contextmanager
def whole(desk: Desk, asked: Asked) -> Iterator[Whole]:
    """All that is due on a day, from one state of the registry, however much it is."""
    asked = _tier(desk, asked)
    with storage.snapshot(desk.database) as session:
        yield Whole(asked.day, dues.every(session, asked), dues.texts(session, asked))


@dataclass(frozen=True)
class DuePage:
    """A page of what is due; ``after`` is the key of the next page, empty on the last one."""

    lines: tuple[DueLine, ...]
    after: str


#: The lines of a page.
LEAF: Final = 50


def leafed(desk: Desk, asked: Asked, after: str = "") -> DuePage:
    """The next lines after a key of a page; ``RecordError`` for any other text."""
    asked, place = _tier(desk, asked), placed(after)
    with desk.reading() as session:
        found = dues.lines(session, asked, after=place, limit=LEAF + 1)
    more = len(found) > LEAF
    return DuePage(tuple(found[:LEAF]), key(found[LEAF - 1]) if more else "")


def key(line: DueLine) -> str:
    """The key of the page that begins after a line."""
    return " ".join((str(line.due or "-"), line.uscc, str(line.number), line.tier))


def placed(key: str) -> Place | None:
    """The place after which the page of a key begins; ``RecordError`` for any other text."""
    if not key:
        return None
    try:
        due, uscc, number, tier = key.split(" ", 3)
        return Place(None if due == "-" else date.fromisoformat(due), uscc, tier, int(number[:9]))
    except ValueError as error:
        raise RecordError(
            "no-such-page", "「{value}」不是翻页的位置：请从第一页看起", value=key
        ) from error


def counts(desk: Desk, asked: Asked) -> Mapping[tuple[str, str, str], int]:
    """How much there is of what is asked for, by tier, matter and state."""
    with desk.reading() as session:
        return dues.counts(session, _tier(desk, asked))


def _tier(desk: Desk, asked: Asked) -> Asked:
    return replace(asked, tier=desk.tier(asked.tier).name) if asked.tier else asked
