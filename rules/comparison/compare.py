"""Two rulesets side by side: all requirements that each makes of an enterprise."""

from collections.abc import Iterable, Iterator

from rules.comparison.definitions import (
    counterparts,
    formulas,
    parameters,
    record_definitions,
    shares,
)
from rules.comparison.matching import match, match_scores, noting_scores
from rules.comparison.requirements import asked_for, requirements, score_items, unchanged
from rules.comparison.rows import Comparison, ReadingNote, RequirementChange
from rules.model.ruleset import Note, Ruleset


def compare(before: Ruleset, after: Ruleset) -> Comparison:
    """Compare two rulesets: requirements, scored items, definitions, notes and facts.

    >>> from pathlib import Path
    >>> from rules.language.rulebook import load
    >>> ruleset = load(Path("features")).ruleset("63.2.研发费用")
    >>> compare(ruleset, ruleset).identical
    True
    """
    same = unchanged(before, after)
    old, new = requirements(before, before.root, same), requirements(after, after.root, same)
    twins = counterparts(before, after)
    items = score_items(before), score_items(after)
    rows = match(old, new, twins, (before, after))
    rows = tuple(noting_scores(row, items) for row in rows)
    scores = match_scores(*items)
    definitions = (
        *record_definitions(before, after, twins),
        *formulas(before, after),
        *parameters(before, after),
        *shares(before, after),
    )
    kept = [
        row for row in rows if row.change in (RequirementChange.CHANGED, RequirementChange.ADDED)
    ]
    touched = {r.rule.id for row in kept for r in (row.before, row.after) if r}
    touched |= {
        s.after.rule.id for s in scores if s.change is not RequirementChange.SAME and s.after
    }
    touched |= {id for d in definitions if d.change is RequirementChange.CHANGED for id in d.rules}
    old_facts, new_facts = asked_for(before), asked_for(after)
    return Comparison(
        before=before,
        after=after,
        rows=rows,
        scores=scores,
        definitions=definitions,
        readings=tuple(_readings(before, after, touched)),
        facts_added=tuple(name for id, name in new_facts.items() if id not in old_facts),
        facts_removed=tuple(name for id, name in old_facts.items() if id not in new_facts),
    )


def _readings(before: Ruleset, after: Ruleset, touched: Iterable[str]) -> Iterator[ReadingNote]:
    """The interpretation notes of the changed rules, each with the text that has it."""
    wanted = set(touched)
    where: dict[Note, dict[str, set[str]]] = {}
    for side, ruleset in (("前", before), ("后", after)):
        for rule in ruleset.rules:
            for note in rule.notes if rule.id in wanted else ():
                where.setdefault(note, {}).setdefault(side, set()).add(rule.id)
    for note, sides in where.items():
        rules = sorted(set().union(*sides.values()))
        yield ReadingNote("".join(sides), note, tuple(rules))
