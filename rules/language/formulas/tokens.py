"""The signs, words and quantities that make up a formula, and what a name may be."""

import re
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any, Final, Literal, NamedTuple

from rules.errors import QuantityError
from rules.language.formulas.meaning import PLAIN, Formula, FormulaError
from rules.model.facts import YEARS
from rules.model.quantities import LONGEST, parse

#: The name of each function, and how it is written.
FUNCTIONS: Final[dict[str, str]] = {
    "合计": "合计（甲，乙，…），或 合计（规则编号，字段，或 申报总数）",
    "平均": "平均（甲，乙，…）",
    "件数": "件数（规则编号，或 申报总数）",
    "占比": "占比（甲，乙）",
    "增长率": "增长率（年度数据），或 增长率（现值，基值）",
    "复合增长率": "复合增长率（年度数据，年数）",
    "最大": "最大（甲，乙，…）",
    "最小": "最小（甲，乙，…）",
    "受限于": "受限于（甲，下限 乙，上限 丙，…）",
    "未知时取": "未知时取（甲，乙，…）",
    "无法计算时取": "无法计算时取（甲，认定项）",
    "查表": "查表（对照表，文字填报项）",
    "足年": "足年（起日，止日）",
    "天数": "天数（起日，止日）",
    "年度差": "年度差（起日，止日）",
    "最早": "最早（日期，日期，…）",
    "最晚": "最晚（日期，日期，…）",
    "年份": "年份（日期）",
}
OR, LOWER, UPPER = "或", "下限", "上限"
FLAGS: Final = {"是": "1", "否": "0"}
AS_OF: Final = "填报日"

_OPERATORS: Final = {
    **dict.fromkeys("+＋", "+"),
    **dict.fromkeys("−-－–", "−"),
    **dict.fromkeys("×*＊", "×"),
    **dict.fromkeys("÷/／", "÷"),
}
_MARKS: Final = {"（": "（", "(": "（", "）": "）", ")": "）", "，": "，", ",": "，"}
#: What no name contains outside of “”: a sign of formulas, tables or keys.
_NOT_IN_NAMES: Final = r"\s+＋\-−－–×*＊÷/／（）()【】\[\]{}，,；;：:=＝<>＜＞|｜@#“”０-９％．"
_NAME: Final = re.compile(rf"(?:“[^“”]*”|[^{_NOT_IN_NAMES}])+")
_FULL_WIDTH: Final = re.compile("[０-９％．]")
_NUMBER: Final = re.compile(rf"\d{{1,{LONGEST}}}(\.\d{{1,{LONGEST}}})?", re.ASCII)
_QUANTITY_LIKE: Final = re.compile(rf"{_NUMBER.pattern}[^\d.]{{1,3}}", re.ASCII)
_GROUPED: Final = re.compile(r"(?<=\d),\d{3}(?!\d)", re.ASCII)
_DAY: Final = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日", re.ASCII)
_NEW_YEAR: Final = re.compile(r"(本|上|前([1-9]\d?))年1月1日", re.ASCII)


def check_name(name: str) -> None:
    """Refuse a name that no formula could name.

    >>> check_name("省级以上“质量/品牌”奖")
    >>> check_name("研发费用/营业收入")
    Traceback (most recent call last):
    ...
    rules.language.formulas.meaning.FormulaError: 名称「研发费用/营业收入」不能用，不能有「/」：请以文字开头，不写空格和运算符号
    """
    run = _NAME.match(name)
    strange = name[run.end() if run else 0 :][:1]
    if not name or strange or name[0].isdigit():
        raise FormulaError(
            "unfit-name",
            "名称「{value}」不能用{sign}：请以文字开头，不写空格和运算符号",
            value=name,
            sign=f"，不能有「{strange}」" if strange else "",
        )
    if _reserved(name):
        raise FormulaError("reserved-name", "名称「{value}」在算式中另有含义：请改名", value=name)


def _reserved(text: str) -> bool:
    """Whether a text already means something in every formula."""
    words = (*FUNCTIONS, *FLAGS, AS_OF, OR, LOWER, UPPER)
    return text in words or _NEW_YEAR.fullmatch(text) is not None


class Token(NamedTuple):
    """A run of characters between signs, or a sign; ``at`` is where it begins."""

    kind: Literal["name", "operator", "mark", "end"]
    text: str
    at: int

    @property
    def shown(self) -> str:
        """The token in a sentence."""
        return f"「{self.text}」" if self.text else "算式结尾"


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text and its end; an error for a sign that no formula has."""
    at = 0
    while at < len(text):
        character = text[at]
        if character.isspace():
            at += 1
        elif character in _OPERATORS:
            yield Token("operator", _OPERATORS[character], at)
            at += 1
        elif _GROUPED.match(text, at):
            pattern = "数字不用逗号分节；若此处是两项，请在逗号后空一格"
            raise error("grouped-digits", pattern, at)
        elif character in _MARKS:
            yield Token("mark", _MARKS[character], at)
            at += 1
        elif run := _NAME.match(text, at):
            yield Token("name", run[0], at)
            at = run.end()
        elif _FULL_WIDTH.match(character):
            raise error(
                "full-width-digit", "「{value}」是全角字符，请改为半角", at, value=character
            )
        else:
            raise error(
                "stray-sign",
                "算式中不能有「{value}」：可用的有 + − × ÷、括号、逗号、名称、数量和函数",
                at,
                value=character,
            )
    yield Token("end", "", len(text))


def error(slug: str, pattern: str, at: int, **fields: Any) -> FormulaError:
    """The error at a place of a formula."""
    return FormulaError(slug, "算式第{at}字处：" + pattern, at=at + 1, **fields)


def _quantity(text: str) -> Formula | None:
    try:
        found = parse(text)
    except QuantityError:
        return None
    return Formula(("const", str(found.value)), "number", found.dimension)


def like_quantity(text: str) -> bool:
    """Whether a text looks like a number with a unit."""
    return _QUANTITY_LIKE.fullmatch(text) is not None


def constant(text: str) -> Formula | None:
    """A number, a quantity, or 是 and 否; None for any other text."""
    if text in FLAGS:
        return Formula(("const", FLAGS[text]), "flag")
    if _NUMBER.fullmatch(text):
        return Formula(("const", str(Fraction(text))), "number", PLAIN)
    return _quantity(text)


def anchor(token: Token) -> Formula | None:
    """A day that nobody files; None for any other text."""
    if token.text == AS_OF:
        return Formula(("as_of",), "date")
    if found := _NEW_YEAR.fullmatch(token.text):
        back = {"本": 0, "上": 1}.get(found[1], 0) or int(found[2] or 0)
        return Formula(("new_year", -back), "date")
    if found := _DAY.fullmatch(token.text):
        try:
            day = date(*map(int, found.groups()))
        except ValueError:
            day = date.min
        if day.year not in YEARS:
            pattern = "没有「{value}」这一天"
            raise error("no-such-day", pattern, token.at, value=token.text)
        return Formula(("day", day.isoformat()), "date")
    return None
