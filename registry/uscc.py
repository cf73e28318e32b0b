"""The unified social credit code (统一社会信用代码) and its check digit, GB 32100-2015."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SHAPE = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}")
_WEIGHTS: Final = tuple(pow(3, i, 31) for i in range(17))
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}


def check_digit(body: str) -> str:
    """The eighteenth character of a code, from its first seventeen.

    >>> check_digit("91350100M000100Y4")
    '3'
    """
    total = sum(w * _VALUES[c] for w, c in zip(_WEIGHTS, body, strict=True))
    return ALPHABET[-total % 31]


def fault(code: str) -> str | None:
    """Why ``code`` is not a unified social credit code (one Chinese phrase), or None if it is.

    >>> fault("91350100M000100Y43") is None
    True
    >>> fault("91350100M000100Y44")
    '校验码不符：前17位对应的第18位应为 3'
    """
    if len(code) != 18:
        return f"应为18位，实为{len(code)}位"
    wrong = sorted(set(code) - set(ALPHABET))
    if wrong:
        hint = "（代码中没有字母 I、O、Z、S、V）" if set(wrong) & set("IOZSV") else ""
        return f"含有不允许的字符 {' '.join(wrong)}{hint}"
    if not _SHAPE.fullmatch(code):
        return "第3至8位（行政区划码）应为数字"
    expected = check_digit(code[:17])
    return None if code[17] == expected else f"校验码不符：前17位对应的第18位应为 {expected}"


@lru_cache(maxsize=4096)  # an enterprise's code stands in every row about it
def tidy(text: str) -> str:
    """A code as typed, in capitals, without blanks, dashes, quotes or full-width forms.

    >>> tidy("９１３５０１００ m000100y43")
    '91350100M000100Y43'
    """
    return re.sub(r"[\s'\"‘’“”-]+", "", unicodedata.normalize("NFKC", text)).upper()


def is_business(code: str) -> bool:
    """Whether a valid code was given by the business registration authorities (first digit 9)."""
    return code.startswith("9")
