"""Exact values from typed cells: numbers, dates, yes and no, codes.

Every reader returns a ``Parsed``: a value in the catalogue's base unit, or None if nothing is
given, with a notice if the cell contains something that cannot be kept unchanged. A workbook keeps
numbers as binary floats; they become decimals with 15 significant digits before any computation.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from functools import lru_cache, wraps
from typing import ClassVar, Final, NamedTuple, Protocol, TypeAlias

from registry.intake import industry
from registry.intake.files.limits import DIGITS
from registry.intake.files.serials import Since1904, day
from registry.kit.characters import REPLACEMENT, legible
from registry.kit.decimals import decimal_text
from rules.model.facts import COUNTED, Fact, Scalar, check_value


@dataclass(frozen=True, slots=True)
class Percent:
    """A number known to be a ratio: its workbook shows 0.18 as 18%."""

    value: int | float | Decimal


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A formula whose result is not in the workbook; it gives no value."""

    formula: str

    SAID: ClassVar[tuple[str, str]] = (
        "公式没有保存计算结果",
        "请用 Excel 或 WPS 打开并保存后再导入",
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """A number whose format shows more or other than its digits: 100000000 shown as 10000.0万.

    ``text`` is what the cell shows; ``typed`` is what one would type for the same without rounding.
    ``otherwise`` is set if the digits shown are not those of the number. Both texts are empty if
    nothing is shown, which may also happen to a text; ``typed`` is empty if another sign is shown.
    """

    stored: int | float | str
    text: str
    typed: str
    otherwise: bool = False


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure in a cell merged over several rows or columns, so that its owner is unclear."""

    value: "CellValue"
    cells: str


CellValue: TypeAlias = (
    str
    | int
    | float
    | bool
    | Decimal
    | date
    | time
    | timedelta
    | Percent
    | Shown
    | Spread
    | Unsaved
    | None
)


class Parsed(NamedTuple):
    """The content of a cell: its value, or None, and what the officer should be told about it."""

    value: Scalar | None
    notice: str = ""
    expected: str = ""

    def said(self, name: str) -> str:
        """The notice as a sentence about the item with that name."""
        return f"“{name}”{self.notice}{'，按未提供处理' if self.value is None else ''}"


NOTHING: Final = Parsed(None)
#: The notice for a text that contains ``REPLACEMENT``.
GARBLED: Final = ("含有乱码或控制字符", "请删去后重新录入")
#: The notice for a formula's error value.
ERROR: Final = ("是公式的错误值", "请改正公式或直接填写")
_NO_SHARE: Final = Parsed(None, "不是可识别的百分比", "应写成 18% 的样子")

#: Power of ten from a unit of money to yuan.
MONEY: Final = {
    **{"元": 0, "千元": 3, "千": 3, "万元": 4, "万": 4, "十万元": 5, "百万元": 6, "百万": 6},
    **{"千万元": 7, "千万": 7, "亿元": 8, "亿": 8},
}

#: Power of ten from the sign after a share to the ratio.
_PARTS: Final = {"": 0, "%": -2, "‰": -3}

#: The unit of a ratio that is always a plain number: 1 is 100%.
PLAIN: Final = "比值"

#: The spellings of a count's unit.
_COUNTS: Final = {
    "人": ("人", "名"),
    "项": ("项", "件", "个"),
    "级": ("级",),
    "名": ("名", "位"),
    "分": ("分",),
    "件": ("件", "项", "个"),
    "家": ("家", "个"),
    "次": ("次",),
    "年": ("年",),
    "天": ("天",),
}
#: Every unit that a heading may name.
UNITS: Final = frozenset([*MONEY, "%", *(word for words in _COUNTS.values() for word in words)])

_NOT_GIVEN: Final = frozenset(
    [
        "未提供",
        "未填",
        "未填写",
        "未填报",
        "未知",
        "不详",
        "不适用",
        "暂缺",
        "缺",
        "暂无数据",
        "无数据",
        "空白",
        "空",
        "/",
        "//",
        "\\",
        "N/A",
        "NA",
    ]
)
#: The error values of Excel, WPS and LibreOffice, and what a too narrow column shows for a number.
_ERROR: Final = re.compile(
    r"#(?:N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!"
    r"|UNKNOWN!|PYTHON!|GETTING_DATA|#+)|Err:[0-9]{3}",
    re.IGNORECASE,
)
_YES: Final = frozenset(["是", "有", "√", "✓", "✔", "Y", "YES", "TRUE"])
_NO: Final = frozenset(["否", "无", "没有", "×", "✗", "✘", "X", "N", "NO", "FALSE"])

_HALF: Final = {i + 0xFEE0: i for i in range(0x21, 0x7F)} | {0x3000: " ", 0x2212: "-", 0x2013: "-"}
_SPACE: Final = re.compile(r"\s+")
#: Blanks not between digits; those between digits may separate two numbers.
_BESIDE: Final = re.compile(r"(?<![0-9.,])\s+|\s+(?![0-9.,])")
_NUMBER: Final = re.compile(
    r"(?P<sign>[+-]?)(?P<open>\()?(?P<money>[¥￥]|人民币[¥￥]?|RMB|CNY)?(?P<minus>-?)"
    r"(?P<digits>(?:[0-9]{1,3}(?:, ?[0-9]{3})+|[0-9]{1,3}(?:[^\S\r\n][0-9]{3})+|[0-9]+)(?:\.[0-9]+)?)"
    r"(?(open)\))(?P<unit>\D{0,3})"
)
_LEVEL: Final = re.compile(r"([一二三四])级?")
_DAY: Final = re.compile(
    r"自?([0-9]{4})([-./年])([0-9]{1,2})([-./月])([0-9]{1,2})[日号]?[起止]?"
    r"(?:[ ,]?(?:星期|周)[一二三四五六日天])?(?:[T ]?(?:上午|下午)?[0-9]{1,2}:[0-9:.]+)?"
)
_DAY_DIGITS: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:\.0+)?")
_PART_OF_DATE: Final = re.compile(
    r"[0-9]{4}(?:[-./年](?:[0-9]{1,2}月?份?)?)?|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])"
)
#: Signs that stand for a hyphen or a point in dates.
_DATE_SIGNS: Final = str.maketrans("‐‑‒—―─。", "------.")
_YEAR_DIGITS: Final = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_CHINESE_YEAR: Final = re.compile("[〇○零一二三四五六七八九]{4}(?=年)")
_CHINESE_COUNT: Final = re.compile("[一二三四五六七八九十]{1,3}(?=[月日号])")
#: Months and days in Chinese numerals.
_COUNTED: Final = {
    f"{tens}{ones}": str(10 * n + m)
    for n, tens in enumerate(("", "十", "二十", "三十"))
    for m, ones in enumerate(("", *"一二三四五六七八九"))
}
#: A day as a number, from 1927 to 2173, except what may be a year and a month without its zero.
_SERIAL: Final = re.compile(r"(?!19[5-9][0-9][1-9]|20[0-9]{2}[1-9])[1-9][0-9]{4}(?:\.[0-9]+)?")

#: The years in which a bare number may be read as a day.
_LIKELY: Final = (1949, 2099)

#: What a day should be.
DAY_EXPECTED: Final = "应为年月日，例如 2023-06-30"
_LIMIT: Final = Decimal(10) ** 15
_EXACT: Final = Context(prec=60)
_FEN: Final = Decimal("0.01")


def half(text: str) -> str:
    """The text with full-width letters, digits and signs made half-width, without outer blanks."""
    return text.strip() if text.isascii() else text.translate(_HALF).strip()


def squeeze(text: str) -> str:
    """The text in the form in which headings and codes are compared: NFKC, without blanks."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text))


def plain(value: CellValue) -> str:
    """The text of a cell as the officer sees it; ``REPLACEMENT`` for what cannot be kept."""
    match value:
        case None:
            return ""
        case str():
            return legible(" ".join(value.split()))
        case bool():
            return "TRUE" if value else "FALSE"
        case Percent():
            return f"{decimal_text(decimal(value.value) * 100)}%"
        case Unsaved():
            return value.formula
        case Shown():
            return legible(value.text)
        case Spread():
            return plain(value.value)
        case int() | float() | Decimal():
            return format(decimal(value), "f")
        case datetime():
            return value.date().isoformat() if value.time() == time() else str(value)
    return str(value)


def not_given(value: CellValue) -> bool:
    """Whether a cell is blank or says that nothing is given (未提供, —, /, 不详 …, or NaN).

    >>> [not_given(text) for text in ("　", "——", "／", "未提供", "无", "0")]
    [True, True, True, True, False, False]
    """
    match value:
        case str():
            return _says_nothing(value)
        case Shown():
            return _says_nothing(value.typed)
        case Spread():
            return not_given(value.value)
    return value is None or isinstance(value, Unsaved) or value != value  # NaN


def is_blank(value: CellValue) -> bool:
    """Whether a cell gives nothing and hides nothing: no formula without its result, no number that is not shown.

    >>> is_blank("—"), is_blank(Unsaved("=A1"))
    (True, False)
    """
    return not_given(value) and not isinstance(value, (Shown, Unsaved))


def is_error(value: CellValue) -> bool:
    """Whether a cell contains a formula's error value, or its text (#REF!, #N/A, #### …).

    >>> is_error("#DIV/0!"), is_error("N/A")
    (True, False)
    """
    return isinstance(value, str) and _ERROR.fullmatch(value.strip()) is not None


@lru_cache(maxsize=4096)
def _says_nothing(text: str) -> bool:
    text = half(text)
    return not text.strip("-—―─‐‑ ") or text.upper() in _NOT_GIVEN


def decimal(value: int | float | Decimal) -> Decimal:
    """The decimal of a number cell; a binary float is taken at 15 significant digits.

    >>> decimal(0.1 + 0.2)
    Decimal('0.3')
    """
    return Decimal(f"{value:.15g}" if isinstance(value, float) else value)


class Typed(NamedTuple):
    """A typed number, the unit after it, and whether a money sign precedes it."""

    number: Decimal
    unit: str = ""
    money: bool = False


def _typed(text: str) -> Typed | None:
    match = _NUMBER.fullmatch(_BESIDE.sub("", half(text)))
    if match is None or bool(match["open"]) + bool(match["sign"]) + bool(match["minus"]) > 1:
        return None
    digits = _SPACE.sub("", match["digits"].replace(",", ""))
    if len(digits) > DIGITS:
        return None
    number = Decimal(digits)
    negative = match["sign"] == "-" or match["open"] or match["minus"]
    return Typed(-number if negative else number, match["unit"], bool(match["money"]))


def _amount(value: CellValue) -> Typed | None:
    match value:
        case bool():
            return None
        case int() | float() | Decimal():
            number = decimal(value)
            if not number.is_finite():
                return None
            return Typed(number) if not number or -20 <= number.adjusted() <= 30 else None
        case str():
            return _typed(value)
    return None


class CellReader(Protocol):
    """Reads a cell as one kind of value; ``unit`` applies if the cell names none."""

    def __call__(self, value: CellValue, unit: str = "") -> Parsed:
        """The content of the cell."""


def _as_shown(read: Callable[[CellValue, str], Parsed]) -> CellReader:
    """A reader that reads what a cell shows, and recognises what no kind of value can be."""

    @wraps(read)
    def reader(value: CellValue, unit: str = "") -> Parsed:
        if isinstance(value, Shown):
            return _shown(value, unit, reader)
        if isinstance(value, Spread):
            said = f"写在合并的{value.cells}里，不知是各家、各年的还是合计"
            return Parsed(None, said, "请取消合并，逐格填写")
        if isinstance(value, Unsaved):
            return Parsed(None, *Unsaved.SAID)
        return Parsed(None, *ERROR) if is_error(value) else read(value, unit)

    return reader


def _shown(value: Shown, unit: str, read: CellReader) -> Parsed:
    """The value that a number's format shows, with a notice if the number itself differs."""
    stored = plain(value.stored)
    parsed = read(value.typed, unit)
    nothing = parsed.value == "0" and not parsed.notice and value.stored  # shown as 无
    if not_given(value) or nothing:
        shown = f"显示为「{value.text}」" if value.text else "显示为空白"
        return Parsed(None, f"存有{stored}，但{shown}", "请核对，并改用常规的数字格式")
    if parsed.value is None and parsed.notice:
        return parsed._replace(notice=f"{parsed.notice}（显示为{value.text}，存的是{stored}）")
    if not value.otherwise or (other := read(value.stored, unit).value) == parsed.value:
        return parsed
    said = f"显示为{value.text}，存的却是{stored}，{_apart(other, parsed.value)}，已按显示的读取"
    return Parsed(parsed.value, said, "请核对单位，并改用常规的数字格式")


def _apart(one: Scalar | None, other: Scalar | None) -> str:
    """The distance between two readings of a cell."""
    try:
        factor = abs(Decimal(str(one)) / Decimal(str(other)))
    except ArithmeticError:
        return "两者不相当"
    return f"相差{decimal_text(max(factor, 1 / factor).quantize(Decimal('0.01')))}倍"


@_as_shown
def read_money(value: CellValue, unit: str) -> Parsed:
    """An amount in yuan; ``unit`` applies if the cell names none; 无 is zero.

    >>> read_money("１，２３４.5", "万元").value, read_money("0.3亿元", "万元").value
    ('12345000', '30000000')
    """
    if _is_none(value):
        return Parsed("0")
    found = _amount(value)
    named = found.unit.removesuffix("整") if found else ""
    if found is None or (named or unit) not in MONEY:
        return Parsed(None, "不是可识别的金额", f"应为数字，单位{unit}")
    yuan = _EXACT.scaleb(found.number, MONEY[named or unit])
    if abs(yuan) >= _LIMIT:
        return Parsed(None, "金额超出可保存的范围", "请核对数字和单位")
    rounded = _EXACT.quantize(yuan, _FEN)
    text = decimal_text(rounded)
    if rounded != yuan:
        return Parsed(text, f"金额细于1分，已按四舍六入五成双取为{text}元", "金额最细到分")
    return Parsed(text)


@_as_shown
def read_share(value: CellValue, unit: str = "") -> Parsed:
    """A ratio; understands 10%, 0.1 and cells formatted as percentages.

    A bare number of 1 or more is ambiguous, unless the heading says %; then one below 1 is.

    >>> read_share("9.99%").value, read_share(0.1).value, read_share(18).value
    ('0.0999', '0.1', None)
    """
    if isinstance(value, Percent):
        ratio = _amount(value.value)
        return Parsed(decimal_text(ratio.number)) if ratio else _NO_SHARE
    if _is_none(value):
        return Parsed("0")
    found = _amount(value)
    if found is None or found.money or found.unit not in _PARTS:
        return _NO_SHARE
    number, sign = found.number, found.unit
    shown = decimal_text(number)
    if unit == PLAIN and not sign:
        return Parsed(shown)
    if sign or (unit and (number >= 1 or number == 0)):
        return Parsed(decimal_text(number.scaleb(_PARTS[sign or "%"])))
    if unit or number >= 1:
        return Parsed(None, "没有百分号，含义不明", f"请写明百分号，例如 {shown}%")
    return Parsed(shown)


@_as_shown
def read_count(value: CellValue, unit: str) -> Parsed:
    """A number of people, items, points, years …; 无 is zero; what is counted has no decimals.

    >>> read_count("三级", "级").value, read_count("12人", "人").value
    ('3', '12')
    """
    if _is_none(value):
        return Parsed("0")
    if unit == "级" and isinstance(value, str) and (level := _LEVEL.fullmatch(squeeze(value))):
        return Parsed(str(1 + "一二三四".index(level[1])))
    found = _amount(value)
    if found is None or found.money or (found.unit and found.unit not in _COUNTS.get(unit, ())):
        return Parsed(None, "不是可识别的数字", f"应为数字，单位{unit}")
    number = found.number
    if unit in COUNTED and number != number.to_integral_value():
        return Parsed(None, "不是整数", f"应为整数，单位{unit}")
    if abs(number) >= _LIMIT:
        return Parsed(None, "数字超出可保存的范围", "请核对")
    return Parsed(decimal_text(number))


@_as_shown
def read_flag(value: CellValue, unit: str = "") -> Parsed:
    """Yes or no; 无 means no.

    >>> read_flag("是").value, read_flag("无").value, read_flag("待定").value
    (True, False, None)
    """
    text = ("是" if value else "否") if isinstance(value, bool) else plain(value)
    word = half(text).upper()
    if word in _YES:
        return Parsed(True)
    if word in _NO:
        return Parsed(False)
    return Parsed(None, "无法识别是或否", "应为 是 或 否")


@_as_shown
def read_date(value: CellValue, unit: str = "") -> Parsed:
    """An ISO date; a month without a day stays unknown.

    >>> [read_date(text).value for text in ("2019年12月31日", "二〇〇五年十二月二十日", "20230630", "2023年6月")]
    ['2019-12-31', '2005-12-20', '2023-06-30', None]
    """
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return Parsed(value.isoformat())
    if _is_none(value):
        return NOTHING
    tight = _in_digits(half(plain(value)))
    match = _DAY.fullmatch(tight)
    if match and (match[2], match[4]) in {("-", "-"), (".", "."), ("/", "/"), ("年", "月")}:
        parts = match[1], match[3], match[5]
    elif digits := _DAY_DIGITS.fullmatch(tight):
        parts = digits[1], digits[2], digits[3]
    elif _PART_OF_DATE.fullmatch(tight):
        return Parsed(None, "日期不完整，缺少日", DAY_EXPECTED)
    elif _SERIAL.fullmatch(tight) and (found := day(float(tight), isinstance(value, Since1904))):
        said = f"像是日期{found.date()}显示成了数字"
        expected = f"请核对后把单元格设为日期格式，或写成 {found.date()}"
        if not _LIKELY[0] <= found.year <= _LIKELY[1]:
            return Parsed(None, said, expected)
        return Parsed(found.date().isoformat(), f"{said}，已读作这一天", expected)
    else:
        return Parsed(None, "不是可识别的日期", DAY_EXPECTED)
    try:
        return Parsed(date(*map(int, parts)).isoformat())
    except ValueError:
        return Parsed(None, "没有这一天", DAY_EXPECTED)


def _in_digits(text: str) -> str:
    """A day with Chinese numerals as digits, signs in the usual forms, and no extra blanks."""
    text = text.translate(_DATE_SIGNS)
    if " " in text:
        text = re.sub(r" ?([-./年月日号]) ?", r"\1", text)
    text = _CHINESE_YEAR.sub(lambda m: m[0].translate(_YEAR_DIGITS), text)
    return _CHINESE_COUNT.sub(lambda m: _COUNTED.get(m[0], m[0]), text)


@_as_shown
def read_text(value: CellValue, unit: str = "") -> Parsed:
    """A text without outer blanks; 无 means that there is nothing to state."""
    text = plain(value)
    if REPLACEMENT in text:
        return Parsed(None, *GARBLED)
    return NOTHING if text == "无" else Parsed(text)


def _is_none(value: CellValue) -> bool:
    return isinstance(value, str) and half(value) == "无"


#: A ministry's level counts as a province's.
_MINISTERIAL: Final = ("部级", "省部级")


@lru_cache(maxsize=256)
def _codes(codes: tuple[str, ...]) -> dict[str, str]:
    return {squeeze(code): code for code in codes}


def _read_code(value: CellValue, codes: tuple[str, ...]) -> Parsed:
    if is_error(value):
        return Parsed(None, *ERROR)
    text = squeeze(plain(value))
    if text in _MINISTERIAL and "省级" in codes:
        return Parsed("省级", f"填报为{text}，已按省级读取", "请核对级别")
    code = _codes(codes).get(text)
    if code is None and text == "无":
        return NOTHING
    if code is None:
        return Parsed(None, "不在可选范围内", f"应为{'、'.join(codes)}之一")
    return Parsed(code)


@_as_shown
def read_industry(value: CellValue, unit: str = "") -> Parsed:
    """An industry code of GB/T 4754: a capital letter and two to four digits.

    >>> read_industry("C3985 电子专用材料制造").value
    'C3985'
    """
    parsed = read_text(value)
    if not isinstance(parsed.value, str):
        return parsed
    found = industry.code_of(squeeze(parsed.value).upper())
    return parsed._replace(value=found) if isinstance(found, str) else Parsed(None, *found)


def read_fact(fact: Fact, value: CellValue, unit: str = "") -> Parsed:
    """A cell as a value of ``fact``; ``unit`` is the heading's, or else the catalogue's.

    A cell that cannot be a value of the fact gives a notice and is unknown. A negative figure from
    accounts with which nothing can be computed gives a notice and is kept.
    """
    if isinstance(value, str) and _as_it_is(fact, value, unit):
        return Parsed(value)
    if not_given(value) and not isinstance(value, Shown):
        return NOTHING
    if fact.kind == "code":
        return _read_code(value, fact.codes)
    parsed = _reader(fact)(value, unit or ("" if fact.unit == "%" else fact.unit))
    if parsed.value is not None and (fault := check_value(fact, parsed.value)):
        return Parsed(None, fault, "请核对")
    if parsed.value is not None and fact.unusable(parsed.value):
        return Parsed(parsed.value, "为负数，照录，但不能用来计算", "请核对正负号")
    return parsed


#: What programs write, by unit: already the standard form of the value in base units.
_AS_IT_IS: Final = {
    "元": re.compile(r"-?[1-9][0-9]{0,13}(\.[0-9]?[1-9])?|0(\.[0-9]?[1-9])?"),
    PLAIN: re.compile(r"0(\.[0-9]{0,11}[1-9])?"),
    **dict.fromkeys(COUNTED, re.compile(r"0|[1-9][0-9]{0,13}")),
}


def _as_it_is(fact: Fact, text: str, unit: str) -> bool:
    """Whether a number needs no conversion, like most in a large table."""
    if fact.kind != "number":
        return False
    form = _AS_IT_IS.get(unit or fact.unit)
    if form is None or form.fullmatch(text) is None or check_value(fact, text):
        return False
    return not fact.unusable(text)


def _reader(fact: Fact) -> CellReader:
    if fact.kind == "number":
        return read_money if fact.unit in MONEY else read_share if fact.unit == "%" else read_count
    if fact.id == "industry_code":
        return read_industry
    return {"flag": read_flag, "date": read_date}.get(fact.kind, read_text)


def fits(fact: Fact, unit: str) -> bool:
    """Whether a heading may state ``fact`` in ``unit``."""
    if fact.unit in MONEY:
        return unit in MONEY
    return unit == fact.unit or unit in _COUNTS.get(fact.unit, ())
