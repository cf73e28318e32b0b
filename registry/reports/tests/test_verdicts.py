"""Verdicts for people: the table, the explanation in lines, the result workbook."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from openpyxl import load_workbook
from rich.console import Console

from registry.judging.case import Case, Known, Request
from registry.judging.facts import facts_of
from registry.judging.judge import Judge
from registry.judging.verdicts import CaseResult, Checker
from registry.kit.workbooks import workbook
from registry.reports import books, results, verdicts
from rules.language.editions import RECHECK
from rules.model.facts import Profile, RecordList, Scalar
from rules.tests import packaged

AS_OF = date(2023, 6, 30)
VALUES: dict[str, Scalar] = {
    "industry_code": "C3511",
    "registered_in_prc": True,
    "independent_legal_person": True,
    "abnormal_list": False,
    "dishonesty_list": False,
    "restricted_product": False,
    "major_accident": False,
    "tax_violation": False,
    "staff@2022": "100",
    "rd_staff@2022": "20",
    "revenue@2022": "50000000",
    "main_revenue@2020": "36000000",
    "main_revenue@2021": "40500000",
    "main_revenue@2022": "45000000",
    "net_profit@2022": "5000000",
    "rd_expense@2021": "8000000",
    "rd_expense@2022": "10000000",
    "total_assets@2022": "80000000",
    "total_liabilities@2022": "72000000",
    "segment_entry": "2010-01-01",
    "digital_level": "1",
    "quality_award": False,
    "management_certificate": False,
    "own_brand": False,
    "standards": False,
    "field_key_link": False,
    "field_six_bases": False,
    "field_old_brand": False,
    "field_serves_leader": False,
    "local_points": "0",
    "ip_high_value": "0",
    "ip_self_developed": "0",
    "ip_class_one": "0",
    "ip_class_two": "0",
    "financing_two_years": "0",
}
LISTS = {n: RecordList((), True) for n in ("titles", "awards", "competitions", "institutions")}


@cache
def checker() -> Checker:
    return Checker(Judge(packaged.rulebook()))


def check(*tiers: str, **changed: Scalar) -> CaseResult:
    values = VALUES | {k.replace("__", "@"): v for k, v in changed.items()}
    profile = Profile(AS_OF, values, LISTS)
    case = filing(profile, "913205052HYEF0R3JN", "测试一号有限公司")
    return checker().check(case, Request(tuple(tiers)))


def filing(profile: Profile, uscc: str = "", name: str = "某企业") -> Known:
    return Known(
        Case(uscc=uscc, name=name, province="", as_of=profile.as_of, facts=facts_of(profile))
    )


def write(path: Path, *found: CaseResult, refused: Sequence[str] = ()) -> None:
    with workbook(path) as book:
        sink = books.ResultBook(book)
        for result in found:
            sink.add(sink.view(result))
        sink.close(refused)


def lines(result: CaseResult, *, full: bool) -> list[str]:
    return [line.strip() for line in verdicts.explanation(result, full=full)]


@pytest.mark.parametrize("full", [True, False])
def test_the_score_is_shown_beside_a_direct_route(full: bool) -> None:
    direct = check("专精特新", financing_two_years="60000000")
    assert direct.verdicts[0].parts["实质条件"] == "符合"
    found = lines(direct, full=full)
    score = next(i for i, line in enumerate(found) if "情形「评价得分」" in line)
    assert re.search(r"不低于认定分数线（60分）：\d+分（差\d+分）$", found[score])
    assert any("63.2.1.主营占比" in line for line in found) is full


def test_the_workbook_has_marks_and_scores(tmp_path: Path) -> None:
    checked = [check(financing_two_years="60000000"), check(local_points="15", abnormal_list=True)]
    low, *others = checked[1].verdicts
    checked[1] = replace(checked[1], verdicts=(replace(low, overruled=({},)), *others))
    write(tmp_path / "a.xlsx", *checked, refused=["丙公司：没有填报日期"])
    book = load_workbook(tmp_path / "a.xlsx")
    rows = list(book["结论"].iter_rows(values_only=True))
    found = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert list(found[0]) == [
        "统一社会信用代码",
        "企业名称",
        "填报日期",
        "创新型中小企业",
        "创新型标记",
        "创新型得分",
        "创新型适用依据",
        "专精特新中小企业",
        "专精特新标记",
        "专精特新得分",
        "专精特新适用依据",
        "专精特新“小巨人”企业",
        "小巨人标记",
        "小巨人适用依据",
        "主要原因",
    ]
    assert found[0]["专精特新标记"] == "* 只缺前置称号"
    assert found[1]["专精特新标记"] is None
    scores = [row["专精特新得分"] for row in found]
    assert scores[1] == scores[0] + 15  # type: ignore[operator]
    assert found[1]["创新型标记"] == "‡ 填报的称号1项与登记簿不符，以登记簿为准"
    governing = checked[0].verdicts[1].governing
    assert governing is not None
    assert found[0]["专精特新适用依据"] == governing.reason
    counts = results.VerdictCounts()
    for result in checked:
        counts.add(counts.view(result))
    legend = [cell for (cell,) in book["说明"].iter_rows(min_row=2, values_only=True)]
    assert legend == list(counts.lines())
    assert {line[0] for line in legend} >= {"*", "‡"}
    assert book["未能检查"]["A2"].value == "丙公司：没有填报日期"


def test_a_narrow_table_breaks_no_number_and_leaves_none_of_the_text_out() -> None:
    checked = [
        check(rd_expense__2022=str(amount), rd_expense__2021="0")
        for amount in (919519, 175181, 162000, 1488888)
    ]
    for width in range(60, 100):
        out = io.StringIO()
        shown = results.Tables(Console(file=out, width=width))
        for result in checked:
            shown.add(shown.view(result))
        shown.close([])
        reasons = [line[-(width // 2) :].strip() for line in out.getvalue().splitlines()]
        for above, below in pairwise(reasons):
            broken = re.search(r"[\d.]$", above) and re.match(r"[\d.万元个%]", below)
            assert not broken, (width, above, below)


def test_missing_values_are_listed_with_their_place(tmp_path: Path) -> None:
    titles = RecordList(({"kind": "创新型中小企业", "held": True},), True)
    values = VALUES | {"financing_two_years": "60000000"}
    profile = Profile(AS_OF, values, LISTS | {"titles": titles}, {"titles#0": "称号!3"})
    result = checker().check(filing(profile), Request(("专精特新",)))
    gap = "梯度称号第1条（创新型中小企业）：称号有效期至"
    assert result.verdicts[0].outcome == "材料不足"
    assert f"· {gap} 未填报　〔称号!3〕" in lines(result, full=True)
    write(tmp_path / "a.xlsx", result)
    rows = list(load_workbook(tmp_path / "a.xlsx")["待补材料"].iter_rows(values_only=True))
    assert rows[1][2:] == ("专精特新中小企业", gap, "未填报", "称号!3")


def test_a_recheck_that_leaves_out_growth_says_that_it_does_not_apply() -> None:
    profile = Profile(date(2025, 6, 30), {"revenue@2024": "50000000"})
    asked = Request(("小巨人",), procedure=RECHECK, batch="第七批")
    [verdict] = checker().check(filing(profile), asked).verdicts
    left_out = {name for name, value in verdict.parts.items() if value == "不适用"}
    assert left_out == {"前置称号", "营业收入", "近2年主营业务收入平均增长率"}


def test_every_row_of_a_tier_governs_or_is_rejected_with_a_reason() -> None:
    profile = Profile(date(2025, 6, 30), {"revenue@2024": "50000000"})
    asked = Request(("小巨人",), province="山东省", batch="第七批")
    case = checker().check(filing(profile), asked)
    [verdict] = case.to_json()["verdicts"]
    rows = [r for r in checker().judge.rules.applicability if r.tier == verdict["tier"]]
    assert len(verdict["rejected"]) == len(rows) - 1
    reasons = {r["reason"] for r in verdict["rejected"]}
    assert {
        "自2026-04-01，不含2025-06-30",
        "批次「第七批」另有规定",
        "用于复核，本案为认定",
    } <= reasons
    shown = "\n".join(verdicts.explanation(case))
    assert "未适用：工信部企业〔2022〕63号附件3，因用于复核，本案为认定" in shown
    assert "未适用：工信部企业〔2022〕63号附件3，因批次「第七批」另有规定" in shown
    assert "2026年全国复核" not in shown  # of another procedure, and not in force that day


@pytest.mark.parametrize("amount", ["0", "175181", "300000", None])
def test_what_a_verdict_rests_on_is_worded_alike_alone_and_among_all(amount: str | None) -> None:
    """A table asks for the reasons alone, an explanation for everything."""
    values = {k: v for k, v in (VALUES | {"rd_expense@2022": amount}).items() if v is not None}
    filed = filing(Profile(AS_OF, values, LISTS))
    alone, among_all = (checker().check(filed, Request()).verdicts for _ in range(2))
    for one, other in zip(alone, among_all, strict=True):
        assert other.finding is not None
        assert other.finding.to_json()["outcome"] == one.outcome
        assert [*map(verdicts.brief, one.reasons())] == [*map(verdicts.brief, other.reasons())]
        assert one.missing() == other.missing()
