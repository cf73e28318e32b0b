"""The parts of a comparison of two texts: requirements, scored items, definitions and notes."""

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any

from rules.explanation.wording import plain
from rules.model.ruleset import Indicator, Line, Note, Rule, Ruleset


class RequirementChange(Enum):
    """How a requirement changed."""

    CHANGED = "改变"
    ADDED = "新增"
    REMOVED = "取消"
    SAME = "未变"


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One comparison of a rule; ``indicator`` is None if a score or a whole rule is compared.

    ``case`` is the case that contains it. If the rule has several cases and one is enough,
    ``alternatives`` are their names.
    """

    rule: Rule
    line: Line
    indicator: Indicator | None
    name: str
    case: str = ""
    alternatives: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The comparison with its threshold: 不低于1000万元."""
        return self.line.text or "符合"

    @property
    def role(self) -> str:
        """Whether the requirement must hold, or is one way among several."""
        if not self.alternatives:
            return "必备"
        return f"{len(self.alternatives)}种情形之一「{self.case}」"

    def to_json(self) -> dict[str, Any]:
        """The requirement as plain JSON values."""
        return {
            "rule": self.rule.id,
            "title": self.rule.title,
            "citation": self.rule.citation,
            "indicator": self.name,
            "requirement": self.text,
            "role": self.role,
            "alternatives": list(self.alternatives),
        }


@dataclass(frozen=True)
class Row:
    """One requirement in both texts, or in one of them; ``details`` list the differences."""

    change: RequirementChange
    before: Requirement | None
    after: Requirement | None
    details: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the compared indicator, score or rule; both names if they differ."""
        names = dict.fromkeys(r.name for r in (self.before, self.after) if r)
        return " → ".join(names)

    def to_json(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        return {
            "change": self.change.value,
            "indicator": self.name,
            "before": self.before and self.before.to_json(),
            "after": self.after and self.after.to_json(),
            "details": list(self.details),
        }


@dataclass(frozen=True)
class ScoreItem:
    """An item that earns points: its table in words, its score, its group and its most points."""

    rule: Rule
    total: str
    group: str
    full: Fraction
    bands: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The item as plain JSON values."""
        return {
            "rule": self.rule.id,
            "title": self.rule.title,
            "citation": self.rule.citation,
            "group": self.group,
            "full": plain(self.full),
            "bands": list(self.bands),
        }


@dataclass(frozen=True)
class ScoreRow:
    """One scored item in both texts, or in one of them."""

    change: RequirementChange
    before: ScoreItem | None
    after: ScoreItem | None
    details: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        return {
            "change": self.change.value,
            "before": self.before and self.before.to_json(),
            "after": self.after and self.after.to_json(),
            "details": list(self.details),
        }


@dataclass(frozen=True)
class Definition:
    """A term: the conditions for a record to count, or the formula of an indicator.

    ``before`` and ``after`` give it in words (empty if the text lacks it). For a rule over records,
    ``rows`` are the conditions that differ, and ``rules`` its ids in the two texts.
    """

    change: RequirementChange
    name: str
    before: str
    after: str
    citation: str
    rows: tuple[Row, ...] = ()
    rules: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The definition as plain JSON values."""
        return {
            "change": self.change.value,
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "citation": self.citation,
            "rows": [r.to_json() for r in self.rows],
        }


@dataclass(frozen=True)
class ReadingNote:
    """An interpretation note with the rules it belongs to; ``side`` is 前, 后 or 前后."""

    side: str
    note: Note
    rules: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The note as plain JSON values."""
        return {
            "side": self.side,
            "confidence": self.note.confidence,
            "text": self.note.text,
            "rules": list(self.rules),
        }


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that two rulesets ask for, side by side.

    ``facts_added`` and ``facts_removed`` name the facts that only one of them asks an enterprise to
    file.
    """

    before: Ruleset
    after: Ruleset
    rows: tuple[Row, ...]
    scores: tuple[ScoreRow, ...]
    definitions: tuple[Definition, ...]
    readings: tuple[ReadingNote, ...]
    facts_added: tuple[str, ...]
    facts_removed: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether the rulesets are the same, byte for byte."""
        return self.before.digest == self.after.digest

    def to_json(self) -> dict[str, Any]:
        """The comparison as plain JSON values."""
        return {
            "tier": self.after.tier,
            "before": _side_json(self.before),
            "after": _side_json(self.after),
            "identical": self.identical,
            "requirements": [r.to_json() for r in self.rows],
            "scores": [s.to_json() for s in self.scores],
            "definitions": [d.to_json() for d in self.definitions],
            "notes": [n.to_json() for n in self.readings],
            "facts_added": list(self.facts_added),
            "facts_removed": list(self.facts_removed),
        }


def _side_json(ruleset: Ruleset) -> dict[str, str]:
    return {"root": ruleset.root, "source": ruleset.source, "digest": ruleset.digest}
