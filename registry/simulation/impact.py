"""Simulates the effect of another text on every enterprise of the registry.

Both evaluators decide the newest filings under two texts, on the same facts as of the same day.
Nothing here is a decision or written to the registry: every result is labelled 模拟. Effects are
handed on enterprise by enterprise; only counts are kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Protocol

from sqlmodel import Session

from registry.errors import RegistryError
from registry.judging.case import Known
from registry.judging.facts import profile_of
from registry.judging.judge import Judge, Judgement, holds_title, refuse_wrong_day
from registry.judging.sizes import Sizes
from registry.judging.verdicts import NOT_ENCODED, unencoded
from registry.judging.worker import Cause, refusal
from registry.kit.progress import Done, ignored
from registry.record import cases
from registry.record.known import fetch
from registry.simulation.effects import LABEL, Effect, Firm, Ground, Lack, Standing, Tally
from registry.simulation.texts import Text, no_ruleset
from rules.comparison.requirements import asked_for
from rules.errors import NoRulesetError
from rules.explanation.explain import explain
from rules.explanation.findings import Finding
from rules.explanation.reasons import grounds, missing
from rules.language.editions import ApplicabilityRow, Governing
from rules.language.rulebook import Rulebook
from rules.model.ruleset import Outcome
from rules.portable.errors import Remedy

#: The most refusals that are kept in words.
_KEPT: Final = 50


@dataclass(frozen=True, kw_only=True)
class SimulationScope:
    """The enterprises to simulate, and the day.

    ``regions`` are parts of the names of provinces, cities or counties. ``holders`` selects only
    enterprises that hold the title of the tier. Without ``as_of``, each filing's own day is used.
    ``changed`` asks for reasons only if the new text says 符合 or 不符合 and the old one did not; all
    enterprises are counted.
    """

    tiers: tuple[str, ...]
    procedure: str
    regions: tuple[str, ...] = ()
    as_of: date | None = None
    holders: bool = False
    changed: bool = False

    @property
    def text(self) -> str:
        """The scope in words."""
        day = f"按{self.as_of.isoformat()}的情况" if self.as_of else "按各自填报日期的情况"
        who = "只看持有本层级称号的企业" if self.holders else "全部企业"
        where = f"，地区含{'、'.join(self.regions)}" if self.regions else ""
        reasons = "，只逐户说明结论改变的企业，条件也只统计这些企业" if self.changed else ""
        return f"{who}{where}，每家最近一份填报，{day}，程序：{self.procedure}{reasons}"


@dataclass(kw_only=True)
class SimulationRun:
    """The parameters and the counts of one run; a sink itself.

    ``sides`` name the texts, ``rulesets`` the digests by root for each side, and ``state`` the last
    entry of the journal when the run began. ``refused`` keeps the first refusals. ``told`` names
    the batches for which another text would govern.
    """

    sides: tuple[str, str]
    scope: SimulationScope
    state: str
    tallies: dict[str, Tally] = field(default_factory=dict)
    rulesets: tuple[dict[str, str], dict[str, str]] = field(default_factory=lambda: ({}, {}))
    number_refused: int = 0
    faults: int = 0
    refused: list[str] = field(default_factory=list)
    told: dict[str, None] = field(default_factory=dict)

    def add(self, effect: Effect) -> None:
        """Count an effect."""
        self.tallies.setdefault(effect.tier, Tally(tier=effect.tier)).add(effect)

    def refuse(self, text: str) -> None:
        """Count an enterprise that could not be decided."""
        self.number_refused += 1
        if len(self.refused) < _KEPT:
            self.refused.append(text)

    def to_json(self) -> dict[str, Any]:
        """The summary as plain JSON values."""
        return {
            "simulation": True,
            "label": LABEL,
            "from": {"text": self.sides[0], "rulesets": self.rulesets[0]},
            "to": {"text": self.sides[1], "rulesets": self.rulesets[1]},
            "scope": self.scope.text,
            "journal": self.state,
            "rounds": list(self.told),
            "tiers": [t.to_json() for t in self.tallies.values()],
            "refused": {"count": self.number_refused, "first": self.refused},
        }


class Sides:
    """The two texts, and how each finds the ruleset of a case.

    A named root rule always governs. A source folder gives its ruleset for the case's province and
    batch, as if it were in force on the day. If both sides are whole sets of criteria, each follows
    its own applicability table. A whole set beside another text gives the ruleset of the same id.
    """

    def __init__(self, before: Text, after: Text, procedure: str, batch: str = "") -> None:
        self.texts = before, after
        self.case = {"procedure": procedure, "batch": batch}
        self.judges = Judge(before.rules), Judge(after.rules)
        self._known: dict[tuple[str, str], tuple[frozenset[str], dict[str, str]]] = {}

    def governing(self, tier: str, day: date, province: str) -> tuple[Governing, Governing]:
        """The governing rows under both texts; raises ``NoRulesetError`` if nothing governs."""
        if all(t.whole for t in self.texts):
            case = {**self.case, "province": province}
            old, new = (j.governing(tier, day, case) for j in self.judges)
            for found in (old, new):
                if not found.row.encoded:
                    raise NoRulesetError("unencoded", NOT_ENCODED, value=unencoded(found))
            return old, new
        rows = [self._row(text, tier, day, province) for text in self.texts]
        for text, row in zip(self.texts, rows, strict=True):
            if row is None or not text.has(row.ruleset):
                raise no_ruleset(text, tier, self.case["procedure"])
        return tuple(Governing(r, LABEL, ()) for r in rows if r)  # type: ignore[return-value]

    def _row(self, text: Text, tier: str, day: date, province: str) -> ApplicabilityRow | None:
        if text.whole:
            text = next(t for t in self.texts if not t.whole)
        if text.single:
            return text.rows[0]
        return text.nearest(tier, self.case["procedure"], day, province, self.case["batch"])

    def judge(
        self, found: tuple[Governing, Governing], known: Known, day: date
    ) -> tuple[Judgement, Judgement]:
        """Decide a filing under both texts as of a day."""
        old, new = (
            judge.judge(governing, known, day)
            for judge, governing in zip(self.judges, found, strict=True)
        )
        return old, new

    def asked(self, before: str, after: str) -> tuple[frozenset[str], dict[str, str]]:
        """The keys that the old ruleset asks for, and the names of all keys of both."""
        if (before, after) not in self._known:
            old, new = (
                asked_for(j.rules.ruleset(root))
                for j, root in zip(self.judges, (before, after), strict=True)
            )
            self._known[before, after] = frozenset(old), {**old, **new}
        return self._known[before, after]

    def close(self) -> None:
        """Release the engines' memory."""
        for judge in self.judges:
            judge.close()


