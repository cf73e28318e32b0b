"""The words of a heading: marks and remarks are removed, period and unit are read.

Nothing here knows the meaning of a term; ``mapping`` looks up what remains. Only words in these
tables are understood: all others stay in the term, so that the heading is not understood.
"""

import re
from typing import Final, NamedTuple

from registry.intake import cells

#: The year of a relative word, counted from the last fiscal year before the filing.
_RELATIVE: Final = {
    "本年度": 1, "本年": 1, "当年度": 1, "当年": 1, "今年": 1,
    "上年度": 0, "上年": 0, "上一年度": 0, "上一年": 0, "去年": 0,
    "前1年度": 0, "前一年度": 0, "前1年": 0, "前一年": 0,
    "近1年": 0, "近一年": 0, "最近1年": 0, "最近一年": 0, "最近一年度": 0,
    "上上年度": -1, "上上年": -1, "再上年度": -1, "再上年": -1, "前年": -1, "前年度": -1,
    "前2年度": -1, "前二年度": -1, "前两年度": -1,
    "前3年度": -2, "前三年度": -2,
    "前4年度": -3, "前四年度": -3,
}  # fmt: skip

#: Instructions in a heading, which do not change its meaning.
_REMARKS: Final = frozenset([
    "填写要求", "填报要求", "填表要求", "填写说明", "填报说明", "填表说明", "要求", "格式", "数据类型",
    "单位", "计量单位", "金额单位", "必填", "必填项", "必须填写", "选填", "选填项", "可选", "非必填", "可不填", "盖章", "公章",
    "加盖公章", "盖公章", "企业盖章", "单位盖章", "签字", "签章", "签名", "全称", "填写全称",
    "填全称", "企业全称", "与营业执照一致", "同营业执照", "以营业执照为准", "可多填", "可多选",
    "多选", "单选", "请选择", "选择", "下拉", "下拉选择", "下拉选项", "数字", "填数字",
    "填写数字", "数值", "整数", "文本", "文本格式", "阿拉伯数字", "年月日", "年/月/日",
    "年-月-日", "年.月.日", "精确到日", "是/否", "是或否", "是、否", "填是或否", "填是/否",
    "有/无", "有或无", "18位", "18位数", "18位代码", "十八位", "4位", "4位数", "四位", "四位数",
    "4位数字", "四位数字", "4位代码", "四位代码", "4位小类", "四位小类", "保留两位小数",
    "保留2位小数", "保留小数点后两位", "保留小数点后2位", "小数点后两位", "审计报告数",
    "以审计报告为准", "按审计报告填写", "审计数", "经审计", "期末数", "年末数", "期末", "年末",
    "年度数", "自动计算", "公式计算", "自动生成", "如有", "若有", "如有请填写", "没有填无",
    "无则填无", "没有则填无", "无填无", "没有填0", "无填0", "无则填0", "没有的填0", "附证明",
    "附证明材料", "需附证明材料", "注", "见注", "见备注", "见说明", "见填表说明", "备注",
])  # fmt: skip
_REMARK: Final = re.compile(
    r"(?:例|例如|如|格式|示例)[:为]?\S+|请(?:填|选|输入|写|按|如实|注明|准确|务必)\S*|[按与同以]\S{2,10}(?:一致|为准|填写|填报|填列)"
    r"|(?:填写|输入)\S{0,10}(?:全称|代码|名称)|(?:18|十八)位\S{0,8}代码|保留\S{1,8}小数|[yYxX]{4}[-/.年]?[mMxX]{1,2}[-/.月]?[dDxX]{1,2}日?"
)
_FOOTNOTE: Final = re.compile(r"(?:见?附?注|说明)?[0-9]{1,2}")
#: Signs for footnotes and required columns.
_MARKS: Final = re.compile(
    "[※*＊★☆#＃][0-9０-９]{1,2}$|[¹²³⁰⁴-⁹₀-₉①-⑳⑴-⒛㈠-㈩❶-❿➀-➓⓪⓿★☆▲△▼▽※●◆◇■□#＃†‡§*＊✱]|[\\^＾][0-9０-９]*"
)
_BRACKETS: Final = str.maketrans("[]【】〔〕〖〗{}", "()()()()()")
_QUOTES: Final = re.compile(r"[“”\"'‘’「」『』]")
_BRACKET: Final = re.compile(r"\(([^()]*)\)")
_NUMBERED: Final = re.compile(
    r"(?:\((?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})\)|(?:[0-9]{1,2}\.)*[0-9]{1,2}[.、)]"
    r"(?=[^0-9]|(?:19|20)[0-9]{2})|[一二三四五六七八九十]{1,3}、)"
)
_NOTE: Final = re.compile(r"(?:[见附]?注[0-9]{1,2}|:)$")

_DIGITS: Final = str.maketrans("〇○零一二三四五六七八九O", "0001234567890")
_CHINESE_YEAR: Final = re.compile(r"[一二][〇○零O九][〇○零O一二三四五六七八九]{2}(?=年|财年)")
_YEAR: Final = re.compile(
    r"(?:截[至止]到?|FY)?(?<![0-9])((?:19|20)[0-9]{2})(?![0-9])"
    r"(?:年12月31日|年12月末|年12月底|[-./]12[-./]31|年?会计年度|年?财年|年度?|)[末底]?"
)
_SHORT_YEAR: Final = re.compile(r"(1[5-9]|2[0-9]|3[0-5])年[度末底]?")
_WORDS: Final = "|".join(sorted(_RELATIVE, key=len, reverse=True))
_RELATIVELY: Final = re.compile(
    rf"^({_WORDS})[末底]?|\(({_WORDS})[末底]?\)|[-_:/]({_WORDS})[末底]?$"
)
_SEVERAL_YEARS: Final = re.compile(
    r"^(?:最?近[两二三23]年|(?:19|20)[0-9]{2}年?[-~至—]+(?:19|20)[0-9]{2}年)度?"
)
_LOOSE: Final = "-_:·,、/~|—"

