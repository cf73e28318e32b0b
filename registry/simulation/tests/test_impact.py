"""What another text would mean: transitions typed by hand, drafts, and that nothing is recorded."""

import json
import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from openpyxl import load_workbook

from registry.database import storage
from registry.database.models import NAMES_INDEX
from registry.kit import resources, workbooks
from registry.kit.uscc import check_digit
from registry.record import journal
from registry.simulation.texts import Text
from rules.language.editions import ApplicabilityRow
from rules.language.rulebook import load as load_rulebook
from rules.model.ruleset import Position

Run = Callable[..., Result]
LABEL = "模拟结果，不是决定"
DAY = "2026-06-30"


def filed(number: int, *, without: tuple[str, ...] = (), **changed: Any) -> dict[str, Any]:
    """An enterprise that is 专精特新 under both texts, with everything filed, but for what is given.

    Under the older text an award stands in for the score, under the newer one for the rights.
    """
    values: dict[str, Any] = {
        "industry_code": "C3985", "segment_entry": "2015-03-01",
        "staff@2025": "50", "rd_staff@2025": "10",
        "revenue@2025": "20000000", "revenue@2024": "20000000", "revenue@2023": "20000000",
        "main_revenue@2025": "18000000",
        "rd_expense@2025": "1200000", "rd_expense@2024": "1200000",
        "total_assets@2025": "30000000", "total_liabilities@2025": "9000000",
        "financing_two_years": "0", "financing_three_years": "0",
        "tech_title": False, "leading_position": True, "development_score@2026": "50",
    }  # fmt: skip
    values |= dict.fromkeys(["registered_in_prc", "independent_legal_person", "law_abiding"], True)
    values |= dict.fromkeys(
        ["abnormal_list", "dishonesty_list", "restricted_product", "major_accident",
         "tax_violation", "safety_accident", "data_incident", "environment_offence",
         "quality_problem", "industry_breach"], False,
    )  # fmt: skip
    held = {"valid_until": "2027-12-31", "held": True}
    titles = [{"kind": "创新型中小企业", **held}, {"kind": "专精特新中小企业", **held}]
    award = {"level": "国家级", "rank": "3", "date": "2025-01-10"}
    records: dict[str, Any] = {
        "titles": {"complete": True, "items": changed.pop("titles", titles)},
        "awards": {"complete": True, "items": changed.pop("awards", [award])},
    }
    if "institutions" in changed:
        records["institutions"] = {"complete": True, "items": changed.pop("institutions")}
    identity = {"province": "江苏省", "city": "苏州市", "county": "昆山市"}
    identity |= changed.pop("identity", {})
    body = f"91320583MA{number:07d}"
    values |= {k.replace("_at_", "@"): v for k, v in changed.items()}
    return {
        "uscc": body + check_digit(body),
        "name": f"测试{number}号有限公司",
        "as_of": DAY,
        "identity": identity,
        "values": {k: v for k, v in values.items() if k not in without},
        "records": records,
    }


