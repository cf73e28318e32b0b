"""Doubtful figures of a filing, and which of them a verdict rests on."""

from collections.abc import Iterable, Iterator
from itertools import chain

from registry.filings import Issue, Submission
from registry.judging.case import Known
from registry.judging.facts import determined, profile_of
from registry.judging.relations import check
from rules.explanation.explain import Check, Figure, Finding, reasons
from rules.model.facts import record_kind
from rules.model.ruleset import Outcome


def doubts_of(known: Known) -> tuple[Issue, ...]:
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
    return tuple(issue for issue in check(filed) if issue.doubt)


def bearing(doubts: Iterable[Issue], finding: Finding | None) -> tuple[Issue, ...]:
    """The doubts about figures on which a finding rests; one about no fact in particular counts."""
    found = tuple(doubts)
    if not found or finding is None or not isinstance(finding.result, Outcome):
        return ()
    figures = list(_rested_on(finding, finding.result))
    keys = {figure.key or figure.name.partition("条")[0] for figure in figures}
    return tuple(d for d in found if not d.facts or keys & {*map(_read_as, d.facts)})


def _read_as(key: str) -> str:
    """The key of a figure; for a record, the beginning of the figure's name, 「知识产权第1」."""
    listing, _, number = key.partition("#")
    return f"{record_kind(listing).name}第{int(number) + 1}" if number else key


def _rested_on(finding: Finding, outcome: Outcome) -> Iterator[Figure]:
    """The figures of the comparisons on which a result rests, and all figures below a score."""
    for decisive in reasons(finding, outcome):
        yield from decisive.figures
        for below in decisive.finding.walk() if decisive.finding else ():
            yield from chain.from_iterable(c.figures for c in _compared(below))


def _compared(finding: Finding) -> Iterator[Check]:
    yield from finding.checks
    for option in finding.options:
        yield from option.checks
