"""The page of an enterprise: the picture and the same figures, what was filed, and its versions."""

import re
from pathlib import Path

import pytest

from registry.desk.judging import Judging
from registry.desk.place import Desk
from registry.tests.support import CODES, Clock, decide, load, publish, submission
from registry.web.addresses import enterprise
from registry.web.app import application
from registry.web.tests.test_case import LACKING, NARROW
from registry.web.tests.visiting import Visitor


def test_picture_and_table_show_the_same_points(visitor: Visitor) -> None:
    page = visitor.get(enterprise(LACKING))
    assert page.status == 200
    assert 'class="radar"' in page.source
    for corner in ("专业化23分／25分", "精细化15～25分／25分", "特色化0～15分／15分"):
        assert corner in page.source
        name = corner[:3]
        assert f"{name} {corner[3:].replace('／', ' ／')}" in page.words


def test_a_tier_without_a_score_shows_its_aspects(visitor: Visitor) -> None:
    page = visitor.get(enterprise(NARROW, picture="giant"))
    assert 'class="radar"' not in page.source
    assert "上年度研发费用占比 不低于3%，2.9999%，差0.0001个百分点" in page.words
    assert "三个层级的共同条件 ✓ 符合" in page.words


def test_each_verdict_tells_its_first_reason(visitor: Visitor) -> None:
    page = visitor.get(enterprise(NARROW))
    said = "专精特新 ✗ 不符合 上年度研发费用占比 不低于3%，2.9999%，差0.0001个百分点，合0.01万元"
    assert said in page.words


def test_figures_stand_year_beside_year_with_their_cells(visitor: Visitor) -> None:
    page = visitor.get(enterprise(NARROW))
    assert "年度数据 2020 2021 2022" in page.words
    assert "研发费用总额 未填报 285万元 汇总表!R7 299.99万元 汇总表!S7" in page.words
    assert "进入细分市场日期 2012年3月1日 汇总表!X7" in page.words
    assert "荣誉称号（已报全）" in page.words


def test_what_was_recorded_on_it_is_listed(visitor: Visitor) -> None:
    assert "专精特新中小企业认定：不符合" in visitor.get(enterprise(NARROW)).words
    assert "还没有关于这家企业的决定和认定" in visitor.get(enterprise(LACKING)).words


def test_versions_are_kept_and_each_moment_has_its_facts(
    migrated: dict[str, str], tmp_path: Path
) -> None:
    clock = Clock()
    (tmp_path / "tidu.db").write_bytes(Path(migrated["sqlite"]).read_bytes())
    with Desk(f"sqlite:///{tmp_path / 'tidu.db'}", clock=clock) as desk:
        publish(desk.database, clock)
        load(desk.database, clock, submission(revenue__2022="12340000"))
        decide(desk.database, clock)
        load(desk.database, clock, submission(revenue__2022="56780000"), file="更正.xlsx")
        with Judging(desk) as judging:
            visitor = Visitor(application(desk, judging))
            now = visitor.get(enterprise(CODES[0]))
            then = visitor.get(enterprise(CODES[0], known_at="2023-07-01 16:00:02"))
            before = visitor.get(enterprise(CODES[0], known_at="2023-06-01"))
    assert "5678万元" in now.words
    assert "更正.xlsx" in now.words
    moments = re.findall(r"<option value=[^>]*>([^<]*)", now.source)[1:]
    assert [said[:22] for said in moments] == [
        "2023-07-01 16:00:04　登记",
        "2023-07-01 16:00:03　决定",
        "2023-07-01 16:00:02　登记",
    ]
    assert "更正.xlsx" in moments[0]
    assert "看现在的" in then.words
    assert "看现在的" not in now.words
    assert now.source.count("现行") == 1
    assert "1234万元" in then.words
    assert "5678万元" not in then.words
    assert before.status == 422
    assert "在2023-06-01 23:59:59以前没有登记" in before.words


def test_an_enterprise_that_cannot_be_judged_shows_its_facts_all_the_same(
    visitor: Visitor,
) -> None:
    page = visitor.get(enterprise(NARROW, as_of="2024-06-30"))
    assert page.status == 200
    assert "请补报2023年数据" in page.words
    assert "299.99万元" in page.words


@pytest.mark.parametrize("code", ["91990000MA0000099X", "x", "%2e%2e"])
def test_no_such_enterprise_is_no_page(visitor: Visitor, code: str) -> None:
    assert visitor.get(f"/enterprises/{code}").status == 404
