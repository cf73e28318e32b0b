"""Kinds of characters: those that no text may keep, and those that are ignored on reading.

Each kind is written as ranges for regular expressions, so that kinds can be joined.
``registry.kit.characters`` acts on them.
"""

import re
from typing import Final

#: Control characters but for tabulator and line ends (C0, DEL and C1): terminals obey them.
CONTROLS: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
#: Surrogates and non-characters: no file can be written with them.
BROKEN: Final = "\ud800-\udfff\ufffe\uffff"
#: Characters that change text direction: people would read something else than is stored.
TURNING: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
#: Characters that end a line or a paragraph only for some programs.
SEPARATORS: Final = "\u2028\u2029"
#: Characters without width, or meaning in names, codes and amounts; pages and forms leave them.
INVISIBLE: Final = "\xad\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff"

#: Further characters without width: joiners, fillers, variation selectors and tags.
BLANK: Final = "\u034f\u115f\u1160\u17b4\u17b5\u2065-\u206f\u3164\uffa0\ufe00-\ufe0f\U000e0000-\U000e0fff\u2800\ufff9-\ufffb"
#: Spaces that look like the common one or like none.
SPACES: Final = "\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
#: Radicals and compatibility forms that look like a common ideograph.
TWINS: Final = "\u2e80-\u2fdf\uf900-\ufaff\U0002f800-\U0002fa1f"

#: Characters that no text may keep.
UNFIT: Final = re.compile(f"[{CONTROLS}{BROKEN}{TURNING}{SEPARATORS}]")
#: Characters that no criteria may contain: the text that is read must be the text that is seen.
UNSEEN: Final = re.compile(f"[{CONTROLS}{BROKEN}{TURNING}{SEPARATORS}{INVISIBLE}{BLANK}]")


#: The most characters of a text that a message repeats.
_REPEATED: Final = 80


def clipped(text: str) -> str:
    """A text as messages repeat it: the beginning of a long one.

    >>> clipped("甲公司"), len(clipped("甲" * 32_767))
    ('甲公司', 81)
    """
    return text if len(text) <= _REPEATED else f"{text[:_REPEATED]}…"


def code_point(character: str) -> str:
    """The name of a character that cannot be shown.

    >>> code_point("\\x1b")
    'U+001B'
    """
    return f"U+{ord(character):04X}"
