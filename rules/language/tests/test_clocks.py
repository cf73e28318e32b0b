"""Tables of clocks: what they compile to, every refusal with its line, and which of them govern when."""

from datetime import date
from pathlib import Path

import pytest

from rules.drafting.check import check
from rules.drafting.mutants import mutants
from rules.drafting.soundness import unused
from rules.language.rulebook import Rulebook, compile_all
from rules.portable.calendar import Term
from rules.portable.clocks import Clock

#: The header stands in line 10, the first row in line 11.
TEXT = """\
# language: zh-CN
@source:乙
功能: 测试
  @id:p
  规则: {title}
    依据: 第一条

    背景:
      假如 按下表计时
        | 事项 | 起算 | 期限 | 逾期 | 提前提醒 |
{rows}
    场景: 甲
      假如 称号自2024年2月29日起
      那么 称号拟至2027年2月28日
"""
BOTH = TEXT.replace("@id:p", "@id:r")
GOOD = (
    "有效期 | 授予当日 | 3年 | 称号到期 | 6个月",
    "年度更新 | 授予次年 | 每年4月30日 | 计一次未更新 | 30日",
    "累计未更新 | 有效期内 | 2次 | 取消称号 | ",
    "变化报告 | 变化次日 | 3个月 | 失去复核资格或取消称号 | 15日",
    "复核申报 | 期满前6个月 | 期满前1个月 | 不予受理 | 30日",
    "举报答复 | 收到当日 | 15个工作日 | 责令整改 | 3日",
    "再次申报 | 因数据造假取消次日 | 3年 | 不予受理 | ",
    "再次申报 | 因自愿放弃取消 | 无 | | ",
)


def compiled(tmp_path: Path, *rows: str, title: str = "标题") -> Rulebook:
    written = "\n".join(f"        | {row} |" for row in rows)
    (tmp_path / "a.feature").write_text(TEXT.format(rows=written, title=title), encoding="utf-8")
    return compile_all(tmp_path)


def test_a_table_compiles_to_clocks(tmp_path: Path) -> None:
    found = compiled(tmp_path, *GOOD, title="有效期3年；每年4月30日以前更新；2次未更新的取消")
    assert found.problems == ()
    clocks = found.clocks["p"]
    assert clocks.clocks[:2] == (
        Clock(
            matter="有效期",
            start="授予当日",
            term=Term(3, "年"),
            consequences=("称号到期",),
            remind=Term(6, "个月"),
        ),
        Clock(
            matter="年度更新",
            start="授予次年",
            yearly=(4, 30),
            consequences=("计一次未更新",),
            remind=Term(30, "日"),
        ),
    )
    assert clocks.clocks[4] == Clock(
        matter="复核申报",
        start="期满前",
        lead=Term(6, "个月"),
        term=Term(1, "个月"),
        consequences=("不予受理",),
        remind=Term(30, "日"),
    )
    assert clocks.grounds == ("数据造假", "自愿放弃")
    assert clocks.clocks[7] == Clock(matter="再次申报", start="取消", ground="自愿放弃")
    assert type(clocks).of(clocks.to_json()) == clocks


