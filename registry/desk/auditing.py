"""Auditing: reading the journal, verifying the record, and handing out signed evidence of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from sqlmodel import Session

from registry.audit import bundle, checkpoints, standalone
from registry.audit.evidence import Selection as Selection
from registry.audit.evidence import refuse_nothing
from registry.audit.keys import SigningKey
from registry.audit.report import VerificationReport as VerificationReport
from registry.audit.verify import verify
from registry.database import storage
from registry.database.altered import UNREADABLE as UNREADABLE
from registry.desk.enterprises import refuse_unknown
from registry.desk.place import Desk, Seen, unseen
from registry.errors import AlteredError, RecordError
from registry.judging.wording import determined_text
from registry.kit import settings
from registry.portable.chain import KINDS
from registry.portable.contents import file_digest
from registry.portable.findings import Findings
from registry.portable.notes import Checkpoint, NoteError, VerifierKey
from registry.portable.verifier import verify_bundle
from registry.record import cases, determinations, journal
from registry.record.publication import latest, packaged_catalogue, to_be_filed
from registry.record.wording import cited, entry_text
from rules.model.catalogue import Catalogue
from rules.portable.duties import KINDS as DUTIES
from rules.portable.errors import Remedy

#: The most entries that a person looks through before acting.
_FEW: Final = 20

#: A file that somebody holds: its name and its bytes.
HeldFile: TypeAlias = tuple[str, bytes]


# -- the journal -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class EntryQuery:
    """Selects entries: of an enterprise, a tier or a kind, or the last few.

    The tier is given by name, short name or slug. Selects all entries if nothing is given.
    """

    uscc: str | None = None
    tier: str | None = None
    kind: str | None = None
    last: int | None = None


@dataclass(frozen=True, kw_only=True)
class EntryLine:
    """An entry of the journal as officers read it; ``recorded_at`` is UTC."""

    seq: int
    recorded_at: datetime
    kind: str
    what: str
    by: str
    digest: str


@dataclass(frozen=True)
class AmissLine:
    """What stands in place of entries that were altered or are missing, up to the number ``seq``."""

    seq: int
    said: str


def log(desk: Desk, wanted: EntryQuery) -> list[EntryLine]:
    """The selected entries in order; ``RecordError`` if the enterprise is not on record.

    An enterprise has the entries on its filings, its applications with their steps, its titles and
    holdings, and those on its shares in others.
    """
    kinds = [k for k, word in KINDS.items() if word == wanted.kind]
    with desk.reading() as session:
        first, parts = 1, list[dict[str, Any]]([{}])
        if wanted.uscc is not None:
            parts = _about(session, wanted.uscc)
        elif wanted.last and not (wanted.tier or kinds):
            first = max(1, journal.last_number(session) - wanted.last + 1)
        tier = to_be_filed(session).tier(wanted.tier).name if wanted.tier else ""
        asked = [journal.entries(session, first=first, kinds=kinds, tier=tier, **p) for p in parts]
        by_number = {entry.seq: entry for found in asked for entry in found}
        found = [by_number[seq] for seq in sorted(by_number)]
        if not found and wanted.uscc is not None:
            refuse_unknown(session, [wanted.uscc])
        return _lines(session, found[-(wanted.last or 0) :])


def since(desk: Desk, seen: Seen) -> list[EntryLine]:
    """The first entries that concern an act and came after what was seen."""
    with desk.reading() as session:
        return _lines(
            session, [journal.entry(session, seq) for seq in unseen(session, seen)[:_FEW]]
        )


def lines(desk: Desk, entries: Sequence[journal.Entry]) -> list[EntryLine]:
    """Entries as officers read them, those of a rehearsal too."""
    with desk.reading() as session:
        return _lines(session, entries)


def unconfirmed(desk: Desk) -> list[EntryLine]:
    """The determinations that a second person has still to confirm, oldest first."""
    with desk.reading() as session:
        found = list(journal.entries(session, kinds=cases.SETTLING))
        return _lines(session, [entry for entry, waits, _ in cases.standing(found) if waits])


@dataclass(frozen=True)
class EntryPage:
    """Entries, newest first; the next page begins ``before`` a number, None on the last one."""

    lines: tuple[EntryLine | AmissLine, ...]
    before: int | None


def leafed(
    desk: Desk, *, kind: str = "", tier: str = "", before: int | None = None, limit: int = 50
) -> EntryPage:
    """A page of the journal, newest first: the entries of a kind and of a tier by any of its names.

    ``before`` begins the page after the one before. Without a kind and a tier, what is altered or
    missing is a line of its own, so that the rest can still be read. ``RecordError`` for an unknown
    kind.
    """
    kinds = [k for k, word in KINDS.items() if word == kind]
    if kind and not kinds:
        raise RecordError(
            "no-such-entry-kind",
            "没有名为「{value}」的记录：应为 {expected}",
            value=kind,
            expected="、".join(KINDS.values()),
        )
    with desk.reading() as session:
        title = to_be_filed(session).tier(tier).name if tier else ""
        numbers = journal.before(session, before, limit + 1, kinds, title)
        wanted, more = numbers[:limit], numbers[limit:]
        if not wanted:
            return EntryPage((), None)
        first, last = wanted[-1], wanted[0]
        chosen = bool(kinds or title)
        entries = journal.entries(
            session, first=first, last=last, kinds=kinds, tier=title, checked=chosen
        )
        found = [_sound(entry) for entry in entries]
        sound = iter(_lines(session, [e for e in found if isinstance(e, journal.Entry)]))
    lines = [e if isinstance(e, AmissLine) else next(sound) for e in found][::-1]
    shown = lines if chosen else _with_gaps(lines, more[0] if more else 0)
    return EntryPage(tuple(shown), wanted[-1] if more else None)


def _sound(entry: journal.Entry) -> journal.Entry | AmissLine:
    """The entry, or a line that says that it was altered."""
    try:
        return journal.sound(entry)
    except AlteredError as error:
        return AmissLine(entry.seq, str(error))


def _with_gaps(
    lines: Sequence[EntryLine | AmissLine], below: int
) -> Iterator[EntryLine | AmissLine]:
    """The lines, newest first, with one for each gap between them and down to ``below``."""
    for line, after in zip(lines, [*(other.seq for other in lines[1:]), below], strict=True):
        yield line
        if after < line.seq - 1:
            first, last = after + 1, line.seq - 1
            numbers = f"第{first}号" if first == last else f"第{first}号至第{last}号"
            yield AmissLine(last, f"{numbers}记录不在登记簿中，不可采信")


@dataclass(frozen=True, kw_only=True)
class Determined:
    """What a determination settles, and what stood before it, as in ``Target`` and ``Ruling``."""

    target: determinations.Target
    was: str


@dataclass(frozen=True, kw_only=True)
class EntryView:
    """An entry with what proves it: the SHA-256 of ``header`` is its digest, that of ``body`` is in it.

    Both are canonical texts; ``texts`` are those that are disclosed beside it, by their place.
    ``last`` is the number of the journal's last entry; ``evidence`` are the digests of files.
    ``determined`` is what a determination settles. ``answered`` is the number of the entry that
    reports or answers one about a duty and still stands, ``revoked`` that of the one that took it
    back; 0 for none.
    """

    line: EntryLine
    tier: str
    uscc: str
    header: str
    body: str
    previous: str
    texts: Mapping[str, str]
    last: int
    evidence: tuple[str, ...] = ()
    determined: Determined | None = None
    answered: int = 0
    revoked: int = 0


def entry(desk: Desk, seq: int) -> EntryView:
    """One entry; ``RecordError`` if there is none of that number."""
    with desk.reading() as session:
        found = journal.entry(session, seq)
        [line] = _lines(session, [found])
        determined = found.kind == "determination" and _determined(found, _called(session))
        last = journal.last_number(session)
        answered, revoked = _followed(session, found)
    case = found.content.get("case") or {}
    return EntryView(
        line=line,
        tier=found.tier,
        uscc=found.subject or case.get("uscc", ""),
        header=found.header_bytes().decode(),
        body=found.body,
        previous=found.previous,
        texts=found.texts,
        last=last,
        evidence=tuple(found.content.get("evidence", ())),
        determined=determined or None,
        answered=answered,
        revoked=revoked,
    )


def _followed(session: Session, found: journal.Entry) -> tuple[int, int]:
    """The numbers of the entries that answer one about a duty, and that take it back; 0 for none."""
    if found.kind not in DUTIES or found.subject is None:
        return 0, 0
    later = list(journal.entries(session, kinds=[found.kind], subjects=[found.subject]))
    taken = {e.content["revokes"]: e.seq for e in later if "revokes" in e.content}
    answers = (
        e.seq
        for e in later
        if e.content.get("of") == found.digest
        and "revokes" not in e.content
        and e.digest not in taken
    )
    return next(answers, 0), taken.get(found.digest, 0)


def _determined(entry: journal.Entry, catalogue: Catalogue) -> Determined:
    content = entry.content
    return Determined(
        target=determinations.target_of(content),
        was=determined_text(content, content["was"], catalogue) if "fact" in content else "",
    )


def _about(session: Session, uscc: str) -> list[dict[str, Any]]:
    """How the entries about an enterprise are found."""
    ids = cases.of_enterprise(session, uscc)
    return [{"filing_ids": ids}, {"subjects": [uscc]}, {"holders": [uscc]}]


def _lines(session: Session, entries: Sequence[journal.Entry]) -> list[EntryLine]:
    """Entries as officers read them."""
    numbers, catalogue = journal.numbers(session, cited(entries)), _called(session)
    return [
        EntryLine(
            seq=entry.seq,
            recorded_at=entry.recorded_at,
            kind=KINDS[entry.kind],
            what=entry_text(entry, numbers, catalogue),
            by=entry.by,
            digest=entry.digest,
        )
        for entry in entries
    ]


def _called(session: Session) -> Catalogue:
    """What facts are called now; as packaged, where nothing is published or that is damaged."""
    with suppress(*UNREADABLE, RecordError):
        if latest(session) is not None:
            return to_be_filed(session)
    return packaged_catalogue()


# -- verifying -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trust:
    """What an auditor brings: checkpoints, and the verifier key as the bureau published it.

    Without ``key``, this installation's key is used if it has one.
    """

    against: tuple[HeldFile, ...] = ()
    key: str | None = None


def verified(desk: Desk, trust: Trust, *, replay: bool = True) -> VerificationReport:
    """Verify the whole registry; without ``replay``, no decision is taken again.

    Raises ``RecordError`` for a checkpoint that the key did not sign.
    """
    with desk.reading() as session:
        public = _public(trust.key, needed=bool(trust.against))
        points, problems = _kept(session, public)
        if public is not None:
            points += [_given(held, public) for held in trust.against]
        with desk.watch("验证", journal.last_number(session)) as done:
            report = verify(session, points, replay=replay, progress=done)
    report.integrity += problems
    return report


def verified_bundle(data: bytes, trust: Trust) -> Findings:
    """Verify a bundle from anywhere and decide its cases again; needs no registry."""
    public = _public(trust.key, needed=False)
    against = [note for _, note in trust.against]
    return verify_bundle(data, key=str(public) if public else None, against=against)


def first_amiss(desk: Desk) -> str | None:
    """The first fault of the registry, without a replay; None if it is sound or does not exist."""
    if not desk.is_there:
        return None
    with desk.reading() as session:
        report = verify(session, replay=False)
    return next(iter([*report.integrity, *report.completeness]), None)


def _public(key: str | None, *, needed: bool) -> VerifierKey | None:
    if key is not None:
        return VerifierKey.parse(key)
    path = settings.audit_key()
    return checkpoints.verifier_key(path) if needed or checkpoints.is_published(path) else None


def _kept(session: Session, public: VerifierKey | None) -> tuple[list[Checkpoint], list[str]]:
    """The checkpoints kept here, and the names of those that the key did not sign."""
    points, problems = [], []
    for size, note in checkpoints.kept(session):
        try:
            points.append(_point(note, size, public))
        except NoteError as error:
            problems.append(f"登记库中{size}条记录的检查点无效：{error}")
    return points, problems


def _point(note: str, size: int, public: VerifierKey | None) -> Checkpoint:
    if public is None:
        point = Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
    else:
        point = checkpoints.read(note, public)
    if point.size != size:
        raise NoteError("other-size", "条数与登记不符", value=point.size, expected=size)
    return point


def _given(held: HeldFile, public: VerifierKey) -> Checkpoint:
    name, note = held
    try:
        return checkpoints.read(note, public)
    except NoteError as error:
        raise RecordError(
            "unsound-checkpoint", "{where}：{cause}", where=name, cause=error
        ) from error


# -- what is signed and handed out -----------------------------------------------------------------


@dataclass(frozen=True)
class NewKey:
    """A new signing key: its file, and what may be published about it."""

    file: Path
    key: VerifierKey


@dataclass(frozen=True)
class Signed:
    """A checkpoint as a note, and the key that verifies it."""

    note: str
    key: VerifierKey

    @property
    def size(self) -> int:
        """How many entries it covers."""
        return checkpoints.read(self.note, self.key).size


@dataclass(frozen=True)
class Exported:
    """A bundle's bytes, how many decisions and applications it holds, and the key that verifies it."""

    data: bytes
    decisions: int
    applications: int
    key: VerifierKey

    @property
    def sha256(self) -> str:
        """The digest of the file."""
        return file_digest(self.data)


