"""What is released never changes: the digest of each root's ruleset.

A digest covers everything that can change a verdict or its wording. Where one differs here, either
undo the change, or give the new reading a root and a row of the applicability table of its own.
"""

import shutil
from datetime import date
from pathlib import Path

import pytest

from rules.editions import governing
from rules.rulebook import Rulebook, load

RELEASED = {
    "63.1": "79e39bfcf94753d64b5bec7d8ab15c5ff0f72ea0a0763d83353d5db89e264807",
    "63.2": "32c0905cf130a868a016af41826cec348ad1a5adba0403234fbb593c0ddd4f0a",
    "63.2.复核": "4eac0e831797e239d46385a333343f417f456c9a845754871e46e5d0fcc4c4a1",
    "63.3": "2659ee09c545b229d3b2b7cfe7882b5817d726ad3447c5e1a1221d72fdf9fb25",
    "63.3.复核": "76dffef37b5794def3b8f5628a30974d99baa1f1fc376ddc24e7c0ce1e25d7bc",
    "2026.2": "97275d7e04dd3ff30b69bc110fe89efe8998e5b01d0f4415f0765d2f81038e09",
    "2026.2.复核": "1a094ce77094c5a3e384986a8d44edad1cc70b837de9faf159d45431c08a3d2c",
    "2026.3": "c12c46aa0182f11e1a22c66bcf4255bb7c1ef2231dc05edbe851a6dbd39ede6f",
    "2026.3.复核": "65ea5803a9eb2be4063f9fb563441bb8455910a169a4264040a6812371d6107a",
    "63.2@广东省.2024-01-01": "9e10f50bb48a6097f9424a86e29a815c964c4cf8186b4a8a63409ec3765ebcfe",
    "63.2@山东省.2022-08-01": "8351fb81a3922a43ee5f579dd754239b4a37f74f0d8ce00cf4acd7493076b18f",
    "63.2@四川省.2022-08-01": "900cf8b113d058d10538e73f3ec137881daad0b099d450d1154fb02bd869c70a",
    "63.2.复核@广东省.2024-01-01": "9bae34f59b6d8ccf098c8a5ab40782925f51eae6e6c2c7c92c2aff8aa438fe89",
    "63.2.复核@山东省.2022-08-01": "5954ee5619b06db3711709c9a07357fc08d6fd2fb5d3ac1b78df7e1639e36747",
    "63.2.复核@四川省.2022-08-01": "14e4bddd73847f8537ebe572363deb926afd73d9ac95b7196ff651061ce46d6e",
    "广东.2025@广东省.2025-01-01": "f952c8b6b3a5de460aa30654a68540f7184c401cce5119057d2df933fa42790f",
    "第七批.3": "fbd174e71930c864bcc1639fb06a4f42880676d962727856d62d0b9dacb7f61b",
    "第七批.3.复核": "cbd326f29e52e19854ea098e0dc26fbaeddd5322d80ca07fd5d872512a04b511",
    "第八批.3": "9102300478dec45e21303ba778824a1df0c81f65ada2deda5853d06ccd539f3f",
}


@pytest.mark.parametrize("root", RELEASED)
def test_a_released_ruleset_is_what_it_was(rulebook: Rulebook, root: str) -> None:
    assert rulebook.ruleset(root).digest == RELEASED[root]


def test_every_root_that_may_govern_is_released(rulebook: Rulebook) -> None:
    assert {r.ruleset for r in rulebook.applicability if r.encoded} == set(RELEASED)


REVISION = """# language: zh-CN
@tier:专精特新中小企业 @source:工信部企业〔2022〕63号附件2
功能: 附件2的订正
  年限一项的读法订正如下，其余各项照旧。

  @id:63.2.订正1
  规则: 专精特新中小企业应符合订正后的实质条件，并具备前置称号
    依据: 附件2、办法关于申请资格的规定

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标                | 要求 | 门槛 |
        | 一   | 63.2.订正1.实质条件 | 为   | 符合 |
        | 一   | 63.2.前置称号       | 为   | 符合 |

    场景: 订正后的前置称号
      假如 其他规则的结论
        | 63.2.订正1.实质条件 | 符合   |
        | 63.2.前置称号       | 不符合 |
      那么 结论为“不符合”

  @id:63.2.订正1.实质条件
  规则: 订正后的附件2各项条件
    依据: 附件2认定条件

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标            | 要求 | 门槛 |
        | 一   | 63.8            | 为   | 符合 |
        | 一   | 63.2.订正1.年限 | 为   | 符合 |
        | 一   | 63.2.研发费用   | 为   | 符合 |
        | 一   | 63.2.营收或融资 | 为   | 符合 |
        | 一   | 63.2.评分或直通 | 为   | 符合 |

    场景: 订正后各项条件缺一不可
      假如 其他规则的结论
        | 63.8            | 不符合 |
      那么 结论为“不符合”

  @id:63.2.订正1.年限
  规则: 从事特定细分市场满3年
    依据: 附件2
    解读C: 订正，此前读作2年；自2025年1月1日的填报起改读3年。

    背景:
      假如 满足下列任一情形即为符合
        | 情形 | 指标             | 要求   | 门槛 |
        | 一   | 从事细分市场年限 | 不低于 | 3年  |

    场景: 订正后的年限
      假如 企业填报
        | 进入细分市场日期 | 2010年1月1日 |
      那么 结论为“符合”
"""


def test_a_corrected_misreading_is_a_revision_that_changes_no_release(tmp_path: Path) -> None:
    """A rule and a root of its own, with a note, and a row of the applicability table from a day on."""
    folder = tmp_path / "features"
    shutil.copytree(Path(__file__).parent, folder, ignore=shutil.ignore_patterns("*.py"))
    (folder / "miit-2022-63" / "revision-1.feature").write_text(REVISION, encoding="utf-8")
    table = folder / "applicability.feature"
    text = table.read_text(encoding="utf-8")
    row = next(
        line
        for line in text.splitlines()
        if "专精特新中小企业     | 认定 " in line and "63.2 " in line
    )
    cut = row.replace("2026年3月31日", "2024年12月31日")
    revised = row.replace("2022年8月1日", "2025年1月1日").replace("| 63.2 ", "| 63.2.订正1 ")
    assert row != cut
    table.write_text(text.replace(row, f"{cut}\n{revised}"), encoding="utf-8")

    rulebook = load(folder)
    assert {root: rulebook.ruleset(root).digest for root in RELEASED} == RELEASED
    assert {
        day: governing(
            rulebook.applicability, tier="专精特新中小企业", procedure="认定", day=day
        ).row.ruleset
        for day in (date(2024, 12, 31), date(2025, 1, 1), date(2026, 3, 31), date(2026, 4, 1))
    } == {
        date(2024, 12, 31): "63.2",
        date(2025, 1, 1): "63.2.订正1",
        date(2026, 3, 31): "63.2.订正1",
        date(2026, 4, 1): "2026.2",
    }
    notes = [n.text for r in rulebook.ruleset("63.2.订正1").rules for n in r.notes]
    assert "订正，此前读作2年；自2025年1月1日的填报起改读3年。" in notes
