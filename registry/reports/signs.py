"""The sign and the class of an outcome: colour is never alone, so a sign and the word go with it."""

from typing import Final

from rules.model.ruleset import Outcome

#: The words of outcomes, each with its sign and its class in the style sheet.
_SHOWN: Final = {
    Outcome.MET.text: ("✓", "met"),
    Outcome.NOT_MET.text: ("✗", "not"),
    Outcome.MISSING.text: ("？", "open"),
    Outcome.PENDING.text: ("◇", "person"),
}
#: For everything else: what does not apply, what is not encoded, points.
_OTHER: Final = ("–", "soft")


def sign(outcome: str) -> str:
    """The sign of an outcome that is given in words.

    >>> sign("符合"), sign("未编码")
    ('✓', '–')
    """
    return _SHOWN.get(outcome, _OTHER)[0]


def style(outcome: str) -> str:
    """The class of an outcome that is given in words.

    >>> style("材料不足")
    'open'
    """
    return _SHOWN.get(outcome, _OTHER)[1]
