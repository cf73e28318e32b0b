"""Small alterations of a rule's table or an indicator's formula, each with its Chinese description.

An alteration is the smallest that can be noticed: one yuan, 0.0001 个百分点, one day, one in a count. A
figure that takes only whole numbers would not notice a smaller one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, TypeAlias, TypeVar

from rules.language.linking import Facts
from rules.model.quantities import show
from rules.model.ruleset import (
    Attested,
    Band,
    Bands,
    Body,
    Case,
    Cases,
    Expr,
    Indicator,
    Item,
    Ladder,
    Line,
    Op,
    Rule,
    Total,
)
from rules.portable.calendar import Term
from rules.portable.clocks import (
    BEFORE_EXPIRY,
    CHANGE,
    COMPLAINT,
    CONSEQUENCES,
    RECHECK,
    STARTS,
    UNBARRED,
    Clock,
    Clocks,
)
from rules.portable.workflow import CLOCK, ENDINGS, ENTERPRISE, LEVELS, Act, Workflow

T = TypeVar("T")
Altered: TypeAlias = Iterator[tuple[str, T]]


@dataclass(frozen=True)
class Lookup:
    """Looks up a name in a table: the indicator, and the codes that it may take.

    ``facts`` knows the facts that the indicators read.
    """

    find: Callable[[str], tuple[Indicator, tuple[str, ...]]]
    facts: Facts

    def __call__(self, name: str) -> tuple[Indicator, tuple[str, ...]]:
        """The indicator and its codes."""
        return self.find(name)


#: The id of a rule under which the outcome of each record is 符合.
ALWAYS: Final = "恒符合"

_STEPS: Final = {
    **dict.fromkeys(("元", "万元", "亿元"), Fraction(1)),
    **dict.fromkeys(("%", "个百分点"), Fraction(1, 1_000_000)),
    "年": Fraction(1, 365),
}
#: Another unit of a span that is never counted in working days.
_OTHER_UNITS: Final = {"年": "个月", "个月": "日", "日": "个月"}
_COMMON_YEAR: Final = 2023
_WHOLE_YEARS: Final = ("calendar_years", "year_number")
_REVERSED: Final[dict[Op, Op]] = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
_TOGGLED: Final[dict[Op, Op]] = {">=": ">", ">": ">=", "<=": "<", "<": "<="}
_WORDS: Final[dict[Op, str]] = {">=": "不低于", ">": "高于", "<=": "不高于", "<": "低于"}
_WORDS_OF_DATES: Final[dict[Op, str]] = {">=": "不早于", ">": "晚于", "<=": "不晚于", "<": "早于"}


def of_rule(rule: Rule, lookup: Lookup) -> Altered[Rule]:
    """Every alteration of a rule's table."""
    for text, body in _of_body(rule.body, lookup):
        yield text, replace(rule, body=body)


def _of_body(body: Body, lookup: Lookup) -> Altered[Body]:
    match body:
        case Cases(cases):
            for text, altered in _of_cases(cases, lookup, 1):
                yield text, Cases(altered)
        case Bands(bands):
            for text, tables in _of_bands(bands, lookup):
                yield text, Bands(tables)
        case Ladder(rungs, rest):
            yield from _of_ladder(rungs, rest, lookup)
        case Total(items, cap):
            for text, summands in _of_total(items, [*body.groups, ""]):
                yield text, Total(summands, cap)
            if cap is not None:
                for text, most in moved(cap, "分", Fraction(1)):
                    yield f"最高 {text}", Total(items, most)
        case Attested(name, lo, hi):
            known = lookup.facts.read_by(lookup(name)[0].expr)
            if known.maximum is None or known.maximum > hi:
                yield f"上限 {hi}分 改为 {hi + 1}分", replace(body, hi=hi + 1)
            yield f"上限 {hi}分 改为 {hi - 1}分", replace(body, hi=hi - 1)
            yield f"下限 {lo}分 改为 {lo + 1}分", replace(body, lo=lo + 1)


def step(unit: str, expr: Expr = ()) -> Fraction:
    """The smallest alteration of a figure in that unit."""
    return Fraction(1) if expr and expr[0] in _WHOLE_YEARS else _STEPS.get(unit, Fraction(1))


