"""The sections that each reader of a decision gets.

The enterprise reads plain words without internal ids, cells or digests. The officer reads every
reason. The auditor also gets the record, the exact figures, and how to verify.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from registry.judging.verdicts import CaseResult
from registry.judging.wording import determined_text, overruled_text, registration_text, target_text
from registry.portable.clock import CHINA, china_text
from registry.reports.explaining import (
    ExplainedFact,
    Explanation,
    Reason,
    Settled,
    Turn,
    material,
    share,
    signed,
)
from registry.reports.layout import LayoutItem, Report, Section, Table
from registry.reports.verdicts import explanation
from rules.explanation.figures import Figure
from rules.explanation.findings import Check, Finding, Option
from rules.explanation.wording import quantity, reading_text, value_text
from rules.language.editions import OTHERS, ApplicabilityRow
from rules.model.catalogue import Catalogue
from rules.model.facts import Fact
from rules.model.quantities import UNITS
from rules.model.ruleset import Gap, Outcome
from rules.portable.errors import Remedy, Words, unworded
from rules.portable.record import is_holding
from rules.sensitivity import Change

NOT_STATED: Final = "未注明"
_SIGNS: Final = {
    Outcome.MET: "✓",
    Outcome.NOT_MET: "✗",
    Outcome.MISSING: "？",
    Outcome.PENDING: "◇",
}
#: The smallest share that is shown as a number.
_LEAST: Final = UNITS["%"][1] / 10**4
_NO_PROMISE: Final = "以上按同一标准、其余不变计算，只说明结论与数据的关系，不是对今后结论的承诺；填报应当真实，以材料为准。"


def day_text(day: date) -> str:
    """A day as letters write it.

    >>> day_text(date(2023, 6, 30))
    '2023年6月30日'
    """
    return f"{day.year}年{day.month}月{day.day}日"


def required(check: Check) -> str:
    """The requirement of a comparison, as a phrase."""
    return _phrase(check.requirement)


def _phrase(requirement: str) -> str:
    """A requirement as a phrase.

    >>> _phrase("上年度研发费用占比 不低于3%")
    '上年度研发费用占比应不低于3%'
    >>> _phrase("独立法人 为 是")
    '“独立法人”应为“是”'
    """
    name, _, rest = requirement.partition(" ")
    op, _, value = rest.partition(" ")
    return f"“{name}”应{op}“{value}”" if value else f"{name}应{rest}" if rest else name


def own(check: Check, you: str = "贵企业") -> str:
    """What an enterprise has towards a requirement, or what is still missing."""
    if check.points is None and check.outcome in (Outcome.MISSING, Outcome.PENDING):
        lacking = "、".join(f.name for f in check.figures if f.gap)
        if lacking:
            return f"{you}{'尚缺' if check.outcome is Outcome.MISSING else '待认定'}：{lacking}"
    if check.broken:
        return f"{you}的这项数据{check.value}"
    distance = f"，{check.distance}" if check.distance else ""
    return f"{you}{'' if check.value.startswith(_NO_VALUE) else '为'}{check.value}{distance}"


#: The beginning of the words for a missing value.
_NO_VALUE: Final = ("未", "待", "不少于")


# -- the enterprise --------------------------------------------------------------------------------


def enterprise(found: Explanation) -> Report:
    """The report for the enterprise, in plain words."""
    case = found.case
    return Report(
        title=f"{case['name']}：{case['tier']}{case['procedure']}决定的说明",
        facts=(
            ("决定编号", f"第{found.entry.seq}号"),
            ("记录日期", day_text(found.recorded_at.date())),
            ("填报日期", filed_on(found)),
        ),
        verdict=found.verdict.outcome,
        sections=tuple(s for s in _for_enterprise(found) if s is not None),
    )


def filed_on(found: Explanation) -> str:
    """The day of the filing, the fiscal year, and the day as of which the case was decided."""
    other = "" if found.as_of == found.filed_as_of else f"，按{day_text(found.as_of)}判断"
    return f"{day_text(found.filed_as_of)}{other}（上年度为{found.as_of.year - 1}年）"


def doubted(found: Explanation) -> Iterator[str]:
    """The filed figures behind the decision that should be checked."""
    for doubt in found.verdict.doubts:
        yield f"请核对所依据的数据：{doubt.said}。"


def _for_enterprise(found: Explanation) -> Iterator[Section | None]:
    told = (conclusion(found), *doubted(found), *aftermath(found))
    yield Section(title=f"结论：{found.verdict.outcome}", paragraphs=told)
    yield from reasons_sections(found)
    yield gaps_section(found)
    yield from changes_sections(found)
    yield settled_section(found)
    yield titles_section(found)
    if found.outcome is not Outcome.MET:
        yield Section(title="各项标准的结果", items=tuple(criteria_items(found)))
    yield Section(title="依据的文本", paragraphs=tuple(governed_by(found)))


def conclusion(found: Explanation, you: str = "贵企业") -> str:
    """The verdict as a sentence."""
    tier = found.case["tier"]
    match found.outcome:
        case Outcome.MET:
            return f"按填报的数据，{you}达到{tier}的各项标准。"
        case Outcome.NOT_MET:
            failed = sum(c.finding.result is Outcome.NOT_MET for c in found.criteria)
            met = sum(c.finding.result is Outcome.MET for c in found.criteria)
            if any(c.option for c in found.criteria) or not failed:
                return f"{tier}的标准，{you}没有全部达到，因此结论为不符合。"
            already = f"达到{met}项，" if met else ""
            return f"{tier}的标准，{you}{already}没有达到{failed}项，因此结论为不符合。"
        case Outcome.MISSING:
            return (
                f"现有填报还不足以判断{you}是否符合{tier}的标准，缺下列{len(found.gaps)}项。"
                "没有填报的，既不当作零，也不当作不符合。"
            )
    return (
        f"{you}是否符合{tier}的标准，有{len(found.gaps) or len(found.reasons)}项须由审核人认定；"
        "认定以前，既不作符合，也不作不符合。"
    )


def aftermath(found: Explanation) -> Iterator[str]:
    """What happened to the matter after the decision was recorded."""
    if found.corrected_at is not None:
        at = day_text(found.corrected_at.astimezone(CHINA).date())
        yield f"注意：这份填报已于{at}更正或撤销，本决定依据的是更正以前的内容。"
    if found.later:
        numbers = "、".join(f"第{n}号" for n in found.later)
        yield f"注意：对同一事项此后另有{numbers}决定。"


def governed_by(found: Explanation) -> Iterator[str]:
    """The text that governed, why it did, and which others did not."""
    governing = found.verdict.governing
    assert governing is not None
    row, case = governing.row, found.case
    place = "" if row.province == OTHERS else f"，适用于{row.province}"
    batch = f"，批次{case['batch']}" if case["batch"] else ""
    day = day_text(found.as_of)
    yield f"{row.basis}（{_period(row)}适用{place}{batch}）。按{day}的情况判断，这一天在它的适用期间内。"
    yield from (f"注意：{said}。" for said in governing.told())
    for other, why in governing.rejected:
        if other.procedure != row.procedure:
            continue
        reason = why if other.covers(found.as_of) else f"它{_period(other)}适用，不含{day}"
        yield f"没有适用{other.basis}：{reason}。"


def _period(row: ApplicabilityRow) -> str:
    first = f"自{day_text(row.start)}" if row.start else ""
    last = f"至{day_text(row.end)}" if row.end else "起" if row.start else ""
    return f"{first}{last}" or "不限期"


def reasons_sections(found: Explanation) -> Iterator[Section]:
    """The deciding comparisons, by the rule that makes them."""
    if found.outcome is Outcome.MET:
        yield Section(title="决定结论的数据", items=tuple(met_items(found)))
        return
    title = {
        Outcome.NOT_MET: "没有达到的标准",
        Outcome.MISSING: "因缺少材料还不能判断的标准",
    }.get(found.outcome, "因待认定还不能判断的标准")
    yield Section(title=title, items=tuple(reason_items(found)), numbered=True)


def reason_items(found: Explanation, you: str = "贵企业") -> Iterator[LayoutItem]:
    """The deciding rules, each with requirement, own figure and shortfall."""
    options = {c.finding.rule: c.option for c in found.criteria if c.option}
    by_rule: dict[str, list[Reason]] = {}
    for reason in found.reasons:
        by_rule.setdefault(reason.finding.rule, []).append(reason)
    for rule, reasons in by_rule.items():
        finding = reasons[0].finding
        used = [o for o in finding.options if any(c is r.check for c in o.checks for r in reasons)]
        details: list[str] = []
        if options.get(rule):
            details.append(f"（「{options[rule]}」是几种情形之一，有一种符合即可）")
        if len(used) > 1:
            details.append("（下列各情形有一种符合即可）")
        for reason in reasons:
            details += _reason_lines(reason, used if len(used) > 1 else [], you)
        yield LayoutItem(f"{finding.title}（{finding.citation}）", tuple(details), finding.outcome)


def _reason_lines(reason: Reason, options: list[Option], you: str) -> Iterator[str]:
    check = reason.check
    name = next((f"{o.name}：" for o in options if any(c is check for c in o.checks)), "")
    yield f"{name}{required(check)}；{own(check, you)}"
    if check.points is not None and check.finding is not None:
        group = check.subject.partition("/")[2]
        yield from (f"　{line}" for line in _scores(check.finding, group))


def _scores(finding: Finding, group: str) -> Iterator[str]:
    """The summands of a score (in one group) that could be higher, and what that would take."""
    for of, item in finding.items:
        full = item.possible
        if full is None or (group and of != group) or item.outcome == quantity(full, "分"):
            continue
        more = "；".join(c.distance for c in item.checks if c.distance)
        name = item.rule.rpartition(".")[2]
        yield f"{name}：{item.outcome}（满分{quantity(full, '分')}{'；' + more if more else ''}）"


def met_items(found: Explanation, you: str = "贵企业") -> Iterator[LayoutItem]:
    """Each criterion that is met, with the figures that meet it."""
    for criterion in found.criteria:
        finding = criterion.finding
        if finding.result is not Outcome.MET:
            continue
        held = [o for o in finding.options if o.outcome is Outcome.MET][:1]
        checks = [c for o in held for c in o.checks]
        details = [
            f"{required(c)}；{own(c, you)}"
            for c in checks
            if c.outcome is Outcome.MET and (c.finding is None or c.points is not None)
        ]
        title = f"{finding.title}：符合（{finding.citation}）"
        yield LayoutItem(title, tuple(details), finding.outcome, _SIGNS[Outcome.MET])


def gaps_section(found: Explanation) -> Section | None:
    """What is missing, and the material that would settle it."""
    if not found.gaps:
        return None
    items = tuple(LayoutItem(_gap_text(found, f), word=_gap_word(f.gap)) for f in found.gaps)
    title = "还缺什么，怎样补" if found.outcome is Outcome.MISSING else "待认定和待补的事项"
    return Section(title=title, items=items, numbered=True)


def _gap_text(found: Explanation, figure: Figure) -> str:
    state = figure.value if figure.broken else f"（{figure.value}）"
    return f"{figure.name}{state}：{material(figure, found.decision.ruleset.facts)}"


def _gap_word(gap: Gap) -> str:
    return "材料不足" if gap is Gap.MISSING else "待人工认定"


def changes_sections(found: Explanation) -> Iterator[Section]:
    """The smallest changes that would turn the verdict, in words for the enterprise."""
    if found.outcome is Outcome.MET:
        return
    if found.outcome is not Outcome.NOT_MET:
        if found.answers:
            yield Section(
                title="其余不变时，下列事项会改变结论",
                items=tuple(LayoutItem(_answer(t)) for t in found.answers),
                remarks=(_NO_PROMISE,),
            )
        return
    title, beyond = "怎样的变化会改变结论", [LayoutItem(b) for b in _beyond(found)]
    reachable = tuple(LayoutItem(turn_text(t)) for t in found.turns if not t.of_title)
    if not reachable:
        yield Section(
            title=title, paragraphs=("填报数据的变动不能改变结论，需要的是：",), items=tuple(beyond)
        )
        return
    if not found.together:
        word = "其余不变时，下列任何一项单独达到所写的数值，按同一标准结论即为“符合”："
    else:
        rest = "还剩后面所列的事项" if beyond else f"按同一标准结论为“{found.reached.text}”"
        word = (
            f"没有哪一项数据单独变动就能改变结论；其余不变时，下列各项同时达到所写的数值，{rest}："
        )
    yield Section(title=title, paragraphs=(word,), items=reachable, remarks=(_NO_PROMISE,))
    if beyond:
        yield Section(title="填报数据的变动达不到的事项", items=tuple(beyond))


def _beyond(found: Explanation) -> list[str]:
    """What no filed figure can change: titles, persons' findings, open matters."""
    named = [
        f"{_phrase(r.requirement)}{_by_person(r.requirement, found.decision.ruleset.facts.values())}，{_LEFT[r.outcome]}（{clause}）"
        for r, clause in found.rests
    ]
    if any(t.of_title for t in found.turns):
        named += [
            f"{required(r.check)}，{_LEFT[Outcome.NOT_MET]}（{r.finding.citation}）"
            for r in found.reasons
            if r.of_title
        ]
    return list(dict.fromkeys(named))


