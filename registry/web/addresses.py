"""The addresses of pages: every state worth showing has one, and each is made here."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import quote, urlencode

from registry.desk.rulebooks import rulebook

#: The folder of what belongs to no single text, and how an address names it.
TOP: Final = "."
GENERAL: Final = "general"


@cache
def slugs() -> Mapping[str, str]:
    """How addresses name the tiers, as the criteria declare it, with their titles.

    >>> slugs()["specialised"]
    '专精特新中小企业'
    """
    return {tier.slug: tier.name for tier in rulebook().catalogue.tiers}


@cache
def slug(tier: str) -> str:
    """How addresses name the tier of a title."""
    return next(name for name, title in slugs().items() if title == tier)


def short(tier: str) -> str:
    """The short name of a tier's title."""
    return rulebook().catalogue.short(tier)


def asked(path: str, **query: Any) -> str:
    """An address with its query; what is empty is left out.

    >>> asked("/enterprises", q="甲", county="")
    '/enterprises?q=%E7%94%B2'
    """
    given = {name: value for name, value in query.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(given)}" if given else path


def enterprise(uscc: str, **query: Any) -> str:
    """An enterprise's page."""
    return asked(f"/enterprises/{quote(uscc, safe='')}", **query)


def case(uscc: str, tier: str, part: str = "", **query: Any) -> str:
    """The page of an enterprise's case for a tier, or a ``part`` of it such as ``what-if``."""
    path = f"/enterprises/{quote(uscc, safe='')}/{quote(slug(tier))}"
    return asked(f"{path}/{part}" if part else path, **query)


def decision(seq: int, **query: Any) -> str:
    """A decision's page."""
    return asked(f"/decisions/{seq}", **query)


def entry(seq: int) -> str:
    """A journal entry's page."""
    return f"/journal/{seq}"


def rule(id: str) -> str:
    """A criterion's page.

    >>> rule("1.甲")
    '/rules/1.%E7%94%B2'
    """
    return f"/rules/{quote(id, safe='')}"


def edition(folder: str) -> str:
    """The page of a text of law by its folder, or of two that are joined by ``...``."""
    return f"/editions/{GENERAL if folder == TOP else quote(folder)}"
