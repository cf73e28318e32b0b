"""Checkpoints: signed statements of the length and the content of the journal.

A checkpoint that was handed to a sister bureau, or printed with a public notice, binds the bureau:
any entry changed, removed or slipped in afterwards contradicts it.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session

from registry.audit.keys import SigningKey
from registry.database import bulk
from registry.database.models import PublishedCheckpoint
from registry.database.versions import table_of
from registry.errors import RecordError, SigningKeyError
from registry.kit.files import content
from registry.portable.clock import moment_text
from registry.portable.merkle import Tree, leaf_hash
from registry.portable.notes import LARGEST, Checkpoint, NoteError, VerifierKey, open_note
from registry.record import journal
from rules.portable.canonical import sha256
from rules.portable.errors import Remedy

_CHECKPOINT: Final = table_of(PublishedCheckpoint)
_SCHEMA: Final = 1
#: The suffix of the public key's file, beside the signing key.
_PUBLIC: Final = ".pub"


def is_published(path: Path) -> bool:
    """Whether the verifier key of a signing key exists."""
    return _public(path).exists()


def create_key(path: Path, name: str, passphrase: str | None = None) -> SigningKey:
    """Create a signing key, with its verifier key in a file beside it."""
    public = _public(path)
    if public.exists() and not path.exists():
        raise SigningKeyError(
            "private-half-missing",
            "有公钥文件「{where}」而没有私钥「{expected}」：私钥若存放在别处请取回，"
            "若上次没有建成请移走公钥文件后重试",
            where=public,
            expected=path,
        )
    return SigningKey.create(path, name, passphrase, public=public)


def load_key(path: Path, passphrase: str | None = None) -> SigningKey:
    """Load the signing key of a bureau, under the name in its verifier key."""
    if not path.exists():
        raise SigningKeyError(
            "no-signing-key", "没有签名私钥「{where}」", where=path, remedy=Remedy("create-key")
        )
    if not is_published(path):
        raise SigningKeyError(
            "public-half-missing",
            "有私钥「{expected}」而没有公钥文件「{where}」：请取回与私钥一同写出的公钥文件，其内容就是已公布的公钥",
            where=_public(path),
            expected=path,
        )
    public = verifier_key(path)
    key = SigningKey.load(path, public.name, passphrase)
    if key.verifier_key != public:
        raise SigningKeyError(
            "not-a-pair", "私钥「{where}」与其公钥文件不是一对：请从备份恢复", where=path
        )
    return key


def verifier_key(path: Path) -> VerifierKey:
    """The verifier key beside a signing key."""
    public = _public(path)
    try:
        return VerifierKey.parse(content(public, LARGEST).decode("utf-8", "replace").strip())
    except FileNotFoundError:
        raise SigningKeyError(
            "no-public-key", "没有公钥文件「{where}」", where=public, remedy=Remedy("give-key")
        ) from None
    except (NoteError, UnicodeDecodeError):
        raise SigningKeyError(
            "damaged-public-key", "公钥文件「{where}」已损坏：请从备份恢复", where=public
        ) from None


def _public(path: Path) -> Path:
    return Path(f"{path}{_PUBLIC}")


def tree(session: Session, size: int | None = None) -> Tree:
    """The Merkle tree over the headers of all entries, or of the first ``size``."""
    return Tree(leaf_hash(entry.header_bytes()) for entry in journal.entries(session, last=size))


def write(session: Session, key: SigningKey, *, now: datetime) -> str:
    """Sign a checkpoint of the current journal and keep a copy; needs a writing transaction.

    The next entry records the signing, so the journal reveals a checkpoint that is lost or altered
    later. If the journal has not grown since the last checkpoint, that one is returned again.
    """
    head = _head(session)
    return _standing(session, head, key) or _sign(session, head, tree(session), key, now)


def covering(
    session: Session, key: SigningKey, *, now: datetime, leaves: Tree | None = None
) -> tuple[str, Tree]:
    """The checkpoint of ``write``, and a tree over the entries that it covers, at least.

    ``leaves`` is that of the entries up to an earlier moment, which is then only added to.
    """
    head = _head(session)
    standing = _standing(session, head, key)
    found = leaves or Tree()
    size = read(standing, key.verifier_key).size if standing is not None else None
    for entry in journal.entries(session, first=found.size + 1, last=size):
        found.append(leaf_hash(entry.header_bytes()))
    return standing or _sign(session, head, found, key, now), found


def _head(session: Session) -> journal.Entry:
    head = journal.head(session)
    if head is None:
        raise RecordError(
            "nothing-to-sign", "登记库还没有任何记录，没有可签的检查点：请先登记或发布规则"
        )
    return head


def _standing(session: Session, head: journal.Entry, key: SigningKey) -> str | None:
    """The checkpoint of the current journal, if this key has signed one."""
    for size in (head.seq, head.seq - 1 if head.kind == "checkpoint" else 0):
        kept = _kept(session, size)
        if kept is not None and _opens(kept, key.verifier_key):
            return kept
    return None


def _kept(session: Session, size: int) -> str | None:
    return session.scalar(sa.select(_CHECKPOINT.c.note).where(_CHECKPOINT.c.size == size))


def _sign(
    session: Session, head: journal.Entry, leaves: Tree, key: SigningKey, now: datetime
) -> str:
    stated = (f"time {moment_text(now)}", f"head {head.digest}")
    point = Checkpoint(key.verifier_key.name, leaves.size, leaves.root(), stated)
    note = key.sign_note(point.text())
    if _kept(session, head.seq) is None:
        bulk.insert(session, _CHECKPOINT, ("size", "written_at", "note"), [(point.size, now, note)])
        body = {"schema": _SCHEMA, "signed": _unrecorded(session)}
        journal.append(
            session, [journal.Draft(kind="checkpoint", body=body)], by=point.origin, now=now
        )
    return note


def _unrecorded(session: Session) -> list[list[object]]:
    """The size and SHA-256 of each checkpoint whose signing no entry records.

    These are the newest one, and all from the time before such entries existed.
    """
    recorded = {
        size
        for e in journal.newest_first(session, ["checkpoint"])
        for size, _ in e.content["signed"]
    }
    return [[size, sha256(note)] for size, note in kept(session) if size not in recorded]


def kept(session: Session) -> Iterator[tuple[int, str]]:
    """The size and note of every checkpoint that was written here, the smallest first."""
    for size, _, note in written(session):
        yield size, note


def written(session: Session) -> Iterator[tuple[int, datetime, str]]:
    """The same with the moment at which each was written."""
    query = sa.select(_CHECKPOINT).order_by(_CHECKPOINT.c.size)
    for row in session.execute(query).mappings():
        yield row["size"], row["written_at"], row["note"]


def read(note: str | bytes, key: VerifierKey) -> Checkpoint:
    """The checkpoint of a note that the key has signed; otherwise raises ``NoteError``."""
    return Checkpoint.parse(open_note(note, key))


def _opens(note: str, key: VerifierKey) -> bool:
    try:
        open_note(note, key)
    except NoteError:
        return False
    return True
