"""The clause in words beside its table: what is accepted as people write it, and what is found."""

from pathlib import Path

import pytest

from rules.language.rulebook import compile_all
from rules.model.quantities import mentions
from rules.tests.packaged import FEATURES

FEATURE = """\
# language: zh-CN
@tier:专精特新中小企业 @source:乙文
功能: 测试

  @id:一
  规则: {title}
    依据: 第一条

    背景:
      假如 {sentence}
        | {columns} |
{rows}

    场景: 一
      那么 {result}
"""
CASES = ("满足下列任一情形即为符合", "情形 | 指标 | 要求 | 门槛", "结论为“材料不足”")
BANDS = ("按下表计分，边界按高分", "指标 | 下限 | 上限 | 得分", "得分为“0分至5分”")
LADDER = ("按所满足的最高情形计分", "得分 | 情形 | 指标 | 要求 | 门槛", "得分为“0分至5分”")

RESEARCH = ("一 | 上年度研发费用总额 | 不低于 | 100万元",)
TWO_YEARS = (
    "一 | 上年度营业收入总额 | 不低于 | 1000万元",
    "一 | 上上年度营业收入总额 | 不低于 | 1000万元",
)
THREE_YEARS = (*TWO_YEARS, "一 | 再上年度营业收入总额 | 不低于 | 1000万元")
SHARE = ("一 | 上年度研发费用占比 | 不低于 | 3%",)
BOTH_SHARES = (*SHARE, "一 | 上上年度研发费用占比 | 不低于 | 3%")
DEBT = ("一 | 上年度末资产负债率 | 不高于 | 70%",)
RANK = ("一 | 国内细分市场排名 | 不高于 | 3名",)
RANKS = ("一 | 国内细分市场排名 | 不高于 | 10名", "一 | 省内细分市场排名 | 不高于 | 3名")
STAFF = ("一 | 上年度从业人员 | 低于 | 300人",)
STAFF_ABOVE = ("一 | 上年度从业人员 | 高于 | 300人",)
GROWTH = ("一 | 近2年主营业务收入平均增长率 | 不低于 | 10%",)
YEARS = ("一 | 从事细分市场年限 | 不低于 | 3年",)
LEVEL = ("一 | 数字化水平等级 | 不低于 | 2级",)
TWO_FIGURES = (
    "一 | 上年度营业收入总额 | 不低于 | 1000万元",
    "一 | 上年度研发费用总额 | 不低于 | 100万元",
)
SCALED = (
    "大 | 上年度营业收入总额 | 不低于 | 1亿元",
    "大 | 上年度研发费用占比 | 不低于 | 3%",
    "小 | 上年度研发费用占比 | 不低于 | 6%",
)
LISTED = ("一 | 列入经营异常名录 | 为 | 否",)
FIRST = ("一 | 近三年省级以上首台套等创新产品 | 为 | 是",)
CERTIFIED = ("一 | 管理体系认证 | 为 | 是",)


def problems(
    tmp_path: Path, title: str, rows: tuple[str, ...], kind: tuple[str, ...] = CASES
) -> list[str]:
    """What the checks across a file say about one clause and its table."""
    sentence, columns, result = kind
    text = FEATURE.format(
        title=title,
        sentence=sentence,
        columns=columns,
        rows="\n".join(f"        | {row} |" for row in rows),
        result=result,
    )
    (tmp_path / "a.feature").write_text(text, encoding="utf-8")
    return [p.message for p in compile_all(tmp_path, base=FEATURES).problems]


