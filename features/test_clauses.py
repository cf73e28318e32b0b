"""Every clause of the source text is a rule, or is listed with the reason why it is not."""

import re
from pathlib import Path

import pytest

from rules.rulebook import Rulebook

FOLDER = Path(__file__).parent / "miit-2022-63"

#: The clauses of the text by heading: how many numbered ones, or their names.
CLAUSES: dict[str, int | tuple[str, ...]] = {
    "附件4 期间与比较": 10,
    "附件4 ": (
        "Ⅰ类知识产权", "Ⅰ类高价值", "自主研发Ⅰ类", "Ⅱ类知识产权", "有效和相关", "主导产品", "自主品牌",
        "股权融资", "合格机构投资者", "省级科技奖励", "国家级科技奖励", "数字化水平", "“创客中国”名单",
        "工业六基", "十大重点产业",
    ),
    "第八条 ": (
        "境内登记", "独立法人", "中小企业", "经营异常", "严重失信", "产品和服务", "重大事故", "违法违规",
    ),
    "前置称号 ": ("创新型", "专精特新", "小巨人"),
    "附件1 公告条件 ": ("评分", "直通1", "直通2", "直通3", "直通4"),
    "附件1 指标": 6,
    "附件2 认定条件": 4,
    "附件2 认定条件4（": ("1）", "2）", "3）", "4）"),
    "附件2 指标": 13,
    "附件2 ": ("分组下限", "省级分数线"),
    "附件3 ": ("专", "新", "链", "品"),
    "附件3 精 ": ("信息系统", "认证", "负债", "战略与治理"),
    "附件3 特 ": ("占有率", "知名度", "自主品牌"),
    "附件3 新 ": (
        "一般条件1 第一档", "一般条件1 第二档", "一般条件1 第三档", "一般条件2", "一般条件3", "直通1", "直通2",
    ),
    "300号第四条（": tuple(f"{n}）" for n in ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三", "十四", "十五", "十六"]),
    "施行 ": (
        "创新型认定", "创新型复核", "专精特新认定", "专精特新复核", "小巨人认定", "小巨人复核", "旧证书",
    ),
    "轮次通知 ": ("第七批收入", "复核增长率"),
    "程序 ": ("创新型", "专精特新", "小巨人", "计划单列市"),
    "": ("有效期 三年", "有效期 复核", "更新信息", "重大变化", "不再符合", "撤销", "举报", "目标"),
    "省级 ": (
        "山东 重点产业领域", "山东 生产创新", "山东 市场占有", "山东 上市", "四川", "广东", "深圳", "其他",
    ),
}  # fmt: skip


def rows() -> list[list[str]]:
    lines = (FOLDER / "clauses.md").read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def expected() -> list[str]:
    return [
        f"{heading}{name}"
        for heading, names in CLAUSES.items()
        for name in (names if isinstance(names, tuple) else range(1, names + 1))
    ]


@pytest.mark.parametrize("clause", expected())
def test_no_clause_is_left_out(clause: str) -> None:
    assert [row[0] for row in rows()].count(clause) == 1


def test_every_clause_is_encoded_or_has_a_reason(rulebook: Rulebook) -> None:
    for name, content, treatment in rows():
        assert content, name
        ids = re.findall(r"`([^`]+)`", treatment)
        assert set(ids) <= set(rulebook.clauses), name
        reason = re.search(r"未编码：(.+)", treatment)
        assert ids or reason or "指标“" in treatment, name


def test_every_rule_is_the_clause_of_some_row_or_serves_one(rulebook: Rulebook) -> None:
    named = {i for row in rows() for i in re.findall(r"`([^`]+)`", row[2])}
    reached: set[str] = set()

    def reach(id: str) -> None:
        if id in reached or id not in rulebook.rules:
            return
        reached.update(rule.id for rule in rulebook.ruleset(id).rules)

    for id in named:
        reach(id)
    here = {c.id for c in rulebook.clauses.values() if c.path.startswith(FOLDER.name)}
    assert here - reached - named == set()
