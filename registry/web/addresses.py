"""The addresses of pages: every state worth showing has one, and each is made here."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, urlencode

from rules.model.catalogue import Catalogue

#: The folder of what belongs to no single text, and how an address names it.
TOP: Final = "."
GENERAL: Final = "general"


def asked(path: str, **query: Any) -> str:
    """An address with its query; what is empty is left out.

    >>> asked("/enterprises", q="甲", county="")
    '/enterprises?q=%E7%94%B2'
    """
    given = {name: value for name, value in query.items() if value not in (None, "", False, [], ())}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def enterprise(uscc: str, part: str = "", **query: Any) -> str:
    """An enterprise's page, or a ``part`` of it such as ``withdraw``."""
    path = f"/enterprises/{quote(uscc, safe='')}"
    return asked(f"{path}/{part}" if part else path, **query)


def decision(seq: int, **query: Any) -> str:
    """A decision's page."""
    return asked(f"/decisions/{seq}", **query)


def entry(seq: int) -> str:
    """A journal entry's page."""
    return f"/journal/{seq}"


def job(id: int) -> str:
    """A job's page."""
    return f"/jobs/{id}"


def job_file(id: int, name: str) -> str:
    """A file that a job made.

    >>> job_file(3, "证据包.zip")
    '/jobs/3/files/%E8%AF%81%E6%8D%AE%E5%8C%85.zip'
    """
    return f"/jobs/{id}/files/{quote(name, safe='')}"


def checkpoint(size: int, part: str = "") -> str:
    """The page of a checkpoint by the number of entries that it covers, or the ``note`` itself."""
    return f"/checkpoints/{size}/{part}" if part else f"/checkpoints/{size}"


def imported(number: int) -> str:
    """The receipt of an import."""
    return f"/imports/{number}"


def waiting(digest: str, part: str = "", **query: Any) -> str:
    """The page of a file that waits to be registered, or a ``part`` of it such as ``book``."""
    path = f"/imports/{quote(digest, safe='')}"
    return asked(f"{path}/{part}" if part else path, **query)


def registering(what: str, act: str, **query: Any) -> str:
    """The page on which titles or holdings are registered.

    >>> registering("titles", "grant", uscc="91")
    '/titles/grant?uscc=91'
    """
    return asked(f"/{what}/{act}", **query)


def rounded(seq: int, part: str = "") -> str:
    """The page of a round, or a ``part`` of it such as ``close``."""
    return f"/rounds/{seq}/{part}" if part else f"/rounds/{seq}"


def taking(act: str, /, **query: Any) -> str:
    """The page on which applications are entered (``apply``), go on (``step``) or are announced.

    >>> taking("step", tier="giant", uscc=["91", "92"])
    '/applications/step?tier=giant&uscc=91&uscc=92'
    """
    return asked(f"/applications/{act}", **query)


def duty(act: str, /, **query: Any) -> str:
    """The page on which something about a title holder's duties is entered.

    >>> duty("update", uscc="91", year="2024")
    '/duties/update?uscc=91&year=2024'
    """
    return asked(f"/duties/{act}", **query)


def rule(id: str) -> str:
    """A criterion's page.

    >>> rule("1.甲")
    '/rules/1.%E7%94%B2'
    """
    return f"/rules/{quote(id, safe='')}"


def edition(folder: str) -> str:
    """The page of a text of law by its folder, or of two that are joined by ``...``."""
    return f"/editions/{GENERAL if folder == TOP else quote(folder)}"


class Addresses:
    """The addresses of pages, in which tiers have the names that the criteria in force declare.

    ``declared`` is asked for them once, when first needed.
    """

    asked = staticmethod(asked)
    decision = staticmethod(decision)
    duty = staticmethod(duty)
    edition = staticmethod(edition)
    enterprise = staticmethod(enterprise)
    entry = staticmethod(entry)
    checkpoint = staticmethod(checkpoint)
    imported = staticmethod(imported)
    job = staticmethod(job)
    job_file = staticmethod(job_file)
    registering = staticmethod(registering)
    rounded = staticmethod(rounded)
    taking = staticmethod(taking)
    rule = staticmethod(rule)
    waiting = staticmethod(waiting)

    def __init__(self, declared: Callable[[], Catalogue]) -> None:
        self._declared = declared

    @cached_property
    def tiers(self) -> Mapping[str, str]:
        """The titles of the tiers by the names that addresses use, lowest tier first."""
        return {tier.slug: tier.name for tier in self._catalogue.tiers}

    def slug(self, tier: str) -> str:
        """How addresses name the tier of a title; empty for one that is no longer declared."""
        return next((slug for slug, title in self.tiers.items() if title == tier), "")

    def short(self, tier: str) -> str:
        """The short name of a tier's title; one that is no longer declared keeps its name."""
        return self._catalogue.short(tier)

    def case(self, uscc: str, tier: str, part: str = "", **query: Any) -> str:
        """The page of an enterprise's case for a tier, or a ``part`` of it such as ``what-if``.

        A tier that is no longer declared leads to the enterprise's page.
        """
        slug = self.slug(tier)
        if not slug:
            return enterprise(uscc)
        path = f"/enterprises/{quote(uscc, safe='')}/{quote(slug)}"
        return asked(f"{path}/{part}" if part else path, **query)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return self._declared()
