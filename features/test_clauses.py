"""Every clause of each source text is a rule, or is listed with the reason why it is not."""

import re
from pathlib import Path
from typing import TypeAlias

import pytest

from rules.language.rulebook import Rulebook

FEATURES = Path(__file__).parent

#: The clauses of a text by heading: how many numbered ones, or their names.
Clauses: TypeAlias = dict[str, int | tuple[str, ...]]

MEASURES_2022: Clauses = {
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

MEASURES_2026: Clauses = {
    "层级 ": ("科技和创新型", "专精特新", "小巨人"),
    "施行 ": ("专精特新认定", "专精特新复核", "小巨人认定", "小巨人复核", "旧证书"),
    "第十一条 ": (
        "境内设立", "中小企业", "守法合规", "经营异常", "严重失信", "产品和服务", "生产安全", "网络数据",
        "环境违法", "质量问题", "行业规范", "不再单列", "全部条件",
    ),
    "附件1 ": (
        "全部条件", "条件1 称号", "条件1 年限", "条件2 营业收入或融资", "条件2 主营业务收入占比",
        "条件2 资产负债率", "条件3 研发费用", "条件4 知识产权", "条件4 免除", "条件5 市场地位",
        "条件6 发展评价", "条件6 复核", "取消的内容",
    ),
    "附件2 ": (
        "全部条件", "条件1 称号", "条件1 年限", "条件2 营业收入", "条件2 主营业务收入占比", "条件2 增长",
        "条件2 增长复核", "条件2 资产负债率", "条件3 研发费用", "条件4 知识产权", "条件4 免除",
        "条件5 市场份额", "条件5 知名度", "条件6 产业方向", "条件6 关键环节", "条件7 发展评价", "条件7 复核",
    ),
    "指标释义 ": ("Ⅰ类知识产权", "主导产品", "市场份额", "发展评价", "其余"),
    "复核 ": ("专精特新", "小巨人"),
    "推荐 ": ("公示", "单项冠军", "控股关系", "同一集团"),
    "": ("更新信息", "抽查", "撤销"),
}  # fmt: skip

#: The clauses of each source document by its folder.
DOCUMENTS: dict[str, Clauses] = {
    "miit-2022-63": MEASURES_2022,
    "miit-2026-2": MEASURES_2026,
    "provinces/guangdong": {
        "": ("分数线", "特色化指标", "2025年批次 增长率", "2025年批次 适用", "深圳市"),
    },
    "provinces/ningxia": {"": ("市级公示", "施行", "其余")},
    "provinces/shandong": {
        "": ("重点产业领域", "生产创新", "市场占有", "上市", "上市 区域市场或备案", "合计", "施行"),
    },
    "provinces/sichuan": {"": ("产业体系", "特色资源", "区域独特性", "合计", "施行", "2022年更新")},
    "rounds/2025-batch-7": {"": ("营业收入", "复核增长率", "适用")},
    "rounds/2026-batch-8": {"": ("单项冠军", "控制关系", "同一集团", "适用")},
}
folders = pytest.mark.parametrize("folder", DOCUMENTS)


def rows(folder: str) -> list[list[str]]:
    lines = (FEATURES / folder / "clauses.md").read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def expected() -> list[tuple[str, str]]:
    return [
        (folder, f"{heading}{name}")
        for folder, clauses in DOCUMENTS.items()
        for heading, names in clauses.items()
        for name in (names if isinstance(names, tuple) else range(1, names + 1))
    ]


def test_every_folder_of_features_has_its_clauses() -> None:
    found = {p.parent.relative_to(FEATURES).as_posix() for p in FEATURES.rglob("*.feature")}
    assert found - {"."} == set(DOCUMENTS)


@pytest.mark.parametrize(("folder", "clause"), expected())
def test_no_clause_is_left_out(folder: str, clause: str) -> None:
    assert [row[0] for row in rows(folder)].count(clause) == 1


@folders
def test_every_clause_is_encoded_or_has_a_reason(rulebook: Rulebook, folder: str) -> None:
    for name, content, treatment in rows(folder):
        assert content, name
        ids = re.findall(r"`([^`]+)`", treatment)
        assert set(ids) <= set(rulebook.clauses), name
        reason = re.search(r"未编码：(.+)", treatment)
        assert ids or reason or "指标“" in treatment, name


@folders
def test_every_rule_is_the_clause_of_some_row_or_serves_one(
    rulebook: Rulebook, folder: str
) -> None:
    named = {i for row in rows(folder) for i in re.findall(r"`([^`]+)`", row[2])}
    reached: set[str] = set()

    def reach(id: str) -> None:
        if id in reached or id not in rulebook.rules:
            return
        reached.update(rule.id for rule in rulebook.ruleset(id).rules)

    for id in named:
        reach(id)
    here = {c.id for c in rulebook.clauses.values() if c.path.startswith(f"{folder}/")}
    assert here - reached - named == set()