def moved(value: Fraction, unit: str, by: Fraction) -> Altered[Fraction]:
    """A figure a little higher, and a little lower."""
    for other in (value + by, value - by):
        yield f"{_shown(value, unit)} 改为 {_shown(other, unit)}", other


def _shown(value: Fraction, unit: str) -> str:
    return show(value, unit, digits=6) if unit else str(value)


def _swap(items: tuple[T, ...], at: int, *new: T) -> tuple[T, ...]:
    """The items with ``new`` ones in place of the one at that index."""
    return (*items[:at], *new, *items[at + 1 :])


def _of_cases(cases: tuple[Case, ...], lookup: Lookup, least: int) -> Altered[tuple[Case, ...]]:
    """Alterations of lines and cases; at least ``least`` cases remain."""
    row = 0
    for i, case in enumerate(cases):
        for j, line in enumerate(case.lines):
            row += 1
            for text, altered in _of_line(line, lookup):
                lines = _swap(case.lines, j, altered)
                yield f"第{row}行 {text}", _swap(cases, i, replace(case, lines=lines))
            if len(case.lines) > 1:
                lines = _swap(case.lines, j)
                yield f"第{row}行 删去", _swap(cases, i, replace(case, lines=lines))
        if len(cases) > least:
            yield f"情形「{case.name}」删去", _swap(cases, i)


def _of_line(line: Line, lookup: Lookup) -> Altered[Line]:
    if line.subject == "rule":
        return
    if line.subject == "unmet":
        yield "不符合 改为 符合", replace(line, subject="rule")
        return
    points = Indicator(name=line.name, kind="number", unit="分", expr=("const", "0")), ()
    indicator, vocabulary = points if line.subject == "points" else lookup(line.name)
    if isinstance(line.value, tuple):
        for text, codes in _of_codes(line.value, vocabulary):
            yield text, replace(line, value=codes)
        return
    assert line.value is not None
    if indicator.kind == "flag":
        yield "是 与 否 颠倒", replace(line, op="<" if line.op == ">=" else ">=")
        return
    by = step(indicator.unit, indicator.expr)
    for text, threshold in moved(line.value, indicator.unit, by):
        if indicator.day is not None:
            days = (indicator.day + timedelta(days=int(v)) for v in (line.value, threshold))
            text = " 改为 ".join(map(str, days))
        yield f"门槛 {text}", replace(line, value=threshold)
    words = _WORDS_OF_DATES if indicator.kind == "date" else _WORDS
    for op in (_REVERSED[line.op], _TOGGLED[line.op]):
        yield f"{words[line.op]} 改为 {words[op]}", replace(line, op=op)


def _of_codes(codes: tuple[str, ...], vocabulary: Sequence[str]) -> Altered[tuple[str, ...]]:
    """A code dropped or added; a single code only gains its neighbours in the catalogue.

    A choice that is open, such as a place, is altered to another text.
    """
    for i, code in enumerate(codes):
        if len(codes) > 1:
            yield f"去掉「{code}」", _swap(codes, i)
    if not vocabulary:
        for i, code in enumerate(codes):
            yield f"「{code}」改为别的", _swap(codes, i, f"{code}以外")
        return
    at = vocabulary.index(codes[0])
    others = vocabulary if len(codes) > 1 else vocabulary[max(at - 1, 0) : at + 2]
    for code in others:
        if code not in codes:
            yield f"加上「{code}」", (*codes, code)


def _of_bands(
    tables: tuple[tuple[str, tuple[Band, ...]], ...], lookup: Lookup
) -> Altered[tuple[tuple[str, tuple[Band, ...]], ...]]:
    for i, (name, bands) in enumerate(tables):
        indicator, _ = lookup(name)
        by = step(indicator.unit, indicator.expr)
        others = (min(b.points for b in rows) for other, rows in tables if other != name)
        unseen = max(others, default=None)  # the other indicators give at least as much
        for j, band in enumerate(bands):
            for text, points in moved(band.points, "分", Fraction(1)):
                if unseen is not None and max(points, band.points) <= unseen:
                    continue
                altered = _swap(bands, j, replace(band, points=points))
                yield f"「{name}」第{j + 1}档 得分 {text}", _swap(tables, i, (name, altered))
            if band.hi is None:
                continue
            for text, bound in moved(band.hi, indicator.unit, by):
                lower, upper = replace(band, hi=bound), replace(bands[j + 1], lo=bound)
                altered = (*bands[:j], lower, upper, *bands[j + 2 :])
                yield f"「{name}」界限 {text}", _swap(tables, i, (name, altered))
        if len(tables) > 1:
            yield f"「{name}」各档删去", _swap(tables, i)


