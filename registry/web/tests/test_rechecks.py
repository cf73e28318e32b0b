"""The page of re-checks: who is on it, why, and what the criteria say; its filters and its pages."""

from datetime import date
from pathlib import Path

import pytest

from registry.conftest import Run
from registry.desk import applications, notices
from registry.desk.applications import Applying
from registry.desk.listed import Firms
from registry.desk.notices import Notice, Validity
from registry.tests.support import CODES, submission
from registry.tests.support import load as loaded
from registry.web.tests.visiting import Bureau
from rules.portable.workflow import LEVELS
from rules.tests.packaged import TITLES

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ONE, TWO = CODES[:2]
TIER = TITLES[1]


@pytest.fixture
def held(bureau: Bureau) -> Bureau:
    """Two titles until 2023-09-30; one of the firms spends too little and applied."""
    loaded(
        bureau.desk.database,
        bureau.clock,
        submission(TWO, day=date(2023, 7, 1), rd_expense__2022="1"),
    )
    granted = Notice("示工信〔2022〕9号", date(2022, 10, 1))
    notices.grant(bureau.desk, Firms((ONE, TWO)), TIER, granted, Validity(last=date(2023, 9, 30)))
    applying = Applying(tier=TIER, procedure="复核", day=date(2023, 7, 1), level=LEVELS[0])
    applications.apply(bureau.desk, Firms((TWO,)), applying)
    return bureau


def test_the_list_leads_to_the_entries_and_the_criteria(
    held: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = held.visitor.get("/rechecks?on=2023-07-01&tier=specialised")
    assert "临近1家、已申报1家" in page.words
    assert "△ 临近 登记申报 2023-09-30 ✓ 符合" in page.words
    assert "✗ 不符合 63.2.研发费用" in page.words
    assert "申报，县级初审" in page.words
    assert f"/enterprises/{TWO}" in page.links
    assert "/rechecks" in held.visitor.get("/").links
    assert "/rechecks" in held.visitor.get("/due").links
    assert f"/enterprises/{TWO}/specialised#course" in page.links
    assert (
        f"/applications/apply?tier=specialised&uscc={ONE}&procedure=%E5%A4%8D%E6%A0%B8"
        in page.links
    )
    [case] = [link for link in page.links if f"{TWO}/specialised?as_of" in link]
    assert "不符合" in held.visitor.get(case).words
    none = held.visitor.get("/rechecks?on=2022-12-31")
    assert "没有须复核的称号；最早2023-01-01起可以申报" in none.words
    assert "/rechecks?on=2023-01-01" in none.links
    monkeypatch.setattr("registry.desk.rechecks.LEAF", 1)
    first = held.visitor.get("/rechecks?on=2023-07-01")
    [following] = [link for link in first.links if "after=" in link]
    second = held.visitor.get(following)
    assert {one for one in (ONE, TWO) if one in first.source} ^ {
        one for one in (ONE, TWO) if one in second.source
    } == {ONE, TWO}
    assert not [link for link in second.links if "after=" in link]
    for asked in ("after=3", "place=火星", "on=昨天"):
        assert held.visitor.get(f"/rechecks?on=2023-07-01&{asked}").status == 422, asked
    assert held.visitor.get("/rechecks?round=没有").status == 404


def test_files_are_those_of_the_command(
    held: Bureau, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "on=2023-07-01&tier=specialised"
    options = ("recheck", "--on", "2023-07-01", "--tier", "专精特新")
    book = tmp_path / "复核.xlsx"
    assert "2家已写入" in run(*options, "-o", str(book)).output
    assert held.visitor.raw(f"/rechecks.xlsx?{asked}").content == book.read_bytes()
    assert held.visitor.raw(f"/rechecks.json?{asked}").text == run(*options, "--json").output
    monkeypatch.setattr("registry.desk.rechecks.AWAITED", 1)
    assert "共2家，一次最多导出1家" in held.visitor.get(f"/rechecks.xlsx?{asked}").words
