"""What is released never changes: the digest of each root's ruleset.

A digest covers everything that can change a verdict or its wording. Where one differs here, either
undo the change, or give the new reading a root and a row of the applicability table of its own.
"""

import shutil
from datetime import date
from pathlib import Path

import pytest

from rules.language.editions import governing
from rules.language.rulebook import Rulebook, load

RELEASED = {
    "63.1": "3c0d754211909ae3146039f3054831a0b6019366d211bb6a8cdef43cd12c2401",
    "63.2": "073b2654d0561469616c79d1800f13dc66b3ddff23a37716d30d051876fd2c87",
    "63.2.复核": "704e876c0fdac785f10cb1511d00e8402d19b43ddee1653fdbb10704247161ab",
    "63.3": "6510cd962ec79945600c96812cdb4b832eb0420d0f15f5468fff30c98173843c",
    "63.3.复核": "c18a37a9aa933cf297b3e3f4ef1dd720956bbf1fa6f16027449eb003b363fee0",
    "2026.2": "e6d14d527a8f81d71b123a14d82e36cbc8eb53f40d7206232296cf7a0618bffa",
    "2026.2.复核": "461d675acd0a1a771010612043432b14f0e54c134cd03234d6e04f9a0c681b0a",
    "2026.3": "d3e8f0898cac4d315ef71fb81b85ae0e17b277a165dc843085a08c6c5712beca",
    "2026.3.复核": "1b5e042020f97dcea93607e19075bef3a619f362a3796ee8ac16f7031811fb1e",
    "63.2@广东省.2024-01-01": "663de335f4071777b5d1a19c47e614ada41cd975998f8a5486d67af60ca6f59b",
    "63.2@山东省.2022-08-01": "19060eded83cd84463c94b42d93e88c666777521db8e280975a43d722b9ff195",
    "63.2@四川省.2022-08-01": "492d3198395b598162b4acc5d70eca5543826fd17b2a22efd2d0df3deb14c260",
    "63.2.复核@广东省.2024-01-01": "3388332bd6077f8e1f21b2275938367e33fb53fc097ff6908e3170ab0db6dd8d",
    "63.2.复核@山东省.2022-08-01": "82a8e6142de9f087b1398decd6fa62e540ba27444ddf5b38378c71760ef8a155",
    "63.2.复核@四川省.2022-08-01": "5a90c531d20b4f9645e6abae81e13b3ba9d9e6c1b6c46ab81a039a272d8680e3",
    "广东.2025@广东省.2025-01-01": "5ab8e0be8c8e931d4dc8e55482a66eafbb41e168ccef76c4792d988357bda861",
    "第七批.3": "8fb79830845f9ff3cb750585cd75a05d691dedb006536ad4188e0c99850c4998",
    "第七批.3.复核": "32bbd4d572ebf1e305804cb86e2ee9824d8f7e8c0f25b760263bdb76601ca8e9",
    "第八批.3": "25e812667759380c0fd063cfdab1f307f65122e1938be6d83a846963dd9b5c61",
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
