"""The pages' words for remedies: what a reader may do about an error, with a link where there is one.

Only the remedies of what a page can meet are worded; the others belong to acts that no page has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rules.portable.errors import Remedy


@dataclass(frozen=True)
class Advice:
    """What to do, as a sentence, and the page where it is done."""

    said: str
    href: str = ""


#: The act of a remedy -> what to do; braces hold fields of the remedy.
WORDS: Final[Mapping[str, Advice]] = {
    "announce": Advice("请在公告页上办理", "/applications/announce"),
    "list-rounds": Advice("在轮次一览中查看", "/rounds"),
    "admit-code": Advice(
        "确为早期发放、校验码不符的，请先凭证件认可这个代码", "/admissions?uscc={code}"
    ),
    "create-key": Advice("请先建立签名私钥", "/checkpoints"),
    "check-as-of": Advice("改按{day}查看", "?as_of={day}"),
    "check-code": Advice("请核对代码，或在企业一览中查找", "/enterprises"),
    "check-name": Advice("请核对名称，或在企业一览中查找", "/enterprises"),
    "check-year": Advice("请核对年度"),
    "complete-mapping": Advice("请在下面核对看不懂的表头"),
    "draft-mapping": Advice("或在本页核对这个表头", "#headings"),
    "find-decisions": Advice("在登记簿中查看编号和日期", "/journal"),
    "give-day": Advice("或在本页给出填报日期", "#day"),
    "grant-rights": Advice("请管理员授权，或换用有权限的数据库用户"),
    "import-file": Advice("请先登记企业的汇总表或模板", "/imports"),
    "import-or-demo": Advice("请先登记企业的汇总表或模板", "/imports"),
    "install-engine": Advice("请管理员重新安装规则引擎"),
    "list-enterprises": Advice("在企业一览中查找", "/enterprises"),
    "list-entries": Advice("在登记簿中查看全部记录", "/journal"),
    "list-rules": Advice("在标准一览中查对编号", "/rules"),
    "publish-criteria": Advice("请先发布标准"),
    "rules-now": Advice("请改用较晚的时间，或按现行标准查看"),
    "strike-title": Advice("请在称号登记簿中划销第{seq}号后重新登记"),
    "upgrade-database": Advice("请管理员升级数据库"),
    "verify-record": Advice("请审计人验证登记库，查明改动", "/audit"),
}


def advice(remedy: Remedy | None) -> Advice | None:
    """What a page says and links to; None if it has no words for the remedy.

    >>> advice(Remedy("check-as-of", {"day": "2023-06-30"}))
    Advice(said='改按2023-06-30查看', href='?as_of=2023-06-30')
    """
    if remedy is None or (found := WORDS.get(remedy.act)) is None:
        return None
    return Advice(found.said.format_map(remedy.given), found.href.format_map(remedy.given))


def words(remedy: Remedy) -> str:
    """What a page says of a remedy, without its link."""
    found = advice(remedy)
    return found.said if found else ""
