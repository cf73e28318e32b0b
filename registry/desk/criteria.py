"""Reading the criteria: list rules, show one, tell which text governs when, compare two texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry.desk.rulebooks import rulebook, written
from registry.kit import resources
from registry.simulation import texts
from rules.comparison.compare import compare
from rules.comparison.rows import Comparison
from rules.decider import by_reference
from rules.drafting.examples import ExampleRun, examples, read_indicator, run
from rules.language.editions import ApplicabilityRow
from rules.language.rulebook import Rulebook
from rules.language.source import Clause

if TYPE_CHECKING:
    from registry.desk.place import Desk


@dataclass(frozen=True)
class RuleLine:
    """A rule in a list, with the clauses of law that it cites; ``position`` is file and line."""

    id: str
    title: str
    citation: str
    position: str


@dataclass(frozen=True)
class RulePage:
    """A rule as it is written, the results of its examples, and where a reader finds it."""

    clause: Clause
    place: str
    runs: tuple[ExampleRun, ...]


@dataclass(frozen=True)
class ComparedTexts:
    """Two texts compared tier by tier; ``alone`` are the tiers for which only one has a text."""

    before: str
    after: str
    comparisons: tuple[Comparison, ...]
    alone: Mapping[str, str]


def listed(rules: Rulebook, prefix: str = "") -> list[RuleLine]:
    """The rules whose ids begin with ``prefix``.

    >>> [rule.id for rule in listed(rulebook(), "没有这样的编号")]
    []
    """
    return [
        RuleLine(c.id, c.title, _cited(c), _position(c))
        for c in rules.clauses.values()
        if c.id.startswith(prefix)
    ]


def applicability(rules: Rulebook, prefix: str = "") -> list[ApplicabilityRow]:
    """The rows of the applicability table for rulesets whose ids begin with ``prefix``.

    These include the rows that follow from fills.
    """
    return [row for row in rules.applicability if row.ruleset.startswith(prefix)]


def told(rules: Rulebook, id: str) -> RulePage:
    """One rule, with its examples run by the reference evaluator.

    Raises ``RulesetError`` with similar ids if there is no such rule.
    """
    clause = rules.clause(id)
    runs = (
        r
        for e in examples(clause, rules.catalogue)
        for r in run(rules, e, by_reference, read_indicator)
    )
    own = resources.own_features()
    if rules is not rulebook():
        place = f"{_position(clause)}（已发布）"
    elif own is not None and clause.path.startswith(f"{own.resolve().name}/"):
        place = _position(clause)
    else:
        place = f"features/{_position(clause)}"
    return RulePage(clause, place, tuple(runs))


def compared(
    desk: "Desk", before: str, after: str, tiers: Sequence[str], procedure: str
) -> ComparedTexts:
    """Compare two texts, given by the names that officers and drafters use.

    ``tiers`` are those of ``registry.simulation.texts.tiers``. Raises ``TextError`` if a name means
    no text, or if the two have nothing in common.
    """
    criteria = _in_force(desk)
    old, new = (texts.named(name, criteria) for name in (before, after))
    titles = texts.tiers(tiers, old, new)
    found = [
        compare(old.rules.ruleset(pair.before), new.rules.ruleset(pair.after))
        for pair in texts.pairs(old, new, titles, procedure)
    ]
    declared = (old.rules.catalogue | new.rules.catalogue).tiers
    named = titles if tiers else tuple(tier.name for tier in declared)
    alone = texts.apart(old, new, named, procedure)
    return ComparedTexts(old.label, new.label, tuple(found), alone)


def _in_force(desk: "Desk") -> texts.InForce:
    if not desk.is_there:
        return texts.InForce(None, rulebook(), rulebook())
    from registry.record import publication  # who checks a draft opens no registry

    with desk.reading() as session:
        return texts.InForce(publication.current(session), rulebook(), written(session))


def _cited(clause: Clause) -> str:
    lines = (line.replace("：", ":", 1).partition(":") for line in clause.prose)
    return "；".join(text.strip() for mark, _, text in lines if mark == "依据")


def _position(clause: Clause) -> str:
    return f"{clause.path}:{clause.line}"
