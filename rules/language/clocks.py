"""Compiles clocks: the tables 按下表计时 of the feature files, and which of them govern when."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Any, Final

from rules.errors import Problem
from rules.language.editions import ApplicabilityRow
from rules.language.source import Clause, Row
from rules.language.tables import CLOCKS, REST
from rules.language.values import DATED
from rules.model.nearness import near
from rules.portable.calendar import Term
from rules.portable.clocks import (
    BAR,
    BEFORE_EXPIRY,
    CHANGE,
    CONSEQUENCES,
    COUNTED,
    EXTENSION,
    MISSES,
    RECHECK,
    STARTS,
    UNBARRED,
    UPDATE,
    VALIDITY,
    Clock,
    Clocks,
    Period,
)

#: What joins the consequences among which a person chooses.
OR: Final = "或"
#: The 期限 where nothing is barred, and that of a re-check that is due with the title.
NONE: Final = "无"
LAST_DAY: Final = "期满日"
_LENGTH: Final = r"([1-9][0-9]{0,2})(个?工作日|日|个月|年)"
_TERM: Final = re.compile(_LENGTH, re.ASCII)
_YEARLY: Final = re.compile(r"每年([0-9]{1,2})月([0-9]{1,2})日", re.ASCII)
_TIMES: Final = re.compile(r"([1-9][0-9]?)次", re.ASCII)
_GROUND: Final = re.compile(rf"因([\w（）]+?)({'|'.join(STARTS[BAR])}|{UNBARRED})")
#: The changes that must be reported, by name, and the start of the term: 更名、合并次日.
_CHANGES: Final = re.compile(r"([\w（）、]+)(次日|当日)")
_ANY: Final = "变化"
_BEFORE: Final = re.compile(rf"{BEFORE_EXPIRY}{_LENGTH}", re.ASCII)
#: What a title may tell: a length, a day of every year, a number of misses.
_TOLD: Final = re.compile(rf"{_LENGTH}|[0-9]{{1,2}}月[0-9]{{1,2}}日|[1-9][0-9]?次", re.ASCII)
#: The least days of a unit, to compare lengths.
_LEAST: Final = {"工作日": 1, "日": 1, "个月": 28, "年": 365}
_COMMON_YEAR: Final = 2023


def compile_clocks(clause: Clause) -> tuple[Clocks | None, list[Problem]]:
    """The clocks that a clause writes itself, or None with the faults of its table."""
    clocks: list[tuple[Row, Clock]] = []
    problems: list[Problem] = []
    rows, rest = own_rows(clause)
    for row in rows:
        try:
            clocks.append((row, _clock(row.cells)))
        except ValueError as fault:
            problems.append(Problem(clause.path, row.line, str(fault)))
    if rest and (not rest.cells[1] or any(rest.cells[2:])):
        said = f"“{REST}”一行只写依哪一张表：请在起算写那条规则的编号，其余各格留空"
        problems.append(Problem(clause.path, rest.line, said))
    if rest and not rows:
        said = f"只有“{REST}”一行，与所依的表没有不同：请在适用表中直接写那一张"
        problems.append(Problem(clause.path, rest.line, said))
    if not problems:
        problems += (Problem(clause.path, line, said) for line, said in _together(clause, clocks))
    found = Clocks(clause.id, tuple(clock for _, clock in clocks))
    return (None if problems else found), problems


def own_rows(clause: Clause) -> tuple[tuple[Row, ...], Row | None]:
    """The rows of a table of clocks, and the one that says whose are the rest, if any."""
    *rows, last = clause.definition.table[1:]
    return (tuple(rows), last) if last.cells[0] == REST else ((*rows, last), None)


def completed(
    clause: Clause, written: Mapping[str, Clocks], clauses: Mapping[str, Clause]
) -> tuple[Clocks | None, list[Problem]]:
    """The clocks of a clause with those that it takes from another table, or None with the faults.

    ``written`` are the clocks that each clause writes itself, ``clauses`` all that have any.
    """
    rows, rest = own_rows(clause)
    own = written[clause.id].clocks
    if rest is None:
        faults = _counted(zip((row.line for row in rows), own, strict=True))
    else:
        named = rest.cells[1]
        other = clauses.get(named)
        if other is None:
            said = f"计时「{named}」不存在{near(named, clauses)}：请写“{CLOCKS}”的规则的编号"
            return None, [Problem(clause.path, rest.line, said)]
        if own_rows(other)[1] is not None:
            said = f"计时「{named}」也依别的表：请直接写它所依的那一张"
            return None, [Problem(clause.path, rest.line, said)]
        if named not in written:
            return None, []  # its own faults are reported
        faults = [
            (row.line, f"与「{named}」的这一行相同，不起作用：请删去此行")
            for row, clock in zip(rows, own, strict=True)
            if clock in written[named].clocks
        ]
        mine = {(clock.matter, clock.ground) for clock in own}
        own += tuple(c for c in written[named].clocks if (c.matter, c.ground) not in mine)
        lines = [row.line for row in rows] + [rest.line] * (len(own) - len(rows))
        faults += _counted(zip(lines, own, strict=True))
    problems = [Problem(clause.path, line, said) for line, said in faults]
    return (None if problems else Clocks(clause.id, own)), problems


def _counted(clocks: Iterable[tuple[int, Clock]]) -> list[tuple[int, str]]:
    """What is wrong with misses that nothing adds up, or with adding up none, with its line."""
    every = [*clocks]
    counting = [line for line, clock in every if COUNTED in clock.consequences]
    counted = [line for line, clock in every if clock.matter == MISSES]
    if counting and not counted:
        return [(counting[0], f"“{COUNTED}”之后没有下文：请补一行“{MISSES}”")]
    if counted and not counting:
        said = f"没有一行的逾期是“{COUNTED}”，“{MISSES}”不会用到：请补写，或删去此行"
        return [(counted[0], said)]
    return []


def _clock(cells: Iterable[str]) -> Clock:
    """The clock of a row; ``ValueError`` says what is wrong with its cells."""
    matter, start, end, consequences, remind = cells
    if matter not in STARTS:
        if matter == REST:
            raise ValueError(f"“{REST}”应是最后一行：请移到表末")
        known = "、".join(STARTS)
        raise ValueError(f"事项「{matter}」不认识{near(matter, STARTS)}：可写{known}")
    begins, kinds = _changes(start) if matter == CHANGE else (start, ())
    begins, ground, lead = _start(matter, begins)
    term, yearly, times = _end(matter, end)
    if begins == UNBARRED or end == NONE:
        if begins != UNBARRED or end != NONE or consequences or remind:
            raise ValueError(
                f"“{matter}”没有期间的，起算写 因{ground}{UNBARRED}，期限写 {NONE}，逾期和提前提醒留空；"
                f"有期间的，起算写明{'或'.join(STARTS[BAR])}"
            )
        return Clock(matter=matter, start=begins, ground=ground)
    if lead and term and _days(term) >= _days(lead):
        raise ValueError(f"“{matter}”自{start}起，{end}已止，没有可办的日子：请改正")
    what = _consequences(matter, consequences)
    before = _remind(matter, end, remind, term)
    return Clock(
        matter=matter,
        start=begins,
        ground=ground,
        lead=lead,
        term=term,
        yearly=yearly,
        times=times,
        consequences=what,
        remind=before,
        kinds=kinds,
    )


def _changes(text: str) -> tuple[str, tuple[str, ...]]:
    """From when the term of a report runs, and the changes that the cell names."""
    match = _CHANGES.fullmatch(text)
    if match is None or any(text in starts for starts in STARTS.values()):
        return text, ()
    kinds = tuple(match[1].split("、"))
    if "" in kinds:
        raise ValueError(f"“{CHANGE}”的起算「{text}」有一处顿号前后是空的：请补写，或删去顿号")
    if len({*kinds}) < len(kinds):
        raise ValueError(f"“{CHANGE}”的起算「{text}」有两处相同的变化：请删去一处")
    if _ANY in kinds:
        said = f"“{_ANY}”是任何变化，不与别的并列"
        raise ValueError(f"“{CHANGE}”的起算「{text}」：{said}；请改写为“其他{_ANY}”，或删去其余")
    return _ANY + match[2], kinds


def _start(matter: str, text: str) -> tuple[str, str, Term | None]:
    """From when a clock runs, for which ground, and how long before the last day."""
    known = STARTS[matter]
    if matter == BAR:
        if (match := _GROUND.fullmatch(text)) is not None:
            return match[2], match[1], None
        forms = "、".join(f"因数据造假{start}" for start in (*known, UNBARRED))
        raise ValueError(f"“{matter}”的起算「{text}」应写成 {forms}")
    if matter == RECHECK and (match := _BEFORE.fullmatch(text)) is not None:
        return BEFORE_EXPIRY, "", _term(match[1], match[2])
    if text in known and text != BEFORE_EXPIRY:
        return text, "", None
    shown = [f"{BEFORE_EXPIRY}6个月" if k == BEFORE_EXPIRY else k for k in known]
    more = "，或列出变化如 更名、合并次日" if matter == CHANGE else ""
    said = f"“{matter}”的起算「{text}」不认识{near(text, shown)}"
    raise ValueError(f"{said}：可写{'、'.join(shown)}{more}")


def _end(matter: str, text: str) -> tuple[Term | None, tuple[int, int] | None, int]:
    """How long a clock runs, or on which day of the year it ends, or how many misses are too many."""
    if not text:
        raise ValueError(f"“{matter}”没有期限，永远不会到期：请补写")
    match matter:
        case "年度更新":
            if (match := _YEARLY.fullmatch(text)) is not None:
                return None, _day_of_year(text, int(match[1]), int(match[2])), 0
            raise ValueError(f"“{matter}”的期限「{text}」应写成 每年4月30日")
        case "累计未更新":
            if (match := _TIMES.fullmatch(text)) is not None and int(match[1]) > 1:
                return None, None, int(match[1])
            raise ValueError(f"“{matter}”的期限「{text}」应写成 2次 或更多")
        case "复核申报":
            if text == LAST_DAY:
                return None, None, 0
            if (match := _BEFORE.fullmatch(text)) is not None:
                return _term(match[1], match[2]), None, 0
            raise ValueError(f"“{matter}”的期限「{text}」应写成 {LAST_DAY} 或 {BEFORE_EXPIRY}1个月")
    if matter == BAR and text == NONE:
        return None, None, 0
    if (match := _TERM.fullmatch(text)) is None:
        none = f"，没有的写{NONE}" if matter == BAR else ""
        raise ValueError(f"“{matter}”的期限「{text}」应写成 3年、3个月、15日 或 15个工作日{none}")
    found = _term(match[1], match[2])
    if matter in (VALIDITY, EXTENSION, BAR) and found.unit == "工作日":
        raise ValueError(f"“{matter}”不按工作日计：请改写为年、月或日")
    return found, None, 0


def _day_of_year(text: str, month: int, day: int) -> tuple[int, int]:
    try:
        date(_COMMON_YEAR, month, day)
    except ValueError:
        raise ValueError(f"「{text}」不是每年都有的日子：请改正") from None
    return month, day


def _consequences(matter: str, text: str) -> tuple[str, ...]:
    known = CONSEQUENCES[matter]
    parts = tuple(text.split(OR)) if text else ()
    if not parts:
        raise ValueError(f"“{matter}”没有写逾期怎样：可写{'、'.join(known)}")
    for part in parts:
        if part not in known:
            said = f"“{matter}”的逾期「{part}」不认识{near(part, known)}"
            raise ValueError(f"{said}：可写{'、'.join(known)}，或用“{OR}”连接")
    if len({*parts}) < len(parts):
        raise ValueError(f"逾期「{text}」有两处相同：请删去一处")
    return parts


def _remind(matter: str, end: str, text: str, term: Term | None) -> Term | None:
    if not text:
        return None
    if matter == MISSES:
        raise ValueError(f"“{matter}”的期限是{end}，无从提前提醒：请留空")
    match = _TERM.fullmatch(text)
    if match is None or match[2].endswith("工作日"):
        raise ValueError(f"提前提醒「{text}」应写成 30日 或 6个月，或留空")
    found = _term(match[1], match[2])
    whole = _LEAST["年"] if matter == UPDATE else _days(term) if term else _days(found) + 1
    if matter != RECHECK and _days(found) >= whole:
        raise ValueError(f"提前{text}提醒，不短于期限{end}：请改短")
    return found


def _term(number: str, unit: str) -> Term:
    return Term(int(number), "工作日" if unit.endswith("工作日") else unit)


def _days(term: Term) -> int:
    return term.number * _LEAST[term.unit]


def _together(clause: Clause, clocks: list[tuple[Row, Clock]]) -> Iterator[tuple[int, str]]:
    """What is wrong with rows that cannot be meant together, with their lines."""
    seen: dict[tuple[str, str], int] = {}
    for row, clock in clocks:
        first = seen.setdefault((clock.matter, clock.ground), row.line)
        if first != row.line:
            what = f"因{clock.ground}取消的" if clock.ground else ""
            said = f"与第{first}行都是{what}“{clock.matter}”，不知依哪一行：请删去一行"
            yield row.line, said
    written = "；".join(cell for row, _ in clocks for cell in row.cells)
    for match in _TOLD.finditer(DATED.sub("", clause.title)):
        if not re.search(rf"(?<![0-9]){re.escape(match[0])}", written):
            said = f"标题说的「{match[0]}」不是表中的期限：请使两者一致"
            yield clause.line, said


def published(rows: Iterable[ApplicabilityRow], clocks: Mapping[str, Clocks]) -> dict[str, Any]:
    """Clocks, and which of them govern, in JSON's own types, as ``Timing.of`` reads them."""
    told = [
        {
            "tier": row.tier,
            "province": row.province,
            "start": row.start.isoformat() if row.start else None,
            "end": row.end.isoformat() if row.end else None,
            "clocks": row.ruleset,
            "basis": row.basis,
        }
        for row in rows
    ]
    return {"rows": told, "clocks": {id: table.to_json() for id, table in clocks.items()}}


def unsettled(found: tuple[Period, ...]) -> Iterator[tuple[date, str]]:
    """The days on which tables change so that the update of that year has two last days, or none."""
    for before, after in pairwise(found):
        old, new = (p.clocks.clock(UPDATE) for p in (before, after))
        if not old or not new or not old.yearly or not new.yearly or after.first is None:
            continue
        year = after.first.year
        days = [(before, date(year, *old.yearly)), (after, date(year, *new.yearly))]
        held = [str(day) for period, day in days if period.covers(day)]
        if len(held) != 1:
            yield after.first, "、".join(held) or "没有一日"