def changed(number: int, *rows: str) -> tuple[str, ...]:
    return (*GOOD[:number], *rows, *GOOD[number + 1 :])


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (changed(0, "期限 | 授予当日 | 3年 | 称号到期 | "), "11: 事项「期限」不认识：可写有效期、延续期、年度更新、累计未更新、变化报告、复核申报、再次申报、举报答复"),
        (changed(0, "有效期 | 授予日 | 3年 | 称号到期 | "), "11: “有效期”的起算「授予日」不认识（相近的有「授予当日」、「授予次日」）：可写授予当日、授予次日"),
        (changed(0, "有效期 | 授予当日 | | 称号到期 | "), "11: “有效期”没有期限，永远不会到期：请补写"),
        (changed(0, "有效期 | 授予当日 | 三年 | 称号到期 | "), "11: “有效期”的期限「三年」应写成 3年、3个月、15日 或 15个工作日"),
        (changed(0, "有效期 | 授予当日 | 0年 | 称号到期 | "), "11: “有效期”的期限「0年」应写成 3年、3个月、15日 或 15个工作日"),
        (changed(0, "有效期 | 授予当日 | 3个工作日 | 称号到期 | "), "11: “有效期”不按工作日计：请改写为年、月或日"),
        (changed(0, "延续期 | 期满次日 | 3个工作日 | 称号到期 | "), "11: “延续期”不按工作日计：请改写为年、月或日"),
        (changed(0, "有效期 | 授予当日 | 3年 | | "), "11: “有效期”没有写逾期怎样：可写称号到期"),
        (changed(0, "有效期 | 授予当日 | 3年 | 称号到期 | 三日"), "11: 提前提醒「三日」应写成 30日 或 6个月，或留空"),
        (changed(0, "有效期 | 授予当日 | 3年 | 称号到期 | 3个工作日"), "11: 提前提醒「3个工作日」应写成 30日 或 6个月，或留空"),
        (changed(0, "有效期 | 授予当日 | 3年 | 称号到期 | 3年"), "11: 提前3年提醒，不短于期限3年：请改短"),
        (changed(1, "年度更新 | 授予次年 | 4月30日 | 计一次未更新 | "), "12: “年度更新”的期限「4月30日」应写成 每年4月30日"),
        (changed(1, "年度更新 | 授予次年 | 每年2月29日 | 计一次未更新 | "), "12: 「每年2月29日」不是每年都有的日子：请改正"),
        (changed(1, "年度更新 | 授予次年 | 每年4月30日 | 计一次未更新 | 1年"), "12: 提前1年提醒，不短于期限每年4月30日：请改短"),
        (changed(1, "年度更新 | 授予次年 | 每年4月30日 | 失去复合资格 | "), "12: “年度更新”的逾期「失去复合资格」不认识（相近的有「失去复核资格」）：可写失去复核资格、计一次未更新、取消称号，或用“或”连接"),
        (changed(1, "年度更新 | 授予次年 | 每年4月30日 | 取消称号或取消称号 | "), "12: 逾期「取消称号或取消称号」有两处相同：请删去一处"),
        (changed(1, "年度更新 | 授予次年 | 每年4月30日 | 取消称号 | "), "13: 没有一行的逾期是“计一次未更新”，“累计未更新”不会用到：请补写，或删去此行"),
        (changed(2), "12: “计一次未更新”之后没有下文：请补一行“累计未更新”"),
        (changed(2, "累计未更新 | 有效期内 | 1次 | 取消称号 | "), "13: “累计未更新”的期限「1次」应写成 2次 或更多"),
        (changed(2, "累计未更新 | 有效期内 | 2次 | 取消称号 | 30日"), "13: “累计未更新”的期限是2次，无从提前提醒：请留空"),
        (changed(3, GOOD[3], GOOD[3]), "15: 与第14行都是“变化报告”，不知依哪一行：请删去一行"),
        (changed(3, "变化报告 | 变化日 | 3个月 | 取消称号 | "), "14: “变化报告”的起算「变化日」不认识（相近的有「变化次日」、「变化当日」）：可写变化次日、变化当日，或列出变化如 更名、合并次日"),
        (changed(3, "变化报告 | 授予次日 | 3个月 | 取消称号 | "), "14: “变化报告”的起算「授予次日」不认识（相近的有「变化次日」）：可写变化次日、变化当日，或列出变化如 更名、合并次日"),
        (changed(3, "变化报告 | 更名、、合并次日 | 3个月 | 取消称号 | "), "14: “变化报告”的起算「更名、、合并次日」有一处顿号前后是空的：请补写，或删去顿号"),
        (changed(3, "变化报告 | 更名、合并、更名次日 | 3个月 | 取消称号 | "), "14: “变化报告”的起算「更名、合并、更名次日」有两处相同的变化：请删去一处"),
        (changed(3, "变化报告 | 更名、变化次日 | 3个月 | 取消称号 | "), "14: “变化报告”的起算「更名、变化次日」：“变化”是任何变化，不与别的并列；请改写为“其他变化”，或删去其余"),
        (changed(4, "复核申报 | 期满前1个月 | 期满前1个月 | 不予受理 | "), "15: “复核申报”自期满前1个月起，期满前1个月已止，没有可办的日子：请改正"),
        (changed(4, "复核申报 | 期满前 | 期满日 | 不予受理 | "), "15: “复核申报”的起算「期满前」不认识（相近的有「期满前6个月」、「期满当年」）：可写期满当年、期满前6个月"),
        (changed(4, "复核申报 | 期满当年 | 3个月 | 不予受理 | "), "15: “复核申报”的期限「3个月」应写成 期满日 或 期满前1个月"),
        (changed(6, "再次申报 | 数据造假 | 3年 | 不予受理 | "), "17: “再次申报”的起算「数据造假」应写成 因数据造假取消次日、因数据造假取消当日、因数据造假取消"),
        (changed(6, "再次申报 | 因数据造假取消次日 | 三年 | 不予受理 | "), "17: “再次申报”的期限「三年」应写成 3年、3个月、15日 或 15个工作日，没有的写无"),
        (changed(6, "再次申报 | 因数据造假取消次日 | 无 | 不予受理 | "), "17: “再次申报”没有期间的，起算写 因数据造假取消，期限写 无，逾期和提前提醒留空；有期间的，起算写明取消次日或取消当日"),
        (changed(7, "再次申报 | 因数据造假取消 | 无 | | "), "18: 与第17行都是因数据造假取消的“再次申报”，不知依哪一行：请删去一行"),
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, rows: tuple[str, ...], problem: str) -> None:
    found = compiled(tmp_path, *rows)
    assert f"a.feature:{problem}" in [str(p) for p in found.problems]
    assert found.clocks == {}


