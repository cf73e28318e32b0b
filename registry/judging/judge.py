"""One case judged: the ruleset that governs it, both evaluators' decision, and what persons settled.

The rules may be a compiled folder (``rules.language.rulebook.Rulebook``) or what was published
(``registry.record.publication.Published``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any, Final, Protocol

from registry.errors import RegistryError
from rules.decider import Decider, Decision
from rules.language.editions import ApplicabilityRow, Governing, governing
from rules.model.decode import decode
from rules.model.expressions import leaves
from rules.model.facts import Profile, RecordList, check_day, fact
from rules.model.ruleset import Rule, Ruleset
from rules.portable.canonical import canonical_json
from rules.portable.record import (
    TITLES,
    Json,
    amended_facts,
    amended_rules,
    asked_of_register,
    is_holding,
    registered,
    registered_facts,
)


class CheckRefusedError(RegistryError):
    """A filing cannot be checked as of the day asked for."""


class MisdatedError(CheckRefusedError):
    """A registered title states a day that no profile can; such were taken in once."""


class Rules(Protocol):
    """Criteria to judge by."""

    @property
    def applicability(self) -> tuple[ApplicabilityRow, ...]:
        """Which ruleset governs when."""

    def ruleset(self, root: str, /) -> Ruleset:
        """The ruleset of a root rule."""

    def rule(self, id: str, /) -> Rule:
        """A root rule."""


@dataclass(frozen=True)
class Determination:
    """What a person settled of one filing, on the record.

    ``content`` is the body of its entry: a target, its new value and what stood before; ``by``,
    ``ground`` and ``confirmed_by`` are disclosed texts.
    """

    seq: int
    digest: str
    content: Json
    by: str
    ground: str
    confirmed_by: str = ""

    @property
    def target(self) -> str:
        """The fact or rule it settles."""
        return str(self.content.get("rule") or self.content["fact"])

    @property
    def kind_of_target(self) -> str:
        """The fact it settles, of whatever year or record: ``revenue``, ``ip.pledge``, ``ip``."""
        name, _, place = self.target.partition("#")
        return f"{name}.{place.partition('.')[2]}" if place else name.partition("@")[0]


@dataclass(frozen=True)
class Registration:
    """An entry of the register that bears on the enterprise ``of``; ``content`` is its body.

    It states a title, or a holding; of ``of`` itself, or of one that it may be in a control relation with.
    """

    seq: int
    digest: str
    content: Json
    by: str
    of: str

    @property
    def own_title(self) -> bool:
        """Whether it states a title of the enterprise itself."""
        return not is_holding(self.content) and self.content["uscc"] == self.of

    @property
    def source(self) -> str:
        """Where it stands."""
        return f"登记簿第{self.seq}号"

    @property
    def misdated(self) -> str:
        """What is wrong with the days of a title of the enterprise itself; empty if nothing is."""
        days = ("valid_from", "valid_until") if self.own_title else ()
        return next((wrong for d in days if (wrong := check_day(self.content[d]))), "")


@dataclass(frozen=True)
class Judgement:
    """A case decided under the one ruleset that governs.

    ``decision`` is under that ruleset as determinations of rules leave it; ``ruleset`` is as it was
    published. ``applied`` are the determinations that had a say, ``register`` the registrations;
    ``overruled`` are filed titles that say something else.
    """

    governing: Governing
    ruleset: Ruleset
    decision: Decision
    applied: tuple[Determination, ...] = ()
    register: tuple[Registration, ...] = ()
    overruled: tuple[Json, ...] = ()


class Judge:
    """Judges cases by some rules; keeps one decider for each ruleset.

    ``alone`` as in ``rules.decider.Decider``: nothing that is recorded or told as a verdict may come of it.
    """

    def __init__(self, rules: Rules, *, alone: bool = False) -> None:
        self.rules = rules
        self.alone = alone
        self._deciders: dict[str, Decider] = {}
        self._read: dict[str, frozenset[str]] = {}
        self._registered: dict[str, set[str]] = {}

    def governing(self, tier: str, day: date, case: Mapping[str, str]) -> Governing:
        """The row that governs; raises ``NoRulesetError`` for a gap or an overlap."""
        return governing(self.rules.applicability, tier=tier, day=day, **case)

    def judge(
        self,
        found: Governing,
        profile: Profile,
        determinations: Sequence[Determination] = (),
        register: Sequence[Registration] = (),
    ) -> Judgement:
        """Judge the facts of a filing under the ruleset that governs.

        ``register`` is what bears on the enterprise: filed titles of a registered kind give way, and
        so does the filed share where holdings prove a control relation. A title of impossible days
        raises ``MisdatedError``.
        Determinations of what the ruleset does not read have no say. Of several determinations of one target the last holds; one of a rule only where the law
        leaves that rule to judgement.
        """
        root = found.row.ruleset
        last = {d.target: d for d in determinations}
        if root not in self._read:
            self._read[root] = _targets(self.rules.ruleset(root))
        read = self._read[root]
        of_facts = [d for d in last.values() if "fact" in d.content and d.kind_of_target in read]
        of_rules = [d for d in last.values() if "rule" in d.content]
        stated = amended_profile(profile, of_facts)
        amended, speaking = registered_profile(stated, register, self.registered(root))
        _refuse_misdated(speaking)
        decision = self.decide(root, amended)
        ruleset, applied = decision.ruleset, of_facts
        if of_rules:
            plain, settled = amended_rules(
                self.plain(root), decision.trace, [d.content for d in of_rules]
            )
            if settled:
                applied = [*of_facts, *(d for d in of_rules if d.target in settled)]
                with Decider(decode(canonical_json(plain)), alone=self.alone) as decider:
                    decision = decider.decide(decision.profile)
        ordered = sorted(applied, key=lambda d: d.seq)
        return Judgement(
            found, ruleset, decision, tuple(ordered), speaking, overruled(stated, speaking)
        )

    def decide(self, root: str, profile: Profile) -> Decision:
        """Decide a profile under one root rule."""
        if root not in self._deciders:
            self._deciders[root] = Decider(self.rules.ruleset(root), alone=self.alone)
        return self._deciders[root].decide(profile)

    def registered(self, root: str) -> set[str]:
        """What of the register the ruleset of a root rule looks for."""
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
    """The kinds of facts that a ruleset reads; of lists, also whether they are complete."""
    read = {leaf for i in ruleset.indicators.values() for leaf in leaves(i.expr)}
    lists = {leaf[1] for leaf in read if leaf[0] in ("count", "total")}
    return frozenset({*ruleset.facts, *ruleset.fields, *lists})


def profile_of(facts: Json, as_of: date) -> Profile:
    """The profile that facts in JSON form state as of a day."""
    records = {
        name: RecordList(tuple(listed["items"]), listed["complete"])
        for name, listed in facts["records"].items()
    }
    return Profile(as_of, facts["values"], records, facts.get("sources", {}))


def facts_of(profile: Profile) -> Json:
    """The facts of a profile in JSON form, without the day."""
    plain: dict[str, Any] = profile.to_json()
    return {k: plain[k] for k in ("values", "records", "sources")}


def amended_profile(profile: Profile, determinations: Sequence[Determination]) -> Profile:
    """The profile as determinations of facts leave it; they are the sources of what they settle."""
    if not determinations:
        return profile
    facts = amended_facts(facts_of(profile), [d.content for d in determinations])
    where = {d.target.partition(".")[0]: source_text(d) for d in determinations}
    return replace(profile_of(facts, profile.as_of), sources={**profile.sources, **where})


def registered_profile(
    profile: Profile, register: Sequence[Registration], asked: set[str]
) -> tuple[Profile, tuple[Registration, ...]]:
    """The profile as the register has what is asked of it, and the entries that say so."""
    if not register:
        return profile, ()
    named = [(entry.source, entry.content) for entry in register]
    as_of, uscc = profile.as_of, register[0].of
    facts, speaking = registered_facts(facts_of(profile), named, uscc, asked, as_of.isoformat())
    if not speaking:
        return profile, ()
    return profile_of(facts, as_of), tuple(e for e in register if e.source in speaking)


def _refuse_misdated(speaking: Sequence[Registration]) -> None:
    for entry in speaking:
        if entry.misdated:
            raise MisdatedError(
                f"{entry.content['name']}（{entry.of}）：{entry.source}称号有效期的{entry.misdated}，"
                f"不能判断；请用 tidu titles strike {entry.seq} 划销后重新登记"
            )


def holds_title(
    profile: Profile,
    determinations: Sequence[Determination],
    register: Sequence[Registration],
    tier: str,
) -> bool:
    """Whether the title of a tier is held and not said to have run out.

    As registered, else as a person determined, else as filed.
    """
    last = {d.target: d for d in determinations if d.kind_of_target.partition(".")[0] == TITLES}
    stated = amended_profile(profile, list(last.values()))
    known, _ = registered_profile(stated, register, {tier})
    listed = known.records.get(TITLES, RecordList()).items
    return any(
        title.get("kind") == tier
        and title.get("held") is True
        and str(title.get("valid_until", "9999-12-31")) >= profile.as_of.isoformat()
        for title in listed
    )


def overruled(profile: Profile, speaking: Sequence[Registration]) -> tuple[Json, ...]:
    """The filed titles of registered kinds that no registration bears out in all that they state."""
    filed = profile.records.get(TITLES)
    stated = [registered(e.content, profile.as_of.isoformat()) for e in speaking if e.own_title]
    kinds = {title["kind"] for title in stated}
    return tuple(
        dict(item)
        for item in (filed.items if filed else ())
        if item.get("kind") in kinds and not any({**t, **item} == t for t in stated)
    )


def source_text(determination: Determination) -> str:
    """Where a determined value stands."""
    return f"人工认定第{determination.seq}号"


def refuse_wrong_day(name: str, profile: Profile, day: date) -> None:
    """Raise ``CheckRefusedError`` for a day that the filing cannot be judged as of.

    That is a day before the filing's own, or one whose last fiscal year is not the newest filed.
    """
    if day < profile.as_of:
        raise CheckRefusedError(
            f"{name}：没有{day.isoformat()}以前的填报，最早的是{profile.as_of.isoformat()}；"
            "较晚的填报不能用来检查较早的日期，请改用填报日期或以后的日期"
        )
    newest, wanted = newest_year(profile), day.year - 1
    if newest is None or newest == wanted:
        return
    own = profile.as_of
    hint = f"用 --as-of {own.isoformat()} 按当时检查" if own.year - 1 == newest else "核对填报日期"
    raise CheckRefusedError(
        f"{name}：最新的年度数据是{newest}年，而按{day.isoformat()}上年度应为{wanted}年；"
        f"请补报{wanted}年数据，或{hint}"
    )


def newest_year(profile: Profile) -> int | None:
    """The newest fiscal year of which anything is filed; ratings are of calendar years."""
    return max((year for key in profile.values if (year := _fiscal_year(key))), default=None)


@lru_cache(maxsize=1 << 12)
def _fiscal_year(key: str) -> int | None:
    name, _, year = key.partition("@")
    return int(year) if year and not fact(name).rating else None


RECOGNITION: Final = "认定"
RECHECK: Final = "复核"
