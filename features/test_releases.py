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
    "63.2": "0fd1e52af83904f693ddf1ccc30c6da3a6ecba5c64f286a583b41beaed59de07",
    "63.2.复核": "4e4dbfcdb46019aa0feb2731f37d9937d60882c8e1aff19e82a8e020a0d30648",
    "63.3": "4e18a86c99a62ce0c87ad6b47ff16e539e14caa05eb69c8df268f614c2b8af35",
    "63.3.复核": "49675edc2fb34c6ca00ff40051d71131f6a87c8f309d0487c04fac844efd7734",
    "2026.2": "5c70811808346d261726c4ef4bdd14d9469947bb17b9b20c786bf57c8cb5d261",
    "2026.2.复核": "62afeaa885f6ddae374dfcfdf799eeb637e5a49fc3e18bd2a7eac870785b6937",
    "2026.3": "5c477f61611247c79b45843962d5a42a1414a1a39a8321a07f080d07ea2b9fb5",
    "2026.3.复核": "18668d7ea45a9ef3c4517ba9f7540dab19f212403a4dde4603f648bbf568b1e0",
    "63.2@广东省.2024-01-01": "bd968b976976be4955988cdddd0f2ed0687320d9e68cc591028b162c467fed85",
    "63.2@山东省.2022-08-01": "efda5b98fab2b835f0b3fde6fa9a848d34e7f0ac839a8147e7ec34b3409d4892",
    "63.2@四川省.2022-08-01": "f36fac09255bf21717f4b47a0d4753b5e84043e1fb8f901bea9844093dc51edb",
    "63.2.复核@广东省.2024-01-01": "f516933c8c7e88a9c232951dba69ae772681420e00130dacf6a216e97134b668",
    "63.2.复核@山东省.2022-08-01": "f5cedc5622716dcc75ac1d6ffc9b779e25d045779afc1953c4624077b5c0a34a",
    "63.2.复核@四川省.2022-08-01": "401b9426ed8b79d504c10fccc013b8719b82eacc626bed3f955d6e667eb7c260",
    "广东.2025@广东省.2025-01-01": "3a6bcd12fbd275efa00106f4229e4bf229186378c452c96b0ad05909b389fe1b",
    "第七批.3": "ba1d8f0a51dc77ed06e3b7561cb699455adae5c76f4351a924628e5ec85007ff",
    "第七批.3.复核": "b2fd19535ff584209a05afb0813b9c83bf0724f94c6df299ea763740ce5fd556",
    "第八批.3": "0efb7eff89348423b622a47a0bf4f64e41b3b695d9c1fae60f57c74016530de3",
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
