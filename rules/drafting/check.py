"""The linter of feature files: compiles everything, runs every example, lists every problem."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final

from rules.decider import by_reference
from rules.drafting import clocks
from rules.drafting.examples import (
    NO_CLOCKS,
    NO_RULESET,
    NO_WORKFLOW,
    Evaluate,
    Example,
    applies,
    examples,
    read_indicator,
    readings,
    run,
    shown,
)
from rules.drafting.mutants import (
    EQUIVALENT,
    read_equivalent,
    stale,
    survivors,
    unlisted,
    users,
)
from rules.drafting.soundness import faults, unused
from rules.errors import Problem, RulesError, RulesetError
from rules.language.clocks import own_rows
from rules.language.editions import OTHERS, RECHECK, RECOGNITION, ApplicabilityRow
from rules.language.lines import Slot
from rules.language.linking import dependencies
from rules.language.provinces import PROVINCES, Fill, acting, short_name
from rules.language.rulebook import Rulebook, compile_all
from rules.language.source import Clause
from rules.language.values import exact_decimal
from rules.model.nearness import near
from rules.model.ruleset import Attested, Bands, Ladder, Points, Rule, Total
from rules.portable.clocks import BAR, CHANGE, Clock, Period
from rules.portable.timing import Timing

#: The mark of a source that nobody has confirmed.
UNCONFIRMED: Final = "（未证实）"


def check(
    path: Path,
    evaluate: Evaluate = by_reference,
    own: Path | None = None,
    *,
    base: Path | None = None,
    only: str = "",
) -> tuple[Rulebook, list[Problem]]:
    """Compile a features folder and run its examples; return every problem with file and line.

    ``own`` is a folder of packs laid over it; the declarations and data maps of ``base`` hold if
    ``path`` has none. Only the rules of files whose path begins with ``only`` are run and altered,
    and only their problems are returned. Two more kinds of problems are listed if there are no
    others: a rule that can be altered without any example failing, and a row of the applicability
    table without an example on each of its boundary days. What could not be run is a problem too.

    The examples of the packaged criteria show what governs without the packs, so they are run
    without them; the packs cannot change a packaged ruleset.
    """
    rulebook = compile_all(path, own, base=base)
    written = [c for c in rulebook.clauses.values() if c.path.startswith(only)]
    if own is None:  # what was taken from ``base`` is not checked here
        written = [c for c in written if (path / c.path).is_file()]
    ids = [c.id for c in written]
    if own is None:
        return rulebook, _checked(rulebook, ids, evaluate, path, only, whole=not only)
    within = f"{own.resolve().name}/"
    mine = [id for id in ids if rulebook.clauses[id].path.startswith(within)]
    problems = _checked(rulebook, mine, evaluate, own, only, within, whole=only in ("", within))
    if len(mine) < len(ids):
        packaged = compile_all(path, base=base)
        problems += _checked(packaged, [*packaged.clauses], evaluate, path, "", whole=True)
    return rulebook, sorted(set(problems))


def _checked(
    rulebook: Rulebook,
    ids: Collection[str],
    evaluate: Evaluate,
    folder: Path,
    only: str,
    within: str = "",
    *,
    whole: bool,
) -> list[Problem]:
    """Every problem of some rules, and of files whose path begins with ``only``.

    ``within`` is what the names of files in ``folder`` begin with; ``whole`` says that these are all.
    """
    found = [p for p in rulebook.problems if p.path.startswith(only)]
    sound = {id for id in rulebook.clauses if _compiles(rulebook, id)}
    found += unrun(rulebook, [id for id in ids if id not in sound])
    found += faults(rulebook, ids)
    run_here = [id for id in ids if id in sound]
    found += check_examples(rulebook, evaluate, run_here)
    if not found:
        try:
            found += _unguarded(rulebook, run_here, evaluate, folder, within, whole=whole)
        except RulesetError as error:
            line = int(error.fields.get("line", 1))
            message = str(error).partition(": ")[2]
            found.append(Problem(f"{within}{EQUIVALENT}", line, message))
        found += _unbounded(rulebook, run_here)
        found += _unwatched(rulebook, run_here)
    return sorted(set(found))


def unrun(rulebook: Rulebook, ids: Iterable[str]) -> Iterator[Problem]:
    """One problem for each rule that could not be checked because another has a fault."""
    for id in ids:
        clause = rulebook.clauses[id]
        if _faults_of(rulebook, clause):
            continue
        cause = next(_causes(rulebook, id), None)
        where = f"（{cause}）" if cause else ""
        yield Problem(
            clause.path,
            clause.line,
            f"规则「{id}」没有检查：它所依据的规则有错{where}，请先改正",
        )


def _causes(rulebook: Rulebook, id: str) -> Iterator[str]:
    """The places of the faults of the rules on which a rule rests."""
    seen: set[str] = set()
    ahead = [id]
    while ahead:
        id = ahead.pop()
        if id in seen:
            continue
        seen.add(id)
        if id in rulebook.clauses:
            yield from (f"{p.path}:{p.line}" for p in _faults_of(rulebook, rulebook.clauses[id]))
        if id in rulebook.rules:
            ahead += dependencies(rulebook.rules[id], rulebook.indicators)


def _faults_of(rulebook: Rulebook, clause: Clause) -> list[Problem]:
    """The problems of compilation that stand in a clause."""
    starts = sorted(c.line for c in rulebook.clauses.values() if c.path == clause.path)
    after = next((line for line in starts if line > clause.line), None)
    return [
        p
        for p in rulebook.problems
        if p.path == clause.path and clause.line <= p.line and (after is None or p.line < after)
    ]


def notices(rulebook: Rulebook) -> list[Problem]:
    """Problems that are only reported: a province exceeds the national text, or a rule is unused."""
    found = []
    for fill in rulebook.fills:
        slot, clause = rulebook.slots[fill.slot], rulebook.clauses[fill.slot]
        for text in _exceeding(rulebook, fill, slot):
            message = f"{fill.province}{text}（{clause.path}:{clause.line}）：照录，请核对原文"
            found.append(Problem(fill.position.path, fill.position.line, message))
    for document in rulebook.documents:
        if document.tag("source").endswith(UNCONFIRMED):
            message = f"来源「{document.tag('source')}」尚未证实：取得原文后请改正或删去"
            found.append(Problem(document.path, 1, message))
    return sorted([*found, *unused(rulebook, rulebook.clauses)])


def _exceeding(rulebook: Rulebook, fill: Fill, slot: Slot) -> Iterator[str]:
    if fill.value is not None:
        if fill.value.value < slot.least:
            yield f"设定{slot.name}为{fill.text}，全国文本的默认值为{slot.default}，不得降低"
        return
    rule = rulebook.rule(fill.text)
    if rule.possible is not None and slot.most is not None and rule.possible > slot.most:
        yield f"的「{slot.name}」最高{rule.possible}分，全国文本允许最高{slot.most}分"
    count = len(rule.body.items) if isinstance(rule.body, Total) else 1
    if slot.fewest_items is None or slot.most_items is None:
        return
    if not slot.fewest_items <= count <= slot.most_items:
        permitted = f"{slot.fewest_items}项至{slot.most_items}项"
        yield f"的「{slot.name}」设了{count}项指标，全国文本允许{permitted}"


def _unbounded(rulebook: Rulebook, ids: Collection[str]) -> Iterator[Problem]:
    """One problem for each row without an example on, before or after the day it begins or ends."""
    places = {(c.path, r.line): c.id for c in rulebook.clauses.values() for r in c.definition.table}
    for row in (*rulebook.applicability, *rulebook.beside):
        id = places[row.position.path, row.position.line]
        if id not in ids:
            continue
        wanted = {day + by * timedelta(days=1) for day in _edges(row) for by in (-1, 0, 1)}
        lacking = sorted(wanted - {e.given.day for e in _cases_of(rulebook, id, row)})
        if lacking:
            days = "、".join(map(str, lacking))
            where = "" if row.province == OTHERS else row.province
            batch = f"批次「{row.batch}」" if row.batch else ""
            yield Problem(
                row.position.path,
                row.position.line,
                f"适用的起止日及前后各一日都应有例子：{row.tier}{row.procedure}{where}{batch}缺{days}",
            )


def _unwatched(rulebook: Rulebook, ids: Collection[str]) -> Iterator[Problem]:
    """One problem for each clock whose last day no example asks about, or not the day beside it.

    The same applies to changes that a table names and no example does, or the other way round.
    """
    calendar = rulebook.working_days
    for id in ids:
        table = rulebook.clocks.get(id)
        if table is None:
            continue
        clause = rulebook.clauses[id]
        asked = [*_asked(clause, Timing((Period(None, None, table),), calendar), rulebook)]
        for clock, row in zip(table.clocks, own_rows(clause)[0], strict=False):
            if clock.matter == BAR and clock.term is None:
                continue
            seen = {by for c, by in asked if c is clock}
            lacking = [said for by, said in _BESIDE.items() if by not in seen]
            if lacking:
                what = (
                    f"因{clock.ground}取消的“{clock.matter}”"
                    if clock.ground
                    else f"“{clock.matter}”"
                )
                said = f"{what}的最后一日及前后各一日都应有例子，写明那一日的情形：缺{'、'.join(lacking)}"
                yield Problem(clause.path, row.line, said)
            if clock.matter != CHANGE:
                continue
            told = _told(clause, rulebook)
            silent = [kind for kind in clock.kinds if kind not in told]
            if silent:
                said = f"“{CHANGE}”列出的每种变化都应有例子，写明报告的期限或那一日的情形：缺{'、'.join(silent)}"
                yield Problem(clause.path, row.line, said)
            if told and not clock.kinds:
                said = f"例子说到{'、'.join(told)}，“{CHANGE}”没有列出变化：请在起算中列出，或把例子改写为“发生变化”"
                yield Problem(clause.path, row.line, said)


def _told(clause: Clause, rulebook: Rulebook) -> tuple[str, ...]:
    """The changes, by name, about whose reports examples ask, each once."""
    return tuple(
        dict.fromkeys(
            event.ground
            for example in examples(clause, rulebook.catalogue)
            if any(
                e.kind == clocks.REPORT or (e.kind, e.subject) == (clocks.STANDS, CHANGE)
                for e in example.expected
            )
            for event in example.given.recorded.events
            if event.matter == CHANGE and event.ground
        )
    )


#: The days about which examples of a clock ask, counted from its last.
_BESIDE: Final = {-1: "前一日", 0: "当日", 1: "后一日"}


def _asked(clause: Clause, timing: Timing, rulebook: Rulebook) -> Iterator[tuple[Clock, int]]:
    """The clocks about whose state examples ask, and how many days after their last days."""
    for example in examples(clause, rulebook.catalogue):
        given, day = example.given, example.given.happened.asked
        subjects = [clocks.about(e.subject) for e in example.expected if e.kind == clocks.STANDS]
        if day is None or not subjects:
            continue
        grounds = {e.subject: e.ground for e in given.recorded.events}
        for item in clocks.items(timing, given.recorded, day):
            table = timing.periods[0].clocks
            clock = table.clock(item.matter, grounds[item.subject] if item.matter == BAR else "")
            told = any(item.matter == m and s in (item.subject, "") for m, s in subjects)
            if told and clock is not None and item.due is not None:
                yield clock, (day - item.due).days


def _edges(row: ApplicabilityRow) -> Iterator[date]:
    yield from (day for day in (row.start, row.end) if day)


def _cases_of(rulebook: Rulebook, id: str, row: ApplicabilityRow) -> Iterator[Example]:
    """The examples of a rule that ask which ruleset governs a case to which a row may apply."""
    for example in examples(rulebook.clauses[id], rulebook.catalogue):
        given = example.given
        asked = any(e.kind == "适用" for e in example.expected)
        procedure = given.case.get("程序", "认定") if row.procedure else ""
        same = (given.case.get("层级"), procedure, given.case.get("批次", ""))
        here = row.province in (OTHERS, given.province)
        if asked and here and same == (row.tier, row.procedure, row.batch):
            yield example


def _unguarded(
    rulebook: Rulebook,
    ids: Collection[str],
    evaluate: Evaluate,
    folder: Path,
    within: str,
    *,
    whole: bool,
) -> Iterator[Problem]:
    """One problem for each mutant that no example catches, unless it is listed as equivalent.

    Nor may an entry of the list name a mutant that is gone or is caught; this is known only if
    the ``whole`` folder is checked.
    """
    table = folder / EQUIVALENT
    listed = read_equivalent(table) if table.is_file() else {}
    left = _untold(rulebook, ids, evaluate)
    found = survivors(rulebook, ids, avoid=frozenset(left.values()))
    for mutant in unlisted(found, listed):
        clause = rulebook.clauses.get(mutant.rule)
        if clause is not None:
            yield Problem(
                clause.path,
                clause.line,
                f"规则「{mutant.rule}」{mutant.description}后，例子仍全部成立："
                "请补上恰在门槛、略低、略高或只有此处不同的例子；确认改后结论处处相同的，"
                f"在 {EQUIVALENT} 中写一行「{mutant.rule},{mutant.description},理由」",
            )
    for id, cause in left.items():
        clause = rulebook.clauses[id]
        yield Problem(
            clause.path,
            clause.line,
            f"规则「{id}」的例子是否足够没有检查：用到它的规则「{cause}」有错，请先改正",
        )
    if whole and not left and listed:
        lines = {key: number for number, key in enumerate(listed, 2)}
        for key in stale(found, listed):
            yield Problem(
                f"{within}{EQUIVALENT}",
                lines[key],
                f"「{key[0]}」没有「{key[1]}」这一变异，或已有例子查出：请改正或删去此行",
            )


def _untold(rulebook: Rulebook, ids: Collection[str], evaluate: Evaluate) -> dict[str, str]:
    """The rules whose mutants the failing examples of another rule might seem to notice, with it."""
    others: dict[str, str] = {}
    for id in ids if len(ids) < len(rulebook.clauses) else ():
        for user in users(rulebook, id):
            if user not in ids:
                others.setdefault(user, id)
    return {
        id: user
        for user, id in others.items()
        if not _compiles(rulebook, user) or check_examples(rulebook, evaluate, [user])
    }


def _compiles(rulebook: Rulebook, id: str) -> bool:
    """Whether the examples of a rule can be run."""
    if id not in rulebook.rules:  # a slot, what provinces set, or an applicability table
        return not _faults_of(rulebook, rulebook.clauses[id])
    try:
        rulebook.ruleset(id)
    except (RulesError, KeyError, RecursionError):  # absent, or referring to itself
        return False
    return True


def check_examples(
    rulebook: Rulebook, evaluate: Evaluate = by_reference, only: Iterable[str] | None = None
) -> list[Problem]:
    """Run the examples of all rules (or ``only`` some): one problem for each that fails."""
    problems: list[Problem] = []
    for id in rulebook.clauses if only is None else only:
        for found in readings(rulebook.clauses[id], rulebook.catalogue):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                problems += _failures(rulebook, found, evaluate)
    return problems


def _failures(rulebook: Rulebook, example: Example, evaluate: Evaluate) -> Iterator[Problem]:
    try:
        _possible_case(rulebook, example)
        _assumable(rulebook, example)
        for r in run(rulebook, example, evaluate, read_indicator):
            if not r.passed:
                yield Problem(
                    example.path,
                    example.line,
                    f"规则「{example.rule}」的例子「{example.name}」应为“{r.expectation.text}”，"
                    f"按定义表得“{r.actual}”：请改正例子或定义表",
                )
    except RulesError as error:
        yield Problem(
            example.path, example.line, f"规则「{example.rule}」的例子「{example.name}」：{error}"
        )


def _possible_case(rulebook: Rulebook, example: Example) -> None:
    """Raise ``RulesError`` if an example's case has a name that is nearly one that cases can have.

    An example that no ruleset governs may show just that.
    """
    case = example.given.case
    if all(e.text in (NO_RULESET, NO_WORKFLOW, NO_CLOCKS) for e in example.expected):
        return
    known = {
        "层级": [t.name for t in rulebook.catalogue.tiers],
        "程序": [RECOGNITION, RECHECK],
        "省份": [*PROVINCES, *map(short_name, PROVINCES)],
    }
    for what, names in known.items():
        name = case.get(what, "")
        if what == "省份" and acting(name) in PROVINCES:
            continue
        if name and name not in names and (hint := near(name, names)):
            raise RulesError(
                "unknown-in-case",
                "{what}「{value}」不认识{near}：请改正",
                what=what,
                value=name,
                near=hint,
            )


def _assumable(rulebook: Rulebook, example: Example) -> None:
    """Raise ``RulesError`` if an example assumes a result on which its rule does not rest."""
    if not example.given.assume:
        return
    own = example.rule in rulebook.rules
    root = example.rule if own else applies(rulebook, example.given)
    used = {r.id for r in rulebook.ruleset(root, example.given.assume).rules}
    for id, result in example.given.assume.items():
        if id == example.rule or id not in used:
            raise RulesError(
                "idle-assumption",
                "本规则没有用到「{value}」的结论{near}：请查对编号，或删去此行",
                value=id,
                near=near(id, used - {example.rule}),
            )
        rule = rulebook.rule(id)
        if rule.scored != isinstance(result, Points):
            kind = "得分" if rule.scored else "结论"
            raise RulesError(
                "other-kind-assumed", "「{where}」应给出{expected}：请改正", where=id, expected=kind
            )
        if isinstance(result, Points):
            _within(rulebook, rule, result)


def _within(rulebook: Rulebook, rule: Rule, result: Points) -> None:
    """Raise ``RulesError`` if an example gives a scored rule points that it cannot have."""
    least, most = _least(rulebook, rule), rule.possible
    if most is not None and not least <= result.lo <= result.hi <= most:
        raise RulesError(
            "impossible-points",
            "「{where}」的得分只能是{least}至{most}，不会是{value}：请改正",
            where=rule.id,
            least=f"{exact_decimal(least)}分",
            most=f"{exact_decimal(most)}分",
            value=shown(result),
        )


def _least(rulebook: Rulebook, rule: Rule) -> Fraction:
    """The fewest points that a scored rule can give."""
    match rule.body:
        case Bands(tables):
            return min(band.points for _, bands in tables for band in bands)
        case Ladder(_, rest):
            return rest
        case Total(items):
            return sum((_least(rulebook, rulebook.rule(i.rule)) for i in items), Fraction(0))
        case Attested(_, lo, _):
            return lo
    return Fraction(0)
