"""Declarations of tiers, and of the parts that rules play."""

from datetime import date
from pathlib import Path

import pytest

from rules.decider import by_both
from rules.errors import FactsError
from rules.language.rulebook import Rulebook, compile_all
from rules.model.catalogue import Tier, catalogue_of
from rules.model.facts import Profile, RecordList
from rules.model.ruleset import Outcome
from rules.tests.packaged import FEATURES, catalogue, rulebook

PACK = """# language: zh-CN
@source:示范省工信厅〔2026〕1号
功能: 示范省的标杆企业

  @id:示范.层级
  规则: 示范标杆企业的称号有效期3年
    依据: 第一条

    背景:
      假如 层级如下
        | {header} |
{rows}
  @id:示范.标杆
  规则: 持有示范标杆企业称号不少于1项
    依据: 第二条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标               | 要求   | 门槛 |
        | 一   | 持有示范标杆件数   | 不低于 | 1项  |

    场景: 未填报
      假如 企业填报
        | 上年度资产总额 | 1万元 |
      那么 结论为“材料不足”

  @id:示范.持有 @对象:梯度称号{tags}
  规则: 持有示范标杆
    依据: 第二条

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标     | 要求 | 门槛         |
        | 一   | 称号类别 | 为   | {title} |

    场景: 持有
      假如 一条“梯度称号”记录
        | 称号类别 | {title} |
      那么 结论为“符合”
"""
HEADER = "名称 | 简称 | 标识 | 种类 | 前置 | 有效期"
OWN = "示范标杆企业 | 标杆 | model | | 专精特新中小企业 | 3年"


def compiled(
    folder: Path, *rows: str, header: str = HEADER, title: str = "示范标杆企业", tags: str = ""
) -> Rulebook:
    own = folder / "own"
    (own / "provinces").mkdir(parents=True)
    table = "".join(f"        | {row} |\n" for row in rows or (OWN,))
    text = PACK.format(header=header, rows=table, title=title, tags=tags)
    (own / "provinces" / "a.feature").write_text(text, encoding="utf-8")
    return compile_all(FEATURES, own)


def test_the_packaged_tiers() -> None:
    assert [(t.short, t.slug, t.years) for t in catalogue().tiers] == [
        ("创新型", "innovative", 3),
        ("专精特新", "specialised", 3),
        ("小巨人", "giant", 3),
    ]
    assert catalogue().titles == tuple(t.name for t in catalogue().tiers)
    assert catalogue().tier("giant") is catalogue().tier("小巨人")
    with pytest.raises(
        FactsError,
        match="没有名为「巨人」的层级（相近的有「小巨人」）：可用的有创新型、专精特新、小巨人",
    ):
        catalogue().tier("巨人")


def test_roles_are_declared_at_the_rules() -> None:
    roles = catalogue().roles
    assert roles["63.2.实质条件"] == "实质条件"
    assert roles["63.8.中小企业"] == "划型标准"
    for id in rulebook().rules:
        last = id.rpartition(".")[2]
        assert (roles.get(id) == last) == (
            last in {"实质条件", "前置称号", "评价得分", "中型", "小型"}
        )


def test_a_tier_of_ones_own_may_be_held_and_changes_no_packaged_ruleset(tmp_path: Path) -> None:
    own = compiled(tmp_path)
    assert [str(p) for p in own.problems] == []
    assert own.catalogue.tier("标杆") == Tier(
        name="示范标杆企业", short="标杆", slug="model", prerequisite="专精特新中小企业", years=3
    )
    assert own.catalogue.field("titles", "kind").codes[-1] == "示范标杆企业"
    assert catalogue_of(own.catalogue.to_json()) == own.catalogue
    assert own.ruleset("63.3").digest == rulebook().ruleset("63.3").digest
    assert own.ruleset("示范.标杆").fields["titles.kind"].codes[-1] == "示范标杆企业"


def test_a_title_that_a_ruleset_does_not_know_is_none_that_it_asks_for() -> None:
    ruleset = rulebook().ruleset("63.2.前置称号")
    held = {"kind": "示范标杆企业", "held": True}
    known = {"kind": "创新型中小企业", "held": True, "valid_until": "2027-12-31"}
    for items, outcome in (((held,), Outcome.NOT_MET), ((held, known), Outcome.MET)):
        profile = Profile(date(2026, 6, 30), {}, {"titles": RecordList(items, True)})
        assert by_both(ruleset, profile)["63.2.前置称号"] is outcome


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("甲 | 乙 | 丙 | | | ", "标识「丙」应为小写字母、数字和连字符"),
        (" | 乙 | a | | | ", "名称和简称不能为空"),
        ("甲 | 乙 | a | 标准 | | ", "种类「标准」不认识：可写称号、自测、措施，或留空"),
        ("甲 | 乙 | a | 自测 | | 3年", "自测不是称号，没有前置和有效期：请留空"),
        ("甲 | 乙 | a | | | 三年", "有效期「三年」应写成 3年 的形式，或留空"),
        ("甲 | 乙 | a | | 专精特新 | ", "前置「专精特新」不是已声明的称号"),
        ("甲 | 小巨人 | a | | | ", "「小巨人」与 tiers.feature:"),
        ("甲 | 乙 | giant | | | ", "「giant」与 tiers.feature:"),
    ],
)
def test_refused(tmp_path: Path, row: str, said: str) -> None:
    found = [p.message for p in compiled(tmp_path, row).problems]
    assert any(message.startswith(said) for message in found), found


def test_a_part_that_no_rule_can_play_is_refused(tmp_path: Path) -> None:
    [problem] = compiled(tmp_path, tags=" @用途:实质要件").problems
    assert problem.message.startswith("用途「实质要件」不认识（相近的有「实质条件」）")
