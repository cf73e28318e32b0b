"""Judges one case: the governing ruleset, both evaluators' decision, and determinations.

The rules may be a compiled folder (``rules.language.rulebook.Rulebook``) or published rulesets
(``registry.judging.published.Published``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import Final, Protocol

from registry.errors import RegistryError
from registry.judging.case import Case, Known
from registry.judging.facts import (
    as_registered,
    determined,
    newest_year,
    overruled,
    profile_of,
    titles,
)
from registry.judging.settled import Determination, Registration
from registry.kit import cache
from rules.decider import Beside, Decider, Decision
from rules.language.editions import ApplicabilityRow, Governing, governing
from rules.model.catalogue import Catalogue
from rules.model.decode import decode
from rules.model.expressions import leaves
from rules.model.facts import Profile
from rules.model.ruleset import Rule, Ruleset
from rules.portable.canonical import canonical_json
from rules.portable.errors import Remedy
from rules.portable.record import (
    TITLES,
    Asked,
    Body,
    Json,
    amended_rules,
    asked_of_register,
    identity_read,
    with_identity,
)

#: For how many tiers, days and places it is remembered what governs: many enterprises share them.
_REMEMBERED: Final = 1024


class CheckRefusedError(RegistryError):
    """A filing cannot be checked as of the requested day."""


class MisdatedError(CheckRefusedError):
    """A registered title has a day that no profile can hold; older versions accepted such days."""


class Rules(Protocol):
    """Criteria to judge by."""

    @property
    def catalogue(self) -> Catalogue:
        """What may be filed."""

    @property
    def applicability(self) -> tuple[ApplicabilityRow, ...]:
        """The rows that say which ruleset governs when."""

    def ruleset(self, root: str, /) -> Ruleset:
        """The ruleset of a root rule."""

    def rule(self, id: str, /) -> Rule:
        """A root rule."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A case decided under the one ruleset that governs it.

    ``ruleset`` is the published ruleset; ``decision`` was made under it with determinations of
    rules applied. ``applied`` are the determinations, and ``register`` the registrations, that had
    an effect. ``overruled`` are filed titles that contradict the register.
    """

    governing: Governing
    ruleset: Ruleset
    decision: Decision
    applied: tuple[Determination, ...] = ()
    register: tuple[Registration, ...] = ()
    overruled: tuple[Body, ...] = ()


class Judge:
    """Judges cases by these rules; keeps one decider for each ruleset.

    ``alone`` skips the reference evaluator, as in ``rules.decider.Decider``; its results are never
    recorded or shown as verdicts.

    >>> from pathlib import Path
    >>> from rules import load
    >>> rules = load(Path("features"))
    >>> judge = Judge(rules)
    >>> nothing_filed = Profile(date.today(), {})
    >>> decision = judge.decide(rules.applicability[0].ruleset, nothing_filed)
    >>> decision.verdict.text
    '材料不足'
    >>> judge.close()
    """

    def __init__(self, rules: Rules, *, alone: bool = False) -> None:
        self.rules = rules
        self.alone = alone
        self._deciders: dict[str, Decider] = {}
        self._beside = Beside()
        self._read: dict[str, frozenset[str]] = {}
        self._registered: dict[str, Asked] = {}
        self._governing = lru_cache(maxsize=_REMEMBERED)(partial(governing, rules.applicability))

    def governing(self, tier: str, day: date, case: Mapping[str, str]) -> Governing:
        """The governing row; raises ``NoRulesetError`` for a gap or an overlap."""
        return self._governing(tier=tier, day=day, **case)

    def judge(self, found: Governing, known: Known, day: date) -> Judgement:
        """Judge a case as of a day under the ruleset that governs.

        What is known of the enterprise itself joins the facts if the ruleset reads it. The register
        replaces filed titles of a registered kind, and the filed share if holdings
        prove a control relation. A title with impossible days raises ``MisdatedError``.

        Determinations of facts or rules that the ruleset does not read have no effect. If several
        name the same target, the last one holds. A determination of a rule holds only if the law
        leaves that rule to judgement.
        """
        root, filed = found.row.ruleset, known.case.facts
        last = {d.target: d for d in known.determinations}
        if root not in self._read:
            self._read[root] = _targets(self.rules.ruleset(root))
        read = self._read[root]
        of_facts = [d for d in last.values() if "fact" in d.content and d.kind_of_target in read]
        of_rules = [d for d in last.values() if "rule" in d.content]
        stated = determined(filed, of_facts)
        facts, speaking = as_registered(stated, known.register, self.registered(root), day)
        _refuse_misdated(speaking)
        if identity := identity_read(self.rules.ruleset(root).facts, vars(known.case)):
            facts = with_identity(facts, identity)
        decision = self.decide(root, profile_of(facts, day))
        ruleset, applied = decision.ruleset, of_facts
        if of_rules:
            plain, settled = amended_rules(
                self.plain(root), decision.trace, [d.content for d in of_rules]
            )
            if settled:
                applied = [*of_facts, *(d for d in of_rules if d.target in settled)]
                amended = decode(canonical_json(plain), self.rules.catalogue)
                with Decider(amended, alone=self.alone) as decider:
                    decision = decider.decide(decision.profile)
        ordered = sorted(applied, key=lambda d: d.seq)
        return Judgement(
            governing=found,
            ruleset=ruleset,
            decision=decision,
            applied=tuple(ordered),
            register=speaking,
            overruled=overruled(stated, speaking, day),
        )

    def decide(self, root: str, profile: Profile) -> Decision:
        """Decide a profile under one root rule."""
        if root not in self._deciders:
            ruleset = self.rules.ruleset(root)
            self._deciders[root] = Decider(
                ruleset, alone=self.alone, store=cache.programs(), beside=self._beside
            )
        return self._deciders[root].decide(profile)

    def registered(self, root: str) -> Asked:
        """The parts of the register that the ruleset of a root rule reads."""
        if root not in self._registered:
            self._registered[root] = asked_of_register(self.plain(root))
        return self._registered[root]

    def plain(self, root: str) -> Json:
        """The ruleset of a root rule as plain JSON."""
        return self.rules.ruleset(root).to_json()

    def close(self) -> None:
        """Release the engines' memory."""
        for decider in self._deciders.values():
            decider.close()
        self._deciders.clear()


