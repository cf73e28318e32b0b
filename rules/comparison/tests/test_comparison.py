"""Two texts side by side: rows typed by hand from the two measures, and small changes made in memory."""

from dataclasses import replace
from fractions import Fraction
from functools import cache

import pytest

from rules.comparison.compare import compare
from rules.comparison.definitions import formula_text
from rules.comparison.rows import Comparison, RequirementChange, Row
from rules.model.expressions import const, div, most, mul, year
from rules.model.ruleset import Bands, Cases, Ladder, Rule, Ruleset
from rules.tests.packaged import rulebook


@cache
def compared(before: str, after: str) -> Comparison:
    return compare(rulebook().ruleset(before), rulebook().ruleset(after))


def row(comparison: Comparison, name: str, change: RequirementChange | None = None) -> Row:
    [found] = [
        r for r in comparison.rows if r.name == name and (change is None or r.change is change)
    ]
    return found


CHANGED, ADDED, REMOVED, SAME = (
    RequirementChange.CHANGED,
    RequirementChange.ADDED,
    RequirementChange.REMOVED,
    RequirementChange.SAME,
)

#: indicator, before, after, what is said of it
SPECIALISED = [
    (CHANGED, "从事细分市场年限", "不低于2年", "不低于3年", ("门槛提高（从严）",)),
    (CHANGED, "上年度营业收入总额", "不低于1000万元", "不低于1500万元", ("门槛提高（从严）",)),
    (SAME, "近两年新增股权融资额", "不低于2000万元", "不低于2000万元", ()),
    (REMOVED, "近两年新增股权融资额", "不低于6000万元", None, ()),
    (SAME, "上年度研发费用总额", "不低于100万元", "不低于100万元", ()),
    (ADDED, "上上年度研发费用总额", None, "不低于100万元", ("增加考察年度（原为上年度研发费用总额）",)),
    (SAME, "上年度研发费用占比", "不低于3%", "不低于3%", ()),
    (ADDED, "上上年度研发费用占比", None, "不低于3%", ("增加考察年度（原为上年度研发费用占比）",)),
    (ADDED, "上年度主营业务收入占比", None, "不低于80%",
     ("原为计分项「63.2.1.主营占比」，满分5分",)),
    (ADDED, "上年度末资产负债率", None, "不高于80%", ("原为计分项「63.2.8.资产负债率」，满分5分",)),
    (REMOVED, "评价得分", "不低于认定分数线（60分）", None, ()),
    (ADDED, "本年度专精特新发展评价得分", None, "不低于50分", ()),
    (ADDED, "应用并产生效益的自主申请Ⅰ类知识产权数", None, "不低于1项", ()),
    (REMOVED, "独立法人", "为 是", None, ()),
    (REMOVED, "近三年偷漏税等违法违规", "为 否", None, ()),
    (ADDED, "近三年较大以上生产安全事故", None, "为 否", ()),
    (SAME, "列入经营异常名录", "为 否", "为 否", ()),
    (CHANGED, "有效的创新型中小企业称号件数", "不低于1项", "不低于1项", ("由必备改为2种情形之一",)),
]  # fmt: skip
LITTLE_GIANT = [
    (SAME, "从事细分市场年限", "不低于3年", "不低于3年", ()),
    (CHANGED, "上年度主营业务收入占比", "不低于70%", "不低于90%", ("门槛提高（从严）",)),
    (CHANGED, "上年度末资产负债率", "不高于70%", "不高于75%", ("上限提高（从宽）",)),
    (CHANGED, "上年度营业收入总额", "不低于5000万元", "不低于5000万元",
     ("由3种情形之一改为必备",)),
    (CHANGED, "近2年研发费用合计", "不低于3000万元", "不低于1200万元",
     ("门槛降低（从宽）", "由3种情形之一改为必备")),
    (CHANGED, "应用并产生效益的Ⅰ类知识产权数 → 应用并产生效益的自主申请Ⅰ类知识产权数",
     "不低于2项", "不低于4项",
     ("计入的范围不同，见释义", "门槛提高（从严）", "可择一的其他情形：直通条件 → 国家级科技奖励")),
    # other facts and another formula: never taken for one another
    (REMOVED, "近2年主营业务收入平均增长率", "不低于5%", None, ()),
    (ADDED, "上年度与再上年度营业收入之比", None, "不低于110.25%", ()),
    (CHANGED, "全国细分市场占有率", "不低于10%", "不低于10%", ("由必备改为3种情形之一",)),
    (ADDED, "国内细分市场排名", None, "不高于3名", ()),
    (REMOVED, "核心业务信息系统支撑", "为 是", None, ()),
    (ADDED, "本年度专精特新发展评价得分", None, "不低于60分", ()),
]  # fmt: skip
#: the year of the filing, or of the year before, is enough in a re-check
RECHECK = [
    (ADDED, "本年度专精特新发展评价得分", None, "不低于50分", ()),
    (ADDED, "上年度专精特新发展评价得分", None, "不低于50分", ()),
    (SAME, "有效的专精特新中小企业称号件数", "不低于1项", "不低于1项", ()),
]