@pytest.mark.parametrize(
    ("start", "begins", "kinds"),
    [
        ("变化次日", "变化次日", ()),
        ("更名、合并、其他变化次日", "变化次日", ("更名", "合并", "其他变化")),
        ("更名当日", "变化当日", ("更名",)),
    ],
)
def test_a_table_may_name_the_changes_that_must_be_reported(
    tmp_path: Path, start: str, begins: str, kinds: tuple[str, ...]
) -> None:
    found = compiled(tmp_path, *changed(3, f"变化报告 | {start} | 3个月 | 取消称号 | "))
    assert found.problems == ()
    clock = found.clocks["p"].clock("变化报告")
    assert clock is not None
    assert (clock.start, clock.kinds) == (begins, kinds)
    assert found.clocks["p"].kinds == kinds


def test_the_title_may_not_tell_another_term(tmp_path: Path) -> None:
    said = "a.feature:5: 标题说的「{}」不是表中的期限：请使两者一致"
    found = compiled(tmp_path, *GOOD, title="有效期5年，每年5月31日更新，13个月")
    assert [str(p) for p in found.problems] == [
        said.format(what) for what in ("13个月", "5年", "5月31日")
    ]


def test_the_title_may_tell_a_year_or_a_day_of_it(tmp_path: Path) -> None:
    title = "2022年办法的计时，2026年5月31日以后有效期3年"
    assert compiled(tmp_path, *GOOD, title=title).problems == ()


def own(tmp_path: Path, *rows: str) -> Rulebook:
    written = "\n".join(f"        | {row} |" for row in rows)
    text = BOTH.format(rows=written, title="乙")
    (tmp_path / "b.feature").write_text(text, encoding="utf-8")
    return compiled(tmp_path, *GOOD)


