"""A recorded decision explained: its grounds, its margins, and what would turn it.

Today's rules decide nothing here: the decision is taken again from what it names, and must come out
byte for byte (``registry.record.replay``). Everything that readers are shown is gathered here once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final

from sqlmodel import Session

from registry.filings import Issue
from registry.judging.case import Known
from registry.judging.doubts import doubts_of
from registry.judging.judge import Judge
from registry.judging.settled import Determination
from registry.judging.verdicts import Checker, TierVerdict
from registry.portable.clock import CHINA, moment_text
from registry.record import cases, journal, publication
from registry.record.replay import Replayer
from rules.decider import Decision
from rules.engine.readings import Reading
from rules.explanation.figures import Figure
from rules.explanation.findings import Check, Finding, Option
from rules.explanation.wording import magnitude, reading_text, value_text
from rules.model.days import parse_day
from rules.model.facts import Fact, Scalar
from rules.model.ruleset import Expr, Gap, Indicator, Outcome
from rules.portable.record import Json
from rules.sensitivity import Change, Changes, Margin, Reach, Rest, margins, smallest_changes

SCHEMA: Final = 1
#: Moments are shown in China's time.
#: The list whose records an enterprise cannot restate, because titles are conferred.
_TITLES: Final = "titles"
#: The decimals of a difference: money is exact to the fen.
_DIGITS: Final = 6


@dataclass(frozen=True)
class Reason:
    """A comparison on which a verdict rests, and the finding of the rule that makes it.

    ``of_title`` says that it concerns the titles held, which no other filing changes.
    """

    finding: Finding
    check: Check
    of_title: bool = False


@dataclass(frozen=True)
class ExplainedCriterion:
    """The result of one of a tier's criteria; ``option`` is its 情形, empty if it belongs to all."""

    finding: Finding
    option: str = ""


@dataclass(frozen=True, kw_only=True)
class ExplainedFact:
    """A filed value that the ruleset reads; ``value`` is exact, in base units.

    ``margin`` says how far it may be wrong before the verdict changes; texts have none.
    """

    key: str
    name: str
    fact: Fact
    value: Scalar
    source: str
    margin: Margin | None = None

    @property
    def text(self) -> str:
        """The value in the unit of the form."""
        return value_text(self.fact, self.value)

    def to_json(self) -> Json:
        """The value as plain JSON values."""
        return {
            "key": self.key,
            "name": self.name,
            "value": self.value,
            "text": self.text,
            "source": self.source,
            "margin": None if self.margin is None else _margin_json(self.margin),
        }


@dataclass(frozen=True)
class Turn:
    """A change of a filed value that leads towards 符合, and the clauses on which it bears."""

    change: Change
    clauses: tuple[str, ...]

    @property
    def of_title(self) -> bool:
        """Whether it concerns a title, which is conferred and which no enterprise can restate."""
        return self.change.key.partition("#")[0] == _TITLES

    def to_json(self) -> Json:
        """The change as plain JSON values."""
        return {**_change_json(self.change), "clauses": list(self.clauses)}