@pytest.mark.parametrize(
    ("roots", "change", "name", "before", "after", "details"),
    [
        (roots, *expected)
        for roots, rows in (
            (("63.2", "2026.2"), SPECIALISED),
            (("63.3", "2026.3"), LITTLE_GIANT),
            (("63.2.复核", "2026.2.复核"), RECHECK),
        )
        for expected in rows
    ],
)
def test_rows_typed_by_hand(
    roots: tuple[str, str],
    change: RequirementChange,
    name: str,
    before: str | None,
    after: str | None,
    details: tuple[str, ...],
) -> None:
    found = row(compared(*roots), name, change)
    assert (found.before and found.before.text, found.after and found.after.text) == (before, after)
    assert found.details == details


def test_every_requirement_of_either_text_has_just_one_row() -> None:
    for roots in (("63.2", "2026.2"), ("63.3", "2026.3"), ("63.3.复核", "2026.3.复核")):
        comparison = compared(*roots)
        back = compare(comparison.after, comparison.before)
        for one, other in ((comparison, back), (back, comparison)):
            mine = [r.before for r in one.rows if r.before]
            theirs = [r.after for r in other.rows if r.after]
            assert sorted(map(repr, mine)) == sorted(map(repr, theirs))
            assert len(set(map(repr, mine))) == len(mine)


def test_citations_stand_beside_the_thresholds() -> None:
    found = row(compared("63.2", "2026.2"), "上年度营业收入总额")
    assert found.before
    assert found.after
    assert (found.before.rule.id, found.before.rule.citation) == (
        "63.2.营收或融资",
        "附件2认定条件第三项",
    )
    assert (found.after.rule.id, found.after.rule.citation) == ("2026.2.营收或融资", "附件1第二项")
    assert found.before.role == "2种情形之一「营业收入」"


def test_the_thirteen_scored_items_and_the_gate_are_gone() -> None:
    scores = compared("63.2", "2026.2").scores
    assert [s.change for s in scores] == [REMOVED] * 13
    assert sum((s.before.full for s in scores if s.before), Fraction(0)) == 100
    back = compare(rulebook().ruleset("2026.2"), rulebook().ruleset("63.2"))
    assert [s.change for s in back.scores] == [ADDED] * 13


def test_class_one_rights_must_be_self_applied_and_the_firm_among_the_first_three_holders() -> None:
    found = {d.name: d for d in compared("63.2", "2026.2").definitions}
    rights = found["Ⅰ类知识产权 → 自主申请的Ⅰ类知识产权"]
    assert rights.citation == "63.4.Ⅰ类，附件4 → 2026.4.Ⅰ类，指标释义"
    assert [
        (r.change, r.name, r.before and r.before.text, r.after and r.after.text)
        for r in rights.rows
    ] == [
        (CHANGED, "取得方式", "为 原始取得", "为 原始取得"),
        (ADDED, "权利人排名", None, "不高于3名"),
        (REMOVED, "取得方式", "为 受让取得", None),
        (REMOVED, "受让至填报年限", "不低于1年", None),
    ]
    awards = found["国家级奖励排名前五 → 国家级奖励排名前三"]
    [only] = awards.rows
    assert (only.name, only.details) == ("获奖单位排名", ("上限降低（从严）",))


def test_growth_is_written_out_in_both_texts() -> None:
    found = {d.name: d for d in compared("63.3", "2026.3").definitions}
    assert found["近2年主营业务收入平均增长率"].change is REMOVED
    assert found["上年度与再上年度营业收入之比"].after == (
        "上年度营业收入总额÷再上年度营业收入总额"
    )
    ruleset = rulebook().ruleset("63.2")
    growth = rulebook().indicators["上年度主营业务收入增长率"]
    assert formula_text(growth.expr, ruleset) == (
        "（上年度主营业务收入总额－上上年度主营业务收入总额）÷上上年度主营业务收入总额"
    )


def test_products_and_maxima_in_words() -> None:
    known = rulebook().ruleset("63.2")
    multiple = mul(div(year("net_profit"), year("revenue")), const("3/2"))
    assert formula_text(multiple, known) == "（上年度净利润总额÷上年度营业收入总额）×3/2"
    larger = most(year("staff"), year("rd_staff"))
    assert formula_text(larger, known) == "上年度从业人员与上年度研发人员中较大者"


def test_what_is_asked_for_the_first_time_and_no_longer() -> None:
    found = compared("63.2", "2026.2")
    assert {"本年度专精特新发展评价得分", "知识产权的权利人排名", "遵守法律法规和行业规范"} <= {
        *found.facts_added
    }
    assert {"独立法人", "数字化水平等级", "上年度净利润总额"} <= {*found.facts_removed}
    assert "上年度营业收入总额" not in {*found.facts_added, *found.facts_removed}


