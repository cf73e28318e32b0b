"""Examples of clocks: what is refused, and which alterations comfortable examples let live."""

from pathlib import Path
from shutil import copy

import pytest

from rules.drafting.check import check_examples
from rules.drafting.mutants import survivors
from rules.language.rulebook import Rulebook, compile_all, load
from rules.tests.packaged import FEATURES

#: The first step stands in line 15.
TEXT = """\
# language: zh-CN
@source:乙
功能: 测试
  @id:p
  规则: 有效期3年，每年4月30日更新，3个月内报告变化
    依据: 第一条

    背景:
      假如 按下表计时
        | 事项     | 起算               | 期限        | 逾期                   | 提前提醒 |
        | 有效期   | 授予当日           | 3年         | 称号到期               | 30日     |
        | 年度更新 | 授予次年           | 每年4月30日 | 失去复核资格           |          |
        | 变化报告 | 变化次日           | 3个月       | 失去复核资格或取消称号 |          |
        | 再次申报 | 因数据造假取消次日 | 3年         | 不予受理               |          |
    场景: 甲
{steps}
"""


def written(tmp_path: Path, *steps: str, text: str = TEXT) -> Rulebook:
    text = text.format(steps="\n".join(f"      {step}" for step in steps))
    (tmp_path / "a.feature").write_text(text, encoding="utf-8")
    return load(tmp_path)


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        (("那么 称号拟至2027年2月28日",), "请先写「称号自2024年2月29日起」"),
        (("假如 于2026年5月6日申请复核", "那么 不须申请复核"), "请先写「称号自2024年2月29日起」"),
        (("假如 称号自2024年2月29日起", "那么 有效期未到"), "请写明问的是哪一日：「到2026年5月31日」"),
        (("假如 2026年5月10日因“造假”取消称号", "那么 随时可以再申报"), "没有“造假”这一取消事由：可写数据造假"),
        (("假如 称号自2024年2月30日起", "那么 不须申请复核"), "请写成 2023-06-30 或 2023年6月30日"),
        (("假如 称号自2024年2月29日", "那么 有效期未到"), "步骤「称号自2024年2月29日」不认识（相近的有「称号自2024年2月29日起」"),
        (("假如 称号自2024年2月29日起", "那么 环节为“公示”"), "规则「p」不是办理程序：请改写结论或得分"),
        (("假如 称号自2024年2月29日起", "那么 2024年最迟于4月30日更新"), "应为“4月30日”，按定义表得“不须更新”：请改正例子或定义表"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_example_is_told(
    tmp_path: Path, steps: tuple[str, ...], problem: str
) -> None:
    [found] = check_examples(written(tmp_path, *steps))
    assert problem in str(found)


NAMING = TEXT.replace("变化次日  ", "更名、合并次日")


def test_a_change_that_the_table_does_not_name_is_told(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        "假如 2023年1月10日发生“改名”，2023年2月1日报告",
        "那么 最迟于2023年4月10日报告变化",
        text=NAMING,
    )
    [problem] = check_examples(found)
    assert str(problem).endswith("没有列出“改名”这一变化：可写更名、合并")


@pytest.mark.parametrize(
    ("change", "living"),
    [
        ("“更名”", ["合并"]),
        ("变化", ["更名", "合并"]),
    ],
)
def test_a_change_that_no_example_names_may_be_another(
    tmp_path: Path, change: str, living: list[str]
) -> None:
    (tmp_path / "maps").mkdir()
    copy(FEATURES / "maps" / "calendar.csv", tmp_path / "maps")
    steps = f"假如 2023年1月10日发生{change}", "那么 最迟于2023年4月10日报告变化"
    found = survivors(written(tmp_path, *steps, text=NAMING))
    kinds = [m.description for m in found if "更名" in m.description or "合并" in m.description]
    assert kinds == [f"第3行（变化报告） 起算 「{kind}」改为「非{kind}」" for kind in living]


def test_an_example_of_a_criterion_has_no_clocks(tmp_path: Path) -> None:
    text = TEXT.format(steps="      那么 随时可以再申报")
    table = text[text.index("假如 按下表") : text.index("    场景")]
    other = "假如 满足下列任一情形即为符合\n        | 情形 | 指标 | 要求 | 门槛 |\n        | 一 | p | 为 | 符合 |\n"
    (tmp_path / "a.feature").write_text(text.replace(table, other), encoding="utf-8")
    [found] = check_examples(compile_all(tmp_path))
    assert "规则「p」不是计时：请改写结论或得分" in str(found)


def test_comfortable_examples_let_alterations_live(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    copy(FEATURES / "maps" / "calendar.csv", tmp_path / "maps")
    found = survivors(
        written(
            tmp_path,
            "假如 称号自2024年2月29日起",
            "假如 2024年3月1日发生变化",
            "当 到2024年12月31日",
            "那么 有效期未到",
            "那么 变化报告逾期",
        )
    )
    assert [m.description for m in found] == [
        "第1行（有效期） 起算 改为「授予次日」",
        "第1行（有效期） 期限 改为 2年",
        "第1行（有效期） 期限 改为 4年",
        "第1行（有效期） 提前提醒 改为 29日",
        "第1行（有效期） 提前提醒 改为 31日",
        "第1行（有效期） 提前提醒 删去",
        "第2行（年度更新） 删去",
        "第2行（年度更新） 起算 改为「授予当年」",
        "第2行（年度更新） 期限 改为 每年4月29日",
        "第2行（年度更新） 期限 改为 每年5月1日",
        "第2行（年度更新） 逾期 改为「计一次未更新」",
        "第3行（变化报告） 起算 改为「变化当日」",
        "第3行（变化报告） 期限 改为 2个月",
        "第3行（变化报告） 期限 改为 4个月",
        "第3行（变化报告） 期限 改为 3工作日",
        "第3行（变化报告） 逾期 删去「失去复核资格」",
        "第3行（变化报告） 逾期 删去「取消称号」",
        "第4行（再次申报·数据造假） 删去",
        "第4行（再次申报·数据造假） 起算 改为「取消当日」",
        "第4行（再次申报·数据造假） 期限 改为 2年",
        "第4行（再次申报·数据造假） 期限 改为 4年",
        "第4行（再次申报·数据造假） 期限 改为 3个月",
    ]