@dataclass(frozen=True)
class Settled:
    """A determination on which the decision rests, who confirmed it, and when."""

    determination: Determination
    recorded_at: datetime
    confirmation: int | None = None
    confirmed_at: datetime | None = None

    def to_json(self) -> Json:
        """The determination as plain JSON values."""
        found = self.determination
        return {
            "seq": found.seq,
            "digest": found.digest,
            "recorded_at": moment_text(self.recorded_at),
            "by": found.by,
            **found.content,
            "ground": found.ground,
            "confirmation": self.confirmation,
            "confirmed_by": found.confirmed_by or None,
            "confirmed_at": (None if self.confirmed_at is None else moment_text(self.confirmed_at)),
        }


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A recorded decision with everything on which it rests.

    ``criteria`` are the tier's; ``reasons`` the comparisons that decided it (none if 符合); ``gaps``
    whatever is not filed or not found. ``turns`` are the smallest changes that each suffice alone,
    or else (``together``) a few that lead as far as any can; ``rests``, with their clauses, are the
    requirements that these changes do not reach. ``figures`` are the filed values, those with the
    smallest margins first. ``later`` are the numbers of later decisions on the same matter;
    ``corrected_at`` is when the filing was replaced; ``doubts`` concern figures of the filing that
    can hardly be true.
    """

    entry: journal.Entry
    verdict: TierVerdict
    decision: Decision
    criteria: tuple[ExplainedCriterion, ...]
    reasons: tuple[Reason, ...]
    gaps: tuple[Figure, ...]
    changes: Changes
    turns: tuple[Turn, ...]
    rests: tuple[tuple[Rest, str], ...]
    answers: tuple[Turn, ...]
    figures: tuple[ExplainedFact, ...]
    settled: tuple[Settled, ...]
    later: tuple[int, ...] = ()
    corrected_at: datetime | None = None
    doubts: tuple[Issue, ...] = ()

    @property
    def case(self) -> Json:
        """The question that was decided."""
        found: Json = self.entry.content["case"]
        return found

    @property
    def outcome(self) -> Outcome:
        """The verdict."""
        return self.changes.verdict

    @property
    def together(self) -> bool:
        """Whether no change turns the verdict by itself."""
        return bool(self.changes.together or self.changes.rest)

    @property
    def reached(self) -> Outcome:
        """The verdict after all the changes together."""
        found = self.changes.together
        return found[0].verdict if found else self.outcome

    @property
    def as_of(self) -> date:
        """The day as of which the case was decided."""
        return self.decision.profile.as_of

    @property
    def filed_as_of(self) -> date:
        """The day of the filing."""
        return parse_day(self.case["filed_as_of"])

    @property
    def recorded_at(self) -> datetime:
        """When the decision was recorded, in China's time."""
        return self.entry.recorded_at.astimezone(CHINA)

    @property
    def indicators(self) -> list[tuple[Indicator, Reading]]:
        """The indicators of the enterprise itself (not of its records), and what was read."""
        found = self.decision.ruleset.indicators
        return [(found[k], r) for k, r in self.decision.readings.items() if k in found]

    def to_json(self) -> Json:
        """Everything as plain JSON values; exact numbers are texts."""
        entry, body, row = self.entry, self.entry.content, self.verdict.governing
        facts = self.decision.ruleset.facts
        assert row is not None
        return {
            "schema": SCHEMA,
            "record": {
                "seq": entry.seq,
                "recorded_at": moment_text(entry.recorded_at),
                "by": entry.by,
                "program": entry.program,
                "digest": entry.digest,
                "previous": entry.previous,
                "facts": body["facts"],
                "ruleset": body["ruleset"],
                "applicability": body["applicability"],
                "trace": body["trace"],
                "determinations": body["determinations"],
            },
            "case": self.case,
            "outcome": self.verdict.outcome,
            "verdict": self.verdict.to_json(),
            "basis": {
                "text": row.row.basis,
                "start": row.row.start.isoformat() if row.row.start else None,
                "end": row.row.end.isoformat() if row.row.end else None,
            },
            "criteria": [
                {**_rule_json(c.finding), "outcome": c.finding.outcome, "option": c.option or None}
                for c in self.criteria
            ],
            "reasons": [_reason_json(r) for r in self.reasons],
            "missing": [
                {
                    "key": f.key or None,
                    "name": f.name,
                    "state": f.value,
                    "material": material(f, facts),
                }
                for f in self.gaps
            ],
            "changes": {
                "alone": [] if self.together else [t.to_json() for t in self.turns],
                "together": [t.to_json() for t in self.turns] if self.together else [],
                "rest": [{**rest.to_json(), "clause": clause} for rest, clause in self.rests],
                "answers": [t.to_json() for t in self.answers],
            },
            "figures": [f.to_json() for f in self.figures],
            "indicators": {i.name: _reading_json(i, r) for i, r in self.indicators},
            "determinations": [s.to_json() for s in self.settled],
            "later": list(self.later),
            "filing_corrected_at": (
                None if self.corrected_at is None else moment_text(self.corrected_at)
            ),
        }


def explanation(session: Session, replayer: Replayer, entry: journal.Entry) -> Explanation:
    """Explain a recorded decision.

    Raises ``RecordError`` for an entry of another kind, and if the decision no longer comes out.
    """
    if entry.kind != "decision":
        raise journal.not_a_decision(entry.seq)
    judged = replayer.judged(entry)
    rules = publication.published(session, entry.content["applicability"]["digest"])
    case = cases.case(session, entry.filing_id or 0)
    doubts = doubts_of(Known(case, judged.applied), rules.catalogue)
    verdict = Checker(Judge(rules)).verdict(entry.tier, judged, doubts)
    decision, finding = judged.decision, verdict.finding
    assert finding is not None
    changes = smallest_changes(decision)
    decisive = [(_owner(finding, check), check) for check in verdict.reasons()]
    clauses = _Clauses(decision, finding, decisive)
    reasons = tuple(Reason(f, check, clauses.of_titles(f.rule)) for f, check in decisive)
    return Explanation(
        entry=entry,
        verdict=verdict,
        decision=decision,
        criteria=tuple(_criteria(finding)),
        reasons=reasons,
        gaps=tuple(verdict.missing()),
        changes=changes,
        turns=clauses.turns(changes.single or changes.together),
        rests=tuple((r, clauses.citation(r.rule)) for r in changes.rest),
        answers=clauses.turns(changes.answers),
        figures=tuple(_figures(decision)),
        settled=tuple(_settled(session, entry, judged.applied)),
        later=tuple(_later(session, entry)),
        corrected_at=case.known_until,
        doubts=doubts,
    )


