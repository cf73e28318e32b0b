"""A verdict as a tree of nodes: what is required, what the case has, where it was filed, who decides.

Pages draw it; every text is made here. A rule that occurs again is named, not repeated.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from registry.judging.verdicts import TierVerdict
from registry.reports.verdicts import full_points, is_its_figure, shown_options
from rules.decider import Decision
from rules.explanation.figures import Figure
from rules.explanation.findings import Check, Finding, Option
from rules.explanation.reasons import grounds
from rules.explanation.wording import gap_text, result_text
from rules.model.catalogue import SUBSTANCE
from rules.model.ruleset import Cases, Gap, Ladder, Line, Outcome, Rule

#: What is open, and who settles it.
_FOUND_BY: Final = "由审核人认定（写明理由，附证据）"
_OPEN: Final = (Outcome.MISSING, Outcome.PENDING)
_UNFOLDED: Final = (Outcome.NOT_MET, *_OPEN)


@dataclass(frozen=True, kw_only=True)
class Node:
    """A line of the tree, and what it rests on.

    ``word`` is an outcome, or points out of ``full``; ``rule`` is the id of the rule whose clause
    it is, with its ``cite``. ``above`` means that the rule has been shown already. The branch that
    leads to the reason is ``unfolded``.
    """

    word: str
    label: str
    value: str = ""
    distance: str = ""
    full: str = ""
    rule: str = ""
    cite: str = ""
    source: str = ""
    figures: tuple[Figure, ...] = ()
    children: tuple["Node", ...] = ()
    unfolded: bool = False
    above: bool = False


@dataclass(frozen=True)
class Comparison:
    """A comparison in words: what is required, what the case has, and the distance."""

    label: str
    value: str
    distance: str

    @property
    def text(self) -> str:
        """The comparison as a phrase."""
        return "，".join(filter(None, (self.label, self.value, self.distance)))


@dataclass(frozen=True)
class Ground:
    """A rule on which a verdict rests, with its deciding comparisons.

    With ``either``, they belong to several 情形, any one of which would do.
    """

    rule: str
    title: str
    comparisons: tuple[Comparison, ...]
    either: bool


@dataclass(frozen=True)
class VerdictPart:
    """A part of a tier's recognition, its outcome, and the grounds of any other than 符合."""

    name: str
    outcome: str
    grounds: tuple[Ground, ...]


def tree(verdict: TierVerdict, *, full: bool = False) -> Node | None:
    """The findings of a verdict; with ``full``, every branch is unfolded. None without a verdict."""
    if verdict.decision is None or verdict.finding is None:
        return None
    return _Grower(verdict.decision, full).finding(verdict.finding)


def parts(verdict: TierVerdict) -> tuple[VerdictPart, ...]:
    """The parts of a tier's recognition, as the root rule lists them."""
    if verdict.decision is None or verdict.finding is None:
        return ()
    grower = _Grower(verdict.decision, full=False)
    below = {verdict.catalogue.part(f.rule): f for f in verdict.finding.children()}
    found = []
    for name, word in verdict.parts.items():
        finding = below.get(name)
        known = finding is not None and isinstance(finding.result, Outcome)
        rests = tuple(grower.grounds(finding)) if finding is not None and known else ()
        found.append(VerdictPart(name, word, rests))
    return tuple(found)


def aspects(verdict: TierVerdict) -> tuple[VerdictPart, ...]:
    """The requirements of a tier's substantive conditions, as the law groups them."""
    if verdict.decision is None or verdict.finding is None:
        return ()
    grower = _Grower(verdict.decision, full=False)
    substance = next(
        (f for f in verdict.finding.children() if verdict.catalogue.part(f.rule) == SUBSTANCE), None
    )
    return tuple(
        VerdictPart(f.title, f.outcome, tuple(grower.grounds(f)))
        for f in (substance.children() if substance else ())
        if isinstance(f.result, Outcome)
    )