def _of_ladder(rungs: tuple[Case, ...], rest: Fraction, lookup: Lookup) -> Altered[Ladder]:
    """Alterations of a ladder, without those that give every code the same points as before."""
    plain = _points_of_codes(rungs)
    for text, altered in _of_rungs(rungs, rest, lookup):
        if plain is None or altered.rest != rest or _points_of_codes(altered.rungs) != plain:
            yield text, altered


def _points_of_codes(rungs: tuple[Case, ...]) -> dict[str, Fraction | None] | None:
    """The points of each code, if every rung only asks for codes of one and the same indicator."""
    lines = [rung.lines[0] for rung in rungs if len(rung.lines) == 1]
    if len(lines) < len(rungs) or len({line.name for line in lines}) > 1:
        return None
    found: dict[str, Fraction | None] = {}
    for rung, line in zip(rungs, lines, strict=True):
        if line.subject != "indicator" or not isinstance(line.value, tuple):
            return None
        found = {**dict.fromkeys(line.value, rung.points), **found}
    return found


def _of_rungs(rungs: tuple[Case, ...], rest: Fraction, lookup: Lookup) -> Altered[Ladder]:
    for text, altered in _of_cases(rungs, lookup, 0):
        yield text, Ladder(altered, rest)
    for i, rung in enumerate(rungs):
        assert rung.points is not None
        for text, points in moved(rung.points, "分", Fraction(1)):
            yield (
                f"情形「{rung.name}」得分 {text}",
                Ladder(_swap(rungs, i, replace(rung, points=points)), rest),
            )
        below = rungs[i + 1] if i + 1 < len(rungs) else rung
        if below.points != rung.points:
            yield (
                f"情形「{rung.name}」与「{below.name}」调换",
                Ladder((*rungs[:i], below, rung, *rungs[i + 2 :]), rest),
            )
    for text, points in moved(rest, "分", Fraction(1)):
        yield f"其余 得分 {text}", Ladder(rungs, points)


def _of_total(items: tuple[Item, ...], groups: Sequence[str]) -> Altered[tuple[Item, ...]]:
    for i, item in enumerate(items):
        yield f"「{item.rule}」删去", _swap(items, i)
        yield f"「{item.rule}」加两次", _swap(items, i, item, item)
        other = groups[groups.index(item.group) - 1]
        if other != item.group:
            relabelled = replace(item, group=other)
            yield f"「{item.rule}」改属「{other}」组", _swap(items, i, relabelled)


def of_formula(expr: Expr, facts: Facts) -> Altered[Expr]:
    """Every alteration of a formula; descriptions that recur are numbered."""
    seen: dict[str, int] = {}
    for text, altered in _of_node(expr, facts):
        seen[text] = seen.get(text, 0) + 1
        yield text if seen[text] == 1 else f"{text}（第{seen[text]}处）", altered


def _of_node(expr: Expr, facts: Facts) -> Altered[Expr]:
    yield from _of_head(expr, facts)
    for i, part in enumerate(expr):
        if expr[0] == "calendar_years" and part == ("as_of",):
            yield "填报年 改为 上一年", _swap(expr, i, ("new_year", -1))
        elif isinstance(part, tuple) and part:
            of = _of_node if isinstance(part[0], str) else _of_parts
            for text, altered in of(part, facts):
                yield text, _swap(expr, i, altered)


def _of_parts(parts: tuple[Expr, ...], facts: Facts) -> Altered[tuple[Expr, ...]]:
    """Alterations within a tuple of formulas."""
    for i, part in enumerate(parts):
        for text, altered in _of_node(part, facts):
            yield text, _swap(parts, i, altered)


