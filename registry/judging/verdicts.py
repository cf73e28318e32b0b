"""Checks enterprises against the tiers: the governing ruleset, its result, and the reasons."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from registry.filings import Issue
from registry.judging.case import Known, Request
from registry.judging.doubts import bearing, doubts_of
from registry.judging.judge import Judge, Judgement, refuse_wrong_day
from registry.judging.settled import Determination, Registration
from rules.decider import Decision
from rules.errors import NoRulesetError
from rules.explanation.explain import explain
from rules.explanation.figures import Figure
from rules.explanation.findings import Check, Finding
from rules.explanation.reasons import missing
from rules.explanation.wording import result_text
from rules.language.editions import RECHECK, Governing, tiers_asked
from rules.model.catalogue import Catalogue
from rules.model.ruleset import Note, Outcome
from rules.portable.record import Body

UNENCODED: Final = "未编码"
#: What to say of that.
NOT_ENCODED: Final = "适用{value}，本系统尚未编入该文本，不能给出结论"


@dataclass(frozen=True, kw_only=True)
class TierVerdict:
    """The verdict for one enterprise and tier.

    If no encoded ruleset governs, ``decision`` is None and ``note`` names the governing text.
    ``notes`` are the interpretation notes on which the verdict rests, with their rules.
    ``not_applicable`` names the members of the tier's recognition that this procedure does not
    check. ``determinations`` and ``register`` hold the determinations and registered titles that
    had an effect; ``overruled`` are filed titles that contradict the register. ``doubts`` concern
    unlikely figures on which the verdict rests. ``catalogue`` knows the tiers and the parts that
    rules play. ``finding`` holds every comparison, from the root rule down.
    """

    tier: str
    governing: Governing | None
    decision: Decision | None
    note: str = ""
    notes: tuple[tuple[str, Note], ...] = ()
    not_applicable: tuple[str, ...] = ()
    determinations: tuple[Determination, ...] = ()
    register: tuple[Registration, ...] = ()
    overruled: tuple[Body, ...] = ()
    doubts: tuple[Issue, ...] = ()
    catalogue: Catalogue = field(default=Catalogue(), repr=False, compare=False)
    finding: Finding | None = field(default=None, repr=False, compare=False)

    @property
    def short(self) -> str:
        """The short name of the tier."""
        return self.catalogue.short(self.tier)

    @property
    def outcome(self) -> str:
        """符合, 不符合, 材料不足, 待人工认定, or 未编码 if Tidu does not have the text."""
        return result_text(self.decision.verdict) if self.decision else UNENCODED

    @property
    def parts(self) -> dict[str, str]:
        """The root's own members by the parts that they are, such as ``SUBSTANCE``."""
        if self.decision is None:
            return {}
        trace, ruleset = self.decision.trace, self.decision.ruleset
        checked = {
            self.catalogue.part(line.name.partition("/")[0]): result_text(trace[line.name])
            for _, line in ruleset.rule(ruleset.root).lines()
            if line.subject in ("rule", "points")
        }
        return checked | dict.fromkeys(self.not_applicable, Outcome.NOT_APPLICABLE.text)

    def reasons(self) -> list[Check]:
        """The comparisons on which the verdict rests; empty for 符合."""
        if self.finding is None or self.finding.result is Outcome.MET:
            return []
        return list(self.finding.reasons)

    def missing(self) -> list[Figure]:
        """The values not filed, or not found by a person, that keep the verdict open."""
        return missing(self.finding) if self.finding else []

    def to_json(self) -> dict[str, Any]:
        """The verdict and everything on which it rests, as plain JSON values."""
        row = self.governing.row if self.governing else None
        finding = self.finding.to_json() if self.finding else None
        return {
            "tier": self.tier,
            "outcome": self.outcome,
            "note": self.note,
            "ruleset": row.ruleset if row else None,
            "parts": self.parts,
            "applicability": self.governing.reason if self.governing else None,
            "rejected": [
                {"ruleset": r.ruleset, "basis": r.basis, "reason": why}
                for r, why in (self.governing.rejected if self.governing else ())
            ],
            **self._rounds(),
            "missing": [
                {"name": f.name, "value": f.value, "source": f.source} for f in self.missing()
            ],
            "doubts": [d.message for d in self.doubts],
            "notes": [
                {"rule": r, "confidence": n.confidence, "text": n.text} for r, n in self.notes
            ],
            "determinations": [
                {"seq": d.seq, **d.content, "ground": d.ground, "by": d.by}
                for d in self.determinations
            ],
            **self._registered(),
            "finding": finding,
        }

    def _rounds(self) -> dict[str, Any]:
        """The batches for which another text would govern, if any."""
        rounds = self.governing.rounds if self.governing else ()
        if not rounds:
            return {}
        return {
            "rounds": [
                {"batch": r.batch, "ruleset": r.ruleset, "basis": r.basis, "period": r.period}
                for r in rounds
            ]
        }

    def _registered(self) -> dict[str, Any]:
        """The registered titles that had an effect, and the filed ones they overrule, if any."""
        if not self.register:
            return {}
        return {
            "register": [{"seq": e.seq, **e.content, "by": e.by} for e in self.register],
            "overruled": list(self.overruled),
        }


