"""Credit codes of early issue that a person admitted by a document despite a wrong check digit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session

from registry.errors import RecordError
from registry.kit import uscc
from registry.record import journal
from registry.record.determinations import signed_name
from rules.model.facts import check_day
from rules.portable.errors import Remedy
from rules.portable.record import Json

_SCHEMA: Final = 1
#: The action of an entry, as officers name it.
ACTIONS: Final = {"admit": "认可", "revoke": "撤回认可"}


class Admitted:
    """The admitted codes, read when the first one is asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._codes: frozenset[str] | None = None

    def __contains__(self, code: object) -> bool:
        if self._codes is None:
            self._codes = codes(self._session)
        return code in self._codes


def codes(session: Session) -> frozenset[str]:
    """The codes that are admitted now."""
    return frozenset(str(entry.subject) for entry in standing(session))


def standing(session: Session) -> list[journal.Entry]:
    """The entries by which codes are admitted now: the last entry on each code decides."""
    last = {entry.subject: entry for entry in journal.entries(session, kinds=["admission"])}
    return [entry for entry in last.values() if entry.content["action"] == "admit"]


def record(
    session: Session,
    action: str,
    code: str,
    *,
    document: str,
    dated: str,
    evidence: Sequence[str],
    by: str,
    now: datetime,
) -> journal.Entry:
    """Admit a code, or revoke its admission, by a document; needs a writing transaction.

    Only a wrong check digit can be admitted. Raises ``RecordError`` for a code that is wrong
    otherwise, needs no admission, or already stands so, and if document or evidence is missing.
    """
    named = signed_name(by)
    if not uscc.is_early(code):
        stands = uscc.fault(code) or "校验通过，无须认可"
        raise RecordError(
            "no-early-code",
            "{value}：统一社会信用代码{stands}；只有校验码不符的代码可以凭证件认可",
            value=code,
            stands=stands,
        )
    if (code in codes(session)) is (action == "admit"):
        stands = "已经认可" if action == "admit" else "没有认可"
        raise RecordError(
            "admitted-already", "信用代码{value}{stands}，无须重复登记", value=code, stands=stands
        )
    if not document.strip() or not evidence:
        raise RecordError(
            "no-document",
            "认可代码必须写明依据的文件并附证件",
            remedy=Remedy("give-document-and-evidence"),
        )
    if wrong := check_day(dated):
        raise RecordError(
            "impossible-day", "文件日期{value}的{fault}：请核对日期", value=dated, fault=wrong
        )
    body: Json = {
        "schema": _SCHEMA,
        "action": action,
        "uscc": code,
        "document": document.strip(),
        "dated": dated,
        "evidence": list(evidence),
    }
    return journal.append(
        session, [journal.Draft(kind="admission", body=body, subject=code)], by=named, now=now
    )[0]