ACCEPTED = [
    *(
        (title, RESEARCH)
        for title in (
            "上年度研发费用总额不低于100万元",
            "上年度研发费用不少于100万元",
            "上年度研发费用达到100万元",
            "上年度研发费用应达到100万元",
            "上年度研发费用达100万元以上",
            "上年度研发费用100万元以上",
            "上年度研发费用在100万元以上",
            "上年度研发费用100万元及以上",
            "上年度研发费用100万元（含）以上",
            "上年度研发费用至少100万元",
            "上年度研发费用至少为人民币100万元",
            "上年度研发费用不得低于100万元",
            "上年度研发费用不应少于一百万元",
            "上年度研发费用不小于1,000,000元",
            "上年度研发费用大于或等于100万元",
            "上年度研发费用≥100万元",
            "上年度研发费用高于100万元（含本数）",
            "上年度投入研发费用最低100万元",
            "上年度研发费用不足100万元的不予推荐",
            "上年度研发费用低于100万元的企业不得申报",
            "不受理上年度研发费用低于100万元的企业",
            "研发费用不低于100万",
            "科研投入不低于100万元",
            "上一年度研发投入不低于１００万元",
            "研发费用100万元",
            "境外营业收入企业的研发费用不低于100万元",
            "按营业收入核定的研发费用不低于100万元",
        )
    ),
    *(
        (title, TWO_YEARS)
        for title in (
            "近两年营业收入均不低于1000万元",
            "近2年营业收入均不低于1000万元",
            "最近两年营业收入每年不少于1000万元",
            "连续两年营业收入达到1000万元",
            "连续两个会计年度营业收入均达到1000万元以上",
            "近两个年度营业收入均在1000万元以上",
            "上年度、上上年度营业收入总额均不低于1000万元",
            "营业收入均不低于1000万元",
            "营业收入每年至少1,000万元",
            "上年度和上上年度营业收入各不低于一千万元",
        )
    ),
    ("近三年营业收入均不低于1000万元", THREE_YEARS),
    ("近3年营业收入每年都不少于1000万元", THREE_YEARS),
    ("连续三个完整会计年度营业收入不低于1000万元", THREE_YEARS),
    *(
        (title, SHARE)
        for title in (
            "上年度研发费用占营业收入总额比重不低于3%",
            "上年度研发费用占营业收入的比例不少于百分之三",
            "上年度研发费用不低于营业收入的3%",
            "上年度研发费用占比达到3％",
            "上年度研发强度3%以上",
            "研发费用占比至少3个百分点",
            "研发投入占销售收入的比重不低于3%",
        )
    ),
    ("近两年研发费用占营业收入比重均不低于3%", BOTH_SHARES),
    ("近两年研发费用占比均达3%以上", BOTH_SHARES),
    *(
        (title, DEBT)
        for title in (
            "资产负债率不高于70%",
            "上年度末资产负债率不超过70%",
            "年末资产负债率不大于70%",
            "资产负债率70%以内",
            "资产负债率70%以下",
            "资产负债率70%（含）以下",
            "资产负债率至多70%",
            "资产负债率最高70%",
            "资产负债率不得超过70%",
            "资产负债率小于或等于70%",
            "资产负债率控制在70%以内",
            "资产负债率高于70%的除外",
            "资产负债率≤70%",
        )
    ),
    *(
        (title, RANK)
        for title in (
            "国内细分市场排名不高于3名",
            "国内细分市场排名前三",
            "国内细分市场排名前3名",
            "国内细分市场排名位居前三名",
            "国内细分市场排名前3位",
            "国内细分市场排名在3名以内",
            "国内细分市场排名第一至第三名",
            "国内细分市场占有率排名全国前三位",
        )
    ),
    ("主导产品全国前十，并且全省前三", RANKS),
    ("国内细分市场排名前10位，省内细分市场排名前3位", RANKS),
    *(
        (title, STAFF)
        for title in (
            "从业人员低于300人",
            "从业人员少于300人",
            "从业人员不足300人",
            "从业人员不到三百人",
            "从业人员未达到300人",
            "从业人员未满300人",
            "从业人员不满300人",
            "从业人员小于300人",
            "从业人员300人以下",
            "从业人员300人（不含）以下",
            "从业人员<300人",
            "职工总数少于300名",
        )
    ),
    *(
        (title, STAFF_ABOVE)
        for title in (
            "从业人员高于300人",
            "从业人员超过300人",
            "从业人员大于300人",
            "从业人员多于300人",
            "从业人员300人（不含）以上",
            "从业人员超出300人",
            "从业人员＞300人",
        )
    ),
    ("近2年主营业务收入平均增长率不低于10%", GROWTH),
    ("近两年主营业务收入平均增长率达到10%以上", GROWTH),
    ("近两年主营业务收入增长率平均不低于10%", GROWTH),
    ("近两年主营业务收入年均增速不低于10%", GROWTH),
    ("从事特定细分市场满3年", YEARS),
    ("从事特定细分市场3年以上", YEARS),
    ("从事特定细分市场时间达到三年", YEARS),
    ("从事特定细分市场不少于3个完整年度", YEARS),
    ("从事特定细分市场满三周年", YEARS),
    ("数字化水平达到二级以上", LEVEL),
    ("按第三项，数字化水平不低于2级", LEVEL),
    ("上年度营业收入不低于1000万元、研发费用不低于100万元", TWO_FIGURES),
    ("上年度研发费用100万元以上且营业收入1000万元以上", TWO_FIGURES),
    ("上年度营业收入1亿元以上的，研发费用占比不低于3%；其余的不低于6%", SCALED),
    ("营业收入不足1亿元的，研发费用占比不低于6%；其他企业研发费用占比不低于3%", SCALED),
    ("未列入经营异常名录", LISTED),
    ("没有列入经营异常名录", LISTED),
    ("经营正常", LISTED),
    ("取得管理体系认证", CERTIFIED),
    ("获首台（套）认定", FIRST),
    ("近三年获首台（套）认定", FIRST),
    ("下列三项条件都要符合", CERTIFIED),
    ("全国前十、全省前三，这两项要求都要达到", RANKS),
    ("没有取得管理体系认证的不予认定", CERTIFIED),
]