#: the other way to meet the same rule
FINANCING = "近两年新增股权融资额 不低于2000万元 差2000万元"
#: what differs -> what becomes of it, how it stands, and the figures that decide
TRANSITIONS: list[tuple[dict[str, Any], str, str, list[str]]] = [
    ({}, "仍符合", "符合", []),
    # revenue: 1000万元 before, 1500万元 after
    ({"revenue_at_2025": "15000000", "main_revenue_at_2025": "14000000"}, "仍符合", "符合", []),
    ({"revenue_at_2025": "14999999.99", "main_revenue_at_2025": "14000000"},
     "不再符合", "按已有数据即不符合", ["上年度营业收入总额 不低于1500万元 差0.01元", FINANCING]),
    ({"revenue_at_2025": "10000000", "main_revenue_at_2025": "9000000"},
     "不再符合", "按已有数据即不符合", ["上年度营业收入总额 不低于1500万元 差500万元", FINANCING]),
    ({"revenue_at_2025": "9999999.99", "main_revenue_at_2025": "9000000"},
     "仍不符合", "按已有数据即不符合", ["上年度营业收入总额 不低于1500万元 差约500万元", FINANCING]),
    # or financing of 2000万元, in both
    ({"revenue_at_2025": "10000000", "main_revenue_at_2025": "9000000",
      "financing_two_years": "20000000", "financing_three_years": "20000000"},
     "仍符合", "符合", []),
    # main business: points before, 80 % after
    ({"main_revenue_at_2025": "16000000"}, "仍符合", "符合", []),
    ({"main_revenue_at_2025": "15999999.99"}, "不再符合", "按已有数据即不符合",
     ["上年度主营业务收入占比 不低于80% 差不足0.0001个百分点，合0.01元"]),
    # debts: points before, 80 % after
    ({"total_liabilities_at_2025": "24000000"}, "仍符合", "符合", []),
    ({"total_liabilities_at_2025": "24000000.01"}, "不再符合", "按已有数据即不符合",
     ["上年度末资产负债率 不高于80% 超出不足0.0001个百分点，合0.01元"]),
    # what cannot be computed is for a person, though nothing is missing
    ({"total_assets_at_2025": "0"}, "不能判断", "数据齐全，待人工认定", []),
    ({"total_assets_at_2025": "-0.01"}, "不能判断", "数据齐全，待人工认定", []),
    # R&D: of the last year before, of each of two years after
    ({"rd_expense_at_2024": "1000000"}, "仍符合", "符合", []),
    ({"rd_expense_at_2024": "999999.99"}, "不再符合", "按已有数据即不符合",
     ["上上年度研发费用总额 不低于100万元 差0.01元"]),
    ({"rd_expense_at_2024": "1000000", "revenue_at_2024": "33333333.33"}, "仍符合", "符合", []),
    ({"rd_expense_at_2024": "1000000", "revenue_at_2024": "33333333.34"}, "不再符合",
     "按已有数据即不符合", ["上上年度研发费用占比 不低于3% 差不足0.0001个百分点，不足0.01元"]),
    # years in the segment: two before, three after, to the end of 2025
    ({"segment_entry": "2023-01-01"}, "仍符合", "符合", []),
    ({"segment_entry": "2023-01-02"}, "不再符合", "按已有数据即不符合",
     ["从事细分市场年限 不低于3年 差约1天"]),
    # a national award of rank 5 was enough before, of rank 3 waives the rights after
    ({"awards": [{"level": "国家级", "rank": "5", "date": "2025-01-10"}], "ip_own_earning": "1"},
     "仍符合", "符合", []),
    ({"awards": [{"level": "国家级", "rank": "5", "date": "2025-01-10"}], "ip_own_earning": "0"},
     "不能判断", "原有事项也不全", []),  # of R&D institutions nothing is filed
    ({"awards": [{"level": "国家级", "rank": "5", "date": "2025-01-10"}], "institutions": []},
     "不能判断", "只缺新增事项", []),
    # a 科技型 title opens the way only after
    ({"titles": [], "tech_title": True, "tech_title_until": DAY}, "新符合", "符合", []),
    # the legal person is named only before
    ({"independent_legal_person": False}, "新符合", "符合", []),
    # what was never asked for
    ({"without": ("development_score@2026",)}, "不能判断", "只缺新增事项", []),
    ({"without": ("leading_position", "law_abiding")}, "不能判断", "只缺新增事项", []),
    ({"without": ("development_score@2026", "total_assets@2025")},
     "不能判断", "原有事项也不全", []),
    # what was asked for already settles it, whatever else is missing
    ({"without": ("development_score@2026",), "main_revenue_at_2025": "15000000"}, "不再符合",
     "按已有数据即不符合", ["上年度主营业务收入占比 不低于80% 差5个百分点，合100万元"]),
    # open before, settled after
    ({"without": ("independent_legal_person",)}, "符合，此前不能判断", "符合", []),
    ({"without": ("independent_legal_person",), "development_score_at_2026": "49.99"},
     "不符合，此前不能判断", "按已有数据即不符合",
     ["本年度专精特新发展评价得分 不低于50分 差0.01分"]),
]  # fmt: skip


