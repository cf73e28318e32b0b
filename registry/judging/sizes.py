"""The sector and size class of an enterprise by the criteria, for reports only."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from rules.explanation.wording import result_text
from rules.model.catalogue import LIMITS, SIZES
from rules.model.facts import Profile
from rules.model.ruleset import Gap, Indicator, Outcome, Rule, Ruleset, trace_of
from rules.portable import reference

if TYPE_CHECKING:
    from rules.language.rulebook import Rulebook


def sector_name(limits: Rule, indicators: Mapping[str, Indicator]) -> str:
    """The indicator that tells sectors apart: the code that the rule with the limits compares."""
    named = limits.indicator_names()
    return next((n for n in named if n in indicators and indicators[n].kind == "code"), "")


def sector_of(ruleset: Ruleset, roles: Mapping[str, str]) -> str:
    """The indicator that tells sectors apart in a ruleset; empty if it asks for no size."""
    limits = (rule for rule in ruleset.rules if roles.get(rule.id) == LIMITS)
    return next((sector_name(rule, ruleset.indicators) for rule in limits), "")


class Sizes:
    """Determines sectors and size classes, for reports only; keeps its compiled rules.

    The classes come from the rule whose part is ``LIMITS``: it has one case per sector, by the one
    code indicator that it compares, with the upper limits of an SME. The rules of a sector's
    classes stand below the rule of its limits, and each has the part of its class.
    """

    def __init__(self, rulebook: "Rulebook") -> None:
        self.rulebook = rulebook
        roles = rulebook.catalogue.roles
        found = (r for id, r in rulebook.rules.items() if roles.get(id) == LIMITS)
        self._root = next(found, None)
        self._sector = sector_name(self._root, rulebook.indicators) if self._root else ""
        self._classes = {(id.rpartition(".")[0], r): id for id, r in roles.items() if r in SIZES}
        self._evaluators: dict[str, reference.Evaluator] = {}

    @property
    def source(self) -> str:
        """The text of law that defines the size classes."""
        limits = next(iter(self._limits.values()), None)
        return self.rulebook.document(self.rulebook.rule(limits)).tag("source") if limits else ""

    def sector(self, profile: Profile) -> str:
        """The 划型行业, or the word of the open outcome."""
        if self._root is None:
            return Outcome.PENDING.text
        found = self._evaluator(self._root.id).evaluation(profile.to_json()).readings[self._sector]
        if found.code is not None:
            return found.code
        return (Outcome.PENDING if found.gap == Gap.PENDING else Outcome.MISSING).text

    def size(self, profile: Profile, sector: str) -> str:
        """One of ``SIZES``, or the word of the open outcome."""
        limits = self._limits.get(sector)
        if limits is None:
            return sector  # 材料不足 or 待人工认定
        largest, *classes, smallest = SIZES
        settling = [(largest, limits, Outcome.NOT_MET)]
        settling += [
            (size, rule, Outcome.MET)
            for size in classes
            if (rule := self._classes.get((limits, size)))
        ]
        for size, rule, settles in settling:
            evaluated = self._evaluator(rule).evaluate(profile.to_json())
            outcome = trace_of({rule: evaluated[rule]})[rule]
            if outcome is settles:
                return size
            if outcome not in (Outcome.MET, Outcome.NOT_MET):
                return result_text(outcome)
        return smallest

    @cached_property
    def _limits(self) -> dict[str, str]:
        """The rule with the upper limits of an SME, for each sector."""
        lines = list(self._root.lines()) if self._root else []
        rules = {case.name: line.name for case, line in lines if line.subject == "rule"}
        return {
            sector: rules[case.name]
            for case, line in lines
            if line.name == self._sector and isinstance(line.value, tuple) and case.name in rules
            for sector in line.value
        }

    def _evaluator(self, root: str) -> reference.Evaluator:
        if root not in self._evaluators:
            self._evaluators[root] = reference.Evaluator(self.rulebook.ruleset(root).to_json())
        return self._evaluators[root]
