"""What a table of enterprises must contain, computed from the texts that govern on its day.

That is everything that recognition (认定) reads in any tier, by the rulesets that govern where the
enterprises are. What only a province or one round requires is requested only there, or in that
round. Persons' findings are not requested of filers. If either a list or its total may be filed,
the total is requested, because a county summary has a column for it.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from functools import lru_cache
from typing import Final

from registry.intake.composite import FIELD_WORDS
from registry.intake.coverage import FIELDS, Key, Wanted
from registry.judging.judge import Rules
from rules.errors import NoRulesetError
from rules.language.editions import RECOGNITION, governing
from rules.model.catalogue import Catalogue
from rules.model.expressions import asked, leaves, sought
from rules.model.facts import IDENTITY
from rules.model.ruleset import Expr, Ruleset

#: What a credit code already tells, and what is known about the places that tables come from.
_SPARED: Final = frozenset(["registered_in_prc", "province", "city", "county"])


class Asked:
    """What some criteria ask for, in one round if ``batch`` names it; caches what it computed."""

    def __init__(self, rules: Rules, batch: str = "") -> None:
        self._rules = rules
        self._batch = batch
        self._kept: dict[tuple[date, str], Mapping[Key, Wanted]] = {}

    def __call__(self, day: date, province: str = "") -> Mapping[Key, Wanted]:
        """The columns read for a filing of that day in that province, in the catalogue's order."""
        case = day, province
        if case not in self._kept:
            columns = _Columns(self._rules.catalogue, day)
            found = {k: w for ruleset in self.rulesets(*case) for k, w in columns.read_by(ruleset)}
            self._kept[case] = dict(sorted(found.items(), key=lambda pair: columns.place(pair[0])))
        return self._kept[case]

    def ids(self, day: date, province: str = "") -> frozenset[str]:
        """The ids of all facts and lists that are read in any way, including findings."""
        read = {
            key
            for ruleset in self.rulesets(day, province)
            for indicator in ruleset.indicators.values()
            for leaf in leaves(indicator.expr)
            for key in asked(leaf, indicator.records)
        }
        read |= {key for ruleset in self.rulesets(day, province) for key in _choosing(ruleset)}
        return frozenset(key.partition(".")[0].rstrip("+-0123456789") for key in read)

    def rulesets(self, day: date, province: str = "") -> Iterator[Ruleset]:
        """The rulesets that govern recognition on that day, except texts that are not encoded."""
        for tier in self._rules.catalogue.titles:
            case = {"tier": tier, "province": province, "batch": self._batch}
            with suppress(NoRulesetError):
                rows = self._rules.applicability
                row = governing(rows, procedure=RECOGNITION, day=day, **case).row
                if row.encoded:
                    yield self._rules.ruleset(row.ruleset)


class _Columns:
    """The columns that rulesets read on a day, in the words of a catalogue."""

    def __init__(self, catalogue: Catalogue, day: date) -> None:
        self._known = catalogue
        self._day = day

    def read_by(self, ruleset: Ruleset) -> Iterator[tuple[Key, Wanted]]:
        """The columns that a ruleset reads."""
        known = self._known
        formulas = [i.expr for i in ruleset.indicators.values() if not i.records]
        read = dict.fromkeys(leaf for expr in formulas for leaf in sought(expr))
        read |= dict.fromkeys(("fact", key) for key in _choosing(ruleset))
        rather = {leaf: better for expr in formulas for leaf, better in self._fallbacks(expr)}
        totalled = {
            leaf[1] for leaf in read if leaf[0] in ("count", "total") and leaf[-1] is not None
        }
        for leaf in read:
            match leaf:
                case ("year", id, offset):
                    year = self._day.year - 1 + offset
                    yield (id, year), Wanted(f"{year}年{known.fact(id).name}", ((id, None),))
                case ("fact", id):
                    yield from self._fact(id, rather.get(leaf, ()))
                case ("count" | "total", listed, *_, str(total)):
                    yield (total, None), Wanted(known.fact(total).name, ((listed, None),))
                case ("count" | "total", "titles", *_, rule, None):
                    for kind in self._titles(ruleset, rule):
                        yield ("titles", kind), Wanted(f"{kind}有效期至", (("titles", None),))
                case ("count" | "total", listed, *_) if listed not in totalled:
                    yield (listed, None), Wanted(known.record_kind(listed).name)

    def place(self, key: Key) -> tuple[int, int]:
        """The position of a column: as in the catalogue, newest year first, lowest title first."""
        id, part = key
        title = -part if isinstance(part, int) else self._known.titles.index(part) if part else 0
        return _order(self._known)[id], title

    def _fact(self, id: str, rather: tuple[Key, ...]) -> Iterator[tuple[Key, Wanted]]:
        if id in FIELD_WORDS:
            yield FIELDS, Wanted("主导产品所属领域")
        elif self._known.fact(id).origin == "填报" and id not in _SPARED:
            yield (id, None), Wanted(self._known.fact(id).name, rather)

    def _fallbacks(self, expr: Expr) -> Iterator[tuple[Expr, tuple[Key, ...]]]:
        """The facts that a formula reads only if others cannot be used, with these others."""
        if str(expr[0]).startswith("else_"):
            facts = (leaf[1] for leaf in leaves(expr[1]) if leaf[0] == "fact")
            better = tuple((id, None) for id in facts if self._known.fact(id).origin == "填报")
            yield from ((leaf, better) for part in expr[2:] for leaf in leaves(part))
        for part in expr[1:]:
            if isinstance(part, tuple) and part and isinstance(part[0], str):
                yield from self._fallbacks(part)

    def _titles(self, ruleset: Ruleset, rule: str) -> Iterator[str]:
        """The kinds of titles that satisfy a rule."""
        for _, line in ruleset.rule(rule).lines():
            if isinstance(line.value, tuple):
                yield from (kind for kind in line.value if kind in self._known.titles)


def _choosing(ruleset: Ruleset) -> Iterator[str]:
    """The facts by which the values of parameters are chosen."""
    for parameter in ruleset.parameters.values():
        yield from parameter.keys


@lru_cache(maxsize=4)
def _order(catalogue: Catalogue) -> Mapping[str, int]:
    """The position of each fact and list in a catalogue, by id."""
    facts = (f.id for f in (*IDENTITY, *catalogue.facts))
    ids = (*facts, *FIELDS[:1], *(r.id for r in catalogue.records))
    return {id: place for place, id in enumerate(ids)}
