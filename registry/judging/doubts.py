"""Doubtful figures of a filing, and which of them a verdict rests on."""

from collections.abc import Iterable

from registry.filings import Issue, Submission
from registry.judging.case import Known
from registry.judging.facts import determined, profile_of
from registry.judging.relations import check
from rules.explanation.findings import Finding
from rules.explanation.reasons import rested_on
from rules.model.catalogue import Catalogue
from rules.model.ruleset import Outcome


def doubts_of(known: Known, catalogue: Catalogue) -> tuple[Issue, ...]:
    """The doubts about a filing as of its own day, with determinations applied."""
    case = known.case
    last = {d.target: d for d in known.determinations if "fact" in d.content}
    stated = profile_of(determined(case.facts, list(last.values())), case.as_of)
    filed = Submission(
        uscc=case.uscc,
        name="",
        as_of=case.as_of,
        identity={"registered_on": case.registered_on} if case.registered_on else {},
        values=stated.values,
        records=stated.records,
        sources=stated.sources,
    )
    return tuple(issue for issue in check(filed, catalogue) if issue.doubt)


def bearing(doubts: Iterable[Issue], finding: Finding | None) -> tuple[Issue, ...]:
    """The doubts about figures on which a verdict rests, by the finding of its root.

    One about no fact in particular counts.
    """
    found = tuple(doubts)
    if not found or finding is None or not isinstance(finding.result, Outcome):
        return ()
    keys = set(rested_on(finding))
    return tuple(d for d in found if not d.facts or not keys.isdisjoint(d.facts))
