"""The unified social credit code (统一社会信用代码) and its check digit, GB 32100-2015."""

import re
import unicodedata
from collections.abc import Container, Iterator
from functools import lru_cache
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SHAPE = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}")
_WEIGHTS: Final = tuple(pow(3, i, 31) for i in range(17))
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
#: Letters that no code contains, and what was probably meant.
_MISTAKEN: Final = str.maketrans("OIZS", "0125")
_LABEL: Final = re.compile(
    r"^=?[\s'\"‘’“”]*(?:(?:统一)?社会)?(?:信用)?(?:代码|USCC)\s*:?\s*", re.IGNORECASE
)
_SIGNS: Final = re.compile(r"[\s='\"‘’“”‐‑‒–—―−-]+")
_SCIENTIFIC: Final = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]{1,2}")
_PLAIN_NUMBER: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3}){4,5}(?:\.0+)?|[0-9]{16,18}\.0+")
_OF_A_BODY: Final = re.compile(r"[0-9A-Z]{8}[0-9X]")

#: The authority behind a code's first character, and what it registers.
_AUTHORITIES: Final = {
    "1": "机构编制部门登记的机关、事业单位",
    "2": "外交部门登记的机构",
    "3": "司法行政部门登记的机构",
    "4": "文化部门登记的机构",
    "5": "民政部门登记的社会组织",
    "6": "旅游部门登记的机构",
    "7": "宗教部门登记的机构",
    "8": "工会组织",
    "A": "军队编制部门登记的单位",
    "N": "农业农村部门登记的集体经济组织",
}


def is_code(text: str) -> bool:
    """Whether a word has the form of a credit code, valid or not.

    >>> is_code("91990000MA0000011C"), is_code("甲公司")
    (True, False)
    """
    return len(text) == 18 and text.isascii() and text.isalnum()


def check_digit(body: str) -> str:
    """The eighteenth character of a code, computed from the first seventeen.

    >>> check_digit("91350100M000100Y4")
    '3'
    """
    total = sum(w * _VALUES[c] for w, c in zip(_WEIGHTS, body, strict=True))
    return ALPHABET[-total % 31]


def fault(code: str, admitted: Container[str] = ()) -> str | None:
    """Why ``code`` is not a unified social credit code (one Chinese phrase), or None if it is.

    Some codes of early issue are genuine despite a wrong check digit; ``admitted`` are those that a
    person has admitted.

    >>> fault("91350100M000100Y43") is None
    True
    >>> fault("91350100M000100Y44")
    '校验码不符：前17位对应的第18位应为 3'
    """
    if len(code) != 18:
        return _other_number(code) or f"应为18位，实为{len(code)}位"
    if wrong := sorted(set(code) - set(ALPHABET)):
        return f"含有不允许的字符 {' '.join(wrong)}{_hint(code, wrong)}"
    if not _SHAPE.fullmatch(code):
        return "第3至8位（行政区划码）应为数字"
    expected = check_digit(code[:17])
    if code[17] == expected or code in admitted:
        return None
    if code.isdecimal() and code.endswith("000"):
        return "末三位都是0且校验码不符：很可能曾存成数字，后几位已失真"
    return f"校验码不符：前17位对应的第18位应为 {expected}"


def is_early(code: str) -> bool:
    """Whether only the check digit of a code is wrong, as in some codes of early issue."""
    return _SHAPE.fullmatch(code) is not None and code[17] != check_digit(code[:17])


def _other_number(text: str) -> str:
    """What a text of another length is instead of a code; else empty."""
    if _SCIENTIFIC.fullmatch(text):
        return "存成了科学计数法，后几位数字已丢失"
    if _PLAIN_NUMBER.fullmatch(text):
        return "存成了数字，后几位已失真"
    if len(text) == 15 and text.isdecimal():
        return "应为18位，实为15位：这是旧的工商注册号"
    if len(text) == 9 and _OF_A_BODY.fullmatch(text):
        return "应为18位，实为9位：这是组织机构代码"
    codes = list(_codes_in(text))
    if len(codes) > 1:
        return f"写了{len(codes)}个代码：{'、'.join(codes)}"
    return f"前后有多余的文字，其中的代码是 {codes[0]}" if codes else ""


def _codes_in(text: str) -> Iterator[str]:
    """The codes within a longer text, in order."""
    start = 0
    while start + 18 <= len(text):
        part = text[start : start + 18]
        if _SHAPE.fullmatch(part) and check_digit(part[:17]) == part[17]:
            yield part
            start += 17
        start += 1


def _hint(code: str, wrong: list[str]) -> str:
    """What characters that no code contains were probably meant to be."""
    if not code.isascii() and all(c.isascii() or c.isalpha() for c in code):
        return "（不是英文字母或数字，只是看起来像）"
    if not set(wrong) & set("IOZSV"):
        return ""
    meant = code.translate(_MISTAKEN)
    fits = not set(meant) - set(ALPHABET) and fault(meant) is None
    likely = f"，可能是 {meant}" if fits else ""
    return f"（代码中没有字母 I、O、Z、S、V{likely}）"


@lru_cache(maxsize=4096)  # an enterprise's code is in every row about it
def tidy(text: str) -> str:
    """A typed code in capitals, without label, blanks, dashes, quotes, full-width or unseen forms.

    >>> tidy("９１３５０１００ m000100y43"), tidy("统一社会信用代码：91350100-M000100Y43")
    ('91350100M000100Y43', '91350100M000100Y43')
    """
    if len(text) == 18 and text.isascii() and text.isalnum():
        return text.upper()
    seen = "".join(
        c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf"
    )
    return _SIGNS.sub("", _LABEL.sub("", seen)).upper()


def is_business(code: str) -> bool:
    """Whether a valid code comes from the business registration authorities (first digit 9)."""
    return code.startswith("9")


def authority(code: str) -> str:
    """The kind of body that a code belongs to if it is not an enterprise's; else empty.

    >>> authority("12350100M000100Y43"), authority("91350100M000100Y43")
    ('机构编制部门登记的机关、事业单位', '')
    """
    return _AUTHORITIES.get(code[:1], "")


def is_individual(code: str) -> bool:
    """Whether a code belongs to an individual business (个体工商户), which is no legal person."""
    return code.startswith("92")
