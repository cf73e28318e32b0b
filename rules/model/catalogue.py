"""The catalogue: everything that an enterprise may file, as the feature files declare it.

A catalogue is part of the criteria. It is compiled from the tables 填报项如下, and published with the
rulesets, so that a registry knows what may be filed without any feature file.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Final

from rules.errors import FactsError
from rules.model.facts import IDENTITY, PERIODS, Fact, Profile, RecordKind, check_profile, exact
from rules.model.nearness import near
from rules.portable.record import TITLES

SCHEMA: Final = 1
#: The list of the titles that an enterprise holds, and its field that names them.
HELD, TITLE_KIND = TITLES, "kind"
#: The kind of a tier whose holders bear a title.
TITLE: Final = "称号"
#: The parts that rules play for applications, by the words of the tag ``@用途``: the substantive
#: conditions of a tier, its prerequisite title, its score, the limits of an SME, and size classes.
SUBSTANCE, PREREQUISITE, SCORE, LIMITS = ROLES = ("实质条件", "前置称号", "评价得分", "划型标准")
SIZES: Final = ("大型", "中型", "小型", "微型")
_PARTS: Final = (SUBSTANCE, PREREQUISITE, SCORE)


@dataclass(frozen=True, kw_only=True)
class Tier:
    """Something for which enterprises are judged: mostly a tier, whose title they may hold.

    ``short`` is its short name, ``slug`` its name in addresses. A ``kind`` other than ``TITLE`` (a
    self-test, a measure) is judged alike and never a title. A title is held for ``years`` and may
    demand that the title ``prerequisite`` is held.
    """

    name: str
    short: str
    slug: str
    kind: str = TITLE
    prerequisite: str = ""
    years: int | None = None


@dataclass(frozen=True)
class Catalogue:
    """The facts and the record lists that may be filed, and the tiers, in order of declaration.

    ``IDENTITY`` is found by name too, although it is not filed as facts. ``roles`` says of rules
    what part they play, by their ids. ``added`` are the titles of tiers that the list of titles
    does not name by itself: a ruleset knows them only if it reads them.
    """

    facts: tuple[Fact, ...] = ()
    records: tuple[RecordKind, ...] = ()
    tiers: tuple[Tier, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    added: tuple[str, ...] = ()

    def __or__(self, other: "Catalogue") -> "Catalogue":
        """Everything that either declares; for what both declare, the other's declaration holds."""
        if self == other:
            return self
        lists = {**self.lists}
        for kind in other.records:
            mine = lists[kind.id].fields if kind.id in lists else ()
            fields = {f.id: f for f in (*mine, *kind.fields)}
            lists[kind.id] = RecordKind(kind.id, kind.name, tuple(fields.values()))
        facts = {f.id: f for f in (*self.facts, *other.facts)}
        tiers = {t.name: t for t in (*self.tiers, *other.tiers)}
        return Catalogue(
            tuple(facts.values()),
            tuple(lists.values()),
            tuple(tiers.values()),
            {**self.roles, **other.roles},
            tuple(dict.fromkeys((*self.added, *other.added))),
        )

    def __hash__(self) -> int:
        """Made once: what is derived from a catalogue is looked up for every filing."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.facts, self.records))

    def get(self, name: str) -> Fact | None:
        """The fact with that id or Chinese name, if there is one."""
        return self._by_id.get(name) or self._by_name.get(name)

    def fact(self, name: str) -> Fact:
        """The fact with that id or Chinese name; ``FactsError`` if there is none."""
        found = self.get(name)
        if found is None:
            raise FactsError(
                "unknown-fact", "没有名为「{value}」的填报项：请查对填报模板中的名称", value=name
            )
        return found

    def record_kind(self, name: str) -> RecordKind:
        """The record list with that id or Chinese name; ``FactsError`` if there is none."""
        if name not in self._records:
            raise FactsError(
                "unknown-record-list",
                "没有名为「{value}」的清单：可用的有{expected}",
                value=name,
                expected="、".join(r.name for r in self.records),
            )
        return self._records[name]

    def field(self, records: str, name: str) -> Fact:
        """The field of a record list; ``FactsError`` if there is none."""
        kind = self.record_kind(records)
        found = kind.field(name)
        if found is None:
            raise FactsError(
                "no-such-field",
                "清单“{where}”没有字段「{value}」",
                where=kind.name,
                value=name,
            )
        return found

    def period_fact(self, name: str) -> tuple[Fact, int] | None:
        """Split 「上年度研发费用总额」 into its yearly fact and the offset from T, if it is one."""
        for prefix, offset in PERIODS.items():
            found = (
                self._by_name.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
            )
            if found is not None and found.yearly and (offset <= 0 or found.rating):
                return found, offset
        return None

    def wholes(self, id: str) -> tuple[str, ...]:
        """The totals that include a fact, nearest first."""
        whole = self.fact(id).part_of
        return (whole, *self.wholes(whole)) if whole else ()

    def tier(self, name: str) -> Tier:
        """The tier with that name, short name or slug; ``FactsError`` if there is none."""
        for tier in self.tiers:
            if name in (tier.name, tier.short, tier.slug):
                return tier
        raise FactsError(
            "unknown-tier",
            "没有名为「{value}」的层级{near}：可用的有{expected}",
            value=name,
            near=near(name, (text for t in self.tiers for text in (t.name, t.short, t.slug))),
            expected="、".join(tier.short for tier in self.tiers),
        )

    def short(self, tier: str) -> str:
        """The short name of a tier; one that is not declared keeps its name.

        >>> Catalogue(tiers=(Tier(name="甲类企业", short="甲类", slug="a"),)).short("甲类企业")
        '甲类'
        """
        return next((t.short for t in self.tiers if t.name == tier), tier)

    def part(self, rule: str) -> str:
        """The part of a tier that a rule is: its role, or without one the last part of its id.

        >>> Catalogue(roles={"1.甲": SCORE}).part("1.甲"), Catalogue().part("1.甲")
        ('评价得分', '甲')
        """
        role = self.roles.get(rule)
        return role if role in _PARTS else rule.rpartition(".")[2]

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles of tiers, lowest first."""
        return tuple(tier.name for tier in self.tiers if tier.kind == TITLE)

    def with_tiers(self, tiers: tuple[Tier, ...], roles: Mapping[str, str]) -> "Catalogue":
        """The catalogue with these tiers, whose titles may be held."""
        titles = [tier.name for tier in tiers if tier.kind == TITLE]
        records, added = [], []
        for kind in self.records:
            of_titles = kind.field(TITLE_KIND) if kind.id == HELD else None
            if of_titles is not None:
                added = [title for title in titles if title not in of_titles.codes]
                fact = replace(of_titles, codes=(*of_titles.codes, *added))
                kind = replace(
                    kind, fields=tuple(fact if f.id == TITLE_KIND else f for f in kind.fields)
                )
            records.append(kind)
        return Catalogue(self.facts, tuple(records), tiers, roles, tuple(added))

    def read_by(self, leaf: tuple[Any, ...], records: str = "") -> Fact:
        """The fact, or field of the records at hand, that a leaf of a formula reads."""
        return self.field(records, leaf[1]) if leaf[0] == "field" else self.fact(leaf[1])

    def validate(self, profile: Profile) -> None:
        """Raise ``FactsError`` for the first value that the catalogue does not allow."""
        check_profile(
            profile,
            self.fact,
            lambda records: partial(self.field, records),
            lambda records: self.record_kind(records).name,
        )

    @property
    def all_facts(self) -> Iterator[tuple[RecordKind | None, Fact]]:
        """Every fact, and every field with its list."""
        yield from ((None, fact) for fact in self.facts)
        yield from ((kind, field) for kind in self.records for field in kind.fields)

    @cached_property
    def lists(self) -> Mapping[str, RecordKind]:
        """The record lists by id."""
        return {r.id: r for r in self.records}

    @cached_property
    def _by_id(self) -> Mapping[str, Fact]:
        return {f.id: f for f in (*IDENTITY, *self.facts)}

    @cached_property
    def _by_name(self) -> Mapping[str, Fact]:
        return {f.name: f for f in (*IDENTITY, *self.facts)}

    @cached_property
    def _records(self) -> Mapping[str, RecordKind]:
        return {k: r for r in self.records for k in (r.id, r.name)}

    def to_json(self) -> dict[str, Any]:
        """The catalogue as plain JSON values; keys that are not used are left out."""
        return {
            "schema": SCHEMA,
            "facts": [_fact_json(f) for f in self.facts],
            "records": [
                {"id": r.id, "name": r.name, "fields": [_fact_json(f) for f in r.fields]}
                for r in self.records
            ],
            "tiers": [_tier_json(t) for t in self.tiers],
            "roles": dict(sorted(self.roles.items())),
            **({"added": list(self.added)} if self.added else {}),
        }


