"""The packaged example: fictitious, current, untidy, and without an error."""

from datetime import date

import pytest
from openpyxl import load_workbook

from registry.demo import DEMO_COUNTY
from registry.demo.make_demo import CASES, write
from registry.intake.tests.counties import read
from registry.intake.tests.test_summary import texts


@pytest.fixture(scope="module")
def demo():
    return read(DEMO_COUNTY)


def test_the_demo_loads_with_a_few_notices(demo):
    assert len(demo.submissions) == len(CASES) == 42
    assert demo.refused == ()
    assert texts(demo) == [
        "提示 汇总表!AA13「18」：“全国细分市场占有率”没有百分号，含义不明，按未提供处理，请写明百分号，例如 18%",
        "提示 汇总表!S45「130.1234567」：“研发费用总额”金额细于1分，已按四舍六入五成双取为1301234.57元，金额最细到分",
        "提示 汇总表!X45「2019年6月」：“进入细分市场日期”日期不完整，缺少日，按未提供处理，应为年月日，例如 2023-06-30",
        "提示 汇总表!Z45「中华老字号、元宇宙」：不认识的领域：元宇宙，未列出的领域按未填处理",
    ]


def test_the_demo_is_fictitious_and_dated(demo):
    for found in demo.submissions:
        assert found.uscc.startswith("91990000")
        assert "虚构" in found.name
        assert found.identity["province"] == "示范省"
        assert found.as_of == date(2023, 6, 30)


def test_untidy_cells_mean_what_the_tidy_ones_mean(demo):
    """The first two enterprises have the same figures, typed in different ways."""
    first, second = demo.submissions[:2]
    awards = second.records["awards"]
    assert len(awards.items) == 2
    assert first.values == second.values


def test_the_packaged_workbook_is_what_its_script_writes(tmp_path):
    write(tmp_path / "demo.xlsx")
    packaged, fresh = (load_workbook(p).active for p in (DEMO_COUNTY, tmp_path / "demo.xlsx"))
    assert list(packaged.values) == list(fresh.values)
