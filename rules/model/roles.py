"""The parts of the law that applications need by role: only this module knows their names.

They are identified by name until the criteria declare their roles themselves.
"""

from collections.abc import Iterable
from typing import Final

from rules.model.facts import TITLES

#: The short name of each tier, lowest first, and its title.
TIERS: Final[dict[str, str]] = dict(zip(("创新型", "专精特新", "小巨人"), TITLES, strict=True))
#: The procedures: first recognition, and re-check of a held title.
RECOGNITION: Final = "认定"
RECHECK: Final = "复核"
#: The part of a tier's recognition that holds the substantive conditions.
SUBSTANCE: Final = "实质条件"
#: The part that holds the prerequisite title.
PREREQUISITE: Final = "前置称号"
#: The indicator that separates the size classes of enterprises.
SECTOR: Final = "划型行业"
#: The size classes, largest first; the last contains all enterprises in no other.
SIZES: Final = ("大型", "中型", "小型", "微型")

_SCORE: Final = "评价得分"


def titles_of(tiers: Iterable[str]) -> tuple[str, ...]:
    """The titles of tiers given by short names; all titles if none is given.

    >>> titles_of(["专精特新"])
    ('专精特新中小企业',)
    """
    return tuple(TIERS[tier] for tier in tiers) or TITLES


def is_score(rule: str) -> bool:
    """Whether a rule gives a tier's evaluation score.

    >>> is_score("63.2.评价得分")
    True
    """
    return rule.rpartition(".")[2] == _SCORE


def size_rule(limits: str, size: str) -> str:
    """The rule for a size class in the sector whose upper limits are in the rule ``limits``."""
    return f"{limits}.{size}"
