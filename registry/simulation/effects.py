"""The effects of a change of text on enterprises, one by one and in counts.

``registry.simulation.impact`` computes them; every result is labelled 模拟.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from rules.model.ruleset import Outcome

#: The label of every output.
LABEL: Final = "模拟结果，不是决定"
#: How an enterprise fares, by the verdicts under both texts.
KEEPS, LOSES, GAINS, NEITHER, OPEN = "仍符合", "不再符合", "新符合", "仍不符合", "不能判断"
MET_NOW, FAILS_NOW = "符合，此前不能判断", "不符合，此前不能判断"
GROUPS: Final = (KEEPS, LOSES, GAINS, NEITHER, MET_NOW, FAILS_NOW, OPEN)
#: The groups for which the new text says 符合 or 不符合 and the old one something else.
CHANGED: Final = (LOSES, GAINS, MET_NOW, FAILS_NOW)
#: The new text's verdict, apart from facts that the old text never asked for.
MET, FAILS = "符合", "按已有数据即不符合"
ONLY_NEW, ALSO_OLD, PERSON = "只缺新增事项", "原有事项也不全", "数据齐全，待人工认定"
STANDINGS: Final = (MET, FAILS, ONLY_NEW, ALSO_OLD, PERSON)
#: The attributes by which enterprises are counted.
DIMENSIONS: Final = ("省份", "市", "县", "划型行业", "规模")
_UNSTATED: Final = "（未填报）"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """One comparison that an enterprise fails: rule, clause, figure, threshold and distance.

    If the rule has several 情形 and one of them suffices, ``case`` names the one that contains it.
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
    """One value not filed, or not found by a person; ``new`` if the old text never asked for it.

    ``kinds`` names it without record or year; it is empty for an indicator that cannot be computed
    from the filed figures.
    """

    name: str
    state: str
    new: bool
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """The result of an enterprise under one text."""

    root: str
    outcome: Outcome
    parts: Mapping[str, str]
    grounds: tuple[Ground, ...] = ()
    lacks: tuple[Lack, ...] = ()


@dataclass(frozen=True, kw_only=True)
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
        """The enterprise's value for one of ``DIMENSIONS``."""
        values = self.province, self.city, self.county, self.sector, self.size
        return values[DIMENSIONS.index(dimension)] or _UNSTATED


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The effect of the change of text on one enterprise and tier.

    Unless ``reasoned``, only the verdicts are known.
    """

    firm: Firm
    tier: str
    holds: bool
    before: Standing
    after: Standing
    reasoned: bool = True

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
        """One of ``STANDINGS``: the new text's verdict, apart from facts never asked for.

        Without reasons, an open verdict stays ``OPEN``: nobody has looked at what is missing.
        """
        if self.after.outcome is Outcome.MET:
            return MET
        if self.after.outcome is Outcome.NOT_MET:
            return FAILS
        if not self.reasoned:
            return OPEN
        lacks = [x for x in self.after.lacks if x.kinds]
        if not lacks:
            return PERSON
        return ONLY_NEW if all(x.new for x in lacks) else ALSO_OLD

    @property
    def settled_otherwise(self) -> bool:
        """Whether the new text says 符合 or 不符合 where the old one did not."""
        return self.group in CHANGED

    @property
    def bare(self) -> "Effect":
        """The effect without reasons."""
        before, after = (Standing(s.root, s.outcome, {}) for s in (self.before, self.after))
        return replace(self, before=before, after=after, reasoned=False)

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
    """The number of enterprises that one comparison of the new text stops.

    ``alone`` counts those that no other rule stops, ``losing`` those that qualified before.
    """

    failing: int = 0
    alone: int = 0
    losing: int = 0


@dataclass(kw_only=True)
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
        """The number of enterprises."""
        return self.groups.total()

    @property
    def stated(self) -> tuple[str, ...]:
        """The possible standings, with ``OPEN`` if some effects have no reasons."""
        return (*STANDINGS, OPEN) if self.standings[OPEN] else STANDINGS

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
        """The criteria of the new text, ordered by the number of enterprises that they stop."""
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
            "standings": {s: self.standings[s] for s in self.stated},
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
