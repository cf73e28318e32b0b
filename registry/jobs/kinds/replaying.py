"""Taking decisions again."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from registry.desk import replaying
from registry.desk.replaying import Replayed
from registry.jobs.kinds.kind import Kind, Work, taken
from registry.kit.jsontext import fields_of


@dataclass(frozen=True)
class Replaying:
    """The first day (in China) of the decisions that are taken again; without it, all are."""

    since: date | None = None


@dataclass(frozen=True)
class ReplayedAgain:
    """How many decisions were taken again, and those that came out otherwise."""

    counted: int
    differing: tuple[Replayed, ...]


def _replay(work: Work[Replaying]) -> ReplayedAgain:
    span = replaying.ReplaySpan(**fields_of(work.arguments))
    notes = replaying.Notes(lambda: work.notes, work.note)
    found = replaying.finish(work.desk, span, replaying.begun(work.desk, span, notes), notes)
    return taken(ReplayedAgain, found)


REPLAY: Final = Kind("replay", "重新作出决定", Replaying, ReplayedAgain, _replay)
