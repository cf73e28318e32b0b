"""Finds enterprises, and lists them page by page with what was last decided on them."""

from collections.abc import Mapping
from typing import Final

from registry.database import storage
from registry.desk.place import Desk
from registry.errors import RecordError
from registry.kit import regions
from registry.record import finding
from registry.record.finding import UNDECIDED_WORD as UNDECIDED_WORD
from registry.record.finding import Asked as Asked
from registry.record.finding import CaseLine as CaseLine
from registry.record.finding import EnterpriseLine as EnterpriseLine
from registry.record.finding import Page as Page
from registry.record.finding import counted as counted
from rules.model.ruleset import OUTCOMES

#: The most lines of a page.
LONGEST: Final = 200


def find(
    desk: Desk,
    query: str = "",
    *,
    place: str = "",
    tier: str = "",
    outcome: str = "",
    after: str = "",
    limit: int = 20,
) -> Page:
    """A page of the enterprises to which everything given applies, in order of credit code.

    ``query`` is a part of the name or the beginning of the credit code, ``place`` the code of a
    region, ``outcome`` that of the last decision (under ``tier`` if given) or ``UNDECIDED_WORD``.
    ``tier`` is any of its names. ``after`` is the key that the page before gave. ``FactsError`` for an
    unknown tier, ``RecordError`` for an unknown outcome.
    """
    title = desk.tier(tier).name if tier else ""
    asked = Asked(query=query, place=place, tier=title, outcome=outcome)
    with desk.reading() as session:
        return finding.page(session, asked, after=after, limit=min(limit, LONGEST))


def short_names(desk: Desk) -> Mapping[str, str]:
    """The short names of the tiers by their full names, lowest first."""
    return {tier.name: tier.short for tier in desk.to_be_filed().tiers}


def region(name: str) -> str:
    """The code of the region that a name or a code means; ``RecordError`` unless it is clear.

    >>> region("深圳南山"), region("440000")
    ('440305', '440000')
    """
    if name.strip() in regions.regions():
        return name.strip()
    place = regions.place_of(name)
    if place.doubt or not place.province:
        raise RecordError(
            "unclear-region",
            "「{value}」不能确定是哪个地区{said}：请写明省、市、县",
            value=name,
            said=f"（{place.doubt}）" if place.doubt else "",
        )
    return place.county or place.city or place.province


def every(
    desk: Desk, query: str = "", *, place: str = "", tier: str = "", outcome: str = ""
) -> list[EnterpriseLine]:
    """All enterprises to which everything given applies, read from one state of the registry.

    ``RecordError`` if there are more than can be listed.
    """
    title = desk.tier(tier).name if tier else ""
    asked = Asked(query=query, place=place, tier=title, outcome=outcome)
    found: list[EnterpriseLine] = []
    with storage.snapshot(desk.database) as session:
        page = finding.page(session, asked, limit=LONGEST)
        if page.told or page.count > finding.MOST:
            raise RecordError(
                "too-many-listed",
                "{said}",
                said=page.told or f"共{page.counted}，一份名单写不下：请先选定条件",
            )
        found += page.lines
        while page.after:
            page = finding.page(session, asked, after=page.after, limit=LONGEST)
            found += page.lines
    return found


def tally(desk: Desk, *, place: str = "", tier: str = "") -> Mapping[str, int]:
    """How many enterprises have each outcome, or none yet; each number as ``counted`` words it."""
    title = desk.tier(tier).name if tier else ""
    with desk.reading() as session:
        return {
            outcome: finding.count(session, Asked(place=place, tier=title, outcome=outcome))
            for outcome in (UNDECIDED_WORD, *OUTCOMES)
        }
