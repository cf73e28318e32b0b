"""Taking stock: what another text would mean for every enterprise of the registry.

The newest filings are decided under two texts by both evaluators, on the same facts as of the same day.
Nothing here is a decision, and nothing is written to the registry: every result is labelled 模拟. What
comes out is handed on enterprise by enterprise; only counts are kept.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, Protocol

from sqlmodel import Session

from registry.checking import Sizes, unencoded
from registry.database.versions import chunks
from registry.errors import RegistryError
from registry.judging import (
    CheckRefusedError,
    Determination,
    Judge,
    Judgement,
    Registration,
    refuse_wrong_day,
    registered_profile,
)
from registry.record import cases, journal, register
from registry.texts import Text
from rules.comparison import asked_for
from rules.editions import ApplicabilityRow, Governing
from rules.errors import DisagreementError, EngineFaultError, NoRulesetError
from rules.explain import Finding, explain, grounds, missing
from rules.facts import Profile, RecordList
from rules.model import Outcome
from rules.rulebook import Rulebook

#: What every output says of itself.
LABEL: Final = "模拟结果，不是决定"
#: What became of an enterprise, by the verdicts under both texts.
KEEPS, LOSES, GAINS, NEITHER, OPEN = "仍符合", "不再符合", "新符合", "仍不符合", "不能判断"
MET_NOW, FAILS_NOW = "符合，此前不能判断", "不符合，此前不能判断"
GROUPS: Final = (KEEPS, LOSES, GAINS, NEITHER, MET_NOW, FAILS_NOW, OPEN)
#: How the new text's verdict stands apart from what the old text never asked for.
MET, FAILS = "符合", "按已有数据即不符合"
ONLY_NEW, ALSO_OLD, PERSON = "只缺新增事项", "原有事项也不全", "数据齐全，待人工认定"
STANDINGS: Final = (MET, FAILS, ONLY_NEW, ALSO_OLD, PERSON)
#: By what enterprises are counted.
DIMENSIONS: Final = ("省份", "市", "县", "划型行业", "规模")
_UNSTATED: Final = "（未填报）"
_KEPT: Final = 50


@dataclass(frozen=True)
class Ground:
    """One comparison that an enterprise fails: rule, clause, figure, threshold and distance.

    ``case`` names the 情形 it stands in where the rule has several, one of which would do.
    """

    rule: str
    citation: str
    indicator: str
    value: str
    threshold: str
    distance: str
    case: str = ""


@dataclass(frozen=True)
class Lack:
    """One thing that is not filed or not found; ``new`` if the old text never asked for it.

    ``kinds`` names it without the record or year.
    """

    name: str
    state: str
    new: bool
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """How an enterprise stands under one text."""

    root: str
    outcome: Outcome
    parts: Mapping[str, str]
    grounds: tuple[Ground, ...] = ()
    lacks: tuple[Lack, ...] = ()


@dataclass(frozen=True)
class Firm:
    """An enterprise as its newest filing describes it."""

    uscc: str
    name: str
    province: str
    city: str
    county: str
    sector: str
    size: str
    as_of: date

    def of(self, dimension: str) -> str:
        """Its value for one of ``DIMENSIONS``."""
        values = self.province, self.city, self.county, self.sector, self.size
        return values[DIMENSIONS.index(dimension)] or _UNSTATED


@dataclass(frozen=True)
class Effect:
    """What the change of text means for one enterprise and tier."""

    firm: Firm
    tier: str
    holds: bool
    before: Standing
    after: Standing

    @property
    def group(self) -> str:
        """One of ``GROUPS``."""
        old = self.before.outcome
        match self.after.outcome:
            case Outcome.MET:
                return {Outcome.MET: KEEPS, Outcome.NOT_MET: GAINS}.get(old, MET_NOW)
            case Outcome.NOT_MET:
                return {Outcome.MET: LOSES, Outcome.NOT_MET: NEITHER}.get(old, FAILS_NOW)
        return OPEN

    @property
    def standing(self) -> str:
        """One of ``STANDINGS``: the new text's verdict apart from what was never asked for."""
        if self.after.outcome is Outcome.MET:
            return MET
        if self.after.outcome is Outcome.NOT_MET:
            return FAILS
        if not self.after.lacks:
            return PERSON
        return ONLY_NEW if all(x.new for x in self.after.lacks) else ALSO_OLD

    def to_json(self) -> dict[str, Any]:
        """The effect as plain JSON values."""
        firm = self.firm
        return {
            "uscc": firm.uscc,
            "name": firm.name,
            "province": firm.province,
            "city": firm.city,
            "county": firm.county,
            "sector": firm.sector,
            "size": firm.size,
            "as_of": firm.as_of.isoformat(),
            "tier": self.tier,
            "holds_title": self.holds,
            "group": self.group,
            "standing": self.standing,
            "before": _standing_json(self.before),
            "after": _standing_json(self.after),
        }