_LEFT: Final = {
    Outcome.NOT_MET: "没有达到",
    Outcome.MISSING: "尚缺材料",
    Outcome.PENDING: "待认定",
}


def _by_person(requirement: str, facts: Iterable[Fact]) -> str:
    """The remark that a person must find this, if the requirement is left to one; else empty."""
    name = requirement.partition(" ")[0]
    return "（由审核人认定）" if any(f.name == name and f.origin == "认定" for f in facts) else ""


def turn_text(turn: Turn) -> str:
    """A change in one line: the new value, the filed one, the difference, the clause."""
    change = turn.change
    new = value_text(change.fact, change.new)
    old = "未填报" if change.old is None else f"填报为{value_text(change.fact, change.old)}"
    gap = f"，{signed(change)}" if signed(change) else ""
    clauses = "、".join(turn.clauses)
    return f"{change.name}为{new}（{old}{gap}）{f'（{clauses}）' if clauses else ''}"


def _answer(turn: Turn) -> str:
    change = turn.change
    by = "经审核人认定" if change.fact.origin == "认定" else "如实填报"
    new = value_text(change.fact, change.new)
    clauses = f"（{'、'.join(turn.clauses)}）" if turn.clauses else ""
    return f"“{change.name}”{by}为“{new}”：结论为{change.verdict.text}{clauses}"


