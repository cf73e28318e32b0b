"""The values of living documentation, from the packaged criteria and from small ones of a test."""

from dataclasses import replace
from pathlib import Path

import pytest

from rules.drafting.documentation.clauses import ListedClause, read_clauses
from rules.drafting.documentation.documenter import document, excerpt
from rules.drafting.documentation.values import Documentation
from rules.drafting.examples import examples
from rules.drafting.mutants import EQUIVALENT
from rules.language.rulebook import Rulebook, load
from rules.model.ruleset import Note
from rules.tests.packaged import TITLES

FEATURES = Path(__file__).parents[3] / "features"

#: One rule; its wording and table, its examples and whatever else a test puts in.
FEATURE = """\
# language: zh-CN
@tier:示例 @source:示例文件
功能: 示例标准
  先说明一句。

  @id:示例.研发费用
  规则: 上年度研发费用总额不低于100万元
    依据: 示例第一条
    解读C: 含本数。
    再说明一句。

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标               | 要求   | 门槛    |
        | 一   | 上年度研发费用总额 | 不低于 | 100万元 |

    场景大纲: 门槛上下
      假如 企业填报
        | 上年度研发费用总额 | <研发> |
        | 上年度营业收入总额 | 1000万元 |
      那么 结论为“<结论>”

      例子:
        | 研发         | 结论     |
        | 100万元      | 符合     |
        | 99.9999万元  | 不符合   |
        {more}

    场景: 只有一家
      假如 企业填报
        | 上年度研发费用总额 | 300万元 |
      那么 结论为“符合”
"""


def written(folder: Path, more: str = "| 100.0001万元 | 符合 |") -> Path:
    (folder / "text").mkdir(exist_ok=True)
    (folder / "text/a.feature").write_text(FEATURE.replace("{more}", more), "utf-8")
    return folder


def documented(folder: Path, *, with_mutants: bool = True) -> Documentation:
    return document(load(folder, base=FEATURES), [folder], with_mutants=with_mutants)


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load(FEATURES)


@pytest.fixture(scope="module")
def packaged(rulebook: Rulebook) -> Documentation:
    return document(rulebook, [FEATURES], with_mutants=False)


def test_a_rule_is_told_in_all_its_parts(tmp_path: Path) -> None:
    docs = documented(written(tmp_path))
    page = docs.rules["示例.研发费用"]
    assert (page.reference.word, page.citation) == ("示例·研发费用", "示例第一条")
    assert page.notes == (Note("C", "含本数。"),)
    assert page.prose == ("再说明一句。",)
    assert page.source[0].strip() == "@id:示例.研发费用"
    assert page.source[-1].strip() == "那么 结论为“符合”"
    assert page.source[page.line - page.first].strip().startswith("规则:")
    assert [c.text for c in page.definition.rows[0][1]] == [
        "一",
        "上年度研发费用总额",
        "不低于",
        "100万元",
    ]


def test_examples_are_numbered_and_show_what_they_file_and_what_came_out(tmp_path: Path) -> None:
    page = documented(written(tmp_path)).rules["示例.研发费用"]
    outline, single = page.scenarios
    [table] = outline.tables
    assert table.header == ("研发",)
    assert [row.given for row in table.rows] == [("100万元",), ("99.9999万元",), ("100.0001万元",)]
    assert [e.number for e in page.examples] == [1, 2, 3, 4]
    assert [row.given for row in single.rows] == [()]
    assert [e.expected[0].text for e in page.examples] == ["符合", "不符合", "符合", "符合"]
    assert page.failures == ()


def test_an_example_that_fails_is_told_with_what_came_out(tmp_path: Path) -> None:
    docs = documented(written(tmp_path, "| 100.0001万元 | 不符合 |"), with_mutants=False)
    [(page, failed)] = docs.failures
    assert (page.reference.id, failed.number, failed.failure) == ("示例.研发费用", 3, "符合")
    assert docs.coverage.failed == docs.edition("text").coverage.failed == 1


def test_an_example_that_cannot_be_run_fails_with_the_reason(tmp_path: Path) -> None:
    folder = written(tmp_path)
    file = folder / "text/a.feature"
    text = file.read_text("utf-8").replace("那么 结论为“符合”\n", "那么 指标“没有”为“1项”\n")
    file.write_text(text, "utf-8")
    [(_, failed)] = documented(folder, with_mutants=False).failures
    assert "没有" in failed.failure


