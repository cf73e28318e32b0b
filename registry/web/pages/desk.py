"""The desk ``/``: what waits for somebody, how the cases stand, and what was recorded last."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from registry.desk import auditing, caseload, finding
from registry.desk.due import PRESSING
from registry.web.office import At
from registry.web.pages import due
from registry.web.rendering import page
from rules.model.ruleset import Outcome

router = APIRouter()
#: What is to be done about the cases that are not settled, the most urgent first.
_TASKS = {
    finding.UNDECIDED_WORD: "已登记、尚未决定",
    Outcome.PENDING.text: "待人工认定",
    Outcome.MISSING.text: "材料不足，待企业补正",
}
#: How cases stand, in the order of their columns.
_WORDS = (
    finding.UNDECIDED_WORD,
    *(o.text for o in (Outcome.MET, Outcome.NOT_MET, Outcome.MISSING, Outcome.PENDING)),
)


@router.get("/")
def desk(request: Request, at: At) -> HTMLResponse:
    """The first page."""
    pressing = due.pressing(at.desk)
    of_tier = {title: finding.tally(at.desk, tier=title) for title in at.to.tiers.values()}
    return page(
        request,
        "desk.html",
        tasks=_TASKS,
        words=_WORDS,
        tally=finding.tally(at.desk),
        of_tier=of_tier,
        counted=finding.counted,
        unconfirmed=auditing.unconfirmed(at.desk),
        due=caseload.due(at.desk),
        pressing=pressing,
        owed_total=sum(n for states in pressing.values() for n in states.values()),
        states=PRESSING,
        ahead=caseload.AHEAD,
        latest=auditing.leafed(at.desk, limit=8).lines,
        whole=finding.find(at.desk, limit=1),
    )