def settled_section(found: Explanation) -> Section | None:
    """What persons settled, without their names."""
    if not found.settled:
        return None
    titles = {rule.id: rule.title for rule in found.decision.ruleset.rules}
    return Section(
        title="经审核人认定的事项",
        items=tuple(
            LayoutItem(settled_text(s, titles, found.verdict.catalogue)) for s in found.settled
        ),
    )


def titles_section(found: Explanation) -> Section | None:
    """The registered titles and holdings that counted, and filed statements that differ."""
    if not found.verdict.register:
        return None
    items = (LayoutItem(f"第{e.seq}号　{registration_text(e)}") for e in found.verdict.register)
    filed = tuple(f"{overruled_text(title)}。" for title in found.verdict.overruled)
    held = any(is_holding(e.content) for e in found.verdict.register)
    return Section(
        title="登记的称号和持股" if held else "登记的称号", items=tuple(items), remarks=filed
    )


def settled_text(settled: Settled, titles: Mapping[str, str], catalogue: Catalogue) -> str:
    """A determination in one line, by the title of its rule."""
    content = settled.determination.content
    target = titles[content["rule"]] if "rule" in content else target_text(content, catalogue)
    was, now = (determined_text(content, content[k], catalogue) for k in ("was", "value"))
    return f"{target}：认定为{now}（此前为{was}）。理由：{settled.determination.ground}"


