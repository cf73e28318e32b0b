"""The parts of the law that an application asks for by role: the one place that knows their names.

They are known by name until the criteria declare them themselves.
"""

from collections.abc import Iterable
from typing import Final

from rules.model.facts import TITLES

#: The short name of each tier, lowest first, and the title that it stands for.
TIERS: Final[dict[str, str]] = dict(zip(("创新型", "专精特新", "小巨人"), TITLES, strict=True))
#: The procedures: a first recognition, and a re-check of a title that is held.
RECOGNITION: Final = "认定"
RECHECK: Final = "复核"
#: The titles whose holders a control relationship with bears on.
CONTROLLING: Final = TITLES[-1]
#: The part of a tier's recognition that holds the substantive conditions.
SUBSTANCE: Final = "实质条件"
#: The part that holds the title which an enterprise has to have before.
PREREQUISITE: Final = "前置称号"
#: The indicator by which the size classes of enterprises are told apart.
SECTOR: Final = "划型行业"
#: The classes of size, the largest first; the last is that of whoever is in no other.
SIZES: Final = ("大型", "中型", "小型", "微型")

_SCORE: Final = "评价得分"


def titles_of(tiers: Iterable[str]) -> tuple[str, ...]:
    """The titles that tiers stand for, by their short names; all of them if none is named.

    >>> titles_of(["专精特新"])
    ('专精特新中小企业',)
    """
    return tuple(TIERS[tier] for tier in tiers) or TITLES


def is_score(rule: str) -> bool:
    """Whether a rule gives the score of a tier's evaluation.

    >>> is_score("63.2.评价得分")
    True
    """
    return rule.rpartition(".")[2] == _SCORE


def size_rule(limits: str, size: str) -> str:
    """The rule of a size class of the sector whose upper limits stand in the rule ``limits``."""
    return f"{limits}.{size}"