def _of_head(expr: Expr, facts: Facts) -> Altered[Expr]:
    """Alterations of a formula's outermost node."""
    match expr:
        case ("year", id, offset):
            for other in (offset - 1, offset + 1):
                if other <= 0:
                    yield (
                        f"{facts.read_by(expr).name} T{offset:+d}年 改为 T{other:+d}年",
                        ("year", id, other),
                    )
        case ("parameter", name, offset):
            for other in (offset - 1, offset + 1):
                yield f"「{name}」T{offset:+d}年 改为 T{other:+d}年", ("parameter", name, other)
        case ("new_year", offset):
            for other in (offset - 1, offset + 1):
                yield f"年初 {offset:+d} 改为 {other:+d}", ("new_year", other)
        case ("day", text):
            for by in (-1, 1):
                other_day = date.fromisoformat(text) + timedelta(days=by)
                yield f"{text} 改为 {other_day}", ("day", other_day.isoformat())
        case ("as_of",):
            yield "填报日 改为 年初", ("new_year", 0)
        case ("const", text):
            for change, value in moved(Fraction(text), "", Fraction(1)):
                yield f"常数 {change}", ("const", str(value))
        case ("add", *parts):
            for i in range(len(parts)):
                yield f"第{i + 1}个加数 删去", ("add", *parts[:i], *parts[i + 1 :])
        case ("sub" | "div" | "days" | "years" | "calendar_years" as node, a, b):
            yield f"{node} 两项调换", (node, b, a)
            if node in ("years", "calendar_years"):
                other_node = "years" if node == "calendar_years" else "calendar_years"
                yield f"{node} 改为 {other_node}", (other_node, a, b)
        case ("least", a, b):
            yield "取小者 改为 前一项", a
            yield "取小者 改为 后一项", b
        case ("most", a, b):
            yield "取大者 改为 前一项", a
            yield "取大者 改为 后一项", b
        case ("mul", a, b):
            yield "第1个因数 删去", b
            yield "第2个因数 删去", a
        case ("count", records, rule, filed):
            yield f"「{rule}」改为{ALWAYS}", ("count", records, f"{ALWAYS}.{records}", filed)
            if filed:
                yield f"「{rule}」的填报总数 不用", ("count", records, rule, None)
        case ("total", records, field, rule, filed):
            yield f"「{rule}」改为{ALWAYS}", ("total", records, field, f"{ALWAYS}.{records}", filed)
            if filed:
                yield f"「{rule}」的填报总数 不用", ("total", records, field, rule, None)
        case ("bounded", a, lowers, uppers):
            for i in range(len(lowers)):
                yield f"第{i + 1}个下界 删去", ("bounded", a, _swap(lowers, i), uppers)
            for i in range(len(uppers)):
                yield f"第{i + 1}个上界 删去", ("bounded", a, lowers, _swap(uppers, i))
        case ("else_found", a, _):
            yield "审核人的认定 不用", a
        case ("else_known", a, _):
            yield "未知时的替代 不用", a


def of_workflow(workflow: Workflow) -> Iterator[tuple[str, Workflow]]:
    """Workflows with one error: an act that leads elsewhere, another level, one need fewer, one day more."""
    acts = workflow.acts
    places = [*workflow.states, *dict.fromkeys(a.to for a in acts if a.to in ENDINGS)]
    for i, act in enumerate(acts):
        what = f"第{i + 1}行（{act.state}·{act.act or act.actor}）"
        for text, altered in _of_act(act, places):
            new = () if altered is None else (altered,)
            yield f"{what} {text}", replace(workflow, acts=(*acts[:i], *new, *acts[i + 1 :]))
    for state, term in workflow.terms.items():
        for text, length in _of_term(term):
            terms = {s: t for s, t in workflow.terms.items() if s != state}
            if length is not None:
                terms[state] = length
            yield f"“{state}”的时限 {text}", replace(workflow, terms=terms)


def _of_act(act: Act, places: Sequence[str]) -> Iterator[tuple[str, Act | None]]:
    yield "删去", None
    other = places[(places.index(act.to) + 1) % len(places)]
    yield f"转入 改为「{other}」", replace(act, to=other)
    if act.actor != CLOCK:
        known = (*LEVELS, ENTERPRISE)
        level = known[known.index(act.level) - 1]
        yield f"承办 改为「{level}」", replace(act, actor=level)
    for need in act.needs:
        yield f"须有 删去「{need}」", replace(act, needs=tuple(n for n in act.needs if n != need))
    for effect in act.effects:
        left = tuple(e for e in act.effects if e != effect)
        yield f"效果 删去「{effect}」", replace(act, effects=left)