def _standing_json(standing: Standing) -> dict[str, Any]:
    return {
        "ruleset": standing.root,
        "outcome": standing.outcome.text,
        "parts": dict(standing.parts),
        "failed": [vars(g) for g in standing.grounds],
        "missing": [{"name": x.name, "state": x.state, "new": x.new} for x in standing.lacks],
    }


@dataclass
class Criterion:
    """How many enterprises one comparison of the new text stops.

    ``alone`` are those that no other rule stops, ``losing`` those that qualified before.
    """

    failing: int = 0
    alone: int = 0
    losing: int = 0


@dataclass
class Tally:
    """The counts of one tier."""

    tier: str
    matrix: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    standings: Counter[str] = field(default_factory=Counter)
    by: dict[str, dict[str, Counter[str]]] = field(
        default_factory=lambda: {d: {} for d in DIMENSIONS}
    )
    criteria: dict[tuple[str, str, str, str], Criterion] = field(default_factory=dict)
    cleared: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    lacks: dict[bool, Counter[str]] = field(
        default_factory=lambda: {True: Counter(), False: Counter()}
    )
    only_lacks: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """How many enterprises were looked at."""
        return self.groups.total()

    def add(self, effect: Effect) -> None:
        """Count one effect."""
        group = effect.group
        self.matrix[effect.before.outcome, effect.after.outcome] += 1
        self.groups[group] += 1
        self.standings[effect.standing] += 1
        for dimension in DIMENSIONS:
            counted = self.by[dimension].setdefault(effect.firm.of(dimension), Counter())
            counted[group] += 1
        keys = dict.fromkeys(_key(g) for g in effect.after.grounds)
        alone = len({g.rule for g in effect.after.grounds}) == 1
        for key in keys:
            criterion = self.criteria.setdefault(key, Criterion())
            criterion.failing += 1
            criterion.alone += alone
            criterion.losing += group == LOSES
        if group == GAINS:
            self.cleared.update(dict.fromkeys(map(_key, effect.before.grounds), 1))
        if effect.after.outcome is not Outcome.NOT_MET:
            kinds = dict.fromkeys((kind, x.new) for x in effect.after.lacks for kind in x.kinds)
            for kind, new in kinds:
                self.lacks[new][kind] += 1
            if len(kinds) == 1:
                self.only_lacks[next(iter(kinds))[0]] += 1

    def ranked(self) -> list[tuple[tuple[str, str, str, str], Criterion]]:
        """The criteria of the new text by how many enterprises they stop."""
        return sorted(self.criteria.items(), key=lambda x: (-x[1].failing, x[0]))

    def to_json(self) -> dict[str, Any]:
        """The counts as plain JSON values."""
        return {
            "tier": self.tier,
            "total": self.total,
            "matrix": [
                {"before": b.text, "after": a.text, "count": n}
                for (b, a), n in sorted(self.matrix.items())
            ],
            "groups": {g: self.groups[g] for g in GROUPS},
            "standings": {s: self.standings[s] for s in STANDINGS},
            "by": {
                d: {v: {g: c[g] for g in GROUPS if c[g]} for v, c in sorted(found.items())}
                for d, found in self.by.items()
            },
            "criteria": [
                {**_named(key), "failing": c.failing, "alone": c.alone, "losing": c.losing}
                for key, c in self.ranked()
            ],
            "cleared": [{**_named(k), "count": n} for k, n in self.cleared.most_common()],
            "missing": [
                {"name": name, "new": new, "count": n, "alone": self.only_lacks[name]}
                for new in (True, False)
                for name, n in self.lacks[new].most_common()
            ],
        }


def _key(ground: Ground) -> tuple[str, str, str, str]:
    return ground.rule, ground.citation, ground.indicator, ground.threshold


def _named(key: tuple[str, str, str, str]) -> dict[str, str]:
    return dict(zip(("rule", "citation", "indicator", "threshold"), key, strict=True))


