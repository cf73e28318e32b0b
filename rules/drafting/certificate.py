"""Certificates: the engine and the reference evaluator agree on every cell of every compiled rule.

A compiled rule depends only on four kinds of *inputs*: the constants between which a figure's two
ends lie, the gap of an open figure, the code that was filed, and the results of other rules. Each
input has finitely many cells, so a finite set of cases stands for every filing. Both evaluators
run on these cases for

- **each rule by itself**, in a ruleset of its own. Synthetic facts replace its indicators, so any
  reading can be filed, even outside the formula's range. Rules over synthetic facts replace the
  rules on which it rests. So every cell is reached, and one compilation serves all cases;
- **the whole ruleset**, with its own rules and so exactly the program that will run (shared scales,
  packing, stages), but with synthetic facts in place of its indicators.

For a single rule the cases are complete for each input. They contain

- for every number, the values just below, at and just above each constant;
- every interval between two such values, and every one unbounded on a side, to be settled by a
  figure or by a person;
- every code of the catalogue, another code, and none;
- every outcome of other rules;
- every total that the items can give, and the values around its cap and around each constant it
  is compared with.

These vary one at a time, so each line and each table of bands is decided for all of its cells. How
lines combine is covered by the **product** of all distinguishable results of the inputs, if it has
at most ``plans.PRODUCT`` members. Otherwise **all pairs** are tried:

- within each case of the table, with its other inputs at their best and the other cases at their
  worst; this includes the cases in which all lines but one are met;
- among the inputs that alone decide a case, with the other cases at their worst;
- in totals and bands, with the other inputs at their best and at their worst.

For the whole ruleset, the cases contain each of these readings at least once (but only intervals
between neighbouring values), each input at its worst and open with all others at their best, and
every total that the items can give at each gate, unless items share figures.

Not covered:

- the formulas of indicators: in every decision both evaluators read them from the same facts, and
  random filings test them;
- combinations of three or more inputs of a rule whose product exceeds ``plans.PRODUCT``;
- totals of points filed in fractions, except around a gate;
- several records of one list at once.
"""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import TypeAlias

from rules.drafting.plans import CertificateDifference, Make, planned
from rules.drafting.synthetic import alone, together
from rules.engine.driver import Engine
from rules.model.ruleset import Ruleset


@dataclass(frozen=True)
class Certificate:
    """The number of cases on which both evaluators agree, per rule and for the whole ruleset.

    Unless ``differences`` is empty, nothing is certified. It holds at most one case per rule, and
    one for the whole.
    """

    root: str
    cases: Mapping[str, int]
    whole: int
    differences: tuple[CertificateDifference, ...] = ()

    @property
    def total(self) -> int:
        """The number of cases."""
        return sum(self.cases.values()) + self.whole


#: Settings on which the evaluators agreed before: the number of cases by the setting's digest.
Done: TypeAlias = MutableMapping[str, int]


def certify(ruleset: Ruleset, done: Done | None = None, make: Make = Engine) -> Certificate:
    """Run both evaluators on cases that stand for every filing; differences are in the result.

    Rulesets share rules: pass the same ``done`` for each, and every rule is compared only once.
    ``make`` compiles a ruleset for the engine.

    >>> from pathlib import Path
    >>> from rules import load
    >>> certificate = certify(load(Path("features")).ruleset("63.2.研发费用"))
    >>> certificate.total > 80, certificate.differences
    (True, ())
    """
    done = {} if done is None else done
    cases: dict[str, int] = {}
    found: list[CertificateDifference] = []
    for rule in ruleset.rules:
        setting = alone(ruleset, rule)
        key = setting.digest
        if key not in done:
            plan = planned(setting)
            difference = plan.differing(make)
            if difference:
                cases[rule.id] = len(plan.cases)
                found.append(difference)
                continue
            done[key] = len(plan.cases)
        cases[rule.id] = done[key]
    plan = planned(together(ruleset))
    difference = plan.differing(make)
    if difference:
        found.append(difference)
    return Certificate(ruleset.root, cases, len(plan.cases), tuple(found))
