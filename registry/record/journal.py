"""The journal: everything done to the registry, with each entry chained to the one before.

Only this module writes the table ``journal``. Entries are added inside the caller's writing
transaction (see ``registry.database.storage.session``), so an act and its entry are stored together
or not at all. Writers wait for one another there, so the chain neither forks nor has gaps.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from operator import attrgetter
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlmodel import Session

from registry.database import bulk, storage
from registry.database.altered import UNREADABLE
from registry.database.models import (
    BEGINNINGS,
    BELIED,
    MISNAMED,
    NO_DECISION,
    OTHER_KINDS,
    JournalEntry,
)
from registry.database.versions import ENTERPRISE, FILING, chunks, table_of
from registry.errors import AlteredError, RecordError
from registry.portable.chain import GENESIS, KINDS, header, header_text, sealed_name
from registry.portable.clock import moment_text
from registry.portable.sealing import new_salt, seal
from rules.portable.canonical import canonical_json, sha256
from rules.portable.errors import Remedy

JOURNAL: Final = table_of(JournalEntry)
#: The number of entries held at once when the journal is read.
_CHUNK: Final = 500

Json = dict[str, Any]
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An entry to be recorded.

    ``texts`` are free texts and names by their place; commitments replace the ``SEALED`` marks in
    the body. Pass ``salt`` if the body already contains commitments made with it. A registration is
    found by the credit codes ``subject`` and ``holder``. ``text`` is the canonical body, made with
    the draft so that no other writer waits for it.
    """

    kind: str
    body: Mapping[str, Any]
    tier: str = ""
    filing_id: int | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    salt: str = field(default_factory=new_salt)
    subject: str | None = None
    holder: str | None = None
    text: str = field(init=False)
    _signed: dict[str, tuple[str, str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        body = {
            key: seal(self.salt, key, self.texts[key]) if value is SEALED else value
            for key, value in self.body.items()
        }
        object.__setattr__(self, "text", canonical_json(body))

    def signed(self, by: str) -> tuple[str, str]:
        """The commitment to the recorder's name, and the disclosures.

        Made once, best before the lock is taken.
        """
        if by not in self._signed:
            disclosed = {"salt": self.salt, "texts": {**self.texts, "by": by}}
            self._signed[by] = sealed_name(self.salt, by), canonical_json(disclosed)
        return self._signed[by]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A stored entry; ``body`` and ``disclosures`` are canonical JSON texts."""

    seq: int
    kind: str
    tier: str
    filing_id: int | None
    recorded_at: datetime
    program: str
    body: str
    disclosures: str
    previous: str
    digest: str
    subject: str | None = None
    holder: str | None = None

    @property
    def content(self) -> Json:
        """The body as JSON values."""
        found: Json = json.loads(self.body)
        return found

    @property
    def texts(self) -> dict[str, str]:
        """The disclosed texts by their place; ``by`` is who recorded the entry."""
        found: dict[str, str] = json.loads(self.disclosures)["texts"]
        return found

    @property
    def by(self) -> str:
        """The name of the person who recorded it."""
        return self.texts["by"]

    @property
    def salt(self) -> str:
        """The salt from which all commitments of this entry derive."""
        return str(json.loads(self.disclosures)["salt"])

    def header(self) -> Json:
        """The header whose canonical text is digested."""
        return header(
            seq=self.seq,
            kind=self.kind,
            tier=self.tier,
            recorded_at=moment_text(self.recorded_at),
            program=self.program,
            by=sealed_name(self.salt, self.by),
            body=self.body,
            previous=self.previous,
        )

    def header_bytes(self) -> bytes:
        """The canonical header: a leaf of the Merkle tree."""
        return header_text(self.header()).encode()


def sound(entry: Entry) -> Entry:
    """The entry if it matches its digest; otherwise raises ``AlteredError``, as none may read it."""
    with suppress(*UNREADABLE):
        registered = entry.content if entry.kind in NAMING else {}
        ends = registered.get("uscc"), registered.get("holder") or None
        stated = entry.kind in KINDS and (entry.subject, entry.holder) == ends
        placed = (entry.filing_id is not None) == (entry.kind in ON_FILINGS)
        if stated and placed and sha256(header_text(entry.header())) == entry.digest:
            return entry
    raise _altered(entry)


def _altered(entry: Entry) -> AlteredError:
    return AlteredError(
        "altered-entry",
        "第{where}号记录已被改动，不可采信",
        where=entry.seq,
        remedy=Remedy("verify-record"),
    )


#: The kinds of entries that name an enterprise themselves.
NAMING: Final = (
    "title", "holding", "admission", "application", "step",
    "update", "change", "complaint", "consequence",
)  # fmt: skip
#: The kinds of entries that concern a single filing.
ON_FILINGS: Final = ("determination", "confirmation", "decision", "withdrawal")


def _of(
    session: Session, kinds: Sequence[str], *, by_code: bool = False, narrowed: bool = False
) -> sa.ColumnElement[bool]:
    """Selects entries of these kinds, or with such a beginning; ``sound`` tells them apart.

    ``narrowed`` says that a code or a filing narrows them to a few, ``by_code`` that a code does.
    """
    on_filings = bool(set(kinds).intersection(ON_FILINGS))
    begins = sorted({BEGINNINGS[kind] for kind in kinds})
    if not narrowed and not on_filings:
        # those that begin alike may have changed places among themselves
        alike = [kind for kind, begin in BEGINNINGS.items() if begin in begins]
        stated = sa.and_(NO_DECISION, JOURNAL.c.kind.in_(alike))
        misnamed = [seq for seq, begin in _misnamed(session) if begin in begins]
        return sa.or_(stated, JOURNAL.c.seq.in_(misnamed)) if misnamed else stated
    begun = sa.or_(*map(_begins, begins))
    if not on_filings:
        filing: sa.ColumnElement[Any] = JOURNAL.c.filing_id
        if by_code:  # the sign keeps SQLite from walking all such entries: the code finds the few
            filing = sa.literal_column("+journal.filing_id", filing.type)
        begun &= filing.is_(None)
    of_kind = JOURNAL.c.kind.in_(kinds)
    if "decision" in kinds:
        return begun | of_kind
    found = sa.or_(begun, sa.and_(NO_DECISION, of_kind))
    return found if narrowed else sa.and_(found, _among_others(session))


def _begins(text: str) -> sa.ColumnElement[bool]:
    return sa.func.substr(JOURNAL.c.body, 1, len(text)) == text


def _misnamed(session: Session) -> tuple[tuple[int, str], ...]:
    """The numbers of entries that state another kind than they begin like, and how they begin."""
    found: tuple[tuple[int, str], ...] = _once(session, "misnamed", _read_misnamed)
    return found


def _read_misnamed(session: Session) -> tuple[tuple[int, str], ...]:
    begins = sorted(set(BEGINNINGS.values()))
    like = sa.case(*((_begins(text), text) for text in begins))
    rows = session.execute(sa.select(JOURNAL.c.seq, like).where(MISNAMED, like.is_not(None)))
    return tuple((seq, begin) for seq, begin in rows)


def _once(session: Session, name: str, read: Callable[[Session], _T]) -> _T:
    """What is read of the whole journal, once for each state of the database and each session.

    What a session appends itself changes none of it.
    """
    if name in session.info:
        found: _T = session.info[name]
        return found
    state, noted = storage.state(session), session.connection().info
    known = noted.get(name)
    if state is None or known is None or known[0] != state:
        known = noted[name] = state, read(session)
    session.info[name] = known[1]
    found = known[1]
    return found


def _among_others(session: Session) -> sa.ColumnElement[bool]:
    """Selects the entries that are no decisions, by an index; one that only says so is no decision."""
    belied = session.scalars(sa.select(JOURNAL.c.seq).where(BELIED)).all()
    others = sa.and_(NO_DECISION, JOURNAL.c.kind.in_(OTHER_KINDS))
    return sa.or_(others, JOURNAL.c.seq.in_(belied)) if belied else others


def append(session: Session, drafts: Sequence[Draft], *, by: str, now: datetime) -> list[Entry]:
    """Append entries in a writing transaction.

    ``by`` names the person. Raises ``RecordError`` if the clock is behind the last entry.
    """
    last = head(session)
    if last is not None and now < last.recorded_at:
        raise RecordError(
            "clock-behind-record",
            "系统时间早于上一条记录的时间{expected:%Y-%m-%d %H:%M:%S}：请校正时钟",
            value=now,
            expected=last.recorded_at,
        )
    first, previous = (last.seq + 1, last.digest) if last else (1, GENESIS)
    moment = now.astimezone(UTC)
    stated = {"recorded_at": moment_text(moment), "program": program()}
    added: list[Entry] = []
    for seq, draft in enumerate(drafts, first):
        signature, disclosures = draft.signed(by)
        head_json = header(
            seq=seq,
            kind=draft.kind,
            tier=draft.tier,
            by=signature,
            body=draft.text,
            previous=previous,
            **stated,
        )
        entry = Entry(
            seq=seq,
            kind=draft.kind,
            tier=draft.tier,
            filing_id=draft.filing_id,
            recorded_at=moment,
            program=program(),
            body=draft.text,
            disclosures=disclosures,
            previous=previous,
            digest=sha256(header_text(head_json)),
            subject=draft.subject,
            holder=draft.holder,
        )
        added.append(entry)
        previous = entry.digest
    if added:
        names = [f.name for f in fields(Entry)]
        bulk.insert(session, JOURNAL, names, list(map(attrgetter(*names), added)))
    return added


#: Entries of these kinds change no verdict.
WITHOUT_BEARING: Final = frozenset({"decision", "checkpoint"})

#: Marks the place in a draft's body where the commitment to its text goes.
SEALED: Final = object()


#: A session's note that its journal has no gaps, or that they are reported otherwise.
WHOLE: Final = "journal_is_whole"


def _refuse_gaps(session: Session) -> None:
    """Raise ``AlteredError`` if entries are missing: the caller would not notice.

    They are counted once in each state of the database, however many sessions read it.
    """
    _once(session, WHOLE, _counted)


def _counted(session: Session) -> bool:
    seq = JOURNAL.c.seq
    first, last, count = session.execute(
        sa.select(sa.func.min(seq), sa.func.max(seq), sa.func.count())
    ).one()
    if count and (first, last) != (1, count):
        raise AlteredError(
            "missing-entries",
            "登记簿现有{count}条记录，编号却自{first}至{last}，有记录被删去或改号，不可采信",
            count=count,
            first=first,
            last=last,
            remedy=Remedy("verify-record"),
        )
    return True


def last_number(session: Session) -> int:
    """The number of the last entry; 0 in an empty journal."""
    return int(session.scalar(sa.select(sa.func.max(JOURNAL.c.seq))) or 0)


def last_change(session: Session, first: int = 1) -> int:
    """The number of the last entry that may change a verdict, from ``first`` on; 0 if there is none."""
    bearing = JOURNAL.c.kind.in_([kind for kind in OTHER_KINDS if kind not in WITHOUT_BEARING])
    query = sa.select(sa.func.max(JOURNAL.c.seq)).where(NO_DECISION, bearing)
    return int(session.scalar(query.where(JOURNAL.c.seq >= first)) or 0)


def kinds_after(session: Session, seq: int) -> set[str]:
    """The kinds of the entries after that number."""
    return set(session.scalars(sa.select(JOURNAL.c.kind).where(JOURNAL.c.seq > seq).distinct()))


def since(
    session: Session, seq: int, kinds: Sequence[str], usccs: Sequence[str] | None
) -> list[int]:
    """The numbers of the entries after that number of these kinds, or about these enterprises.

    Entries about an enterprise are the registrations of it and of what it holds, everything on its
    filings, and the loads that changed one of them. None stands for all enterprises.
    """
    later = sa.select(JOURNAL.c.seq).where(JOURNAL.c.seq > seq)
    if usccs is None:
        return list(session.scalars(later.where(JOURNAL.c.kind != "checkpoint").order_by("seq")))
    of = sa.select(FILING.c.id).join(ENTERPRISE).where(ENTERPRISE.c.uscc.in_(usccs))
    known = sa.select(JOURNAL.c.recorded_at).where(JOURNAL.c.seq == seq).scalar_subquery()
    changed = [
        sa.select(moment).join(ENTERPRISE).where(ENTERPRISE.c.uscc.in_(usccs), moment > known)
        for moment in (FILING.c.known_from, FILING.c.known_until)
    ]
    loads = JOURNAL.c.kind.in_(("intake", "undo"))
    concerning = sa.or_(
        JOURNAL.c.kind.in_(kinds),
        JOURNAL.c.subject.in_(usccs),
        JOURNAL.c.holder.in_(usccs),
        JOURNAL.c.filing_id.in_(of),
        *(loads & JOURNAL.c.recorded_at.in_(moments) for moments in changed),
    )
    return list(session.scalars(later.where(concerning).order_by(JOURNAL.c.seq)))


def head(session: Session) -> Entry | None:
    """The last entry; None in an empty journal."""
    for found in _stored(session, sa.select(JOURNAL).order_by(JOURNAL.c.seq.desc()).limit(1)):
        return sound(found)
    return None


def entry(session: Session, seq: int, *, checked: bool = True) -> Entry:
    """The entry with that number; ``RecordError`` if there is none."""
    for found in entries(session, first=seq, last=seq, checked=checked):
        return found
    raise RecordError(
        "no-such-entry", "没有第{value}号记录", value=seq, remedy=Remedy("list-entries")
    )


def not_a_decision(seq: int) -> RecordError:
    """The error for an entry of another kind where a decision was expected."""
    return RecordError(
        "not-a-decision", "第{value}号记录不是决定", value=seq, remedy=Remedy("list-entries")
    )


def entries(
    session: Session,
    *,
    first: int = 1,
    last: int | None = None,
    kinds: Sequence[str] = (),
    tier: str = "",
    filing_ids: Sequence[int] | None = None,
    subjects: Sequence[str] | None = None,
    holders: Sequence[str] | None = None,
    checked: bool = True,
) -> Iterator[Entry]:
    """The selected entries in order, a few hundred held at a time; each ``sound`` if ``checked``.

    If an entry of these ``kinds`` has an altered kind, it raises ``AlteredError`` like any other
    alteration; so does a journal with gaps.
    """
    if checked:
        _refuse_gaps(session)
    query = sa.select(JOURNAL).order_by(JOURNAL.c.seq).limit(_CHUNK)
    if last is not None:
        query = query.where(JOURNAL.c.seq <= last)
    if kinds:
        by_code = (subjects, holders) != (None, None)
        narrowed = by_code or filing_ids is not None
        query = query.where(_of(session, kinds, by_code=by_code, narrowed=narrowed))
    if tier:
        query = query.where(JOURNAL.c.tier == tier)
    if filing_ids is not None:
        query = query.where(JOURNAL.c.filing_id.in_(filing_ids))
    if subjects is not None:
        query = query.where(JOURNAL.c.subject.in_(subjects))
    if holders is not None:
        query = query.where(JOURNAL.c.holder.in_(holders))
    while True:
        made = _stored(session, query.where(JOURNAL.c.seq >= first))
        if checked:
            made = list(map(sound, made))
            if filing_ids is not None:
                _refuse_moved(session, made)
        for found in made:
            if not kinds or found.kind in kinds:
                yield found
        if len(made) < _CHUNK:
            return
        first = made[-1].seq + 1


def _refuse_moved(session: Session, found: Sequence[Entry]) -> None:
    """Raise ``AlteredError`` where an entry points to another filing than its body does.

    No digest covers where it points.
    """
    if not found:
        return
    query = sa.select(FILING.c.id, ENTERPRISE.c.uscc, FILING.c.as_of).join_from(FILING, ENTERPRISE)
    rows = session.execute(query.where(FILING.c.id.in_({entry.filing_id for entry in found})))
    filed = {id: (uscc, as_of.isoformat()) for id, uscc, as_of in rows}
    for entry in found:
        case = entry.content.get("case")
        if case and filed.get(entry.filing_id) != filed_case(case):
            raise _altered(entry)


def filed_case(case: Json) -> tuple[str, str]:
    """The credit code and day of the filing that a case in a body is about."""
    day = "filed_as_of" if "filed_as_of" in case else "as_of"
    return case["uscc"], case[day]


def _stored(session: Session, query: sa.Select[Any]) -> list[Entry]:
    """The entries of a query; fields of an altered row that cannot be read are None."""
    try:
        return [Entry(**row) for row in session.execute(query).mappings().all()]
    except UNREADABLE:
        seqs = session.scalars(query.with_only_columns(JOURNAL.c.seq)).all()
        return [Entry(**{c.name: _cell(session, c, seq) for c in JOURNAL.c}) for seq in seqs]


def _cell(session: Session, column: sa.Column[Any], seq: int) -> Any:
    try:
        return session.scalar(sa.select(column).where(JOURNAL.c.seq == seq))
    except UNREADABLE:
        return None


def numbered(session: Session, seqs: Sequence[int]) -> Iterator[Entry]:
    """The entries with these numbers, in order; each ``sound``."""
    for part in chunks(seqs):
        query = sa.select(JOURNAL).where(JOURNAL.c.seq.in_(part)).order_by(JOURNAL.c.seq)
        yield from map(sound, _stored(session, query))


def newest_first(
    session: Session, kinds: Sequence[str], *, last: int | None = None
) -> Iterator[Entry]:
    """The entries of these kinds (no decisions), last one first; held one at a time."""
    _refuse_gaps(session)
    query = sa.select(JOURNAL).where(_of(session, kinds)).order_by(JOURNAL.c.seq.desc())
    before = query.limit(1)
    if last is not None:
        before = before.where(JOURNAL.c.seq <= last)
    while found := _stored(session, before):
        if sound(found[0]).kind in kinds:
            yield found[0]
        before = query.where(JOURNAL.c.seq < found[0].seq).limit(1)


def numbers(session: Session, digests: Sequence[str]) -> dict[str, int]:
    """The numbers of the entries with these digests; ignores decisions."""
    query = sa.select(JOURNAL.c.digest, JOURNAL.c.seq)
    query = query.where(NO_DECISION, JOURNAL.c.digest.in_(digests))
    return {row.digest: row.seq for row in session.execute(query)}


def before(
    session: Session, seq: int | None, limit: int, kinds: Sequence[str] = (), tier: str = ""
) -> list[int]:
    """The numbers of the last ``limit`` entries before a number, or of all, newest first."""
    query = sa.select(JOURNAL.c.seq).order_by(JOURNAL.c.seq.desc()).limit(limit)
    if seq is not None:
        query = query.where(JOURNAL.c.seq < seq)
    if kinds:
        query = query.where(_of(session, kinds))
    if tier:
        query = query.where(JOURNAL.c.tier == tier)
    return list(session.scalars(query))


def until(session: Session, moment: datetime) -> int:
    """The number of the last entry recorded up to a moment; 0 if there was none."""
    query = sa.select(sa.func.max(JOURNAL.c.seq)).where(JOURNAL.c.recorded_at <= moment)
    return int(session.scalar(query) or 0)


def size(session: Session, kinds: Sequence[str] = ()) -> int:
    """The number of entries, of all or of some kinds."""
    query = sa.select(sa.func.count()).select_from(JOURNAL)
    if kinds:
        query = query.where(JOURNAL.c.kind.in_(kinds))
    return int(session.scalar(query) or 0)


@cache
def program() -> str:
    """The program that makes an entry: the versions of Tidu and of its engine."""
    return f"tidu {metadata.version('tidu')}; durable_rules {metadata.version('durable_rules')}"
