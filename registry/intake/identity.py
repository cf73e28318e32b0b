"""The credit code and the name of an enterprise in a cell, read alike in filings and in lists.

A fault is what is wrong and what to do.
"""

from collections.abc import Container
from decimal import Decimal
from typing import Final, TypeAlias

from registry.intake.cells import CellValue, Unsaved, not_given, plain
from registry.kit import names, uscc
from registry.kit.characters import legible

Fault: TypeAlias = tuple[str, str]

#: The fault of a row without a code.
NO_CODE: Final[Fault] = ("没有统一社会信用代码", "请填写18位代码")
#: What to do about a code's fault, if checking the licence is enough.
CHECK_LICENCE: Final = "请核对营业执照上的18位代码"
_AS_TEXT: Final = "请把单元格设为文本后重新录入18位代码"
#: Spreadsheets keep fewer digits of a number than this.
_EXACT_DIGITS: Final = 16


def lacking(cell: CellValue, said: str, expected: str) -> Fault:
    """The fault of a cell that gives nothing, although a formula may have meant something."""
    return Unsaved.SAID if isinstance(cell, Unsaved) else (said, expected)


def code_of(cell: CellValue) -> str:
    """The code in a cell, in standard form; empty if nothing is given.

    >>> code_of("９１３５０１００ m000100y43"), code_of("—"), code_of(None)
    ('91350100M000100Y43', '', '')
    """
    if isinstance(cell, Unsaved):
        return ""
    return legible(uscc.tidy(cell if isinstance(cell, str) else plain(cell)))


def code_fault(cell: CellValue, code: str, admitted: Container[str] = ()) -> Fault | None:
    """The fault of a cell as a code, if any; ``admitted`` are good despite their check digit."""
    if not code:
        return lacking(cell, *NO_CODE)
    if names.is_error(plain(cell)):
        return "统一社会信用代码是公式的错误值", "请改正公式，或直接填写18位代码"
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float, Decimal)):
        return "统一社会信用代码不是代码", _AS_TEXT
    if not isinstance(cell, str) and len(code) >= _EXACT_DIGITS:
        return "统一社会信用代码存成了数字，后几位已失真", _AS_TEXT
    if (fault := uscc.fault(code, admitted)) is None:
        return None
    return f"统一社会信用代码{fault}", _AS_TEXT if "存成" in fault else CHECK_LICENCE


def name_of(cell: CellValue) -> str:
    """The name in a cell as it is written; empty if nothing is given."""
    return "" if not_given(cell) else plain(cell)


def name_fault(cell: CellValue) -> Fault | None:
    """The fault of a cell as a name, if any.

    >>> name_fault("#N/A"), name_fault("甲公司")
    (('企业名称是公式的错误值', '请改正公式，或直接填写企业全称'), None)
    """
    if names.is_error(plain(cell)):
        return names.fault(plain(cell))
    name = name_of(cell)
    return names.fault(name) if name else lacking(cell, "没有企业名称", "请填写企业全称")


def swapped(code: str, name: str) -> Fault | None:
    """The fault if code and name have changed places."""
    if code.isascii() or not any("\u4e00" <= c <= "\u9fff" for c in code):
        return None
    if uscc.fault(uscc.tidy(name)) is None:
        return "企业名称和统一社会信用代码填反了", "请对调这两格，并核对同列的其他各行"
    return None
