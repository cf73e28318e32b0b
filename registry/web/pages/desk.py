"""The desk ``/``: what waits for somebody, how the cases stand, and what was recorded last."""

from collections.abc import Collection
from contextlib import suppress
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from registry.desk import auditing, courses, documenting, expiring, finding
from registry.desk.due import PRESSING
from registry.errors import RegistryError
from registry.web import addresses
from registry.web.office import At, Office
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


class Term(NamedTuple):
    """The clause that says for how long a title is valid: its page, its words, and its source."""

    href: str
    title: str
    citation: str


@router.get("/")
def desk(request: Request, at: At) -> HTMLResponse:
    """The first page."""
    ending = expiring.titles(at.desk)
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
        ending=ending,
        due=courses.due(at.desk),
        pressing=due.pressing(at.desk),
        states=PRESSING,
        ahead=courses.AHEAD,
        around=expiring.AROUND,
        terms=_terms(at, {one.tier for one in ending}),
        latest=auditing.leafed(at.desk, limit=8).lines,
        whole=finding.find(at.desk, limit=1),
    )


def _terms(at: Office, tiers: Collection[str]) -> dict[str, Term]:
    """The clauses by which titles are valid for a time, by tier; none if they cannot be read."""
    if not tiers:
        return {}
    with suppress(RegistryError):
        rules = documenting.on_record(at.desk).pages.rules
        return {
            declared.name: Term(addresses.rule(id), page.title, page.citation)
            for id, page in rules.items()
            for declared in page.declared
            if declared.name in tiers
        }
    return {}