def of_clocks(clocks: Clocks, own: int) -> Iterator[tuple[str, Clocks]]:
    """Clocks with one small error: a day more, another unit, start, change, consequence or reminder.

    Only the first ``own`` are altered: the others are those of another table.
    """
    every = clocks.clocks
    for i, clock in enumerate(every[:own]):
        what = f"第{i + 1}行（{clock.matter}{'·' if clock.ground else ''}{clock.ground}）"
        for text, altered in _of_clock(clock):
            new = () if altered is None else (altered,)
            yield f"{what} {text}", replace(clocks, clocks=(*every[:i], *new, *every[i + 1 :]))


def _of_clock(clock: Clock) -> Iterator[tuple[str, Clock | None]]:
    yield "删去", None
    if clock.start == UNBARRED:
        return
    for start in (s for s in STARTS[clock.matter] if s not in (clock.start, BEFORE_EXPIRY)):
        yield f"起算 改为「{start}」", replace(clock, start=start, lead=None)
    for what, term in (("期限", clock.term), ("起算", clock.lead), ("提前提醒", clock.remind)):
        acted = what == "期限" and clock.matter in (CHANGE, COMPLAINT)
        for text, length in _lengths(term, acted=acted) if term else ():
            yield f"{what} {text}", _with_length(clock, what, length)
    for i, kind in enumerate(clock.kinds):
        kinds = (*clock.kinds[:i], f"非{kind}", *clock.kinds[i + 1 :])
        yield f"起算 「{kind}」改为「非{kind}」", replace(clock, kinds=kinds)
    if clock.matter == RECHECK and clock.lead is None:
        yield f"起算 改为「{BEFORE_EXPIRY}1个月」", replace(clock, lead=Term(1, "个月"))
    if clock.matter == RECHECK and clock.term is None:
        yield f"期限 改为「{BEFORE_EXPIRY}1日」", replace(clock, term=Term(1, "日"))
    if clock.remind is not None:
        yield "提前提醒 删去", replace(clock, remind=None)
    if clock.yearly is not None:
        fixed = date(_COMMON_YEAR, *clock.yearly)
        for by in (-1, 1):
            day = fixed + by * timedelta(days=1)
            said = f"期限 改为 每年{day.month}月{day.day}日"
            yield said, replace(clock, yearly=(day.month, day.day))
    if clock.times:
        yield f"期限 改为 {clock.times + 1}次", replace(clock, times=clock.times + 1)
        if clock.times > 2:
            yield f"期限 改为 {clock.times - 1}次", replace(clock, times=clock.times - 1)
    for consequence in clock.consequences:
        left = tuple(c for c in clock.consequences if c != consequence)
        other = next((c for c in CONSEQUENCES[clock.matter] if c not in clock.consequences), "")
        if left:
            yield f"逾期 删去「{consequence}」", replace(clock, consequences=left)
        elif other:
            yield f"逾期 改为「{other}」", replace(clock, consequences=(other,))


def _with_length(clock: Clock, column: str, length: Term) -> Clock:
    match column:
        case "期限":
            return replace(clock, term=length)
        case "起算":
            return replace(clock, lead=length)
    return replace(clock, remind=length)


def _lengths(term: Term, *, acted: bool) -> Iterator[tuple[str, Term]]:
    """A term that is one shorter, one longer, or counted in another unit.

    ``acted`` says that something is to be done in it: it may be counted in working days.
    """
    for number in (term.number - 1, term.number + 1):
        if number:
            yield f"改为 {number}{term.unit}", replace(term, number=number)
    days = "日" if term.unit == "工作日" else "工作日"
    unit = days if acted else _OTHER_UNITS[term.unit]
    yield f"改为 {term.number}{unit}", replace(term, unit=unit)


def _of_term(term: Term) -> Iterator[tuple[str, Term | None]]:
    yield "删去", None
    yield from _lengths(term, acted=True)
    start = "次日起算" if term.running else "当日起算"
    yield f"改为 {start}", replace(term, running=not term.running)
