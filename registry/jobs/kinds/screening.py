"""Screening the registry."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from operator import attrgetter
from typing import Final

from registry.desk import screening
from registry.jobs.kinds.kind import LISTED, Kind, Work, taken
from registry.jobs.kinds.surveying import Surveyed, unproved
from registry.kit.jsontext import fields_of
from registry.reports import screening as screening_report
from registry.reports.verdicts import doubt_text
from rules.language.editions import RECOGNITION


@dataclass(frozen=True, kw_only=True)
class Screening:
    """What is screened: as in ``ScreeningRequest``, by the texts on record; ``near`` is in percent."""

    tiers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    as_of: date | None = None
    text: str | None = None
    procedure: str = RECOGNITION
    batch: str = ""
    near: int = 5


@dataclass(frozen=True, kw_only=True)
class ListedFirm:
    """An enterprise in a list of a screening, and why it stands there."""

    uscc: str
    name: str
    place: str
    why: str
    doubts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The enterprises of a tier that belong together: how many, and the first of them."""

    tier: str
    name: str
    count: int
    firms: tuple[ListedFirm, ...]


@dataclass(frozen=True, kw_only=True)
class Screened(Surveyed):
    """A survey with its groups of enterprises; the workbook has all of each."""

    groups: tuple[Group, ...]


def _grouped(firms: Iterable[screening.ListedFirm], titles: Mapping[str, str]) -> Iterator[Group]:
    """The groups of enterprises, in the order in which they are met."""
    counts = Counter[tuple[str, str]]()
    first: dict[tuple[str, str], list[ListedFirm]] = {}
    for firm in filter(attrgetter("group"), firms):
        key = firm.tier, firm.group
        counts[key] += 1
        if counts[key] <= LISTED:
            listed = taken(
                ListedFirm,
                firm,
                place="".join(dict.fromkeys((firm.province, firm.city, firm.county))),
                why=screening_report.why(firm, titles),
                doubts=tuple(map(doubt_text, firm.doubts)),
            )
            first.setdefault(key, []).append(listed)
    for (tier, name), kept in first.items():
        yield Group(tier=tier, name=name, count=counts[tier, name], firms=tuple(kept))


def _screen(work: Work[Screening]) -> Screened:
    asked = work.arguments
    request = screening.ScreeningRequest(**{**fields_of(asked), "near": Fraction(asked.near, 100)})
    with screening.run(work.desk, request) as found:
        heading, tallies = screening.heading(request, found), list(found.tallies.values())
        with work.desk.watch("写出工作簿", None), work.writing("筛查.xlsx") as book:
            screening_report.write(book, heading, tallies, found.doubted_firms())
        return Screened(
            heading=tuple(heading),
            counts=screening_report.to_json(heading, tallies),
            faults=found.faults,
            unproved=unproved(asked.text),
            groups=tuple(_grouped(found.doubted_firms(), screening_report.titles(tallies))),
        )


SCREEN: Final = Kind("screen", "筛查", Screening, Screened, _screen)