_CURRENCY: Final = re.compile(r"^人民币:?|人民币$|^RMB")
_SAME_UNIT: Final = {"百分比": "%", "百分数": "%", "%号": "%"}
_LABEL: Final = re.compile(r"^(?:(?:金额|货币|计量)?单位[:为]?)")
_BEHIND: Final = re.compile(
    rf"[-_:/,—]+(?:单位[:为]?)?({'|'.join(sorted(cells.UNITS, key=len, reverse=True))})$"
    r"|(?<=[\u4e00-\u9fff])(百万元|亿元|千元|万元)$"
)


class Period(NamedTuple):
    """The fiscal year in a heading: absolute, or relative to the filing date."""

    year: int | None = None
    offset: int | None = None


class Words(NamedTuple):
    """A heading taken apart; ``term`` is the remainder."""

    term: str
    period: Period = Period()
    unit: str = ""
    nested: bool = False


def key(header: str) -> str:
    """A heading as it is compared: normalised, without blanks, numbering, marks or remarks.

    >>> key("Ⅰ类 知识产权（项）*"), key("1.企业名称①（盖章、必填）：")
    ('I类知识产权(项)', '企业名称')
    """
    text = _CHINESE_YEAR.sub(lambda m: m[0].translate(_DIGITS), "".join(header.split()))
    text = cells.squeeze(_MARKS.sub("", text)).translate(_BRACKETS)
    text = _BRACKET.sub(_without_remarks, _QUOTES.sub("", text))
    text = _NUMBERED.sub("", text, count=1) if _NUMBERED.match(text) else text
    return _NOTE.sub("", text)


def is_remark(text: str) -> bool:
    """Whether a text only says how to fill in a column.

    >>> is_remark("必填"), is_remark("企业名称")
    (True, False)
    """
    return text in _REMARKS or _REMARK.fullmatch(text) is not None


def _without_remarks(bracket: re.Match[str]) -> str:
    inner = bracket[1]
    if not inner or _says_nothing(inner):
        return ""
    parts = re.split("[,;、]", inner)
    kept = [part for part in parts if not _says_nothing(part)]
    if len(kept) == len(parts):
        return bracket[0]
    return f"({','.join(kept)})" if kept else ""


def _says_nothing(text: str) -> bool:
    return is_remark(text) or _FOOTNOTE.fullmatch(text) is not None


def words(text: str) -> Words:
    """Take apart a heading that ``key`` has made comparable.

    >>> words("其中:2022年末研发人员(人)")
    Words(term='研发人员', period=Period(year=2022, offset=None), unit='人', nested=True)
    """
    nested = text.startswith("其中")
    text = text.removeprefix("其中").lstrip(":,、")
    text, unit = _unit(text)
    found, text = _period(text)
    if not unit:
        text, unit = _unit(text)
    return Words(text, found, unit, nested)


def without_years(term: str) -> str:
    """A term without the several years that it covers; the headings below it name each.

    >>> without_years("近三年营业收入"), without_years("2020-2022年营业收入")
    ('营业收入', '营业收入')
    """
    return _SEVERAL_YEARS.sub("", term, count=1)


def _unit(text: str) -> tuple[str, str]:
    """The text without its unit, and the unit: in brackets, or after a sign."""
    for bracket in _BRACKET.finditer(text):
        *rest, last = re.split(r"[,:;、]", bracket[1])
        unit = as_unit(last)
        if unit in cells.UNITS or (not text[bracket.end() :] and 0 < len(unit) <= 3 and rest):
            rest = [part for part in rest if part not in ("单位", "人民币", "金额单位")]
            left = f"({','.join(rest)})" if rest else ""
            return text[: bracket.start()] + left + text[bracket.end() :], unit
    if match := _BEHIND.search(text):
        return text[: match.start()], match[1] or match[2]
    return text, ""


def as_unit(text: str) -> str:
    """A word as a unit, in the standard form.

    >>> as_unit("单位:人民币万元"), as_unit("百分比")
    ('万元', '%')
    """
    bare = _CURRENCY.sub("", _LABEL.sub("", text))
    return _SAME_UNIT.get(bare, bare)


def _period(text: str) -> tuple[Period, str]:
    years = {int(m[1]) for m in _YEAR.finditer(text)}
    if len(years) == 1:
        return Period(years.pop()), _tidy(_YEAR.sub("", text))
    if years:
        return Period(), text
    if match := _SHORT_YEAR.match(text):
        return Period(2000 + int(match[1])), _tidy(text[match.end() :])
    if match := _RELATIVELY.search(text):
        word = match[1] or match[2] or match[3]
        return Period(None, _RELATIVE[word]), _tidy(text[: match.start()] + text[match.end() :])
    return Period(), re.sub(r"^[年期]末", "", text)


def _tidy(text: str) -> str:
    """The remainder after a year was removed, without empty brackets and loose signs."""
    text = re.sub(r"\([-,、:]*\)", "", text)
    text = re.sub(r"\([,、:]+", "(", re.sub(r"[,、:]+\)", ")", text))
    return text.strip(_LOOSE)
