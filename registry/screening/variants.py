"""A ruleset with every threshold moved by a share of itself: what lies near an edge comes out otherwise."""

from dataclasses import dataclass, replace
from fractions import Fraction

from registry.judging import Rules
from rules.editions import ApplicabilityRow
from rules.model import Body, Case, Cases, Ladder, Line, Rule, Ruleset


@dataclass(frozen=True)
class Varied:
    """Criteria with every threshold moved, for the engine to judge by."""

    rules: Rules
    share: Fraction

    @property
    def applicability(self) -> tuple[ApplicabilityRow, ...]:
        """Which ruleset governs when."""
        return self.rules.applicability

    def ruleset(self, root: str) -> Ruleset:
        """The moved ruleset of a root rule."""
        return moved(self.rules.ruleset(root), self.share)

    def rule(self, id: str) -> Rule:
        """A root rule as it stands."""
        return self.rules.rule(id)


def moved(ruleset: Ruleset, share: Fraction) -> Ruleset:
    """The ruleset with thresholds that are easier to reach; with a negative share, harder.

    Counts, figures, times and points move; what must be 符合, yes or no, a code or a date does not, nor
    do the ends of bands, between which neither side is the easier one.
    """
    return replace(ruleset, rules=tuple(_rule(ruleset, rule, share) for rule in ruleset.rules))


def _rule(ruleset: Ruleset, rule: Rule, share: Fraction) -> Rule:
    def line(line: Line) -> Line:
        if not isinstance(line.value, Fraction) or line.op == "in":
            return line
        if line.subject == "indicator" and ruleset.indicator(rule, line.name).kind != "number":
            return line
        by = abs(line.value) * share
        easier = line.value - by if line.op in (">=", ">") else line.value + by
        return replace(line, value=easier)

    def case(case: Case) -> Case:
        return replace(case, lines=tuple(map(line, case.lines)))

    body: Body = rule.body
    match body:
        case Cases(cases):
            body = Cases(tuple(map(case, cases)))
        case Ladder(rungs, rest):
            body = Ladder(tuple(map(case, rungs)), rest)
    return replace(rule, body=body)