def test_notes_say_which_text_they_belong_to() -> None:
    notes = {n.note.text: n for n in compared("63.2", "2026.2").readings}
    rank = notes["企业应为前三位权利人，以在权利人中的排名判断，前三位含第三位。"]
    assert (rank.side, rank.note.confidence, rank.rules) == ("后", "B", ("2026.4.Ⅰ类",))


def test_a_text_beside_itself_has_no_differences() -> None:
    for root in ("63.1", "63.2", "63.3", "2026.2.复核"):
        found = compared(root, root)
        assert found.identical
        assert {r.change for r in found.rows} <= {SAME}
        assert {s.change for s in found.scores} <= {SAME}
        assert not found.definitions


def changed(ruleset: Ruleset, id: str, rule: Rule) -> Ruleset:
    return replace(ruleset, rules=tuple(rule if r.id == id else r for r in ruleset.rules))


def with_threshold(ruleset: Ruleset, id: str, case: int, line: int, **more: object) -> Ruleset:
    rule = ruleset.rule(id)
    assert isinstance(rule.body, Cases)
    cases = list(rule.body.cases)
    lines = list(cases[case].lines)
    lines[line] = replace(lines[line], **more)  # type: ignore[arg-type]
    cases[case] = replace(cases[case], lines=tuple(lines))
    return changed(ruleset, id, replace(rule, body=Cases(tuple(cases))))


def test_one_threshold_moved_is_one_row() -> None:
    before = rulebook().ruleset("2026.2")
    after = with_threshold(
        before, "2026.2.营收或融资", 0, 0, value=Fraction(12_000_000), text="不低于1200万元"
    )
    found = compare(before, after)
    [only] = [r for r in found.rows if r.change is not SAME]
    assert only.name == "上年度营业收入总额"
    assert only.details == ("门槛降低（从宽）",)
    assert not found.definitions
    assert not found.identical


def test_a_number_that_no_longer_counts_is_a_change() -> None:
    before = rulebook().ruleset("2026.2")
    after = with_threshold(before, "2026.2.营收或融资", 0, 0, op=">", text="高于1500万元")
    assert row(compare(before, after), "上年度营业收入总额").details == ("是否含本数不同（从严）",)


def test_a_changed_definition_shows_where_it_counts_although_the_names_are_the_same() -> None:
    before = rulebook().ruleset("2026.2")
    after = with_threshold(before, "2026.4.Ⅰ类", 0, 4, value=Fraction(5), text="不高于5名")
    found = compare(before, after)
    counted = row(found, "应用并产生效益的自主申请Ⅰ类知识产权数")
    assert counted.details == ("计入的范围不同，见释义",)
    [definition] = found.definitions
    assert [(r.name, r.details) for r in definition.rows] == [("权利人排名", ("上限提高（从宽）",))]


def test_sizes_of_enterprises_are_one_row_until_they_differ() -> None:
    before = rulebook().ruleset("63.2")
    name = "按所属划型行业的标准属于中小企业"
    assert row(compare(before, before), name).change is SAME
    after = with_threshold(before, "300.工业", 0, 0, value=Fraction(2000), text="低于2000人")
    [only] = [r for r in compare(before, after).rows if r.change is not SAME]
    assert (only.name, only.details) == ("上年度从业人员", ("上限提高（从宽）",))


def test_points_that_moved_are_told_although_the_title_is_the_same() -> None:
    before = rulebook().ruleset("63.2")
    rule = before.rule("63.2.8.资产负债率")
    assert isinstance(rule.body, Bands)
    [(name, bands)] = rule.body.bands
    best = replace(bands[0], points=Fraction(4))
    moved = replace(rule, body=Bands(((name, (best, *bands[1:])),)))
    [only] = [
        s for s in compare(before, changed(before, rule.id, moved)).scores if s.change is not SAME
    ]
    assert only.details == ("上年度末资产负债率不高于50%：5分 → 上年度末资产负债率不高于50%：4分",)
    ladder = before.rule("63.2.10.知识产权")
    assert isinstance(ladder.body, Ladder)
    shorter = replace(ladder, body=Ladder(ladder.body.rungs[:-1], ladder.body.rest))
    [gone] = [
        s
        for s in compare(before, changed(before, ladder.id, shorter)).scores
        if s.change is not SAME
    ]
    assert gone.details == ("Ⅱ类知识产权数不低于1项：2分 → 无",)


def test_another_title_with_whose_holders_shares_are_meant_is_told() -> None:
    before = rulebook().ruleset("第八批.3.推荐要求")
    facts = {
        id: replace(fact, share_with="专精特新中小企业") if fact.share_with else fact
        for id, fact in before.facts.items()
    }
    after = replace(before, facts=facts)
    assert compare(before, before).definitions == ()
    [told] = compare(before, after).definitions
    assert told.name == "与已认定小巨人之间最高持股比例"
    assert told.before == "持股对方为专精特新“小巨人”企业"
    assert told.after == "持股对方为专精特新中小企业"
