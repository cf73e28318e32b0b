"""A verdict that rests on a figure that can hardly be true says so wherever it is read."""

import csv
import json
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from registry.conftest import Run
from registry.intake.tests.counties import code, county, firm, saved

#: What the commands say does not depend on the database; that either keeps the same, see the record.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

SLIP = {"2021年研发费用（万元）": 2850000, "2022年研发费用（万元）": 3200000}
SAID = "2022年研发费用总额大于2022年营业收入总额10000万元"
SIGN = "符合△"


@pytest.fixture
def stored(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A registry with a filing that has a slip in it, and one without."""
    monkeypatch.setenv("TIDU_BY", "李四")
    path = saved(county([firm(1, **SLIP), firm(2)]), tmp_path)
    assert run("import", str(path)).exit_code == 0
    path.unlink()
    return run


def test_a_table_marks_the_verdict_that_rests_on_a_doubt(stored: Run, tmp_path: Path) -> None:
    book = tmp_path / "结果.xlsx"
    done = stored("check", "--all", "--tier", "专精特新", "-o", str(book))
    assert done.output.count(SIGN) == 1
    assert "△ 结论所依据的数据存疑，可能填错，请先核对，见逐条说明" in done.output
    read = load_workbook(book)
    assert [row[4] for row in read["结论"].iter_rows(min_row=2, values_only=True)] == [
        "△ 所依据的数据2处存疑",
        None,
    ]
    first = list(read["数据存疑"].iter_rows(min_row=2, values_only=True))[-1]
    assert (first[0], first[2]) == (code(1), "专精特新")
    assert SAID in first[4]


def test_reasons_and_json_list_the_doubts(stored: Run) -> None:
    assert f"△ 数据存疑：「3200000万元」{SAID}" in stored("check", code(1), "--explain").output
    one, other = json.loads(stored("check", "--all", "--json").output)["results"]
    assert [d["facts"] for d in one["doubts"]] == [
        ["rd_expense@2021", "revenue@2021"],
        ["rd_expense@2022", "revenue@2022"],
    ]
    assert [SAID in v["doubts"] for v in one["verdicts"]] == [True, True, True]
    assert other["doubts"] == []


def test_a_decision_tells_its_doubts_and_is_recorded_all_the_same(stored: Run) -> None:
    for word in ("第3号决定", "已有第3号决定"):
        done = stored("decide", code(1), "--tier", "专精特新")
        assert done.exit_code == 0
        assert done.output.startswith(word)
        assert "△ 有2处数据存疑，请核对：" in done.output
    assert "存疑" not in stored("decide", code(2), "--tier", "专精特新").output
    for reader in ("officer", "auditor", "enterprise"):
        assert SAID in stored("explain", "3", "--for", reader).output
    assert SAID in stored("explain", "3", "--format", "letter").output


def test_a_determination_settles_a_doubt(stored: Run, tmp_path: Path) -> None:
    (tmp_path / "审计报告.txt").write_text("320万元", encoding="utf-8")
    for year, value in (("2021", "285万元"), ("2022", "320万元")):
        done = stored(
            "determine", code(1), "--fact", "研发费用总额", "--year", year, "--value", value,
            "--ground", "审计报告", "--evidence", str(tmp_path / "审计报告.txt"),
        )  # fmt: skip
        assert done.exit_code == 0, done.output
    assert "△" not in stored("check", code(1)).output


@pytest.mark.parametrize(
    ("changes", "tiers"),
    [
        ({"2022年净利润（万元）": 12000000}, [0, 1, 2]),  # revenue may as well be wrong
        ({"进入细分市场时间": datetime(2008, 5, 5)}, [1, 2]),
        ({"高新技术企业证书有效期至": datetime(2124, 12, 31)}, [0]),
        ({"近年科技奖励（级别/排名/发证日期）": "省级/1/2032-01-01"}, []),
    ],
)
def test_only_doubts_that_bear_on_a_verdict_mark_it(
    run: Run, tmp_path: Path, changes: dict[str, object], tiers: list[int]
) -> None:
    path = saved(county([firm(1, **changes)]), tmp_path)
    (found,) = json.loads(run("check", str(path), "--json").stdout)["results"]
    assert [bool(v["doubts"]) for v in found["verdicts"]] == [n in tiers for n in range(3)]
    assert len(found["doubts"]) == 1
    assert f"逐条理由：tidu check {path} --explain" in run("check", str(path)).stdout
    said = run("check", str(path), "--explain").stdout
    assert ("其余存疑的数据" in said) is (not tiers)


def test_a_screening_marks_the_positives_that_a_check_marks(run: Run, tmp_path: Path) -> None:
    """The doubt is told at the tiers that rest on it, and at no other."""
    slip = {"2022年净利润（万元）": 12000000, "2022年研发费用（万元）": 320}
    path = saved(county([firm(1, **slip), firm(2, **SLIP), firm(3)]), tmp_path)
    assert run("import", str(path)).exit_code == 0
    checked = json.loads(run("check", "--all", "--json").output)["results"]
    marked = {
        (r["uscc"], v["tier"]): v["doubts"]
        for r in checked
        for v in r["verdicts"]
        if v["doubts"] and v["outcome"] == "符合"
    }
    # a workbook gets the same rows as a table: of one tier, which is screened soonest
    for file, tier in (("a.csv", ()), ("a.xlsx", ("--tier", "创新型"))):
        done = run("screen", "--as-of", "2023-06-30", *tier, "-o", file)
        assert done.exit_code == 0, done.output
    text = Path("a.csv").read_text(encoding="utf-8-sig")
    _, head, *cells = load_workbook("a.xlsx")["企业"].iter_rows(values_only=True)
    for rows, number in (
        (list(csv.DictReader(text.splitlines())), 9),
        ([dict(zip(head, row, strict=True)) for row in cells], 3),
    ):
        told = {(r["统一社会信用代码"], r["层级"]): r["数据存疑"] for r in rows}
        assert len(told) == number
        among = {key: doubts for key, doubts in marked.items() if key in told}
        assert {key for key, said in told.items() if said} == among.keys()
        assert among
        for key, doubts in among.items():
            assert told[key].startswith("△ ")
            assert all(said.partition("，")[0] in told[key] for said in doubts)
    assert 3 <= len(marked) < 9
