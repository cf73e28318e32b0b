"""Re-checks of a day: who is due, who applied, who lost the right and why, and who would fail.

Whoever may still pass is judged by the criteria that govern re-checks: many are screened first, and
the engine then gives the reasons of those that do not qualify.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from registry.desk import checking, due, screening
from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.errors import RecordError
from registry.judging.verdicts import TierVerdict
from registry.record import cases, rechecks
from registry.record.finding import MOST as MOST
from registry.record.rechecks import Asked as Asked
from registry.record.rechecks import Holder as Holder
from registry.record.rechecks import Judged as Judged
from registry.record.rechecks import Miss as Miss
from registry.record.rechecks import Rechecks as Rechecks
from registry.screening.engines import ScreeningError
from rules.explanation.explain import explain
from rules.explanation.reasons import grounds, missing
from rules.model.ruleset import Outcome
from rules.portable.clocks import LOST

#: The verdict on a holder without a filing that could be judged.
UNJUDGED: Final = "不能判断"
#: From this many enterprises of a tier on, they are screened before the engine judges any.
MANY: Final = 200
#: The most enterprises that are judged one by one for a file that somebody waits for.
AWAITED: Final = 2_000


def find(desk: Desk, asked: Asked, *, limit: int | None = MOST) -> Rechecks:
    """The first re-checks of a day, or all; the tier goes by any of its names."""
    with desk.reading() as session:
        return rechecks.find(session, _tier(desk, asked), limit=limit)


#: How many holders a page shows; each of them is judged.
LEAF: Final = 20


def leafed(judging: Judging, desk: Desk, asked: Asked, after: str = "") -> tuple[Rechecks, str]:
    """The next ones after a key of a page, judged, and the key of the page after, empty on the last.

    ``RecordError`` for a text that is not a key.
    """
    place = due.placed(after)
    with desk.reading() as session:
        found = rechecks.find(session, _tier(desk, asked), after=place, limit=LEAF + 1)
    shown = replace(found, holders=found.holders[:LEAF])
    more = len(found.holders) > LEAF
    return judge_shown(judging, shown), due.key(shown.holders[-1].line) if more else ""


def whole(judging: Judging, desk: Desk, asked: Asked) -> Rechecks:
    """All re-checks of a day, judged; ``RecordError`` for more than can be awaited."""
    found = find(desk, asked, limit=AWAITED + 1)
    if len(found.holders) > AWAITED:
        raise RecordError(
            "too-many-rechecks",
            "共{value}家，一次最多导出{expected}家：请选定层级、地区或轮次",
            value=found.total,
            expected=AWAITED,
        )
    return judge_shown(judging, found)


def _tier(desk: Desk, asked: Asked) -> Asked:
    return replace(asked, tier=desk.tier(asked.tier).name) if asked.tier else asked


def judge(desk: Desk, found: Rechecks, *, jobs: int | None = None, many: int = MANY) -> Rechecks:
    """The same with what the criteria of the day say of those who did not lose the right.

    Raises ``ScreeningError`` if screening and engine differ on anybody.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for holder in found.holders:
        if holder.procedure and holder.standing != LOST:
            groups.setdefault((holder.line.tier, holder.procedure), []).append(holder.line.uscc)
    judged: dict[tuple[str, str], Judged] = {}
    for (tier, procedure), usccs in groups.items():
        question = _question(found, tier, procedure)
        answers = _judged(desk, question, usccs, jobs, many)
        judged |= {(uscc, tier): answer for uscc, answer in answers.items()}
    return replace(found, judged=judged)


def judge_shown(judging: Judging, found: Rechecks) -> Rechecks:
    """The same, judged one by one by ``judging``, which serves many readers and remembers results."""
    judged: dict[tuple[str, str], Judged] = {}
    for holder in found.holders:
        if holder.procedure and holder.standing != LOST:
            question = _question(found, holder.line.tier, holder.procedure)
            judged[holder.key] = _answered(judging, question, holder.line.uscc)
    return replace(found, judged=judged)


