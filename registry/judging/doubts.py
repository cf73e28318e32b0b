"""Which figures of a filing can hardly be true, and which of these a verdict rests on."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from registry.filings import Issue, Submission
from registry.judging.judge import Determination, amended_profile
from registry.judging.relations import check
from rules.explanation.explain import Check, Figure, Finding, reasons
from rules.model.facts import Profile, record_kind
from rules.model.ruleset import Outcome


def doubts_of(
    uscc: str,
    profile: Profile,
    determinations: Sequence[Determination] = (),
    registered_on: str = "",
) -> tuple[Issue, ...]:
    """The doubts about a filing as determinations leave it; ``profile`` is as of the filing's own day.

    ``registered_on`` is the day on which the enterprise was registered, if it is known.
    """
    last = {d.target: d for d in determinations if "fact" in d.content}
    known = amended_profile(profile, list(last.values()))
    filed = Submission(
        uscc,
        "",
        profile.as_of,
        {"registered_on": registered_on} if registered_on else {},
        known.values,
        known.records,
        known.sources,
    )
    return tuple(issue for issue in check(filed) if issue.doubt)


def bearing(doubts: Iterable[Issue], finding: Finding | None) -> tuple[Issue, ...]:
    """The doubts about what the result of a finding rests on; a doubt about no fact is about all."""
    found = tuple(doubts)
    if not found or finding is None or not isinstance(finding.result, Outcome):
        return ()
    figures = list(_rested_on(finding, finding.result))
    keys = {figure.key or figure.name.partition("条")[0] for figure in figures}
    return tuple(d for d in found if not d.facts or keys & {*map(_read_as, d.facts)})


def _read_as(key: str) -> str:
    """What a figure goes by: a record has no key in it, but its name begins it, 「知识产权第1条」."""
    listing, _, number = key.partition("#")
    return f"{record_kind(listing).name}第{int(number) + 1}" if number else key


def _rested_on(finding: Finding, outcome: Outcome) -> Iterator[Figure]:
    """The figures of the comparisons that a result rests on, and of all below a score."""
    for decisive in reasons(finding, outcome):
        yield from decisive.figures
        for below in decisive.finding.walk() if decisive.finding else ():
            yield from chain.from_iterable(c.figures for c in _compared(below))


def _compared(finding: Finding) -> Iterator[Check]:
    yield from finding.checks
    for option in finding.options:
        yield from option.checks