def load(run: Run, tmp_path: Path, *filings: dict[str, Any]) -> None:
    file = tmp_path / "filings.json"
    file.write_text(json.dumps(filings, ensure_ascii=False), encoding="utf-8")
    result = run("import", str(file))
    assert result.exit_code == 0, result.output


def impact(run: Run, *arguments: str) -> dict[str, Any]:
    result = run("impact", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_transitions_typed_by_hand(run: Run, tmp_path: Path) -> None:
    filings = []
    for number, (changed, *_) in enumerate(TRANSITIONS, 1):
        changed = {**changed}
        filings.append(filed(number, without=changed.pop("without", ()), **changed))
    load(run, tmp_path, *filings)
    found = impact(run, "--from", "63.2", "--to", "2026.2")
    assert found["simulation"] is True
    assert found["label"] == LABEL
    assert found["refused"]["count"] == 0
    by_code = {e["uscc"]: e for e in found["enterprises"]}
    for filing, (changed, group, standing, grounds) in zip(filings, TRANSITIONS, strict=True):
        effect = by_code[filing["uscc"]]
        assert (effect["group"], effect["standing"]) == (group, standing), changed
        assert [
            f"{g['indicator']} {g['threshold']} {g['distance']}" for g in effect["after"]["failed"]
        ] == grounds, changed
    [tier] = found["tiers"]
    assert tier["total"] == len(TRANSITIONS)
    for group, count in tier["groups"].items():
        assert count == sum(expected == group for _, expected, *_ in TRANSITIONS)
    revenue = next(c for c in tier["criteria"] if c["indicator"] == "上年度营业收入总额")
    assert (revenue["failing"], revenue["alone"], revenue["losing"]) == (3, 3, 2)
    assert revenue["citation"] == "附件1第二项"
    score = next(m for m in tier["missing"] if m["name"] == "本年度专精特新发展评价得分")
    assert (score["new"], score["count"], score["alone"]) == (True, 2, 1)
    assets = next(m for m in tier["missing"] if m["name"] == "上年度资产总额")
    assert assets["new"] is False
    assert [c["indicator"] for c in tier["cleared"]] == [
        "有效的创新型中小企业称号件数",
        "独立法人",
    ]


def head(database: sa.Engine) -> tuple[int, str | None]:
    with storage.session(database) as session:
        last = journal.head(session)
        return journal.size(session), last.digest if last else None


def tables(database: sa.Engine) -> dict[str, int]:
    names = [n for n in sa.inspect(database).get_table_names() if n != NAMES_INDEX]
    with database.connect() as connection:
        return {
            n: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(n))) or 0
            for n in names
        }