def material(figure: Figure, facts: Mapping[str, Fact]) -> str:
    """What would settle a value that is not filed or not found, in one phrase.

    ``facts`` are those that may be filed.
    """
    if figure.broken:
        return "请核对所用的数据；确实如此的，由审核人认定"
    if figure.gap is Gap.PENDING:
        return "由审核人认定；可以提供有助于认定的材料"
    if figure.record or not figure.key:
        return "补充这一条所缺的内容，并附证书或文件"
    id, _, year = figure.key.partition("@")
    known = facts.get(id)
    if known is None:  # a list of records
        return "补报清单并说明是否已报全；没有的，写明“无”"
    if year and known.unit == "万元":
        return f"补填{year}年审计报告的期末数"
    if year:
        return f"补填{year}年末的数"
    return f"补填{f'（{known.note}）' if known.note else ''}，并附能够证明的材料"


def signed(change: Change) -> str:
    """The difference of a change with its sign: +0.01万元, -3天; empty for codes."""
    if change.old is None or change.fact.kind not in ("number", "date"):
        return ""
    gap = _difference(change)
    size = (
        f"{abs(gap)}天" if change.fact.kind == "date" else magnitude(gap, change.fact.unit, _DIGITS)
    )
    return f"{'+' if gap > 0 else '-'}{size}"


def _difference(change: Change) -> Fraction:
    """The new value minus the old one, in base units or days."""
    if change.fact.kind == "date":
        was, now = (date.fromisoformat(str(v)) for v in (change.old, change.new))
        return Fraction((now - was).days)
    return Fraction(str(change.new)) - Fraction(str(change.old))


def share(change: Change) -> Fraction | None:
    """A figure's change as a share of the figure; None for anything else and for zero."""
    if change.fact.kind != "number" or change.old is None or not Fraction(str(change.old)):
        return None
    return _difference(change) / abs(Fraction(str(change.old)))


# -- what is gathered ------------------------------------------------------------------------------


def _checks(finding: Finding) -> Iterable[Check]:
    return (*finding.checks, *(c for o in finding.options for c in o.checks))


def _owner(root: Finding, check: Check) -> Finding:
    """The finding that makes a comparison."""
    return next(f for f in root.walk() if any(c is check for c in _checks(f)))


def _criteria(root: Finding) -> list[ExplainedCriterion]:
    """The tier's criteria: the parts of its substantive conditions and of its prerequisites."""
    found: dict[str, ExplainedCriterion] = {}
    for member in _members(root) or [ExplainedCriterion(root)]:
        for criterion in _members(member.finding) or [member]:
            found.setdefault(criterion.finding.rule, criterion)
    return list(found.values())


def _members(finding: Finding) -> list[ExplainedCriterion]:
    """The rules that make up a rule, if it consists of nothing else."""
    if not finding.options or any(_figured(c) for c in _checks(finding)):
        return []
    held = [o for o in finding.options if o.outcome is Outcome.MET]
    options: Sequence[Option] = held or finding.options
    of_all = [{c.finding.rule for c in o.checks if c.finding} for o in options]
    shared = set.intersection(*of_all)
    return [
        ExplainedCriterion(c.finding, "" if c.finding.rule in shared else o.name)
        for o in options
        for c in o.checks
        if c.finding
    ]


def _figured(check: Check) -> bool:
    """Whether a comparison concerns a figure or a score, not another rule's outcome."""
    return check.finding is None or check.points is not None


class _Clauses:
    """The clauses on which a filed value bears: those that decided, or else all that read it."""

    def __init__(
        self, decision: Decision, root: Finding, decisive: Sequence[tuple[Finding, Check]]
    ) -> None:
        ruleset, reach = decision.ruleset, Reach(decision.ruleset)
        self.year = decision.profile.fiscal_year
        self.rules = {rule.id: rule for rule in ruleset.rules}
        self.reads: dict[str, set[Expr]] = {
            rule.id: set().union(*(reach.of_indicator[n] for n in rule.indicator_names()))
            for rule in ruleset.rules
            if not rule.records
        }
        deciding = [
            f
            for finding, check in decisive
            for f in (check.finding.walk() if check.finding else [finding])
        ]
        everything = list(root.walk())
        unmet = [f for f in everything if f.result is not Outcome.MET]
        self.sought = (deciding, unmet, everything)

    def turns(self, changes: Iterable[Change]) -> tuple[Turn, ...]:
        return tuple(Turn(c, self.of(c.key)) for c in changes)

    def of(self, key: str) -> tuple[str, ...]:
        atom = self.atom(key)
        for findings in self.sought:
            found = [f.citation for f in findings if atom in self.reads[f.rule]]
            if found:
                return tuple(dict.fromkeys(found))
        return ()

    def of_titles(self, rule: str) -> bool:
        return any(atom[0] == "listed" and atom[2] == _TITLES for atom in self.reads[rule])

    def atom(self, key: str) -> Expr:
        id, _, place = key.partition("#")
        if place:
            return ("listed", place.partition(".")[2], id)
        id, _, year = key.partition("@")
        return ("year", id, int(year) - self.year) if year else ("fact", id)

    def citation(self, rule: str) -> str:
        return self.rules[rule].citation


