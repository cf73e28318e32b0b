"""Which characters are what: those that no text may keep, and those that are read as if not there.

Ranges are those of regular expressions, so that the kinds can be joined; ``registry.kit.characters`` has
what is done about them.
"""

import re
from typing import Final

#: Control characters but for tabulator and line ends (C0, DEL and C1): terminals obey them.
CONTROLS: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
#: Halves of characters and what is none: no file can be written with them.
BROKEN: Final = "\ud800-\udfff\ufffe\uffff"
#: What turns the direction of other characters: a text is read otherwise than it is stored.
TURNING: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
#: What ends a line or a paragraph for some programs and not for others.
SEPARATORS: Final = "\u2028\u2029"
#: What has no width, and no meaning in names, codes and amounts; pages and forms leave it behind.
INVISIBLE: Final = "\xad\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff"

#: What no text may keep.
UNFIT: Final = re.compile(f"[{CONTROLS}{BROKEN}{TURNING}{SEPARATORS}]")
#: What no criteria may hold: what is read must be what is seen.
UNSEEN: Final = re.compile(f"[{CONTROLS}{BROKEN}{TURNING}{SEPARATORS}{INVISIBLE}]")


def code_point(character: str) -> str:
    """How a character is named that cannot be shown.

    >>> code_point("\\x1b")
    'U+001B'
    """
    return f"U+{ord(character):04X}"