def test_every_output_says_simulation_and_nothing_is_recorded(
    run: Run, database: sa.Engine, tmp_path: Path
) -> None:
    load(
        run,
        tmp_path,
        filed(1),
        filed(2, revenue_at_2025="14000000", main_revenue_at_2025="13000000"),
        filed(3, without=("development_score@2026",)),
    )
    before = head(database), tables(database)
    shown = run(
        "impact", "--to", "miit-2026-2", "--tier", "专精特新", "-o", "x.xlsx", "-o", "x.html"
    )
    assert shown.exit_code == 0, shown.output
    assert (head(database), tables(database)) == before
    assert shown.output.startswith(f"【{LABEL}】工信部企业〔2022〕63号（此前适用） → ")
    assert "不再符合1家" in shown.output
    assert "只缺新增事项1家" in shown.output

    book = load_workbook(tmp_path / "x.xlsx", read_only=True)
    rows = {s.title: [list(r) for r in s.iter_rows(values_only=True)] for s in book.worksheets}
    book.close()
    assert list(rows) == ["说明", "汇总", "条件", "企业", "逐项", "待补材料", "未能检查"]
    assert all(sheet[0][0] == LABEL for sheet in rows.values())
    firms = [dict(zip(rows["企业"][1], r, strict=True)) for r in rows["企业"][2:]]
    assert [f["变化"] for f in firms] == ["仍符合", "不再符合", "不能判断"]
    assert firms[1]["县"] == "昆山市"
    assert (firms[1]["划型行业"], firms[1]["规模"]) == ("工业", "小型")
    assert (firms[1]["主要条件"], firms[1]["主要差距"]) == (
        "上年度营业收入总额 不低于1500万元",
        "差100万元",
    )
    failed, other = [dict(zip(rows["逐项"][1], r, strict=True)) for r in rows["逐项"][2:]]
    assert (failed["条款"], failed["情形"], failed["实际"], failed["要求"]) == (
        "附件1第二项",
        "营业收入",
        "1400万元",
        "不低于1500万元",
    )
    assert (other["情形"], other["差距"]) == ("股权融资", "差2000万元")
    [lacking] = [dict(zip(rows["待补材料"][1], r, strict=True)) for r in rows["待补材料"][2:]]
    assert (lacking["事项"], lacking["现状"], lacking["是否新增事项"]) == (
        "2026年专精特新发展评价得分（本年度）",
        "未填报",
        "新增",
    )

    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert page.count(LABEL) >= 3
    assert "<svg" in page
    assert "<script" not in page
    assert not re.search(r"(src|href)=", page)
    assert "测试2号有限公司" in page


def test_without_a_publication_none_is_made(run: Run, database: sa.Engine, tmp_path: Path) -> None:
    load(run, tmp_path, filed(1))
    size, _ = head(database)
    assert impact(run, "--to", "./draft" if copied(tmp_path) else "")["tiers"]
    assert head(database)[0] == size
    with storage.session(database) as session:
        assert journal.size(session, ["publication"]) == 0


def copied(tmp_path: Path) -> Path:
    without = shutil.ignore_patterns("*.py", "__pycache__")
    return Path(shutil.copytree(resources.features(), tmp_path / "draft", ignore=without))


def moved(draft: Path) -> None:
    """The draft's threshold of revenue: 1500万元 becomes 1800万元, in clause, table and examples."""
    file = draft / "miit-2026-2" / "specialised.feature"
    text = file.read_text(encoding="utf-8")
    start = text.index("@id:2026.2.营收或融资")
    end = text.index("@id:", start + 4)
    clause = text[start:end]
    for old, new in (("1500", "1800"), (r"1499\.9999", "1799.9999"), (r"1500\.0001", "1800.0001")):
        clause = re.sub(rf"(?<![\d.]){old}(?=万元)", new, clause)
    file.write_text(text[:start] + clause + text[end:], encoding="utf-8")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_draft_says_who_enters_and_who_leaves_before_publication(
    run: Run, tmp_path: Path
) -> None:
    draft = copied(tmp_path)
    moved(draft)
    checked = run("rules", "check", str(draft / "miit-2026-2" / "specialised.feature"))
    assert checked.exit_code == 0, checked.output
    load(
        run,
        tmp_path,
        filed(1, revenue_at_2025="17999999.99", main_revenue_at_2025="17000000"),
        filed(2, revenue_at_2025="18000000"),
        filed(3, revenue_at_2025="14000000", main_revenue_at_2025="13000000"),
    )
    expected = ["不再符合", "仍符合", "仍不符合"]
    for arguments in (
        ("--to", "./draft"),  # either table says what governs on the day: 2026.2
        ("--from", "2026.2", "--to", "draft"),
        ("--from", "miit-2026-2", "--to", "draft/miit-2026-2"),
        ("--from", "随附", "--to", "draft"),
    ):
        found = impact(run, *arguments, "--tier", "专精特新")
        assert [e["group"] for e in found["enterprises"]] == expected, arguments
        assert [*found["from"]["rulesets"]] == [*found["to"]["rulesets"]] == ["2026.2"]
        assert found["from"]["rulesets"] != found["to"]["rulesets"]
    back = impact(run, "--from", "draft", "--to", "2026.2", "--tier", "专精特新")
    assert [e["group"] for e in back["enterprises"]] == ["新符合", "仍符合", "仍不符合"]
    assert back["tiers"][0]["cleared"][0]["threshold"] == "不低于1800万元"

    table = json.loads(run("rules", "diff", "miit-2026-2", "draft", "--json").output)
    changed = [r for t in table["tiers"] for r in t["requirements"] if r["change"] != "未变"]
    assert [
        (r["indicator"], r["before"]["requirement"], r["after"]["requirement"], r["details"])
        for r in changed
    ] == [("上年度营业收入总额", "不低于1500万元", "不低于1800万元", ["门槛提高（从严）"])]
    assert [t["identical"] for t in table["tiers"]] == [False, True]


