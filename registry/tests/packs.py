"""A bureau's own pack with a tier, a fact of each kind and a list of its own, and a criterion on them."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from registry.filings import Submission
from rules.language.rulebook import Rulebook, load
from rules.model.facts import RecordList, Scalar
from rules.tests.packaged import FEATURES

#: The round whose criterion reads what the pack declares.
ROUND: Final = "绿色批次"
TIER: Final = "绿色企业"

_TEXT: Final = """# language: zh-CN
@tier:绿色企业 @source:示范市绿色批次通知
功能: 绿色批次

  @id:绿色.层级
  规则: 绿色企业的称号
    依据: 通知第一条

    背景:
      假如 层级如下
        | 名称     | 简称 | 标识  | 有效期 |
        | 绿色企业 | 绿色 | green | 2年    |

  @id:绿色.填报项
  规则: 绿色批次的填报项
    依据: 通知第一条

    背景:
      假如 填报项如下
        | 名称 | 标识 | 类型 | 单位 | 期间 | 取值 | 下限 | 清单 | 属于 | 由谁 |
        | 绿色工厂 | green_factory | 是否 |  |  |  |  |  |  |  |
        | 环保投入 | green_spent | 数量 | 万元 |  |  | 0 |  |  |  |
        | 单位能耗下降 | energy_cut | 数量 | % |  |  |  |  |  |  |
        | 环保设备 | green_devices | 数量 | 件 |  |  | 0 |  |  |  |
        | 环评日期 | assessed_on | 日期 |  |  |  |  |  |  |  |
        | 排污级别 | discharge | 类别 |  |  | 甲类；乙类 |  |  |  |  |
        | 园区名称 | park | 文字 |  |  |  |  |  |  |  |
        | 绿色评价 | green_mark | 数量 | 分 |  |  | 0 |  |  | 审核人 |
        | 绿色产品收入 | green_revenue | 数量 | 万元 | 会计年度 |  | 0 |  | 营业收入总额 |  |
        | 绿色岗位 | green_staff | 数量 | 人 | 会计年度 |  | 0 |  |  |  |
        | 绿色得分 | green_score | 数量 | 分 | 自然年度 |  | 0 |  |  |  |
        | 属绿色技术 | green | 是否 |  |  |  |  | 知识产权 |  |  |
        | 评估价值 | worth | 数量 | 万元 |  |  | 0 | 知识产权 |  |  |
        | 绿色项目 | projects | 清单 |  |  |  |  |  |  |  |
        | 项目名称 | name | 文字 |  |  |  |  | 绿色项目 |  |  |
        | 项目类别 | kind | 类别 |  |  | 节能；减排 |  | 绿色项目 |  |  |
        | 项目投资 | spent | 数量 | 万元 |  |  | 0 | 绿色项目 |  |  |
        | 项目人数 | people | 数量 | 人 |  |  | 0 | 绿色项目 |  |  |
        | 验收日期 | accepted_on | 日期 |  |  |  |  | 绿色项目 |  |  |
        | 已验收 | accepted | 是否 |  |  |  |  | 绿色项目 |  |  |
        | 验收可信 | trusted | 是否 |  |  |  |  | 绿色项目 |  | 审核人 |

  @id:绿色.项目 @对象:绿色项目
  规则: 已验收的绿色项目
    依据: 通知第二条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标   | 要求 | 门槛 |
        | 一   | 已验收 | 为   | 是   |

    场景: 没有验收
      假如 该记录
        | 项目类别 | 节能 |
      那么 结论为“材料不足”

  @id:绿色.指标
  规则: 绿色批次的指标
    依据: 通知第二条

    背景:
      假如 指标按下式计算
        | 指标         | 单位 | 算式                                         |
        | 绿色收入占比 | %    | 上年度绿色产品收入 ÷ 上年度营业收入总额      |
        | 绿色项目数   | 项   | 件数（绿色.项目）                            |

  @id:绿色.1
  规则: 绿色工厂的绿色收入占比不低于10%，绿色项目不低于1项，绿色评价不低于60分
    依据: 通知第二条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标         | 要求   | 门槛 |
        | 一   | 绿色工厂     | 为     | 是   |
        | 一   | 绿色收入占比 | 不低于 | 10%  |
        | 一   | 绿色项目数   | 不低于 | 1项  |
        | 一   | 绿色评价     | 不低于 | 60分 |

    场景: 没有填报
      假如 企业填报
        | 上年度资产总额 | 1万元 |
      那么 结论为“材料不足”

  @id:绿色.适用
  规则: 绿色批次的适用
    依据: 通知第三条

    背景:
      假如 按下表适用
        | 层级     | 程序 | 省份 | 批次     | 自 | 至 | 规则集 | 依据               |
        | 绿色企业 | 认定 | 其余 | 绿色批次 |    |    | 绿色.1 | 示范市绿色批次通知 |

    场景: 绿色批次按本通知
      假如 案件如下
        | 层级     | 绿色企业       |
        | 程序     | 认定           |
        | 批次     | 绿色批次       |
        | 填报日期 | 2023年6月30日  |
      那么 适用“绿色.1”