def _targets(ruleset: Ruleset) -> frozenset[str]:
    """The kinds of facts that a ruleset reads, including the completeness of lists."""
    read = {leaf for i in ruleset.indicators.values() for leaf in leaves(i.expr)}
    lists = {leaf[1] for leaf in read if leaf[0] in ("count", "total")}
    return frozenset({*ruleset.facts, *ruleset.fields, *lists})


def _refuse_misdated(speaking: Sequence[Registration]) -> None:
    for entry in speaking:
        if entry.misdated:
            raise MisdatedError(
                "misdated-title",
                "{name}（{uscc}）：{where}称号有效期的{wrong}，不能判断，须划销后重新登记",
                name=entry.content["name"],
                uscc=entry.of,
                where=entry.source,
                wrong=entry.misdated,
                remedy=Remedy("strike-title", {"seq": entry.seq}),
            )


def holds_title(known: Known, tier: str, day: date) -> bool:
    """Whether the enterprise holds the title of a tier on a day, without a sign of its expiry.

    The register decides; if it is silent, a person's determination; otherwise the filing.
    """
    last = {
        d.target: d for d in known.determinations if d.kind_of_target.partition(".")[0] == TITLES
    }
    stated = determined(known.case.facts, list(last.values()))
    facts, _ = as_registered(stated, known.register, Asked({tier}), day)
    return any(
        title.get("kind") == tier
        and title.get("held") is True
        and str(title.get("valid_until", "9999-12-31")) >= day.isoformat()
        for title in titles(facts)
    )


def refuse_wrong_day(case: Case, day: date, catalogue: Catalogue) -> None:
    """Raise ``CheckRefusedError`` if the filing cannot be judged as of a day.

    It cannot if the day is before the filing's own, or if the newest filed fiscal year is not the
    last complete one before that day.
    """
    name, own = case.name, case.as_of
    if day < own:
        raise CheckRefusedError(
            "before-filing",
            "{name}：没有{value}以前的填报，最早的是{expected}；"
            "较晚的填报不能用来检查较早的日期，请改用填报日期或以后的日期",
            name=name,
            value=day,
            expected=own,
        )
    newest, wanted = newest_year(case.facts["values"], catalogue), day.year - 1
    if newest is None or newest == wanted:
        return
    then = own.year - 1 == newest
    raise CheckRefusedError(
        "year-not-filed",
        "{name}：最新的年度数据是{value}年，而按{day}上年度应为{expected}年；请补报{expected}年数据"
        + ("" if then else "，或核对填报日期"),
        name=name,
        value=newest,
        day=day,
        expected=wanted,
        remedy=Remedy("check-as-of", {"day": own}) if then else None,
    )
