"""The linter of feature files: compiles everything, runs every example, lists every problem."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from rules.decider import by_reference
from rules.drafting.examples import Evaluate, Example, applies, examples, read_indicator, run
from rules.drafting.mutants import EQUIVALENT, read_equivalent, survivors, unlisted
from rules.errors import Problem, RulesError, SourceError
from rules.language.editions import OTHERS, ApplicabilityRow
from rules.language.lines import Slot
from rules.language.provinces import Fill
from rules.language.rulebook import Rulebook, compile_all
from rules.model.ruleset import Points, Total

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

    ``own`` is a folder of packs laid over it; the declarations of ``base`` hold if ``path`` has
    none. Only the rules of files whose path begins with
    ``only`` are run and altered. Two more kinds of problems are listed: a rule that can be altered
    without any example failing, and a row of the applicability table without an example on each of
    its boundary days.
    If a rule does not compile, the examples of all rules that do not rest on it still run.
    """
    rulebook = compile_all(path, own, base=base)
    ids = [c.id for c in rulebook.clauses.values() if c.path.startswith(only)]
    if not rulebook.problems:
        problems = check_examples(rulebook, evaluate, ids)
        if not problems:
            tables = [folder / EQUIVALENT for folder in (path, own) if folder is not None]
            problems = sorted([*_unguarded(rulebook, ids, tables), *_unbounded(rulebook, ids)])
        return rulebook, problems
    sound = [id for id in ids if _compiles(rulebook, id)]
    return rulebook, sorted([*rulebook.problems, *check_examples(rulebook, evaluate, sound)])


def notices(rulebook: Rulebook) -> list[Problem]:
    """Problems that are only reported: a province exceeds what the national text permits."""
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
    return sorted(found)


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
    for row in rulebook.applicability:
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


def _edges(row: ApplicabilityRow) -> Iterator[date]:
    yield from (day for day in (row.start, row.end) if day)


def _cases_of(rulebook: Rulebook, id: str, row: ApplicabilityRow) -> Iterator[Example]:
    """The examples of a rule that ask which ruleset governs a case to which a row may apply."""
    for example in examples(rulebook.clauses[id], rulebook.catalogue):
        given = example.given
        asked = any(e.kind == "适用" for e in example.expected)
        same = (given.case.get("层级"), given.case.get("程序", "认定"), given.case.get("批次", ""))
        here = row.province in (OTHERS, given.province)
        if asked and here and same == (row.tier, row.procedure, row.batch):
            yield example


def _unguarded(
    rulebook: Rulebook, ids: Collection[str], tables: Iterable[Path]
) -> Iterator[Problem]:
    """One problem for each mutant that no example catches, unless it is listed as equivalent."""
    listed = {
        k: v for table in tables if table.is_file() for k, v in read_equivalent(table).items()
    }
    for mutant in unlisted(survivors(rulebook, ids), listed):
        clause = rulebook.clauses.get(mutant.rule)
        if clause is not None:
            yield Problem(
                clause.path,
                clause.line,
                f"规则「{mutant.rule}」{mutant.description}后，例子仍全部成立："
                "请补上恰在门槛、略低、略高或只有此处不同的例子",
            )


def _compiles(rulebook: Rulebook, id: str) -> bool:
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
        try:
            for example in examples(rulebook.clauses[id], rulebook.catalogue):
                problems += _failures(rulebook, example, evaluate)
        except SourceError as error:
            problems += error.problems
    return problems


def _failures(rulebook: Rulebook, example: Example, evaluate: Evaluate) -> Iterator[Problem]:
    try:
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
                "本规则没有用到「{value}」的结论：请查对编号，或删去此行",
                value=id,
            )
        if rulebook.rule(id).scored != isinstance(result, Points):
            kind = "得分" if rulebook.rule(id).scored else "结论"
            raise RulesError(
                "other-kind-assumed", "「{where}」应给出{expected}：请改正", where=id, expected=kind
            )
