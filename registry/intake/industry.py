"""Industry codes of GB/T 4754 as typed: with or without the letter, with a name, as a number.

A two-digit division belongs to one section, so 3985 can only be C3985. The editions of 2011 and
2017 put some late divisions into different sections; there the letter is required. Nothing is
guessed.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

#: Section -> its first and last division, where the editions of 2011 and 2017 agree.
_SECTIONS: Final = {
    "A": (1, 5), "B": (6, 12), "C": (13, 43), "D": (44, 46), "E": (47, 50), "F": (51, 52),
    "G": (53, 60), "H": (61, 62), "I": (63, 65), "J": (66, 69), "K": (70, 70), "L": (71, 72),
    "M": (73, 75), "N": (76, 78), "O": (80, 81), "Q": (84, 84), "R": (86, 89), "S": (91, 95),
}  # fmt: skip
_SECTION: Final = {d: s for s, (a, b) in _SECTIONS.items() for d in range(a, b + 1)}
#: The other divisions, with their section in each edition.
_EITHER: Final = {79: "NO", 82: "OP", 83: "PQ", 85: "QR", 90: "RS", 96: "ST", 97: "T"}

_CODE: Final = re.compile(r"(?<![0-9A-Z])([A-T])?[-.:]?([0-9]{1,4})(?![0-9A-Z.])")

WRONG: Final = ("不是国民经济行业分类代码", "应为门类字母加二至四位数字，例如 C3985")


def code_of(text: str) -> str | tuple[str, str]:
    """The code that a text names, or what is wrong with it and what is expected.

    >>> code_of("3985"), code_of("C39计算机制造业"), code_of("制造业/39/398/3985")
    ('C3985', 'C39', 'C3985')
    """
    named = [match.groups() for match in _CODE.finditer(text)]
    if not named or any(len(digits) < 2 for _, digits in named):
        return WRONG
    for letter, digits in named:
        section = _SECTION.get(int(digits[:2]), "")
        if letter and letter not in (section or _EITHER.get(int(digits[:2]), "")):
            belongs = f"，{digits[:2]}属于{section}" if section else ""
            return f"门类字母与大类不一致{belongs}", "请核对行业代码"
    readings = [set(_readings(letter, digits)) for letter, digits in named]
    if not all(readings):
        return "没有门类字母", WRONG[1]
    held = {code for found in readings for code in found if all(map(_holds(code), readings))}
    fitting = sorted(c for c in held if not any(d != c and d.startswith(c) for d in held))
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        return f"没有门类字母，可能是{'，也可能是'.join(fitting)}", "请写明门类字母，例如 C3985"
    return "写有不同的行业代码", "请只写一个行业代码，例如 C3985"


def _holds(code: str) -> Callable[[set[str]], bool]:
    """Whether another number may mean the code itself or a group that contains it."""
    return lambda readings: any(code.startswith(other) for other in readings)


def _readings(letter: str | None, digits: str) -> Iterator[str]:
    """The possible meanings of digits; three may be four that lost a leading zero."""
    if letter is not None:
        yield letter + digits
        return
    division = int(digits[:2])
    for section in _SECTION.get(division) or _EITHER.get(division, ""):
        yield section + digits
    if len(digits) == 3 and digits[0] != "0":
        yield f"{_SECTION[int(digits[0])]}0{digits}"
