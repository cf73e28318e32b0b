"""Names that somebody may have meant by one that is unknown."""

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

from rules.model.characters import INVISIBLE

_MOST: Final = 3
_ENOUGH: Final = 0.5
#: How much less alike than the best a name may be and still be offered beside it.
_BEHIND: Final = 0.15
_QUOTES: Final = str.maketrans(dict.fromkeys("“”‘’「」『』\"'《》", '"'))
_UNSEEN: Final = re.compile(rf"[{INVISIBLE}\s]")


def folded(text: str) -> str:
    """A name as people see it: twins in Unicode, quotation marks and invisible characters are alike.

    >>> folded("Ⅰ类 “甲”") == folded('I类"甲"')
    True
    """
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).translate(_QUOTES).casefold()


def nearest(text: str, known: Iterable[str]) -> list[str]:
    """The known names that look most like a text, best first; a twin stands alone.

    >>> nearest("上年度研发费总额", ["上年度研发费用总额", "上年度净利润总额", "独立法人"])
    ['上年度研发费用总额']
    """
    names = list(dict.fromkeys(known))
    wanted = folded(text)
    if twins := [name for name in names if folded(name) == wanted]:
        return twins[:1]
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    found = []
    for place, name in enumerate(names):
        matcher.set_seq1(folded(name))
        if matcher.real_quick_ratio() >= _ENOUGH and matcher.quick_ratio() >= _ENOUGH:
            found.append((-matcher.ratio(), place, name))
    found.sort()
    least = max(_ENOUGH, -found[0][0] - _BEHIND) if found else 1
    return [name for ratio, _, name in found if -ratio >= least][:_MOST]


def near(text: str, known: Iterable[str]) -> str:
    """The nearest known names as an aside; empty if none is near.

    >>> near("专精特新中小企亚", ["专精特新中小企业"]), near("甲", ["乙"])
    ('（相近的有「专精特新中小企业」）', '')
    """
    found = nearest(text, (name for name in known if name))
    return f"（相近的有{'、'.join(f'「{name}」' for name in found)}）" if found else ""
