"""A check that cannot pass by accident: what is missing, dead, unknown, or was not run."""

from pathlib import Path

import pytest

from rules.drafting.check import check, notices

BASE = Path(__file__).parents[3] / "features"

GOOD = """\
# language: zh-CN
@tier:专精特新中小企业 @source:乙文
功能: 测试

  @id:甲
  规则: 上年度从业人员不低于300人
    依据: 第一条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标           | 要求   | 门槛  |
        | 一   | 上年度从业人员 | 不低于 | 300人 |

    场景大纲: 从业人员
      假如 企业填报
        | 上年度从业人员 | <人数> |
      那么 结论为“<结论>”

      例子:
        | 人数  | 结论     |
        | 300人 | 符合     |
        | 299人 | 不符合   |
        | 301人 | 符合     |
        |       | 材料不足 |
"""
ROW = "        | 一   | 上年度从业人员 | 不低于 | 300人 |\n"
SCORED = """
  @id:分
  规则: 上年度研发费用占比达到5%得5分，不足的不得分
    依据: 第二条

    背景:
      假如 按下表计分，边界按高分
        | 指标               | 下限 | 上限 | 得分 |
        | 上年度研发费用占比 | 5%   |      | 5分  |
        | 上年度研发费用占比 |      | 5%   | 1分  |

    场景大纲: 占比
      假如 企业填报
        | 上年度研发费用总额 | <研发>    |
        | 上年度营业收入总额 | 10000万元 |
      那么 得分为“<得分>”

      例子:
        | 研发         | 得分     |
        | 500万元      | 5分      |
        | 499.9999万元 | 1分      |
        | 500.0001万元 | 5分      |
        |              | 1分至5分 |

  @id:和
  规则: 得分之和
    依据: 第三条

    背景:
      假如 得分为下列各项之和
        | 组 | 项 | 满分 |
        |    | 分 | 5分  |

    场景大纲: 和
      假如 其他规则的结论
        | 分 | <一> |
      那么 得分为“<得分>”

      例子:
        | 一  | 得分 |
        | 5分 | 5分  |
        | 1分 | 1分  |
"""
TABLE = """
  @id:适用
  规则: 适用
    依据: 第四条

    背景:
      假如 按下表适用
        | 层级             | 程序 | 省份 | 批次 | 自           | 至 | 规则集 | 依据 |
        | 专精特新中小企业 | 认定 | 其余 |      | 2025年1月1日 |    | 甲     | 乙文 |

    场景大纲: 适用
      假如 案件如下
        | 层级     | 专精特新中小企业 |
        | 填报日期 | <日>             |
      那么 适用“<集>”

      例子:
        | 日             | 集                 |
        | 2024年12月31日 | 没有适用的规则集   |
        | 2025年1月1日   | 甲                 |
        | 2025年1月2日   | 甲                 |
"""


def found(tmp_path: Path, only: str = "", **files: str) -> list[str]:
    """The problems of feature files, each with its place."""
    for name, text in files.items():
        (tmp_path / f"{name}.feature").write_text(text, encoding="utf-8")
    return [str(p) for p in check(tmp_path, base=BASE, only=only)[1]]


