"""The command line's words for remedies: what a reader may type after an error."""

import errno
from typing import Final

from rules.portable.errors import DescribedError, Remedy

#: The act of a remedy -> what to type; braces hold fields of the remedy.
WORDS: Final = {
    "verify-or-other-backup": "请运行 tidu audit verify 查明，或换用另一份备份",
    "check-name": "请核对名称，或用 tidu enterprise list 查看已登记的企业",
    "extend-title": "复核通过请用 tidu titles extend",
    "find-standing-title": "用 tidu titles list 查看现行的编号",
    "give-backup": "请给出 tidu db backup 写成的文件",
    "give-document": "请用 --document 写明",
    "give-document-and-evidence": "请用 --document 写明，用 --evidence 附上",
    "grant-anew": "重新认定请用 tidu titles grant",
    "grant-or-tell-days": "请先用 tidu titles grant 登记，或用 --from、--until 写明其有效期",
    "grant-rights": "请管理员运行 tidu db grant 授权，或换用有权限的角色",
    "announce": "请用 tidu announce 公告",
    "list-rounds": "用 tidu round list 查看",
    "show-course": "用 tidu case 企业 查看现在可以办理什么",
    "name-act": "请用 --act 写明",
    "list-holdings": "用 tidu holdings list 查看",
    "list-titles": "用 tidu titles list 查看",
    "upgrade-database": "请先运行 tidu db upgrade",
    "work-alone": "或用 --jobs 1 重试",
    "leave-days-to-list": "请核对，名单写明的不必再用 --from、--until 给出",
    "mend-and-repeat": "请改正后重试",
    "point-out-renamed": "请核对名单是否错行；确已更名的，用 --renamed 信用代码 逐家指明后再登记",
    "admit-code": "确为早期发放、校验码不符的，请先凭证件登记：tidu enterprise admit {code}",
    "draft-mapping": "或用 tidu import --draft 写出对照表来补",
    "give-day": "或用 --as-of 2023-06-30 给出",
    "check-code": "请核对代码，或用 tidu enterprise list 查看已登记的企业",
    "complete-mapping": "看不懂的表头已写入 {file}，请逐行核对填报项，改好后用 --mapping {file} 再读",
    "check-as-of": "或用 --as-of {day} 按当时检查",
    "give-before": "请用 --from 指明与什么对照",
    "give-snapshot": "请给出 tidu snapshot 写成的文件夹",
    "install-duckdb": "请运行 pip install duckdb，或用 --engine 换一个数据库",
    "install-engine": "请运行 "
    'CC="gcc -DPyEval_CallObject=PyObject_CallObject" pip install '
    "--force-reinstall --no-cache-dir --no-binary durable-rules durable-rules==2.0.28"
    "（Python 3.12 及以下可省去 CC 一项）",
    "install-spark": "请运行 pip install 'tidu[spark]'（并需要 Java 17 以上）",
    "start-spark": "请核对集群地址，并确认本机有 Java 17 以上",
    "publish-criteria": "请先运行 tidu rules publish",
    "replace-year": "核对后确要更正的，请加上 --replace",
    "rules-now": "请用 --rules now 按现行规则检查当时的事实，或改用较晚的 --known-at",
    "strike-title": "请用 tidu titles strike {seq}",
    "check-day": "请核对 --as-of",
    "check-year": "请核对 --year",
    "correct-fact": "如填报有误，请用 --fact 更正填报项",
    "drop-year": "请去掉 --year",
    "give-as-of": "请在表中写明「填报日期：…」，或用 --as-of 给出",
    "give-ground": "请用 --ground 写明",
    "give-ground-and-evidence": "请用 --ground 写明，用 --evidence 附上",
    "give-year": "请用 --year 写明年度",
    "import-file": "先用 tidu import 文件 登记",
    "list-rules": "用 tidu rules list 查对编号",
    "drop-tier": "请去掉 --tier，或改为该层级",
    "import-or-demo": "先用 tidu import 文件 登记，或用 tidu demo 看示例",
    "screen-by-another": "请改用 --engine duckdb，或设 TIDU_DATABASE_URL",
    "take-snapshot": "请用 tidu snapshot 重新生成",
    "widen-screening": "请核对 --region 和 --as-of",
    "list-entries": "用 tidu audit log 查看全部记录",
    "sign": "用 --by 给出（或设置环境变量 TIDU_BY）",
    "create-key": "请先用 tidu audit key --name 机关名称 建立，或用环境变量 TIDU_AUDIT_KEY 指明位置",
    "find-decisions": "请用 tidu audit log 查看编号和日期",
    "give-key": "请用 --key 给出登记机关公布的公钥",
    "list-enterprises": "用 tidu enterprise list 查看已登记的企业",
    "look-at-tier-and-outcome": "请核对 --tier 和 --outcome",
    "split-bundle": "请用 --tier、--from 和 --to 或写明编号，分成几个证据包",
    "replay-decision": "tidu replay {seq}    # 用登记库中的事实和规则重新作出，逐字节比较",
    "replay-decision-as-now": "tidu replay {seq} --facts now --rules now    # 按现在的事实和规则，是什么改变了结论",
    "verify-registry": "tidu audit verify    # 验证整个登记库：未被改动、没有遗漏、决定正确",
    "export-decision": "tidu audit export {seq} -o 决定{seq}.zip    # 导出证据包，没有梯度的人用 verify.py 验证",
    "verify-record": "请运行 tidu audit verify 查明",
}


#: What the system's refusals mean.
SYSTEM: Final = {
    errno.ENOENT: "没有这个文件或文件夹，请核对位置",
    errno.EACCES: "没有读写权限，请换一个位置或请管理员授权",
    errno.EPERM: "没有读写权限，请换一个位置或请管理员授权",
    errno.EROFS: "所在的磁盘只能读取，请换一个位置",
    errno.EISDIR: "是文件夹，请给出文件名",
    errno.ELOOP: "是一个链接，请给出文件本身的位置",
    errno.ENAMETOOLONG: "文件名太长，请改短",
    errno.ENOSPC: "磁盘空间不足，请清理后重试",
}


def sentence(error: DescribedError) -> str:
    """The sentence for an error, with what to type.

    >>> sentence(DescribedError("x", "没有第{value}号记录", value=7, remedy=Remedy("list-entries")))
    '没有第7号记录：用 tidu audit log 查看全部记录'
    """
    return told(str(error), error.remedy)


def told(said: str, remedy: Remedy | None) -> str:
    """The fault, and what to type about it; an alternative follows a comma.

    >>> told("请补报2023年数据", Remedy("check-as-of", {"day": "2023-06-30"}))
    '请补报2023年数据，或用 --as-of 2023-06-30 按当时检查'
    """
    if remedy is None:
        return said
    typed = words(remedy)
    return f"{said}{'，' if typed.startswith('或') else '：'}{typed}"


def words(remedy: Remedy) -> str:
    """What to type."""
    return WORDS[remedy.act].format_map(remedy.given)
