"""The checkpoints that are kept here: who signed each, and whether it still fits the journal."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from registry.audit import checkpoints
from registry.database.altered import UNREADABLE
from registry.desk.place import Desk
from registry.errors import RecordError, SigningKeyError
from registry.kit import settings
from registry.portable.notes import Checkpoint, NoteError, VerifierKey
from registry.record import journal
from rules.portable.canonical import sha256


@dataclass(frozen=True, kw_only=True)
class KeptCheckpoint:
    """A checkpoint on the first ``size`` entries, with what is wrong with it.

    ``origin`` is the name under which it was signed, ``root`` that of the Merkle tree in base64;
    both are empty if the note cannot be read. ``verified`` tells whether the signature was checked
    with the key of this installation and holds; None if there is no key. ``entry`` is the number of
    the entry that records the signing, ``digest`` the SHA-256 of the note.
    """

    size: int
    written_at: datetime
    note: str
    digest: str
    origin: str
    root: str
    verified: bool | None
    entry: int | None
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Checkpoints:
    """All that are kept, the newest first; ``lost`` are the sizes of those that are gone.

    ``key`` is the verifier key of this installation, as it is published; empty if there is none,
    and ``trouble`` says why it cannot be read. ``last`` is the number of the journal's last entry.
    """

    kept: tuple[KeptCheckpoint, ...]
    lost: tuple[int, ...]
    key: str
    trouble: str
    last: int


def on_record(desk: Desk) -> Checkpoints:
    """The checkpoints of a registry. The entries before the last that each covers are not read again."""
    key, trouble = _key()
    with desk.reading() as session:
        signed = _signed(session)
        kept = [
            _checked(session, size, written_at, note, key, signed)
            for size, written_at, note in checkpoints.written(session)
        ]
        last = journal.last_number(session)
    there = {one.size for one in kept}
    lost = tuple(sorted(size for size in signed if size not in there))
    return Checkpoints(tuple(kept[::-1]), lost, str(key) if key else "", trouble, last)


def note(desk: Desk, size: int) -> str:
    """The text of the checkpoint on that many entries; ``RecordError`` if there is none."""
    with desk.reading() as session:
        for found, text in checkpoints.kept(session):
            if found == size:
                return text
    raise RecordError("no-such-checkpoint", "没有{value}条记录的检查点", value=size)


def _key() -> tuple[VerifierKey | None, str]:
    path = settings.audit_key()
    if not checkpoints.is_published(path):
        return None, ""
    try:
        return checkpoints.verifier_key(path), ""
    except SigningKeyError as error:
        return None, str(error)


def _signed(session: Session) -> dict[int, tuple[str, int]]:
    """The size of each checkpoint that an entry records, with its digest and the entry's number."""
    return {
        size: (digest, entry.seq)
        for entry in journal.newest_first(session, ["checkpoint"])
        for size, digest in entry.content["signed"]
    }


def _checked(
    session: Session,
    size: int,
    written_at: datetime,
    note: str,
    key: VerifierKey | None,
    signed: Mapping[int, tuple[str, int]],
) -> KeptCheckpoint:
    digest = sha256(note)
    named, entry = signed.get(size, ("", None))
    verified: bool | None = None
    faults: list[str] = []
    point: Checkpoint | None = None
    try:
        point = Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
        if key is not None:
            verified = False
            checkpoints.read(note, key)
            verified = True
    except NoteError as error:
        faults.append(str(error))
    if point is not None:
        faults += _amiss(session, point, size)
    if named and named != digest:
        faults.append("不是签发的那一份，已被改动")
    elif not named and signed:
        faults.append("登记簿没有签发它的记录")
    return KeptCheckpoint(
        size=size,
        written_at=written_at,
        note=note,
        digest=digest,
        origin=point.origin if point else "",
        root=b64encode(point.root).decode() if point else "",
        verified=verified,
        entry=entry,
        faults=tuple(faults),
    )


def _amiss(session: Session, point: Checkpoint, size: int) -> Iterator[str]:
    """Where a checkpoint does not fit the journal of today."""
    if point.size != size:
        yield f"正文写的是{point.size}条，登记的是{size}条"
    try:
        head = journal.entry(session, size)
    except (*UNREADABLE, RecordError) as error:
        yield f"它所到的那一条不能核对：{error}"
    else:
        stated = [x for x in point.extensions if x.startswith("head ")]
        if stated != [f"head {head.digest}"]:
            yield f"与登记簿第{size}号记录的摘要不符"