"""

#: A tier of one province, whose title 专精特新 enterprises may have, and a measure.
OWN_TIER: Final = "示范标杆企业"
_TIER_TEXT: Final = """# language: zh-CN
@tier:示范标杆企业 @source:苏示范〔2023〕1号
功能: 示范标杆企业

  @id:标杆.层级
  规则: 示范标杆企业的称号有效期2年
    依据: 第一条

    背景:
      假如 层级如下
        | 名称         | 简称 | 标识     | 种类 | 前置             | 有效期 |
        | 示范标杆企业 | 标杆 | model    |      | 专精特新中小企业 | 2年    |
        | 研发贷款贴息 | 贴息 | interest | 措施 |                  |        |

  @id:标杆.1
  规则: 研发费用占收入不低于3%，研发人员不少于15人
    依据: 第二条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标           | 要求   | 门槛 |
        | 一   | 上年度研发人员 | 不低于 | 15人 |
        | 一   | 研发费用占收入 | 不低于 | 3%   |

    场景: 没有填报
      假如 企业填报
        | 上年度资产总额 | 1万元 |
      那么 结论为“材料不足”

  @id:标杆.指标
  规则: 研发费用占收入
    依据: 第二条

    背景:
      假如 指标按下式计算
        | 指标           | 单位 | 算式                                    |
        | 研发费用占收入 | %    | 上年度研发费用总额 ÷ 上年度营业收入总额 |

  @id:标杆.适用
  规则: 示范标杆企业和贴息的适用
    依据: 第三条

    背景:
      假如 按下表适用
        | 层级         | 程序 | 省份   | 批次 | 自 | 至 | 规则集 | 依据           |
        | 示范标杆企业 | 认定 | 江苏省 |      |    |    | 标杆.1 | 苏示范〔2023〕1号 |
        | 研发贷款贴息 | 认定 | 江苏省 |      |    |    | 标杆.1 | 苏示范〔2023〕1号 |

    场景: 江苏省的企业
      假如 案件如下
        | 层级     | 示范标杆企业  |
        | 程序     | 认定          |
        | 省份     | 江苏省        |
        | 填报日期 | 2023年6月30日 |
      那么 适用“标杆.1”
"""


def tier(folder: Path) -> Path:
    """The pack with a tier of one's own in a folder of its own packs."""
    (folder / "provinces" / "jiangsu").mkdir(parents=True, exist_ok=True)
    text = folder / "provinces" / "jiangsu" / "model.feature"
    text.write_text(_TIER_TEXT, encoding="utf-8")
    return folder


def written(folder: Path, *, changed: tuple[str, str] = ("", "")) -> Path:
    """The pack in a folder of its own packs; ``changed`` replaces one of its texts."""
    before, after = changed
    assert before in _TEXT
    (folder / "rounds" / "green").mkdir(parents=True, exist_ok=True)
    text = _TEXT.replace(before, after) if before else _TEXT
    (folder / "rounds" / "green" / "green.feature").write_text(text, encoding="utf-8")
    return folder


def compiled(own: Path) -> Rulebook:
    """The packaged criteria with the pack laid over them."""
    return load(FEATURES, own, base=FEATURES)


def green(filed: Submission, **values: Scalar) -> Submission:
    """A filing that also states every fact of the pack; some fields and a whole record are empty."""
    assert filed.as_of is not None
    year = filed.as_of.year - 1
    stated: dict[str, Scalar] = {
        "green_factory": True,
        "green_spent": "1200000.01",
        "energy_cut": "0.1234567890123456789",
        "green_devices": "12",
        "assessed_on": "2021-02-28",
        "discharge": "乙类",
        "park": "示范园区",
        f"green_revenue@{year}": "2000000.5",
        f"green_revenue@{year - 1}": "0",
        f"green_staff@{year}": "12",
        f"green_score@{year + 1}": "88.5",
        **values,
    }
    project: dict[str, Scalar] = {
        "name": "甲项目",
        "kind": "节能",
        "spent": "300000",
        "people": "7",
        "accepted_on": "2022-12-31",
        "accepted": True,
    }
    records = {
        "ip": RecordList(
            ({"kind": "发明专利", "green": True, "worth": "500000"}, {}, {"green": False}),
            complete=True,
        ),
        "projects": RecordList((project, {}, {"accepted": False}), complete=None),
    }
    sources = {
        "green_factory": "绿色!B2",
        f"green_revenue@{year}": "绿色!C2",
        "projects": "项目",
        "projects#0": "项目!2",
        "projects#1": "项目!3",
        "ip#0": "清单!2",
    }
    stated = {**filed.values, **stated}
    return replace(filed, values=stated, records={**filed.records, **records}, sources=sources)
