"""Characters that no text can keep: XML, and so a workbook, has no place for them."""

import re
from typing import Final

#: What stands for a character that could not be read or kept.
REPLACEMENT: Final = "\ufffd"

_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def legible(text: str) -> str:
    """The text with control characters and halves of characters replaced.

    >>> legible("甲\\x01公司") == "甲\\ufffd公司"
    True
    """
    return text if text.isprintable() else _UNFIT.sub(REPLACEMENT, text)