def test_thresholds_are_counted_on_below_and_above(tmp_path: Path) -> None:
    docs = documented(written(tmp_path))
    [found] = docs.rules["示例.研发费用"].thresholds
    assert (found.below, found.on, found.above) == (1, 1, 2)
    assert found.text == "不低于 100万元".replace(" ", "")
    assert (docs.coverage.thresholds, docs.coverage.bounded) == (1, 1)


def test_a_threshold_without_examples_on_all_sides_is_not_bounded(tmp_path: Path) -> None:
    folder = written(tmp_path, "")
    file = folder / "text/a.feature"
    file.write_text(file.read_text("utf-8").replace("300万元", "100万元"), "utf-8")
    [found] = documented(folder, with_mutants=False).rules["示例.研发费用"].thresholds
    assert not found.bounded


def test_mutants_are_killed_listed_with_the_reason_or_unguarded(tmp_path: Path) -> None:
    folder = written(tmp_path)
    file = folder / "text/a.feature"
    file.write_text(file.read_text("utf-8").replace("| 99.9999万元", "| 50万元"), "utf-8")
    found = documented(folder).rules["示例.研发费用"].mutants
    assert found is not None
    assert found.killed
    assert found.equivalent == ()
    [left] = found.unguarded
    text = left.text
    (folder / EQUIVALENT).write_text(
        f"规则,变异,理由\n示例.研发费用,{text},没有这样的企业\n", "utf-8"
    )
    again = documented(folder).rules["示例.研发费用"].mutants
    assert again is not None
    assert again.equivalent == (replace(left, reason="没有这样的企业"),)
    assert (again.total, again.unguarded) == (found.total, ())


def test_without_mutants_nothing_is_said_of_them(tmp_path: Path) -> None:
    docs = documented(written(tmp_path), with_mutants=False)
    assert docs.rules["示例.研发费用"].mutants is None
    assert docs.coverage.mutants is None


def test_clauses_stand_in_the_order_of_the_source_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "clauses.md").write_text(
        "# 条款对照：示例文件\n\n| 条款 | 内容 | 处理 |\n|---|---|---|\n"
        "| 第二条 | 乙 | `示例.研发费用`；未编码：其余为程序 |\n| 第一条 | 甲 | 未编码：程序，见 `示例.研发费用` |\n",
        "utf-8",
    )
    found = read_clauses(tmp_path)
    assert found is not None
    assert found.title == "示例文件"
    assert found.clauses[0] == ListedClause("第二条", "乙", "`示例.研发费用`；未编码：其余为程序")
    assert [(c.encoded, c.whole) for c in found.clauses] == [(True, False), (False, False)]


def test_a_folder_without_a_list_of_clauses_has_none(tmp_path: Path) -> None:
    docs = documented(written(tmp_path), with_mutants=False)
    edition = docs.edition("text")
    assert (edition.clauses, edition.title) == (None, "示例标准")
    assert edition.coverage.listed == 0


def test_every_packaged_rule_and_example_is_told(
    packaged: Documentation, rulebook: Rulebook
) -> None:
    assert list(packaged.rules) == list(rulebook.clauses)
    for id, page in packaged.rules.items():
        runs = list(examples(rulebook.clauses[id], rulebook.catalogue))
        assert [e.line for e in page.examples] == [e.line for e in runs]
    assert packaged.failures == ()


def test_every_packaged_clause_is_told_and_counted(packaged: Documentation) -> None:
    for edition in packaged.editions:
        assert edition.folder == "." or edition.clauses
    assert 0 < packaged.coverage.encoded < packaged.coverage.listed


def test_references_lead_both_ways(packaged: Documentation) -> None:
    for id, page in packaged.rules.items():
        for other in page.refers:
            assert id in [r.id for r in packaged.rules[other.id].referred]
    used = packaged.rules["63.2.研发费用"].referred
    assert "63.2.实质条件" in [r.id for r in used]


def test_where_a_rule_applies_follows_references_slots_and_fills(packaged: Documentation) -> None:
    rows = packaged.rules["63.8.中小企业"].applies
    assert {row.ruleset for row in rows} >= {"63.1", "63.2", "2026.2", "2026.3.复核"}
    slot = packaged.rules["63.2.认定分数线"].applies
    assert {"63.2", "63.2@广东省.2024-01-01"} <= {row.ruleset for row in slot}
    [setter] = {row.province for row in packaged.rules["广东.认定分数线"].applies}
    assert setter == "广东省"