def test_a_table_may_take_the_rest_from_another(tmp_path: Path) -> None:
    update = "年度更新 | 授予当年 | 每年6月15日 | 计一次未更新 | "
    found = own(tmp_path, update, "其余 | p | | | ")
    assert found.problems == ()
    mine, theirs = found.clocks["r"].clocks, found.clocks["p"].clocks
    assert mine[0] == Clock(
        matter="年度更新", start="授予当年", yearly=(6, 15), consequences=("计一次未更新",)
    )
    assert mine[1:] == tuple(c for c in theirs if c.matter != "年度更新")
    altered = {m.description for m in mutants(found, ["r"])}
    assert altered
    assert all(text.startswith("第1行（年度更新）") for text in altered)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (("其余 | p | | | ",), "11: 只有“其余”一行，与所依的表没有不同：请在适用表中直接写那一张"),
        ((GOOD[3], "其余 | p | | | "), "11: 与「p」的这一行相同，不起作用：请删去此行"),
        (("变化报告 | 变化当日 | 3个月 | 取消称号 | ", "其余 | q | | | "), "12: 计时「q」不存在：请写“按下表计时”的规则的编号"),
        (("变化报告 | 变化当日 | 3个月 | 取消称号 | ", "其余 | r | | | "), "12: 计时「r」也依别的表：请直接写它所依的那一张"),
        (("变化报告 | 变化当日 | 3个月 | 取消称号 | ", "其余 | | | | "), "12: “其余”一行只写依哪一张表：请在起算写那条规则的编号，其余各格留空"),
        (("变化报告 | 变化当日 | 3个月 | 取消称号 | ", "其余 | p | 3年 | | "), "12: “其余”一行只写依哪一张表：请在起算写那条规则的编号，其余各格留空"),
        (("其余 | p | | | ", "变化报告 | 变化当日 | 3个月 | 取消称号 | "), "11: “其余”应是最后一行：请移到表末"),
        (("年度更新 | 授予次年 | 每年4月30日 | 取消称号 | ", "其余 | p | | | "), "12: 没有一行的逾期是“计一次未更新”，“累计未更新”不会用到：请补写，或删去此行"),
    ],
)  # fmt: skip
def test_the_rest_is_refused(tmp_path: Path, rows: tuple[str, ...], problem: str) -> None:
    found = own(tmp_path, *rows)
    assert [str(p) for p in found.problems] == [f"b.feature:{problem}"]
    assert set(found.clocks) == {"p"}


GOVERNING = """\
# language: zh-CN
功能: 适用
  @id:q
  规则: 适用
    依据: 第一条

    背景:
      假如 计时按下表适用
        | 层级 | 省份 | 自 | 至 | 计时 | 依据 |
{rows}
    场景: 甲
      假如 案件如下
        | 层级     | 甲           |
        | 填报日期 | 2026年4月1日 |
      那么 适用“p”
"""
TIER = """\
# language: zh-CN
@source:乙
功能: 层级
  @id:层级
  规则: 甲的有效期3年
    依据: 第一条

    背景:
      假如 层级如下
        | 名称 | 简称 | 标识 | 有效期 |
        | 甲   | 甲   | a    | 3年    |
"""


def governed(tmp_path: Path, *rows: str) -> Rulebook:
    (tmp_path / "t.feature").write_text(TIER, encoding="utf-8")
    written = "\n".join(f"        | {row} |" for row in rows)
    (tmp_path / "q.feature").write_text(GOVERNING.format(rows=written), encoding="utf-8")
    other = (GOOD[1].replace("4月30日", "5月31日"),)
    later = "\n".join(f"        | {row} |" for row in (GOOD[0], *other, *GOOD[2:]))
    (tmp_path / "r.feature").write_text(BOTH.format(rows=later, title="乙"), encoding="utf-8")
    return compiled(tmp_path, *GOOD)


def test_a_row_says_which_clocks_govern_and_a_province_has_its_own(tmp_path: Path) -> None:
    found = governed(
        tmp_path,
        "甲 | 其余 | 2022年8月1日 | 2026年3月31日 | p | 乙",
        "甲 | 其余 | 2026年4月1日 | | r | 乙",
        "甲 | 江苏省 | 2023年1月1日 | 2023年12月31日 | r | 乙",
    )
    assert found.problems == ()
    spans = [(p.first, p.last, p.clocks.id) for p in found.timing("甲", "浙江省").periods]
    assert spans == [(date(2022, 8, 1), date(2026, 3, 31), "p"), (date(2026, 4, 1), None, "r")]
    spans = [(p.first, p.last, p.clocks.id) for p in found.timing("甲", "江苏省").periods]
    assert spans == [
        (date(2022, 8, 1), date(2022, 12, 31), "p"),
        (date(2023, 1, 1), date(2023, 12, 31), "r"),
        (date(2024, 1, 1), date(2026, 3, 31), "p"),
        (date(2026, 4, 1), None, "r"),
    ]
    assert found.timing("乙").periods == ()


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (("甲 | 其余 | 2022年8月1日 | | s | 乙",), "10: 计时「s」不存在：请写“按下表计时”的规则的编号"),
        (("甲 | 其余 | 2022年8月1日 | | p | ",), "10: 层级、省份、计时、依据不能为空：请补写"),
        (("丙 | 其余 | 2022年8月1日 | | p | 乙",), "10: 层级「丙」没有声明：已声明的有甲；请改正，或写一张“层级如下”表"),
        (("甲 | 其余 | 2022年8月1日 | | p | 乙", "甲 | 其余 | 2026年4月1日 | | r | 乙"), "11: 与 q.feature:10 同时适用于同一批案件：请使日期不重叠"),
    ],
)  # fmt: skip
def test_a_row_is_refused(tmp_path: Path, rows: tuple[str, ...], problem: str) -> None:
    assert f"q.feature:{problem}" in [str(p) for p in governed(tmp_path, *rows).problems]


