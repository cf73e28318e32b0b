"""Published criteria, as cases are judged by them; reading and publishing them is the record's business."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rules.language.editions import ApplicabilityRow
from rules.model.catalogue import Catalogue
from rules.model.decode import decode
from rules.model.ruleset import Rule, Ruleset


@dataclass(frozen=True, kw_only=True)
class Published:
    """The criteria of one publication, by which cases are decided.

    ``digests`` maps root rules to the digests of their rulesets; ``texts`` maps digests to
    canonical texts. ``catalogue`` is what may be filed.
    """

    applicability_digest: str
    applicability: tuple[ApplicabilityRow, ...]
    digests: Mapping[str, str]
    texts: Mapping[str, str]
    catalogue: Catalogue

    def ruleset(self, root: str) -> Ruleset:
        """The ruleset of a root rule."""
        return decoded(self.texts[self.digests[root]], self.catalogue)

    @cached_property
    def shown(self) -> frozenset[str]:
        """What decisions show of a filing, as ``fact``, ``list`` or ``list.field``.

        That is everything that may be filed but the free texts that no rule reads.
        """
        fields = {f"{k.id}.{f.id}": f for k in self.catalogue.records for f in k.fields}
        known = {**{f.id: f for f in self.catalogue.facts}, **fields}
        shown = {id for id, f in known.items() if f.kind != "text" or self._is_read(id)}
        return frozenset(shown.union(k.id for k in self.catalogue.records))

    def _is_read(self, id: str) -> bool:
        named = (text for text in self.texts.values() if f'"{id}"' in text)
        rulesets = map(json.loads, named)  # only until one is found: all would take long
        return any(id in found["facts"] or id in found["fields"] for found in rulesets)

    def rule(self, id: str) -> Rule:
        """The rule with that id, from its own ruleset or from any that contains it."""
        if id in self.digests:
            return self.ruleset(id).rule(id)
        rulesets = (decoded(text, self.catalogue) for text in self.texts.values())
        return next(r for ruleset in rulesets for r in ruleset.rules if r.id == id)


@lru_cache(maxsize=64)
def decoded(text: str, catalogue: Catalogue) -> Ruleset:
    """The ruleset of a canonical text, decoded once."""
    return decode(text, catalogue)