def _question(found: Rechecks, tier: str, procedure: str) -> checking.Request:
    return checking.Request((tier,), procedure, found.asked.batch, as_of=found.asked.day)


def _answered(judging: Judging, question: checking.Request, uscc: str) -> Judged:
    try:
        answer = judging.check(uscc, question)
    except RecordError as error:
        if error.slug != "not-on-record":
            raise
        return _unfiled(question)
    if isinstance(answer, checking.Refusal):
        return Judged(outcome=UNJUDGED, note=answer.reason)
    return _view(answer)[1]


def _unfiled(question: checking.Request) -> Judged:
    return Judged(outcome=UNJUDGED, note=f"{question.as_of}以前没有填报")


def _judged(
    desk: Desk, request: checking.Request, usccs: Sequence[str], jobs: int | None, many: int
) -> dict[str, Judged]:
    """What the criteria say of these enterprises in one question."""
    with desk.reading() as session:
        ids = cases.newest(session, usccs, as_of=request.as_of)
        filed = sorted(cases.codes(session, ids).values())
    found = dict.fromkeys(usccs, _unfiled(request))
    screened = _screened(desk, request, filed, jobs) if len(filed) >= many else {}
    met = {uscc: one for uscc, one in screened.items() if one.outcome == Outcome.MET.text}
    left = tuple(uscc for uscc in filed if uscc not in met)
    found |= met
    if not left:
        return found
    inquiry = checking.Inquiry(request=request, usccs=left, jobs=jobs)
    with checking.run(desk, inquiry, view=_view) as run:
        for answer in run.results():
            if isinstance(answer, checking.Refusal):
                found[answer.uscc] = Judged(outcome=UNJUDGED, note=answer.reason)
                continue
            uscc, judged = answer
            _refuse_differing(uscc, screened.get(uscc), judged)
            found[uscc] = judged
    return found


def _screened(
    desk: Desk, request: checking.Request, usccs: Sequence[str], jobs: int | None
) -> dict[str, Judged]:
    wanted = screening.ScreeningRequest(
        tiers=request.tiers, as_of=request.as_of, procedure=request.procedure,
        batch=request.batch, near=None, jobs=jobs, explained=0, usccs=tuple(usccs),
    )  # fmt: skip
    with screening.run(desk, wanted) as result:
        return {
            firm.uscc: Judged(outcome=firm.outcome.text, ruleset=firm.ruleset)
            for firm in result.firms()
        }


def _refuse_differing(uscc: str, screened: Judged | None, judged: Judged) -> None:
    if screened is not None and screened.outcome != judged.outcome:
        raise ScreeningError(
            "recheck-disagrees",
            "{where}：筛查得{value}，规则引擎得{expected}，结果不予显示：请保留数据并报告",
            where=uscc,
            value=screened.outcome,
            expected=judged.outcome,
        )


def _view(result: checking.CaseResult) -> tuple[str, Judged]:
    [verdict] = result.verdicts
    return result.uscc, judged(verdict)


def judged(verdict: TierVerdict) -> Judged:
    """A verdict in the terms of a list: what is missed, and what is missing."""
    row = verdict.governing.row if verdict.governing else None
    if verdict.decision is None:
        return Judged(outcome=verdict.outcome, note=verdict.note)
    finding = explain(verdict.decision)
    misses = (
        Miss(
            rule=rule.rule,
            citation=rule.citation,
            requirement=check.requirement,
            value=check.value,
            distance=check.distance,
        )
        for rule, check in grounds(finding)
    )
    open_ = verdict.decision.verdict in (Outcome.MET, Outcome.NOT_MET)
    lacking = () if open_ else (f"{figure.name}{figure.value}" for figure in missing(finding))
    return Judged(
        outcome=verdict.outcome,
        ruleset=row.ruleset if row else "",
        misses=tuple(dict.fromkeys(misses)) if verdict.decision.verdict is Outcome.NOT_MET else (),
        missing=tuple(dict.fromkeys(lacking)),
    )