@pytest.mark.parametrize(
    ("years", "term", "refused"),
    [("3年", "3年", False), ("3年", "36个月", False), ("", "5年", False), ("3年", "5年", True)],
)
def test_a_tier_may_not_declare_years_that_none_of_its_clocks_give(
    tmp_path: Path, years: str, term: str, refused: bool
) -> None:
    governed(tmp_path, "甲 | 其余 | 2022年8月1日 | | p | 乙")
    (tmp_path / "t.feature").write_text(
        TIER.replace("| 3年    |", f"| {years} |"), encoding="utf-8"
    )
    found = compiled(tmp_path, GOOD[0].replace("3年", term), GOOD[3])
    said = "t.feature:11: 「甲」的有效期写为3年，所适用的计时写的是5年：请使两者一致"
    assert [str(p) for p in found.problems] == [said] * refused


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        ("2026年5月10日", "2026年5月11日", "2026-04-30、2026-05-31"),
        ("2026年5月31日", "2026年6月1日", ""),
        ("2026年4月29日", "2026年4月30日", ""),
    ],
)
def test_a_year_has_one_day_for_its_update(
    tmp_path: Path, before: str, after: str, held: str
) -> None:
    governed(tmp_path, f"甲 | 其余 | | {before} | p | 乙", f"甲 | 其余 | {after} | | r | 乙")
    said = [str(p) for p in check(tmp_path)[1] if "最后日" in str(p)]
    wanted = f"q.feature:11: 甲2026年的更新应恰有一个最后日，按此表有：{held}；请改正起止日"
    assert said == ([wanted] if held else [])


def test_a_year_may_not_be_left_without_a_day_for_its_update(tmp_path: Path) -> None:
    governed(
        tmp_path, "甲 | 其余 | | 2026年5月10日 | r | 乙", "甲 | 其余 | 2026年5月11日 | | p | 乙"
    )
    said = "q.feature:11: 甲2026年的更新应恰有一个最后日，按此表有：没有一日；请改正起止日"
    assert said in [str(p) for p in check(tmp_path)[1]]


def test_clocks_that_no_row_names_are_told(tmp_path: Path) -> None:
    found = governed(tmp_path, "甲 | 其余 | 2022年8月1日 | | p | 乙")
    said = "r.feature:5: 计时「r」没有列入适用表，不会用到：请列入，或删去"
    assert said in [str(p) for p in unused(found, found.clauses)]


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        ("更名、合并次日", "“变化报告”列出的每种变化都应有例子，写明报告的期限或那一日的情形：缺合并"),
        ("变化次日", "例子说到更名，“变化报告”没有列出变化：请在起算中列出，或把例子改写为“发生变化”"),
    ],
)  # fmt: skip
def test_a_table_and_its_examples_name_the_same_changes(
    tmp_path: Path, start: str, problem: str
) -> None:
    compiled(tmp_path, f"变化报告 | {start} | 3个月 | 取消称号 | ")
    path = tmp_path / "a.feature"
    text = path.read_text(encoding="utf-8")
    asked = "假如 2023年1月10日发生“更名”\n      那么 报告变化的期限未公布"
    shown = text[text.index("假如 称号") :].strip()
    path.write_text(text.replace(shown, asked), encoding="utf-8")
    assert f"a.feature:11: {problem}" in [str(p) for p in check(tmp_path)[1]]


def test_the_last_day_and_those_beside_it_need_examples(tmp_path: Path) -> None:
    compiled(tmp_path, GOOD[0])
    said = "a.feature:11: “有效期”的最后一日及前后各一日都应有例子，写明那一日的情形：缺前一日、当日、后一日"
    assert said in [str(p) for p in check(tmp_path)[1]]
