"""Days of validity in the lists of notices: in one column or two, or not readable at all."""

from datetime import date
from typing import Any

import pytest

from registry.errors import RegistryError
from registry.intake import validity
from registry.intake.cells import Shown, Unsaved
from registry.intake.lists import ListEntry

FIRST, LAST = date(2022, 10, 1), date(2025, 9, 30)


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("有效期至", "有效期至"), ("证书有效期至", "有效期至"), ("有效期截止日期", "有效期至"), ("有 效 期 止", "有效期至"),
        ("到期时间", "有效期至"), ("有效期限至", "有效期至"), ("有效期起", "有效期始"), ("称号有效期开始时间", "有效期始"),
        ("有效期", "有效期"), ("有效期限", "有效期"), ("有效期起止日期", "有效期"), ("企业名称", "name"),
        ("高新技术企业证书有效期至", ""), ("小巨人有效期至", ""), ("证书编号", ""), ("有效发明专利", ""),
    ],
)  # fmt: skip
def test_a_heading_of_validity_is_known_by_its_words(heading: str, column: str) -> None:
    assert validity.columns(heading) == column


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({}, (None, None)),
        ({"有效期": "三年"}, (None, None)),
        ({"有效期": "3年"}, (None, None)),
        ({"有效期至": LAST}, (None, LAST)),
        ({"有效期": LAST}, (None, LAST)),
        ({"有效期": "至2025年9月30日"}, (None, LAST)),
        ({"有效期始": "2022.10.1", "有效期至": "2025-09-30"}, (FIRST, LAST)),
        ({"有效期": "2022年10月1日至2025年9月30日"}, (FIRST, LAST)),
        ({"有效期": "自2022年10月1日起至2025年9月30日止"}, (FIRST, LAST)),
        ({"有效期": "2022-10-01 - 2025-09-30"}, (FIRST, LAST)),
        ({"有效期": "2022-10-01-2025-09-30"}, (FIRST, LAST)),
        ({"有效期": "2022.10.01-2025.09.30"}, (FIRST, LAST)),
        ({"有效期": "2022/10/1—2025/9/30"}, (FIRST, LAST)),
        ({"有效期": "2022年10月1日-2025年9月30日", "有效期至": LAST}, (FIRST, LAST)),
        ({"有效期": "20221001~20250930"}, (FIRST, LAST)),
        ({"有效期": "20221001-20250930"}, (FIRST, LAST)),
    ],
)
def test_days_are_read_from_one_column_or_two(
    cells: dict[str, Any], found: tuple[Any, Any]
) -> None:
    told: list[str] = []
    assert tuple(validity.stated(ListEntry("表!B3", cells), {3}, told)) == found
    assert told == []


def test_a_day_shown_as_a_number_is_that_day_and_told() -> None:
    told: list[str] = []
    line = ListEntry("表!B3", {"有效期至": "45930"}, places={"有效期至": "表!D3"})
    assert validity.stated(line, {3}, told) == (None, LAST)
    assert told == [
        "表!D3：“有效期至”「45930」像是日期2025-09-30显示成了数字，已读作这一天，"
        "请核对后把单元格设为日期格式，或写成 2025-09-30"
    ]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"有效期": "五年"}, "不是可识别的日期"),
        ({"有效期": "长期"}, "不是可识别的日期"),
        ({"有效期": "2022年10月至2025年9月"}, "日期不完整，缺少日"),
        ({"有效期至": "2025年9月"}, "日期不完整，缺少日"),
        ({"有效期至": "2025-09-31"}, "没有这一天"),
        ({"有效期至": Unsaved("=B1+1095")}, "公式没有保存计算结果"),
        ({"有效期至": Shown(45930, "", "")}, "存有45930，但显示为空白"),
        ({"有效期至": "#N/A"}, "是公式的错误值"),
        ({"有效期至": "无"}, "没有写明日期"),
        ({"有效期始": "2025-10-01", "有效期至": "2025-09-30"}, "终止早于开始"),
        ({"有效期": "2022-10-01至2025-09-30", "有效期至": date(2025, 10, 1)}, "与“有效期”的2025-09-30不同"),
    ],
)  # fmt: skip
def test_a_day_that_is_not_clear_is_refused_with_its_row(cells: dict[str, Any], said: str) -> None:
    line = ListEntry("表!B3", {"name": "甲公司", **cells})
    with pytest.raises(RegistryError) as error:
        validity.stated(line, {3}, [])
    assert str(error.value).startswith("表!B3 甲公司：")
    assert said in str(error.value)
