"""Enterprises on record: list them, show a filing, resolve a name, admit a code by a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from registry.desk.place import Desk
from registry.desk.rulebooks import in_force
from registry.errors import RecordError, RegistryError
from registry.intake.cells import half
from registry.judging.sizes import Sizes
from registry.portable.clock import china_text
from registry.record import admissions, cases, holdings, naming, on_file, publication, register
from registry.record.admissions import ACTIONS as ADMISSIONS
from registry.record.journal import Entry
from registry.record.on_file import FilingLine
from registry.record.register import Notice
from rules.model.catalogue import Catalogue
from rules.model.facts import Profile
from rules.portable.errors import Remedy

__all__ = ["ADMISSIONS", "Entry", "FilingLine", "Notice"]


@dataclass(frozen=True)
class EnterpriseView:
    """One enterprise: the versions of its filings, and what it stated in one of them.

    ``catalogue`` has the words for it; of what is no longer declared, only the id is known. ``size``
    is its class by the text that ``source`` names; empty if it cannot be told, and ``source`` says why.
    """

    versions: Sequence[FilingLine]
    profile: Profile
    catalogue: Catalogue
    size: str
    source: str


def listed(desk: Desk, search: str = "") -> list[FilingLine]:
    """The current filings whose enterprise's name or credit code contains ``search``."""
    with desk.reading() as session:
        return on_file.filings(session, search=search)


def current(desk: Desk, uscc: str, *, history: bool = False) -> list[FilingLine]:
    """The filings of one enterprise, oldest first; ``history`` lists closed versions too.

    ``RecordError`` if it has none.
    """
    with desk.reading() as session:
        found = on_file.filings(session, uscc=uscc, history=history)
    if not found:
        raise _not_filed(uscc)
    return found


def _not_filed(uscc: str) -> RecordError:
    return RecordError(
        "enterprise-not-filed",
        "没有登记信用代码为{value}的企业",
        value=uscc,
        remedy=Remedy("list-enterprises"),
    )


def shown(
    desk: Desk,
    uscc: str,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
    history: bool = False,
) -> EnterpriseView:
    """What an enterprise stated in its newest filing, or the newest on or before ``as_of``.

    ``known_at`` asks what the registry knew at a moment; ``history`` lists closed versions too.
    ``RecordError`` if there is no such filing.
    """
    with desk.reading() as session:
        versions = on_file.filings(session, uscc=uscc, history=history)
        profile = on_file.profile(session, uscc, as_of=as_of, known_at=known_at)
        catalogue = publication.to_be_filed(session)
    if versions and profile is None and known_at is not None:
        raise RecordError(
            "not-filed-by-then",
            "在{when}以前没有登记{name}的填报",
            when=china_text(known_at),
            name=versions[-1].name,
        )
    if versions and profile is None and as_of is not None:
        raise RecordError(
            "no-filing-by-then",
            "{name}没有{value}以前的填报，最早的是{expected}",
            name=versions[-1].name,
            value=as_of,
            expected=min(v.as_of for v in versions),
        )
    if not versions or profile is None:
        raise _not_filed(uscc)
    size, source = _size(desk, profile)
    return EnterpriseView(versions, profile, catalogue, size, source)


def _size(desk: Desk, profile: Profile) -> tuple[str, str]:
    """The size class by the criteria in force, and the text that defines it."""
    try:
        told = Sizes(in_force(desk))
    except RegistryError as error:  # what was published can no longer be compiled
        return "", str(error)
    return told.size(profile, told.sector(profile)), told.source


def named(desk: Desk, name: str) -> str:
    """The credit code of the one enterprise that a name means; ``RecordError`` if unclear."""
    with desk.reading() as session:
        return naming.resolve(session, half(name))


def admit(desk: Desk, uscc: str, notice: Notice, *, revoke: bool = False) -> Entry:
    """Admit a code of early issue with a wrong check digit, by a document; or ``revoke`` this."""
    with desk.writing() as session:
        return admissions.record(
            session, "revoke" if revoke else "admit", uscc,
            document=notice.number, dated=notice.dated.isoformat(), evidence=notice.evidence,
            by=desk.by, now=desk.clock(),
        )  # fmt: skip


def admitted(desk: Desk) -> list[Entry]:
    """The entries by which codes of early issue are admitted now, oldest first."""
    with desk.reading() as session:
        return admissions.standing(session)


def refuse_unknown(session: Session, codes: Sequence[str]) -> None:
    """Raise ``RecordError`` for codes with neither a filing nor a registration on record."""
    titled = register.titles(session, codes)
    missing = [
        code
        for code in codes
        if code not in titled
        and not cases.of_enterprise(session, code)
        and not holdings.of(session, code)
    ]
    if missing:
        raise RecordError(
            "unknown-enterprise",
            "登记库中没有信用代码为{value}的企业",
            value="、".join(missing),
            remedy=Remedy("check-code"),
        )