def criteria_items(found: Explanation) -> Iterator[LayoutItem]:
    """Every criterion of the tier with its outcome."""
    for criterion in found.criteria:
        finding = criterion.finding
        sign = _SIGNS[finding.result] if isinstance(finding.result, Outcome) else "·"
        option = f"（「{criterion.option}」，各情形有一种符合即可）" if criterion.option else ""
        yield LayoutItem(
            f"{finding.title}：{finding.outcome}（{finding.citation}）{option}",
            word=finding.outcome,
            sign=sign,
        )


# -- the officer -----------------------------------------------------------------------------------


def officer(found: Explanation) -> Report:
    """Full reasons for the officer: findings, candidates that lost, margins, smallest changes."""
    return Report(
        title=f"第{found.entry.seq}号决定的理由",
        facts=tuple(_head(found)),
        verdict=found.verdict.outcome,
        sections=tuple(
            s for s in (_findings(found), _margins(found), _smallest(found)) if s is not None
        ),
    )


def _head(found: Explanation) -> Iterator[tuple[str, str]]:
    case = found.case
    yield "企业", f"{case['name']}（{case['uscc']}）"
    yield "事项", f"{case['tier']}{case['procedure']}"
    yield "省份、批次", f"{case['province'] or NOT_STATED}、{case['batch'] or '不分批次'}"
    yield "填报日期", filed_on(found)
    yield "结论", found.verdict.outcome
    if doubts := found.verdict.doubts:
        yield (
            "数据存疑",
            f"结论所依据的数据有{len(doubts)}处存疑：{'；'.join(d.said for d in doubts)}",
        )
    yield "记录", f"{_moment(found)}，经办：{found.entry.by or NOT_STATED}"
    for line in aftermath(found):
        yield "其后", line.removeprefix("注意：")