def new_key(name: str) -> NewKey:
    """Create a bureau's signing key under this name, where the settings say."""
    file = settings.audit_key()
    return NewKey(file, checkpoints.create_key(file, name, _passphrase()).verifier_key)


def public_key() -> VerifierKey | None:
    """The key that verifies what this installation signs; None if it cannot sign yet."""
    path = settings.audit_key()
    return checkpoints.verifier_key(path) if checkpoints.is_published(path) else None


def checkpoint(desk: Desk) -> Signed:
    """Sign the present state of the journal."""
    signing = _signing()
    with desk.writing() as session:
        note = checkpoints.write(session, signing, now=desk.clock())
    return Signed(note, signing.verifier_key)


def export(
    desk: Desk, selection: Selection, *, since: tuple[HeldFile, ...] = (), masked: bool = False
) -> Exported:
    """Make a bundle of the selected decisions, and verify it as its receiver will.

    ``since`` are checkpoints that the receiver holds; the bundle proves consistency with each.
    ``masked`` leaves out names. A tier may be given by any of its names. Raises ``RecordError`` if
    the record is not sound.
    """
    signing = _signing()
    key = signing.verifier_key
    held = [_given(one, key) for one in since]
    if selection.tier:
        selection = replace(selection, tier=desk.tier(selection.tier).name)
    with desk.reading() as session:  # before anybody has to wait for it
        refuse_nothing(session, selection)
        leaves = checkpoints.tree(session)
    with desk.writing() as session:
        covering = checkpoints.covering(session, signing, now=desk.clock(), leaves=leaves)
    with storage.snapshot(desk.database) as session:
        data = bundle.export(
            session,
            selection,
            signing,
            now=desk.clock(),
            masked=masked,
            since=held,
            covering=covering,
        )
    found = verify_bundle(data, key=str(key))
    if found.problems:
        raise RecordError(
            "unsound-record",
            "登记库有误，没有导出（{cause}）",
            cause=found.problems[0],
            remedy=Remedy("verify-record"),
        )
    return Exported(data, len(found.verdicts), len(found.courses), key)


def verifier_script() -> bytes:
    """``verify.py``: one file that verifies bundles and needs nothing but Python."""
    return standalone.script().encode()


def _signing() -> SigningKey:
    return checkpoints.load_key(settings.audit_key(), _passphrase())


def _passphrase() -> str | None:
    return settings.AUDIT_PASSPHRASE.value or None


# -- two pairs of eyes -----------------------------------------------------------------------------


def four_eyes(desk: Desk) -> bool:
    """Whether determinations hold only after a second person has confirmed them."""
    with desk.reading() as session:
        return determinations.four_eyes(session)


def set_four_eyes(desk: Desk, on: bool) -> journal.Entry:
    """Set whether determinations hold only after a second person has confirmed them."""
    with desk.writing() as session:
        return determinations.set_four_eyes(session, on, by=desk.by, now=desk.clock())