@pytest.mark.parametrize(("title", "rows"), ACCEPTED, ids=lambda v: v if isinstance(v, str) else "")
def test_a_natural_wording_is_accepted(tmp_path: Path, title: str, rows: tuple[str, ...]) -> None:
    assert problems(tmp_path, title, rows) == []


def other(said: str, wanted: str) -> list[str]:
    return [f"条文「{said}」与定义表的要求「{wanted}」不同：请使条文与定义表一致"]


def named(said: str, what: str) -> list[str]:
    return [f"条文「{said}」{what}：请使条文与定义表一致"]


FOUND = [
    ("上年度研发费用总额不高于100万元", RESEARCH, other("不高于100万元", "不低于")),
    ("上年度研发费用不超过100万元", RESEARCH, other("不超过100万元", "不低于")),
    ("上年度研发费用超过100万元", RESEARCH, other("超过100万元", "不低于")),
    ("上年度研发费用大于100万元", RESEARCH, other("大于100万元", "不低于")),
    ("上年度研发费用少于100万元", RESEARCH, other("少于100万元", "不低于")),
    ("上年度研发费用不足100万元", RESEARCH, other("不足100万元", "不低于")),
    ("上年度研发费用未达到100万元", RESEARCH, other("未达到100万元", "不低于")),
    ("上年度研发费用至多100万元", RESEARCH, other("至多100万元", "不低于")),
    ("上年度研发费用100万元以下", RESEARCH, other("100万元以下", "不低于")),
    ("上年度研发费用100万元以内", RESEARCH, other("100万元以内", "不低于")),
    ("上年度研发费用100万元（不含）以上", RESEARCH, other("100万元(不含)以上", "不低于")),
    ("上年度研发费用<100万元", RESEARCH, other("<100万元", "不低于")),
    ("近两年营业收入均不高于1000万元", TWO_YEARS, other("不高于1000万元", "不低于")),
    ("资产负债率不低于70%", DEBT, other("不低于70%", "不高于")),
    ("资产负债率达到70%", DEBT, other("达到70%", "不高于")),
    ("资产负债率低于70%", DEBT, other("低于70%", "不高于")),
    ("资产负债率70%以上", DEBT, other("70%以上", "不高于")),
    ("国内细分市场排名不低于3名", RANK, other("不低于3名", "不高于")),
    ("从业人员不高于300人", STAFF, other("不高于300人", "低于")),
    ("从业人员300人以上", STAFF, other("300人以上", "低于")),
    ("从业人员达到300人", STAFF_ABOVE, other("达到300人", "高于")),
    ("从业人员至少300人", STAFF_ABOVE, other("至少300人", "高于")),
    ("从事特定细分市场未满3年", YEARS, other("未满3年", "不低于")),
    ("数字化水平在二级以下", LEVEL, other("二级以下", "不低于")),
    (
        "上年度营业收入总额不低于100万元",
        RESEARCH,
        named("不低于100万元", "说的是营业收入总额，定义表中是上年度研发费用总额"),
    ),
    (
        "净利润不低于100万元",
        RESEARCH,
        named("不低于100万元", "说的是净利润，定义表中是上年度研发费用总额"),
    ),
    (
        "资产总额达到100万元",
        RESEARCH,
        named("达到100万元", "说的是资产总额，定义表中是上年度研发费用总额"),
    ),
    (
        "上上年度研发费用总额不低于100万元",
        RESEARCH,
        named("不低于100万元", "说的是上上年度，定义表中是上年度研发费用总额"),
    ),
    (
        "上年度研发费用增长率不低于3%",
        SHARE,
        named("不低于3%", "说的是研发费用的增长，定义表中是上年度研发费用占比"),
    ),
    (
        "上年度研发费用占从业人员比重不低于3%",
        SHARE,
        named("不低于3%", "说的是占从业人员的比重，定义表中是上年度研发费用占比"),
    ),
    (
        "上年度研发人员占比不低于3%",
        SHARE,
        named("不低于3%", "说的是研发人员占比，定义表中是上年度研发费用占比"),
    ),
    (
        "近两年营业收入平均不低于1000万元",
        TWO_YEARS,
        named("不低于1000万元", "说的是营业收入的平均，定义表中是上年度营业收入总额"),
    ),
    (
        "上年度营业收入不低于1000万元",
        TWO_YEARS,
        named("不低于1000万元", "只说上年度，定义表中还有上上年度"),
    ),
    (
        "近2年主营业务收入不低于10%",
        GROWTH,
        named("不低于10%", "没有说增长，定义表中是近2年主营业务收入平均增长率"),
    ),
    (
        "近2年主营业务收入增长率不低于10%",
        GROWTH,
        named("不低于10%", "没有说平均，定义表中是近2年主营业务收入平均增长率"),
    ),
    (
        "上年度末净利润率不高于70%",
        DEBT,
        named("不高于70%", "说的是净利润率，定义表中是上年度末资产负债率"),
    ),
    (
        "上年度营业收入不低于100万元，研发费用不低于1000万元",
        TWO_FIGURES,
        [
            "条文「不低于1000万元」说的是研发费用，定义表中这一门槛属于上年度营业收入总额：请使条文与定义表一致",
            "条文「不低于100万元」说的是营业收入，定义表中这一门槛属于上年度研发费用总额：请使条文与定义表一致",
        ],
    ),
    (
        "列入经营异常名录",
        LISTED,
        ["条文要求「列入经营异常名录」，定义表的要求是“否”：请使条文与定义表一致"],
    ),
    (
        "没有管理体系认证",
        CERTIFIED,
        ["条文否定「管理体系认证」，定义表的要求是“是”：请使条文与定义表一致"],
    ),
    (
        "近三年营业收入均不低于1000万元",
        TWO_YEARS,
        ["条文写有3年，定义表中没有：请使条文与定义表的数字一致"],
    ),
]