def test_good_criteria(tmp_path: Path) -> None:
    assert found(tmp_path, a=GOOD + SCORED + TABLE) == []


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        # missing tags
        ("@tier:专精特新中小企业 ", "", ["a.feature:3: 没有层级，规则「甲」不知用于哪一层级：请在「功能:」之上写 @tier:层级"]),
        (" @source:乙文", "", ["a.feature:3: 没有文号，理由和告知书无从引用：请在「功能:」之上写 @source:文号"]),
        ("@tier:专精特新中小企业", "@tier:专精特新中小企亚", ["a.feature:3: 层级「专精特新中小企亚」没有声明（相近的有「专精特新中小企业」）：请改正，或声明此层级"]),
        ("@tier:专精特新中小企业", "@tier:创新型中小企业", ["a.feature:75: 规则集「甲」所在的文件标为「创新型中小企业」，此行的层级是「专精特新中小企业」：请使两者一致"]),
        ("        | 填报日期 | <日>             |", "        | 填报日期 | <日>             |\n        | 省份 | 江苏声 |", ["a.feature:87: 规则「适用」的例子「适用［2025年1月1日、甲］」：省份「江苏声」不认识（相近的有「江苏」、「江苏省」）：请改正"]),
        ("        | 填报日期 | <日>             |", "        | 填报日期 | <日>             |\n        | 程序 | 认订 |", ["a.feature:87: 规则「适用」的例子「适用［2025年1月1日、甲］」：程序「认订」不认识（相近的有「认定」）：请改正"]),
        ("        | 层级     | 专精特新中小企业 |", "        | 层级     | 专精特新中小企亚 |", ["a.feature:86: 规则「适用」的例子「适用［2025年1月1日、甲］」：层级「专精特新中小企亚」不认识（相近的有「专精特新中小企业」）：请改正"]),
        ("依据: 第一条", "依据: 第X条", ["a.feature:7: 此处还没有写好（「第X条」）：请补齐"]),
        ("不低于 | 300人", "不低于 | 300.5人", ["a.feature:6: 条文写有300人", "a.feature:10: 定义表写有300.5人，"]),
        # a value in one row of an 例子 table
        ("| 299人 | 不符合   |", "| 299% | 不符合   |", ["a.feature:22: 从业人员［299%、不符合］：「从业人员」的值「299%」无法读取：应以人计，例如 2人"]),
        ("| 299人 | 不符合   |", "| 299.5人 | 不符合   |", ["a.feature:22: 从业人员［299.5人、不符合］：「从业人员」的值「299.5人」应为整数"]),
        ("| 299人 | 不符合   |", "| 二百人 | 不符合   |", ["a.feature:22: 从业人员［二百人、不符合］：「从业人员」的值「二百人」无法读取：「二百人」不是可识别的数量：请写成数字加单位，例如 100万元、3%、2年、20分"]),
        ("| 299人 | 不符合   |", "| -1人 | 不符合   |", ["a.feature:22: 规则「甲」的例子「从业人员［-1人、不符合］」应为“不符合”，按定义表得“待人工认定”：请改正例子或定义表"]),
        ("| 299人 | 不符合   |\n        | 301人 | 符合     |", "| 299% | 不符合   |\n        | 301% | 符合     |", [
            "a.feature:22: 从业人员［299%、不符合］：「从业人员」的值「299%」无法读取：应以人计，例如 2人",
            "a.feature:23: 从业人员［301%、符合］：「从业人员」的值「301%」无法读取：应以人计，例如 2人",
        ]),
        ("| 299人 | 不符合   |", "| 299人 | 不合格   |", ["a.feature:22: 从业人员［299人、不合格］：「不合格」不是结论：应为不符合、材料不足、待人工认定、符合之一（相近的有「不符合」）"]),
        # the step itself, told once
        ("        | 上年度从业人员 | <人数> |", "        | 上年度职业人员 | <人数> |", ["a.feature:16: 从业人员：没有名为「上年度职业人员」的填报项（相近的有「上年度从业人员」、「上上年度从业人员」、「再上年度从业人员」）：请查对填报模板中的名称"]),
        ("假如 企业填报\n        | 上年度从业", "假如 企业申报\n        | 上年度从业", ["a.feature:15: 从业人员：步骤「企业申报」不认识（相近的有「企业填报」）：请用 docs/language.md 所列的句式"]),
        # rows and cases that never matter
        (ROW, ROW + "        | 一   | 上年度从业人员 | 不低于 | 200人 |\n", ["a.feature:10: 定义表写有200人", "a.feature:13: 此行不起作用：同一情形第12行的要求更严，请改正或删去"]),
        (ROW, ROW + "        | 一   | 上年度从业人员 | 高于 | 300人 |\n", ["a.feature:12: 此行不起作用：同一情形第13行的要求更严，请改正或删去"]),
        (ROW, ROW + "        | 一   | 上年度从业人员 | 低于 | 300人 |\n", ["a.feature:12: 情形「一」的各行不能同时满足：请改正"]),
        (ROW, ROW + "        | 二   | 上年度从业人员 | 高于 | 300人 |\n", ["a.feature:13: 情形「二」不起作用：满足它的也都满足「一」，请改正或删去"]),
        (ROW, ROW + "        | 二   | 上年度从业人员 | 不低于 | 300人 |\n        | 二   | 独立法人 | 为 | 是 |\n", ["a.feature:13: 情形「二」不起作用：满足它的也都满足「一」，请改正或删去"]),
        (ROW, ROW + "        | 一   | 申报划型行业 | 为 | 工业 |\n        | 一   | 申报划型行业 | 属于 | 工业、建筑业 |\n", ["a.feature:14: 此行不起作用：同一情形第13行的要求更严，请改正或删去"]),
        (ROW, ROW + "        | 一   | 申报划型行业 | 为 | 工业 |\n        | 一   | 申报划型行业 | 为 | 建筑业 |\n", ["a.feature:12: 情形「一」的各行不能同时满足：请改正"]),
        # points that a rule cannot give
        ("        | 5分 | 5分  |\n", "        | 6分 | 6分  |\n", ["a.feature:65: 规则「和」的例子「和［6分、6分］」：「分」的得分只能是1分至5分，不会是6分：请改正"]),
        ("        | 1分 | 1分  |\n", "        | 0分 | 0分  |\n", ["a.feature:66: 规则「和」的例子「和［0分、0分］」：「分」的得分只能是1分至5分，不会是0分：请改正"]),
        ("        | 1分 | 1分  |\n", "        | 1分至9分 | 1分至9分  |\n", ["a.feature:66: 规则「和」的例子「和［1分至9分、1分至9分］」：「分」的得分只能是1分至5分，不会是1分至9分：请改正"]),
        ("        | 1分 | 1分  |\n", "        | 5分至1分 | 1分  |\n", ["a.feature:66: 和［5分至1分、1分］：「5分至1分」前大后小：请调换"]),
        ("        | 1分 | 1分  |\n", "        | 1分 | 1  |\n", ["a.feature:66: 和［1分、1］：「1」不是得分：应写成 15分 或 6分至10分"]),
        ("        | 分 | <一> |", "        | 芬 | <一> |", [
            "a.feature:65: 规则「和」的例子「和［5分、5分］」：本规则没有用到「芬」的结论：请查对编号，或删去此行",
            "a.feature:66: 规则「和」的例子「和［1分、1分］」：本规则没有用到「芬」的结论：请查对编号，或删去此行",
        ]),
        # names of an applicability table
        ("        | 专精特新中小企业 | 认定 |", "        | 专精特新中小企亚 | 认定 |", ["a.feature:75: 层级「专精特新中小企亚」没有声明（相近的有「专精特新中小企业」）：已声明的有创新型中小企业、专精特新中小企业、专精特新“小巨人”企业；请改正，或写一张“层级如下”表"]),
        ("        | 专精特新中小企业 | 认定 |", "        | 专精特新\"小巨人\"企业 | 认定 |", ["a.feature:75: 层级「专精特新\"小巨人\"企业」没有声明（相近的有「专精特新“小巨人”企业」）："]),
        ("        | 专精特新中小企业 | 认定 |", "        | 专精特新中小企业 | 人定 |", ["a.feature:75: 「人定」不是程序（相近的有「认定」）：可用的有认定、复核", "a.feature:86: ", "a.feature:87: "]),
        ("@id:和\n", "@id:甲\u3000\n", ["a.feature:"]),
    ],
)  # fmt: skip
def test_faults(tmp_path: Path, old: str, new: str, problems: list[str]) -> None:
    text = GOOD + SCORED + TABLE
    assert text.count(old) == 1
    said = found(tmp_path, a=text.replace(old, new))
    assert len(said) >= len(problems), said
    for begins in problems:
        assert any(one.startswith(begins) for one in said), (begins, said)


