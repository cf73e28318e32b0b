"""``tidu case``: the course of an enterprise's applications, and what may be done next."""

from collections.abc import Iterator

import click

from registry.cli.common import Refused, TierParam, command, console, desk, json_option, print_json
from registry.cli.targets import CodeParam
from registry.desk import courses
from registry.desk.courses import CourseView, NextAct, StepLine
from registry.kit.jsontext import fields_of
from registry.kit.screens import listing
from registry.portable.clock import china_day


@command("case")
@click.argument("uscc", type=CodeParam(), metavar="信用代码", help="统一社会信用代码或企业名称。")
@click.option("--tier", type=TierParam(), help="只看此层级的申报。")
@json_option
def case(uscc: str, tier: str | None, as_json: bool) -> None:
    """查看一家企业的申报：历次办理，现在的环节和办结期限，下一步由谁办理什么、须有什么。"""
    with desk() as at:
        found = courses.of(at, uscc, at.tier(tier).name if tier else "")
    if as_json:
        print_json([_plain(view) for view in found])
        return
    if not found:
        raise Refused(f"{uscc}没有{tier or ''}申报：请核对，或用 tidu apply 登记")
    for view in found:
        _show(view)


def _plain(view: CourseView) -> dict[str, object]:
    named = view.round.name if view.round else ""
    return fields_of(view, without=["round"]) | {"round": named, "late": view.late}


def _show(view: CourseView) -> None:
    where = f"，轮次「{view.round.name}」" if view.round else ""
    title = (
        f"{view.name}（{view.uscc}）第{view.seq}号申报：{view.tier}{view.procedure}，"
        f"{view.applied_on}申报，填报日期{view.filed_as_of}{where}"
    )
    console.print(title, markup=False, soft_wrap=True)
    clause = f"{view.clause.id} {view.clause.title}"
    basis = f"（{view.clause.basis}）" if view.clause.basis else ""
    console.print(f"  办理程序 {clause}{basis}", markup=False, soft_wrap=True)
    if view.steps:
        rows = [
            (str(s.seq), s.day.isoformat(), s.level, s.act, f"{s.state} → {s.to}", _said(s))
            for s in view.steps
        ]
        header = ("编号", "日期", "级", "办理", "环节", "说明")
        console.print(listing(header, rows, console.width))
    for line in _now(view):
        console.print(line, markup=False, soft_wrap=True)


def _said(step: StepLine) -> str:
    """What is to be known of a step besides what was done."""
    notes = {
        "与决定不一致": step.against,
        f"期满，经“{'”、“'.join(step.clocked)}”": step.clocked,
        f"逾期{step.late}日": step.late,
        f"补录，{china_day(step.recorded_at)}登记": step.lagging,
        f"处理第{step.objection}号异议": step.objection,
        f"称号第{step.title}号": step.title,
        f"依据{step.document}": step.document,
        f"理由：{step.ground}": step.ground,
    }
    return "；".join(said for said, told in notes.items() if told)


def _now(view: CourseView) -> Iterator[str]:
    """Where it stands, until when, and who may do what next."""
    if view.ended:
        yield f"  已办结为“{view.state}”"
        return
    by_clock = "（期满转入）" if view.clocked else ""
    yield f"  现在在“{view.state}”{by_clock}，自{view.since}；{_due(view)}"
    if view.changed:
        yield "  依据已变更：填报或认定在决定以后有变化，请先用 tidu decide 重新决定"
    for one in view.open:
        yield f"  尚未处理的异议：第{one.seq}号（{one.day}）{one.ground}"
    for act in view.next:
        yield f"  · {_next(act)}"


def _due(view: CourseView) -> str:
    if view.unpublished:
        return f"办结期限未公布：{view.unpublished}年的放假安排未公布，不能推算（{view.term}）"
    if view.due is None:
        return "没有办结期限"
    late = f"，已逾期{view.late}日" if view.late else ""
    then = f"，期满转入“{view.then}”" if view.then else ""
    return f"最迟{view.due}（{view.term}）{late}{then}"


def _next(act: NextAct) -> str:
    needs = "、".join(need.words for need in act.needs)
    lacks = f"，现在还不能：{act.lacks}" if act.lacks else ""
    by = "，随公告办理" if act.announced else ""
    return f"{act.actor}“{act.act}”→“{act.to}”{f'，须有{needs}' if needs else ''}{by}{lacks}"
