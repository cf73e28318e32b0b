"""Tables of workflows: what they compile to, and every refusal with its line."""

from pathlib import Path

import pytest

from rules.language.rulebook import Rulebook, compile_all
from rules.language.workflows import term
from rules.portable.calendar import Term
from rules.portable.workflow import Act

#: The header stands in line 8, the first row in line 9.
TEXT = """\
# language: zh-CN
@source:乙
功能: 测试
  @id:p
  规则: {title}
    依据: 第一条
    背景:
      假如 按下表办理
        | 环节 | 承办 | 办理 | 转入 | 时限 | 须有 | 效果 |
{rows}
    场景: 甲
      假如 案件于2023年7月3日申报
      那么 环节为“初审”
"""
GOOD = (
    "初审 | 县级经办 | 推荐 | 公示 | 10个工作日 | 符合的决定或理由 | ",
    "初审 | 企业 | 撤回 | 撤回 | | | ",
    "公示 | 省级 | 提出异议 | 公示 | 公示7日 | | 登记异议",
    "公示 | 省级 | 驳回异议 | 公示 | | 理由、佐证 | 了结异议",
    "公示 | 期满 | | 公告 | | 无未处理异议 | ",
    "公告 | 省级负责人 | 公告 | 认定 | | | 授予称号",
)


def compiled(tmp_path: Path, *rows: str, title: str = "标题") -> Rulebook:
    written = "\n".join(f"        | {row} |" for row in rows)
    (tmp_path / "a.feature").write_text(TEXT.format(rows=written, title=title), encoding="utf-8")
    return compile_all(tmp_path)


def test_a_table_compiles_to_acts_and_terms(tmp_path: Path) -> None:
    found = compiled(tmp_path, *GOOD, title="公示7日")
    assert found.problems == ()
    workflow = found.workflows["p"]
    assert workflow.first == "初审"
    assert workflow.states == ("初审", "公示", "公告")
    assert workflow.terms == {"初审": Term(10, "工作日"), "公示": Term(7, "日", running=True)}
    assert workflow.acts[3] == Act(
        state="公示",
        actor="省级",
        act="驳回异议",
        to="公示",
        needs=("理由", "佐证"),
        effects=("了结异议",),
    )
    assert type(workflow).of(workflow.to_json()) == workflow


def changed(number: int, *rows: str) -> tuple[str, ...]:
    return (*GOOD[:number], *rows, *GOOD[number + 1 :])


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (changed(0, "初审 | 县级科员 | 推荐 | 公示 | | | "), "10: 承办「县级科员」不认识（相近的有「县级」）：可写企业、期满，或级别加经办、复核人、负责人"),
        (changed(0, "初审 | 县级 | 推荐 | 公视 | | | "), "10: 转入「公视」既不是表中的环节，也不是办结（相近的有「公示」、「公告」）：办结可写认定、不予认定、不予受理、通过复核、未通过复核、撤回"),
        (changed(0, "初审 | 县级 | | 公示 | | | "), "10: 办理为空：请补写"),
        (changed(0, "初审 | 县级 | 推荐。 | 公示 | | | "), "10: 办理「推荐。」中有标点或空格：请去掉"),
        (changed(0, "初审 | 县级 | 推荐 | 公示 | 十日 | | "), "10: 时限「十日」应写成 10个工作日、7日、3个月 或 公示5个工作日，或留空"),
        (changed(0, "初审 | 县级 | 推荐 | 公示 | 0日 | | "), "10: 时限「0日」应写成 10个工作日、7日、3个月 或 公示5个工作日，或留空"),
        (changed(0, "初审 | 县级 | 推荐 | 公示 | | 核查 | "), "10: 须有「核查」不认识：可写决定、符合的决定、符合的决定或理由、不符合的决定或理由、理由、佐证、无未处理异议，或表中的办理"),
        (changed(0, "初审 | 县级 | 推荐 | 公示 | | 推荐 | "), "10: “推荐”须先“推荐”，永远办不成：请改正"),
        (changed(0, "初审 | 县级 | 推荐 | 公示 | | 理由、理由 | "), "10: 须有或效果中有两处相同：请删去一处"),
        (changed(0, "初审 | 县级 | 推荐 | 公示 | | | 授于称号"), "10: 效果「授于称号」不认识（相近的有「授予称号」）：可写授予称号、延续称号、登记异议、了结异议，或留空"),
        (changed(4, "公示 | 期满 | 转入 | 公告 | | | "), "14: 期满不是谁办理的：办理一格请留空"),
        (changed(4, "公示 | 期满 | | 公示 | | | "), "14: 期满后仍在“公示”，没有意义：请改转入，或删去此行"),
        (changed(2, "公示 | 省级 | 提出异议 | 公示 | | | 登记异议"), "14: “公示”没有时限，不会期满：请写时限，或删去此行"),
        (changed(1, "初审 | 县级负责人 | 推荐 | 公示 | | | "), "11: 与第10行同一环节、同一级、同一办理，不知转入哪里：请合并或改正"),
        (changed(1, "初审 | 企业 | 撤回 | 撤回 | 3日 | | "), "11: “初审”的时限前后不一：同一环节只有一个时限，请改正"),
        (changed(5, "公告 | 省级负责人 | 公告 | 认定 | | | "), "15: 转入“认定”与效果“授予称号”应在同一行：请改正"),
        (changed(5, "公告 | 省级负责人 | 公告 | 通过复核 | | | "), "15: 转入“通过复核”与效果“延续称号”应在同一行：请改正"),
        (changed(5, "公告 | 省级负责人 | 公告 | 认定 | | | 授予称号、延续称号"), "15: 转入“通过复核”与效果“延续称号”应在同一行：请改正"),
        (changed(3, "公示 | 省级 | 核实 | 公示 | | | "), "12: 异议登记后无法了结：请补一行效果为“了结异议”的办理"),
        (changed(2, "公示 | 省级 | 核实 | 公示 | 公示7日 | | "), "13: 没有登记异议的办理，无从了结：请补一行效果为“登记异议”的办理"),
        ((*GOOD, "会审 | 省级 | 通过 | 公告 | | | "), "16: 没有一行转入“会审”，案件到不了这里：请补写一行，或删去这个环节"),
        (changed(5, "公告 | 省级 | 再公告 | 公告 | | | "), "12: 从“公示”起，怎样办理都不会办结：请补写转入办结的一行"),
        (changed(1, "撤回 | 企业 | 撤回 | 撤回 | | | "), "11: “撤回”是办结的环节，不能再办理：请改环节，或删去此行"),
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, rows: tuple[str, ...], problem: str) -> None:
    found = [str(p) for p in compiled(tmp_path, *rows).problems]
    assert f"a.feature:{problem}" in found
    assert compiled(tmp_path, *rows).workflows == {}


def test_the_title_may_not_tell_another_term(tmp_path: Path) -> None:
    said = "a.feature:5: 标题说的「公示5个工作日」不是表中的时限：请使两者一致"
    found = compiled(tmp_path, *GOOD, title="审核后公示5个工作日")
    assert [str(p) for p in found.problems] == [said]


def test_the_title_may_tell_a_year_or_a_day_of_it(tmp_path: Path) -> None:
    assert compiled(tmp_path, *GOOD, title="2022年8月1日起公示7日").problems == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10个工作日", Term(10, "工作日")),
        ("1工作日", Term(1, "工作日")),
        ("公示5个工作日", Term(5, "工作日", running=True)),
        ("公示7日", Term(7, "日", running=True)),
        ("3个月", Term(3, "个月")),
    ],
)
def test_terms_are_read(text: str, expected: Term) -> None:
    assert term(text) == expected