def test_twins(tmp_path: Path) -> None:
    twin = (
        GOOD.split("功能: 测试\n")[1].replace("@id:甲", "@id:Ⅰ类").replace(": 从业人员\n", ": 又\n")
    )
    third = twin.replace("@id:Ⅰ类", "@id:I类").replace(": 又\n", ": 再\n")
    assert found(tmp_path, a=GOOD + twin + third) == [
        "a.feature:48: 编号「I类」与「Ⅰ类」看上去相同，字符不同：请统一写法，或改编号"
    ]


def test_a_rule_that_nothing_uses_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.feature").write_text(GOOD + SCORED + TABLE, encoding="utf-8")
    rulebook, problems = check(tmp_path, base=BASE)
    assert problems == []
    assert [str(n) for n in notices(rulebook)] == [
        "a.feature:50: 规则「和」没有列入适用表，也没有别的规则用到，不影响任何结论：请引用它，或删去"
    ]
    (tmp_path / "a.feature").write_text(GOOD + SCORED, encoding="utf-8")
    assert notices(check(tmp_path, base=BASE)[0]) == []


WANTING = GOOD.replace("        | 299人 | 不符合   |\n", "")
UNGUARDED = (
    "规则「甲」第1行 门槛 300人 改为 299人后，例子仍全部成立：请补上恰在门槛、略低、略高或只有此处不同的例子；"
    "确认改后结论处处相同的，在 mutants-equivalent.csv 中写一行「甲,第1行 门槛 300人 改为 299人,理由」"
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("规则: ", "规则："),
        ("  @id:乙\n", ""),
        ("上年度从业人员 | 不低于", "没有这个 | 不低于"),
        ("    依据: 第一条\n", ""),
        ("# language: zh-CN\n", ""),
        ("功能: ", ""),
        ("        | 299人 | 不符合   |\n", "        | 299人 | 不符合   | 多 |\n"),
    ],
)
def test_a_faulty_file_beside_hides_nothing(tmp_path: Path, old: str, new: str) -> None:
    beside = GOOD.replace("@id:甲", "@id:乙").replace(": 从业人员\n", ": 乙的\n")
    assert beside.count(old) == 1
    said = found(tmp_path, "a.feature", a=WANTING, b=beside.replace(old, new))
    assert said == [f"a.feature:6: {UNGUARDED}"]


