"""Characters that no text may keep: refused when typed, shown harmlessly when stored.

``rules.model.characters`` lists them.
"""

import re
from typing import Final

from rules.model.characters import INVISIBLE, SEPARATORS, TURNING, UNFIT, code_point

#: Replaces a character that could not be read or kept.
REPLACEMENT: Final = "\ufffd"
#: The most characters that an officer may type in one place: a ground of several pages.
LONGEST: Final = 4_000


def legible(text: str) -> str:
    """The text, with ``REPLACEMENT`` for characters that no text may keep.

    >>> legible("甲\\x01公司") == "甲\\ufffd公司"
    True
    """
    return text if text.isprintable() else UNFIT.sub(REPLACEMENT, text)


def wrong(text: str) -> str:
    """What is wrong with a typed text, and what to do; empty if nothing is."""
    if found := UNFIT.search(text):
        return f"含有不能显示的字符（{code_point(found[0])}），请删去后重新输入"
    if len(text) > LONGEST:
        return f"超过{LONGEST}个字，请写短一些，详情写在所附的文件里"
    return ""


_LONE_RETURN: Final = re.compile("\r(?!\n)")


def for_screen(text: str) -> str:
    """A text for a terminal, in which nothing can move the cursor back over earlier output."""
    return _LONE_RETURN.sub(REPLACEMENT, legible(text))


#: Invisible characters that forms, pages and copying leave in a cell; also glyph selectors and fillers.
_LEFT: Final = f"{INVISIBLE}{TURNING}\x7f-\x84\x86-\x9f\u034f\u115f\u1160\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0"
_SPACES: Final = f"\x85\xa0{SEPARATORS}"
_UNSEEN: Final = re.compile(f"[{_LEFT}]")
_BLANK: Final = re.compile(f"[{_SPACES}]")
_EITHER: Final = re.compile(f"[{_LEFT}{_SPACES}]")


def visible(text: str) -> str:
    """The text of a cell without invisible characters; a no-break space becomes a space.

    >>> visible("91\\u200b99\\ufeff 甲\\xa0乙")
    '9199 甲 乙'
    """
    if text.isascii():
        return text.replace("\x7f", "") if "\x7f" in text else text
    return _BLANK.sub(" ", _UNSEEN.sub("", text)) if _EITHER.search(text) else text