def _figures(decision: Decision) -> list[ExplainedFact]:
    """The filed values that the ruleset reads, those with the smallest margins first."""
    profile = decision.profile
    measured = [
        ExplainedFact(
            key=m.key,
            name=m.name,
            fact=m.fact,
            value=m.value,
            source=_source(decision, m.key),
            margin=m,
        )
        for m in margins(decision)
    ]
    texts = [
        ExplainedFact(
            key=key, name=fact.name, fact=fact, value=value, source=_source(decision, key)
        )
        for key, value in profile.values.items()
        if (fact := decision.ruleset.facts.get(key)) is not None and fact.kind == "text"
    ]
    return measured + texts


def _source(decision: Decision, key: str) -> str:
    profile, lists = decision.profile, decision.ruleset.lists
    name, _, place = key.partition("#")
    record = f"{name}#{place.partition('.')[0]}" if place else key
    named = f"{lists[name].name}第{int(place.partition('.')[0]) + 1}条" if place else ""
    return profile.sources.get(key) or profile.sources.get(record) or named


def _settled(
    session: Session, entry: journal.Entry, applied: Sequence[Determination]
) -> list[Settled]:
    if not applied:
        return []
    kinds = ("determination", "confirmation")
    found = list(journal.entries(session, kinds=kinds, filing_ids=[entry.filing_id or 0]))
    at = {e.seq: e.recorded_at for e in found}
    confirmed = {e.content["determination"]: e for e in found if e.kind == "confirmation"}
    settled = []
    for determination in applied:
        by = confirmed.get(determination.digest)
        settled.append(
            Settled(
                determination,
                at[determination.seq],
                by.seq if by else None,
                by.recorded_at if by else None,
            )
        )
    return settled


def _later(session: Session, entry: journal.Entry) -> list[int]:
    """The numbers of later decisions on the same enterprise, filing date, tier and procedure."""
    asked = entry.content["case"]
    same = ("uscc", "tier", "filed_as_of", "procedure", "batch")
    found = journal.entries(
        session,
        first=entry.seq + 1,
        kinds=["decision"],
        tier=entry.tier,
        filing_ids=cases.of_enterprise(session, asked["uscc"]),
    )
    return [e.seq for e in found if all(e.content["case"][k] == asked[k] for k in same)]


# -- plain JSON ------------------------------------------------------------------------------------


def _rule_json(finding: Finding) -> Json:
    return {"rule": finding.rule, "title": finding.title, "citation": finding.citation}


def _reason_json(reason: Reason) -> Json:
    check = reason.check
    return {
        **_rule_json(reason.finding),
        "requirement": check.requirement,
        "outcome": check.outcome.text if check.outcome is not None else None,
        "value": check.value,
        "distance": check.distance or None,
        "shortfall": None if check.shortfall is None else str(check.shortfall),
        "figures": [
            {"key": f.key or None, "name": f.name, "value": f.value, "source": f.source or None}
            for f in check.figures
        ],
    }


def _change_json(change: Change) -> Json:
    part = share(change)
    return {
        **change.to_json(),
        "old_text": None if change.old is None else value_text(change.fact, change.old),
        "difference": signed(change) or None,
        "difference_exact": None if not signed(change) else str(_difference(change)),
        "share": None if part is None else str(part),
    }


def _margin_json(margin: Margin) -> Json:
    return {
        "below": None if margin.below is None else _change_json(margin.below),
        "above": None if margin.above is None else _change_json(margin.above),
        "others": [_change_json(c) for c in margin.others],
    }


def _reading_json(indicator: Indicator, reading: Reading) -> dict[str, Any]:
    return {
        "text": reading_text(indicator, reading),
        "least": None if reading.lo is None else str(reading.lo),
        "most": None if reading.hi is None else str(reading.hi),
        "code": reading.code,
        "gap": Outcome(reading.gap).text if reading.gap else None,
        "broken": reading.broken or None,
    }