def _moment(found: Explanation) -> str:
    return f"{china_text(found.recorded_at)}（北京时间）"


def _findings(found: Explanation) -> Section:
    case = found.case
    result = CaseResult(case["uscc"], case["name"], found.as_of, (found.verdict,), found.doubts)
    _, _, _, *lines = explanation(result, full=True)
    return Section(title="结论和逐条理由", tree=tuple(lines))


def _margins(found: Explanation) -> Section:
    """How far each figure may be wrong before the verdict changes, nearest first."""
    flips = [f for f in found.figures if f.margin is not None and f.margin.changes]
    rows = [
        (f.name, f.text, _flip(m.below), _flip(m.above), f.source or NOT_STATED)
        for f in flips
        if (m := f.margin) is not None and (m.below or m.above)
    ]
    others = [LayoutItem(_other(f)) for f in flips if f.margin is not None and f.margin.others]
    steady = sum(1 for f in found.figures if f.margin is not None and not f.margin.changes)
    paragraphs = ["其余不变时，每项数据变到多少结论就不同，最近的在前："]
    if not rows:
        paragraphs = ["没有哪一项数字或日期单独变动会改变结论。"]
    header = ("数据", "填报值", "低到多少翻转", "高到多少翻转", "来源")
    remarks = [f"其余{steady}项在可填报的范围内单独怎样变动都不改变结论。"] if steady else []
    if others:
        remarks.insert(0, "是否类和代码类的数据，改变后结论不同的：")
        remarks[1:1] = [f"  · {i.text}" for i in others]
    return Section(
        title="数据差多少结论就会翻转",
        paragraphs=tuple(paragraphs),
        table=Table(header, tuple(rows)) if rows else None,
        remarks=tuple(remarks),
    )


