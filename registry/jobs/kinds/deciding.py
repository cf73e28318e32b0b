"""Deciding many cases."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from registry.desk import deciding
from registry.jobs.kinds.kind import LISTED, Kind, Work, taken
from registry.kit.jsontext import fields_of
from rules.language.editions import RECOGNITION


@dataclass(frozen=True, kw_only=True)
class Deciding:
    """Whose newest filings are decided, all if None, under which tiers and how.

    Tiers may have any of their names; ``as_of`` and the rest are as in ``Request``.
    """

    usccs: tuple[str, ...] | None = None
    tiers: tuple[str, ...] = ()
    as_of: date | None = None
    procedure: str = RECOGNITION
    batch: str = ""
    province: str | None = None


@dataclass(frozen=True, kw_only=True)
class Remarked:
    """A case that could not be decided, and why; or one decided on doubtful figures, and which."""

    uscc: str
    name: str
    tier: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class DecidedMany:
    """What became of all cases: new decisions, those that said the same already, and refusals.

    ``verdicts`` counts by tier and verdict, refusals too. ``first`` and ``last`` are the numbers of
    the new decisions. ``refusals`` are the first ones. ``doubted`` decisions rest on figures that
    can hardly be right; ``doubts`` are the first of these. ``rounds`` are the batches under which
    another text would govern.
    """

    new: int
    earlier: int
    refused: int
    first: int | None
    last: int | None
    verdicts: Mapping[str, Mapping[str, int]]
    refusals: tuple[Remarked, ...]
    doubted: int
    rounds: tuple[str, ...]
    doubts: tuple[Remarked, ...] = ()


def _decide(work: Work[Deciding]) -> DecidedMany:
    asked = work.arguments
    before = work.at_first(work.desk.head)  # what was recorded after this is new
    request = deciding.Request(**fields_of(asked, without=["usccs"]))
    new: list[int] = []
    refusals, doubts = list[Remarked](), list[Remarked]()
    with deciding.run(work.desk, asked.usccs, request) as run:
        for line in run:
            if line.seq is None and len(refusals) < LISTED:
                refusals.append(taken(Remarked, line))
            if line.doubts and len(doubts) < LISTED:
                said = "；".join(line.doubts)
                doubts.append(Remarked(uscc=line.uscc, name=line.name, tier=line.tier, reason=said))
            if line.seq is not None and line.seq > before:
                new.append(line.seq)
    tally = run.tally
    return taken(
        DecidedMany,
        tally,
        new=len(new),
        earlier=tally.new + tally.earlier - len(new),
        first=min(new, default=None),
        last=max(new, default=None),
        refusals=tuple(refusals),
        doubts=tuple(doubts),
        rounds=tuple(tally.rounds),
    )


DECIDE: Final = Kind("decide", "作出决定", Deciding, DecidedMany, _decide, records=True)
