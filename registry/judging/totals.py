"""The totals that itemised records allow, to check filed totals against."""

from fractions import Fraction
from typing import TYPE_CHECKING

from rules.model.expressions import leaves
from rules.model.facts import Profile, RecordList
from rules.model.ruleset import Expr, Outcome, trace_of
from rules.portable import reference

if TYPE_CHECKING:
    from rules.language.rulebook import Rulebook


class Totals:
    """Adds up itemised records for which a total is filed too; keeps its compiled rules."""

    def __init__(self, rulebook: "Rulebook") -> None:
        self.rulebook = rulebook
        read = {leaf for i in rulebook.indicators.values() for leaf in leaves(i.expr)}
        self._leaves = [x for x in read if x[0] in ("count", "total") and x[-1] is not None]
        self._evaluators: dict[str, reference.Evaluator] = {}

    def counts(self, profile: Profile) -> dict[str, tuple[Fraction, Fraction | None]]:
        """The least and the greatest total that the records allow, by the fact id of the filed total.

        Totals are in base units; None means no upper bound (a list that is not 已报全). Empty lists
        that are not 已报全 are left out.
        """
        found: dict[str, tuple[Fraction, Fraction | None]] = {}
        for leaf in self._leaves:
            filed = profile.records.get(leaf[1])
            listed = filed is not None and (filed.items or filed.complete)
            if filed is not None and listed and leaf[-1] in profile.values:
                found[leaf[-1]] = self._counted(profile, filed, leaf)
        return found

    def _counted(
        self, profile: Profile, filed: RecordList, leaf: Expr
    ) -> tuple[Fraction, Fraction | None]:
        records, rule = leaf[1], leaf[-2]
        if rule not in self._evaluators:
            ruleset = self.rulebook.ruleset(rule)
            self._evaluators[rule] = reference.Evaluator(ruleset.to_json())
        trace = trace_of(self._evaluators[rule].evaluate(profile.to_json()))
        least, greatest = Fraction(0), Fraction(0) if filed.complete else None
        for i, item in enumerate(filed.items):
            outcome = trace[f"{records}#{i}:{rule}"]
            if outcome is Outcome.NOT_MET:
                continue
            value = "1" if leaf[0] == "count" else item.get(leaf[2])
            if value is None:
                greatest = None
            elif greatest is not None:
                greatest += Fraction(str(value))
            least += Fraction(str(value or 0)) if outcome is Outcome.MET else 0
        return least, greatest