def _flip(change: Change | None) -> str:
    """Where a verdict flips: the value, and the difference in its unit and as a share."""
    if change is None:
        return "不翻转"
    part = share(change)
    percent = ""
    if part is not None:
        size = abs(part)
        shown = quantity(size, "%") if size >= _LEAST else f"不足{quantity(_LEAST, '%')}"
        approximate = "约" if shown.startswith("约") else ""
        percent = f"，{approximate}{'+' if part > 0 else '-'}{shown.removeprefix('约')}"
        percent = percent if size >= _LEAST else f"，{shown}"
    return (
        f"{value_text(change.fact, change.new)}（{signed(change)}{percent}）→{change.verdict.text}"
    )


def _other(filed: ExplainedFact) -> str:
    assert filed.margin is not None
    turned = "；".join(f"{value_text(c.fact, c.new)}→{c.verdict.text}" for c in filed.margin.others)
    return f"{filed.name}：{filed.text}；改为{turned}　〔{filed.source or NOT_STATED}〕"


_UNDECIDED: Final = {
    Outcome.NOT_MET: "没有哪一项填报的变动会改变结论。",
    Outcome.MISSING: "结论取决于缺少的材料，须先补齐。",
    Outcome.PENDING: "结论取决于待认定的事项，须先由审核人认定。",
}


def _smallest(found: Explanation) -> Section | None:
    if found.outcome is Outcome.MET:
        return None
    items = [
        LayoutItem(f"{turn_text(t)}{'，称号由主管部门授予' if t.of_title else ''}")
        for t in found.turns
    ]
    items += [LayoutItem(_answer(t)) for t in found.answers]
    items += [
        LayoutItem(f"改不到：{r.requirement}（{r.rule}，{clause}），仍为{r.outcome.text}")
        for r, clause in found.rests
    ]
    if not items:
        return Section(title="最小的变动", paragraphs=(_UNDECIDED[found.outcome],))
    if found.outcome is not Outcome.NOT_MET:
        word = "下列未填报的是否类事项，填成所写的值结论就不同："
    elif found.together:
        word = f"没有哪一项单独变动即为“符合”；下列各项同时变动，结论为{found.reached.text}："
    else:
        word = "下列任何一项单独变动，结论即为“符合”，最小的在前："
    return Section(
        title="最小的变动",
        paragraphs=(f"其余不变时，{word}",),
        items=tuple(items),
        remarks=("变动较小，但未证明为最小；不考察企业实际能否如此填报。",)
        if found.together
        else (),
    )


# -- the auditor -----------------------------------------------------------------------------------


def auditor(found: Explanation) -> Report:
    """The full report for the auditor: the record, exact figures with sources, how to verify."""
    return Report(
        title=f"第{found.entry.seq}号决定的审计说明",
        facts=tuple(_head(found)),
        verdict=found.verdict.outcome,
        sections=tuple(
            s
            for s in (
                _record(found),
                _determinations(found),
                _margins(found),
                _findings(found),
                _filed(found),
                _indicators(found),
                _smallest(found),
            )
            if s is not None
        ),
    )


def _record(found: Explanation) -> Section:
    entry, body = found.entry, found.entry.content
    rows = (
        ("编号", str(entry.seq)),
        ("记录时间", f"{_moment(found)}"),
        ("经办", entry.by or NOT_STATED),
        ("程序", entry.program),
        ("本条摘要", entry.digest),
        ("上一条摘要", entry.previous),
        ("事实摘要", body["facts"]),
        ("规则集", f"{body['applicability']['ruleset']}　{body['ruleset']}"),
        ("适用表摘要", body["applicability"]["digest"]),
        ("逐步结果摘要", body["trace"]),
        (
            "所依据的人工认定",
            "、".join(f"第{s.determination.seq}号" for s in found.settled) or "无",
        ),
        *_titles_row(found),
    )
    return Section(
        title="记录",
        table=Table(("项目", "内容"), rows),
        remarks=("摘要均为 SHA-256。本说明由登记库重新作出这一决定得出，与记录逐字节一致。",),
    )