def test_the_counterpart_in_the_other_text_stands_beside_a_requirement(
    packaged: Documentation,
) -> None:
    found = {c.name: c for c in packaged.rules["63.2.年限"].counterparts}
    beside = found["从事细分市场年限"]
    assert (beside.edition, beside.rule, beside.later) == ("miit-2026-2", "2026.2.年限", True)
    assert (beside.before, beside.after) == ("不低于2年", "不低于3年")
    back = {c.rule for c in packaged.rules["2026.2.年限"].counterparts if not c.later}
    assert back == {"63.2.年限"}


def test_indicators_have_the_formula_that_is_declared(packaged: Documentation) -> None:
    found = {key: page.formula for key, page in packaged.indicators.items()}
    assert found["上年度研发费用占比"] == "上年度研发费用总额 ÷ 上年度营业收入总额"
    assert found["国家级研发机构件数"] == "符合「国家级研发机构」的研发机构件数"
    assert found["ip.授权至填报年限"] == "足年（授权日期，填报日）"
    assert all(found.values())
    declared = packaged.indicators["上年度研发费用占比"].declared
    assert declared is not None
    assert declared.id == "指标.比率"


def test_an_excerpt_keeps_one_text_and_what_it_rests_on(packaged: Documentation) -> None:
    found = excerpt(packaged, "miit-2026-2")
    own = [page.reference.id for page in packaged.edition("miit-2026-2").rules]
    assert set(own) <= set(found.rules)
    assert "63.8.中小企业" in found.rules
    assert "63.2.年限" not in found.rules
    for page in found.rules.values():
        assert {other.id for other in page.refers} <= set(found.rules)
        assert found.edition(page.edition)
    assert found.edition("miit-2022-63").roots == {}


def test_a_declaration_says_which_rules_read_what_it_declares(packaged: Documentation) -> None:
    page = packaged.rules["填报项.年度"]
    assert page.examples == ()
    readers = {d.name: [r.id for r in d.readers] for d in page.declared}
    assert "63.2.研发费用" in readers["研发费用总额"]
    fields = {d.name: d.readers for d in packaged.rules["填报项.知识产权"].declared}
    assert fields["知识产权　类别"]
    cells = packaged.rules["63.2.研发费用"].definition.rows[0][1]
    assert [c.rule.id for c in cells if c.rule] == ["填报项.年度"]
    assert "填报项.年度" not in [r.id for r in packaged.rules["63.2.研发费用"].refers]


def test_a_bureaus_own_round_is_told_with_its_list_of_clauses(tmp_path: Path) -> None:
    own = tmp_path / "our-packs"
    folder = own / "rounds/2030"
    folder.mkdir(parents=True)
    text = FEATURE.replace("{more}", "| 100.0001万元 | 符合 |")
    (folder / "a.feature").write_text(text, "utf-8")
    (folder / "clauses.md").write_text(
        "# 条款对照：本市2030年的要求\n\n| 条款 | 内容 | 处理 |\n|---|---|---|\n| 一 | 甲 | `示例.研发费用` |\n",
        "utf-8",
    )
    docs = document(load(FEATURES, own), [FEATURES, own], with_mutants=False)
    found = docs.edition("our-packs/rounds/2030")
    assert (found.title, found.nested, found.coverage.encoded) == ("本市2030年的要求", True, 1)
    assert [page.reference.id for page in found.rules] == ["示例.研发费用"]


def test_clocks_tell_which_titles_run_by_them(packaged: Documentation) -> None:
    page = packaged.rules["2026.计时"]
    assert {(row.tier, row.ruleset) for row in page.applies} == {
        (tier, "2026.计时") for tier in TITLES
    }
    assert page.definition.sentence == "按下表计时"


def test_a_workflow_tells_which_cases_it_handles(packaged: Documentation) -> None:
    rows = packaged.rules["63.办理.部级认定"].applies
    assert [(row.tier, row.procedure, str(row.end)) for row in rows] == [
        ("专精特新“小巨人”企业", "认定", "2026-03-31")
    ]
    assert len(packaged.rules["适用.办理"].applies) == 9
