"""A case: one version of a filing, everything that bears on its verdicts, and requests about it.

Facts stay in the plain form that the registry stores; judging turns them into one ``Profile`` at
the end.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from registry.errors import RegistryError
from registry.filings import Submission
from registry.judging.facts import facts_of
from registry.judging.settled import Determination, Registration
from rules.language.editions import RECHECK, RECOGNITION, ApplicabilityRow, tiers_asked
from rules.language.provinces import PROVINCES, acting
from rules.model.catalogue import Catalogue
from rules.portable.record import Body


@dataclass(frozen=True, kw_only=True)
class Case:
    """One version of a filing with its facts in plain form, as they were filed.

    ``filing_id`` is 0 if the filing is in no registry.
    """

    filing_id: int = 0
    uscc: str
    name: str
    province: str
    as_of: date
    known_until: datetime | None = None
    facts: Body
    city: str = ""
    county: str = ""
    registered_on: str = ""


@dataclass(frozen=True)
class Known:
    """A case with the determinations and the register entries that bear on it."""

    case: Case
    determinations: tuple[Determination, ...] = ()
    register: tuple[Registration, ...] = ()


@dataclass(frozen=True)
class Request:
    """The question about each case: for which tiers, in which procedure, and as of which day.

    ``tiers`` are names, short names or slugs; without any, those that ``tiers_asked`` tells.
    Without ``as_of``, each case is judged as of its own filing date; without ``province``, by the
    criteria of its own province. A procedure or province that does not exist raises
    ``RegistryError``: by the default rules, it would get a verdict that nobody asked for.
    """

    tiers: tuple[str, ...] = ()
    procedure: str = RECOGNITION
    batch: str = ""
    province: str | None = None
    as_of: date | None = None

    def __post_init__(self) -> None:
        for what, value, expected in (
            ("程序", self.procedure, (RECOGNITION, RECHECK)),
            ("省份", self.province or "", ("", *PROVINCES)),
        ):
            if value not in expected:
                raise RegistryError(
                    "no-such-choice", "没有名为「{value}」的{what}：请核对", value=value, what=what
                )

    def of(self, catalogue: Catalogue, rows: Iterable[ApplicabilityRow]) -> "Request":
        """The question for these criteria: its tiers by their full names.

        Raises ``FactsError`` for a tier that the criteria do not declare.
        """
        return replace(self, tiers=tiers_asked(self.tiers, catalogue, rows))

    def day(self, case: Case) -> date:
        """The day as of which to judge a case."""
        return self.as_of or case.as_of

    def how(self, case: Case) -> dict[str, str]:
        """The attributes that choose the ruleset of a case, besides tier and day."""
        province = case.province if self.province is None else self.province
        return {"procedure": self.procedure, "province": province, "batch": self.batch}


def unfiled(submission: Submission, day: date) -> Known:
    """A submission that is in no registry, as a case of that day without determinations."""
    stated = submission.identity
    return Known(
        Case(
            uscc=submission.uscc,
            name=submission.name,
            province=acting(stated.get("province", ""), stated.get("city", "")),
            city=stated.get("city", ""),
            county=stated.get("county", ""),
            as_of=day,
            facts=facts_of(submission.profile(day)),
            registered_on=stated.get("registered_on", ""),
        )
    )