def test_holders_are_looked_at_as_in_a_recheck(run: Run, tmp_path: Path) -> None:
    title = {"kind": "专精特新中小企业", "valid_until": DAY, "held": True}
    load(
        run,
        tmp_path,
        filed(1, titles=[title], development_score_at_2026="40", development_score_at_2025="50"),
        filed(2, titles=[{**title, "valid_until": "2026-06-29"}]),
        filed(3, titles=[{**title, "held": False}]),
        filed(4, titles=[{**title, "kind": "创新型中小企业"}]),
        filed(5, titles=[{"kind": title["kind"], "held": True}]),
    )
    found = impact(run, "--to", "miit-2026-2", "--tier", "专精特新", "--holders")
    assert found["from"]["rulesets"].keys() == {"63.2.复核"}
    assert [(e["name"], e["group"]) for e in found["enterprises"]] == [
        ("测试1号有限公司", "仍符合"),  # the score of either year will do
        ("测试5号有限公司", "不能判断"),  # whether the title still runs is not filed
    ]
    assert "只看持有本层级称号的企业" in found["scope"]


def test_holders_are_those_of_the_register_where_it_says_something(
    run: Run, tmp_path: Path
) -> None:
    title = {"kind": "专精特新中小企业", "valid_until": DAY, "held": True}
    ended, granted = filed(1, titles=[title]), filed(2, titles=[])
    load(run, tmp_path, ended, granted)
    given = ("--tier", "专精特新", "--document", "公告", "--by", "李四")
    period = ("--from", "2023-07-01", "--until", "2026-06-30")
    for action, who, more in (
        ("end", ended, ("--dated", DAY, "--reason", "撤销")),
        ("grant", granted, ("--dated", "2023-07-01")),
    ):
        done = run("titles", action, who["uscc"], *given, *period, *more)
        assert done.exit_code == 0, done.output
    found = impact(run, "--to", "miit-2026-2", "--tier", "专精特新", "--holders")
    assert [e["uscc"] for e in found["enterprises"]] == [granted["uscc"]]


def test_control_relations_are_those_of_the_register(run: Run, tmp_path: Path) -> None:
    asked = {"single_champion": False, "group_similar": False, "giant_holding": "0"}
    held, free = filed(1, **asked), filed(2, **asked)
    giant = filed(3)["uscc"]
    load(run, tmp_path, held, free)
    paper = ("--document", "公告", "--by", "李四", "--dated", "2025-07-01")
    for words in (
        ("titles", "grant", giant, "--tier", "小巨人"),
        ("holdings", "add", held["uscc"], "--holder", giant, "--share", "51%"),
        ("holdings", "add", free["uscc"], "--holder", giant, "--share", "50%"),
    ):
        done = run(*words, *paper)
        assert done.exit_code == 0, done.output
    found = impact(run, "--from", "2026.3", "--to", "第八批.3", "--tier", "小巨人")
    grounds = {
        e["uscc"]: [g["value"] for g in e["after"]["failed"] if g["rule"] == "第八批.3.推荐要求"]
        for e in found["enterprises"]
    }
    assert grounds == {held["uscc"]: ["51%"], free["uscc"]: []}


