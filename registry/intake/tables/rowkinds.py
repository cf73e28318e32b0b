"""The kinds of rows that are no enterprises: sums, notes, units, examples, blank forms.

A row with a good credit code is an enterprise whatever else it contains, unless it calls itself the
form's example. Only rows without one are examined here.
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum, auto
from itertools import pairwise
from typing import Final

from registry.intake.cells import UNITS, CellValue, Percent, Unsaved, not_given, plain, squeeze
from registry.intake.files.sheets import Row
from registry.intake.tables import headings


class Kind(Enum):
    """A kind of row."""

    DATA = auto()
    BLANK = auto()
    NOTE = auto()
    TOTAL = auto()
    UNITS = auto()
    NUMBERS = auto()
    EXAMPLE = auto()
    PREFILLED = auto()
    LINE = auto()


#: The messages for ignored rows that are not obviously without data.
TOLD: Final = {
    Kind.EXAMPLE: "像是表样中的填报示例",
    Kind.PREFILLED: "没有企业名称和信用代码，只有预先填好的序号、零值等",
    Kind.LINE: "没有企业名称和信用代码，看作标题或说明",
}

_CODE: Final = re.compile(r"(?!.*?(?:[Xx]{6}|0{12}))[0-9A-Za-z]{18}")
_LIKE_CODE: Final = re.compile(r"[0-9A-Za-z]{8,}|[0-9.]+E\+?[0-9]+", re.IGNORECASE)
_TOTAL: Final = re.compile(
    r"\(?(?:其中)?[:、]?\S{0,12}?(?:合计|小计|总计|共计|累计|总数|总和|SUM|TOTAL|AVERAGE|AVG|MAX|MIN|平均|均值|平均值|平均数|中位数|中位值|最大值|最小值|最高值"
    r"|最低值|最大|最小|最高|最低|占比|比重|比例|增长率|增长|增速|增幅|同比|环比|排名|标准差|方差|求和|汇总|家数|户数|户均"
    r"|承前页|过次页|转下页|接上页|去年同期|上年同期|上年数|同期数)(?:数|额|值|情况)?"
    r"(?:\(\S{0,8}\))?[:0-9]*(?:家|户|个|项|%)?(?:企业)?\)?",
    re.IGNORECASE,
)
_SUM: Final = re.compile(
    r"(?:总|合|共|小)?计?[0-9]+(?:家|户)(?:企业)?|其中:\S{0,12}|共有?[0-9]+(?:家|户)\S{0,4}"
)
_FIRM: Final = re.compile(r"(?:公司|厂|社|企业|中心|院|所|行|店|部|集团|合伙)(?:\(\S*\))?$")
#: Firms whose names begin like a remark: 如东…公司 is named after a county, 例外…公司 after a brand.
_NAMED_LIKE_REMARK: Final = re.compile(
    r"(?:例|如|示例)(?![:为如某X×])\S+(?:公司|厂|集团|社|合伙|所|院|中心|店|行|部)(?:\(\S*\))?"
)
_NOTE: Final = re.compile(
    r"[(（]?(?:附?注|备注|说明|填表|填报|制表|审核|复核|联系|负责|单位负责|经办|推荐|申报|报送|上报|主管|分管|领导|签字|盖章"
    r"|日期|时间|截至|截止|数据来源|资料来源)\S{0,8}?\s*[0-9]*[)）]?\s*[:：]"
)
_NOTE_LINE: Final = re.compile(
    r"(?:附?注|备注|说明)\s*[0-9]|[※＊*★①②③④⑤⑥⑦⑧⑨]\S|(?:以上|上述|本表|此表)\S"
    r"|(?:第\s*[0-9]+\s*页|共\s*[0-9]+\s*页)|[0-9]{1,2}[.、．]\s*\S*(?:[。；;]|填写|填报|如实|应|须|请)"
    r"|[0-9]{4}\s*[-./年]\s*[0-9]{1,2}\s*[-./月]\s*[0-9]{1,2}\s*日?$|\S*[(（](?:公章|盖章|签字|签章)[)）]|\S*\s*年\s*月\s*日$"
)
_EXAMPLE: Final = re.compile(
    r"\(?(?:填报|填写|填表)?(?:示例|样例|范例|举例|例子|例如|例|样表|模板|范本|演示)[0-9]*\)?:?"
)
_EXAMPLE_NAME: Final = re.compile(
    r"(?:填报|填写|填表)?(?:示例|样例|范例|举例|例如?):\S+|.*\((?:填报|填写|填表)?(?:示例|样例|范例|举例|样表|例)\).*|(?:填报)?(?:示例|样例|范例)(?:公司|企业|厂)?[0-9]*"
)
_MADE_UP: Final = re.compile(
    r"X{3,}|(?:某某+|[XＸ×*＊○]{2,}|XX市?\S{0,6})\S*(?:公司|企业|厂)\S*", re.IGNORECASE
)
_MADE_UP_CODE: Final = re.compile(
    r"[0-9A-Za-z]*(?:[×*＊]{4,}|X{6,}|0{12,})[0-9A-Z×*＊]*", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"\(?(?:第|列|栏|序)?([0-9]{1,3})(?:列|栏)?[)、]?\.?(?:[=＝].*)?")
_STEMS: Final = "甲乙丙丁戊己庚辛壬癸"
_SERIES: Final = ("一二三四五六七八九十", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ROMAN: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
_NUMBERS_LABEL: Final = frozenset(
    ["栏次", "栏号", "列号", "列次", "行次", "序号", "编号", "栏目", "代码", "代号"]
)
_UNITS_LABEL: Final = frozenset(["单位", "计量单位", "金额单位", "单位:"])
#: Words that end a table, and words alone below it.
_END: Final = re.compile(
    r"\(?(?:此行|本行|本表|自此)?(?:以下|下面)(?:为?空白|无正文|无数据|无内容)\)?"
)
_SIGNED: Final = re.compile(
    r"(?:单位)?(?:负责人|填表人|填报人|制表人|审核人|复核人|经办人|联系人|联系电话|法定代表人)(?:\(?(?:签字|签名|签章|盖章)\)?)?"
)
_REMARK: Final = frozenset(["注", "附注", "备注", "说明"])
_AREA: Final = re.compile(r"\S{2,8}(?:省|市|区|县|旗|镇|乡|街道|开发区|园区|片区)")
#: Units of things that are not read as numbers.
_FURTHER_UNITS: Final = UNITS | {
    "年",
    "月",
    "天",
    "家",
    "户",
    "个月",
    "美元",
    "万美元",
    "平方米",
    "次",
    "种",
    "台",
    "套",
    "吨",
}
_ZERO: Final = re.compile(
    r"[-+]?0*(?:\.0*)?%?|[无否是有]|请选择\S*|待填\S*|#[A-Z0-9/]+[!?]?", re.IGNORECASE
)


def good_code(cell: CellValue) -> bool:
    """Whether a cell has the form of a credit code."""
    if not isinstance(cell, str):
        return False
    code = cell if len(cell) == 18 else cell.strip()
    return len(code) == 18 and _CODE.fullmatch(code) is not None


def says_example(name: CellValue, first: CellValue) -> bool:
    """Whether a row calls itself an example, even with a good code.

    >>> says_example("某某有限公司（填报示例）", "例"), says_example("例外服饰有限公司", 1)
    (True, False)
    """
    if isinstance(first, str) and first != name and _EXAMPLE.fullmatch(squeeze(first)):
        return True
    return (
        isinstance(name, str)
        and "例" in name
        and _EXAMPLE_NAME.fullmatch(squeeze(name)) is not None
    )


def kind_of(
    row: Row, code: CellValue, name: CellValue, counts: Callable[[int, CellValue], bool]
) -> Kind:
    """The kind of a row without a good code.

    ``counts`` tells, for a column and its cell, whether only an enterprise states such content.
    """
    given = [(i, cell) for i, cell in enumerate(row) if not not_given(cell)]
    if not given:
        formulas = isinstance(code, Unsaved) or isinstance(name, Unsaved)
        return Kind.DATA if formulas else Kind.BLANK
    cells = [cell for _, cell in given]
    first = cells[0]
    if _is_note(cells) or (not _LIKE_CODE.search(squeeze(plain(code))) and _is_end(cells)):
        return Kind.NOTE
    if says_example(name, first) or _is_made_up(code, name):
        return Kind.EXAMPLE
    if not _merged(cells) and _LIKE_CODE.search(squeeze(plain(code))):
        return Kind.DATA
    if any(_is_total(cell) for cell in (first, name)):
        return Kind.TOTAL
    if is_units(row) and not _NAMED_LIKE_REMARK.fullmatch(squeeze(plain(name))):
        return Kind.UNITS
    if not (not_given(code) and not_given(name)) and is_numbers(row):
        return Kind.NUMBERS
    return _without_code(row, given, code, name, counts)


def _without_code(
    row: Row,
    given: Sequence[tuple[int, CellValue]],
    code: CellValue,
    name: CellValue,
    counts: Callable[[int, CellValue], bool],
) -> Kind:
    cells = [cell for _, cell in given]
    if _merged(cells) and len(cells) > 1:
        return Kind.LINE
    if isinstance(name, str) and len(cells) == 1 and _AREA.fullmatch(squeeze(name)):
        return Kind.LINE
    if not (_says_none(name) and _says_none(code)) or isinstance(code, Unsaved):
        return Kind.DATA
    if any(counts(i, cell) and not _ZERO.fullmatch(_tight(cell)) for i, cell in given):
        return Kind.DATA if len(given) > 2 else Kind.LINE
    if all(_is_index(cell) for cell in cells) and len(cells) == 1:
        return Kind.BLANK
    return Kind.LINE if len(cells) == 1 else Kind.PREFILLED


def is_units(row: Row) -> bool:
    """Whether a row below headings only gives units, or says how to fill in the columns."""
    texts = [cell for cell in row if not not_given(cell)]
    if len(texts) > 1 and isinstance(texts[0], (int, float)):  # the number of the row
        texts = texts[1:]
    if not texts or not all(isinstance(cell, str) for cell in texts):
        return False
    keys = [headings.key(str(cell)).strip("()") for cell in texts]
    if keys[0] in _UNITS_LABEL:
        keys = keys[1:]
    return bool(keys) and all(
        headings.as_unit(text) in _FURTHER_UNITS or headings.is_remark(text) for text in keys
    )


def is_numbers(row: Row) -> bool:
    """Whether a row numbers the columns: 1, 2, 3 …, or 甲, 乙, 1, 2 ….

    >>> is_numbers([1, 2, 3, 4]), is_numbers(["甲", "乙", "（1）", "（2）"]), is_numbers([1, 2, 9])
    (True, True, False)
    """
    texts = [squeeze(plain(cell)) for cell in row if not not_given(cell)]
    if texts and texts[0] in _NUMBERS_LABEL:
        texts = texts[1:]
    stems = [text for text in texts if text in _STEMS]
    if len(stems) > 1 and stems == list(_STEMS[: len(stems)]) and texts[: len(stems)] == stems:
        texts = texts[len(stems) :]
        if not texts:
            return True
    elif len(texts) < 3:
        return False
    marks = tuple(text.strip("().、").upper() for text in texts)
    if any(marks == tuple(series[: len(marks)]) for series in (*_SERIES, _ROMAN)):
        return True
    found = [_NUMBER.fullmatch(text) for text in texts]
    numbers = [int(match[1]) for match in found if match]
    return len(numbers) == len(texts) and numbers[0] < 10 and _consecutive(numbers)


def _consecutive(numbers: Sequence[int]) -> bool:
    return all(after == before + 1 for before, after in pairwise(numbers))


def _is_total(cell: CellValue) -> bool:
    if not isinstance(cell, str):
        return False
    text = squeeze(cell)
    if _SUM.fullmatch(text):
        return True
    return _TOTAL.fullmatch(text) is not None and not _FIRM.search(text)


def _is_note(cells: Sequence[CellValue]) -> bool:
    first = cells[0]
    if not isinstance(first, str):
        return False
    if _NOTE.match(first.strip()):
        return True
    return (
        _merged(cells)
        and _NOTE_LINE.match(first.strip()) is not None
        and not _FIRM.search(squeeze(first))
    )


def _is_end(cells: Sequence[CellValue]) -> bool:
    """Whether a row without a code only closes the table: 以下空白, 负责人签字 …, 注 …"""
    texts = [squeeze(cell) for cell in cells if isinstance(cell, str)]
    if any(_END.fullmatch(text) for text in texts):
        return True
    if len(texts) < len(cells):
        return False
    return texts[0] in _REMARK or sum(bool(_SIGNED.fullmatch(text)) for text in texts) > 1


def _says_none(cell: CellValue) -> bool:
    return not_given(cell) or (isinstance(cell, str) and squeeze(cell) in ("无", "0"))


def _is_made_up(code: CellValue, name: CellValue) -> bool:
    """Whether the code is a row of X, or the name contains 某某."""
    if isinstance(code, str) and _MADE_UP_CODE.fullmatch(squeeze(code)):
        return True
    blank = not_given(code) or not _LIKE_CODE.search(squeeze(plain(code)))
    return blank and isinstance(name, str) and _MADE_UP.fullmatch(squeeze(name)) is not None


def _merged(cells: Sequence[CellValue]) -> bool:
    """Whether all given cells have the same text, as one merged cell does."""
    return isinstance(cells[0], str) and all(cell == cells[0] for cell in cells)


def _tight(cell: CellValue) -> str:
    return squeeze(plain(cell.value if isinstance(cell, Percent) else cell))


def _is_index(cell: CellValue) -> bool:
    return _tight(cell).isdecimal()
