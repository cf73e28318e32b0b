"""Titles and holdings that documents state: put into the register and read back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from sqlmodel import Session

from registry.desk import listed
from registry.desk.enterprises import refuse_unknown
from registry.desk.listed import Firms
from registry.desk.place import Desk
from registry.errors import RecordError
from registry.intake import holdings as lists
from registry.intake.cells import half
from registry.intake.validity import Validity
from registry.judging.settled import Registration
from registry.judging.wording import registered_text
from registry.kit.uscc import is_code, tidy
from registry.record import admissions, journal, register
from registry.record import holdings as shares
from registry.record.holdings import Holding
from registry.record.journal import Entry
from registry.record.naming import Names
from registry.record.register import ACTIONS, REASONS, Holder, Notice
from rules.model.catalogue import TITLE

__all__ = [
    "ACTIONS",
    "REASONS",
    "Entry",
    "Firms",
    "Notice",
    "Registration",
    "Validity",
    "registered_text",
]

#: How many enterprises may be meant by one name.
_FEW: Final = 3


@dataclass(frozen=True)
class Registered:
    """The new entries, and the remarks about the list from which they come."""

    entries: Sequence[Entry]
    notices: Sequence[str] = ()


# -- titles ----------------------------------------------------------------------------------------


def _title(desk: Desk, name: str) -> str:
    """The title of a tier; ``RecordError`` for a self-test or a measure, which nobody holds."""
    tier = desk.tier(name)
    if tier.kind != TITLE:
        raise RecordError(
            "untitled-tier",
            "「{value}」是{kind}，不是称号，不能登记：请改为一个称号的层级",
            value=tier.name,
            kind=tier.kind,
        )
    return tier.name


def grant(desk: Desk, firms: Firms, kind: str, notice: Notice, days: Validity) -> Registered:
    """Register new titles from the notice's date for the usual time, unless other days are given.

    Days that a list gives count too. ``kind`` is any name of a tier, as for all titles.
    """
    kind = _title(desk, kind)

    def registered(session: Session, holders: Sequence[Holder], notice: Notice) -> Sequence[Entry]:
        first = days.first or notice.dated
        return register.grant(
            session, holders, kind, notice,
            first=first, last=days.last, by=desk.by, now=desk.clock(),
        )  # fmt: skip

    return _registered(desk, firms, notice, days, ("first", "last"), registered)


def extend(desk: Desk, firms: Firms, kind: str, notice: Notice, days: Validity) -> Registered:
    """Register titles that a re-check extends: ``days`` tell which (first) and how long (last)."""
    kind = _title(desk, kind)

    def registered(session: Session, holders: Sequence[Holder], notice: Notice) -> Sequence[Entry]:
        return register.extend(
            session, holders, kind, notice,
            first=days.first, last=days.last, by=desk.by, now=desk.clock(),
        )  # fmt: skip

    return _registered(desk, firms, notice, Validity(None, days.last), ("last",), registered)


def end(
    desk: Desk,
    firms: Firms,
    kind: str,
    notice: Notice,
    days: Validity,
    *,
    on: date | None,
    reason: str,
) -> Registered:
    """Register titles that end early, by default on the notice's date; ``days`` tell which."""
    kind = _title(desk, kind)

    def registered(session: Session, holders: Sequence[Holder], notice: Notice) -> Sequence[Entry]:
        return register.end(
            session, holders, kind, notice,
            on=on or notice.dated, reason=reason, first=days.first, last=days.last,
            by=desk.by, now=desk.clock(),
        )  # fmt: skip

    return _registered(desk, firms, notice, Validity(), (), registered)


def _registered(
    desk: Desk,
    firms: Firms,
    notice: Notice,
    days: Validity,
    uses: Sequence[str],
    register: Callable[[Session, Sequence[Holder], Notice], Sequence[Entry]],
) -> Registered:
    with listed.told() as notices:
        named = listed.placed(desk, firms, days, uses, notices)
        with listed.placing(firms, named), desk.writing() as session:
            holders = [holder for _, holder in named]
            return Registered(
                register(session, holders, listed.with_list(desk, notice, firms)), notices
            )


def strike(desk: Desk, seq: int, notice: Notice) -> Entry:
    """Strike out a title that was registered by mistake, as if it had never existed."""
    with desk.writing() as session:
        return register.strike(session, seq, notice, by=desk.by, now=desk.clock())


