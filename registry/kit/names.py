"""Names of enterprises, compared whatever their brackets, width and blanks."""

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache
from heapq import nlargest
from typing import Final

from registry.kit import uscc
from registry.kit.characters import REPLACEMENT

#: The most characters in a registered name in China.
_LONGEST: Final = 200
_ERRORS: Final = re.compile(r"#(?:DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|N/A|SPILL!|CALC!|FIELD!)")
_DAY: Final = re.compile(r"[0-9]{4}([-/.年])[0-9]{1,2}[-/.月][0-9]{1,2}日?(?: [0-9:.]+)?")
_NEAR: Final = 0.6
#: Signs that names of files cannot have on some system, and the most bytes that they may have.
_UNKEPT: Final = '<>:"|?*'
_LONGEST_FILE: Final = 200


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """A name without variations of typing: width, case, blanks, brackets and other signs.

    有限公司 counts as short for 有限责任公司; a 股份有限公司 is something else.

    >>> folded("甲（云溪） 有限公司") == folded("甲(云溪)有限责任公司")
    True
    """
    plain = "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())
    return plain.replace("有限责任公司", "有限公司")


def typed(text: str) -> str:
    """A text as searches compare it: whatever its case, width and blanks.

    >>> typed("ABC （云溪）"), typed("ａｂｃ(云溪)")
    ('abc(云溪)', 'abc(云溪)')
    """
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def file_name(text: str) -> str:
    """A typed name of a file as one that every system keeps, and that leads nowhere else.

    >>> file_name("../../县级:汇总表.xlsx"), file_name(".."), file_name("con\\x00.csv")
    ('县级_汇总表.xlsx', '文件', 'con_.csv')
    """
    last = re.split(r"[/\\\\]", text)[-1]
    kept = "".join(c if c.isprintable() and c not in _UNKEPT else "_" for c in last).strip(". ")
    stem, dot, suffix = kept.rpartition(".")
    while len(kept.encode()) > _LONGEST_FILE and stem:
        stem = stem[:-1]
        kept = f"{stem}{dot}{suffix}"
    return kept if 0 < len(kept.encode()) <= _LONGEST_FILE else "文件"


def present(name: str, former: str) -> str:
    """A name with the one before, under which papers may still be filed.

    >>> present("乙公司", "甲公司"), present("乙公司", "")
    ('乙公司（原名甲公司）', '乙公司')
    """
    return f"{name}（原名{former}）" if former else name


def pairs(text: str) -> list[str]:
    """Every two neighbouring characters of a text as a word of letters and digits, in order.

    Any index of words can then answer for parts of a text, down to two characters; the last word
    has one character, so that all words with a character at their beginning answer for one.

    >>> pairs("甲(乙")
    ['75320028', '00284e59', '4e59']
    """
    codes = [_word(c) for c in text]
    return [a + b for a, b in zip(codes, [*codes[1:], ""], strict=True)]


@lru_cache(maxsize=1 << 14)
def _word(character: str) -> str:
    """A character in letters and digits; no such code begins with another one."""
    code = ord(character)
    return f"{code:04x}" if code < 1 << 16 else f"z{code:06x}"


def is_error(text: str) -> bool:
    """Whether a text is a formula's error value."""
    return _ERRORS.fullmatch(text.strip().upper()) is not None


def fault(name: str) -> tuple[str, str] | None:
    """What is wrong with the name of an enterprise and what to do, or None.

    >>> fault("甲公司") is None, fault("20230630")
    (True, ('企业名称只有数字', '请填写营业执照上的企业全称'))
    """
    full = "请填写营业执照上的企业全称"
    if REPLACEMENT in name:
        return "企业名称含有乱码或控制字符", "请删去后重新录入"
    if is_error(name):
        return "企业名称是公式的错误值", "请改正公式，或直接填写企业全称"
    if uscc.fault(uscc.tidy(name)) is None:
        return "企业名称列里是信用代码", "请核对名称列和代码列是否填反或错行"
    if _DAY.fullmatch(name):
        return "企业名称是日期", full
    if name in ("TRUE", "FALSE", "是", "否", "有", "√"):
        return "企业名称是是或否，不是名称", full
    key = folded(name)
    if not any(c.isalpha() for c in key):
        return ("企业名称只有数字" if key else "企业名称只有符号"), full
    if len(name) > _LONGEST:
        return f"企业名称有{len(name)}字，太长", full
    return None


def is_placeholder(name: str) -> bool:
    """Whether a name is a placeholder, as forms and trials use instead of a real name.

    >>> is_placeholder("xx有限公司"), is_placeholder("某某公司"), is_placeholder("测试公司1")
    (True, True, True)
    >>> is_placeholder("云溪县电子测试技术有限公司"), is_placeholder("福克斯Foxx公司")
    (False, False)
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    core = _KIND.sub("", folded(name))
    return _MASKED.search(plain) is not None or _STANDING_IN.fullmatch(core) is not None


#: Signs and words that mask part of a name.
_MASKED: Final = re.compile(
    r"(?<![a-z])x{2,}(?![a-z])|[×*○〇◯□?]{2,}|某某|某(?:[省市县区]|公司|企业|集团|厂)"
)
#: The kind of body at the end of a name, numbered or not.
_KIND: Final = re.compile(r"(?:(?:股份)?有限公司|公司|企业|集团|单位|厂)(?=[0-9a-z]*$)")
#: What remains of a name that is only a placeholder.
_STANDING_IN: Final = re.compile(
    r"(?:测试|示例|样例|演示|试用|test|demo|sample|example|abc|asdf|[企公]?[业司]?名称"
    r"|待定|待填|待补|未知|不详|无名|暂无|([a-z])\1+)?(?:用|专用|数据)?[0-9a-z]?[0-9]*"
)


def near(name: str, others: Iterable[str], count: int = 3) -> list[str]:
    """The names most similar to one, best first; dissimilar names are left out.

    >>> near("云溪县甲子泵阀公司", ["云溪县甲子泵阀有限公司", "丙"])
    ['云溪县甲子泵阀有限公司']
    """
    own = folded(name)
    pairs = {own[i : i + 2] for i in range(len(own) - 1)}

    def shared(other: str) -> int:
        text = folded(other)
        return sum(pair in text for pair in pairs)

    # comparing by letter is slow, so only the names that share most pairs of letters are compared
    likely = nlargest(20, set(others), key=lambda other: (shared(other), other))
    rated = [(SequenceMatcher(None, own, folded(o), autojunk=False).ratio(), o) for o in likely]
    return [o for rate, o in sorted(rated, reverse=True)[:count] if rate >= _NEAR]