class _Grower:
    def __init__(self, decision: Decision, full: bool) -> None:
        self.ruleset = decision.ruleset
        self.full = full
        self.shown: set[str] = set()

    def grounds(self, finding: Finding) -> Iterator[Ground]:
        """The rules on which a finding other than 符合 rests, each once."""
        assert isinstance(finding.result, Outcome)
        if finding.result is Outcome.MET:
            return
        owners: dict[str, Finding] = {}
        resting: dict[str, dict[Comparison, Check]] = {}
        for owner, check in grounds(finding, finding.result):
            line = next((x for c, x in self.compared(owner) if c is check), None)
            said = Comparison(*self.words(owner, check, line), check.distance)
            owners[owner.rule] = owner
            resting.setdefault(owner.rule, {})[said] = check
        for id, found in resting.items():
            own = list(found.values())
            options = [o for o in owners[id].options if any(c in o.checks for c in own)]
            yield Ground(id, owners[id].title, tuple(found), len(options) > 1)

    def compared(self, finding: Finding) -> Iterator[tuple[Check, Line]]:
        """Every comparison of a finding with the line of its rule."""
        lines = _lines(self.ruleset.rule(finding.rule))
        checks = [check for option in finding.options for check in option.checks]
        yield from zip(checks, lines, strict=False)

    def finding(self, finding: Finding, *, alone: bool = True) -> Node:
        result = finding.result
        opened = self.full or (alone and result in _UNFOLDED)
        node = Node(
            word=finding.outcome,
            label=finding.title,
            full=full_points(finding) if finding.possible else "",
            rule=finding.rule,
            cite=finding.citation,
            unfolded=opened,
        )
        if finding.rule in self.shown:
            return replace(node, above=True, unfolded=False)
        self.shown.add(finding.rule)
        return replace(node, children=tuple(self.children(finding, opened)))

    def children(self, finding: Finding, opened: bool) -> Iterator[Node]:
        for _, item in finding.items:
            yield self.finding(item, alone=False)
        for check in finding.checks:
            yield self.check(finding, check, None, opened)
        line_of = {id(check): line for check, line in self.compared(finding)}
        shown = [*shown_options(finding)]
        for option in shown:
            nodes = (self.check(finding, c, line_of[id(c)], opened) for c in option.checks)
            if len(finding.options) == 1:
                yield from nodes
            else:
                yield self.option(option, nodes, opened)
        others = [o for o in finding.options if o not in shown and not o.meant_for_others]
        if others:
            yield Node(
                word="",
                label=f"其余{len(others)}个情形",
                children=tuple(
                    self.option(
                        o, (self.check(finding, c, line_of[id(c)], False) for c in o.checks), False
                    )
                    for o in others
                ),
                unfolded=self.full,
            )

    def option(self, option: Option, nodes: Iterable[Node], opened: bool) -> Node:
        return Node(
            word=option.outcome.text,
            label=f"情形「{option.name}」",
            children=tuple(nodes),
            unfolded=self.full or (opened and option.outcome is not Outcome.NOT_APPLICABLE),
        )

    def check(self, owner: Finding, check: Check, line: Line | None, opened: bool) -> Node:
        if check.finding is not None and check.points is None:
            return self.finding(check.finding, alone=opened)
        label, value = self.words(owner, check, line)
        own = is_its_figure(check)
        below = check.finding
        return Node(
            word=check.outcome.text if check.outcome is not None else self.earned(check),
            label=label,
            value=value,
            distance=check.distance,
            source=check.figures[0].source if own else "",
            figures=() if own else check.figures,
            children=() if below is None else (self.finding(below, alone=False),),
            unfolded=self.full or opened,
        )

    @staticmethod
    def earned(check: Check) -> str:
        return result_text(check.points) if check.points is not None else ""

    def words(self, owner: Finding, check: Check, line: Line | None) -> tuple[str, str]:
        """What is required, and what the case has."""
        if line is None or line.subject != "indicator":
            return check.requirement, _open_value(check)
        indicator = self.ruleset.indicator(self.ruleset.rule(owner.rule), line.name)
        if indicator.kind != "flag":
            return check.requirement, _open_value(check)
        if check.outcome is Outcome.PENDING and any(f.gap is Gap.PENDING for f in check.figures):
            return line.name, _FOUND_BY
        if check.outcome is not Outcome.NOT_MET:
            return line.name, check.value
        return line.name, f"{check.value}（须为“{'否' if line.op == '<' else '是'}”）"


def _open_value(check: Check) -> str:
    """The value, and of an interval which figures leave it open."""
    open_figures = [f.name for f in check.figures if f.gap and f.value != check.value]
    if check.outcome not in _OPEN or not open_figures:
        return check.value
    return f"{check.value}（{'、'.join(open_figures)}{gap_text(next(f.gap for f in check.figures if f.gap))}）"


def _lines(rule: Rule) -> list[Line]:
    match rule.body:
        case Cases(cases):
            return [line for case in cases for line in case.lines]
        case Ladder(rungs):
            return [line for rung in rungs for line in rung.lines]
    return []