class Verdicts(Protocol):
    """The verdicts of both texts that are known before any filing is decided."""

    def of(self, filing_id: int, tier: str, /) -> tuple[Outcome, Outcome] | None:
        """The verdicts of a filing for a tier; None if they are not known."""


class ImpactSink(Protocol):
    """Takes the effects, enterprise by enterprise."""

    def add(self, effect: Effect) -> None:
        """Take the effect on one enterprise and tier."""

    def refuse(self, text: str) -> None:
        """Take the reason why an enterprise could not be decided."""


def simulate(
    session: Session,
    run: SimulationRun,
    sides: Sides,
    rulebook: Rulebook,
    ids: Sequence[int],
    sinks: Sequence[ImpactSink] = (),
    verdicts: Verdicts | None = None,
    *,
    progress: Done = ignored,
) -> None:
    """Simulate these filings one by one; count the effects and hand them on.

    ``rulebook`` gives sectors and sizes. If ``verdicts`` are known, the evaluators decide only the
    filings whose reasons are asked for. Effects without reasons are counted, but not handed on.
    """
    sizes = Sizes(rulebook)
    takers: tuple[ImpactSink, ...] = (run, *sinks)
    for done, known in enumerate(fetch(session, ids), 1):
        try:
            for effect in list(_effects(known, run, sides, sizes, verdicts)):
                for taker in takers if effect.reasoned else (run,):
                    taker.add(effect)
        except (OSError, MemoryError):
            raise  # it concerns all filings
        except Exception as error:
            refused = refusal(known.case, error)
            if refused.cause is Cause.CRITERIA:
                raise  # it concerns all filings
            run.faults += refused.cause is Cause.FAULT
            unnamed = refused.cause is Cause.APPLICABILITY
            for taker in takers:
                taker.refuse(refused.said if unnamed else refused.text)
        progress(done)