def _titles_row(found: Explanation) -> Iterator[tuple[str, str]]:
    named = zip(found.verdict.register, found.entry.content.get("register", ()), strict=True)
    if found.verdict.register:
        yield "所依据的登记", "、".join(f"第{e.seq}号 {digest}" for e, digest in named)


def _determinations(found: Explanation) -> Section | None:
    if not found.settled:
        return None
    items, catalogue = [], found.verdict.catalogue
    for settled in found.settled:
        determination = settled.determination
        content = determination.content
        was, now = (determined_text(content, content[k], catalogue) for k in ("was", "value"))
        at = china_text(settled.recorded_at)
        confirmed = "不需要第二人确认"
        if settled.confirmed_at is not None:
            confirmed = (
                f"第{settled.confirmation}号记录由{determination.confirmed_by}于"
                f"{china_text(settled.confirmed_at)}确认"
            )
        items.append(
            LayoutItem(
                f"第{determination.seq}号　{target_text(content, catalogue)}：{was} → {now}",
                (
                    f"理由：{determination.ground}",
                    f"{determination.by or NOT_STATED}于{at}记录；{confirmed}",
                    f"本条摘要 {determination.digest}",
                    *(f"证据 SHA-256 {e}" for e in content["evidence"]),
                ),
                "待人工认定",
            )
        )
    return Section(title="人工认定", items=tuple(items))


def _filed(found: Explanation) -> Section:
    rows = tuple((f.name, f.text, _exact(f), f.key, f.source or NOT_STATED) for f in found.figures)
    return Section(
        title="所依据的数据",
        paragraphs=("金额的精确值以元计，比例以小数计：",),
        table=Table(("数据", "值", "精确值", "键", "来源"), rows),
    )


def _exact(filed: ExplainedFact) -> str:
    return filed.text if isinstance(filed.value, bool) else filed.value


def _indicators(found: Explanation) -> Section:
    rows = []
    for indicator, reading in found.indicators:
        exact = reading.exact
        if exact is not None:
            shown = str(exact)
        elif reading.code is not None:
            shown = reading.code
        elif reading.lo is not None:
            shown = f"[{reading.lo}, {'不限' if reading.hi is None else reading.hi}]"
        else:
            shown = "未知"
        clause = indicator.clause or NOT_STATED
        rows.append((indicator.name, reading_text(indicator, reading), shown, clause))
    return Section(
        title="指标的精确值",
        paragraphs=("是为1，否为0；日期为填报日后的天数；方括号内为可能的范围：",),
        table=Table(("指标", "值", "精确值", "定义的出处"), tuple(rows)),
    )


def _checking(seq: int) -> tuple[Remedy, ...]:
    """How an auditor can reproduce and check a decision."""
    given = {"seq": seq}
    return (
        Remedy("replay-decision", given),
        Remedy("replay-decision-as-now", given),
        Remedy("verify-registry"),
        Remedy("export-decision", given),
    )


READERS: Final[dict[str, Callable[[Explanation], Report]]] = {
    "enterprise": enterprise,
    "officer": officer,
    "auditor": auditor,
}


#: The further steps of each reader.
_FURTHER: Final = {"auditor": _checking}


def report(found: Explanation, reader: str, words: Words = unworded) -> Report:
    """The report of a decision for a reader, with further steps in the face's ``words``."""
    told = READERS[reader](found)
    further = _FURTHER[reader](found.entry.seq) if reader in _FURTHER else ()
    commands = tuple(filter(None, map(words, further)))
    if not commands:
        return told
    ways = Section(title="怎样重新作出和验证", commands=commands)
    return replace(told, sections=(*told.sections, ways))