def test_regions_days_and_years(run: Run, tmp_path: Path) -> None:
    load(
        run,
        tmp_path,
        filed(1),
        filed(2, identity={"county": "太仓市"}),
        filed(3, identity={"province": "浙江省", "city": "杭州市", "county": ""}),
    )

    def names(*arguments: str) -> list[str]:
        found = impact(run, "--to", "2026.2", *arguments)
        return [e["name"][2] for e in found["enterprises"]]

    assert names("--region", "苏州") == ["1", "2"]
    assert names("--region", "昆山市", "--region", "浙江") == ["1", "3"]
    assert names("--as-of", "2026-12-31") == ["1", "2", "3"]
    later = impact(run, "--to", "2026.2", "--as-of", "2027-03-01")
    assert later["refused"]["count"] == 3
    assert "最新的年度数据是2025年" in later["refused"]["first"][0]
    assert not later["tiers"]
    none = run("impact", "--to", "2026.2", "--region", "无此地")
    assert none.exit_code == 1
    assert "范围内没有企业" in none.output
    early = run("impact", "--to", "2026.2", "--as-of", "2020-01-01")
    assert "没有2020-01-01以前登记的填报：请核对 --as-of" in early.output


def test_names_of_texts_are_explained(run: Run, tmp_path: Path) -> None:
    load(run, tmp_path, filed(1))
    for arguments, sentence in (
        (
            ("--to", "miit-2030"),
            "没有名为「miit-2030」的文本：可用的有文件夹miit-2022-63、miit-2026-2",
        ),
        (("--to", "miit-2022-63"), "之前没有适用过别的文本：请用 --from 指明"),
        (("--to", "2026.2", "--from", "63.3.复核", "--tier", "小巨人"), ""),
        (("--to", "miit-2026-2", "--tier", "创新型"), "没有共同的层级和程序（认定）"),
        (("--to", "2026.2", "--output", "x.csv"), "文件名请以 .xlsx、.html 或 .htm 结尾"),
        (("--to", "."), "不是标准目录：请复制整个 features 目录"),
    ):
        result = run("impact", *arguments)
        assert result.exit_code == (1 if sentence else 0), result.output
        assert sentence in result.output
    assert run("impact").exit_code == 2


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_the_table_of_differences_in_every_format(run: Run, tmp_path: Path, form: str) -> None:
    arguments = ("rules", "diff", "miit-2022-63", "miit-2026-2", "--tier", "专精特新")
    printed = run(*arguments, "--format", form)
    assert printed.exit_code == 0, printed.output
    name = {"text": "t.txt", "markdown": "t.md", "html": "t.html"}[form]
    assert run(*arguments, "-o", name).output == f"对照表已写入 {name}\n"
    written = (tmp_path / name).read_text(encoding="utf-8")
    for text in (printed.output, written):
        for part in ("不低于1000万元", "不低于1500万元", "门槛提高（从严）", "63.2.营收或融资"):
            assert part in re.sub(r"\s+", "", text)
        assert "“小巨人”企业\n" not in text
    if form == "markdown":
        assert (
            "| 上年度营业收入总额 | 不低于1000万元（2种情形之一「营业收入」）"
            "〔63.2.营收或融资，附件2认定条件第三项〕 | 不低于1500万元（2种情形之一「营业收入」）"
            "〔2026.2.营收或融资，附件1第二项〕 | 门槛提高（从严） |\n"
        ) in written
    if form == "html":
        assert "<script" not in written