@pytest.mark.parametrize(
    ("title", "rows", "expected"), FOUND, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_clause_against_its_table_is_found(
    tmp_path: Path, title: str, rows: tuple[str, ...], expected: list[str]
) -> None:
    assert problems(tmp_path, title, rows) == expected


BANDED = (
    "上年度研发费用占比 | 5% | | 5分",
    "上年度研发费用占比 | 3% | 5% | 3分",
    "上年度研发费用占比 | | 3% | 0分",
)
LIMITED = (
    "上年度末资产负债率 | | 50% | 5分",
    "上年度末资产负债率 | 50% | 60% | 3分",
    "上年度末资产负债率 | 60% | | 0分",
)
LADDERED = (
    "5分 | 高 | 全国细分市场占有率 | 高于 | 10%",
    "3分 | 低 | 国内细分市场排名 | 不高于 | 3名",
    "0分 | 其余 | | |",
)


@pytest.mark.parametrize(
    ("title", "rows", "kind"),
    [
        ("研发费用占比达到5%得5分，达到3%得3分，不足的不得分", BANDED, BANDS),
        ("研发费用占比5%以上得5分，3%至5%得3分，低于3%的得0分", BANDED, BANDS),
        ("研发费用占比不低于5%的得5分，不足5%但不低于3%的得3分，不足3%的不得分", BANDED, BANDS),
        ("资产负债率不高于50%得5分，不超过60%得3分，再高不得分", LIMITED, BANDS),
        ("资产负债率50%以内得5分，60%以下得3分，高于60%得0分", LIMITED, BANDS),
        ("全国细分市场占有率高于10%的得5分，国内细分市场排名前三的得3分", LADDERED, LADDER),
        (
            "全国细分市场占有率超过10%得5分，国内细分市场排名前3名得3分，其余不得分",
            LADDERED,
            LADDER,
        ),
    ],
)
def test_a_natural_wording_of_points_is_accepted(
    tmp_path: Path, title: str, rows: tuple[str, ...], kind: tuple[str, ...]
) -> None:
    assert problems(tmp_path, title, rows, kind) == []


@pytest.mark.parametrize(
    ("title", "rows", "kind", "expected"),
    [
        ("研发费用占比不高于5%得5分，达到3%得3分", BANDED, BANDS, other("不高于5%", "不低于或低于")),
        ("研发费用占比低于5%得5分，达到3%得3分", BANDED, BANDS, named("低于5%", "得5分，定义表中是3分")),
        ("研发费用占比达到5%得3分，达到3%得3分", BANDED, BANDS, named("达到5%", "得3分，定义表中是5分")),
        ("资产负债率不低于50%得5分，不高于60%得3分", LIMITED, BANDS, other("不低于50%", "高于或不高于")),
        ("全国细分市场占有率不高于10%的得5分，国内排名前三的得3分", LADDERED, LADDER, other("不高于10%", "高于")),
    ],
)  # fmt: skip
def test_points_against_the_table_are_found(
    tmp_path: Path, title: str, rows: tuple[str, ...], kind: tuple[str, ...], expected: list[str]
) -> None:
    assert problems(tmp_path, title, rows, kind) == expected


def test_per_cent_in_words() -> None:
    assert mentions("不低于百分之三，达到百分之六十") == mentions("3%，60%")