def test_what_rests_on_a_faulty_rule_is_not_passed_over(tmp_path: Path) -> None:
    line = "        | 一   | 乙 | 为 | 符合 |\n"
    beside = GOOD.replace("@id:甲", "@id:乙").replace(": 从业人员\n", ": 乙的\n")
    root = GOOD.replace(ROW, ROW + line)
    said = found(
        tmp_path, "a.feature", a=root, b=beside.replace("上年度从业人员 | 不低于", "没有 | 不低于")
    )
    assert said == ["a.feature:6: 规则「甲」没有检查：它所依据的规则有错（b.feature:12），请先改正"]


def test_a_failing_user_beside_cannot_vouch_for_a_rule(tmp_path: Path) -> None:
    users = SCORED.partition("  @id:和")[2]
    scored = SCORED.partition("\n  @id:和")[0]
    head = GOOD.partition("\n  @id:甲")[0]
    beside = f"{head}\n  @id:和{users}".replace("| 1分 | 1分  |", "| 1分 | 2分  |")
    said = found(tmp_path, "a.feature", a=head + scored, b=beside)
    assert said == [
        "a.feature:6: 规则「分」的例子是否足够没有检查：用到它的规则「和」有错，请先改正"
    ]


LIST = "规则,变异,理由\n"


@pytest.mark.parametrize(
    ("table", "problems"),
    [
        (LIST + "甲,第1行 门槛 300人 改为 299人,示例\n", []),
        (LIST + "甲,第1行 门槛 300人 改为 299人,示例\n甲,第2行 删去,旧\n", ["mutants-equivalent.csv:3: 「甲」没有「第2行 删去」这一变异，或已有例子查出：请改正或删去此行"]),
        (LIST + "甲,第1行 门槛 300人 改为 299人\n", ["mutants-equivalent.csv:2: 此行缺列、有空白格或重复：请改正"]),
        ("规则,变异\n", ["mutants-equivalent.csv:1: 表头应为 规则,变异,理由：请改正"]),
        (LIST + '甲,"第1行\n', ["mutants-equivalent.csv:1: 不是 UTF-8 的 CSV 表，或引号没有成对：请改正"]),
        ("\ufeff" + LIST + "甲,第1行 门槛 300人 改为 299人,示例\n", []),
    ],
)  # fmt: skip
def test_the_list_of_equivalent_mutants(tmp_path: Path, table: str, problems: list[str]) -> None:
    (tmp_path / "mutants-equivalent.csv").write_text(table, encoding="utf-8")
    assert found(tmp_path, a=WANTING) == problems


def test_a_list_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "mutants-equivalent.csv").write_bytes("规则".encode("gb18030"))
    assert found(tmp_path, a=WANTING) == [
        "mutants-equivalent.csv:1: 不是 UTF-8 的 CSV 表，或引号没有成对：请改正"
    ]


def test_a_pack_does_not_turn_what_is_packaged(tmp_path: Path) -> None:
    """Packaged examples show what governs without the pack; the check of both passes all the same."""
    whole, own = tmp_path / "whole", tmp_path / "own"
    for folder in (whole / "maps", own / "provinces"):
        folder.mkdir(parents=True)
    (whole / "a.feature").write_text(GOOD + SCORED + TABLE.replace(
        "        | 填报日期 | <日>             |\n",
        "        | 填报日期 | <日>             |\n        | 省份 | 江苏省 |\n",
    ), encoding="utf-8")  # fmt: skip
    head = GOOD.partition("\n  @id:甲")[0]
    pack = TABLE.replace("@id:适用", "@id:江苏.适用").replace("| 其余 |", "| 江苏省 |")
    pack = pack.replace("| 甲     | 乙文 |", "| 江苏 | 乙文 |").replace("| 甲  ", "| 江苏 ")
    pack = pack.replace(
        "        | 填报日期 | <日>             |\n",
        "        | 填报日期 | <日>             |\n        | 省份 | 江苏省 |\n",
    )
    pack = pack.replace("没有适用的规则集", "没有适用的规则集")
    root = (
        GOOD.partition("功能: 测试\n")[2]
        .replace("@id:甲", "@id:江苏")
        .replace(": 从业人员\n", ": 江苏的\n")
    )
    (own / "provinces" / "a.feature").write_text(head + root + pack, encoding="utf-8")
    assert [str(p) for p in check(whole, own=own, base=BASE)[1]] == []
