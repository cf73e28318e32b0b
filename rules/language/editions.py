"""Finds the one ruleset that governs a case, with the reason and the rows that lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from rules.errors import NoRulesetError
from rules.model.catalogue import Catalogue
from rules.model.ruleset import Position

#: The procedures: first recognition, and re-check of a held title.
RECOGNITION: Final = "认定"
RECHECK: Final = "复核"
OTHERS: Final = "其余"
UNENCODED: Final = "（未编码）"


@dataclass(frozen=True, kw_only=True)
class ApplicabilityRow:
    """A row of the applicability table; ``start`` and ``end`` are included, None is open.

    ``province`` 其余 means every province without a row of its own; an empty ``batch`` every batch
    without one. ``ruleset`` is a root rule's id, or a text marked （未编码）.
    """

    tier: str
    procedure: str
    province: str
    batch: str
    start: date | None
    end: date | None
    ruleset: str
    basis: str
    position: Position

    @property
    def encoded(self) -> bool:
        """Whether Tidu contains the governing text."""
        return not self.ruleset.endswith(UNENCODED)

    @property
    def period(self) -> str:
        """The days the row covers, in Chinese."""
        first = f"自{self.start.isoformat()}" if self.start else ""
        last = f"至{self.end.isoformat()}" if self.end else ""
        return f"{first}{last}" or "不限期"

    def covers(self, day: date) -> bool:
        """Whether the row applies on a day."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def collides(self, other: "ApplicabilityRow") -> bool:
        """Whether both rows would govern some case."""
        return (
            (self.tier, self.procedure, self.province, self.batch)
            == (other.tier, other.procedure, other.province, other.batch)
            and (self.start or date.min) <= (other.end or date.max)
            and (other.start or date.min) <= (self.end or date.max)
        )


@dataclass(frozen=True)
class Governing:
    """The row that governs a case, the reason, and the losing rows of the same tier with reasons.

    ``rounds`` are the rows of batches under which another ruleset would govern; empty if the named
    batch has a row.
    """

    row: ApplicabilityRow
    reason: str
    rejected: tuple[tuple[ApplicabilityRow, str], ...]
    rounds: tuple[ApplicabilityRow, ...] = ()

    def told(self) -> list[str]:
        """A sentence for each other ruleset that would govern under a batch, naming the batches."""
        batches: dict[tuple[str, str], list[str]] = {}
        for row in self.rounds:
            batches.setdefault((row.basis, row.period), []).append(row.batch)
        return [
            f"属于批次「{'」或「'.join(names)}」的，{self.row.tier}{self.row.procedure}改按{basis}（{period}），"
            f"结论可能不同：请写明批次，例如 {names[0]}"
            for (basis, period), names in batches.items()
        ]


def governing(
    rows: Iterable[ApplicabilityRow],
    *,
    tier: str,
    procedure: str,
    day: date,
    province: str = "",
    batch: str = "",
) -> Governing:
    """The one row that governs; ``NoRulesetError`` naming the gap or the overlap if there is none.

    A row of the case's own province precedes 其余; then a row of its own batch precedes the others.
    """
    of_tier = [r for r in rows if r.tier == tier]
    same = [r for r in of_tier if r.procedure == procedure]
    rejected: list[tuple[ApplicabilityRow, str]] = []
    eligible: list[ApplicabilityRow] = []
    for row in same:
        if not row.covers(day):
            rejected.append((row, f"{row.period}，不含{day.isoformat()}"))
        elif row.province not in (province, OTHERS):
            rejected.append((row, f"适用于{row.province}，本案为{province or '未注明省份'}"))
        elif row.batch not in (batch, ""):
            rejected.append((row, f"只适用于批次「{row.batch}」"))
        else:
            eligible.append(row)
    local, winners = _nearest(eligible)
    for row in (r for r in eligible if r not in winners):
        other = f"{province}另有规定" if row not in local else f"批次「{batch}」另有规定"
        rejected.append((row, other))
    for row in (r for r in of_tier if r.procedure != procedure):
        rejected.append((row, f"用于{row.procedure}，本案为{procedure}"))
    case = f"{tier}{procedure}（{day.isoformat()}）"
    if not winners:
        starts = sorted(r.start for r in same if r.start and r.start > day)
        gap = f"（之后最早的一行自{starts[0].isoformat()}起）" if starts else ""
        raise NoRulesetError(
            "no-ruleset",
            "{case}没有适用的规则集{gap}：请查对填报日期与适用表 applicability.feature",
            case=case,
            gap=gap,
        )
    if len(winners) > 1:
        places = "、".join(str(w.position) for w in winners)
        raise NoRulesetError(
            "several-rulesets",
            "{case}有{number}个规则集同时适用（{value}）：请改正适用表",
            case=case,
            number=len(winners),
            value=places,
        )
    row = winners[0]
    rounds = () if row.batch else _rounds(row, eligible, same, day, province)
    return Governing(row, f"{row.basis}（{row.period}）", tuple(rejected), rounds)


def _nearest(
    eligible: list[ApplicabilityRow],
) -> tuple[list[ApplicabilityRow], list[ApplicabilityRow]]:
    """The rows of the case's own province, if any; among these, those of its own batch, if any."""
    local = [r for r in eligible if r.province != OTHERS] or eligible
    return local, [r for r in local if r.batch] or local


def _rounds(
    row: ApplicabilityRow,
    eligible: list[ApplicabilityRow],
    rows: list[ApplicabilityRow],
    day: date,
    province: str,
) -> tuple[ApplicabilityRow, ...]:
    """The rows of batches that would win with another ruleset than ``row``."""
    fitting = [r for r in rows if r.batch and r.covers(day) and r.province in (province, OTHERS)]
    found = []
    for batch in dict.fromkeys(r.batch for r in fitting):
        _, winners = _nearest([*eligible, *(r for r in fitting if r.batch == batch)])
        found += [w for w in winners if w.batch and w.ruleset != row.ruleset]
    return tuple(found)


def tiers_asked(
    names: Iterable[str], catalogue: Catalogue, rows: Iterable[ApplicabilityRow]
) -> tuple[str, ...]:
    """The full names of tiers given by name, short name or slug, each once.

    Without any, they are the titles that may be had in every province, lowest first: a tier of few
    provinces, a self-test or a measure is asked about only by name. Raises ``FactsError`` for an
    unknown name.
    """
    if named := dict.fromkeys(catalogue.tier(name).name for name in names):
        return tuple(named)
    everywhere = {row.tier for row in rows if row.province == OTHERS}
    return tuple(title for title in catalogue.titles if title in everywhere)