def test_two_root_rules_are_set_side_by_side_as_they_are_named(run: Run) -> None:
    found = json.loads(run("rules", "diff", "63.3", "63.3.复核", "--json").output)
    [tier] = found["tiers"]
    [changed] = [r for r in tier["requirements"] if r["change"] != "未变"]
    assert changed["indicator"] == (
        "有效的专精特新中小企业称号件数 → 有效的专精特新“小巨人”企业称号件数"
    )
    assert changed["details"] == ["计入的范围不同，见释义"]
    [kind] = tier["definitions"][0]["rows"]
    assert kind["details"] == ["范围不再含专精特新中小企业，增加专精特新“小巨人”企业"]
    same = run("rules", "diff", "63.1", "63.1")
    assert "两个文本对这一层级的要求完全相同" in same.output


def test_a_tier_that_only_one_text_has_is_said_to_be(run: Run) -> None:
    found = run("rules", "diff", "miit-2022-63", "miit-2026-2", "--json")
    assert json.loads(found.output)["only_in_one"] == {
        "创新型中小企业": "工信部企业〔2022〕63号（miit-2022-63）"
    }
    shown = run("rules", "diff", "miit-2022-63", "miit-2026-2").output
    assert "只有工信部企业〔2022〕63号（miit-2022-63）规定这一层级，无从对照。" in shown


def test_two_root_rules_of_different_procedures_are_simulated_as_named(
    run: Run, tmp_path: Path
) -> None:
    load(run, tmp_path, filed(1))
    found = impact(run, "--from", "63.2", "--to", "2026.2.复核")
    assert found["from"]["rulesets"].keys() == {"63.2"}
    assert found["to"]["rulesets"].keys() == {"2026.2.复核"}


def test_a_folder_gives_the_ruleset_of_the_province_and_batch_nearest_to_the_day() -> None:
    def row(root: str, start: date, end: date | None, **more: str) -> ApplicabilityRow:
        place = {"province": "其余", "batch": "", **more}
        where = Position("applicability.feature", 1)
        return ApplicabilityRow(tier="甲", procedure="认定", province=place["province"], batch=place["batch"], start=start, end=end, ruleset=root,
                                basis="某文", position=where)  # fmt: skip

    first, last = date(2022, 8, 1), date(2026, 3, 31)
    text = Text(
        "某文",
        load_rulebook(resources.features()),
        (
            row("旧", first, last),
            row("粤", date(2024, 1, 1), last, province="广东省"),
            row("批", date(2025, 1, 1), date(2025, 12, 31), batch="第七批"),
        ),
    )

    def nearest(day: date, province: str = "江苏省", batch: str = "") -> str | None:
        found = text.nearest("甲", "认定", day, province, batch)
        return found and found.ruleset

    assert nearest(date(2023, 6, 30)) == "旧"
    assert nearest(date(2021, 6, 30)) == "旧"
    assert nearest(date(2030, 6, 30)) == "旧"
    assert nearest(date(2023, 6, 30), "广东省") == "旧"
    assert nearest(date(2024, 6, 30), "广东省") == "粤"
    assert nearest(date(2026, 4, 1), "广东省") == "粤"
    assert nearest(date(2025, 6, 30), batch="第七批") == "批"
    assert text.nearest("乙", "认定", last, "", "") is None
    assert text.general("甲", "认定") == "旧"


def test_a_full_sheet_goes_on_in_another_and_names_are_no_formulas(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "FULL", 2)
    named = {**filed(2), "name": "=1+1有限公司"}
    load(run, tmp_path, filed(1), named, filed(3))
    assert run("impact", "--to", "2026.2", "-o", "x.xlsx").exit_code == 0
    book = load_workbook(tmp_path / "x.xlsx")
    assert [book[s]["B3"].value for s in ("企业", "企业（2）")] == [
        "测试1号有限公司",
        "测试3号有限公司",
    ]
    assert book["企业（2）"]["A1"].value == LABEL
    cell = book["企业"]["B4"]
    assert (cell.value, cell.data_type) == ("=1+1有限公司", "s")