def _effects(
    known: Known,
    run: SimulationRun,
    sides: Sides,
    sizes: Sizes,
    verdicts: Verdicts | None,
) -> Iterator[Effect]:
    case, scope = known.case, run.scope
    places = case.province, case.city, case.county
    if scope.regions and not any(r in place for r in scope.regions for place in places):
        return
    day = scope.as_of or case.as_of
    holds = {tier: holds_title(known, tier, day) for tier in scope.tiers}
    wanted = [tier for tier in scope.tiers if holds[tier] or not scope.holders]
    if not wanted:
        return
    refuse_wrong_day(case, day, sides.judges[0].rules.catalogue)
    profile = profile_of(case.facts, day)
    sector = sizes.sector(profile)
    size = sizes.size(profile, sector)
    firm = Firm(
        uscc=case.uscc,
        name=case.name,
        province=case.province,
        city=case.city,
        county=case.county,
        sector=sector,
        size=size,
        as_of=day,
    )
    for tier in wanted:
        found = sides.governing(tier, day, case.province)
        roots = [g.row.ruleset for g in found]
        run.told |= dict.fromkeys(said for g in found for said in g.told())
        for rulesets, root, judge in zip(run.rulesets, roots, sides.judges, strict=True):
            if root not in rulesets:
                rulesets[root] = judge.rules.ruleset(root).digest
        said = verdicts.of(case.filing_id, tier) if verdicts and scope.changed else None
        if said is not None:
            old, new = (Standing(root, o, {}) for root, o in zip(roots, said, strict=True))
            effect = Effect(
                firm=firm, tier=tier, holds=holds[tier], before=old, after=new, reasoned=False
            )
            if not effect.settled_otherwise:
                yield effect
                continue
        judged = sides.judge(found, known, day)
        asked, names = sides.asked(*roots)
        before, after = (_standing(j, asked, names) for j in judged)
        if said is not None and said != (before.outcome, after.outcome):
            raise RegistryError(
                "screening-disagrees",
                "筛查与规则引擎不一致（{name} {uscc}，{tier}）：结果不予显示，请保留数据并报告",
                name=case.name,
                uscc=case.uscc,
                tier=tier,
            )
        effect = Effect(firm=firm, tier=tier, holds=holds[tier], before=before, after=after)
        yield effect.bare if scope.changed and not effect.settled_otherwise else effect


def _standing(judged: Judgement, asked: frozenset[str], names: Mapping[str, str]) -> Standing:
    decision = judged.decision
    root = judged.ruleset.rule(judged.ruleset.root)
    parts = {}
    for id in root.rule_references():
        outcome = decision.trace[id]
        if isinstance(outcome, Outcome):
            parts[id.rpartition(".")[2]] = outcome.text
    verdict = decision.verdict
    assert isinstance(verdict, Outcome)
    if verdict is Outcome.MET:
        return Standing(judged.governing.row.ruleset, verdict, parts)
    finding = explain(decision)
    failed = tuple(_grounds(finding)) if verdict is Outcome.NOT_MET else ()
    lacks = () if verdict is Outcome.NOT_MET else tuple(_lacks(finding, asked, names))
    return Standing(judged.governing.row.ruleset, verdict, parts, failed, lacks)


def _grounds(finding: Finding) -> Iterator[Ground]:
    seen = set()
    for rule, check in grounds(finding):
        name, _, threshold = check.requirement.partition(" ")
        several = len(rule.options) > 1
        options = rule.options if several else ()
        case = next((o.name for o in options if any(check is one for one in o.checks)), "")
        found = Ground(
            rule=rule.rule,
            citation=rule.citation,
            indicator=name,
            value=check.value,
            threshold=threshold,
            distance=check.distance,
            case=case,
        )
        if found not in seen:
            seen.add(found)
            yield found


def _lacks(finding: Finding, asked: frozenset[str], names: Mapping[str, str]) -> Iterator[Lack]:
    for figure in missing(finding):
        new = bool(figure.asked) and asked.isdisjoint(figure.asked)
        kinds = tuple(dict.fromkeys(names.get(k, k) for k in figure.asked)) or (figure.name,)
        yield Lack(figure.name, figure.value, new, () if figure.broken else kinds)


def state_text(seq: int, digest: str) -> str:
    """The state of the registry, in words: after an entry of the journal; 0 means before any.

    >>> state_text(7, "ab" * 32), state_text(0, "")
    ('第7号记录（abababababab）', '尚无记录')
    """
    return f"第{seq}号记录（{digest[:12]}）" if seq else "尚无记录"


def stock(session: Session, as_of: date | None) -> list[int]:
    """The newest filings on or before a day; raises ``RegistryError`` if there are none."""
    ids = cases.newest(session, as_of=as_of)
    if not ids:
        before = f"{as_of.isoformat()}以前" if as_of else ""
        later = as_of is not None and cases.newest(session)
        raise RegistryError(
            "nothing-filed",
            "没有{before}登记的填报",
            before=before,
            remedy=Remedy("check-day") if later else Remedy("import-or-demo"),
        )
    return ids
