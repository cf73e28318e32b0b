"""An enterprise ``/enterprises/{uscc}``: its picture, what it filed and when, titles, holdings, entries."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from registry.desk import auditing, candidates, courses, enterprises, notices
from registry.desk.auditing import EntryLine, EntryQuery
from registry.desk.checking import CaseResult, Refusal
from registry.desk.courses import CourseView
from registry.desk.enterprises import EnterpriseView
from registry.errors import RecordError
from registry.reports import charts, profiles, scores, tree
from registry.reports.scores import Score
from registry.reports.tree import VerdictPart
from registry.web.asked import Asked, Text
from registry.web.office import At, Office
from registry.web.pages import due
from registry.web.remedies import advice
from registry.web.rendering import page

router = APIRouter()


@router.get("/enterprises/{uscc}")
def enterprise(request: Request, at: At, uscc: str, how: Asked, picture: Text = "") -> HTMLResponse:
    """The page of an enterprise; ``picture`` chooses the tier that is drawn."""
    try:
        view = enterprises.shown(
            at.desk, uscc, as_of=how.as_of, known_at=how.known_at, history=True
        )
    except RecordError as error:
        if error.slug != "enterprise-not-filed" or not (entries := _entries(at, uscc)):
            raise
        return _unfiled(request, at, uscc, how, entries)
    answer = at.judging.check(uscc, how.request, known_at=how.known_at)
    entries = _entries(at, uscc)
    current = [v for v in view.versions if v.known_until is None] or view.versions
    return page(
        request,
        "enterprise.html",
        uscc=uscc,
        how=how,
        view=view,
        filing=current[-1],
        moments=_moments(view, entries),
        facts=profiles.filed(view.profile, view.catalogue),
        courses=_newest(at, uscc),
        **_registered(at, uscc, how, entries),
        **_verdicts(answer, at.to.tiers.get(picture, "")),
    )


def _unfiled(
    request: Request, at: Office, uscc: str, how: Asked, entries: Sequence[EntryLine]
) -> HTMLResponse:
    """The page of an enterprise of which there are only entries."""
    [(_, name)] = candidates.named(at.desk, [uscc])
    given = {"uscc": uscc, "name": name, "how": how, **_registered(at, uscc, how, entries)}
    return page(request, "enterprise-unfiled.html", **given)


def _registered(at: Office, uscc: str, how: Asked, entries: Sequence[EntryLine]) -> dict[str, Any]:
    """What the register has of an enterprise."""
    return {
        "titles": notices.titles(at.desk, [uscc], known_at=how.known_at),
        "holdings": notices.holdings(at.desk, uscc, known_at=how.known_at),
        "entries": entries,
        "owed": due.of(at.desk, uscc),
    }


def _entries(at: Office, uscc: str) -> Sequence[EntryLine]:
    """The entries about an enterprise, the last one first."""
    return auditing.log(at.desk, EntryQuery(uscc=uscc))[::-1]


def _newest(at: Office, uscc: str) -> dict[str, CourseView]:
    """The newest application for each tier."""
    return {one.tier: one for one in reversed(courses.of(at.desk, uscc))}


def _moments(view: EnterpriseView, entries: Iterable[EntryLine]) -> dict[datetime, str]:
    """When what is known of an enterprise changed, the last time first, and by what."""
    found = {v.known_from: f"登记填报　{v.file}" for v in view.versions}
    for entry in entries:
        found.setdefault(entry.recorded_at, f"{entry.kind}　{entry.what}")
    return dict(sorted(found.items(), reverse=True))


def _reason(parts: Iterable[VerdictPart]) -> str:
    """The first thing on which a verdict rests, and how many more there are."""
    grounds = [ground for part in parts for ground in part.grounds]
    if not grounds:
        return ""
    first, *_ = [c.text for g in grounds for c in g.comparisons] or [grounds[0].title]
    return f"{first}；共{len(grounds)}项" if len(grounds) > 1 else first


def _verdicts(answer: CaseResult | Refusal, wanted: str) -> dict[str, Any]:
    """The verdicts, and the picture of one tier: its score as a radar, or its aspects."""
    if isinstance(answer, Refusal):
        return {
            "refusal": answer, "advice": advice(answer.remedy), "verdicts": (), "drawn": "",
            "reasons": {},
            "score": None, "radar": None, "aspects": (),
        }  # fmt: skip
    drawn = wanted if wanted in {v.tier for v in answer.verdicts} else _telling(answer)
    verdict = next(v for v in answer.verdicts if v.tier == drawn)
    score: Score | None = (
        scores.score(verdict.finding, verdict.catalogue) if verdict.finding else None
    )
    aspects: tuple[VerdictPart, ...] = () if score else tree.aspects(verdict)
    return {
        "refusal": None, "advice": None, "verdicts": answer.verdicts, "drawn": drawn,
        "reasons": {v.tier: _reason(tree.parts(v)) for v in answer.verdicts},
        "score": score, "radar": charts.radar(score.corners) if score else None,
        "aspects": aspects,
    }  # fmt: skip


def _telling(answer: CaseResult) -> str:
    """The highest tier with a score, which tells most; else the lowest tier."""
    scored = [v.tier for v in answer.verdicts if v.finding and scores.score(v.finding, v.catalogue)]
    return (scored or [answer.verdicts[0].tier])[-1]