@dataclass(frozen=True)
class CaseResult:
    """The verdicts of all tiers for one enterprise as of one day.

    ``doubts`` are all doubts about its filing, whether a verdict rests on those figures or not.
    """

    uscc: str
    name: str
    as_of: date
    verdicts: tuple[TierVerdict, ...]
    doubts: tuple[Issue, ...] = ()

    @property
    def idle_doubts(self) -> tuple[Issue, ...]:
        """The doubts about figures on which no verdict rests."""
        resting = {d for verdict in self.verdicts for d in verdict.doubts}
        return tuple(d for d in self.doubts if d not in resting)

    def to_json(self) -> dict[str, Any]:
        """The case as plain JSON values."""
        return {
            "uscc": self.uscc,
            "name": self.name,
            "as_of": self.as_of.isoformat(),
            "fiscal_year": self.as_of.year - 1,
            "doubts": [
                {"facts": list(d.facts), "value": d.value, "source": d.where, "said": d.said}
                for d in self.doubts
            ],
            "verdicts": [v.to_json() for v in self.verdicts],
        }


class Checker:
    """Checks cases, with reasons."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self._asked: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._lacks: dict[str, tuple[str, ...]] = {}

    def check(self, known: Known, request: Request) -> CaseResult:
        """Check one filing against the requested tiers, as of its own day or another.

        Raises ``CheckRefusedError`` for a day before the filing's own, and if the newest filed
        fiscal year is not the last complete one; ``FactsError`` for an unknown tier.
        """
        case, day = known.case, request.day(known.case)
        catalogue = self.judge.rules.catalogue
        refuse_wrong_day(case, day, catalogue)
        doubts, how = doubts_of(known, catalogue), request.how(case)
        verdicts = (self._verdict(t, known, day, how, doubts) for t in self._tiers(request.tiers))
        return CaseResult(case.uscc, case.name, day, tuple(verdicts), doubts)

    def _tiers(self, names: tuple[str, ...]) -> tuple[str, ...]:
        if names not in self._asked:
            rules = self.judge.rules
            self._asked[names] = tiers_asked(names, rules.catalogue, rules.applicability)
        return self._asked[names]

    def _verdict(
        self, tier: str, known: Known, day: date, how: Mapping[str, str], doubts: tuple[Issue, ...]
    ) -> TierVerdict:
        try:
            found = self.judge.governing(tier, day, how)
        except NoRulesetError as error:
            note, catalogue = str(error), self.judge.rules.catalogue
            return TierVerdict(
                tier=tier, governing=None, decision=None, note=note, catalogue=catalogue
            )
        if not found.row.encoded:
            return TierVerdict(
                tier=tier,
                governing=found,
                decision=None,
                note=NOT_ENCODED.format(value=unencoded(found)),
                catalogue=self.judge.rules.catalogue,
            )
        return self.verdict(tier, self.judge.judge(found, known, day), doubts)

    def verdict(self, tier: str, judged: Judgement, doubts: tuple[Issue, ...] = ()) -> TierVerdict:
        """A judgement with its reasons, and with those of the filing's ``doubts`` that bear on it."""
        finding = explain(judged.decision)
        return TierVerdict(
            tier=tier,
            governing=judged.governing,
            decision=judged.decision,
            notes=judged.ruleset.notes,
            not_applicable=self._left_out(judged.ruleset.root),
            determinations=judged.applied,
            register=judged.register,
            overruled=judged.overruled,
            doubts=bearing(doubts, finding),
            catalogue=self.judge.rules.catalogue,
            finding=finding,
        )

    def _left_out(self, root: str) -> tuple[str, ...]:
        """The members of the recognition root (``63.2``) that another root (``63.2.复核``) lacks.

        Members are matched by the parts that they are. If both roots have a member but with
        different rules, the members of these rules are compared.
        """
        if root not in self._lacks:
            self._lacks[root] = tuple(self._lacked(root.removesuffix(f".{RECHECK}"), root))
        return self._lacks[root]

    def _lacked(self, whole: str, part: str) -> Iterator[str]:
        listed = self._members(part)
        for name, id in self._members(whole).items():
            if name not in listed:
                yield name
            elif id != listed[name]:
                yield from self._lacked(id, listed[name])

    def _members(self, id: str) -> dict[str, str]:
        """The members of a rule by name: other rules, and indicators that it compares itself."""
        rule, catalogue = self.judge.rules.rule(id), self.judge.rules.catalogue
        rules = {catalogue.part(r): r for r in rule.rule_references()}
        return rules | {name: name for name in rule.indicator_names()}


def unencoded(found: Governing) -> str:
    """The governing text, which is not among the criteria."""
    return found.row.ruleset.removesuffix("（未编码）")