@dataclass(frozen=True)
class Scope:
    """Which enterprises are looked at, and as of which day.

    ``regions`` are parts of the names of provinces, cities or counties; ``holders`` asks only for those
    who hold the title of the tier; without ``as_of`` it is the day of each filing.
    """

    tiers: tuple[str, ...]
    procedure: str
    regions: tuple[str, ...] = ()
    as_of: date | None = None
    holders: bool = False

    @property
    def text(self) -> str:
        """The scope in words."""
        day = f"按{self.as_of.isoformat()}的情况" if self.as_of else "按各自填报日期的情况"
        who = "只看持有本层级称号的企业" if self.holders else "全部企业"
        where = f"，地区含{'、'.join(self.regions)}" if self.regions else ""
        return f"{who}{where}，每家最近一份填报，{day}，程序：{self.procedure}"


@dataclass
class Run:
    """What one run asked for and what it counted; a sink itself.

    ``sides`` name the texts, ``rulesets`` the digests by root of either side, ``state`` the entry of
    the journal that was the last when it began; ``refused`` keeps the first refusals.
    """

    sides: tuple[str, str]
    scope: Scope
    state: str
    tallies: dict[str, Tally] = field(default_factory=dict)
    rulesets: tuple[dict[str, str], dict[str, str]] = field(default_factory=lambda: ({}, {}))
    number_refused: int = 0
    refused: list[str] = field(default_factory=list)

    def add(self, effect: Effect) -> None:
        """Count an effect."""
        self.tallies.setdefault(effect.tier, Tally(effect.tier)).add(effect)

    def refuse(self, text: str) -> None:
        """Count an enterprise that could not be looked at."""
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
            "tiers": [t.to_json() for t in self.tallies.values()],
            "refused": {"count": self.number_refused, "first": self.refused},
        }


class Sides:
    """The two texts and how each finds the ruleset of a case.

    A root rule that was named always governs. A source folder gives the ruleset that it has for the
    case's province and batch, as if it held on the day. Where both sides are whole sets of criteria,
    each one's own applicability table governs; a whole set beside another text gives the ruleset of the same id.
    """

    def __init__(self, before: Text, after: Text, procedure: str, batch: str = "") -> None:
        self.texts = before, after
        self.case = {"procedure": procedure, "batch": batch}
        self.judges = Judge(before.rules), Judge(after.rules)
        self._known: dict[tuple[str, str], tuple[frozenset[str], dict[str, str]]] = {}

    def governing(self, tier: str, day: date, province: str) -> tuple[Governing, Governing]:
        """What governs under either text; ``NoRulesetError`` where nothing does."""
        if all(t.whole for t in self.texts):
            case = {**self.case, "province": province}
            old, new = (j.governing(tier, day, case) for j in self.judges)
            for found in (old, new):
                if not found.row.encoded:
                    raise NoRulesetError(unencoded(found))
            return old, new
        rows = [self._row(text, tier, day, province) for text in self.texts]
        for text, row in zip(self.texts, rows, strict=True):
            if row is None or not text.has(row.ruleset):
                raise NoRulesetError(f"{text.label}没有{tier}{self.case['procedure']}的规则集")
        return tuple(Governing(r, LABEL, ()) for r in rows if r)  # type: ignore[return-value]

    def _row(self, text: Text, tier: str, day: date, province: str) -> ApplicabilityRow | None:
        if text.whole:
            text = next(t for t in self.texts if not t.whole)
        if text.single:
            return text.rows[0]
        return text.nearest(tier, self.case["procedure"], day, province, self.case["batch"])

    def judge(
        self,
        found: tuple[Governing, Governing],
        profile: Profile,
        determinations: Sequence[Determination],
        register: Sequence[Registration] = (),
    ) -> tuple[Judgement, Judgement]:
        """Decide the facts of a filing under both."""
        old, new = (
            judge.judge(governing, profile, determinations, register)
            for judge, governing in zip(self.judges, found, strict=True)
        )
        return old, new

    def asked(self, before: str, after: str) -> tuple[frozenset[str], dict[str, str]]:
        """What the old ruleset asks for, and the names of what the new one does, by key."""
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


class Sink(Protocol):
    """Takes what comes out, enterprise by enterprise."""

    def add(self, effect: Effect) -> None:
        """Take what the change of text means for one enterprise and tier."""

    def refuse(self, text: str) -> None:
        """Take the reason why an enterprise could not be looked at."""


