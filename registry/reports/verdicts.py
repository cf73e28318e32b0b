"""Verdicts for people: the rows of a one-screen table, and explanations in lines."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import Final, TypeAlias

from rich.table import Table
from rich.text import Text

from registry.filings import Issue
from registry.judging.verdicts import UNENCODED, CaseResult, TierVerdict
from registry.judging.wording import determination_text as determination_text
from registry.judging.wording import determined_text as determined_text
from registry.judging.wording import overruled_text as overruled_text
from registry.judging.wording import registration_text as registration_text
from registry.kit.screens import listing
from rules.explanation.figures import Figure
from rules.explanation.findings import Check, Finding, Option
from rules.explanation.wording import AT_THRESHOLD, result_text
from rules.language.editions import OTHERS, Governing
from rules.model.catalogue import SUBSTANCE
from rules.model.ruleset import Outcome, Points

COLOURS: Final = {
    "符合": "green",
    "不符合": "red",
    "材料不足": "yellow",
    "待人工认定": "cyan",
    UNENCODED: "dim",
}
_SIGNS: Final = {
    Outcome.MET: "✓",
    Outcome.NOT_MET: "✗",
    Outcome.MISSING: "？",
    Outcome.PENDING: "◇",
}
#: Marks a verdict that rests on a figure that can hardly be true.
DOUBTED: Final = "△"
#: From this many 情形 on, those ruled out are not listed beside open ones.
_MANY: Final = 4


#: A row of the table: name, day, the outcome of each tier, the obstacle.
Row: TypeAlias = tuple[str, date, tuple[str, ...], str]


def row(result: CaseResult) -> Row:
    """A case as a table row."""
    cells = tuple(_coloured(v) for v in result.verdicts)
    return result.name, result.as_of, cells, obstacle(result, short=True)


def table(shorts: Iterable[str], rows: Sequence[Row], width: int) -> Table:
    """The one-screen table: an enterprise per row, a tier per column (by its short name), and the obstacle.

    The filing date has a column of its own only if it differs between rows.
    """
    several = len({day for _, day, _, _ in rows}) > 1
    header = ["企业", *(["填报日期"] if several else []), *shorts, "主要原因"]
    shown: list[list[str | Text]] = [
        [name, *([day.isoformat()] if several else []), *map(Text.from_markup, cells), why]
        for name, day, cells, why in rows
    ]
    return listing(header, shown, width)


def not_applied(governing: Governing, day: date) -> Iterator[str]:
    """The rows that might have governed but did not; those of other places or rounds are left out.

    Rows of another procedure are included only if they were in force on the day.
    """
    province = governing.row.province
    for row, why in governing.rejected:
        elsewhere = row.province not in (OTHERS, province)
        another_round = row.batch not in ("", governing.row.batch) and "，不含" in why
        another_procedure = row.procedure != governing.row.procedure and not row.covers(day)
        if not (elsewhere or another_round or another_procedure):
            yield f"未适用：{row.basis}，因{why}"


def _coloured(verdict: TierVerdict) -> str:
    text = verdict.outcome
    marks = "".join(
        mark
        for mark, applies in (
            ("*", only_title_lacking(verdict)),
            ("†", verdict.determinations),
            ("‡", verdict.overruled),
            (DOUBTED, verdict.doubts),
        )
        if applies
    )
    return f"[{COLOURS[text]}]{text}[/]{marks}"


def only_title_lacking(verdict: TierVerdict) -> bool:
    """Whether the substantive conditions hold and only the prerequisite title is missing."""
    return verdict.outcome != "符合" and verdict.parts.get(SUBSTANCE) == "符合"


def obstacle(result: CaseResult, *, short: bool = False) -> str:
    """The obstacle to the lowest tier that is not 符合."""
    for verdict in result.verdicts:
        if verdict.outcome == "符合":
            continue
        found = list(_obstacles(verdict, short=short))
        more = f" 等{len(found)}项" if len(found) > 1 else ""
        return f"{verdict.short}：{found[0] if found else verdict.outcome}{more}"
    return ""


def _obstacles(verdict: TierVerdict, *, short: bool) -> Iterator[str]:
    """The grounds of a verdict other than 符合; for an open one, what must be filed or found."""
    if verdict.decision is None:
        yield verdict.note
    elif verdict.outcome == "不符合":
        yield from (shortest(c) if short else brief(c) for c in verdict.reasons())
    else:
        for figure in verdict.missing():
            value = figure.value.partition("（")[0] if short and figure.broken else figure.value
            yield f"{figure.name}{value}"


def shortest(check: Check) -> str:
    """A comparison in few words, such as 上年度研发费用占比差0.2个百分点."""
    name = check.requirement.partition(" ")[0]
    distance = check.distance.partition("，")[0]
    if not distance or check.outcome != Outcome.NOT_MET:
        return f"{name}为{check.value}"
    return f"{name}{check.value}，{distance}" if distance == AT_THRESHOLD else f"{name}{distance}"


def brief(check: Check) -> str:
    """A comparison as a phrase: 上年度研发费用占比 不低于3%，实为2.8%，差0.2个百分点，合31万元."""
    return "，".join(filter(None, (check.requirement, f"实为{check.value}", check.distance)))


# -- explanation -----------------------------------------------------------------------------------


def explanation(result: CaseResult, *, full: bool = True) -> Iterator[str]:
    """A case as lines of plain text; unless ``full``, only the obstacles are unfolded."""
    yield f"{result.name}（{result.uscc}）"
    yield f"填报日期 {result.as_of.isoformat()}，上年度为{result.as_of.year - 1}年"
    writer = _Writer(full)
    for verdict in result.verdicts:
        yield ""
        yield from writer.tier(verdict, result.as_of)
    if result.idle_doubts:
        yield ""
        yield "其余存疑的数据（以上结论不依据这些数据）："
        yield from (f"  · {doubt_text(d)}" for d in result.idle_doubts)


def doubt_text(doubt: Issue) -> str:
    """A doubt about a filed figure as a phrase: the figure, what is odd, and where it was filed."""
    value = f"「{doubt.value}」" if doubt.value else ""
    return f"{value}{doubt.said}{doubt.where and f'　〔{doubt.where}〕'}"


class _Writer:
    """Writes findings as an indented list; shows each rule only once."""

    def __init__(self, full: bool) -> None:
        self.full = full
        self.shown: set[str] = set()

    def tier(self, verdict: TierVerdict, day: date) -> Iterator[str]:
        note = f"（{verdict.note}）" if verdict.note else ""
        yield f"■ {verdict.tier}：{verdict.outcome}{note}"
        if verdict.governing:
            yield f"  适用依据：{verdict.governing.reason}"
            yield from (f"  注意：{said}" for said in verdict.governing.told())
            if self.full:
                told = dict.fromkeys(not_applied(verdict.governing, day))
                yield from (f"    {said}" for said in told)
        for determination in verdict.determinations:
            said = determination_text(determination, verdict.catalogue)
            yield f"  † 人工认定第{determination.seq}号　{said}"
        for entry in verdict.register:
            yield f"  登记簿第{entry.seq}号　{registration_text(entry)}"
        yield from (f"  ‡ {overruled_text(title)}" for title in verdict.overruled)
        yield from (f"  {DOUBTED} 数据存疑：{doubt_text(doubt)}" for doubt in verdict.doubts)
        if verdict.finding is None:
            return
        if len(verdict.parts) > 1:
            yield f"  {'；'.join(f'{name}：{value}' for name, value in verdict.parts.items())}"
        yield from self.finding(verdict.finding, 1)
        gaps = verdict.missing()
        if gaps:
            yield "  待补材料和待认定事项："
            yield from (f"    · {stated(f)}" for f in gaps)
        if self.full:
            yield from self.notes(verdict)

    @staticmethod
    def notes(verdict: TierVerdict) -> Iterator[str]:
        by_text: dict[tuple[str, str], list[str]] = {}
        for rule, note in verdict.notes:
            by_text.setdefault((note.confidence, note.text), []).append(rule)
        if by_text:
            yield "  本结论依据的解读（B：单一来源或转引；C：对文本未明之处的理解）："
        for (confidence, text), rules in by_text.items():
            yield f"    · [{confidence}] {text}〔{'、'.join(rules)}〕"

    def finding(self, finding: Finding, depth: int) -> Iterator[str]:
        pad = "  " * depth
        met = finding.result is Outcome.MET
        sign = _SIGNS[finding.result] if isinstance(finding.result, Outcome) else "·"
        full = f"／{full_points(finding)}" if finding.possible else ""
        head = f"{pad}{sign} {finding.title}：{finding.outcome}{full}"
        if finding.rule in self.shown:
            yield f"{head} 〔{finding.rule}，见上〕"
            return
        self.shown.add(finding.rule)
        yield f"{head} 〔{finding.rule}，{finding.citation}〕"
        if met and not self.full and depth > 1:
            yield from self.scores(finding, depth + 1)
            return
        if finding.groups:
            yield f"{pad}  {'；'.join(f'{g}得分{result_text(p)}' for g, p in finding.groups)}"
        if finding.uncapped:
            yield f"{pad}  各项之和{result_text(finding.uncapped)}，最高计{full_points(finding)}"
        for _, item in finding.items:
            yield from self.item(item, depth + 1)
        for check in finding.checks:
            yield from self.check(check, depth + 1)
        single = len(finding.options) == 1
        for option in shown_options(finding):
            if single:
                for check in option.checks:
                    yield from self.check(check, depth + 1)
            else:
                yield from self.option(option, depth + 1)

    def item(self, finding: Finding, depth: int) -> Iterator[str]:
        """A summand; in brief it is one line, with what it would take to earn more."""
        if self.full:
            yield from self.finding(finding, depth)
            return
        more = "；".join(c.distance for c in finding.checks if c.distance)
        name = finding.rule.rpartition(".")[2]
        yield f"{'  ' * depth}· {name}：{finding.outcome}／{full_points(finding)}{more and f'（{more}）'}"

    @staticmethod
    def scores(finding: Finding, depth: int) -> Iterator[str]:
        """Every comparison of a score at or below a finding, one per line."""
        for below in finding.walk():
            for option in filter(_scored, below.options):
                name = f"情形「{option.name}」" if len(below.options) > 1 else ""
                for check in option.checks:
                    if check.points is not None and check.outcome is not None:
                        yield f"{'  ' * depth}{_SIGNS[check.outcome]} {name}{_one_line(check)}"

    def option(self, option: Option, depth: int) -> Iterator[str]:
        yield self.headed(option, depth)
        single = _single(option)
        if single is None:
            for check in option.checks:
                yield from self.check(check, depth + 1)
            return
        yield from self.figures(single, depth + 1)
        if single.finding is not None:
            yield from self.finding(single.finding, depth + 1)

    @staticmethod
    def headed(option: Option, depth: int) -> str:
        """A 情形 on one line, with its only figure or score, or with its outcome."""
        head = f"{'  ' * depth}{_SIGNS[option.outcome]} 情形「{option.name}」"
        single = _single(option)
        return f"{head}{option.outcome.text if single is None else _one_line(single)}"

    def check(self, check: Check, depth: int) -> Iterator[str]:
        if check.finding is not None and check.points is None:
            yield from self.finding(check.finding, depth)
            return
        sign = _SIGNS[check.outcome] if check.outcome is not None else "·"
        yield f"{'  ' * depth}{sign} {_one_line(check)}"
        yield from self.figures(check, depth + 1)
        if check.finding is not None:
            yield from self.finding(check.finding, depth + 1)

    @staticmethod
    def figures(check: Check, depth: int) -> Iterator[str]:
        if not is_its_figure(check):
            for figure in check.figures:
                yield f"{'  ' * depth}  {stated(figure)}"


def full_points(finding: Finding) -> str:
    """The most points that a rule can give, in words."""
    possible = finding.possible or Fraction(0)
    return result_text(Points(possible, possible))


def _single(option: Option) -> Check | None:
    """The only comparison of a 情形, if it concerns a figure or a score."""
    first = option.checks[0]
    of_rule = first.finding is not None and first.points is None
    return first if len(option.checks) == 1 and not of_rule else None


def _scored(option: Option) -> bool:
    """Whether a 情形 compares a score."""
    return any(c.finding is not None and c.points is not None for c in option.checks)


def shown_options(finding: Finding) -> Iterable[Option]:
    """The 情形 worth reading: those that hold, else those not ruled out, else all.

    Those that compare a score are always included.
    """
    met = [o for o in finding.options if o.outcome is Outcome.MET]
    if met and isinstance(finding.result, Outcome):
        wanted = met
    else:
        unsettled = [o for o in finding.options if o.outcome is not Outcome.NOT_MET]
        many = len(finding.options) > _MANY and unsettled
        wanted = unsettled if many else list(finding.options)
    return [o for o in finding.options if o in wanted or _scored(o)]


def _one_line(check: Check) -> str:
    earned = f"，得{result_text(check.points)}" if check.points and check.outcome is None else ""
    distance = f"（{check.distance}）" if check.distance else ""
    source = _sourced(check.figures[0]) if is_its_figure(check) else ""
    return f"{check.requirement}：{check.value}{earned}{distance}{source}"


def is_its_figure(check: Check) -> bool:
    """Whether the compared value is just the one filed value, which need not be repeated."""
    if len(check.figures) != 1 or check.figures[0].record:
        return False
    return check.figures[0].value == check.value


def stated(figure: Figure) -> str:
    """A figure with its value and its source."""
    joint = " " if figure.record else "："
    return f"{figure.name}{joint}{figure.value}{_sourced(figure)}"


def _sourced(figure: Figure) -> str:
    """The source of a figure, unless its name says it."""
    named = not figure.source or figure.name.startswith(figure.source)
    return "" if named else f"　〔{figure.source}〕"
