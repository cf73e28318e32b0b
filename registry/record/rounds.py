"""Rounds: what an authority asks applications for, by which notice, and within which days.

A round (轮次) is opened by one entry and closed by another; applications name it. For its own
applications a round may set what no text settles: the terms of states, and how far the day that a
step claims may lie before its recording without being pointed out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlmodel import Session

from registry.errors import RecordError
from registry.record import journal, publication
from registry.record.determinations import signed_name
from registry.record.register import Notice
from rules.model.nearness import near
from rules.portable.applications import SCHEMA, terms_of
from rules.portable.calendar import Term
from rules.portable.errors import Remedy
from rules.portable.record import Body, Json


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a notice calls for: applications for a tier's procedure, from one day to another.

    An empty ``province`` means all of the registry. ``terms`` replace those of the workflow, by
    state. A claimed day more than ``lag`` days before its recording is pointed out.
    """

    name: str
    tier: str
    procedure: str
    batch: str = ""
    province: str = ""
    opens: date
    closes: date | None = None
    terms: Mapping[str, Term] = field(default_factory=dict)
    lag: int = 0


@dataclass(frozen=True, kw_only=True)
class Round:
    """A round on record: its number, digest and body, and the day from which it is closed."""

    seq: int
    digest: str
    body: Body
    by: str
    closed_on: date | None = None

    @property
    def name(self) -> str:
        """The name by which people know it."""
        return str(self.body["name"])

    @property
    def terms(self) -> dict[str, Term]:
        """The terms that it sets, by state."""
        return terms_of(self.body)

    def open_on(self, day: date) -> bool:
        """Whether it takes applications on a day."""
        last = self.body["closes"] or "9999-12-31"
        within = self.body["opens"] <= day.isoformat() <= last
        return within and (self.closed_on is None or day < self.closed_on)


def rounds(session: Session, *, until: int | None = None) -> list[Round]:
    """All rounds in order, as they stand after ``until`` entries, or now."""
    found: dict[str, Round] = {}
    for entry in journal.entries(session, last=until, kinds=["round"]):
        body = entry.content
        if named := body.get("round"):
            opened = found[named]
            found[named] = Round(
                seq=opened.seq,
                digest=opened.digest,
                body=opened.body,
                by=opened.by,
                closed_on=date.fromisoformat(body["closed_on"]),
            )
        else:
            found[entry.digest] = Round(seq=entry.seq, digest=entry.digest, body=body, by=entry.by)
    return [*found.values()]


def round_named(session: Session, name: str) -> Round:
    """The round with that name or number; ``RecordError`` naming similar ones if there is none."""
    known = rounds(session)
    for found in known:
        if name in (found.name, str(found.seq)):
            return found
    raise RecordError(
        "no-such-round",
        "没有名为「{value}」的轮次{near}",
        value=name,
        near=near(name, [found.name for found in known]),
        remedy=Remedy("list-rounds"),
    )


def open_round(
    session: Session, call: Call, notice: Notice, *, by: str, now: datetime
) -> journal.Entry:
    """Open a round; needs a writing transaction.

    Raises ``RecordError`` for a name that is taken, days in the wrong order, a tier or procedure
    without a workflow, and a term for a state that the workflow does not have.
    """
    named = signed_name(by)
    if not call.name.strip():
        raise RecordError("unnamed-round", "轮次没有名称：请写明，例如通知的简称")
    if not notice.number.strip():
        raise RecordError(
            "no-document", "轮次必须写明依据的通知文号", remedy=Remedy("give-document")
        )
    if any(call.name.strip() == found.name for found in rounds(session)):
        raise RecordError(
            "round-exists",
            "已有名为「{value}」的轮次：请改名称",
            value=call.name,
            remedy=Remedy("list-rounds"),
        )
    if call.closes and call.closes < call.opens:
        raise RecordError(
            "ends-before-it-begins",
            "受理自{expected}至{value}，终止早于开始：请核对日期",
            value=call.closes,
            expected=call.opens,
        )
    body = _body(call, notice)
    _refuse_terms(session, call, body)
    draft = journal.Draft(kind="round", tier=call.tier, body=body)
    return journal.append(session, [draft], by=named, now=now)[0]


def _body(call: Call, notice: Notice) -> Json:
    return {
        "schema": SCHEMA,
        "name": call.name.strip(),
        "tier": call.tier,
        "procedure": call.procedure,
        "batch": call.batch,
        "province": call.province,
        "opens": call.opens.isoformat(),
        "closes": call.closes and call.closes.isoformat(),
        "terms": {
            state: {"number": term.number, "unit": term.unit, "running": term.running}
            for state, term in call.terms.items()
        },
        "lag": call.lag,
        "document": notice.number.strip(),
        "dated": notice.dated.isoformat(),
        "evidence": list(notice.evidence),
    }


def _refuse_terms(session: Session, call: Call, body: Json) -> None:
    """Refuse terms for states that no workflow by which the round may be handled has."""
    table = publication.workflow_table(session).table
    rows = [
        row
        for row in table["rows"]
        if (row["tier"], row["procedure"]) == (call.tier, call.procedure)
    ]
    if not rows:
        raise RecordError(
            "no-workflow",
            "所发布的标准没有「{value}」{procedure}的办理程序：请核对层级和程序",
            value=call.tier,
            procedure=call.procedure,
        )
    states = dict.fromkeys(
        act["state"] for row in rows for act in table["workflows"][row["workflow"]]["acts"]
    )
    for state in body["terms"]:
        if state not in states:
            raise RecordError(
                "no-such-state",
                "办理程序没有「{value}」环节{near}：应为{expected}",
                value=state,
                near=near(state, states),
                expected="、".join(states),
            )


def close_round(
    session: Session, found: Round, *, on: date, ground: str, by: str, now: datetime
) -> journal.Entry:
    """Close a round from a day on; it takes no more applications. Needs a writing transaction."""
    named = signed_name(by)
    if not ground.strip():
        raise RecordError("no-ground", "结束轮次必须写明理由", remedy=Remedy("give-ground"))
    if found.closed_on is not None:
        raise RecordError(
            "round-closed",
            "轮次「{value}」已于{expected}结束",
            value=found.name,
            expected=found.closed_on,
        )
    body = {
        "schema": SCHEMA,
        "batch": found.body["batch"],
        "round": found.digest,
        "closed_on": on.isoformat(),
        "ground": journal.SEALED,
    }
    draft = journal.Draft(
        kind="round", tier=str(found.body["tier"]), body=body, texts={"ground": ground.strip()}
    )
    return journal.append(session, [draft], by=named, now=now)[0]
