"""Compiles workflows: the tables 按下表办理 of the feature files."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from rules.errors import Problem
from rules.language.source import Clause, Row
from rules.language.values import DATED
from rules.model.nearness import near
from rules.portable.calendar import Term
from rules.portable.workflow import (
    CLOCK,
    EFFECTS,
    ENDINGS,
    ENTERPRISE,
    EXTEND,
    GRANT,
    LEVELS,
    NEEDS,
    OBJECT,
    SETTLE,
    Act,
    Workflow,
)

_NAMED: Final = ("环节", "承办", "办理", "转入")
ROLES: Final = ("经办", "复核人", "负责人")
_ACTORS: Final = (
    ENTERPRISE,
    CLOCK,
    *LEVELS,
    *(f"{level}{role}" for level in LEVELS for role in ROLES),
)
#: A publicity counts its first day, and its end does not move.
_TERM: Final = re.compile(r"(公示)?([1-9][0-9]{0,2})(?:个)?(工作日|日|月)", re.ASCII)
_NAME: Final = re.compile(r"[\w（）]+")
#: What is done with the title, and the ending with which alone it is.
_TITLES: Final = {GRANT: "认定", EXTEND: "通过复核"}
_UNITS: Final = {"工作日": "工作日", "日": "日", "月": "个月"}


def term(text: str) -> Term:
    """A 时限; ``ValueError`` says how to write it.

    >>> str(term("公示5个工作日")), term("公示5个工作日").running, str(term("3个月"))
    ('5工作日', True, '3个月')
    """
    match = _TERM.fullmatch(text)
    if match is None:
        raise ValueError(f"时限「{text}」应写成 10个工作日、7日、3个月 或 公示5个工作日，或留空")
    return Term(int(match[2]), _UNITS[match[3]], running=bool(match[1]))


def compile_workflow(clause: Clause) -> tuple[Workflow | None, list[Problem]]:
    """The workflow of a clause, or None with the faults of its table."""
    _, *rows = clause.definition.table
    compiler = _Compiler(clause, rows)
    compiler.read()
    if not compiler.problems:
        compiler.compare()
    workflow = Workflow(id=clause.id, acts=tuple(compiler.acts), terms=compiler.terms)
    return (None if compiler.problems else workflow), compiler.problems


class _Compiler:
    def __init__(self, clause: Clause, rows: Sequence[Row]) -> None:
        self.clause = clause
        self.rows = rows
        self.acts: list[Act] = []
        self.terms: dict[str, Term] = {}
        self.problems: list[Problem] = []

    def refuse(self, row: Row, said: str) -> None:
        self.problems.append(Problem(self.clause.path, row.line, said))

    def read(self) -> None:
        states = [row.cells[0] for row in self.rows]
        for row in self.rows:
            for said in self.faults(row, states):
                self.refuse(row, said)
            state, actor, act, to, length, needs, effects = row.cells
            self.acts.append(
                Act(
                    state=state,
                    actor=actor,
                    act=act,
                    to=to,
                    needs=_parts(needs),
                    effects=_parts(effects),
                )
            )
            if length:
                self.time(row, state, length)

    def faults(self, row: Row, states: Sequence[str]) -> Iterator[str]:
        """What is wrong with the cells of a row by themselves."""
        state, actor, act, to, _, needs, effects = row.cells
        for column, cell in zip(_NAMED, (state, actor, act, to), strict=False):
            if not cell and not (column == "办理" and actor == CLOCK):
                yield f"{column}为空：请补写"
            elif cell and not _NAME.fullmatch(cell):
                yield f"{column}「{cell}」中有标点或空格：请去掉"
        if state in ENDINGS:
            yield f"“{state}”是办结的环节，不能再办理：请改环节，或删去此行"
        if actor and actor not in _ACTORS:
            yield f"承办「{actor}」不认识{near(actor, _ACTORS)}：可写企业、期满，或级别加{'、'.join(ROLES)}"
        if actor == CLOCK and act:
            yield "期满不是谁办理的：办理一格请留空"
        if actor == CLOCK and to == state:
            yield f"期满后仍在“{state}”，没有意义：请改转入，或删去此行"
        if to and to not in states and to not in ENDINGS:
            known = (*dict.fromkeys(states), *ENDINGS)
            yield f"转入「{to}」既不是表中的环节，也不是办结{near(to, known)}：办结可写{'、'.join(ENDINGS)}"
        acts = [r.cells[2] for r in self.rows if r.cells[2]]
        for need in _parts(needs):
            if need not in NEEDS and need not in acts:
                known = (*NEEDS, *dict.fromkeys(acts))
                yield f"须有「{need}」不认识{near(need, known)}：可写{'、'.join(NEEDS)}，或表中的办理"
            if need in acts and need == act:
                yield f"“{act}”须先“{need}”，永远办不成：请改正"
        for effect in _parts(effects):
            if effect not in EFFECTS:
                yield f"效果「{effect}」不认识{near(effect, EFFECTS)}：可写{'、'.join(EFFECTS)}，或留空"
        if len({*_parts(needs)}) < len(_parts(needs)) or len({*_parts(effects)}) < len(
            _parts(effects)
        ):
            yield "须有或效果中有两处相同：请删去一处"

    def time(self, row: Row, state: str, length: str) -> None:
        try:
            found = term(length)
        except ValueError as fault:
            self.refuse(row, str(fault))
            return
        if self.terms.setdefault(state, found) != found:
            self.refuse(row, f"“{state}”的时限前后不一：同一环节只有一个时限，请改正")

    def compare(self) -> None:
        """Find the rows that cannot be meant together."""
        seen: dict[tuple[str, str, str], Row] = {}
        for row, act in zip(self.rows, self.acts, strict=True):
            key = (act.state, act.level, act.act)
            first = seen.setdefault(key, row)
            if first is not row:
                said = f"与第{first.line}行同一环节、同一级、同一办理，不知转入哪里：请合并或改正"
                self.refuse(row, said)
            if act.actor == CLOCK and act.state not in self.terms:
                self.refuse(row, f"“{act.state}”没有时限，不会期满：请写时限，或删去此行")
            for effect, ending in _TITLES.items():
                if (effect in act.effects) != (act.to == ending):
                    self.refuse(row, f"转入“{ending}”与效果“{effect}”应在同一行：请改正")
            if act.actor == CLOCK and act.effects:
                self.refuse(row, "期满不能有效果：授予称号等须由人办理，请改正")
        self.reachable()
        self.told()
        registering, settling = (
            [r for r, a in zip(self.rows, self.acts, strict=True) if effect in a.effects]
            for effect in (OBJECT, SETTLE)
        )
        if registering and not settling:
            self.refuse(registering[0], f"异议登记后无法了结：请补一行效果为“{SETTLE}”的办理")
        if settling and not registering:
            self.refuse(
                settling[0], f"没有登记异议的办理，无从了结：请补一行效果为“{OBJECT}”的办理"
            )

    def reachable(self) -> None:
        """Every state is entered from the first, and some ending can be reached from each."""
        first = {a.state: r for r, a in reversed([*zip(self.rows, self.acts, strict=True)])}
        start = self.acts[0].state
        entered, ahead = {start}, [start]
        while ahead:
            state = ahead.pop()
            for act in self.acts:
                if act.state == state and act.to not in entered:
                    entered.add(act.to)
                    ahead.append(act.to)
        ending = {a.to for a in self.acts if a.to in ENDINGS}
        while more := {a.state for a in self.acts if a.to in ending} - ending:
            ending |= more
        for state, row in first.items():
            if state not in entered:
                said = f"没有一行转入“{state}”，案件到不了这里：请补写一行，或删去这个环节"
                self.refuse(row, said)
            elif state not in ending:
                said = f"从“{state}”起，怎样办理都不会办结：请补写转入办结的一行"
                self.refuse(row, said)

    def told(self) -> None:
        """The terms that the title tells are those of the table."""
        known = {(t.number, t.unit) for t in self.terms.values()}
        for match in _TERM.finditer(DATED.sub("", self.clause.title)):
            if (int(match[2]), _UNITS[match[3]]) not in known:
                said = f"标题说的「{match[0]}」不是表中的时限：请使两者一致"
                self.problems.append(Problem(self.clause.path, self.clause.line, said))


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split("、") if part)