def titles(
    desk: Desk,
    codes: Sequence[str] = (),
    *,
    kind: str = "",
    as_of: date | None = None,
    known_at: datetime | None = None,
    history: bool = False,
) -> list[Registration]:
    """The current titles, or with ``history`` every entry, of these enterprises or of all.

    ``as_of`` keeps only titles that are held on a day; ``known_at`` asks what the register said at
    a moment.
    """
    kind = _title(desk, kind) if kind else ""
    with desk.reading() as session:
        refuse_unknown(session, codes)
        found = register.titles(session, codes or None, until=_until(session, known_at))
    return [
        entry
        for entries in found.values()
        for entry in _wanted(entries, as_of, history)
        if kind in ("", entry.content["kind"])
    ]


def _until(session: Session, known_at: datetime | None) -> int | None:
    return None if known_at is None else journal.until(session, known_at)


def _wanted(
    entries: Sequence[Registration], as_of: date | None, history: bool
) -> Iterator[Registration]:
    for entry in entries if history else register.standing(entries):
        if as_of is None or register.held(entry, as_of):
            yield entry


# -- holdings --------------------------------------------------------------------------------------


def hold(
    desk: Desk, code: str, holder: str, share: str, notice: Notice, days: Validity
) -> Registered:
    """Register one holding; the holder is given by code or name, the share as typed."""
    return _hold(desk, [Holding(Holder(code), _holder(holder), lists.share(share))], notice, days)


def hold_listed(desk: Desk, firms: Firms, notice: Notice, days: Validity) -> Registered:
    """Register the holdings of a list: all or none."""
    assert firms.file is not None
    with listed.told() as notices:
        with desk.reading() as session:
            stated = _listed(session, firms.file, firms, notices)
        done = _hold(desk, stated, listed.with_list(desk, notice, firms), days)
        return Registered(done.entries, [*notices, *done.notices])


def _listed(session: Session, path: Path, firms: Firms, notices: list[str]) -> list[Holding]:
    found = listed.coded(session, path, lists.read_holdings(path), notices)
    admitted = admissions.Admitted(session)
    lines = [line for line, _ in found]
    stakes = listed.every(
        path, lines, lambda line, told: lists.stake(line, admitted, told), notices
    )
    stated = [
        (line, Holding(held, Holder(stake.uscc, stake.name), stake.share))
        for (line, held), stake in zip(found, stakes, strict=True)
    ]
    named = [(line, firm) for line, h in stated for firm in (h.held, h.holder)]
    listed.refuse_differing(session, path, named, firms.renamed)
    return [holding for _, holding in stated]


def _hold(desk: Desk, stated: Sequence[Holding], notice: Notice, days: Validity) -> Registered:
    with desk.writing() as session:
        notices = _namesakes(session, stated)
        codes = {code for h in stated for code in (h.held.uscc, h.holder.uscc)} - {""}
        known = listed.names(session, sorted(codes))
        entries = shares.hold(
            session,
            [Holding(_named(h.held, known), _named(h.holder, known), h.share) for h in stated],
            notice,
            first=days.first or notice.dated,
            last=days.last,
            by=desk.by,
            now=desk.clock(),
        )
        return Registered(entries, notices)


def end_holding(
    desk: Desk, code: str, holder: str, notice: Notice, *, on: date | None = None
) -> Entry:
    """Register that a share is no longer held, by default from the document's date."""
    with desk.writing() as session:
        return shares.end(
            session, code, _holder(holder), notice,
            on=on or notice.dated, by=desk.by, now=desk.clock(),
        )  # fmt: skip


def holdings(
    desk: Desk,
    code: str | None = None,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
    history: bool = False,
) -> list[Registration]:
    """The current holdings: all, or those of and in one enterprise; options as for ``titles``."""
    with desk.reading() as session:
        if code is not None:
            refuse_unknown(session, [code])
        found = shares.of(session, code, until=_until(session, known_at))
    return list(_wanted(found, as_of, history))


def _holder(text: str) -> Holder:
    """A holder as typed: a credit code, or a name."""
    code = tidy(text)
    return Holder(code) if is_code(code) else Holder("", half(text))


def _named(holder: Holder, known: dict[str, str]) -> Holder:
    return Holder(holder.uscc, holder.name or known.get(holder.uscc, ""))


def _namesakes(session: Session, stated: Sequence[Holding]) -> list[str]:
    """Remarks on holders without a code who bear an enterprise's name, or a part of one: names connect nobody."""
    nameless = dict.fromkeys(h.holder.name for h in stated if not h.holder.uscc)
    known = Names(session) if nameless else Names()
    alike = {
        name: ("有同名企业", found)
        if (found := known.of(name))
        else ("有名称含这段文字的企业", known.containing(name))
        for name in nameless
    }
    return [
        f"持股方「{name}」只写了名称；登记库中{what}{'、'.join(found)}，如就是它，请写信用代码"
        for name, (what, found) in alike.items()
        if 0 < len(found) <= _FEW  # more have but a common word in common
    ]