def simulate(
    session: Session,
    run: Run,
    sides: Sides,
    rulebook: Rulebook,
    ids: Sequence[int],
    sinks: Sequence[Sink] = (),
) -> Iterator[int]:
    """Look at these filings one by one, count them and hand them on; yields how many are done.

    ``rulebook`` tells sectors and sizes.
    """
    sizes = Sizes(rulebook)
    done = 0
    takers: tuple[Sink, ...] = (run, *sinks)
    for part in chunks(ids):
        determined = cases.determinations(session, part)
        registered = register.bearing(session, sorted(set(cases.codes(session, part).values())))
        for case in cases.cases(session, part):
            done += 1
            try:
                known = determined.get(case.filing_id, ()), registered.get(case.uscc, ())
                for effect in _effects(case, known, run, sides, sizes):
                    for taker in takers:
                        taker.add(effect)
            except (CheckRefusedError, NoRulesetError) as error:
                for taker in takers:
                    taker.refuse(str(error))
            except (DisagreementError, EngineFaultError) as error:
                for taker in takers:
                    taker.refuse(f"{case.name}（{case.uscc}）：{error}")
            yield done


def _effects(
    case: cases.Case,
    known: tuple[Sequence[Determination], Sequence[Registration]],
    run: Run,
    sides: Sides,
    sizes: Sizes,
) -> Iterator[Effect]:
    scope, places = run.scope, (case.province, case.city, case.county)
    if scope.regions and not any(r in place for r in scope.regions for place in places):
        return
    day = scope.as_of or case.as_of
    profile = replace(case.profile, as_of=day)
    holds = {tier: _holds(profile, known[1], tier) for tier in scope.tiers}
    wanted = [tier for tier in scope.tiers if holds[tier] or not scope.holders]
    if not wanted:
        return
    refuse_wrong_day(case.name, case.profile, day)
    sector = sizes.sector(profile)
    firm = Firm(case.uscc, case.name, *places, sector, sizes.size(profile, sector), day)
    for tier in wanted:
        found = sides.governing(tier, day, case.province)
        judged = sides.judge(found, profile, *known)
        roots = [g.row.ruleset for g in found]
        for rulesets, root, judgement in zip(run.rulesets, roots, judged, strict=True):
            if root not in rulesets:
                rulesets[root] = judgement.ruleset.digest
        asked, names = sides.asked(*roots)
        before, after = (_standing(j, asked, names) for j in judged)
        yield Effect(firm, tier, holds[tier], before, after)


def _holds(profile: Profile, titles: Sequence[Registration], tier: str) -> bool:
    """Whether the title of a tier is held and not said to have run out: as registered, else as filed."""
    known, _ = registered_profile(profile, titles, {tier})
    listed = known.records.get("titles", RecordList()).items
    return any(
        title.get("kind") == tier
        and title.get("held") is True
        and str(title.get("valid_until", "9999-12-31")) >= profile.as_of.isoformat()
        for title in listed
    )


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
    finding = explain(decision, brief=True)
    failed = tuple(_grounds(finding)) if verdict is Outcome.NOT_MET else ()
    lacks = () if verdict is Outcome.NOT_MET else tuple(_lacks(finding, asked, names))
    return Standing(judged.governing.row.ruleset, verdict, parts, failed, lacks)


def _grounds(finding: Finding) -> Iterator[Ground]:
    seen = set()
    for rule, check in grounds(finding):
        name, _, threshold = check.requirement.partition(" ")
        several = len(rule.options) > 1
        case = next((o.name for o in rule.options if several and check in o.checks), "")
        found = Ground(rule.rule, rule.citation, name, check.value, threshold, check.distance, case)
        if found not in seen:
            seen.add(found)
            yield found


def _lacks(finding: Finding, asked: frozenset[str], names: Mapping[str, str]) -> Iterator[Lack]:
    for figure in missing(finding):
        new = bool(figure.asked) and asked.isdisjoint(figure.asked)
        kinds = tuple(dict.fromkeys(names.get(k, k) for k in figure.asked))
        yield Lack(figure.name, figure.value, new, kinds or (figure.name,))


def state_text(session: Session) -> str:
    """The last entry of the journal, to say what state of the registry was looked at."""
    last = journal.head(session)
    return f"第{last.seq}号记录（{last.digest[:12]}）" if last else "尚无记录"


def stock(session: Session, as_of: date | None) -> list[int]:
    """The newest filings, on or before a day; ``RegistryError`` where there is none."""
    ids = cases.newest(session, as_of=as_of)
    if not ids:
        before = f"{as_of.isoformat()}以前" if as_of else ""
        raise RegistryError(
            f"没有{before}登记的填报：先用 tidu import 文件 登记，或用 tidu demo 看示例"
        )
    return ids