def catalogue_of(plain: Mapping[str, Any]) -> Catalogue:
    """The catalogue of plain JSON values; ``FactsError`` for any other content."""
    try:
        if plain["schema"] != SCHEMA:
            raise FactsError(
                "unknown-catalogue-schema",
                "填报项目录的格式版本{value}不为本程序所知：请升级本程序",
                value=plain["schema"],
            )
        return Catalogue(
            tuple(_fact(f) for f in plain["facts"]),
            tuple(
                RecordKind(r["id"], r["name"], tuple(_fact(f) for f in r["fields"]))
                for r in plain["records"]
            ),
            tuple(Tier(**t) for t in plain["tiers"]),
            dict(plain["roles"]),
            tuple(plain.get("added", ())),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise FactsError(
            "altered-catalogue", "填报项目录的文本不完整或被改动：请从备份恢复"
        ) from problem


_FLAGS: Final = ("yearly", "rating", "fixed")
_WORDS: Final = ("unit", "part_of", "share_with", "evidence", "note")


def _tier_json(tier: Tier) -> dict[str, Any]:
    return {k: v for k, v in asdict(tier).items() if v not in ("", None)}


def _fact_json(fact: Fact) -> dict[str, Any]:
    said: dict[str, Any] = {"id": fact.id, "name": fact.name, "kind": fact.kind}
    said |= {key: value for key in _WORDS if (value := getattr(fact, key))}
    said |= {key: True for key in _FLAGS if getattr(fact, key)}
    said |= {} if fact.origin == "填报" else {"origin": fact.origin}
    said |= {"codes": list(fact.codes)} if fact.codes else {}
    for key, bound in (("minimum", fact.minimum), ("maximum", fact.maximum)):
        said |= {} if bound is None else {key: str(bound)}
    return said


def _fact(plain: Mapping[str, Any]) -> Fact:
    read: dict[str, Callable[[Any], Any]] = {"minimum": exact, "maximum": exact, "codes": tuple}
    values: dict[str, Any] = {k: read[k](v) if k in read else v for k, v in plain.items()}
    return Fact(**values)
